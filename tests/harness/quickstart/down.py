"""`make quickstart-down`: stop what runs, and leave nothing but the logs."""

from __future__ import annotations

import contextlib
import json
from concurrent.futures import ThreadPoolExecutor

from harness import paths
from harness.kube import Object
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
    """Take away what the quick start put into the cluster. Start refused where any of it was there before.

    Its management server goes too, with all that is in it, so nobody has to revoke or delete anything there: the
    operator is stopped first, and its objects are let go. It would wait, for example, for retained buckets.
    Everything is told to go before anything is waited for: namespaces and definitions take their time side by side.
    """
    run.stop("operator")
    ours = clusters.has_definitions(cluster)
    namespaces = [clusters.NAMESPACE]
    if run.manifests_file.exists():
        namespaces += ["team-a", "team-b"]
        if ours:
            cluster.run("delete", "--ignore-not-found", "--wait=false", "-f", run.manifests_file.read_text())
    definitions = [f"{kind}.storekeeper.dev" for kind in clusters.KINDS]
    if ours:
        with ThreadPoolExecutor(4) as pool:
            list(pool.map(lambda one: release(cluster, one), cluster.storekeeper_objects()))
        cluster.run("delete", "crd", "--ignore-not-found", "--wait=false", *definitions)
    cluster.run("delete", "namespace", "--ignore-not-found", "--wait=false", *namespaces)
    cluster.run("delete", "--ignore-not-found", "--wait=false", "-f", paths.RBAC)
    cluster.run("delete", "crd", "--ignore-not-found", "--timeout=60s", *definitions)
    cluster.run("delete", "namespace", "--ignore-not-found", "--timeout=60s", *namespaces)


def release(cluster: Cluster, one: Object) -> None:
    """Drop the finalizers of one object, so that it can go without its operator."""
    kind, name, namespace = one["kind"].lower(), one["metadata"]["name"], one["metadata"].get("namespace")
    where = ("-n", namespace) if namespace else ()
    patch = json.dumps({"metadata": {"finalizers": None}})
    # It may have gone already, with its namespace.
    with contextlib.suppress(StepFailed):
        cluster.run("patch", f"{kind}.storekeeper.dev", name, *where, "--type=merge", "-p", patch)
