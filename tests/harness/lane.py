"""A lane: an operator that has a namespace, a management server and fault proxies to itself, on a shared control plane.

Several lanes work side by side without meeting: each operator looks after its lane's namespace only, and is shown its
lane's StorageAccount and Tenant only. So what happens in one lane, killing its operator included, is no other's affair.
"""

from __future__ import annotations

from harness import s3
from harness.etcd import Etcd
from harness.installation import Installation
from harness.kube import Kube
from harness.kubeconfig import Endpoint
from harness.management import Management
from harness.management_server import ManagementServer
from harness.operator_process import FAST, OperatorProcess
from harness.proxy import FaultProxy

LABEL = "example.com/lane"
# Longer than every back-off: a late request is executed after its repetition, whenever that comes.
LATEST = 40.0
# On a machine that many lanes keep busy a slow answer must not count as a lost one: that would be a second fault.
REQUEST_TIMEOUT_SECONDS = 4
UNLIMITED = ("--rate-limit", "0")
IDEMPOTENCY_KEYS = "--idempotency-keys"


class Lane:
    """One lane; its name is that of its namespace, its StorageAccount and its Tenant."""

    def __init__(
        self,
        installation: Installation,
        name: str,
        *,
        server_options: tuple[str, ...] = (),
        operator_options: tuple[str, ...] = FAST,
        orphan_policy: str = "Report",
    ) -> None:
        self.installation = installation
        self.name = name
        folder = installation.folder / name
        self.server = ManagementServer(
            folder, installation.certificates, logs=installation.logs / name, options=(*UNLIMITED, *server_options)
        )
        self._operator_options = operator_options
        self._orphan_policy = orphan_policy
        self.kube: Kube
        self.etcd: Etcd
        self.management: Management
        self.kube_proxy: FaultProxy
        self.management_proxy: FaultProxy
        self.operator: OperatorProcess

    def start(self) -> None:
        """Everything up to a Ready account and Tenant."""
        made, plane = self.installation, self.installation.plane
        self.kube = made.client()
        self.etcd = Etcd(plane.etcd_url)
        own = f"{LABEL}={self.name}"
        self.kube_proxy = FaultProxy(
            plane.endpoint.url, plane.endpoint.ca, made.certificates, selector=own, latest=LATEST
        )
        self.kube_proxy.start()
        self.server.start()
        self.management_proxy = FaultProxy(self.server.endpoint, made.certificates.ca, made.certificates, latest=LATEST)
        self.management_proxy.start()
        self.management, token = self.server.client()
        made.credentials(self.name, {"token": token})
        through = Endpoint(self.kube_proxy.endpoint, self.kube_proxy.ca)
        self.operator = OperatorProcess(
            made.kubeconfig_through(self.name, through),
            made.logs / self.name,
            options=("--namespaces", self.name, *self._operator_options),
        )
        for proxy in self.proxies():
            proxy.on_crash = self.operator.kill
        self._populate()
        self.operator.start()
        self.kube.wait_ready("StorageAccount", self.name)
        self.kube.wait_ready("Tenant", self.name)

    def stop(self) -> None:
        """Stop what was started, also when starting went wrong half-way."""
        for name in ("operator", "management_proxy", "server", "kube_proxy"):
            part = getattr(self, name, None)
            if part is not None:
                part.stop()

    def proxies(self) -> tuple[FaultProxy, FaultProxy]:
        return self.kube_proxy, self.management_proxy

    def s3(self, entries: dict[str, str]) -> object:
        """A boto3 client from the entries of a published Secret."""
        ca = self.installation.certificates.ca
        return s3.client(s3.credentials(entries), ca, self.server.s3_endpoint, self.server.region)

    def _populate(self) -> None:
        labels = {LABEL: self.name}
        self.kube.create({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": self.name}})
        account = self.installation.account(
            self.name,
            server=self.server,
            endpoint=self.management_proxy.endpoint,
            credentialsSecretRef={"name": self.name},
        )
        account["metadata"]["labels"] = labels
        account["spec"]["orphanPolicy"] = self._orphan_policy
        account["spec"]["limits"] = {"requestTimeoutSeconds": REQUEST_TIMEOUT_SECONDS}
        self.kube.create(account)
        spec = {"accountRef": {"name": self.name}, "allowedNamespaces": {"names": [self.name]}}
        metadata = {"name": self.name, "labels": labels}
        self.kube.create({**account, "kind": "Tenant", "metadata": metadata, "spec": spec})
