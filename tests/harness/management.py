"""A thin client of the management API, for set-up and assertions."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from harness.http import session

ADMINISTRATOR = "administrator"
OPERATOR_SCOPES = ("keys:write", "read", "write")
PAGE = 1000


class Problem(AssertionError):
    """The server answered with a problem document."""

    def __init__(self, status: int, document: dict[str, Any]) -> None:
        super().__init__(f"{status}: {document}")
        self.status = status
        self.document = document


class Management:
    """Calls with one bearer token."""

    def __init__(self, endpoint: str, ca: Path, token: str | None = None) -> None:
        self.endpoint = endpoint
        self.token = token
        self._session = session(ca, token)

    def call(self, method: str, path: str, body: Any = None, query: dict[str, Any] | None = None) -> Any:
        """One call; the decoded answer, or None where there is no body."""
        answer = self._session.request(method, self.endpoint + path, json=body, params=query, timeout=30)
        if answer.status_code >= 400:
            try:
                document = answer.json()
            except ValueError:
                document = {"detail": answer.text}
            raise Problem(answer.status_code, document)
        return answer.json() if answer.content else None

    def items(self, collection: str, **query: Any) -> list[dict[str, Any]]:
        """All items of a collection, page by page."""
        found: list[dict[str, Any]] = []
        after: str | None = None
        while True:
            page = self.call(
                "GET", f"/v1/{collection}", query={**query, "limit": PAGE, **({"after": after} if after else {})}
            )
            found += page["items"]
            after = page.get("next")
            if after is None:
                return found

    def access_keys(self, **query: Any) -> list[dict[str, Any]]:
        return self.items("accessKeys", **query)

    def access_keys_of(self, login: str) -> list[dict[str, Any]]:
        """The live keys of the user with this login; none when there is no such user."""
        ids = [user["id"] for user in self.items("users") if user["login"] == login]
        return [key for key in self.access_keys() if key["userId"] in ids]

    def revoke(self, access_key_id: str) -> None:
        self.call("DELETE", f"/v1/accessKeys/{access_key_id}")

    def revoke_token(self, name: str) -> None:
        """End the API token of that name."""
        for token in self.items("tokens"):
            if token["name"] == name:
                self.call("DELETE", f"/v1/tokens/{token['id']}")

    def audit(self, **query: Any) -> list[dict[str, Any]]:
        return self.items("auditEvents", **query)


def first_token(endpoint: str, ca: Path, password: str, name: str = "operator") -> str:
    """Sign in as the global administrator, verify the password, and make the operator's token."""
    visitor = Management(endpoint, ca)
    session = visitor.call("POST", "/v1/sessions", {"login": ADMINISTRATOR, "password": password})
    signed_in = Management(endpoint, ca, session["token"])
    signed_in.call("POST", "/v1/sessions/verify", {"password": password})
    made = signed_in.call("POST", "/v1/tokens", {"name": name, "scopes": list(OPERATOR_SCOPES)})
    token: str = made["token"]
    return token
