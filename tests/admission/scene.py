"""What the refusals are tried on: four tenants, their namespaces and accounts, users, keys and buckets, and people."""

from __future__ import annotations

import subprocess

from admission.cluster import OPERATOR, Cluster, account_spec, of_kind
from harness import paths
from harness.kube import Kube, Object

NS = "team-acme"
# May write every object of ours, namespaces and bindings, and has none of the verbs that only policies ask for.
CLERK = "clerk"
CLERK_RULES = [
    {
        "apiGroups": ["storekeeper.dev"],
        "resources": ["storageaccounts", "tenants", "storageusers", "accesskeys", "buckets"],
        "verbs": ["get", "list", "watch", "create", "update", "patch", "delete"],
    },
    {"apiGroups": ["storekeeper.dev"], "resources": ["roles", "permissions"], "verbs": ["grant"]},
    {
        "apiGroups": [""],
        "resources": ["namespaces", "namespaces/status", "namespaces/finalize"],
        "verbs": ["get", "create", "update", "patch"],
    },
    {
        "apiGroups": ["rbac.authorization.k8s.io"],
        "resources": ["rolebindings", "clusterrolebindings"],
        "verbs": ["get", "create", "update", "patch", "delete"],
    },
]
IDENTITY = {"user": "app", "permission": "Read", "secret": "key"}
MARKS = {f"storekeeper.dev/{mark}": "x" for mark in ("owner-uid", "epoch", "nonce", "access-key-id")}


def user(name: str, namespace: str = NS, tenant: str = "acme", /, **spec: object) -> Object:
    return of_kind("StorageUser", name, namespace, {"tenantRef": {"name": tenant}, **spec})


def key(
    name: str = "new", namespace: str = NS, /, *, user: str = "app", permission: str = "Read", **spec: object
) -> Object:
    return of_kind("AccessKey", name, namespace, {"userRef": {"name": user}, "permission": permission, **spec})


def bucket(name: str, /, **spec: object) -> Object:
    return of_kind("Bucket", name, NS, {"userRef": {"name": "app"}, **spec})


def tenant(name: str, /, *namespaces: str, **spec: object) -> Object:
    return of_kind("Tenant", name, None, {"allowedNamespaces": {"names": list(namespaces)}, **spec})


def account(name: str, tenant: str | None = None, /, credentials: str = "main-admin", **spec: object) -> Object:
    assigned = {"tenantRef": {"name": tenant}} if tenant else {}
    return of_kind("StorageAccount", name, None, account_spec(credentials, **assigned, **spec))


def secret(name: str = "made", namespace: str = NS, /, *, type: str = "Opaque", **metadata: object) -> Object:
    full = {"labels": {"app.kubernetes.io/managed-by": "storekeeper"}, "annotations": MARKS, **metadata}
    return {
        "apiVersion": "v1",
        "kind": "Secret",
        "metadata": {"name": name, "namespace": namespace, **full},
        "type": type,
    }


def binding(name: str, role: str, person: str, namespace: str | None = None) -> Object:
    metadata = {"name": name} if namespace is None else {"name": name, "namespace": namespace}
    return {
        "apiVersion": "rbac.authorization.k8s.io/v1",
        "kind": "ClusterRoleBinding" if namespace is None else "RoleBinding",
        "metadata": metadata,
        "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": role},
        "subjects": [{"apiGroup": "rbac.authorization.k8s.io", "kind": "User", "name": person}],
    }


