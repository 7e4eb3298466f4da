"""Build rclone from the Go module beside this file, once per user.

`python -m clients.rclone.build` from `tests/` builds what is missing and prints where it is. It lies in the user's
cache folder under a key of everything that decides its content. A build goes to a file of its own that is renamed when
it is complete, so an interrupted one is never taken for a finished one.
"""

from __future__ import annotations

import fcntl
import hashlib
import os
import subprocess
import sys
import tempfile
from pathlib import Path

MODULE = Path(__file__).resolve().parent


def where() -> Path:
    """Where rclone is, or will be after `build`."""
    digest = hashlib.sha256()
    for name in ("go.mod", "go.sum", "main.go"):
        digest.update((MODULE / name).read_bytes() + b"\0")
    versions = subprocess.run(["go", "env", "GOVERSION", "GOOS", "GOARCH"], cwd=MODULE, check=True, capture_output=True)
    digest.update(versions.stdout)
    base = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(base) / "storekeeper" / "rclone" / digest.hexdigest()[:16] / "rclone"


def build() -> Path:
    """Build it if it is not there (two minutes when cold); where it is."""
    target = where()
    target.parent.mkdir(parents=True, exist_ok=True)
    with open(target.parent / "lock", "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not os.access(target, os.X_OK):
            print("building rclone (once)", file=sys.stderr, flush=True)
            with tempfile.TemporaryDirectory(dir=target.parent) as scratch:
                made = Path(scratch) / "rclone"
                command = ["go", "build", "-trimpath", "-ldflags", "-s -w", "-o", str(made), "."]
                subprocess.run(command, cwd=MODULE, check=True, stdout=sys.stderr)
                made.rename(target)
    return target


if __name__ == "__main__":
    print(build())
