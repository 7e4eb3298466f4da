"""What must hold once nothing moves any more. Pure: every rule judges one `Evidence`.

The names are those of the protocol's invariants; `Ready` is what the object says of itself. That the pair opens the
object store is tried by the scenario, not judged here.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from faults.evidence import Evidence, Subject
from faults.plans import Plan
from harness.kube import condition, is_ready

OWNER_UID = "storekeeper.dev/owner-uid"
EPOCH = "storekeeper.dev/epoch"
NONCE = "storekeeper.dev/nonce"
KEY_ID = "storekeeper.dev/access-key-id"
ENTRIES = frozenset({"AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_ENDPOINT_URL_S3", "AWS_REGION"})


@dataclass(frozen=True)
class Case:
    """What a look is judged by."""

    plan: Plan
    subject: Subject
    epochs: int = 1
    """How many keys were asked for: one, and one more for each reissue."""


Rule = Callable[[Case, Evidence], Iterator[str]]


def complete_or_absent(case: Case, seen: Evidence) -> Iterator[str]:
    """I1: the Secret has all its entries and marks, or is not there at all."""
    if seen.secret is None:
        return
    missing = sorted(name for name in ENTRIES if not seen.secret.entries.get(name))
    if missing:
        yield f"entries are missing: {missing}"
    if seen.secret.entries.get("AWS_ACCESS_KEY_ID") != seen.secret.annotations.get(KEY_ID):
        yield "the key in the entries is not the one that it is marked with"
    absent = sorted(mark for mark in (OWNER_UID, EPOCH, NONCE, KEY_ID) if not seen.secret.annotations.get(mark))
    if absent:
        yield f"marks are missing: {absent}"


def written_once(case: Case, seen: Evidence) -> Iterator[str]:
    """I2: one create is accepted for each epoch, and nothing ever changes the Secret."""
    if seen.secret is not None and seen.secret.record.version != 1:
        yield f"etcd has the Secret in version {seen.secret.record.version}"
    yield from created_once(case, seen)
    changes = sorted({call.verb for call in seen.secret_writes} & {"update", "patch", "deletecollection"})
    if changes:
        yield f"the Secret was changed: {changes}"
    if seen.secret is not None and seen.served != seen.secret.entries:
        yield "the API server serves other entries than etcd has"


def created_once(case: Case, seen: Evidence) -> Iterator[str]:
    """One create for each epoch. A pair that the provider says it will never take is one more: its Secret was deleted,
    without ever having been recorded."""
    creates = seen.written_by_us.count("create")
    if not case.epochs <= creates <= case.epochs + case.plan.spent_pairs:
        yield f"{creates} creates of the Secret were accepted for {case.epochs} epochs"


def not_destroyed(case: Case, seen: Evidence) -> Iterator[str]:
    """I3: the recorded key is not revoked, and one that it replaces only when the new one is there."""
    recorded = _recorded(seen)
    revoked = {event.access_key_id: event.sequence for event in seen.revoked}
    if recorded in revoked:
        yield f"the recorded key {recorded} was revoked"
    for old in (pair["AWS_ACCESS_KEY_ID"] for pair in case.subject.formerly):
        newer = [event.sequence for event in seen.made if event.access_key_id == recorded]
        if old in revoked and not any(sequence < revoked[old] for sequence in newer):
            yield f"the key {old} was revoked before there was another"


def no_orphan(case: Case, seen: Evidence) -> Iterator[str]:
    """I4: the provider's keys for this object are the recorded one."""
    recorded = _recorded(seen)
    if seen.live != [recorded]:
        yield f"the provider has {seen.live}, recorded is {recorded}"
    if seen.incomplete:
        yield f"of these there are by half: {seen.incomplete}"


