"""The rules, as pure functions: facts in, violations out. Each violation says what was found and why it must not be.

`at_rest` judges what is there when everything has come to its end; `over_time` judges every change that was seen.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field

from soak.facts import Key, Owner, Published, Secret

# Reasons at which an object stays for good, besides Ready.
LOST, REVOKED, CONFLICT = "SecretLost", "KeyRevokedExternally", "SecretNameConflict"


@dataclass(frozen=True)
class Violation:
    """One broken rule: which, of what, and what was found."""

    rule: str
    subject: str
    found: str

    def __str__(self) -> str:
        return f"{self.rule}: {self.subject}: {self.found}"


@dataclass(frozen=True)
class Rest:
    """What is there at one moment, and what people did before: that alone excuses an object that is not Ready."""

    owners: Collection[Owner] = ()
    secrets: Collection[Secret] = ()
    keys: Collection[Key] = ()
    opens: Mapping[str, bool] | None = None
    """By the uid of a Secret: whether the pair in it is accepted by the data plane; None: nobody has tried."""
    lost: Collection[str] = ()
    """Uids of AccessKeys with `onSecretLoss: Block` whose Secret people deleted."""
    revoked: Collection[str] = ()
    """Ids of keys that people revoked."""
    foreign: Mapping[str, str] = field(default_factory=dict)
    """People's own Secrets: uid to digest."""


def at_rest(rest: Rest) -> list[Violation]:
    """All rules about a state in which nothing moves any more."""
    rules = (ready_keys_work, no_key_is_an_orphan, no_secret_is_left_over, everything_has_ended, foreign_untouched)
    return [violation for rule in rules for violation in rule(rest)]


def ready_keys_work(rest: Rest) -> Iterator[Violation]:
    """Ready: the recorded Secret is there, it holds the recorded key, the provider has it, and it opens the door."""
    secrets, keys = {secret.uid: secret for secret in rest.secrets}, {key.id: key for key in rest.keys}
    for owner in rest.owners:
        if not owner.ready or owner.deleting:
            continue
        published = owner.published
        if published is None:
            yield Violation("ready-works", owner.where, "it is Ready, and no key is recorded")
            continue
        secret = secrets.get(published.secret_uid)
        if secret is None:
            yield Violation("ready-works", owner.where, "it is Ready, and the recorded Secret is not there")
        elif secret.key != published.key:
            yield Violation("ready-works", owner.where, f"its Secret holds {secret.key}, recorded is {published.key}")
        elif published.key not in keys:
            yield Violation("ready-works", owner.where, f"it is Ready, and the provider has no key {published.key}")
        elif rest.opens is not None and not rest.opens.get(secret.uid, False):
            yield Violation("ready-works", owner.where, f"it is Ready, and key {published.key} is refused")


def no_key_is_an_orphan(rest: Rest) -> Iterator[Violation]:
    """Every key at the provider is the recorded one of an AccessKey that is there."""
    owners = {owner.uid: owner for owner in rest.owners}
    for key in rest.keys:
        owner = owners.get(key.owner)
        if owner is None:
            yield Violation("no-orphans", key.where, f"key {key.id} lives, and its AccessKey is gone")
        elif owner.published is None or owner.published.key != key.id:
            recorded = owner.published.key if owner.published else "none"
            yield Violation("no-orphans", key.where, f"key {key.id} (epoch {key.epoch}) lives, recorded is {recorded}")


def no_secret_is_left_over(rest: Rest) -> Iterator[Violation]:
    """Every Secret of ours is the recorded one of an AccessKey that is there."""
    owners = {owner.uid: owner for owner in rest.owners}
    for secret in rest.secrets:
        if secret.owner is None:
            continue
        owner = owners.get(secret.owner)
        if owner is None:
            yield Violation("no-stray-secrets", secret.where, "its AccessKey is gone")
        elif owner.published is None or owner.published.secret_uid != secret.uid:
            yield Violation("no-stray-secrets", secret.where, "it is there, and not recorded")


def everything_has_ended(rest: Rest) -> Iterator[Violation]:
    """Ready, or at one of the three ends that only people bring about."""
    foreign = {secret.where for secret in rest.secrets if secret.uid in rest.foreign}
    for owner in rest.owners:
        excused = {
            LOST: owner.uid in rest.lost,
            REVOKED: owner.published is not None and owner.published.key in rest.revoked,
            CONFLICT: owner.where in foreign,
        }
        if owner.deleting:
            yield Violation("settled", owner.where, "it is still being deleted")
        elif not owner.ready and not excused.get(owner.reason, False):
            yield Violation("settled", owner.where, f"it ended at {owner.reason or 'nothing'}, and nobody did that")


