"""What is used is on the bill, exactly, also when the server is killed."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import BotoCoreError, ClientError

from harness import tls
from harness.management import Management
from harness.management_server import ManagementServer
from harness.waiting import until
from s3.world import BUCKET, User, content, refused


def used(admin: Management, user: User, group: str = "AccessKey", step: str = "Hour") -> list[dict[str, Any]]:
    return admin.items("usage", group=group, step=step, user=user.id)


def total(items: list[dict[str, Any]], field: str) -> int:
    return sum(item[field] for item in items)


def test_requests_and_what_was_sent_are_counted(user: User, admin: Management) -> None:
    client, reader = user.client("Full"), user.client("Read")
    for number in range(7):
        client.put_object(Bucket=BUCKET, Key=f"{number}", Body=b"x" * 1000)
    for number in range(5):
        content(reader, f"{number}")
    content(reader, "0", Range="bytes=0-99")
    reader.head_object(Bucket=BUCKET, Key="1")
    found = {item["accessKeyId"]: item for item in used(admin, user)}
    full, read = (found[of._request_signer._credentials.access_key] for of in (client, reader))
    assert (full["requests"], full["egress"]) == (7, 0)
    assert (read["requests"], read["egress"]) == (7, 5100)
    for step in ("Hour", "Day"):
        of_user = used(admin, user, "User", step)
        assert (total(of_user, "requests"), total(of_user, "egress")) == (14, 5100)
        assert of_user[-1]["stored"]["size"] == 7000
        assert of_user[-1]["stored"]["objects"] == 7


def test_what_is_refused_counts_when_it_was_signed_and_not_else(user: User, admin: Management) -> None:
    refused(404, "NoSuchKey", user.client("Read").get_object, Bucket=BUCKET, Key="a")
    refused(403, "AccessDenied", user.client("Read").delete_object, Bucket=BUCKET, Key="a")
    assert total(used(admin, user), "requests") == 2
    wrong = user.key("Read")
    forged = user.connect(type(wrong)(wrong.access_key_id, "x" * 40))
    refused(403, "SignatureDoesNotMatch", forged.get_object, Bucket=BUCKET, Key="a")
    assert total(used(admin, user), "requests") == 2


def test_the_users_list_tells_what_is_stored(user: User, admin: Management) -> None:
    user.client().put_object(Bucket=BUCKET, Key="a", Body=b"12345")
    listed = next(item for item in admin.items("users") if item["id"] == user.id)
    assert listed["usage"] == {"buckets": 1, "accessKeys": 1, "size": 5, "objects": 1}
    assert listed["login"] and listed["accountId"]


@pytest.fixture
def own_server(tmp_path: Path) -> Any:
    server = ManagementServer(tmp_path / "server", tls.make_certificates(tmp_path / "pki"))
    try:
        server.start()
        yield server
    finally:
        server.kill()


def test_an_answered_request_is_counted_although_the_server_is_killed(own_server: ManagementServer) -> None:
    admin = own_server.client()[0]
    tenant = admin.call("POST", "/v1/tenants", {"name": "killed"})["id"]
    user = User(own_server, admin, tenant)
    user.bucket()
    client = user.client()
    size = 100_000
    client.put_object(Bucket=BUCKET, Key="a", Body=b"x" * size)
    requests, sent = 1, 0
    for _ in range(5):
        for _ in range(20):
            assert len(content(client, "a")) == size
            requests, sent = requests + 1, sent + size
        own_server.kill()
        with pytest.raises((BotoCoreError, ClientError)):
            content(client, "a")
        own_server.start()
    found = used(admin, user)
    assert (total(found, "requests"), total(found, "egress")) == (requests, sent)
    key = admin.items("accessKeys", user=user.id)[0]
    assert key["lastUsedAt"], "the last use of a key is known after a kill"


def test_the_last_use_of_a_key_is_told(own_server: ManagementServer) -> None:
    admin = own_server.client()[0]
    user = User(own_server, admin, admin.call("POST", "/v1/tenants", {"name": "used"})["id"])
    user.bucket()
    user.client().put_object(Bucket=BUCKET, Key="a", Body=b"x")
    assert own_server.stop() == 0
    own_server.start()
    until(lambda: admin.items("accessKeys", user=user.id)[0].get("lastUsedAt"), "the last use")
