"""The operator under the policies: they never stand in its way, and they say what it says."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
import yaml

from admission.cluster import install_policies
from admission.scene import secret
from e2e.world import of_kind
from harness import paths
from harness.installation import OPERATOR, Installation
from harness.kube import Kube, Object, Refused, condition, is_ready, path_of
from harness.running import started
from harness.waiting import until

KINDS = ("AccessKey", "Bucket", "StorageUser")
DENIED = "denied request: "


@pytest.fixture(scope="module")
def installation(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Installation]:
    with started(Installation(tmp_path_factory.mktemp("installation"))) as made:
        yield made


def labelled(kube: Kube, name: str, tenant: str) -> None:
    metadata = {"name": name, "labels": {"storekeeper.dev/tenant": tenant}}
    kube.create({"apiVersion": "v1", "kind": "Namespace", "metadata": metadata})


def refusals() -> list[tuple[str, Object]]:
    """Objects that both refuse, each with the condition's reason. They are in namespace `words` of Tenant `words`."""

    def user(name: str, tenant: str = "words", namespace: str = "words", **spec: object) -> Object:
        return of_kind("StorageUser", name, namespace, {"tenantRef": {"name": tenant}, **spec})

    def key(name: str, who: str, permission: str, **spec: object) -> Object:
        return of_kind("AccessKey", name, "words", {"userRef": {"name": who}, "permission": permission, **spec})

    token = "kubernetes.io/service-account-token"
    return [
        ("NamespaceNotAllowed", user("stray", namespace="words-stray")),
        ("NamespaceNotAllowed", user("foreign", tenant="words-other")),
        ("RoleNotAllowed", user("chief", role="Administrator")),
        ("AccountNotAllowed", user("elsewhere", accountRef={"name": "of-another"})),
        ("PermissionNotAllowed", key("full", "app", "Full")),
        ("RoleNotAllowed", key("looks-on", "viewer", "Write")),
        ("RoleNotAllowed", key("backs-up", "saver", "Read")),
        ("InvalidSpec", key("token", "app", "Read", secret={"type": token})),
    ]


def prepared(installation: Installation) -> None:
    kube = installation.kube
    for namespace, tenant in (("words", "words"), ("words-stray", "words")):
        labelled(kube, namespace, tenant)
    allowed = {"allowedNamespaces": {"names": ["words"]}, "allowedPermissions": ["ReadWrite", "Read", "Write"]}
    kube.create(of_kind("Tenant", "words", None, allowed))
    kube.create(of_kind("Tenant", "words-other", None, {"allowedNamespaces": {"names": ["words"]}}))
    account = installation.account("of-another")
    account["spec"]["tenantRef"] = {"name": "words-other"}
    kube.create(account)
    kube.create(installation.account("spare"))
    for name, role in (("app", "FullAccess"), ("viewer", "ReadOnly"), ("saver", "Backup")):
        kube.create(of_kind("StorageUser", name, "words", {"tenantRef": {"name": "words"}, "role": role}))
        kube.wait_ready("StorageUser", name, "words")
    kube.create(of_kind("AccessKey", "key", "words", {"userRef": {"name": "app"}, "permission": "Read"}))
    kube.create(of_kind("Bucket", "data", "words", {"userRef": {"name": "app"}}))
    for kind, name in (("AccessKey", "key"), ("Bucket", "data")):
        kube.wait_ready(kind, name, "words")


CHANGES = [
    ("AccessKey", "key", {"userRef": {"name": "viewer"}}),
    ("AccessKey", "key", {"permission": "Write"}),
    ("AccessKey", "key", {"bucketRefs": [{"name": "data"}]}),
    ("AccessKey", "key", {"secret": {"name": "other"}}),
    ("StorageUser", "app", {"login": "another"}),
    # To an account that any Tenant may use: where two policies refuse one request, either may be quoted.
    ("StorageUser", "app", {"accountRef": {"name": "spare"}}),
    ("Bucket", "data", {"userRef": {"name": "viewer"}}),
    ("Bucket", "data", {"name": "other-data"}),
    ("Bucket", "data", {"objectLock": {"mode": "Governance", "days": 1}}),
]


