"""CRDs are made by an installation, never removed, and an upgrade that forgets them is refused."""

from __future__ import annotations

import re
import shlex
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml

from chart.cluster import Cluster
from chart.helm import CHART, WITHOUT_POLICIES, Failed, binary, settings
from harness.kube import KINDS, Object

NAMES = [f"{plural}.storekeeper.dev" for prefix, plural, _ in KINDS.values() if "storekeeper.dev" in prefix]
CRD = "CustomResourceDefinition"


@pytest.fixture
def installed(cluster: Cluster) -> Iterator[Cluster]:
    with cluster.installed(*settings(**WITHOUT_POLICIES)):
        yield cluster


@pytest.fixture
def newer(tmp_path: Path) -> Path:
    """The next version of the chart, whose Tenants have one more field."""
    chart = tmp_path / "storekeeper"
    shutil.copytree(CHART, chart)
    file = chart / "crds" / "tenants.yaml"
    crd = yaml.safe_load(file.read_text())
    fields(crd)["motto"] = {"type": "string"}
    file.write_text(yaml.safe_dump(crd))
    about = chart / "Chart.yaml"
    about.write_text(about.read_text().replace("version: 0.1.0", "version: 0.2.0"))
    return chart


def fields(crd: Object) -> Object:
    found: Object = crd["spec"]["versions"][0]["schema"]["openAPIV3Schema"]["properties"]["spec"]["properties"]
    return found


def has_motto(cluster: Cluster) -> bool:
    return "motto" in fields(cluster.kube.get(CRD, "tenants.storekeeper.dev"))


def follow(cluster: Cluster, message: str, chart: Path) -> None:
    """Run the command that a message names."""
    (command,) = re.findall(r"`(helm show crds CHART \| kubectl [^`]+)`", message)
    show, apply = (shlex.split(part) for part in command.split("|"))
    crds = subprocess.run([binary(), *show[1:-1], chart], check=True, capture_output=True, text=True).stdout
    cluster.kube.kubectl(*apply[1:], stdin=crds)


def test_an_installation_makes_them_and_taking_it_away_leaves_them(cluster: Cluster) -> None:
    assert not [one for one in cluster.kube.items(CRD) if one["metadata"]["name"] in NAMES]
    cluster.helm.install(*settings(**WITHOUT_POLICIES))
    before = {name: cluster.kube.get(CRD, name)["metadata"]["uid"] for name in NAMES}
    cluster.helm.uninstall()
    assert {name: cluster.kube.get(CRD, name)["metadata"]["uid"] for name in NAMES} == before


def test_an_upgrade_is_refused_until_they_are_up_to_date_and_loses_nothing(installed: Cluster, newer: Path) -> None:
    kube = installed.kube
    kube.create({"apiVersion": "storekeeper.dev/v1alpha1", "kind": "Tenant", "metadata": {"name": "acme"}, "spec": {}})
    before = kube.get("Tenant", "acme")
    with pytest.raises(
        Failed, match=r"the CRD 'tenants\.storekeeper\.dev' in the cluster is not that of this chart"
    ) as failed:
        installed.helm.upgrade("--reuse-values", chart=newer)
    assert not has_motto(installed)
    follow(installed, str(failed.value), newer)
    assert has_motto(installed)
    installed.helm.upgrade("--reuse-values", chart=newer)
    assert "storekeeper-0.2.0" in installed.read("deployment/storekeeper")["metadata"]["labels"]["helm.sh/chart"]
    assert kube.get("Tenant", "acme")["metadata"]["uid"] == before["metadata"]["uid"]
    # The way back is refused as well, since it would take the field from objects that have it.
    with pytest.raises(Failed, match="is not that of this chart"):
        installed.helm.upgrade("--reuse-values")
    follow(installed, str(failed.value), CHART)
    kube.patch("Tenant", "acme", {"metadata": {"finalizers": None}})
    kube.delete("Tenant", "acme")


def test_an_upgrade_is_refused_where_one_is_missing(installed: Cluster) -> None:
    installed.kube.delete(CRD, "buckets.storekeeper.dev")
    installed.kube.wait_gone(CRD, "buckets.storekeeper.dev")
    with pytest.raises(Failed, match=r"the CRD 'buckets\.storekeeper\.dev' is not in the cluster") as failed:
        installed.helm.upgrade("--reuse-values")
    follow(installed, str(failed.value), CHART)
    installed.helm.upgrade("--reuse-values")


def test_a_new_installation_brings_them_up_to_date(cluster: Cluster, newer: Path) -> None:
    cluster.helm.install(*settings(**WITHOUT_POLICIES))
    cluster.helm.uninstall()
    assert not has_motto(cluster)
    cluster.helm.install(*settings(**WITHOUT_POLICIES), chart=newer)
    assert has_motto(cluster)
    cluster.helm.uninstall()
    cluster.helm.install(*settings(**WITHOUT_POLICIES))
    assert not has_motto(cluster)
    cluster.helm.uninstall()


def test_where_a_new_installation_leaves_them_as_they_are_it_is_refused(cluster: Cluster, newer: Path) -> None:
    """As helm 3 does, and `--skip-crds`."""
    with cluster.installed(*settings(**WITHOUT_POLICIES)):
        pass
    with pytest.raises(Failed, match=r"the CRD 'tenants\.storekeeper\.dev' in the cluster is not that of this chart"):
        cluster.helm.install(*settings(**WITHOUT_POLICIES), "--skip-crds", chart=newer)
    cluster.helm.install(*settings(**WITHOUT_POLICIES), "--skip-crds")
    cluster.helm.uninstall()


def test_the_comparison_can_be_switched_off(installed: Cluster, newer: Path) -> None:
    installed.helm.upgrade("--reuse-values", "--set", "crds.check=false", chart=newer)
    assert not has_motto(installed)
