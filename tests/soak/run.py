"""Two operators without a lock, killed again and again, while keys come and go; then the reckoning.

Starts a control plane, a management server and two operators of its own, all on loopback, and ends them. People create
AccessKeys, delete them and their Secrets, ask for new keys, revoke keys and create some again under the same name, by a
script that the seed decides. Every few seconds an operator is SIGKILLed; of all answers, to both sides, a share is lost
after the request was executed. Then it is left alone until quiet, and judged: by every write that etcd saw, by the
provider's list and audit log, and by using every key.

Exit code 0: no violation; 1: some; 2: wrong usage.
"""

from __future__ import annotations

import argparse
import logging
import random
import re
import sys
import tempfile
from pathlib import Path

from soak.soak import Settings, Soak

UNITS = {"s": 1, "m": 60, "h": 3600}


def seconds(text: str) -> float:
    """`90s`, `10m`, `1h`, or a number of seconds."""
    match = re.fullmatch(r"(\d+(?:\.\d+)?)([smh]?)", text)
    if match is None:
        raise argparse.ArgumentTypeError(f"'{text}' must be a time such as 90s, 10m or 1h")
    return float(match.group(1)) * UNITS[match.group(2) or "s"]


def share(text: str) -> float:
    try:
        found = float(text)
    except ValueError:
        found = -1.0
    if not 0 <= found <= 0.5:
        raise argparse.ArgumentTypeError(f"'{text}' must be a number from 0 to 0.5")
    return found


def parser() -> argparse.ArgumentParser:
    made = argparse.ArgumentParser(
        "python -m soak.run", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    made.add_argument("--duration", type=seconds, default=600.0, metavar="TIME", help="time under fire (10m)")
    made.add_argument("--objects", type=int, default=500, metavar="NUMBER", help="names of AccessKeys (500)")
    made.add_argument("--seed", type=int, metavar="NUMBER", help="of the script (a random one, which is printed)")
    made.add_argument("--kill-every", type=seconds, default=10.0, metavar="TIME", help="per operator, on average (10s)")
    made.add_argument("--drop", type=share, default=0.01, metavar="SHARE", help="of answers that are lost (0.01)")
    made.add_argument("--json", type=Path, metavar="FILE", help="write the report there too; '-': print nothing else")
    made.add_argument("--keep", type=Path, metavar="FOLDER", help="keep logs and data in this new folder")
    return made


def main(arguments: list[str] | None = None) -> int:
    given = parser().parse_args(arguments)
    # It warns of every connection that a killed operator leaves behind.
    logging.getLogger("asyncio").setLevel(logging.ERROR)
    seed = given.seed if given.seed is not None else random.SystemRandom().randrange(1_000_000)
    to_stdout = given.json is not None and str(given.json) == "-"
    settings = Settings(
        seed, given.duration, given.objects, mean_life=given.kill_every, drop=given.drop, talks=not to_stdout
    )
    with tempfile.TemporaryDirectory(prefix="storekeeper-soak-") as scratch:
        if given.keep is not None:
            given.keep.mkdir(parents=True)
        report = Soak(given.keep or Path(scratch), settings).run()
    if given.json is not None and not to_stdout:
        given.json.write_text(report.as_json() + "\n")
    print(report.as_json() if to_stdout else report.as_text(), flush=True)
    return 1 if report.violations else 0


if __name__ == "__main__":
    sys.exit(main())
