"""The object stores that the suite runs against: what each can do, and what is asked of it.

A store says what it can do (`able`), and the cases ask for that, never for its name.
"""

from __future__ import annotations

import json
from abc import abstractmethod
from pathlib import Path
from typing import Any

from harness import stores, tls
from harness.installation import REQUEST_TIMEOUT_SECONDS, Installation
from harness.proxy import FaultProxy
from harness.rgw import Rgw
from harness.stores import Provider

FULL, READ_WRITE, READ, WRITE = "Full", "ReadWrite", "Read", "Write"


class Store(stores.Store):
    """One real object store, and what the cases ask of it."""

    name: str
    # Beyond what every store can: "versioning", "object-lock", "exact-write", "user-quotas"; "lists-buckets": keys that
    # are not Full see the names of their user's buckets; "put-again": a key that was revoked may be put there again.
    able: frozenset[str]
    # Seconds that one request may take: where a call is several of them, on a busy machine, a short time is a fault.
    timeout: int

    @abstractmethod
    def keys_of(self, login: str) -> set[str]:
        """The ids of the access keys that the user of that login has at the store."""

    @abstractmethod
    def foreign_user(self, login: str, tenant: str) -> Any:
        """Make something that has the login, as somebody else would; what is returned must stay as it is."""

    @abstractmethod
    def foreign_state(self, made: Any) -> Any:
        """How that is now."""


class ManagementStore(stores.ManagementStore, Store):
    """storekeeper's own management server."""

    name = "management"
    able = frozenset({"versioning", "object-lock", "exact-write", "user-quotas", "lists-buckets"})
    timeout = REQUEST_TIMEOUT_SECONDS

    def keys_of(self, login: str) -> set[str]:
        return {key["accessKeyId"] for key in self.management.access_keys_of(login)}

    def foreign_user(self, login: str, tenant: str) -> Any:
        (found,) = [one for one in self.management.items("tenants") if one["name"] == tenant]
        body = {"login": login, "tenantId": found["id"], "name": "somebody", "role": "FullAccess"}
        return self.management.call("POST", "/v1/users", body)

    def foreign_state(self, made: Any) -> Any:
        return self.management.call("GET", f"/v1/users/{made['id']}")


class GarageStore(stores.GarageStore, Store):
    """Garage."""

    name = "garage"
    able = frozenset({"lists-buckets"})
    timeout = 10

    def keys_of(self, login: str) -> set[str]:
        return {key for key, mark in self.marks().items() if mark["is"] == "key" and mark["user"] == login}

    def foreign_user(self, login: str, tenant: str) -> Any:
        mark = {
            "is": "user",
            "login": login,
            "tenant": tenant,
            "owner": "another-cluster/another-object",
            "object": "elsewhere/app",
            "enabled": True,
            "role": "FullAccess",
        }
        return self.garage.post("CreateKey", {"name": f"storekeeper {json.dumps(mark)}"})

    def foreign_state(self, made: Any) -> Any:
        return self.garage.get("GetKeyInfo", id=made["accessKeyId"], showSecretKey="true")


class CephRgwStore(Store):
    """Ceph's object gateway."""

    name = "ceph-rgw"
    timeout = 10
    able = frozenset({"versioning", "object-lock", "exact-write", "user-quotas", "put-again"})

    def __init__(self, folder: Path, certificates: tls.Certificates, logs: Path) -> None:
        self.certificates = certificates
        self.rgw = Rgw(folder, logs=logs)
        self.region, self.s3_endpoint = self.rgw.region, self.rgw.endpoint

    def start(self) -> None:
        self.rgw.start()
        self.proxy = FaultProxy(self.rgw.endpoint, self.certificates.ca, self.certificates)
        self.proxy.start()

    def stop(self) -> None:
        if hasattr(self, "proxy"):
            self.proxy.stop()
        self.rgw.stop()

    def restart(self) -> None:
        self.rgw.restart()

    def provider(self) -> tuple[Provider, dict[str, str]]:
        key = {"accessKey": self.rgw.admin.access_key, "secretKey": self.rgw.admin.secret_key}
        return {"cephRgw": {"endpoint": self.proxy.endpoint}}, key

    @staticmethod
    def _tenant(login: str) -> str:
        """The RGW tenant of a login; see docs/providers/ceph-rgw.md."""
        escaped = {"_": "__", "-": "_h", ".": "_p", "@": "_a"}
        return "sk_" + "".join(escaped.get(character, character) for character in login)

    def _users_of(self, login: str) -> list[dict[str, Any]]:
        uids = [uid for uid in self.rgw.uids() if uid.partition("$")[0] == self._tenant(login)]
        found = [self.rgw.user(uid) for uid in uids]
        return [user for user in found if user is not None]

    def keys_of(self, login: str) -> set[str]:
        return {key["access_key"] for user in self._users_of(login) for key in user["keys"]}

    def revoke(self, key: str) -> None:
        found = self.rgw.call("GET", "user", {"access-key": key}).json()
        uid = f"{found['tenant']}${found['user_id']}"
        self.rgw.call("DELETE", "user", {"key": "", "uid": uid, "access-key": key, "key-type": "s3"})

    def foreign_user(self, login: str, tenant: str) -> Any:
        uid = f"{self._tenant(login)}$user"
        self.rgw.call("PUT", "user", {"uid": uid, "display-name": "somebody's", "generate-key": "false"})
        return uid

    def foreign_state(self, made: Any) -> Any:
        return self.rgw.user(made)


STORES: dict[str, type[ManagementStore] | type[CephRgwStore] | type[GarageStore]] = {
    store.name: store for store in (ManagementStore, CephRgwStore, GarageStore)
}


def made(name: str, installation: Installation) -> Store:
    """The store of that name, not started."""
    folder = installation.folder / f"store-{name}"
    return STORES[name](folder, installation.certificates, installation.logs / name)