def foreign_untouched(rest: Rest) -> Iterator[Violation]:
    """A Secret that people made is there as they made it."""
    there = {secret.uid: secret for secret in rest.secrets}
    for uid, digest in rest.foreign.items():
        if uid not in there:
            yield Violation("foreign-untouched", uid, "somebody's own Secret is gone")
        elif there[uid].digest != digest:
            yield Violation("foreign-untouched", there[uid].where, "somebody's own Secret was changed")


@dataclass(frozen=True)
class Change:
    """One event of a watch: what was there after it, or, where `gone`, last before it."""

    seen: Owner | Secret
    gone: bool = False


def over_time(
    changes: Iterable[Change], revoked: Mapping[str, str] | None = None, by_people: Collection[str] = ()
) -> list[Violation]:
    """All rules about how things changed. `revoked`: keys that were revoked, by the provider's own audit log, each with
    its time; `by_people`: those that people revoked."""
    changes = list(changes)
    found = [*secrets_never_change(changes), *counters_never_go_back(changes), *one_secret_per_epoch(changes)]
    return [*found, *recorded_keys_are_let_go_first(changes, revoked or {}, by_people)]


def secrets_never_change(changes: Iterable[Change]) -> Iterator[Violation]:
    """Complete from the first moment on, and the same to the last."""
    first: dict[str, str] = {}
    for change in changes:
        secret = change.seen
        if not isinstance(secret, Secret):
            continue
        if secret.owner is not None and secret.key is None:
            yield Violation("complete-or-absent", secret.where, "a Secret of ours holds no whole pair")
        if first.setdefault(secret.uid, secret.digest) != secret.digest:
            yield Violation("written-once", secret.where, "the content of a Secret changed")


def counters_never_go_back(changes: Iterable[Change]) -> Iterator[Violation]:
    """`status.issue` and `status.published` only ever grow, and are never cleared."""
    issues: dict[str, tuple[int, int]] = {}
    epochs: dict[str, int] = {}
    for change in changes:
        owner = change.seen
        if not isinstance(owner, Owner):
            continue
        issue, epoch = owner.issue or (0, 0), owner.published.epoch if owner.published else 0
        if issue < issues.get(owner.uid, (0, 0)):
            yield Violation("counters-grow", owner.where, f"the attempt went from {issues[owner.uid]} back to {issue}")
        if epoch < epochs.get(owner.uid, 0):
            yield Violation("counters-grow", owner.where, f"the epoch went from {epochs[owner.uid]} back to {epoch}")
        issues[owner.uid], epochs[owner.uid] = issue, epoch


def one_secret_per_epoch(changes: Iterable[Change]) -> Iterator[Violation]:
    """Once an epoch is committed no other Secret is recorded for it."""
    winners: dict[tuple[str, int], Published] = {}
    for change in changes:
        owner = change.seen
        if not isinstance(owner, Owner) or owner.published is None:
            continue
        winner = winners.setdefault((owner.uid, owner.published.epoch), owner.published)
        if (winner.nonce, winner.key) != (owner.published.nonce, owner.published.key):
            swap = f"epoch {winner.epoch} was recorded with key {winner.key}, then with {owner.published.key}"
            yield Violation("one-per-epoch", owner.where, swap)


def recorded_keys_are_let_go_first(
    changes: Iterable[Change], revoked: Mapping[str, str], by_people: Collection[str]
) -> Iterator[Violation]:
    """A key that was ever recorded is revoked only where another one was recorded, or its AccessKey is deleted."""
    recorded_at: dict[str, str] = {}
    holds: dict[str, str | None] = {}
    for change in changes:
        owner = change.seen
        if not isinstance(owner, Owner):
            continue
        if owner.published is not None:
            recorded_at[owner.published.key] = owner.where
        alive = owner.published is not None and not change.gone and not owner.deleting
        holds[owner.uid] = owner.published.key if alive and owner.published else None
    for key in sorted((set(holds.values()) - {None}) & (set(revoked) - set(by_people)), key=str):
        assert key is not None
        found = f"key {key} was revoked at {revoked[key]}, and is recorded to this day"
        yield Violation("recorded-lives", recorded_at[key], found)


def secrets_are_created_and_deleted_only(verbs: Collection[str]) -> Iterator[Violation]:
    """What the operator ever asked of Secrets, by the API server's audit log."""
    for verb in sorted(set(verbs) - {"get", "create", "delete"}):
        yield Violation("secret-verbs", "secrets", f"the operator used '{verb}'")


def operators_do_not_panic(exits: Mapping[int | None, int]) -> Iterator[Violation]:
    """An operator that cannot reach its cluster says so and ends with 1; no other end is its own."""
    for code, times in exits.items():
        if code != 1:
            yield Violation("no-panics", "operator", f"it ended {times} times with exit code {code}")
