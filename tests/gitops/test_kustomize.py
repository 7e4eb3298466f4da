"""kustomize renames our objects, and whatever refers to them follows: by kubectl's own kustomize."""

from __future__ import annotations

import copy
import shutil
from pathlib import Path
from typing import Any

import yaml

from e2e.world import World, of_kind
from gitops.kustomize import kustomize
from harness import paths
from harness.kube import Object

COMPONENT = paths.REPOSITORY / "deploy" / "kustomize"
ARGO = paths.REPOSITORY / "deploy" / "argocd" / "argocd-cm.yaml"
KEY = {"secretKeyRef": {"name": "app-rw", "key": "AWS_REGION"}}
POD = {
    "initContainers": [{"name": "i", "envFrom": [{"secretRef": {"name": "app-rw"}}], "env": [{"valueFrom": KEY}]}],
    "containers": [{"name": "c", "envFrom": [{"secretRef": {"name": "app-rw"}}], "env": [{"valueFrom": KEY}]}],
    "volumes": [
        {"name": "s", "secret": {"secretName": "app-rw"}},
        {"name": "p", "projected": {"sources": [{"secret": {"name": "app-rw"}}]}},
    ],
}


def foreign(version: str, kind: str, spec: Object, name: str = "consumer") -> Object:
    return {"apiVersion": version, "kind": kind, "metadata": {"name": name}, "spec": spec}


PLATFORM = [
    of_kind("StorageAccount", "assigned", None, {"tenantRef": {"name": "acme"}}),
    *(
        of_kind(
            "StorageAccount",
            f"at-{provider.lower()}",
            None,
            {"provider": {provider: {"credentialsSecretRef": {"name": "token"}, "caBundleSecretRef": {"name": "ca"}}}},
        )
        for provider in ("management", "cephRgw", "garage")
    ),
    of_kind("Tenant", "acme", None, {"accountRef": {"name": "assigned"}}),
]
TEAM = [
    of_kind("StorageUser", "app", None, {"tenantRef": {"name": "acme"}, "accountRef": {"name": "assigned"}}),
    of_kind("Bucket", "data", None, {"userRef": {"name": "app"}}),
    of_kind("AccessKey", "app-rw", None, {"userRef": {"name": "app"}, "bucketRefs": [{"name": "data"}]}),
]
PODS = [
    foreign("v1", "Pod", POD),
    *(
        foreign(version, kind, {"template": {"spec": POD}})
        for version, kind in (
            ("apps/v1", "Deployment"),
            ("apps/v1", "StatefulSet"),
            ("apps/v1", "DaemonSet"),
            ("batch/v1", "Job"),
        )
    ),
    foreign("batch/v1", "CronJob", {"jobTemplate": {"spec": {"template": {"spec": POD}}}}),
]
NAMED = {"name": "app-rw", "key": "x"}
S3_CREDENTIALS = {"accessKeyId": NAMED, "secretAccessKey": NAMED, "region": NAMED}
OPERATORS = [
    foreign("velero.io/v1", "BackupStorageLocation", {"credential": NAMED}),
    foreign("barmancloud.cnpg.io/v1", "ObjectStore", {"configuration": {"s3Credentials": S3_CREDENTIALS}}),
    foreign("external-secrets.io/v1alpha1", "PushSecret", {"selector": {"secret": {"name": "app-rw"}}}),
    foreign("source.toolkit.fluxcd.io/v1", "Bucket", {"secretRef": {"name": "app-rw"}}, "flux"),
]
EVERYTHING = [*PLATFORM, *TEAM, *PODS, *OPERATORS]
# What is renamed, and what is made by generators below.
NAMES = ("acme", "app", "data", "app-rw", "assigned")
CREDENTIALS = ("token", "ca")


def renamed(folder: Path, objects: list[Object], *, references: Object | None = None, **more: Any) -> list[Object]:
    """The objects with a prefix and a suffix; `references` instead of ours, where given."""
    folder.mkdir(parents=True, exist_ok=True)
    shutil.copytree(COMPONENT, folder / "component")
    if references is not None:
        (folder / "component" / "references.yaml").write_text(yaml.safe_dump(references))
    (folder / "all.yaml").write_text(yaml.safe_dump_all(objects))
    whole = {"resources": ["all.yaml"], "namePrefix": "a-", "nameSuffix": "-z", "components": ["component"], **more}
    (folder / "kustomization.yaml").write_text(yaml.safe_dump(whole))
    return kustomize(folder)


def mentioned(value: object, of: tuple[str, ...], inside: bool = False) -> list[str]:
    """The texts in specs that are one of these names, renamed or not."""
    if isinstance(value, dict):
        return [text for name, part in value.items() for text in mentioned(part, of, inside or name == "spec")]
    if isinstance(value, list):
        return [text for part in value for text in mentioned(part, of, inside)]
    plain = value.removeprefix("a-").removesuffix("-z") if isinstance(value, str) else ""
    return [str(value)] if inside and plain in of else []


def followed(objects: list[Object]) -> list[bool]:
    """Of each reference, whether it has the new name."""
    return [text.startswith("a-") and text.endswith("-z") for text in mentioned(objects, NAMES)]


