"""The provider is put back to how it was: what happens is as docs/restore.md says.

Whatever was forgotten by that, a dead key is not reported as Ready, and what an application uses is not replaced
without a word.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest

from e2e.world import World
from harness.backup import back_up_server, restore_server
from harness.installation import ACCOUNT, Installation
from harness.kube import condition, is_ready
from harness.operator_process import FAST
from harness.waiting import until
from soak.checks import at_rest
from soak.scene import look

QUARANTINE = ("--orphan-quarantine", "1s")
# Two back-offs after an attempt without an answer, and some looks.
DEADLINE = 120.0


@pytest.fixture(scope="module")
def installation(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Installation]:
    """One of their own for these tests: they stop the control plane."""
    made = Installation(tmp_path_factory.mktemp("restore"), operator_options=(*FAST, *QUARANTINE))
    try:
        made.start()
        yield made
    finally:
        made.stop()


@pytest.fixture
def place(installation: Installation, request: pytest.FixtureRequest) -> World:
    """A namespace with a Ready user. What is in it goes with the installation."""
    world = World(installation, request.node.name.removeprefix("test_").replace("_", "-")[:30].strip("-"))
    world.namespace(world.ns)
    world.tenant(world.tenant_name)
    world.user()
    world.ready("StorageUser", "app")
    return world


def key_of(world: World, name: str) -> str:
    """The key that is recorded."""
    found: str = world.get("AccessKey", name)["status"]["published"]["accessKeyId"]
    return found


def keys_of(world: World, name: str) -> set[str]:
    """The live keys that were made for AccessKeys of that name."""
    labels = {"storekeeper.dev/namespace": world.ns, "storekeeper.dev/name": name}
    return {key["accessKeyId"] for key in world.management.access_keys() if labels.items() <= key["labels"].items()}


def reissue(world: World, name: str) -> None:
    """As the message says, or, while all is well, as it would: delete the Secret, and annotate."""
    found = world.get("AccessKey", name)
    said = re.search(r'reissue="(\d+)"', (condition(found) or {})["message"])
    published = found["status"].get("published") or {"epoch": 0}
    epoch = said.group(1) if said else str(published["epoch"] + 1)
    old = keys_of(world, name)
    world.patch("AccessKey", name, {"metadata": {"annotations": {"storekeeper.dev/reissue": epoch}}})
    world.kube.delete("Secret", name, world.ns)

    def done() -> bool:
        if not is_ready(world.get("AccessKey", name)):
            return False
        return keys_of(world, name) == {key_of(world, name)} and key_of(world, name) not in old

    until(done, f"'{name}' to have one other key", DEADLINE, lambda: world.get("AccessKey", name)["status"])


def test_the_provider_is_restored(place: World) -> None:
    made = place.installation
    for name in ("old", "rotated", "removed"):
        place.key(name)
    for name in ("old", "rotated", "removed"):
        place.ready("AccessKey", name)
    removed = key_of(place, "removed")
    copy = made.folder / "server-backup"
    back_up_server(made.server, copy)
    place.user("late")
    place.key("late-key", user="late")
    place.key("new")
    for name in ("late-key", "new"):
        place.ready("AccessKey", name)
    reissue(place, "rotated")
    place.delete("AccessKey", "removed")
    place.gone("AccessKey", "removed")
    before = {name: place.secret(name) for name in ("old", "new", "rotated", "late-key")}
    restore_server(made.server, copy)

    # Keys that the copy does not have are said to be gone; their Secrets stay as they are.
    for name in ("new", "rotated", "late-key"):
        place.says("AccessKey", name, "KeyRevokedExternally", f"'{name}'", deadline=DEADLINE)
    for name, secret in before.items():
        assert place.secret(name) == secret, name
    place.ready("AccessKey", "old")
    place.s3("old").list_buckets()
    # A user that it does not have is made again.
    place.ready("StorageUser", "late", DEADLINE)
    until(lambda: place.login("late") in {user["login"] for user in place.management.items("users")}, "the user")
    # A key that it has again, and whose object is gone, is reported.
    place.says("StorageAccount", ACCOUNT, "OrphanedKeys", removed, of="OrphanedKeys", deadline=DEADLINE)
    # The way out. It ends the key that was replaced before, and lived again, too.
    for name in ("new", "rotated", "late-key"):
        reissue(place, name)
        place.s3(name).list_buckets()


def test_a_dead_key_that_is_reported_as_ready_is_found(place: World) -> None:
    """The control for these tests' own eyes: the operator is dead too, so that nobody corrects the status."""
    place.key()
    place.ready("AccessKey", "key")
    place.installation.operator.kill()
    place.management.revoke(key_of(place, "key"))
    (violation,) = at_rest(look(place.installation, [place.ns]))
    assert violation.rule == "ready-works" and "the provider has no key" in violation.found
    place.installation.operator.start()
    place.reason("AccessKey", "key", "KeyRevokedExternally")
    stalled = condition(place.get("AccessKey", "key"), "Stalled")
    assert stalled is not None and stalled["status"] == "True"
