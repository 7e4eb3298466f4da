"""Programs that people use: awscli and rclone."""

from __future__ import annotations

import hashlib
import os
import random
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
import requests

from clients.rclone.build import build
from s3.world import BUCKET, MIB, User, content

Run = Callable[..., str]


def run(command: list[str], environment: dict[str, str], fails: bool = False) -> str:
    """Run a program; what it printed."""
    done = subprocess.run(
        command,
        env={"PATH": os.environ["PATH"], **environment},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=200,
        check=False,
    )
    assert (done.returncode != 0) == fails, f"{command}: {done.returncode}\n{done.stdout}\n{done.stderr}"
    return done.stdout + done.stderr


def aws_with(user: User, folder: Path, level: str) -> Run:
    """awscli with a key of that level."""
    key = user.key(level)
    folder.mkdir(exist_ok=True)
    (folder / "aws.conf").write_text("[default]\ns3 =\n  addressing_style = path\n")
    environment = {
        "HOME": str(folder),
        "AWS_CONFIG_FILE": str(folder / "aws.conf"),
        "AWS_ACCESS_KEY_ID": key.access_key_id,
        "AWS_SECRET_ACCESS_KEY": key.secret_access_key,
        # Version 1 does not read AWS_REGION.
        "AWS_DEFAULT_REGION": user.server.region,
        "AWS_ENDPOINT_URL_S3": user.server.s3_endpoint,
        "AWS_CA_BUNDLE": str(user.server.certificates.ca),
        "AWS_MAX_ATTEMPTS": "1",
        "AWS_EC2_METADATA_DISABLED": "true",
    }
    program = str(Path(sys.executable).parent / "aws")
    return lambda *arguments, **options: run([program, "s3", *arguments], environment, **options)


@pytest.fixture
def aws(user: User, tmp_path: Path) -> Run:
    return aws_with(user, tmp_path / "aws", "Full")


@pytest.fixture
def rclone(user: User, tmp_path: Path) -> Run:
    key = user.key("Full")
    environment = {
        "HOME": str(tmp_path),
        "RCLONE_CONFIG": str(tmp_path / "rclone.conf"),
        "RCLONE_CONFIG_STORE_TYPE": "s3",
        "RCLONE_CONFIG_STORE_PROVIDER": "Other",
        "RCLONE_CONFIG_STORE_ACCESS_KEY_ID": key.access_key_id,
        "RCLONE_CONFIG_STORE_SECRET_ACCESS_KEY": key.secret_access_key,
        "RCLONE_CONFIG_STORE_REGION": user.server.region,
        "RCLONE_CONFIG_STORE_ENDPOINT": user.server.s3_endpoint,
        "RCLONE_CA_CERT": str(user.server.certificates.ca),
        "RCLONE_RETRIES": "1",
        "RCLONE_LOW_LEVEL_RETRIES": "1",
        # Files of more than that go up in parts.
        "RCLONE_S3_UPLOAD_CUTOFF": "8M",
        "RCLONE_S3_CHUNK_SIZE": "6M",
    }
    program = str(build())
    return lambda *arguments, **options: run([program, *arguments], environment, **options)


def noise(size: int, seed: int) -> bytes:
    return random.Random(seed).randbytes(size)


def fill(folder: Path) -> dict[str, bytes]:
    """Files of all sorts; what they hold, by their path."""
    names = ["plain.txt", "sub/deeper/file", "sub/with space", "+ % &", "é/日本語", "empty", "large"]
    files = {
        name: noise(20 * MIB if name == "large" else 0 if name == "empty" else 1000, n) for n, name in enumerate(names)
    }
    for name, data in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(data)
    return files


