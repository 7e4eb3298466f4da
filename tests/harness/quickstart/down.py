"""`make quickstart-down`: stop what runs, and leave nothing but the logs."""

from __future__ import annotations

import contextlib
import json

from harness import paths
from harness.quickstart import cluster as clusters
from harness.quickstart.cluster import Cluster
from harness.quickstart.run import NAMES, Run
from harness.quickstart.ui import StepFailed, Ui


def down(ui: Ui, run: Run) -> None:
    """Stop the quick start; says so when there is none."""
    if not run.running() and run.context() is None:
        run.forget()
        ui.say("no quick start is running")
        return
    with ui.step("stopping the quick start") as step:
        stop_all(run)
        step.done = "quick start stopped"
        step.note = f"the logs are kept in {run.logs.relative_to(paths.REPOSITORY)}/"


def stop_all(run: Run) -> None:
    """Stop every process by its pid, after leaving somebody else's cluster as it was found."""
    if run.context() is not None and run.kubeconfig.exists():
        remove_from(clusters.reopen(run), run)
    for name in NAMES:
        run.stop(name)
    run.forget()


def remove_from(cluster: Cluster, run: Run) -> None:
    """Take away what the quick start put into the cluster. Start refused where any of it was there before."""
    if run.manifests_file.exists():
        manifests = run.manifests_file.read_text()
        # The operator may not run any more; what is left then is let go below.
        with contextlib.suppress(StepFailed):
            cluster.run("delete", "--ignore-not-found", "--timeout=60s", "-f", manifests, timeout=90)
    run.stop("operator")
    if "storageaccounts.storekeeper.dev" in cluster.run("get", "crd", "-o", "name"):
        for one in cluster.storekeeper_objects():
            release(cluster, one["kind"].lower(), one["metadata"]["name"], one["metadata"].get("namespace"))
        names = [f"{kind}.storekeeper.dev" for kind in clusters.KINDS]
        cluster.run("delete", "crd", "--ignore-not-found", "--timeout=60s", *names)
    if run.manifests_file.exists():
        namespaces = ["team-a", "team-b"]
        cluster.run("delete", "namespace", "--ignore-not-found", "--timeout=60s", *namespaces)
    cluster.run("delete", "--ignore-not-found", "--timeout=60s", "-f", paths.RBAC)


def release(cluster: Cluster, kind: str, name: str, namespace: str | None) -> None:
    """Drop the finalizers of one object, so that it can go without its operator."""
    where = ("-n", namespace) if namespace else ()
    patch = json.dumps({"metadata": {"finalizers": None}})
    cluster.run("patch", f"{kind}.storekeeper.dev", name, *where, "--type=merge", "-p", patch)
