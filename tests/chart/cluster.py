"""A bare control plane with helm at hand; and the operator and the server, run as the chart says, but as processes.

Nothing runs Pods here. So the command of a container is taken from what the chart made, and run on this machine: with
its own arguments, in which only addresses and folders are others, and with the token of its ServiceAccount.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from chart.helm import NAMESPACE, Helm
from harness import paths, tls
from harness.controlplane import ControlPlane, Layout
from harness.http import answers
from harness.kube import Kube, Object, entries
from harness.kubeconfig import write_kubeconfig
from harness.ports import free_port
from harness.process import Process

# Tests wait for what the operator notices by itself, so it looks more often than in production.
FAST = {"--secret-check-interval": "2s", "--resync-interval": "5s"}


class Cluster:
    """Start it once per file of tests; stop it whatever happened."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.logs = folder / "logs"
        self.plane = ControlPlane(Layout(folder / "cluster", paths.tools(), self.logs))
        self.kube: Kube
        self.helm: Helm
        self._processes: list[Process] = []

    def start(self) -> None:
        self.plane.start()
        layout = self.plane.layout
        self.kube = Kube(self.plane.endpoint, self.plane.admin_token, layout.tools / "kubectl", layout.admin_kubeconfig)
        self.helm = Helm(self.folder / "helm", layout.admin_kubeconfig)
        self.namespace(NAMESPACE)

    def stop(self) -> None:
        for process in self._processes:
            process.stop()
        self.plane.stop()

    @contextmanager
    def installed(self, *arguments: str) -> Iterator[None]:
        """The chart, for as long as a block lasts."""
        self.helm.install(*arguments)
        try:
            yield
        finally:
            self.helm.uninstall()

    def namespace(self, name: str, **labels: str) -> str:
        metadata = {"name": name, "labels": labels}
        self.kube.create({"apiVersion": "v1", "kind": "Namespace", "metadata": metadata})
        return name

    def read(self, what: str, namespace: str = NAMESPACE) -> Object:
        """Any object, as `kubectl get kind/name` finds it."""
        found: Object = json.loads(self.kube.kubectl("get", what, "-n", namespace, "-o", "json"))
        return found

    def secret(self, name: str) -> dict[str, str]:
        return entries(self.kube.get("Secret", name, NAMESPACE))

    def operator(self, name: str = "operator") -> Operator:
        """The operator of the installed Deployment, under its ServiceAccount and nothing more."""
        pod = self.read("deployment/storekeeper")["spec"]["template"]["spec"]
        token = self.kube.token_for(pod["serviceAccountName"], NAMESPACE)
        kubeconfig = write_kubeconfig(self.folder / f"{name}.kubeconfig", self.plane.endpoint, token)
        made = Operator(pod["containers"][0], kubeconfig, self.logs / f"{name}.log")
        self._processes.append(made.process)
        return made

    def process(self, name: str, command: list[str | Path], environment: Mapping[str, str] | None = None) -> Process:
        made = Process(name, command, self.logs / f"{name}.log", environment)
        self._processes.append(made)
        return made


def arguments(container: Object, changed: Mapping[str, str | Path]) -> list[str]:
    """The arguments of a container, with other values for some options that it has."""
    given = {one.partition("=")[0] for one in container["args"]}
    assert set(changed) <= given, f"the chart does not give {set(changed) - given}"
    options = [one.partition("=") for one in container["args"]]
    return [f"{name}={changed[name]}" if name in changed else f"{name}{sign}{value}" for name, sign, value in options]


class Operator:
    """An operator as the Deployment would run it, on a port of its own."""

    def __init__(self, container: Object, kubeconfig: Path, log: Path) -> None:
        self.listen = f"127.0.0.1:{free_port()}"
        given = arguments(container, {"--listen": self.listen, **FAST})
        # In a Pod the way to the cluster is there; here it is a file.
        environment = {"STOREKEEPER_KUBECONFIG": str(kubeconfig)}
        self.process = Process("operator", [paths.storekeeper_binary(), *given], log, environment)

    def start(self) -> None:
        self.process.start(lambda: answers(f"http://{self.listen}/readyz"))

    def stop(self) -> int | None:
        return self.process.stop()


def server_command(container: Object, folder: Path, certificates: tls.Certificates, password: Path) -> list[str | Path]:
    """The server as the StatefulSet would run it, on two free ports and in a folder of the test."""
    changed: dict[str, str | Path] = {
        "--data-dir": folder / "data",
        "--listen": f"127.0.0.1:{free_port()}",
        "--s3-listen": f"127.0.0.1:{free_port()}",
        "--tls-cert": certificates.cert,
        "--tls-key": certificates.key,
        "--admin-password-file": password,
    }
    return [paths.storekeeper_binary(), *arguments(container, changed)]
