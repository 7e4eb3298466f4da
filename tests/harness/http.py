"""The one way in which the harness speaks HTTP: directly, whatever proxies or authorities the environment names."""

from __future__ import annotations

from pathlib import Path

import requests


def session(ca: Path | None = None, token: str | None = None) -> requests.Session:
    """A session that trusts `ca` only and sends `token` as a bearer token."""
    made = requests.Session()
    made.trust_env = False
    if ca is not None:
        made.verify = str(ca)
    if token is not None:
        made.headers["Authorization"] = f"Bearer {token}"
    return made


def answers(url: str, ca: Path | None = None, token: str | None = None) -> bool:
    """Whether a GET is answered with 200: the readiness probe of everything that is started here."""
    try:
        with session(ca, token) as asking:
            return asking.get(url, timeout=2).status_code == 200
    except requests.RequestException:
        return False
