"""Counting, scripts and verdict, without any server; each rule is also shown what it must refuse."""

from __future__ import annotations

import base64
import json
import subprocess
import sys
from collections import Counter
from dataclasses import replace

import pytest

from harness.paths import REPOSITORY
from harness.rgw import Admin
from providers.bench import report
from providers.bench.__main__ import main
from providers.bench.kinds import Class, Kind, counted, is_about_keys, kind_of, of_provider
from providers.bench.plain import signed
from providers.bench.record import Passed, Side
from providers.bench.report import Conditions
from providers.bench.script import Playing, Script, is_secret, like, scripts
from providers.bench.verdict import Figures, differences

OURS = "/apis/storekeeper.dev/v1alpha1"
KEY = f"{OURS}/namespaces/bench/accesskeys/key-0000"
SECRETS = "/api/v1/namespaces/bench/secrets"
UID, NEW_UID = "0f9d2d6d-3857-4f02-a7a0-2a60fbc4a9c8", "11111111-2222-3333-4444-555555555555"
NONCE = "0bff353fd6aa7a8651aa7565713bfdbd"
GARAGE_ID, GARAGE_SECRET = "GK4053290e514e3e21f170cfa0", "ab" * 32
CONDITIONS = Conditions(2, "storekeeper 0.1.0", "simulation", "v1.36.3", 64, 8)


def kubernetes(method: str, target: str, body: object = None) -> Passed:
    return Passed(Side.KUBERNETES, method, target, {}, b"" if body is None else json.dumps(body).encode())


def provider(method: str, target: str, body: object = None) -> Passed:
    return Passed(Side.PROVIDER, method, target, {}, b"" if body is None else json.dumps(body).encode())


def secret_of(name: str, key: str, value: str) -> dict[str, object]:
    pair = {"AWS_ACCESS_KEY_ID": key, "AWS_SECRET_ACCESS_KEY": value, "AWS_REGION": "garage"}
    data = {entry: base64.b64encode(text.encode()).decode() for entry, text in pair.items()}
    return {"metadata": {"name": name, "annotations": {"key": key, "nonce": NONCE}}, "data": data}


# One key at Garage, with a list that names no key, and what is not about keys.
LISTED = provider("GET", "/v2/ListKeys?limit=1000")
RECORDING = [
    kubernetes("GET", f"{OURS}/namespaces/bench/accesskeys?watch=true"),
    kubernetes("GET", KEY),
    kubernetes("POST", f"{SECRETS}?dryRun=All", secret_of("key-0000", "X" * 20, "x" * 40)),
    kubernetes("POST", SECRETS, secret_of("key-0000", GARAGE_ID, GARAGE_SECRET)),
    LISTED,
    provider("POST", "/v2/ImportKey", {"accessKeyId": GARAGE_ID, "secretAccessKey": GARAGE_SECRET, "name": UID}),
    provider("GET", "/v2/GetNodeInfo?node=self"),
    provider("POST", f"/v2/UpdateKey?id={GARAGE_ID}", {"name": NONCE}),
    kubernetes("PATCH", f"{KEY}/status", {"metadata": {"resourceVersion": "7"}, "status": {"id": GARAGE_ID}}),
    kubernetes("PATCH", f"{OURS}/tenants/bench/status", {}),
]


def figures(reads: int = 100, mapping: int = 400, operator: float = 10.0, plain: float = 7.0) -> Figures:
    side = Side.PROVIDER.value
    calls = Counter(
        {
            Kind(side, Class.WRITE.value, "ImportKey"): 100,
            Kind(side, Class.READ.value, "ListKeys"): reads,
            Kind(side, Class.MAPPING.value, "UpdateKey"): mapping,
            Kind(side, Class.UPKEEP.value, "account"): 1000,
        }
    )
    return Figures("garage", "garage 2.5.0", 100, operator, plain, calls)


@pytest.mark.parametrize(
    ("store", "method", "target", "group"),
    [
        ("management", "POST", "/v1/accessKeys", Class.WRITE),
        ("management", "GET", "/v1/accessKeys?label=a%3Ab&limit=1000", Class.READ),
        ("management", "GET", "/v1/accounts/1", Class.UPKEEP),
        ("ceph-rgw", "PUT", "/admin/metadata/user?key=sk_bench__app%24key.ABC234", Class.WRITE),
        ("ceph-rgw", "GET", "/admin/metadata/user?key=sk_bench__app%24key.ABC234", Class.READ),
        ("ceph-rgw", "GET", "/admin/metadata/user?key=sk_bench__app%24user", Class.UPKEEP),
        ("ceph-rgw", "GET", "/admin/user?list=&max-entries=1000", Class.READ),
        ("ceph-rgw", "GET", "/admin/metadata/user?key=sk%24tenant.bench", Class.UPKEEP),
        ("garage", "POST", "/v2/ImportKey", Class.WRITE),
        ("garage", "GET", "/v2/ListKeys?limit=1000", Class.READ),
        ("garage", "POST", "/v2/DenyBucketKey", Class.MAPPING),
        ("garage", "GET", "/v2/GetNodeInfo?node=self", Class.UPKEEP),
    ],
)
def test_a_call_to_a_provider_is_known_by_its_method_and_path(
    store: str, method: str, target: str, group: Class
) -> None:
    kind = of_provider(store, method, target)
    assert kind.group == group.value and not kind.name.startswith("other")


