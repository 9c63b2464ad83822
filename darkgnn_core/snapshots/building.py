"""From the packets of a time bin to one snapshot: filter, count, port nodes, features, summary."""

import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import asdict
from itertools import pairwise
from pathlib import Path
from typing import Any

import duckdb
import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.parquet as pq

from darkgnn_core.config import SnapshotConfig, config_hash
from darkgnn_core.durable import TEMPORARY, sha256_of, write_json
from darkgnn_core.errors import TraceError
from darkgnn_core.querying import locked_database
from darkgnn_core.snapshots import statements
from darkgnn_core.snapshots.arrays import values_of
from darkgnn_core.snapshots.bins import Bin
from darkgnn_core.snapshots.columns import (
    EDGES_FILE,
    EDGES_SCHEMA,
    HOSTS_FILE,
    HOSTS_SCHEMA,
    PAIRS_FILE,
    PAIRS_SCHEMA,
    PORTS_FILE,
    PORTS_SCHEMA,
    REST,
    SUMMARY_FILE,
)
from darkgnn_core.snapshots.counted import Counted
from darkgnn_core.snapshots.counting import (
    NO_PORT,
    Packets,
    count_dark_addresses,
    count_nulls,
    count_packets,
)
from darkgnn_core.snapshots.giants import count_dark_of_giant, count_giant
from darkgnn_core.snapshots.host_shards import HostShards
from darkgnn_core.snapshots.shards import Giant, packets_within, read_shards
from darkgnn_core.snapshots.sorted_counts import SortedCounts
from darkgnn_core.snapshots.summaries import REASONS, Passed, by_hour, count_filters, describe_graph

VERSION = 3
"""Raise it when the meaning of a stored column changes: older snapshots are then out of date."""

WRITE_ROWS, HOST_ROWS = 500_000, 125_000
"""Rows of a group in the files; those of hosts are wide."""

JOINED_HOSTS = 40_000
"""Hosts whose rows are joined at once: about 50 MB with what the join needs."""

BATCH_ROWS = 100_000

LEAST_DATABASE_MB = 128
"""The database gets half the memory, but not less: to join ten tables of any size it takes 64 to 80
MiB with two threads, more with more.
"""


