"""The search for secrets finds them, and finds nothing else."""

from __future__ import annotations

import base64
import json
import os
import subprocess
import sys
from urllib.parse import quote

import pytest

from harness import memory
from harness.leaks import leaks, of_process

SECRET = "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY"
RAW = SECRET.encode()


@pytest.mark.parametrize(
    "text",
    [
        f"key={SECRET}.",
        f"cut off: {SECRET[:16]}",
        f"the rest of it: {SECRET[-16:]}",
        "\n".join(SECRET[start : start + 8] for start in range(0, 40, 8)),
        json.dumps({"data": base64.b64encode(RAW).decode()}),
        base64.b64encode(b"a" + RAW + b"b").decode(),
        base64.b64encode(b"ab" + RAW).decode(),
        base64.urlsafe_b64encode(b"[default]\n" + RAW + b"\n").decode(),
        RAW.hex(),
        RAW.hex().upper(),
        str(list(RAW)),
        json.dumps(list(RAW), indent=2),
        quote(SECRET, safe=""),
        f"https://example.com/?key={quote(SECRET, safe='').lower()}",
    ],
)
def test_a_secret_is_found_in_every_spelling(text: str) -> None:
    assert leaks({"it": SECRET}, {"here": text, "there": "nothing"})
    assert {leak.place for leak in leaks({"it": SECRET}, {"here": text, "there": "nothing"})} == {"here"}


def test_a_key_of_bytes_is_found() -> None:
    raw = bytes(range(200, 232))
    for text in (raw.hex(), base64.b64encode(raw).decode(), str(list(raw))):
        assert leaks({"key": raw}, {"here": text})


def test_chance_is_not_taken_for_a_secret() -> None:
    text = f"{SECRET[:9]} {base64.b64encode(os.urandom(200_000)).decode()} {os.urandom(100_000).hex()}"
    assert leaks({"it": SECRET}, {"here": text}) == []


def test_a_process_and_its_memory_are_looked_into() -> None:
    code = f"import sys; kept = bytes({list(RAW)!r}); print('ready', flush=True); sys.stdin.read()"
    child = subprocess.Popen(
        [sys.executable, "-c", code],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        env={**os.environ, "CANARY": SECRET},
    )
    try:
        assert child.stdout is not None
        assert child.stdout.readline() == b"ready\n"
        places = {leak.place for leak in leaks({"it": SECRET}, of_process("child", child.pid))}
        assert places == {"arguments of child", "environment of child"}
        assert memory.copies(child.pid, [RAW, b"not there: " + RAW])[RAW] > 0
    finally:
        child.kill()
        child.communicate()
