"""Reading what the API server has stored, from etcd itself: no cache, no conversion, and how often it was written.

Built-in kinds are stored as Kubernetes' protobuf, custom resources as JSON.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from harness.http import session

_MAGIC = b"k8s\x00"


@dataclass(frozen=True)
class Record:
    """One key of etcd. `version` counts its writes since it was created, that one included."""

    key: str
    value: bytes
    created: int
    modified: int
    version: int


@dataclass(frozen=True)
class StoredSecret:
    """A Secret as it is stored."""

    name: str
    uid: str
    annotations: dict[str, str]
    entries: dict[str, str]
    record: Record


class Etcd:
    """A client of etcd's JSON gateway."""

    def __init__(self, url: str) -> None:
        self._url = url
        self._session = session()

    def records(self, prefix: str) -> list[Record]:
        """Everything below a prefix."""
        raw = prefix.encode()
        return self._range(raw, raw[:-1] + bytes([raw[-1] + 1]))

    def record(self, key: str) -> Record | None:
        found = self._range(key.encode(), None)
        return found[0] if found else None

    def secret(self, namespace: str, name: str) -> StoredSecret | None:
        found = self.record(f"/registry/secrets/{namespace}/{name}")
        return secret_of(found) if found else None

    def custom(self, plural: str, namespace: str, name: str) -> dict[str, Any] | None:
        """One of our own namespaced resources."""
        found = self.record(f"/registry/storekeeper.dev/{plural}/{namespace}/{name}")
        decoded: dict[str, Any] | None = json.loads(found.value) if found else None
        return decoded

    def _range(self, key: bytes, end: bytes | None) -> list[Record]:
        body = {"key": base64.b64encode(key).decode()}
        if end is not None:
            body["range_end"] = base64.b64encode(end).decode()
        answer = self._session.post(f"{self._url}/v3/kv/range", json=body, timeout=10)
        answer.raise_for_status()
        return [
            Record(
                base64.b64decode(one["key"]).decode(),
                base64.b64decode(one.get("value", "")),
                int(one["create_revision"]),
                int(one["mod_revision"]),
                int(one["version"]),
            )
            for one in answer.json().get("kvs", [])
        ]


def secret_of(record: Record) -> StoredSecret:
    """Decode a stored Secret: `Unknown {2: raw}` around `Secret {1: metadata, 2: data}`."""
    assert record.value.startswith(_MAGIC), f"'{record.key}' must be stored as protobuf"
    secret = _one(record.value[len(_MAGIC) :], 2)
    metadata = _one(secret, 1)
    return StoredSecret(
        name=_one(metadata, 1).decode(),
        uid=_one(metadata, 5).decode(),
        annotations=_map(metadata, 12),
        entries=_map(secret, 2),
        record=record,
    )


def _map(message: bytes, number: int) -> dict[str, str]:
    pairs = [value for field, value in _fields(message) if field == number]
    return {_one(pair, 1).decode(): _one(pair, 2).decode() for pair in pairs}


def _one(message: bytes, number: int) -> bytes:
    return next((value for field, value in _fields(message) if field == number), b"")


def _fields(message: bytes) -> Iterator[tuple[int, bytes]]:
    """The length-delimited fields of a protobuf message; others are passed over."""
    at = 0
    while at < len(message):
        tag, at = _varint(message, at)
        kind = tag & 7
        if kind == 0:
            _, at = _varint(message, at)
        elif kind == 2:
            length, at = _varint(message, at)
            yield tag >> 3, message[at : at + length]
            at += length
        else:
            at += {1: 8, 5: 4}[kind]


def _varint(message: bytes, at: int) -> tuple[int, int]:
    value = shift = 0
    while True:
        byte = message[at]
        at += 1
        value |= (byte & 0x7F) << shift
        if byte < 0x80:
            return value, at
        shift += 7
