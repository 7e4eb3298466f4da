"""`storekeeper roles` on its own: what it reads, and what it says to a mistake."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest
import yaml

from harness import paths

TENANT = """
apiVersion: storekeeper.dev/v1alpha1
kind: Tenant
metadata: {name: acme}
spec:
  allowedNamespaces: {names: [team-a]}
"""
NAMESPACES = """
apiVersion: v1
kind: List
items:
- {apiVersion: v1, kind: Namespace, metadata: {name: team-a, labels: {storekeeper.dev/tenant: other}}}
- {apiVersion: v1, kind: Namespace, metadata: {name: team-b}}
"""


def roles(given: str, *options: str) -> subprocess.CompletedProcess[str]:
    command = [paths.storekeeper_binary(), "roles", *options]
    return subprocess.run(command, input=given, capture_output=True, text=True, timeout=30)


def where(printed: str) -> list[str]:
    return [one["metadata"]["namespace"] for one in yaml.safe_load_all(printed) if one and one["kind"] == "RoleBinding"]


def test_a_manifest_alone_is_enough_for_the_namespaces_that_it_names(tmp_path: Path) -> None:
    file = tmp_path / "tenant.yaml"
    file.write_text(TENANT)
    done = roles("", "--tenant", "acme", "--file", str(file), "--read-only", "Group:guests")
    assert done.returncode == 0, done.stderr
    assert where(done.stdout) == ["team-a"]


def test_a_namespace_that_is_another_tenants_gets_no_binding() -> None:
    done = roles(f"{TENANT}---{NAMESPACES}", "--tenant", "acme", "--read-only", "Group:guests")
    assert done.returncode == 0, done.stderr
    assert where(done.stdout) == []


@pytest.mark.parametrize(
    ("given", "options", "code", "words"),
    [
        (TENANT, ("--tenant", "none", "--backup", "User:x"), 1, "no Tenant 'none' in what was given"),
        ("{", ("--tenant", "acme", "--backup", "User:x"), 1, "failed to read what was given as YAML or JSON"),
        (
            TENANT.replace("[team-a]", "5"),
            ("--tenant", "acme", "--backup", "User:x"),
            1,
            "failed to read Tenant 'acme'",
        ),
        (TENANT, ("--tenant", "acme", "--file", "/nowhere", "--backup", "User:x"), 1, "failed to read '/nowhere'"),
        (TENANT, ("--tenant", "acme", "--backup", "tina"), 2, "must be User:NAME, Group:NAME or ServiceAccount:"),
        (TENANT, ("--tenant", "acme"), 2, "--administrator"),
        (TENANT, ("--backup", "User:x"), 2, "--tenant"),
    ],
)
def test_a_mistake_is_said_in_one_line_with_its_exit_code(
    given: str, options: tuple[str, ...], code: int, words: str
) -> None:
    done = roles(given, *options)
    assert done.returncode == code
    assert done.stdout == ""
    assert words in done.stderr
    if code == 1:
        assert len(done.stderr.splitlines()) == 1
