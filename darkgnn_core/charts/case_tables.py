"""Sets, notes and suggestions as tables for people."""

from collections.abc import Iterable, Mapping, Sequence
from ipaddress import IPv4Address
from typing import Any

import numpy as np
import pandas as pd

from darkgnn_core.host_sets import HostSet
from darkgnn_core.labels.verdicts import Suggested
from darkgnn_core.notes import Note
from darkgnn_core.suggestions import Suggestions

SHOWN_VOTERS = 3


def set_table(sets: Sequence[HostSet], runs: Mapping[str, str]) -> pd.DataFrame:
    """Return one row a set; how it came about stands there where its name does not say so.

    Args:
        sets: As `host_sets.list_sets` gives them.
        runs: Names of runs by id.
    """
    return pd.DataFrame(
        {
            "set": [each.name for each in sets],
            "hosts": [len(each.hosts) for each in sets],
            "kept": pd.to_datetime([each.created_at for each in sets], utc=True),
            "day in view": [each.day or "" for each in sets],
            "run in view": [runs.get(each.run_id or "", each.run_id or "") for each in sets],
            "how it came about": ["" if each.words == each.name else each.words for each in sets],
        }
    )


def note_table(notes: Sequence[Note], names: Mapping[str, str]) -> pd.DataFrame:
    """Return one row a note; `taken back` is there only where some were.

    Args:
        notes: As `notes.list_notes` gives them.
        names: Names of sets by id.
    """
    table = pd.DataFrame(
        {
            "about": [subject_words(each, names) for each in notes],
            "note": [each.text for each in notes],
            "day in view": [each.day or "" for each in notes],
            "written": pd.to_datetime([each.added_at for each in notes], utc=True),
            "taken back": pd.to_datetime(
                pd.Series([each.withdrawn_at for each in notes], dtype=object), utc=True
            ),
        }
    )
    return table if table["taken back"].notna().any() else table.drop(columns="taken back")


def with_notes(hosts: pd.DataFrame, counts: Mapping[str, int]) -> pd.DataFrame:
    """Return a table of hosts with a column `notes`, where any of them has one.

    Args:
        hosts: With a column `address`.
        counts: Notes by address, as `notes.count_notes` gives them.
    """
    found = hosts["address"].map(lambda address: counts.get(address, 0)).astype("int64")
    return hosts.assign(notes=found) if found.any() else hosts


def subject_words(note: Note, names: Mapping[str, str]) -> str:
    """Say what a note is about; plain text, which may hold text of others."""
    subject = names.get(note.subject, "a deleted set") if note.kind == "set" else note.subject
    return f"{note.kind} {subject}"


def suggestion_table(found: Suggestions, labels: Mapping[int, str]) -> pd.DataFrame:
    """Return one row a suggested label, in the order of `found`.

    Args:
        found: Those that are suggested, those abstained on left out.
        labels: Labels of the hosts that voted, by address.
    """
    table = _said(found, labels)
    table.insert(1, "suggested", found.labels)
    return table


def abstained_table(found: Suggestions, labels: Mapping[int, str]) -> pd.DataFrame:
    """Return one row a host for which no label is suggested, and why; as `suggestion_table`."""
    table = _said(found, labels)
    table.insert(1, "why none", found.why)
    table.insert(2, "votes would say", found.told)
    return table


def _said(found: Suggestions, labels: Mapping[int, str]) -> pd.DataFrame:
    return pd.DataFrame(
        {
            "address": [str(IPv4Address(int(host))) for host in found.hosts],
            "votes": [f"{votes} of {found.k}" for votes in found.votes],
            "of these by hand": found.by_hand,
            "share": found.share,
            "distance": np.where(np.isfinite(found.distance), found.distance, np.nan),
            "too far beyond": np.where(np.isfinite(found.limit), found.limit, np.nan),
            "nearest that voted": [_voters(row, labels) for row in found.voters],
        }
    )


def _voters(row: Iterable[Any], labels: Mapping[int, str]) -> str:
    there = [int(host) for host in row if host]
    told = [f"{IPv4Address(host)} {labels.get(host, '')}".strip() for host in there[:SHOWN_VOTERS]]
    more = f" and {len(there) - SHOWN_VOTERS} more" if len(there) > SHOWN_VOTERS else ""
    return ", ".join(told) + more


def count_table(values: Iterable[str], name: str) -> pd.DataFrame:
    """Return how often each value is there: `name`, `hosts`, the most frequent first."""
    counts = pd.Series(list(values), dtype=object).value_counts()
    return pd.DataFrame({name: counts.index.astype(object), "hosts": counts.to_numpy()})


def verdict_table(suggested: Sequence[Suggested]) -> pd.DataFrame:
    """Return what accepting would do, one row a label: hosts, votes, the first addresses."""
    by_label: dict[str, list[Suggested]] = {}
    for each in suggested:
        by_label.setdefault(each.label, []).append(each)
    rows = [
        {
            "label": label,
            "hosts": len(group),
            "fewest votes": f"{min(each.votes for each in group)} of {group[0].k}",
            "such as": ", ".join(str(IPv4Address(each.host)) for each in group[:SHOWN_VOTERS]),
        }
        for label, group in by_label.items()
    ]
    return pd.DataFrame(rows, columns=["label", "hosts", "fewest votes", "such as"])


def rejection_table(rows: Sequence[Mapping[str, Any]], runs: Mapping[str, str]) -> pd.DataFrame:
    """Return one row a label that was turned down.

    Args:
        rows: As `labels.verdicts.list_rejections` gives them.
        runs: Names of runs by id.
    """
    return pd.DataFrame(
        {
            "address": [str(IPv4Address(int(row["host"]))) for row in rows],
            "not": [row["label"] for row in rows],
            "run": [runs.get(row["run_id"], row["run_id"]) for row in rows],
            "why": [row["reason"] for row in rows],
            "turned down": pd.to_datetime([row["added_at"] for row in rows], utc=True),
        }
    )
