"""Real object stores with a fault proxy before what manages them: how each is started, broken and asked.

What the operator is told of a store is in `provider`; what tests want to know of it, they add in classes of their own.
"""

from __future__ import annotations

import json
from abc import ABC, abstractmethod
from pathlib import Path
from typing import Any

from harness import tls
from harness.garage import Garage
from harness.management import Management
from harness.management_server import ManagementServer
from harness.proxy import FaultProxy
from harness.proxy.server import LATEST

Provider = dict[str, Any]


class Store(ABC):
    """One real object store."""

    region: str
    s3_endpoint: str
    proxy: FaultProxy

    def __init__(self, certificates: tls.Certificates, latest: float = LATEST) -> None:
        self.certificates = certificates
        self.latest = latest

    def start(self) -> None:
        """Start the server, and a proxy before what manages it."""
        managed_at = self.start_server()
        self.proxy = FaultProxy(managed_at, self.certificates.ca, self.certificates, latest=self.latest)
        self.proxy.start()

    def stop(self) -> None:
        """Stop what was started, also when starting went wrong half-way."""
        if hasattr(self, "proxy"):
            self.proxy.stop()
        self.stop_server()

    @abstractmethod
    def start_server(self) -> str:
        """Start the server alone; the URL by which it is managed."""

    @abstractmethod
    def stop_server(self) -> None: ...

    @abstractmethod
    def restart(self) -> None:
        """Stop the server and start it again on the same data."""

    @abstractmethod
    def provider(self) -> tuple[Provider, dict[str, str]]:
        """`spec.provider` without the references to Secrets, and the credentials."""

    @abstractmethod
    def revoke(self, key: str) -> None:
        """Remove a key behind the operator's back."""

    def account(self, secret: str, **limits: int) -> tuple[dict[str, Any], dict[str, str]]:
        """`spec` of its StorageAccount, and the entries of the Secret of that name, which has the credentials."""
        provider, credentials = self.provider()
        (settings,) = provider.values()
        settings |= {"credentialsSecretRef": {"name": secret}, "caBundleSecretRef": {"name": "main-ca"}}
        s3 = {"endpoint": self.s3_endpoint, "region": self.region}
        return {"provider": provider, "s3": s3, "limits": limits}, credentials


class ManagementStore(Store):
    """storekeeper's own management server."""

    def __init__(
        self,
        folder: Path,
        certificates: tls.Certificates,
        logs: Path,
        *,
        options: tuple[str, ...] = (),
        latest: float = LATEST,
    ) -> None:
        super().__init__(certificates, latest)
        options = ("--rate-limit", "0", *options)
        self.server = ManagementServer(folder, certificates, logs=logs, options=options)
        self.region, self.s3_endpoint = self.server.region, self.server.s3_endpoint
        self.management: Management
        self._token: str

    def start_server(self) -> str:
        self.server.start()
        self.management, self._token = self.server.client()
        return self.server.endpoint

    def stop_server(self) -> None:
        self.server.stop()

    def restart(self) -> None:
        self.server.stop()
        self.server.start()

    def provider(self) -> tuple[Provider, dict[str, str]]:
        return {"management": {"endpoint": self.proxy.endpoint}}, {"token": self._token}

    def revoke(self, key: str) -> None:
        self.management.revoke(key)


class GarageStore(Store):
    """Garage."""

    def __init__(self, folder: Path, certificates: tls.Certificates, logs: Path, *, latest: float = LATEST) -> None:
        super().__init__(certificates, latest)
        self.garage = Garage(folder, logs=logs)
        self.region, self.s3_endpoint = self.garage.region, self.garage.s3_endpoint
        self._token: str

    def start_server(self) -> str:
        self.garage.start()
        self._token = self.garage.token("operator")
        return self.garage.endpoint

    def stop_server(self) -> None:
        self.garage.stop()

    def restart(self) -> None:
        self.garage.restart()

    def provider(self) -> tuple[Provider, dict[str, str]]:
        return {"garage": {"endpoint": self.proxy.endpoint}}, {"token": self._token}

    def marks(self) -> dict[str, dict[str, Any]]:
        """What our keys say of themselves, by id."""
        found = {key["id"]: mark_in(key["name"]) for key in self.garage.all_keys()}
        return {key: mark for key, mark in found.items() if mark is not None}

    def revoke(self, key: str) -> None:
        self.garage.post("DeleteKey", id=key)


def mark_in(name: str) -> dict[str, Any] | None:
    """What the name of a key at Garage says, if it is one of ours; see docs/adr/007-garage-users-are-markers.md."""
    prefix = "storekeeper "
    if not name.startswith(prefix):
        return None
    mark: dict[str, Any] = json.loads(name.removeprefix(prefix))
    return mark
