"""What each permission level may do: operation by operation, all four levels."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import requests
from botocore.exceptions import ClientError

from harness import s3
from s3.world import BUCKET, LEVELS, User, refused

LOOK = {"Full", "ReadWrite", "Read"}
UPLOAD = {"Full", "ReadWrite", "Write"}
CHANGE = {"Full", "ReadWrite"}
MANAGE = {"Full"}


@dataclass(frozen=True)
class Scene:
    """A locking bucket `data` with the object `a`, an open upload of the level's own key, and an empty bucket."""

    user: User
    client: Any
    upload: str
    version: str


Operation = Callable[[Scene], object]


def _at(scene: Scene, **more: Any) -> dict[str, Any]:
    return {"Bucket": BUCKET, "Key": "a", **more}


def _upload(scene: Scene, **more: Any) -> dict[str, Any]:
    return {"Bucket": BUCKET, "Key": "u", "UploadId": scene.upload, **more}


def _part(scene: Scene) -> dict[str, Any]:
    made = scene.client.upload_part(**_upload(scene, PartNumber=1, Body=b"part"))
    return {"Parts": [{"PartNumber": 1, "ETag": made["ETag"]}]}


def _form(scene: Scene) -> None:
    post = scene.client.generate_presigned_post(BUCKET, "form")
    answer = requests.post(
        post["url"],
        data=post["fields"],
        files={"file": b"data"},
        verify=str(scene.user.server.certificates.ca),
        timeout=30,
    )
    if answer.status_code >= 400:
        raise ClientError({"ResponseMetadata": {"HTTPStatusCode": answer.status_code}, "Error": {}}, "PostObject")


def _url(scene: Scene, operation: str, method: str, **arguments: Any) -> None:
    url = scene.client.generate_presigned_url(operation, Params={"Bucket": BUCKET, **arguments}, ExpiresIn=60)
    answer = requests.request(method, url, verify=str(scene.user.server.certificates.ca), timeout=30)
    if answer.status_code >= 400:
        raise ClientError({"ResponseMetadata": {"HTTPStatusCode": answer.status_code}, "Error": {}}, operation)


def _retention(scene: Scene) -> dict[str, Any]:
    until = datetime.now(UTC) + timedelta(days=1)
    return {"Mode": "GOVERNANCE", "RetainUntilDate": until}


_SOURCE = {"Bucket": BUCKET, "Key": "a"}
_LOCK = {"ObjectLockEnabled": "Enabled", "Rule": {"DefaultRetention": {"Mode": "GOVERNANCE", "Days": 1}}}
_TAGS = {"TagSet": [{"Key": "k", "Value": "v"}]}

