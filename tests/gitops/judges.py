"""What the tools say of objects: Flux and Helm by kstatus itself, Argo CD by our script in the Lua that it uses."""

from __future__ import annotations

import json
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from clients import argocd, kstatus
from clients.golang import build
from harness.kube import Object

HEALTH = "resource.customizations.health."


@dataclass(frozen=True)
class Said:
    """A word and the text beside it."""

    status: str
    message: str


def _ask(program: Path, question: Any) -> list[Said]:
    done = subprocess.run([program], input=json.dumps(question), capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    return [Said(**one) for one in json.loads(done.stdout)]


def kstatus_of(objects: list[Object]) -> list[Said]:
    """What Flux and Helm wait for."""
    return _ask(build(kstatus.MODULE), objects)


def health_of(objects: list[Object], config: Object) -> list[Said]:
    """What Argo CD shows, with the health checks of a ConfigMap `argocd-cm`."""
    scripts = {name.removeprefix(HEALTH): text for name, text in config["data"].items() if name.startswith(HEALTH)}
    return _ask(build(argocd.MODULE), {"scripts": scripts, "objects": objects})