def undo(kube: Kube, kind: str, before: Object) -> None:
    whole = [{"op": "replace", "path": "/spec", "value": before["spec"]}]
    kube.call("PATCH", path_of(kind, "words", before["metadata"]["name"]), whole, "application/json-patch+json")


def message(kube: Kube, found: Object, reason: str) -> str:
    """What the condition says of this generation of the object."""
    metadata = found["metadata"]

    def said(now: Object | None) -> bool:
        ready = condition(now) or {}
        return (ready.get("reason"), ready.get("observedGeneration")) == (reason, metadata["generation"])

    now = kube.wait(found["kind"], metadata["name"], metadata["namespace"], said, f"refused with {reason}")
    text: str = (condition(now) or {})["message"]
    return text


def said_by_operator(kube: Kube) -> dict[str, str]:
    """What the conditions say while no policy is there."""
    made = [(reason, kube.create(one)) for reason, one in refusals()]
    said = {f"{one['kind']} {one['metadata']['name']}": message(kube, one, reason) for reason, one in made}
    for kind, name, change in CHANGES:
        before = kube.get(kind, name, "words")
        changed = kube.patch(kind, name, {"spec": change}, "words")
        said[f"{kind} {change}"] = message(kube, changed, "IdentityChanged")
        undo(kube, kind, before)
    for kind, name in {(kind, name) for kind, name, _ in CHANGES}:
        kube.wait_ready(kind, name, "words")
    return said


def said_by_policies(kube: Kube) -> dict[str, str]:
    said = {}

    def refusal(method: str, path: str, body: Object, content_type: str = "application/json") -> str:
        with pytest.raises(Refused) as refused:
            kube.call(method, f"{path}?dryRun=All", body, content_type)
        assert refused.value.code == 403
        return refused.value.message.partition(DENIED)[2]

    for _, one in refusals():
        name = one["metadata"]["name"]
        again = {**one, "metadata": {**one["metadata"], "name": f"{name}-again"}}
        path = path_of(one["kind"], one["metadata"]["namespace"])
        said[f"{one['kind']} {name}"] = refusal("POST", path, again)
    for kind, name, change in CHANGES:
        path = path_of(kind, "words", name)
        said[f"{kind} {change}"] = refusal("PATCH", path, {"spec": change}, "application/merge-patch+json")
    return said


@pytest.fixture(scope="module")
def words(installation: Installation) -> dict[str, str]:
    """What the operator says before there are policies; with the policies in force when this returns."""
    prepared(installation)
    said = said_by_operator(installation.kube)
    install_policies(installation.kube, paths.POLICIES, paths.POLICIES / "mutating")
    return said


def test_policies_and_operator_refuse_in_the_same_words(installation: Installation, words: dict[str, str]) -> None:
    assert said_by_policies(installation.kube) == words


@pytest.fixture(scope="module")
def under_policies(installation: Installation, words: dict[str, str]) -> Installation:
    """The quick start's objects, applied under the policies."""
    assert words
    kube = installation.kube
    manifests = [
        one
        for path in sorted(paths.EXAMPLES.glob("*.yaml"))
        for one in yaml.safe_load_all(path.read_text())
        # The account is that of the tests, at another port.
        if one["kind"] != "StorageAccount"
    ]
    kube.apply(manifests)
    return installation


def ours(kube: Kube, namespace: str) -> list[Object]:
    return [{**one, "kind": kind} for kind in KINDS for one in kube.items(kind, namespace)]


def test_the_quick_start_becomes_ready(under_policies: Installation) -> None:
    kube = under_policies.kube

    def late() -> list[str]:
        all_of_them = [*ours(kube, "team-a"), *ours(kube, "team-b")]
        assert len(all_of_them) == 9
        return [
            f"{one['kind']} {one['metadata']['name']}: {condition(one)}" for one in all_of_them if not is_ready(one)
        ]

    until(lambda: not late(), "the quick start to be Ready", 90, late)


def test_the_finalizer_cost_the_operator_no_write(under_policies: Installation) -> None:
    """The policy put it there: the operator sends no patch of the objects themselves."""
    calls = under_policies.audit.calls(user=OPERATOR)
    patches = [call for call in calls if call.verb == "patch" and call.namespace == "team-a" and not call.subresource]
    assert patches == []


