"""What is there already and is not ours stays as it is; what a thing is called does not change."""

from __future__ import annotations

import pytest

from e2e.world import World
from harness.kube import Object

ADMISSION = "admissionregistration.k8s.io/v1"


def test_a_login_that_somebody_else_has_is_not_taken_over(world: World) -> None:
    world.user("first", login=f"{world.ns}-shared")
    world.ready("StorageUser", "first")
    world.user("second", login=f"{world.ns}-shared")
    world.says("StorageUser", "second", "NameTaken", f"'{world.ns}-shared'")
    world.ready("StorageUser", "first")


def test_a_bucket_name_that_somebody_else_has_is_not_taken_over(world: World) -> None:
    world.user()
    world.bucket("first", name="shared")
    world.ready("Bucket", "first")
    world.bucket("second", name="shared")
    world.says("Bucket", "second", "NameTaken", "'shared'")
    world.ready("Bucket", "first")


@pytest.mark.parametrize(
    ("kind", "name", "change", "words"),
    [
        ("AccessKey", "key", {"permission": "Full"}, ("`spec.permission`", "ReadWrite", "Full")),
        ("AccessKey", "key", {"userRef": {"name": "web"}}, ("`spec.userRef`", "'app'", "'web'")),
        ("AccessKey", "key", {"secret": {"name": "renamed"}}, ("`spec.secret.name`", "'key'", "'renamed'")),
        ("Bucket", "data", {"name": "renamed"}, ("`spec.name`", "'data'", "'renamed'")),
        ("StorageUser", "app", {"login": "renamed"}, ("`spec.login`", "'renamed'")),
    ],
    ids=["permission", "user", "secret", "bucket", "login"],
)
def test_a_changed_identity_is_refused_and_nothing_is_done(
    world: World, kind: str, name: str, change: Object, words: tuple[str, ...]
) -> None:
    world.user()
    world.user("web")
    world.bucket()
    world.key()
    for one, called in (("AccessKey", "key"), ("Bucket", "data"), ("StorageUser", "web")):
        world.ready(one, called)
    secret, keys = world.secret("key"), world.live_keys()
    world.patch(kind, name, {"spec": change})
    world.says(kind, name, "IdentityChanged", *words)
    assert world.secret("key") == secret
    assert world.live_keys() == keys
    assert world.live_keys("web") == []


def test_a_foreign_secret_in_the_way_is_left_alone_and_no_key_is_made(world: World) -> None:
    metadata = {"name": "key", "namespace": world.ns}
    foreign = world.kube.create({"apiVersion": "v1", "kind": "Secret", "metadata": metadata, "stringData": {"a": "b"}})
    world.user()
    world.ready("StorageUser", "app")
    seen = len(world.installation.management_proxy.seen("mint"))
    world.key()
    world.says("AccessKey", "key", "SecretNameConflict", "'key'", "`spec.secret.name`")
    assert len(world.installation.management_proxy.seen("mint")) == seen
    assert world.secret("key") == foreign
    world.kube.delete("Secret", "key", world.ns)
    world.ready("AccessKey", "key")


def test_a_secret_that_a_quota_refuses_costs_no_key(world: World) -> None:
    quota = {
        "apiVersion": "v1",
        "kind": "ResourceQuota",
        "metadata": {"name": "none", "namespace": world.ns},
        "spec": {"hard": {"count/secrets": "0"}},
    }
    world.kube.create(quota)
    world.kube.wait(
        "ResourceQuota", "none", world.ns, lambda found: (found or {}).get("status", {}).get("hard"), "counted"
    )
    world.user()
    world.key()
    world.says("AccessKey", "key", "SecretRefused", "'key'", "quota")
    world.kube.delete("ResourceQuota", "none", world.ns)
    world.ready("AccessKey", "key", 60)
    assert len(world.live_keys()) == 1


def test_a_secret_that_admission_refuses_costs_no_key(world: World) -> None:
    name = f"no-secrets-{world.ns}"
    policy = {
        "apiVersion": ADMISSION,
        "kind": "ValidatingAdmissionPolicy",
        "metadata": {"name": name},
        "spec": {
            "matchConstraints": {
                "resourceRules": [
                    {"apiGroups": [""], "apiVersions": ["v1"], "operations": ["CREATE"], "resources": ["secrets"]}
                ]
            },
            "validations": [{"expression": "false", "message": "no Secrets on Sundays", "reason": "Forbidden"}],
        },
    }
    selector = {"matchLabels": {"kubernetes.io/metadata.name": world.ns}}
    binding = {
        "apiVersion": ADMISSION,
        "kind": "ValidatingAdmissionPolicyBinding",
        "metadata": {"name": name},
        "spec": {"policyName": name, "validationActions": ["Deny"], "matchResources": {"namespaceSelector": selector}},
    }
    world.kube.create(policy)
    world.kube.create(binding)
    try:
        world.wait_until_secrets_are_refused()
        world.user()
        world.key()
        world.says("AccessKey", "key", "SecretRefused", "no Secrets on Sundays")
        assert world.live_keys() == []
    finally:
        world.kube.delete("ValidatingAdmissionPolicyBinding", name)
        world.kube.delete("ValidatingAdmissionPolicy", name)
    world.ready("AccessKey", "key", 60)


def test_a_secret_that_rbac_refuses_costs_no_key(world: World) -> None:
    role = world.kube.get("ClusterRole", "storekeeper")
    without = [rule for rule in role["rules"] if "secrets" not in rule["resources"]]
    reading = {"apiGroups": [""], "resources": ["secrets"], "verbs": ["get", "delete"]}
    world.kube.patch("ClusterRole", "storekeeper", {"rules": [*without, reading]})
    try:
        world.user()
        world.key()
        world.says("AccessKey", "key", "SecretRefused", "'key'", "create")
        assert world.live_keys() == []
    finally:
        world.kube.patch("ClusterRole", "storekeeper", {"rules": role["rules"]})
    world.ready("AccessKey", "key", 60)