class NothingLeft(TraceError):  # noqa: N818 - what happened, not what went wrong
    """No packet of a bin passes the filters.

    Attributes:
        counts: What was read, found and dropped, as a summary has it.
    """

    def __init__(self, message: str, counts: dict[str, Any]) -> None:
        super().__init__(message, code="NOTHING-LEFT")
        self.counts = counts


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

    Filters run in this order, and a packet counts under the first that drops it: not TCP,
    backscatter (SYN and ACK, or RST; unknown flags stay), bogon source, duplicate, host with too
    few packets. Then ports are cut to the busiest `max_ports` (of equal ones the lower number) and
    one node for the rest. TCP whose destination port the trace does not tell belongs to the rest
    and takes no place among the busiest. The order of files and rows does not matter.

    Args:
        packet_files: Parquet files of `packets.SCHEMA`; rows outside the bin are passed over.
        time_bin: The bin.
        config: Settings; they and the hashes of the files go into the summary.
        directory: Existing directory that receives `hosts.parquet`, `ports.parquet`,
            `edges.parquet`, `pairs.parquet` (schemas in `columns`) and `summary.json`. Packets
            that do not fit wait beside it.
        memory_mb: Memory for the packets counted at once and for what is counted of them, MiB. A
            bin that needs more waits on disk and is taken in parts, and so is a single host; the
            result is the same. Python and its libraries come on top.
        threads: Threads of the database; columns of packets are read side by side from 2 on.

    Returns:
        The summary, as written: `bin`, `config`, `config_hash`, `inputs` (name, bytes, sha256);
        packets `read`, `kept` and `dropped` by reason, which add up exactly; `found` counts
        backscatter, bogons and duplicates even where they stay (duplicates then among the kept)
        and TCP packets without a port (`no_port`; `dropped.no_port` is 0, since they stay);
        `hosts`, `dropped_hosts`, `ports` (nodes), `true_ports` (known ones), `edges`,
        `dark_addresses`,
        `mirai_hosts`, `top_ports`; `nulls` by column and the `absent_columns` that are all null,
        whose features are 0; `hourly` lists over the hours of the bin: `packets` and `hosts`
        read, `backscatter`, `kept`.

    Raises:
        NothingLeft: Where no packet passes the filters.

    Source:
        Paper, sections 2 and 3.1, Table 1; `docs/decisions.md` for what the text leaves open.
    """
    files = sorted({path.resolve() for path in packet_files})
    if not files:
        raise _nothing_left(time_bin, config, {"read": 0, "dropped": dict.fromkeys(REASONS, 0)})
    with (
        tempfile.TemporaryDirectory(prefix=TEMPORARY, dir=directory.parent) as temporary,
        locked_database(
            [Path(temporary)],
            temporary=Path(temporary),
            memory_mb=max(memory_mb // 2, LEAST_DATABASE_MB),
            threads=threads,
        ) as connection,
    ):
        shards = read_shards(
            files,
            time_bin,
            config,
            directory=Path(temporary),
            memory_mb=memory_mb,
            threads=threads,
        )
        hosts = HostShards(connection, shards, config, Path(temporary), memory_mb)
        tally = shards.tally
        summary = _describe_inputs(files, time_bin, config)
        counted = Counted(connection, Path(temporary), memory_mb)
        summary |= _count(counted, hosts, time_bin)
        summary |= _aggregate(counted, hosts)
        del hosts, shards  # the packets; what follows is of their counts
        summary |= describe_graph(connection, tally)
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


def _count(counted: Counted, hosts: HostShards, time_bin: Bin) -> dict[str, Any]:
    """Count each shard into tables of the database; return what the filters left out."""
    passed = Passed()
    for packets in hosts:
        if isinstance(packets, Giant):
            counted.add(_count_giant(packets, hosts, time_bin, passed))
        else:
            counted.add(_count_shard(packets, hosts, time_bin, passed))
        del packets  # before the next shard is read
    for macro in statements.MACROS:
        counted.connection.execute(macro)
    counts = count_filters(hosts.shards.tally, hosts.config, passed)
    if not passed.kept:
        counts["hourly"] = by_hour(hosts.shards.tally, {})
        raise _nothing_left(time_bin, hosts.config, counts)
    counted.finish()
    return counts


def _count_shard(
    packets: Packets, hosts: HostShards, time_bin: Bin, passed: Passed
) -> dict[str, pa.Table]:
    passed.packets += packets.table.num_rows
    passed.senders += packets.senders
    passed.kept += packets.kept
    passed.hosts += len(packets.hosts)
    if not packets.kept:
        return {}
    passed.nulls.update(count_nulls(packets))
    tables = count_packets(packets, time_bin)
    if not hosts.config.drop_duplicates:
        gaps = tables["host_gaps"]
        tied = values_of(gaps, "src_ip")[values_of(gaps, "simultaneous") > 0]
        passed.repeats += hosts.count_repeats(packets, tied)
    return tables


def _count_giant(
    giant: Giant, hosts: HostShards, time_bin: Bin, passed: Passed
) -> dict[str, pa.Table]:
    passed.packets += giant.rows
    passed.senders += 1
    if giant.rows < hosts.config.min_packets:
        return {}
    passed.kept += giant.rows
    passed.hosts += 1
    tables, nulls = count_giant(giant, time_bin, hosts.directory)
    passed.nulls.update(nulls)
    if not hosts.config.drop_duplicates and values_of(tables["host_gaps"], "simultaneous").any():
        passed.repeats += hosts.count_repeats_of_giant(giant)
    return tables


def _nothing_left(time_bin: Bin, config: SnapshotConfig, counts: dict[str, Any]) -> NothingLeft:
    why = {
        "not_tcp": "not TCP",
        "backscatter": "backscatter (SYN-ACK or RST)",
        "bogon": "from bogon addresses",
        "duplicate": "duplicates",
        "few_packets": f"from hosts with fewer than {config.min_packets} packets",
    }
    reasons = [f"{counts['dropped'][name]:,} {text}" for name, text in why.items()]
    found = [text for text in reasons if not text.startswith("0 ")]
    return NothingLeft(
        f"Nothing is left of {time_bin.key}: {counts['read']:,} packets read"
        + (f", of them {', '.join(found)}" if found else "")
        + ". Lower min_packets or keep more kinds of packets, or leave this bin out.",
        counts,
    )


def _aggregate(counted: Counted, hosts: HostShards) -> dict[str, int]:
    """Make the tables of nodes and edges; return how many dark addresses were met."""
    counted.connection.execute(statements.NODES, {"max_ports": hosts.config.max_ports})
    named = counted.connection.execute("SELECT dst_port, node FROM nodes")
    ports, nodes = named.fetchnumpy().values()
    node_of = np.full(NO_PORT + 1, REST, np.int32)
    node_of[np.where(ports == REST, NO_PORT, ports)] = nodes
    met = SortedCounts(hosts.directory, "met", packets_within(hosts.memory_mb) // 4)
    for packets in hosts:
        counted.add(_count_dark(packets, hosts, node_of, met))
        del packets  # before the next shard is read
    counted.finish()
    counted.derive("edges", statements.EDGES)
    for statement in statements.DERIVED:
        counted.connection.execute(statement)
    return {"dark_addresses": len(met)}


def _count_dark(
    packets: Packets | Giant,
    hosts: HostShards,
    node_of: npt.NDArray[np.int32],
    met: SortedCounts,
) -> dict[str, pa.Table]:
    if isinstance(packets, Giant):
        if packets.rows < hosts.config.min_packets:
            return {}
        return {"dark": count_dark_of_giant(packets, node_of, met, hosts.directory)}
    if not packets.kept:
        return {}
    table, addresses = count_dark_addresses(packets, node_of)
    met.add(addresses)
    return {"dark": table}


def _write_tables(
    connection: duckdb.DuckDBPyConnection, config: SnapshotConfig, time_bin: Bin, directory: Path
) -> None:
    made_with = {"darkgnn_config": config_hash(config), "darkgnn_bin": time_bin.key}
    for batches, rows, schema, name in (
        (_host_rows(connection, config), HOST_ROWS, HOSTS_SCHEMA, HOSTS_FILE),
        (_rows(connection, statements.PORTS), WRITE_ROWS, PORTS_SCHEMA, PORTS_FILE),
        (_rows(connection, statements.EDGE_ROWS), WRITE_ROWS, EDGES_SCHEMA, EDGES_FILE),
        (_rows(connection, statements.PAIR_ROWS), WRITE_ROWS, PAIRS_SCHEMA, PAIRS_FILE),
    ):
        _write_parquet(batches, rows, schema.with_metadata(made_with), directory / name)


def _rows(
    connection: duckdb.DuckDBPyConnection, query: str, **values: int
) -> Iterator[pa.RecordBatch]:
    asked = connection.sql(query, params=values) if values else connection.sql(query)
    yield from asked.to_arrow_reader(BATCH_ROWS)


def _host_rows(
    connection: duckdb.DuckDBPyConnection, config: SnapshotConfig
) -> Iterator[pa.RecordBatch]:
    """Yield the rows of hosts in the order of addresses, so many at once as one join can hold."""
    before = config.features_before_port_filter
    query = statements.HOSTS_BEFORE_PORT_FILTER if before else statements.HOSTS
    found = connection.execute("SELECT src_ip FROM host_headers").fetchnumpy()["src_ip"]
    firsts = np.sort(found)[::JOINED_HOSTS].tolist()
    for first, end in pairwise([*firsts, 2**32]):
        yield from _rows(connection, query, first=first, last=end - 1)


def _write_parquet(
    batches: Iterator[pa.RecordBatch], rows: int, schema: pa.Schema, path: Path
) -> None:
    options = {"compression": "zstd", "compression_level": 1, "use_dictionary": False}
    with pq.ParquetWriter(path, schema, write_page_checksum=True, **options) as writer:
        for group in _row_groups(batches, rows, schema):
            writer.write_table(group, row_group_size=rows)


def _row_groups(
    batches: Iterator[pa.RecordBatch], rows: int, schema: pa.Schema
) -> Iterator[pa.Table]:
    """Yield tables of `rows` rows: how the database cuts its batches leaves no trace."""
    held = pa.Table.from_batches([], schema)
    for batch in batches:
        held = pa.concat_tables([held, pa.Table.from_batches([batch]).cast(schema)])
        while held.num_rows >= rows:
            yield held.slice(0, rows).combine_chunks()
            held = held.slice(rows)
    if held.num_rows:
        yield held.combine_chunks()
