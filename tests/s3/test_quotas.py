"""Quotas when many write at once: never exceeded, and what fits is let in."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import pytest
from botocore.exceptions import ClientError

from harness.s3 import refusal
from s3.world import BUCKET, User, refused

AT_ONCE = 16
DATA = b"x" * 100


def at_once(user: User, call: Callable[[int], object], codes: tuple[str, ...] = ("QuotaExceeded",)) -> int:
    """How many of many calls at once succeed; the others are refused by a quota."""

    def one(number: int) -> bool:
        try:
            call(number)
        except ClientError as error:
            if refusal(error)[1] not in codes:
                raise
            return False
        return True

    with ThreadPoolExecutor(AT_ONCE) as pool:
        return sum(pool.map(one, range(AT_ONCE)))


@pytest.fixture
def user(new_user: Callable[..., User]) -> User:
    """A user with the objects of a bucket limited to 5, its bytes to 1 000, and the buckets to 3."""
    made = new_user(quota={"buckets": 3})
    made.bucket(BUCKET, quota={"size": 1000, "objects": 5})
    return made


def test_objects_put_at_once_stay_within_the_quota(user: User) -> None:
    client = user.client()
    done = at_once(user, lambda n: client.put_object(Bucket=BUCKET, Key=str(n), Body=DATA))
    assert 1 <= done <= 5
    assert user.usage() == (done * 100, done)


def test_copies_made_at_once_stay_within_the_quota(user: User) -> None:
    client = user.client()
    client.put_object(Bucket=BUCKET, Key="source", Body=DATA)
    source = {"Bucket": BUCKET, "Key": "source"}
    done = at_once(user, lambda n: client.copy_object(Bucket=BUCKET, Key=str(n), CopySource=source))
    assert 1 <= done <= 4
    assert user.usage() == ((done + 1) * 100, done + 1)


@pytest.mark.parametrize("copied", [False, True], ids=["uploaded", "copied"])
def test_parts_that_come_at_once_stay_within_the_quota(user: User, copied: bool) -> None:
    client = user.client()
    if copied:
        client.put_object(Bucket=BUCKET, Key="source", Body=DATA)
    uploads = [client.create_multipart_upload(Bucket=BUCKET, Key=str(n))["UploadId"] for n in range(AT_ONCE)]

    def part(number: int) -> None:
        at = {"Bucket": BUCKET, "Key": str(number), "UploadId": uploads[number], "PartNumber": 1}
        if copied:
            client.upload_part_copy(**at, CopySource={"Bucket": BUCKET, "Key": "source"})
        else:
            client.upload_part(**at, Body=DATA)

    done = at_once(user, part)
    held = [
        number
        for number, upload in enumerate(uploads)
        if client.list_parts(Bucket=BUCKET, Key=str(number), UploadId=upload).get("Parts")
    ]
    assert len(held) == done
    assert 1 <= done <= 10 - copied
    refused(403, "QuotaExceeded", client.put_object, Bucket=BUCKET, Key="large", Body=b"x" * (1001 - 100 * done))


def test_uploads_completed_at_once_stay_within_the_quota(user: User) -> None:
    client = user.client()
    uploads = []
    for number in range(8):
        at = {"Bucket": BUCKET, "Key": str(number)}
        at["UploadId"] = client.create_multipart_upload(**at)["UploadId"]
        tag = client.upload_part(**at, PartNumber=1, Body=b"x")["ETag"]
        uploads.append({**at, "MultipartUpload": {"Parts": [{"PartNumber": 1, "ETag": tag}]}})

    def complete(number: int) -> None:
        if number < len(uploads):
            client.complete_multipart_upload(**uploads[number])

    assert at_once(user, complete) == AT_ONCE - len(uploads) + 5
    assert user.usage()[1] == 5


def test_buckets_made_at_once_stay_within_the_quota(user: User) -> None:
    client = user.client()
    assert at_once(user, lambda n: client.create_bucket(Bucket=f"made-{n}"), ("TooManyBuckets",)) == 2
    assert len(client.list_buckets()["Buckets"]) == 3
