"""`make quickstart` and `make quickstart-down`: the main job on real parts, left running to explore.

What lives here: the steps in order (up.py), taking everything down again (down.py), what is on the disk and which
processes are ours (run.py), the cluster (cluster.py), the proof as an application (proof.py), and what a person sees
(ui.py). What must not: anything that the tests need; they stand on the harness itself.
"""
