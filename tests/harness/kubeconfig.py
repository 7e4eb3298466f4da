"""Kubeconfig files: one cluster, one user with a bearer token, one context."""

from __future__ import annotations

import base64
from dataclasses import dataclass
from pathlib import Path

import yaml

from harness.tls import write_private


@dataclass(frozen=True)
class Endpoint:
    """An API server: its URL and the authority that signed its certificate."""

    url: str
    ca: Path


def write_kubeconfig(path: Path, endpoint: Endpoint, token: str, context: str = "storekeeper") -> Path:
    """Write a kubeconfig that only its owner may read. The authority goes in as data, so the file can be moved."""
    document = {
        "apiVersion": "v1",
        "kind": "Config",
        "clusters": [
            {
                "name": context,
                "cluster": {
                    "server": endpoint.url,
                    "certificate-authority-data": base64.b64encode(endpoint.ca.read_bytes()).decode(),
                },
            }
        ],
        "users": [{"name": context, "user": {"token": token}}],
        "contexts": [{"name": context, "context": {"cluster": context, "user": context}}],
        "current-context": context,
    }
    write_private(path, yaml.safe_dump(document, sort_keys=False).encode())
    return path