OPERATIONS: dict[str, tuple[set[str], Operation]] = {
    "ListBuckets": (LOOK, lambda s: s.client.list_buckets()),
    "HeadBucket": (LOOK, lambda s: s.client.head_bucket(Bucket=BUCKET)),
    "GetBucketLocation": (LOOK, lambda s: s.client.get_bucket_location(Bucket=BUCKET)),
    "ListObjects": (LOOK, lambda s: s.client.list_objects(Bucket=BUCKET)),
    "ListObjectsV2": (LOOK, lambda s: s.client.list_objects_v2(Bucket=BUCKET)),
    "ListObjectVersions": (LOOK, lambda s: s.client.list_object_versions(Bucket=BUCKET)),
    "GetObject": (LOOK, lambda s: s.client.get_object(**_at(s))),
    "GetObject, a range": (LOOK, lambda s: s.client.get_object(**_at(s, Range="bytes=0-1"))),
    "GetObject, presigned": (LOOK, lambda s: _url(s, "get_object", "GET", Key="a")),
    "HeadObject": (LOOK, lambda s: s.client.head_object(**_at(s))),
    "GetObjectAttributes": (LOOK, lambda s: s.client.get_object_attributes(**_at(s, ObjectAttributes=["ETag"]))),
    "GetObjectTagging": (LOOK, lambda s: s.client.get_object_tagging(**_at(s))),
    "GetBucketVersioning": (LOOK, lambda s: s.client.get_bucket_versioning(Bucket=BUCKET)),
    "GetObjectLockConfiguration": (LOOK, lambda s: s.client.get_object_lock_configuration(Bucket=BUCKET)),
    "GetObjectRetention": (LOOK, lambda s: s.client.get_object_retention(Bucket=BUCKET, Key="kept")),
    "GetObjectLegalHold": (LOOK, lambda s: s.client.get_object_legal_hold(**_at(s))),
    "PutObject": (UPLOAD, lambda s: s.client.put_object(**_at(s, Body=b"new"))),
    "PutObject, presigned": (UPLOAD, lambda s: _url(s, "put_object", "PUT", Key="new")),
    "PostObject": (UPLOAD, _form),
    "UploadPart": (UPLOAD, _part),
    "ListParts": (UPLOAD, lambda s: s.client.list_parts(**_upload(s))),
    "CompleteMultipartUpload": (
        UPLOAD,
        lambda s: s.client.complete_multipart_upload(**_upload(s, MultipartUpload=_part(s))),
    ),
    "AbortMultipartUpload": (UPLOAD, lambda s: s.client.abort_multipart_upload(**_upload(s))),
    "CreateMultipartUpload": (UPLOAD, lambda s: s.client.create_multipart_upload(Bucket=BUCKET, Key="u")),
    "CopyObject": (CHANGE, lambda s: s.client.copy_object(Bucket=BUCKET, Key="b", CopySource=_SOURCE)),
    "UploadPartCopy": (
        CHANGE,
        lambda s: s.client.upload_part_copy(**_upload(s, PartNumber=1, CopySource=_SOURCE)),
    ),
    "DeleteObject": (CHANGE, lambda s: s.client.delete_object(**_at(s))),
    "DeleteObjects": (
        CHANGE,
        lambda s: s.client.delete_objects(Bucket=BUCKET, Delete={"Objects": [{"Key": "a"}]}),
    ),
    "PutObjectTagging": (CHANGE, lambda s: s.client.put_object_tagging(**_at(s, Tagging=_TAGS))),
    "DeleteObjectTagging": (CHANGE, lambda s: s.client.delete_object_tagging(**_at(s))),
    "ListMultipartUploads": (CHANGE, lambda s: s.client.list_multipart_uploads(Bucket=BUCKET)),
    "CreateBucket": (MANAGE, lambda s: s.client.create_bucket(Bucket="made")),
    "DeleteBucket": (MANAGE, lambda s: s.client.delete_bucket(Bucket="empty")),
    "PutBucketVersioning": (
        MANAGE,
        lambda s: s.client.put_bucket_versioning(Bucket="empty", VersioningConfiguration={"Status": "Enabled"}),
    ),
    "PutObjectLockConfiguration": (
        MANAGE,
        lambda s: s.client.put_object_lock_configuration(Bucket=BUCKET, ObjectLockConfiguration=_LOCK),
    ),
    "PutObjectRetention": (MANAGE, lambda s: s.client.put_object_retention(**_at(s, Retention=_retention(s)))),
    "PutObjectLegalHold": (
        MANAGE,
        lambda s: s.client.put_object_legal_hold(**_at(s, LegalHold={"Status": "OFF"})),
    ),
    "DeleteObject, bypassing governance": (
        MANAGE,
        lambda s: s.client.delete_object(
            Bucket=BUCKET, Key="kept", VersionId=s.version, BypassGovernanceRetention=True
        ),
    ),
}

# What no level may do: it does not exist here.
UNKNOWN: dict[str, Operation] = {
    "GetBucketPolicy": lambda s: s.client.get_bucket_policy(Bucket=BUCKET),
    "PutBucketPolicy": lambda s: s.client.put_bucket_policy(Bucket=BUCKET, Policy="{}"),
    "GetBucketAcl": lambda s: s.client.get_bucket_acl(Bucket=BUCKET),
    "PutObjectAcl": lambda s: s.client.put_object_acl(**_at(s, ACL="private")),
    "PutBucketCors": lambda s: s.client.put_bucket_cors(Bucket=BUCKET, CORSConfiguration={"CORSRules": []}),
    "PutBucketWebsite": lambda s: s.client.put_bucket_website(
        Bucket=BUCKET, WebsiteConfiguration={"IndexDocument": {"Suffix": "i"}}
    ),
}


def _scene(user: User, level: str) -> Scene:
    full = user.client()
    full.put_object(Bucket=BUCKET, Key="a", Body=b"data")
    kept = full.put_object(
        Bucket=BUCKET,
        Key="kept",
        Body=b"data",
        ObjectLockMode="GOVERNANCE",
        ObjectLockRetainUntilDate=datetime.now(UTC) + timedelta(days=1),
    )
    client = user.client(level)
    # A key that may upload has an upload of its own; the others look at one of the Full key.
    owner = client if level in UPLOAD else full
    upload = owner.create_multipart_upload(Bucket=BUCKET, Key="u")["UploadId"]
    user.bucket("empty")
    return Scene(user, client, upload, kept["VersionId"])


