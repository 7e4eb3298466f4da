"""What passed the two proxies, in order of arrival. It holds secrets: it stays in memory, and nothing prints it."""

from __future__ import annotations

import enum
import threading
from dataclasses import dataclass, field

from harness.proxy import FaultProxy
from harness.proxy.messages import Request

# What a client makes anew for each request, or for each connection.
OF_THE_REQUEST = frozenset({"host", "content-length", "transfer-encoding", "connection", "x-amz-date"})


class Side(enum.Enum):
    """Which server a request was for."""

    KUBERNETES = "Kubernetes"
    PROVIDER = "provider"


@dataclass(frozen=True)
class Passed:
    """One request as it was sent. `target` is its path and query."""

    side: Side
    method: str
    target: str
    headers: dict[str, str] = field(default_factory=dict, repr=False)
    body: bytes = field(default=b"", repr=False)

    @classmethod
    def of(cls, side: Side, request: Request) -> Passed:
        headers = {name: value for name, value in request.head.headers.items() if name not in OF_THE_REQUEST}
        return cls(side, request.method, request.target, headers, request.content())


class Recorder:
    """Looks on at both proxies, from when it is made."""

    def __init__(self, kubernetes: FaultProxy, provider: FaultProxy) -> None:
        self._lock = threading.Lock()
        self._passed: list[Passed] = []
        kubernetes.on_request = lambda request: self._note(Side.KUBERNETES, request)
        provider.on_request = lambda request: self._note(Side.PROVIDER, request)

    def _note(self, side: Side, request: Request) -> None:
        passed = Passed.of(side, request)
        with self._lock:
            self._passed.append(passed)

    def __len__(self) -> int:
        return len(self._passed)

    def start(self) -> None:
        """From now on, and nothing from before."""
        with self._lock:
            self._passed.clear()

    def passed(self) -> list[Passed]:
        with self._lock:
            return list(self._passed)
