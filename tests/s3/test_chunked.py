"""Uploads in chunks (`aws-chunked`): nothing is stored but what was announced and, where it is signed, signed."""

from __future__ import annotations

import base64
import binascii
import itertools
from collections.abc import Callable

import pytest
import requests

from s3.chunked import KINDS, SIGNED, SIGNED_TRAILER, UNSIGNED_TRAILER, Upload, put
from s3.world import BUCKET, User, content

CHUNK = 64 * 1024
DATA = bytes(itertools.islice(itertools.cycle(range(251)), 70_000))
CHUNKS = [DATA[:CHUNK], DATA[CHUNK:]]
CRC32 = "x-amz-checksum-crc32"

Put = Callable[[Upload], requests.Response]


def crc32(data: bytes) -> str:
    return base64.b64encode(binascii.crc32(data).to_bytes(4, "big")).decode()


def upload(kind: str, chunks: list[bytes], announced: int) -> Upload:
    """One that is right but for its length."""
    if kind == SIGNED:
        return Upload(kind, chunks, announced)
    return Upload(kind, chunks, announced, trailers={CRC32: crc32(b"".join(chunks))}, named=CRC32)


@pytest.fixture(params=["PutObject", "UploadPart"])
def send(request: pytest.FixtureRequest, user: User) -> Put:
    """Sends an upload as an object, or as a part."""
    key = user.key("Full")
    path = f"/{BUCKET}/chunked"
    if request.param == "UploadPart":
        number = user.client().create_multipart_upload(Bucket=BUCKET, Key="chunked")["UploadId"]
        path += f"?partNumber=1&uploadId={number}"
    return lambda what: put(user, key, path, what)


def refused(user: User, answer: requests.Response, code: str = "") -> None:
    assert answer.status_code in (400, 403), answer.text
    assert code in answer.text
    assert user.usage() == (0, 0)
    for upload in user.client().list_multipart_uploads(Bucket=BUCKET).get("Uploads", []):
        assert "Parts" not in user.client().list_parts(Bucket=BUCKET, Key="chunked", UploadId=upload["UploadId"])


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(
    ("chunks", "announced"),
    [(CHUNKS[:1], len(DATA)), ([DATA[:5], DATA[5:9]], 18), ([DATA[:9]], 5), ([], 1)],
    ids=["cut", "short", "long", "empty"],
)
def test_a_chunked_body_that_is_not_as_long_as_announced_is_refused(
    user: User, send: Put, kind: str, chunks: list[bytes], announced: int
) -> None:
    refused(user, send(upload(kind, chunks, announced)), "IncompleteBody")


@pytest.mark.parametrize("kind", KINDS)
def test_a_tampered_chunk_is_refused(user: User, send: Put, kind: str) -> None:
    changed = bytes([CHUNKS[1][0] ^ 1]) + CHUNKS[1][1:]
    for wrong in ({"tampered": {1: changed}}, {"tampered": {0: CHUNKS[1]}}, {"wrong_last_signature": True}):
        if kind == UNSIGNED_TRAILER and "tampered" not in wrong:
            continue
        bad = upload(kind, CHUNKS, len(DATA))
        vars(bad).update(wrong)
        refused(user, send(bad))
    good = send(upload(kind, CHUNKS, len(DATA)))
    assert good.status_code == 200, good.text


@pytest.mark.parametrize("kind", [SIGNED_TRAILER, UNSIGNED_TRAILER])
def test_a_wrong_trailing_checksum_is_refused(user: User, send: Put, kind: str) -> None:
    def sent(trailers: dict[str, str], end_chunk: bool = True, named: str = CRC32) -> requests.Response:
        return send(Upload(kind, CHUNKS, len(DATA), trailers=trailers, named=named, end_chunk=end_chunk))

    right = crc32(DATA)
    for wrong in ("AAAAAA==", "", "nonsense"):
        refused(user, sent({CRC32: wrong}))
    refused(user, sent({}), "IncompleteBody")
    refused(user, sent({CRC32: right}, end_chunk=False), "IncompleteBody")
    refused(user, sent({"x-amz-checksum-crc32c": right}), "IncompleteBody")
    refused(user, sent({CRC32: right}, named=f"{CRC32}, x-amz-checksum-sha256"), "IncompleteBody")
    good = sent({CRC32: right}, named=CRC32.upper())
    assert good.status_code == 200, good.text
    assert good.headers[CRC32] == right


def test_what_arrives_in_good_chunks_is_what_is_stored(user: User) -> None:
    for kind in KINDS:
        answer = put(user, user.key("Full"), f"/{BUCKET}/{kind}", upload(kind, CHUNKS, len(DATA)))
        assert answer.status_code == 200, answer.text
        assert content(user.client(), kind) == DATA
