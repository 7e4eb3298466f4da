"""What a soak comes to, for people and for machines."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, field

from soak.checks import Violation

SHOWN = 20


@dataclass
class Report:
    """Counts of one run; `violations` is what it is all about."""

    seed: int
    duration_seconds: float
    settled_after_seconds: float = 0.0
    objects_created: int = 0
    objects_deleted: int = 0
    names_created_again: int = 0
    secrets_removed_by_people: int = 0
    keys_revoked_by_people: int = 0
    foreign_secrets: int = 0
    kills: int = 0
    exits: dict[str, int] = field(default_factory=dict)
    """Operators that ended by themselves, by exit code."""
    answers_dropped: dict[str, int] = field(default_factory=dict)
    requests: int = 0
    keys_made: int = 0
    keys_revoked: int = 0
    revocations_judged: int = 0
    secrets_created: int = 0
    secrets_deleted_by_operators: int = 0
    writes_watched: int = 0
    at_the_end: dict[str, int] = field(default_factory=dict)
    live_keys: int = 0
    keys_used: int = 0
    violations: list[Violation] = field(default_factory=list)

    def as_json(self) -> str:
        return json.dumps({**asdict(self), "passed": not self.violations}, indent=2)

    def as_text(self) -> str:
        dropped = ", ".join(f"{point} {times}" for point, times in sorted(self.answers_dropped.items())) or "none"
        ends = ", ".join(f"{reason} {times}" for reason, times in sorted(self.at_the_end.items())) or "none"
        rows = [
            ("seed", self.seed),
            ("under fire", f"{self.duration_seconds:.0f} s, settled {self.settled_after_seconds:.0f} s later"),
            ("AccessKeys", f"{self.objects_created} created, {self.objects_deleted} deleted"),
            ("  of them again under the same name", self.names_created_again),
            (
                "by people",
                f"{self.secrets_removed_by_people} Secrets removed, {self.keys_revoked_by_people} keys revoked",
            ),
            ("SIGKILLs of operators", f"{self.kills}; {sum(self.exits.values())} could not start for a lost answer"),
            ("answers dropped after execution", f"{sum(self.answers_dropped.values())} of {self.requests} requests"),
            ("  by step", dropped),
            ("keys made, revoked, live", f"{self.keys_made}, {self.keys_revoked}, {self.live_keys}"),
            ("revocations judged as they passed", self.revocations_judged),
            ("Secrets created", f"{self.secrets_created}, {self.secrets_deleted_by_operators} deleted by operators"),
            ("somebody else's Secrets in the way", self.foreign_secrets),
            ("writes watched", self.writes_watched),
            ("at the end", ends),
            ("keys used against S3", self.keys_used),
            ("violations", len(self.violations)),
        ]
        lines = [f"{name:<38} {value}" for name, value in rows]
        lines += [f"  {violation}" for violation in self.violations[:SHOWN]]
        if len(self.violations) > SHOWN:
            lines.append(f"  … and {len(self.violations) - SHOWN} more")
        return "\n".join(lines)
