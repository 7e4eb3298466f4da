"""Each fault does what its name says, to the occurrence it was set for, and to nothing else."""

from __future__ import annotations

import socket
import ssl
import threading
from urllib.parse import urlsplit

import pytest
import requests

from harness.proxy import Fault, FaultProxy
from harness.proxy.server import wait_for
from harness.selftests.upstream import Upstream
from harness.waiting import holds, until

MINT = "/v1/accessKeys"
BROKEN = (requests.ConnectionError, requests.exceptions.ChunkedEncodingError)


def post(proxy: FaultProxy, path: str = MINT, body: str = '{"userId": "us_1"}') -> requests.Response:
    return requests.post(proxy.endpoint + path, data=body, verify=str(proxy.ca), timeout=15)


def test_without_rules_nothing_is_changed(proxy: FaultProxy, upstream: Upstream) -> None:
    """The negative control of every fault test: the proxy alone breaks nothing."""
    session = requests.Session()
    for _ in range(20):
        assert session.post(proxy.endpoint + MINT, data="{}", verify=str(proxy.ca), timeout=5).status_code == 200
    assert len(upstream.executed) == 20
    assert [seen.fault for seen in proxy.seen("mint")] == [None] * 20


def test_every_request_is_shown_whole_to_who_looks_on(proxy: FaultProxy, upstream: Upstream) -> None:
    shown: list[tuple[str, str, bytes]] = []
    proxy.on_request = lambda request: shown.append((request.method, request.target, request.content()))
    post(proxy, f"{MINT}?a=%24b", '{"n": 1}')
    proxy.fault("mint", Fault.DROP_BEFORE)
    with pytest.raises(BROKEN):
        post(proxy, body='{"n": 2}')
    assert shown == [("POST", f"{MINT}?a=%24b", b'{"n": 1}'), ("POST", MINT, b'{"n": 2}')]
    assert len(upstream.executed) == 1


def test_only_the_named_occurrence_is_hit(proxy: FaultProxy, upstream: Upstream) -> None:
    rule = proxy.fault("mint", Fault.ANSWER_503, occurrence=2)
    assert [post(proxy).status_code for _ in range(3)] == [200, 503, 200]
    assert (rule.seen, rule.hits, len(upstream.executed)) == (3, 1, 2)


def test_other_points_are_not_hit(proxy: FaultProxy, upstream: Upstream) -> None:
    rule = proxy.fault("mint", Fault.DROP_BEFORE)
    assert post(proxy, "/v1/users").status_code == 200
    assert rule.hits == 0 and len(upstream.executed) == 1


def test_a_rule_at_any_hits_everything_but_watches(proxy: FaultProxy, upstream: Upstream) -> None:
    proxy.fault("any", Fault.ANSWER_503, occurrence=0)
    assert [post(proxy, path).status_code for path in (MINT, "/v1/users", "/")] == [503] * 3
    upstream.say("")
    watch = requests.get(proxy.endpoint + "/api/v1/x?watch=true", verify=str(proxy.ca), timeout=5)
    assert watch.status_code == 200


def test_only_requests_that_the_rule_accepts_are_hit(proxy: FaultProxy) -> None:
    proxy.fault("mint", Fault.ANSWER_500, occurrence=0, only=lambda request: b"us_2" in request.body)
    assert post(proxy).status_code == 200
    assert post(proxy, body='{"userId": "us_2"}').status_code == 500


@pytest.mark.parametrize(
    ("fault", "executed"),
    [
        (Fault.DROP_BEFORE, 0),
        (Fault.DROP_AFTER, 1),
        (Fault.CRASH_BEFORE, 0),
        (Fault.CRASH_AFTER, 1),
        (Fault.TRUNCATE, 1),
    ],
)
def test_a_lost_answer_is_lost(proxy: FaultProxy, upstream: Upstream, fault: Fault, executed: int) -> None:
    at_crash: list[int] = []
    proxy.on_crash = lambda: at_crash.append(len(upstream.executed))
    rule = proxy.fault("mint", fault)
    with pytest.raises(BROKEN):
        post(proxy).json()
    wait_for(rule)
    assert len(upstream.executed) == executed
    assert at_crash == ([executed] if "crash" in fault.value else [])
    assert post(proxy).status_code == 200, "the next one must go through"


