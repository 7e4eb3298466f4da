"""The real API server takes what is rendered, Pods under its strictest standard included."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml

from chart import foreign
from chart.cluster import Cluster
from chart.helm import CHART, VALUES, find
from chart.test_rendered import IDS, WORKLOADS, pod_of, values
from harness.kube import KINDS, Object, Refused
from harness.waiting import until

CRDS = [f"crd/{plural}.storekeeper.dev" for prefix, plural, _ in KINDS.values() if "storekeeper.dev" in prefix]


@pytest.fixture(scope="module")
def prepared(cluster: Cluster) -> Cluster:
    """With our CRDs, the namespaces that are named, and one for Pods of the strictest standard."""
    cluster.kube.kubectl("apply", "--server-side", "-f", str(CHART / "crds"))
    cluster.kube.kubectl("wait", "--for=condition=Established", "--timeout=30s", *CRDS)
    for name in ("team-a", "team-b"):
        cluster.namespace(name)
    cluster.namespace("strict", **{"pod-security.kubernetes.io/enforce": "restricted"})
    metadata = {"name": "storekeeper", "namespace": "strict"}
    cluster.kube.create({"apiVersion": "v1", "kind": "ServiceAccount", "metadata": metadata})
    until(lambda: cluster.kube.find("ServiceAccount", "default", "strict"), "the default ServiceAccount")
    return cluster


def accepted(cluster: Cluster, objects: list[Object]) -> list[str]:
    text = yaml.safe_dump_all(objects)
    command = ("apply", "--server-side", "--dry-run=server", "--validate=strict", "-f", "-", "-o", "name")
    return cluster.kube.kubectl(*command, stdin=text).split()


@pytest.mark.parametrize("path", VALUES, ids=IDS)
def test_every_object_is_accepted_by_the_api_server(path: Path, prepared: Cluster) -> None:
    rendered = prepared.helm.rendered(path)
    ours = [one for one in rendered if one["kind"] not in foreign.KINDS]
    assert len(accepted(prepared, ours)) == len(ours)


def test_a_field_that_is_misspelt_would_be_found(prepared: Cluster) -> None:
    workload = find(prepared.helm.rendered(values("default")), "Deployment")
    workload["spec"]["template"]["spec"]["terminationGracePeriodSecond"] = 1
    with pytest.raises(AssertionError, match="terminationGracePeriodSecond"):
        accepted(prepared, [workload])


def pods(cluster: Cluster) -> list[Object]:
    rendered = [*cluster.helm.rendered(values("default")), *cluster.helm.rendered(values("server"))]
    found = []
    for workload in (one for one in rendered if one["kind"] in WORKLOADS):
        template = pod_of(workload)
        metadata = {"name": workload["kind"].lower(), "namespace": "strict", "labels": template["metadata"]["labels"]}
        spec = template["spec"]
        claims = workload["spec"].get("volumeClaimTemplates", [])
        # The controller of StatefulSets adds the claims.
        spec.setdefault("volumes", []).extend(
            {"name": one["metadata"]["name"], "persistentVolumeClaim": {"claimName": "any"}} for one in claims
        )
        found.append({"apiVersion": "v1", "kind": "Pod", "metadata": metadata, "spec": spec})
    return found


def admitted(cluster: Cluster, pod: Object) -> None:
    cluster.kube.call("POST", "/api/v1/namespaces/strict/pods?dryRun=All&fieldValidation=Strict", pod)


def test_pods_meet_the_restricted_standard(prepared: Cluster) -> None:
    found = pods(prepared)
    assert {one["metadata"]["name"] for one in found} == {kind.lower() for kind in WORKLOADS}
    for pod in found:
        admitted(prepared, pod)


@pytest.mark.parametrize(
    ("where", "field", "bad"),
    [
        ("pod", "runAsNonRoot", False),
        ("pod", "seccompProfile", {"type": "Unconfined"}),
        ("container", "allowPrivilegeEscalation", True),
        ("container", "capabilities", {"add": ["SYS_ADMIN"], "drop": ["ALL"]}),
    ],
    ids=lambda value: value if isinstance(value, str) else None,
)
def test_the_standard_would_refuse_less(prepared: Cluster, where: str, field: str, bad: object) -> None:
    for pod in pods(prepared):
        part = pod["spec"] if where == "pod" else pod["spec"]["containers"][0]
        part["securityContext"][field] = bad
        with pytest.raises(Refused, match='violates PodSecurity "restricted') as refused:
            admitted(prepared, pod)
        assert refused.value.code == 403
