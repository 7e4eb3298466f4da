"""`storekeeper server` as a process: started, stopped, killed, and started again on the same data."""

from __future__ import annotations

import secrets
from pathlib import Path

from harness import paths, tls
from harness.http import answers
from harness.management import Management, first_token
from harness.ports import free_port
from harness.process import Process

REGION = "storekeeper"


class ManagementServer:
    """The management API and its S3 data plane on two loopback ports, with TLS."""

    def __init__(
        self,
        folder: Path,
        certificates: tls.Certificates,
        *,
        logs: Path | None = None,
        port: int | None = None,
        s3_port: int | None = None,
        options: tuple[str, ...] = (),
        within: tuple[str | Path, ...] = (),
    ) -> None:
        """`within`: a command that runs the server, such as one that limits it."""
        self.folder = folder
        self.certificates = certificates
        self.region = REGION
        self.password = secrets.token_urlsafe(18)
        listen = f"127.0.0.1:{port or free_port()}"
        s3_listen = f"127.0.0.1:{s3_port or free_port()}"
        self.endpoint = f"https://{listen}"
        self.s3_endpoint = f"https://{s3_listen}"
        command: list[str | Path] = [
            *within,
            *(paths.storekeeper_binary(), "server"),
            *("--data-dir", folder / "data"),
            *("--listen", listen, "--s3-listen", s3_listen),
            *("--tls-cert", certificates.cert, "--tls-key", certificates.key),
            *("--region", REGION),
            *("--admin-password-file", folder / "admin-password"),
            *("--log-format", "json"),
            *options,
        ]
        self.process = Process("server", command, (logs or folder) / "server.log")

    def ready(self) -> bool:
        return answers(f"{self.endpoint}/readyz", self.certificates.ca)

    def start(self) -> None:
        self.folder.mkdir(parents=True, exist_ok=True)
        tls.write_private(self.folder / "admin-password", self.password.encode())
        self.process.start(self.ready)

    def stop(self) -> int | None:
        return self.process.stop()

    def kill(self) -> None:
        self.process.kill()

    def client(self, name: str = "operator") -> tuple[Management, str]:
        """A client with a new administrator's token, and that token."""
        token = first_token(self.endpoint, self.certificates.ca, self.password, name)
        return Management(self.endpoint, self.certificates.ca, token), token
