"""One test's part of the installation at one store."""

from __future__ import annotations

from typing import Any

from botocore.exceptions import ClientError

from e2e.world import World
from harness import s3
from harness.installation import Installation
from harness.waiting import until
from providers.stores import Store

OBJECT = b"what an application stores"


def status(call: Any, *args: Any, **kwargs: Any) -> int:
    """The status that a call is answered with."""
    try:
        return int(call(*args, **kwargs)["ResponseMetadata"]["HTTPStatusCode"])
    except ClientError as error:
        return s3.refusal(error)[0]


def refused(call: Any, *args: Any, **kwargs: Any) -> bool:
    return status(call, *args, **kwargs) == 403


class StoreWorld(World):
    """A namespace and a Tenant whose users are made at the store."""

    def __init__(self, installation: Installation, name: str, store: Store) -> None:
        super().__init__(installation, name)
        self.store = store

    def s3(self, secret: str) -> Any:
        given = s3.credentials(self.entries(secret))
        return s3.client(given, self.installation.certificates.ca, self.store.s3_endpoint, self.store.region)

    def ids(self, user: str = "app") -> set[str]:
        """The ids of the user's keys at the store."""
        return self.store.keys_of(self.login(user))

    def app(self, *permissions: str, bucket: str = "data", user: str = "app", **spec: Any) -> dict[str, Any]:
        """A user with a bucket and a key per permission, all Ready. The S3 clients, by permission."""
        self.user(user, **spec)
        self.bucket(f"{user}-{bucket}", user=user, name=bucket)
        for permission in permissions:
            self.key(f"{user}-{permission.lower()}", user=user, permission=permission)
        self.ready("Bucket", f"{user}-{bucket}", 60)
        names = {permission: f"{user}-{permission.lower()}" for permission in permissions}
        for name in names.values():
            self.ready("AccessKey", name, 60)
        return {permission: self.s3(name) for permission, name in names.items()}

    def at_rest(self, names: list[str], user: str = "app", deadline: float = 120.0) -> None:
        """The keys at the store are those in the Secrets, one each, and all of them work."""
        for name in names:
            self.ready("AccessKey", name, deadline)
        secrets = {self.key_id(name) for name in names}
        assert len(secrets) == len(names), "each Secret has a key of its own"
        until(
            lambda: self.ids(user) == secrets,
            "the keys at the store to be those in the Secrets",
            60,
            lambda: self.ids(user) ^ secrets,
        )
        for name in names:
            self.s3(name).list_buckets()
