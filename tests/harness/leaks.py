"""Looking for secrets in text: whole or in pieces, in the spellings that programs give them.

A piece counts from `PIECE` characters on: what a log cut off in the middle of a secret still gives away.
"""

from __future__ import annotations

import base64
import os
import re
import subprocess
import tempfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

PIECE = 10
_STEP = 5


def _pieces(text: str, length: int = PIECE) -> Iterator[str]:
    """Pieces such that anything as long as `length + _STEP - 1` of the text has one of them in it."""
    if len(text) <= length:
        yield text
        return
    for start in range(0, len(text) - length + 1, _STEP):
        yield text[start : start + length]


def _base64(raw: bytes) -> Iterator[str]:
    """What base64 of anything that contains these bytes has in it, wherever they begin in it."""
    for skipped in range(3):
        rest = raw[skipped:]
        encoded = base64.b64encode(rest[: len(rest) - len(rest) % 3]).decode()
        yield encoded
        yield encoded.translate(str.maketrans("+/", "-_"))


def spellings(secret: str | bytes) -> dict[str, set[str]]:
    """Pieces of a secret, by the name of their spelling. White space is taken out of texts and pieces alike."""
    raw = secret.encode() if isinstance(secret, str) else secret
    found: dict[str, set[str]] = {
        "base64": {piece for whole in _base64(raw) for piece in _pieces(whole, PIECE + 4)},
        "hexadecimal": set(_pieces(raw.hex(), 2 * PIECE)),
        "HEXADECIMAL": set(_pieces(raw.hex().upper(), 2 * PIECE)),
        "bytes": {",".join(map(str, raw[start : start + PIECE])) for start in range(0, len(raw) - PIECE + 1, _STEP)},
    }
    if isinstance(secret, str):
        found["plain"] = set(_pieces(secret))
        found["reversed"] = set(_pieces(secret[::-1]))
        found["in a URL"] = set(_pieces(quote(secret, safe=""))) | set(_pieces(quote(secret).lower()))
    return found


def flat(text: str) -> str:
    """Without white space: a secret that is broken into lines is one all the same."""
    return re.sub(r"\s+|\\n", "", text)


@dataclass(frozen=True)
class Leak:
    """One secret in one place. It names neither the secret nor the text."""

    secret: str
    place: str
    spelling: str

    def __str__(self) -> str:
        return f"{self.secret}: {self.spelling} in {self.place}"


def leaks(secrets: Mapping[str, str | bytes], texts: Mapping[str, str]) -> list[Leak]:
    """Which of the secrets (by what they are called) are in which of the texts (by where they are)."""
    whose: dict[str, set[tuple[str, str]]] = {}
    for called, secret in secrets.items():
        for spelling, pieces in spellings(secret).items():
            for piece in pieces:
                whose.setdefault(piece, set()).add((called, spelling))
    found: dict[Leak, None] = {}
    # Thousands of pieces in megabytes of logs: grep looks for all of them at once.
    with tempfile.NamedTemporaryFile("w") as patterns:
        patterns.write("\n".join(whose))
        patterns.flush()
        for place, text in texts.items():
            done = subprocess.run(
                ["grep", "--text", "--only-matching", "--fixed-strings", f"--file={patterns.name}"],
                input=flat(text).encode(),
                capture_output=True,
                env={**os.environ, "LC_ALL": "C"},
            )
            assert done.returncode in (0, 1), done.stderr.decode()
            for piece in set(done.stdout.decode().split("\n")) - {""}:
                found |= {Leak(called, place, spelling): None for called, spelling in sorted(whose[piece])}
    return list(found)


def of_process(name: str, pid: int) -> dict[str, str]:
    """What the system tells anybody of a process: arguments, environment, names of threads and of open files."""
    proc = Path(f"/proc/{pid}")
    threads = [task / "comm" for task in (proc / "task").iterdir()]
    opened = []
    for entry in (proc / "fd").iterdir():
        try:
            opened.append(str(entry.readlink()))
        except OSError:
            continue
    return {
        f"arguments of {name}": (proc / "cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace"),
        f"environment of {name}": (proc / "environ").read_bytes().replace(b"\0", b" ").decode(errors="replace"),
        f"threads of {name}": " ".join(path.read_text() for path in threads if path.exists()),
        f"open files of {name}": " ".join(opened),
    }


def of_files(folder: Path, contents: bool = True) -> dict[str, str]:
    """The names of all files below a folder, and what is in them."""
    files = sorted(path for path in folder.rglob("*") if path.is_file())
    texts = {f"names below {folder.name}": " ".join(map(str, files))}
    if contents:
        texts |= {str(path.relative_to(folder.parent)): path.read_text("latin-1") for path in files}
    return texts
