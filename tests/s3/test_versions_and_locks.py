"""Versioning, delete markers, and object lock in both modes."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from s3.world import BUCKET, User, content, refused

AT = {"Bucket": BUCKET, "Key": "a"}


def tomorrow(days: float = 1) -> datetime:
    return datetime.now(UTC) + timedelta(days=days)


def set_versioning(client: Any, status: str) -> None:
    client.put_bucket_versioning(Bucket=BUCKET, VersioningConfiguration={"Status": status})


def test_versions_stay_and_a_delete_marker_hides_them(versioned: User) -> None:
    client = versioned.client()
    versions = [client.put_object(**AT, Body=data)["VersionId"] for data in (b"one", b"two")]
    assert client.head_object(**AT)["VersionId"] == versions[1]
    marker = client.delete_object(**AT)
    assert marker["DeleteMarker"] and marker["VersionId"] not in versions
    refused(404, "NoSuchKey", client.get_object, **AT)
    refused(405, "MethodNotAllowed", client.get_object, **AT, VersionId=marker["VersionId"])
    assert "Contents" not in client.list_objects_v2(Bucket=BUCKET)
    assert [content(client, "a", VersionId=version) for version in versions] == [b"one", b"two"]
    removed = client.delete_object(**AT, VersionId=marker["VersionId"])
    assert removed["DeleteMarker"] and removed["VersionId"] == marker["VersionId"]
    assert content(client, "a") == b"two"
    client.delete_object(**AT, VersionId=versions[1])
    assert content(client, "a") == b"one"
    refused(404, "NoSuchVersion", client.get_object, **AT, VersionId=versions[1])
    assert versioned.usage() == (3, 1)


def test_suspended_versioning_replaces_only_the_null_version(user: User) -> None:
    client = user.client()
    assert "Status" not in client.get_bucket_versioning(Bucket=BUCKET)
    client.put_object(**AT, Body=b"before")
    set_versioning(client, "Enabled")
    kept = client.put_object(**AT, Body=b"kept")["VersionId"]
    set_versioning(client, "Suspended")
    assert client.get_bucket_versioning(Bucket=BUCKET)["Status"] == "Suspended"
    assert client.put_object(**AT, Body=b"after")["VersionId"] == "null"
    versions = client.list_object_versions(Bucket=BUCKET)["Versions"]
    assert [version["VersionId"] for version in versions] == ["null", kept]
    assert content(client, "a", VersionId=kept) == b"kept"
    assert client.delete_object(**AT)["VersionId"] == "null"
    assert [version["VersionId"] for version in client.list_object_versions(Bucket=BUCKET)["Versions"]] == [kept]


def test_a_version_can_be_copied_back(versioned: User) -> None:
    client = versioned.client()
    old = client.put_object(**AT, Body=b"old")["VersionId"]
    client.put_object(**AT, Body=b"new")
    copied = client.copy_object(**AT, CopySource={**AT, "VersionId": old})
    assert copied["CopySourceVersionId"] == old
    assert content(client, "a") == b"old"


def test_deleting_many_says_what_was_refused(locking: User) -> None:
    client = locking.client()
    free = client.put_object(Bucket=BUCKET, Key="free", Body=b"x")["VersionId"]
    held = client.put_object(Bucket=BUCKET, Key="held", Body=b"x", ObjectLockLegalHoldStatus="ON")["VersionId"]
    named = [{"Key": "free", "VersionId": free}, {"Key": "held", "VersionId": held}, {"Key": "new"}]
    answer = client.delete_objects(Bucket=BUCKET, Delete={"Objects": named})
    assert [error["Key"] for error in answer["Errors"]] == ["held"]
    assert answer["Errors"][0]["Code"] == "AccessDenied"
    assert {entry["Key"] for entry in answer["Deleted"]} == {"free", "new"}


def test_governance_is_lifted_by_full_with_bypass_only(locking: User) -> None:
    full, write = locking.client(), locking.client("ReadWrite")
    lock = {"ObjectLockMode": "GOVERNANCE", "ObjectLockRetainUntilDate": tomorrow()}
    version = write.put_object(**AT, Body=b"data", **lock)["VersionId"]
    named = {**AT, "VersionId": version}
    head = full.head_object(**AT)
    assert head["ObjectLockMode"] == "GOVERNANCE" and head["ObjectLockRetainUntilDate"] > datetime.now(UTC)
    refused(403, "AccessDenied", full.delete_object, **named)
    refused(403, "AccessDenied", write.delete_object, **named, BypassGovernanceRetention=True)
    shorter = {"Mode": "GOVERNANCE", "RetainUntilDate": tomorrow(0.5)}
    refused(403, "AccessDenied", full.put_object_retention, **named, Retention=shorter)
    full.put_object_retention(**named, Retention=shorter, BypassGovernanceRetention=True)
    full.delete_object(**named, BypassGovernanceRetention=True)
    assert locking.usage() == (0, 0)


def test_compliance_is_lifted_by_nobody(locking: User) -> None:
    full = locking.client()
    lock = {"ObjectLockMode": "COMPLIANCE", "ObjectLockRetainUntilDate": tomorrow()}
    named = {**AT, "VersionId": full.put_object(**AT, Body=b"data", **lock)["VersionId"]}
    refused(403, "AccessDenied", full.delete_object, **named, BypassGovernanceRetention=True)
    for weaker in (
        {"Mode": "GOVERNANCE", "RetainUntilDate": tomorrow(3)},
        {"Mode": "COMPLIANCE", "RetainUntilDate": tomorrow(0.5)},
    ):
        refused(
            403, "AccessDenied", full.put_object_retention, **named, Retention=weaker, BypassGovernanceRetention=True
        )
    full.put_object_retention(**named, Retention={"Mode": "COMPLIANCE", "RetainUntilDate": tomorrow(3)})
    # A new version and a delete marker replace nothing.
    full.put_object(**AT, Body=b"new")
    full.delete_object(**AT)
    assert content(full, "a", VersionId=named["VersionId"]) == b"data"


def test_a_legal_hold_holds_until_it_is_lifted(locking: User) -> None:
    client = locking.client()
    named = {**AT, "VersionId": client.put_object(**AT, Body=b"data")["VersionId"]}
    client.put_object_legal_hold(**named, LegalHold={"Status": "ON"})
    assert client.get_object_legal_hold(**named)["LegalHold"]["Status"] == "ON"
    assert client.head_object(**AT)["ObjectLockLegalHoldStatus"] == "ON"
    refused(403, "AccessDenied", client.delete_object, **named, BypassGovernanceRetention=True)
    client.put_object_legal_hold(**named, LegalHold={"Status": "OFF"})
    client.delete_object(**named)


def test_the_default_retention_of_a_bucket_holds_for_new_objects(locking: User) -> None:
    client = locking.client()
    before = client.put_object(**AT, Body=b"before")["VersionId"]
    rule = {"DefaultRetention": {"Mode": "GOVERNANCE", "Days": 2}}
    configuration = {"ObjectLockEnabled": "Enabled", "Rule": rule}
    client.put_object_lock_configuration(Bucket=BUCKET, ObjectLockConfiguration=configuration)
    assert client.get_object_lock_configuration(Bucket=BUCKET)["ObjectLockConfiguration"] == configuration
    after = client.put_object(**AT, Body=b"after")["VersionId"]
    until = client.get_object_retention(**AT)["Retention"]["RetainUntilDate"]
    assert tomorrow(1.9) < until < tomorrow(2.1)
    refused(403, "AccessDenied", client.delete_object, **AT, VersionId=after)
    client.delete_object(**AT, VersionId=before)


def test_object_lock_comes_with_the_bucket_and_keeps_versioning_on(user: User, locking: User) -> None:
    client = user.client()
    lock: dict[str, Any] = {"ObjectLockMode": "GOVERNANCE", "ObjectLockRetainUntilDate": tomorrow()}
    refused(400, "InvalidRequest", client.put_object, **AT, Body=b"x", **lock)
    refused(404, "ObjectLockConfigurationNotFoundError", client.get_object_lock_configuration, Bucket=BUCKET)
    enabled = {"ObjectLockEnabled": "Enabled"}
    refused(
        409, "InvalidBucketState", client.put_object_lock_configuration, Bucket=BUCKET, ObjectLockConfiguration=enabled
    )
    refused(409, "InvalidBucketState", set_versioning, locking.client(), "Suspended")
    client.create_bucket(Bucket="locked", ObjectLockEnabledForBucket=True)
    assert client.get_bucket_versioning(Bucket="locked")["Status"] == "Enabled"
    past = {**lock, "ObjectLockRetainUntilDate": tomorrow(-1)}
    refused(400, "InvalidArgument", client.put_object, Bucket="locked", Key="a", Body=b"x", **past)


@pytest.mark.parametrize("kept", ["a version", "a marker", "an upload"])
def test_only_an_empty_bucket_is_deleted(versioned: User, kept: str) -> None:
    client = versioned.client()
    if kept == "a version":
        client.put_object(**AT, Body=b"x")
    elif kept == "a marker":
        client.delete_object(**AT)
    else:
        client.create_multipart_upload(**AT)
    refused(409, "BucketNotEmpty", client.delete_bucket, Bucket=BUCKET)
    for version in client.list_object_versions(Bucket=BUCKET).get("Versions", []):
        client.delete_object(**AT, VersionId=version["VersionId"])
    for marker in client.list_object_versions(Bucket=BUCKET).get("DeleteMarkers", []):
        client.delete_object(**AT, VersionId=marker["VersionId"])
    for upload in client.list_multipart_uploads(Bucket=BUCKET).get("Uploads", []):
        client.abort_multipart_upload(**AT, UploadId=upload["UploadId"])
    client.delete_bucket(Bucket=BUCKET)
    refused(404, None, client.head_bucket, Bucket=BUCKET)
