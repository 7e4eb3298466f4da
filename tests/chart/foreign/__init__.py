"""CRDs of other projects, of which the chart makes objects on demand. Their modules are fetched, nothing is built."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

MODULE = Path(__file__).resolve().parent
# Kind -> module, and the file of its CRD there.
KINDS = {
    "ServiceMonitor": (
        "github.com/prometheus-operator/prometheus-operator",
        "example/prometheus-operator-crd/monitoring.coreos.com_servicemonitors.yaml",
    ),
    "PrometheusRule": (
        "github.com/prometheus-operator/prometheus-operator",
        "example/prometheus-operator-crd/monitoring.coreos.com_prometheusrules.yaml",
    ),
    "Certificate": ("github.com/cert-manager/cert-manager", "deploy/crds/cert-manager.io_certificates.yaml"),
}


def crd(kind: str) -> Path:
    """The file with the CRD of a kind, in Go's cache of modules."""
    module, file = KINDS[kind]
    command = ["go", "mod", "download", "-json", module]
    done = subprocess.run(command, cwd=MODULE, check=True, capture_output=True, text=True)
    return Path(json.loads(done.stdout)["Dir"]) / file
