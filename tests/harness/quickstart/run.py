"""The folder target/quickstart: its files, its start scripts, and which running processes are ours."""

from __future__ import annotations

import os
import shlex
import shutil
import signal
import subprocess
from collections.abc import Callable, Sequence
from pathlib import Path

from harness.paths import REPOSITORY
from harness.quickstart.ui import StepFailed
from harness.waiting import Late, until

FOLDER = REPOSITORY / "target" / "quickstart"
# In the order in which they are stopped.
NAMES = ("operator", "server", "controller-manager", "apiserver", "etcd")
# What a person starts again lies at the top, the rest of the scripts out of the way.
AT_TOP = ("server", "operator")

SCRIPT = """\
#!/bin/sh
# Starts `{name}` again as `make quickstart` did, in the background.
set -eu
pid_file={pid_file}
pid=$(cat "$pid_file" 2>/dev/null || echo none)
alive() {{
  state=$(sed 's/.*) //; s/ .*//' "/proc/$pid/stat" 2>/dev/null) && [ "$state" != Z ]
}}
# One that was killed a moment ago takes a moment to let go of its ports.
for _ in 1 2 3 4 5 6 7 8 9 10; do
  alive || break
  sleep 0.1
done
if alive && grep -qaF {folder} "/proc/$pid/cmdline"; then
  echo "{name} is already running, pid $pid"
  exit 0
fi
setsid {command} </dev/null >>{log} 2>&1 &
echo $! >"$pid_file"
echo "{name} started, pid $(cat "$pid_file"), log "{log}
"""


class Run:
    """The quick start of this checkout; there is at most one."""

    def __init__(self, folder: Path = FOLDER) -> None:
        self.folder = folder
        self.logs = folder / "logs"
        self.pids = folder / "pids"
        self.state = folder / "state"
        self.kubeconfig = folder / "kubeconfig"
        self.env = folder / "env"
        self.context_file = self.state / "context"
        self.manifests_file = self.state / "manifests"

    def prepare(self) -> None:
        """An empty folder; what is in `state` is private."""
        shutil.rmtree(self.folder, ignore_errors=True)
        for folder in (self.folder, self.logs, self.pids, self.state):
            folder.mkdir(parents=True)
        self.state.chmod(0o700)

    def log(self, name: str) -> Path:
        return self.logs / f"{name}.log"

    def script(self, name: str) -> Path:
        return (self.folder if name in AT_TOP else self.state) / f"start-{name}"

    def launch(self, name: str, command: Sequence[str | Path], ready: Callable[[], bool], deadline: float = 60) -> None:
        """Write the start script of a process and start it with that."""
        text = SCRIPT.format(
            name=name,
            pid_file=shlex.quote(str(self.pids / name)),
            folder=shlex.quote(str(self.folder)),
            command=shlex.join(str(part) for part in command),
            log=shlex.quote(str(self.log(name))),
        )
        self.script(name).write_text(text)
        self.script(name).chmod(0o755)
        self.start(name, ready, deadline)

    def start(self, name: str, ready: Callable[[], bool], deadline: float = 60) -> None:
        """Start a process by its script, and wait until it is ready."""
        subprocess.run([self.script(name)], check=True, stdout=subprocess.DEVNULL)

        def up() -> bool:
            if self.pid(name) is None:
                raise StepFailed(f"'{name}' exited while starting", self.log(name))
            return ready()

        try:
            until(up, f"'{name}' to be ready", deadline)
        except Late as late:
            raise StepFailed(str(late), self.log(name)) from None

    def pid(self, name: str) -> int | None:
        """The pid of our process of that name while it runs. A pid that others have by now is not ours."""
        try:
            pid = int((self.pids / name).read_text())
            command = command_of(pid)
        except (OSError, ValueError):
            return None
        return pid if str(self.folder).encode() in command else None

    def running(self) -> list[str]:
        return [name for name in NAMES if self.pid(name) is not None]

    def stop(self, name: str, grace: float = 35.0) -> None:
        """SIGTERM, and SIGKILL for one that does not go."""
        pid = self.pid(name)
        if pid is None:
            return
        os.kill(pid, signal.SIGTERM)
        try:
            until(lambda: self.pid(name) is None, f"'{name}' to stop", grace)
        except Late:
            os.kill(pid, signal.SIGKILL)
            until(lambda: self.pid(name) is None, f"'{name}' to be gone", 10)
        (self.pids / name).unlink(missing_ok=True)

    def context(self) -> str | None:
        """The context of somebody's cluster that this quick start uses, or None for its own control plane."""
        return self.context_file.read_text() if self.context_file.exists() else None

    def forget(self) -> None:
        """Remove everything but the logs: tokens, keys and data of a quick start that is over."""
        for name in ("pids", "state"):
            shutil.rmtree(self.folder / name, ignore_errors=True)
        for path in (self.kubeconfig, self.env, *(self.script(name) for name in AT_TOP)):
            path.unlink(missing_ok=True)


def command_of(pid: int) -> bytes:
    """The command line of a living process; empty for one that is dead and not collected yet."""
    process = Path(f"/proc/{pid}")
    while True:
        command = (process / "cmdline").read_bytes()
        dead = (process / "stat").read_text().rpartition(")")[2].split()[0] in "ZX"
        # Nothing is there either while a process is becoming another program, which takes no time.
        if command or dead:
            return b"" if dead else command
