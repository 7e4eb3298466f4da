"""Requests are named by the step of the protocol that they are."""

from __future__ import annotations

import json

import pytest

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
