"""Who may do what: every role, in every kind of tenant, with every kind of object, against the seed's matrix.

The expectation below is the matrix of the seed "Adding Users": tenants, accounts and users as it has them, and access
keys and buckets as the tenants' objects that it speaks of. Each letter is allowed, each dash is a 403: r(ead) c(reate)
e(dit) d(elete).
"""

from __future__ import annotations

import itertools

import pytest

from admission.cluster import OPERATOR, Cluster, account_spec, of_kind
from admission.scene import rendered_roles
from harness.kube import Object, Refused, path_of

TENANTS = ("own", "public", "isolated", "administrator")
# The Tenants that are not built in; each has a twin that nothing belongs to.
SPARE = ("mine", "public", "isolated")
MATRIX = """
                                      own    public  isolated  administrator
    Administrator        Tenant       r---   rced    rced      r---
    Administrator        Account      rced   rced    ----      rced
    Administrator        User         rced   rced    rced      rced
    Administrator        AccessKey    rced   rced    ----      rced
    Administrator        Bucket       rced   rced    ----      rced
    TenantAdministrator  Tenant       ----   ----    ----      ----
    TenantAdministrator  Account      rced   ----    ----      ----
    TenantAdministrator  User         rced   ----    ----      ----
    TenantAdministrator  AccessKey    rced   ----    ----      ----
    TenantAdministrator  Bucket       rced   ----    ----      ----
    FullAccess           Tenant       ----   ----    ----      ----
    FullAccess           Account      ----   ----    ----      ----
    FullAccess           User         ----   ----    ----      ----
    FullAccess           AccessKey    rced   ----    ----      ----
    FullAccess           Bucket       rced   ----    ----      ----
    Backup               Tenant       ----   ----    ----      ----
    Backup               Account      ----   ----    ----      ----
    Backup               User         ----   ----    ----      ----
    Backup               AccessKey    rc--   ----    ----      ----
    Backup               Bucket       r---   ----    ----      ----
    ReadOnly             Tenant       ----   ----    ----      ----
    ReadOnly             Account      ----   ----    ----      ----
    ReadOnly             User         ----   ----    ----      ----
    ReadOnly             AccessKey    r---   ----    ----      ----
    ReadOnly             Bucket       r---   ----    ----      ----
"""
OPTIONS = {
    "Administrator": "--administrator",
    "TenantAdministrator": "--tenant-administrator",
    "FullAccess": "--full-access",
    "Backup": "--backup",
    "ReadOnly": "--read-only",
}
KINDS = {
    "Tenant": "Tenant",
    "Account": "StorageAccount",
    "User": "StorageUser",
    "AccessKey": "AccessKey",
    "Bucket": "Bucket",
}
# The highest permission that a role's keys have: what it may ask for.
PERMISSION = {"Backup": "Write"}


def cells() -> list[tuple[str, str, str, str, bool]]:
    """Role, kind, tenant, letter, and whether it is allowed."""
    found = []
    for line in MATRIX.strip().splitlines()[1:]:
        role, kind, *columns = line.split()
        for tenant, column in zip(TENANTS, columns, strict=True):
            found += [(role, kind, tenant, letter, letter in column) for letter in "rced"]
    return found


def test_the_matrix_is_complete() -> None:
    expected = set(itertools.product(OPTIONS, KINDS, TENANTS, "rced"))
    assert {cell[:4] for cell in cells()} == expected


def tenant_of(role: str, tenant: str) -> str:
    """Global administrators are of the Tenant `administrator`; the others of one that is isolated, even from those."""
    return {"own": "administrator" if role == "Administrator" else "mine"}.get(tenant, tenant)


def account_of(tenant: str) -> str:
    return f"account-of-{tenant}"