def tree(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def listed(user: User, prefix: str = "") -> set[str]:
    found = user.client().list_objects_v2(Bucket=BUCKET, Prefix=prefix)
    return {item["Key"] for item in found.get("Contents", [])}


def test_awscli_copies_120_mb_both_ways(user: User, aws: Run, tmp_path: Path) -> None:
    data = noise(120 * 1000 * 1000, 1)
    (tmp_path / "large").write_bytes(data)
    aws("cp", str(tmp_path / "large"), f"s3://{BUCKET}/large")
    assert "-" in user.client().head_object(Bucket=BUCKET, Key="large")["ETag"], "it must have gone up in parts"
    aws("cp", f"s3://{BUCKET}/large", str(tmp_path / "back"))
    assert hashlib.sha256((tmp_path / "back").read_bytes()).digest() == hashlib.sha256(data).digest()


def test_awscli_syncs_both_ways_and_takes_away_what_is_gone(user: User, aws: Run, tmp_path: Path) -> None:
    files = fill(tmp_path / "from")
    aws("sync", str(tmp_path / "from"), f"s3://{BUCKET}/dir")
    assert listed(user) == {f"dir/{name}" for name in files}
    assert aws("sync", str(tmp_path / "from"), f"s3://{BUCKET}/dir") == "", "nothing is to be done twice"
    (tmp_path / "from" / "plain.txt").write_bytes(b"another content")
    (tmp_path / "from" / "empty").unlink()
    aws("sync", "--delete", str(tmp_path / "from"), f"s3://{BUCKET}/dir")
    aws("sync", f"s3://{BUCKET}/dir", str(tmp_path / "to"))
    assert tree(tmp_path / "to") == tree(tmp_path / "from")


def test_awscli_moves_20_mb(user: User, aws: Run, tmp_path: Path) -> None:
    data = noise(20 * MIB, 2)
    (tmp_path / "file").write_bytes(data)
    aws("mv", str(tmp_path / "file"), f"s3://{BUCKET}/here")
    assert not (tmp_path / "file").exists()
    aws("mv", f"s3://{BUCKET}/here", f"s3://{BUCKET}/there")
    assert listed(user) == {"there"}
    aws("mv", f"s3://{BUCKET}/there", str(tmp_path / "back"))
    assert (tmp_path / "back").read_bytes() == data
    assert user.usage() == (0, 0)


def test_awscli_removes_all_below_a_prefix(user: User, aws: Run) -> None:
    client = user.client()
    for number in range(30):
        client.put_object(Bucket=BUCKET, Key=f"old/{number}", Body=b"x")
    client.put_object(Bucket=BUCKET, Key="older", Body=b"x")
    aws("rm", "--recursive", f"s3://{BUCKET}/old/")
    assert listed(user) == {"older"}


def test_awscli_presigns(user: User, aws: Run) -> None:
    user.client().put_object(Bucket=BUCKET, Key="a b", Body=b"data")
    url = aws("presign", "--expires-in", "60", f"s3://{BUCKET}/a b").strip()
    answer = requests.get(url, verify=str(user.server.certificates.ca), timeout=30)
    assert answer.content == b"data"


def test_awscli_with_a_write_key_uploads_and_does_nothing_else(user: User, tmp_path: Path) -> None:
    upload_only = aws_with(user, tmp_path / "aws", "Write")
    (tmp_path / "file").write_bytes(noise(20 * MIB, 3))
    upload_only("cp", str(tmp_path / "file"), f"s3://{BUCKET}/up")
    for refused in (
        ("cp", f"s3://{BUCKET}/up", str(tmp_path / "down")),
        ("rm", f"s3://{BUCKET}/up"),
        ("ls", f"s3://{BUCKET}/"),
    ):
        output = upload_only(*refused, fails=True)
        assert "403" in output or "AccessDenied" in output, output
    assert len(content(user.client(), "up")) == 20 * MIB


def test_rclone_syncs_and_finds_no_difference(user: User, rclone: Run, tmp_path: Path) -> None:
    files = fill(tmp_path / "from")
    rclone("sync", str(tmp_path / "from"), f"store:{BUCKET}/dir")
    assert listed(user) == {f"dir/{name}" for name in files}
    rclone("check", "--download", str(tmp_path / "from"), f"store:{BUCKET}/dir")
    (tmp_path / "from" / "plain.txt").write_bytes(b"another content")
    (tmp_path / "from" / "sub/with space").unlink()
    assert "2 differences found" in rclone("check", str(tmp_path / "from"), f"store:{BUCKET}/dir", fails=True)
    rclone("sync", str(tmp_path / "from"), f"store:{BUCKET}/dir")
    rclone("check", str(tmp_path / "from"), f"store:{BUCKET}/dir")
    rclone("sync", f"store:{BUCKET}/dir", str(tmp_path / "to"))
    assert tree(tmp_path / "to") == tree(tmp_path / "from")
