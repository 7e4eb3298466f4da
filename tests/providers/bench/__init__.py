"""`make bench-providers`: how many AccessKeys become Ready in a second at each provider, and what calls each one costs.

What lives here: recording what passes the proxies (record.py), what kind of call each request is (kinds.py), the bars
(verdict.py), the recording as one script for each key (script.py), the plain client that plays it (plain.py), the scene
of a run (scene.py) and how it is told (report.py). What must not: anything that the operator is made to do differently.
"""
