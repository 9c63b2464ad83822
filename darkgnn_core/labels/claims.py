"""Claims: what a list says of an address or prefix, and what became of the list's rows."""

from collections import Counter
from dataclasses import dataclass, field
from typing import Any

from darkgnn_core.errors import LabelError
from darkgnn_core.labels.targets import Target, prefix_text
from darkgnn_core.labels.texts import UNKNOWN, clean_label, fold

WIDEST_PREFIX = 24
"""A shorter prefix labels more than 256 addresses at once and needs an explicit yes."""

LISTED = 1_000
"""That many conflicts, wide prefixes or bad rows are kept by name; the counts stay exact."""


@dataclass(frozen=True, slots=True)
class Claim:
    """One source says that the hosts of a prefix are something.

    Attributes:
        first_ip: First address, as an integer.
        last_ip: Last address (included).
        prefix_len: Bits of the prefix; 32 is one address.
        label: The label folded for comparing (`fold`).
        raw_label: The label as written (NFC, trimmed).
        day: UTC day `YYYY-MM-DD` of the evidence, or None where it is not bound to a day.
        evidence: Why, in words.
        confidence: 0 to 1, or None where the source gives none.
    """

    first_ip: int
    last_ip: int
    prefix_len: int
    label: str
    raw_label: str
    day: str | None = None
    evidence: str = ""
    confidence: float | None = None

    @property
    def prefix(self) -> str:
        """The address or prefix as text."""
        return prefix_text(self.first_ip, self.prefix_len)

    def as_row(self) -> tuple[int | str | float | None, ...]:
        """Return the values in the order of the attributes; `Claim(*row)` gives it back."""
        return (
            self.first_ip, self.last_ip, self.prefix_len, self.label, self.raw_label, self.day,
            self.evidence, self.confidence,
        )  # fmt: skip


@dataclass
class ListReport:
    """What became of the rows of one list; `read == kept + sum(skipped.values())`.

    Attributes:
        read: Rows that say something (no header, comment or empty line).
        kept: Rows that became claims.
        skipped: Rows left out, by reason (`ipv6`, `duplicate`, `wide_prefix`, ...).
        notes: Things worth telling that dropped nothing, by name.
        spellings: Folded label to its spellings in the list, where there are several.
        conflicts: Prefixes to which the list gives several labels, before aliases: (prefix,
            labels). They are kept, and resolve to no label of this list unless aliases make the
            labels one.
        conflicting: How many such prefixes there are.
        wide: Prefixes held back because they are wider than /24: (prefix, label).
        ignored_columns: Columns of a CSV that were not used.
        examples: First rows left out for being unreadable: (row, reason).
    """

    read: int = 0
    kept: int = 0
    skipped: Counter[str] = field(default_factory=Counter)
    notes: Counter[str] = field(default_factory=Counter)
    spellings: dict[str, list[str]] = field(default_factory=dict)
    conflicts: list[tuple[str, tuple[str, ...]]] = field(default_factory=list)
    conflicting: int = 0
    wide: list[tuple[str, str]] = field(default_factory=list)
    ignored_columns: list[str] = field(default_factory=list)
    examples: list[tuple[int, str]] = field(default_factory=list)

    def skip(self, reason: str, *, row: int | None = None) -> None:
        """Count one row as read and left out; with `row`, remember where (not for IPv6)."""
        self.read += 1
        self.skipped[reason] += 1
        if row is not None and reason != "ipv6" and len(self.examples) < LISTED:
            self.examples.append((row, reason))

    def as_dict(self) -> dict[str, Any]:
        """Return the report as JSON can carry it."""
        return {
            "read": self.read,
            "kept": self.kept,
            "skipped": dict(self.skipped),
            "notes": dict(self.notes),
            "spellings": self.spellings,
            "conflicts": [[prefix, list(labels)] for prefix, labels in self.conflicts],
            "conflicting": self.conflicting,
            "wide": [list(pair) for pair in self.wide],
            "ignored_columns": self.ignored_columns,
            "examples": [list(pair) for pair in self.examples],
        }

    @classmethod
    def from_dict(cls, value: dict[str, Any]) -> "ListReport":
        """Return the report that `as_dict` turned into `value`, JSON in between or not."""
        return cls(
            **value
            | {"skipped": Counter(value["skipped"]), "notes": Counter(value["notes"])}
            | {"conflicts": [(prefix, tuple(labels)) for prefix, labels in value["conflicts"]]}
            | {name: [tuple(pair) for pair in value[name]] for name in ("wide", "examples")}
        )