@pytest.mark.parametrize("store", ["management", "ceph-rgw", "garage"])
def test_a_call_that_no_rule_names_counts_against_the_bar(store: str) -> None:
    assert of_provider(store, "GET", "/new?x=1") == Kind("provider", "read", "other: GET /new")
    assert of_provider(store, "DELETE", "/new") == Kind("provider", "write", "other: DELETE /new")


@pytest.mark.parametrize(
    ("method", "target", "group", "name"),
    [
        ("GET", KEY, Class.READ, "GET accesskeys"),
        ("PATCH", f"{KEY}/status?", Class.WRITE, "PATCH accesskeys/status"),
        ("POST", f"{SECRETS}?dryRun=All", Class.WRITE, "POST secrets, dry run"),
        ("POST", "/apis/events.k8s.io/v1/namespaces/bench/events?", Class.WRITE, "POST events"),
        ("GET", f"{OURS}/accesskeys?watch=true", Class.WATCH, "GET accesskeys"),
        ("GET", f"{OURS}/accesskeys?limit=500", Class.WATCH, "GET accesskeys"),
        ("PATCH", f"{OURS}/tenants/bench/status", Class.UPKEEP, "PATCH tenants/status"),
        ("GET", "/api/v1/namespaces/storekeeper-system/secrets/main-ca", Class.UPKEEP, "GET secrets"),
        ("GET", "/version", Class.UPKEEP, "GET /version"),
    ],
)
def test_a_call_to_the_api_server_is_known_by_its_resource(method: str, target: str, group: Class, name: str) -> None:
    assert kind_of("garage", kubernetes(method, target)) == Kind("Kubernetes", group.value, name)


def test_the_bars_hold_at_their_limits_and_not_beyond() -> None:
    assert figures().passed and figures().per_key(Side.PROVIDER, Class.WRITE, Class.READ) == 2
    assert figures(mapping=10_000).passed, "what the mapping costs is not held against the bar"
    (calls, ratio) = figures(reads=101).bars()
    assert (calls.holds, ratio.holds) == (False, True)
    (calls, ratio) = figures(operator=10.1).bars()
    assert (calls.holds, ratio.holds) == (True, False)
    assert not figures(reads=101).passed and not figures(operator=10.1).passed


def test_the_report_says_what_the_bars_say() -> None:
    held, missed = (report.of_store(one) + report.end([one]) for one in (figures(), figures(reads=150)))
    assert "every bar holds" in held and "MISSED" not in held
    assert "2.50  ≤ 2  MISSED" in missed and missed.endswith("a bar is MISSED")
    assert report.end([figures(), figures(reads=150)]).endswith("a bar is MISSED")
    told = json.loads(report.as_json(CONDITIONS, [figures(), figures(reads=150)]))
    assert told["passed"] is False and [bar["holds"] for bar in told["stores"][1]["bars"]] == [False, True]
    assert sum(call["calls"] for call in told["stores"][0]["calls"]) == 1600


def test_the_calls_of_one_key_are_printed_where_that_is_asked_for() -> None:
    one = replace(figures(), sequence=[kind_of("garage", step) for step in (LISTED, RECORDING[5])])
    order = "    provider: ListKeys\n    provider: ImportKey\n"
    assert order in report.of_store(one, sequence=True)
    assert order not in report.of_store(one)


def test_every_call_about_keys_is_in_one_script_and_a_list_before_the_call_that_followed_it() -> None:
    (script,) = scripts("garage", RECORDING, {"key-0000": UID})
    wanted = [passed for passed in RECORDING if is_about_keys(kind_of("garage", passed))]
    assert script.steps == wanted and len(wanted) == 7
    assert (script.access_key_id, script.secret) == (GARAGE_ID, GARAGE_SECRET)
    assert set(script.ids) == {GARAGE_ID, NONCE}


def test_what_two_keys_share_is_divided_and_not_lost() -> None:
    other = [kubernetes("GET", KEY.replace("0000", "0001")), LISTED, provider("POST", "/v2/ImportKey", "key-0001")]
    recording = [*RECORDING, *other, LISTED]
    made = scripts("garage", recording, {"key-0000": UID, "key-0001": NEW_UID})
    assert [len(script.steps) for script in made] == [7, 4]
    played = Counter(kind_of("garage", step) for script in made for step in script.steps)
    assert differences(counted("garage", recording), played) == {}


def test_a_call_that_the_plain_client_does_not_make_is_a_difference() -> None:
    operator = counted("garage", RECORDING)
    less = operator - Counter({kind_of("garage", LISTED): 1})
    assert differences(operator, less) == {Kind("provider", "read", "ListKeys"): (1, 0)}
    without_upkeep = Counter({kind: times for kind, times in operator.items() if is_about_keys(kind)})
    assert differences(operator, without_upkeep) == {}


