"""What there is to be seen of one AccessKey, each fact from where it is kept: etcd, the provider, both audit logs."""

from __future__ import annotations

import threading
from dataclasses import dataclass, field
from typing import Any

from botocore.exceptions import ClientError

from harness import s3
from harness.audit import AuditLog, Call
from harness.etcd import Record, StoredSecret
from harness.installation import OPERATOR
from harness.kube import Object, entries
from harness.lane import Lane

NAME_LABEL = "storekeeper.dev/name"
# Making a boto3 client is not safe in several threads at once.
_making = threading.Lock()


@dataclass(frozen=True)
class Event:
    """A key was made or revoked: the provider's audit log says so, in this order."""

    sequence: int
    access_key_id: str


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

    lane: Lane
    name: str
    audit_from: int
    sequence_from: int
    neighbour: Record
    formerly: list[dict[str, str]] = field(default_factory=list)
    """The entries of Secrets that were lost, and whose keys were then replaced."""

    @property
    def neighbour_name(self) -> str:
        return f"{self.name}-neighbour"


def last_sequence(lane: Lane) -> int:
    """The newest event of the provider's audit log about a key."""
    return max((event["sequence"] for event in lane.management.audit(action="accessKey.create")), default=0)


def take(subject: Subject, died: bool = False) -> Evidence:
    """Look at everything."""
    lane, name = subject.lane, subject.name
    secret = lane.kube.find("Secret", name, lane.name)
    return Evidence(
        key=lane.etcd.custom("accesskeys", lane.name, name),
        secret=lane.etcd.secret(lane.name, name),
        served=entries(secret) if secret else None,
        live=sorted(key["accessKeyId"] for key in lane.management.access_keys(label=f"{NAME_LABEL}:{name}")),
        made=_events(subject, "accessKey.create"),
        revoked=_events(subject, "accessKey.delete"),
        secret_writes=_secret_writes(subject),
        neighbour=lane.etcd.record(f"/registry/secrets/{lane.name}/{subject.neighbour_name}"),
        died=died,
    )


def _events(subject: Subject, action: str) -> list[Event]:
    """What the lane's server did since the beginning; nobody else uses it."""
    events = subject.lane.management.audit(action=action, outcome="ok")
    new = [event for event in events if event["sequence"] > subject.sequence_from]
    return [Event(event["sequence"], event["target"]) for event in new]


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


def opens(lane: Lane, pair: dict[str, str]) -> bool:
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
