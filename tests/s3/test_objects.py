"""Objects: what comes back, conditions, ranges, copies, tags, keys that are unlike others."""

from __future__ import annotations

import base64
import hashlib
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from s3.world import BUCKET, MIB, User, content, refused

UNUSUAL = [
    "a//b",
    "/leading",
    "trailing/",
    "../x",
    "a/./b",
    "a/../../b",
    "+ % & é ?#=;:@,$!*'()",
    "new\nline",
    '<tag attribute="x">&amp;',
    "\u00e9 and e\u0301",
    "日本語/🦀",
    "x" * 1024,
    "é" * 512,
]


def test_an_object_comes_back_as_it_was_sent(user: User) -> None:
    client = user.client()
    headers: dict[str, Any] = {
        "ContentType": "text/plain; charset=utf-8",
        "ContentEncoding": "identity",
        "ContentDisposition": 'attachment; filename="a.txt"',
        "ContentLanguage": "en",
        "CacheControl": "no-cache",
        "Expires": datetime(2030, 1, 1, tzinfo=UTC),
        "Metadata": {"owner": "somebody", "empty": ""},
    }
    made = client.put_object(Bucket=BUCKET, Key="a", Body=b"data", **headers)
    assert made["ETag"] == f'"{hashlib.md5(b"data").hexdigest()}"'
    for found in (client.get_object(Bucket=BUCKET, Key="a"), client.head_object(Bucket=BUCKET, Key="a")):
        for name in ("ContentType", "ContentEncoding", "ContentDisposition", "ContentLanguage", "CacheControl"):
            assert found[name] == headers[name]
        assert found["Metadata"] == headers["Metadata"]
        assert found["ETag"] == made["ETag"]
        assert found["ContentLength"] == 4
        assert found["ExpiresString"].startswith("Tue, 01 Jan 2030")
        assert datetime.now(UTC) - found["LastModified"] < timedelta(minutes=5)
        assert "VersionId" not in found
    assert content(client, "a") == b"data"


# The published check values of each algorithm for "123456789".
CHECKSUMS = {
    "CRC32": "y/Q5Jg==",
    "CRC32C": "4waSgw==",
    "CRC64NVME": "rosUhgp5mIg=",
    "SHA1": "98O8HYCOBHMq32eZZczDTKeuNEE=",
    "SHA256": "FeKw08M4keuw8e9gnsQZQgwg4yDOlMZfvIwzEkSOsiU=",
}


@pytest.mark.parametrize("algorithm", CHECKSUMS)
def test_checksums_are_verified_kept_and_shown(user: User, algorithm: str) -> None:
    client = user.client()
    name, right = f"Checksum{algorithm}", CHECKSUMS[algorithm]
    assert client.put_object(Bucket=BUCKET, Key="a", Body=b"123456789", **{name: right})[name] == right
    assert client.head_object(Bucket=BUCKET, Key="a", ChecksumMode="ENABLED")[name] == right
    refused(400, "BadDigest", client.put_object, Bucket=BUCKET, Key="a", Body=b"12345678X", **{name: right})
    assert content(client, "a") == b"123456789"


def test_a_wrong_md5_is_refused(user: User) -> None:
    client = user.client()
    wrong = base64.b64encode(bytes(16)).decode()
    refused(400, "BadDigest", client.put_object, Bucket=BUCKET, Key="a", Body=b"data", ContentMD5=wrong)
    assert user.usage() == (0, 0)


@pytest.mark.parametrize("key", UNUSUAL, ids=range(len(UNUSUAL)))
def test_an_unusual_key_is_like_any_other(user: User, key: str) -> None:
    client = user.client()
    client.put_object(Bucket=BUCKET, Key=key, Body=key.encode())
    assert content(client, key) == key.encode()
    assert [found["Key"] for found in client.list_objects_v2(Bucket=BUCKET)["Contents"]] == [key]
    client.copy_object(Bucket=BUCKET, Key="copy", CopySource={"Bucket": BUCKET, "Key": key})
    assert content(client, "copy") == key.encode()
    client.delete_objects(Bucket=BUCKET, Delete={"Objects": [{"Key": key}, {"Key": "copy"}]})
    assert user.usage() == (0, 0)


