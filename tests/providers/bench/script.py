"""The recording of the operator's run as one script for each key, and playing it again for another key. Pure.

A request belongs to the key whose name, uid, id or nonce is in it. One that names none, such as a list of all keys, is
put before the next request to the same server that names one: so the scripts together hold every call that was made.
"""

from __future__ import annotations

import base64
import json
import re
import secrets
import string
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import unquote, urlsplit

from providers.bench.kinds import is_about_keys, kind_of
from providers.bench.record import Passed, Side

NAME = r"\bkey-\d{4}\b"
_UID = r"\b[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}\b"
# Ids of keys at Garage, at the other two, the uid of a key's RGW user, and nonces.
_ID = r"\bGK[0-9a-f]{24}\b|\bSK[A-Z2-7]{18}(?:[A-Z2-7]{8})?\b|(?<=\$key\.)[A-Z2-7]{58}\b|\b[0-9a-f]{32}\b"
_TOKENS = re.compile(f"(?P<name>{NAME})|(?P<uid>{_UID})|(?P<id>{_ID})")
# What the rehearsal of a Secret says in place of a nonce.
_NO_NONCE = "0" * 32
ID_ENTRY, SECRET_ENTRY = "AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"
_BASE32 = string.ascii_uppercase + "234567"
_URL_SAFE = string.ascii_letters + string.digits + "-_"


@dataclass(repr=False)
class Script:
    """All calls that one key took, in order, and what in them is the key's alone."""

    name: str
    uid: str
    steps: list[Passed] = field(default_factory=list)
    ids: list[str] = field(default_factory=list)
    access_key_id: str = ""
    secret: str = ""


def is_secret(passed: Passed, *, rehearsed: bool = False) -> bool:
    """Whether this creates a Secret, or also only rehearses that."""
    path, _, query = passed.target.partition("?")
    wanted = passed.side is Side.KUBERNETES and passed.method == "POST" and path.endswith("/secrets")
    return wanted and (rehearsed or "dryRun" not in query)


def scripts(store: str, recording: Iterable[Passed], keys: dict[str, str]) -> list[Script]:
    """One script for each key. `keys`: the uids of the AccessKeys by their names."""
    made = {name: Script(name, uid) for name, uid in keys.items()}
    owners = {name: name for name in keys} | {uid: name for name, uid in keys.items()}
    shared: dict[Side, list[Passed]] = {side: [] for side in Side}
    last = next(iter(made.values()))
    for passed in recording:
        if not is_about_keys(kind_of(store, passed)):
            continue
        found = [match for match in _TOKENS.finditer(_text_of(passed)) if match.group() != _NO_NONCE]
        owner = next((owners[match.group()] for match in found if match.group() in owners), None)
        if owner is None:
            shared[passed.side].append(passed)
            continue
        last = made[owner]
        for token in (match.group() for match in found if match.lastgroup == "id"):
            if owners.setdefault(token, owner) == owner and token not in last.ids:
                last.ids.append(token)
        if is_secret(passed):
            entries = json.loads(passed.body)["data"]
            last.access_key_id, last.secret = (decoded(entries[entry]) for entry in (ID_ENTRY, SECRET_ENTRY))
        last.steps += [*shared[passed.side], passed]
        shared[passed.side].clear()
    last.steps += [passed for left in shared.values() for passed in left]
    return list(made.values())


def _text_of(passed: Passed) -> str:
    return f"{unquote(passed.target)} {passed.body.decode(errors='replace')}"


def decoded(entry: str) -> str:
    return base64.b64decode(entry).decode()


def like(token: str) -> str:
    """Another of the same form: random, of the same length and alphabet."""
    prefix = token[:2] if token[:2] in ("GK", "SK") else ""
    rest = token[len(prefix) :]
    alphabet = next(
        letters for letters in ("0123456789abcdef", _BASE32, _URL_SAFE, string.printable) if set(rest) <= set(letters)
    )
    return prefix + "".join(secrets.choice(alphabet) for _ in rest)


class Playing:
    """A script for another key: what is the first one's alone is replaced, in requests as they are due."""

    def __init__(self, script: Script, name: str, uid: str, version: str) -> None:
        self._script = script
        self._other = {token: like(token) for token in [*script.ids, script.secret] if token}
        # The uid of a key's RGW user and its id are no longer made of one nonce; nobody reads them as such.
        self._other |= {script.name: name, script.uid: uid}
        self._version = version
        self._mine = f"/accesskeys/{script.name}"

    def request(self, step: Passed) -> tuple[str, bytes]:
        """Target and body."""
        target, body = self._replaced(step.target), step.body
        if body:
            body = self._replaced(body.decode()).encode()
        if is_secret(step):
            body = self._with_entries(body)
        elif step.method == "PATCH" and self._is_of_object(step):
            change = json.loads(body)
            change.setdefault("metadata", {})["resourceVersion"] = self._version
            body = json.dumps(change).encode()
        return target, body

    def heard(self, step: Passed, answer: Any) -> None:
        """Takes over from a decoded answer what later requests say: the object's version, and a pair that was made."""
        if not isinstance(answer, dict):
            return
        if self._is_of_object(step):
            self._version = answer["metadata"]["resourceVersion"]
        elif step.side is Side.PROVIDER and "secretAccessKey" in answer and self._script.secret:
            self._other[self._script.access_key_id] = answer["accessKeyId"]
            self._other[self._script.secret] = answer["secretAccessKey"]

    def _is_of_object(self, step: Passed) -> bool:
        path = urlsplit(step.target).path
        return step.side is Side.KUBERNETES and path.removesuffix("/status").endswith(self._mine)

    def _replaced(self, text: str) -> str:
        pattern = "|".join(map(re.escape, sorted(self._other, key=len, reverse=True)))
        return re.sub(pattern, lambda match: self._other[match.group()], text)

    def _with_entries(self, body: bytes) -> bytes:
        document = json.loads(body)
        for name, value in document["data"].items():
            document["data"][name] = base64.b64encode(self._replaced(decoded(value)).encode()).decode()
        return json.dumps(document).encode()
