"""What people read is true, and what they write arrives."""

from __future__ import annotations

from e2e.world import World


def test_texts_of_several_lines_arrive_as_one(world: World) -> None:
    text = " what it is for:\n" + "backups, " * 40
    world.tenant(f"{world.ns}-wordy", description=text)
    world.ready("Tenant", f"{world.ns}-wordy")
    world.user(description=text)
    world.key(description=text[:250])
    world.ready("AccessKey", "key")
    line = text.strip().replace("\n", " ")[:255].strip()
    assert [key["description"] for key in world.live_keys()] == [text[:250].strip().replace("\n", " ")]
    tenants = {tenant["name"]: tenant["description"] for tenant in world.management.items("tenants")}
    assert tenants[f"{world.ns}-wordy"] == line


def test_a_user_whose_account_is_broken_names_the_account(world: World) -> None:
    broken = world.account(endpoint="https://127.0.0.1:1")
    world.says("StorageAccount", broken, "AccountUnreachable", f"'{broken}'")
    world.user("stuck", accountRef={"name": broken})
    world.says("StorageUser", "stuck", "AccountNotReady", f"'{broken}'", "AccountUnreachable", "kubectl describe")
    # What was never made at an account that does not work is let go by hand.
    world.delete("StorageUser", "stuck")
    world.patch("StorageUser", "stuck", {"metadata": {"finalizers": None}})


def test_the_column_says_that_object_lock_keeps_versions(world: World) -> None:
    world.user()
    world.bucket("locked", objectLock={"mode": "Governance", "days": 1})
    world.bucket("plain")
    for name in ("locked", "plain"):
        world.ready("Bucket", name)
    table = world.kube.kubectl("get", "bucket", "-n", world.ns).splitlines()
    column = table[0].split().index("VERSIONING")
    assert {line.split()[0]: line.split()[column] for line in table[1:]} == {"locked": "Enabled", "plain": "Disabled"}
