"""Where sources disagree: every such host or prefix, who wins there, and why."""

import sqlite3
from itertools import groupby

import numpy as np
import pandas as pd

from darkgnn_core.labels.opinions import (
    Addresses,
    ClaimTable,
    Int32s,
    Int64s,
    Opinions,
    opinions_on,
    read_claims,
    winners,
)
from darkgnn_core.labels.targets import prefix_text, target_of
from darkgnn_core.labels.texts import UNKNOWN

COLUMNS = ("prefix", "first_ip", "last_ip", "label", "source", "why", "against", "labels")


def conflicts(
    connection: sqlite3.Connection, hosts: Addresses | None = None, *, day: str | None = None
) -> pd.DataFrame:
    """List where sources disagree, after aliases, or one contradicts itself.

    Args:
        connection: The catalogue.
        hosts: uint32 (n,): one row for each of these hosts that is disputed. None lists every
            disputed prefix that some claim is about.
        day: As in `resolving.resolve`.

    Returns:
        One row a prefix or host, by address: `prefix` text; `first_ip`, `last_ip`; the winning
        `label` and `source` (`unknown` and empty where nobody wins); `why` it wins; `against`,
        what the others say; `labels`, the labels in dispute joined by " | ".
    """
    table = read_claims(connection, day=day)
    if hosts is None:
        nodes = np.unique(table.first_ip.astype(np.int64) << 6 | table.prefix_len)
        first_ips, lengths = (nodes >> 6).astype(np.uint32), (nodes & 63).astype(np.int32)
    else:
        first_ips = np.unique(hosts)
        lengths = np.full(len(first_ips), 32, np.int32)
    opinions = _disputed(table, opinions_on(table, first_ips, lengths))
    won = dict(zip(*(column.tolist() for column in winners(table, opinions)), strict=True))
    rows = [
        _row(table, int(first_ips[target]), int(lengths[target]), said, won.get(target))
        for target, said in _by_target(opinions)
    ]
    return pd.DataFrame(rows, columns=list(COLUMNS))


def _disputed(table: ClaimTable, opinions: Opinions) -> Opinions:
    """Keep the targets of which more than one label is said."""
    labels = max(len(table.names), 1)
    said = np.unique(opinions.target * labels + table.label[opinions.claim])
    targets, counts = np.unique(said // labels, return_counts=True)
    rows: Int64s = np.flatnonzero(np.isin(opinions.target, targets[counts > 1]))
    return Opinions(opinions.target[rows], opinions.claim[rows], opinions.is_disputed[rows])


def _by_target(opinions: Opinions) -> list[tuple[int, list[tuple[int, bool]]]]:
    rows = zip(
        opinions.target.tolist(),
        opinions.claim.tolist(),
        opinions.is_disputed.tolist(),
        strict=True,
    )
    return [
        (target, [(claim, is_disputed) for _, claim, is_disputed in group])
        for target, group in groupby(rows, key=lambda row: row[0])
    ]


def _row(
    table: ClaimTable,
    first_ip: int,
    prefix_len: int,
    said: list[tuple[int, bool]],
    winner: int | None,
) -> tuple[str, int, int, str, str, str, str, str]:
    label, source = UNKNOWN, ""
    if winner is not None:
        label = table.names[table.label[winner]]
        source = table.sources[table.source[winner]].name
    others = [row for row in said if row[1] or table.names[table.label[row[0]]] != label]
    against = [
        f"{table.sources[table.source[claim]].name}: {table.names[table.label[claim]]}"
        + (" (contradicts itself)" if is_disputed else "")
        for claim, is_disputed in others
    ]
    labels = dict.fromkeys(table.names[table.label[claim]] for claim, _ in said)
    last_ip = target_of(first_ip, prefix_len).last_ip
    why = _why(table, winner, [claim for claim, is_disputed in others if not is_disputed])
    return (
        prefix_text(first_ip, prefix_len), first_ip, last_ip, label, source, why,
        "; ".join(against), " | ".join(labels),
    )  # fmt: skip


def _why(table: ClaimTable, winner: int | None, others: list[int]) -> str:
    """Say by which rule the winner beat the strongest of the others."""
    if winner is None:
        return "nobody wins: each source contradicts itself"
    if not others:
        return "the other source contradicts itself"
    if all(table.precedence[winner] < table.precedence[claim] for claim in others):
        return "first in the order of sources"
    level = [claim for claim in others if table.precedence[claim] == table.precedence[winner]]
    longest: Int32s = table.prefix_len[level].max()
    if table.prefix_len[winner] > longest:
        return f"level in the order, longer prefix (/{table.prefix_len[winner]}, not /{longest})"
    return "level in the order, same prefix length, added first"
