"""Uploads in signed chunks (`aws-chunked`), made by hand, so that they can be wrong in one place."""

from __future__ import annotations

import hashlib
import hmac
from dataclasses import dataclass, field

import requests
from botocore.auth import S3SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials as Signer

from harness.s3 import Credentials
from s3.world import User

SIGNED = "STREAMING-AWS4-HMAC-SHA256-PAYLOAD"
SIGNED_TRAILER = "STREAMING-AWS4-HMAC-SHA256-PAYLOAD-TRAILER"
UNSIGNED_TRAILER = "STREAMING-UNSIGNED-PAYLOAD-TRAILER"
KINDS = (SIGNED, SIGNED_TRAILER, UNSIGNED_TRAILER)

_EMPTY = hashlib.sha256(b"").hexdigest()


@dataclass
class Upload:
    """One upload: what it announces and what it sends, which may differ."""

    kind: str
    chunks: list[bytes]
    announced: int
    trailers: dict[str, str] = field(default_factory=dict)
    # The names in `x-amz-trailer`.
    named: str | None = None
    end_chunk: bool = True
    # The end chunk's signature, and the trailers', are not theirs.
    wrong_last_signature: bool = False
    # Sent in place of the chunk of that number, under that chunk's signature.
    tampered: dict[int, bytes] = field(default_factory=dict)


class _Auth(S3SigV4Auth):
    def __init__(self, key: Credentials, region: str, kind: str) -> None:
        super().__init__(Signer(key.access_key_id, key.secret_access_key), "s3", region)
        self.kind = kind
        self.secret = key.secret_access_key

    def payload(self, request: AWSRequest) -> str:
        return self.kind

    def sign(self, request: AWSRequest, algorithm: str, previous: str, *hashes: str) -> str:
        """The signature of one chunk, or of the trailers."""
        time = request.context["timestamp"]
        scope = f"{time[:8]}/{self._region_name}/s3/aws4_request"
        text = "\n".join([algorithm, time, scope, previous, *hashes])
        key = f"AWS4{self.secret}".encode()
        for part in scope.split("/"):
            key = hmac.new(key, part.encode(), hashlib.sha256).digest()
        return hmac.new(key, text.encode(), hashlib.sha256).hexdigest()


def put(user: User, key: Credentials, path: str, upload: Upload) -> requests.Response:
    """Send it, to a path of the S3 endpoint that may have a query."""
    url = user.server.s3_endpoint + path
    headers = {
        "x-amz-decoded-content-length": str(upload.announced),
        "Content-Encoding": "aws-chunked",
    }
    if upload.named is not None:
        headers["x-amz-trailer"] = upload.named
    request = AWSRequest("PUT", url, headers=headers)
    auth = _Auth(key, user.server.region, upload.kind)
    auth.add_auth(request)
    body = _body(auth, request, upload)
    signed = dict(request.headers)
    return requests.put(url, data=body, headers=signed, verify=str(user.server.certificates.ca), timeout=30)


def _body(auth: _Auth, request: AWSRequest, upload: Upload) -> bytes:
    previous = request.headers["Authorization"].rsplit("Signature=", 1)[1]
    body = b""
    chunks = [*upload.chunks, b""] if upload.end_chunk else upload.chunks
    for number, chunk in enumerate(chunks):
        extension = ""
        if upload.kind != UNSIGNED_TRAILER:
            digest = hashlib.sha256(chunk).hexdigest()
            previous = auth.sign(request, "AWS4-HMAC-SHA256-PAYLOAD", previous, _EMPTY, digest)
            wrong = upload.wrong_last_signature and not chunk
            extension = f";chunk-signature={'0' * 64 if wrong else previous}"
        sent = upload.tampered.get(number, chunk)
        body += f"{len(sent):x}{extension}\r\n".encode() + sent
        # The end chunk is followed by the trailers.
        body += b"\r\n" if chunk or not upload.trailers else b""
    if not upload.end_chunk or not upload.trailers:
        return body
    lines = "".join(f"{name}:{value}\n" for name, value in sorted(upload.trailers.items()))
    body += lines.replace("\n", "\r\n").encode()
    if upload.kind == SIGNED_TRAILER:
        digest = hashlib.sha256(lines.encode()).hexdigest()
        signature = auth.sign(request, "AWS4-HMAC-SHA256-TRAILER", previous, digest)
        wrong = upload.wrong_last_signature
        body += f"x-amz-trailer-signature:{'0' * 64 if wrong else signature}\r\n".encode()
    return body + b"\r\n"
