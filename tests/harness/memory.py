"""Reading another process's memory, as somebody with root on its machine could."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator
from pathlib import Path

_REGION = re.compile(r"^([0-9a-f]+)-([0-9a-f]+) (\S+) \S+ \S+ \S+ *(.*)$")


def regions(pid: int) -> Iterator[tuple[str, bytes]]:
    """What the process has written or may write: name and content of each such region. It must not be our own."""
    maps = Path(f"/proc/{pid}/maps").read_text()
    with open(f"/proc/{pid}/mem", "rb", buffering=0) as memory:
        for line in maps.splitlines():
            match = _REGION.match(line)
            if match is None or not match.group(3).startswith("rw"):
                continue
            start, end = int(match.group(1), 16), int(match.group(2), 16)
            try:
                memory.seek(start)
                yield match.group(4) or "anonymous", memory.read(end - start)
            except OSError:
                # Unmapped since, or never backed by anything.
                continue


def resident(pid: int) -> int:
    """Bytes of memory that the process has."""
    with open(f"/proc/{pid}/status") as status:
        return next(int(line.split()[1]) * 1024 for line in status if line.startswith("VmRSS:"))


def copies(pid: int, needles: Iterable[bytes]) -> Counter[bytes]:
    """How often each of these is in the memory of a process."""
    found: Counter[bytes] = Counter()
    wanted = list(needles)
    for _, content in regions(pid):
        for needle in wanted:
            found[needle] += content.count(needle)
    return found
