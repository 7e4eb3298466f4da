"""The plain client: threads that issue the same calls as the operator did, and decide nothing.

It has a process of its own, as the operator has: the proxies, which are in the first one, are not slowed down by it.
"""

from __future__ import annotations

import multiprocessing
import queue
import threading
from dataclasses import dataclass
from multiprocessing.queues import Queue
from pathlib import Path
from typing import Any

import requests
from botocore.auth import S3SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

from harness.http import session
from harness.kube import Object
from harness.rgw import REGION, Admin
from providers.bench.record import Passed, Side
from providers.bench.script import Playing, Script

SECONDS = 60


class Refused(Exception):
    """A call that the operator made was refused when the plain client made it: nothing is compared then."""


@dataclass(frozen=True, repr=False)
class Job:
    """What a plain client needs. `admin`: signs the calls to a gateway; None: they are sent as they were recorded."""

    scripts: list[Script]
    endpoints: dict[Side, str]
    ca: Path
    workers: int
    turns: int
    admin: Admin | None


@dataclass(frozen=True)
class Created:
    """An AccessKey that was created for the plain client, and the script that is played for it."""

    script: int
    name: str
    uid: str
    version: str

    @classmethod
    def of(cls, script: int, made: Object) -> Created:
        metadata = made["metadata"]
        return cls(script, metadata["name"], metadata["uid"], metadata["resourceVersion"])


class Client:
    """The threads: each takes one key after another. Calls to the provider take turns at so many sessions."""

    def __init__(self, job: Job, keys: Queue[Created | None], told: Queue[str]) -> None:
        self._job = job
        self._keys = keys
        self._told = told
        self._turns: queue.Queue[requests.Session] = queue.Queue()
        for _ in range(job.turns):
            self._turns.put(self._opened(Side.PROVIDER))

    def run(self) -> None:
        sessions = [self._opened(Side.KUBERNETES) for _ in range(self._job.workers)]
        threads = [threading.Thread(target=self._work, args=(one,)) for one in sessions]
        for thread in threads:
            thread.start()
        self._told.put("")
        for thread in threads:
            thread.join()

    def _opened(self, side: Side) -> requests.Session:
        """A session with a connection that is open already: making those is no part of what is compared."""
        made = session(self._job.ca)
        made.headers.clear()
        made.get(self._job.endpoints[side] + "/", timeout=SECONDS)
        return made

    def _work(self, kubernetes: requests.Session) -> None:
        try:
            while (created := self._keys.get()) is not None:
                self._play(kubernetes, created)
        except Exception as error:
            self._told.put(f"{type(error).__name__}: {error}")

    def _play(self, kubernetes: requests.Session, created: Created) -> None:
        script = self._job.scripts[created.script]
        playing = Playing(script, created.name, created.uid, created.version)
        for step in script.steps:
            target, body = playing.request(step)
            if step.side is Side.KUBERNETES:
                answer = self._send(kubernetes, step, target, body)
            else:
                turn = self._turns.get()
                try:
                    answer = self._send(turn, step, target, body)
                finally:
                    self._turns.put(turn)
            playing.heard(step, answer)

    def _send(self, over: requests.Session, step: Passed, target: str, body: bytes) -> Any:
        """The decoded answer; None where there is none, or where what is asked for is not there."""
        url = self._job.endpoints[step.side] + target
        headers = dict(step.headers)
        if step.side is Side.PROVIDER and self._job.admin is not None:
            headers = signed(self._job.admin, step.method, url, headers, body)
        answer = over.request(step.method, url, data=body or None, headers=headers, timeout=SECONDS)
        if answer.status_code == 404 and step.method == "GET":
            return None
        if answer.status_code >= 400:
            raise Refused(f"{step.method} {step.target.partition('?')[0]}: {answer.status_code}")
        return answer.json() if answer.content else None


def signed(admin: Admin, method: str, url: str, headers: dict[str, str], body: bytes) -> dict[str, str]:
    """The headers with a signature of this request in place of another's."""
    request = AWSRequest(method=method, url=url, data=body, headers=headers)
    S3SigV4Auth(Credentials(admin.access_key, admin.secret_key), "s3", REGION).add_auth(request)
    return dict(request.headers)


def work(job: Job, keys: Queue[Created | None], told: Queue[str]) -> None:
    """What the process does; what it tells first is nothing, when it is about to begin, and then what went wrong."""
    try:
        Client(job, keys, told).run()
    except Exception as error:
        told.put(f"{type(error).__name__}: {error}")


class Plain:
    """The process with the plain client. Use it as a part that is started and stopped."""

    def __init__(self, job: Job) -> None:
        context = multiprocessing.get_context("spawn")
        self._keys: Queue[Created | None] = context.Queue()
        self._told: Queue[str] = context.Queue()
        self._workers = job.workers
        self._process = context.Process(target=work, args=(job, self._keys, self._told), daemon=True)

    def start(self) -> None:
        self._process.start()
        try:
            said = self._told.get(timeout=SECONDS)
        except queue.Empty:
            said = "the plain client did not begin"
        if said:
            raise Refused(said)

    def give(self, created: Created) -> None:
        """A key to be made Ready."""
        self._keys.put(created)

    def check(self) -> None:
        """Raise what went wrong meanwhile."""
        try:
            raise Refused(self._told.get_nowait())
        except queue.Empty:
            return

    def finish(self) -> None:
        """Wait until all calls are made."""
        for _ in range(self._workers):
            self._keys.put(None)
        self._process.join(SECONDS)
        self.check()
        if self._process.exitcode != 0:
            raise Refused(f"the plain client ended with {self._process.exitcode}")

    def stop(self) -> None:
        if self._process.is_alive():
            self._process.kill()
            self._process.join(SECONDS)
