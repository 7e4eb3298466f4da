"""Requests are named by the step of the protocol that they are."""

from __future__ import annotations

import json

import pytest

from harness.proxy.garage_points import APART, SOON, GarageClassifier
from harness.proxy.messages import Head, Request
from harness.proxy.points import Classifier

KEY = "/apis/storekeeper.dev/v1alpha1/namespaces/team-a/accesskeys/app"
SECRETS = "/api/v1/namespaces/team-a/secrets"


def request(method: str, target: str, body: object = None) -> Request:
    content = json.dumps(body).encode() if body is not None else b""
    return Request(Head(f"{method} {target} HTTP/1.1", {}, b""), content)


@pytest.mark.parametrize(
    ("method", "target", "point"),
    [
        ("GET", KEY, "get-key"),
        ("PATCH", KEY, "finalizer"),
        ("PATCH", KEY + "/status", "status"),
        ("PUT", KEY + "/status", "status"),
        ("DELETE", KEY, None),
        ("GET", SECRETS + "/app", "get-secret"),
        ("GET", "/api/v1/namespaces/storekeeper-system/secrets/main", "get-credentials"),
        ("POST", SECRETS + "?dryRun=All", "dry-run"),
        ("POST", SECRETS, "post-secret"),
        ("DELETE", SECRETS + "/app", "delete-secret"),
        ("GET", "/v1/users?tenant=tn_1", "ensure-user"),
        ("POST", "/v1/users", "ensure-user"),
        ("GET", "/v1/accessKeys?user=us_1&limit=1000", "list-keys"),
        ("GET", "/v1/accessKeys?label=storekeeper.dev%2Fowner%3Ac-1%2Fu-1&limit=1000", "list-keys"),
        ("GET", "/v1/accessKeys?account=1&label=storekeeper.dev%2Fcluster%3Ac-1&limit=1000", "sweep-list"),
        ("POST", "/v1/accessKeys", "mint"),
        ("DELETE", "/v1/accessKeys/SK1", "revoke"),
        ("GET", "/v1/accessKeys/SK1", None),
        ("GET", "/apis/storekeeper.dev/v1alpha1/accesskeys?watch=true", None),
        ("GET", "/apis/storekeeper.dev/v1alpha1/accesskeys", None),
        ("GET", "/v1/buckets", None),
        ("GET", "/v2/ListKeys?limit=1000", "list-keys"),
        ("POST", "/v2/ImportKey", "put"),
        ("POST", "/v2/DeleteKey?id=GK1", "revoke"),
        ("GET", "/v2/GetKeyInfo?id=GK1", None),
        ("GET", "/v2/ListBuckets?limit=1000", None),
    ],
)
def test_a_request_has_one_name(method: str, target: str, point: str | None) -> None:
    assert Classifier().point(request(method, target)) == point


def test_an_intent_is_the_first_write_of_its_nonce() -> None:
    classifier = Classifier()

    def write(nonce: str | None, is_open: bool | None) -> str | None:
        issue = {"nonce": nonce, "open": is_open}
        body = {"status": {"issue": {name: value for name, value in issue.items() if value is not None}}}
        return classifier.point(request("PATCH", KEY + "/status", body))

    writes = [write("a", True), write("a", True), write("b", None), write("c", False), write(None, False)]
    assert writes == ["intent", "status", "intent", "status", "status"]


@pytest.mark.parametrize(
    ("operation", "kind", "point"),
    [
        ("CreateKey", "user", "ensure-user"),
        ("UpdateKey?id=GK1", "user", "ensure-user"),
        ("UpdateKey?id=GK1", "key", "put-rights"),
        ("CreateKey", "tenant", None),
        ("UpdateKey?id=GK1", None, None),
    ],
)
def test_a_key_at_garage_is_what_its_name_says(operation: str, kind: str | None, point: str | None) -> None:
    name = "storekeeper " + json.dumps({"is": kind, "login": "a"}, separators=(",", ":"))
    body = {"name": name} if kind else {"neverExpires": True}
    assert Classifier().point(request("POST", f"/v2/{operation}", body)) == point


def test_a_list_soon_after_a_look_at_garage_is_the_sweeps_once_in_a_while() -> None:
    clock = 100.0
    classifier = GarageClassifier(lambda: clock)

    def ask(operation: str, after: float = 0.1) -> str | None:
        nonlocal clock
        clock += after
        return classifier.point(request("GET", f"/v2/{operation}?limit=1000"))

    assert ask("ListKeys") == "list-keys"
    assert [ask("GetNodeInfo"), ask("ListBuckets"), ask("ListKeys"), ask("ListKeys")] == [
        *(None, None, "sweep-list", "list-keys")
    ]
    assert [ask("GetNodeInfo"), ask("ListKeys")] == [None, "list-keys"], "the look after a sweep"
    assert [ask("GetNodeInfo", APART), ask("ListKeys", SOON + 0.1)] == [None, "list-keys"], "not soon"
    assert [ask("GetNodeInfo"), ask("ListKeys")] == [None, "sweep-list"]


def test_the_lists_after_a_key_was_put_belong_to_that() -> None:
    classifier = GarageClassifier()

    def put(status: int) -> list[str | None]:
        asked = request("POST", "/v2/ImportKey")
        points = [classifier.point(asked)]
        classifier.answered(asked, status)
        for operation in ("ListKeys", "ListBuckets", "ListKeys"):
            listed = request("GET", f"/v2/{operation}?limit=1000")
            points.append(classifier.point(listed))
            classifier.answered(listed, 200)
        return points

    assert put(200) == ["put", "put-view", "put-view", "list-keys"]
    assert put(500) == ["put", "list-keys", None, "list-keys"]


@pytest.mark.parametrize(
    ("status", "point"),
    [
        ({"identity": {"user": "app"}}, "write-down"),
        ({"identity": {"user": "app"}, "issue": {"nonce": "a", "open": True}}, "intent"),
        ({"identity": {"user": "app"}, "published": {"epoch": 1}}, "status"),
        ({"conditions": []}, "status"),
    ],
)
def test_what_a_key_is_made_as_is_written_down_where_no_attempt_is_opened(status: object, point: str) -> None:
    assert Classifier().point(request("PATCH", KEY + "/status", {"status": status})) == point