def test_every_reference_is_followed(tmp_path: Path) -> None:
    found = followed(renamed(tmp_path, EVERYTHING, namespace="team"))
    assert len(found) == 49
    assert all(found)


def test_without_the_component_no_reference_is_followed(tmp_path: Path) -> None:
    assert not any(followed(renamed(tmp_path, EVERYTHING, namespace="team", components=[])))


def test_every_line_of_the_component_is_needed(tmp_path: Path) -> None:
    """Take one away, and the references that it is for stay behind."""
    whole = yaml.safe_load((COMPONENT / "references.yaml").read_text())["nameReference"]
    for target, rule in enumerate(whole):
        if rule["kind"] == "Secret":
            continue
        for line in range(len(rule["fieldSpecs"])):
            less = copy.deepcopy(whole)
            taken = less[target]["fieldSpecs"].pop(line)
            where = tmp_path / f"{target}-{line}"
            found = followed(renamed(where, EVERYTHING, references={"nameReference": less}, namespace="team"))
            assert not all(found), taken


def test_generated_credentials_are_followed(tmp_path: Path) -> None:
    """A generator puts a hash of the content behind the name."""
    generators = [{"name": name, "literals": [f"{name}=x"]} for name in CREDENTIALS]
    objects = renamed(tmp_path, PLATFORM, namespace="storekeeper-system", secretGenerator=generators)
    made = sorted(one["metadata"]["name"] for one in objects if one["kind"] == "Secret")
    accounts = [one["spec"]["provider"] for one in objects if "provider" in one.get("spec", {})]
    assert len(accounts) == 3
    for (provider,) in (account.values() for account in accounts):
        named = [provider[reference]["name"] for reference in ("credentialsSecretRef", "caBundleSecretRef")]
        assert sorted(named) == made != sorted(CREDENTIALS)


def test_a_secret_that_is_named_outright_keeps_its_name_everywhere(tmp_path: Path) -> None:
    """It is no reference, so it is not renamed; nor is what reads it."""
    key = of_kind("AccessKey", "app-rw", None, {"userRef": {"name": "app"}, "secret": {"name": "fixed"}})
    reader = foreign("v1", "Pod", {"containers": [{"name": "c", "envFrom": [{"secretRef": {"name": "fixed"}}]}]})
    named = [one["spec"] for one in renamed(tmp_path, [key, reader], namespace="team")]
    assert mentioned({"spec": named}, ("fixed",)) == ["fixed", "fixed"]


TEAM_IN_ITS_NAMESPACE = [{**one, "metadata": {**one["metadata"], "namespace": "team"}} for one in TEAM]
TO_THE_TENANT = {
    "source": {"kind": "Tenant", "fieldPath": "metadata.name"},
    "targets": [{"select": {"kind": "StorageUser"}, "fieldPaths": ["spec.tenantRef.name"]}],
}


def tenant_of_the_user(objects: list[Object]) -> str:
    (user,) = (one for one in objects if one["kind"] == "StorageUser")
    return str(user["spec"]["tenantRef"]["name"])


def test_from_a_namespace_to_a_tenant_a_replacement_is_needed(tmp_path: Path) -> None:
    """kustomize takes a Tenant for one of another namespace. If this changes, docs/gitops.md must say so."""
    mixed = [of_kind("Tenant", "acme", None, {}), *TEAM_IN_ITS_NAMESPACE]
    assert tenant_of_the_user(renamed(tmp_path / "without", mixed)) == "acme"
    assert tenant_of_the_user(renamed(tmp_path / "with", mixed, replacements=[TO_THE_TENANT])) == "a-acme-z"


def test_what_was_renamed_becomes_ready(empty_world: World, tmp_path: Path) -> None:
    """A Tenant gets a namespace by kustomize, which the API server takes off again."""
    world = empty_world
    tenant = of_kind("Tenant", f"{world.ns}-acme", None, {"allowedNamespaces": {"names": [world.ns]}})
    user = of_kind("StorageUser", "app", None, {"tenantRef": {"name": f"{world.ns}-acme"}})
    key = of_kind("AccessKey", "app-rw", None, {"userRef": {"name": "app"}, "permission": "Read"})
    objects = renamed(tmp_path, [tenant, user, key], namespace=world.ns)
    assert all(one["metadata"]["namespace"] == world.ns for one in objects)
    world.kube.apply(objects)
    world.ready("AccessKey", "a-app-rw-z")
    assert world.key_id("a-app-rw-z")
    world.delete("Tenant", f"a-{world.ns}-acme-z")


def test_the_health_checks_can_be_a_patch(tmp_path: Path) -> None:
    config = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "argocd-cm"}, "data": {"url": "x"}}
    (tmp_path / "config.yaml").write_text(yaml.safe_dump(config))
    shutil.copy(ARGO, tmp_path)
    whole = {"resources": ["config.yaml"], "patches": [{"path": ARGO.name}], "namespace": "argocd"}
    (tmp_path / "kustomization.yaml").write_text(yaml.safe_dump(whole))
    (made,) = kustomize(tmp_path)
    assert made["data"] == {"url": "x", **yaml.safe_load(ARGO.read_text())["data"]}
