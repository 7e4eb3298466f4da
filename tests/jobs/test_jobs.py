"""A job survives `kill -9` and SIGTERM: it goes on at the object where it stopped, and nothing is done twice."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from harness.management_server import ManagementServer
from harness.waiting import holds, until
from s3.world import BUCKET, User

OBJECTS = 1000
COPY = "copy"


@pytest.fixture
def user(server: ManagementServer) -> User:
    """A user with many objects in `data`, and an empty bucket `copy`; both keep versions."""
    admin, _ = server.client()
    tenant = admin.call("POST", "/v1/tenants", {"name": "acme"})["id"]
    made = User(server, admin, tenant)
    made.bucket(BUCKET, versioning="Enabled")
    made.bucket(COPY, versioning="Enabled")
    client = made.client()

    def put(number: int) -> None:
        client.put_object(Bucket=BUCKET, Key=f"folder {number % 7}/é+{number:05}", Body=str(number).encode())

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(put, range(OBJECTS)))
    client.delete_object(Bucket=BUCKET, Key="folder 0/é+00000")
    return made


def versions(user: User, bucket: str) -> list[tuple[str, str, bool]]:
    """Key, ETag and whether it is the current one, of all versions and markers of a bucket."""
    found = []
    for page in user.client().get_paginator("list_object_versions").paginate(Bucket=bucket):
        found += [(v["Key"], v["ETag"], v["IsLatest"]) for v in page.get("Versions", [])]
        found += [(m["Key"], "deleted", m["IsLatest"]) for m in page.get("DeleteMarkers", [])]
    return sorted(found)


def start(user: User, **body: Any) -> str:
    job: str = user.admin.call("POST", "/v1/jobs", body)["id"]
    return job


def bucket(user: User, name: str) -> dict[str, str]:
    return {"userId": user.id, "name": name}


def copied(user: User, job: str) -> int:
    """How many versions the job has done so far."""
    count: int = user.admin.call("GET", f"/v1/jobs/{job}")["progress"]["versions"]
    return count


def ended(user: User, job: str) -> dict[str, Any]:
    """The job, when it has ended."""
    found: dict[str, Any] = {}

    def over() -> bool:
        found.update(user.admin.call("GET", f"/v1/jobs/{job}"))
        return found["state"] not in ("Queued", "Running")

    until(over, f"job {job} to end", 120)
    return found


@pytest.mark.parametrize("end", [ManagementServer.kill, ManagementServer.stop], ids=["kill -9", "SIGTERM"])
def test_an_interrupted_job_goes_on_at_the_object_where_it_stopped(
    server: ManagementServer, user: User, end: Callable[[ManagementServer], Any]
) -> None:
    job = start(user, kind="Backup", source=bucket(user, BUCKET), target=bucket(user, COPY))
    until(lambda: copied(user, job) > 0, "the backup to begin", 60)
    before = copied(user, job)
    end(server)
    server.start()
    done = ended(user, job)
    assert done["state"] == "Succeeded", done
    everything = versions(user, BUCKET)
    assert versions(user, COPY) == everything
    assert done["progress"]["versions"] == len(everything) == OBJECTS + 1
    assert before < len(everything), "the job was over before the server was ended: use more objects"


@pytest.mark.parametrize("kind", ["EmptyBucket", "Restore"])
def test_a_killed_job_of_any_kind_goes_on_at_the_object_where_it_stopped(
    server: ManagementServer, user: User, kind: str
) -> None:
    everything = versions(user, BUCKET)
    backup = start(user, kind="Backup", source=bucket(user, BUCKET), target=bucket(user, COPY))
    assert ended(user, backup)["state"] == "Succeeded"
    if kind == "EmptyBucket":
        job = start(user, kind=kind, source=bucket(user, BUCKET))
    else:
        user.bucket("again", versioning="Enabled")
        job = start(user, kind=kind, backupId=backup, target=bucket(user, "again"))
    until(lambda: copied(user, job) > 0, "the job to begin", 60, period=0.001)
    server.kill()
    server.start()
    before = copied(user, job)
    done = ended(user, job)
    assert done["state"] == "Succeeded", done
    assert before < len(everything), "the job was over before the server was killed: use more objects"
    assert done["progress"]["versions"] == len(everything), "each once"
    if kind == "EmptyBucket":
        assert versions(user, BUCKET) == []
        assert user.usage(BUCKET) == (0, 0)
        assert versions(user, COPY) == everything
    else:
        assert versions(user, "again") == versions(user, BUCKET) == everything
        assert user.usage("again") == user.usage(BUCKET)


def test_what_was_backed_up_is_emptied_and_brought_back(user: User) -> None:
    backup = start(user, kind="Backup", source=bucket(user, BUCKET), target=bucket(user, COPY))
    assert ended(user, backup)["state"] == "Succeeded"
    everything = versions(user, BUCKET)
    emptied = start(user, kind="EmptyBucket", source=bucket(user, BUCKET))
    assert ended(user, emptied)["progress"]["versions"] == len(everything)
    assert versions(user, BUCKET) == []
    assert user.usage(BUCKET) == (0, 0)
    restore = start(user, kind="Restore", backupId=backup)
    assert ended(user, restore)["state"] == "Succeeded"
    assert versions(user, BUCKET) == everything
    body = user.client().get_object(Bucket=BUCKET, Key="folder 1/é+00001")["Body"].read()
    assert body == b"1"


def test_a_cancelled_job_stops_and_goes_on_only_when_told_to(user: User) -> None:
    job = start(user, kind="Backup", source=bucket(user, BUCKET), target=bucket(user, COPY))
    cancelled = user.admin.call("POST", f"/v1/jobs/{job}/cancel")
    assert cancelled["state"] == "Cancelled"
    done = cancelled["progress"]["versions"]
    holds(lambda: copied(user, job) == done, "the job does nothing more", 0.5)
    user.admin.call("POST", f"/v1/jobs/{job}/run")
    assert ended(user, job)["state"] == "Succeeded"
    assert versions(user, COPY) == versions(user, BUCKET)
