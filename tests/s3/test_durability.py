"""Nothing that was acknowledged is lost: kills, backups, full disks; and a folder that does not fit is refused."""

from __future__ import annotations

import hashlib
import os
import random
import shutil
import sqlite3
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError

from harness import paths, tls
from harness.management import Management, Problem
from harness.management_server import ManagementServer
from harness.s3 import Credentials, refusal
from harness.waiting import until
from s3.load import KeyMaker, Writer
from s3.world import BUCKET, MIB, User, content, refused

# `make prove-server` asks for a hundred.
KILLS = int(os.environ.get("STOREKEEPER_KILLS", "8"))
SEED = int(os.environ.get("STOREKEEPER_SEED", "0")) or random.randrange(1, 1_000_000)
WRITERS = 4

NewServer = Callable[..., ManagementServer]


@pytest.fixture
def new_server(tmp_path: Path) -> Iterator[NewServer]:
    made: list[ManagementServer] = []
    certificates = tls.make_certificates(tmp_path / "pki")

    def make(name: str, **options: Any) -> ManagementServer:
        made.append(ManagementServer(tmp_path / name, certificates, **options))
        return made[-1]

    yield make
    for server in made:
        server.kill()


def first_user(server: ManagementServer) -> tuple[Management, User]:
    """A user with the bucket `data`."""
    admin = server.client()[0]
    tenant = admin.call("POST", "/v1/tenants", {"name": "acme"})["id"]
    user = User(server, admin, tenant)
    user.bucket()
    return admin, user


def command(*arguments: str | Path, fails: bool = False) -> str:
    """`storekeeper server …`; what it said."""
    line = [str(paths.storekeeper_binary()), "server", *map(str, arguments)]
    done = subprocess.run(line, capture_output=True, text=True, timeout=120, check=False)
    assert (done.returncode != 0) == fails, f"{line}: {done.returncode}\n{done.stdout}\n{done.stderr}"
    return done.stdout + done.stderr


def audit(data: Path) -> None:
    """What the folder of a stopped server must be: sound, counted right, each row with its blob, no blob without."""
    database = sqlite3.connect(data / "storekeeper.db")
    assert database.execute("PRAGMA integrity_check").fetchone() == ("ok",)
    assert database.execute("PRAGMA foreign_key_check").fetchall() == []
    rows = dict(
        database.execute("SELECT blob, size FROM object WHERE blob IS NOT NULL UNION ALL SELECT blob, size FROM part")
    )
    files = {file.name: file.stat().st_size for file in (data / "blobs").glob("*/*")}
    assert files == rows
    counted = database.execute("SELECT sum(used_bytes), sum(used_objects) FROM bucket").fetchone()
    there = database.execute("SELECT coalesce(sum(size), 0), count(*) FROM object WHERE marker = 0").fetchone()
    recorded = database.execute("SELECT coalesce(sum(bytes), 0), coalesce(sum(objects), 0) FROM stored_hour").fetchone()
    assert counted == there == recorded
    database.close()


def still_signs(user: User, maker: KeyMaker) -> list[str]:
    """Keys that were revoked and are let in all the same: asked with any secret, which comes after the key."""
    found = []
    for key in sorted(maker.revoked)[-5:]:
        with pytest.raises(ClientError) as caught:
            user.connect(Credentials(key, "x" * 40)).list_buckets()
        if refusal(caught.value) != (403, "InvalidAccessKeyId"):
            found.append(f"the key {key} was revoked, and answers {caught.value}")
    return found


@pytest.mark.timeout(120 + 6 * KILLS)
def test_kills_under_load_lose_nothing_and_leave_nothing_half_written(new_server: NewServer) -> None:
    server = new_server("killed")
    server.start()
    admin, user = first_user(server)
    user.patch_bucket(versioning="Disabled")
    writers = [Writer(user, number, SEED) for number in range(WRITERS)]
    maker = KeyMaker(user, admin)
    moments = random.Random(SEED)
    wrong: list[str] = []
    for kill in range(KILLS):
        stop = threading.Event()
        threads = [threading.Thread(target=part.until_it_fails, args=(stop,)) for part in (*writers, maker)]
        before = sum(writer.acknowledged for writer in writers)
        for thread in threads:
            thread.start()
        until(lambda: sum(writer.acknowledged for writer in writers) > before + 5, "some writes")  # noqa: B023
        stop.wait(moments.uniform(0, 0.3))
        server.kill()
        stop.set()
        for thread in threads:
            thread.join()
        server.start()
        for writer in writers:
            wrong += [f"kill {kill}: {what}" for what in writer.compare(writer.connect())]
        wrong += maker.compare()
        wrong += still_signs(user, maker)
        assert not wrong, f"seed {SEED}: {wrong}"
    acknowledged = sum(writer.acknowledged for writer in writers)
    made, revoked = len(maker.acknowledged), len(maker.revoked)
    assert revoked > 0
    print(f"{KILLS} kills, {acknowledged} acknowledged writes, {made} keys, {revoked} revoked, 0 lost; seed {SEED}")
    # A start sweeps what the last kill left behind.
    assert server.stop() == 0
    server.start()
    assert server.stop() == 0
    audit(server.folder / "data")


