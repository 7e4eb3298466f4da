"""One installation with policies and roles, whose people call `kubectl storekeeper`."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from admission.cluster import install_policies
from e2e.world import World
from harness import paths
from harness.installation import Installation
from harness.running import started

NAMESPACE = "team-plugin"
TENANT = "plugin"


@dataclass(frozen=True)
class Answer:
    """What a call of the plugin came to."""

    code: int
    out: str
    err: str


@dataclass(frozen=True)
class Plugin:
    """`kubectl storekeeper`, with nothing but kubectl and the plugin on the PATH."""

    kubectl: Path
    kubeconfig: Path
    folder: Path

    def __call__(self, *arguments: str, stdin: str = "") -> Answer:
        path = f"{self.folder}{os.pathsep}{self.kubectl.parent}"
        environment = {"PATH": path, "HOME": str(self.folder), "KUBECONFIG": str(self.kubeconfig)}
        command = [str(self.kubectl), "storekeeper", *arguments]
        done = subprocess.run(command, input=stdin, capture_output=True, text=True, env=environment, timeout=60)
        return Answer(done.returncode, done.stdout, done.stderr)


@pytest.fixture(scope="session")
def installation(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Installation]:
    with started(Installation(tmp_path_factory.mktemp("installation"))) as made:
        made.kube.kubectl("apply", "-k", str(paths.ROLES))
        install_policies(made.kube, paths.POLICIES, paths.POLICIES / "mutating")
        labels = {"storekeeper.dev/tenant": TENANT}
        made.kube.create({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": NAMESPACE, "labels": labels}})
        for role, person in (("full-access", "fay"), ("read-only", "rob"), ("tenant-administrator", "tina")):
            bind(made, f"{person}s", f"storekeeper-{role}", person)
        yield made


def bind(installation: Installation, name: str, role: str, person: str) -> None:
    installation.kube.create(
        {
            "apiVersion": "rbac.authorization.k8s.io/v1",
            "kind": "RoleBinding",
            "metadata": {"name": name, "namespace": NAMESPACE},
            "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": role},
            "subjects": [{"apiGroup": "rbac.authorization.k8s.io", "kind": "User", "name": person}],
        }
    )


@pytest.fixture(scope="session")
def plugin(installation: Installation, tmp_path_factory: pytest.TempPathFactory) -> Plugin:
    folder = tmp_path_factory.mktemp("path")
    (folder / "kubectl-storekeeper").symlink_to(paths.plugin_binary())
    layout = installation.plane.layout
    return Plugin(layout.tools / "kubectl", layout.admin_kubeconfig, folder)


@pytest.fixture(scope="session")
def world(installation: Installation) -> World:
    """A Tenant with a user, a bucket, and keys: one that works, and one whose Secret was deleted."""
    world = World(installation, NAMESPACE)
    world.tenant_name = TENANT
    world.tenant(TENANT, namespaces=[NAMESPACE])
    world.user("app")
    world.ready("StorageUser", "app")
    world.bucket("data")
    for name in ("works", "lost"):
        world.key(name, permission="Read")
    for kind, name in (("Bucket", "data"), ("AccessKey", "works"), ("AccessKey", "lost")):
        world.ready(kind, name)
    world.kube.delete("Secret", "lost", NAMESPACE)
    world.touch("AccessKey", "lost")
    world.reason("AccessKey", "lost", "SecretLost")
    return world
