"""kubectl's own kustomize."""

from __future__ import annotations

import subprocess
from pathlib import Path

import yaml

from harness import paths
from harness.kube import Object


def kustomize(folder: Path) -> list[Object]:
    """`kubectl kustomize` of a folder."""
    command = [paths.tools() / "kubectl", "kustomize", folder]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    return list(yaml.safe_load_all(done.stdout))
