"""One plan in one lane: bring the fault about, leave everything alone until it is quiet, look, delete, look again.

creation     a StorageUser and an AccessKey are made at once; nearly every point is a step of that
reissue      somebody deletes the Secret and asks for another key; the old one is garbage and is revoked
deletion     the AccessKey is deleted; its key is revoked
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field

from faults import invariants
from faults.evidence import Subject, last_sequence, opens, take
from faults.invariants import DELETED, PUBLISHED, Case, violations
from faults.plans import AT_PROVIDER, CRASHES, Injection, Plan
from harness.kube import Object, condition
from harness.lane import Lane
from harness.process import Died
from harness.proxy import FaultProxy, Rule
from harness.proxy.messages import Request
from harness.waiting import Late, until

API = "storekeeper.dev/v1alpha1"
# An attempt without an answer is repeated after ten seconds; a deletion under Retain waits for forty.
DEADLINE = 120.0
# Nothing was written for so long: the operator looks at a Ready key every two seconds, and acts at once.
QUIET = 1.0
PERIOD = 0.2
# A step that was not reached by then is not reached at all.
REACHED = 45.0
WRITES = frozenset({"POST", "PUT", "PATCH", "DELETE"})


@dataclass
class Outcome:
    """What came of a plan."""

    injected: int = 0
    """How many of its faults happened."""
    violations: list[str] = field(default_factory=list)


class Scenario:
    """One plan in one lane."""

    def __init__(self, lane: Lane, plan: Plan, name: str) -> None:
        self.lane = lane
        self.plan = plan
        self.name = name
        self.rules: list[Rule] = []
        self._restarts = 0
        self._died = False
        self._epochs = 1
        self.subject = self._begin()

    def run(self) -> Outcome:
        """The whole plan. What is not injected must be found out by the caller, from `injected`."""
        outcome = Outcome()
        outcome.violations = self.publish() or self.remove()
        outcome.injected = sum(rule.hits > 0 for rule in self.rules)
        return outcome

    def clean_up(self) -> None:
        """Remove what the plan left, whatever became of it."""
        for proxy in self.lane.proxies():
            proxy.forget()
        if not self.lane.operator.running():
            self.lane.operator.start()
        kube, space = self.lane.kube, self.lane.name
        kube.delete("AccessKey", self.name, space)
        kube.wait_gone("AccessKey", self.name, space, 60)
        for key in self.lane.management.access_keys(label=f"storekeeper.dev/name:{self.name}"):
            self.lane.management.revoke(key["accessKeyId"])
        for name in (self.name, self.subject.neighbour_name):
            kube.delete("Secret", name, space)
        kube.delete("StorageUser", self.name, space)
        kube.wait_gone("StorageUser", self.name, space, 60)

    def _begin(self) -> Subject:
        lane = self.lane
        for proxy in lane.proxies():
            proxy.forget()
        neighbour = f"{self.name}-neighbour"
        metadata = {"name": neighbour, "namespace": lane.name}
        audit_from = lane.installation.audit.position()
        lane.kube.create({"apiVersion": "v1", "kind": "Secret", "metadata": metadata, "stringData": {"some": "thing"}})
        record = lane.etcd.record(f"/registry/secrets/{lane.name}/{neighbour}")
        assert record is not None
        return Subject(lane, self.name, audit_from, last_sequence(lane), record)

    def publish(self) -> list[str]:
        """Up to a published key, with the faults of its creation and of its replacement."""
        self._arm(lambda injection: injection.point != "revoke")
        self._create()
        self._happened()
        found = self.rest(PUBLISHED)
        if found or not self.plan.reissues:
            return found or self.unusable()
        self._ask_for_another()
        self._happened()
        return self.rest(PUBLISHED) or self.unusable()

    def remove(self) -> list[str]:
        if self.plan.revokes_by_deletion:
            self._arm(lambda _: True)
        self.lane.kube.delete("AccessKey", self.name, self.lane.name)
        self._happened()
        found = self.rest(DELETED)
        return found or (self.unusable() if self.plan.policy == "Retain" else [])

    def _create(self) -> None:
        """A user and a key of it at the same moment, so that the user's own steps are part of the plan."""
        user = {"tenantRef": {"name": self.lane.name}, "accountRef": {"name": self.lane.name}}
        key = {"userRef": {"name": self.name}, "permission": "ReadWrite", "deletionPolicy": self.plan.policy}
        self.lane.kube.create(self._object("StorageUser", user))
        self.lane.kube.create(self._object("AccessKey", key))

    def _ask_for_another(self) -> None:
        """A person loses the Secret and asks for another key, which makes the first one garbage."""
        kube, space = self.lane.kube, self.lane.name
        published = kube.get("AccessKey", self.name, space)["status"]["published"]
        self.subject.formerly.append(published["accessKeyId"])
        kube.delete("Secret", self.name, space)
        self._until(lambda: self._reason() == "SecretLost", "the loss of the Secret to be noticed")
        self._arm(lambda injection: injection.point == "revoke")
        self._epochs += 1
        wish = {"metadata": {"annotations": {"storekeeper.dev/reissue": str(self._epochs)}}}
        kube.patch("AccessKey", self.name, wish, space)

    def _arm(self, which: Callable[[Injection], bool]) -> None:
        for injection in filter(which, self.plan.injections):
            proxy = self._proxy_of(injection.point)
            matcher = _about(injection.point, self.name)
            self.rules.append(proxy.fault(injection.point, injection.fault, injection.occurrence, matcher))

    def _proxy_of(self, point: str) -> FaultProxy:
        return self.lane.management_proxy if point in AT_PROVIDER else self.lane.kube_proxy

    def _happened(self) -> None:
        """Wait for the first fault that is in force, if there is one: without it the plan is another plan."""
        if self.rules:
            self._until(lambda: any(rule.happened.is_set() for rule in self.rules), "the fault to happen", REACHED)

    def rest(self, rules: dict[str, invariants.Rule]) -> list[str]:
        """Leave everything alone until nothing moves and all is well, or for as long as is reasonable."""
        found: list[str] = ["nothing came to rest"]
        end, written, since = time.monotonic() + DEADLINE, -1, time.monotonic()
        while time.monotonic() < end:
            self._tend()
            now = sum(request.method in WRITES for proxy in self.lane.proxies() for request in proxy.seen())
            if now != written:
                written, since = now, time.monotonic()
            elif time.monotonic() - since >= QUIET and not any(proxy.holds_back() for proxy in self.lane.proxies()):
                found = self.judge(rules)
                if not found:
                    return []
            time.sleep(PERIOD)
        return found

    def judge(self, rules: dict[str, invariants.Rule]) -> list[str]:
        """What does not hold now."""
        return violations(rules, Case(self.plan, self.subject, self._epochs), take(self.subject, self._died))

    def unusable(self) -> list[str]:
        """An application's view: the pair in the Secret opens the store."""
        secret = self.lane.etcd.secret(self.lane.name, self.name)
        if secret is None or not opens(self.lane, secret.entries):
            return ["usable: the pair in the Secret does not open the object store"]
        return []

    def _until(self, probe: Callable[[], bool], what: str, deadline: float = 60.0) -> None:
        def tended() -> bool:
            self._tend()
            return probe()

        until(tended, what, deadline, self._reason, PERIOD)

    def _tend(self) -> None:
        """What a Deployment does: an operator that has ended is started again. One that nobody killed is noted."""
        operator = self.lane.operator
        if operator.running():
            return
        kills = sum(rule.fault in CRASHES and rule.hits > 0 for rule in self.rules)
        if self._restarts >= kills:
            self._died = True
        self._restarts += 1
        try:
            operator.start()
        except Died:
            # Killed again while it started: the next look finds that.
            return

    def _reason(self) -> str | None:
        ready = condition(self.lane.kube.find("AccessKey", self.name, self.lane.name))
        return ready["reason"] if ready else None

    def _object(self, kind: str, spec: Object) -> Object:
        metadata = {"name": self.name, "namespace": self.lane.name}
        return {"apiVersion": API, "kind": kind, "metadata": metadata, "spec": spec}


def _about(point: str, name: str) -> Callable[[Request], bool]:
    """Which requests at a point count: those about the plan's objects, as far as requests say what they are about."""

    def named(request: Request) -> bool:
        return name.encode() in request.raw

    def recorded(request: Request) -> bool:
        return named(request) and b'"published"' in request.body

    def made(request: Request) -> bool:
        return named(request) and request.method == "POST"

    def anything(_: Request) -> bool:
        return True

    special = {"status": recorded, "ensure-user": made}
    # A list is of an owner's uid, a revocation of a key's id; the lane has no other owner.
    unnamed = {"list-keys": anything, "sweep-list": anything, "revoke": anything}
    return {**special, **unnamed}.get(point, named)


def carry_out(lane: Lane, plan: Plan, name: str) -> Outcome:
    """Run a plan, and leave the lane as it was."""
    scenario = Scenario(lane, plan, name)
    try:
        outcome = scenario.run()
    except Late as late:
        injected = sum(rule.hits > 0 for rule in scenario.rules)
        outcome = Outcome(injected, [f"{late}"])
    finally:
        scenario.clean_up()
    return outcome
