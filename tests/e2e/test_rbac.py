"""What the operator may do is what docs/rbac.md says, and nothing more: every verb on every resource in every place."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from harness import paths
from harness.installation import NAMESPACE, Installation
from harness.kube import Kube, Object
from harness.rights import EVERYWHERE, PathRight, Right, documented, granted, granted_paths, resources, rules
from harness.waiting import until

# Thousands of questions: seconds on an idle machine, minutes on a busy one.
pytestmark = pytest.mark.timeout(600)
PAGE = paths.REPOSITORY / "docs" / "rbac.md"
APPLICATION = "rbac-application"
PLACES = (NAMESPACE, APPLICATION, "kube-system")
OTHER_PATHS = ("/", "/*", "/metrics", "/logs", "/debug/pprof", "/configz", "/healthz/etcd", "/api/v1/secrets", "*")


@pytest.fixture(scope="module")
def operator(installation: Installation) -> Iterator[Kube]:
    """The API server as the operator's ServiceAccount reaches it, and a namespace of an application."""
    admin = installation.kube
    admin.create({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": APPLICATION}})
    plane = installation.plane
    token = admin.token_for("storekeeper", NAMESPACE)
    yield Kube(plane.endpoint, token, plane.layout.tools / "kubectl", plane.layout.admin_kubeconfig)
    admin.delete("Namespace", APPLICATION)


def told(differences: set[Right] | set[PathRight]) -> str:
    return "\n".join(sorted(map(str, differences)))


def test_the_operator_may_do_what_is_documented_and_nothing_more(operator: Kube, installation: Installation) -> None:
    expected, _ = documented(PAGE, NAMESPACE)
    everything = resources(installation.kube)
    assert {(right.group, right.resource) for right in expected} <= set(everything), "a resource that is not there"
    allowed = granted(operator, PLACES[:2], everything)
    assert not allowed - expected, f"allowed, but not documented:\n{told(allowed - expected)}"
    assert not expected - allowed, f"documented, but not allowed:\n{told(expected - allowed)}"


def test_the_paths_that_it_may_read_are_documented(operator: Kube) -> None:
    _, expected = documented(PAGE, NAMESPACE)
    _, listed = rules(operator, APPLICATION)
    assert listed == expected
    asked = granted_paths(operator, [*sorted({right.path for right in expected}), *OTHER_PATHS])
    # What stands below '/api/*' is no object: those are refused by the tables of objects.
    below = {PathRight("/api/v1/secrets", "get")}
    assert asked - below == expected, told(asked ^ expected)


@pytest.mark.parametrize("place", PLACES)
def test_nothing_is_allowed_by_name_or_on_what_does_not_exist(operator: Kube, place: str) -> None:
    expected, _ = documented(PAGE, NAMESPACE)
    here = {(right.group, right.resource, "", right.verb) for right in expected if right.where in (EVERYWHERE, place)}
    listed, _ = rules(operator, place)
    assert listed == here, f"listed, but not documented: {listed - here}; documented, but not listed: {here - listed}"


def role(kind: str, rule: Object) -> list[Object]:
    """A role and its binding to the operator."""
    group = "rbac.authorization.k8s.io"
    metadata = {"name": "too-much", **({"namespace": APPLICATION} if kind == "Role" else {})}
    subject = {"kind": "ServiceAccount", "name": "storekeeper", "namespace": NAMESPACE}
    reference = {"apiGroup": group, "kind": kind, "name": "too-much"}
    return [
        {"apiVersion": f"{group}/v1", "kind": kind, "metadata": metadata, "rules": [rule]},
        {
            **{"apiVersion": f"{group}/v1", "kind": f"{kind}Binding", "metadata": metadata},
            **{"roleRef": reference, "subjects": [subject]},
        },
    ]


SECRETS = {"apiGroups": [""], "resources": ["secrets"]}


@pytest.mark.parametrize(
    ("kind", "rule"),
    [
        ("Role", {**SECRETS, "verbs": ["update"]}),
        ("ClusterRole", {**SECRETS, "verbs": ["list"]}),
        ("Role", {**SECRETS, "verbs": ["patch"], "resourceNames": ["app-rw"]}),
        ("ClusterRole", {"apiGroups": ["*"], "resources": ["*"], "verbs": ["*"]}),
        ("ClusterRole", {"apiGroups": [""], "resources": ["users"], "verbs": ["impersonate"]}),
        ("ClusterRole", {"nonResourceURLs": ["/metrics"], "verbs": ["get"]}),
    ],
    ids=["update", "list", "by name", "everything", "impersonate", "a path"],
)
def test_one_right_too_many_would_be_found(operator: Kube, installation: Installation, kind: str, rule: Object) -> None:
    expected, expected_paths = documented(PAGE, NAMESPACE)
    few = [("", "secrets"), ("", "users"), ("", "pods")]

    def found() -> bool:
        listed, listed_paths = rules(operator, APPLICATION)
        by_questions = bool(granted(operator, (APPLICATION,), few) - expected)
        by_name = any(name for _, _, name, _ in listed)
        by_path = bool(granted_paths(operator, ["/metrics"]) and listed_paths - expected_paths)
        return by_questions or by_name or by_path

    assert not found()
    manifests = role(kind, rule)
    installation.kube.apply(manifests)
    try:
        until(found, "the right to be found")
    finally:
        where = [f"--namespace={APPLICATION}"] if kind == "Role" else []
        installation.kube.kubectl("delete", *where, kind.lower(), "too-much")
        installation.kube.kubectl("delete", *where, f"{kind.lower()}binding", "too-much")
    until(lambda: not found(), "the right to be gone")
