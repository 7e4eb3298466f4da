"""etcd, or the provider, is put back to how it was: what happens is as docs/restore.md says.

One backup holds AccessKeys at every step of their making; then life goes on; then the backup is put back. Whatever was
forgotten by that, a dead key is not reported as Ready, and what an application uses is not replaced without a word.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import replace

import pytest

from e2e.world import World
from harness.backup import back_up_etcd, back_up_server, restore_etcd, restore_server
from harness.installation import ACCOUNT, Installation
from harness.kube import condition, is_ready
from harness.operator_process import FAST
from harness.proxy import Fault, Rule
from harness.proxy.messages import Request
from harness.running import started
from harness.waiting import until
from soak.checks import Rest, Violation, at_rest
from soak.scene import look

QUARANTINE = ("--orphan-quarantine", "1s")
# Two back-offs after an attempt without an answer, and some looks.
DEADLINE = 120.0
BEFORE_INTENT, ASKED, MADE, POSTED = "before-intent", "asked", "made", "posted"
POSTED_THEN_REISSUED, READY, LOST = "posted-then-reissued", "ready", "lost"
REISSUED, DELETED, UNBORN = "reissued", "deleted", "unborn"


@pytest.fixture(scope="module")
def installation(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Installation]:
    """One of their own for these tests: they stop the control plane."""
    with started(Installation(tmp_path_factory.mktemp("restore"), operator_options=(*FAST, *QUARANTINE))) as made:
        yield made


@pytest.fixture
def place(installation: Installation, request: pytest.FixtureRequest) -> World:
    """A namespace with a Ready user. What is in it goes with the installation."""
    world = World(installation, request.node.name.removeprefix("test_").replace("_", "-")[:30].strip("-"))
    world.namespace(world.ns)
    world.tenant(world.tenant_name)
    world.user()
    world.ready("StorageUser", "app")
    return world


def about(name: str, *words: bytes) -> Callable[[Request], bool]:
    """Requests that make this AccessKey's key, and have these words in their body."""

    def only(request: Request) -> bool:
        sent = request.json()
        labels, metadata = sent.get("labels") or {}, sent.get("metadata") or {}
        named = f"/accesskeys/{name}/" in request.path or metadata.get("name") == name
        meant = named or labels.get("storekeeper.dev/name") == name
        return meant and all(word in request.body for word in words)

    return only


def hang(world: World, point: str, name: str, *words: bytes) -> Rule:
    """From now on the requests of that step are neither carried out nor answered; the AccessKey is made to go there."""
    made = world.installation
    proxy = made.management_proxy if point == "mint" else made.kube_proxy
    rule = proxy.fault(point, Fault.HANG, occurrence=0, only=about(name, *words))
    world.key(name)
    return rule


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


def stage(world: World) -> None:
    """AccessKeys at every step, each held there."""
    for name in (READY, LOST, REISSUED, DELETED):
        world.key(name)
    rules = [
        hang(world, "intent", BEFORE_INTENT),
        hang(world, "mint", ASKED),
        hang(world, "post-secret", MADE),
        hang(world, "status", POSTED, b'"published"'),
        hang(world, "status", POSTED_THEN_REISSUED, b'"published"'),
    ]
    for name in (READY, LOST, REISSUED, DELETED):
        world.ready("AccessKey", name, DEADLINE)
    world.kube.delete("Secret", LOST, world.ns)
    world.reason("AccessKey", LOST, "SecretLost")
    until(lambda: all(rule.hits for rule in rules), "all to be where they are held")
    assert "issue" not in (world.get("AccessKey", BEFORE_INTENT).get("status") or {})
    for name, keys, secret in (
        (ASKED, 0, False),
        (MADE, 1, False),
        (POSTED, 1, True),
        (POSTED_THEN_REISSUED, 1, True),
    ):
        status = world.get("AccessKey", name)["status"]
        assert status["issue"]["open"] and "published" not in status, name
        assert len(keys_of(world, name)) == keys, name
        assert (world.kube.find("Secret", name, world.ns) is not None) is secret, name


