"""Whether key pairs open the door: one signed request each, many at a time."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials as Pair

from harness.http import session
from harness.management_server import ManagementServer
from harness.s3 import Credentials

AT_A_TIME = 4


class Door:
    """The S3 endpoint of one management server."""

    def __init__(self, server: ManagementServer) -> None:
        self._url = server.s3_endpoint + "/"
        self._region = server.region
        self._session = session(Path(server.certificates.ca))

    def opens(self, pair: Credentials) -> bool:
        """Whether `ListBuckets` is answered; a refusal is no, anything else is an error."""
        request = AWSRequest("GET", self._url, headers={"x-amz-content-sha256": "UNSIGNED-PAYLOAD"})
        SigV4Auth(Pair(pair.access_key_id, pair.secret_access_key), "s3", self._region).add_auth(request)
        answer = self._session.get(self._url, headers=dict(request.headers), timeout=20)
        assert answer.status_code in (200, 403), f"the data plane answered {answer.status_code}"
        return answer.status_code == 200

    def open_all(self, pairs: dict[str, Credentials]) -> dict[str, bool]:
        """The same of many, by name."""
        with ThreadPoolExecutor(AT_A_TIME) as threads:
            return dict(zip(pairs, threads.map(self.opens, pairs.values()), strict=True))