def _everything(scene: Scene) -> dict[str, object]:
    """All that an operation could have changed, as a Full key sees it."""
    user, full = scene.user, scene.user.client()
    names = [bucket["Name"] for bucket in full.list_buckets()["Buckets"]]
    kept = {"Bucket": BUCKET, "Key": "kept"}
    listings = [
        {name: value for name, value in full.list_object_versions(Bucket=name).items() if name != "ResponseMetadata"}
        for name in names
    ]
    uploads = full.list_multipart_uploads(Bucket=BUCKET).get("Uploads", [])
    return {
        "buckets": names,
        "versions": listings,
        "versioning": [full.get_bucket_versioning(Bucket=name).get("Status") for name in names],
        "lock": full.get_object_lock_configuration(Bucket=BUCKET)["ObjectLockConfiguration"],
        "uploads": [(one["Key"], one["UploadId"]) for one in uploads],
        "parts": [
            full.list_parts(Bucket=BUCKET, Key=one["Key"], UploadId=one["UploadId"]).get("Parts") for one in uploads
        ],
        "tags": full.get_object_tagging(**_at(scene))["TagSet"],
        "retention": full.get_object_retention(**kept)["Retention"],
        "hold": full.get_object_legal_hold(**_at(scene))["LegalHold"],
        "content": full.get_object(**_at(scene))["Body"].read(),
        "usage": user.usage(),
    }


@pytest.mark.parametrize("level", LEVELS)
@pytest.mark.parametrize("operation", OPERATIONS)
def test_a_level_may_do_what_the_table_says_and_nothing_else(locking: User, operation: str, level: str) -> None:
    levels, call = OPERATIONS[operation]
    scene = _scene(locking, level)
    if level in levels:
        call(scene)
        return
    before = _everything(scene)
    with pytest.raises(ClientError) as caught:
        call(scene)
    status, code = s3.refusal(caught.value)
    assert status == 403, caught.value
    assert code in ("AccessDenied", "403", ""), caught.value
    assert _everything(scene) == before


@pytest.mark.parametrize("level", LEVELS)
@pytest.mark.parametrize("operation", UNKNOWN)
def test_what_is_not_implemented_is_refused_for_all(locking: User, operation: str, level: str) -> None:
    refused(501, "NotImplemented", UNKNOWN[operation], _scene(locking, level))


def test_a_refused_operation_changes_nothing(user: User) -> None:
    full = user.client()
    full.put_object(Bucket=BUCKET, Key="a", Body=b"data")
    read, write = user.client("Read"), user.client("Write")
    refused(403, "AccessDenied", read.put_object, Bucket=BUCKET, Key="a", Body=b"changed")
    refused(403, "AccessDenied", write.delete_object, Bucket=BUCKET, Key="a")
    refused(403, "AccessDenied", user.client("ReadWrite").create_bucket, Bucket="more")
    assert full.get_object(Bucket=BUCKET, Key="a")["Body"].read() == b"data"
    assert [bucket["Name"] for bucket in full.list_buckets()["Buckets"]] == [BUCKET]


def test_a_write_key_does_not_see_the_uploads_of_others(user: User) -> None:
    upload = user.client().create_multipart_upload(Bucket=BUCKET, Key="u")["UploadId"]
    other = {"Bucket": BUCKET, "Key": "u", "UploadId": upload}
    write = user.client("Write")
    refused(404, "NoSuchUpload", write.list_parts, **other)
    refused(404, "NoSuchUpload", write.abort_multipart_upload, **other)
    refused(404, "NoSuchUpload", write.upload_part, **other, PartNumber=1, Body=b"x")


def test_a_restricted_key_reaches_only_its_buckets(user: User) -> None:
    user.bucket("more")
    full = user.client()
    full.put_object(Bucket=BUCKET, Key="a", Body=b"data")
    client = user.connect(user.key("Full", buckets=["more"]))
    client.put_object(Bucket="more", Key="a", Body=b"data")
    assert [bucket["Name"] for bucket in client.list_buckets()["Buckets"]] == ["more"]
    refused(403, "AccessDenied", client.get_object, Bucket=BUCKET, Key="a")
    refused(403, "AccessDenied", client.create_bucket, Bucket="third")
    refused(403, "AccessDenied", client.copy_object, Bucket="more", Key="b", CopySource=_SOURCE)
