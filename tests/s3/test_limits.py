"""The limits that docs/s3.md names: what is just within each, and what is one beyond."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import requests
from botocore.exceptions import ClientError

from s3.world import BUCKET, MIB, User, refused

Call = Callable[[User, int], Any]


def put(user: User, key: str = "a", **arguments: Any) -> Any:
    return user.client().put_object(Bucket=BUCKET, Key=key, Body=b"x", **arguments)


def tags(count: int, key: int = 1, value: int = 1) -> str:
    return "&".join(f"{chr(97 + n) * key}={'v' * value}" for n in range(count))


def removed(user: User, count: int) -> None:
    named = [{"Key": f"k{number}"} for number in range(count)]
    user.client().delete_objects(Bucket=BUCKET, Delete={"Objects": named, "Quiet": True})


def form(user: User, size: int) -> None:
    post = user.client().generate_presigned_post(BUCKET, "form")
    answer = requests.post(
        post["url"],
        data=post["fields"],
        files={"file": bytes(size)},
        verify=str(user.server.certificates.ca),
        timeout=30,
    )
    if answer.status_code >= 400:
        code = answer.text.partition("<Code>")[2].partition("</Code>")[0]
        raise ClientError(
            {"ResponseMetadata": {"HTTPStatusCode": answer.status_code}, "Error": {"Code": code}}, "PostObject"
        )


# What is limited, the most that is let in, and how one more is refused.
LIMITS: dict[str, tuple[Call, int, int, str]] = {
    "bytes of a key": (lambda u, n: put(u, "k" * n), 1024, 400, "KeyTooLongError"),
    "bytes of a key of two each": (lambda u, n: put(u, "é" * (n // 2) + "x" * (n % 2)), 1024, 400, "KeyTooLongError"),
    "bytes of metadata": (lambda u, n: put(u, Metadata={"m": "v" * (n - 1)}), 2048, 400, "MetadataTooLarge"),
    "tags": (lambda u, n: put(u, Tagging=tags(n)), 10, 400, "InvalidTag"),
    "characters of a tag's key": (lambda u, n: put(u, Tagging=tags(1, key=n)), 128, 400, "InvalidTag"),
    "characters of a tag's value": (lambda u, n: put(u, Tagging=tags(1, value=n)), 256, 400, "InvalidTag"),
    "keys of one DeleteObjects": (removed, 1000, 400, "MalformedXML"),
    "bytes of a form's file": (form, 16 * MIB, 400, "EntityTooLarge"),
    "characters of a bucket's name": (
        lambda u, n: u.client().create_bucket(Bucket="b" * n),
        63,
        400,
        "InvalidBucketName",
    ),
}


@pytest.mark.parametrize("what", LIMITS)
def test_what_is_within_a_limit_is_let_in_and_one_more_is_refused(user: User, what: str) -> None:
    call, most, status, code = LIMITS[what]
    call(user, most)
    before = user.usage()
    refused(status, code, call, user, most + 1)
    assert user.usage() == before


def test_a_page_has_a_thousand_entries_at_most(user: User) -> None:
    client = user.client()
    found = client.list_objects_v2(Bucket=BUCKET, MaxKeys=5000)
    assert found["MaxKeys"] == 1000
    refused(400, "InvalidArgument", client.list_objects_v2, Bucket=BUCKET, MaxKeys=-1)
