"""Naming a request to Garage by the step of the protocol that it is.

Users are keys as well there, and there is but one list, of all keys, for everybody: what it is for is said only by what
came before it.

| point | the request |
|---|---|
| ensure-user | CreateKey and UpdateKey of a user's marker |
| put | ImportKey |
| put-view | the lists of keys and buckets after an ImportKey that has succeeded |
| put-rights | UpdateKey of an access key's name, which says that it has got all that belongs to it |
| sweep-list | ListKeys right after a GetNodeInfo |
| list-keys | every other ListKeys |
| revoke | DeleteKey |

An account is looked at before its keys are swept, and once more after that: that look is followed by no sweep.
"""

from __future__ import annotations

import re
import time
from collections.abc import Callable

from harness.proxy.messages import Request

POINTS = frozenset({"ensure-user", "put", "put-view", "put-rights", "sweep-list", "list-keys", "revoke"})
# Seconds from the look at an account to its sweep, at most, and from one sweep to the next, at least.
SOON = 3.0
APART = 6.0

_OPERATION = re.compile(r"^/v2/([A-Za-z]+)$")
# A key's name is JSON, which the client writes without spaces.
_OF_USER, _OF_KEY = '"is":"user"', '"is":"key"'
_NEVER = float("-inf")


class GarageClassifier:
    """Remembers what came before a list."""

    def __init__(self, now: Callable[[], float] = time.monotonic) -> None:
        self._now = now
        self._looked_at = self._swept_at = _NEVER
        self._putting = False

    def point(self, request: Request) -> str | None:
        match = _OPERATION.match(request.path)
        if match is None:
            return None
        name = str(request.json().get("name") or "") if request.body else ""
        match match.group(1):
            case "ListKeys" | "ListBuckets" if self._putting:
                return "put-view"
            case "ListKeys":
                return "sweep-list" if self._sweeps() else "list-keys"
            case "GetNodeInfo":
                self._looked_at = self._now()
                return None
            case "CreateKey" | "UpdateKey" if _OF_USER in name:
                return "ensure-user"
            case "UpdateKey" if _OF_KEY in name:
                self._putting = False
                return "put-rights"
            case operation:
                return {"ImportKey": "put", "DeleteKey": "revoke"}.get(operation)

    def answered(self, request: Request, status: int) -> None:
        """What Garage has answered."""
        if request.path == "/v2/ImportKey":
            self._putting = 200 <= status < 300
        elif request.path == "/v2/ListBuckets":
            self._putting = False

    def _sweeps(self) -> bool:
        now = self._now()
        sweeps = now - self._looked_at <= SOON and now - self._swept_at >= APART
        if sweeps:
            self._swept_at = now
        return sweeps
