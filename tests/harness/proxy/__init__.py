"""The fault proxy: TLS in, TLS out, HTTP/1.1 in between, and it understands what it carries.

What lives here: reading and writing messages (messages.py), naming a request by the protocol step that it is
(points.py, garage_points.py), rules that pick one occurrence of a point and say what happens to it (rules.py), and the
forwarding that carries this out (forward.py, server.py). What must not: knowledge of what the right outcome is; that is
for the tests.
"""

from harness.proxy.rules import Fault, Rule
from harness.proxy.server import FaultProxy, Seen

__all__ = ["Fault", "FaultProxy", "Rule", "Seen"]
