"""A lane: an operator that has a namespace, an object store and fault proxies to itself, on a shared control plane.

Several lanes work side by side without meeting: each operator looks after its lane's namespace only, and is shown its
lane's StorageAccount and Tenant only. So what happens in one lane, killing its operator included, is no other's affair.
"""

from __future__ import annotations

from typing import Generic, TypeVar

from harness import s3
from harness.etcd import Etcd
from harness.installation import Installation
from harness.kube import Kube
from harness.kubeconfig import Endpoint
from harness.operator_process import FAST, OperatorProcess
from harness.proxy import FaultProxy
from harness.stores import Store

LABEL = "example.com/lane"
# Longer than every back-off: a late request is executed after its repetition, whenever that comes. For the lane's store
# as well: whoever makes that passes it on.
LATEST = 40.0
# On a machine that many lanes keep busy a slow answer must not count as a lost one: that would be a second fault.
REQUEST_TIMEOUT_SECONDS = 4

S = TypeVar("S", bound=Store)


class Lane(Generic[S]):
    """One lane; its name is that of its namespace, its StorageAccount and its Tenant."""

    def __init__(
        self,
        installation: Installation,
        name: str,
        store: S,
        *,
        operator_options: tuple[str, ...] = FAST,
        orphan_policy: str = "Report",
    ) -> None:
        self.installation = installation
        self.name = name
        self.store = store
        self._operator_options = operator_options
        self._orphan_policy = orphan_policy
        self.kube: Kube
        self.etcd: Etcd
        self.kube_proxy: FaultProxy
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
        self.store.start()
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
        for name in ("operator", "store", "kube_proxy"):
            part = getattr(self, name, None)
            if part is not None:
                part.stop()

    def proxies(self) -> tuple[FaultProxy, FaultProxy]:
        return self.kube_proxy, self.store.proxy

    def s3(self, entries: dict[str, str]) -> object:
        """A boto3 client from the entries of a published Secret."""
        ca = self.installation.certificates.ca
        return s3.client(s3.credentials(entries), ca, self.store.s3_endpoint, self.store.region)

    def _populate(self) -> None:
        self.kube.create({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": self.name}})
        account, credentials = self.store.account(self.name, requestTimeoutSeconds=REQUEST_TIMEOUT_SECONDS)
        self.installation.credentials(self.name, credentials)
        account["orphanPolicy"] = self._orphan_policy
        tenant = {"accountRef": {"name": self.name}, "allowedNamespaces": {"names": [self.name]}}
        metadata = {"name": self.name, "labels": {LABEL: self.name}}
        for kind, spec in (("StorageAccount", account), ("Tenant", tenant)):
            self.kube.create(
                {"apiVersion": "storekeeper.dev/v1alpha1", "kind": kind, "metadata": metadata, "spec": spec}
            )
