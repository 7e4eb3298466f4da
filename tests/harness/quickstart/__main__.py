"""`python -m harness.quickstart up|down`."""

from __future__ import annotations

import argparse
import sys

from harness.quickstart.down import down
from harness.quickstart.run import Run
from harness.quickstart.ui import StepFailed, Ui
from harness.quickstart.up import up


def main() -> int:
    parser = argparse.ArgumentParser(prog="quickstart", description="storekeeper's quick start")
    actions = parser.add_subparsers(dest="action", required=True)
    starting = actions.add_parser("up", help="build, start, apply, prove, and leave it running")
    starting.add_argument("--context", help="use this kubeconfig context instead of a control plane of its own")
    actions.add_parser("down", help="stop what runs")
    arguments = parser.parse_args()
    ui, run = Ui(), Run()
    try:
        if arguments.action == "up":
            up(ui, run, arguments.context)
        else:
            down(ui, run)
    except StepFailed as failed:
        ui.failure(failed)
        if run.running() or run.context() is not None:
            ui.say(f"Still there, to look at: {', '.join(run.running())}. Stop with: make quickstart-down")
        return 1
    except KeyboardInterrupt:
        ui.say("\ninterrupted; stop with: make quickstart-down")
        return 130
    return 0


if __name__ == "__main__":
    sys.exit(main())
