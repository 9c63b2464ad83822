"""From the packets of a time bin to one snapshot: filter, port nodes, edges, features, summary."""

import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq

from darkgnn_core.config import SnapshotConfig, config_hash
from darkgnn_core.durable import TEMPORARY, sha256_of, write_json
from darkgnn_core.errors import TraceError
from darkgnn_core.querying import locked_database
from darkgnn_core.snapshots import statements
from darkgnn_core.snapshots.bins import Bin
from darkgnn_core.snapshots.bogons import bogon_ranges
from darkgnn_core.snapshots.columns import (
    EDGES_FILE,
    EDGES_SCHEMA,
    HOSTS_FILE,
    HOSTS_SCHEMA,
    PAIRS_FILE,
    PAIRS_SCHEMA,
    PORTS_FILE,
    PORTS_SCHEMA,
    SUMMARY_FILE,
)
from darkgnn_core.snapshots.summaries import REASONS, count_filters, describe_graph

VERSION = 1
"""Raise it when the meaning of a stored column changes."""

GAP_ROWS = 8_000_000
"""Packets whose gaps are held at once; a busier bin takes its hosts in parts."""

WRITE_ROWS = 500_000


def build_snapshot(
    packet_files: Sequence[Path],
    time_bin: Bin,
    config: SnapshotConfig,
    directory: Path,
    *,
    memory_mb: int = 600,
    threads: int = 2,
) -> dict[str, Any]:
    """Build the graph of one time bin: who sent packets to which port, and how.

    Filters run in this order, and a packet counts under the first that drops it: not TCP, no
    destination port, backscatter (SYN and ACK, or RST; unknown flags stay), bogon source,
    duplicate, host with too few packets. Then ports are cut to the busiest `max_ports` (of equal
    ones the lower number) and one node for the rest. The order of files and rows does not matter.

    Args:
        packet_files: Parquet files of `packets.SCHEMA`; rows outside the bin are passed over.
        time_bin: The bin.
        config: Settings; they and the hashes of the files go into the summary.
        directory: Existing directory that receives `hosts.parquet`, `ports.parquet`,
            `edges.parquet`, `pairs.parquet` (schemas in `columns`) and `summary.json`. Queries
            spill beside it.
        memory_mb: Memory of the database, MiB; Python and Arrow come on top.
        threads: Threads of the database.

    Returns:
        The summary, as written: `bin`, `config`, `config_hash`, `inputs` (name, bytes, sha256);
        packets `read`, `kept` and `dropped` by reason, which add up exactly; `found` counts
        backscatter, bogons and duplicates even where they stay (duplicates then among the kept);
        `hosts`, `dropped_hosts`, `ports` (nodes), `true_ports`, `edges`, `dark_addresses`,
        `mirai_hosts`, `top_ports`; `nulls` by column and the `absent_columns` that are all null,
        whose features are 0; `hourly` lists over the hours of the bin: `packets` and `hosts`
        read, `backscatter`, `kept`.

    Raises:
        TraceError: `NOTHING-LEFT` where no packet passes the filters, with the counts.

    Source:
        Paper, sections 2 and 3.1, Table 1; `docs/decisions.md` for what the text leaves open.
    """
    files = sorted({path.resolve() for path in packet_files})
    if not files:
        raise _nothing_left(time_bin, config, {"read": 0, "dropped": dict.fromkeys(REASONS, 0)})
    with (
        tempfile.TemporaryDirectory(prefix=TEMPORARY, dir=directory.parent) as temporary,
        locked_database(
            sorted({path.parent for path in files}),
            temporary=Path(temporary),
            memory_mb=memory_mb,
            threads=threads,
        ) as connection,
    ):
        summary = _describe_inputs(files, time_bin, config)
        summary |= _filter(connection, files, time_bin, config)
        _aggregate(connection, time_bin, config, kept=summary["kept"])
        summary |= describe_graph(connection, time_bin)
        if not config.drop_duplicates:
            found = connection.execute(statements.DUPLICATES).fetchall()[0][0]
            summary["found"]["duplicate"] = found
        nulls = summary["nulls"]
        summary["absent_columns"] = sorted(n for n in nulls if nulls[n] == summary["kept"])
        _write_tables(connection, config, time_bin, directory)
    write_json(directory / SUMMARY_FILE, summary)
    return summary


def _describe_inputs(
    files: Sequence[Path], time_bin: Bin, config: SnapshotConfig
) -> dict[str, Any]:
    return {
        "version": VERSION,
        "bin": {"key": time_bin.key, "start_ns": time_bin.start_ns, "hours": time_bin.hours},
        "config": asdict(config),
        "config_hash": config_hash(config),
        "inputs": [
            {
                "file": f"{path.parent.name}/{path.name}",
                "bytes": path.stat().st_size,
                "sha256": sha256_of(path),
            }
            for path in files
        ],
    }


