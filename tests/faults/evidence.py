"""What there is to be seen of one AccessKey, each fact from where it is kept: etcd, the store, the audit logs."""

from __future__ import annotations

import threading
from dataclasses import dataclass, field
from typing import Any

from botocore.exceptions import ClientError

from faults.stores import Event, WatchedStore
from harness import s3
from harness.audit import AuditLog, Call
from harness.etcd import Record, StoredSecret
from harness.installation import OPERATOR
from harness.kube import Object, entries
from harness.lane import Lane

# Making a boto3 client is not safe in several threads at once.
_making = threading.Lock()


@dataclass(frozen=True)
class Evidence:
    """One look, taken while nothing moves."""

    key: Object | None
    """The AccessKey, from etcd."""
    secret: StoredSecret | None
    """Its Secret, from etcd."""
    served: dict[str, str] | None
    """The entries of its Secret, from the API server."""
    live: list[str]
    """The ids of the provider's keys that carry its name."""
    incomplete: list[str]
    """Those of them that lack something that belongs to them."""
    made: list[Event]
    revoked: list[Event]
    secret_writes: list[Call]
    """What was accepted by the API server, of anybody, about its Secret."""
    neighbour: Record | None
    """A Secret nearby that is none of ours, from etcd."""
    died: bool = False
    """The operator ended although nobody had killed it."""

    @property
    def written_by_us(self) -> list[str]:
        """The verbs of the operator's own writes of the Secret."""
        return [call.verb for call in self.secret_writes if call.user == OPERATOR]


@dataclass
class Subject:
    """One AccessKey under test, and what is remembered about it from the beginning."""

    lane: Lane[WatchedStore]
    name: str
    audit_from: int
    sequence_from: int
    neighbour: Record
    formerly: list[dict[str, str]] = field(default_factory=list)
    """The entries of Secrets that were lost, and whose keys were then replaced."""

    @property
    def neighbour_name(self) -> str:
        return f"{self.name}-neighbour"


def take(subject: Subject, died: bool = False) -> Evidence:
    """Look at everything."""
    lane, name = subject.lane, subject.name
    secret = lane.kube.find("Secret", name, lane.name)
    keys = lane.store.keys(name)
    made = lane.store.made(name, subject.sequence_from)
    # What was made in a way that nobody saw is there before all else.
    unseen = {key.id for key in keys} - {event.access_key_id for event in made}
    return Evidence(
        key=lane.etcd.custom("accesskeys", lane.name, name),
        secret=lane.etcd.secret(lane.name, name),
        served=entries(secret) if secret else None,
        live=[key.id for key in keys],
        incomplete=[key.id for key in keys if not key.complete],
        made=[Event(subject.sequence_from, key) for key in sorted(unseen)] + made,
        revoked=lane.store.revoked(subject.sequence_from),
        secret_writes=_secret_writes(subject),
        neighbour=lane.etcd.record(f"/registry/secrets/{lane.name}/{subject.neighbour_name}"),
        died=died,
    )


def _secret_writes(subject: Subject) -> list[Call]:
    log: AuditLog = subject.lane.installation.audit
    calls = log.calls(subject.audit_from, containing=f'"{subject.lane.name}"')
    return [
        call
        for call in calls
        if (call.resource, call.namespace, call.name) == ("secrets", subject.lane.name, subject.name)
        and call.is_write
        and call.code < 400
    ]


def opens(lane: Lane[WatchedStore], pair: dict[str, str]) -> bool:
    """Whether the entries of a Secret open the object store: what an application would find out."""
    with _making:
        client: Any = lane.s3(pair)
    try:
        client.list_buckets()
    except ClientError as error:
        status, _ = s3.refusal(error)
        if status == 403:
            return False
        raise
    finally:
        client.close()
    return True
