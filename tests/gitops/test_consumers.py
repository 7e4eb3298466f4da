"""Each example of a consumer finds in the published Secret what its manifest asks for; two of them really use it."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from clients.rclone.build import build
from e2e.world import of_kind
from gitops.consumers import Wanted, arguments, environment, missing, pod_of, wanted_by
from harness import paths, s3
from harness.installation import Installation
from harness.kube import Object, entries
from harness.running import started

FOLDER = paths.REPOSITORY / "examples" / "consumers"
NAMES = sorted(path.name for path in FOLDER.iterdir() if path.is_dir())
# Kinds of other projects, whose definitions are not in the cluster of the tests.
FOREIGN = {"BackupStorageLocation", "ObjectStore", "Cluster", "PushSecret"}
Published = dict[str, dict[str, str]]


def documents(path: Path) -> list[Object]:
    return list(yaml.safe_load_all(path.read_text()))


def ours(name: str) -> list[Object]:
    return documents(FOLDER / name / "storekeeper.yaml")


def consumer(name: str) -> list[Object]:
    """The manifests of the consumer, or the values of its chart."""
    (path,) = (path for path in (FOLDER / name).glob("*.yaml") if path.name != "storekeeper.yaml")
    return documents(path)


def test_there_are_ten_and_each_is_described() -> None:
    assert len(NAMES) == 10
    page = (FOLDER / "README.md").read_text()
    assert [name for name in NAMES if f"({name})" not in page] == []


@pytest.fixture(scope="module")
def installation(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Installation]:
    """One for these examples alone: their names are fixed, and they leave data in buckets that are retained."""
    with started(Installation(tmp_path_factory.mktemp("consumers"))) as made:
        yield made


@pytest.fixture(scope="module")
def applied(installation: Installation) -> Installation:
    """Every example's objects of ours, under a Tenant that admits namespaces by their label."""
    kube = installation.kube
    labels = {"storekeeper.dev/tenant": "acme"}
    kube.create(of_kind("Tenant", "acme", None, {"allowedNamespaces": {"matchLabels": labels}}))
    for name in NAMES:
        kube.apply(FOLDER / name / "storekeeper.yaml")
    return installation


def published(installation: Installation, name: str) -> Published:
    """The entries of the Secrets of an example, once its objects are Ready."""
    kube, found = installation.kube, {}
    for one in ours(name):
        metadata = one["metadata"]
        if one["kind"] != "Namespace":
            kube.wait_ready(one["kind"], metadata["name"], metadata["namespace"])
        if one["kind"] == "AccessKey":
            found[metadata["name"]] = entries(kube.get("Secret", metadata["name"], metadata["namespace"]))
    return found


@pytest.mark.parametrize("name", NAMES)
def test_the_secret_has_what_the_consumer_asks_for(applied: Installation, name: str) -> None:
    there, wanted = published(applied, name), wanted_by(consumer(name))
    assert wanted
    assert {one.secret for one in wanted} == set(there), "the consumer must name exactly the Secret of the example"
    assert missing(wanted, there) == []


@pytest.mark.parametrize("name", NAMES)
def test_the_check_would_see_another_format(applied: Installation, name: str) -> None:
    """Take away any entry that is asked for by name, and it is missed."""
    there, wanted = published(applied, name), wanted_by(consumer(name))
    for one in wanted:
        less = {
            secret: {entry: value for entry, value in found.items() if Wanted(secret, entry) != one}
            for secret, found in there.items()
            if Wanted(secret) != one
        }
        assert one in missing(wanted, less)


@pytest.mark.parametrize("name", NAMES)
def test_the_values_beside_the_secret_are_those_of_the_bucket(applied: Installation, name: str) -> None:
    """What a consumer takes from its manifest and not from the Secret must be the same bucket and region."""
    (bucket,) = (one["metadata"]["name"] for one in ours(name) if one["kind"] == "Bucket")
    text = yaml.safe_dump_all(consumer(name))
    for told in (line.split(":", 1)[1].strip() for line in text.splitlines() if line.strip().startswith("bucket:")):
        assert told == bucket
    for told in (line.split(":", 1)[1].strip() for line in text.splitlines() if line.strip().startswith("region:")):
        assert told in (applied.server.region, "${region}", "")


@pytest.mark.parametrize("name", NAMES)
def test_the_api_server_takes_the_consumer(applied: Installation, name: str) -> None:
    """Strictly, field by field, where it knows the kind."""
    known = [one for one in consumer(name) if one.get("kind", "") and one["kind"] not in FOREIGN]
    if known:
        text = yaml.safe_dump_all(known)
        applied.kube.kubectl("apply", "--dry-run=server", "--validate=strict", "-f", "-", stdin=text)
    for one in consumer(name):
        if one.get("kind") in FOREIGN:
            assert {"apiVersion", "kind", "metadata", "spec"} == set(one)


def run(command: list[str], variables: dict[str, str]) -> None:
    done = subprocess.run(
        command, env={"PATH": os.environ["PATH"], **variables}, capture_output=True, text=True, timeout=120
    )
    assert done.returncode == 0, done.stdout + done.stderr


def container(name: str) -> Object:
    (pod,) = (pod for one in consumer(name) if (pod := pod_of(one)))
    (found,) = pod["containers"]
    return found


def stored(installation: Installation, bucket: str, user: str) -> dict[str, bytes]:
    """What is in a bucket, read with another key of the same user."""
    kube = installation.kube
    kube.apply(of_kind("AccessKey", f"{user}-reader", "team-a", {"userRef": {"name": user}, "permission": "Read"}))
    kube.wait_ready("AccessKey", f"{user}-reader", "team-a")
    given = s3.credentials(entries(kube.get("Secret", f"{user}-reader", "team-a")))
    server = installation.server
    client: Any = s3.client(given, server.certificates.ca, server.s3_endpoint, server.region)
    listed = client.list_objects_v2(Bucket=bucket).get("Contents", [])
    return {item["Key"]: client.get_object(Bucket=bucket, Key=item["Key"])["Body"].read() for item in listed}


def test_rclone_copies_with_the_mounted_file(applied: Installation, tmp_path: Path) -> None:
    (secret,) = published(applied, "rclone").values()
    for name, text in secret.items():
        (tmp_path / name).write_text(text)
    data = tmp_path / "data"
    data.mkdir()
    (data / "hello.txt").write_bytes(b"hello")
    mounts = {"/etc/rclone": str(tmp_path), "/data": str(data)}
    variables = {"HOME": str(tmp_path), "RCLONE_CA_CERT": str(applied.server.certificates.ca)}
    run([str(build()), *arguments(container("rclone"), {}, mounts)], variables)
    assert stored(applied, "mirror", "mirror") == {"latest/hello.txt": b"hello"}


def test_a_job_uploads_with_its_environment(applied: Installation, tmp_path: Path) -> None:
    there = published(applied, "job")
    one = container("job")
    variables = environment(one, there)
    ca = {"AWS_CA_BUNDLE": str(applied.server.certificates.ca), "HOME": str(tmp_path), "AWS_EC2_METADATA_DISABLED": "1"}
    (tmp_path / "hostname").write_text("a pod")
    program = str(Path(sys.executable).parent / "aws")
    mounts = {"/etc/hostname": str(tmp_path / "hostname")}
    run([program, *arguments(one, variables, mounts)], {**variables, **ca})
    assert stored(applied, "exports", "exports") == {"hostname": b"a pod"}
