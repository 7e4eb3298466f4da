"""The facts of one moment, read from the API server, the provider's list and the data plane."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import replace

from harness import s3
from harness.installation import Installation
from harness.kube import entries
from harness.management import Management
from soak.checks import Rest
from soak.facts import keys_in, owner_of, secret_of
from soak.probe import Door

CREATED, REVOKED = "accessKey.create", "accessKey.delete"


def look(made: Installation, namespaces: Collection[str], excused: Rest | None = None, probe: bool = True) -> Rest:
    """What is in these namespaces, and of them at the provider. `excused`: what people did; `probe`: use the keys."""
    owners = [owner_of(one) for namespace in namespaces for one in made.kube.items("AccessKey", namespace)]
    found = [one for namespace in namespaces for one in made.kube.items("Secret", namespace)]
    secrets = [secret_of(one) for one in found]
    pairs = {
        one["metadata"]["uid"]: s3.credentials(entries(one))
        for one, secret in zip(found, secrets, strict=True)
        if secret.owner is not None and secret.key is not None
    }
    opens = Door(made.server).open_all(pairs) if probe else None
    keys = keys_in(made.management.access_keys(), namespaces)
    return replace(excused or Rest(), owners=owners, secrets=secrets, keys=keys, opens=opens)


def provider_events(management: Management, action: str, after: int = 0) -> dict[str, str]:
    """What the provider's own audit log says was done, by key id: when."""
    events = management.audit(action=action, outcome="ok")
    return {event["target"]: event["time"] for event in events if event["sequence"] > after}


def last_event(management: Management) -> int:
    """The position of the provider's audit log."""
    return max((event["sequence"] for event in management.audit()), default=0)
