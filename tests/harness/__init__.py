"""What the tests and the quick start stand on: real processes, a fault proxy, thin clients.

What lives here: starting and stopping etcd, kube-apiserver, kube-controller-manager, `storekeeper server` and
`storekeeper operator`; the proxy that injects faults between them; small clients for Kubernetes, the management API
and S3; the quick start. What must not: assertions about storekeeper's behaviour (they belong to tests/e2e and
tests/s3), and mocks of any of those parts.
"""
