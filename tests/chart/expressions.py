"""The expressions of PromQL in the alerts and on the dashboard."""

from __future__ import annotations

import json
import re

from chart.helm import CHART, objects


def expressions() -> dict[str, list[str]]:
    """All PromQL of the alerts and of the dashboard, by the alert or panel."""
    found: dict[str, list[str]] = {}
    for file in sorted((CHART / "files" / "alerts").glob("*.yaml")):
        (rules,) = objects(file.read_text())
        found |= {one["alert"]: [one["expr"]] for one in rules}
    for panel in json.loads((CHART / "files" / "dashboard.json").read_text())["panels"]:
        found |= {panel["title"]: [one["expr"] for one in panel.get("targets", [])]}
    return found


def named(expression: str) -> list[tuple[str, set[str]]]:
    """The series that an expression reads, with the labels that it selects or groups by."""
    grouped = {name for part in re.findall(r"\bby \(([^)]*)\)", expression) for name in re.split(r",\s*", part)}
    bare = re.sub(r'"[^"]*"', '""', expression)
    return [
        (name, set(re.findall(r"(\w+)\s*[=!]", selected)) | grouped)
        for name, selected in re.findall(r"\b(storekeeper_\w+)(?:\{([^}]*)\})?", bare)
    ]
