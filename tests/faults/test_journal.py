"""A run goes on where it stopped, and forgets nothing that it found."""

from __future__ import annotations

from pathlib import Path

from faults.journal import BROKEN, HELD, VIOLATED, Entry, Journal, hash_of


def entry(plan: str, result: str = HELD, binary: str = "b1") -> Entry:
    return Entry(plan, binary, result, 1, 0.5, ["why"])


def test_what_was_carried_out_is_known_to_the_next_run(tmp_path: Path) -> None:
    path = tmp_path / "deep" / "journal.jsonl"
    first = Journal(path, "b1")
    for one in (entry("held"), entry("violated", VIOLATED), entry("broken", BROKEN)):
        first.add(one)
    assert set(first.entries) == {"held", "violated", "broken"}
    again = Journal(path, "b1")
    assert again.entries == {"held": entry("held"), "violated": entry("violated", VIOLATED)}


def test_another_binary_is_another_matter(tmp_path: Path) -> None:
    path = tmp_path / "journal.jsonl"
    Journal(path, "b1").add(entry("one"))
    assert Journal(path, "b2").entries == {}
    assert set(Journal(path, "b1").entries) == {"one"}


def test_a_line_that_was_being_written_when_the_run_was_killed_is_passed_over(tmp_path: Path) -> None:
    path = tmp_path / "journal.jsonl"
    Journal(path, "b1").add(entry("one"))
    path.write_text(path.read_text() + '{"plan": "tw')
    assert set(Journal(path, "b1").entries) == {"one"}


def test_a_fresh_start_forgets(tmp_path: Path) -> None:
    path = tmp_path / "journal.jsonl"
    Journal(path, "b1").add(entry("one"))
    assert Journal(path, "b1", fresh=True).entries == {}
    assert Journal(path, "b1").entries == {}


def test_a_build_has_a_name(tmp_path: Path) -> None:
    one, other = tmp_path / "one", tmp_path / "other"
    one.write_bytes(b"1")
    other.write_bytes(b"2")
    assert hash_of(one) == hash_of(one) != hash_of(other)
