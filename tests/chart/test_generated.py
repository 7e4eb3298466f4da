"""What of the chart is made from something else is what would be made now (`make chart`)."""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Any

import pytest
import yaml

from chart import generate
from chart.helm import CHART, SNAPSHOTS, VALUES, Helm
from harness import paths

ADVICE = "run `make chart`"


def test_crds_policies_and_roles_are_copied_to_the_letter() -> None:
    wrong = [str(path) for path, text in generate.copies() if not path.exists() or path.read_text() != text]
    assert wrong == [], ADVICE
    assert generate.strangers() == [], ADVICE
    assert len(list(generate.copies())) > 30, "the sources have moved"


def test_the_table_of_values_is_current_and_every_value_says_what_it_is() -> None:
    path, text = generate.readme()
    assert path.read_text() == text, ADVICE
    assert [where for where, _, about in generate.rows() if not about.endswith(".")] == []


@pytest.mark.parametrize("values", VALUES, ids=lambda path: path.stem)
def test_what_is_rendered_is_what_was_reviewed(values: Path, helm: Helm) -> None:
    wanted = (SNAPSHOTS / values.name).read_text()
    assert generate.snapshot(helm.rendered(values)) == wanted, ADVICE


def test_there_is_a_snapshot_for_each_set_of_values_and_no_other() -> None:
    assert [path.name for path in sorted(SNAPSHOTS.iterdir())] == [path.name for path in VALUES]


def test_the_versions_agree() -> None:
    chart = yaml.safe_load((CHART / "Chart.yaml").read_text())
    package = tomllib.loads((paths.REPOSITORY / "Cargo.toml").read_text())["package"]
    assert chart["appVersion"] == package["version"]


def open_ends(node: Any, path: str = "") -> list[str]:
    """Where the schema lists what may be there, and does not refuse the rest."""
    here = [path] if "properties" in node and node.get("additionalProperties") is not False else []
    return here + [
        end for name, part in node.get("properties", {}).items() for end in open_ends(part, f"{path}.{name}")
    ]


def names(node: Any, defaults: Any, path: str = "") -> list[str]:
    """What only one of schema and defaults has."""
    if "properties" not in node or not isinstance(defaults, dict):
        return []
    known = set(node["properties"]) - {"global"}
    odd = [f"{path}.{name}" for name in known ^ set(defaults)]
    return odd + [
        one
        for name in known & set(defaults)
        for one in names(node["properties"][name], defaults[name], f"{path}.{name}")
    ]


def test_the_schema_knows_every_value_and_refuses_all_others() -> None:
    rules, defaults = generate.schema(), yaml.safe_load((CHART / "values.yaml").read_text())
    assert open_ends(rules) == []
    # What an issuer may have is listed; by default there is none.
    assert [one for one in names(rules, defaults) if not one.startswith(".server.tls.issuerRef.")] == []
