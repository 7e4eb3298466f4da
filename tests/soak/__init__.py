"""Kills by the hundred: what must hold of storekeeper whatever happens to its processes, seen from outside.

What lives here: the facts as Kubernetes and the provider tell them (facts.py, history.py), the rules that they are
judged by, pure (checks.py, witness.py), the plan of a soak, pure and seeded (planner.py), and what carries it out
(people.py, chaos.py, run.py). The selftests plant every kind of violation and see that it is found. What must not:
knowledge of how the operator works inside; a rule here is a sentence that a user of storekeeper could say.
"""
