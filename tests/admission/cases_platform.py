"""What is refused of deletions, of the built-in, of power over others, of namespaces, and to the operator itself."""

from __future__ import annotations

from typing import Any

from admission.asks import Case, change, create, delete, replace
from admission.cluster import OPERATOR
from admission.scene import CLERK, MARKS, NS, account, binding, secret, tenant
from harness.kube import Object

KEY = ("AccessKey", "key", NS)
APP = ("StorageUser", "app", NS)


def labelled(value: str | None) -> Object:
    return {"labels": {"storekeeper.dev/tenant": value}}


def owned_by(kind: str, uid: str) -> dict[str, Any]:
    owner = {"apiVersion": "storekeeper.dev/v1alpha1", "kind": kind, "name": "key", "uid": uid, "controller": True}
    return {"ownerReferences": [owner]}


DELETIONS = [
    Case(
        "bucket-delete",
        delete("Bucket", "data", NS),
        "Bucket 'data' holds data (objects at the last look: 5). Empty it, or set `spec.deletionPolicy` to Retain. If "
        "it was emptied since, annotate it with storekeeper.dev/confirm-delete=data and delete it again.",
        tuple(delete("Bucket", name, NS) for name in ("empty", "unmade", "kept")),
    ),
    Case(
        "prevent-deletion",
        delete("AccessKey", "protected", NS),
        "'protected' is protected by its annotation storekeeper.dev/prevent-deletion. Ask who put it there; remove the "
        "annotation first.",
        (delete(*KEY),),
    ),
    Case(
        "tenant-in-use",
        delete("Tenant", "busy"),
        "Tenant 'busy' is used by StorageUsers (5), AccessKeys (2) and Buckets (3). Delete them first.",
        (delete("Tenant", "idle"),),
    ),
    Case(
        "tenant-accounts",
        delete("Tenant", "owner"),
        "StorageAccount 'owned' is assigned to Tenant 'owner'. Delete it, or change its `spec.tenantRef`, first.",
    ),
    Case(
        "account-in-use",
        delete("StorageAccount", "main"),
        "StorageAccount 'main' is the default and may not be deleted. Set its `spec.default` to false first.",
        (delete("StorageAccount", "spare"),),
    ),
    Case(
        "account-in-use",
        delete("StorageAccount", "acme-s3"),
        "StorageAccount 'acme-s3' is used by StorageUsers (2) and Tenants (1). Remove or move them first.",
    ),
    Case(
        "account-in-use",
        change("StorageAccount", "acme-s3", tenantRef={"name": "other"}),
        "`spec.tenantRef` must not be changed to 'other' while the account has users (2). Change it back, or move "
        "those users to another account.",
        (
            change("StorageAccount", "acme-s3", tenantRef=None),
            change("StorageAccount", "spare", tenantRef={"name": "other"}),
        ),
    ),
    Case(
        "crd-delete",
        delete("CustomResourceDefinition", "accesskeys.storekeeper.dev"),
        "Deleting this CRD deletes every AccessKey of the cluster. If that is meant, annotate it with "
        "storekeeper.dev/confirm-delete=accesskeys.storekeeper.dev first.",
        (delete("CustomResourceDefinition", "buckets.storekeeper.dev"),),
    ),
]
BUILT_IN = "Tenant 'administrator' is built in"
POWER = [
    Case(
        "administrator-tenant",
        change("Tenant", "administrator", description="ours"),
        f"{BUILT_IN}: only `spec.allowedNamespaces` and `spec.accountRef` may be changed. Undo the other changes.",
        (
            change("Tenant", "administrator", allowedNamespaces={"names": ["team-admin", "more"]}),
            change("Tenant", "administrator", accountRef={"name": "main"}),
            change("Tenant", "acme", description="ours"),
        ),
    ),
    Case(
        "administrator-tenant",
        change("Tenant", "administrator", onWithdrawal="Suspend"),
        f"{BUILT_IN}: only `spec.allowedNamespaces` and `spec.accountRef` may be changed. Undo the other changes.",
    ),
    Case(
        "administrator-tenant",
        delete("Tenant", "administrator"),
        f"{BUILT_IN} and may not be deleted.",
    ),
    Case("administrator-tenant", create(tenant("administrator")), f"{BUILT_IN}: the operator makes it."),
    Case(
        "tenant-assign",
        change("Tenant", "acme", allowedNamespaces={"names": ["clerks-own"]}).by(CLERK),
        f"`spec.allowedNamespaces` of Tenant 'acme' may not be changed by '{CLERK}'. Ask a global administrator, or to "
        "be given the verb `assign` on tenants.storekeeper.dev/acme.",
        (
            change("Tenant", "acme", description="the clerk's").by(CLERK),
            change("Tenant", "acme", allowedNamespaces={"names": [NS]}),
            create(tenant("new")).by(CLERK),
        ),
    ),
    Case(
        "account-connect",
        create(account("new", "other", credentials="acme-next")).by("carl"),
        "'carl' may not make accounts of Tenant 'other'. Ask an administrator of the Tenant, or to be given the verb "
        "`connect` on tenants.storekeeper.dev/other.",
        (create(account("new", "acme", credentials="acme-next")).by("carl"), create(account("new"))),
    ),
    Case(
        "account-connect",
        create(account("new", "acme", credentials="main-admin")).by("carl"),
        "The credentials in Secret 'main-admin' may not be used by 'carl'. Ask a global administrator, or to be given "
        "the verb `use` on credentials.storekeeper.dev/main-admin.",
    ),
    Case(
        "account-connect",
        change("StorageAccount", "acme-s3", default=True).by("carl"),
        "`spec.default` may not be set by 'carl', as it concerns all Tenants. Ask a global administrator.",
        (change("StorageAccount", "acme-s3", description="carl's").by("carl"),),
    ),
    Case(
        "account-connect",
        change("StorageAccount", "spare", description="the clerk's").by(CLERK),
        f"StorageAccount 'spare' is one of Tenant 'administrator', and may not be changed by '{CLERK}'. Ask an "
        "administrator of the Tenant, or to be given the verb `connect` on tenants.storekeeper.dev/administrator.",
        (change("StorageAccount", "spare", meta={"labels": {"of": "the-clerk"}}).by(CLERK),),
    ),
    Case(
        "own-role",
        delete("RoleBinding", "clerks", NS).by(CLERK),
        f"'{CLERK}' may not remove its own role 'storekeeper-read-only'. Ask another administrator.",
        (delete("RoleBinding", "others", NS).by(CLERK), delete("RoleBinding", "clerks", NS)),
    ),
    Case(
        "own-role",
        replace({**binding("everywhere", "storekeeper-read-only", CLERK), "subjects": []}).by(CLERK),
        f"'{CLERK}' may not remove its own role 'storekeeper-read-only'. Ask another administrator.",
    ),
    Case(
        "own-user",
        change("StorageUser", "tina", NS, role="ReadOnly").by("tina"),
        "You may not change `spec.role` or `spec.enabled` of your own StorageUser 'tina', nor its annotation "
        "storekeeper.dev/subject. Ask another administrator.",
        (change("StorageUser", "tina", NS, description="me").by("tina"), change(*APP, role="ReadOnly").by("tina")),
    ),
    Case(
        "own-user",
        delete("StorageUser", "tina", NS).by("tina"),
        "You may not delete your own StorageUser 'tina'. Ask another administrator.",
        (delete("StorageUser", "viewer", NS).by("tina"), delete("StorageUser", "tina", NS).by(CLERK)),
    ),
]


