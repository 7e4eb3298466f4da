"""What is rendered: linted, hardened, gated by its values; and what is refused, in which words."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

from chart.helm import CHART, VALUES, Failed, Helm, find, objects, settings
from harness import paths
from harness.kube import Object

IDS = [path.stem for path in VALUES]
WORKLOADS = {"Deployment", "StatefulSet", "CronJob"}


def values(name: str) -> Path:
    (found,) = (path for path in VALUES if path.stem == name)
    return found


@pytest.mark.parametrize("path", VALUES, ids=IDS)
def test_lint_finds_nothing(path: Path, helm: Helm) -> None:
    # What is of no consequence is only told: an icon is recommended.
    found = helm.run("lint", "--strict", CHART, "--values", path).stdout
    assert "0 chart(s) failed" in found
    assert not re.search(r"\[(WARNING|ERROR)\]", found)


UNKNOWN = "additional properties 'replica' not allowed"
REFUSED: list[tuple[dict[str, Any], str]] = [
    ({"replica": 1}, f"at '': {UNKNOWN}"),
    ({"operator__replica": 1}, f"at '/operator': {UNKNOWN}"),
    ({"server__backup__replica": 1}, f"at '/server/backup': {UNKNOWN}"),
    ({"monitoring__dashboard__replica": 1}, f"at '/monitoring/dashboard': {UNKNOWN}"),
    ({"operator__replicas": "two"}, "at '/operator/replicas': got string, want integer"),
    ({"operator__replicas": -1}, "at '/operator/replicas': minimum: got -1, want 0"),
    ({"operator__port": 80}, "at '/operator/port': minimum: got 80, want 1,024"),
    ({"operator__secretCheckInterval": "soon"}, "at '/operator/secretCheckInterval': 'soon' does not match pattern"),
    ({"operator__listenAddress": "::"}, "at '/operator/listenAddress': '::' does not match pattern"),
    ({"operator__logFormat": "xml"}, "at '/operator/logFormat': value must be one of 'json', 'text'"),
    ({"operator__podDisruptionBudget__maxUnavailable": 0}, "at '/operator/podDisruptionBudget/maxUnavailable'"),
    ({"policies__mode": "deny"}, "at '/policies/mode': value must be one of 'Deny', 'Warn', 'Off'"),
    ({"policies__mode": False}, "at '/policies/mode': value must be one of 'Deny', 'Warn', 'Off'"),
    ({"watchNamespaces": "team-a"}, "at '/watchNamespaces': got string, want array"),
    ({"watchNamespaces": ["Team_A"]}, "at '/watchNamespaces/0': 'Team_A' does not match pattern"),
    ({"watchNamespaces": ["a", "a"]}, "at '/watchNamespaces': items at 0 and 1 are equal"),
    ({"image__digest": "sha256:12"}, "at '/image/digest': 'sha256:12' does not match pattern"),
    ({"image__repository": "storekeeper@sha256:1"}, "at '/image/repository': 'storekeeper@sha256:1' does not match"),
    ({"image__pullSecrets": ["registry"]}, "at '/image/pullSecrets/0': got string, want object"),
    ({"server__backup__schedule": "@daily"}, "at '/server/backup/schedule': '@daily' does not match pattern"),
    ({"server__persistence__size": "much"}, "at '/server/persistence/size': 'much' does not match pattern"),
    ({"server__tls__source": "None"}, "at '/server/tls/source': value must be one of"),
    ({"storageAccount__name": ""}, "at '/storageAccount/name': '' does not match pattern"),
    ({"image__repository": ""}, "`image.repository` must be set: build the image from the Dockerfile"),
    (
        {"server__enabled": True, "server__tls__source": "Secret"},
        "`server.tls.secretName` must be set where `server.tls.source` is 'Secret'",
    ),
    (
        {"server__enabled": True, "server__tls__source": "CertManager"},
        "`server.tls.issuerRef.name` must be set where `server.tls.source` is 'CertManager'",
    ),
    ({"server__backup__enabled": True}, "`server.backup.enabled` must not be true without `server.enabled`"),
    ({"storageAccount__create": True}, "`storageAccount.spec` must have `provider` and `s3`, unless"),
    (
        {"server__enabled": True, "monitoring__serviceMonitor__enabled": True},
        "`networkPolicy.metricsFrom` must say where Prometheus is",
    ),
    ({"serviceAccount__create": False}, "`serviceAccount.name` must be set where `serviceAccount.create` is false"),
]


@pytest.mark.parametrize(("given", "words"), REFUSED, ids=[" ".join(map(str, given)) for given, _ in REFUSED])
def test_bad_values_are_refused_in_words(given: dict[str, Any], words: str, helm: Helm) -> None:
    with pytest.raises(Failed) as failed:
        helm.template(*settings(**given))
    assert words in str(failed.value)


def test_what_the_refusals_begin_with_is_accepted(helm: Helm) -> None:
    assert objects(helm.template(*settings()))


SCRAPED = {"monitoring__serviceMonitor__enabled": True, "networkPolicy__metricsFrom": [{"podSelector": {}}]}
GATES: list[tuple[dict[str, Any], str, int, int]] = [
    ({"monitoring__serviceMonitor__enabled": True}, "ServiceMonitor", 0, 1),
    ({**SCRAPED, "server__enabled": True}, "ServiceMonitor", 0, 2),
    ({"monitoring__prometheusRule__enabled": True}, "PrometheusRule", 0, 1),
    ({"monitoring__dashboard__enabled": True}, "ConfigMap", 0, 1),
    ({"server__enabled": True}, "StatefulSet", 0, 1),
    ({"server__enabled": True, "server__backup__enabled": True}, "CronJob", 0, 1),
    ({"server__enabled": True, "storageAccount__create": True}, "StorageAccount", 0, 1),
    (
        {"server__enabled": True, "server__tls__source": "CertManager", "server__tls__issuerRef": {"name": "a"}},
        "Certificate",
        0,
        1,
    ),
    ({"operator__podDisruptionBudget__enabled": False}, "PodDisruptionBudget", 1, 0),
    ({"networkPolicy__enabled": False}, "NetworkPolicy", 1, 0),
    ({"server__enabled": True, "server__backup__enabled": True}, "NetworkPolicy", 1, 3),
    ({"serviceAccount__create": False, "serviceAccount__name": "other"}, "ServiceAccount", 1, 0),
    ({"rbac__create": False}, "RoleBinding", 1, 0),
    ({"roles__create": False}, "ClusterRole", 6, 1),
    ({"policies__finalizer": "Off"}, "MutatingAdmissionPolicy", 1, 0),
]


@pytest.mark.parametrize(
    ("given", "kind", "before", "after"), GATES, ids=[f"{' '.join(one[0])} {one[1]}" for one in GATES]
)
def test_what_is_optional_is_gated_by_its_value(
    given: dict[str, Any], kind: str, before: int, after: int, helm: Helm
) -> None:
    def count(*arguments: str) -> int:
        return sum(one["kind"] == kind for one in helm.rendered(values("default"), *arguments))

    assert (count(), count(*settings(**given))) == (before, after)


def test_the_finalizers_policy_is_left_out_where_the_cluster_has_no_such_policies(helm: Helm) -> None:
    def rendered(*arguments: str) -> list[Object]:
        command = ("template", "storekeeper", CHART, *settings(), *arguments)
        return objects(helm.run(*command).stdout)

    old, new = (
        rendered("--kube-version", "v1.30.0"),
        rendered("--kube-version", "v1.30.0", *settings(policies__finalizer="On")),
    )
    assert not [one for one in old if one["kind"].startswith("Mutating")]
    assert len(new) == len(old) + 2


def test_a_cluster_that_is_too_old_is_refused(helm: Helm) -> None:
    with pytest.raises(Failed, match=r"chart requires kubeVersion: >=1\.30\.0-0"):
        helm.run("template", "storekeeper", CHART, "--kube-version", "v1.29.9", *settings())


def rules(role: Object) -> set[tuple[str, str, str]]:
    """Group, resource and verb of everything that a role allows."""
    return {
        (group, resource, verb)
        for rule in role["rules"]
        for group in rule["apiGroups"]
        for resource in rule["resources"]
        for verb in rule["verbs"]
    }


def of_the_repository() -> dict[str, set[tuple[str, str, str]]]:
    text = (paths.RBAC / "role.yaml").read_text()
    return {one["kind"]: rules(one) for one in objects(text) if "rules" in one}


def test_the_rights_are_those_of_the_repository(helm: Helm) -> None:
    """docs/rbac.md explains them, and tests/e2e asks an API server about them."""
    wanted, rendered = of_the_repository(), helm.rendered(values("default"))
    assert rules(find(rendered, "ClusterRole", "storekeeper")) == wanted["ClusterRole"]
    assert rules(find(rendered, "Role")) == wanted["Role"]


def test_for_some_namespaces_the_same_rights_are_given_in_those(helm: Helm) -> None:
    wanted, rendered = of_the_repository(), helm.rendered(values("namespaces"))
    cluster = rules(find(rendered, "ClusterRole", "storekeeper"))
    roles = [one for one in rendered if one["kind"] == "Role"]
    given = {(one["metadata"]["namespace"], one["metadata"]["name"]): rules(one) for one in roles}
    assert set(given) == {
        ("team-a", "storekeeper"),
        ("team-b", "storekeeper"),
        ("storekeeper-system", "storekeeper-own"),
        ("default", "storekeeper-events"),
    }
    assert given["team-a", "storekeeper"] == given["team-b", "storekeeper"]
    assert cluster | given["team-a", "storekeeper"] == wanted["ClusterRole"]
    assert not [
        right for right in cluster if right[1] in ("secrets", "events", "accesskeys", "storageusers", "buckets")
    ]
    assert given["storekeeper-system", "storekeeper-own"] == wanted["Role"] | {("", "secrets", "get")}
    assert given["default", "storekeeper-events"] == {("events.k8s.io", "events", "create")}
    bound = [one for one in rendered if one["kind"] == "RoleBinding"]
    assert {(one["metadata"]["namespace"], one["roleRef"]["name"]) for one in bound} == set(given)


def test_the_policies_know_the_operator_by_its_name_and_namespace(helm: Helm) -> None:
    standard = "system:serviceaccount:storekeeper-system:storekeeper"
    text = helm.template("--values", values("default"))
    other = helm.run("template", "keeper", CHART, "-n", "storage", *settings(serviceAccount__name="op")).stdout
    assert text.count(f"'{standard}'") == 2
    assert standard not in other
    assert other.count("'system:serviceaccount:storage:op'") == 2


@pytest.mark.parametrize(("mode", "action"), [("Deny", ["Deny"]), ("Warn", ["Warn", "Audit"])])
def test_all_bindings_do_what_the_mode_says(mode: str, action: list[str], helm: Helm) -> None:
    rendered = objects(helm.template(*settings(policies__mode=mode)))
    bindings = [one for one in rendered if one["kind"] == "ValidatingAdmissionPolicyBinding"]
    there = [one for path in paths.POLICIES.glob("*.yaml") for one in objects(path.read_text())]
    assert len(bindings) == sum(one["kind"] == "ValidatingAdmissionPolicyBinding" for one in there) > 20
    assert all(one["spec"]["validationActions"] == action for one in bindings)


def pod_of(workload: Object) -> Object:
    spec: Object = workload["spec"]
    if workload["kind"] == "CronJob":
        spec = spec["jobTemplate"]["spec"]
    found: Object = spec["template"]
    return found


def workloads(helm: Helm) -> list[Object]:
    rendered = [*helm.rendered(values("default")), *helm.rendered(values("server"))]
    return [one for one in rendered if one["kind"] in WORKLOADS]


def test_no_container_may_write_to_its_image_or_gain_rights(helm: Helm) -> None:
    found = workloads(helm)
    assert {one["kind"] for one in found} == WORKLOADS
    for one in found:
        pod = pod_of(one)["spec"]
        (container,) = pod["containers"]
        assert pod["securityContext"]["runAsUser"] == 65532 and pod["securityContext"]["runAsNonRoot"]
        assert container["securityContext"]["readOnlyRootFilesystem"]
        assert "command" not in container, "the image's entry point is storekeeper; there is no shell"
        if one["kind"] != "Deployment":
            assert pod["automountServiceAccountToken"] is False, "only the operator talks to the API server"


def options_of(*command: str) -> set[str]:
    text = subprocess.run([paths.storekeeper_binary(), *command, "--help"], check=True, capture_output=True, text=True)
    return set(re.findall(r"^\s+(--[a-z0-9-]+)", text.stdout, re.MULTILINE))


def test_every_option_is_one_that_the_binary_has(helm: Helm) -> None:
    for one in workloads(helm):
        given = pod_of(one)["spec"]["containers"][0]["args"]
        words = [part for part in given if not part.startswith(("-", "/"))]
        options = {part.partition("=")[0] for part in given if part.startswith("-")}
        assert options <= options_of(*words), f"{one['kind']}: {words}"
        assert options


def test_labels_select_the_pods_they_mean(helm: Helm) -> None:
    """A Service, a budget or a network policy that selects nothing would say nothing."""
    rendered = helm.rendered(values("monitoring"))
    pods = [pod_of(one)["metadata"]["labels"] for one in rendered if one["kind"] in WORKLOADS]

    def selected(selector: Object) -> int:
        return sum(selector.items() <= pod.items() for pod in pods)

    selectors = []
    for one in rendered:
        spec = one.get("spec", {})
        if one["kind"] == "Service":
            selectors.append(spec["selector"])
        elif one["kind"] in ("NetworkPolicy", "PodDisruptionBudget", "Deployment", "StatefulSet"):
            selectors.append(spec.get("podSelector", spec.get("selector"))["matchLabels"])
    assert len(selectors) == 8
    assert [selected(one) for one in selectors] == [1] * 8
    services = [one["metadata"]["labels"] for one in rendered if one["kind"] == "Service"]
    monitors = [one["spec"]["selector"]["matchLabels"] for one in rendered if one["kind"] == "ServiceMonitor"]
    assert [sum(one.items() <= labels.items() for labels in services) for one in monitors] == [1, 1]


def test_the_management_api_is_open_to_the_operator_and_to_prometheus_alone(helm: Helm) -> None:
    def peers(name: str) -> list[Object]:
        policy = find(helm.rendered(values(name)), "NetworkPolicy", "storekeeper-server")
        (rule,) = (one for one in policy["spec"]["ingress"] if one["ports"] == [{"port": "management"}])
        found: list[Object] = rule["from"]
        return found

    def namespace(name: str) -> Object:
        return {"namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": name}}}

    operator, *others = peers("monitoring")
    assert operator["podSelector"]["matchLabels"]["app.kubernetes.io/component"] == "operator"
    assert others == [namespace("monitoring")]
    policy = find(helm.rendered(values("default")), "NetworkPolicy")
    assert "from" not in policy["spec"]["ingress"][0]


def test_the_backup_reads_the_claim_of_the_server_beside_it(helm: Helm) -> None:
    rendered = helm.rendered(values("server"))
    server, backup = find(rendered, "StatefulSet"), pod_of(find(rendered, "CronJob"))["spec"]
    (claim,) = server["spec"]["volumeClaimTemplates"]
    volumes = {one["name"]: one for one in backup["volumes"]}
    wanted = f"{claim['metadata']['name']}-{server['metadata']['name']}-0"
    assert volumes["data"]["persistentVolumeClaim"]["claimName"] == wanted
    (together,) = backup["affinity"]["podAffinity"]["requiredDuringSchedulingIgnoredDuringExecution"]
    assert together["labelSelector"]["matchLabels"].items() <= pod_of(server)["metadata"]["labels"].items()


def test_notes_say_what_to_do_next(helm: Helm) -> None:
    def notes(*arguments: str) -> str:
        command = ("install", "storekeeper", CHART, "-n", "storage", "--dry-run=client")
        return helm.run(*command, *arguments).stdout.partition("NOTES:")[2]

    plain = notes(*settings())
    assert "a Secret with its credentials in namespace storage, and a StorageAccount" in plain
    assert "kubectl label namespace NAMESPACE storekeeper.dev/tenant=TENANT" in plain
    served = notes(*settings(server__enabled=True, policies__mode="Off", watchNamespaces=["a", "b"]))
    assert "looks after a, b." in served
    assert "kubectl -n storage create secret generic main-admin --from-file=token=FILE" in served
    assert "'storekeeper-server-admin'" in served and "--set storageAccount.create=true" in served
    assert "Admission policies are off" in served and "kubectl label namespace" not in served


def test_what_was_rendered_once_is_not_changed_by_looking_at_it(helm: Helm) -> None:
    """Password and certificate are made anew only where nothing is there; all else is the same each time."""

    def rendered() -> list[Object]:
        return [one for one in objects(helm.template(*settings(server__enabled=True))) if one["kind"] != "Secret"]

    once = rendered()
    assert yaml.safe_dump_all(once) == yaml.safe_dump_all(rendered())
