"""`kubectl storekeeper reissue`: a new key where one is to be had, and a reason where not."""

from __future__ import annotations

import json

from e2e.world import World
from plugin.conftest import NAMESPACE, Plugin

IN = ("-n", NAMESPACE)


def annotation(world: World, name: str) -> str | None:
    found: str | None = world.get("AccessKey", name)["metadata"].get("annotations", {}).get("storekeeper.dev/reissue")
    return found


def test_a_key_in_use_is_never_replaced(plugin: Plugin, world: World) -> None:
    before = world.secret("works")["metadata"]["uid"]
    said = plugin("reissue", "works", *IN, "--yes")
    assert (said.code, "never replaced" in said.out) == (1, True)
    assert annotation(world, "works") is None
    assert world.secret("works")["metadata"]["uid"] == before


def test_without_a_terminal_it_needs_a_yes_and_a_dry_run_keeps_nothing(plugin: Plugin, world: World) -> None:
    world.key("unsure", permission="Read")
    world.ready("AccessKey", "unsure")
    world.kube.delete("Secret", "unsure", NAMESPACE)
    world.touch("AccessKey", "unsure")
    world.reason("AccessKey", "unsure", "SecretLost")
    said = plugin("reissue", "unsure", *IN, stdin="y\n")
    assert (said.code, "--yes" in said.err) == (2, True)
    assert plugin("reissue", "unsure", *IN, "--dry-run").code == 0
    refused = plugin("reissue", "unsure", *IN, "--yes", "--as", "rob")
    assert (refused.code, "forbidden" in refused.err) == (2, True)
    assert annotation(world, "unsure") is None
    world.delete("AccessKey", "unsure")


def test_a_lost_secret_brings_a_new_key_by_the_number_that_the_status_says(plugin: Plugin, world: World) -> None:
    world.key("again", permission="Read")
    world.ready("AccessKey", "again")
    old = world.key_id("again")
    world.kube.delete("Secret", "again", NAMESPACE)
    world.touch("AccessKey", "again")
    world.reason("AccessKey", "again", "SecretLost")
    said = plugin("reissue", "again", *IN, "--yes", "-o", "json", "--as", "fay")
    assert said.code == 0, said
    assert json.loads(said.out)["epoch"] == 2
    world.ready("AccessKey", "again", 60)
    assert annotation(world, "again") == "2"
    assert world.key_id("again") != old
    assert plugin("reissue", "again", *IN, "--yes").code == 1, "it works again"
    world.delete("AccessKey", "again")


def test_a_key_that_is_gone_at_the_provider_needs_its_secret_deleted_by_a_person(plugin: Plugin, world: World) -> None:
    world.key("revoked", permission="Read")
    world.ready("AccessKey", "revoked")
    world.management.revoke(world.key_id("revoked"))
    world.touch("AccessKey", "revoked")
    world.reason("AccessKey", "revoked", "KeyRevokedExternally")
    said = plugin("reissue", "revoked", *IN, "--yes")
    assert said.code == 0
    assert f"kubectl delete secret revoked --namespace {NAMESPACE}" in said.out
    again = plugin("reissue", "revoked", *IN, "--yes")
    assert (again.code, "asked for already" in again.out) == (0, True)
    world.kube.delete("Secret", "revoked", NAMESPACE)
    world.touch("AccessKey", "revoked")
    world.ready("AccessKey", "revoked", 60)
    world.delete("AccessKey", "revoked")


def test_an_access_key_that_is_not_there_is_named(plugin: Plugin, world: World) -> None:
    said = plugin("reissue", "none", *IN, "--yes")
    assert (said.code, "'none'" in said.err) == (2, True)
