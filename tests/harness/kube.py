"""A thin Kubernetes client for tests: real HTTP calls by `requests`, `kubectl apply` for manifests."""

from __future__ import annotations

import base64
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import yaml

from harness.http import session
from harness.kubeconfig import Endpoint
from harness.waiting import DEADLINE, until

Object = dict[str, Any]
OURS = "/apis/storekeeper.dev/v1alpha1"
# kind -> (prefix, plural, namespaced)
KINDS: dict[str, tuple[str, str, bool]] = {
    "StorageAccount": (OURS, "storageaccounts", False),
    "Tenant": (OURS, "tenants", False),
    "StorageUser": (OURS, "storageusers", True),
    "AccessKey": (OURS, "accesskeys", True),
    "Bucket": (OURS, "buckets", True),
    "Secret": ("/api/v1", "secrets", True),
    "Namespace": ("/api/v1", "namespaces", False),
    "ServiceAccount": ("/api/v1", "serviceaccounts", True),
    "ResourceQuota": ("/api/v1", "resourcequotas", True),
    "Event": ("/api/v1", "events", True),
    "CustomResourceDefinition": ("/apis/apiextensions.k8s.io/v1", "customresourcedefinitions", False),
    "ValidatingAdmissionPolicy": ("/apis/admissionregistration.k8s.io/v1", "validatingadmissionpolicies", False),
    "ValidatingAdmissionPolicyBinding": (
        "/apis/admissionregistration.k8s.io/v1",
        "validatingadmissionpolicybindings",
        False,
    ),
    "ClusterRole": ("/apis/rbac.authorization.k8s.io/v1", "clusterroles", False),
    "ClusterRoleBinding": ("/apis/rbac.authorization.k8s.io/v1", "clusterrolebindings", False),
    "RoleBinding": ("/apis/rbac.authorization.k8s.io/v1", "rolebindings", True),
    "Lease": ("/apis/coordination.k8s.io/v1", "leases", True),
}


class Refused(AssertionError):
    """The API server answered with an error."""

    def __init__(self, code: int, message: str) -> None:
        super().__init__(f"{code}: {message}")
        self.code = code
        self.message = message


def path_of(kind: str, namespace: str | None = None, name: str | None = None) -> str:
    prefix, plural, namespaced = KINDS[kind]
    parts = [prefix]
    if namespaced and namespace is not None:
        parts += ["namespaces", namespace]
    parts.append(plural)
    if name is not None:
        parts.append(name)
    return "/".join(parts)


def condition(found: Object | None, kind: str = "Ready") -> Object | None:
    """One condition of an object, or None."""
    conditions = ((found or {}).get("status") or {}).get("conditions") or []
    return next((one for one in conditions if one["type"] == kind), None)


def is_ready(found: Object | None) -> bool:
    """Ready, and for the generation that is there now."""
    ready = condition(found)
    if found is None or ready is None:
        return False
    generation = found["metadata"].get("generation", 0)
    return bool(ready["status"] == "True" and found["status"].get("observedGeneration") == generation)


def entries(secret: Object) -> dict[str, str]:
    """The decoded entries of a Secret."""
    return {name: base64.b64decode(value).decode() for name, value in (secret.get("data") or {}).items()}


