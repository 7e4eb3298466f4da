"""One plan in one lane: bring the fault about, leave everything alone until it is quiet, look, delete, look again."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field

from faults import invariants
from faults.aim import about
from faults.evidence import Subject, opens, take
from faults.invariants import DELETED, PUBLISHED, Case, violations
from faults.plans import AT_PROVIDER, CRASHES, Injection, Phase, Plan
from faults.stores import WatchedStore
from harness.kube import Object, condition, is_ready
from harness.lane import Lane
from harness.process import Died
from harness.proxy import Rule
from harness.waiting import Late, until

API = "storekeeper.dev/v1alpha1"
# An attempt without an answer is repeated after ten seconds; a deletion under Retain waits for forty. All else is room
# for a machine that is overloaded.
DEADLINE = 240.0
# Nothing was written for so long: the operator looks at a Ready key every two seconds, and acts at once.
QUIET = 1.0
PERIOD = 0.2
# A step that was not reached by then is not reached at all. On a machine that is overloaded requests time out, and the
# account's circuit breaker stays open for up to half a minute.
REACHED = 120.0
# What no time makes good.
NEVER_HEALS = ("I6:", "alive:")
WRITES = frozenset({"POST", "PUT", "PATCH", "DELETE"})


@dataclass
class Outcome:
    """What came of a plan."""

    injected: int = 0
    """How many of its faults happened."""
    violations: list[str] = field(default_factory=list)


class Scenario:
    """One plan in one lane."""

    def __init__(self, lane: Lane[WatchedStore], plan: Plan, name: str) -> None:
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
        outcome.injected = self.injected()
        return outcome

    def injected(self) -> int:
        """How many of the plan's faults have happened."""
        return sum(rule.hits > 0 for rule in self.rules)

    def clean_up(self) -> None:
        """Remove what the plan left, whatever became of it."""
        for proxy in self.lane.proxies():
            proxy.forget()
        if not self.lane.operator.running():
            self.lane.operator.start()
        kube, space = self.lane.kube, self.lane.name
        kube.delete("AccessKey", self.name, space)
        kube.wait_gone("AccessKey", self.name, space, REACHED)
        for key in self.lane.store.keys(self.name):
            self.lane.store.revoke(key.id)
        for name in (self.name, self.subject.neighbour_name):
            kube.delete("Secret", name, space)
        kube.delete("StorageUser", self.name, space)
        kube.wait_gone("StorageUser", self.name, space, REACHED)

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
        return Subject(lane, self.name, audit_from, lane.store.position(), record)

    def publish(self) -> list[str]:
        """Up to a published key, with the faults of its creation and of its replacement."""
        found = self._during(Phase.CREATION, self._create, PUBLISHED)
        if not found and self.plan.during(Phase.REPLACEMENT):
            self._lose_the_secret()
            found = self._during(Phase.REPLACEMENT, self._ask_for_another, PUBLISHED)
        return found or self.unusable()

    def remove(self) -> list[str]:
        """Up to a deleted AccessKey, and a retained key, with the faults of that."""
        found = self._during(Phase.DELETION, self._delete, DELETED)
        if not found and self.plan.during(Phase.AFTERWARDS):
            found = self._during(Phase.AFTERWARDS, lambda: None, DELETED)
        return found or (self.unusable() if self.plan.policy == "Retain" else [])

    def _during(self, phase: Phase, act: Callable[[], None], rules: dict[str, invariants.Rule]) -> list[str]:
        """Put the faults of a phase in force, act, see that one happens, and judge what comes of it."""
        armed = [self._arm(injection) for injection in self.plan.during(phase)]
        self.rules += armed
        act()
        if armed:
            # Without it the plan is another plan.
            self._until(lambda: any(rule.happened.is_set() for rule in armed), "the fault to happen", REACHED)
        return self.rest(rules)

    def _delete(self) -> None:
        self.lane.kube.delete("AccessKey", self.name, self.lane.name)

    def _create(self) -> None:
        """A user and a key of it at the same moment, so that the user's own steps are part of the plan."""
        user = {"tenantRef": {"name": self.lane.name}, "accountRef": {"name": self.lane.name}}
        key = {"userRef": {"name": self.name}, "permission": "ReadWrite", "deletionPolicy": self.plan.policy}
        self.lane.kube.create(self._object("StorageUser", user))
        self.lane.kube.create(self._object("AccessKey", key))

    def _lose_the_secret(self) -> None:
        """A person deletes the Secret."""
        lane = self.lane
        lost = lane.etcd.secret(lane.name, self.name)
        assert lost is not None
        self.subject.formerly.append(lost.entries)
        lane.kube.delete("Secret", self.name, lane.name)
        self._until(lambda: self._reason() == "SecretLost", "the loss of the Secret to be noticed")

    def _ask_for_another(self) -> None:
        """A person asks for another key; when it is there, the first one is garbage."""
        self._epochs += 1
        wish = {"metadata": {"annotations": {"storekeeper.dev/reissue": str(self._epochs)}}}
        self.lane.kube.patch("AccessKey", self.name, wish, self.lane.name)

    def _arm(self, injection: Injection) -> Rule:
        proxy = self.lane.store.proxy if injection.point in AT_PROVIDER else self.lane.kube_proxy
        only = about(self.lane, self.plan, injection, self.name)
        return proxy.fault(injection.point, injection.fault, injection.occurrence, only)

    def rest(self, rules: dict[str, invariants.Rule]) -> list[str]:
        """Leave everything alone until nothing moves and all is well, or for as long as is reasonable."""
        found: list[str] = ["nothing came to rest"]
        end, written, since, believed = time.monotonic() + DEADLINE, -1, time.monotonic(), rules is DELETED
        while time.monotonic() < end:
            self._tend()
            if not believed and self._says_ready():
                believed = True
                if early := self.lie():
                    return early
            now = sum(request.method in WRITES for proxy in self.lane.proxies() for request in proxy.seen())
            if now != written:
                written, since = now, time.monotonic()
            elif time.monotonic() - since >= QUIET and not self._is_under_way(rules, end):
                found = self.judge(rules)
                if not found or any(violation.startswith(NEVER_HEALS) for violation in found):
                    return found
                # Looking costs the store something, and what heals takes a while.
                since = time.monotonic()
            time.sleep(PERIOD)
        return found

    def _is_under_way(self, rules: dict[str, invariants.Rule], end: float) -> bool:
        """Whether it is too early to look: a request is held back, or what is deleted is still there; of that the last
        moment says why."""
        if any(proxy.holds_back() for proxy in self.lane.proxies()):
            return True
        return rules is DELETED and time.monotonic() < end - 2 * QUIET and self._is_there()

    def _is_there(self) -> bool:
        return self.lane.etcd.custom("accesskeys", self.lane.name, self.name) is not None

    def judge(self, rules: dict[str, invariants.Rule]) -> list[str]:
        """What does not hold now."""
        return violations(rules, Case(self.plan, self.subject, self._epochs), take(self.subject, self._died))

    def _says_ready(self) -> bool:
        return is_ready(self.lane.etcd.custom("accesskeys", self.lane.name, self.name))

    def lie(self) -> list[str]:
        """What must be true from the very moment at which the object first says Ready."""
        seen = take(self.subject)
        recorded = ((seen.key or {}).get("status") or {}).get("published", {}).get("accessKeyId")
        if recorded not in seen.live or recorded in seen.incomplete:
            return [f"too early: Ready with {recorded}; the provider has {seen.live}, by half {seen.incomplete}"]
        if (seen.served or {}).get("AWS_ACCESS_KEY_ID") != recorded:
            return [f"too early: Ready with {recorded}, which is not in the Secret"]
        return []

    def unusable(self) -> list[str]:
        """An application's view: the pair in the Secret opens the store, and one that was replaced does not."""
        if any(opens(self.lane, pair) for pair in self.subject.formerly):
            return ["usable: a pair that was replaced still opens the object store"]
        secret = self.lane.etcd.secret(self.lane.name, self.name)
        if secret is None or not opens(self.lane, secret.entries):
            return ["usable: the pair in the Secret does not open the object store"]
        return []

    def _until(self, probe: Callable[[], bool], what: str, deadline: float = REACHED) -> None:
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


def carry_out(lane: Lane[WatchedStore], plan: Plan, name: str) -> Outcome:
    """Run a plan, and leave the lane as it was."""
    scenario = Scenario(lane, plan, name)
    try:
        outcome = scenario.run()
    except Late as late:
        outcome = Outcome(scenario.injected(), [f"{late}"])
    except BaseException:
        scenario.clean_up()
        raise
    try:
        scenario.clean_up()
    except Late as late:
        # What the plan came to is worth more than that.
        outcome.violations.append(f"clean-up: {late}")
    return outcome
