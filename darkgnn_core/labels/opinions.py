"""What every source says of every host: claims and hosts joined, prefix by prefix.

All work is done on whole columns: for each prefix length, the claims of that length are sorted
by their first address and every host looks up its own prefix there, so the time grows with
hosts * log(claims), not with hosts * claims.
"""

import sqlite3
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
import numpy.typing as npt

from darkgnn_core.labels.aliases import read_aliases

Addresses: TypeAlias = npt.NDArray[np.uint32]
Int32s: TypeAlias = npt.NDArray[np.int32]
Int64s: TypeAlias = npt.NDArray[np.int64]
Mask: TypeAlias = npt.NDArray[np.bool_]


@dataclass(frozen=True)
class SourceName:
    """A source as results name it: id, name, kind and its place in the order."""

    id: str
    name: str
    kind: str
    precedence: int


@dataclass(frozen=True)
class ClaimTable:
    """The claims that count, as columns of equal length; equal claims of a source are one.

    Attributes:
        sources: The sources in their order, the first one wins.
        names: Labels after aliases; `label` counts into it.
        ids: int64, row of `label` in the catalogue.
        source: int32, position in `sources`.
        precedence: int64, the source's place in the order.
        first_ip: uint32, first address of the prefix.
        prefix_len: int32, 0 to 32.
        label: int32, position in `names`.
    """

    sources: tuple[SourceName, ...]
    names: tuple[str, ...]
    ids: Int64s
    source: Int32s
    precedence: Int64s
    first_ip: Addresses
    prefix_len: Int32s
    label: Int32s


@dataclass(frozen=True)
class Opinions:
    """For each target and source, the claims on the longest prefix that holds the target.

    Attributes:
        target: int64, position of the target.
        claim: int64, position in the claim table.
        is_disputed: The source gives several labels to that very prefix: it has no opinion.
    """

    target: Int64s
    claim: Int64s
    is_disputed: Mask


def read_claims(
    connection: sqlite3.Connection, *, day: str | None = None, counts_analysts: bool = True
) -> ClaimTable:
    """Read the standing claims, with aliases followed.

    Args:
        connection: The catalogue.
        day: Only claims of that day and those not bound to one; None takes all.
        counts_analysts: Whether labels that analysts gave count, here or in a file of such labels.
    """
    return _without_repeats(_read_all(connection, day, counts_analysts=counts_analysts)[0])


def read_claims_by_day(
    connection: sqlite3.Connection, days: Iterable[str], *, counts_analysts: bool = True
) -> Iterator[ClaimTable]:
    """Yield what `read_claims` gives for each day, having read the catalogue once.

    Args:
        connection: The catalogue.
        days: Such as `2021-12-01`.
        counts_analysts: Whether labels that analysts gave count, here or in a file of such labels.
    """
    table, bound_to = _read_all(connection, None, counts_analysts=counts_analysts)
    for day in days:
        counts = (bound_to == "") | (bound_to == day)
        yield _without_repeats(take(table, np.flatnonzero(counts)))


def _read_all(
    connection: sqlite3.Connection, day: str | None, *, counts_analysts: bool
) -> tuple[ClaimTable, npt.NDArray[np.str_]]:
    """Return claims, equal ones too, and the day each is bound to, empty for none."""
    sources = _read_sources(connection)
    position = {source.id: place for place, source in enumerate(sources)}
    cursor = connection.cursor()
    cursor.row_factory = None  # plain tuples: 100,000 rows by name would take twice the time
    rows = cursor.execute(
        "SELECT id, source_id, first_ip, prefix_len, label, coalesce(day, '') AS bound_to "
        "FROM label WHERE withdrawn_at IS NULL AND (:day IS NULL OR bound_to IN ('', :day)) AND "
        "(:analysts OR source_id NOT IN "
        "(SELECT id FROM label_source WHERE kind IN ('analyst', 'given'))) "
        "ORDER BY bound_to, id",
        {"day": day, "analysts": counts_analysts},
    ).fetchall()
    ids, source_ids, first_ips, lengths, labels, bound_to = (
        zip(*rows, strict=True) if rows else [()] * 6
    )
    names, label = _label_codes(labels, read_aliases(connection))
    source = np.fromiter(map(position.__getitem__, source_ids), np.int32, len(rows))
    places = np.array([entry.precedence for entry in sources], np.int64)
    table = ClaimTable(
        sources=sources,
        names=names,
        ids=np.array(ids, np.int64),
        source=source,
        precedence=places[source],
        first_ip=np.array(first_ips, np.uint32),
        prefix_len=np.array(lengths, np.int32),
        label=label,
    )
    return table, np.array(bound_to, np.str_)


def _read_sources(connection: sqlite3.Connection) -> tuple[SourceName, ...]:
    rows = connection.execute(
        "SELECT id, name, kind, precedence FROM label_source ORDER BY precedence, rowid"
    )
    return tuple(SourceName(*tuple(row)) for row in rows)


