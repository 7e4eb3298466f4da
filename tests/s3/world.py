"""Users, keys and clients for the tests."""

from __future__ import annotations

import itertools
from typing import Any

import boto3
import pytest
from botocore.config import Config
from botocore.exceptions import ClientError

from harness import s3
from harness.management import Management
from harness.management_server import ManagementServer

LEVELS = ("Full", "ReadWrite", "Read", "Write")
BUCKET = "data"
MIB = 1024 * 1024

_numbers = itertools.count(1)


class User:
    """A user of the management server, with the clients of its keys."""

    def __init__(self, server: ManagementServer, admin: Management, tenant: str, **fields: Any) -> None:
        self.server = server
        self.admin = admin
        login = f"user-{next(_numbers)}"
        body = {"login": login, "role": "FullAccess", "tenantId": tenant, **fields}
        self.id: str = admin.call("POST", "/v1/users", body)["id"]
        self._clients: dict[str, Any] = {}

    def key(self, permission: str, buckets: list[str] | None = None) -> s3.Credentials:
        """A new key."""
        body: dict[str, Any] = {"userId": self.id, "permission": permission}
        if buckets is not None:
            body["buckets"] = buckets
        made = self.admin.call("POST", "/v1/accessKeys", body)
        return s3.Credentials(made["accessKeyId"], made["secretAccessKey"])

    def connect(self, key: s3.Credentials, **config: Any) -> Any:
        """A client with that key."""
        region = config.pop("region", self.server.region)
        return boto3.client(
            "s3",
            aws_access_key_id=key.access_key_id,
            aws_secret_access_key=key.secret_access_key,
            endpoint_url=self.server.s3_endpoint,
            region_name=region,
            verify=str(self.server.certificates.ca),
            config=Config(s3={"addressing_style": "path"}, retries={"total_max_attempts": 1}, **config),
        )

    def client(self, permission: str = "Full") -> Any:
        """A client with a key of that level; the same one each time."""
        if permission not in self._clients:
            self._clients[permission] = self.connect(self.key(permission))
        return self._clients[permission]

    def bucket(self, name: str = BUCKET, **fields: Any) -> str:
        """A new bucket, by the management API."""
        self.admin.call("POST", "/v1/buckets", {"userId": self.id, "name": name, **fields})
        return name

    def patch_bucket(self, name: str = BUCKET, **fields: Any) -> None:
        self.admin.call("PATCH", f"/v1/buckets/{self.id}/{name}", fields)

    def usage(self, name: str = BUCKET) -> tuple[int, int]:
        """Bytes and objects that the management API says are in a bucket."""
        usage = self.admin.call("GET", f"/v1/buckets/{self.id}/{name}")["usage"]
        return usage["size"], usage["objects"]


def refused(status: int, code: str | None, call: Any, *args: Any, **kwargs: Any) -> None:
    """Assert that a call is refused with this status and code; HEAD has no code."""
    with pytest.raises(ClientError) as caught:
        call(*args, **kwargs)
    found = s3.refusal(caught.value)
    assert found[0] == status, caught.value
    if code is not None:
        assert found[1] == code, caught.value


def content(client: Any, key: str, bucket: str = BUCKET, **arguments: Any) -> bytes:
    """What an object holds."""
    data: bytes = client.get_object(Bucket=bucket, Key=key, **arguments)["Body"].read()
    return data
