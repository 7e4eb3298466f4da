"""What a consumer's manifest asks of a published Secret, and its container as the kubelet would start it. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from harness.kube import Object

# What the chart of Harbor reads from the Secret that `existingSecret` names.
HARBOR = ("REGISTRY_STORAGE_S3_ACCESSKEY", "REGISTRY_STORAGE_S3_SECRETKEY")


@dataclass(frozen=True, order=True)
class Wanted:
    """An entry of a Secret; without an `entry`, the Secret itself."""

    secret: str
    entry: str = ""


def missing(wanted: set[Wanted], published: dict[str, dict[str, str]]) -> list[Wanted]:
    """What is asked for and not there. `published`: entries by the name of their Secret."""
    there = {Wanted(secret) for secret in published}
    there |= {Wanted(secret, entry) for secret, entries in published.items() for entry in entries}
    return sorted(wanted - there)


def wanted_by(objects: list[Object]) -> set[Wanted]:
    """All that the manifests of a consumer, or the values of its chart, ask of Secrets."""
    found: set[Wanted] = set()
    for one in objects:
        if "kind" not in one:
            found |= {Wanted(one["persistence"]["imageChartStorage"]["s3"]["existingSecret"], name) for name in HARBOR}
        elif one["kind"] == "PushSecret":
            secret = one["spec"]["selector"]["secret"]["name"]
            found |= {Wanted(secret, item["match"]["secretKey"]) for item in one["spec"]["data"]}
        elif pod := pod_of(one):
            found |= _wanted_by_pod(pod, objects)
        else:
            found |= _selectors(one)
    return found


def pod_of(one: Object) -> Object | None:
    """The specification of the Pods of a workload."""
    spec = one.get("spec", {})
    template = spec.get("jobTemplate", {}).get("spec", spec).get("template")
    return template["spec"] if template else None


def _selectors(value: object) -> set[Wanted]:
    """A name and a key side by side: how most kinds name an entry of a Secret."""
    if isinstance(value, dict):
        if set(value) == {"name", "key"}:
            return {Wanted(value["name"], value["key"])}
        return set().union(*(_selectors(part) for part in value.values()))
    if isinstance(value, list):
        return set().union(*(_selectors(part) for part in value))
    return set()


def _wanted_by_pod(pod: Object, objects: list[Object]) -> set[Wanted]:
    found = set()
    for volume in pod.get("volumes", []):
        if secret := volume.get("secret"):
            items = [item["key"] for item in secret.get("items", [])] or _files(pod, volume["name"])
            found |= {Wanted(secret["secretName"], entry) for entry in items}
    for container in pod["containers"]:
        found |= _selectors(container.get("env", []))
        wholes = [source["secretRef"]["name"] for source in container.get("envFrom", []) if "secretRef" in source]
        found |= {Wanted(secret) for secret in wholes}
        named = {variable["name"] for variable in container.get("env", [])}
        for name in set(_variables(container, pod, objects)) - named:
            # A variable that the container names no source of must come from a Secret as a whole.
            found |= {Wanted(secret, name) for secret in wholes} or {Wanted("nowhere", name)}
    return found


def _files(pod: Object, volume: str) -> list[str]:
    """The files of a volume that the arguments name."""
    return [
        argument.rpartition("/")[2]
        for container in pod["containers"]
        for mount in container.get("volumeMounts", [])
        for argument in container.get("args", [])
        if mount["name"] == volume and f"{mount['mountPath']}/" in argument
    ]


def _variables(container: Object, pod: Object, objects: list[Object]) -> Iterator[str]:
    """The environment variables that arguments and mounted configuration name."""
    for argument in container.get("args", []):
        yield from re.findall(r"\$\((\w+)\)", argument)
    mounted = {volume["configMap"]["name"] for volume in pod.get("volumes", []) if "configMap" in volume}
    for one in objects:
        if one["kind"] == "ConfigMap" and one["metadata"]["name"] in mounted:
            for text in one["data"].values():
                yield from re.findall(r"\$\{(\w+)\}", text)


def environment(container: Object, published: dict[str, dict[str, str]]) -> dict[str, str]:
    """The container's environment."""
    found: dict[str, str] = {}
    for source in container.get("envFrom", []):
        found |= published[source["secretRef"]["name"]]
    for variable in container.get("env", []):
        reference = variable["valueFrom"]["secretKeyRef"]
        found[variable["name"]] = published[reference["name"]][reference["key"]]
    return found


def arguments(container: Object, variables: dict[str, str], mounts: dict[str, str]) -> list[str]:
    """The container's arguments, with variables filled in, and folders elsewhere."""
    found = []
    for argument in container["args"]:
        filled = re.sub(r"\$\((\w+)\)", lambda match: variables[match[1]], argument)
        for inside, outside in mounts.items():
            filled = filled.replace(inside, outside)
        found.append(filled)
    return found