def played(playing: Playing, script: Script) -> list[tuple[str, bytes]]:
    return [playing.request(step) for step in script.steps]


def test_nothing_of_the_first_key_is_in_the_calls_for_the_other() -> None:
    (script,) = scripts("garage", RECORDING, {"key-0000": UID})
    (*_, secret, _, imported, updated, _) = requests = played(Playing(script, "new-0000", NEW_UID, "41"), script)
    texts = [target + body.decode() for target, body in requests]
    for old in ("key-0000", UID, NONCE, GARAGE_ID, GARAGE_SECRET):
        assert not any(old in text for text in texts), old
    data = {name: base64.b64decode(value).decode() for name, value in json.loads(secret[1])["data"].items()}
    sent = json.loads(imported[1])
    assert (data["AWS_ACCESS_KEY_ID"], data["AWS_SECRET_ACCESS_KEY"]) == (sent["accessKeyId"], sent["secretAccessKey"])
    assert updated[0] == f"/v2/UpdateKey?id={sent['accessKeyId']}" and sent["name"] == NEW_UID
    assert data["AWS_REGION"] == "garage"


def test_a_pair_that_the_provider_made_is_the_one_in_the_secret() -> None:
    minted = provider("POST", "/v1/accessKeys", {"labels": {"name": "key-0000"}})
    published = kubernetes("POST", SECRETS, secret_of("key-0000", "SKF7UUPDHOU2KVLPHD3K", "old-secret"))
    (script,) = scripts("management", [minted, published], {"key-0000": UID})
    playing = Playing(script, "new-0000", NEW_UID, "41")
    playing.heard(minted, {"accessKeyId": "SKAAAAAAAAAAAAAAAAAA", "secretAccessKey": "new-secret"})
    assert is_secret(published)
    data = json.loads(playing.request(published)[1])["data"]
    assert base64.b64decode(data["AWS_SECRET_ACCESS_KEY"]) == b"new-secret"
    assert base64.b64decode(data["AWS_ACCESS_KEY_ID"]) == b"SKAAAAAAAAAAAAAAAAAA"


def test_a_status_is_written_over_the_version_that_was_read_last() -> None:
    (script,) = scripts("garage", RECORDING, {"key-0000": UID})
    playing = Playing(script, "new-0000", NEW_UID, "41")
    (read, *_, status) = script.steps
    assert json.loads(playing.request(status)[1])["metadata"]["resourceVersion"] == "41"
    playing.heard(read, {"metadata": {"resourceVersion": "42"}})
    assert json.loads(playing.request(status)[1])["metadata"]["resourceVersion"] == "42"


@pytest.mark.parametrize(
    "token", [GARAGE_ID, NONCE, "SKF7UUPDHOU2KVLPHD3K", "-1S1mNvIH5F-X3FGuwTkPugOzK5hcy7N9uyrYwbH"]
)
def test_another_id_has_the_same_form(token: str) -> None:
    other = like(token)
    assert other != token and len(other) == len(token)
    if token[:2] in ("GK", "SK"):
        assert other[:2] == token[:2]
    if token in (GARAGE_ID, NONCE):
        assert set(other[2:]) <= set("0123456789abcdef")


def test_what_was_recorded_is_printed_without_headers_and_bodies() -> None:
    passed = replace(RECORDING[5], headers={"authorization": "Bearer token"})
    assert GARAGE_SECRET in passed.body.decode() and GARAGE_SECRET not in repr(passed) and "Bearer" not in repr(passed)
    (script,) = scripts("garage", RECORDING, {"key-0000": UID})
    assert GARAGE_SECRET not in repr(script)


def test_a_signature_is_made_anew() -> None:
    old = {"authorization": "old", "x-amz-content-sha256": "old", "content-type": "application/json"}
    made = signed(Admin("ID", "secret"), "PUT", "https://127.0.0.1:1/admin/user?key=a", old, b"{}")
    headers = {name.lower(): value for name, value in made.items()}
    assert headers["authorization"].startswith("AWS4-HMAC-SHA256 Credential=ID/")
    assert headers["content-type"] == "application/json" and headers["x-amz-content-sha256"] != "old"


def test_help_says_what_the_bars_are() -> None:
    command = [sys.executable, "-m", "providers.bench", "--help"]
    done = subprocess.run(command, cwd=REPOSITORY / "tests", capture_output=True, text=True, timeout=60)
    assert done.returncode == 0
    for word in ("--keys N", "--store NAME", "--json FILE", "at most 2", "0.7", "Exit code 0"):
        assert word in done.stdout, word


@pytest.mark.parametrize(
    "arguments", [["--keys", "0"], ["--keys", "many"], ["--keys", "10000"], ["--store", "s3"], ["x"]]
)
def test_wrong_usage_is_2(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main(arguments)
    assert ended.value.code == 2 and "usage:" in capsys.readouterr().err


def test_a_binary_that_is_not_there_is_1(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setenv("STOREKEEPER_BIN", "/nowhere/storekeeper")
    assert main(["--keys", "1"]) == 1
    assert "must exist" in capsys.readouterr().err