def taken(name: str, tenant: str) -> str:
    return (
        f"Namespace '{name}' may not be taken from Tenant '{tenant}' by '{CLERK}'. Ask a global administrator, or to "
        f"be given the verb `assign` on tenants.storekeeper.dev/{tenant}."
    )


def given(name: str, tenant: str) -> str:
    return (
        f"Namespace '{name}' may not be given to Tenant '{tenant}' by '{CLERK}'. Ask a global administrator, or to "
        f"be given the verb `assign` on tenants.storekeeper.dev/{tenant}."
    )


NEW = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "new", **labelled("acme")}}
NAMESPACES = [
    Case(
        "namespace-tenant",
        change("Namespace", NS, meta=labelled(None)).by(CLERK),
        taken(NS, "acme"),
        (change("Namespace", NS, meta=labelled(None)), change("Namespace", NS, meta={"labels": {"x": "y"}}).by(CLERK)),
    ),
    Case(
        "namespace-tenant",
        change("Namespace", "team-none", meta=labelled("acme")).by(CLERK),
        given("team-none", "acme"),
        (change("Namespace", "team-none", meta=labelled("acme")),),
    ),
    Case("namespace-tenant", create(NEW).by(CLERK), given("new", "acme"), (create(NEW),)),
    Case(
        "namespace-tenant",
        change("Namespace", "team-none", sub="/status", meta=labelled("acme")).by(CLERK),
        given("team-none", "acme"),
    ),
]
PINNED = [
    Case(
        "operator-secrets",
        create(
            secret(
                type="kubernetes.io/service-account-token",
                annotations={**MARKS, "kubernetes.io/service-account.name": "default"},
            )
        ).by(OPERATOR),
        "The operator may not make a Secret of type 'kubernetes.io/service-account-token'.",
        (
            # With an owner, and without one as under `deletionPolicy: Retain`.
            create(secret(**owned_by("AccessKey", "x"))).by(OPERATOR),
            create(secret()).by(OPERATOR),
            create(secret(type="servicebinding.io/s3")).by(OPERATOR),
            create(secret(labels={})),
        ),
    ),
    Case(
        "operator-secrets",
        create(secret(annotations={})).by(OPERATOR),
        "The operator may make and delete only Secrets with the marks of storekeeper.",
    ),
    Case(
        "operator-secrets",
        create(secret(labels={})).by(OPERATOR),
        "The operator may make and delete only Secrets with the marks of storekeeper.",
    ),
    Case(
        "operator-secrets",
        create(secret(**owned_by("AccessKey", "another"))).by(OPERATOR),
        "The operator may make Secrets for AccessKeys only.",
    ),
    Case(
        "operator-secrets",
        create(secret(**owned_by("Tenant", "x"))).by(OPERATOR),
        "The operator may make Secrets for AccessKeys only.",
    ),
    Case(
        "operator-secrets",
        create(secret("made", "team-none")).by(OPERATOR),
        "The operator may make Secrets only in namespaces of a Tenant. Ask who may `assign` the Tenant to label "
        "namespace 'team-none' storekeeper.dev/tenant=<tenant>.",
    ),
    Case(
        "operator-secrets",
        delete("Secret", "foreign", NS).by(OPERATOR),
        "The operator may make and delete only Secrets with the marks of storekeeper.",
        (delete("Secret", "published", NS).by(OPERATOR), delete("Secret", "foreign", NS)),
    ),
]
CASES = [*DELETIONS, *POWER, *NAMESPACES, *PINNED]
