"""The fault matrix: what may go wrong with one request, at every step of the protocol, on real parts.

What lives here: which plans there are (plans.py), how one is carried out (scenario.py) and which requests it is about
(aim.py), what is read afterwards and must hold (evidence.py, stores.py, invariants.py), many at a time (site.py,
runner.py, journal.py), and the command line
(`python -m faults`). What must not: starting processes and carrying requests; that is the harness's.
"""
