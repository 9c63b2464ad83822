"""How well labels cover the hosts of the data: by label, by source, and what is wrong with it."""

import sqlite3
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import pandas as pd

from darkgnn_core.labels.opinions import (
    Addresses,
    ClaimTable,
    Int32s,
    Opinions,
    SourceName,
    opinions_on,
    read_claims,
)
from darkgnn_core.labels.resolving import Resolved, resolved_from
from darkgnn_core.labels.texts import UNKNOWN


@dataclass(frozen=True)
class Coverage:
    """How well the labels cover some hosts.

    Attributes:
        hosts: How many hosts were asked for.
        labelled: How many have a label.
        table: One row a source and label: `source`, `kind`, `label`, `claimed` (hosts of which
            the source says it) and `won` (hosts that get their label from it).
        by_source: By id of the source, every source among them: (hosts it says something of, hosts
            that get their label from it).
        labels: Hosts by label, `unknown` left out, the most frequent first.
        warnings: (code, sentence) of what is wrong with them as a ground truth.
    """

    hosts: int
    labelled: int
    table: pd.DataFrame
    by_source: dict[str, tuple[int, int]]
    labels: dict[str, int]
    warnings: tuple[tuple[str, str], ...]


def coverage(
    connection: sqlite3.Connection, hosts: Addresses, *, day: str | None = None
) -> Coverage:
    """Count the labelled hosts of each label and source.

    Args:
        connection: The catalogue.
        hosts: uint32 (n,), each counted once.
        day: As in `resolve`.

    Source:
        Reliability row T10: counts are shown, and a list that meets no host is named.
    """
    hosts = np.unique(hosts)
    table = read_claims(connection, day=day)
    opinions = opinions_on(table, hosts)
    resolved = resolved_from(table, hosts, opinions)
    claimed = Counter(_pairs(table.source[opinions.claim], table.label[opinions.claim]))
    is_won = resolved.codes > 0
    won = Counter(_pairs(resolved.source_codes[is_won], resolved.codes[is_won] - 1))
    labels = {label: n for label, n in resolved.counts().items() if label != UNKNOWN}
    warnings = _warnings(table.sources, {source for source, _ in claimed}, labels)
    return Coverage(
        hosts=len(hosts),
        labelled=resolved.labelled,
        table=_frame(table, claimed, won),
        by_source=_by_source(table, opinions, resolved),
        labels=labels,
        warnings=warnings,
    )


def _by_source(
    table: ClaimTable, opinions: Opinions, resolved: Resolved
) -> dict[str, tuple[int, int]]:
    sources = max(len(table.sources), 1)
    met = np.unique(opinions.target * sources + table.source[opinions.claim]) % sources
    said = np.bincount(met, minlength=sources)
    won = np.bincount(resolved.source_codes[resolved.codes > 0], minlength=sources)
    return {
        source.id: (int(said[place]), int(won[place])) for place, source in enumerate(table.sources)
    }


def _pairs(sources: Int32s, labels: Int32s) -> Iterator[tuple[int, int]]:
    return zip(sources.tolist(), labels.tolist(), strict=True)


def _frame(
    table: ClaimTable, claimed: Counter[tuple[int, int]], won: Counter[tuple[int, int]]
) -> pd.DataFrame:
    rows = [
        (table.sources[source].name, table.sources[source].kind, table.names[label], said,
         won[source, label])
        for (source, label), said in sorted(claimed.items())
    ]  # fmt: skip
    return pd.DataFrame(rows, columns=["source", "kind", "label", "claimed", "won"])


def _warnings(
    sources: tuple[SourceName, ...], met: set[int], labels: dict[str, int]
) -> tuple[tuple[str, str], ...]:
    found = [
        ("NO-OVERLAP", f"{source.name}: none of its addresses is among these hosts.")
        for place, source in enumerate(sources)
        if place not in met
    ]
    if sources and not labels:
        found.append(("NO-OVERLAP", "No host has a label."))
    if len(labels) == 1:
        found.append(("ONE-CLASS", f"All labelled hosts are {next(iter(labels))!r}."))
    return tuple(found)
