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
from harness.rgw import Rgw
from harness.stores import Provider

FULL, READ_WRITE, READ, WRITE = "Full", "ReadWrite", "Read", "Write"


class Store(stores.Store):
    """One real object store, and what the cases ask of it."""

    name: str
    # Beyond what every store can: "versioning", "object-lock", "exact-write", "user-quotas"; "lists-buckets": keys that
    # are not Full see the names of their user's buckets; "put-again": a key that was revoked may be put there again;
    # "key-buckets": keys for some buckets only; "key-suspension": a single key can be suspended.
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

    # What somebody does at the store itself.

    @abstractmethod
    def weaken_key(self, login: str, key: str) -> None:
        """Take from a key what it may do."""

    @abstractmethod
    def suspend_user(self, login: str) -> None:
        """Have all keys of a user refused."""

    @abstractmethod
    def remove_user(self, login: str) -> None:
        """Remove a user without keys and buckets."""

    @abstractmethod
    def has_user(self, login: str) -> bool:
        """Whether there is one of that login."""

    @abstractmethod
    def limit_bucket(self, login: str, name: str, objects: int) -> None:
        """Give a bucket another quota."""

    @abstractmethod
    def most_objects(self, login: str, name: str) -> int | None:
        """A bucket's quota of objects."""

    @abstractmethod
    def remove_bucket(self, login: str, name: str) -> None:
        """Remove an empty bucket."""


class ManagementStore(stores.ManagementStore, Store):
    """storekeeper's own management server."""

    name = "management"
    able = frozenset(
        {
            *("versioning", "object-lock", "exact-write", "user-quotas"),
            *("lists-buckets", "key-buckets", "key-suspension"),
        }
    )
    timeout = REQUEST_TIMEOUT_SECONDS

    def keys_of(self, login: str) -> set[str]:
        return {key["accessKeyId"] for key in self.management.access_keys_of(login)}

    def foreign_user(self, login: str, tenant: str) -> Any:
        (found,) = [one for one in self.management.items("tenants") if one["name"] == tenant]
        body = {"login": login, "tenantId": found["id"], "name": "somebody", "role": "FullAccess"}
        return self.management.call("POST", "/v1/users", body)

    def foreign_state(self, made: Any) -> Any:
        return self.management.call("GET", f"/v1/users/{made['id']}")

    def _users(self, login: str) -> list[str]:
        return [user["id"] for user in self.management.items("users") if user["login"] == login]

    def _user(self, login: str) -> str:
        (found,) = self._users(login)
        return found

    def weaken_key(self, login: str, key: str) -> None:
        self.management.call("PATCH", f"/v1/accessKeys/{key}", {"active": False})

    def suspend_user(self, login: str) -> None:
        self.management.call("PATCH", f"/v1/users/{self._user(login)}", {"enabled": False})

    def remove_user(self, login: str) -> None:
        self.management.call("DELETE", f"/v1/users/{self._user(login)}")

    def has_user(self, login: str) -> bool:
        return self._users(login) != []

    def limit_bucket(self, login: str, name: str, objects: int) -> None:
        self.management.call("PATCH", f"/v1/buckets/{self._user(login)}/{name}", {"quota": {"objects": objects}})

    def most_objects(self, login: str, name: str) -> int | None:
        quota: dict[str, int] = self.management.call("GET", f"/v1/buckets/{self._user(login)}/{name}")["quota"]
        return quota.get("objects")

    def remove_bucket(self, login: str, name: str) -> None:
        self.management.call("DELETE", f"/v1/buckets/{self._user(login)}/{name}")


