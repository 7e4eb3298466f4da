"""What a server at rest holds of the work that it has done."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from harness import tls
from harness.management import ADMINISTRATOR, Management
from harness.management_server import ManagementServer
from harness.memory import resident
from harness.running import started
from s3.world import MIB

# What one password takes while it is verified.
ONE_HASH = 19 * MIB


def test_passwords_that_were_verified_leave_no_memory_behind(tmp_path: Path) -> None:
    certificates = tls.make_certificates(tmp_path / "pki")
    with started(ManagementServer(tmp_path / "server", certificates, options=("--rate-limit", "0"))) as server:
        visitor = Management(server.endpoint, certificates.ca)

        def sign_in(_: int) -> None:
            visitor.call("POST", "/v1/sessions", {"login": ADMINISTRATOR, "password": server.password})

        sign_in(0)
        before = resident(server.process.pid)
        with ThreadPoolExecutor(4) as threads:
            list(threads.map(sign_in, range(12)))
        assert resident(server.process.pid) - before < ONE_HASH
