"""`kubectl storekeeper check`: what is well is said, and what is missing is named."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager

from e2e.world import World
from harness.installation import Installation
from harness.kube import Object
from harness.operator_process import OperatorProcess
from harness.running import started
from harness.waiting import until
from plugin.conftest import NAMESPACE, Answer, Plugin

IN = ("-n", NAMESPACE)
ROLES = "/apis/rbac.authorization.k8s.io/v1/clusterroles"
BINDINGS = "/apis/admissionregistration.k8s.io/v1/validatingadmissionpolicybindings"
LEASE = "/apis/coordination.k8s.io/v1/namespaces/storekeeper-system/leases/storekeeper"
MERGE = "application/merge-patch+json"


def bad(answer: Answer) -> list[str]:
    return [one["message"] for one in json.loads(answer.out)["items"] if one["level"] == "Bad"]


@contextmanager
def changed(installation: Installation, path: str, change: Object) -> Iterator[None]:
    """An object with a part of it changed, and put back."""
    before = installation.kube.call("GET", path)
    back = {name: before[name] for name in change}
    installation.kube.call("PATCH", path, change, MERGE)
    try:
        yield
    finally:
        installation.kube.call("PATCH", path, back, MERGE)


def test_an_administrator_sees_that_nothing_is_wrong(plugin: Plugin, world: World) -> None:
    said = plugin("check", *IN, "-o", "json")
    assert (said.code, bad(said)) == (0, [])
    levels = {one["message"]: one["level"] for one in json.loads(said.out)["items"]}
    assert "Unknown" not in levels.values(), levels
    assert levels["25 of 25 policies refuse (Deny)."] == "Good"
    assert levels["'main' is Ready."] == "Good"
    text = plugin("check", *IN).out
    assert text.endswith("Nothing is wrong.\n")


def test_a_person_is_told_which_rights_of_a_role_are_missing(plugin: Plugin, world: World) -> None:
    assert plugin("check", *IN, "--role", "full-access", "--as", "fay").code == 0
    said = plugin("check", *IN, "--role", "full-access", "--as", "rob", "-o", "json")
    assert said.code == 1
    (missing,) = bad(said)
    for right in ("`create`", "`grant` permissions/Full"):
        assert right in missing, missing
    assert plugin("check", *IN, "--as", "rob").code == 0, "nobody said that rob needs more"
    # kubectl's own question has the wrong answer here.
    assert plugin("check", *IN, "--role", "tenant-administrator", "--as", "tina").code == 0


def test_a_right_that_the_operator_lacks_is_named(plugin: Plugin, world: World, installation: Installation) -> None:
    rules = installation.kube.call("GET", f"{ROLES}/storekeeper")["rules"]
    fewer = [
        {**rule, "verbs": [verb for verb in rule["verbs"] if verb != "delete"]}
        if "secrets" in rule["resources"]
        else rule
        for rule in rules
    ]
    with changed(installation, f"{ROLES}/storekeeper", {"rules": fewer}):
        said = plugin("check", *IN, "-o", "json")
        assert said.code == 1
        (missing,) = bad(said)
        assert "may not `delete` secrets" in missing
        # Who may not ask about others is told so, and no more.
        assert plugin("check", *IN, "--as", "rob").code == 0


def test_a_policy_on_trial_is_named(plugin: Plugin, world: World, installation: Installation) -> None:
    path = f"{BINDINGS}/bucket-delete.storekeeper.dev"
    with changed(installation, path, {"spec": {"validationActions": ["Warn", "Audit"]}}):
        said = plugin("check", *IN)
        assert (said.code, "only warn: bucket-delete" in said.out) == (0, True)


def test_custom_resources_of_another_version_are_told_by_their_fields(
    plugin: Plugin, world: World, installation: Installation
) -> None:
    path = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions/tenants.storekeeper.dev"
    before = installation.kube.call("GET", path)
    older = json.loads(json.dumps(before["spec"]["versions"]))
    del older[0]["schema"]["openAPIV3Schema"]["properties"]["spec"]["properties"]["onWithdrawal"]
    installation.kube.call("PATCH", path, {"spec": {"versions": older}}, MERGE)
    try:
        # The API server takes the new schema into its document a moment later.
        until(lambda: plugin("check", *IN).code == 1, "the older version to be noticed")
        assert "Tenant `spec.onWithdrawal`" in plugin("check", *IN).out
    finally:
        installation.kube.call("PATCH", path, {"spec": {"versions": before["spec"]["versions"]}}, MERGE)
        until(lambda: plugin("check", *IN).code == 0, "this version to be noticed")


def test_an_operator_that_stopped_is_missed(plugin: Plugin, world: World, installation: Installation) -> None:
    kubeconfig = installation.operator_kubeconfig(direct=True)
    leader = OperatorProcess(kubeconfig, installation.logs, leader_election=True, name="leader")
    with started(leader):
        until(lambda: "' is at work." in plugin("check", *IN).out, "the leader to be seen")
    said = plugin("check", *IN)
    assert (said.code, "is held by nobody" in said.out) == (1, True)
    installation.kube.call("DELETE", LEASE)
    assert plugin("check", *IN).code == 0, "it may run without leader election"
    elsewhere = plugin("check", *IN, "--operator-namespace", "default")
    assert (elsewhere.code, "'default/storekeeper' does not exist" in elsewhere.out) == (1, True)


def test_kubectl_completes_by_the_script(plugin: Plugin, world: World) -> None:
    script = plugin("completion")
    assert (script.code, "__complete" in script.out) == (0, True)
    for words, expected in ((("reissue", "-n", NAMESPACE, "wo"), "works"), (("status", "sto"), "storageuser")):
        assert expected in plugin("__complete", *words).out.splitlines()