class Scene:
    """The cluster with all of this in it, as the operator would have left it."""

    def __init__(self, cluster: Cluster) -> None:
        self.cluster = cluster
        self.root = cluster.root

    def build(self) -> Scene:
        root, label = self.root, "storekeeper.dev/tenant"
        for name, labels in (
            (NS, {label: "acme"}),
            ("team-none", {}),
            ("team-other", {label: "other", "for": "other"}),
            ("team-other-2", {label: "other"}),
            ("team-stray", {label: "acme"}),
            ("team-admin", {label: "administrator"}),
        ):
            self.cluster.namespace(name, **labels)
        root.create(tenant("acme", NS, "team-none", "team-other", allowedPermissions=["Read", "Write"]))
        root.create(of_kind("Tenant", "other", None, {"allowedNamespaces": {"matchLabels": {"for": "other"}}}))
        for one in (tenant("idle"), tenant("owner"), tenant("busy")):
            root.create(one)
        if root.find("Tenant", "administrator") is None:
            self.cluster.person(OPERATOR).create(of_kind("Tenant", "administrator", None, {}))
        root.patch("Tenant", "administrator", {"spec": {"allowedNamespaces": {"names": ["team-admin"]}}})
        self.cluster.status("Tenant", "busy", None, {"bound": {"users": 5, "accessKeys": 2, "buckets": 3}})
        self._accounts()
        self._objects()
        self._people()
        return self

    def _accounts(self) -> None:
        for one in (
            account("main", default=True),
            account("spare"),
            account("acme-s3", "acme", credentials="acme-admin"),
            account("owned", "owner"),
        ):
            self.root.create(one)
        self.cluster.status(
            "StorageAccount", "acme-s3", None, {"bound": {"tenants": 1, "users": 2, "accessKeys": 0, "buckets": 0}}
        )

    def _objects(self) -> None:
        root, status = self.root, self.cluster.status
        mine = user("tina")
        mine["metadata"]["annotations"] = {"storekeeper.dev/subject": "tina"}
        users = (user("app"), user("viewer", role="ReadOnly"), user("saver", role="Backup"), mine)
        protected = key("protected")
        protected["metadata"]["annotations"] = {"storekeeper.dev/prevent-deletion": "true"}
        users += (user("fay", "team-admin", "administrator"),)
        keys = (key("key"), key("fresh"), protected)
        kept = {"deletionPolicy": "Retain"}
        buckets = (
            *(bucket(name, deletionPolicy="Delete") for name in ("data", "empty", "unmade")),
            bucket("kept", **kept),
            bucket("locked", objectLock={"mode": "Governance", "days": 1}, **kept),
        )
        secrets = (secret("published"), secret("foreign", labels={}, annotations={}))
        for one in (*users, *keys, *buckets, *secrets):
            root.create(one)
        confirmed = {"annotations": {"storekeeper.dev/confirm-delete": "buckets.storekeeper.dev"}}
        root.patch("CustomResourceDefinition", "buckets.storekeeper.dev", {"metadata": confirmed})
        status("StorageUser", "app", NS, {"tenant": "acme", "account": "main", "login": f"{NS}_app"})
        status("AccessKey", "key", NS, {"identity": IDENTITY})
        for name, objects in (("data", 5), ("empty", 0), ("kept", 5), ("locked", 0)):
            made = {"owner": "app", "bucketName": name, "objectLock": name == "locked"}
            status("Bucket", name, NS, {**made, "usage": {"size": objects, "objects": objects}})

    def _people(self) -> None:
        for one in (
            {
                "apiVersion": "rbac.authorization.k8s.io/v1",
                "kind": "ClusterRole",
                "metadata": {"name": CLERK},
                "rules": CLERK_RULES,
            },
            binding(CLERK, CLERK, CLERK),
            binding("tina", "storekeeper-tenant-administrator", "tina", NS),
            binding("lea", "storekeeper-tenant-administrator", "lea", "team-admin"),
            binding("bob", "storekeeper-backup", "bob", NS),
            # The clerk's own role, which the clerk may write and yet not give up.
            binding("clerks", "storekeeper-read-only", CLERK, NS),
            binding("others", "storekeeper-read-only", "somebody", NS),
            binding("everywhere", "storekeeper-read-only", CLERK),
        ):
            self.root.create(one)
        self.give_roles("acme", "--tenant-administrator", "User:carl", "--credentials", "acme-next")

    def give_roles(self, tenant: str, *options: str) -> None:
        """As documented: what kubectl has, through `storekeeper roles`, into kubectl."""
        self.root.kubectl("apply", "-f", "-", stdin=rendered_roles(self.root, tenant, *options))


def rendered_roles(root: Kube, tenant: str, *options: str) -> str:
    """What `storekeeper roles` prints for what there is in the cluster."""
    given = root.kubectl("get", "tenants,storageaccounts,namespaces", "-o", "yaml")
    command = [paths.storekeeper_binary(), "roles", "--tenant", tenant, *options]
    return subprocess.run(command, input=given, check=True, capture_output=True, text=True).stdout
