"""A real Ceph object gateway on loopback: one monitor, one OSD whose objects are in memory, and radosgw.

`python -m harness.rgw run -- COMMAND…` runs a command beside one, with its address and an operator's credentials in the
environment, and ends it with the command.
"""

from __future__ import annotations

import argparse
import os
import secrets
import shutil
import subprocess
import sys
import tempfile
import uuid
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlencode

import requests
from botocore.auth import S3SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

from harness.ports import free_port
from harness.process import Process
from harness.running import started

PACKAGES = ("ceph-mon", "ceph-osd", "radosgw")
TOOLS = ("ceph-mon", "ceph-osd", "radosgw", "radosgw-admin", "ceph", "monmaptool")
# What the operator needs, and no more.
CAPS = "users=*;buckets=*;metadata=*"
REGION = "default"

# Each line is there for a reason: no authentication between the daemons, no second copy of anything, few placement
# groups, a monitor that does not mind a full disk and does not gather changes for a second, and no Nagle in answers.
CONFIGURATION = """\
[global]
fsid = {fsid}
mon_host = v2:127.0.0.1:{monitor}
public_addr = 127.0.0.1
cluster_addr = 127.0.0.1
auth_cluster_required = none
auth_service_required = none
auth_client_required = none
run_dir = {folder}/run
pid_file = {folder}/run/$name.pid
admin_socket = {folder}/run/$name.$pid.asok
log_file = {logs}/$name.log
osd_pool_default_size = 1
osd_pool_default_pg_num = 4
osd_crush_chooseleaf_type = 0
rgw_rados_pool_pg_num_min = 4
mon_max_pg_per_osd = 1000
paxos_propose_interval = 0.05
paxos_min_wait = 0.01
[mon.a]
mon_data_avail_warn = 1
mon_data_avail_crit = 0
mon_data = {folder}/mon
[osd.0]
osd_data = {folder}/osd
osd_objectstore = memstore
memstore_device_bytes = 8589934592
[client.rgw]
ms_mon_client_mode = crc
rgw_data = {folder}/rgw
rgw_frontends = beast endpoint=127.0.0.1:{port} tcp_nodelay=1
rgw_cache_enabled = false
"""


class Missing(Exception):
    """Ceph is not installed, and cannot be installed here."""


def missing() -> list[str]:
    """The tools of Ceph that are not on the path."""
    return [tool for tool in TOOLS if shutil.which(tool) is None]


