"""What somebody does to an AccessKey under test by hand, whichever store it is at; and how the verdict on it reads."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from faults.scenario import Scenario
from harness.kube import Object, path_of


def invariants_of(found: list[str]) -> set[str]:
    """The names of the invariants that are said to be broken."""
    return {violation.partition(":")[0] for violation in found}


def status_of(made: Scenario) -> dict[str, Any]:
    found: dict[str, Any] = made.lane.kube.get("AccessKey", made.name, made.lane.name)["status"]
    return found


def recorded_key(made: Scenario) -> str:
    found: str = status_of(made)["published"]["accessKeyId"]
    return found


def secret_change(change: Object) -> Callable[[Scenario], None]:
    def sabotage(made: Scenario) -> None:
        made.lane.kube.patch("Secret", made.name, change, made.lane.name)

    return sabotage


def status_change(change: Object) -> Callable[[Scenario], None]:
    def sabotage(made: Scenario) -> None:
        path = path_of("AccessKey", made.lane.name, made.name) + "/status"
        made.lane.kube.call("PATCH", path, {"status": change}, "application/merge-patch+json")

    return sabotage


def create_it_again_as_the_operator(made: Scenario) -> None:
    """With the operator's own token: what a second create of an epoch would look like."""
    lane = made.lane
    secret = lane.kube.get("Secret", made.name, lane.name)
    operator = lane.installation.as_operator()
    operator.delete("Secret", made.name, lane.name)
    metadata = {name: secret["metadata"][name] for name in ("name", "namespace", "annotations", "labels")}
    operator.create({**secret, "metadata": metadata})
