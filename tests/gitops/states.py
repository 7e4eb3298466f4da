"""Every state that an object can be in, brought about on the real parts and recorded as the API server gives it."""

from __future__ import annotations

from e2e.test_happy_path import empty
from e2e.world import API, World
from harness.kube import KINDS, Object, condition
from harness.proxy import Fault

OURS = tuple(kind for kind, (prefix, _, _) in KINDS.items() if prefix.endswith(API))
# What a change of each kind's spec looks like that is no change of its identity.
HARMLESS: Object = {"description": "changed"}
HARMLESS_OF = {"Bucket": {"quota": {"objects": 1000}}}


class States:
    """Recorded objects by kind and state. `objects[kind, state]` is what a GET answered."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.objects: dict[tuple[str, str], Object] = {}

    def record(self) -> dict[tuple[str, str], Object]:
        for step in (self.working, self.waiting, self.blocked, self.withdrawn, self.held, self.unseen):
            step()
        return self.objects

    def keep(self, state: str, kind: str, name: str) -> None:
        self.objects[kind, state] = self.world.get(kind, name)

    def one_of_each(self, name: str, **user: object) -> dict[str, str]:
        """One object of each kind that depend on each other; their names."""
        world = self.world
        account = world.account()
        tenant = f"{world.ns}-{name}"
        world.tenant(tenant, accountRef={"name": account})
        world.user(name, tenantRef={"name": tenant}, **user)
        world.bucket(name, user=name, name="data")
        world.key(name, user=name, permission="Full")
        return {"StorageAccount": account, "Tenant": tenant, "StorageUser": name, "Bucket": name, "AccessKey": name}

    def working(self) -> None:
        names = self.one_of_each("works")
        for kind, name in names.items():
            self.world.ready(kind, name)
            self.keep("ready", kind, name)
        self.objects["Secret", "ready"] = self.world.secret("works")
        self.world.user("sleeps", enabled=False)
        self.world.ready("StorageUser", "sleeps")
        self.keep("suspended", "StorageUser", "sleeps")

    def waiting(self) -> None:
        """What is missing comes by others, or by itself."""
        world = self.world
        tenant = f"{world.ns}-waits"
        account = world.account(endpoint="https://127.0.0.1:1")
        world.tenant(tenant, accountRef={"name": "nowhere"})
        world.user("waits", tenantRef={"name": "nobody"})
        world.bucket("waits", user="nobody")
        world.key("waits", user="nobody")
        names = {"StorageAccount": account, "Tenant": tenant, **dict.fromkeys(OURS[2:], "waits")}
        self._until("progressing", names, "Reconciling")

    def blocked(self) -> None:
        """A person must change something."""
        world = self.world
        account = world.account(credentialsSecretRef={"name": world.credentials({"token": "wrong"})})
        tenant = f"{world.ns}-stuck"
        # More bytes than fit into a number.
        world.tenant(tenant, quota={"size": "9000Pi"})
        world.user("stuck", role="Administrator")
        world.user("owner")
        metadata = {"name": "stuck", "namespace": world.ns}
        world.kube.create({"apiVersion": "v1", "kind": "Secret", "metadata": metadata})
        world.key("stuck", user="owner")
        world.bucket("stuck", user="owner", quota={"size": "9000Pi"})
        names = {"StorageAccount": account, "Tenant": tenant, **dict.fromkeys(OURS[2:], "stuck")}
        self._until("blocked", names, "Stalled")
        world.key("lost", user="owner")
        world.ready("AccessKey", "lost")
        world.kube.delete("Secret", "lost", world.ns)
        self._until("lost", {"AccessKey": "lost"}, "Stalled")

    def withdrawn(self) -> None:
        """What the Tenant does not allow any more, and suspends."""
        world = self.world
        tenant = f"{world.ns}-shrinks"
        world.tenant(tenant, onWithdrawal="Suspend")
        world.user("shrinks", tenantRef={"name": tenant})
        world.key("shrinks", user="shrinks")
        world.ready("AccessKey", "shrinks")
        world.patch("Tenant", tenant, {"spec": {"allowedNamespaces": {"names": []}}})
        self._until("withdrawn", dict.fromkeys(("StorageUser", "AccessKey"), "shrinks"), "Suspended")

    def held(self) -> None:
        """Being deleted, and waiting for something."""
        world = self.world
        names = self.one_of_each("held")
        for kind, name in names.items():
            world.ready(kind, name)
        world.s3("held").put_object(Bucket="data", Key="precious", Body=b"12345")
        above = {kind: name for kind, name in names.items() if kind != "AccessKey"}
        for kind, name in above.items():
            world.delete(kind, name)
        self._until("held", above, "DeletionBlocked")
        empty(world, "held")
        world.gone("Bucket", "held")
        world.installation.management_proxy.fault("any", Fault.DROP_BEFORE, occurrence=0)
        world.delete("AccessKey", "held")
        self._until("held", {"AccessKey": "held"}, "DeletionBlocked")
        world.installation.clear_faults()
        for kind in reversed(OURS):
            world.gone(kind, names[kind], 90)

    def unseen(self) -> None:
        """What nobody has looked at: new, changed, corrected and deleted while the operator is down."""
        world = self.world
        names = self.one_of_each("going")
        for kind, name in names.items():
            world.ready(kind, name)
        world.installation.operator.kill()
        fresh = self.one_of_each("fresh")
        for kind in OURS:
            self.keep("fresh", kind, fresh[kind])
            for before, after in (("ready", "changed"), ("blocked", "corrected")):
                name = self.objects[kind, before]["metadata"]["name"]
                world.patch(kind, name, {"spec": HARMLESS_OF.get(kind, HARMLESS)})
                self.keep(after, kind, name)
            world.delete(kind, names[kind])
            self.keep("deleting", kind, names[kind])
        world.installation.operator.start()

    def _until(self, state: str, names: dict[str, str], sign: str) -> None:
        world = self.world
        for kind, name in names.items():
            namespace = world.ns if KINDS[kind][2] else None

            def holds(found: Object | None) -> bool:
                return (condition(found, sign) or {}).get("status") == "True"

            self.objects[kind, state] = world.kube.wait(kind, name, namespace, holds, f"'{sign}'")
