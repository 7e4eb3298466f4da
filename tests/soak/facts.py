"""What Kubernetes and the provider say about keys and their Secrets, without the secrets themselves."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from harness import s3
from harness.kube import condition, entries

MARK = "storekeeper.dev/"


@dataclass(frozen=True)
class Published:
    """`status.published`."""

    epoch: int
    nonce: str
    key: str
    secret_uid: str


@dataclass(frozen=True)
class Owner:
    """One AccessKey as it was at one moment."""

    uid: str
    where: str
    deleting: bool = False
    ready: bool = False
    reason: str = ""
    issue: tuple[int, int] | None = None
    """Epoch and attempt of `status.issue`."""
    published: Published | None = None


@dataclass(frozen=True)
class Secret:
    """One Secret as it was at one moment. `digest` stands for its content."""

    uid: str
    where: str
    digest: str
    owner: str | None = None
    """The uid of the AccessKey that it was made for; None for somebody else's Secret."""
    epoch: int = 0
    key: str | None = None
    """The id of the key that its entries hold; None where they hold no whole pair."""


@dataclass(frozen=True)
class Key:
    """One live key at the provider. `owner` is the uid of the AccessKey that it was made for."""

    id: str
    owner: str
    where: str
    epoch: int = 1


def where_of(found: dict[str, Any]) -> str:
    """`<namespace>/<name>`"""
    return f"{found['metadata'].get('namespace', '')}/{found['metadata']['name']}"


def owner_of(found: dict[str, Any]) -> Owner:
    """An AccessKey as the API server has it."""
    status = found.get("status") or {}
    ready = condition(found) or {}
    issue, published = status.get("issue"), status.get("published")
    return Owner(
        uid=found["metadata"]["uid"],
        where=where_of(found),
        deleting="deletionTimestamp" in found["metadata"],
        ready=ready.get("status") == "True",
        reason=ready.get("reason", ""),
        issue=(issue["epoch"], issue["attempt"]) if issue else None,
        published=Published(
            published["epoch"], published["nonce"], published["accessKeyId"], published["secret"]["uid"]
        )
        if published
        else None,
    )


def _pair_in(found: dict[str, Any]) -> str | None:
    try:
        pair = s3.credentials(entries(found))
    except (AssertionError, KeyError):
        return None
    return pair.access_key_id if pair.access_key_id and pair.secret_access_key else None


def secret_of(found: dict[str, Any]) -> Secret:
    """A Secret as the API server has it; its entries are kept as a digest only."""
    marks = found["metadata"].get("annotations") or {}
    content = hashlib.sha256()
    for name, value in sorted((found.get("data") or {}).items()):
        content.update(f"{name}={value}\n".encode())
    return Secret(
        uid=found["metadata"]["uid"],
        where=where_of(found),
        digest=content.hexdigest(),
        owner=marks.get(f"{MARK}owner-uid"),
        epoch=int(marks.get(f"{MARK}epoch", 0)),
        key=_pair_in(found),
    )


def key_of(item: dict[str, Any]) -> Key:
    """A key as the management API lists it."""
    labels = item.get("labels") or {}
    return Key(
        id=item["accessKeyId"],
        owner=labels.get(f"{MARK}owner", "").rpartition("/")[2],
        where=f"{labels.get(f'{MARK}namespace', '')}/{labels.get(f'{MARK}name', '')}",
        epoch=int(labels.get(f"{MARK}epoch", 0)),
    )


def keys_in(items: Iterable[dict[str, Any]], namespaces: Iterable[str]) -> list[Key]:
    """The keys that were made for objects of these namespaces."""
    wanted = set(namespaces)
    return [key for key in map(key_of, items) if key.where.partition("/")[0] in wanted]
