"""Every version of an object that the API server has ever shown: what a tool that watches it has seen."""

from __future__ import annotations

import json
import threading
from collections import defaultdict

import requests

from harness.http import session
from harness.installation import Installation
from harness.kube import Object, path_of


class Versions:
    """Watches kinds in a namespace and cluster-wide ones from now on. `seen[kind, name]` are the versions, in order."""

    def __init__(self, installation: Installation, namespace: str, *kinds: str) -> None:
        self.seen: defaultdict[tuple[str, str], list[Object]] = defaultdict(list)
        self.gone: set[tuple[str, str]] = set()
        self._plane = installation.plane
        self._kube = installation.kube
        self._answers: list[requests.Response] = []
        self._threads: list[threading.Thread] = []
        self._namespace = namespace
        self._kinds = kinds

    def start(self) -> None:
        for kind in self._kinds:
            since = self._kube.call("GET", path_of(kind))["metadata"]["resourceVersion"]
            # A session belongs to one thread.
            asking = session(self._plane.endpoint.ca, self._plane.admin_token)
            url = f"{self._plane.endpoint.url}{path_of(kind)}?watch=true&resourceVersion={since}"
            answer = asking.get(url, stream=True, timeout=(5, 300))
            answer.raise_for_status()
            thread = threading.Thread(target=self._read, args=(kind, answer), daemon=True)
            self._answers.append(answer)
            self._threads.append(thread)
            thread.start()

    def stop(self) -> None:
        for answer in self._answers:
            # Closing alone does not wake a thread that reads.
            answer.raw.shutdown()
        for thread in self._threads:
            thread.join()

    def _read(self, kind: str, answer: requests.Response) -> None:
        try:
            for line in answer.iter_lines(chunk_size=1):
                event = json.loads(line)
                found = event["object"]
                if found["metadata"].get("namespace", self._namespace) != self._namespace:
                    continue
                key = kind, found["metadata"]["name"]
                self.seen[key].append(found)
                if event["type"] == "DELETED":
                    self.gone.add(key)
        except requests.RequestException:
            return
