"""How GitOps tools see our objects, and what they do to them: kstatus, Argo CD, kustomize, forced re-applies, examples.

What lives here: tests that ask the tools' own code about objects of a real API server. What must not: a rule of a tool
written down again by us, where the tool's own code can be asked.
"""
