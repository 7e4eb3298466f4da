"""What the chart makes for other projects: refused where they are not installed, else true to their schemas."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml

from chart import foreign
from chart.cluster import Cluster
from chart.expressions import expressions
from chart.helm import NAMESPACE, VALUES, WITHOUT_POLICIES, Failed, settings
from clients import golang, promql
from harness.kube import Object
from harness.running import started

WANTED = {"monitoring__serviceMonitor__enabled": True, "monitoring__prometheusRule__enabled": True}
(VALUES_OF_ALL,) = (path for path in VALUES if path.stem == "monitoring")


@pytest.fixture(scope="module")
def taught(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    """A cluster with the CRDs of the other projects."""
    with started(Cluster(tmp_path_factory.mktemp("taught"))) as made:
        for kind in foreign.KINDS:
            made.kube.kubectl("apply", "--server-side", "-f", str(foreign.crd(kind)))
            name = yaml.safe_load(foreign.crd(kind).read_text())["metadata"]["name"]
            made.kube.kubectl("wait", "--for=condition=Established", "--timeout=30s", f"crd/{name}")
        yield made


def made_for_others(cluster: Cluster) -> list[Object]:
    found = [one for one in cluster.helm.rendered(VALUES_OF_ALL) if one["kind"] in foreign.KINDS]
    assert sorted(one["kind"] for one in found) == ["Certificate", "PrometheusRule", "ServiceMonitor", "ServiceMonitor"]
    return found


def accept(cluster: Cluster, one: Object) -> None:
    command = ("apply", "--server-side", "--dry-run=server", "--validate=strict", "-f", "-")
    cluster.kube.kubectl(*command, stdin=yaml.safe_dump(one))


def test_without_their_kinds_the_release_is_refused_before_anything_is_made(cluster: Cluster) -> None:
    with pytest.raises(Failed) as failed:
        cluster.helm.install(*settings(**WANTED))
    for kind in ("ServiceMonitor", "PrometheusRule"):
        assert f'no matches for kind "{kind}" in version "monitoring.coreos.com/v1"' in str(failed.value)
    assert cluster.kube.find("ServiceAccount", "storekeeper", NAMESPACE) is None
    assert cluster.kube.items("ValidatingAdmissionPolicy") == []


def test_with_their_kinds_the_same_is_installed(taught: Cluster) -> None:
    with taught.installed(*settings(**WANTED, **WITHOUT_POLICIES)):
        groups = taught.read("prometheusrule/storekeeper")["spec"]["groups"]
        assert [one["name"] for one in groups] == ["storekeeper"]
        assert taught.read("servicemonitor/storekeeper")["spec"]["endpoints"] == [
            {"port": "metrics", "interval": "30s"}
        ]


def test_it_is_true_to_their_schemas(taught: Cluster) -> None:
    for one in made_for_others(taught):
        accept(taught, one)


@pytest.mark.parametrize("kind", foreign.KINDS)
def test_a_field_that_they_do_not_have_would_be_found(taught: Cluster, kind: str) -> None:
    for one in (one for one in made_for_others(taught) if one["kind"] == kind):
        one["spec"]["storekeeper"] = True
        with pytest.raises(AssertionError, match=r"unknown field|not declared in schema"):
            accept(taught, one)


@pytest.fixture(scope="module")
def parser() -> Path:
    return golang.build(promql.MODULE)


def parsed(parser: Path, lines: list[str]) -> str:
    return subprocess.run([parser], input="\n".join(lines), capture_output=True, text=True).stdout


def test_prometheus_can_parse_every_expression(parser: Path) -> None:
    lines = [text for texts in expressions().values() for text in texts]
    assert len(lines) > 30
    assert parsed(parser, lines) == ""


def test_an_expression_with_a_mistake_would_be_found(parser: Path) -> None:
    assert "unclosed left parenthesis" in parsed(parser, ["sum(storekeeper_leader", "up"])
