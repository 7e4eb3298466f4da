"""The management server of the chart: its certificate, its password, its backups; and what is shown of it all."""

from __future__ import annotations

import base64
import contextlib
import json
import re
import ssl
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from chart.expressions import expressions, named
from chart.helm import CHART, NAMESPACE, VALUES, WITHOUT_POLICIES, find, settings
from chart.site import Site, Team
from harness import paths, s3, tls
from harness.kube import Object, entries
from harness.running import started
from harness.waiting import until

HOST = f"storekeeper-server.{NAMESPACE}.svc"
SERVER = settings(server__enabled=True, server__backup__enabled=True, **WITHOUT_POLICIES)


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    with started(Site(tmp_path_factory.mktemp("site"))) as made:
        yield made


@pytest.fixture(scope="module")
def shown(site: Site) -> str:
    """The metrics of operator and server when everything that is counted has happened once."""
    with site.cluster.installed(*site.settings(**WITHOUT_POLICIES)):
        operator = site.operator()
        team = Team(site, "measured")
        team.arrive()
        server = run_a_job(site, team)
        site.server.stop()
        late = ("storekeeper_account_circuit_open{", "storekeeper_errors_total{")
        until(lambda: all(name in site.metrics(operator) for name in late), "the account to be given up", 60)
        text = site.metrics(operator) + server
        site.serve()
        team.leave()
        operator.stop()
    return text


def run_a_job(site: Site, team: Team) -> str:
    """Empty the team's bucket by a job of the server; its metrics after that."""
    given = s3.credentials(entries(team.secret()))
    client = s3.client(given, site.certificates.ca, site.s3_endpoint, "storekeeper")
    client.put_object(Bucket="data", Key="left", Body=b"over")
    (user,) = (one["id"] for one in site.management.items("users") if one["login"] == f"{team.name}_app")
    body = {"kind": "EmptyBucket", "source": {"userId": user, "name": "data"}}
    job = site.management.call("POST", "/v1/jobs", body)["id"]
    until(lambda: site.management.call("GET", f"/v1/jobs/{job}")["state"] == "Succeeded", "the job to succeed")
    text = site.server_metrics()
    # It is kept as a record, and would keep the user.
    site.management.call("DELETE", f"/v1/jobs/{job}")
    return text


def handshake(files: tls.Certificates, host: str) -> str:
    """Speak to a server with this certificate as its clients in the cluster would; the protocol that is spoken."""
    serving = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    serving.load_cert_chain(files.cert, files.key)
    asking = ssl.create_default_context(cafile=str(files.ca))
    (to_server, from_server), (to_client, from_client) = ((ssl.MemoryBIO(), ssl.MemoryBIO()) for _ in range(2))
    server = serving.wrap_bio(to_server, from_server, server_side=True)
    client = asking.wrap_bio(to_client, from_client, server_hostname=host)
    for _ in range(4):
        for side, said, heard in ((client, from_client, to_server), (server, from_server, to_client)):
            with contextlib.suppress(ssl.SSLWantReadError):
                side.do_handshake()
            heard.write(said.read())
    return str(client.version())


def written(site: Site, name: str, folder: Path) -> tls.Certificates:
    """The files of a Secret of type kubernetes.io/tls."""
    folder.mkdir()
    for entry, text in site.cluster.secret(name).items():
        (folder / entry).write_text(text)
    return tls.Certificates(ca=folder / "ca.crt", cert=folder / "tls.crt", key=folder / "tls.key")


def test_the_certificate_that_helm_makes_serves_the_service_and_nobody_else(site: Site, tmp_path: Path) -> None:
    with site.cluster.installed(*SERVER):
        files = written(site, "storekeeper-server-tls", tmp_path / "tls")
        for host in (HOST, HOST.removesuffix(".svc"), "storekeeper-server", f"{HOST}.cluster.local"):
            assert handshake(files, host) == "TLSv1.3"
        with pytest.raises(ssl.SSLCertVerificationError, match="Hostname mismatch"):
            handshake(files, "storage.example.com")


def test_password_and_certificate_outlive_upgrades_and_the_release(site: Site) -> None:
    helm, secret = site.cluster.helm, site.cluster.secret
    names = ("storekeeper-server-admin", "storekeeper-server-tls")
    helm.install(*SERVER)
    first = [secret(name) for name in names]
    assert re.fullmatch(r"\w{32}", first[0]["password"])
    helm.upgrade("--reuse-values", "--set", "server.rateLimit=100")
    assert [secret(name) for name in names] == first
    helm.uninstall()
    helm.install(*SERVER)
    assert [secret(name) for name in names] == first
    assert (
        site.cluster.read("persistentvolumeclaim/storekeeper-backup")["spec"]["resources"]["requests"]["storage"]
        == "10Gi"
    )
    helm.uninstall()
    assert site.cluster.read("persistentvolumeclaim/storekeeper-backup")["status"]


def test_the_account_leads_to_the_server(site: Site) -> None:
    with site.cluster.installed(*SERVER, "--set", "storageAccount.create=true,storageAccount.name=inner"):
        spec = site.kube.get("StorageAccount", "inner")["spec"]
        service = site.cluster.read("service/storekeeper-server")
        ports = {one["name"]: one["port"] for one in service["spec"]["ports"]}
        assert spec["default"] is True
        assert spec["provider"]["management"]["endpoint"] == f"https://{HOST}:{ports['management']}"
        assert spec["provider"]["management"]["caBundleSecretRef"] == {"name": "storekeeper-server-tls"}
        assert spec["s3"]["endpoint"] == f"https://{HOST}:{ports['s3']}"
    site.kube.patch("StorageAccount", "inner", {"metadata": {"finalizers": None}, "spec": {"default": False}})
    site.kube.delete("StorageAccount", "inner")


