"""A provider that remembers idempotency keys: an attempt whose answer was lost is asked for again, not made anew."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest

from e2e.world import World
from harness.installation import Installation
from harness.management import Management
from harness.management_server import ManagementServer
from harness.proxy import Fault, FaultProxy
from harness.proxy.server import wait_for

# Long enough for the back-off after an ambiguous mint, and one more look.
DEADLINE = 60.0


@dataclass(frozen=True)
class Remembering:
    """A second management server, with `--idempotency-keys` and a fault proxy of its own."""

    management: Management
    token: str
    proxy: FaultProxy

    def minted(self) -> list[dict[str, Any]]:
        """The keys that were ever made for AccessKeys, by the server's audit log."""
        return self.management.audit(action="accessKey.create", outcome="ok")


@pytest.fixture(scope="module")
def remembering(installation: Installation) -> Iterator[Remembering]:
    options = ("--rate-limit", "0", "--idempotency-keys")
    folder, certificates = installation.folder / "remembering", installation.certificates
    server = ManagementServer(folder, certificates, options=options)
    proxy: FaultProxy | None = None
    try:
        server.start()
        proxy = FaultProxy(server.endpoint, certificates.ca, certificates)
        proxy.on_crash = installation.operator.kill
        proxy.start()
        management, token = server.client()
        yield Remembering(management, token, proxy)
    finally:
        if proxy is not None:
            proxy.stop()
        server.stop()


@pytest.mark.parametrize("fault", [Fault.CRASH_AFTER, Fault.DROP_AFTER, Fault.TRUNCATE], ids=lambda fault: fault.value)
def test_a_mint_without_an_answer_is_replayed(world: World, remembering: Remembering, fault: Fault) -> None:
    credentials = world.credentials({"token": remembering.token})
    account = world.account(
        endpoint=remembering.proxy.endpoint,
        credentialsSecretRef={"name": credentials},
    )
    world.kube.wait_ready("StorageAccount", account)
    assert "idempotency-keys" in world.kube.get("StorageAccount", account)["status"]["capabilities"]
    world.user(accountRef={"name": account})
    world.ready("StorageUser", "app")
    before = len(remembering.minted())
    rule = remembering.proxy.fault("mint", fault, only=lambda request: world.ns.encode() in request.raw)
    world.key()
    wait_for(rule)
    if not world.installation.operator.running():
        world.installation.operator.start()
    status = world.ready("AccessKey", "key", DEADLINE)["status"]
    assert status["issue"]["attempt"] == 1, "the attempt must have been asked for again, not followed by another"
    (live,) = remembering.management.access_keys_of(world.login())
    assert live["accessKeyId"] == world.key_id("key") == status["published"]["accessKeyId"]
    assert len(remembering.minted()) == before + 1