def test_a_key_has_1024_bytes_at_most(user: User) -> None:
    refused(400, "KeyTooLongError", user.client().put_object, Bucket=BUCKET, Key="x" * 1025, Body=b"")


def test_keys_that_look_alike_are_different(user: User) -> None:
    client = user.client()
    keys = ["a", "a/", "a//", "/a", "A", "a ", "a%20", "a+"]
    for key in keys:
        client.put_object(Bucket=BUCKET, Key=key, Body=key.encode())
    for key in keys:
        assert content(client, key) == key.encode()
    assert len(client.list_objects_v2(Bucket=BUCKET)["Contents"]) == len(keys)


def test_reads_take_place_only_on_their_conditions(user: User) -> None:
    client = user.client()
    tag = client.put_object(Bucket=BUCKET, Key="a", Body=b"data")["ETag"]
    modified = client.head_object(Bucket=BUCKET, Key="a")["LastModified"]
    before, after = modified - timedelta(seconds=10), modified + timedelta(seconds=10)
    good: list[dict[str, Any]] = [
        {"IfMatch": tag},
        {"IfMatch": "*"},
        {"IfNoneMatch": '"0"'},
        {"IfModifiedSince": before},
        {"IfUnmodifiedSince": modified},
        {"IfUnmodifiedSince": after},
        {"IfMatch": tag, "IfUnmodifiedSince": before},
        {"IfNoneMatch": '"0"', "IfModifiedSince": modified},
    ]
    for conditions in good:
        assert content(client, "a", **conditions) == b"data", conditions
    bad: list[tuple[int, dict[str, Any]]] = [
        (412, {"IfMatch": '"0"'}),
        (304, {"IfNoneMatch": tag}),
        (304, {"IfNoneMatch": "*"}),
        (304, {"IfModifiedSince": modified}),
        (412, {"IfUnmodifiedSince": before}),
    ]
    for status, conditions in bad:
        refused(status, None, client.get_object, Bucket=BUCKET, Key="a", **conditions)
        refused(status, None, client.head_object, Bucket=BUCKET, Key="a", **conditions)


def test_writes_take_place_only_on_their_conditions(user: User) -> None:
    client = user.client()
    at = {"Bucket": BUCKET, "Key": "a"}
    refused(412, "PreconditionFailed", client.put_object, **at, Body=b"x", IfMatch='"0"')
    tag = client.put_object(**at, Body=b"first", IfNoneMatch="*")["ETag"]
    refused(412, "PreconditionFailed", client.put_object, **at, Body=b"x", IfNoneMatch="*")
    client.put_object(**at, Body=b"second", IfMatch=tag)
    refused(412, "PreconditionFailed", client.put_object, **at, Body=b"x", IfMatch=tag)
    refused(412, "PreconditionFailed", client.delete_object, **at, IfMatch=tag)
    assert content(client, "a") == b"second"


def test_ranges_are_pieces_of_the_object(user: User) -> None:
    client = user.client()
    data = bytes(range(256)) * 4096
    client.put_object(Bucket=BUCKET, Key="a", Body=data)
    size = len(data)
    pieces = [("0-0", 0, 1), ("10-19", 10, 20), (f"{size - 5}-", size - 5, size), ("-5", size - 5, size)]
    for text, first, end in [*pieces, (f"5-{size * 2}", 5, size), (f"-{size * 2}", 0, size)]:
        found = client.get_object(Bucket=BUCKET, Key="a", Range=f"bytes={text}")
        assert found["ContentRange"] == f"bytes {first}-{end - 1}/{size}"
        assert found["ResponseMetadata"]["HTTPStatusCode"] == 206
        assert found["Body"].read() == data[first:end]
    refused(416, "InvalidRange", client.get_object, Bucket=BUCKET, Key="a", Range=f"bytes={size}-")


