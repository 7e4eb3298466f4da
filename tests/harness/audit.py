"""Reading the API server's audit log: the independent counter of who wrote what."""

from __future__ import annotations

import json
import os
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

# Bytes that are read at a time to find the end of a line.
BLOCK = 1 << 16
WRITES = frozenset({"create", "update", "patch", "delete", "deletecollection"})


@dataclass(frozen=True)
class Call:
    """One finished request."""

    user: str
    verb: str
    resource: str
    subresource: str
    namespace: str
    name: str
    code: int
    dry_run: bool

    @property
    def is_write(self) -> bool:
        return self.verb in WRITES and not self.dry_run

    @property
    def target(self) -> str:
        return f"{self.resource}/{self.subresource}" if self.subresource else self.resource


def _call(line: bytes) -> Call:
    event = json.loads(line)
    reference = event.get("objectRef") or {}
    return Call(
        user=event["user"]["username"],
        verb=event["verb"],
        resource=reference.get("resource", ""),
        subresource=reference.get("subresource", ""),
        namespace=reference.get("namespace", ""),
        name=reference.get("name", ""),
        code=(event.get("responseStatus") or {}).get("code", 0),
        dry_run="dryRun" in parse_qs(urlsplit(event["requestURI"]).query),
    )


class AuditLog:
    """A reader with positions: take one before, read what came after."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def position(self) -> int:
        """Where the next line begins: one that is being written belongs to what comes after."""
        if not self._path.exists():
            return 0
        with open(self._path, "rb") as file:
            end = file.seek(0, os.SEEK_END)
            while end > 0:
                start = max(0, end - BLOCK)
                file.seek(start)
                found = file.read(end - start).rfind(b"\n")
                if found >= 0:
                    return start + found + 1
                end = start
        return 0

    def calls(self, since: int = 0, user: str | None = None, containing: str = "") -> list[Call]:
        """The finished requests after a position, optionally of one user only, or of lines with a text in them."""
        with open(self._path, "rb") as file:
            file.seek(since)
            # A line without its end is still being written; its request is not answered yet.
            lines = file.read().rpartition(b"\n")[0].splitlines()
        calls = [_call(line) for line in lines if line and containing.encode() in line]
        return [call for call in calls if user is None or call.user == user]

    def writes(self, since: int = 0, user: str | None = None) -> list[Call]:
        """Writes, without dry runs, and without the leader's Lease, which is renewed for ever."""
        return [call for call in self.calls(since, user) if call.is_write and call.resource != "leases"]


def count(calls: list[Call]) -> Counter[tuple[str, str, str]]:
    """Calls by (user, verb, resource[/subresource])."""
    return Counter((call.user, call.verb, call.target) for call in calls)
