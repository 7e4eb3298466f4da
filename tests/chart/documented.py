"""docs/install.md as something to run."""

from __future__ import annotations

import os
import re
import subprocess
from pathlib import Path

from chart.cluster import Cluster
from chart.helm import binary
from harness import paths

PAGE = (paths.REPOSITORY / "docs" / "install.md").read_text()
# The way into the cluster is that the server is on this machine; all else goes to the real kubectl.
KUBECTL = """#!/bin/sh
[ "$1" = port-forward ] || [ "$3" = port-forward ] && exec sleep 60
exec '{kubectl}' --kubeconfig='{kubeconfig}' "$@"
"""
HELM = """#!/bin/sh
exec '{helm}' --kubeconfig='{kubeconfig}' "$@"
"""


def script(word: str) -> str:
    """The one script of the page that has this word in it."""
    (found,) = (one for one in re.findall(r"```sh\n(.*?)```", PAGE, re.DOTALL) if word in one)
    return str(found)


def typed(cluster: Cluster, text: str, folder: Path) -> str:
    """Run a script as somebody would who has this cluster's kubeconfig; what it printed."""
    layout = cluster.plane.layout
    commands = folder / "bin"
    commands.mkdir()
    for name, wrapper in (("kubectl", KUBECTL), ("helm", HELM)):
        names = {"kubectl": layout.tools / "kubectl", "helm": binary(), "kubeconfig": layout.admin_kubeconfig}
        (commands / name).write_text(wrapper.format(**names))
        (commands / name).chmod(0o755)
    path = f"{commands}:{os.environ['PATH']}"
    homes = {f"HELM_{kind}_HOME": str(cluster.folder / "helm") for kind in ("CACHE", "CONFIG", "DATA")}
    command = ["timeout", "120", "bash", "-euo", "pipefail", "-c", text]
    environment = {**os.environ, **homes, "PATH": path, "TMPDIR": str(folder)}
    ran = subprocess.run(command, env=environment, capture_output=True, text=True)
    assert ran.returncode == 0, ran.stdout + ran.stderr
    return ran.stdout + ran.stderr
