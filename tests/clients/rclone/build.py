"""Build rclone from the Go module beside this file: `python -m clients.rclone.build` from `tests/` says where it is."""

from __future__ import annotations

from pathlib import Path

from clients import golang


def build() -> Path:
    """Build it if it is not there; where it is."""
    return golang.build(Path(__file__).resolve().parent)


if __name__ == "__main__":
    print(build())
