"""The management server tells no password, token or secret: not in its logs at trace, not in lists, not on its disk."""

from __future__ import annotations

import secrets
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
import requests
from botocore.exceptions import ClientError

from harness import s3, tls
from harness.http import session
from harness.leaks import leaks, of_files, of_process
from harness.management import ADMINISTRATOR, OPERATOR_SCOPES, Management, Problem
from harness.management_server import ManagementServer

OPTIONS = ("--log-level", "trace", "--idempotency-keys", "--rate-limit", "0")


@dataclass
class Scene:
    """What was told to the server or by it, and where text ended up."""

    server: ManagementServer
    told: dict[str, str | bytes] = field(default_factory=dict)
    ids: dict[str, str] = field(default_factory=dict)
    texts: dict[str, str] = field(default_factory=dict)

    def canary(self, called: str) -> str:
        """A secret that only ever goes into requests."""
        made = secrets.token_urlsafe(24)
        self.told[called] = made
        return made

    def post(self, path: str, raw: str, **headers: str) -> requests.Response:
        url = self.server.endpoint + path
        kind = {"Content-Type": "application/json", **headers}
        return session(self.server.certificates.ca).post(url, data=raw.encode(), headers=kind, timeout=30)


def sign_in_in_every_wrong_way(scene: Scene) -> None:
    visitor = Management(scene.server.endpoint, scene.server.certificates.ca)
    for login, password in [
        (ADMINISTRATOR, scene.canary("a wrong password")),
        ("nobody", scene.canary("the password of nobody")),
        (scene.canary("a password in place of the login"), "x" * 12),
    ]:
        with pytest.raises(Problem):
            visitor.call("POST", "/v1/sessions", {"login": login, "password": password})
    wrong = scene.canary("a password in broken JSON")
    for raw in (
        f'{{"login": "a", "password": "{wrong}"',
        f'{{"login": "a", "password": ["{wrong}"]}}',
        f'{{"login": {{"{wrong}": 1}}, "password": "x"}}',
        f'{{"login": "a", "{wrong}": "x"}}',
        f'"{wrong}"',
        wrong,
    ):
        assert scene.post("/v1/sessions", raw).status_code in (400, 422)
    assert scene.post("/v1/sessions", f"password={wrong}", **{"Content-Type": "text/plain"}).status_code == 415


def a_browser(scene: Scene) -> None:
    """A session in a cookie, with its CSRF token, right and wrong."""
    server = scene.server
    body = {"login": ADMINISTRATOR, "password": server.password, "cookie": True}
    with session(server.certificates.ca) as plain:
        made = plain.post(f"{server.endpoint}/v1/sessions", json=body, timeout=30)
        assert made.status_code == 201
        cookie = made.headers["Set-Cookie"].split(";")[0]
        scene.told["the token of a session in a cookie"] = cookie.partition("=")[2]
        csrf = made.json()["csrfToken"]
        scene.told["a CSRF token"] = csrf
        plain.cookies.clear()
        wrong = scene.canary("a wrong CSRF token")
        for token, status in ((csrf, 201), (wrong, 403)):
            headers = {"Cookie": cookie, "X-CSRF-Token": token}
            wish = {"name": f"browser-{status}"}
            answer = plain.post(f"{server.endpoint}/v1/tenants", json=wish, headers=headers, timeout=30)
            assert answer.status_code == status, answer.text
        name = cookie.partition("=")[0]
        stale = {"Cookie": f"{name}={scene.canary('a wrong token in a cookie')}"}
        assert plain.get(f"{server.endpoint}/v1/users", headers=stale, timeout=30).status_code == 401
        out = plain.delete(
            f"{server.endpoint}/v1/sessions", headers={"Cookie": cookie, "X-CSRF-Token": csrf}, timeout=30
        )
        assert out.status_code == 204


def credentials(scene: Scene) -> Management:
    """Sign in, and make, use and misuse every kind of bearer credential."""
    server = scene.server
    visitor = Management(server.endpoint, server.certificates.ca)
    made = visitor.call("POST", "/v1/sessions", {"login": ADMINISTRATOR, "password": server.password})
    scene.told["the token of a session"] = made["token"]
    signed_in = Management(server.endpoint, server.certificates.ca, made["token"])
    with pytest.raises(Problem):
        signed_in.call("POST", "/v1/sessions/verify", {"password": scene.canary("a wrong password to verify")})
    signed_in.call("POST", "/v1/sessions/verify", {"password": server.password})
    token = signed_in.call("POST", "/v1/tokens", {"name": "canary", "scopes": list(OPERATOR_SCOPES)})["token"]
    scene.told["an API token"] = token
    for header in (f"Bearer {scene.canary('a wrong token')}", f"Basic {scene.canary('a token of another scheme')}"):
        answer = session(server.certificates.ca).get(
            f"{server.endpoint}/v1/users", headers={"Authorization": header}, timeout=30
        )
        assert answer.status_code == 401
    manager = Management(server.endpoint, server.certificates.ca, token)
    with pytest.raises(Problem):
        manager.call(
            "POST", "/v1/users", {"login": "x", "password": {"is": scene.canary("a password of a wrong type")}}
        )
    return manager


