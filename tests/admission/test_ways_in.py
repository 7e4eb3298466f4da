"""The ways in which people and machines change objects: kubectl, GitOps tools, namespaces that end, owners that go."""

from __future__ import annotations

import json

import pytest
import yaml

from admission.cluster import OPERATOR, Cluster, of_kind
from harness.kube import Kube, Object, Refused, path_of
from harness.waiting import until

FINALIZER = "storekeeper.dev/cleanup"
PROTECTED = {"annotations": {"storekeeper.dev/prevent-deletion": "true"}}
IDENTITY = {"user": "app", "permission": "Read", "secret": "key"}
_numbers = iter(range(1, 1000))


@pytest.fixture
def ns(cluster: Cluster) -> str:
    """A namespace of a Tenant with a key that was made. It goes with the cluster."""
    name = f"ways-{next(_numbers)}"
    root = cluster.root
    cluster.namespace(name, **{"storekeeper.dev/tenant": name})
    root.create(of_kind("Tenant", name, None, {"allowedNamespaces": {"names": [name]}}))
    root.create(of_kind("StorageUser", "app", name, {"tenantRef": {"name": name}}))
    root.kubectl("apply", "--server-side", "-f", "-", stdin=json.dumps(key_of(name)))
    cluster.status("AccessKey", "key", name, {"identity": IDENTITY})
    return name


def key_of(namespace: str, name: str = "key", **spec: object) -> Object:
    full = {"userRef": {"name": "app"}, "permission": "Read", **spec}
    return of_kind("AccessKey", name, namespace, full, **PROTECTED)


def release(operator: Kube, kind: str, namespace: str) -> None:
    """What the operator does once it has cleaned up: the finalizer goes from what is being deleted."""
    for one in operator.items(kind, namespace):
        if "deletionTimestamp" in one["metadata"] and one["metadata"].get("finalizers"):
            left = [other for other in one["metadata"]["finalizers"] if other != FINALIZER]
            operator.patch(kind, one["metadata"]["name"], {"metadata": {"finalizers": left}}, namespace)


def namespace_gone(cluster: Cluster, name: str) -> bool:
    for kind in ("AccessKey", "Bucket", "StorageUser"):
        release(cluster.person(OPERATOR), kind, name)
    return cluster.root.find("Namespace", name) is None


@pytest.mark.parametrize(
    "how",
    [
        ("apply",),
        ("apply", "--server-side"),
        ("apply", "--server-side", "--force-conflicts"),
        ("apply", "--dry-run=server"),
        ("apply", "--server-side", "--dry-run=server"),
        ("diff",),
        ("replace",),
    ],
    ids=" ".join,
)
def test_a_changed_identity_is_refused_however_it_comes(cluster: Cluster, ns: str, how: tuple[str, ...]) -> None:
    root = cluster.root
    uid = root.get("AccessKey", "key", ns)["metadata"]["uid"]
    with pytest.raises(AssertionError, match="was 'app' and must not change to 'other'"):
        root.kubectl(*how, "-f", "-", stdin=json.dumps(key_of(ns, userRef={"name": "other"})))
    found = root.get("AccessKey", "key", ns)
    assert found["metadata"]["uid"] == uid
    assert found["spec"]["userRef"] == {"name": "app"}


def test_a_harmless_change_goes_through_by_apply_and_server_side_apply(cluster: Cluster, ns: str) -> None:
    for how, text in ((), "one"), (("--server-side", "--force-conflicts"), "two"):
        manifest = json.dumps(key_of(ns, description=text))
        cluster.root.kubectl("apply", *how, "-f", "-", stdin=manifest)
        assert cluster.root.get("AccessKey", "key", ns)["spec"]["description"] == text


def test_a_forced_apply_that_deletes_first_is_stopped_at_the_deletion(cluster: Cluster, ns: str) -> None:
    """An ordinary mistake is a 422 too, which forced applies answer by deleting: the annotation keeps the key."""
    with pytest.raises(AssertionError, match="is protected by its annotation"):
        cluster.root.kubectl("replace", "--force", "-f", "-", stdin=json.dumps(key_of(ns, permission="Write")))
    assert "deletionTimestamp" not in cluster.root.get("AccessKey", "key", ns)["metadata"]


def test_a_spec_that_was_changed_while_there_was_no_policy_holds_up_nothing(cluster: Cluster, ns: str) -> None:
    """The operator must still get rid of the finalizer, and people must be able to change it back."""
    cluster.status("AccessKey", "key", ns, {"identity": {**IDENTITY, "user": "before"}})
    cluster.root.patch("AccessKey", "key", {"spec": {"description": "unrelated"}}, ns)
    cluster.root.patch("AccessKey", "key", {"spec": {"userRef": {"name": "before"}}}, ns)
    with pytest.raises(Refused, match="must not change to 'app'"):
        cluster.root.patch("AccessKey", "key", {"spec": {"userRef": {"name": "app"}}}, ns)