@pytest.fixture(scope="module")
def organisation(cluster: Cluster) -> Cluster:
    """Four tenants with one object of every kind each, and the people of one of them."""
    root = cluster.root
    if root.find("Tenant", "administrator") is None:
        cluster.person(OPERATOR).create(of_kind("Tenant", "administrator", None, {}))
    for tenant in SPARE:
        visibility = "Public" if tenant == "public" else "Isolated"
        root.create(of_kind("Tenant", f"{tenant}-spare", None, {"visibility": visibility}))
        root.create(
            of_kind("Tenant", tenant, None, {"visibility": visibility, "allowedNamespaces": {"names": [tenant]}})
        )
    root.patch("Tenant", "administrator", {"spec": {"allowedNamespaces": {"names": ["administrator"]}}})
    for tenant in (*SPARE, "administrator"):
        cluster.namespace(tenant, **{"storekeeper.dev/tenant": tenant})
        root.create(body("Account", account_of(tenant), tenant))
        for kind in ("User", "AccessKey", "Bucket"):
            root.create(body(kind, "there", tenant))
        people = [f"{option}=User:{role}" for role, option in OPTIONS.items()]
        given = people if tenant == "mine" else people[:1]
        rendered = rendered_roles(root, tenant, *given)
        # Global administrators are bound to nothing of an isolated tenant, and kubectl does not apply nothing.
        assert bool(rendered) == (tenant != "isolated")
        if rendered:
            root.kubectl("apply", "-f", "-", stdin=rendered)
    return cluster


def body(kind: str, name: str, tenant: str, permission: str = "Read") -> Object:
    if kind == "Tenant":
        return of_kind("Tenant", name, None, {})
    if kind == "Account":
        # What is of no tenant is looked after by the global administrators.
        assigned = {} if tenant == "administrator" else {"tenantRef": {"name": tenant}}
        return of_kind("StorageAccount", name, None, account_spec(f"credentials-of-{tenant}", **assigned))
    spec = {
        "User": {"tenantRef": {"name": tenant}},
        "AccessKey": {"userRef": {"name": "there"}, "permission": permission},
        "Bucket": {"userRef": {"name": "there"}},
    }[kind]
    return of_kind(KINDS[kind], name, tenant, spec)


def attempt(cluster: Cluster, role: str, kind: str, tenant: str, letter: str) -> None:
    """One request; nothing is changed by it."""
    person, api = cluster.person(role), KINDS[kind]
    name = {"Tenant": tenant, "Account": account_of(tenant)}.get(kind, "there")
    namespace = None if kind in ("Tenant", "Account") else tenant
    there = path_of(api, namespace, name)
    if letter == "r":
        person.call("GET", there)
    elif letter == "c":
        # A Tenant cannot be made inside another: for the built-in one it is that one, else one more.
        new = tenant if kind == "Tenant" and tenant == "administrator" else "new-one"
        made = body(kind, new, tenant, PERMISSION.get(role, "Read"))
        person.call("POST", path_of(api, namespace) + "?dryRun=All", made)
    elif letter == "e":
        change = {"spec": {"description": "edited"}}
        if kind == "Bucket":
            change = {"spec": {"versioning": "Enabled"}}
        person.call("PATCH", there + "?dryRun=All", change, "application/merge-patch+json")
    else:
        # A Tenant that an account is assigned to is deleted by nobody, whatever the role.
        spare = kind == "Tenant" and tenant in SPARE
        person.call("DELETE", (path_of(api, None, f"{tenant}-spare") if spare else there) + "?dryRun=All")


@pytest.mark.parametrize("role", OPTIONS)
def test_every_role_may_do_what_the_matrix_says_and_nothing_else(organisation: Cluster, role: str) -> None:
    wrong = []
    for _, kind, tenant, letter, allowed in (cell for cell in cells() if cell[0] == role):
        try:
            attempt(organisation, role, kind, tenant_of(role, tenant), letter)
            got = True
        except Refused as refused:
            if refused.code != 403:
                wrong.append(f"{letter} {kind} of {tenant}: {refused}")
            got = False
        if got != allowed:
            wrong.append(f"{letter} {kind} of {tenant}: {'allowed' if got else 'refused'}")
    assert wrong == []


