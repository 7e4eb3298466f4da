"""What is asked of the API server, and what one policy says to it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from admission.cluster import Cluster
from harness.kube import Object, path_of

MERGE = "application/merge-patch+json"
# Whoever has all rights; the policies bind them too.
ROOT = ""


@dataclass(frozen=True)
class Ask:
    """One request. `who` is empty for the cluster's own administrator."""

    method: str
    path: str
    body: Any = None
    who: str = ROOT

    def by(self, who: str) -> Ask:
        return Ask(self.method, self.path, self.body, who)


def create(body: Object) -> Ask:
    return Ask("POST", path_of(body["kind"], body["metadata"].get("namespace")), body)


def change(
    kind: str, name: str, namespace: str | None = None, /, *, sub: str = "", meta: Any = None, **spec: Any
) -> Ask:
    body = {"metadata": meta} if meta is not None else {"spec": spec}
    return Ask("PATCH", path_of(kind, namespace, name) + sub, body)


def delete(kind: str, name: str, namespace: str | None = None) -> Ask:
    return Ask("DELETE", path_of(kind, namespace, name))


@dataclass(frozen=True)
class Case:
    """A policy refuses `refused` in these words, and lets `allowed` through, which differs in what matters."""

    policy: str
    refused: Ask
    says: str
    allowed: tuple[Ask, ...] = ()

    @property
    def binding(self) -> str:
        return f"{self.policy}.storekeeper.dev"


def replace(body: Object) -> Ask:
    metadata = body["metadata"]
    return Ask("PUT", path_of(body["kind"], metadata.get("namespace"), metadata["name"]), body)


def send(cluster: Cluster, ask: Ask, *, dry: bool = True) -> Object:
    """Sends it as who asks; by default nothing is changed."""
    as_somebody = cluster.person(ask.who) if ask.who else cluster.root
    path = ask.path + ("?dryRun=All" if dry else "")
    content_type = MERGE if ask.method == "PATCH" else "application/json"
    return as_somebody.call(ask.method, path, ask.body, content_type)
