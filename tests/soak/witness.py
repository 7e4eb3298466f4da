"""Whether a key may be revoked, asked of the live state at the moment when the operator's request to do so passes by.

What makes a key garbage stays true for good, so whoever decided to revoke it by a look at an older state must be right
by the newest one too. That makes this check exact: it needs no clocks.
"""

from __future__ import annotations

from harness.kube import Kube
from harness.management import Management, Problem
from harness.proxy.messages import Request
from soak.checks import Violation
from soak.facts import Key, Owner, Secret, key_of, owner_of, secret_of


def judge(key: Key, owner: Owner | None, secret: Secret | None) -> Violation | None:
    """What is wrong with revoking this key now. `owner`, `secret`: what is there under the names that the key says."""
    if owner is None or owner.uid != key.owner or owner.deleting:
        return None
    published = owner.published
    if published is not None and published.key == key.id:
        return Violation("recorded-lives", key.where, f"key {key.id} is recorded, and the operator revokes it")
    if published is not None and key.epoch <= published.epoch:
        return None
    if secret is not None and secret.key == key.id:
        found = f"key {key.id} is in a Secret whose epoch is not committed, and the operator revokes it"
        return Violation("published-lives", key.where, found)
    return None


class Witness:
    """Stands at the point `revoke` of a proxy as the predicate of a rule that never applies."""

    def __init__(self, kube: Kube, management: Management) -> None:
        self._kube = kube
        self._management = management
        self.violations: list[Violation] = []
        self.judged = 0

    def __call__(self, request: Request) -> bool:
        identity = request.path.rpartition("/")[2]
        try:
            key = key_of(self._management.call("GET", f"/v1/accessKeys/{identity}"))
        except Problem as problem:
            if problem.status != 404:
                raise
            return False  # it is revoked already
        namespace, _, name = key.where.partition("/")
        owner, secret = (self._kube.find(kind, name, namespace) for kind in ("AccessKey", "Secret"))
        wrong = judge(key, owner_of(owner) if owner else None, secret_of(secret) if secret else None)
        self.judged += 1
        if wrong is not None:
            self.violations.append(wrong)
        return False
