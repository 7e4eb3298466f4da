"""The cluster of the quick start: a control plane of its own, or the one that CONTEXT names and no other."""

from __future__ import annotations

import base64
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

from harness import paths
from harness.audit import AuditLog
from harness.controlplane import ControlPlane, Layout
from harness.kube import Object
from harness.kubeconfig import Endpoint, write_kubeconfig
from harness.quickstart.run import Run
from harness.quickstart.ui import Step, StepFailed
from harness.tls import write_private

KINDS = ("storageaccounts", "tenants", "storageusers", "accesskeys", "buckets")
NAMESPACE = "storekeeper-system"
USER = f"system:serviceaccount:{NAMESPACE}:storekeeper"
TOKEN_DAYS = 30


class Cluster:
    """One cluster by one kubeconfig file that knows no other. Everything goes through kubectl, as a person's would."""

    def __init__(self, kubectl: Path, kubeconfig: Path, audit: AuditLog | None) -> None:
        self.kubectl = kubectl
        self.kubeconfig = kubeconfig
        self.audit = audit

    def run(self, *arguments: str | Path, stdin: str | None = None, timeout: float = 120) -> str:
        done = subprocess.run(
            [self.kubectl, f"--kubeconfig={self.kubeconfig}", *arguments],
            input=stdin if stdin is not None else "",
            capture_output=True,
            text=True,
            timeout=timeout,
        )
        if done.returncode != 0:
            raise StepFailed(f"kubectl {' '.join(map(str, arguments[:3]))}: {done.stderr.strip()}")
        return done.stdout

    def json(self, *arguments: str) -> Any:
        return json.loads(self.run(*arguments, "-o", "json"))

    def storekeeper_objects(self) -> list[Object]:
        """All objects of the five kinds."""
        items: list[Object] = self.json("get", ",".join(f"{kind}.storekeeper.dev" for kind in KINDS), "-A")["items"]
        return items

    def entries(self, namespace: str, name: str) -> dict[str, str]:
        """The decoded entries of a Secret."""
        data = self.json("get", "secret", name, "-n", namespace)["data"]
        return {entry: base64.b64decode(value).decode() for entry, value in data.items()}

    def apply_secret(self, name: str, entries: dict[str, str]) -> None:
        """A Secret of the operator's own namespace. Its content goes through a pipe, never into an argument."""
        manifest = {
            "apiVersion": "v1",
            "kind": "Secret",
            "metadata": {"name": name, "namespace": NAMESPACE},
            "stringData": entries,
        }
        self.run("apply", "--server-side", "-f", "-", stdin=json.dumps(manifest))

    def operator_kubeconfig(self, path: Path) -> Path:
        """A kubeconfig of ServiceAccount `storekeeper`, with a token of its own."""
        config = self.json("config", "view", "--raw", "--minify", "--flatten")
        token = self.run("create", "token", "storekeeper", "-n", NAMESPACE, f"--duration={TOKEN_DAYS * 24}h").strip()
        name = config["contexts"][0]["name"]
        config["users"] = [{"name": "storekeeper", "user": {"token": token}}]
        config["contexts"] = [
            {"name": name, "context": {"cluster": config["clusters"][0]["name"], "user": "storekeeper"}}
        ]
        config["current-context"] = name
        write_private(path, json.dumps(config).encode())
        return path


def ensure_tools(step: Step, log: Path) -> Path:
    """The control plane's tools, built when they are not in the cache."""
    found = subprocess.run([sys.executable, paths.BUILD_SCRIPT, "--where"], capture_output=True, text=True)
    if found.returncode == 0:
        step.note = (
            "from $KUBEBUILDER_ASSETS" if found.stdout.strip() == os.environ.get("KUBEBUILDER_ASSETS") else "cached"
        )
        return Path(found.stdout.strip())
    step.log = log
    with open(log, "wb") as out:
        built = subprocess.run([sys.executable, paths.BUILD_SCRIPT], stdout=subprocess.PIPE, stderr=out, text=True)
    if built.returncode != 0:
        raise StepFailed("the control plane's tools could not be built", log)
    step.note = "cached from now on"
    return Path(built.stdout.strip())


def start_own(run: Run, tools: Path) -> Cluster:
    """Start etcd, kube-apiserver and kube-controller-manager, detached."""
    plane = ControlPlane(Layout(run.state / "cluster", tools, run.logs))
    plane.write_files()
    for process, probe in plane.probes():
        run.launch(process.name, process.command, probe)
    endpoint = Endpoint(plane.endpoint.url, plane.certificates.ca)
    write_kubeconfig(run.kubeconfig, endpoint, plane.admin_token, "storekeeper-quickstart")
    return Cluster(tools / "kubectl", run.kubeconfig, AuditLog(plane.layout.audit_log))


def use_existing(run: Run, context: str, kubectl: Path) -> Cluster:
    """Take the one context, and refuse a cluster where storekeeper is at home already."""
    command = [str(kubectl), f"--context={context}", "config", "view", "--raw", "--minify", "--flatten"]
    shown = subprocess.run(command, capture_output=True, text=True, stdin=subprocess.DEVNULL)
    if shown.returncode != 0:
        raise StepFailed(f"context '{context}' must be in your kubeconfig: {shown.stderr.strip()}")
    write_private(run.kubeconfig, shown.stdout.encode())
    cluster = Cluster(kubectl, run.kubeconfig, None)
    there = cluster.run("get", "crd", "-o", "name", "--request-timeout=15s").split()
    if any(name.endswith(".storekeeper.dev") for name in there):
        raise StepFailed(f"context '{context}' must not have storekeeper's CRDs yet: the quick start would remove them")
    names = cluster.run("get", "namespace", "-o", "name").split()
    taken = [name for name in (NAMESPACE, "team-a", "team-b") if f"namespace/{name}" in names]
    if taken:
        raise StepFailed(f"context '{context}' must not have the namespaces {', '.join(taken)} yet")
    run.context_file.write_text(context)
    return cluster


def has_definitions(cluster: Cluster) -> bool:
    """Whether the cluster knows storekeeper's kinds."""
    return "storageaccounts.storekeeper.dev" in cluster.run("get", "crd", "-o", "name")


def reopen(run: Run) -> Cluster:
    """The cluster of a quick start that runs."""
    return Cluster(find_kubectl() or paths.tools() / "kubectl", run.kubeconfig, None)


def find_kubectl() -> Path | None:
    found = shutil.which("kubectl")
    return Path(found) if found else None