def etags(data: bytes) -> tuple[str, str]:
    """The entity tag of an object: put whole, or uploaded as one part."""
    whole = hashlib.md5(data)
    return whole.hexdigest(), f"{hashlib.md5(whole.digest()).hexdigest()}-1"


def test_a_copy_taken_under_load_is_whole_and_can_be_served(new_server: NewServer, tmp_path: Path) -> None:
    server = new_server("copied")
    server.start()
    _, user = first_user(server)
    reading = user.key("ReadWrite")
    client = user.client()
    for number in range(40):
        client.put_object(Bucket=BUCKET, Key=f"before/{number}", Body=f"{number}".encode() * 1000)
    at = {"Bucket": BUCKET, "Key": "in parts"}
    at["UploadId"] = client.create_multipart_upload(**at)["UploadId"]
    tag = client.upload_part(**at, PartNumber=1, Body=b"a part")["ETag"]
    writers = [Writer(user, number, SEED) for number in range(3)]
    stop = threading.Event()
    threads = [threading.Thread(target=writer.until_it_fails, args=(stop,)) for writer in writers]
    for thread in threads:
        thread.start()
    try:
        for number in range(5):
            # What is copied is replaced and removed meanwhile.
            said = command("backup", tmp_path / f"copy-{number}", "--data-dir", server.folder / "data")
            assert "copied" in said
    finally:
        stop.set()
        for thread in threads:
            thread.join()
    assert all(writer.acknowledged > 5 for writer in writers), "there was no load"
    assert not (tmp_path / "copy-4" / "storekeeper.key").exists()

    again = new_server("again")
    again.password = server.password
    again.folder.mkdir()
    data, key = again.folder / "data", server.folder / "data" / "storekeeper.key"
    command("restore", tmp_path / "copy-4", "--key-file", key, "--data-dir", data)
    again.start()
    user.server, user.admin = again, again.client()[0]
    restored = user.connect(reading)
    listed = [
        item for page in restored.get_paginator("list_objects_v2").paginate(Bucket=BUCKET) for item in page["Contents"]
    ]
    assert {f"before/{number}" for number in range(40)} <= {item["Key"] for item in listed}
    # Parts of uploads are not used until these are complete; writers may have had more of them in the copy.
    assert user.usage() == (sum(item["Size"] for item in listed), len(listed))
    for item in listed:
        held = content(restored, item["Key"])
        assert len(held) == item["Size"]
        assert item["ETag"].strip('"') in etags(held), item["Key"]
    for number in range(40):
        assert content(restored, f"before/{number}") == f"{number}".encode() * 1000
    # An upload that was open when it was copied goes on from there.
    restored.complete_multipart_upload(**at, MultipartUpload={"Parts": [{"PartNumber": 1, "ETag": tag}]})
    assert content(restored, at["Key"]) == b"a part"
    assert again.stop() == 0
    audit(data)


def on_a_disk_of(size: str, mount: Path) -> tuple[str | Path, ...]:
    """A command that runs another one with a file system of that size, which is gone when it ends."""
    mount.mkdir(parents=True)
    as_root = () if os.geteuid() == 0 else ("--map-root-user",)
    script = f'mount -t tmpfs -o size={size} tmpfs "$0" && exec "$@"'
    return ("unshare", *as_root, "--mount", "sh", "-c", script, mount)


