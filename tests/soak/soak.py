"""One soak from the start of its processes to its report."""

from __future__ import annotations

import sys
import time
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

from harness.installation import ACCOUNT, OPERATOR, Installation
from harness.kube import Kube
from harness.management import Management
from harness.operator_process import OperatorProcess
from harness.proxy import Fault
from soak.chaos import Drops, Supervisor
from soak.checks import (
    Violation,
    at_rest,
    operators_do_not_panic,
    over_time,
    secrets_are_created_and_deleted_only,
)
from soak.facts import Owner
from soak.history import History
from soak.people import People, prepare
from soak.planner import Deed, script
from soak.report import Report
from soak.scene import CREATED, REVOKED, last_event, look, provider_events
from soak.witness import Witness

NAMESPACE = "soak"
OPERATORS = 2
# Seconds. What was asked for without an answer is asked for again some seconds after this.
REQUEST_TIMEOUT = 5
EVERY = 5.0
# Something is left to do, and nothing has moved for so long: that is how it ends. On a slow machine things move slowly.
STUCK = 90.0
LONGEST_REST = 1800.0


@dataclass(frozen=True)
class Settings:
    """What a run is made of."""

    seed: int
    duration: float
    objects: int
    mean_life: float = 6.0
    drop: float = 0.01
    resync: str = "30s"
    quiet: float = 20.0
    """Seconds without a write or a revocation, after which it is quiet: longer than the operator waits for anything."""
    talks: bool = True

    def options(self) -> tuple[str, ...]:
        return ("--resync-interval", self.resync, "--secret-check-interval", "10s", "--log-level", "info")


class Progress:
    """A line that is written over on a terminal, and a line now and then elsewhere."""

    def __init__(self, talks: bool) -> None:
        self._talks = talks
        self._terminal = sys.stderr.isatty()
        self._last = 0.0

    def say(self, text: str) -> None:
        if not self._talks or not (self._terminal or time.monotonic() - self._last >= EVERY):
            return
        self._last = time.monotonic()
        print(f"\r\x1b[K{text}" if self._terminal else text, end="" if self._terminal else "\n", file=sys.stderr)
        sys.stderr.flush()

    def end(self) -> None:
        if self._talks and self._terminal:
            print(file=sys.stderr)


