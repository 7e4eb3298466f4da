"""Where things are: the repository, the binary under test, the control plane's tools."""

from __future__ import annotations

import os
import subprocess
import sys
from functools import cache
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parents[2]
CRDS = REPOSITORY / "crds"
RBAC = REPOSITORY / "deploy" / "rbac"
POLICIES = REPOSITORY / "deploy" / "policies"
ROLES = REPOSITORY / "deploy" / "roles"
EXAMPLES = REPOSITORY / "examples" / "quickstart"
BUILD_SCRIPT = REPOSITORY / "tests" / "controlplane" / "build.py"


def cargo_target() -> Path:
    """Cargo's target folder, which CI moves out of the checkout."""
    return Path(os.environ.get("CARGO_TARGET_DIR") or REPOSITORY / "target").resolve()


def storekeeper_binary() -> Path:
    """The binary under test: `STOREKEEPER_BIN`, else cargo's debug build."""
    binary = Path(os.environ.get("STOREKEEPER_BIN") or cargo_target() / "debug" / "storekeeper")
    if not os.access(binary, os.X_OK):
        raise FileNotFoundError(f"'{binary}' must exist: run `make build` first")
    return binary


def plugin_binary() -> Path:
    """The kubectl plugin that was built with the binary under test."""
    binary = storekeeper_binary().resolve().with_name("kubectl-storekeeper")
    if not os.access(binary, os.X_OK):
        raise FileNotFoundError(f"'{binary}' must exist: run `make build` first")
    return binary


@cache
def tools() -> Path:
    """The folder with etcd, kube-apiserver, kube-controller-manager and kubectl; builds them when missing."""
    done = subprocess.run([sys.executable, BUILD_SCRIPT], check=True, text=True, stdout=subprocess.PIPE)
    return Path(done.stdout.strip())
