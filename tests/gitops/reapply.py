"""Applying a manifest as GitOps tools do, and what must not happen meanwhile."""

from __future__ import annotations

import json
import os
import subprocess
from dataclasses import dataclass

import yaml

from clients import flux
from clients.golang import build
from harness import s3
from harness.installation import Installation
from harness.kube import Object, entries


@dataclass(frozen=True)
class Done:
    """How an apply ended."""

    refused: bool
    said: str


class Tools:
    """Flux and Argo CD, as far as they apply things."""

    def __init__(self, installation: Installation) -> None:
        self._kubeconfig = installation.plane.layout.admin_kubeconfig
        self._kubectl = installation.plane.layout.tools / "kubectl"

    def flux(self, manifest: Object, *, force: bool = False) -> Done:
        """A Kustomization: server-side apply, by Flux's own code. `force`: its `spec.force`."""
        command = [str(build(flux.MODULE)), f"-force={json.dumps(force)}"]
        return self._run(command, json.dumps(manifest))

    def argo(self, manifest: Object, *options: str) -> Done:
        """A sync with these options. Argo CD calls the code of these commands."""
        verb = ["replace"] if "Replace=true" in options else ["apply"]
        force = ["--force", "--timeout=30s"] if "Force=true" in options else []
        command = [str(self._kubectl), f"--kubeconfig={self._kubeconfig}", *verb, *force, "-f", "-"]
        return self._run(command, yaml.safe_dump(manifest))

    def _run(self, command: list[str], text: str) -> Done:
        environment = {**os.environ, "KUBECONFIG": str(self._kubeconfig)}
        done = subprocess.run(command, input=text, capture_output=True, text=True, env=environment, timeout=120)
        return Done(done.returncode != 0, done.stdout + done.stderr)


class Live:
    """A key in use: what it is now, and whether it still is."""

    def __init__(self, installation: Installation, namespace: str, name: str) -> None:
        self._installation = installation
        self._at = name, namespace
        self._was = self._now()

    def _now(self) -> tuple[str, str, dict[str, str]]:
        kube = self._installation.kube
        key, secret = kube.get("AccessKey", *self._at), kube.get("Secret", *self._at)
        assert "deletionTimestamp" not in key["metadata"]
        return key["metadata"]["uid"], secret["metadata"]["uid"], entries(secret)

    def works(self) -> bool:
        """Whether the key that an application has read from the Secret opens anything."""
        server = self._installation.server
        given = s3.credentials(self._was[2])
        client = s3.client(given, server.certificates.ca, server.s3_endpoint, server.region)
        try:
            client.list_buckets()
        except client.exceptions.ClientError as error:
            if s3.refusal(error)[0] != 403:
                raise
            return False
        return True

    def is_untouched(self) -> bool:
        """The object, its Secret and its key are the same as before."""
        return self._now() == self._was and self.works()
