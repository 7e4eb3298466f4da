"""The stores of the matrix, and what each shows of one AccessKey's keys.

The management server has an audit log, which says what was made and revoked, and in which order. Garage has none: there
it is what the proxy carried and Garage answered with success. What came another way is in its list of keys.
"""

from __future__ import annotations

from abc import abstractmethod
from dataclasses import dataclass

from harness import stores
from harness.installation import Installation
from harness.lane import LATEST
from harness.proxy.messages import Request

NAME_LABEL = "storekeeper.dev/name"
# A server that remembers the idempotency keys of requests for keys.
IDEMPOTENCY_KEYS = "--idempotency-keys"


@dataclass(frozen=True)
class Key:
    """A key that is there. One that is not complete lacks something that belongs to it."""

    id: str
    complete: bool = True


@dataclass(frozen=True)
class Event:
    """A key was made or revoked; in this order."""

    sequence: int
    access_key_id: str


class WatchedStore(stores.Store):
    """One lane's store, which nobody else uses."""

    @abstractmethod
    def keys(self, name: str) -> list[Key]:
        """The keys that carry the name of an AccessKey, sorted by id."""

    @abstractmethod
    def position(self) -> int:
        """A sequence that all events of later keys are above."""

    @abstractmethod
    def made(self, name: str, since: int) -> list[Event]:
        """The keys that were made after that position; where a store can tell, only those with that name."""

    @abstractmethod
    def revoked(self, since: int) -> list[Event]:
        """The keys that were revoked after that position."""

    @abstractmethod
    def leftovers(self) -> list[str]:
        """What is there of AccessKeys and their users, although all of them are gone."""


class WatchedManagement(stores.ManagementStore, WatchedStore):
    """The management server: its list, and its audit log."""

    def keys(self, name: str) -> list[Key]:
        found = self.management.access_keys(label=f"{NAME_LABEL}:{name}")
        return [Key(one) for one in sorted(key["accessKeyId"] for key in found)]

    def position(self) -> int:
        return max((event["sequence"] for event in self.management.audit(action="accessKey.create")), default=0)

    def made(self, name: str, since: int) -> list[Event]:
        return self._events("accessKey.create", since)

    def revoked(self, since: int) -> list[Event]:
        return self._events("accessKey.delete", since)

    def leftovers(self) -> list[str]:
        # The Root user's own pair has no mark.
        return [f"key {key['accessKeyId']}" for key in self.management.access_keys() if NAME_LABEL in key["labels"]]

    def _events(self, action: str, since: int) -> list[Event]:
        events = self.management.audit(action=action, outcome="ok")
        return [Event(event["sequence"], event["target"]) for event in events if event["sequence"] > since]


class WatchedGarage(stores.GarageStore, WatchedStore):
    """Garage: its list, and what the proxy saw it do."""

    def start(self) -> None:
        # What was done, in the order of Garage's answers: the operation, the key's id, the name of its AccessKey.
        self._done: list[tuple[str, str, str]] = []
        super().start()
        self.proxy.on_answer = self._note

    def keys(self, name: str) -> list[Key]:
        found = sorted((key, mark) for key, mark in self._marks_of("key") if _name_of(mark) == name)
        return [Key(key, mark["complete"]) for key, mark in found]

    def position(self) -> int:
        return len(self._done)

    def made(self, name: str, since: int) -> list[Event]:
        return [
            Event(sequence, key)
            for sequence, (operation, key, of) in self._since(since)
            if operation == "ImportKey" and of == name
        ]

    def revoked(self, since: int) -> list[Event]:
        return [
            Event(sequence, key) for sequence, (operation, key, _) in self._since(since) if operation == "DeleteKey"
        ]

    def leftovers(self) -> list[str]:
        return [f"{kind} {key}" for kind in ("key", "user") for key, _ in self._marks_of(kind)]

    def _since(self, since: int) -> list[tuple[int, tuple[str, str, str]]]:
        return [(sequence, done) for sequence, done in enumerate(self._done, 1) if sequence > since]

    def _marks_of(self, kind: str) -> list[tuple[str, dict[str, object]]]:
        return [(key, mark) for key, mark in self.marks().items() if mark["is"] == kind]

    def _note(self, request: Request, status: int) -> None:
        """Called in the proxy's thread."""
        if not 200 <= status < 300:
            return
        if request.path == "/v2/ImportKey":
            asked = request.json()
            self._done.append(("ImportKey", asked["accessKeyId"], _name_of(stores.mark_in(asked["name"]) or {})))
        elif request.path == "/v2/DeleteKey":
            self._done.append(("DeleteKey", request.query["id"][0], ""))


def _name_of(mark: dict[str, object]) -> str:
    """The name of the AccessKey that a mark names as `namespace/name`."""
    return str(mark.get("object", "")).rpartition("/")[2]


def made(provider_class: str, installation: Installation, name: str) -> WatchedStore:
    """The store of a lane of that class and name, not started."""
    folder, logs = installation.folder / name, installation.logs / name
    if provider_class == "B":
        return WatchedGarage(folder, installation.certificates, logs, latest=LATEST)
    options = (IDEMPOTENCY_KEYS,) if provider_class == "A1" else ()
    return WatchedManagement(folder, installation.certificates, logs, options=options, latest=LATEST)
