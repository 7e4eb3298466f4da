"""A secret is in its Secret and nowhere else: searched for in every place where text ends up."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from e2e.world import World
from harness import s3
from harness.operator_process import FAST, OperatorProcess
from harness.proxy import Fault

TRACE = (*FAST[:-1], "trace")


@pytest.fixture
def loud(world: World) -> Iterator[OperatorProcess]:
    """The operator at its most talkative, in place of the usual one."""
    made = world.installation
    made.operator.stop()
    operator = OperatorProcess(made.folder / "operator.kubeconfig", made.logs, name="operator-trace", options=TRACE)
    try:
        operator.start()
        yield operator
    finally:
        operator.stop()


def spellings(secret: str) -> list[str]:
    """How a secret may look in text."""
    raw = secret.encode()
    return [secret, base64.b64encode(raw).decode().rstrip("="), raw.hex(), raw.hex().upper(), repr(list(raw))[1:-1]]


def places(world: World, loud: OperatorProcess) -> dict[str, str]:
    texts = {path.name: path.read_text(errors="replace") for path in Path(world.installation.logs).iterdir()}
    for kind in ("AccessKey", "StorageUser", "Event"):
        texts[kind] = json.dumps(world.kube.items(kind, world.ns))
    texts["metrics"] = loud.metrics()
    texts["provider audit"] = json.dumps(world.management.audit())
    texts["provider keys"] = json.dumps(world.live_keys())
    return texts


@pytest.mark.parametrize(
    ("point", "fault"),
    [
        (None, None),
        ("mint", Fault.TRUNCATE),
        ("post-secret", Fault.ANSWER_500),
        ("post-secret", Fault.TRUNCATE),
        ("get-secret", Fault.TRUNCATE),
    ],
    ids=lambda value: getattr(value, "value", value) or "none",
)
def test_a_secret_is_nowhere_but_in_its_secret(
    world: World, loud: OperatorProcess, point: str | None, fault: Fault | None
) -> None:
    world.user()
    if point is not None and fault is not None:
        proxy = world.installation.management_proxy if point == "mint" else world.installation.kube_proxy
        proxy.fault(point, fault, only=lambda request: world.ns.encode() in request.raw)
    world.key()
    world.ready("AccessKey", "key", 60)
    world.ready("StorageUser", "app")
    given = s3.credentials(world.entries("key"))
    texts = places(world, loud)
    assert given.access_key_id in texts["provider keys"], "the search must find what is there"
    for where, text in texts.items():
        for secret, called in ((given.secret_access_key, "the key's secret"), (world.installation.token, "the token")):
            found = [spelling for spelling in spellings(secret) if spelling in text]
            assert not found, f"{called} is in {where}"
