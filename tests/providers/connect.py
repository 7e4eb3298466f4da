"""Making a store known to the operator."""

from __future__ import annotations

from harness.installation import Installation
from providers.stores import Store


def connect(installation: Installation, store: Store, **limits: int) -> None:
    """A Ready StorageAccount of the store's name, whose calls go through its proxy."""
    spec, credentials = store.account(store.name, **{"requestTimeoutSeconds": store.timeout, **limits})
    installation.credentials(store.name, credentials)
    account = {"apiVersion": "storekeeper.dev/v1alpha1", "kind": "StorageAccount", "metadata": {"name": store.name}}
    installation.kube.create({**account, "spec": spec})
    installation.kube.wait_ready("StorageAccount", store.name)
