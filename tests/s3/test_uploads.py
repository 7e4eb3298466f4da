"""Multipart uploads, form uploads, quotas, buckets made over S3."""

from __future__ import annotations

import hashlib
import sqlite3
from collections.abc import Callable
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest
import requests
from boto3.s3.transfer import TransferConfig

from s3.world import BUCKET, MIB, User, content, refused

AT = {"Bucket": BUCKET, "Key": "a"}


def begin(client: Any, **arguments: Any) -> dict[str, Any]:
    return {**AT, "UploadId": client.create_multipart_upload(**AT, **arguments)["UploadId"]}


def put_part(client: Any, upload: dict[str, Any], number: int, data: bytes) -> dict[str, Any]:
    return {"PartNumber": number, "ETag": client.upload_part(**upload, PartNumber=number, Body=data)["ETag"]}


def complete(client: Any, upload: dict[str, Any], *parts: dict[str, Any]) -> dict[str, Any]:
    done: dict[str, Any] = client.complete_multipart_upload(**upload, MultipartUpload={"Parts": list(parts)})
    return done


def test_parts_become_the_object(user: User) -> None:
    client = user.client()
    upload = begin(client, Metadata={"m": "x"}, ContentType="text/plain", Tagging="t=1")
    large = b"x" * (5 * MIB)
    replaced = put_part(client, upload, 2, b"replaced")
    parts = [put_part(client, upload, 1, large), put_part(client, upload, 2, b"the end")]
    refused(400, "InvalidPart", complete, client, upload, parts[0], replaced)
    refused(400, "InvalidPartOrder", complete, client, upload, *reversed(parts))
    digest = hashlib.md5(hashlib.md5(large).digest() + hashlib.md5(b"the end").digest()).hexdigest()
    assert complete(client, upload, *parts)["ETag"] == f'"{digest}-2"'
    assert content(client, "a") == large + b"the end"
    head = client.head_object(**AT)
    assert (head["Metadata"], head["ContentType"]) == ({"m": "x"}, "text/plain")
    assert client.get_object_tagging(**AT)["TagSet"] == [{"Key": "t", "Value": "1"}]
    refused(404, "NoSuchUpload", complete, client, upload, *parts)
    assert user.usage() == (len(large) + 7, 1)


def test_a_small_part_is_refused_unless_it_is_the_last(user: User) -> None:
    client = user.client()
    upload = begin(client)
    parts = [put_part(client, upload, number, b"small") for number in (1, 2)]
    refused(400, "EntityTooSmall", complete, client, upload, *parts)
    complete(client, upload, parts[1])
    assert content(client, "a") == b"small"


def test_an_aborted_upload_is_gone_and_can_be_begun_again(user: User) -> None:
    client = user.client()
    upload = begin(client)
    put_part(client, upload, 1, b"data")
    client.abort_multipart_upload(**upload)
    refused(404, "NoSuchUpload", client.list_parts, **upload)
    refused(404, "NoSuchUpload", put_part, client, upload, 1, b"data")
    refused(404, "NoSuchKey", client.get_object, **AT)
    again = begin(client)
    complete(client, again, put_part(client, again, 1, b"again"))
    assert content(client, "a") == b"again"