def bounded(case: Case, seen: Evidence) -> Iterator[str]:
    """I5: no more keys are made than were asked for, and one for each fault; where a secret is shown again, for each
    mint that is executed after its repetition; where the pair is chosen, none but for a Secret that was created."""
    plan = case.plan
    spare = {"A3": len(plan.injections), "A1": plan.late_mints, "B": plan.spent_pairs}[plan.provider_class]
    if len(seen.made) > case.epochs + spare:
        yield f"{len(seen.made)} keys were made; {case.epochs} asked for, at most {spare} more"
    if plan.provider_class == "B" and len(seen.made) > seen.written_by_us.count("create"):
        yield f"{len(seen.made)} keys were made for {seen.written_by_us.count('create')} Secrets"
    attempt = (_status(seen).get("issue") or {}).get("attempt", 0)
    if attempt > 1 + len(plan.injections):
        yield f"it took {attempt} attempts"


def neighbour_untouched(case: Case, seen: Evidence) -> Iterator[str]:
    """I6: a Secret that is not ours stays as it is."""
    if seen.neighbour != case.subject.neighbour:
        yield "the Secret nearby is not what it was"


def says_so(case: Case, seen: Evidence) -> Iterator[str]:
    """Ready: the status says what is there, all of it, and nothing else."""
    if not is_ready(seen.key):
        yield f"not Ready: {(condition(seen.key) or {}).get('reason')}"
    for word in ("Stalled", "Reconciling"):
        if condition(seen.key, word) is not None:
            yield f"{word}, although it is at rest"
    status, secret = _status(seen), seen.secret
    published = status.get("published") or {}
    if secret is None:
        yield "there is no Secret"
    elif (published.get("accessKeyId"), published.get("nonce"), published.get("secret", {}).get("uid")) != (
        secret.annotations.get(KEY_ID),
        secret.annotations.get(NONCE),
        secret.uid,
    ):
        yield "what is recorded is not the Secret that is there"
    if published.get("epoch") != case.epochs:
        yield f"epoch {published.get('epoch')} is recorded; {case.epochs} asked for"
    if (status.get("issue") or {}).get("open"):
        yield "an attempt is still open"


def alive(case: Case, seen: Evidence) -> Iterator[str]:
    """The operator ends only when it is killed."""
    if seen.died:
        yield "the operator ended by itself"


def gone(case: Case, seen: Evidence) -> Iterator[str]:
    """Deleted: the object and, by policy, its key and Secret; or these stay as they were."""
    if seen.key is not None:
        finalizers = seen.key["metadata"].get("finalizers")
        yield f"the AccessKey is still there: {(condition(seen.key) or {}).get('message')} {finalizers}"
    if case.plan.policy == "Delete":
        if seen.secret is not None:
            yield "the Secret is still there"
        if seen.live:
            yield f"the provider still has {seen.live}"
        return
    if seen.secret is None:
        yield "the retained Secret is gone"
    elif seen.live != [seen.secret.annotations.get(KEY_ID)]:
        yield f"the provider has {seen.live}, retained is {seen.secret.annotations.get(KEY_ID)}"


def retained_once(case: Case, seen: Evidence) -> Iterator[str]:
    """I2 after the deletion: creates as before, and still no change."""
    if case.plan.policy == "Retain" or seen.secret is not None:
        yield from written_once(case, seen)
    else:
        yield from created_once(case, seen)


PUBLISHED: dict[str, Rule] = {
    "I1": complete_or_absent,
    "I2": written_once,
    "I3": not_destroyed,
    "I4": no_orphan,
    "I5": bounded,
    "I6": neighbour_untouched,
    "Ready": says_so,
    "alive": alive,
}
DELETED: dict[str, Rule] = {
    "I1": complete_or_absent,
    "I2": retained_once,
    "I5": bounded,
    "I6": neighbour_untouched,
    "deleted": gone,
    "alive": alive,
}


def violations(rules: dict[str, Rule], case: Case, seen: Evidence) -> list[str]:
    """What does not hold, each with the name of its invariant."""
    return [f"{name}: {what}" for name, rule in rules.items() for what in rule(case, seen)]


def _status(seen: Evidence) -> dict[str, Any]:
    return (seen.key or {}).get("status") or {}


def _recorded(seen: Evidence) -> str | None:
    found: str | None = (_status(seen).get("published") or {}).get("accessKeyId")
    return found
