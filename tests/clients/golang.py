"""Programs in Go that the tests use, each a module of its own in a folder beside this file, built once per user.

A program lies in the user's cache folder under a key of everything that decides its content. A build goes to a file of
its own that is renamed when it is complete, so an interrupted one is never taken for a finished one.

`python -m clients.golang` from `tests/` builds them all: a test that has to build first would take longer than it may.
"""

from __future__ import annotations

import fcntl
import hashlib
import os
import subprocess
import sys
import tempfile
from pathlib import Path


def where(module: Path) -> Path:
    """Where the program of a module is, or will be after `build`."""
    digest = hashlib.sha256()
    for name in ("go.mod", "go.sum", "main.go"):
        digest.update((module / name).read_bytes() + b"\0")
    versions = subprocess.run(["go", "env", "GOVERSION", "GOOS", "GOARCH"], cwd=module, check=True, capture_output=True)
    digest.update(versions.stdout)
    base = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(base) / "storekeeper" / module.name / digest.hexdigest()[:16] / module.name


def build(module: Path) -> Path:
    """Build it if it is not there (up to two minutes when cold); where it is."""
    target = where(module)
    target.parent.mkdir(parents=True, exist_ok=True)
    with open(target.parent / "lock", "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not os.access(target, os.X_OK):
            print(f"building {module.name} (once)", file=sys.stderr, flush=True)
            with tempfile.TemporaryDirectory(dir=target.parent) as scratch:
                made = Path(scratch) / module.name
                command = ["go", "build", "-trimpath", "-ldflags", "-s -w", "-o", str(made), "."]
                subprocess.run(command, cwd=module, check=True, stdout=sys.stderr)
                made.rename(target)
    return target


if __name__ == "__main__":
    for path in sorted(Path(__file__).resolve().parent.glob("*/main.go")):
        print(build(path.parent))