class Kube:
    """Calls as one identity. Every method that fails raises `Refused` with the code."""

    def __init__(self, endpoint: Endpoint, token: str, kubectl: Path, kubeconfig: Path) -> None:
        self.endpoint = endpoint
        self._kubectl = kubectl
        self._kubeconfig = kubeconfig
        self._session = session(endpoint.ca, token)
        self._token = token
        self._impersonation: tuple[str, ...] = ()

    def acting_as(self, user: str) -> Kube:
        """The same cluster as somebody else: by impersonation, which only some identities may use."""
        other = Kube(self.endpoint, self._token, self._kubectl, self._kubeconfig)
        other._session.headers["Impersonate-User"] = user
        other._impersonation = (f"--as={user}",)
        return other

    def call(self, method: str, path: str, body: Any = None, content_type: str = "application/json") -> Object:
        answer = self._session.request(
            method,
            self.endpoint.url + path,
            json=body if body is not None else None,
            headers={"Content-Type": content_type},
            timeout=30,
        )
        if answer.status_code >= 400:
            raise Refused(answer.status_code, answer.json().get("message", answer.text))
        found: Object = answer.json()
        return found

    def apply(self, manifest: str | Path | Object | list[Object]) -> str:
        """`kubectl apply` of a file, a folder, YAML text or objects; returns what kubectl printed."""
        if isinstance(manifest, Path):
            return self.kubectl("apply", "-f", str(manifest))
        if isinstance(manifest, dict):
            manifest = [manifest]
        text = manifest if isinstance(manifest, str) else yaml.safe_dump_all(manifest)
        return self.kubectl("apply", "-f", "-", stdin=text)

    def kubectl(self, *arguments: str, stdin: str | None = None) -> str:
        return self._run(arguments, stdin).stdout

    def warnings(self, *arguments: str, stdin: str | None = None) -> str:
        """What kubectl wrote to standard error although it succeeded."""
        return self._run(arguments, stdin).stderr

    def _run(self, arguments: tuple[str, ...], stdin: str | None) -> subprocess.CompletedProcess[str]:
        done = subprocess.run(
            [self._kubectl, f"--kubeconfig={self._kubeconfig}", *self._impersonation, *arguments],
            input=stdin,
            stdin=subprocess.DEVNULL if stdin is None else None,
            capture_output=True,
            text=True,
            timeout=120,
        )
        if done.returncode != 0:
            raise AssertionError(f"kubectl {' '.join(arguments)}: {done.stderr.strip()}")
        return done

    def create(self, body: Object) -> Object:
        return self.call("POST", path_of(body["kind"], body["metadata"].get("namespace")), body)

    def find(self, kind: str, name: str, namespace: str | None = None) -> Object | None:
        """The object, or None on a definite 404."""
        try:
            return self.call("GET", path_of(kind, namespace, name))
        except Refused as refused:
            if refused.code == 404:
                return None
            raise

    def get(self, kind: str, name: str, namespace: str | None = None) -> Object:
        return self.call("GET", path_of(kind, namespace, name))

    def items(self, kind: str, namespace: str | None = None) -> list[Object]:
        items: list[Object] = self.call("GET", path_of(kind, namespace))["items"]
        return items

    def patch(self, kind: str, name: str, change: Object, namespace: str | None = None) -> Object:
        """A merge patch."""
        return self.call("PATCH", path_of(kind, namespace, name), change, "application/merge-patch+json")

    def delete(self, kind: str, name: str, namespace: str | None = None) -> None:
        try:
            self.call("DELETE", path_of(kind, namespace, name))
        except Refused as refused:
            if refused.code != 404:
                raise

    def wait(
        self,
        kind: str,
        name: str,
        namespace: str | None,
        holds: Callable[[Object | None], object],
        what: str,
        deadline: float = DEADLINE,
    ) -> Object:
        """Wait until `holds` is true of the object (None while it does not exist)."""
        last: list[Object | None] = [None]

        def probe() -> bool:
            last[0] = self.find(kind, name, namespace)
            return bool(holds(last[0]))

        until(probe, f"{kind} '{name}' to be {what}", deadline, lambda: (last[0] or {}).get("status", "absent"))
        return last[0] or {}

    def wait_ready(self, kind: str, name: str, namespace: str | None = None, deadline: float = DEADLINE) -> Object:
        return self.wait(kind, name, namespace, is_ready, "Ready", deadline)

    def wait_gone(self, kind: str, name: str, namespace: str | None = None, deadline: float = DEADLINE) -> None:
        self.wait(kind, name, namespace, lambda found: found is None, "gone", deadline)

    def wait_reason(
        self, kind: str, name: str, namespace: str | None, reason: str, of: str = "Ready", deadline: float = DEADLINE
    ) -> Object:
        """Wait until condition `of` carries `reason`; returns that condition."""

        def holds(found: Object | None) -> bool:
            there = condition(found, of)
            return there is not None and there["reason"] == reason

        found = self.wait(kind, name, namespace, holds, f"{of} with reason {reason}", deadline)
        there = condition(found, of)
        assert there is not None
        return there

    def token_for(self, service_account: str, namespace: str, seconds: int = 30 * 24 * 3600) -> str:
        """A token of a ServiceAccount, by TokenRequest."""
        body = {"spec": {"expirationSeconds": seconds}}
        path = path_of("ServiceAccount", namespace, service_account) + "/token"
        token: str = self.call("POST", path, body)["status"]["token"]
        return token

    def allowed(self, verb: str, resource: str, group: str = "", namespace: str | None = None, sub: str = "") -> bool:
        """Whether this identity may do that: a SelfSubjectAccessReview."""
        attributes = {"verb": verb, "resource": resource, "group": group, "subresource": sub}
        if namespace is not None:
            attributes["namespace"] = namespace
        body = {"spec": {"resourceAttributes": attributes}}
        answer = self.call("POST", "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews", body)
        return bool(answer["status"]["allowed"])
