"""What came of each plan, one JSON line each, written at once: an interrupted run goes on where it stopped."""

from __future__ import annotations

import hashlib
import json
import threading
from dataclasses import asdict, dataclass, field
from pathlib import Path

HELD = "held"
VIOLATED = "violated"
NOT_INJECTED = "not injected"
BROKEN = "broken"


@dataclass(frozen=True)
class Entry:
    """One plan that was carried out. `binary` is the hash of the storekeeper that it was carried out on."""

    plan: str
    binary: str
    result: str
    faults: int
    seconds: float
    details: list[str] = field(default_factory=list)


class Journal:
    """An append-only file. Entries about another binary say nothing about this one and are passed over."""

    def __init__(self, path: Path, binary: str, fresh: bool = False) -> None:
        self._path = path
        self._binary = binary
        self._lock = threading.Lock()
        path.parent.mkdir(parents=True, exist_ok=True)
        if fresh:
            path.unlink(missing_ok=True)
        self.entries = self._read()

    def add(self, entry: Entry) -> None:
        with self._lock, open(self._path, "a") as file:
            file.write(json.dumps(asdict(entry)) + "\n")
            self.entries[entry.plan] = entry

    def _read(self) -> dict[str, Entry]:
        if not self._path.exists():
            return {}
        found = {}
        for line in self._path.read_text().splitlines():
            try:
                entry = Entry(**json.loads(line))
            except (ValueError, TypeError):
                # The run was killed while it wrote this; the plan is carried out again.
                continue
            # What did not work because of us is tried again; what was found stays found.
            if entry.binary == self._binary and entry.result != BROKEN:
                found[entry.plan] = entry
        return found


def hash_of(binary: Path) -> str:
    """What tells one build from another."""
    with open(binary, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()[:16]
