"""One child process: started into a log file, waited for until it is ready, stopped by pid."""

from __future__ import annotations

import os
import signal
import subprocess
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from harness.reaper import Reaper
from harness.waiting import Late, until

_reaper = Reaper()


class Died(AssertionError):
    """A process ended although it must run."""


def tail(log: Path, lines: int = 15) -> str:
    """The last lines of a log, for an error message."""
    text = log.read_text(errors="replace").splitlines() if log.exists() else []
    return "\n".join(text[-lines:])


class Process:
    """A command with its log, in a process group of its own that ends with the test run, however that ends."""

    def __init__(
        self, name: str, command: Sequence[str | Path], log: Path, environment: Mapping[str, str] | None = None
    ) -> None:
        self.name = name
        self.command = [str(part) for part in command]
        self.log = log
        self.environment = dict(environment or {})
        self._child: subprocess.Popen[bytes] | None = None

    @property
    def pid(self) -> int:
        assert self._child is not None, f"'{self.name}' was not started"
        return self._child.pid

    def running(self) -> bool:
        return self._child is not None and self._child.poll() is None

    def start(self, ready: Callable[[], bool], deadline: float = 60.0) -> None:
        """Start it and wait until `ready` says so. Its log is appended to."""
        assert not self.running(), f"'{self.name}' is running already"
        self.log.parent.mkdir(parents=True, exist_ok=True)
        with open(self.log, "ab") as log:
            self._child = subprocess.Popen(
                self.command,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                env={**os.environ, **self.environment},
                start_new_session=True,
            )
        _reaper.add(self._child.pid)

        def up() -> bool:
            if not self.running():
                raise Died(f"'{self.name}' exited with {self.exit_code()}; the end of {self.log}:\n{tail(self.log)}")
            return ready()

        try:
            until(up, f"'{self.name}' to be ready", deadline)
        except Late as late:
            self.kill()
            raise Late(f"{late}; the end of {self.log}:\n{tail(self.log)}") from None

    def exit_code(self) -> int | None:
        return None if self._child is None else self._child.poll()

    def stop(self, grace: float = 35.0) -> int | None:
        """SIGTERM, then SIGKILL after `grace` seconds; the exit code, or None if it never ran."""
        if self._child is None:
            return None
        if self.running():
            self._child.terminate()
            try:
                self._child.wait(grace)
            except subprocess.TimeoutExpired:
                self.kill()
        self._forget()
        return self._child.returncode

    def kill(self) -> None:
        """SIGKILL, to the whole group; returns when it is gone."""
        if self._child is None:
            return
        if self.running():
            os.killpg(self._child.pid, signal.SIGKILL)
        self._child.wait()
        self._forget()

    def _forget(self) -> None:
        assert self._child is not None
        _reaper.remove(self._child.pid)
