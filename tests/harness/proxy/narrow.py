"""Showing several operators on one control plane each its own cluster-scoped objects.

An operator can be restricted to namespaces, but StorageAccounts and Tenants have none. Here a label selector is added
to its lists and watches of them; it is the API server that applies it.
"""

from __future__ import annotations

import dataclasses
import re
from urllib.parse import urlencode

from harness.proxy.messages import Head, Request

_SHARED = re.compile(r"^/apis/storekeeper\.dev/v1alpha1/(storageaccounts|tenants)$")


def narrowed(request: Request, selector: str) -> Request:
    """The same request, or one for the objects with these labels only."""
    if request.method != "GET" or not _SHARED.match(request.path):
        return request
    method, target, version = request.head.start.split(" ")
    joint = "&" if "?" in target else "?"
    start = f"{method} {target}{joint}{urlencode({'labelSelector': selector})} {version}"
    raw = start.encode("latin-1") + request.head.raw[len(request.head.start) :]
    return dataclasses.replace(request, head=Head(start, request.head.headers, raw))
