"""`make quickstart`: the steps in order."""

from __future__ import annotations

import os
import re
import secrets
import shlex
import subprocess
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from harness import paths, tls
from harness.http import answers
from harness.kube import condition, is_ready
from harness.management import Management, first_token
from harness.management_server import REGION
from harness.ports import free_port, is_free
from harness.quickstart import cluster as clusters
from harness.quickstart import down, proof
from harness.quickstart.cluster import Cluster
from harness.quickstart.run import Run
from harness.quickstart.ui import StepFailed, Ui
from harness.waiting import Late, until

# The ports that examples/quickstart names.
PORT, S3_PORT = 18443, 18444
READY_DEADLINE = 90.0


@dataclass
class Parts:
    """What the steps hand on to each other."""

    run: Run
    ui: Ui
    context: str | None
    management_port: int = PORT
    s3_port: int = S3_PORT
    manifests: Path = paths.EXAMPLES
    password: str = field(default_factory=lambda: secrets.token_urlsafe(18), repr=False)

    def __post_init__(self) -> None:
        self.certificates = tls.Certificates(
            *(self.run.state / "pki" / name for name in ("ca.crt", "server.crt", "server.key"))
        )
        self.operator_listen = ""
        self.management: Management
        self.cluster: Cluster

    @property
    def endpoint(self) -> str:
        return f"https://127.0.0.1:{self.management_port}"

    @property
    def s3_endpoint(self) -> str:
        return f"https://127.0.0.1:{self.s3_port}"

    @property
    def plane(self) -> proof.Plane:
        return proof.Plane(self.s3_endpoint, REGION, self.certificates.ca)


def up(ui: Ui, run: Run, context: str | None) -> None:
    """Everything, from building to the last line of advice."""
    ui.say("storekeeper quick start")
    if run.running() or run.context() is not None:
        with ui.step("stopping the quick start that runs") as step:
            down.stop_all(run)
            step.done = "stopped the quick start that was running"
    run.prepare()
    parts = Parts(run, ui, context)
    steps: tuple[Callable[[Parts], None], ...] = (
        build,
        start_cluster,
        start_server,
        install,
        start_operator,
        apply_examples,
        wait_ready,
        show,
        prove,
        prove_quiet,
        advise,
    )
    for step_function in steps:
        step_function(parts)


def build(parts: Parts) -> None:
    log = parts.run.log("build")
    with parts.ui.step("building storekeeper") as step:
        step.log = log
        command = [*shlex.split(os.environ.get("CARGO", "cargo")), "build", "--locked"]
        with open(log, "wb") as out:
            done = subprocess.run(command, cwd=paths.REPOSITORY, stdout=out, stderr=subprocess.STDOUT)
        if done.returncode != 0:
            raise StepFailed("storekeeper could not be built", log)
        step.done = "storekeeper built"


def start_cluster(parts: Parts) -> None:
    ui, run = parts.ui, parts.run
    if parts.context is not None:
        with ui.step(f"using context {parts.context}"):
            with_kubectl = clusters.find_kubectl() or paths.tools() / "kubectl"
            parts.cluster = clusters.use_existing(run, parts.context, with_kubectl)
        return
    with ui.step("building the control plane's tools") as step:
        tools = clusters.ensure_tools(step, run.log("control-plane-build"))
        version = subprocess.run([tools / "kube-apiserver", "--version"], capture_output=True, text=True).stdout
        step.done = f"control plane built (kube-apiserver {version.split()[-1].lstrip('v')})"
    with ui.step("starting the control plane") as step:
        parts.cluster = clusters.start_own(run, tools)
        step.done = "control plane ready"


def start_server(parts: Parts) -> None:
    run = parts.run
    if not (is_free(parts.management_port) and is_free(parts.s3_port)):
        parts.management_port, parts.s3_port = free_port(), free_port()
    with parts.ui.step("starting the management server and S3") as step:
        tls.make_certificates(run.state / "pki", "storekeeper quick start")
        tls.write_private(run.state / "admin-password", parts.password.encode())
        command: list[str | Path] = [
            *(paths.storekeeper_binary(), "server", "--data-dir", run.state / "data"),
            *("--listen", f"127.0.0.1:{parts.management_port}", "--s3-listen", f"127.0.0.1:{parts.s3_port}"),
            *("--tls-cert", parts.certificates.cert, "--tls-key", parts.certificates.key),
            *("--region", REGION, "--admin-password-file", run.state / "admin-password"),
        ]
        ca = parts.certificates.ca
        run.launch("server", command, lambda: answers(f"{parts.endpoint}/readyz", ca))
        token = first_token(parts.endpoint, ca, parts.password, "quickstart")
        token_file = run.state / "management-token"
        tls.write_private(token_file, token.encode())
        parts.management = Management(parts.endpoint, ca, token)
        write_env(parts, token_file)
        step.done = "management server and S3 ready"
        step.note = f"{parts.endpoint}  {parts.s3_endpoint}"


def write_env(parts: Parts, token_file: Path) -> None:
    variables = {
        "MANAGEMENT_ENDPOINT": parts.endpoint,
        "MANAGEMENT_TOKEN_FILE": token_file,
        "S3_ENDPOINT": parts.s3_endpoint,
        "S3_REGION": REGION,
        "CA_FILE": parts.certificates.ca,
    }
    parts.run.env.write_text("".join(f"{name}={shlex.quote(str(value))}\n" for name, value in variables.items()))


