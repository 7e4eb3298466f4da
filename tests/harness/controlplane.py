"""A real Kubernetes control plane on loopback: etcd, kube-apiserver and the controllers that deletion needs."""

from __future__ import annotations

import secrets
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import yaml

from harness import tls
from harness.http import answers
from harness.kubeconfig import Endpoint, write_kubeconfig
from harness.ports import free_port
from harness.process import Process

# Without these nothing deletes namespaces, collects garbage, or makes the `default` ServiceAccounts and root CA.
CONTROLLERS = (
    "namespace-controller",
    "garbage-collector-controller",
    "serviceaccount-controller",
    "serviceaccount-token-controller",
    "clusterrole-aggregation-controller",
    "validatingadmissionpolicy-status-controller",
    "resourcequota-controller",
)
AUDIT_POLICY = {
    "apiVersion": "audit.k8s.io/v1",
    "kind": "Policy",
    "omitStages": ["RequestReceived"],
    "rules": [{"level": "Metadata"}],
}


@dataclass(frozen=True)
class Layout:
    """The files of one control plane; all of them are in `folder`."""

    folder: Path
    tools: Path
    logs: Path

    @property
    def audit_log(self) -> Path:
        return self.logs / "audit.log"

    @property
    def admin_kubeconfig(self) -> Path:
        return self.folder / "kubeconfig"


class ControlPlane:
    """etcd, kube-apiserver (RBAC, audit log) and kube-controller-manager, each a `Process`."""

    def __init__(self, layout: Layout) -> None:
        self.layout = layout
        self.certificates = tls.make_certificates(layout.folder / "pki", "storekeeper test cluster")
        self.admin_token = secrets.token_urlsafe(24)
        self._manager_token = secrets.token_urlsafe(24)
        self.etcd_url = f"http://127.0.0.1:{free_port()}"
        self._port = free_port()
        self._manager_port = free_port()
        self.endpoint = Endpoint(f"https://127.0.0.1:{self._port}", self.certificates.ca)
        self.etcd = Process("etcd", self._etcd_command(), layout.logs / "etcd.log")
        self.apiserver = Process("apiserver", self._apiserver_command(), layout.logs / "apiserver.log")
        self.manager = Process("controller-manager", self._manager_command(), layout.logs / "controller-manager.log")

    def start(self) -> None:
        """Start all three; each is ready before the next one starts."""
        self.write_files()
        for process, ready in self.probes():
            process.start(ready)

    def probes(self) -> list[tuple[Process, Callable[[], bool]]]:
        """The three in the order in which they start, each with what tells that it is ready."""
        ca, token = self.certificates.ca, self.admin_token
        return [
            (self.etcd, lambda: answers(f"{self.etcd_url}/health")),
            (self.apiserver, lambda: answers(f"{self.endpoint.url}/readyz", ca, token)),
            (self.manager, lambda: answers(f"https://127.0.0.1:{self._manager_port}/healthz", ca)),
        ]

    def stop(self) -> None:
        """Kill all three: their data is thrown away, so there is nothing to wait for."""
        for process in (self.manager, self.apiserver, self.etcd):
            process.kill()

    def _file(self, name: str) -> Path:
        return self.layout.folder / name

    def write_files(self) -> None:
        """The keys, tokens and configuration that the three read when they start."""
        self.layout.folder.mkdir(parents=True, exist_ok=True)
        self.layout.logs.mkdir(parents=True, exist_ok=True)
        tls.make_signing_key(self._file("service-account.key"))
        tokens = (
            f'{self.admin_token},admin,admin,"system:masters"\n'
            f"{self._manager_token},system:kube-controller-manager,controller-manager\n"
        )
        tls.write_private(self._file("tokens.csv"), tokens.encode())
        self._file("audit-policy.yaml").write_text(yaml.safe_dump(AUDIT_POLICY))
        write_kubeconfig(self.layout.admin_kubeconfig, self.endpoint, self.admin_token)
        write_kubeconfig(self._file("controller-manager.kubeconfig"), self.endpoint, self._manager_token)

    def _etcd_command(self) -> list[str | Path]:
        peer = f"http://127.0.0.1:{free_port()}"
        return [
            self.layout.tools / "etcd",
            f"--data-dir={self._file('etcd')}",
            f"--listen-client-urls={self.etcd_url}",
            f"--advertise-client-urls={self.etcd_url}",
            f"--listen-peer-urls={peer}",
            f"--initial-advertise-peer-urls={peer}",
            f"--initial-cluster=default={peer}",
            "--unsafe-no-fsync",
            "--log-level=warn",
        ]

    def _apiserver_command(self) -> list[str | Path]:
        return [
            self.layout.tools / "kube-apiserver",
            f"--etcd-servers={self.etcd_url}",
            "--bind-address=127.0.0.1",
            "--advertise-address=127.0.0.1",
            "--endpoint-reconciler-type=none",
            f"--secure-port={self._port}",
            f"--tls-cert-file={self.certificates.cert}",
            f"--tls-private-key-file={self.certificates.key}",
            "--service-account-issuer=https://kubernetes.default.svc",
            f"--service-account-key-file={self._file('service-account.key')}",
            f"--service-account-signing-key-file={self._file('service-account.key')}",
            f"--token-auth-file={self._file('tokens.csv')}",
            "--authorization-mode=RBAC",
            "--service-cluster-ip-range=10.0.0.0/24",
            f"--audit-policy-file={self._file('audit-policy.yaml')}",
            f"--audit-log-path={self.layout.audit_log}",
            # One line is written before its request is answered, so what a test reads is complete.
            "--audit-log-mode=blocking",
        ]

    def _manager_command(self) -> list[str | Path]:
        kubeconfig = self._file("controller-manager.kubeconfig")
        return [
            self.layout.tools / "kube-controller-manager",
            f"--kubeconfig={kubeconfig}",
            f"--authentication-kubeconfig={kubeconfig}",
            f"--authorization-kubeconfig={kubeconfig}",
            f"--service-account-private-key-file={self._file('service-account.key')}",
            f"--root-ca-file={self.certificates.ca}",
            f"--tls-cert-file={self.certificates.cert}",
            f"--tls-private-key-file={self.certificates.key}",
            "--bind-address=127.0.0.1",
            f"--secure-port={self._manager_port}",
            f"--controllers={','.join(CONTROLLERS)}",
            "--use-service-account-credentials",
            "--leader-elect=false",
        ]
