"""Every write of AccessKeys and Secrets, in order: watches from the first moment on, which lose nothing or say so."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable
from typing import Any

import requests

from harness.http import session
from harness.kube import Kube, path_of
from harness.kubeconfig import Endpoint
from harness.waiting import until
from soak.checks import Change
from soak.facts import Owner, Secret, owner_of, secret_of

PARSERS: dict[str, Callable[[dict[str, Any]], Owner | Secret]] = {"AccessKey": owner_of, "Secret": secret_of}
READ_TIMEOUT = 60


class Lost(AssertionError):
    """The API server no longer has what happened: nothing can be said about it."""


class History:
    """Watches a few namespaces; `changes` grows in the order of the writes of each kind."""

    def __init__(self, endpoint: Endpoint, token: str, namespaces: tuple[str, ...]) -> None:
        self._endpoint = endpoint
        self._token = token
        self._lock = threading.Lock()
        self._changes: list[Change] = []
        self._versions: dict[str, dict[str, str]] = {kind: {} for kind in PARSERS}
        self._ended = threading.Event()
        self._failure: Exception | None = None
        self._threads = [
            threading.Thread(target=self._follow, args=(kind, namespace), name=f"watch-{kind}", daemon=True)
            for kind in PARSERS
            for namespace in namespaces
        ]
        self._namespaces = namespaces

    def start(self) -> None:
        for thread in self._threads:
            thread.start()

    def stop(self) -> None:
        """Take no more notice; the threads end with their watches."""
        self._ended.set()

    def changes(self) -> list[Change]:
        """What has happened so far."""
        if self._failure is not None:
            raise Lost(f"a watch ended: {self._failure}")
        with self._lock:
            return list(self._changes)

    def catch_up(self, kube: Kube) -> None:
        """Wait until what is there now has been seen; only when nothing changes any more."""
        for kind, versions in self._versions.items():

            def level(kind: str = kind, versions: dict[str, str] = versions) -> bool:
                items = [one for namespace in self._namespaces for one in kube.items(kind, namespace)]
                there = {one["metadata"]["uid"]: one["metadata"]["resourceVersion"] for one in items}
                with self._lock:
                    return there == versions

            until(level, f"the watch of {kind} to have seen everything")

    def _follow(self, kind: str, namespace: str) -> None:
        client, url = session(self._endpoint.ca, self._token), self._endpoint.url + path_of(kind, namespace)
        try:
            found = client.get(url, timeout=READ_TIMEOUT).json()
            for one in found["items"]:
                self._note(kind, "ADDED", one)
            version = found["metadata"]["resourceVersion"]
            while not self._ended.is_set():
                version = self._watch(client, url, kind, version)
        except Exception as error:
            self._failure = error

    def _watch(self, client: requests.Session, url: str, kind: str, version: str) -> str:
        """One watch from a version on; the version to go on from when it ends."""
        query = {"watch": "1", "allowWatchBookmarks": "true", "resourceVersion": version}
        try:
            with client.get(url, params=query, stream=True, timeout=READ_TIMEOUT) as answer:
                answer.raise_for_status()
                for line in answer.iter_lines():
                    if self._ended.is_set():
                        return version
                    event = json.loads(line)
                    if event["type"] == "ERROR":
                        raise Lost(event["object"].get("message", "the watch ended with an error"))
                    version = event["object"]["metadata"]["resourceVersion"]
                    if event["type"] != "BOOKMARK":
                        self._note(kind, event["type"], event["object"])
        except (requests.ConnectionError, requests.exceptions.ChunkedEncodingError):
            return version
        return version

    def _note(self, kind: str, event: str, found: dict[str, Any]) -> None:
        change = Change(PARSERS[kind](found), gone=event == "DELETED")
        with self._lock:
            self._changes.append(change)
            if change.gone:
                self._versions[kind].pop(change.seen.uid, None)
            else:
                self._versions[kind][change.seen.uid] = found["metadata"]["resourceVersion"]