class GarageStore(stores.GarageStore, Store):
    """Garage."""

    name = "garage"
    able = frozenset({"lists-buckets", "key-buckets"})
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

    def _markers(self, login: str) -> list[str]:
        return [key for key, mark in self.marks().items() if mark["is"] == "user" and mark["login"] == login]

    def _bucket(self, login: str, name: str) -> dict[str, Any]:
        (marker,) = self._markers(login)
        alias = {"accessKeyId": marker, "alias": name}
        (found,) = [bucket["id"] for bucket in self.garage.all_buckets() if alias in bucket["localAliases"]]
        info: dict[str, Any] = self.garage.get("GetBucketInfo", id=found)
        return info

    def weaken_key(self, login: str, key: str) -> None:
        for bucket in self.garage.get("GetKeyInfo", id=key)["buckets"]:
            everything = {"read": True, "write": True, "owner": True}
            body = {"bucketId": bucket["id"], "accessKeyId": key, "permissions": everything}
            self.garage.post("DenyBucketKey", body)

    def suspend_user(self, login: str) -> None:
        for key in self.keys_of(login):
            self.garage.post("UpdateKey", {"expiration": "2000-01-01T00:00:00Z"}, id=key)

    def remove_user(self, login: str) -> None:
        (marker,) = self._markers(login)
        self.garage.post("DeleteKey", id=marker)

    def has_user(self, login: str) -> bool:
        return self._markers(login) != []

    def limit_bucket(self, login: str, name: str, objects: int) -> None:
        body = {"quotas": {"maxObjects": objects, "maxSize": None}}
        self.garage.post("UpdateBucket", body, id=self._bucket(login, name)["id"])

    def most_objects(self, login: str, name: str) -> int | None:
        quotas: dict[str, int | None] = self._bucket(login, name)["quotas"]
        return quotas["maxObjects"]

    def remove_bucket(self, login: str, name: str) -> None:
        self.garage.post("DeleteBucket", id=self._bucket(login, name)["id"])


class CephRgwStore(Store):
    """Ceph's object gateway."""

    name = "ceph-rgw"
    timeout = 10
    able = frozenset({"versioning", "object-lock", "exact-write", "user-quotas", "put-again"})

    def __init__(self, folder: Path, certificates: tls.Certificates, logs: Path) -> None:
        super().__init__(certificates)
        self.rgw = Rgw(folder, logs=logs)
        self.region, self.s3_endpoint = self.rgw.region, self.rgw.endpoint

    def start_server(self) -> str:
        self.rgw.start()
        return self.rgw.endpoint

    def stop_server(self) -> None:
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

    def _keys_of(self, login: str) -> dict[str, str]:
        """The uid of each key's RGW user."""
        uids = [uid for uid in self.rgw.uids() if uid.partition("$")[0] == self._tenant(login)]
        found = [(uid, self.rgw.user(uid)) for uid in uids]
        return {key["access_key"]: uid for uid, user in found if user is not None for key in user["keys"]}

    def keys_of(self, login: str) -> set[str]:
        return set(self._keys_of(login))

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

    def _owner(self, login: str) -> str:
        return f"{self._tenant(login)}$user"

    def weaken_key(self, login: str, key: str) -> None:
        # Any change of a user by the Admin Ops API drops its policies.
        self.rgw.call("POST", "user", {"uid": self._keys_of(login)[key], "display-name": "somebody's"})

    def suspend_user(self, login: str) -> None:
        for uid in self._keys_of(login).values():
            self.rgw.call("POST", "user", {"uid": uid, "suspended": "true"})

    def remove_user(self, login: str) -> None:
        self.rgw.call("DELETE", "user", {"uid": self._owner(login)})

    def has_user(self, login: str) -> bool:
        return self.rgw.user(self._owner(login)) is not None

    def limit_bucket(self, login: str, name: str, objects: int) -> None:
        limits = {"max-objects": str(objects), "enabled": "true"}
        self.rgw.call("PUT", "bucket", {"quota": "", "uid": self._owner(login), "bucket": name, **limits})

    def most_objects(self, login: str, name: str) -> int | None:
        quota = self.rgw.call("GET", "bucket", {"bucket": f"{self._tenant(login)}/{name}"}).json()["bucket_quota"]
        return int(quota["max_objects"]) if quota["enabled"] else None

    def remove_bucket(self, login: str, name: str) -> None:
        self.rgw.call("DELETE", "bucket", {"bucket": f"{self._tenant(login)}/{name}"})


STORES: dict[str, type[ManagementStore] | type[CephRgwStore] | type[GarageStore]] = {
    store.name: store for store in (ManagementStore, CephRgwStore, GarageStore)
}


def made(name: str, installation: Installation) -> Store:
    """The store of that name, not started."""
    folder = installation.folder / f"store-{name}"
    return STORES[name](folder, installation.certificates, installation.logs / name)
