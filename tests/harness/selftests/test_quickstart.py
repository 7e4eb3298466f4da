"""The quick start's own machinery: processes that outlive it, and what it prints."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from harness.quickstart import ui as screen
from harness.quickstart.run import Run
from harness.quickstart.ui import StepFailed, Ui, clock
from harness.waiting import until

CODE = "import sys, time; print('up', flush=True); time.sleep(600)"


def launch(run: Run, code: str = CODE) -> None:
    command = [sys.executable, "-c", code, str(run.folder)]
    run.launch("server", command, lambda: "up" in run.log("server").read_text(), 20)


@pytest.fixture
def run(tmp_path: Path) -> Run:
    made = Run(tmp_path / "quick start")
    made.prepare()
    return made


def test_its_script_starts_a_killed_process_again_and_never_a_second_one(run: Run) -> None:
    try:
        launch(run)
        first = run.pid("server")
        assert first is not None
        said = subprocess.run([run.script("server")], check=True, capture_output=True, text=True).stdout
        assert f"already running, pid {first}" in said
        os.kill(first, signal.SIGKILL)
        until(lambda: run.pid("server") is None, "the process to be gone")
        subprocess.run([run.script("server")], check=True, capture_output=True)
        second = run.pid("server")
        assert second not in (None, first)
    finally:
        run.stop("server")
    assert run.running() == []


def test_a_pid_that_somebody_else_has_is_not_ours(run: Run) -> None:
    (run.pids / "server").write_text(str(os.getpid()))
    assert run.pid("server") is None
    run.stop("server")


def test_a_process_that_exits_while_starting_fails_its_step(run: Run) -> None:
    with pytest.raises(StepFailed, match="exited while starting"):
        launch(run, "raise SystemExit('bad option')")
    until(lambda: "bad option" in run.log("server").read_text(), "the log to say why")


def test_when_it_is_over_only_the_logs_are_left(run: Run) -> None:
    run.env.write_text("S3_REGION=storekeeper\n")
    run.script("operator").write_text("#!/bin/sh\n")
    run.log("operator").write_text("a line\n")
    run.forget()
    assert [path.name for path in run.folder.iterdir()] == ["logs"]


def test_a_long_step_moves_also_without_a_terminal(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(screen, "QUIET_PERIOD", 0.05)
    with Ui().step("building") as step:
        step.now = "half of it"
        until(lambda: "half of it" in capsys.readouterr().out, "a sign of life", 5)
        step.done = "built"
    printed = capsys.readouterr().out
    assert "✓ built" in printed
    assert "\033" not in printed


def test_a_failed_step_shows_the_end_of_its_log(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    log = tmp_path / "log"
    log.write_text("\n".join(f"line {number}" for number in range(100)))
    ui = Ui()
    with pytest.raises(StepFailed) as failed:
        with ui.step("starting"):
            raise StepFailed("it did not start", log)
    ui.failure(failed.value)
    printed = capsys.readouterr().out
    assert "✗ starting" in printed
    assert "line 99" in printed
    assert "line 10\n" not in printed
    assert f"The whole log: {log}" in printed


@pytest.mark.parametrize(("seconds", "text"), [(0.21, "0.2s"), (12.4, "12s"), (331, "5m 31s"), (59.7, "1m 00s")])
def test_times_are_written_as_people_read_them(seconds: float, text: str) -> None:
    assert clock(seconds) == text
