"""Labels as tables for people: sources, lists before they are added, conflicts, names, history."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import pandas as pd

from darkgnn_core.charts.plain_words import in_words
from darkgnn_core.labels.aliases import Alias
from darkgnn_core.labels.previewing import ListLook
from darkgnn_core.labels.store import LabelSource
from darkgnn_core.labels.targets import prefix_text

KINDS = {
    "analyst": "given in this app",
    "given": "given by hand, from a file; evaluations leave it out",
    "csv": "CSV list",
    "mirai": "Mirai fingerprint in the packets",
    "misp": "MISP warning list",
    "maltrail": "maltrail list",
    "ipset": "ipset save file",
}
"""What a source of labels is, in words."""

CLASSES = {"known": "known scanner", "malicious": "malicious", "other": "other"}
"""What kind of sender a label means, in words."""

ORIGINS = {"seed": "comes with darkgnn", "edited": "changed here"}


def source_table(
    sources: Sequence[LabelSource], hosts: Mapping[str, tuple[int, int]]
) -> pd.DataFrame:
    """Return one row a source in their order: the first one wins.

    Args:
        sources: As `store.list_sources` gives them.
        hosts: As `coverage.Coverage.by_source` gives them.
    """
    rows = [
        (
            place,
            each.name,
            KINDS.get(each.kind, each.kind),
            each.labels,
            *hosts.get(each.id, (0, 0)),
            each.added_at,
            each.note,
        )
        for place, each in enumerate(sources, start=1)
    ]
    columns = ["order", "source", "kind", "labels", "hosts it labels", "hosts it wins"]
    table = _with_times(pd.DataFrame(rows, columns=[*columns, "added", "note"]), "added")
    return table if table["note"].any() else table.drop(columns="note")


def look_table(looks: Iterable[ListLook]) -> pd.DataFrame:
    """Return one row a file: what it is, and what would become of its rows."""
    rows = [
        {
            "file": each.name,
            "kind": KINDS.get(each.kind, "not read"),
            "read": each.report.get("read"),
            "kept": each.report.get("kept"),
            "skipped": sum(each.report["skipped"].values()) if each.report else None,
            "held back": each.report["skipped"].get("wide_prefix", 0) if each.report else None,
            "contradictions": each.report.get("conflicting"),
            "message": each.message,
        }
        for each in looks
    ]
    columns = ["file", "kind", "read", "kept", "skipped", "held back", "contradictions", "message"]
    counts = dict.fromkeys(columns[2:-1], "Int64")
    return pd.DataFrame(rows, columns=columns).astype(counts)


def list_reasons(reports: Iterable[Mapping[str, Any]], key: str) -> pd.DataFrame:
    """Return how often each reason or note occurred over all reports, in words.

    Args:
        reports: Each a `ListReport.as_dict`; keys that are absent count nothing.
        key: `skipped`, or `notes`.

    Returns:
        Columns `reason`, `rows`, by rows downwards.
    """
    pairs = [pair for each in reports for pair in each.get(key, {}).items()]
    table = pd.DataFrame(pairs, columns=["reason", "rows"])
    table["reason"] = [in_words(code) for code in table["reason"]]
    summed = table.groupby("reason", as_index=False).sum()
    return summed.sort_values(["rows", "reason"], ascending=[False, True], ignore_index=True)


def wide_table(reports: Iterable[Mapping[str, Any]]) -> pd.DataFrame:
    """Return the prefixes held back for being wider than /24, the widest first.

    Returns:
        Columns `prefix`, `addresses`, `label`; up to 1,000 of each list.
    """
    rows = [
        (prefix, 1 << (32 - int(prefix.rpartition("/")[2])), label)
        for each in reports
        for prefix, label in each.get("wide", [])
    ]
    table = pd.DataFrame(rows, columns=["prefix", "addresses", "label"])
    return table.sort_values(["addresses", "prefix"], ascending=[False, True], ignore_index=True)


def conflict_table(conflicts: pd.DataFrame) -> pd.DataFrame:
    """Return disputes with headings for people; `conflicts` as `conflicts.conflicts` gives it."""
    shown = conflicts[["prefix", "label", "source", "why", "against"]]
    return shown.set_axis(
        ["address", "label it gets", "who says so", "why that wins", "what others say"], axis=1
    )


def alias_table(aliases: Iterable[Alias]) -> pd.DataFrame:
    """Return one row an alias: the name, what it stands for, and who said so."""
    rows = [(each.alias, each.resolves_to, ORIGINS[each.origin]) for each in aliases]
    return pd.DataFrame(rows, columns=["name", "stands for", "from"])


def class_table(hosts: Mapping[str, int], classes: Mapping[str, str]) -> pd.DataFrame:
    """Return one row a label: how many hosts have it, and what kind of sender it means.

    Args:
        hosts: Hosts by label, as `Coverage.labels`.
        classes: Class by label, as `classes.label_classes`; labels without one are `other`.

    Returns:
        Columns `label`, `hosts`, `kind of sender`, by hosts downwards.
    """
    rows = [
        (label, hosts.get(label, 0), CLASSES[classes.get(label, "other")])
        for label in {**hosts, **classes}
    ]
    table = pd.DataFrame(rows, columns=["label", "hosts", "kind of sender"])
    return table.sort_values(["hosts", "label"], ascending=[False, True], ignore_index=True)


def history_table(rows: Iterable[Mapping[str, Any]]) -> pd.DataFrame:
    """Return labels ever given, as `store.history` gives them, with headings for people."""
    told = [
        (
            prefix_text(row["first_ip"], row["prefix_len"]),
            row["raw_label"],
            row["source"],
            row["evidence"],
            row["confidence"],
            row["day"] or "any",
            row["run"] or "",
            row["added_at"],
            row["withdrawn_at"],
        )
        for row in rows
    ]
    columns = ["address", "label", "source", "reason", "confidence", "day", "run in view"]
    table = pd.DataFrame(told, columns=[*columns, "given", "taken back"])
    table = _with_times(table.astype({"confidence": "float64"}), "given", "taken back")
    return table if table["run in view"].any() else table.drop(columns="run in view")


def bad_table(bad: Iterable[tuple[str, str]]) -> pd.DataFrame:
    """Return what was typed and is no address: `typed.Typed.bad`."""
    return pd.DataFrame(list(bad), columns=["text", "what is wrong"])


def _with_times(table: pd.DataFrame, *columns: str) -> pd.DataFrame:
    for name in columns:
        table[name] = pd.to_datetime(table[name], utc=True)
    return table
