"""A real Garage on loopback: one node, data in a folder. And its admin API, for set-up and assertions."""

from __future__ import annotations

import os
import secrets
import subprocess
import sys
from functools import cache
from pathlib import Path
from typing import Any

from harness import paths, tls
from harness.http import answers, session
from harness.ports import free_port
from harness.process import Process

REGION = "garage"
# What the operator needs, and no more: docs/providers/garage.md tells people the same.
SCOPE = (
    *("ListKeys", "GetKeyInfo", "CreateKey", "ImportKey", "UpdateKey", "DeleteKey"),
    *("ListBuckets", "GetBucketInfo", "CreateBucket", "UpdateBucket", "DeleteBucket"),
    *("AllowBucketKey", "DenyBucketKey", "AddBucketAlias", "GetNodeInfo"),
)

CONFIGURATION = """\
metadata_dir = "{folder}/meta"
data_dir = "{folder}/data"
db_engine = "lmdb"
replication_factor = 1
rpc_bind_addr = "127.0.0.1:{rpc}"
rpc_public_addr = "127.0.0.1:{rpc}"
rpc_secret = "{rpc_secret}"

[s3_api]
s3_region = "{region}"
api_bind_addr = "127.0.0.1:{s3}"

[admin]
api_bind_addr = "127.0.0.1:{admin}"
admin_token = "{token}"
"""


class Missing(Exception):
    """Garage is not there, and cannot be built here."""


@cache
def binary() -> Path:
    """The binary; `scripts/garage` builds it where it is missing."""
    done = subprocess.run(
        [paths.REPOSITORY / "scripts" / "garage"], stdout=subprocess.PIPE, stderr=sys.stderr, text=True
    )
    found = Path(done.stdout.strip())
    if done.returncode != 0 or not os.access(found, os.X_OK):
        raise Missing("Garage must be there: scripts/garage builds it, and did not")
    return found


def is_built() -> bool:
    """Whether it is there, so that nothing has to be built."""
    return subprocess.run([paths.REPOSITORY / "scripts" / "garage", "--installed"], capture_output=True).returncode == 0


class Refused(AssertionError):
    """Garage answered with an error."""

    def __init__(self, status: int, text: str) -> None:
        super().__init__(f"{status}: {text}")
        self.status = status


class Garage:
    """One node. Its data outlives a restart and goes with its folder."""

    def __init__(self, folder: Path, *, logs: Path | None = None) -> None:
        self.folder = folder
        self.region = REGION
        self._s3, self._admin = free_port(), free_port()
        self.endpoint = f"http://127.0.0.1:{self._admin}"
        self.s3_endpoint = f"http://127.0.0.1:{self._s3}"
        self._token = secrets.token_urlsafe(32)
        self._session = session(token=self._token)
        # The configuration holds secrets, and so does the command's environment not.
        command = [binary(), "-c", folder / "garage.toml", "server", "--single-node"]
        self.process = Process("garage", command, (logs or folder) / "garage.log", {"RUST_LOG": "garage=info"})

    def start(self) -> None:
        self.folder.mkdir(parents=True, exist_ok=True)
        configuration = self.folder / "garage.toml"
        if not configuration.exists():
            text = CONFIGURATION.format(
                folder=self.folder,
                rpc=free_port(),
                rpc_secret=secrets.token_hex(32),
                region=self.region,
                s3=self._s3,
                admin=self._admin,
                token=self._token,
            )
            tls.write_private(configuration, text.encode())
        self.process.start(lambda: answers(f"{self.endpoint}/health"))

    def stop(self) -> int | None:
        return self.process.stop(grace=10)

    def restart(self) -> None:
        self.stop()
        self.start()

    def token(self, name: str, scope: tuple[str, ...] = SCOPE) -> str:
        """A new admin token with these scopes."""
        made = self.post("CreateAdminToken", {"name": name, "scope": list(scope), "neverExpires": True})
        token: str = made["secretToken"]
        return token

    def get(self, operation: str, **query: str) -> Any:
        return self._answer(self._session.get(f"{self.endpoint}/v2/{operation}", params=query, timeout=30))

    def post(self, operation: str, body: Any = None, **query: str) -> Any:
        return self._answer(self._session.post(f"{self.endpoint}/v2/{operation}", json=body, params=query, timeout=30))

    def all_keys(self) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = self.get("ListKeys")
        return found

    def all_buckets(self) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = self.get("ListBuckets")
        return found

    @staticmethod
    def _answer(answer: Any) -> Any:
        if answer.status_code >= 400:
            raise Refused(answer.status_code, answer.text)
        return answer.json() if answer.content else None
