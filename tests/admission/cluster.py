"""A control plane with our CRDs, roles and policies installed, and no operator unless a test plays it."""

from __future__ import annotations

import subprocess
from pathlib import Path

from harness import paths
from harness.controlplane import ControlPlane, Layout
from harness.kube import KINDS, Kube, Object, Refused, path_of
from harness.waiting import until

API = "storekeeper.dev/v1alpha1"
OPERATOR = "system:serviceaccount:storekeeper-system:storekeeper"
OURS = [plural for prefix, plural, _ in KINDS.values() if "storekeeper.dev" in prefix]
CANARY = "canary.example.com"


def of_kind(kind: str, name: str, namespace: str | None, spec: Object, **metadata: object) -> Object:
    """One of our objects; keywords go into its metadata."""
    full: Object = {"name": name, **metadata}
    if namespace is not None:
        full["namespace"] = namespace
    return {"apiVersion": API, "kind": kind, "metadata": full, "spec": spec}


def account_spec(credentials: str, **spec: object) -> Object:
    """A StorageAccount's spec; nobody asks whether anything answers there."""
    management = {"endpoint": "https://storage.example.com", "credentialsSecretRef": {"name": credentials}}
    return {"provider": {"management": management}, "s3": {"endpoint": "https://s3.example.com"}, **spec}


class Cluster:
    """Start it once per module; stop it whatever happened."""

    def __init__(self, folder: Path) -> None:
        self.plane = ControlPlane(Layout(folder / "cluster", paths.tools(), folder / "logs"))
        self.root: Kube
        self._people: dict[str, Kube] = {}

    def start(self) -> None:
        self.plane.start()
        layout = self.plane.layout
        self.root = Kube(self.plane.endpoint, self.plane.admin_token, layout.tools / "kubectl", layout.admin_kubeconfig)
        crds = subprocess.run([paths.storekeeper_binary(), "crds"], check=True, capture_output=True, text=True).stdout
        self.root.kubectl("apply", "--server-side", "-f", "-", stdin=crds)
        established = [f"crd/{plural}.storekeeper.dev" for plural in OURS]
        self.root.kubectl("wait", "--for=condition=Established", "--timeout=30s", *established)
        self.root.apply(paths.RBAC)
        self.root.kubectl("apply", "-k", str(paths.ROLES))
        self.install()

    def stop(self) -> None:
        self.plane.stop()

    def install(self, *folders: Path) -> None:
        """The policies, in force when this returns."""
        install_policies(self.root, *(folders or (paths.POLICIES, paths.POLICIES / "mutating")))

    def person(self, name: str) -> Kube:
        """Somebody, by impersonation."""
        if name not in self._people:
            self._people[name] = self.root.acting_as(name)
        return self._people[name]

    def namespace(self, name: str, **labels: str) -> str:
        made = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name, "labels": labels}}
        self.root.create(made)
        return name

    def status(self, kind: str, name: str, namespace: str | None, status: Object) -> None:
        """What the operator would have observed."""
        path = path_of(kind, namespace, name) + "/status"
        self.root.call("PATCH", path, {"status": status}, "application/merge-patch+json")


def install_policies(root: Kube, *folders: Path) -> None:
    """Apply the policies and wait until they are in force: an API server takes them up a moment later, all together."""
    for folder in folders:
        root.kubectl("apply", "-k", str(folder))
    canary(root, present=True)
    # Policies that need a new kind answer 422 or 503 until the API server has learnt of the kind.
    until(lambda: not _unknown_kinds(root), "the kinds that policies need to be known")


def canary(root: Kube, *, present: bool) -> None:
    """A policy of its own, written or removed last: once it is noticed, so are the changes before it."""
    policy = {
        "apiVersion": "admissionregistration.k8s.io/v1",
        "kind": "ValidatingAdmissionPolicy",
        "metadata": {"name": CANARY},
        "spec": {
            "matchConstraints": {
                "resourceRules": [
                    {"apiGroups": [""], "apiVersions": ["v1"], "operations": ["CREATE"], "resources": ["configmaps"]}
                ]
            },
            "validations": [{"expression": f"object.metadata.name != '{CANARY}'", "reason": "Forbidden"}],
        },
    }
    binding = {
        "apiVersion": "admissionregistration.k8s.io/v1",
        "kind": "ValidatingAdmissionPolicyBinding",
        "metadata": {"name": CANARY},
        "spec": {"policyName": CANARY, "validationActions": ["Deny"]},
    }
    if present:
        root.apply([policy, binding])
    else:
        root.delete("ValidatingAdmissionPolicyBinding", CANARY)
    until(lambda: _canary_sings(root) == present, f"the policies to be {'in force' if present else 'gone'}")


def _canary_sings(root: Kube) -> bool:
    body = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": CANARY}}
    try:
        root.call("POST", "/api/v1/namespaces/default/configmaps?dryRun=All", body)
    except Refused as refused:
        return refused.code == 403
    return False


def _unknown_kinds(root: Kube) -> bool:
    key = {"userRef": {"name": "probe"}, "permission": "Read"}
    for body in (
        of_kind("Tenant", "probe", None, {"allowedNamespaces": {"names": ["default"]}}),
        of_kind("StorageUser", "probe", "default", {"tenantRef": {"name": "probe"}}),
        of_kind("AccessKey", "probe", "default", key),
        of_kind("Bucket", "probe", "default", {"userRef": {"name": "probe"}}),
    ):
        try:
            root.call("POST", path_of(body["kind"], body["metadata"].get("namespace")) + "?dryRun=All", body)
        except Refused as refused:
            if refused.code in (422, 503):
                return True
    return False
