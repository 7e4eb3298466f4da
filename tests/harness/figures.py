"""`make figures`: what storekeeper costs, measured on real parts and printed as one line per figure.

Writes are counted from the API server's audit log, provider calls by the proxy in front of the management server.
"""

from __future__ import annotations

import sys
import tempfile
import time
from pathlib import Path

from harness.audit import Call, count
from harness.installation import OPERATOR, Installation
from harness.kube import Object, is_ready
from harness.memory import resident
from harness.waiting import until

NAMESPACE = "figures"
SOME, MANY = 100, 1000
API = "storekeeper.dev/v1alpha1"


def say(what: str, value: object) -> None:
    print(f"{what:<58} {value}", flush=True)


def resident_mib(pid: int) -> str:
    """The resident memory of a process."""
    return f"{resident(pid) / 2**20:.1f} MiB"


def manifest(kind: str, name: str, spec: Object, namespaced: bool = True) -> Object:
    metadata = {"name": name, "namespace": NAMESPACE} if namespaced else {"name": name}
    return {"apiVersion": API, "kind": kind, "metadata": metadata, "spec": spec}


def make_keys(made: Installation, numbers: range) -> float:
    """Create AccessKeys and wait until all are Ready; the seconds it took."""
    started = time.monotonic()
    for number in numbers:
        spec = {"userRef": {"name": "app"}, "permission": "ReadWrite"}
        made.kube.create(manifest("AccessKey", f"key-{number:04}", spec))

    def all_ready() -> bool:
        return sum(map(is_ready, made.kube.items("AccessKey", NAMESPACE))) == numbers.stop

    until(all_ready, f"{numbers.stop} AccessKeys to be Ready", 600)
    return time.monotonic() - started


def settled(made: Installation, since: int) -> None:
    """Wait until the operator has made no call for three seconds."""
    last, quiet = -1, time.monotonic()
    while time.monotonic() - quiet < 3:
        calls = len([call for call in made.audit.calls(since, OPERATOR) if call.verb != "watch"])
        if calls != last:
            last, quiet = calls, time.monotonic()
        time.sleep(0.2)


def about_keys(call: Call) -> bool:
    return call.namespace == NAMESPACE and call.resource in ("accesskeys", "secrets")


def per_key(made: Installation) -> None:
    since, seen = made.audit.position(), len(made.management_proxy.seen())
    make_keys(made, range(SOME))
    settled(made, since)
    calls = [call for call in made.audit.calls(since, OPERATOR) if about_keys(call)]
    writes = [call for call in calls if call.is_write]
    say("Kubernetes writes per AccessKey", len(writes) / SOME)
    for (_, verb, target), times in sorted(count(writes).items()):
        say(f"  {verb} {target}", times / SOME)
    say("dry runs per AccessKey", len([call for call in calls if call.dry_run]) / SOME)
    provider = [one for one in made.management_proxy.seen()[seen:] if one.path.startswith("/v1/accessKeys")]
    say("provider calls about keys per AccessKey", len(provider) / SOME)
    say("  all provider calls per AccessKey", len(made.management_proxy.seen()[seen:]) / SOME)


def restart(made: Installation) -> None:
    since = made.audit.position()
    made.operator.stop()
    made.operator.start()
    settled(made, since)
    say(f"writes on restart with {SOME} unchanged AccessKeys", len(made.audit.writes(since, OPERATOR)))


def main() -> int:
    with tempfile.TemporaryDirectory(prefix="storekeeper-figures-") as folder:
        made = Installation(Path(folder), operator_options=("--log-level", "info"))
        try:
            made.start()
            settled(made, 0)
            say("operator, resident memory, idle", resident_mib(made.operator.process.pid))
            made.kube.create({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": NAMESPACE}})
            admitted = {"allowedNamespaces": {"names": [NAMESPACE]}}
            made.kube.create(manifest("Tenant", NAMESPACE, admitted, namespaced=False))
            made.kube.create(manifest("StorageUser", "app", {"tenantRef": {"name": NAMESPACE}}))
            made.kube.wait_ready("StorageUser", "app", NAMESPACE)
            per_key(made)
            restart(made)
            say(f"seconds for {MANY - SOME} more AccessKeys", f"{make_keys(made, range(SOME, MANY)):.1f}")
            say(f"operator, resident memory, {MANY} AccessKeys", resident_mib(made.operator.process.pid))
        finally:
            made.stop()
    return 0


if __name__ == "__main__":
    sys.exit(main())
