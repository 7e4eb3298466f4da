"""A provider that refuses, fails or does not answer: the account says so, nothing is lost, and it heals by itself."""

from __future__ import annotations

import pytest

from e2e.world import World
from harness import tls
from harness.proxy import Fault
from harness.waiting import holds, until


def test_wrong_credentials_are_said_and_healed(world: World) -> None:
    secret = world.credentials({"token": "not-a-token"})
    name = world.account(credentialsSecretRef={"name": secret})
    world.says("StorageAccount", name, "CredentialsRefused", f"'{name}'", f"'{secret}'")
    _, token = world.installation.server.client(f"for {name}")
    world.kube.patch("Secret", secret, {"stringData": {"token": token}}, "storekeeper-system")
    world.touch("StorageAccount", name)
    world.ready("StorageAccount", name, 60)


def test_credentials_that_end_later_are_said(world: World) -> None:
    called = f"{world.ns}-ends"
    _, token = world.installation.server.client(called)
    name = world.account(credentialsSecretRef={"name": world.credentials({"token": token})})
    world.ready("StorageAccount", name)
    world.management.revoke_token(called)
    world.touch("StorageAccount", name)
    world.says("StorageAccount", name, "CredentialsRefused", f"'{name}'")


def test_an_account_that_refuses_the_credentials_is_not_asked_again_and_again(world: World) -> None:
    name = world.account(credentialsSecretRef={"name": world.credentials({"token": "not-a-token"})})
    world.says("StorageAccount", name, "CredentialsRefused")
    wanted = f'account="{name}"'

    def calls() -> float:
        lines = world.installation.operator.metrics().splitlines()
        counters = [line for line in lines if line.startswith("storekeeper_provider_calls") and wanted in line]
        return sum(float(line.rpartition(" ")[2]) for line in counters)

    assert calls() > 0
    # At the resync interval of the tests, and for what the first refusal set off.
    holds(lambda: calls() <= 5, "the provider is left alone", 4)


def test_missing_credentials_are_named(world: World) -> None:
    name = world.account(credentialsSecretRef={"name": "not-there"})
    world.says("StorageAccount", name, "CredentialsNotFound", "'not-there'")


def test_credentials_without_a_token_are_named(world: World) -> None:
    secret = world.credentials({"password": "x"})
    name = world.account(credentialsSecretRef={"name": secret})
    world.says("StorageAccount", name, "CredentialsNotFound", f"'{secret}'", "token")


def test_a_ca_bundle_that_is_none_is_said(world: World) -> None:
    secret = world.credentials({"ca.crt": "this is not a certificate"})
    name = world.account(caBundleSecretRef={"name": secret})
    world.says("StorageAccount", name, "InvalidCABundle", f"'{secret}'")


def test_a_ca_bundle_of_somebody_else_is_said(world: World, tmp_path_factory: pytest.TempPathFactory) -> None:
    other = tls.make_certificates(tmp_path_factory.mktemp("other"), "somebody else")
    secret = world.credentials({"ca.crt": other.ca.read_text()})
    name = world.account(caBundleSecretRef={"name": secret})
    world.says("StorageAccount", name, "InvalidCABundle", f"'{secret}'")


def test_a_provider_that_is_not_there_is_said(world: World) -> None:
    name = world.account(endpoint="https://127.0.0.1:1")
    world.says("StorageAccount", name, "AccountUnreachable", f"'{name}'")


def faulty(world: World, fault: Fault) -> None:
    """Every request to the provider meets this fault from now on."""
    world.installation.management_proxy.fault("any", fault, occurrence=0)


@pytest.mark.parametrize(
    ("fault", "reasons"),
    [
        (Fault.DROP_BEFORE, {"AccountUnreachable"}),
        (Fault.HANG, {"AccountUnreachable"}),
        (Fault.ANSWER_429, {"Throttled"}),
        (Fault.ANSWER_500, {"ProviderFailing"}),
        (Fault.ANSWER_503, {"Throttled", "ProviderFailing"}),
        (Fault.TRUNCATE, {"AccountUnreachable", "ProviderFailing"}),
    ],
    ids=["down", "slow", "429", "500", "503", "half"],
)
def test_a_failing_provider_is_said_and_makes_one_key_when_it_is_back(
    world: World, fault: Fault, reasons: set[str]
) -> None:
    world.user()
    world.ready("StorageUser", "app")
    faulty(world, fault)
    world.key()
    found = world.until_reason("AccessKey", "key", reasons | {"AccountNotReady"})
    assert "main" in found["message"]
    assert world.kube.find("Secret", "key", world.ns) is None
    world.installation.clear_faults()
    world.ready("AccessKey", "key", 90)
    until(lambda: len(world.live_keys()) == 1, "one live key", 60, world.live_keys)


def test_a_ready_key_survives_its_provider(world: World) -> None:
    """While the provider is down nothing that was published is touched."""
    world.user()
    world.key()
    world.ready("AccessKey", "key")
    secret = world.secret("key")
    faulty(world, Fault.DROP_BEFORE)
    holds(lambda: world.secret("key") == secret, "the Secret is as it was", 5)
    world.installation.clear_faults()
    world.ready("AccessKey", "key", 90)
    assert [world.key_id("key")] == [key["accessKeyId"] for key in world.live_keys()]


def test_a_broken_account_does_not_stop_another(world: World) -> None:
    broken = world.account(endpoint="https://127.0.0.1:1")
    world.user("stuck", accountRef={"name": broken})
    world.until_reason("StorageUser", "stuck", {"AccountUnreachable", "AccountNotReady", "TenantNotReady"})
    world.says("StorageAccount", broken, "AccountUnreachable", f"'{broken}'")
    world.says("Tenant", world.tenant_name, "AccountNotReady", f"'{broken}'")
    world.user()
    world.key()
    world.ready("AccessKey", "key", 15)
    world.delete("StorageUser", "stuck")
    world.kube.patch("StorageUser", "stuck", {"metadata": {"finalizers": None}}, world.ns)
