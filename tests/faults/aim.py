"""Which requests at a point are those that a plan is about, as far as requests say what they are about."""

from __future__ import annotations

from collections.abc import Callable

from faults.plans import Injection, Phase, Plan
from faults.stores import WatchedStore
from harness.lane import Lane
from harness.proxy.messages import Request

Only = Callable[[Request], bool]


def about(lane: Lane[WatchedStore], plan: Plan, injection: Injection, name: str) -> Only:
    """What a rule at the injection's point counts."""

    def named(request: Request) -> bool:
        return name.encode() in request.raw

    def recorded(request: Request) -> bool:
        return named(request) and b'"published"' in request.body

    def made(request: Request) -> bool:
        return named(request) and request.method == "POST"

    def anything(_: Request) -> bool:
        return True

    special: dict[str, Only] = {"status": recorded, "ensure-user": made}
    # A list is of an owner's uid, a revocation of a key's id; the lane has no other owner.
    unnamed: dict[str, Only] = {"list-keys": anything, "sweep-list": anything, "put-view": anything, "revoke": anything}
    if plan.provider_class == "B" and injection.point == "list-keys":
        return _list_of_the_key(lane, name, after_its_secret=injection.phase is Phase.CREATION)
    return {**special, **unnamed}.get(injection.point, named)


def _list_of_the_key(lane: Lane[WatchedStore], name: str, *, after_its_secret: bool) -> Only:
    """At Garage everybody lists all keys, those who look for a user included. A pass over the AccessKey does so right
    after it has read the Secret, and before its own Secret is there it lists none. A list that somebody else begins in
    the very moment between is taken for it: as good a list to disturb.
    """
    proxy = lane.kube_proxy
    of_the_key = (f"/accesskeys/{name}", f"/secrets/{name}")
    known = len(proxy.seen())

    def only(_: Request) -> bool:
        nonlocal known
        if after_its_secret and not proxy.seen("post-secret"):
            return False
        seen = proxy.seen()
        last = next((one for one in reversed(seen[known:]) if one.path.endswith(of_the_key)), None)
        if last is None or last.point != "get-secret":
            return False
        known = len(seen)
        return True

    return only