def live_on(world: World) -> dict[str, str]:
    """What happens after the backup; the keys that are recorded at its end."""
    world.installation.clear_faults()
    world.key(UNBORN)
    everything = (BEFORE_INTENT, ASKED, MADE, POSTED, POSTED_THEN_REISSUED, UNBORN)
    for name in everything:
        world.ready("AccessKey", name, DEADLINE)
    reissue(world, REISSUED)
    reissue(world, POSTED_THEN_REISSUED)
    world.delete("AccessKey", DELETED)
    world.gone("AccessKey", DELETED, DEADLINE)
    return {name: key_of(world, name) for name in (*everything, READY, REISSUED)}


def settled(world: World, excused: Rest, forgotten: set[str]) -> Rest:
    """Wait until every rule holds, but for the keys that etcd has forgotten; what is there then."""
    seen: list[Violation] = []

    def probe() -> Rest | None:
        rest = look(world.installation, [world.ns], excused)
        seen[:] = at_rest(replace(rest, keys=[key for key in rest.keys if key.id not in forgotten]))
        return None if seen else rest

    return until(probe, "every rule to hold", DEADLINE, lambda: [str(violation) for violation in seen])


def test_etcd_is_restored(place: World) -> None:
    made = place.installation
    stage(place)
    copy = made.folder / "etcd-backup"
    back_up_etcd(made.plane, copy)
    dead = {name: key_of(place, name) for name in (REISSUED, DELETED)}
    later = live_on(place)
    made.operator.kill()
    restore_etcd(made.plane, copy)
    assert is_ready(place.get("AccessKey", DELETED)), "the backup says so, and nobody has looked yet"
    made.operator.start()

    # Published, and the key is gone at the provider: it says so, and nothing is replaced.
    for name, epoch in ((REISSUED, 3), (DELETED, 2)):
        place.says("AccessKey", name, "KeyRevokedExternally", f"'{name}'", f'reissue="{epoch}"', deadline=DEADLINE)
        assert key_of(place, name) == place.key_id(name) == dead[name]
    # The provider has a key of which the status knows nothing: the Secret with it is lost, the key is left alone.
    lost = {BEFORE_INTENT: 2, ASKED: 2, POSTED_THEN_REISSUED: 3}
    for name, epoch in lost.items():
        place.says("AccessKey", name, "SecretLost", f'reissue="{epoch}"', deadline=DEADLINE)
        assert keys_of(place, name) == {later[name]}
    place.says("AccessKey", LOST, "SecretLost", 'reissue="2"', deadline=DEADLINE)

    uids = {place.get("AccessKey", name)["metadata"]["uid"] for name in (*lost, LOST)}
    forgotten = {later[name] for name in (*lost, REISSUED, UNBORN)}
    rest = settled(place, Rest(lost=uids, revoked=set(dead.values())), forgotten)
    assert {owner.where.partition("/")[2] for owner in rest.owners if owner.ready} == {MADE, POSTED, READY}
    # Without the excuses the same rules find every one of these.
    found = at_rest(replace(rest, lost=(), revoked=()))
    assert {violation.rule for violation in found} == {"settled", "no-orphans"}
    assert len(found) == len(dead) + len(uids) + len(forgotten)

    # Published, or a Secret whose key lives: it stays.
    for name in (READY, POSTED):
        assert key_of(place, name) == later[name]
    # Under way: nothing tells it from an answer that was lost.
    assert keys_of(place, MADE) == {key_of(place, MADE)} != {later[MADE]}

    # An object that is not in the backup: its key is reported and not revoked.
    place.says("StorageAccount", ACCOUNT, "OrphanedKeys", later[UNBORN], UNBORN, of="OrphanedKeys")
    assert keys_of(place, UNBORN) == {later[UNBORN]}

    # The way out that each message names.
    for name in (*lost, REISSUED, DELETED):
        reissue(place, name)
        place.s3(name).list_buckets()


def test_the_provider_is_restored(place: World) -> None:
    made = place.installation
    for name in ("old", "rotated", "removed"):
        place.key(name)
    for name in ("old", "rotated", "removed"):
        place.ready("AccessKey", name)
    first, removed = key_of(place, "rotated"), key_of(place, "removed")
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
    until(lambda: first not in keys_of(place, "rotated"), "the key that was replaced to be revoked again", DEADLINE)
    # The way out.
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