class Soak:
    """`run` does all of it. Its parts are there for the test that plants violations when all is done."""

    def __init__(self, folder: Path, settings: Settings) -> None:
        self.settings = settings
        self.made = Installation(folder, operator_options=settings.options())
        self.operators: list[OperatorProcess] = []
        self._progress = Progress(settings.talks)
        self._plan = script(settings.seed, settings.duration, settings.objects, OPERATORS, settings.mean_life)
        self._people: People
        self._history: History
        self._witness: Witness
        self._since: tuple[int, int]

    def run(self) -> Report:
        """Start everything, run, judge, and stop everything."""
        try:
            self.start()
            return self.fire()
        finally:
            self.stop()

    def start(self) -> None:
        """Everything up to Ready users, two operators, and the watchers."""
        self._progress.say("starting the control plane, the management server and two operators")
        made, options = self.made, self.settings.options()
        made.start()
        made.kube.patch("StorageAccount", ACCOUNT, {"spec": {"limits": {"requestTimeoutSeconds": REQUEST_TIMEOUT}}})
        prepare(made, NAMESPACE)
        second = OperatorProcess(made.operator_kubeconfig(), made.logs, name="second", options=options)
        self.operators = [made.operator, second]
        second.start()
        self._since = last_event(made.management), made.audit.position()
        self._history = History(made.plane.endpoint, made.plane.admin_token, (NAMESPACE,))
        self._history.start()
        self._witness = Witness(*self._clients())
        made.management_proxy.fault("revoke", Fault.DROP_BEFORE, occurrence=0, only=self._witness)
        self._people = People(made, NAMESPACE, self._plan.acts)

    def stop(self) -> None:
        self._progress.end()
        if hasattr(self, "_history"):
            self._history.stop()
        for operator in self.operators:
            operator.kill()
        self.made.stop()

    def fire(self) -> Report:
        """The script, the rest after it, and the reckoning."""
        drops = Drops(self.made, self.settings.seed, self.settings.drop)
        supervisor = Supervisor(self.operators, self._plan.kills)
        began = time.monotonic()
        for thread in (self._people, supervisor):
            thread.start()
        while self._people.is_alive() or not supervisor.is_done() or time.monotonic() - began < self.settings.duration:
            wrong = len(over_time(self._history.changes())) + len(self._witness.violations)
            self._progress.say(f"{self._line(began)}, {supervisor.kills} kills, {wrong} violations")
            if self._people.failure or supervisor.failure:
                break
            time.sleep(1)
        drops.stop()
        ended = time.monotonic()
        if self._people.failure is not None:
            raise self._people.failure
        self._rest(ended)
        supervisor.end()
        report = Report(self.settings.seed, ended - began, settled_after_seconds=time.monotonic() - ended)
        report.kills = supervisor.kills
        report.exits = {str(code): times for code, times in supervisor.exits.items()}
        report.answers_dropped = dict(drops.by_step())
        report.requests = sum(len(proxy.seen()) for proxy in self.made.proxies())
        self._count(report)
        report.violations = [*self.reckon(report), *operators_do_not_panic(supervisor.exits)]
        return report

    def reckon(self, report: Report | None = None) -> list[Violation]:
        """Every rule, over all that was seen and all that is there now."""
        made, since = self.made, self._since
        self._history.catch_up(made.kube)
        changes = self._history.changes()
        excuses = self._people.excuses()
        revoked = provider_events(made.management, REVOKED, since[0])
        rest = look(made, [NAMESPACE], excuses)
        if report is not None:
            report.writes_watched, report.live_keys, report.keys_used = (
                len(changes),
                len(rest.keys),
                len(rest.opens or ()),
            )
            report.at_the_end = dict(Counter(owner.reason for owner in rest.owners))
        calls = [call for call in made.audit.calls(since[1], OPERATOR) if call.namespace == NAMESPACE]
        return [
            *at_rest(rest),
            *over_time(changes, revoked, excuses.revoked),
            *self._witness.violations,
            *secrets_are_created_and_deleted_only({call.verb for call in calls if call.resource == "secrets"}),
        ]

    def _rest(self, ended: float) -> None:
        """Leave it alone until nothing moves any more; what is left to do then is a violation."""
        made, keys, moved = self.made, set[str](), ended
        position = made.audit.position()
        while (now := time.monotonic()) - ended < LONGEST_REST:
            rest = look(made, [NAMESPACE], self._people.excuses(), probe=False)
            here = {key.id for key in rest.keys}
            if here != keys or made.audit.writes(position, OPERATOR):
                keys, moved, position = here, now, made.audit.position()
            left = at_rest(rest)
            if now - moved >= (STUCK if left else self.settings.quiet):
                return
            self._progress.say(f"left alone for {now - ended:.0f} s: {len(left)} things to do")
            time.sleep(1)

    def _count(self, report: Report) -> None:
        made, done = self.made, self._people.done
        report.objects_created, report.objects_deleted = done[Deed.CREATE], done[Deed.DELETE]
        report.names_created_again = done[Deed.CREATE] - self.settings.objects
        report.secrets_removed_by_people, report.keys_revoked_by_people = done[Deed.LOSE], done[Deed.REVOKE]
        report.foreign_secrets = done[Deed.OCCUPY]
        report.keys_made = len(provider_events(made.management, CREATED, self._since[0]))
        report.keys_revoked = len(provider_events(made.management, REVOKED, self._since[0]))
        report.revocations_judged = self._witness.judged
        writes = made.audit.writes(self._since[1], OPERATOR)
        accepted = [call.verb for call in writes if call.resource == "secrets" and call.code < 400]
        report.secrets_created, report.secrets_deleted_by_operators = accepted.count("create"), accepted.count("delete")

    def _line(self, began: float) -> str:
        owners = {change.seen.uid: change for change in self._history.changes() if isinstance(change.seen, Owner)}
        alive = [change.seen for change in owners.values() if not change.gone]
        ready = sum(isinstance(owner, Owner) and owner.ready for owner in alive)
        return f"{time.monotonic() - began:4.0f} s: {len(alive)} AccessKeys, {ready} Ready"

    def _clients(self) -> tuple[Kube, Management]:
        """For another thread: connections are not shared between threads."""
        made, layout = self.made, self.made.plane.layout
        kube = Kube(made.plane.endpoint, made.plane.admin_token, layout.tools / "kubectl", layout.admin_kubeconfig)
        return kube, Management(made.server.endpoint, made.certificates.ca, made.token)
