"""Callers that mean harm: bounded memory, a clean answer, and everybody else is served."""

from __future__ import annotations

import gzip
import socket
import ssl
from collections.abc import Iterator
from contextlib import ExitStack
from typing import Any
from urllib.parse import urlsplit

import pytest
import requests
from botocore.auth import S3SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials as Signer

from harness.management_server import ManagementServer
from harness.memory import resident
from s3.world import BUCKET, MIB, User, content, refused

# What the server may grow by while it is attacked, beyond what it needs anyway.
ROOM = 48 * MIB


@pytest.fixture(autouse=True)
def unharmed(user: User) -> Iterator[None]:
    """After each attack others are served, and the memory has not grown without bounds."""
    client = user.client()
    client.put_object(Bucket=BUCKET, Key="there", Body=b"data")
    before = resident(user.server.process.pid)
    yield
    assert content(client, "there") == b"data"
    assert requests.get(f"{user.server.endpoint}/readyz", verify=str(user.server.certificates.ca), timeout=10).ok
    assert resident(user.server.process.pid) - before < ROOM


def connect(server: ManagementServer, endpoint: str) -> ssl.SSLSocket:
    at = urlsplit(endpoint)
    context = ssl.create_default_context(cafile=str(server.certificates.ca))
    plain = socket.create_connection((at.hostname, at.port), timeout=20)
    return context.wrap_socket(plain, server_hostname=at.hostname)


def answers(server: ManagementServer, endpoint: str, data: bytes) -> bytes:
    """What comes back for these bytes until the server closes the connection."""
    with connect(server, endpoint) as stream:
        received = b""
        try:
            stream.sendall(data)
            stream.settimeout(20)
            while piece := stream.recv(65536):
                received += piece
        except (ConnectionError, ssl.SSLError, BrokenPipeError):
            pass
        return received


def statuses(received: bytes) -> list[int]:
    return [int(line.split()[1]) for line in received.split(b"\r\n") if line.startswith(b"HTTP/1.1 ")]


HEAD = b"POST / HTTP/1.1\r\nHost: x\r\n"
END = b"Connection: close\r\n\r\n"
MALFORMED = {
    "two lengths": HEAD + b"Content-Length: 5\r\nContent-Length: 6\r\n" + END + b"abcdef",
    "a list of lengths": HEAD + b"Content-Length: 5, 6\r\n" + END + b"abcdef",
    "a signed length": HEAD + b"Content-Length: +5\r\n" + END + b"abcde",
    "a negative length": HEAD + b"Content-Length: -5\r\n" + END + b"abcde",
    "a length beyond all bounds": HEAD + b"Content-Length: 99999999999999999999999\r\n" + END,
    "a coding that is not chunked": HEAD + b"Transfer-Encoding: xchunked\r\n" + END,
    "chunked is not the last coding": HEAD + b"Transfer-Encoding: chunked, identity\r\n" + END,
    "a blank before the colon": HEAD + b"Content-Length : 5\r\n" + END + b"abcde",
    "a folded header": HEAD + b"X-A: b\r\n c: d\r\n" + END,
    "a NUL in a header": HEAD + b"X-A: b\0c\r\n" + END,
    "a bare CR in a header": HEAD + b"X-A: b\rc\r\n" + END,
    "no name of a header": HEAD + b": x\r\n" + END,
    "a blank in the target": b"GET /a b HTTP/1.1\r\nHost: x\r\n" + END,
    "no HTTP at all": b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n\r\n",
}


@pytest.mark.parametrize("name", MALFORMED)
@pytest.mark.parametrize("plane", ["s3_endpoint", "endpoint"])
def test_a_malformed_request_is_refused_and_the_connection_closed(user: User, plane: str, name: str) -> None:
    received = answers(user.server, getattr(user.server, plane), MALFORMED[name] + b"GET /healthz HTTP/1.1\r\n\r\n")
    assert statuses(received) in ([400], []), received[:300]


@pytest.mark.parametrize("plane", ["s3_endpoint", "endpoint"])
def test_what_is_inside_a_body_is_never_taken_for_a_request(user: User, plane: str) -> None:
    inner = b"GET /smuggled HTTP/1.1\r\nHost: x\r\n\r\n"
    chunk = b"%x\r\n%s\r\n0\r\n\r\n" % (len(inner), inner)
    endpoint = getattr(user.server, plane)
    for body in (
        b"Content-Length: %d\r\n" % len(inner) + END + inner,
        b"Transfer-Encoding: chunked\r\n" + END + chunk,
        # Both: the length must not win, or what a proxy took for a body would be a request.
        b"Content-Length: 4\r\nTransfer-Encoding: chunked\r\n" + END + chunk,
        b"Transfer-Encoding: chunked\r\nContent-Length: 4\r\n" + END + chunk,
    ):
        assert len(statuses(answers(user.server, endpoint, HEAD + body))) == 1


