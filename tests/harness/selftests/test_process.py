"""Whatever a run starts ends with it, also when the run is SIGKILLed."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from harness.process import Died, Process
from harness.waiting import until

TESTS = Path(__file__).resolve().parents[2]
SLEEPER = [sys.executable, "-c", "import time; print('up', flush=True); time.sleep(600)"]


def gone(pid: int) -> bool:
    """Not there, or dead and only waiting to be collected by init."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] == "Z"
    except FileNotFoundError:
        return True


def test_a_process_is_ready_when_its_probe_says_so_and_stops_by_pid(tmp_path: Path) -> None:
    log = tmp_path / "log"
    process = Process("sleeper", SLEEPER, log)
    process.start(lambda: "up" in log.read_text())
    pid = process.pid
    assert process.running() and not gone(pid)
    assert process.stop() == -signal.SIGTERM
    assert gone(pid)


def test_a_process_that_dies_while_starting_says_why(tmp_path: Path) -> None:
    process = Process("broken", [sys.executable, "-c", "raise SystemExit('no such option')"], tmp_path / "log")
    with pytest.raises(Died, match="no such option"):
        process.start(lambda: False)


def test_the_children_of_a_sigkilled_run_are_killed(tmp_path: Path) -> None:
    code = f"""
import pathlib, time
from harness.process import Process
log = pathlib.Path({str(tmp_path / "log")!r})
process = Process("sleeper", {SLEEPER!r}, log)
process.start(lambda: "up" in log.read_text())
print(process.pid, flush=True)
time.sleep(600)
"""
    run = subprocess.Popen([sys.executable, "-c", code], cwd=TESTS, stdout=subprocess.PIPE, text=True)
    assert run.stdout is not None
    child = int(run.stdout.readline())
    assert not gone(child)
    os.kill(run.pid, signal.SIGKILL)
    run.wait()
    run.stdout.close()
    until(lambda: gone(child), "the child to be killed")
