"""What of the chart is made from something else, so that no second copy can drift.

    python -m chart.generate        write it (`make chart`)

The CRDs, policies and roles are copies of `crds/` and `deploy/`, as helm reads nothing outside of a chart. The table of
values in the chart's README is made from `values.yaml`. The snapshots are what `helm template` renders. Tests compare.
"""

from __future__ import annotations

import json
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import yaml

from chart.helm import CHART, SNAPSHOTS, VALUES, Helm, objects
from harness import paths
from harness.kube import Object

# Where a copy is in the chart, and what it is a copy of.
COPIES = {
    "crds": paths.CRDS,
    "files/policies": paths.POLICIES,
    "files/finalizer": paths.POLICIES / "mutating",
    "files/roles": paths.ROLES,
}
BEGIN, END = "<!-- values: begin -->\n", "<!-- values: end -->\n"


def copies() -> Iterator[tuple[Path, str]]:
    for folder, source in COPIES.items():
        for path in sorted(source.glob("*.yaml")):
            if path.name != "kustomization.yaml":
                yield CHART / folder / path.name, path.read_text()


def strangers() -> list[Path]:
    """Files among the copies that are copies of nothing."""
    wanted = {path for path, _ in copies()}
    return [path for folder in COPIES for path in (CHART / folder).iterdir() if path not in wanted]


def snapshot(rendered: list[Object]) -> str:
    """Objects in a fixed order. Of what is copied to the letter from elsewhere, the names and what bindings do."""
    ours = [one for one in rendered if "helm.sh/chart" in one["metadata"].get("labels", {})]
    copied: dict[str, dict[str, Any]] = {}
    for one in rendered:
        if one not in ours:
            labels = sorted(name for name in one["metadata"]["labels"] if "aggregate" in name)
            does = one.get("spec", {}).get("validationActions", labels)
            copied.setdefault(one["kind"], {})[one["metadata"]["name"]] = ", ".join(does)
    for one in ours:
        if one["kind"] == "ConfigMap":
            one["data"] = {name: "…" for name in one["data"]}
    ours.sort(key=lambda one: (one["kind"], one["metadata"].get("namespace", ""), one["metadata"]["name"]))
    return yaml.safe_dump_all([*ours, {"copied": copied}], allow_unicode=True, width=120)


def snapshots(helm: Helm) -> Iterator[tuple[Path, str]]:
    for values in VALUES:
        yield SNAPSHOTS / values.name, snapshot(objects(helm.template("--values", values)))


def schema() -> Any:
    return json.loads((CHART / "values.schema.json").read_text())


def closed(node: Any, path: tuple[str, ...]) -> bool:
    """Whether the schema names what may be at a path, so that it is documented part by part."""
    for name in path:
        node = node.get("properties", {}).get(name, {})
    return "properties" in node


def rows() -> Iterator[tuple[str, str, str]]:
    """Path, default and description of each value, in their order."""
    text = (CHART / "values.yaml").read_text()
    lines = text.splitlines()
    rules = schema()

    def above(line: int) -> str:
        start = line
        while start > 0 and lines[start - 1].lstrip().startswith("#"):
            start -= 1
        return " ".join(one.lstrip(" #") for one in lines[start:line])

    def walk(node: yaml.MappingNode, path: tuple[str, ...]) -> Iterator[tuple[str, str, str]]:
        for key, value in node.value:
            here = (*path, key.value)
            if isinstance(value, yaml.MappingNode) and value.value and closed(rules, here):
                yield from walk(value, here)
            else:
                default = json.dumps(yaml.safe_load(yaml.serialize(value)))
                yield ".".join(here), default, above(key.start_mark.line)

    tree = yaml.compose(text)
    assert isinstance(tree, yaml.MappingNode)
    yield from walk(tree, ())


def table() -> str:
    lines = ["| value | default | what it is |", "|---|---|---|"]
    lines += [f"| `{path}` | `{default}` | {about.replace('|', chr(92) + '|')} |" for path, default, about in rows()]
    return "\n".join(lines) + "\n"


def readme() -> tuple[Path, str]:
    path = CHART / "README.md"
    before, rest = path.read_text().split(BEGIN)
    _, after = rest.split(END)
    return path, f"{before}{BEGIN}{table()}{END}{after}"


def main() -> None:
    for path in strangers():
        path.unlink()
    for path, text in copies():
        path.write_text(text)
    path, text = readme()
    path.write_text(text)
    with tempfile.TemporaryDirectory() as home:
        for path, text in snapshots(Helm(Path(home))):
            path.write_text(text)
    print(f"written: {CHART.relative_to(paths.REPOSITORY)} and the snapshots of {len(VALUES)} sets of values")


if __name__ == "__main__":
    main()
