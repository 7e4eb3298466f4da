"""helm as a person runs it, with a home of its own, and the sets of values that the tests render and install."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from functools import cache
from pathlib import Path
from typing import Any

import yaml

from harness import paths
from harness.kube import Object

CHART = paths.REPOSITORY / "charts" / "storekeeper"
HERE = Path(__file__).resolve().parent
VALUES = sorted((HERE / "values").glob("*.yaml"))
SNAPSHOTS = HERE / "snapshots"
RELEASE, NAMESPACE = "storekeeper", "storekeeper-system"
# What the cluster of `helm template` has, where there is none.
KUBERNETES = ("--kube-version", "v1.36.3", "--api-versions", "admissionregistration.k8s.io/v1/MutatingAdmissionPolicy")


# For tests that are not about them: half of what is installed.
WITHOUT_POLICIES = {"policies__mode": "Off", "policies__finalizer": "Off", "roles__create": False}


class Failed(AssertionError):
    """helm exited with an error; the text is what it wrote to standard error."""


@cache
def binary() -> Path:
    """helm, built when it is missing."""
    command = [sys.executable, paths.BUILD_SCRIPT, "helm"]
    done = subprocess.run(command, check=True, text=True, stdout=subprocess.PIPE)
    return Path(done.stdout.strip()) / "helm"


class Helm:
    """`kubeconfig` is only needed for what talks to a cluster."""

    def __init__(self, home: Path, kubeconfig: Path | None = None) -> None:
        self._environment = {
            **{name: value for name, value in os.environ.items() if not name.startswith(("HELM_", "KUBE"))},
            **{f"HELM_{kind}_HOME": str(home / kind.lower()) for kind in ("CACHE", "CONFIG", "DATA")},
            # Without one helm would look for the person's.
            "KUBECONFIG": str(kubeconfig or home / "none"),
        }
        self._rendered: dict[tuple[str | Path, ...], str] = {}

    def run(self, *arguments: str | Path, stdin: str | None = None) -> subprocess.CompletedProcess[str]:
        done = subprocess.run(
            [binary(), *arguments],
            input=stdin if stdin is not None else "",
            capture_output=True,
            text=True,
            timeout=120,
            env=self._environment,
        )
        if done.returncode != 0:
            raise Failed(done.stderr.strip())
        return done

    def template(self, *arguments: str | Path, chart: Path = CHART) -> str:
        done = self.run("template", RELEASE, chart, "--namespace", NAMESPACE, *KUBERNETES, *arguments)
        return done.stdout

    def rendered(self, values: Path, *arguments: str) -> list[Object]:
        """The objects, rendered once for the same arguments."""
        asked = (values, *arguments)
        if asked not in self._rendered:
            self._rendered[asked] = self.template("--values", values, *arguments)
        return objects(self._rendered[asked])

    def install(self, *arguments: str | Path, chart: Path = CHART, release: str = RELEASE) -> str:
        return self._release("install", release, chart, *arguments)

    def upgrade(self, *arguments: str | Path, chart: Path = CHART) -> str:
        return self._release("upgrade", RELEASE, chart, *arguments)

    def uninstall(self, release: str = RELEASE) -> str:
        return self.run("uninstall", release, "--namespace", NAMESPACE, "--timeout", "60s").stdout

    def _release(self, verb: str, release: str, chart: Path, *arguments: str | Path) -> str:
        return self.run(verb, release, chart, "--namespace", NAMESPACE, *arguments).stdout


def objects(text: str) -> list[Object]:
    """The objects of a manifest of several documents."""
    return [one for one in yaml.safe_load_all(text) if one]


def find(among: list[Object], kind: str, name: str | None = None) -> Object:
    """The one object of that kind, and of that name where there are several."""
    (found,) = (one for one in among if one["kind"] == kind and name in (None, one["metadata"]["name"]))
    return found


def settings(**values: Any) -> tuple[str, ...]:
    """`--set-json` of values by their paths, with `__` for dots; the image, which must be given, is filled in."""
    given = {"image__repository": "registry.example.com/storekeeper", **values}
    dumped = (f"{path.replace('__', '.')}={json.dumps(value)}" for path, value in given.items())
    return tuple(part for one in dumped for part in ("--set-json", one))