def backup_command(container: Object, site: Site, pod: str, backups: Path) -> list[str]:
    """The backup as the CronJob's Pod of that name would run it, with this machine's folders for its mounts."""
    (variable,) = container["env"]
    assert variable["valueFrom"]["fieldRef"]["fieldPath"] == "metadata.name"
    mounts = {one["name"]: one["mountPath"] for one in container["volumeMounts"]}
    text = json.dumps(container["args"]).replace(f"$({variable['name']})", pod)
    assert f"{mounts['data']}/data" in text and f"{mounts['backups']}/" in text
    text = text.replace(f"{mounts['data']}/data", str(site.data)).replace(mounts["backups"], str(backups))
    found: list[str] = json.loads(text)
    return found


def test_the_backup_copies_a_running_server_into_a_folder_of_its_own_each_time(site: Site, tmp_path: Path) -> None:
    (values,) = (path for path in VALUES if path.stem == "server")
    job = find(site.cluster.helm.rendered(values), "CronJob")["spec"]["jobTemplate"]["spec"]["template"]["spec"]
    backups = tmp_path / "backups"
    backups.mkdir()
    for pod in ("storekeeper-backup-29000000-abcde", "storekeeper-backup-29001440-fghij"):
        command = [paths.storekeeper_binary(), *backup_command(job["containers"][0], site, pod, backups)]
        done = subprocess.run(command, capture_output=True, text=True, timeout=60)
        assert done.returncode == 0, done.stderr
        assert (backups / pod / "storekeeper.db").stat().st_size > 0
        assert not (backups / pod / "storekeeper.key").exists()
    copy = backups / "storekeeper-backup-29001440-fghij"
    key = ("--key-file", site.data / "storekeeper.key", "--data-dir", tmp_path / "restored")
    subprocess.run([paths.storekeeper_binary(), "server", "restore", copy, *key], check=True, capture_output=True)


def families(text: str) -> dict[str, set[str]]:
    """Series by name, each with the labels that it may have."""
    kinds = dict(re.findall(r"^# TYPE (\S+) (\S+)$", text, re.MULTILINE))
    found: dict[str, set[str]] = {}
    for name, kind in kinds.items():
        suffixes = {"counter": ("_total",), "histogram": ("_bucket", "_sum", "_count")}.get(kind, ("",))
        found |= {name + suffix: set() for suffix in suffixes}
    for name, labels in re.findall(r"^(\w+)(?:\{(.*)\})? \S+$", text, re.MULTILINE):
        found[name] |= set(re.findall(r"(\w+)=", labels))
    return found


def test_every_metric_and_label_that_is_asked_for_is_shown(shown: str) -> None:
    there, wrong = families(shown), []
    for where, texts in expressions().items():
        for name, labels in (pair for text in texts for pair in named(text)):
            if name not in there or not labels <= there[name]:
                wrong.append(f"{where}: {name} {sorted(labels)}, where there is {sorted(there.get(name, ()))}")
    assert wrong == []


def test_every_metric_is_on_the_dashboard(shown: str) -> None:
    there = {name for name in families(shown) if not name.endswith(("_sum", "_count"))}
    asked = {name for texts in expressions().values() for text in texts for name, _ in named(text)}
    assert there - asked == set()


def test_a_metric_or_label_that_is_not_there_would_be_found(shown: str) -> None:
    there = families(shown)
    assert named('sum by (kind, colour) (rate(storekeeper_reconciles_total{outcome!="ok"}[5m]))') == [
        ("storekeeper_reconciles_total", {"kind", "colour", "outcome"})
    ]
    assert there["storekeeper_reconciles_total"] == {"kind", "outcome"}
    assert "storekeeper_reconciles" not in there


def test_every_value_of_a_label_is_one_of_the_code() -> None:
    """One that never comes would be an alert that never does."""
    source = "".join(path.read_text() for path in (paths.REPOSITORY / "src").rglob("*.rs"))
    text = " ".join(one for texts in expressions().values() for one in texts)
    selected = re.findall(r'\w+(?:=~?|!=|!~)"([^"]+)"', text)
    words = {word for one in selected for word in one.split("|")}
    assert {"blocked", "failed", "bug"} <= words
    assert [word for word in words if f'"{word}"' not in source and word != "5.."] == []


def test_the_dashboard_reaches_the_cluster_whole(site: Site) -> None:
    with site.cluster.installed(*settings(monitoring__dashboard__enabled=True, **WITHOUT_POLICIES)):
        found = site.cluster.read("configmap/storekeeper-dashboard")
        assert json.loads(found["data"]["storekeeper.json"]) == json.loads(
            (CHART / "files" / "dashboard.json").read_text()
        )
        assert found["metadata"]["labels"]["grafana_dashboard"] == "1"


def test_the_release_fits_into_a_secret(site: Site) -> None:
    """helm keeps a release in one Secret, which may have 1 MiB."""
    with site.cluster.installed(*settings(server__enabled=True, monitoring__dashboard__enabled=True)):
        items = site.kube.items("Secret", NAMESPACE)
        (release,) = (one for one in items if one["type"] == "helm.sh/release.v1")
        assert len(base64.b64decode(release["data"]["release"])) < 256 * 1024
