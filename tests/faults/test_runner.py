"""How plans are shared out, and what becomes of a plan's result; nothing is carried out here."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from faults import plans, runner
from faults.journal import BROKEN, HELD, NOT_INJECTED, VIOLATED, Entry, Journal
from faults.plans import Plan
from faults.runner import Runner
from faults.scenario import Outcome

PLANS = plans.only(plans.singles(), ["mint/late/*"])


def run(
    monkeypatch: pytest.MonkeyPatch, journal: Journal, carry_out: Callable[[Any, Plan, str], Outcome]
) -> dict[str, Entry]:
    """Carry out four plans, two of each class, in a lane for each class."""
    monkeypatch.setattr(runner, "carry_out", carry_out)
    lanes = [(name, SimpleNamespace(name=f"lane of {name}")) for name in plans.CLASSES]
    Runner(SimpleNamespace(lanes=lanes), journal, "b", lambda _: None).run(PLANS)  # type: ignore[arg-type]
    return journal.entries


@pytest.fixture
def journal(tmp_path: Path) -> Journal:
    return Journal(tmp_path / "journal.jsonl", "b")


@pytest.mark.parametrize(
    ("outcome", "result"),
    [
        (Outcome(1, []), HELD),
        (Outcome(1, ["I2: twice"]), VIOLATED),
        (Outcome(0, []), NOT_INJECTED),
        (Outcome(0, ["I2: twice"]), NOT_INJECTED),
    ],
)
def test_only_a_plan_whose_fault_happened_and_that_violated_nothing_held(
    monkeypatch: pytest.MonkeyPatch, journal: Journal, outcome: Outcome, result: str
) -> None:
    entries = run(monkeypatch, journal, lambda *_: outcome)
    assert {plan: entry.result for plan, entry in entries.items()} == {plan.id: result for plan in PLANS}
    assert all(violation in entry.details for entry in entries.values() for violation in outcome.violations)


def test_a_plan_is_carried_out_in_a_lane_of_its_class_and_under_a_name_of_its_own(
    monkeypatch: pytest.MonkeyPatch, journal: Journal
) -> None:
    seen: list[tuple[str, str, str]] = []

    def carry_out(lane: Any, plan: Plan, name: str) -> Outcome:
        seen.append((lane.name, plan.provider_class, name))
        return Outcome(1, [])

    run(monkeypatch, journal, carry_out)
    assert all(lane == f"lane of {provider_class}" for lane, provider_class, _ in seen)
    assert len({name for _, _, name in seen}) == len(PLANS)


def test_what_is_in_the_journal_is_not_carried_out_again(monkeypatch: pytest.MonkeyPatch, journal: Journal) -> None:
    journal.add(Entry(PLANS[0].id, "b", VIOLATED, 1, 1.0, []))
    names: list[str] = []

    def carry_out(_: Any, plan: Plan, __: str) -> Outcome:
        names.append(plan.id)
        return Outcome(1, [])

    entries = run(monkeypatch, journal, carry_out)
    assert sorted(names) == sorted(plan.id for plan in PLANS[1:])
    assert entries[PLANS[0].id].result == VIOLATED


def test_a_failure_of_the_test_itself_is_no_pass(monkeypatch: pytest.MonkeyPatch, journal: Journal) -> None:
    def carry_out(*_: Any) -> Outcome:
        raise OSError("no such thing")

    entries = run(monkeypatch, journal, carry_out)
    assert {entry.result for entry in entries.values()} == {BROKEN}
    assert all("no such thing" in entry.details[-1] for entry in entries.values())


def test_what_was_interrupted_has_no_result(monkeypatch: pytest.MonkeyPatch, journal: Journal) -> None:
    def watch() -> None:
        raise KeyboardInterrupt

    def carry_out(*_: Any) -> Outcome:
        made.stopped.wait(10)
        return Outcome(1, ["the parts were stopped"])

    monkeypatch.setattr(runner, "carry_out", carry_out)
    lanes = [(name, SimpleNamespace(name=name)) for name in plans.CLASSES]
    made = Runner(SimpleNamespace(lanes=lanes), journal, "b", lambda _: None)  # type: ignore[arg-type]
    with pytest.raises(KeyboardInterrupt):
        made.run(PLANS, watch)
    made.join()
    assert journal.entries == {}