@pytest.mark.parametrize(
    "chunk", [b"-5\r\nabcde\r\n", b"FFFFFFFFFFFFFFFFFF\r\na", b"5;" + b"x" * 100_000 + b"\r\nabcde", b"zz\r\n"]
)
def test_a_broken_chunk_ends_the_connection(user: User, chunk: bytes) -> None:
    head = HEAD + b"Transfer-Encoding: chunked\r\n\r\n"
    received = answers(user.server, user.server.s3_endpoint, head + chunk + b"GET /x HTTP/1.1\r\nHost: x\r\n\r\n")
    assert len(statuses(received)) <= 1


PATHS = [
    "/../../../etc/passwd",
    "/data/../../../../etc/passwd",
    "/data/..%2f..%2f..%2fetc%2fpasswd",
    "/..%2f..%2fetc/passwd",
    "//etc/passwd",
    "/data/%00",
    "/data/a%00b",
    "/%2e%2e/%2e%2e/etc/passwd",
    "/data%2f..%2f..",
    "/.%2e/storekeeper.db",
    "/data/%ff%fe",
    "/%",
    "/data/%zz",
]


@pytest.mark.parametrize("path", PATHS)
def test_no_path_leads_out_of_the_bucket(user: User, path: str) -> None:
    key = user.key("Full")
    for method in ("GET", "PUT", "DELETE"):
        request = AWSRequest(method, user.server.s3_endpoint + path, data=b"x" if method == "PUT" else None)
        S3SigV4Auth(Signer(key.access_key_id, key.secret_access_key), "s3", user.server.region).add_auth(request)
        lines = [f"{name}: {value}" for name, value in request.headers.items()]
        lines += [f"Host: {urlsplit(user.server.s3_endpoint).netloc}", "Connection: close"]
        lines += ["Content-Length: 1"] if method == "PUT" else []
        head = f"{method} {path} HTTP/1.1\r\n" + "\r\n".join(lines) + "\r\n\r\n"
        received = answers(user.server, user.server.s3_endpoint, head.encode() + (b"x" if method == "PUT" else b""))
        assert b"root:" not in received
        assert b"SQLite" not in received
        assert not statuses(received) or statuses(received)[0] < 500, received[:300]


MANAGEMENT_PATHS = [
    "/../../../etc/passwd",
    "/v1/../../../etc/passwd",
    "/v1/../v1/users/{user}",
    "/v1/users/../users/{user}",
    "/v1/tenants/../users/{user}",
    "/v1/./users/{user}",
    "/v1//users/{user}",
    "//v1/users/{user}",
    "/v1/users/{user}/",
    "/v1/users/%2e%2e/users/{user}",
    "/v1/users/{user}%2f..%2f{user}",
    "/v1/users/{user}%00",
    "/v1/users/{user}%0d%0aX-A:%20b",
    "/v1/users/%ff%fe",
    "/v1/users/%",
    "/v1/users/' OR '1'='1",
    "/v1/users/%27%20OR%20%271%27=%271",
    "/v1/users/*",
    "/v1/buckets/{user}/..%2f..%2fstorekeeper.key",
    "/v1/buckets/{user}/%2e%2e",
    "/v1/buckets/..%2f{user}/data",
    "/V1/users/{user}",
    "/v1/Users/{user}",
    "/docs/../storekeeper.db",
    "/docs/..%2f..%2fstorekeeper.key",
    "/docs/page.js/../../storekeeper.key",
]


@pytest.mark.parametrize("path", MANAGEMENT_PATHS)
def test_no_path_of_the_management_api_is_another_ones(user: User, path: str) -> None:
    endpoint, token = user.server.endpoint, user.admin.token

    def status(method: str, target: str) -> list[int]:
        head = f"{method} {target} HTTP/1.1\r\nHost: {urlsplit(endpoint).netloc}\r\nAuthorization: Bearer {token}\r\n"
        received = answers(user.server, endpoint, head.encode() + END)
        assert b"root:" not in received and b"SQLite" not in received
        return statuses(received)

    assert status("GET", f"/v1/users/{user.id}") == [200]
    for method in ("GET", "DELETE", "PATCH"):
        found = status(method, path.format(user=user.id))
        assert found in ([], [400], [404], [405], [415]), (method, found)
    assert status("GET", f"/v1/users/{user.id}") == [200]
    assert user.usage() == (4, 1)


@pytest.mark.parametrize("plane", ["s3_endpoint", "endpoint"])
@pytest.mark.parametrize(
    "headers",
    [b"X-Long: " + b"x" * (4 * MIB) + b"\r\n", b"".join(b"X-%d: y\r\n" % n for n in range(20_000))],
    ids=["long", "many"],
)
def test_headers_have_their_bounds(user: User, plane: str, headers: bytes) -> None:
    received = answers(user.server, getattr(user.server, plane), b"GET / HTTP/1.1\r\nHost: x\r\n" + headers + END)
    assert statuses(received) in ([431], [400], [])


def test_a_target_has_its_bounds(user: User) -> None:
    received = answers(user.server, user.server.s3_endpoint, b"GET /" + b"a" * MIB + b" HTTP/1.1\r\nHost: x\r\n" + END)
    assert statuses(received) in ([414], [431], [400], [])


