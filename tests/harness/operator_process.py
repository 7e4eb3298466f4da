"""`storekeeper operator` as a process, under the kubeconfig of its ServiceAccount."""

from __future__ import annotations

from pathlib import Path

from harness import paths
from harness.http import answers, session
from harness.ports import free_port
from harness.process import Process

# Tests wait for what the operator notices by itself, so it looks more often than in production.
FAST = ("--secret-check-interval", "2s", "--resync-interval", "5s", "--log-level", "storekeeper=debug,info")


class OperatorProcess:
    """One operator. `options` are added to its command line."""

    def __init__(
        self,
        kubeconfig: Path,
        logs: Path,
        *,
        leader_election: bool = False,
        name: str = "operator",
        options: tuple[str, ...] = FAST,
    ) -> None:
        self.listen = f"127.0.0.1:{free_port()}"
        command: list[str | Path] = [
            *(paths.storekeeper_binary(), "operator"),
            *("--kubeconfig", kubeconfig),
            *("--listen", self.listen),
            *("--leader-election", "true" if leader_election else "false"),
            *("--log-format", "text"),
            *options,
        ]
        self.process = Process(name, command, logs / f"{name}.log")

    @property
    def log(self) -> Path:
        return self.process.log

    def ready(self) -> bool:
        return answers(f"http://{self.listen}/readyz")

    def start(self) -> None:
        self.process.start(self.ready)

    def stop(self) -> int | None:
        return self.process.stop()

    def kill(self) -> None:
        self.process.kill()

    def running(self) -> bool:
        return self.process.running()

    def leads(self) -> bool:
        """Whether this is the operator that works."""
        return "storekeeper_leader 1" in self.metrics().splitlines()

    def metrics(self) -> str:
        answer = session().get(f"http://{self.listen}/metrics", timeout=5)
        answer.raise_for_status()
        return answer.text
