"""Tables that grow shard by shard: in memory while they are small, then in the database."""

from collections import defaultdict
from dataclasses import dataclass, field

import duckdb
import pyarrow as pa

from darkgnn_core.snapshots import statements

SHARE = 4
"""That part of the memory is for tables that are still small."""


@dataclass(eq=False)
class Counted:
    """What was counted, by name of a table; the database spills its own tables where it must.

    Attributes:
        connection: The database.
        memory_mb: Memory for packets and counts together, MiB; `SHARE` of it is for these tables.
    """

    connection: duckdb.DuckDBPyConnection
    memory_mb: int
    _held: defaultdict[str, list[pa.Table]] = field(default_factory=lambda: defaultdict(list))
    _bytes: int = 0
    _stored: set[str] = field(default_factory=set)

    def add(self, tables: dict[str, pa.Table]) -> None:
        """Add rows to tables."""
        for name, table in tables.items():
            self._held[name].append(table)
            self._bytes += table.nbytes
        if self._bytes > self.memory_mb * 2**20 // SHARE:
            self._store()

    def finish(self) -> None:
        """Let queries see every table by its name."""
        if self._stored:
            self._store()
        for name, tables in self._held.items():
            self.connection.register(name, pa.concat_tables(tables))
        self._held.clear()

    def _store(self) -> None:
        for name, tables in self._held.items():
            self.connection.register("arriving", pa.concat_tables(tables))
            self.connection.execute(statements.store(name, more=name in self._stored))
            self.connection.unregister("arriving")
        self._stored.update(self._held)
        self._held.clear()
        self._bytes = 0
