"""One store's run: the operator makes so many keys Ready, then the plain client does, on the same servers."""

from __future__ import annotations

import os
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from harness.installation import Installation
from harness.kube import Object, is_ready, path_of
from harness.running import started
from harness.waiting import until
from providers.bench.kinds import counted, kind_of
from providers.bench.plain import Created, Job, Plain
from providers.bench.record import Recorder, Side
from providers.bench.script import Script, scripts
from providers.bench.verdict import Figures, differences
from providers.connect import connect
from providers.stores import READ_WRITE, CephRgwStore, Store, made
from providers.world import StoreWorld

# How many keys are worked on at a time, and how many calls are made to an account at a time: the operator's defaults,
# given to it all the same, so that the plain client has no more and no less.
WORKERS, TURNS = 64, 8
OPTIONS = ("--log-level", "info", "--concurrency", str(WORKERS))
NAMESPACE = "bench"
# Seconds without a call, after which a run counts as over; and the longest that one may take.
QUIET, DEADLINE = 3.0, 900.0

Say = Callable[[str], None]


class Uneven(Exception):
    """The plain client did not make the same calls."""


class Scene:
    """A store with a Ready account, a Tenant, a StorageUser and its Bucket."""

    def __init__(self, installation: Installation, store: Store, keys: int, say: Say) -> None:
        self.installation = installation
        self.store = store
        self.keys = keys
        self.say = say
        self.kube = installation.kube
        self.world = StoreWorld(installation, NAMESPACE, store)
        self.recorder = Recorder(installation.kube_proxy, store.proxy)

    def prepare(self) -> str:
        """The name and version of the server."""
        connect(self.installation, self.store, maxConcurrentRequests=TURNS)
        self.world.namespace(NAMESPACE)
        self.world.tenant(NAMESPACE, accountRef={"name": self.store.name})
        self.world.user()
        self.world.bucket("data")
        self.world.ready("StorageUser", "app", 60)
        self.world.ready("Bucket", "data", 60)
        if isinstance(self.store, CephRgwStore):
            return self.store.rgw.version()
        status = self.kube.get("StorageAccount", self.store.name)["status"]["provider"]
        return f"{status['name']} {status['version']}"

    def burst(self, run: str, name: str, on_created: Callable[[int, Object], None], check: Callable[[], None]) -> float:
        """Create all keys, and wait until all are Ready: the seconds from the first to the last."""
        self.recorder.start()
        began = time.monotonic()
        for number in range(self.keys):
            metadata = {"name": f"{name}-{number:04}", "namespace": NAMESPACE, "labels": {"run": run}}
            spec = {"userRef": {"name": "app"}, "permission": READ_WRITE}
            key = {"apiVersion": "storekeeper.dev/v1alpha1", "kind": "AccessKey", "metadata": metadata, "spec": spec}
            on_created(number, self.kube.create(key))

        def all_ready() -> bool:
            check()
            there = self.kube.call("GET", f"{path_of('AccessKey', NAMESPACE)}?labelSelector=run%3D{run}")["items"]
            ready = sum(map(is_ready, there))
            self.say(f"{run}: {ready} of {self.keys} AccessKeys Ready")
            return ready == self.keys

        until(all_ready, f"{self.keys} AccessKeys to be Ready", DEADLINE, period=0.1)
        return time.monotonic() - began

    def settle(self) -> None:
        """Wait until no call was made for a while."""
        last, quiet = -1, time.monotonic()

        def silent() -> bool:
            nonlocal last, quiet
            if len(self.recorder) != last:
                last, quiet = len(self.recorder), time.monotonic()
            return time.monotonic() - quiet >= QUIET

        until(silent, "the operator to make no call", 120, period=0.2)

    def plain(self, recorded: list[Script]) -> float:
        """The same by the plain client: the seconds."""
        proxies = {Side.KUBERNETES: self.installation.kube_proxy, Side.PROVIDER: self.store.proxy}
        endpoints = {side: proxy.endpoint for side, proxy in proxies.items()}
        admin = self.store.rgw.admin if isinstance(self.store, CephRgwStore) else None
        workers = min(WORKERS, self.keys)
        job = Job(recorded, endpoints, self.installation.certificates.ca, workers, TURNS, admin)
        with started(Plain(job)) as client:

            def give(number: int, created: Object) -> None:
                client.give(Created.of(number, created))

            seconds = self.burst("plain", "new", give, client.check)
            client.finish()
        return seconds


def measure(name: str, keys: int, say: Say) -> Figures:
    """What there is to say of one store. Everything that it starts, it ends."""
    with tempfile.TemporaryDirectory(prefix=f"storekeeper-bench-{name}-") as folder:
        say("starting a control plane and an operator")
        with started(Installation(Path(folder), operator_options=OPTIONS)) as installation:
            say("starting the store")
            with started(made(name, installation)) as store:
                return _measured(Scene(installation, store, keys, say))


def _measured(scene: Scene) -> Figures:
    server, name = scene.prepare(), scene.store.name
    scene.say("waiting until the operator rests")
    scene.settle()
    load = os.getloadavg()[0]
    uids: dict[str, str] = {}

    def note(_: int, created: Object) -> None:
        uids[created["metadata"]["name"]] = created["metadata"]["uid"]

    operator_seconds = scene.burst("operator", "key", note, lambda: None)
    scene.settle()
    recording = scene.recorder.passed()
    scene.installation.operator.stop()
    recorded = scripts(name, recording, uids)
    plain_seconds = scene.plain(recorded)
    calls, plain_calls = counted(name, recording), counted(name, scene.recorder.passed())
    uneven = differences(calls, plain_calls)
    if uneven:
        raise Uneven(f"the plain client must make the same calls; kind: (operator, plain client): {uneven}")
    typical = sorted(recorded, key=lambda script: len(script.steps))[len(recorded) // 2]
    sequence = [kind_of(name, step) for step in typical.steps]
    return Figures(name, server, scene.keys, operator_seconds, plain_seconds, calls, plain_calls, load, sequence)
