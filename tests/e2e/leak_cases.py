"""Everything that can go wrong with a message that carries a secret, one case for each AccessKey of its own.

A mint is always executed, and its answer noted, so that each secret that was ever made is known. What is quoted is what
a broken server, or something on the way to it, might quote.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from harness.proxy import Fault, Rule
from harness.proxy.messages import Answer, Request, made_answer, unchunk

JSON = {"Content-Type": "application/json"}
PROBLEM = {"Content-Type": "application/problem+json"}
PLAIN = {"Content-Type": "text/plain"}
# What the operator takes over of a refusal's text: a quotation that begins just before is cut off within the secret.
LONGEST_MESSAGE = 1024

Made = Callable[[Request, Answer | None, str], bytes]


@dataclass(frozen=True)
class Case:
    """A fault at a point, for the key of that name. `made` gets the last secret that was made for the key."""

    name: str
    point: str
    fault: Fault
    made: Made | None = None
    lies: bool = False
    """The key was made, and the answer says that it was not: the operator finds it, and leaves the rest to a person."""


def content(answer: Answer) -> bytes:
    return unchunk(answer.body) if answer.head.chunked else answer.body


def document(answer: Answer | None) -> dict[str, Any]:
    assert answer is not None
    decoded: dict[str, Any] = json.loads(content(answer))
    return decoded


def _cut(where: Callable[[bytes, bytes], int]) -> Made:
    """The head as it is, and the body up to somewhere."""

    def made(_: Request, answer: Answer | None, secret: str) -> bytes:
        assert answer is not None
        return answer.head.raw + answer.body[: where(answer.body, secret.encode())]

    return made


def _changed(**fields: Callable[[str], Any]) -> Made:
    """The answer with some fields made from the secret."""

    def made(_: Request, answer: Answer | None, secret: str) -> bytes:
        body = {**document(answer), **{name: field(secret) for name, field in fields.items()}}
        return made_answer(201, "Created", body, JSON).raw

    return made


def _text(status: int, text: Callable[[str], str], headers: dict[str, str]) -> Made:
    def made(_: Request, __: Answer | None, secret: str) -> bytes:
        body = text(secret).encode()
        lines = {**headers, "Content-Length": str(len(body)), "Connection": "close"}
        head = "\r\n".join([f"HTTP/1.1 {status} Made", *(f"{name}: {value}" for name, value in lines.items()), "", ""])
        return head.encode() + body

    return made


def _problem(status: int, type_: str) -> Made:
    def text(secret: str) -> str:
        quoted = f"'{secret}' is not what it must be"
        errors = [{"field": "secretAccessKey", "detail": quoted}]
        return json.dumps({"type": type_, "title": "x", "status": status, "detail": quoted, "errors": errors})

    return _text(status, text, PROBLEM)


def _status(code: int, reason: str, quote: Callable[[Request, str], str]) -> Made:
    """A refusal of the API server that quotes."""

    def made(request: Request, _: Answer | None, secret: str) -> bytes:
        message = quote(request, secret)
        details = {"name": "x", "causes": [{"reason": "FieldValueInvalid", "message": message, "field": "data"}]}
        body = {"kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Failure", "code": code}
        return made_answer(code, reason, {**body, "reason": reason, "message": message, "details": details}, JSON).raw

    return made


def body_of(request: Request, _: str) -> str:
    return request.content().decode()


def in_plain(_: Request, secret: str) -> str:
    return f"Secret is invalid: data: Invalid value: '{secret}': must not be so"


def at_the_end(_: Request, secret: str) -> str:
    return "x" * (LONGEST_MESSAGE - 18) + secret


def whole_secret(secret: str) -> dict[str, Any]:
    """A Secret as it is stored, from a server that does not know how to answer with metadata only."""
    data = {"AWS_SECRET_ACCESS_KEY": base64.b64encode(secret.encode()).decode()}
    return {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "x"}, "data": data}


def _with_data(_: Request, answer: Answer | None, secret: str) -> bytes:
    return made_answer(200, "OK", {**document(answer), "data": whole_secret(secret)["data"]}, JSON).raw


MINT = [
    Case("mint-cut-0", "mint", Fault.REWRITE, _cut(lambda body, _: 0)),
    Case("mint-cut-1", "mint", Fault.REWRITE, _cut(lambda body, secret: body.index(secret) + len(secret) // 2)),
    Case("mint-cut-2", "mint", Fault.REWRITE, _cut(lambda body, secret: body.index(secret) + len(secret))),
    Case("mint-cut-3", "mint", Fault.REWRITE, _cut(lambda body, _: len(body) - 1)),
    Case("mint-half-json", "mint", Fault.REWRITE, _text(201, lambda s: f'{{"secretAccessKey": "{s}", ', JSON)),
    Case("mint-text", "mint", Fault.REWRITE, _text(201, lambda s: f"the key is {s}", PLAIN)),
    Case("mint-nested", "mint", Fault.REWRITE, _changed(secretAccessKey=lambda s: {"value": s})),
    Case("mint-as-time", "mint", Fault.REWRITE, _changed(createdAt=lambda s: s)),
    Case("mint-as-level", "mint", Fault.REWRITE, _changed(permission=lambda s: s)),
    Case("mint-as-labels", "mint", Fault.REWRITE, _changed(labels=lambda s: {"x": s})),
    Case("mint-problem-422", "mint", Fault.REWRITE, _problem(422, "rule-violated"), lies=True),
    Case("mint-problem-403", "mint", Fault.REWRITE, _problem(403, "forbidden"), lies=True),
    Case("mint-problem-500", "mint", Fault.REWRITE, _problem(500, "internal")),
    Case(
        "mint-html-503", "mint", Fault.REWRITE, _text(503, lambda s: f"<pre>{s}</pre>", {"Content-Type": "text/html"})
    ),
    Case("mint-redirect", "mint", Fault.REWRITE, lambda r, a, s: _text(302, str, {"Location": f"/{s}"})(r, a, "")),
    Case("mint-no-http", "mint", Fault.REWRITE, lambda r, a, s: f"{s} is no HTTP\r\n\r\n".encode()),
    Case("mint-drop", "mint", Fault.DROP_AFTER),
]
POST = [
    *(
        Case(f"post-{code}-{how}", "post-secret", Fault.INSTEAD, _status(code, reason, quote))
        for code, reason in [(403, "Forbidden"), (409, "AlreadyExists"), (422, "Invalid"), (500, "InternalError")]
        for how, quote in [("body", body_of), ("plain", in_plain), ("end", at_the_end)]
    ),
    Case(
        "post-400-text",
        "post-secret",
        Fault.INSTEAD,
        lambda r, a, s: _text(400, lambda _: body_of(r, s), PLAIN)(r, a, s),
    ),
    Case("post-no-http", "post-secret", Fault.INSTEAD, lambda r, a, s: r.content() + b"\r\n\r\n"),
    Case(
        "post-garbled",
        "post-secret",
        Fault.REWRITE,
        lambda r, a, s: _text(201, lambda _: body_of(r, s), PLAIN)(r, a, s),
    ),
    Case("post-cut", "post-secret", Fault.TRUNCATE),
    Case("post-drop", "post-secret", Fault.DROP_AFTER),
    Case("dry-run-422", "dry-run", Fault.INSTEAD, _status(422, "Invalid", body_of)),
    Case("dry-run-500", "dry-run", Fault.INSTEAD, _status(500, "InternalError", body_of)),
]
GET = [
    Case("get-whole", "get-secret", Fault.REWRITE, _with_data),
    Case("get-half-json", "get-secret", Fault.INSTEAD, _text(200, lambda s: json.dumps(whole_secret(s))[:-1], JSON)),
    Case("get-wrong-json", "get-secret", Fault.INSTEAD, _text(200, lambda s: json.dumps({"metadata": s}), JSON)),
    Case("get-text", "get-secret", Fault.INSTEAD, _text(200, lambda s: s, PLAIN)),
    Case("get-500", "get-secret", Fault.INSTEAD, _status(500, "InternalError", in_plain)),
    Case("get-422", "get-secret", Fault.INSTEAD, _status(422, "Invalid", in_plain)),
    Case(
        "get-html", "get-secret", Fault.INSTEAD, _text(502, lambda s: f"<pre>{s}</pre>", {"Content-Type": "text/html"})
    ),
    Case("get-cut", "get-secret", Fault.TRUNCATE),
]


class Canaries:
    """Notes every secret that is made, by the key that it was made for, while the cases happen."""

    def __init__(self, cases: list[Case]) -> None:
        self.cases = {case.name: case for case in cases}
        self.made: dict[str, list[str]] = {name: [] for name in self.cases}
        self.rules: dict[str, Rule] = {}

    def at_management(self) -> Rule:
        """A rule for every mint: the first one of a mint case gets its answer, all others theirs as it is."""

        def answer(request: Request, given: Answer | None) -> bytes:
            assert given is not None
            if given.status != 201:
                return given.raw
            name = self._whose(request)
            secret = document(given)["secretAccessKey"]
            self.made[name].append(secret)
            case = self.cases[name]
            if case.point == "mint" and len(self.made[name]) == 1:
                return case.made(request, given, secret) if case.made else b""
            return given.raw

        return Rule("mint", Fault.REWRITE, 0, answer=answer)

    def at_kubernetes(self) -> list[Rule]:
        """A rule for each case of the API server; a Secret is read wrongly once its secret was made."""
        for case in self.cases.values():
            if case.point == "mint":
                continue
            self.rules[case.name] = Rule(case.point, case.fault, 1, self._only(case), answer=self._answer(case))
        return list(self.rules.values())

    def secrets(self) -> dict[str, str]:
        return {f"{name}, {n}": secret for name, all_ in self.made.items() for n, secret in enumerate(all_, 1)}

    def _whose(self, request: Request) -> str:
        found = [name for name in self.cases if f"{name}.".encode() in request.raw]
        assert len(found) == 1, f"one key per request: {found}"
        return found[0]

    def _only(self, case: Case) -> Callable[[Request], bool]:
        def only(request: Request) -> bool:
            waits = case.point == "get-secret" and not self.made[case.name]
            return not waits and f"{case.name}.".encode() in request.raw

        return only

    def _answer(self, case: Case) -> Callable[[Request, Answer | None], bytes]:
        def answer(request: Request, given: Answer | None) -> bytes:
            assert case.made is not None
            return case.made(request, given, (self.made[case.name] or [""])[-1])

        return answer