def install(parts: Parts) -> None:
    cluster = parts.cluster
    with parts.ui.step("installing the CRDs, the RBAC rules and the account's Secrets") as step:
        crds = subprocess.run([paths.storekeeper_binary(), "crds"], check=True, capture_output=True, text=True).stdout
        cluster.run("apply", "--server-side", "-f", "-", stdin=crds)
        names = [f"crd/{kind}.storekeeper.dev" for kind in clusters.KINDS]
        cluster.run("wait", "--for=condition=Established", "--timeout=30s", *names)
        cluster.run("apply", "-f", paths.RBAC)
        operator_token = first_token(parts.endpoint, parts.certificates.ca, parts.password, "operator")
        cluster.apply_secret("main-admin", {"token": operator_token})
        cluster.apply_secret("main-ca", {"ca.crt": parts.certificates.ca.read_text()})
        step.done = "CRDs, RBAC rules and the account's Secrets installed"


def start_operator(parts: Parts) -> None:
    run = parts.run
    with parts.ui.step("starting the operator") as step:
        kubeconfig = parts.cluster.operator_kubeconfig(run.state / "operator.kubeconfig")
        parts.operator_listen = f"127.0.0.1:{free_port()}"
        command: list[str | Path] = [
            *(paths.storekeeper_binary(), "operator", "--kubeconfig", kubeconfig),
            # There is one operator, and one that was killed is to be replaced at once.
            *("--leader-election", "false", "--listen", parts.operator_listen),
        ]
        run.launch("operator", command, lambda: answers(f"http://{parts.operator_listen}/readyz"))
        step.done = "operator ready, as ServiceAccount storekeeper"
        step.note = f"http://{parts.operator_listen}/metrics"


def apply_examples(parts: Parts) -> None:
    with parts.ui.step("applying examples/quickstart") as step:
        if parts.management_port != PORT:
            parts.manifests = render_examples(parts)
            step.note = f"with other ports: {PORT} or {S3_PORT} is taken"
        parts.run.manifests_file.write_text(str(parts.manifests))
        applied = parts.cluster.run("apply", "-f", parts.manifests).splitlines()
        step.done = f"applied examples/quickstart ({len(applied)} resources)"


def render_examples(parts: Parts) -> Path:
    """The examples with the ports that were free."""
    folder = parts.run.state / "examples"
    folder.mkdir()
    for source in sorted(paths.EXAMPLES.glob("*.yaml")):
        text = source.read_text()
        text = re.sub(rf"127\.0\.0\.1:{PORT}\b", f"127.0.0.1:{parts.management_port}", text)
        text = re.sub(rf"127\.0\.0\.1:{S3_PORT}\b", f"127.0.0.1:{parts.s3_port}", text)
        (folder / source.name).write_text(text)
    return folder


def wait_ready(parts: Parts) -> None:
    waiting: list[str] = []

    with parts.ui.step("waiting until all are Ready") as step:

        def probe() -> bool:
            objects = parts.cluster.storekeeper_objects()
            waiting.clear()
            for one in objects:
                if not is_ready(one):
                    ready = condition(one) or {"reason": "no condition yet", "message": ""}
                    where = "/".join(filter(None, (one["metadata"].get("namespace"), one["metadata"]["name"])))
                    waiting.append(f"{one['kind']} {where}: {ready['reason']}: {ready['message']}")
            step.now = f"{len(objects) - len(waiting)} of {len(objects)}; {waiting[0] if waiting else ''}"
            return not waiting

        try:
            until(probe, "all to be Ready", READY_DEADLINE)
        except Late:
            listed = "\n".join(f"  {one}" for one in waiting)
            raise StepFailed(f"not Ready after {READY_DEADLINE:.0f} s:\n{listed}", parts.run.log("operator")) from None
        step.done = "all Ready"


def show(parts: Parts) -> None:
    parts.ui.say()
    for line in parts.cluster.run("get", "storekeeper", "-A").splitlines():
        parts.ui.say(f"    {line}".rstrip())
    parts.ui.say()


def prove(parts: Parts) -> None:
    parts.ui.say("  As an application, with the keys from the Secrets:")
    for line in proof.as_application(parts.cluster, parts.plane):
        parts.ui.check(line, "    ")


def prove_quiet(parts: Parts) -> None:
    run, listen = parts.run, parts.operator_listen
    with parts.ui.step("applying again and restarting the operator") as step:
        proof.Quiet(parts.cluster, parts.management).rest(listen, run)
        quiet = proof.Quiet(parts.cluster, parts.management)
        parts.cluster.run("apply", "-f", parts.manifests)
        run.stop("operator")
        run.start("operator", lambda: answers(f"http://{listen}/readyz"))
        quiet.settle(listen, run)
        step.note = quiet.check()
        step.done = "applied again, operator restarted: 0 writes, 0 keys made"


def advise(parts: Parts) -> None:
    run = parts.run

    def shown(path: Path) -> str:
        return str(path.relative_to(paths.REPOSITORY))

    for line in (
        "Try:",
        f"  export KUBECONFIG={shown(run.kubeconfig)}",
        "  kubectl get storekeeper -A",
        "  kubectl -n team-a delete secret app-rw     # within a minute: kubectl -n team-a describe accesskey app-rw",
        f"  kill -9 $(cat {shown(run.pids / 'operator')}); {shown(run.script('operator'))}",
        f'  . {shown(run.env)}; curl --cacert $CA_FILE -H "Authorization: Bearer $(cat $MANAGEMENT_TOKEN_FILE)" '
        "$MANAGEMENT_ENDPOINT/v1/accessKeys",
        *(kubectl_hint(parts)),
        f"Logs: {shown(run.logs)}/",
        "Stop with: make quickstart-down",
    ):
        parts.ui.say(f"  {line}")


def kubectl_hint(parts: Parts) -> tuple[str, ...]:
    """Where kubectl is, for somebody who has none."""
    if clusters.find_kubectl() is not None:
        return ()
    return (f"  alias kubectl={parts.cluster.kubectl}     # the one that was built",)