def test_a_duplicate_is_executed_twice_and_answered_once(proxy: FaultProxy, upstream: Upstream) -> None:
    proxy.fault("mint", Fault.DUPLICATE)
    assert post(proxy).json()["n"] == 1
    assert len(upstream.executed) == 2


def test_a_late_request_is_executed_after_its_retry(proxy: FaultProxy, upstream: Upstream) -> None:
    proxy.fault("mint", Fault.LATE)
    with pytest.raises(BROKEN):
        post(proxy, body='{"userId": "first"}')
    holds(lambda: not upstream.executed, "the late request has not run", 0.3)
    post(proxy, body='{"userId": "retry"}')
    until(lambda: len(upstream.executed) == 2, "the late request to run")
    assert "retry" in upstream.executed[0] and "first" in upstream.executed[1]


@pytest.mark.parametrize("status", [409, 429, 500, 503, 504])
def test_a_refusal_is_never_executed(proxy: FaultProxy, upstream: Upstream, status: int) -> None:
    proxy.fault("mint", Fault(str(status)))
    answer = post(proxy)
    assert (answer.status_code, answer.json()["status"], upstream.executed) == (status, status, [])
    assert ("Retry-After" in answer.headers) == (status in (429, 503))


def test_a_hanging_request_is_let_go(proxy: FaultProxy, upstream: Upstream) -> None:
    rule = proxy.fault("mint", Fault.HANG)
    failed: list[Exception] = []

    def hang() -> None:
        try:
            post(proxy)
        except BROKEN as error:
            failed.append(error)

    thread = threading.Thread(target=hang)
    thread.start()
    until(lambda: rule.hits == 1, "the request to hang")
    proxy.release()
    thread.join(10)
    assert len(failed) == 1 and not upstream.executed


def test_a_watch_is_streamed_unbuffered(proxy: FaultProxy, upstream: Upstream) -> None:
    """Each line arrives while the stream is still open."""
    with requests.get(proxy.endpoint + "/api/v1/x?watch=true", verify=str(proxy.ca), stream=True, timeout=5) as answer:
        lines = answer.iter_lines(chunk_size=1)
        for word in ("one", "two"):
            upstream.say(word + "\n")
            assert next(lines) == word.encode()
        upstream.say("")
        assert list(lines) == []


def test_only_http_1_1_is_offered(proxy: FaultProxy) -> None:
    context = ssl.create_default_context(cafile=str(proxy.ca))
    context.set_alpn_protocols(["h2", "http/1.1"])
    port = urlsplit(proxy.endpoint).port
    with socket.create_connection(("127.0.0.1", port or 0)) as raw:
        with context.wrap_socket(raw, server_hostname="127.0.0.1") as wrapped:
            assert wrapped.selected_alpn_protocol() == "http/1.1"


def test_a_fault_has_happened_also_when_carrying_it_out_failed(proxy: FaultProxy) -> None:
    """Whoever waits for it must not wait for a client that has gone, or for a server that has closed."""

    def fail() -> None:
        raise OSError("as if the peer had gone")

    proxy.on_crash = fail
    rule = proxy.fault("mint", Fault.CRASH_AFTER)
    with pytest.raises(BROKEN):
        post(proxy)
    wait_for(rule, 5)


def test_a_proxy_forgets_and_knows_what_it_holds_back(proxy: FaultProxy, upstream: Upstream) -> None:
    rule = proxy.fault("mint", Fault.LATE)
    with pytest.raises(BROKEN):
        post(proxy)
    wait_for(rule)
    assert proxy.holds_back() and upstream.executed == []
    post(proxy)
    until(lambda: not proxy.holds_back(), "the late request to be sent")
    assert len(upstream.executed) == 2
    proxy.fault("mint", Fault.DROP_BEFORE)
    proxy.forget()
    assert proxy.seen() == [] and post(proxy).status_code == 200
