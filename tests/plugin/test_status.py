"""`kubectl storekeeper status`: the tree, for those who see everything and for those who see little."""

from __future__ import annotations

import json

import yaml

from e2e.world import World
from harness.installation import Installation
from plugin.conftest import NAMESPACE, Plugin

IN = ("-n", NAMESPACE)


def test_the_tree_says_what_each_waits_for(plugin: Plugin, world: World) -> None:
    said = plugin("status", *IN)
    assert said.code == 1, said
    rows = [line.split() for line in said.out.splitlines()]
    assert ["└─", "StorageUser", f"{NAMESPACE}/app", "Ready"] in [row[:4] for row in rows]
    assert ["├─", "AccessKey", "lost", "Blocked", "SecretLost"] in [row[:5] for row in rows]
    assert 'annotate with storekeeper.dev/reissue="2"' in said.out
    assert "\x1b" not in said.out, "colours are for terminals"


def test_what_is_asked_about_decides_the_exit_code(plugin: Plugin, world: World) -> None:
    assert plugin("status", "accesskey", "works", *IN).code == 0
    assert plugin("status", "skk/lost", *IN).code == 1
    absent = plugin("status", "accesskey", "none", *IN)
    assert (absent.code, absent.out) == (1, f"There is no AccessKey 'none' in namespace '{NAMESPACE}'.\n")
    empty = plugin("status", "-n", "default")
    assert (empty.code, "StorageAccount main" in empty.out) == (0, True)


def test_a_tenant_is_shown_with_its_users_of_all_namespaces(plugin: Plugin, world: World) -> None:
    said = plugin("status", "tenant", "plugin", "-o", "json")
    assert said.code == 1
    (tenant,) = json.loads(said.out)["items"]
    (user,) = tenant["children"]
    assert (user["namespace"], user["name"]) == (NAMESPACE, "app")
    # What another test has deleted may still be on its way.
    there = [child for child in user["children"] if child["state"] != "Deleting"]
    names = [(child["kind"], child["name"], child["state"]) for child in there]
    assert names == [("AccessKey", "lost", "Blocked"), ("AccessKey", "works", "Ready"), ("Bucket", "data", "Ready")]
    as_yaml = plugin("status", "tenant", "plugin", "-o", "yaml")
    assert yaml.safe_load(as_yaml.out)["items"][0]["children"][0]["name"] == "app"


def test_who_sees_no_users_sees_their_keys_below_a_hidden_one(plugin: Plugin, world: World) -> None:
    said = plugin("status", *IN, "--as", "rob")
    assert "You may not list storageusers" in said.out
    rows = [line.split() for line in said.out.splitlines()]
    assert ["StorageUser", f"{NAMESPACE}/app", "Hidden"] in [row[:3] for row in rows]
    assert plugin("status", "accesskey", "works", *IN, "--as", "rob").code == 0


def test_wrong_usage_and_a_cluster_that_does_not_answer_are_told_from_what_is_not_well(
    plugin: Plugin, world: World, installation: Installation
) -> None:
    assert plugin("status", "--no-such-option").code == 2
    wrong = plugin("status", "pods")
    assert (wrong.code, "'pods'" in wrong.err) == (2, True)
    unknown = plugin("status", "--context", "nowhere")
    assert (unknown.code, "kubeconfig" in unknown.err) == (2, True)


def test_nothing_reads_a_secret(plugin: Plugin, world: World, installation: Installation) -> None:
    since = installation.audit.position()
    plugin("status", "-A")
    plugin("reissue", "lost", *IN, "--dry-run")
    plugin("check", *IN)
    by_people = [call for call in installation.audit.calls(since) if not call.user.startswith("system:")]
    assert {"accesskeys", "leases", "tenants"} <= {call.resource for call in by_people}
    assert "secrets" not in {call.resource for call in by_people}
