"""The script of a soak: the same for the same seed, within its time, and with everything in it."""

from __future__ import annotations

from collections import Counter

from soak.planner import Deed, Die, Script, script


def a_script(seed: int = 1) -> Script:
    return script(seed, duration=600, objects=500, operators=2, mean_life=6)


def test_the_seed_decides_everything() -> None:
    assert a_script(1) == a_script(1)
    assert a_script(1) != a_script(2)


def test_everything_happens_within_the_time_and_in_order() -> None:
    for steps in (a_script().acts, a_script().kills):
        times = [step.at for step in steps]
        assert times == sorted(times)
        assert 0 <= times[0] <= times[-1] <= 600


def test_every_name_is_created_and_every_deed_is_done() -> None:
    acts = a_script().acts
    assert {act.name for act in acts if act.deed is Deed.CREATE} == {f"key-{number:04}" for number in range(500)}
    deeds = Counter(act.deed for act in acts)
    assert set(deeds) == set(Deed)
    assert deeds[Deed.CREATE] > 500, "some are created again"
    assert {act.reissue for act in acts if act.deed is Deed.CREATE} == {True, False}


def test_a_name_is_never_created_twice_without_a_deletion_between() -> None:
    lives: Counter[str] = Counter()
    for act in a_script().acts:
        lives[act.name] += {Deed.CREATE: 1, Deed.DELETE: -1}.get(act.deed, 0)
        assert lives[act.name] in (0, 1), act


def test_a_secret_of_somebody_else_is_there_before_the_first_creation() -> None:
    seen: set[str] = set()
    for act in a_script().acts:
        assert act.deed is not Deed.OCCUPY or act.name not in seen
        seen.add(act.name)


def test_each_operator_is_killed_about_as_often_as_asked_for() -> None:
    kills = Counter(kill.operator for kill in a_script().kills)
    assert set(kills) == {0, 1}
    assert all(600 / 7 / 2 < times < 600 / 7 * 2 for times in kills.values()), kills


def test_the_die_drops_its_share() -> None:
    die = Die(1, 0.01)
    assert 50 < sum(die.drops() for _ in range(10_000)) < 200
    assert not any(Die(1, 0).drops() for _ in range(100))
