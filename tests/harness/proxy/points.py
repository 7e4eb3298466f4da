"""Naming a request by the step of the protocol that it is.

| point | the request |
|---|---|
| get-key | GET of one AccessKey |
| get-secret | GET of one Secret outside the operator's own namespace |
| get-credentials | GET of one Secret in the operator's own namespace |
| finalizer | a write of an AccessKey itself: nothing but finalizers is ever written there |
| dry-run, post-secret, delete-secret | of a Secret |
| intent | a status write of an AccessKey that opens an attempt: its nonce was not seen before |
| write-down | a status write of an AccessKey that says what its key will be made as, and opens no attempt |
| status | any other status write of an AccessKey |
| ensure-user | anything about users at the management API |
| list-keys | the list of one object's or user's keys |
| sweep-list | the list of keys that is not about one object or user |
| mint, revoke | of an access key |

What is asked of Garage is named by garage_points.py.

Everything else has no point. Rules at `any` hit it too, but never a watch.
"""

from __future__ import annotations

import json
import re

from harness.proxy import garage_points
from harness.proxy.garage_points import GarageClassifier
from harness.proxy.messages import Request

# A rule for everything but watches.
ANY = "any"
POINTS = frozenset(
    {
        *("get-key", "get-secret", "get-credentials", "finalizer", "dry-run", "post-secret", "delete-secret"),
        *("intent", "status", "ensure-user", "list-keys", "sweep-list", "mint", "revoke", ANY),
        *("write-down", *garage_points.POINTS),
    }
)
OPERATOR_NAMESPACE = "storekeeper-system"
# The label that names the one object for which a key was made.
OWNER_LABEL = "storekeeper.dev/owner"

_KEY = re.compile(r"^/apis/storekeeper\.dev/v1alpha1/namespaces/([^/]+)/accesskeys/([^/]+)(/status)?$")
_SECRET = re.compile(r"^/api/v1/namespaces/([^/]+)/secrets(?:/([^/]+))?$")
_MANAGEMENT_KEY = re.compile(r"^/v1/accessKeys(?:/([^/]+))?$")


class Classifier:
    """Remembers which nonces it has seen, to tell the write of a new intent from its repetition in a later status."""

    def __init__(self) -> None:
        self._nonces: set[str] = set()
        self._garage = GarageClassifier()

    def point(self, request: Request) -> str | None:
        if request.is_watch:
            return None
        for rule in (self._kubernetes_key, self._kubernetes_secret, self._management, self._garage.point):
            found = rule(request)
            if found is not None:
                return found
        return None

    def answered(self, request: Request, status: int) -> None:
        """What the server has answered to a request; the next one may be named by it."""
        self._garage.answered(request, status)

    def _kubernetes_key(self, request: Request) -> str | None:
        match = _KEY.match(request.path)
        if match is None:
            return None
        if request.method == "GET":
            return "get-key"
        if request.method not in ("PATCH", "PUT"):
            return None
        if match.group(3) is None:
            return "finalizer"
        status = request.json().get("status") or {}
        issue = status.get("issue") or {}
        nonce = issue.get("nonce")
        # A merge patch names only what changes.
        if status.get("identity") and not issue and not status.get("published"):
            return "write-down"
        # A merge patch names only what is new, so `open` may be missing where it stays true.
        if issue.get("open") is False or nonce is None or nonce in self._nonces:
            return "status"
        self._nonces.add(nonce)
        return "intent"

    def _kubernetes_secret(self, request: Request) -> str | None:
        match = _SECRET.match(request.path)
        if match is None:
            return None
        if request.method == "GET" and match.group(2) is not None:
            return "get-credentials" if match.group(1) == OPERATOR_NAMESPACE else "get-secret"
        if request.method == "POST":
            return "dry-run" if "dryRun" in request.query else "post-secret"
        return "delete-secret" if request.method == "DELETE" else None

    def _management(self, request: Request) -> str | None:
        if request.path.startswith("/v1/users"):
            return "ensure-user"
        match = _MANAGEMENT_KEY.match(request.path)
        if match is None:
            return None
        if request.method == "POST":
            return "mint"
        if request.method == "DELETE":
            return "revoke"
        if request.method == "GET" and match.group(1) is None:
            return "list-keys" if names_one_owner(request) else "sweep-list"
        return None


def names_one_owner(request: Request) -> bool:
    """Whether a list of keys is filtered down to one user or one object."""
    query = request.query
    return "user" in query or any(label.partition(":")[0] == OWNER_LABEL for label in query.get("label", []))


def summary(request: Request) -> str:
    """One line about a request, without anything secret, for records and error messages."""
    names = sorted(request.json()) if request.body else []
    return f"{request.method} {request.head.start.split(' ')[1]} {json.dumps(names) if names else ''}".rstrip()
