"""What assertions are made from is read correctly: the audit log and published Secrets."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from harness.audit import AuditLog, count
from harness.s3 import credentials


def event(verb: str, resource: str, uri: str = "/x", subresource: str = "") -> str:
    reference = {"resource": resource, "subresource": subresource, "name": "n", "namespace": "ns"}
    return json.dumps({"user": {"username": "op"}, "verb": verb, "objectRef": reference, "requestURI": uri}) + "\n"


def test_writes_are_counted_without_dry_runs_reads_and_leases(tmp_path: Path) -> None:
    path = tmp_path / "audit.log"
    path.write_text(event("create", "secrets"))
    log = AuditLog(path)
    before = log.position()
    with open(path, "a") as file:
        file.write(event("create", "secrets", "/api/v1/namespaces/ns/secrets?dryRun=All"))
        file.write(event("get", "secrets") + event("update", "leases"))
        file.write(event("patch", "accesskeys", subresource="status"))
        file.write('{"half a line')
    assert count(log.writes(before)) == {("op", "patch", "accesskeys/status"): 1}
    assert len(log.calls(before)) == 4
    assert len(log.calls(before, containing='"accesskeys"')) == 1
    assert len(log.writes(0, "op")) == 2 and not log.writes(0, "someone else")


def test_a_position_is_never_within_a_line(tmp_path: Path) -> None:
    path = tmp_path / "audit.log"
    log = AuditLog(path)
    assert log.position() == 0
    half = event("create", "secrets")
    path.write_text(event("get", "secrets") + half[:20])
    before = log.position()
    with open(path, "a") as file:
        file.write(half[20:])
    assert [call.verb for call in log.calls(before)] == ["create"]
    path.write_text(half[:20])
    assert log.position() == 0


@pytest.mark.parametrize(
    "entries",
    [
        {"AWS_ACCESS_KEY_ID": "id", "AWS_SECRET_ACCESS_KEY": "secret", "AWS_REGION": "r"},
        {"COSI_S3_ACCESS_KEY_ID": "id", "COSI_S3_ACCESS_SECRET_KEY": "secret"},
        {"access-key": "id", "secret-key": "secret", "username": "id", "password": "secret", "type": "s3"},
        {"access_key_id": "id", "access_key_secret": "secret", "bucketnames": "data"},
        {"cloud": "[default]\naws_access_key_id = id\naws_secret_access_key = secret\n"},
        {"rclone.conf": "[storekeeper]\ntype = s3\naccess_key_id = id\nsecret_access_key = secret\n"},
        {"objstore.yml": "config: {access_key: id, secret_key: secret, endpoint: 'h:1', region: r, bucket: b}"},
    ],
)
def test_every_format_is_read(entries: dict[str, str]) -> None:
    found = credentials(entries)
    assert (found.access_key_id, found.secret_access_key) == ("id", "secret")
    assert "secret" not in repr(found)


def test_an_unknown_format_is_an_error() -> None:
    with pytest.raises(AssertionError, match="no known Secret format"):
        credentials({"a": "b"})
