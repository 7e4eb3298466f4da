"""What docs/install.md tells people to type, typed."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from chart.cluster import Cluster, server_command
from chart.documented import PAGE, script, typed
from chart.helm import NAMESPACE, WITHOUT_POLICIES, settings
from harness import paths, tls
from harness.http import answers
from harness.kube import KINDS
from harness.management import OPERATOR_SCOPES, Management


@pytest.fixture(scope="module")
def served(cluster: Cluster) -> Iterator[int]:
    """The chart with its server, which answers on this machine with the certificate and the password of the cluster."""
    given = settings(server__enabled=True, server__tls__dnsNames=["localhost"], **WITHOUT_POLICIES)
    with cluster.installed(*given):
        folder = cluster.folder / "server"
        folder.mkdir()
        for name in ("storekeeper-server-tls", "storekeeper-server-admin"):
            for entry, text in cluster.secret(name).items():
                tls.write_private(folder / entry, text.encode())
        files = tls.Certificates(ca=folder / "ca.crt", cert=folder / "tls.crt", key=folder / "tls.key")
        template = cluster.read("statefulset/storekeeper-server")["spec"]["template"]
        command = server_command(template["spec"]["containers"][0], folder, files, folder / "password")
        (port,) = (str(part).rpartition(":")[2] for part in command if str(part).startswith("--listen="))
        process = cluster.process("server", command)
        process.start(lambda: answers(f"https://localhost:{port}/readyz", files.ca))
        yield int(port)


def test_the_token_for_the_operator_is_made_as_documented(cluster: Cluster, served: int, tmp_path: Path) -> None:
    text = script("/v1/tokens")
    assert text.count("8443") >= 3
    said = typed(cluster, text.replace("8443", str(served)), tmp_path)
    token = cluster.secret("main-admin")["token"]
    assert token not in said
    assert list(tmp_path.iterdir()) == [tmp_path / "bin"], "secrets must not be left behind"
    management = Management(f"https://localhost:{served}", cluster.folder / "server" / "ca.crt", token)
    (made,) = (one for one in management.items("tokens") if one["name"] == "operator")
    assert sorted(made["scopes"]) == sorted(OPERATOR_SCOPES)


def test_kubectl_alone_installs_it_as_documented(cluster: Cluster) -> None:
    section = PAGE.partition("## With kubectl\n")[2].partition("\n## ")[0]
    commands = re.findall(r"^    (kubectl .*?)(?:  #.*)?$", section, re.MULTILINE)
    assert len(commands) == 6
    for command in commands:
        words = command.split()[1:]
        if words[0] == "wait":
            names = [f"crd/{plural}.storekeeper.dev" for prefix, plural, _ in KINDS.values() if "storekeeper" in prefix]
            words = [*words[:2], "--timeout=30s", *names]
        words = [str(paths.REPOSITORY / word) if (paths.REPOSITORY / word).exists() else word for word in words]
        cluster.kube.kubectl(*words)
    assert cluster.kube.find("ServiceAccount", "storekeeper", NAMESPACE)
    assert len(cluster.kube.items("ValidatingAdmissionPolicy")) > 20


def test_every_file_that_the_page_names_is_there() -> None:
    named = re.findall(r"\]\(([^)#]+?)(?:#[^)]*)?\)", PAGE)
    assert len(named) > 5
    for name in named:
        assert (paths.REPOSITORY / "docs" / name).exists(), name
