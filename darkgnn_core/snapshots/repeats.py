"""Packets that repeat another in every field: found by hashes, confirmed exactly."""

from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import duckdb
import numpy as np
import numpy.typing as npt
import pyarrow as pa

from darkgnn_core.snapshots import statements
from darkgnn_core.snapshots.arrays import Bools, arrow_array, present, values_of
from darkgnn_core.snapshots.shards import read_back, write_apart
from darkgnn_core.snapshots.sorting import WORD, Ints, Places, bits_of
from darkgnn_core.traces.packets import COLUMNS, SCHEMA

_ODD = np.uint64(0x9E37_79B9_7F4A_7C15)


def without_repeats(connection: duckdb.DuckDBPyConnection, table: pa.Table) -> pa.Table:
    """Return the packets of `table` once each, in any order."""
    rows = look_alikes(table, np.ones(len(table), np.bool_))
    if not rows.any():
        return table
    with _registered(connection, "look_alikes", table.filter(arrow_array(rows))):
        unrepeated = connection.sql(statements.UNREPEATED).to_arrow_table()
    return pa.concat_tables([table.filter(arrow_array(~rows)), unrepeated.cast(SCHEMA)])


def count_repeats(connection: duckdb.DuckDBPyConnection, table: pa.Table, suspect: Bools) -> int:
    """Count packets among the `suspect` rows of `table` that repeat another of them."""
    rows = look_alikes(table, suspect)
    if not rows.any():
        return 0
    with _registered(connection, "look_alikes", table.filter(arrow_array(rows))):
        return int(connection.execute(statements.REPEATED).fetchall()[0][0])


def write_unrepeated(
    connection: duckdb.DuckDBPyConnection, tables: Iterable[pa.Table], paths: Sequence[Path]
) -> int:
    """Write packets once each to files, and return how many they are.

    Equal packets meet in one file, since the hash of all fields chooses it, and each table brings a
    packet there once; so a file holds about its share, however often packets are repeated.

    Args:
        connection: Database that tells look-alikes apart.
        tables: The packets, piece by piece.
        paths: Files to write, enough for one to fit into memory.
    """
    waiting = [path.with_name(f"{path.stem}-repeated.arrow") for path in paths]
    batches = (
        batch for table in tables for batch in without_repeats(connection, table).to_batches()
    )
    write_apart(batches, waiting, lambda batch: _file_of(batch, len(paths)))
    rows = 0
    for source, path in zip(waiting, paths, strict=True):
        unrepeated = without_repeats(connection, read_back(source))
        source.unlink()
        rows += sum(write_apart(unrepeated.to_batches(), [path], _first))
    return rows


def _file_of(batch: pa.RecordBatch, files: int) -> Ints:
    hashes = _hashes(batch, COLUMNS, np.arange(batch.num_rows))
    return (hashes >> np.uint64(WORD // 2)).astype(np.uint32) % np.uint32(files)


def _first(batch: pa.RecordBatch) -> Ints:
    return np.zeros(batch.num_rows, np.uint8)


@contextmanager
def _registered(
    connection: duckdb.DuckDBPyConnection, name: str, table: pa.Table
) -> Iterator[None]:
    """Let queries see an Arrow table under a name of ours."""
    connection.register(name, table)
    try:
        yield
    finally:
        connection.unregister(name)


def look_alikes(table: pa.Table, rows: Bools) -> Bools:
    """Return which of `rows` share a hash of all their columns with another of them.

    All that repeat another packet are among them; whether one really does is for an exact look.
    """
    places = np.flatnonzero(rows)
    for columns in (("ts_ns", "src_ip"), COLUMNS):  # few packets share even the first two
        if len(places):
            places = places[_shared(_hashes(table, columns, places))]
    answer = np.zeros(len(rows), np.bool_)
    answer[places] = True
    return answer


def _hashes(
    table: pa.Table | pa.RecordBatch, columns: Sequence[str], places: Places
) -> npt.NDArray[np.uint64]:
    hashes = np.zeros(len(places), np.uint64)
    for column in columns:
        hashes ^= values_of(table, column)[places].astype(np.uint64)
        here = present(table, column)
        if here is not None:
            hashes ^= (~here[places]).astype(np.uint64) << np.uint64(WORD - 1)
        hashes *= _ODD
        hashes ^= hashes >> np.uint64(WORD // 2)
    return hashes


def _shared(hashes: npt.NDArray[np.uint64]) -> Places:
    """Return the places of hashes that come more than once, but for their last bits.

    Those bits hold the place while the others are sorted.
    """
    places = np.arange(len(hashes), dtype=np.uint64)
    low = np.uint64((1 << bits_of(places[-1:])) - 1)
    places |= hashes & ~low
    places.sort()
    same = (places[1:] ^ places[:-1]) <= low
    shared = np.append(same, False) | np.append(False, same)
    found: Places = (places[shared] & low).view(np.int64)
    return found
