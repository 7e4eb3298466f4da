"""What an identity may do, asked of the API server: one SelfSubjectAccessReview per verb, resource and place."""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from harness.kube import Kube

VERBS = (
    *("get", "list", "watch", "create", "update", "patch", "delete", "deletecollection"),
    *("bind", "escalate", "impersonate", "use", "approve", "sign", "attest", "*"),
)
METHODS = ("get", "head", "post", "put", "patch", "delete", "*")
# What can be named in a rule although discovery does not know of it.
UNLISTED = (
    *(("", kind) for kind in ("users", "groups", "pods/proxy", "services/proxy", "nodes/proxy", "nodes/metrics")),
    *(("authentication.k8s.io", kind) for kind in ("userextras/scopes", "uids")),
    *(("certificates.k8s.io", "signers"), ("*", "*"), ("", "*"), ("storekeeper.dev", "*"), ("", "secrets/*")),
)
EVERYWHERE, OWN = "everywhere", "own namespace"


@dataclass(frozen=True, order=True)
class Right:
    """A verb on a resource. `where` is a namespace, or `EVERYWHERE`."""

    where: str
    group: str
    resource: str
    verb: str


@dataclass(frozen=True, order=True)
class PathRight:
    """A verb on a path that is no resource."""

    path: str
    verb: str


def _review(kube: Kube, spec: dict[str, Any]) -> bool:
    body = {"apiVersion": "authorization.k8s.io/v1", "kind": "SelfSubjectAccessReview", "spec": spec}
    return bool(kube.call("POST", "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews", body)["status"]["allowed"])


def _asked(kube: Kube, right: Right) -> bool:
    resource, _, sub = right.resource.partition("/")
    attributes = {"verb": right.verb, "group": right.group, "resource": resource, "subresource": sub}
    if right.where != EVERYWHERE:
        attributes["namespace"] = right.where
    return _review(kube, {"resourceAttributes": attributes})


def resources(kube: Kube) -> list[tuple[str, str]]:
    """Group and name of every resource and subresource that the API server has."""
    versions = ["/api/v1"]
    for group in kube.call("GET", "/apis")["groups"]:
        versions += [f"/apis/{version['groupVersion']}" for version in group["versions"]]
    found = set()
    for path in versions:
        group = path.removeprefix("/apis/").partition("/")[0] if path.startswith("/apis/") else ""
        found |= {(group, one["name"]) for one in kube.call("GET", path)["resources"]}
    return sorted(found | set(UNLISTED))


def granted(kube: Kube, wheres: Iterable[str], of: Iterable[tuple[str, str]]) -> set[Right]:
    """What is allowed of all verbs on these resources. In a namespace, only what is not allowed everywhere."""
    questions = [
        Right(where, group, resource, verb)
        for where, (group, resource), verb in itertools.product((EVERYWHERE, *wheres), of, VERBS)
    ]
    with ThreadPoolExecutor(8) as pool:
        answers = pool.map(lambda right: _asked(kube, right), questions)
        allowed = {right for right, answer in zip(questions, answers, strict=True) if answer}
    wide = {(right.group, right.resource, right.verb) for right in allowed if right.where == EVERYWHERE}
    return {
        right for right in allowed if right.where == EVERYWHERE or (right.group, right.resource, right.verb) not in wide
    }


def granted_paths(kube: Kube, paths: Iterable[str]) -> set[PathRight]:
    questions = [PathRight(path, verb) for path, verb in itertools.product(paths, METHODS)]

    def asked(right: PathRight) -> bool:
        return _review(kube, {"nonResourceAttributes": {"path": right.path, "verb": right.verb}})

    return {right for right in questions if asked(right)}


def rules(kube: Kube, namespace: str) -> tuple[set[tuple[str, str, str, str]], set[PathRight]]:
    """The rules that hold in a namespace, as the API server lists them: (group, resource, name or '', verb), and paths.

    Unlike the questions it finds what is allowed for one name only, or on what does not exist.
    """
    body = {"kind": "SelfSubjectRulesReview", "apiVersion": "authorization.k8s.io/v1", "spec": {"namespace": namespace}}
    status = kube.call("POST", "/apis/authorization.k8s.io/v1/selfsubjectrulesreviews", body)["status"]
    assert not status["incomplete"], status
    objects = {
        (group, resource, name, verb)
        for rule in status["resourceRules"]
        for group in rule.get("apiGroups", [])
        for resource in rule.get("resources", [])
        for name in rule.get("resourceNames") or [""]
        for verb in rule["verbs"]
    }
    paths = {
        PathRight(path, verb)
        for rule in status["nonResourceRules"]
        for path in rule.get("nonResourceURLs", [])
        for verb in rule["verbs"]
    }
    return objects, paths


def documented(page: Path, own: str) -> tuple[set[Right], set[PathRight]]:
    """The rights in the tables of a page: rows of five cells are about objects, rows of three about paths."""
    objects, paths = set(), set()
    for line in page.read_text().splitlines():
        cells = [cell.strip() for cell in re.split(r"(?<!\\)\|", line.strip("| "))]
        if len(cells) == 5 and cells[0] in (EVERYWHERE, OWN):
            where, group, resource, verbs, why = cells
            assert why, f"'{resource}' must say why"
            place, group = (EVERYWHERE if where == EVERYWHERE else own), group.replace("core", "")
            objects |= {Right(place, group, resource, verb) for verb in re.split(r",\s*", verbs)}
        elif len(cells) == 3 and cells[0].startswith("/"):
            paths |= {PathRight(cells[0], verb) for verb in re.split(r",\s*", cells[1])}
    return objects, paths
