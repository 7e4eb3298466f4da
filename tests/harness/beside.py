"""Running something beside the object stores that are installed: Garage and Ceph's gateway, on loopback.

`python -m harness.beside COMMAND…` starts them, makes a bucket and a key at each, runs the command with their addresses
in `STOREKEEPER_BENCH_BESIDE` (JSON), and ends them with it. One that is not installed is left out, and that is said.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path

import boto3
from botocore.config import Config

from harness import garage, rgw
from harness.garage import Garage
from harness.rgw import Rgw
from harness.running import started

BUCKET = "bench"
RIGHTS = {"read": True, "write": True, "owner": True}


def place(name: str, endpoint: str, region: str, key: str, secret: str) -> dict[str, str]:
    """What the command is told of a store."""
    told = {"name": name, "endpoint": endpoint, "region": region, "bucket": BUCKET}
    return {**told, "accessKey": key, "secretKey": secret}


def at_garage(stack: ExitStack, folder: Path) -> dict[str, str]:
    """One node, its data on the disk; built as the tests need it, without optimization."""
    node = stack.enter_context(started(Garage(folder / "garage")))
    key = node.post("CreateKey", {"name": BUCKET})
    bucket = node.post("CreateBucket", {"globalAlias": BUCKET})
    node.post("AllowBucketKey", {"bucketId": bucket["id"], "accessKeyId": key["accessKeyId"], "permissions": RIGHTS})
    return place("garage, not optimized", node.s3_endpoint, node.region, key["accessKeyId"], key["secretAccessKey"])


def at_rgw(stack: ExitStack, folder: Path) -> dict[str, str]:
    """One gateway, its objects in memory: nothing of it waits for a disk."""
    gateway = stack.enter_context(started(Rgw(folder / "ceph")))
    made = gateway.call("PUT", "user", {"uid": BUCKET, "display-name": BUCKET}).json()["keys"][0]
    told = place("ceph-rgw, in memory", gateway.endpoint, gateway.region, made["access_key"], made["secret_key"])
    plain = Config(s3={"addressing_style": "path"})
    s3 = boto3.client(
        "s3",
        endpoint_url=told["endpoint"],
        region_name=told["region"],
        aws_access_key_id=told["accessKey"],
        aws_secret_access_key=told["secretKey"],
        config=plain,
    )
    s3.create_bucket(Bucket=BUCKET)
    return told


def installed() -> list[Callable[[ExitStack, Path], dict[str, str]]]:
    """How to start each that is there."""
    found: list[Callable[[ExitStack, Path], dict[str, str]]] = []
    if garage.is_built():
        found.append(at_garage)
    else:
        print("Garage is not built: scripts/garage builds it", file=sys.stderr)
    if rgw.missing():
        print(f"Ceph is not installed: {', '.join(rgw.PACKAGES)}", file=sys.stderr)
    else:
        found.append(at_rgw)
    return found


def run(command: list[str], base: Path) -> int:
    """Runs the command beside them, their data below `base`; its exit code."""
    with tempfile.TemporaryDirectory(prefix="beside-", dir=base) as folder, ExitStack() as stack:
        places = [start(stack, Path(folder)) for start in installed()]
        environment = {**os.environ, "STOREKEEPER_BENCH_BESIDE": json.dumps(places)}
        return subprocess.run(command, env=environment, check=False).returncode


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m harness.beside", description=__doc__)
    parser.add_argument("--data", type=Path, default=None, metavar="FOLDER", help="where their data lies for so long")
    parser.add_argument("command", nargs="+", help="what is run beside them, after `--`")
    given = parser.parse_args()
    return run(given.command, given.data or Path(tempfile.gettempdir()))


if __name__ == "__main__":
    sys.exit(main())