def _filter(
    connection: duckdb.DuckDBPyConnection,
    files: Sequence[Path],
    time_bin: Bin,
    config: SnapshotConfig,
) -> dict[str, Any]:
    """Make the tables `tally`, `senders` and `kept`; return what was counted on the way."""
    rows = {
        "files": [str(path) for path in files],
        "start": time_bin.start_ns,
        "end": time_bin.end_ns,
    }
    backscatter = {"include_backscatter": config.include_backscatter}
    bogons = {"include_bogons": config.include_bogons}
    for macro in statements.MACROS:
        connection.execute(macro)
    connection.execute(statements.BOGONS)
    connection.executemany(statements.ADD_BOGON, bogon_ranges())
    connection.execute(statements.TALLY, rows)
    connection.execute(statements.BOGUS)
    if config.drop_duplicates:
        connection.execute(statements.UNIQUE, rows | backscatter | bogons)
        connection.execute(statements.UNIQUE_SENDERS)
    else:
        connection.execute(statements.SENDERS, backscatter | bogons)
    counts = count_filters(connection, config)
    if not counts["kept"]:
        raise _nothing_left(time_bin, config, counts)
    connection.execute(statements.CHOSEN, {"min_packets": config.min_packets})
    if config.drop_duplicates:
        connection.execute(statements.UNIQUE_KEPT)
        connection.execute("DROP TABLE once")
    else:
        connection.execute(statements.KEPT, rows | backscatter)
    return counts


def _nothing_left(time_bin: Bin, config: SnapshotConfig, counts: dict[str, Any]) -> TraceError:
    why = {
        "not_tcp": "not TCP",
        "no_port": "without a port",
        "backscatter": "backscatter (SYN-ACK or RST)",
        "bogon": "from bogon addresses",
        "duplicate": "duplicates",
        "few_packets": f"from hosts with fewer than {config.min_packets} packets",
    }
    reasons = [f"{counts['dropped'][name]:,} {text}" for name, text in why.items()]
    found = [text for text in reasons if not text.startswith("0 ")]
    return TraceError(
        f"Nothing is left of {time_bin.key}: {counts['read']:,} packets read"
        + (f", of them {', '.join(found)}" if found else "")
        + ". Lower min_packets or keep more kinds of packets, or leave this bin out.",
        code="NOTHING-LEFT",
    )


def _aggregate(
    connection: duckdb.DuckDBPyConnection, time_bin: Bin, config: SnapshotConfig, *, kept: int
) -> None:
    """Make the tables that features and edges are taken from."""
    connection.execute(statements.TRUE_PAIRS)
    connection.execute(statements.NODES, {"max_ports": config.max_ports})
    for statement in (
        statements.TRIPLES,
        statements.EDGES,
        statements.HOST_PORTS,
        statements.HOST_TRUE_PORTS,
        statements.HOST_DARK,
        statements.PORT_HOSTS,
        statements.HOST_HEADERS,
        statements.PORT_HEADERS,
        *statements.COMMON,
        statements.HOST_SOURCE_PORTS,
    ):
        connection.execute(statement)
    connection.execute(statements.HOST_HOURS, {"start": time_bin.start_ns})
    connection.execute(statements.GAPS)
    shards = -(-kept // GAP_ROWS)
    for shard in range(shards):
        connection.execute(statements.ADD_GAPS, {"shards": shards, "shard": shard})


def _write_tables(
    connection: duckdb.DuckDBPyConnection, config: SnapshotConfig, time_bin: Bin, directory: Path
) -> None:
    hosts = (
        statements.HOSTS_BEFORE_PORT_FILTER
        if config.features_before_port_filter
        else statements.HOSTS
    )
    made_with = {"darkgnn_config": config_hash(config), "darkgnn_bin": time_bin.key}
    for query, schema, name in (
        (hosts, HOSTS_SCHEMA, HOSTS_FILE),
        (statements.PORTS, PORTS_SCHEMA, PORTS_FILE),
        (statements.EDGE_ROWS, EDGES_SCHEMA, EDGES_FILE),
        (statements.PAIR_ROWS, PAIRS_SCHEMA, PAIRS_FILE),
    ):
        rows = connection.sql(query).to_arrow_reader(WRITE_ROWS)
        _write_parquet(rows, schema.with_metadata(made_with), directory / name)


def _write_parquet(rows: pa.RecordBatchReader, schema: pa.Schema, path: Path) -> None:
    options = {"compression": "zstd", "compression_level": 1, "use_dictionary": False}
    with pq.ParquetWriter(path, schema, write_page_checksum=True, **options) as writer:
        for group in _row_groups(rows, schema):
            writer.write_table(group, row_group_size=WRITE_ROWS)


def _row_groups(rows: pa.RecordBatchReader, schema: pa.Schema) -> Iterator[pa.Table]:
    """Yield tables of `WRITE_ROWS` rows: how the database cuts its batches leaves no trace."""
    held = schema.empty_table()
    for batch in rows:
        held = pa.concat_tables([held, pa.Table.from_batches([batch]).cast(schema)])
        while held.num_rows >= WRITE_ROWS:
            yield held.slice(0, WRITE_ROWS).combine_chunks()
            held = held.slice(WRITE_ROWS)
    if held.num_rows:
        yield held.combine_chunks()