def test_a_key_that_is_retained_is_published_without_owner_and_let_go(under_policies: Installation) -> None:
    kube = under_policies.kube
    spec = {"userRef": {"name": "app"}, "permission": "Read", "deletionPolicy": "Retain"}
    kube.create(of_kind("AccessKey", "kept", "team-a", spec))
    kube.wait_ready("AccessKey", "kept", "team-a")
    assert "ownerReferences" not in kube.get("Secret", "kept", "team-a")["metadata"]
    kube.delete("AccessKey", "kept", "team-a")
    kube.wait_gone("AccessKey", "kept", "team-a")
    assert kube.find("Secret", "kept", "team-a") is not None


def test_a_key_is_deleted_with_its_secret(under_policies: Installation) -> None:
    kube = under_policies.kube
    kube.wait_ready("AccessKey", "app-wo", "team-a")
    kube.delete("AccessKey", "app-wo", "team-a")
    kube.wait_gone("AccessKey", "app-wo", "team-a")
    kube.wait_gone("Secret", "app-wo", "team-a")


def test_the_operators_token_makes_no_other_secret(under_policies: Installation) -> None:
    """By its real token, as somebody would use it who has stolen it."""
    layout = under_policies.plane.layout
    token = under_policies.kube.token_for("storekeeper", "storekeeper-system")
    kubeconfig = under_policies.operator_kubeconfig(direct=True)
    operator = Kube(under_policies.plane.endpoint, token, layout.tools / "kubectl", kubeconfig)
    stolen = {"annotations": {"kubernetes.io/service-account.name": "default"}}
    attempts = [
        secret("stolen", "team-a", type="kubernetes.io/service-account-token", **stolen),
        secret("stolen", "team-a", labels={}),
        secret("stolen", "kube-system"),
        secret("stolen", "storekeeper-system"),
    ]
    for one in attempts:
        with pytest.raises(Refused, match=r"operator-secrets\.storekeeper\.dev") as refused:
            operator.create(one)
        assert refused.value.code == 403
    for one in under_policies.kube.items("Secret", "storekeeper-system"):
        with pytest.raises(Refused) as refused:
            operator.call("DELETE", path_of("Secret", "storekeeper-system", one["metadata"]["name"]))
        assert refused.value.code == 403
    operator.create(secret("lawful", "team-a"))
    operator.delete("Secret", "lawful", "team-a")


def test_a_namespace_is_deleted_with_all_that_is_in_it(under_policies: Installation) -> None:
    kube = under_policies.kube
    annotation = {"storekeeper.dev/prevent-deletion": "true"}
    for one in ours(kube, "team-b"):
        kube.patch(one["kind"], one["metadata"]["name"], {"metadata": {"annotations": annotation}}, "team-b")
    kube.delete("Namespace", "team-b")
    kube.wait_gone("Namespace", "team-b", deadline=60)


def test_a_tenant_is_deleted_once_nothing_is_bound_to_it(under_policies: Installation) -> None:
    """The count in its status is what the policy asks; it follows by itself."""
    kube = under_policies.kube
    labelled(kube, "leaving", "leaving")
    kube.create(of_kind("Tenant", "leaving", None, {"allowedNamespaces": {"names": ["leaving"]}}))
    kube.create(of_kind("StorageUser", "app", "leaving", {"tenantRef": {"name": "leaving"}}))
    kube.wait_ready("StorageUser", "app", "leaving")

    def counted(users: int) -> bool:
        return kube.get("Tenant", "leaving")["status"].get("bound", {}).get("users") == users

    until(lambda: counted(1), "the user to be counted")
    with pytest.raises(Refused, match=r"Tenant 'leaving' is used by StorageUsers \(1\)"):
        kube.delete("Tenant", "leaving")
    kube.delete("StorageUser", "app", "leaving")
    kube.wait_gone("StorageUser", "app", "leaving")
    until(lambda: counted(0), "no user to be left")
    kube.delete("Tenant", "leaving")
    kube.wait_gone("Tenant", "leaving")
