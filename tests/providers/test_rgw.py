"""The gateway that tests run against: it starts, keeps its data over a restart, and leaves nothing behind."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import boto3
import pytest
from botocore.config import Config

from harness import rgw
from harness.rgw import Missing, Rgw
from harness.running import started
from harness.selftests.test_process import TESTS, gone


def test_a_gateway_keeps_its_buckets_over_a_restart_and_ends_with_its_daemons(tmp_path: Path) -> None:
    with started(Rgw(tmp_path / "ceph")) as gateway:
        daemons = (gateway.gateway, gateway._osd, gateway._monitor)
        s3 = boto3.client(
            "s3",
            aws_access_key_id=gateway.admin.access_key,
            aws_secret_access_key=gateway.admin.secret_key,
            endpoint_url=gateway.endpoint,
            region_name=gateway.region,
            config=Config(s3={"addressing_style": "path"}),
        )
        s3.create_bucket(Bucket="kept")
        for kill in (False, True):
            gateway.restart(kill=kill)
            assert [bucket["Name"] for bucket in s3.list_buckets()["Buckets"]] == ["kept"]
        pids = [daemon.pid for daemon in daemons]
        assert not any(gone(pid) for pid in pids)
    assert all(gone(pid) for pid in pids)


def test_a_command_is_run_beside_a_gateway_and_its_exit_code_is_kept(tmp_path: Path) -> None:
    code = (
        "import os, requests, sys;"
        "sys.exit(7 if requests.get(os.environ['STOREKEEPER_RGW_ENDPOINT']).status_code == 200 else 1)"
    )
    command = [sys.executable, "-m", "harness.rgw", "run", "--", sys.executable, "-c", code]
    done = subprocess.run(command, cwd=TESTS, env={**os.environ, "TMPDIR": str(tmp_path)})
    assert done.returncode == 7
    assert list(tmp_path.iterdir()) == []


def test_what_is_missing_is_said_where_it_cannot_be_installed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rgw.shutil, "which", lambda tool: None if tool in ("radosgw", "apt-get") else f"/bin/{tool}")
    with pytest.raises(Missing, match="radosgw must be installed: as root, apt-get install"):
        rgw.install()
