"""A cluster with the chart's management server beside it, and an application team that uses storekeeper."""

from __future__ import annotations

import secrets
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from chart.cluster import Cluster, Operator, server_command
from chart.helm import NAMESPACE, VALUES, find, settings
from harness import s3, tls
from harness.audit import AuditLog
from harness.http import answers, session
from harness.kube import Object, Refused, entries, path_of
from harness.management import Management, first_token
from harness.process import Process
from harness.waiting import until

API = "storekeeper.dev/v1alpha1"
ACCOUNT = "main"


class Site:
    """Start it once per file of tests; stop it whatever happened."""

    def __init__(self, folder: Path) -> None:
        self.cluster = Cluster(folder)
        self.certificates = tls.make_certificates(folder / "pki")
        self._folder = folder / "server"
        self._password = secrets.token_urlsafe(18)
        self.endpoint = ""
        self.s3_endpoint = ""
        self.management: Management
        self.server: Process

    def start(self) -> None:
        self.cluster.start()
        self.kube = self.cluster.kube
        self.audit = AuditLog(self.cluster.plane.layout.audit_log)
        self._start_server()
        token = first_token(self.endpoint, self.certificates.ca, self._password)
        self.management = Management(self.endpoint, self.certificates.ca, token)
        self.own_secret("main-admin", {"token": token})
        self.own_secret("main-ca", {"ca.crt": self.certificates.ca.read_text()})

    def stop(self) -> None:
        self.cluster.stop()

    def _start_server(self) -> None:
        """The server as the chart would run it."""
        (values,) = (path for path in VALUES if path.stem == "server")
        template = find(self.cluster.helm.rendered(values), "StatefulSet")["spec"]["template"]
        password = self._folder / "password"
        self._folder.mkdir()
        tls.write_private(password, self._password.encode())
        command = server_command(template["spec"]["containers"][0], self._folder, self.certificates, password)
        listens = dict(str(part).split("=", 1) for part in command if "listen=" in str(part))
        self.endpoint = f"https://{listens['--listen']}"
        self.s3_endpoint = f"https://{listens['--s3-listen']}"
        self.server = self.cluster.process("server", command)
        self.serve()

    def serve(self) -> None:
        self.server.start(lambda: answers(f"{self.endpoint}/readyz", self.certificates.ca))

    @property
    def data(self) -> Path:
        return self._folder / "data"

    def own_secret(self, name: str, given: dict[str, str]) -> None:
        metadata = {"name": name, "namespace": NAMESPACE}
        self.kube.create({"apiVersion": "v1", "kind": "Secret", "metadata": metadata, "stringData": given})

    def settings(self, **values: Any) -> tuple[str, ...]:
        """What an installation with an account at this server is given."""
        management = {
            "endpoint": self.endpoint,
            "credentialsSecretRef": {"name": "main-admin"},
            "caBundleSecretRef": {"name": "main-ca"},
        }
        spec = {"default": True, "provider": {"management": management}, "s3": {"endpoint": self.s3_endpoint}}
        return settings(storageAccount__create=True, storageAccount__spec=spec, **values)

    def operator(self, name: str = "operator") -> Operator:
        """The installed operator, at work."""
        made = self.cluster.operator(name)
        made.start()
        return made

    def metrics(self, operator: Operator) -> str:
        """What the operator shows."""
        return session().get(f"http://{operator.listen}/metrics", timeout=5).text

    def server_metrics(self) -> str:
        return session(self.certificates.ca).get(f"{self.endpoint}/metrics", timeout=5).text


class Team:
    """A namespace with its Tenant, a user, a bucket and a key."""

    def __init__(self, site: Site, name: str) -> None:
        self.site = site
        self.kube = site.kube
        self.name = name

    def arrive(self) -> None:
        """The main job, up to a key that works."""
        self.site.cluster.namespace(self.name, **{"storekeeper.dev/tenant": self.name})
        self.apply()
        self.ready()
        self.use()

    def apply(self) -> None:
        """Make everything, once the API server has learnt of kinds that were new a moment ago."""
        wanted = list(self._wanted())
        until(lambda: all(map(self._judged, wanted)), "the kinds to be known to the policies")
        for one in wanted:
            self.kube.create(one)

    def _wanted(self) -> Iterator[Object]:
        user = {"userRef": {"name": "app"}}
        for kind, name, spec in (
            ("Tenant", self.name, {"allowedNamespaces": {"names": [self.name]}}),
            ("StorageUser", "app", {"tenantRef": {"name": self.name}}),
            ("Bucket", "data", {**user, "deletionPolicy": "Delete"}),
            ("AccessKey", "key", {**user, "permission": "ReadWrite"}),
        ):
            place = {} if kind == "Tenant" else {"namespace": self.name}
            yield {"apiVersion": API, "kind": kind, "metadata": {"name": name, **place}, "spec": spec}

    def _judged(self, one: Object) -> bool:
        """A policy about a kind that is new answers 422 or 503 for some seconds."""
        path = path_of(one["kind"], one["metadata"].get("namespace"))
        try:
            self.kube.call("POST", f"{path}?dryRun=All", one)
        except Refused as refused:
            return refused.code not in (422, 503)
        return True

    def ready(self) -> None:
        self.kube.wait_ready("StorageAccount", ACCOUNT)
        self.kube.wait_ready("Tenant", self.name)
        for kind, name in (("StorageUser", "app"), ("Bucket", "data"), ("AccessKey", "key")):
            self.kube.wait_ready(kind, name, self.name)

    def secret(self) -> Object:
        return self.kube.get("Secret", "key", self.name)

    def use(self) -> None:
        """Store and read an object with the published key."""
        given = s3.credentials(entries(self.secret()))
        client = s3.client(given, self.site.certificates.ca, self.site.s3_endpoint, "storekeeper")
        client.put_object(Bucket="data", Key="hello", Body=b"hello")
        assert client.get_object(Bucket="data", Key="hello")["Body"].read() == b"hello"
        client.delete_object(Bucket="data", Key="hello")

    def keys(self) -> list[str]:
        """The keys that the server has for the user."""
        return [one["accessKeyId"] for one in self.site.management.access_keys_of(f"{self.name}_app")]

    def objects(self) -> dict[str, str]:
        """Everything that was made, with its uid; nothing of it is being deleted."""
        found = [self.kube.get("StorageAccount", ACCOUNT), self.kube.get("Tenant", self.name), self.secret()]
        found += [self.kube.get(kind, name, self.name) for kind, name in (("StorageUser", "app"), ("Bucket", "data"))]
        found.append(self.kube.get("AccessKey", "key", self.name))
        assert not [one for one in found if "deletionTimestamp" in one["metadata"]]
        return {f"{one['kind']} {one['metadata']['name']}": one["metadata"]["uid"] for one in found}

    def leave(self) -> None:
        """Take everything away again: what is installed must be able to end what it began."""
        for kind, name in (("AccessKey", "key"), ("Bucket", "data"), ("StorageUser", "app")):
            self.kube.delete(kind, name, self.name)
        for kind, name in (("AccessKey", "key"), ("Bucket", "data"), ("StorageUser", "app")):
            self.kube.wait_gone(kind, name, self.name)
        until(lambda: self._let_go(), f"Tenant '{self.name}' to be let go")
        self.kube.wait_gone("Tenant", self.name)

    def _let_go(self) -> bool:
        """The policies go by the counts in its status, which follow a moment later."""
        bound = self.kube.get("Tenant", self.name).get("status", {}).get("bound", {})
        if any(bound.values()):
            return False
        self.kube.delete("Tenant", self.name)
        return True
