"""Making a store known to the operator."""

from __future__ import annotations

from harness.installation import Installation
from providers.stores import Store


def connect(installation: Installation, store: Store, **limits: int) -> None:
    """A Ready StorageAccount of the store's name, whose calls go through its proxy."""
    provider, credentials = store.provider()
    (settings,) = provider.values()
    installation.credentials(store.name, credentials)
    settings |= {"credentialsSecretRef": {"name": store.name}, "caBundleSecretRef": {"name": "main-ca"}}
    spec = {
        "provider": provider,
        "s3": {"endpoint": store.s3_endpoint, "region": store.region},
        "limits": {"requestTimeoutSeconds": store.timeout, **limits},
    }
    account = {"apiVersion": "storekeeper.dev/v1alpha1", "kind": "StorageAccount", "metadata": {"name": store.name}}
    installation.kube.create({**account, "spec": spec})
    installation.kube.wait_ready("StorageAccount", store.name)
