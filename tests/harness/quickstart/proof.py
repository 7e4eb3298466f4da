"""The proof: what an application can and cannot do with the keys from the Secrets, and that nothing is done twice."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import requests
from botocore.exceptions import ClientError

from harness import s3
from harness.http import session
from harness.management import Management
from harness.quickstart.cluster import USER, Cluster
from harness.quickstart.run import Run
from harness.quickstart.ui import StepFailed
from harness.waiting import Late, until

ADMIN_NAMES = ("admin",)
HELLO = b"hello from the quick start\n"
KEYS = {"app-full": "team-a", "app-rw": "team-a", "app-ro": "team-a", "app-wo": "team-a", "other": "team-b"}
# How long the operator must be silent to be at rest: counts are noted two seconds after a burst.
SILENCE = 4.0


@dataclass(frozen=True)
class Plane:
    """Where the data plane is, for Secrets whose format does not say it."""

    endpoint: str
    region: str
    ca: Path


def _refused(what: str, call: Callable[[], Any], statuses: tuple[int, ...] = (403,)) -> None:
    try:
        call()
    except ClientError as error:
        status, code = s3.refusal(error)
        if status in statuses:
            return
        raise StepFailed(f"{what} must be refused with {statuses[0]}, but was with {status} {code}") from None
    raise StepFailed(f"{what} must be refused, but was allowed")


def as_application(cluster: Cluster, plane: Plane) -> Iterator[str]:
    """Use each key as an application would; yields what was shown."""
    clients = {}
    for name, namespace in KEYS.items():
        given = s3.credentials(cluster.entries(namespace, name))
        clients[name] = s3.client(given, plane.ca, plane.endpoint, plane.region)
    hello = {"Bucket": "data", "Key": "hello.txt"}

    def read(name: str) -> bytes:
        content: bytes = clients[name].get_object(**hello)["Body"].read()
        return content

    clients["app-rw"].put_object(**hello, Body=HELLO)
    if read("app-rw") != HELLO:
        raise StepFailed("app-rw must read what it wrote")
    yield "app-rw   put and get data/hello.txt"
    if read("app-ro") != HELLO:
        raise StepFailed("app-ro must read what app-rw wrote")
    _refused("app-ro: put", lambda: clients["app-ro"].put_object(**hello, Body=b"no"))
    yield "app-ro   get; put refused (403)"
    clients["app-wo"].put_object(Bucket="data", Key="delivered.txt", Body=b"delivered\n")
    _refused("app-wo: get", lambda: clients["app-wo"].get_object(**hello))
    yield "app-wo   put; get refused (403)"
    _refused("app-rw: create bucket", lambda: clients["app-rw"].create_bucket(Bucket="more"))
    yield "app-rw   create bucket refused (403)"
    buckets = [bucket["Name"] for bucket in clients["app-full"].list_buckets()["Buckets"]]
    if buckets != ["data"]:
        raise StepFailed(f"app-full must see its bucket 'data' and no other, but sees {buckets}")
    yield "app-full lists its buckets: data"
    _refused("other: get team-a's object", lambda: clients["other"].get_object(**hello), (404,))
    seen = clients["other"].list_objects_v2(Bucket="data").get("Contents", [])
    if seen:
        raise StepFailed(f"other must not see team-a's objects, but sees {[one['Key'] for one in seen]}")
    yield "other    cannot see team-a's bucket `data`"


def versions(cluster: Cluster) -> dict[str, str]:
    """The revision of each object of ours and each Secret: any write changes one of them."""
    found = cluster.storekeeper_objects()
    for namespace in sorted(set(KEYS.values())):
        found += cluster.json("get", "secrets", "-n", namespace)["items"]
    return {f"{one['kind']} {one['metadata']['uid']}": one["metadata"]["resourceVersion"] for one in found}


class Quiet:
    """Taken before something that must do nothing; `check` tells what it did all the same."""

    def __init__(self, cluster: Cluster, management: Management) -> None:
        self._cluster = cluster
        self._management = management
        self._position = cluster.audit.position() if cluster.audit else 0
        self._keys = self._key_ids()
        self._versions = versions(cluster)

    def _key_ids(self) -> set[str]:
        return {key["accessKeyId"] for key in self._management.access_keys()}

    def settle(self, operator: str, run: Run) -> None:
        """Wait until the operator has looked at everything after its start, and then is silent."""
        try:
            until(lambda: self._looked(operator), "the operator to look at every AccessKey's Secret", 60)
        except Late as late:
            raise StepFailed(str(late), run.log("operator")) from None
        self.rest(operator, run)

    def rest(self, operator: str, run: Run) -> None:
        """Wait until the operator is silent: what it counts, it notes a moment after a burst."""
        last, since = self._activity(operator), time.monotonic()
        end = since + 60
        while time.monotonic() - since < SILENCE:
            if (now := self._activity(operator)) != last:
                last, since = now, time.monotonic()
            if since > end:
                raise StepFailed("the operator does not come to rest", run.log("operator"))
            time.sleep(0.1)

    def _looked(self, operator: str) -> bool:
        if self._cluster.audit is None:
            return self._reconciles(operator) >= len(self._cluster.storekeeper_objects())
        calls = self._cluster.audit.calls(self._position, USER)
        read = {call.name for call in calls if call.verb == "get" and call.resource == "secrets"}
        return set(KEYS) <= read

    def _activity(self, operator: str) -> float:
        if self._cluster.audit is None:
            return self._reconciles(operator)
        calls = self._cluster.audit.calls(self._position, USER)
        return len([call for call in calls if call.resource != "leases" and call.verb != "watch"])

    def _reconciles(self, operator: str) -> float:
        """The sum over all kinds of the counter of reconciles."""
        try:
            text = session().get(f"http://{operator}/metrics", timeout=2).text
        except requests.RequestException:
            return 0.0
        lines = [line for line in text.splitlines() if line.startswith("storekeeper_reconciles_total")]
        return sum(float(line.split()[-1]) for line in lines)

    def check(self) -> str:
        """Raise if anything was written or minted; else a line that says how that is known."""
        if self._cluster.audit is not None:
            writes = [call for call in self._cluster.audit.writes(self._position) if call.user in (USER, *ADMIN_NAMES)]
            if writes:
                shown = ", ".join(f"{call.verb} {call.target} {call.namespace}/{call.name}" for call in writes[:5])
                raise StepFailed(f"nothing must be written, but there were {len(writes)} writes: {shown}")
        changed = [name for name, version in versions(self._cluster).items() if self._versions.get(name) != version]
        if changed:
            raise StepFailed(f"nothing must be written, but these changed: {', '.join(changed)}")
        made = self._key_ids() ^ self._keys
        if made:
            raise StepFailed(f"no key must be made or revoked, but these were: {', '.join(sorted(made))}")
        return "by the audit log and the key list" if self._cluster.audit else "by revisions and the key list"
