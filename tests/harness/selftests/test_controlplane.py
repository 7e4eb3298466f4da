"""The control plane is real: it enforces RBAC, deletes namespaces, and writes down every call."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from harness import paths, tls
from harness.audit import AuditLog, count
from harness.controlplane import ControlPlane, Layout
from harness.etcd import Etcd
from harness.kube import Kube, Refused
from harness.kubeconfig import Endpoint
from harness.proxy import Fault, FaultProxy
from harness.running import started

OURS = "storekeeper.dev/v1alpha1"
OPERATOR = "system:serviceaccount:storekeeper-system:storekeeper"
CRD_VERBS = {"get", "list", "watch", "patch"}


@pytest.fixture(scope="module")
def plane(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ControlPlane]:
    folder = tmp_path_factory.mktemp("plane")
    with started(ControlPlane(Layout(folder, paths.tools(), folder / "logs"))) as made:
        yield made


@pytest.fixture(scope="module")
def kube(plane: ControlPlane) -> Kube:
    made = Kube(plane.endpoint, plane.admin_token, plane.layout.tools / "kubectl", plane.layout.admin_kubeconfig)
    made.apply(paths.RBAC)
    return made


@pytest.fixture(scope="module")
def operator(plane: ControlPlane, kube: Kube) -> Kube:
    token = kube.token_for("storekeeper", "storekeeper-system")
    return Kube(plane.endpoint, token, plane.layout.tools / "kubectl", plane.layout.admin_kubeconfig)


def test_a_namespace_is_deleted_with_what_is_in_it(kube: Kube) -> None:
    kube.create({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "gone"}})
    kube.create({"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "s", "namespace": "gone"}})
    kube.delete("Namespace", "gone")
    kube.wait_gone("Namespace", "gone")
    assert kube.find("Secret", "s", "gone") is None


def test_the_operator_may_create_get_and_delete_secrets_and_nothing_else(operator: Kube) -> None:
    allowed = {
        verb
        for verb in ("create", "get", "delete", "list", "watch", "update", "patch", "deletecollection")
        if operator.allowed(verb, "secrets", namespace="default")
    }
    assert allowed == {"create", "get", "delete"}


@pytest.mark.parametrize("resource", ["storageaccounts", "tenants", "storageusers", "accesskeys", "buckets"])
def test_the_operator_never_deletes_or_replaces_what_people_wrote(operator: Kube, resource: str) -> None:
    verbs = ("get", "list", "watch", "patch", "create", "update", "delete")
    allowed = {verb for verb in verbs if operator.allowed(verb, resource, "storekeeper.dev", "default")}
    assert allowed == CRD_VERBS | ({"create"} if resource == "tenants" else set())
    assert operator.allowed("patch", resource, "storekeeper.dev", "default", "status")


def test_the_operator_leads_in_its_own_namespace_only(operator: Kube) -> None:
    group = "coordination.k8s.io"
    assert operator.allowed("patch", "leases", group, "storekeeper-system")
    assert not operator.allowed("patch", "leases", group, "default")


def test_the_audit_log_has_each_call_when_it_is_answered(plane: ControlPlane, kube: Kube, operator: Kube) -> None:
    audit = AuditLog(plane.layout.audit_log)
    before = audit.position()
    with pytest.raises(Refused) as refused:
        operator.patch("Secret", "any", {"data": {}}, "default")
    assert refused.value.code == 403
    kube.create({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "counted"}})
    calls = audit.calls(before)
    assert count([call for call in calls if call.user == OPERATOR]) == {(OPERATOR, "patch", "secrets"): 1}
    assert [call.code for call in calls if call.user == "admin" and call.resource == "namespaces"] == [201]


def test_etcd_tells_what_is_stored_and_how_often_it_was_written(plane: ControlPlane, kube: Kube) -> None:
    metadata = {"name": "stored", "namespace": "default", "annotations": {"example.com/a": "b"}}
    made = kube.create({"apiVersion": "v1", "kind": "Secret", "metadata": metadata, "stringData": {"k": "v", "l": ""}})
    etcd = Etcd(plane.etcd_url)
    stored = etcd.secret("default", "stored")
    assert stored is not None
    assert (stored.name, stored.uid) == ("stored", made["metadata"]["uid"])
    assert (stored.annotations, stored.entries) == ({"example.com/a": "b"}, {"k": "v", "l": ""})
    assert (stored.record.version, stored.record.created) == (1, stored.record.modified)
    kube.patch("Secret", "stored", {"stringData": {"k": "w"}}, "default")
    changed = etcd.secret("default", "stored")
    assert changed is not None
    assert (changed.entries["k"], changed.record.version) == ("w", 2)
    assert [one.key for one in etcd.records("/registry/secrets/default/")] == ["/registry/secrets/default/stored"]
    assert etcd.secret("default", "absent") is None


def test_a_selector_hides_the_cluster_scoped_objects_of_others(
    plane: ControlPlane, kube: Kube, operator: Kube, tmp_path: Path
) -> None:
    kube.apply(paths.CRDS)
    kube.kubectl("wait", "--for=condition=Established", "--timeout=30s", "crd/tenants.storekeeper.dev")
    for name in ("mine", "yours"):
        metadata = {"name": name, "labels": {"example.com/lane": name}}
        kube.create({"apiVersion": OURS, "kind": "Tenant", "metadata": metadata, "spec": {}})
    certificates = tls.make_certificates(tmp_path)
    proxy = FaultProxy(plane.endpoint.url, plane.endpoint.ca, certificates, selector="example.com/lane=mine")
    proxy.start()
    try:
        tools, config = plane.layout.tools / "kubectl", plane.layout.admin_kubeconfig
        through = Kube(Endpoint(proxy.endpoint, certificates.ca), plane.admin_token, tools, config)
        assert [one["metadata"]["name"] for one in through.items("Tenant")] == ["mine"]
        assert through.find("Tenant", "yours") is not None, "what is asked for by name is there"
        assert "default" in [one["metadata"]["name"] for one in through.items("Namespace")]
    finally:
        proxy.stop()


def test_the_proxy_carries_faults_to_a_real_api_server(plane: ControlPlane, kube: Kube, tmp_path: Path) -> None:
    certificates = tls.make_certificates(tmp_path)
    proxy = FaultProxy(plane.endpoint.url, plane.endpoint.ca, certificates)
    proxy.start()
    try:
        tools, config = plane.layout.tools / "kubectl", plane.layout.admin_kubeconfig
        through = Kube(Endpoint(proxy.endpoint, certificates.ca), plane.admin_token, tools, config)
        secret = {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "p", "namespace": "default"}}
        rule = proxy.fault("post-secret", Fault.ANSWER_409)
        with pytest.raises(Refused) as refused:
            through.create(secret)
        assert (refused.value.code, rule.hits, kube.find("Secret", "p", "default")) == (409, 1, None)
        through.create(secret)
        assert kube.find("Secret", "p", "default") is not None
        assert [seen.fault for seen in proxy.seen("post-secret")] == [Fault.ANSWER_409, None]
    finally:
        proxy.stop()
