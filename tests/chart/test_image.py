"""The image, without an engine that builds it: its file system is made by the script that the Dockerfile runs."""

from __future__ import annotations

import os
import re
import shutil
import stat
import subprocess
import tomllib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
import yaml

from chart.helm import VALUES, Helm, find
from harness import paths
from harness.http import answers
from harness.ports import free_port
from harness.process import Process

DOCKERFILE = paths.REPOSITORY / "Dockerfile"
SCRIPT = paths.REPOSITORY / "scripts" / "rootfs"
EPOCH = 1_700_000_000
LOADERS = ("ld-linux-x86-64", "ld-linux-aarch64")


@contextmanager
def built(root: Path) -> Iterator[Path]:
    """The file system, for as long as a block lasts: pytest would keep it, and it is large."""
    environment = {**os.environ, "SOURCE_DATE_EPOCH": str(EPOCH)}
    subprocess.run([SCRIPT, paths.storekeeper_binary(), root], check=True, env=environment, capture_output=True)
    try:
        yield root
    finally:
        for folder in (root, *(path for path in root.rglob("*") if path.is_dir())):
            folder.chmod(0o755)
        shutil.rmtree(root)


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    with built(tmp_path_factory.mktemp("image") / "root") as made:
        yield made


def inside(root: Path) -> list[str | Path]:
    """A command that runs what follows with `root` as its file system, as the image's user where that is possible."""
    if os.geteuid() == 0:
        return ["chroot", "--userspec=65532:65532", root]
    return ["unshare", "--map-root-user", "chroot", root]


def entries(root: Path) -> Iterator[tuple[str, os.stat_result]]:
    for path in sorted(root.rglob("*")):
        yield str(path.relative_to(root)), path.lstat()


def test_it_has_what_the_binary_needs_and_nothing_to_log_in_with(root: Path) -> None:
    files = {name for name, about in entries(root) if stat.S_ISREG(about.st_mode)}
    known = (
        "storekeeper",
        "etc/passwd",
        "etc/group",
        "etc/nsswitch.conf",
        "etc/ssl/certs/ca-certificates.crt",
        "LICENSE",
    )
    libraries = files - set(known)
    assert set(known) <= files
    assert {re.sub(r"\.so.*", "", Path(name).name) for name in libraries} <= {"libc", "libm", "libgcc_s", *LOADERS}
    ran = subprocess.run([*inside(root), "/storekeeper", "--version"], capture_output=True, text=True)
    assert ran.stdout.startswith("storekeeper "), ran.stderr
    shell = subprocess.run([*inside(root), "/bin/sh", "-c", "true"], capture_output=True, text=True)
    assert shell.returncode == 127


def test_a_library_that_is_missing_would_be_noticed(tmp_path: Path) -> None:
    with built(tmp_path / "root") as root:
        (libc,) = root.rglob("libc.so.6")
        libc.parent.chmod(0o755)
        libc.unlink()
        ran = subprocess.run([*inside(root), "/storekeeper", "--version"], capture_output=True, text=True)
    assert ran.returncode != 0 and "libc.so.6" in ran.stderr


def test_nobody_may_write_to_it_and_all_its_times_are_given(root: Path) -> None:
    for name, about in entries(root):
        assert about.st_mtime == EPOCH, name
        if name != "tmp":
            assert not about.st_mode & 0o222, name


def test_the_server_runs_in_it_as_its_user(root: Path, tmp_path: Path) -> None:
    port = free_port()
    command: list[str | Path] = [
        *(*inside(root), "/storekeeper", "server", "--data-dir", "/tmp/data"),
        *("--listen", f"127.0.0.1:{port}", "--s3-listen", f"127.0.0.1:{free_port()}"),
    ]
    process = Process("server", command, tmp_path / "server.log")
    try:
        process.start(lambda: answers(f"http://127.0.0.1:{port}/readyz"))
        database = (root / "tmp" / "data" / "storekeeper.db").stat()
        assert os.geteuid() != 0 or database.st_uid == 65532
    finally:
        process.stop()


def test_names_are_looked_up_in_it(tmp_path: Path) -> None:
    """By `/etc/hosts`, which Kubernetes mounts, and else by DNS: with what glibc needs for that."""
    cluster = {"server": f"https://api.internal:{free_port()}", "insecure-skip-tls-verify": True}
    document = {
        **{"apiVersion": "v1", "kind": "Config", "current-context": "c"},
        "clusters": [{"name": "c", "cluster": cluster}],
        "users": [{"name": "c", "user": {"token": "t"}}],
        "contexts": [{"name": "c", "context": {"cluster": "c", "user": "c"}}],
    }
    with built(tmp_path / "root") as root:
        (root / "tmp" / "kubeconfig").write_text(yaml.safe_dump(document))
        command = [*inside(root), "/storekeeper", "operator", "--kubeconfig", "/tmp/kubeconfig"]

        def said() -> str:
            ran = subprocess.run(command, capture_output=True, text=True, timeout=60)
            return ran.stdout + ran.stderr

        assert "failed to lookup address information" in said()
        (root / "etc").chmod(0o755)
        (root / "etc" / "hosts").write_text("127.0.0.1 api.internal\n")
        assert "Connection refused" in said()


def instructions() -> list[tuple[str, str]]:
    text = re.sub(r"\\\n\s*", " ", DOCKERFILE.read_text())
    lines = (line for line in text.splitlines() if line and not line.startswith("#"))
    return [(word, rest) for word, _, rest in (line.partition(" ") for line in lines)]


def test_the_last_stage_is_empty_but_for_what_the_script_made(helm: Helm) -> None:
    found = instructions()
    last = max(index for index, (word, _) in enumerate(found) if word == "FROM")
    stage = dict(found[last:])
    assert [word for word, _ in found[last:]] == ["FROM", "COPY", "LABEL", "USER", "ENTRYPOINT"]
    assert (stage["FROM"], stage["COPY"]) == ("scratch", "--from=build /rootfs /")
    assert stage["ENTRYPOINT"] == '["/storekeeper"]'
    (values,) = (path for path in VALUES if path.stem == "default")
    pod = find(helm.rendered(values), "Deployment")["spec"]["template"]["spec"]
    security = pod["securityContext"]
    assert stage["USER"] == f"{security['runAsUser']}:{security['runAsGroup']}"


def test_the_build_takes_the_locked_versions_and_the_rust_of_the_package() -> None:
    package = tomllib.loads((paths.REPOSITORY / "Cargo.toml").read_text())["package"]
    found = instructions()
    assert ("RUN", "cargo build --locked --release --bin storekeeper") in found
    assert ("ARG", f"RUST_IMAGE=rust:{package['rust-version']}.0-bookworm") in found


def test_what_is_copied_is_sent_to_the_build_and_nothing_else() -> None:
    copied = {
        source
        for word, rest in instructions()
        if word == "COPY" and "--from" not in rest
        for source in rest.split()[:-1]
    }
    first, *rest = [line for line in (paths.REPOSITORY / ".dockerignore").read_text().splitlines() if line[:1] != "#"]
    assert first == "*"
    assert {line.removeprefix("!") for line in rest} == copied
    # What the source includes at compile time is among it.
    included = [
        (path.parent / name).resolve().relative_to(paths.REPOSITORY)
        for path in (paths.REPOSITORY / "src").rglob("*.rs")
        for name in re.findall(r'include_(?:str|bytes)!\("([^"]+)"\)', path.read_text())
    ]
    assert included
    assert [str(one) for one in included if one.parts[0] not in copied] == []