def install() -> None:
    """Installs Ceph's packages where they are missing and that is allowed; else says what is missing."""
    absent = missing()
    if not absent:
        return
    command = f"apt-get install --no-install-recommends {' '.join(PACKAGES)}"
    if os.geteuid() != 0 or shutil.which("apt-get") is None:
        raise Missing(f"{', '.join(absent)} must be installed: as root, {command}")
    print(f"installing {', '.join(PACKAGES)}", file=sys.stderr, flush=True)
    environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    for step in (["apt-get", "-q", "update"], ["apt-get", "-q", "-y", *command.split()[1:]]):
        done = subprocess.run(step, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        if done.returncode != 0:
            raise Missing(f"{', '.join(absent)} must be installed, and '{' '.join(step)}' failed: {done.stdout[-500:]}")
    if missing():
        raise Missing(f"{', '.join(missing())} must be on the path; '{command}' did not bring it")


@dataclass(frozen=True)
class Admin:
    """A key of the user that an operator works as."""

    access_key: str
    secret_key: str

    def __repr__(self) -> str:
        return f"Admin({self.access_key[:4]}…)"


class Rgw:
    """One gateway with its cluster. Its data is gone when it is stopped; `restart` keeps it."""

    def __init__(self, folder: Path, *, logs: Path | None = None, port: int | None = None) -> None:
        self.folder = folder
        self.logs = logs or folder / "log"
        self.port = port or free_port()
        self.endpoint = f"http://127.0.0.1:{self.port}"
        self.region = REGION
        self.admin = Admin("ADMIN" + secrets.token_hex(8).upper(), secrets.token_hex(20))
        self._fsid = str(uuid.uuid4())
        self._environment = {"CEPH_CONF": str(folder / "ceph.conf")}
        self._monitor_port = free_port()
        self._monitor = self._daemon("ceph-mon", "-f", "-i", "a")
        self._osd = self._daemon("ceph-osd", "-f", "-i", "0")
        self.gateway = self._daemon("radosgw", "-f", "-n", "client.rgw")

    def _daemon(self, *command: str) -> Process:
        return Process(command[0], command, self.logs / f"{command[0]}.out", self._environment)

    def _tool(self, *command: str | Path) -> str:
        """Runs one of Ceph's tools; its output is shown only if it fails, and the admin's secret never."""
        done = subprocess.run(
            [str(part) for part in command],
            env={**os.environ, **self._environment},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=60,
        )
        if done.returncode != 0:
            said = done.stderr.replace(self.admin.secret_key, "…")[-2000:]
            raise AssertionError(f"'{command[0]}' exited with {done.returncode}: {said}")
        return done.stdout

    def start(self) -> None:
        install()
        for name in ("mon", "osd", "run", "rgw"):
            (self.folder / name).mkdir(parents=True)
        self.logs.mkdir(parents=True, exist_ok=True)
        (self.folder / "ceph.conf").write_text(
            CONFIGURATION.format(
                fsid=self._fsid, folder=self.folder, logs=self.logs, monitor=self._monitor_port, port=self.port
            )
        )
        self._start_cluster()
        user = ("--uid=storekeeper", "--display-name=storekeeper", f"--caps={CAPS}")
        key = (f"--access-key={self.admin.access_key}", f"--secret-key={self.admin.secret_key}")
        self._tool("radosgw-admin", "-n", "client.rgw", "user", "create", *user, *key)
        self.gateway.start(self.ready)

    def version(self) -> str:
        """Name and number: its APIs tell neither."""
        return " ".join(self._tool("radosgw", "--version").split()[:3])

    def _start_cluster(self) -> None:
        monmap = self.folder / "monmap"
        address = f"[v2:127.0.0.1:{self._monitor_port}]"
        self._tool("monmaptool", "--create", "--fsid", self._fsid, "--addv", "a", address, monmap)
        self._tool("ceph-mon", "-i", "a", "--mkfs", "--monmap", monmap)
        self._monitor.start(self._has_quorum)
        osd = str(uuid.uuid4())
        self._tool("ceph", "osd", "new", osd)
        self._tool("ceph-osd", "-i", "0", "--mkfs", "--osd-uuid", osd)
        self._osd.start(lambda: "1 up" in self._tool("ceph", "osd", "stat"))

    def _has_quorum(self) -> bool:
        try:
            return bool(self._tool("ceph", "--connect-timeout", "5", "quorum_status"))
        except AssertionError:
            return False

    def ready(self) -> bool:
        try:
            return requests.get(self.endpoint, timeout=5).status_code == 200
        except requests.ConnectionError:
            return False

    def restart(self, *, kill: bool = False) -> None:
        """Ends the gateway and starts it again on the same data."""
        if kill:
            self.gateway.kill()
        else:
            self.gateway.stop()
        self.gateway.start(self.ready)

    def stop(self) -> None:
        """Ends all three, whatever became of their start. Nothing needs to be flushed."""
        for daemon in (self.gateway, self._osd, self._monitor):
            daemon.kill()

    def call(self, method: str, what: str, query: dict[str, str]) -> requests.Response:
        """A request of the Admin Ops API, as the operator."""
        url = f"{self.endpoint}/admin/{what}?{urlencode(query, quote_via=quote)}"
        request = AWSRequest(method=method, url=url)
        S3SigV4Auth(Credentials(self.admin.access_key, self.admin.secret_key), "s3", self.region).add_auth(request)
        answer = requests.request(method, url, headers=dict(request.headers), timeout=30)
        if answer.status_code >= 400 and answer.status_code != 404:
            raise AssertionError(f"{method} {what}: {answer.status_code} {answer.text[:200]}")
        return answer

    def uids(self) -> list[str]:
        """The uids of all users, a thousand at most."""
        uids: list[str] = self.call("GET", "user", {"list": "", "max-entries": "1000"}).json()["keys"]
        return uids

    def user(self, uid: str) -> dict[str, Any] | None:
        """A user with its keys; None if there is none."""
        answer = self.call("GET", "metadata/user", {"key": uid})
        return None if answer.status_code == 404 else answer.json()["data"]

    def environment(self) -> dict[str, str]:
        """What a test that is not written in Python needs to know."""
        return {
            "STOREKEEPER_RGW_ENDPOINT": self.endpoint,
            "STOREKEEPER_RGW_ACCESS_KEY": self.admin.access_key,
            "STOREKEEPER_RGW_SECRET_KEY": self.admin.secret_key,
            "STOREKEEPER_RGW_LOG": str(self.logs / "client.rgw.log"),
        }


def run(command: list[str]) -> int:
    """Runs a command beside a gateway; its exit code."""
    with tempfile.TemporaryDirectory(prefix="storekeeper-rgw-") as folder:
        with started(Rgw(Path(folder) / "ceph")) as rgw:
            return subprocess.run(command, env={**os.environ, **rgw.environment()}, check=False).returncode


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m harness.rgw", description=__doc__)
    parser.add_argument("verb", choices=["run"])
    parser.add_argument("command", nargs="+", help="what is run beside the gateway, after `--`")
    given = parser.parse_args()
    try:
        return run(given.command)
    except Missing as error:
        print(f"error: {error}", file=sys.stderr)
        return 1


if __name__ == "__main__":
    sys.exit(main())
