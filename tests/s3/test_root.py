"""The Root user over S3: its one pair reaches its own buckets and nobody else's, and can be replaced."""

from __future__ import annotations

from typing import Any

import pytest

from harness import s3
from harness.management import Management
from s3.world import BUCKET, User, content, refused


class Root:
    """The Root user of an account with a user beside it, both of whom have the bucket `data`."""

    def __init__(self, user: User, account: dict[str, Any]) -> None:
        self.user = user
        self.account = account["id"]
        self.id = account["rootUserId"]

    def rotate(self) -> s3.Credentials:
        made = self.user.admin.call("POST", f"/v1/accounts/{self.account}/rootKey/rotate")
        return s3.Credentials(made["accessKeyId"], made["secretAccessKey"])


@pytest.fixture
def root(user: User, admin: Management, tenant: str) -> Root:
    account = admin.call("POST", "/v1/accounts", {"name": f"of-{user.id}", "tenantId": tenant})
    mate = User(user.server, admin, tenant, accountId=account["id"])
    mate.bucket(BUCKET)
    made = Root(mate, account)
    admin.call("POST", "/v1/buckets", {"userId": made.id, "name": BUCKET})
    return made


def test_rule_3_the_root_pair_does_not_reach_a_users_buckets_nor_a_user_roots(root: Root) -> None:
    as_root, as_user = root.user.connect(root.rotate()), root.user.client()
    for client, whose in ((as_root, b"of root"), (as_user, b"of the user")):
        client.put_object(Bucket=BUCKET, Key="a", Body=whose)
    for client, whose in ((as_root, b"of root"), (as_user, b"of the user")):
        assert content(client, "a") == whose, "the same name is another bucket"
        assert [bucket["Name"] for bucket in client.list_buckets()["Buckets"]] == [BUCKET]
        assert client.list_objects_v2(Bucket=BUCKET)["KeyCount"] == 1
    as_user.create_bucket(Bucket="users-only")
    as_user.put_object(Bucket="users-only", Key="secret", Body=b"x")
    as_root.create_bucket(Bucket="roots-only")
    as_root.put_object(Bucket="roots-only", Key="secret", Body=b"x")
    for client, theirs in ((as_root, "users-only"), (as_user, "roots-only")):
        at = {"Bucket": theirs, "Key": "secret"}
        refused(404, None, client.head_bucket, Bucket=theirs)
        refused(404, "NoSuchBucket", client.list_objects_v2, Bucket=theirs)
        refused(404, "NoSuchBucket", client.get_object, **at)
        refused(404, "NoSuchBucket", client.put_object, **at, Body=b"changed")
        refused(404, "NoSuchBucket", client.delete_object, **at)
        refused(404, "NoSuchBucket", client.copy_object, Bucket=BUCKET, Key="copied", CopySource=at)
        refused(404, "NoSuchKey", client.get_object, Bucket=BUCKET, Key="copied")
    assert content(as_user, "secret", "users-only") == content(as_root, "secret", "roots-only") == b"x"


def test_rule_1_a_rotated_root_pair_stops_and_the_new_one_works(root: Root) -> None:
    old = root.user.connect(root.rotate())
    old.put_object(Bucket=BUCKET, Key="a", Body=b"data")
    new = root.user.connect(root.rotate())
    refused(403, "InvalidAccessKeyId", old.get_object, Bucket=BUCKET, Key="a")
    refused(403, "InvalidAccessKeyId", old.create_bucket, Bucket="more")
    assert content(new, "a") == b"data"
    new.create_bucket(Bucket="more")
    assert len(root.user.admin.access_keys(user=root.id)) == 1
