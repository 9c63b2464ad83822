"""One sender with more packets than memory holds, counted piece by piece; the result is the same.

What adds up is added up. What needs all packets at once, such as the gaps between them or how many
different addresses they met, goes through sorted counts that wait on disk.
"""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from darkgnn_core.snapshots.arrays import arrow_array, arrow_table, hours_of, present, values_of
from darkgnn_core.snapshots.bins import Bin
from darkgnn_core.snapshots.counting import (
    COMMONS,
    GAPS,
    QUANTILES,
    SPREADS,
    Packets,
    beside_quantile,
    between,
    common_of,
    count_by_pair,
    count_nulls,
    ports_of,
    spread_of,
)
from darkgnn_core.snapshots.shards import Giant
from darkgnn_core.snapshots.sorted_counts import SortedCounts
from darkgnn_core.snapshots.sorting import PairCounts, Places, group_starts

HALF = np.uint64(32)

PAIR_TABLES = {"pairs": "dst_port", "host_headers": "src_ip", "port_parts": "dst_port"}
"""What `count_by_pair` gives, and the column that tells rows apart where there is one host."""

HOURS = "host_hours"


@dataclass(frozen=True, eq=False)
class _Values:
    """What a giant's packets have in a column, counted: sorted counts by name of a table."""

    times: SortedCounts
    columns: dict[str, SortedCounts]

    @classmethod
    def within(cls, directory: Path, limit: int) -> "_Values":
        names = (HOURS, *SPREADS, *COMMONS)
        return cls(
            SortedCounts(directory, "times", limit),
            {name: SortedCounts(directory, name, limit) for name in names},
        )

    def add(self, table: pa.Table, time_bin: Bin) -> None:
        self.times.add(values_of(table, "ts_ns") - time_bin.start_ns)
        self.columns[HOURS].add(hours_of(table, time_bin))
        for name, column in (SPREADS | COMMONS).items():
            rows = present(table, column)
            values = values_of(table, column)
            self.columns[name].add(values if rows is None else values[rows])

    def remove(self) -> None:
        for counts in (self.times, *self.columns.values()):
            counts.remove()


