"""What each permission level may do, operation by operation, at every store.

`OPERATIONS` are the calls, `ALLOWED` is what is expected of each store, cell by cell; `test_permissions.py` compares
every cell with what the real store answers. `python -m providers.permissions` writes docs/providers/permissions.md from
the same table.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import requests
from botocore.exceptions import ClientError

from harness.paths import REPOSITORY

LEVELS = ("Full", "ReadWrite", "Read", "Write")
PAGE = REPOSITORY / "docs" / "providers" / "permissions.md"
DAY = timedelta(days=1)

# Outcomes: it is done; it is refused with 403; the store does not offer it to anybody.
YES, NO, NEVER = "yes", "403", "–"


@dataclass(frozen=True)
class Scene:
    """The bucket `data` with the objects `a` and `kept` and an upload of `u`, the empty bucket `empty`; who acts."""

    client: Any
    ca: str | bool
    upload: str
    kept: str | None
    version: str | None

    def url(self, operation: str, method: str, **arguments: Any) -> None:
        """The operation by a presigned URL."""
        url = self.client.generate_presigned_url(operation, Params={"Bucket": "data", **arguments}, ExpiresIn=60)
        self._checked(operation, requests.request(method, url, verify=self.ca, timeout=30))

    def form(self) -> None:
        """An upload by an HTML form."""
        post = self.client.generate_presigned_post("data", "form")
        answer = requests.post(post["url"], data=post["fields"], files={"file": b"data"}, verify=self.ca, timeout=30)
        self._checked("PostObject", answer)

    @staticmethod
    def _checked(operation: str, answer: requests.Response) -> None:
        if answer.status_code >= 400:
            status = {"HTTPStatusCode": answer.status_code}
            raise ClientError({"ResponseMetadata": status, "Error": {}}, operation)

    def part(self) -> dict[str, Any]:
        made = self.client.upload_part(**self.of_upload(PartNumber=1, Body=b"part"))
        return {"Parts": [{"PartNumber": 1, "ETag": made["ETag"]}]}

    def of_upload(self, **more: Any) -> dict[str, Any]:
        return {"Bucket": "data", "Key": "u", "UploadId": self.upload, **more}


Operation = Callable[[Scene], object]


def _a(**more: Any) -> dict[str, Any]:
    return {"Bucket": "data", "Key": "a", **more}


_SOURCE = {"Bucket": "data", "Key": "a"}
_TAGS = {"TagSet": [{"Key": "k", "Value": "v"}]}
_LOCK = {"ObjectLockEnabled": "Enabled", "Rule": {"DefaultRetention": {"Mode": "GOVERNANCE", "Days": 1}}}
_CORS = {"CORSRules": [{"AllowedMethods": ["GET"], "AllowedOrigins": ["*"]}]}
_EXPIRY = {"Rules": [{"ID": "r", "Status": "Enabled", "Filter": {"Prefix": "t/"}, "Expiration": {"Days": 9}}]}
_POLICY = (
    '{"Version":"2012-10-17","Statement":[{"Effect":"Deny","Principal":"*","Action":"s3:GetObject",'
    '"Resource":"arn:aws:s3:::empty/*"}]}'
)


def _retention() -> dict[str, Any]:
    return {"Mode": "GOVERNANCE", "RetainUntilDate": datetime.now(UTC) + DAY}


OPERATIONS: dict[str, Operation] = {
    "ListBuckets": lambda s: s.client.list_buckets(),
    "HeadBucket": lambda s: s.client.head_bucket(Bucket="data"),
    "GetBucketLocation": lambda s: s.client.get_bucket_location(Bucket="data"),
    "ListObjects": lambda s: s.client.list_objects(Bucket="data"),
    "ListObjectsV2": lambda s: s.client.list_objects_v2(Bucket="data"),
    "ListObjectVersions": lambda s: s.client.list_object_versions(Bucket="data"),
    "ListMultipartUploads": lambda s: s.client.list_multipart_uploads(Bucket="data"),
    "GetObject": lambda s: s.client.get_object(**_a()),
    "GetObject, a range": lambda s: s.client.get_object(**_a(Range="bytes=0-1")),
    "GetObject, a version": lambda s: s.client.get_object(**_a(VersionId=s.version or "null")),
    "GetObject, presigned": lambda s: s.url("get_object", "GET", Key="a"),
    "HeadObject": lambda s: s.client.head_object(**_a()),
    "GetObjectTagging": lambda s: s.client.get_object_tagging(**_a()),
    "GetObjectAcl": lambda s: s.client.get_object_acl(**_a()),
    "GetObjectRetention": lambda s: s.client.get_object_retention(Bucket="data", Key="kept"),
    "GetObjectLegalHold": lambda s: s.client.get_object_legal_hold(Bucket="data", Key="kept"),
    "GetBucketVersioning": lambda s: s.client.get_bucket_versioning(Bucket="data"),
    "GetObjectLockConfiguration": lambda s: s.client.get_object_lock_configuration(Bucket="data"),
    "GetBucketAcl": lambda s: s.client.get_bucket_acl(Bucket="data"),
    "PutObject": lambda s: s.client.put_object(**_a(Body=b"new")),
    "PutObject, presigned": lambda s: s.url("put_object", "PUT", Key="new"),
    "PostObject": lambda s: s.form(),
    "CreateMultipartUpload": lambda s: s.client.create_multipart_upload(Bucket="data", Key="v"),
    "UploadPart": lambda s: s.part(),
    "ListParts": lambda s: s.client.list_parts(**s.of_upload()),
    "CompleteMultipartUpload": lambda s: s.client.complete_multipart_upload(**s.of_upload(MultipartUpload=s.part())),
    "AbortMultipartUpload": lambda s: s.client.abort_multipart_upload(**s.of_upload()),
    "CopyObject": lambda s: s.client.copy_object(Bucket="data", Key="b", CopySource=_SOURCE),
    "UploadPartCopy": lambda s: s.client.upload_part_copy(**s.of_upload(PartNumber=1, CopySource=_SOURCE)),
    "DeleteObject": lambda s: s.client.delete_object(**_a()),
    "DeleteObject, a version": lambda s: s.client.delete_object(**_a(VersionId=s.version or "null")),
    "DeleteObjects": lambda s: s.client.delete_objects(Bucket="data", Delete={"Objects": [{"Key": "a"}]}),
    "DeleteObject, bypassing governance": lambda s: s.client.delete_object(
        Bucket="data", Key="kept", VersionId=s.kept or "null", BypassGovernanceRetention=True
    ),
    "PutObjectTagging": lambda s: s.client.put_object_tagging(**_a(Tagging=_TAGS)),
    "DeleteObjectTagging": lambda s: s.client.delete_object_tagging(**_a()),
    "PutObjectAcl": lambda s: s.client.put_object_acl(**_a(ACL="private")),
    "PutObjectRetention": lambda s: s.client.put_object_retention(**_a(Retention=_retention())),
    "PutObjectLegalHold": lambda s: s.client.put_object_legal_hold(**_a(LegalHold={"Status": "OFF"})),
    "CreateBucket": lambda s: s.client.create_bucket(Bucket="made"),
    "DeleteBucket": lambda s: s.client.delete_bucket(Bucket="empty"),
    "PutBucketVersioning": lambda s: s.client.put_bucket_versioning(
        Bucket="empty", VersioningConfiguration={"Status": "Enabled"}
    ),
    "PutObjectLockConfiguration": lambda s: s.client.put_object_lock_configuration(
        Bucket="data", ObjectLockConfiguration=_LOCK
    ),
    "PutBucketPolicy": lambda s: s.client.put_bucket_policy(Bucket="empty", Policy=_POLICY),
    "PutBucketCors": lambda s: s.client.put_bucket_cors(Bucket="empty", CORSConfiguration=_CORS),
    "PutBucketLifecycle": lambda s: s.client.put_bucket_lifecycle_configuration(
        Bucket="empty", LifecycleConfiguration=_EXPIRY
    ),
}


def outcome(call: Callable[[], object]) -> str:
    """What came of it: done, refused, not offered, or the status and code of anything else."""
    try:
        made = call()
    except ClientError as error:
        status = error.response["ResponseMetadata"]["HTTPStatusCode"]
        code = error.response["Error"].get("Code", "")
        return {403: NO, 405: NEVER, 501: NEVER}.get(status, f"{status} {code}".strip())
    if isinstance(made, dict) and made.get("Errors"):
        # DeleteObjects answers 200 and says for each object what came of it.
        return NO if made["Errors"][0]["Code"] == "AccessDenied" else made["Errors"][0]["Code"]
    return YES


def scene(full: Any, client: Any, ca: str | bool, *, uploads: bool, locks: bool) -> Scene:
    """Sets the stage anew. `uploads`: the level may upload, and then the upload is its own."""
    for bucket in ("empty", "made"):
        _ignored(lambda bucket=bucket: full.delete_bucket(Bucket=bucket))
    full.create_bucket(Bucket="empty")
    if locks:
        # Without a default retention: who may delete a version is asked of one that nothing keeps.
        full.put_object_lock_configuration(Bucket="data", ObjectLockConfiguration={"ObjectLockEnabled": "Enabled"})
    version = full.put_object(**_a(Body=b"data")).get("VersionId")
    lock = {"ObjectLockMode": "GOVERNANCE", "ObjectLockRetainUntilDate": datetime.now(UTC) + DAY} if locks else {}
    kept = full.put_object(Bucket="data", Key="kept", Body=b"data", **lock).get("VersionId")
    if locks:
        full.put_object_legal_hold(Bucket="data", Key="kept", LegalHold={"Status": "OFF"})
    upload = (client if uploads else full).create_multipart_upload(Bucket="data", Key="u")["UploadId"]
    return Scene(client, ca, upload, kept, version)


def _ignored(call: Callable[[], object]) -> None:
    try:
        call()
    except ClientError:
        return


def measured(clients: dict[str, Any], ca: str | bool, *, locks: bool) -> dict[str, dict[str, str]]:
    """Every operation at every level that there is a client for."""
    full = clients["Full"]
    table: dict[str, dict[str, str]] = {}
    for name, call in OPERATIONS.items():
        table[name] = {}
        for level, client in clients.items():
            stage = scene(full, client, ca, uploads=level != "Read", locks=locks)
            table[name][level] = outcome(lambda call=call, stage=stage: call(stage))
    return table


# Rows: Full, ReadWrite, Read, Write.
LOOK = (YES, YES, YES, NO)
UPLOAD = (YES, YES, NO, YES)
CHANGE = (YES, YES, NO, NO)
MANAGE = (YES, NO, NO, NO)
NOBODY = (NEVER,) * 4
UNKNOWN = "404 NoSuchBucket"

_ROWS: dict[tuple[str, ...], tuple[str, ...]] = {
    LOOK: (
        *("ListBuckets", "HeadBucket", "GetBucketLocation", "ListObjects", "ListObjectsV2", "ListObjectVersions"),
        *("GetObject", "GetObject, a range", "GetObject, a version", "GetObject, presigned", "HeadObject"),
        *("GetObjectTagging", "GetObjectRetention", "GetObjectLegalHold"),
        *("GetBucketVersioning", "GetObjectLockConfiguration"),
    ),
    UPLOAD: (
        *("PutObject", "PutObject, presigned", "PostObject", "CreateMultipartUpload", "UploadPart", "ListParts"),
        *("CompleteMultipartUpload", "AbortMultipartUpload"),
    ),
    CHANGE: (
        *("CopyObject", "UploadPartCopy", "DeleteObject", "DeleteObject, a version", "DeleteObjects"),
        *("PutObjectTagging", "DeleteObjectTagging", "ListMultipartUploads"),
    ),
    MANAGE: (
        *("DeleteObject, bypassing governance", "PutObjectRetention", "PutObjectLegalHold"),
        *("CreateBucket", "DeleteBucket", "PutBucketVersioning", "PutObjectLockConfiguration"),
    ),
    NOBODY: (
        *("GetObjectAcl", "GetBucketAcl", "PutObjectAcl", "PutBucketPolicy", "PutBucketCors", "PutBucketLifecycle"),
    ),
}
MANAGEMENT = {name: row for row, names in _ROWS.items() for name in names}

# What is expected of each store. Where a store differs from storekeeper's own, docs/providers says why.
ALLOWED: dict[str, dict[str, tuple[str, ...]]] = {
    "management": MANAGEMENT,
    "ceph-rgw": MANAGEMENT
    | {
        # Every key may list the buckets that its own RGW user has: none, but for the owner's keys.
        "ListBuckets": (YES, YES, YES, YES),
        "ListMultipartUploads": LOOK,
        "GetObjectAcl": LOOK,
        # The gateway looks for the source without its RGW tenant: only who wrote the source may copy parts of it.
        "UploadPartCopy": MANAGE,
        # An HTML form names no RGW tenant.
        "PostObject": ("404",) * 4,
        **dict.fromkeys(
            ("GetBucketAcl", "PutObjectAcl", "PutBucketPolicy", "PutBucketCors", "PutBucketLifecycle"), MANAGE
        ),
    },
    "garage": MANAGEMENT
    | {
        "ListBuckets": (YES, YES, YES, YES),
        "ListObjectVersions": (NEVER, NEVER, NEVER, NO),
        **dict.fromkeys(("ListMultipartUploads", "ListParts", "GetBucketAcl"), LOOK),
        # Who may write may delete; nothing is locked, so there is nothing to bypass.
        **dict.fromkeys(
            ("DeleteObject", "DeleteObject, a version", "DeleteObjects", "DeleteObject, bypassing governance"), UPLOAD
        ),
        # What Garage does not offer it tells the owner, and refuses to the others.
        **dict.fromkeys(
            (
                *("GetObjectTagging", "PutObjectTagging", "DeleteObjectTagging", "GetObjectAcl", "PutObjectAcl"),
                *("GetObjectRetention", "PutObjectRetention", "GetObjectLegalHold", "PutObjectLegalHold"),
                *("GetObjectLockConfiguration", "PutObjectLockConfiguration"),
            ),
            (NEVER, NO, NO, NO),
        ),
        # The source is smaller than Garage takes for a part.
        "UploadPartCopy": ("400 InvalidRequest", "400 InvalidRequest", NO, NO),
        # A bucket that a Full key makes has a name for that key alone.
        **dict.fromkeys(("DeleteBucket", "PutBucketCors", "PutBucketLifecycle"), (YES, UNKNOWN, UNKNOWN, UNKNOWN)),
        **dict.fromkeys(("PutBucketVersioning", "PutBucketPolicy"), (NEVER, UNKNOWN, UNKNOWN, UNKNOWN)),
    },
}


def cell(outcomes: tuple[str, ...]) -> str:
    """The outcomes without the codes, which follow from the status."""
    return " ".join(outcome.partition(" ")[0] for outcome in outcomes)


def page() -> str:
    """docs/providers/permissions.md."""
    stores = list(ALLOWED)
    lines = [
        "# Who may do what",
        "",
        "Generated by `python -m providers.permissions`. `make test-providers` compares it, cell by cell, with real",
        "servers, by boto3 and keys that the operator published. `yes`: done. `403`: refused. `–`: it is not offered.",
        "Each cell reads Full, ReadWrite, Read, Write; at Garage, Write is that of accounts with `allowWriteToDelete`.",
        "The pages of the providers say why theirs differ.",
        "",
        f"| operation | {' | '.join(stores)} |",
        f"|---|{'---|' * len(stores)}",
    ]
    for name in OPERATIONS:
        lines.append(f"| {name} | {' | '.join(cell(ALLOWED[store][name]) for store in stores)} |")
    return "\n".join(lines) + "\n"


def main() -> int:
    target = Path(sys.argv[1]) if len(sys.argv) > 1 else PAGE
    target.write_text(page())
    return 0


if __name__ == "__main__":
    sys.exit(main())
