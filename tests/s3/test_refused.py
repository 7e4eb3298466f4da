"""Who is not let in, and when a key stops."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import urlsplit

import pytest
import requests
from botocore.auth import S3SigV4Auth, S3SigV4QueryAuth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials as Signer
from botocore.exceptions import ClientError

from harness.s3 import Credentials, refusal
from harness.waiting import until
from s3.world import BUCKET, User, content, refused


def send(user: User, method: str, url: str, **arguments: Any) -> requests.Response:
    return requests.request(method, url, verify=str(user.server.certificates.ca), timeout=30, **arguments)


def signed(user: User, key: Credentials, method: str, path: str, data: bytes, service: str = "s3") -> dict[str, str]:
    """The headers of a signed request."""
    request = AWSRequest(method, user.server.s3_endpoint + path, data=data)
    signer = Signer(key.access_key_id, key.secret_access_key)
    S3SigV4Auth(signer, service, user.server.region).add_auth(request)
    return dict(request.headers)


@pytest.mark.parametrize(
    ("method", "path"), [("GET", "/"), ("GET", "/data/a"), ("PUT", "/data/a"), ("DELETE", "/data")]
)
def test_anonymous_requests_are_refused(user: User, method: str, path: str) -> None:
    answer = send(user, method, user.server.s3_endpoint + path, data=b"x" if method == "PUT" else None)
    assert answer.status_code == 403
    assert "<Code>AccessDenied</Code>" in answer.text


def test_an_anonymous_form_is_refused(user: User) -> None:
    answer = send(user, "POST", f"{user.server.s3_endpoint}/data", data={"key": "a"}, files={"file": b"x"})
    assert answer.status_code == 403
    assert user.usage() == (0, 0)


def test_signature_version_2_is_refused(user: User) -> None:
    key = user.key("Full")
    with pytest.raises(ClientError) as caught:
        user.connect(key, signature_version="s3").list_objects(Bucket=BUCKET)
    assert refusal(caught.value)[0] in (400, 403)
    old = user.connect(key, signature_version="s3-query")
    url = old.generate_presigned_url("get_object", Params={"Bucket": BUCKET, "Key": "a"})
    assert "Signature=" in url and "X-Amz" not in url
    assert send(user, "GET", url).status_code in (400, 403)


def test_another_region_or_service_is_refused(user: User) -> None:
    key = user.key("Full")
    elsewhere = user.connect(key, region="us-east-1", signature_version="s3v4")
    refused(400, "AuthorizationHeaderMalformed", elsewhere.get_object, Bucket=BUCKET, Key="a")
    headers = signed(user, key, "GET", "/data/a", b"", service="sts")
    assert send(user, "GET", f"{user.server.s3_endpoint}/data/a", headers=headers).status_code == 400


def test_a_wrong_secret_and_an_unknown_key_are_refused(user: User) -> None:
    key = user.key("Full")
    wrong = user.connect(Credentials(key.access_key_id, "x" * 40))
    refused(403, "SignatureDoesNotMatch", wrong.list_objects, Bucket=BUCKET)
    unknown = user.connect(Credentials("SK" + "A" * 18, key.secret_access_key))
    refused(403, "InvalidAccessKeyId", unknown.list_objects, Bucket=BUCKET)


def test_what_was_tampered_with_is_refused(user: User) -> None:
    client = user.client()
    client.put_object(Bucket=BUCKET, Key="a", Body=b"data")
    client.put_object(Bucket=BUCKET, Key="b", Body=b"other")
    url = client.generate_presigned_url("get_object", Params={"Bucket": BUCKET, "Key": "a"})
    assert send(user, "GET", url).content == b"data"
    for bad in (
        url.replace("/data/a?", "/data/b?"),
        url.replace("X-Amz-Expires=3600", "X-Amz-Expires=7200"),
        url + "&versionId=null",
    ):
        assert bad != url
        assert send(user, "GET", bad).status_code == 403
    assert send(user, "DELETE", url).status_code == 403


def test_a_body_that_is_not_what_was_signed_is_refused(user: User) -> None:
    key = user.key("Full")
    url = f"{user.server.s3_endpoint}/data/a"
    request = AWSRequest("PUT", url, data=b"what was signed", headers={"x-amz-content-sha256": "set below"})
    auth = S3SigV4Auth(Signer(key.access_key_id, key.secret_access_key), "s3", user.server.region)
    request.context["payload_signing_enabled"] = True
    auth.add_auth(request)
    assert request.headers["x-amz-content-sha256"] != "UNSIGNED-PAYLOAD"
    assert send(user, "PUT", url, data=b"something else!", headers=dict(request.headers)).status_code == 400
    assert user.usage() == (0, 0)
    assert send(user, "PUT", url, data=b"what was signed", headers=dict(request.headers)).status_code == 200


def test_a_presigned_url_lives_a_week_at_most_and_ends_when_it_says(user: User) -> None:
    client = user.client()
    client.put_object(Bucket=BUCKET, Key="a", Body=b"data")
    at = {"Bucket": BUCKET, "Key": "a"}
    week = 7 * 24 * 3600
    assert send(user, "GET", client.generate_presigned_url("get_object", Params=at, ExpiresIn=week)).ok
    too_long = client.generate_presigned_url("get_object", Params=at, ExpiresIn=week + 1)
    assert send(user, "GET", too_long).status_code == 400
    short = client.generate_presigned_url("get_object", Params=at, ExpiresIn=1)
    until(lambda: send(user, "GET", short).status_code == 403, "the end of the URL", deadline=10)


def test_a_presigned_url_does_not_begin_in_the_future(user: User) -> None:
    key = user.key("Full")
    user.client().put_object(Bucket=BUCKET, Key="a", Body=b"data")
    url = f"{user.server.s3_endpoint}/{BUCKET}/a"

    def beginning(after: timedelta) -> requests.Response:
        signer = S3SigV4QueryAuth(
            Signer(key.access_key_id, key.secret_access_key), "s3", user.server.region, expires=600
        )
        request = AWSRequest("GET", url)
        request.context["timestamp"] = (datetime.now(UTC) + after).strftime("%Y%m%dT%H%M%SZ")
        signer._modify_request_before_signing(request)
        signer._inject_signature_to_request(
            request, signer.signature(signer.string_to_sign(request, signer.canonical_request(request)), request)
        )
        return send(user, "GET", request.url)

    assert beginning(timedelta()).content == b"data"
    for after in (timedelta(minutes=20), timedelta(days=1), timedelta(days=3650)):
        answer = beginning(after)
        assert answer.status_code in (400, 403), answer.text
        assert b"data" not in answer.content
    assert beginning(timedelta(minutes=-11)).status_code == 403, "it has ended"


def test_a_revoked_key_stops_at_once_presigned_urls_included(user: User) -> None:
    key = user.key("Full")
    client = user.connect(key)
    client.put_object(Bucket=BUCKET, Key="a", Body=b"data")
    url = client.generate_presigned_url("get_object", Params={"Bucket": BUCKET, "Key": "a"})
    assert send(user, "GET", url).ok
    user.admin.revoke(key.access_key_id)
    refused(403, "InvalidAccessKeyId", client.get_object, Bucket=BUCKET, Key="a")
    assert send(user, "GET", url).status_code == 403
    assert content(user.client(), "a") == b"data"


def test_the_keys_of_a_disabled_user_stop_until_it_is_enabled(user: User) -> None:
    client = user.client()
    client.put_object(Bucket=BUCKET, Key="a", Body=b"data")
    url = client.generate_presigned_url("get_object", Params={"Bucket": BUCKET, "Key": "a"})
    user.admin.call("PATCH", f"/v1/users/{user.id}", {"enabled": False})
    refused(403, "InvalidAccessKeyId", client.get_object, Bucket=BUCKET, Key="a")
    assert send(user, "GET", url).status_code == 403
    user.admin.call("PATCH", f"/v1/users/{user.id}", {"enabled": True})
    assert content(client, "a") == b"data"


def test_two_users_with_a_bucket_of_the_same_name_do_not_see_each_other(
    user: User, new_user: Callable[..., User]
) -> None:
    other = new_user()
    user.client().put_object(Bucket=BUCKET, Key="a", Body=b"of the first")
    refused(404, "NoSuchBucket", other.client().get_object, Bucket=BUCKET, Key="a")
    other.bucket(BUCKET)
    refused(404, "NoSuchKey", other.client().get_object, Bucket=BUCKET, Key="a")
    other.client().put_object(Bucket=BUCKET, Key="a", Body=b"of the second")
    assert content(user.client(), "a") == b"of the first"
    refused(404, "NoSuchBucket", other.client().list_objects, Bucket="only-of-the-first")
    user.bucket("only-of-the-first")
    refused(404, "NoSuchBucket", other.client().list_objects, Bucket="only-of-the-first")
    assert [bucket["Name"] for bucket in other.client().list_buckets()["Buckets"]] == [BUCKET]


def test_headers_that_would_be_ignored_are_refused(user: User) -> None:
    put = user.client().put_object
    refused(501, "NotImplemented", put, Bucket=BUCKET, Key="a", ServerSideEncryption="AES256")
    refused(400, "AccessControlListNotSupported", put, Bucket=BUCKET, Key="a", ACL="public-read")
    refused(400, "InvalidStorageClass", put, Bucket=BUCKET, Key="a", StorageClass="GLACIER")
    refused(403, "AccessDenied", put, Bucket=BUCKET, Key="a", ExpectedBucketOwner="111111111111")
    put(Bucket=BUCKET, Key="a", ACL="private", ExpectedBucketOwner=user.id)


def test_a_host_name_is_not_a_bucket(user: User) -> None:
    host = urlsplit(user.server.s3_endpoint).netloc
    answer = send(user, "GET", f"https://{host}/", headers={"Host": f"data.{host}"})
    assert answer.status_code == 403