class ClaimCollector:
    """Gathers the claims of one list, merges equal ones, and keeps the report.

    Args:
        allow_wide: Keep prefixes wider than /24 instead of holding them back.
    """

    def __init__(self, *, allow_wide: bool = False) -> None:
        self.allow_wide = allow_wide
        self.report = ListReport()
        self._claims: dict[tuple[int, int, str, str | None], Claim] = {}
        self._labels: dict[str, tuple[str, str]] = {}
        self._spellings: dict[str, dict[str, None]] = {}

    def add(
        self,
        target: Target,
        text: str,
        *,
        row: int,
        day: str | None = None,
        evidence: str = "",
        confidence: float | None = None,
    ) -> None:
        """Take one row: keep it as a claim, or count why not.

        Raises:
            LabelError: `LABEL`, where the text can't be a label; nothing is counted then.
        """
        raw, label = self._label(text)
        if label == UNKNOWN:
            self.report.skip("says_unknown")
        elif target.prefix_len < WIDEST_PREFIX and not self.allow_wide:
            self.report.skip("wide_prefix")
            if len(self.report.wide) < LISTED:
                self.report.wide.append((prefix_text(target.first_ip, target.prefix_len), raw))
        elif (key := (target.first_ip, target.prefix_len, label, day)) in self._claims:
            self.report.skip("duplicate")
            self._spellings[label][raw] = None
        else:
            self._claims[key] = Claim(*target, label, raw, day, evidence, confidence)
            self._spellings.setdefault(label, {})[raw] = None
            self.report.read += 1
            self.report.kept += 1

    def add_or_skip(self, target: Target, text: str, *, row: int, evidence: str = "") -> None:
        """Take one row of a list whose bad rows are counted: `bad_label` where it can't be one."""
        try:
            self.add(target, text, row=row, evidence=evidence)
        except LabelError:
            self.report.skip("bad_label", row=row)

    def finish(self) -> tuple[list[Claim], ListReport]:
        """Return the claims in the order of the list, and the report with its conflicts."""
        claims = list(self._claims.values())
        self.report.spellings = {
            label: list(spellings)
            for label, spellings in self._spellings.items()
            if len(spellings) > 1
        }
        conflicts = _conflicts_in(claims)
        self.report.conflicting = len(conflicts)
        self.report.conflicts = conflicts[:LISTED]
        return claims, self.report

    def _label(self, text: str) -> tuple[str, str]:
        known = self._labels.get(text)
        if known is None:
            raw = clean_label(text)
            known = self._labels[text] = (raw, fold(raw))
        return known


def _conflicts_in(claims: list[Claim]) -> list[tuple[str, tuple[str, ...]]]:
    """Return the prefixes with several labels on one day, a claim without a day being of all."""
    by_prefix: dict[tuple[int, int], list[Claim]] = {}
    for claim in claims:
        by_prefix.setdefault((claim.first_ip, claim.prefix_len), []).append(claim)
    found = []
    for same in by_prefix.values():
        for day in {claim.day for claim in same} if len(same) > 1 else ():
            labels = tuple(dict.fromkeys(c.label for c in same if c.day in (None, day)))
            if len(labels) > 1:
                found.append((same[0].prefix, labels))
                break
    return found
