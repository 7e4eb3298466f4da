"""A whole storekeeper as people run it: control plane, management server, operator under its ServiceAccount.

Between the operator and both servers stands a fault proxy, which changes nothing until a test adds a rule.
"""

from __future__ import annotations

import subprocess
from pathlib import Path
from typing import Any

from harness import paths, tls
from harness.audit import AuditLog
from harness.controlplane import ControlPlane, Layout
from harness.kube import KINDS, Kube, Object
from harness.kubeconfig import Endpoint, write_kubeconfig
from harness.management import Management
from harness.management_server import ManagementServer
from harness.operator_process import FAST, OperatorProcess
from harness.proxy import FaultProxy

NAMESPACE = "storekeeper-system"
OPERATOR = f"system:serviceaccount:{NAMESPACE}:storekeeper"
ACCOUNT = "main"
# An attempt whose answer was lost is repeated only after no request can be under way any more.
REQUEST_TIMEOUT_SECONDS = 2


class Installation:
    """Start it once per test run; stop it whatever happened."""

    def __init__(self, folder: Path, operator_options: tuple[str, ...] = FAST) -> None:
        self.folder = folder
        self._operator_options = operator_options
        self.logs = folder / "logs"
        self.certificates = tls.make_certificates(folder / "pki")
        self.plane = ControlPlane(Layout(folder / "cluster", paths.tools(), self.logs))
        unlimited = ("--rate-limit", "0")
        self.server = ManagementServer(folder / "server", self.certificates, logs=self.logs, options=unlimited)
        self.audit = AuditLog(self.plane.layout.audit_log)
        self.kube: Kube
        self.management: Management
        self.token: str
        self.operator: OperatorProcess
        self.kube_proxy: FaultProxy
        self.management_proxy: FaultProxy

    def start(self) -> None:
        """Everything up to a Ready default account."""
        self.start_cluster()
        self.kube_proxy = FaultProxy(self.plane.endpoint.url, self.plane.endpoint.ca, self.certificates)
        self.kube_proxy.start()
        self.server.start()
        self.management_proxy = FaultProxy(self.server.endpoint, self.certificates.ca, self.certificates)
        self.management_proxy.start()
        self.management, self.token = self.server.client()
        self.credentials("main-admin", {"token": self.token})
        self.operator = OperatorProcess(self.operator_kubeconfig(), self.logs, options=self._operator_options)
        for proxy in self.proxies():
            proxy.on_crash = self.operator.kill
        self.operator.start()
        self.kube.create(self.account(ACCOUNT, default=True))
        self.kube.wait_ready("StorageAccount", ACCOUNT)

    def start_cluster(self) -> None:
        """The control plane with our resources and rights, and nothing that works on them yet."""
        self.plane.start()
        self.kube = self.client()
        self._install()

    def client(self) -> Kube:
        """A client of its own for the cluster's administrator: one thread each."""
        layout = self.plane.layout
        return Kube(self.plane.endpoint, self.plane.admin_token, layout.tools / "kubectl", layout.admin_kubeconfig)

    def as_operator(self) -> Kube:
        """A client with the rights, and under the name, of the operator."""
        layout = self.plane.layout
        token = self.kube.token_for("storekeeper", NAMESPACE)
        return Kube(self.plane.endpoint, token, layout.tools / "kubectl", layout.admin_kubeconfig)

    def stop(self) -> None:
        """Stop what was started, also when starting went wrong half-way."""
        for name in ("operator", "management_proxy", "server", "kube_proxy", "plane"):
            part = getattr(self, name, None)
            if part is not None:
                part.stop()

    def proxies(self) -> tuple[FaultProxy, FaultProxy]:
        return self.kube_proxy, self.management_proxy

    def clear_faults(self) -> None:
        """No rule in force, nothing hanging, and an operator that runs."""
        for proxy in self.proxies():
            proxy.rules.clear()
            proxy.release()
        if not self.operator.running():
            self.operator.start()

    def operator_kubeconfig(self, direct: bool = False) -> Path:
        """A kubeconfig of the operator's ServiceAccount, through the proxy unless `direct`."""
        if direct:
            return self.kubeconfig_through("operator-direct", self.plane.endpoint)
        return self.kubeconfig_through("operator", Endpoint(self.kube_proxy.endpoint, self.kube_proxy.ca))

    def kubeconfig_through(self, name: str, endpoint: Endpoint) -> Path:
        """A kubeconfig of the operator's ServiceAccount that leads through an endpoint."""
        token = self.kube.token_for("storekeeper", NAMESPACE)
        return write_kubeconfig(self.folder / f"{name}.kubeconfig", endpoint, token)

    def credentials(self, name: str, entries: dict[str, str]) -> None:
        """A Secret in the operator's namespace."""
        metadata = {"name": name, "namespace": NAMESPACE}
        self.kube.create({"apiVersion": "v1", "kind": "Secret", "metadata": metadata, "stringData": entries})

    def account(
        self, name: str, *, default: bool = False, server: ManagementServer | None = None, **management: Any
    ) -> Object:
        """A StorageAccount at the management server; `management` overrides fields of `spec.provider.management`."""
        server = server or self.server
        provider = {
            "endpoint": management.get("endpoint") or self.management_proxy.endpoint,
            "credentialsSecretRef": {"name": "main-admin"},
            "caBundleSecretRef": {"name": "main-ca"},
            **management,
        }
        spec = {
            "default": default,
            "provider": {"management": provider},
            "s3": {"endpoint": server.s3_endpoint, "region": server.region},
            "limits": {"requestTimeoutSeconds": REQUEST_TIMEOUT_SECONDS},
        }
        return {
            "apiVersion": "storekeeper.dev/v1alpha1",
            "kind": "StorageAccount",
            "metadata": {"name": name},
            "spec": spec,
        }

    def _install(self) -> None:
        crds = subprocess.run([paths.storekeeper_binary(), "crds"], check=True, capture_output=True, text=True).stdout
        self.kube.kubectl("apply", "--server-side", "-f", "-", stdin=crds)
        ours = [f"crd/{plural}.storekeeper.dev" for prefix, plural, _ in KINDS.values() if "storekeeper.dev" in prefix]
        self.kube.kubectl("wait", "--for=condition=Established", "--timeout=30s", *ours)
        self.kube.apply(paths.RBAC)
        self.credentials("main-ca", {"ca.crt": self.certificates.ca.read_text()})