def post(user: User, data: bytes, query: str = "?delete") -> requests.Response:
    """A signed POST to the bucket."""
    key = user.key("Full")
    url = f"{user.server.s3_endpoint}/{BUCKET}{query}"
    request = AWSRequest("POST", url, data=data, headers={"Content-Type": "application/xml"})
    request.context["payload_signing_enabled"] = True
    S3SigV4Auth(Signer(key.access_key_id, key.secret_access_key), "s3", user.server.region).add_auth(request)
    return requests.post(
        url, data=data, headers=dict(request.headers), verify=str(user.server.certificates.ca), timeout=30
    )


def bomb() -> bytes:
    lines = ['<!ENTITY a0 "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa">']
    lines += [f'<!ENTITY a{n} "{f"&a{n - 1};" * 10}">' for n in range(1, 11)]
    dtd = "<!DOCTYPE Delete [" + "".join(lines) + "]>"
    return f'<?xml version="1.0"?>{dtd}<Delete><Object><Key>&a10;</Key></Object></Delete>'.encode()


DOCUMENTS: dict[str, Any] = {
    "entities that multiply": bomb,
    "an entity of a file": lambda: (
        b'<!DOCTYPE d [<!ENTITY x SYSTEM "file:///etc/passwd">]><Delete><Object><Key>&x;</Key></Object></Delete>'
    ),
    "endless nesting": lambda: b"<Delete>" * 400_000,
    "more than there may be": lambda: b"<Delete>" + b"<Object><Key>a</Key></Object>" * 400_000 + b"</Delete>",
    "no XML": lambda: bytes(range(256)) * 1000,
    "nothing": lambda: b"",
}


@pytest.mark.parametrize("name", DOCUMENTS)
def test_xml_that_means_harm_is_refused(user: User, name: str) -> None:
    try:
        answer = post(user, DOCUMENTS[name]())
    except requests.ConnectionError:
        # The server closed the connection before all of it was sent.
        assert name == "more than there may be"
        return
    assert 400 <= answer.status_code < 500, answer.text[:300]
    assert "root:" not in answer.text
    assert "aaaaaaaaaaaaaaaaaaaa" not in answer.text


def test_ten_thousand_parts_can_be_named(user: User) -> None:
    client = user.client()
    upload = client.create_multipart_upload(Bucket=BUCKET, Key="a")["UploadId"]
    parts = [{"PartNumber": number, "ETag": '"0"'} for number in range(1, 10_001)]
    at = {"Bucket": BUCKET, "Key": "a", "UploadId": upload}
    refused(400, "InvalidPart", client.complete_multipart_upload, **at, MultipartUpload={"Parts": parts})


def test_what_is_compressed_is_not_blown_up(user: User) -> None:
    packed = gzip.compress(bytes(64 * MIB))
    client = user.client()
    client.put_object(Bucket=BUCKET, Key="bomb", Body=packed, ContentEncoding="gzip")
    assert client.head_object(Bucket=BUCKET, Key="bomb")["ContentLength"] == len(packed)
    answer = requests.post(
        f"{user.server.endpoint}/v1/sessions",
        data=gzip.compress(b'{"login":"a","password":"' + b"b" * 64 * MIB + b'"}'),
        headers={"Content-Encoding": "gzip", "Content-Type": "application/json"},
        verify=str(user.server.certificates.ca),
        timeout=30,
    )
    assert answer.status_code in (400, 413, 415)


def test_a_body_of_the_management_api_has_its_bounds(user: User) -> None:
    def endless() -> Iterator[bytes]:
        for _ in range(200):
            yield b"x" * MIB

    try:
        answer = requests.post(
            f"{user.server.endpoint}/v1/sessions",
            data=endless(),
            headers={"Content-Type": "application/json"},
            verify=str(user.server.certificates.ca),
            timeout=30,
        )
    except requests.ConnectionError:
        return
    assert answer.status_code == 413


def test_those_who_dawdle_do_not_keep_others_waiting(user: User) -> None:
    client = user.client()
    with ExitStack() as slow:
        for number in range(300):
            stream = slow.enter_context(connect(user.server, user.server.s3_endpoint))
            if number % 2:
                stream.sendall(b"GET / HTTP/1.1\r\nHost: x\r\nX-Slow: ")
            else:
                stream.sendall(b"PUT /data/a HTTP/1.1\r\nHost: x\r\nContent-Length: 1000000\r\n\r\nx")
        before = resident(user.server.process.pid)
        for _ in range(20):
            assert content(client, "there") == b"data"
        assert resident(user.server.process.pid) - before < ROOM


def test_an_answer_that_nobody_reads_costs_no_memory(user: User) -> None:
    user.client().put_object(Bucket=BUCKET, Key="large", Body=bytes(16 * MIB))
    url = user.client().generate_presigned_url("get_object", Params={"Bucket": BUCKET, "Key": "large"})
    at = urlsplit(url)
    with ExitStack() as silent:
        for _ in range(40):
            stream = silent.enter_context(connect(user.server, user.server.s3_endpoint))
            stream.sendall(f"GET {at.path}?{at.query} HTTP/1.1\r\nHost: {at.netloc}\r\n\r\n".encode())
        assert content(user.client(), "there") == b"data"
