"""What holds of all policies: they type-check, they say 403, they are documented and applied."""

from __future__ import annotations

import re
from typing import Any

import pytest
import yaml

from admission.cluster import Cluster
from harness import paths
from harness.kube import Object
from harness.waiting import until

FILES = sorted(path for path in paths.POLICIES.glob("*.yaml") if path.name != "kustomization.yaml")


def documents(path: Any) -> list[Object]:
    return list(yaml.safe_load_all(path.read_text()))


def policies() -> list[Object]:
    return [one for path in FILES for one in documents(path) if one["kind"] == "ValidatingAdmissionPolicy"]


def test_no_expression_has_a_type_warning(cluster: Cluster) -> None:
    """The API server checks expressions against the schemas only where `apiVersions` names a version."""

    def checked() -> bool:
        there = cluster.root.items("ValidatingAdmissionPolicy")
        return all(one.get("status", {}).get("observedGeneration") == one["metadata"]["generation"] for one in there)

    until(checked, "the expressions to be checked")
    for one in cluster.root.items("ValidatingAdmissionPolicy"):
        warnings = one["status"].get("typeChecking", {}).get("expressionWarnings", [])
        assert warnings == [], f"{one['metadata']['name']}: {warnings}"


def test_a_type_mistake_would_be_found(cluster: Cluster) -> None:
    (broken,) = (one for one in policies() if one["metadata"]["name"] == "role-grant.storekeeper.dev")
    broken["metadata"]["name"] = "broken.example.com"
    broken["spec"]["validations"][0]["expression"] = "object.spec.rolle != ''"
    cluster.root.apply(broken)

    def warned() -> bool:
        found = cluster.root.get("ValidatingAdmissionPolicy", "broken.example.com")
        return bool(found.get("status", {}).get("typeChecking", {}).get("expressionWarnings"))

    try:
        until(warned, "a warning about `rolle`")
    finally:
        cluster.root.delete("ValidatingAdmissionPolicy", "broken.example.com")


def expressions(policy: Object) -> list[str]:
    spec = policy["spec"]
    plain = [one["expression"] for one in (*spec.get("matchConditions", []), *spec.get("variables", []))]
    return plain + [text for one in spec["validations"] for text in (one["expression"], one["messageExpression"])]


@pytest.mark.parametrize("policy", policies(), ids=lambda policy: policy["metadata"]["name"])
def test_what_may_be_absent_is_asked_for_optionally(policy: Object) -> None:
    """An expression that fails at run time answers 422, which a forced apply answers by deleting the object."""
    (rule,) = policy["spec"]["matchConstraints"]["resourceRules"]
    if rule["apiGroups"] != ["storekeeper.dev"]:
        return
    required = set.intersection(*(required_fields(plural) for plural in rule["resources"]))
    for text in expressions(policy):
        for field in re.findall(r"(?<!has\()\b(?:object|oldObject)\.spec\.(\w+)", text):
            assert field in required, f"`spec.{field}` may be absent: {text}"
        assert not re.search(r"(?<!has\()\bparams\.spec\.\w", text), text
        assert not re.search(r"\b(?:object|oldObject)\.(status|metadata\.(labels|annotations|finalizers))\b", text), (
            text
        )


def required_fields(plural: str) -> set[str]:
    schema = yaml.safe_load((paths.CRDS / f"{plural}.yaml").read_text())["spec"]["versions"][0]["schema"][
        "openAPIV3Schema"
    ]
    return set(schema["properties"]["spec"].get("required", []))


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.name)
def test_each_policy_has_a_binding_says_forbidden_and_names_its_version(path: Any) -> None:
    found = documents(path)
    named = [one["metadata"]["name"] for one in found if one["kind"] == "ValidatingAdmissionPolicy"]
    bound = [one["spec"]["policyName"] for one in found if one["kind"] == "ValidatingAdmissionPolicyBinding"]
    assert named == bound != []
    for one in found:
        spec = one["spec"]
        if one["kind"] == "ValidatingAdmissionPolicyBinding":
            assert spec["validationActions"] == ["Deny"]
            assert spec.get("paramRef", {"parameterNotFoundAction": "Allow"})["parameterNotFoundAction"] == "Allow"
            continue
        assert spec["failurePolicy"] == "Fail"
        for rule in spec["matchConstraints"]["resourceRules"]:
            assert "*" not in rule["apiVersions"]
        for validation in spec["validations"]:
            # Without it the answer is 422, which a forced apply answers by deleting the object.
            assert validation["reason"] == "Forbidden"
            assert validation["messageExpression"]


def test_the_kustomizations_have_every_file_and_the_trial_mode_warns(cluster: Cluster) -> None:
    listed = yaml.safe_load((paths.POLICIES / "kustomization.yaml").read_text())["resources"]
    assert listed == [path.name for path in FILES]
    trial = cluster.root.kubectl("kustomize", str(paths.POLICIES.parent / "policies-warn"))
    bindings = [one for one in yaml.safe_load_all(trial) if one["kind"] == "ValidatingAdmissionPolicyBinding"]
    assert len(bindings) == len(policies())
    assert all(one["spec"]["validationActions"] == ["Warn", "Audit"] for one in bindings)


def test_every_policy_is_documented() -> None:
    page = (paths.REPOSITORY / "docs" / "admission.md").read_text()
    missing = [one["metadata"]["name"] for one in policies() if f"`{one['metadata']['name']}`" not in page]
    assert missing == []


def test_the_built_in_tenant_is_guarded_field_by_field() -> None:
    """A field that the schema gains must not slip past the policy."""
    crd = yaml.safe_load((paths.CRDS / "tenants.yaml").read_text())
    fields = set(crd["spec"]["versions"][0]["schema"]["openAPIV3Schema"]["properties"]["spec"]["properties"])
    text = (paths.POLICIES / "administrator-tenant.yaml").read_text()
    guarded = {field for field in fields if f"object.spec.?{field} == oldObject.spec.?{field}" in text}
    assert fields - guarded == {"allowedNamespaces", "accountRef"}
