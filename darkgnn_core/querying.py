"""A DuckDB connection that can touch only the directories it is told, and nothing of Python's.

DuckDB takes data files to come from a trusted writer: give it only files this program wrote.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import duckdb


@contextmanager
def locked_database(
    directories: Sequence[Path], *, temporary: Path, memory_mb: int = 600, threads: int = 2
) -> Iterator[duckdb.DuckDBPyConnection]:
    """Open an in-memory database that can reach no file outside `directories` and `temporary`.

    Extensions, Python variables as tables, attached databases and later changes of settings are
    all refused. Values go in as bound parameters.

    Args:
        directories: Directories below which files may be read and written.
        temporary: Directory to spill to where `memory_mb` does not hold a query.
        memory_mb: Memory that DuckDB may take, MiB; what does not fit goes to `temporary`.
        threads: Threads of DuckDB.

    Yields:
        The connection; it is closed at the end of the block.

    Source:
        `docs/decisions.md`; DuckDB's page on securing it. The order matters: what opens files is
        set before external access ends, and the lock comes last.
    """
    connection = duckdb.connect(":memory:")
    try:
        for setting, value in (
            ("SET autoinstall_known_extensions = ?", False),
            ("SET autoload_known_extensions = ?", False),
            ("SET python_enable_replacements = ?", False),
            ("SET threads = ?", threads),
            ("SET memory_limit = ?", f"{memory_mb}MiB"),
            ("SET temp_directory = ?", str(temporary.resolve())),
            ("SET preserve_insertion_order = ?", False),
            ("SET TimeZone = ?", "UTC"),
            ("SET enable_progress_bar = ?", False),
            ("SET allowed_directories = ?", [str(path.resolve()) for path in directories]),
            ("SET enable_external_access = ?", False),
            ("SET lock_configuration = ?", True),
        ):
            connection.execute(setting, [value])
        yield connection
    finally:
        connection.close()