def keys(scene: Scene, manager: Management) -> s3.Credentials:
    account = manager.items("accounts")[0]
    user = {"login": "app", "tenantId": account["tenantId"], "accountId": account["id"], "role": "FullAccess"}
    made = manager.call("POST", "/v1/users", {**user, "name": "app", "password": scene.canary("a new user's password")})
    changed = {"password": scene.canary("a changed password")}
    answer = requests.Request("PATCH", f"{scene.server.endpoint}/v1/users/{made['id']}", json=changed).prepare()
    answer.headers["Authorization"] = f"Bearer {scene.told['an API token']!s}"
    with session(scene.server.certificates.ca) as plain:
        assert plain.send(answer, verify=str(scene.server.certificates.ca), timeout=30).status_code == 200
    wish = {"userId": made["id"], "permission": "Full", "description": "canary"}
    headers = {"Idempotency-Key": "once", "Authorization": f"Bearer {scene.told['an API token']!s}"}
    url = f"{scene.server.endpoint}/v1/accessKeys"
    with session(scene.server.certificates.ca) as plain:
        answers = [plain.post(url, json=wish, headers=headers, timeout=30).json() for _ in range(2)]
    assert answers[0] == answers[1], "the second answer is remembered"
    scene.told["the secret of a key"] = answers[0]["secretAccessKey"]
    scene.ids["a key"] = answers[0]["accessKeyId"]
    rotated = manager.call("POST", f"/v1/accounts/{account['id']}/rootKey/rotate")
    scene.told["the secret of the root key"] = rotated["secretAccessKey"]
    scene.told["the secret key of the server"] = (scene.server.folder / "data" / "storekeeper.key").read_bytes()
    with pytest.raises(Problem):
        manager.call("GET", f"/v1/accessKeys/{answers[0]['accessKeyId']}/secret")
    return s3.Credentials(answers[0]["accessKeyId"], answers[0]["secretAccessKey"])


def objects(scene: Scene, given: s3.Credentials) -> None:
    server = scene.server

    def client(one: s3.Credentials) -> Any:
        return s3.client(one, server.certificates.ca, server.s3_endpoint, server.region)

    good = client(given)
    good.create_bucket(Bucket="canary")
    good.put_object(Bucket="canary", Key="hello.txt", Body=b"hello")
    wrong = s3.Credentials(given.access_key_id, scene.canary("a wrong secret"))
    for bad in (wrong, s3.Credentials("SKNOBODY", scene.canary("the secret of no key"))):
        with pytest.raises(ClientError):
            client(bad).put_object(Bucket="canary", Key="hello.txt", Body=b"hello")
    for method, one in (("get_object", good), ("put_object", good), ("get_object", client(wrong))):
        url = one.generate_presigned_url(method, Params={"Bucket": "canary", "Key": "hello.txt"}, ExpiresIn=600)
        scene.told[f"the signature of a presigned URL for {method}"] = parse_qs(urlsplit(url).query)["X-Amz-Signature"][
            0
        ]
        verb = "PUT" if method == "put_object" else "GET"
        session(server.certificates.ca).request(verb, url, data=b"x" if verb == "PUT" else None, timeout=30)
    for called, one, status in (("a form", good, 204), ("a form that is refused", client(wrong), 403)):
        form = one.generate_presigned_post("canary", "form.txt", ExpiresIn=600)
        scene.told[f"the signature of {called}"] = form["fields"]["x-amz-signature"]
        answer = session(server.certificates.ca).post(
            form["url"], data=form["fields"], files={"file": b"x"}, timeout=30
        )
        assert answer.status_code == status, answer.text


@pytest.fixture(scope="module")
def scene(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Scene]:
    folder = tmp_path_factory.mktemp("loud")
    server = ManagementServer(folder / "server", tls.make_certificates(folder / "pki"), logs=folder, options=OPTIONS)
    made = Scene(server)
    made.told["the administrator's password"] = server.password
    try:
        server.start()
        sign_in_in_every_wrong_way(made)
        a_browser(made)
        manager = credentials(made)
        objects(made, keys(made, manager))
        made.texts |= of_process("the server", server.process.pid)
        made.texts["audit events"] = str(manager.audit())
        made.texts["keys as listed"] = str(manager.access_keys())
        made.texts["tokens as listed"] = str(manager.items("tokens"))
        made.texts["users as listed"] = str(manager.items("users"))
        with session(server.certificates.ca, str(made.told["an API token"])) as plain:
            made.texts["metrics"] = plain.get(f"{server.endpoint}/metrics", timeout=30).text
        made.texts |= of_files(server.folder / "data")
        assert server.stop() == 0
        made.texts["log"] = server.process.log.read_text(errors="replace")
        yield made
    finally:
        server.stop()


def test_nothing_secret_is_in_logs_lists_or_files(scene: Scene) -> None:
    found = [
        leak
        for leak in leaks(scene.told, scene.texts)
        # The key has a file of its own, apart from what it opens.
        if leak.place != "data/storekeeper.key"
    ]
    assert not found, "\n".join(sorted(map(str, found)))


def test_the_search_finds_what_is_there(scene: Scene) -> None:
    places = {leak.place for leak in leaks(scene.ids, scene.texts)}
    assert {"keys as listed", "audit events", "log"} <= places, sorted(places)
    assert any(place.startswith("data/storekeeper.db") for place in places), sorted(places)
    assert '"level":"TRACE"' in scene.texts["log"], "the log was as loud as it gets"
    assert len(scene.told) >= 22