def minted(admin: Management, user: User) -> tuple[set[str], tuple[int, str] | None]:
    """Keys that are made until that is refused, and how it is."""
    keys: set[str] = set()
    wish = {"userId": user.id, "permission": "Read", "description": "x" * 200}
    for _ in range(20_000):
        try:
            keys.add(admin.call("POST", "/v1/accessKeys", wish)["accessKeyId"])
        except Problem as problem:
            return keys, (problem.status, problem.document["type"])
    return keys, None


def revoked(admin: Management, key: str) -> bool:
    """Revoke a key; false where it is to be repeated."""
    try:
        admin.revoke(key)
    except Problem as problem:
        if problem.status != 503:
            raise
        return False
    return True


def deleted(client: Any, key: str) -> bool:
    """The same for an object."""
    try:
        client.delete_object(Bucket=BUCKET, Key=key)
    except ClientError as error:
        if refusal(error)[0] != 503:
            raise
        return False
    return True


def test_a_full_disk_is_said_harms_nothing_and_is_over_when_there_is_room(
    new_server: NewServer, tmp_path: Path
) -> None:
    server = new_server("full", within=on_a_disk_of("24m", tmp_path / "full" / "data"))
    server.start()
    admin, user = first_user(server)
    client = user.client()
    # The file system is seen by the server alone, and through it.
    filler = Path(f"/proc/{server.process.pid}/root{server.folder}/data/filler")
    reserve = filler.with_name("reserve")
    until(lambda: reserve.exists() and reserve.stat().st_size == 8 * MIB, "room to be kept back")
    filler.write_bytes(bytes(3 * MIB))
    known: dict[str, bytes] = {}
    said: set[tuple[int, str]] = set()
    for size in (MIB, 64 * 1024, 4096, 0):
        for number in range(3000):
            key, data = f"{size}/{number}", random.Random(number).randbytes(size)
            try:
                client.put_object(Bucket=BUCKET, Key=key, Body=data)
            except ClientError as error:
                said.add(refusal(error))
                break
            known[key] = data
            if size == 0 and number > 50:
                break
    assert (507, "InsufficientStorage") in said
    assert said <= {(507, "InsufficientStorage"), (503, "ServiceUnavailable")}
    # Room for some keys, so that it is a key that finds none.
    filler.write_bytes(bytes(2 * MIB))
    keys, full = minted(admin, user)
    assert len(keys) > 10 and full == (507, "insufficient-storage")
    for key, data in known.items():
        assert content(client, key) == data

    # Room is kept back to remove something; whoever is told to come again finds it.
    gone = sorted(keys)[:3]
    for key in gone:
        until(lambda: revoked(admin, key), f"the key {key} to be revoked")  # noqa: B023
    keys -= set(gone)
    first = f"{MIB}/0"
    until(lambda: deleted(client, first), "an object to be deleted")
    del known[first]
    client.put_object(Bucket=BUCKET, Key="in its place", Body=b"x" * MIB)
    client.delete_object(Bucket=BUCKET, Key="in its place")
    filler.unlink()
    for key in [key for key in known if key.startswith(f"{MIB}/")][:3]:
        client.delete_object(Bucket=BUCKET, Key=key)
        del known[key]
    client.put_object(Bucket=BUCKET, Key="room", Body=b"x" * MIB)
    admin.call("PATCH", f"/v1/users/{user.id}", {"description": "there is room"})
    for key, data in known.items():
        assert content(client, key) == data
    assert user.usage()[1] == len(known) + 1
    there = {key["accessKeyId"] for key in admin.access_keys(user=user.id) if key["description"]}
    assert there == keys, "no key is lost, and none is there that was not acknowledged"
    for file in filler.parent.glob("storekeeper.db*"):
        shutil.copy(file, tmp_path)
    database = sqlite3.connect(tmp_path / "storekeeper.db")
    assert database.execute("PRAGMA integrity_check").fetchone() == ("ok",)
    assert database.execute("PRAGMA foreign_key_check").fetchall() == []
    database.close()


