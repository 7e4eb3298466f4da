"""A secret is in its Secret and nowhere else: searched for in every place where text ends up, with every log at trace.

All cases happen at once, each to a key of its own, so that what leaks tells where from.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from e2e import leak_cases
from e2e.leak_cases import Canaries, Case
from e2e.world import World
from harness import s3
from harness.etcd import Etcd
from harness.leaks import Leak, leaks, of_files, of_process
from harness.operator_process import FAST, OperatorProcess
from harness.proxy import Fault, Rule
from harness.proxy.messages import Answer, Request, made_answer
from harness.waiting import until

# Dozens of keys that each have to get over a fault, before the first test begins.
pytestmark = pytest.mark.timeout(600)
TRACE = (*FAST[:-1], "trace")
FORMATS = ("Env", "CredentialsFile", "K8up", "Rclone", "Harbor", "Barman", "FluxBucket")
UNDISTURBED = [
    Case(f"quiet-{number}", "mint", Fault.REWRITE, lambda r, a, s: a.raw if a else b"") for number in range(3)
]
CASES = [*UNDISTURBED, *leak_cases.MINT, *leak_cases.POST, *leak_cases.GET]


@dataclass(frozen=True)
class Scene:
    """What happened, and everything that was said about it."""

    canaries: Canaries
    texts: dict[str, str]
    found: list[Leak]


def stored(world: World) -> dict[str, str]:
    """What is in etcd, by the kind of its keys, but for the Secrets themselves."""
    texts: dict[str, str] = {}
    for record in Etcd(world.installation.plane.etcd_url).records("/"):
        kind = record.key.rpartition(world.ns)[0] or "/".join(record.key.split("/")[:3])
        if not record.key.startswith("/registry/secrets/"):
            texts[f"etcd {kind}"] = texts.get(f"etcd {kind}", "") + record.key + record.value.decode("latin-1")
    return texts


def everything(world: World, loud: OperatorProcess, ns: str) -> dict[str, str]:
    made = world.installation
    secrets = world.kube.items("Secret", ns)
    return {
        **{path.name: path.read_text(errors="replace") for path in Path(made.logs).iterdir()},
        **{f"metadata of {secret['metadata']['name']}": json.dumps(secret["metadata"]) for secret in secrets},
        **stored(world),
        **of_process("the operator", loud.process.pid),
        **of_process("the server", made.server.process.pid),
        **of_files(made.folder / "server" / "data"),
        "metrics of the operator": loud.metrics(),
        "audit events": json.dumps(world.management.audit()),
        "keys as listed": json.dumps(world.management.access_keys()),
    }


def quoting_the_token(token: str) -> list[Rule]:
    """Answers about the account that quote its credentials: from the API server, and from the management server."""
    problem = {"type": "malformed", "title": "x", "status": 400, "detail": f"Bearer {token[:30]} is no good"}
    entry = {"data": {"token": base64.b64encode(token.encode()).decode()}}

    def said(status: int, body: object, kind: str) -> leak_cases.Made:
        return lambda *_: made_answer(status, "Made", body, {"Content-Type": kind}).raw

    def rule(point: str, occurrence: int, made: leak_cases.Made) -> Rule:
        def answer(request: Request, given: Answer | None) -> bytes:
            return made(request, given, token)

        return Rule(point, Fault.INSTEAD, occurrence, answer=answer)

    return [
        rule("get-credentials", 1, said(200, {**entry, "metadata": token}, "application/json")),
        rule("get-credentials", 2, said(200, token, "text/plain")),
        rule("get-credentials", 3, said(500, {"kind": "Status", "code": 500, "message": token}, "application/json")),
        rule("list-keys", 1, said(400, problem, "application/problem+json")),
        rule("list-keys", 2, said(500, f"<pre>Authorization: Bearer {token}</pre>", "text/html")),
        rule("sweep-list", 1, said(200, {"items": [{"accessKeyId": token}]}, "application/json")),
    ]


@pytest.fixture(scope="module")
def scene(module_world: World) -> Iterator[Scene]:
    world, made = module_world, module_world.installation
    canaries = Canaries(CASES)
    about_token = quoting_the_token(made.token)
    made.operator.stop()
    loud = OperatorProcess(made.folder / "operator.kubeconfig", made.logs, name="operator-trace", options=TRACE)
    made.management_proxy.rules.add(canaries.at_management())
    for rule in canaries.at_kubernetes():
        made.kube_proxy.rules.add(rule)
    try:
        loud.start()
        world.user()
        world.ready("StorageUser", "app", 60)
        for rule in about_token:
            proxy = made.kube_proxy if rule.point == "get-credentials" else made.management_proxy
            proxy.rules.add(rule)
        for number, case in enumerate(CASES):
            secret = {"name": f"{case.name}.canary", "format": FORMATS[number % len(FORMATS)]}
            world.key(case.name, secret=secret)
        for case in CASES:
            if case.lies:
                world.reason("AccessKey", case.name, "SecretLost", deadline=120)
                again = {"metadata": {"annotations": {"storekeeper.dev/reissue": "2"}}}
                world.patch("AccessKey", case.name, again)
            world.ready("AccessKey", case.name, 120)
        faults = [*canaries.rules.values(), *about_token]
        until(
            lambda: all(rule.hits for rule in faults),
            "every fault",
            60,
            lambda: [r.point for r in faults if not r.hits],
        )
        for case in CASES:
            world.ready("AccessKey", case.name, 60)
        texts = everything(world, loud, world.ns)
        code = loud.stop()
        texts["operator-trace.log, stopped"] = loud.log.read_text(errors="replace")
        assert code == 0
        secrets = {**canaries.secrets(), "the token": made.token, "the password": made.server.password}
        yield Scene(canaries, texts, leaks(secrets, texts))
    finally:
        loud.kill()


def test_no_secret_is_anywhere_but_in_its_secret(scene: Scene) -> None:
    assert not scene.found, "\n".join(sorted(map(str, scene.found)))


def test_every_case_made_a_secret_that_was_looked_for(scene: Scene) -> None:
    assert all(scene.canaries.made.values()), "a case without a secret proves nothing"
    for case in leak_cases.MINT:
        lost = case.name not in ("mint-cut-3",)
        assert len(scene.canaries.made[case.name]) >= 1 + lost, f"{case.name} was to lose a pair"


def test_the_search_finds_what_is_there(scene: Scene, module_world: World) -> None:
    """Every key's id is in the places in which its secret must not be; the logs were as loud as they get."""
    ids = {case.name: s3.credentials(module_world.entries(f"{case.name}.canary")).access_key_id for case in UNDISTURBED}
    places = {leak.place for leak in leaks(ids, scene.texts)}
    assert {"keys as listed", "audit events", "etcd /registry/storekeeper.dev/accesskeys/"} <= places, sorted(places)
    log = scene.texts["operator-trace.log"]
    assert " TRACE " in log, "the log was as loud as it gets"
    assert all(case.name in log for case in CASES)