def test_a_tenant_that_allows_less_than_before_holds_up_no_deletion(cluster: Cluster, ns: str) -> None:
    cluster.root.patch("Tenant", ns, {"spec": {"allowedPermissions": [], "allowedNamespaces": {"names": []}}})
    remove = {"annotations": {"storekeeper.dev/prevent-deletion": None}}
    cluster.root.patch("AccessKey", "key", {"metadata": remove}, ns)
    cluster.root.delete("AccessKey", "key", ns)
    release(cluster.person(OPERATOR), "AccessKey", ns)
    cluster.root.wait_gone("AccessKey", "key", ns)


def test_a_namespace_is_deleted_with_everything_that_is_guarded_in_it(cluster: Cluster, ns: str) -> None:
    root = cluster.root
    root.create(of_kind("Bucket", "data", ns, {"userRef": {"name": "app"}, "deletionPolicy": "Delete"}, **PROTECTED))
    cluster.status("Bucket", "data", ns, {"usage": {"size": 9, "objects": 9}})
    for kind, name in (("Bucket", "data"), ("AccessKey", "key")):
        with pytest.raises(Refused) as refused:
            root.call("DELETE", path_of(kind, ns, name))
        assert refused.value.code == 403
    root.delete("Namespace", ns)
    until(lambda: namespace_gone(cluster, ns), "the namespace to be gone", 60)


def test_the_garbage_collector_takes_what_is_guarded_with_its_owner(cluster: Cluster, ns: str) -> None:
    root = cluster.root
    uid = root.get("StorageUser", "app", ns)["metadata"]["uid"]
    owner = {"apiVersion": "storekeeper.dev/v1alpha1", "kind": "StorageUser", "name": "app", "uid": uid}
    root.patch("AccessKey", "key", {"metadata": {"ownerReferences": [owner]}}, ns)
    root.delete("StorageUser", "app", ns)
    release(cluster.person(OPERATOR), "StorageUser", ns)

    def collected() -> bool:
        release(cluster.person(OPERATOR), "AccessKey", ns)
        return root.find("AccessKey", "key", ns) is None

    until(collected, "the key to be collected")


def test_a_collection_is_judged_object_by_object(cluster: Cluster, ns: str) -> None:
    with pytest.raises(Refused) as refused:
        cluster.root.call("DELETE", path_of("AccessKey", ns))
    assert refused.value.code == 403


def test_the_finalizer_is_there_from_the_first_moment_and_stays(cluster: Cluster, ns: str) -> None:
    root = cluster.root
    found = root.create(key_of(ns, "fresh"))
    assert found["metadata"]["finalizers"] == [FINALIZER]
    for how in (("apply",), ("apply", "--server-side", "--force-conflicts"), ("replace",)):
        root.kubectl(*how, "-f", "-", stdin=json.dumps(key_of(ns, "fresh", description=" ".join(how))))
        assert root.get("AccessKey", "fresh", ns)["metadata"]["finalizers"] == [FINALIZER]
    other = of_kind("Bucket", "other", ns, {"userRef": {"name": "app"}}, finalizers=["example.com/other"])
    assert root.create(other)["metadata"]["finalizers"] == ["example.com/other", FINALIZER]
    root.patch("Bucket", "other", {"metadata": {"finalizers": [FINALIZER]}}, ns)


def test_the_finalizer_leaves_what_is_being_deleted(cluster: Cluster, ns: str) -> None:
    root = cluster.root
    root.create(of_kind("Bucket", "data", ns, {"userRef": {"name": "app"}}))
    root.delete("Bucket", "data", ns)
    assert root.get("Bucket", "data", ns)["metadata"]["finalizers"] == [FINALIZER]
    release(cluster.person(OPERATOR), "Bucket", ns)
    root.wait_gone("Bucket", "data", ns)


def test_the_trial_mode_lets_through_and_warns(cluster: Cluster, ns: str) -> None:
    """One binding, as deploy/policies-warn changes all of them."""
    root, binding = cluster.root, "tenant-permission.storekeeper.dev"
    manifest = yaml.safe_dump(key_of(ns, "full", permission="Full"))
    root.patch("Tenant", ns, {"spec": {"allowedPermissions": ["Read"]}})
    try:
        root.patch("ValidatingAdmissionPolicyBinding", binding, {"spec": {"validationActions": ["Warn", "Audit"]}})

        def warned() -> bool:
            try:
                said = root.warnings("apply", "--dry-run=server", "-f", "-", stdin=manifest)
            except AssertionError:
                return False
            return "Tenant" in said and "allows Read; this key asks for Full" in said

        until(warned, "a warning instead of a refusal")
    finally:
        root.patch("ValidatingAdmissionPolicyBinding", binding, {"spec": {"validationActions": ["Deny"]}})
        until(lambda: refused(root, key_of(ns, "full", permission="Full")), "the policy to be in force again")


def refused(root: Kube, body: Object) -> bool:
    try:
        root.call("POST", path_of(body["kind"], body["metadata"]["namespace"]) + "?dryRun=All", body)
    except Refused as error:
        return error.code == 403
    return False
