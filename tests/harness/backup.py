"""Copies of a server's data as a snapshot of its volume is, of one instant while it runs; and putting them back."""

from __future__ import annotations

import os
import shutil
import signal
from pathlib import Path

from harness.controlplane import ControlPlane
from harness.management_server import ManagementServer
from harness.process import Process


def _copy(process: Process, data: Path, to: Path) -> None:
    """What the process would find if it were killed now and started again."""
    os.kill(process.pid, signal.SIGSTOP)
    try:
        shutil.copytree(data, to)
    finally:
        os.kill(process.pid, signal.SIGCONT)


def _put_back(copy: Path, data: Path) -> None:
    shutil.rmtree(data)
    shutil.copytree(copy, data)


def back_up_etcd(plane: ControlPlane, to: Path) -> None:
    _copy(plane.etcd, plane.layout.folder / "etcd", to)


def restore_etcd(plane: ControlPlane, copy: Path) -> None:
    """Stop the whole control plane, put the data back, and start it again with the keys and tokens that it had."""
    plane.stop()
    _put_back(copy, plane.layout.folder / "etcd")
    for process, ready in plane.probes():
        process.start(ready)


def back_up_server(server: ManagementServer, to: Path) -> None:
    _copy(server.process, server.folder / "data", to)


def restore_server(server: ManagementServer, copy: Path) -> None:
    server.stop()
    _put_back(copy, server.folder / "data")
    server.process.start(server.ready)
