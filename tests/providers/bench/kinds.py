"""What kind of call a request is, by its method and the shape of its path. Pure.

Calls to a provider are of four classes, and those of the first two are held against the bar:

| class | what |
|---|---|
| write | makes the key |
| read | lists keys, or looks whether one is as it was written |
| mapping | gives the key its rights, where the provider has no permission levels of its own |
| upkeep | about the account, the Tenant, the StorageUser or the Bucket; the same for one key or a thousand |

A call that no rule names is a `read`, or a `write`: what is not known counts against the bar.
"""

from __future__ import annotations

import enum
import re
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from urllib.parse import parse_qs, unquote, urlsplit

from providers.bench.record import Passed, Side


class Class(enum.Enum):
    """What a call is for."""

    WRITE = "write"
    READ = "read"
    MAPPING = "mapping"
    UPKEEP = "upkeep"
    WATCH = "watch"
    """Opening a watch, or the list that it begins with: of Kubernetes only, and not counted."""


@dataclass(frozen=True, order=True)
class Kind:
    """A kind of call."""

    side: str
    group: str
    name: str


@dataclass(frozen=True)
class Rule:
    """A kind of call by its method and a pattern for all of its decoded path and query."""

    method: str
    pattern: str
    group: Class
    name: str

    def matches(self, method: str, target: str) -> bool:
        return method == self.method and re.fullmatch(self.pattern, target) is not None


OF_MANAGEMENT = (
    Rule("POST", r"/v1/accessKeys", Class.WRITE, "make the key"),
    Rule("GET", r"/v1/accessKeys\?.*", Class.READ, "list keys"),
    Rule("GET", r"/v1/(accounts|tenants|users|buckets|capabilities)\b.*", Class.UPKEEP, "account, Tenant, StorageUser"),
)
OF_CEPH_RGW = (
    Rule("PUT", r"/admin/metadata/user\?key=sk_\w+\$key\.\w+", Class.WRITE, "write the key's RGW user, key and policy"),
    Rule("GET", r"/admin/metadata/user\?key=sk_\w+\$key\.\w+", Class.READ, "look at the key's RGW user"),
    Rule("GET", r"/admin/user\?list=.*", Class.READ, "list RGW users"),
    # What is seen of the owner is good for ten seconds, however many keys are made in them.
    Rule("GET", r"/admin/metadata/user\?key=sk_\w+\$user", Class.UPKEEP, "account, Tenant, StorageUser"),
    Rule("GET", r"/admin/user\?access-key=.*", Class.UPKEEP, "account, Tenant, StorageUser"),
    Rule("GET", r"/admin/user\?.*stats=true.*", Class.UPKEEP, "account, Tenant, StorageUser"),
    Rule("GET", r"/admin/metadata/user\?key=sk\$tenant\..*", Class.UPKEEP, "account, Tenant, StorageUser"),
    Rule("GET", r"/admin/metadata/user\?key=sk_\w+\$bucket\..*", Class.UPKEEP, "Bucket"),
    Rule("GET", r"/admin/(metadata/)?bucket\b.*", Class.UPKEEP, "Bucket"),
)
OF_GARAGE = (
    Rule("POST", r"/v2/ImportKey", Class.WRITE, "ImportKey"),
    Rule("GET", r"/v2/ListKeys\b.*", Class.READ, "ListKeys"),
    Rule("GET", r"/v2/GetKeyInfo\b.*", Class.READ, "GetKeyInfo"),
    # Garage has rights for each key and bucket, and names of buckets for each key: which buckets there are, their names
    # and their rights, and then the right to make buckets, with the word that the key is complete.
    Rule("GET", r"/v2/ListBuckets\b.*", Class.MAPPING, "ListBuckets"),
    Rule("GET", r"/v2/GetBucketInfo\b.*", Class.MAPPING, "GetBucketInfo"),
    Rule("POST", r"/v2/AddBucketAlias", Class.MAPPING, "AddBucketAlias"),
    Rule("POST", r"/v2/(Allow|Deny)BucketKey", Class.MAPPING, "AllowBucketKey, DenyBucketKey"),
    Rule("POST", r"/v2/UpdateKey\?.*", Class.MAPPING, "UpdateKey"),
    Rule("GET", r"/v2/GetNodeInfo\b.*", Class.UPKEEP, "account, Tenant, StorageUser"),
)
RULES = {"management": OF_MANAGEMENT, "ceph-rgw": OF_CEPH_RGW, "garage": OF_GARAGE}

_KUBERNETES = re.compile(
    r"/(?:api|apis/[^/]+)/[^/]+(?:/namespaces/(?P<ns>[^/]+))?/(?P<resource>[^/]+)(?:/(?P<name>[^/]+)(?P<sub>/[^/]+)?)?"
)
# Resources that are about one key.
OF_KEYS = frozenset({"accesskeys", "secrets", "events"})
OPERATOR_NAMESPACE = "storekeeper-system"


def of_provider(store: str, method: str, target: str) -> Kind:
    """The kind of a call to that store."""
    decoded = unquote(target)
    for rule in RULES[store]:
        if rule.matches(method, decoded):
            return Kind(Side.PROVIDER.value, rule.group.value, rule.name)
    group = Class.READ if method in ("GET", "HEAD") else Class.WRITE
    return Kind(Side.PROVIDER.value, group.value, f"other: {method} {urlsplit(target).path}")


def of_kubernetes(method: str, target: str) -> Kind:
    """The kind of a call to the API server."""
    parts = urlsplit(target)
    query = parse_qs(parts.query)
    found = _KUBERNETES.fullmatch(parts.path)
    resource = found.group("resource") if found else parts.path
    name = f"{method} {resource}{(found.group('sub') or '') if found else ''}"
    if "dryRun" in query:
        name += ", dry run"
    if query.get("watch") == ["true"] or (found and method == "GET" and found.group("name") is None):
        group = Class.WATCH
    elif found is None or resource not in OF_KEYS or found.group("ns") == OPERATOR_NAMESPACE:
        group = Class.UPKEEP
    else:
        group = Class.READ if method == "GET" else Class.WRITE
    return Kind(Side.KUBERNETES.value, group.value, name)


def kind_of(store: str, passed: Passed) -> Kind:
    if passed.side is Side.KUBERNETES:
        return of_kubernetes(passed.method, passed.target)
    return of_provider(store, passed.method, passed.target)


def is_about_keys(kind: Kind) -> bool:
    """Whether it is counted for keys: neither upkeep nor a watch."""
    return kind.group not in (Class.UPKEEP.value, Class.WATCH.value)


def counted(store: str, passed: Iterable[Passed]) -> Counter[Kind]:
    """How many calls of each kind there were."""
    return Counter(kind_of(store, one) for one in passed)
