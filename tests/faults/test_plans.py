"""Which plans there are, and that a sample leaves nothing out."""

from __future__ import annotations

import itertools

from faults import plans
from faults.plans import CLASSES, FAULTS, POINTS, POINTS_OF_B, POLICIES, SHOWING, Phase
from harness.proxy import Fault
from harness.proxy.points import POINTS as NAMED_POINTS


def test_there_are_912_plans_with_one_fault_each_another() -> None:
    found = plans.singles()
    assert (len(POINTS), len(FAULTS), len(SHOWING), len(POLICIES)) == (12, 12, 2, 2)
    assert len(found) == len({plan.id for plan in found}) == 912
    assert sum(plan.provider_class in SHOWING for plan in found) == 576
    assert set(POINTS) | set(POINTS_OF_B) <= NAMED_POINTS
    assert Fault.HANG not in FAULTS


def test_class_b_has_every_fault_at_its_14_steps_under_both_policies() -> None:
    found = [plan for plan in plans.singles() if plan.provider_class == "B"]
    places = [(plan.injections[0].point, plan.injections[0].fault, plan.policy) for plan in found]
    assert sorted(places, key=str) == sorted(itertools.product(POINTS_OF_B, FAULTS, POLICIES), key=str)
    assert len(found) == 336
    assert not set(POINTS_OF_B) & {"intent", "mint"}


def test_the_sample_of_class_b_has_every_step_and_every_fault_under_both_policies() -> None:
    found = plans.sample_of_b()
    assert {(one.point, plan.policy) for plan in found for one in plan.injections} >= set(
        itertools.product(POINTS_OF_B, POLICIES)
    )
    assert {(one.fault, plan.policy) for plan in found for one in plan.injections} == set(
        itertools.product(FAULTS, POLICIES)
    )
    assert {plan.id for plan in found} <= {plan.id for plan in plans.singles() + plans.deletions()}
    assert len(found) == len({plan.id for plan in found}) == 30


def test_the_sample_has_every_fault_at_every_point_and_each_of_them_with_every_class_and_policy() -> None:
    found = plans.sample()
    places = [(injection.point, injection.fault) for plan in found for injection in plan.injections]
    assert sorted(places, key=str) == sorted(itertools.product(POINTS, FAULTS), key=str)
    variants = set(itertools.product(SHOWING, POLICIES))
    for point in POINTS:
        assert {(plan.provider_class, plan.policy) for plan in found if plan.has(point)} == variants, point
    for fault in FAULTS:
        with_fault = [plan for plan in found if plan.injections[0].fault is fault]
        assert {(plan.provider_class, plan.policy) for plan in with_fault} == variants, fault
    assert len(found) == 144
    assert {plan.id for plan in found} <= {plan.id for plan in plans.singles()}


def test_pairs_are_the_same_for_the_same_seed_and_all_different() -> None:
    found = plans.pairs(200, seed=7)
    assert found == plans.pairs(200, seed=7)
    assert found != plans.pairs(200, seed=8)
    assert len({plan.id for plan in found}) == 200
    assert all(len(plan.injections) == 2 for plan in found)


def test_pairs_are_of_the_classes_that_are_asked_for_and_of_their_steps() -> None:
    found = plans.pairs(300, seed=3, classes=("B",))
    assert {plan.provider_class for plan in found} == {"B"}
    assert not any(plan.has(point) for plan in found for point in ("intent", "mint"))
    assert {plan.provider_class for plan in plans.pairs(100, seed=3)} == set(CLASSES)


def test_two_faults_at_one_point_hit_two_requests() -> None:
    found = plans.pairs(2000, seed=1)
    same = [one for one in found if len({(injection.point, injection.phase) for injection in one.injections}) == 1]
    assert same
    assert all([injection.occurrence for injection in plan.injections] == [1, 2] for plan in same)


def test_plans_are_chosen_by_the_form_of_their_names() -> None:
    found = plans.only(plans.singles(), ["mint/late/*", "revoke@replacement/409/A3/*"])
    assert [plan.id for plan in found] == [
        *(f"mint/late/{provider_class}/{policy}" for provider_class in SHOWING for policy in POLICIES),
        "revoke@replacement/409/A3/Retain",
    ]
    assert plans.only(plans.singles(), []) == plans.singles()


def test_a_revocation_is_disturbed_at_a_deletion_and_at_a_replacement() -> None:
    found = [plan.injections[0].phase for plan in plans.singles() if plan.has("revoke")]
    assert set(found) == {Phase.DELETION, Phase.REPLACEMENT}


def test_every_step_of_a_deletion_is_disturbed() -> None:
    found = plans.deletions()
    assert len(found) == len({plan.id for plan in found}) == 324
    assert not {plan.id for plan in found} & {plan.id for plan in plans.singles()}
    assert sum(plan.provider_class == "B" for plan in found) == 108
    assert {plan.policy for plan in found if plan.has("delete-secret")} == {"Delete"}
    sample = plans.sample_of_deletions()
    assert {plan.injections for plan in sample} == {plan.injections for plan in found}
    assert len(sample) == 60
    assert {(plan.provider_class, plan.policy) for plan in sample} == set(itertools.product(SHOWING, POLICIES))
