"""Listing: prefixes, delimiters, pages; objects, versions, uploads, buckets."""

from __future__ import annotations

from typing import Any

import pytest

from s3.world import BUCKET, User, refused

KEYS = ["a", "b/1", "b/2", "b/c/3", "b/c/4", "b0", "c//d", "é/1", "z"]


@pytest.fixture
def filled(user: User) -> Any:
    client = user.client()
    for key in KEYS:
        client.put_object(Bucket=BUCKET, Key=key, Body=key.encode())
    return client


def oracle(prefix: str, delimiter: str) -> list[str]:
    """Keys and common prefixes, in byte order."""
    entries = set()
    for key in KEYS:
        if key.startswith(prefix):
            head, found, _ = key[len(prefix) :].partition(delimiter) if delimiter else (key, "", "")
            entries.add(prefix + head + delimiter if found else key)
    return sorted(entries, key=str.encode)


def entries(page: dict[str, Any]) -> list[str]:
    keys = [found["Key"] for found in page.get("Contents", [])]
    prefixes = [found["Prefix"] for found in page.get("CommonPrefixes", [])]
    return sorted(keys + prefixes, key=str.encode)


@pytest.mark.parametrize("operation", ["list_objects", "list_objects_v2"])
@pytest.mark.parametrize("size", [1, 2, 3, 1000])
@pytest.mark.parametrize(
    ("prefix", "delimiter"),
    [("", ""), ("", "/"), ("b/", "/"), ("b", "/"), ("b/c", "/"), ("", "//"), ("x", "/"), ("é", "/")],
)
def test_pages_are_the_entries_in_order(filled: Any, operation: str, size: int, prefix: str, delimiter: str) -> None:
    pages = list(
        filled.get_paginator(operation).paginate(
            Bucket=BUCKET, Prefix=prefix, Delimiter=delimiter, PaginationConfig={"PageSize": size}
        )
    )
    assert [entry for page in pages for entry in entries(page)] == oracle(prefix, delimiter)
    assert all(len(entries(page)) <= size for page in pages)
    assert all(page["IsTruncated"] for page in pages[:-1]) and not pages[-1]["IsTruncated"]


def test_a_listing_starts_after_what_is_named(filled: Any) -> None:
    assert entries(filled.list_objects_v2(Bucket=BUCKET, StartAfter="b0")) == ["c//d", "z", "é/1"]
    assert entries(filled.list_objects(Bucket=BUCKET, Marker="b/2", Delimiter="/")) == ["b0", "c/", "z", "é/"]
    assert entries(filled.list_objects_v2(Bucket=BUCKET, MaxKeys=0)) == []
    refused(400, "InvalidArgument", filled.list_objects_v2, Bucket=BUCKET, ContinuationToken="not one of yours")


def test_an_object_is_listed_with_what_it_is(filled: Any, user: User) -> None:
    found = filled.list_objects_v2(Bucket=BUCKET, Prefix="b/1", FetchOwner=True)["Contents"][0]
    head = filled.head_object(Bucket=BUCKET, Key="b/1")
    assert (found["Size"], found["ETag"], found["StorageClass"]) == (3, head["ETag"], "STANDARD")
    assert found["Owner"]["ID"] == user.id


@pytest.mark.parametrize("size", [1, 2, 1000])
def test_pages_of_versions_have_each_version_once_the_newest_first(versioned: User, size: int) -> None:
    client = versioned.client()
    expected = []
    for key in ("a", "b/1", "b/2", "c"):
        made = [client.put_object(Bucket=BUCKET, Key=key, Body=b"x")["VersionId"] for _ in range(3)]
        made.append(client.delete_object(Bucket=BUCKET, Key=key)["VersionId"])
        expected += [(key, version) for version in reversed(made)]
    pages = client.get_paginator("list_object_versions").paginate(Bucket=BUCKET, PaginationConfig={"PageSize": size})
    found = []
    for page in pages:
        here = page.get("Versions", []) + page.get("DeleteMarkers", [])
        assert len(here) <= size
        found += [(entry["Key"], entry["VersionId"]) for entry in here]
    assert sorted(found) == sorted(expected)
    whole = client.list_object_versions(Bucket=BUCKET)
    assert [entry["VersionId"] for entry in whole["Versions"] if entry["Key"] == "a"] == [
        version for key, version in expected if key == "a"
    ][1:]
    assert all(entry["IsLatest"] for entry in whole["DeleteMarkers"])
    grouped = client.list_object_versions(Bucket=BUCKET, Delimiter="/")
    assert [entry["Prefix"] for entry in grouped["CommonPrefixes"]] == ["b/"]


def test_a_bucket_is_emptied_page_by_page(versioned: User) -> None:
    client = versioned.client()
    for _ in range(5):
        client.put_object(Bucket=BUCKET, Key="a", Body=b"x")
        client.put_object(Bucket=BUCKET, Key="b", Body=b"x")
    pages = client.get_paginator("list_object_versions").paginate(Bucket=BUCKET, PaginationConfig={"PageSize": 3})
    for page in pages:
        named = [{"Key": entry["Key"], "VersionId": entry["VersionId"]} for entry in page.get("Versions", [])]
        client.delete_objects(Bucket=BUCKET, Delete={"Objects": named, "Quiet": True})
    assert versioned.usage() == (0, 0)
    client.delete_bucket(Bucket=BUCKET)


@pytest.mark.parametrize("size", [1, 2, 1000])
def test_pages_of_uploads_and_parts(user: User, size: int) -> None:
    client = user.client()
    made = set()
    for key in ("a", "a", "b/1", "b/2"):
        made.add((key, client.create_multipart_upload(Bucket=BUCKET, Key=key)["UploadId"]))
    pages = client.get_paginator("list_multipart_uploads").paginate(Bucket=BUCKET, PaginationConfig={"PageSize": size})
    found = [(upload["Key"], upload["UploadId"]) for page in pages for upload in page.get("Uploads", [])]
    assert len(found) == 4 and set(found) == made
    grouped = client.list_multipart_uploads(Bucket=BUCKET, Delimiter="/")
    assert [entry["Prefix"] for entry in grouped["CommonPrefixes"]] == ["b/"]
    key, upload = found[0]
    for number in (3, 1, 2):
        client.upload_part(Bucket=BUCKET, Key=key, UploadId=upload, PartNumber=number, Body=b"x")
    pages = client.get_paginator("list_parts").paginate(
        Bucket=BUCKET, Key=key, UploadId=upload, PaginationConfig={"PageSize": size}
    )
    assert [part["PartNumber"] for page in pages for part in page.get("Parts", [])] == [1, 2, 3]


def test_buckets_are_listed_page_by_page(user: User) -> None:
    for name in ("more", "most"):
        user.bucket(name)
    client = user.client()
    pages = client.get_paginator("list_buckets").paginate(PaginationConfig={"PageSize": 1})
    assert [bucket["Name"] for page in pages for bucket in page["Buckets"]] == ["data", "more", "most"]
    assert [bucket["Name"] for bucket in client.list_buckets(Prefix="mo")["Buckets"]] == ["more", "most"]
