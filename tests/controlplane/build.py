#!/usr/bin/env python3
"""Build the real control plane's tools from the Go modules here, once per user.

    build.py            build what is missing (minutes when cold), then print the folder that holds the tools
    build.py helm       the same for helm
    build.py --where    print that folder if it is complete, else print nothing and exit 1 (also with `helm`)

The tools are kube-apiserver, kube-controller-manager, kubectl and etcd; helm is a module of its own, as it needs other
versions of the same libraries. `KUBEBUILDER_ASSETS` wins when it names a folder that has the four. Else they live in
the user's cache folder under a key of everything that decides their content: go.mod, go.sum, the Go version, the
architecture and the link flags. A build goes to a folder of its own that is renamed when it is complete, so an
interrupted one is never taken for a finished one, and two at once do not disturb each other. Only the standard library
is used: this runs before there is a virtual environment.
"""

from __future__ import annotations

import fcntl
import hashlib
import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

HERE = Path(__file__).resolve().parent


@dataclass(frozen=True)
class Module:
    """A Go module whose `tool` lines are built together."""

    name: str
    folder: Path
    tools: tuple[str, ...]
    link_flags: Callable[[Module], str]
    # What `go build` calls a tool, where its name is to be another.
    renamed: tuple[tuple[str, str], ...] = ()

    def version_of(self, path: str) -> str:
        """The version of a module that go.mod pins, for example `v1.36.3`."""
        text = (self.folder / "go.mod").read_text()
        found = re.search(rf"^\s*{re.escape(path)} (v\S+)(?: // indirect)?$", text, re.MULTILINE)
        if found is None:
            raise SystemExit(f"build.py: go.mod must require {path}")
        return found.group(1)

    def complete(self, folder: Path) -> bool:
        return all(os.access(folder / tool, os.X_OK) for tool in self.tools)

    def go(self, *arguments: str) -> str:
        try:
            return subprocess.run(
                ["go", *arguments], cwd=self.folder, check=True, text=True, stdout=subprocess.PIPE
            ).stdout.strip()
        except FileNotFoundError:
            raise SystemExit(f"build.py: `go` must be installed to build the {self.name}") from None

    def cache_key(self) -> str:
        digest = hashlib.sha256()
        for part in (
            (self.folder / "go.mod").read_bytes(),
            (self.folder / "go.sum").read_bytes(),
            self.go("env", "GOVERSION", "GOOS", "GOARCH").encode(),
            self.link_flags(self).encode(),
        ):
            digest.update(part + b"\0")
        return digest.hexdigest()[:16]

    def where(self) -> Path:
        """The folder where the tools are, or will be after `build`."""
        assets = os.environ.get("KUBEBUILDER_ASSETS")
        if assets and self.complete(Path(assets)):
            return Path(assets).resolve()
        base = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
        return Path(base) / "storekeeper" / self.name.replace(" ", "") / self.cache_key()

    def build(self, target: Path) -> None:
        """Build into a temporary folder beside `target`, then rename it."""
        target.parent.mkdir(parents=True, exist_ok=True)
        with open(target.parent / f"{target.name}.lock", "w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            if self.complete(target):
                return
            shutil.rmtree(target, ignore_errors=True)
            scratch = Path(tempfile.mkdtemp(prefix=f"{target.name}.building-", dir=target.parent))
            try:
                flags = self.link_flags(self)
                command = ["go", "build", "-v", "-trimpath", "-o", f"{scratch}/", "-ldflags", flags, "tool"]
                subprocess.run(command, cwd=self.folder, check=True, stdout=sys.stderr)
                for made, wanted in self.renamed:
                    (scratch / made).rename(scratch / wanted)
                scratch.chmod(0o755)
                scratch.rename(target)
            finally:
                shutil.rmtree(scratch, ignore_errors=True)


def kubernetes_flags(module: Module) -> str:
    """Without these the API server says that it is version `v0.0.0-master`."""
    version = module.version_of("k8s.io/kubernetes")
    major, minor = version.lstrip("v").split(".")[:2]
    package = "k8s.io/component-base/version"
    return f"-s -w -X {package}.gitVersion={version} -X {package}.gitMajor={major} -X {package}.gitMinor={minor}"


def helm_flags(module: Module) -> str:
    return f"-s -w -X helm.sh/helm/v4/internal/version.version={module.version_of('helm.sh/helm/v4')}"


CONTROL_PLANE = Module(
    "control plane",
    HERE,
    ("etcd", "kube-apiserver", "kube-controller-manager", "kubectl"),
    kubernetes_flags,
    (("server", "etcd"),),
)
HELM = Module("helm", HERE / "helm", ("helm",), helm_flags)


def main(arguments: list[str]) -> int:
    module = CONTROL_PLANE
    if arguments[:1] == ["helm"]:
        module, arguments = HELM, arguments[1:]
    if arguments not in ([], ["--where"]):
        print(__doc__, file=sys.stderr)
        return 2
    target = module.where()
    if not module.complete(target):
        if arguments:
            return 1
        try:
            module.build(target)
        except subprocess.CalledProcessError as error:
            print(f"build.py: failed to build the {module.name}: go exited with {error.returncode}", file=sys.stderr)
            return 1
    print(target)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