def test_an_empty_object_and_a_large_one_come_back(user: User) -> None:
    client = user.client()
    large = hashlib.sha256(b"seed").digest() * (8 * MIB // 32)
    for data in (b"", large):
        client.put_object(Bucket=BUCKET, Key="a", Body=data)
        assert content(client, "a") == data
    assert user.usage() == (len(large), 1)


def test_a_copy_takes_metadata_and_tags_along_or_anew(user: User) -> None:
    client = user.client()
    source = {"Bucket": BUCKET, "Key": "a"}
    client.put_object(**source, Body=b"data", Metadata={"m": "old"}, Tagging="t=old")
    client.copy_object(Bucket=BUCKET, Key="same", CopySource=source)
    client.copy_object(
        Bucket=BUCKET,
        Key="anew",
        CopySource=source,
        Metadata={"m": "new"},
        MetadataDirective="REPLACE",
        Tagging="t=new",
        TaggingDirective="REPLACE",
    )
    for key, word in (("same", "old"), ("anew", "new")):
        assert client.head_object(Bucket=BUCKET, Key=key)["Metadata"] == {"m": word}
        assert client.get_object_tagging(Bucket=BUCKET, Key=key)["TagSet"] == [{"Key": "t", "Value": word}]
        assert content(client, key) == b"data"
    refused(400, "InvalidRequest", client.copy_object, **source, CopySource=source)
    client.copy_object(**source, CopySource=source, Metadata={"m": "x"}, MetadataDirective="REPLACE")
    assert client.head_object(**source)["Metadata"] == {"m": "x"}
    refused(
        412, "PreconditionFailed", client.copy_object, Bucket=BUCKET, Key="b", CopySource=source, CopySourceIfMatch="0"
    )


def test_tags_are_set_read_and_removed(user: User) -> None:
    client = user.client()
    at = {"Bucket": BUCKET, "Key": "a"}
    client.put_object(**at, Body=b"data", Tagging="a=1&b=%C3%A9+x")
    assert client.get_object_tagging(**at)["TagSet"] == [{"Key": "a", "Value": "1"}, {"Key": "b", "Value": "é x"}]
    assert client.get_object(**at)["TagCount"] == 2
    client.put_object_tagging(**at, Tagging={"TagSet": [{"Key": "c", "Value": "3"}]})
    assert client.get_object_tagging(**at)["TagSet"] == [{"Key": "c", "Value": "3"}]
    twice = {"TagSet": [{"Key": "c", "Value": "1"}, {"Key": "c", "Value": "2"}]}
    refused(400, "InvalidTag", client.put_object_tagging, **at, Tagging=twice)
    client.delete_object_tagging(**at)
    assert client.get_object_tagging(**at)["TagSet"] == []


def test_attributes_are_what_was_asked_for(user: User) -> None:
    client = user.client()
    client.put_object(Bucket=BUCKET, Key="a", Body=b"data", ChecksumAlgorithm="SHA256")
    wanted = ["ETag", "Checksum", "ObjectSize", "StorageClass"]
    found = client.get_object_attributes(Bucket=BUCKET, Key="a", ObjectAttributes=wanted)
    assert found["ETag"].strip('"') == hashlib.md5(b"data").hexdigest()
    assert found["ObjectSize"] == 4
    assert found["Checksum"]["ChecksumSHA256"] == base64.b64encode(hashlib.sha256(b"data").digest()).decode()
    assert found["StorageClass"] == "STANDARD"
    assert "ETag" not in client.get_object_attributes(Bucket=BUCKET, Key="a", ObjectAttributes=["ObjectSize"])


def test_what_is_not_there_answers_404(user: User) -> None:
    client = user.client()
    refused(404, "NoSuchKey", client.get_object, Bucket=BUCKET, Key="missing")
    refused(404, None, client.head_object, Bucket=BUCKET, Key="missing")
    refused(404, "NoSuchBucket", client.get_object, Bucket="missing", Key="a")
    refused(404, None, client.head_bucket, Bucket="missing")
    client.delete_object(Bucket=BUCKET, Key="missing")


def test_an_answer_can_be_given_other_headers(user: User) -> None:
    client = user.client()
    client.put_object(Bucket=BUCKET, Key="a", Body=b"data")
    found = client.get_object(Bucket=BUCKET, Key="a", ResponseContentType="text/html", ResponseCacheControl="no-store")
    assert (found["ContentType"], found["CacheControl"]) == ("text/html", "no-store")