def count_giant(
    giant: Giant, time_bin: Bin, directory: Path
) -> tuple[dict[str, pa.Table], Counter[str]]:
    """Count what `counting.count_packets` counts, and kept packets without a value by column.

    Args:
        giant: The packets.
        time_bin: Their bin.
        directory: Where counts wait.
    """
    limit = max(2, giant.limit // 4)
    values, nulls = _Values.within(directory, limit), Counter[str]()
    tables: dict[str, pa.Table] = {}
    for piece in giant.pieces():
        packets = Packets.of_table(piece, 0)
        nulls.update(count_nulls(packets))
        for name, table in count_by_pair(packets).items():
            before = [tables[name]] if name in tables else []
            tables[name] = merged([*before, table], PAIR_TABLES[name])
        del packets
        values.add(piece, time_bin)
        del piece
    tables["host_gaps"] = _gaps(values.times, giant, directory, limit)
    tables["kept_hours"] = _hours(values.columns[HOURS])
    host = np.array([giant.host], np.uint32)
    for name, counts in values.columns.items():
        if name in COMMONS:
            tables[name] = _most_common([common_of(host, part) for part in _parts(counts)])
        else:
            tables[name] = merged([spread_of(host, part) for part in _parts(counts)], "src_ip")
    values.remove()
    return tables, nulls


def _parts(counts: SortedCounts) -> Iterator[PairCounts]:
    """Yield counts of values as those of one host, at least once."""
    keys, n = np.zeros(0, np.uint64), np.zeros(0, np.int64)
    yield PairCounts(np.zeros(0, np.int64), keys, n)
    for keys, n in counts:
        yield PairCounts(np.zeros(len(keys), np.int64), keys, n)


def _most_common(tables: Sequence[pa.Table]) -> pa.Table:
    """Return the most frequent of the most frequent values of ascending parts, of equals the first.

    Each table has a row or none.
    """
    table = pa.concat_tables(tables)
    if not len(table):
        return table
    best = int(np.argmax(values_of(table, "n")))
    total = np.array([values_of(table, "total").sum()])
    place = table.schema.get_field_index("total")
    return table.slice(best, 1).set_column(place, "total", arrow_array(total))


def _hours(counts: SortedCounts) -> pa.Table:
    hours, packets = (np.concatenate(part) for part in zip(*counts, strict=True))
    return arrow_table({"hour": hours.astype(np.int64), "n": packets})


def _gaps(times: SortedCounts, giant: Giant, directory: Path, limit: int) -> pa.Table:
    """Return quantiles of the time between successive packets, in 0.1 ns."""
    gaps, last, simultaneous = SortedCounts(directory, "gaps", limit), None, 0
    for keys, n in times:
        gaps.add(np.diff(keys) if last is None else np.diff(keys, prepend=last))
        simultaneous += int((n - 1).sum())
        last = keys[-1]
    if simultaneous:
        gaps.add(np.zeros(1, np.uint64), np.array([simultaneous]))
    sizes = np.array([giant.rows - 1])
    if not sizes[0]:
        return GAPS.empty_table()
    beside = {name: beside_quantile(sizes, tenths) for name, tenths in QUANTILES.items()}
    places = np.concatenate([place for pair in beside.values() for place in pair[:2]])
    found = dict(zip(places.tolist(), _values_at(gaps, places).tolist(), strict=True))
    gaps.remove()
    columns: dict[str, Any] = {"src_ip": np.array([giant.host], np.uint32)}
    for name, (below, above, beyond) in beside.items():
        low, high = (np.array([found[int(place[0])]]) for place in (below, above))
        columns[name] = between(low, high, beyond)
    return arrow_table(columns | {"simultaneous": np.array([simultaneous])})


def _values_at(counts: SortedCounts, places: Places) -> Places:
    """Return the values at some places of all that were counted, sorted; int64 (places,)."""
    values, before = np.zeros(len(places), np.int64), 0
    for keys, n in counts:
        ends = before + np.cumsum(n)
        here = (places >= before) & (places < ends[-1])
        values[here] = keys[np.searchsorted(ends, places[here], side="right")]
        before = int(ends[-1])
    return values


def count_dark_of_giant(
    giant: Giant, node_of: npt.NDArray[np.int32], met: SortedCounts, directory: Path
) -> pa.Table:
    """Count the dark addresses of each port node as `counting.count_dark_addresses` does.

    Args:
        giant: The packets.
        node_of: int32 (65537,), the node of each port and of `NO_PORT`.
        met: Gets the dark addresses.
        directory: Where counts wait.
    """
    pairs = SortedCounts(directory, "dark", max(2, giant.limit // 4))
    seen = np.zeros(len(node_of) + 1, np.bool_)
    for piece in giant.pieces():
        nodes = (node_of[ports_of(piece)] + 1).astype(np.int64)
        seen[nodes] = True
        rows, addresses = present(piece, "dst_ip"), values_of(piece, "dst_ip")
        if rows is not None:
            nodes, addresses = nodes[rows], addresses[rows]
        pairs.add(nodes.astype(np.uint64) << HALF | addresses)
        met.add(addresses)
    counts = np.zeros(len(seen), np.int64)
    for keys, _ in pairs:
        counts += np.bincount((keys >> HALF).view(np.int64), minlength=len(seen))
    pairs.remove()
    nodes = np.flatnonzero(seen)
    return arrow_table(
        {
            "src_ip": np.full(len(nodes), giant.host, np.uint32),
            "node": (nodes - 1).astype(np.int32),
            "dark_addresses": counts[nodes].astype(np.int32),
        }
    )


def merged(tables: Sequence[pa.Table], key: str) -> pa.Table:
    """Bring counts of the same rows together: by its name a column is a sum, a least or a most.

    Args:
        tables: Tables of the same integer columns.
        key: Column of small numbers or addresses that tells rows apart.
    """
    table = pa.concat_tables(tables)
    keys = values_of(table, key)
    order = np.argsort(keys, kind="stable")
    starts = group_starts(keys[order])
    if not len(starts):
        return table
    columns = {}
    for name in table.schema.names:
        values = values_of(table, name)[order]
        columns[name] = _together(name).reduceat(values, starts)
    return arrow_table(columns)


def _together(name: str) -> np.ufunc:
    if name.endswith("least") or name in ("first_ts", "src_ip", "dst_port"):
        return np.minimum
    return np.maximum if name.endswith("most") or name == "last_ts" else np.add