@pytest.mark.parametrize("role", OPTIONS)
def test_no_role_reads_secrets(organisation: Cluster, role: str) -> None:
    for tenant in ("mine", "public", "isolated", "administrator"):
        for verb in ("get", "list", "watch", "create"):
            assert not organisation.person(role).allowed(verb, "secrets", namespace=tenant)


def test_lists_show_what_may_be_seen_and_nothing_of_isolated_tenants(organisation: Cluster) -> None:
    administrator = organisation.person("Administrator")
    users = {one["metadata"]["namespace"] for one in administrator.items("StorageUser")}
    assert users >= {"mine", "public", "isolated", "administrator"}
    for kind in ("AccessKey", "Bucket", "StorageAccount"):
        with pytest.raises(Refused) as refused:
            administrator.items(kind)
        assert refused.value.code == 403
    assert [one["metadata"]["name"] for one in administrator.items("AccessKey", "public")] == ["there"]
    named = path_of("StorageAccount") + "?fieldSelector=metadata.name%3Daccount-of-public"
    assert len(administrator.call("GET", named)["items"]) == 1


@pytest.mark.parametrize("permission", ["Full", "ReadWrite", "Read", "Write"])
@pytest.mark.parametrize("role", ["TenantAdministrator", "FullAccess", "Backup", "ReadOnly"])
def test_a_role_hands_out_no_more_than_its_own_power(organisation: Cluster, role: str, permission: str) -> None:
    allowed = {"Backup": {"Write"}, "ReadOnly": set()}.get(role, {"Full", "ReadWrite", "Read", "Write"})
    new = body("AccessKey", "new-one", "mine", permission)
    try:
        organisation.person(role).call("POST", path_of("AccessKey", "mine") + "?dryRun=All", new)
        got = True
    except Refused as refused:
        assert refused.code == 403  # noqa: PT017
        got = False
    assert got == (permission in allowed)


@pytest.mark.parametrize("granted", OPTIONS)
def test_only_global_administrators_make_global_administrators(organisation: Cluster, granted: str) -> None:
    """Also where such users may be: in the Tenant `administrator`, for somebody who manages that one."""
    lead = "Lead"
    roles = rendered_roles(organisation.root, "administrator", f"--tenant-administrator=User:{lead}")
    organisation.root.kubectl("apply", "-f", "-", stdin=roles)
    new = of_kind("StorageUser", "new-one", "administrator", {"tenantRef": {"name": "administrator"}, "role": granted})
    path = path_of("StorageUser", "administrator") + "?dryRun=All"
    organisation.person("Administrator").call("POST", path, new)
    if granted != "Administrator":
        organisation.person(lead).call("POST", path, new)
        return
    with pytest.raises(Refused, match=r"`spec\.role` 'Administrator' may not be granted by 'Lead'"):
        organisation.person(lead).call("POST", path, new)


@pytest.mark.parametrize(
    ("aggregate", "kinds"),
    [("admin", {"storageusers", "accesskeys", "buckets"}), ("edit", {"accesskeys", "buckets"}), ("view", set())],
)
def test_kubernetes_own_roles_contain_ours(organisation: Cluster, aggregate: str, kinds: set[str]) -> None:
    """`admin` manages users too, `edit` keys and buckets, `view` sees those; none of them gains Secrets by it."""
    rules = organisation.root.get("ClusterRole", aggregate)["rules"]
    ours = [rule for rule in rules if "storekeeper.dev" in rule["apiGroups"]]
    may_create = {kind for rule in ours if "create" in rule["verbs"] for kind in rule["resources"]}
    may_get = {kind for rule in ours if "get" in rule["verbs"] for kind in rule["resources"]}
    assert may_create == kinds
    assert may_get == kinds | {"accesskeys", "buckets"}
    assert all("secrets" not in rule["resources"] for rule in ours)