def test_a_503_was_not_executed_and_is_done_when_it_is_repeated(new_server: NewServer) -> None:
    server = new_server("busy")
    server.start()
    _, user = first_user(server)
    client = user.client()
    client.put_object(Bucket=BUCKET, Key="a", Body=b"before")
    other = sqlite3.connect(server.folder / "data" / "storekeeper.db", isolation_level=None)
    # Longer than the server waits for a lock.
    other.execute("BEGIN IMMEDIATE")
    rows = other.execute("SELECT * FROM object").fetchall()
    with pytest.raises(ClientError) as caught:
        client.put_object(Bucket=BUCKET, Key="a", Body=b"after")
    assert refusal(caught.value) == (503, "ServiceUnavailable")
    assert caught.value.response["ResponseMetadata"]["HTTPHeaders"]["retry-after"] == "1"
    assert content(client, "a") == b"before", "reading goes on"
    other.execute("ROLLBACK")
    assert other.execute("SELECT * FROM object").fetchall() == rows
    other.close()
    assert len(list((server.folder / "data" / "blobs").glob("*/*"))) == 1
    client.put_object(Bucket=BUCKET, Key="a", Body=b"after")
    assert content(client, "a") == b"after"


def test_a_key_file_that_does_not_fit_and_a_newer_database_are_refused(new_server: NewServer, tmp_path: Path) -> None:
    server = new_server("refused")
    server.start()
    assert server.stop() == 0
    data = server.folder / "data"
    options = ("--data-dir", data, "--listen", "127.0.0.1:0", "--s3-listen", "127.0.0.1:0")
    key = data / "storekeeper.key"
    right = key.read_bytes()
    for wrong in (bytes(32), b"short", None):
        key.unlink()
        if wrong is not None:
            key.write_bytes(wrong)
        said = command(*options, fails=True)
        assert "storekeeper.key' does not fit the database: restore the key file that belongs to it" in said
        assert not key.exists() or key.read_bytes() == wrong, "nothing is made in its place"
        key.touch()
    key.write_bytes(right)
    database = sqlite3.connect(data / "storekeeper.db")
    version = database.execute("PRAGMA user_version").fetchone()[0]
    database.execute("PRAGMA user_version = 1000")
    said = command(*options, fails=True)
    assert f"the database has schema 1000; this version knows up to {version}: run a newer storekeeper" in said
    database.execute(f"PRAGMA user_version = {version}")
    database.close()
    server.start()


def test_the_key_that_seals_is_changed_and_everything_goes_on(new_server: NewServer) -> None:
    server = new_server("rotated")
    server.start()
    _, user = first_user(server)
    client = user.client()
    client.put_object(Bucket=BUCKET, Key="a", Body=b"data")
    data = server.folder / "data"
    assert "is in use by another server" in command("rotate-key", "--data-dir", data, fails=True)
    assert server.stop() == 0
    old = (data / "storekeeper.key").read_bytes()
    command("rotate-key", "--data-dir", data)
    assert (data / "storekeeper.key").read_bytes() != old
    assert (data / "storekeeper.key").stat().st_mode & 0o777 == 0o600
    server.start()
    assert content(client, "a") == b"data"


def test_an_upload_that_is_cut_short_leaves_nothing(new_server: NewServer) -> None:
    server = new_server("cut")
    server.start()
    _, user = first_user(server)
    script = (
        "import sys, boto3, threading, os, time\n"
        "from botocore.config import Config\n"
        "client = boto3.client('s3', endpoint_url=sys.argv[1], region_name=sys.argv[2], verify=sys.argv[3],\n"
        "    config=Config(s3={'addressing_style': 'path'}))\n"
        "class Slow:\n"
        "    def __init__(self): self.at = 0\n"
        "    def tell(self): return self.at\n"
        "    def seek(self, at, whence=0): self.at = at if whence == 0 else 50_000_000 + at\n"
        "    def read(self, size=-1):\n"
        "        if self.at > 5_000_000: os.kill(os.getpid(), 9)\n"
        "        self.at += 65536\n"
        "        return b'x' * 65536\n"
        "client.put_object(Bucket='data', Key='a', Body=Slow(), ContentLength=50_000_000)\n"
    )
    key = user.key("Full")
    environment = {
        **os.environ,
        "AWS_ACCESS_KEY_ID": key.access_key_id,
        "AWS_SECRET_ACCESS_KEY": key.secret_access_key,
        "AWS_REQUEST_CHECKSUM_CALCULATION": "when_required",
    }
    line = [sys.executable, "-c", script, server.s3_endpoint, server.region, str(server.certificates.ca)]
    assert subprocess.run(line, env=environment, timeout=60, check=False).returncode == -9
    refused(404, "NoSuchKey", user.client().get_object, Bucket=BUCKET, Key="a")
    blobs = server.folder / "data" / "blobs"
    until(lambda: not list(blobs.glob("*/*")), "the rest of the upload to go")
