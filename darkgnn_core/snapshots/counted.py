"""Tables that grow shard by shard: in memory while they are small, then in files on disk."""

from collections import defaultdict
from dataclasses import dataclass, field
from pathlib import Path

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq

SHARE = 4
"""That part of the memory is for tables that are still small."""

GROUP_ROWS = 20_000
"""Rows that a query skips or reads as one: hosts are asked for some ten thousand at a time."""


@dataclass(eq=False)
class Counted:
    """What was counted and what is derived from it, by name of a table.

    The database's own tables would do but for commits, which need memory by their size.

    Attributes:
        connection: The database.
        directory: Where tables wait once they are large.
        memory_mb: Memory for packets and counts together, MiB; `SHARE` of it is for these tables.
    """

    connection: duckdb.DuckDBPyConnection
    directory: Path
    memory_mb: int
    _held: defaultdict[str, list[pa.Table]] = field(default_factory=lambda: defaultdict(list))
    _bytes: int = 0
    _stored: defaultdict[str, list[str]] = field(default_factory=lambda: defaultdict(list))

    def add(self, tables: dict[str, pa.Table]) -> None:
        """Add rows to tables."""
        for name, table in tables.items():
            self._held[name].append(table)
            self._bytes += table.nbytes
        if self._bytes > self.memory_mb * 2**20 // SHARE:
            self._store()

    def finish(self) -> None:
        """Let queries see every table by its name; more tables may be added afterwards."""
        if self._stored:
            self._store()
        for name, tables in self._held.items():
            self.connection.register(name, pa.concat_tables(tables))
        for name, files in self._stored.items():
            self.connection.read_parquet(files).create_view(name)
        self._held.clear()

    def derive(self, name: str, query: str) -> None:
        """Make a table of what a query of finished tables gives."""
        if not self._stored:
            self.connection.sql(query).create(name)
            return
        path = str(self.directory / f"{name}.parquet")
        self.connection.sql(query).write_parquet(path, row_group_size=GROUP_ROWS)
        self.connection.read_parquet(path).create_view(name)

    def _store(self) -> None:
        for name, tables in self._held.items():
            path = self.directory / f"{name}-{len(self._stored[name])}.parquet"
            pq.write_table(pa.concat_tables(tables), path, row_group_size=GROUP_ROWS)
            self._stored[name].append(str(path))
        self._held.clear()
        self._bytes = 0
