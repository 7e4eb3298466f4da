"""Carries out what the script says people do, and remembers it: only that excuses an object that is not Ready."""

from __future__ import annotations

import heapq
import threading
import time
from collections import Counter
from itertools import count

from harness.installation import Installation
from harness.kube import Object, Refused
from harness.management import Problem
from soak.checks import Rest
from soak.facts import owner_of, secret_of
from soak.planner import Act, Deed

API = "storekeeper.dev/v1alpha1"
USERS = ("app", "web", "job")
# A name whose last holder is still being deleted is tried again after this time.
AGAIN = 1.0


def prepare(made: Installation, namespace: str) -> None:
    """A namespace, a Tenant that admits it, and Ready users."""
    made.kube.create({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": namespace}})
    tenant = {"allowedNamespaces": {"names": [namespace]}}
    made.kube.create({"apiVersion": API, "kind": "Tenant", "metadata": {"name": namespace}, "spec": tenant})
    for name in USERS:
        metadata = {"name": name, "namespace": namespace}
        spec = {"tenantRef": {"name": namespace}}
        made.kube.create({"apiVersion": API, "kind": "StorageUser", "metadata": metadata, "spec": spec})
    for name in USERS:
        made.kube.wait_ready("StorageUser", name, namespace)


class People(threading.Thread):
    """A thread that does one deed after another, each when its time has come."""

    def __init__(self, made: Installation, namespace: str, acts: tuple[Act, ...]) -> None:
        super().__init__(name="people", daemon=True)
        self._made = made
        self._namespace = namespace
        self._order = count()
        self._queue = [(act.at, next(self._order), act) for act in acts]
        heapq.heapify(self._queue)
        self._behind: dict[str, list[Act]] = {}
        self._deeds = {
            Deed.OCCUPY: self._occupy,
            Deed.LOSE: self._lose,
            Deed.ASK: self._ask,
            Deed.REVOKE: self._revoke,
            Deed.DELETE: self._remove,
        }
        self._reissues: dict[str, bool] = {}
        self._foreign: dict[str, str] = {}
        self._lost: set[str] = set()
        self._revoked: set[str] = set()
        self.done: Counter[Deed] = Counter()
        self.missed: Counter[Deed] = Counter()
        self.failure: Exception | None = None

    def run(self) -> None:
        began = time.monotonic()
        try:
            while self._queue:
                at, _, act = heapq.heappop(self._queue)
                time.sleep(max(0.0, began + at - time.monotonic()))
                for due in self._behind.pop(act.name, [act]) if act.deed is Deed.CREATE else [act]:
                    self._do(due, time.monotonic() - began)
        except Exception as error:
            self.failure = error

    def excuses(self) -> Rest:
        """What they did, as far as it excuses anything."""
        return Rest(lost=set(self._lost), revoked=set(self._revoked), foreign=dict(self._foreign))

    def _do(self, act: Act, now: float) -> None:
        if act.name in self._behind:
            self._behind[act.name].append(act)
        elif act.deed is Deed.CREATE and not self._create(act):
            # Its last holder is still being deleted: what comes after under that name waits behind it.
            self._behind[act.name] = [act]
            heapq.heappush(self._queue, (now + AGAIN, next(self._order), act))
        else:
            hit = act.deed is Deed.CREATE or self._deeds[act.deed](act.name)
            (self.done if hit else self.missed)[act.deed] += 1

    def _occupy(self, name: str) -> bool:
        body: Object = {"apiVersion": "v1", "kind": "Secret", "metadata": self._metadata(name)}
        made = secret_of(self._made.kube.create({**body, "stringData": {"theirs": f"content of {name}"}}))
        self._foreign[made.uid] = made.digest
        return True

    def _create(self, act: Act) -> bool:
        user = USERS[sum(act.name.encode()) % len(USERS)]
        spec = {"userRef": {"name": user}, "permission": "ReadWrite"}
        spec["onSecretLoss"] = "Reissue" if act.reissue else "Block"
        body = {"apiVersion": API, "kind": "AccessKey", "metadata": self._metadata(act.name), "spec": spec}
        try:
            made = self._made.kube.create(body)
        except Refused as refused:
            if refused.code != 409:
                raise
            return False
        self._reissues[made["metadata"]["uid"]] = act.reissue
        return True

    def _lose(self, name: str) -> bool:
        found = self._made.kube.find("Secret", name, self._namespace)
        secret = secret_of(found) if found is not None else None
        if secret is None or secret.owner is None:
            return False
        if not self._reissues.get(secret.owner, True):
            self._lost.add(secret.owner)
        path = f"/api/v1/namespaces/{self._namespace}/secrets/{name}"
        try:
            self._made.kube.call("DELETE", path, {"preconditions": {"uid": secret.uid}})
        except Refused as refused:
            if refused.code not in (404, 409):
                raise
            return False
        return True

    def _ask(self, name: str) -> bool:
        found = self._made.kube.find("AccessKey", name, self._namespace)
        published = owner_of(found).published if found is not None else None
        if found is None or published is None or self._made.kube.find("Secret", name, self._namespace) is not None:
            return False
        annotations = {"storekeeper.dev/reissue": str(published.epoch + 1)}
        change = {"metadata": {"uid": found["metadata"]["uid"], "annotations": annotations}}
        try:
            self._made.kube.patch("AccessKey", name, change, self._namespace)
        except Refused as refused:
            if refused.code not in (404, 409):
                raise
            return False
        return True

    def _revoke(self, name: str) -> bool:
        found = self._made.kube.find("AccessKey", name, self._namespace)
        published = owner_of(found).published if found is not None else None
        if published is None:
            return False
        self._revoked.add(published.key)
        try:
            self._made.management.revoke(published.key)
        except Problem as problem:
            if problem.status != 404:
                raise
            return False
        return True

    def _remove(self, name: str) -> bool:
        if self._made.kube.find("AccessKey", name, self._namespace) is None:
            return False
        self._made.kube.delete("AccessKey", name, self._namespace)
        return True

    def _metadata(self, name: str) -> Object:
        return {"name": name, "namespace": self._namespace}
