"""How many AccessKeys become Ready in a second at each provider, and what calls each one costs.

For each store a control plane, the store, a proxy in front of both and an operator are started on loopback, and ended.
The operator makes N AccessKeys of one StorageUser Ready, all created at once; every call that passes the proxies is
counted by what it is for. Then the operator is stopped, and a plain client makes the same calls for as many keys more:
those of the recording, in its order, with names, ids, nonces and secrets of their own.

Bars, for each store:
  * provider calls per key that are not the mapping's own: at most 2, one to write it and one to look at what was
    written. The mapping's own are those that give a key its rights where the provider has no permission levels: names
    and rights of buckets at Garage; none at Ceph RGW, where a key is written with its policy.
  * keys per second: at least 0.7 of the plain client's. The plain client is Python, and has a process of its own.

All figures are counts and ratios within one run. Exit code 0: every bar holds; 1: one is missed, or nothing could be
measured; 2: wrong usage.
"""

from __future__ import annotations

import argparse
import logging
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

from harness import garage, paths, rgw
from providers.bench import report, scene
from providers.bench.plain import Refused
from providers.bench.report import Conditions
from providers.bench.verdict import Figures
from providers.stores import STORES

MOST_KEYS = 9999


def number(text: str) -> int:
    if not text.isdecimal() or not 1 <= int(text) <= MOST_KEYS:
        raise argparse.ArgumentTypeError(f"'{text}' must be a number from 1 to {MOST_KEYS}")
    return int(text)


def parser() -> argparse.ArgumentParser:
    made = argparse.ArgumentParser(
        "python -m providers.bench", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    stores = ", ".join(STORES)
    made.add_argument("--keys", type=number, default=100, metavar="N", help="AccessKeys of each run (100)")
    made.add_argument(
        "--store",
        action="append",
        choices=list(STORES),
        metavar="NAME",
        help=f"only that one, may be repeated: {stores}",
    )
    made.add_argument("--sequence", action="store_true", help="print the calls of one key too, in order")
    made.add_argument("--json", type=Path, metavar="FILE", help="write the figures there too; '-': print nothing else")
    made.add_argument(
        "--profile", metavar="NAME", help="what STOREKEEPER_BIN was built as, for the heading (the name of its folder)"
    )
    return made


class Progress:
    """A line on standard error: rewritten on a terminal, elsewhere once for each thing that is done."""

    def __init__(self) -> None:
        self._terminal = sys.stderr.isatty()
        self._last = ""
        self._next = 0.0

    def say(self, text: str) -> None:
        counting = text.partition(":")[0]
        if text == self._last or (counting == self._last.partition(":")[0] and time.monotonic() < self._next):
            return
        self._last, self._next = text, time.monotonic() + (0.2 if self._terminal else 5)
        print(
            f"\r\033[K{text}" if self._terminal else text,
            end="" if self._terminal else "\n",
            file=sys.stderr,
            flush=True,
        )

    def clear(self) -> None:
        if self._terminal:
            print("\r\033[K", end="", file=sys.stderr, flush=True)


def conditions(profile: str | None) -> Conditions:
    binary = paths.storekeeper_binary()
    version = subprocess.run([binary, "--version"], check=True, capture_output=True, text=True).stdout.strip()
    server = subprocess.run([paths.tools() / "kube-apiserver", "--version"], check=True, capture_output=True, text=True)
    cores = len(os.sched_getaffinity(0))
    kubernetes = server.stdout.split()[-1]
    return Conditions(cores, version, profile or binary.resolve().parent.name, kubernetes, scene.WORKERS, scene.TURNS)


def main(arguments: list[str] | None = None) -> int:
    given = parser().parse_args(arguments)
    # It warns of every connection that a stopped operator leaves behind.
    logging.getLogger("asyncio").setLevel(logging.ERROR)
    progress = Progress()
    only_json = given.json is not None and str(given.json) == "-"
    stores: list[Figures] = []
    try:
        there = conditions(given.profile)
        # What is measured is printed at once: a run takes minutes, and may be interrupted.
        print("" if only_json else there.as_text() + "\n", end="", flush=True)
        for name in given.store or STORES:
            stores.append(scene.measure(name, given.keys, lambda text, name=name: progress.say(f"{name}, {text}")))
            progress.clear()
            print("" if only_json else f"\n{report.of_store(stores[-1], given.sequence)}\n", end="", flush=True)
    except (AssertionError, FileNotFoundError, Refused, scene.Uneven, rgw.Missing, garage.Missing) as error:
        progress.clear()
        print(f"error: {error}", file=sys.stderr)
        return 1
    if given.json is not None and not only_json:
        given.json.write_text(report.as_json(there, stores) + "\n")
    print(report.as_json(there, stores) if only_json else f"\n{report.end(stores)}", flush=True)
    return 0 if all(figures.passed for figures in stores) else 1


if __name__ == "__main__":
    # Also whoever is told to end in that way ends what it has started, and removes it.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        sys.exit(main())
    except KeyboardInterrupt:
        print("\ninterrupted", file=sys.stderr)
        sys.exit(130)