def _label_codes(
    labels: tuple[str, ...], aliases: dict[str, str]
) -> tuple[tuple[str, ...], Int32s]:
    final = {label: aliases.get(label, label) for label in set(labels)}
    names = tuple(sorted(set(final.values())))
    code_of = {name: code for code, name in enumerate(names)}
    codes = {label: code_of[name] for label, name in final.items()}
    return names, np.fromiter(map(codes.__getitem__, labels), np.int32, len(labels))


def _without_repeats(table: ClaimTable) -> ClaimTable:
    """Keep of equal claims of one source the last one: the latest evidence."""
    columns = (table.label, table.prefix_len, table.first_ip, table.source)
    order = np.lexsort(columns)
    is_last = np.ones(len(order), bool)
    if len(order):
        same = np.ones(len(order) - 1, bool)
        for column in columns:
            same &= column[order[1:]] == column[order[:-1]]
        is_last[:-1] = ~same
    return take(table, np.sort(order[is_last]))


def take(table: ClaimTable, rows: Int64s) -> ClaimTable:
    """Return the claims at some positions."""
    return ClaimTable(
        sources=table.sources,
        names=table.names,
        ids=table.ids[rows],
        source=table.source[rows],
        precedence=table.precedence[rows],
        first_ip=table.first_ip[rows],
        prefix_len=table.prefix_len[rows],
        label=table.label[rows],
    )


def opinions_on(
    table: ClaimTable, first_ips: Addresses, prefix_lens: Int32s | None = None
) -> Opinions:
    """Return what each source says of each target.

    Args:
        table: The claims.
        first_ips: uint32 (n,), addresses, or first addresses of prefixes.
        prefix_lens: int32 (n,); None means single addresses.

    Returns:
        Rows ordered by target, then by the order of sources.
    """
    target, claim = _covering_pairs(table, first_ips, prefix_lens)
    group = target * max(len(table.sources), 1) + table.source[claim]
    order = np.lexsort((-table.prefix_len[claim], group))
    target, claim, group = target[order], claim[order], group[order]
    starts, sizes = _runs(group)
    longest = np.repeat(table.prefix_len[claim[starts]], sizes)
    kept = table.prefix_len[claim] == longest
    target, claim, group = target[kept], claim[kept], group[kept]
    _, sizes = _runs(group)
    return Opinions(target, claim, np.repeat(sizes > 1, sizes))


def _covering_pairs(
    table: ClaimTable, first_ips: Addresses, prefix_lens: Int32s | None
) -> tuple[Int64s, Int64s]:
    """Return (target, claim) for every claim whose prefix holds the whole target."""
    targets, claims = [np.empty(0, np.int64)], [np.empty(0, np.int64)]
    for length in np.unique(table.prefix_len):
        able = np.arange(len(first_ips), dtype=np.int64)
        if prefix_lens is not None:
            able = able[prefix_lens >= length]
        rows = np.flatnonzero(table.prefix_len == length)
        rows = rows[np.argsort(table.first_ip[rows], kind="stable")]
        wanted = first_ips[able] & _netmask(int(length))
        low = np.searchsorted(table.first_ip[rows], wanted, "left")
        counts = np.searchsorted(table.first_ip[rows], wanted, "right") - low
        targets.append(np.repeat(able, counts))
        claims.append(rows[_positions(low, counts)])
    return np.concatenate(targets), np.concatenate(claims)


def _positions(low: Int64s, counts: Int64s) -> Int64s:
    """Return low[i], low[i] + 1, ... counts[i] times, for each i."""
    before = np.cumsum(counts) - counts
    positions: Int64s = np.arange(counts.sum(), dtype=np.int64) + np.repeat(low - before, counts)
    return positions


def _netmask(length: int) -> np.uint32:
    return np.uint32((0xFFFF_FFFF << (32 - length)) & 0xFFFF_FFFF)


def _runs(group: Int64s) -> tuple[Int64s, Int64s]:
    """Return where each run of equal values starts and how long it is."""
    if not len(group):
        return np.empty(0, np.int64), np.empty(0, np.int64)
    starts = np.flatnonzero(np.append(True, group[1:] != group[:-1]))
    return starts, np.diff(np.append(starts, len(group)))


def winners(table: ClaimTable, opinions: Opinions) -> tuple[Int64s, Int64s]:
    """Return the targets that get a label, and the position of the claim that gives it.

    The source with the lowest precedence number wins; among sources that are level the longer
    prefix, then the source added first. Disputed opinions never win.
    """
    rows = np.flatnonzero(~opinions.is_disputed)
    target, claim = opinions.target[rows], opinions.claim[rows]
    order = np.lexsort(
        (table.source[claim], -table.prefix_len[claim], table.precedence[claim], target)
    )
    starts, _ = _runs(target[order])
    best = order[starts]
    return target[best], claim[best]
