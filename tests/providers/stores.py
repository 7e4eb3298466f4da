"""The object stores that the suite runs against: how each is started, asked and broken.

A store says what it can do (`able`), and the cases ask for that, never for its name.
"""

from __future__ import annotations

import json
from abc import ABC, abstractmethod
from pathlib import Path
from typing import Any

from harness import tls
from harness.garage import Garage
from harness.installation import REQUEST_TIMEOUT_SECONDS, Installation
from harness.management import Management
from harness.management_server import ManagementServer
from harness.proxy import FaultProxy
from harness.rgw import Rgw

Provider = dict[str, Any]

FULL, READ_WRITE, READ, WRITE = "Full", "ReadWrite", "Read", "Write"


class Store(ABC):
    """One real object store, with a fault proxy before its management API."""

    name: str
    region: str
    s3_endpoint: str
    # Beyond what every store can: "versioning", "object-lock", "exact-write", "user-quotas"; "lists-buckets": keys that
    # are not Full see the names of their user's buckets; "put-again": a key that was revoked may be put there again.
    able: frozenset[str]
    # Seconds that one request may take: where a call is several of them, on a busy machine, a short time is a fault.
    timeout: int
    proxy: FaultProxy

    @abstractmethod
    def start(self) -> None: ...

    @abstractmethod
    def stop(self) -> None: ...

    @abstractmethod
    def restart(self) -> None:
        """Stop the server and start it again on the same data."""

    @abstractmethod
    def provider(self) -> tuple[Provider, dict[str, str]]:
        """`spec.provider` without the reference to the credentials, and the credentials."""

    @abstractmethod
    def keys_of(self, login: str) -> set[str]:
        """The ids of the access keys that the user of that login has at the store."""

    @abstractmethod
    def revoke(self, key: str) -> None:
        """Remove a key behind the operator's back."""

    @abstractmethod
    def foreign_user(self, login: str, tenant: str) -> Any:
        """Make something that has the login, as somebody else would; what is returned must stay as it is."""

    @abstractmethod
    def foreign_state(self, made: Any) -> Any:
        """How that is now."""


class ManagementStore(Store):
    """storekeeper's own management server."""

    name = "management"
    able = frozenset({"versioning", "object-lock", "exact-write", "user-quotas", "lists-buckets"})
    timeout = REQUEST_TIMEOUT_SECONDS

    def __init__(self, folder: Path, certificates: tls.Certificates, logs: Path) -> None:
        self.certificates = certificates
        self.server = ManagementServer(folder, certificates, logs=logs, options=("--rate-limit", "0"))
        self.region, self.s3_endpoint = self.server.region, self.server.s3_endpoint
        self.management: Management
        self._token: str

    def start(self) -> None:
        self.server.start()
        self.management, self._token = self.server.client("providers")
        self.proxy = FaultProxy(self.server.endpoint, self.certificates.ca, self.certificates)
        self.proxy.start()

    def stop(self) -> None:
        if hasattr(self, "proxy"):
            self.proxy.stop()
        self.server.stop()

    def restart(self) -> None:
        self.server.stop()
        self.server.start()

    def provider(self) -> tuple[Provider, dict[str, str]]:
        return {"management": {"endpoint": self.proxy.endpoint}}, {"token": self._token}

    def keys_of(self, login: str) -> set[str]:
        return {key["accessKeyId"] for key in self.management.access_keys_of(login)}

    def revoke(self, key: str) -> None:
        self.management.revoke(key)

    def foreign_user(self, login: str, tenant: str) -> Any:
        (found,) = [one for one in self.management.items("tenants") if one["name"] == tenant]
        body = {"login": login, "tenantId": found["id"], "name": "somebody", "role": "FullAccess"}
        return self.management.call("POST", "/v1/users", body)

    def foreign_state(self, made: Any) -> Any:
        return self.management.call("GET", f"/v1/users/{made['id']}")


class GarageStore(Store):
    """Garage."""

    name = "garage"
    able = frozenset({"lists-buckets"})
    timeout = 10

    def __init__(self, folder: Path, certificates: tls.Certificates, logs: Path) -> None:
        self.certificates = certificates
        self.garage = Garage(folder, logs=logs)
        self.region, self.s3_endpoint = self.garage.region, self.garage.s3_endpoint

    def start(self) -> None:
        self.garage.start()
        self.proxy = FaultProxy(self.garage.endpoint, self.certificates.ca, self.certificates)
        self.proxy.start()

    def stop(self) -> None:
        if hasattr(self, "proxy"):
            self.proxy.stop()
        self.garage.stop()

    def restart(self) -> None:
        self.garage.restart()

    def provider(self) -> tuple[Provider, dict[str, str]]:
        return {"garage": {"endpoint": self.proxy.endpoint}}, {"token": self.garage.token("operator")}

    def marks(self) -> dict[str, dict[str, Any]]:
        """What our keys say of themselves, by id."""
        prefix = "storekeeper "
        ours = [key for key in self.garage.all_keys() if key["name"].startswith(prefix)]
        return {key["id"]: json.loads(key["name"].removeprefix(prefix)) for key in ours}

    def keys_of(self, login: str) -> set[str]:
        return {key for key, mark in self.marks().items() if mark["is"] == "key" and mark["user"] == login}

    def revoke(self, key: str) -> None:
        self.garage.post("DeleteKey", id=key)

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
