#!/usr/bin/env python3
"""Build the real control plane's tools from the Go module beside this file, once per user.

    build.py            build what is missing (minutes when cold), then print the folder that holds the tools
    build.py --where    print that folder if it is complete, else print nothing and exit 1

The tools are kube-apiserver, kube-controller-manager, kubectl and etcd. `KUBEBUILDER_ASSETS` wins when it names a
folder that has all four. Else they live in the user's cache folder under a key of everything that decides their
content: go.mod, go.sum, the Go version, the architecture and the link flags. A build goes to a folder of its own
that is renamed when it is complete, so an interrupted one is never taken for a finished one, and two at once do
not disturb each other. Only the standard library is used: this runs before there is a virtual environment.
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
from pathlib import Path

MODULE = Path(__file__).resolve().parent
TOOLS = ("etcd", "kube-apiserver", "kube-controller-manager", "kubectl")


def kubernetes_version() -> str:
    """The version of Kubernetes that go.mod pins, for example `v1.36.3`."""
    found = re.search(r"^\s*k8s\.io/kubernetes (v\S+)(?: // indirect)?$", (MODULE / "go.mod").read_text(), re.MULTILINE)
    if found is None:
        raise SystemExit("build.py: go.mod must require k8s.io/kubernetes")
    return found.group(1)


def link_flags() -> str:
    """Without these the API server says that it is version `v0.0.0-master`."""
    version = kubernetes_version()
    major, minor = version.lstrip("v").split(".")[:2]
    package = "k8s.io/component-base/version"
    return f"-s -w -X {package}.gitVersion={version} -X {package}.gitMajor={major} -X {package}.gitMinor={minor}"


def go(*arguments: str) -> str:
    try:
        return subprocess.run(
            ["go", *arguments], cwd=MODULE, check=True, text=True, stdout=subprocess.PIPE
        ).stdout.strip()
    except FileNotFoundError:
        raise SystemExit("build.py: `go` must be installed to build the control plane") from None


def cache_root() -> Path:
    base = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(base) / "storekeeper" / "controlplane"


def cache_key() -> str:
    digest = hashlib.sha256()
    for part in (
        (MODULE / "go.mod").read_bytes(),
        (MODULE / "go.sum").read_bytes(),
        go("env", "GOVERSION", "GOOS", "GOARCH").encode(),
        link_flags().encode(),
    ):
        digest.update(part + b"\0")
    return digest.hexdigest()[:16]


def complete(folder: Path) -> bool:
    return all(os.access(folder / tool, os.X_OK) for tool in TOOLS)


def where() -> Path:
    """The folder where the tools are, or will be after `build`."""
    assets = os.environ.get("KUBEBUILDER_ASSETS")
    if assets and complete(Path(assets)):
        return Path(assets).resolve()
    return cache_root() / cache_key()


def build(target: Path) -> None:
    """Build into a temporary folder beside `target`, then rename it."""
    target.parent.mkdir(parents=True, exist_ok=True)
    with open(target.parent / f"{target.name}.lock", "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if complete(target):
            return
        shutil.rmtree(target, ignore_errors=True)
        scratch = Path(tempfile.mkdtemp(prefix=f"{target.name}.building-", dir=target.parent))
        try:
            command = ["go", "build", "-v", "-trimpath", "-o", f"{scratch}/", "-ldflags", link_flags(), "tool"]
            subprocess.run(command, cwd=MODULE, check=True, stdout=sys.stderr)
            (scratch / "server").rename(scratch / "etcd")
            scratch.chmod(0o755)
            scratch.rename(target)
        finally:
            shutil.rmtree(scratch, ignore_errors=True)


def main(arguments: list[str]) -> int:
    if arguments not in ([], ["--where"]):
        print(__doc__, file=sys.stderr)
        return 2
    target = where()
    if not complete(target):
        if arguments:
            return 1
        try:
            build(target)
        except subprocess.CalledProcessError as error:
            print(f"build.py: failed to build the control plane: go exited with {error.returncode}", file=sys.stderr)
            return 1
    print(target)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
