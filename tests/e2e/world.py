"""What one test has to itself: a namespace, a Tenant that admits it, and short ways to say what is in there."""

from __future__ import annotations

import time
from typing import Any

from harness import s3
from harness.installation import OPERATOR, Installation
from harness.kube import Object, Refused, condition, entries, path_of
from harness.waiting import until

API = "storekeeper.dev/v1alpha1"
PRIVATE_KINDS = ("AccessKey", "Bucket", "StorageUser")


def of_kind(kind: str, name: str, namespace: str | None, spec: Object) -> Object:
    metadata = {"name": name} if namespace is None else {"name": name, "namespace": namespace}
    return {"apiVersion": API, "kind": kind, "metadata": metadata, "spec": spec}


class World:
    """One test's part of the installation. Extra fields of a spec are given as keywords, in camelCase."""

    def __init__(self, installation: Installation, name: str) -> None:
        self.installation = installation
        self.kube = installation.kube
        self.management = installation.management
        self.ns = name
        self.tenant_name = name
        self._tenants: list[str] = []
        self._namespaces: list[str] = []
        self._accounts: list[str] = []

    def namespace(self, name: str) -> str:
        self.kube.create({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}})
        self._namespaces.append(name)
        return name

    def tenant(self, name: str, namespaces: list[str] | None = None, **spec: Any) -> Object:
        """A Tenant; it admits the test's namespace unless told otherwise."""
        allowed = {"names": [self.ns] if namespaces is None else namespaces}
        made = self.kube.create(of_kind("Tenant", name, None, {"allowedNamespaces": allowed, **spec}))
        self._tenants.append(name)
        return made

    def account(self, *, tenant: str | None = None, default: bool = False, **management: Any) -> str:
        """Another StorageAccount; keywords override fields of `spec.provider.management`. Returns its name."""
        name = f"{self.ns}-{len(self._accounts)}"
        made = self.installation.account(name, default=default, **management)
        if tenant is not None:
            made["spec"]["tenantRef"] = {"name": tenant}
        self._accounts.append(name)
        self.kube.create(made)
        return name

    def credentials(self, entries: dict[str, str]) -> str:
        """A Secret in the operator's namespace for such an account. Returns its name."""
        name = f"{self.ns}-secret-{len(self._accounts)}"
        self.installation.credentials(name, entries)
        return name

    def user(self, name: str = "app", /, *, ns: str | None = None, **spec: Any) -> Object:
        full = {"tenantRef": {"name": self.tenant_name}, **spec}
        return self.kube.create(of_kind("StorageUser", name, ns or self.ns, full))

    def bucket(self, name: str = "data", /, *, user: str = "app", ns: str | None = None, **spec: Any) -> Object:
        """A Bucket that goes with its object when it is empty: a test leaves nothing behind."""
        full = {"userRef": {"name": user}, "deletionPolicy": "Delete", **spec}
        return self.kube.create(of_kind("Bucket", name, ns or self.ns, full))

    def key(
        self,
        name: str = "key",
        /,
        *,
        user: str = "app",
        permission: str = "ReadWrite",
        ns: str | None = None,
        **spec: Any,
    ) -> Object:
        full = {"userRef": {"name": user}, "permission": permission, **spec}
        return self.kube.create(of_kind("AccessKey", name, ns or self.ns, full))

    def ready(self, kind: str, name: str, deadline: float = 30.0) -> Object:
        return self.kube.wait_ready(kind, name, self._where(kind), deadline)

    def reason(self, kind: str, name: str, reason: str, of: str = "Ready", deadline: float = 30.0) -> Object:
        """Wait for a condition with that reason, and return the condition."""
        return self.kube.wait_reason(kind, name, self._where(kind), reason, of, deadline)

    def says(self, kind: str, name: str, reason: str, *words: str, of: str = "Ready", deadline: float = 30) -> Object:
        """The object gives that reason, and its message has all these words."""
        condition = self.reason(kind, name, reason, of, deadline)
        missing = [word for word in words if word not in condition["message"]]
        assert not missing, f"the message must name {missing}: {condition['message']}"
        return condition

    def until_reason(self, kind: str, name: str, reasons: set[str], deadline: float = 30.0) -> Object:
        """Wait until Ready gives one of these reasons, and return that condition."""

        def holds(found: Object | None) -> bool:
            there = condition(found)
            return there is not None and there["reason"] in reasons

        found = condition(self.kube.wait(kind, name, self._where(kind), holds, f"one of {sorted(reasons)}", deadline))
        assert found is not None
        return found

    def wait_until_secrets_are_refused(self) -> None:
        """Admission policies take effect a moment after they are written."""

        def refused() -> bool:
            try:
                path = f"{path_of('Secret', self.ns)}?dryRun=All"
                self.kube.call("POST", path, {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "probe"}})
            except Refused as error:
                return error.code == 403
            return False

        until(refused, "Secrets to be refused")

    def get(self, kind: str, name: str) -> Object:
        return self.kube.get(kind, name, self._where(kind))

    def settle(self, seconds: float = 3.0) -> None:
        """Wait until the operator has written nothing for a while: what it counts, it notes a moment later."""
        audit = self.installation.audit
        since, quiet = audit.position(), time.monotonic()

        def silent() -> bool:
            nonlocal since, quiet
            if audit.writes(since, OPERATOR):
                since, quiet = audit.position(), time.monotonic()
            return time.monotonic() - quiet >= seconds

        until(silent, "the operator to write nothing", 60)

    def touch(self, kind: str, name: str) -> Object:
        """Have the operator look at an object now: a person would annotate it too, rather than wait for the retry."""
        return self.patch(kind, name, {"metadata": {"annotations": {"example.com/touched": str(time.time_ns())}}})

    def delete(self, kind: str, name: str) -> None:
        self.kube.delete(kind, name, self._where(kind))

    def gone(self, kind: str, name: str, deadline: float = 30.0) -> None:
        self.kube.wait_gone(kind, name, self._where(kind), deadline)

    def patch(self, kind: str, name: str, change: Object) -> Object:
        return self.kube.patch(kind, name, change, self._where(kind))

    def login(self, user: str = "app") -> str:
        return f"{self.ns}_{user}"

    def secret(self, name: str) -> Object:
        return self.kube.get("Secret", name, self.ns)

    def entries(self, name: str) -> dict[str, str]:
        return entries(self.secret(name))

    def s3(self, secret: str) -> Any:
        """A boto3 client from what a published Secret says."""
        server = self.installation.server
        given = s3.credentials(self.entries(secret))
        return s3.client(given, server.certificates.ca, server.s3_endpoint, server.region)

    def live_keys(self, user: str = "app") -> list[dict[str, Any]]:
        """The keys that the provider has for a user."""
        return self.management.access_keys_of(self.login(user))

    def exactly_one_key(self, name: str = "key", deadline: float = 60.0) -> None:
        """Come to rest with one live key, which is the one in the Secret, the recorded one, and works."""
        self.ready("AccessKey", name, deadline)
        until(lambda: len(self.live_keys()) == 1, "one live key", deadline, self.live_keys)
        secret, published = self.secret(name), self.get("AccessKey", name)["status"]["published"]
        (live,) = self.live_keys()
        assert self.key_id(name) == live["accessKeyId"] == published["accessKeyId"]
        assert secret["metadata"]["uid"] == published["secret"]["uid"]
        self.s3(name).list_buckets()

    def key_id(self, secret: str) -> str:
        return s3.credentials(self.entries(secret)).access_key_id

    def remove(self) -> None:
        """Delete everything, and wait until it is gone: what a test leaves must always be removable."""
        self.delete_all()
        self.wait_removed()

    def delete_all(self) -> None:
        """Delete what is in the namespaces, and them."""
        for kind in PRIVATE_KINDS:
            for namespace in self._namespaces:
                for one in self.kube.items(kind, namespace):
                    self.kube.delete(kind, one["metadata"]["name"], namespace)
        for name in self._namespaces:
            self.kube.delete("Namespace", name)

    def wait_removed(self) -> None:
        """Wait until all that was deleted is gone, and the Tenants and accounts after it.

        A namespace takes five seconds to empty itself, by no doing of ours; that is not waited for.
        """
        until(lambda: not self._left(), "everything of the test to be gone", 60, self._left)
        for name in self._tenants:
            self.kube.delete("Tenant", name)
        for name in self._tenants:
            self.kube.wait_gone("Tenant", name, deadline=60)
        for name in self._accounts:
            if self.kube.find("StorageAccount", name) is not None:
                # The default may not be deleted.
                self.kube.patch("StorageAccount", name, {"spec": {"default": False}})
            self.kube.delete("StorageAccount", name)
            self.kube.wait_gone("StorageAccount", name, deadline=60)

    def _left(self) -> list[str]:
        return [
            f"{kind} {one['metadata']['name']}: {one.get('status', {}).get('conditions')}"
            for kind in PRIVATE_KINDS
            for namespace in self._namespaces
            for one in self.kube.items(kind, namespace)
        ]

    def _where(self, kind: str) -> str | None:
        return None if kind in ("Tenant", "StorageAccount") else self.ns
