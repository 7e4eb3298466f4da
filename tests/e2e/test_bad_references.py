"""A reference that leads nowhere, or where it may not: the object says which, and heals when that changes."""

from __future__ import annotations

from e2e.world import World
from harness.kube import condition


def test_an_unknown_tenant_is_named_and_waited_for(empty_world: World) -> None:
    world = empty_world
    world.user()
    world.says("StorageUser", "app", "TenantNotFound", f"'{world.tenant_name}'")
    world.tenant(world.tenant_name)
    world.ready("StorageUser", "app")


def test_an_unknown_user_is_named_and_waited_for(world: World) -> None:
    world.key()
    world.bucket()
    for kind, name in (("AccessKey", "key"), ("Bucket", "data")):
        world.says(kind, name, "UserNotFound", "'app'", f"'{world.ns}'")
    world.user()
    world.ready("AccessKey", "key")
    world.ready("Bucket", "data")


def test_an_unknown_account_is_named(world: World) -> None:
    world.user(accountRef={"name": "nowhere"})
    world.says("StorageUser", "app", "AccountNotFound", "'nowhere'")


def test_an_unknown_account_of_a_tenant_is_named(empty_world: World) -> None:
    world = empty_world
    world.tenant(world.tenant_name, accountRef={"name": "nowhere"})
    world.says("Tenant", world.tenant_name, "AccountNotFound", "'nowhere'")


def test_a_namespace_that_the_tenant_does_not_admit_is_refused(empty_world: World) -> None:
    world = empty_world
    world.tenant(world.tenant_name, namespaces=["elsewhere"])
    world.user()
    world.says(
        "StorageUser", "app", "NamespaceNotAllowed", f"'{world.tenant_name}'", f"'{world.ns}'", "allowedNamespaces"
    )
    assert world.live_keys() == []
    world.patch("Tenant", world.tenant_name, {"spec": {"allowedNamespaces": {"names": [world.ns]}}})
    world.ready("StorageUser", "app")


def test_a_permission_that_the_tenant_does_not_allow_is_refused(empty_world: World) -> None:
    world = empty_world
    world.tenant(world.tenant_name, allowedPermissions=["Read", "Write"])
    world.user()
    world.key(permission="Full")
    world.says("AccessKey", "key", "PermissionNotAllowed", f"'{world.tenant_name}'", "Read", "Write", "Full")
    stalled = condition(world.get("AccessKey", "key"), "Stalled")
    assert stalled is not None
    assert stalled["status"] == "True"
    assert world.live_keys() == []


def test_an_account_of_another_tenant_is_refused(world: World) -> None:
    other = world.account(tenant="administrator")
    world.user(accountRef={"name": other})
    world.says("StorageUser", "app", "AccountNotAllowed", f"'{other}'", "'administrator'")


def test_two_default_accounts_are_blocked_both(world: World) -> None:
    second = world.account(default=True)
    try:
        for name, other in (("main", second), (second, "main")):
            world.says("StorageAccount", name, "SeveralDefaultAccounts", other)
    finally:
        world.patch("StorageAccount", second, {"spec": {"default": False}})
    world.ready("StorageAccount", "main")
    world.ready("StorageAccount", second)


def test_a_role_that_does_not_allow_the_permission_is_refused(world: World) -> None:
    world.user("viewer", role="ReadOnly")
    world.user("saver", role="Backup")
    world.key("viewer", user="viewer", permission="ReadWrite")
    world.key("saver", user="saver", permission="Read")
    world.says("AccessKey", "viewer", "RoleNotAllowed", "ReadOnly", "ReadWrite")
    world.says("AccessKey", "saver", "RoleNotAllowed", "Backup", "Write")
    assert world.live_keys("viewer") == world.live_keys("saver") == []


def test_role_administrator_is_for_the_administrator_tenant(world: World) -> None:
    world.user(role="Administrator")
    world.says("StorageUser", "app", "RoleNotAllowed", "Administrator", "'administrator'")