def test_parts_can_be_copied(user: User) -> None:
    client = user.client()
    data = bytes(range(256)) * (6 * MIB // 256)
    client.put_object(Bucket=BUCKET, Key="source", Body=data)
    upload = begin(client)
    source = {"CopySource": {"Bucket": BUCKET, "Key": "source"}}
    first = client.upload_part_copy(**upload, **source, PartNumber=1, CopySourceRange=f"bytes=0-{5 * MIB - 1}")
    second = client.upload_part_copy(**upload, **source, PartNumber=2)
    parts = [
        {"PartNumber": number, "ETag": copied["CopyPartResult"]["ETag"]} for number, copied in ((1, first), (2, second))
    ]
    complete(client, upload, *parts)
    assert content(client, "a") == data[: 5 * MIB] + data
    refused(
        416,
        "InvalidRange",
        client.upload_part_copy,
        **begin(client),
        **source,
        PartNumber=1,
        CopySourceRange="bytes=99999999-99999999",
    )


@pytest.mark.parametrize("level", ["Full", "ReadWrite", "Write"])
def test_large_files_go_up_in_parts_and_come_back(user: User, tmp_path: Path, level: str) -> None:
    data = hashlib.sha256(level.encode()).digest() * (20 * MIB // 32)
    (tmp_path / "file").write_bytes(data)
    config = TransferConfig(multipart_threshold=8 * MIB, multipart_chunksize=8 * MIB)
    user.client(level).upload_file(str(tmp_path / "file"), BUCKET, "a", Config=config)
    back = BytesIO()
    user.client("Read").download_fileobj(BUCKET, "a", back, Config=config)
    assert back.getvalue() == data
    assert user.client().head_object(**AT)["ETag"].endswith('-3"')


def test_checksums_of_parts_make_that_of_the_object(user: User) -> None:
    client = user.client()
    upload = begin(client, ChecksumAlgorithm="SHA256")
    part = client.upload_part(**upload, PartNumber=1, Body=b"data", ChecksumAlgorithm="SHA256")
    named = {"PartNumber": 1, "ETag": part["ETag"], "ChecksumSHA256": part["ChecksumSHA256"]}
    refused(400, "InvalidPart", complete, client, upload, {**named, "ChecksumSHA256": "A" * 43 + "="})
    assert complete(client, upload, named)["ChecksumSHA256"].endswith("-1")
    full = begin(client, ChecksumAlgorithm="CRC32", ChecksumType="FULL_OBJECT")
    done = complete(client, full, put_part(client, full, 1, b"123456789"))
    assert (done["ChecksumCRC32"], done["ChecksumType"]) == ("y/Q5Jg==", "FULL_OBJECT")
    assert content(client, "a", ChecksumMode="ENABLED") == b"123456789"


def test_an_upload_takes_place_only_on_its_conditions(user: User) -> None:
    client = user.client()
    client.put_object(**AT, Body=b"there")
    upload = begin(client)
    part = put_part(client, upload, 1, b"data")
    refused(
        412,
        "PreconditionFailed",
        client.complete_multipart_upload,
        **upload,
        MultipartUpload={"Parts": [part]},
        IfNoneMatch="*",
    )
    assert content(client, "a") == b"there"


def test_a_form_uploads_within_its_policy(user: User) -> None:
    client = user.client("Write")
    post = client.generate_presigned_post(BUCKET, "form/a.txt", Conditions=[["content-length-range", 1, 10]])

    def send(data: bytes, **fields: str) -> requests.Response:
        return requests.post(
            post["url"],
            data={**post["fields"], **fields},
            files={"file": ("a.txt", data)},
            verify=str(user.server.certificates.ca),
            timeout=30,
        )

    assert send(b"data").ok
    assert content(user.client(), "form/a.txt") == b"data"
    assert send(b"more than ten").status_code == 400
    assert send(b"data", key="elsewhere").status_code in (400, 403)
    assert user.usage() == (4, 1)


def test_a_form_cannot_name_its_object_after_its_file(user: User) -> None:
    post = user.client().generate_presigned_post(BUCKET, "form/${filename}")
    answer = requests.post(
        post["url"],
        data=post["fields"],
        files={"file": ("a.txt", b"data")},
        verify=str(user.server.certificates.ca),
        timeout=30,
    )
    assert answer.status_code == 501
    assert user.usage() == (0, 0)


def test_quotas_of_bucket_and_user_hold(new_user: Callable[..., User]) -> None:
    user = new_user(quota={"buckets": 2, "size": 1000})
    user.bucket(BUCKET, quota={"size": 10, "objects": 2})
    client = user.client()
    refused(403, "QuotaExceeded", client.put_object, **AT, Body=b"eleven bytes")
    client.put_object(**AT, Body=b"0123456789")
    refused(403, "QuotaExceeded", client.put_object, Bucket=BUCKET, Key="b", Body=b"x")
    client.put_object(**AT, Body=b"012345678")
    client.put_object(Bucket=BUCKET, Key="b", Body=b"x")
    refused(403, "QuotaExceeded", client.put_object, Bucket=BUCKET, Key="c", Body=b"")
    client.create_bucket(Bucket="more")
    refused(400, "TooManyBuckets", client.create_bucket, Bucket="most")
    refused(403, "QuotaExceeded", client.put_object, Bucket="more", Key="a", Body=b"x" * 991)
    client.put_object(Bucket="more", Key="a", Body=b"x" * 990)
    refused(403, "QuotaExceeded", put_part, client, {**begin(client), "Bucket": BUCKET}, 1, b"x" * 100)
    assert user.usage() == (10, 2)


def test_what_is_used_is_counted_over_all_versions(versioned: User) -> None:
    client = versioned.client()
    versions = [client.put_object(**AT, Body=b"12345")["VersionId"] for _ in range(3)]
    client.delete_object(**AT)
    assert versioned.usage() == (15, 3)
    client.delete_object(**AT, VersionId=versions[0])
    assert versioned.usage() == (10, 2)
    whole = versioned.admin.call("GET", f"/v1/users/{versioned.id}")["usage"]
    assert (whole["buckets"], whole["size"], whole["objects"]) == (1, 10, 2)


def test_a_bucket_made_over_s3_is_one_of_the_users_like_any_other(user: User) -> None:
    client = user.client()
    client.create_bucket(Bucket="made")
    refused(409, "BucketAlreadyOwnedByYou", client.create_bucket, Bucket="made")
    found = user.admin.call("GET", f"/v1/buckets/{user.id}/made")
    assert (found["versioning"], found["objectLock"]) == ("Disabled", False)
    region = {"LocationConstraint": user.server.region}
    client.create_bucket(Bucket="here", CreateBucketConfiguration=region)
    assert client.get_bucket_location(Bucket="here")["LocationConstraint"] == user.server.region
    elsewhere = {"LocationConstraint": "eu-west-1"}
    refused(400, None, client.create_bucket, Bucket="there", CreateBucketConfiguration=elsewhere)
    client.delete_bucket(Bucket="made")
    refused(404, None, client.head_bucket, Bucket="made")


def test_a_part_is_read_by_its_number_and_told_in_the_attributes(user: User) -> None:
    client = user.client()
    upload = begin(client, ChecksumAlgorithm="SHA256")
    large = bytes(range(256)) * (5 * MIB // 256)
    parts = []
    for number, data in ((2, large), (10_000, b"the end")):
        made = client.upload_part(**upload, PartNumber=number, Body=data, ChecksumAlgorithm="SHA256")
        parts.append({"PartNumber": number, "ETag": made["ETag"], "ChecksumSHA256": made["ChecksumSHA256"]})
    complete(client, upload, *parts)
    client.copy_object(Bucket=BUCKET, Key="copy", CopySource={"Bucket": BUCKET, "Key": "a"})
    for key in ("a", "copy"):
        at = {"Bucket": BUCKET, "Key": key}
        assert content(client, key, PartNumber=1) == large
        last = client.get_object(**at, PartNumber=2)
        assert (last["PartsCount"], last["Body"].read()) == (2, b"the end")
        assert last["ContentRange"] == f"bytes {len(large)}-{len(large) + 6}/{len(large) + 7}"
        head = client.head_object(**at, PartNumber=1)
        assert (head["ContentLength"], head["PartsCount"]) == (len(large), 2)
        refused(416, "InvalidPartNumber", client.get_object, **at, PartNumber=3)
        refused(400, "InvalidRequest", client.get_object, **at, PartNumber=1, Range="bytes=0-1")
    found = client.get_object_attributes(**AT, ObjectAttributes=["ObjectParts"], MaxParts=1)["ObjectParts"]
    assert (found["TotalPartsCount"], found["IsTruncated"], found["NextPartNumberMarker"]) == (2, True, 1)
    assert found["Parts"][0]["ChecksumSHA256"] == parts[0]["ChecksumSHA256"]
    assert "PartsCount" not in client.head_object(**AT)


def test_parts_are_numbered_up_to_ten_thousand(user: User) -> None:
    client = user.client()
    upload = begin(client)
    for number in (0, 10_001, -1):
        refused(400, "InvalidArgument", put_part, client, upload, number, b"x")
    complete(client, upload, put_part(client, upload, 10_000, b"x"))


def test_ten_thousand_parts_are_listed_in_ten_pages_and_completed_by_name(user: User) -> None:
    client = user.client()
    upload = begin(client)
    tag = put_part(client, upload, 1, b"small")["ETag"]
    database = sqlite3.connect(user.server.folder / "data" / "storekeeper.db", timeout=10)
    with database:
        # The parts' rows without their files: neither is read before an upload is complete.
        database.execute(
            "WITH RECURSIVE more (n) AS (SELECT 2 UNION ALL SELECT n + 1 FROM more WHERE n < 10000) "
            "INSERT INTO part (upload, number, size, etag, blob, checksums, modified) "
            "SELECT upload, n, size, etag, printf('%032x', n), checksums, modified FROM part, more WHERE upload = ?",
            (upload["UploadId"],),
        )
    try:
        pages = list(client.get_paginator("list_parts").paginate(**upload))
        assert [len(page["Parts"]) for page in pages] == [1000] * 10
        assert [part["PartNumber"] for page in pages for part in page["Parts"]] == list(range(1, 10_001))
        named = [{"PartNumber": number, "ETag": tag} for number in range(1, 10_002)]
        refused(400, "EntityTooSmall", complete, client, upload, *named[:-1])
        refused(400, None, complete, client, upload, *named)
        client.abort_multipart_upload(**upload)
        refused(404, "NoSuchUpload", client.list_parts, **upload)
        assert user.usage() == (0, 0)
    finally:
        with database:
            database.execute("DELETE FROM part WHERE upload = ?", (upload["UploadId"],))
        database.close()


def test_the_quota_of_a_tenant_holds_for_its_users_together(server: Any, admin: Any) -> None:
    tenant = admin.call("POST", "/v1/tenants", {"name": "small", "quota": {"size": 1000, "objects": 3}})["id"]
    users = [User(server, admin, tenant) for _ in range(2)]
    for user in users:
        user.bucket()
    users[0].client().put_object(**AT, Body=b"x" * 600)
    refused(403, "QuotaExceeded", users[1].client().put_object, **AT, Body=b"x" * 401)
    users[1].client().put_object(**AT, Body=b"x" * 400)
    users[0].client().delete_object(**AT)
    users[1].client().put_object(Bucket=BUCKET, Key="b", Body=b"x" * 600)
