"""From the packets of a time bin to one snapshot: filter, count, port nodes, features, summary."""

import tempfile
from collections import defaultdict
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from functools import cached_property
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
    REST,
    SUMMARY_FILE,
)
from darkgnn_core.snapshots.counting import (
    NO_PORT,
    Packets,
    count_dark_addresses,
    count_nulls,
    count_packets,
    look_alikes,
)
from darkgnn_core.snapshots.shards import Shards, arrow_array, read_shards, values_of
from darkgnn_core.snapshots.summaries import REASONS, Passed, count_filters, describe_graph
from darkgnn_core.traces.packets import SCHEMA

VERSION = 3
"""Raise it when the meaning of a stored column changes: older snapshots are then out of date."""

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
        memory_mb: Memory for the packets counted at once, MiB (`shards.BYTES_PER_PACKET` each; all
            packets of one host are), and limit of the database that holds the counts. Python and
            its libraries come on top.
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
            [], temporary=Path(temporary), memory_mb=memory_mb, threads=threads
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
        hosts = HostShards(connection, shards, config)
        summary = _describe_inputs(files, time_bin, config)
        summary |= _count(connection, hosts, time_bin)
        summary |= _aggregate(connection, hosts)
        del hosts, shards  # the packets; what follows is of their counts
        summary |= describe_graph(connection, time_bin)
        _write_tables(connection, config, time_bin, directory)
    write_json(directory / SUMMARY_FILE, summary)
    return summary


@dataclass(eq=False)
class HostShards:
    """The packets of chosen hosts, shard by shard, as often as asked; one shard is kept.

    Attributes:
        connection: Database that takes repeats away, where the settings say so.
        shards: The packets.
        config: The settings.
    """

    connection: duckdb.DuckDBPyConnection
    shards: Shards
    config: SnapshotConfig

    @cached_property
    def _only(self) -> list[Packets]:
        return [self._packets(table) for table in self.shards]

    def __iter__(self) -> Iterator[Packets]:
        """Yield the packets of each shard."""
        if self.shards.held is not None:
            yield from self._only
        else:
            yield from map(self._packets, self.shards)

    def _packets(self, table: pa.Table) -> Packets:
        if self.config.drop_duplicates:
            table = self._without_repeats(table)
        return Packets.of_table(table, self.config.min_packets)

    def _without_repeats(self, table: pa.Table) -> pa.Table:
        rows = look_alikes(table, np.ones(len(table), np.bool_))
        if not rows.any():
            return table
        with registered(self.connection, "look_alikes", table.filter(arrow_array(rows))):
            unrepeated = self.connection.sql(statements.UNREPEATED).to_arrow_table()
        return pa.concat_tables([table.filter(arrow_array(~rows)), unrepeated.cast(SCHEMA)])

    def count_repeats(self, packets: Packets, tied: npt.NDArray[np.uint32]) -> int:
        """Count kept packets that repeat another; they are of hosts with simultaneous packets."""
        suspect = np.zeros(len(packets.hosts) + 1, np.bool_)
        suspect[np.searchsorted(packets.hosts, tied)] = True
        rows = look_alikes(packets.table, suspect[packets.host])
        if not rows.any():
            return 0
        with registered(self.connection, "look_alikes", packets.table.filter(arrow_array(rows))):
            return int(self.connection.execute(statements.REPEATED).fetchall()[0][0])


@contextmanager
def registered(connection: duckdb.DuckDBPyConnection, name: str, table: pa.Table) -> Iterator[None]:
    """Let queries see an Arrow table under a name of ours."""
    connection.register(name, table)
    try:
        yield
    finally:
        connection.unregister(name)


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


def _count(
    connection: duckdb.DuckDBPyConnection, hosts: HostShards, time_bin: Bin
) -> dict[str, Any]:
    """Count each shard into tables of the database; return what the filters left out."""
    passed, parts = Passed(), defaultdict[str, list[pa.Table]](list)
    for packets in hosts:
        for name, table in _count_shard(packets, hosts, time_bin, passed).items():
            parts[name].append(table)
        del packets  # before the next shard is read
    for macro in statements.MACROS:
        connection.execute(macro)
    connection.execute(statements.BOGONS)
    connection.executemany(statements.ADD_BOGON, bogon_ranges())
    connection.register("tally", hosts.shards.tally)
    connection.execute(statements.BOGUS)
    counts = count_filters(connection, hosts.config, passed)
    if not passed.kept:
        raise _nothing_left(time_bin, hosts.config, counts)
    for name, tables_of_shards in parts.items():
        connection.register(name, pa.concat_tables(tables_of_shards))
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


def _nothing_left(time_bin: Bin, config: SnapshotConfig, counts: dict[str, Any]) -> TraceError:
    why = {
        "not_tcp": "not TCP",
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


def _aggregate(connection: duckdb.DuckDBPyConnection, hosts: HostShards) -> dict[str, int]:
    """Make the tables of nodes and edges; return how many dark addresses were met."""
    connection.execute(statements.NODES, {"max_ports": hosts.config.max_ports})
    ports, nodes = connection.execute("SELECT dst_port, node FROM nodes").fetchnumpy().values()
    node_of = np.full(NO_PORT + 1, REST, np.int32)
    node_of[np.where(ports == REST, NO_PORT, ports)] = nodes
    counted = []
    for packets in hosts:
        if packets.kept:
            counted.append(count_dark_addresses(packets, node_of))
        del packets  # before the next shard is read
    connection.register("dark", pa.concat_tables([table for table, _ in counted]))
    for statement in (
        statements.EDGES,
        statements.HOST_PORTS,
        statements.HOST_TRUE_PORTS,
        statements.PORT_HOSTS,
        statements.PORT_HEADERS,
    ):
        connection.execute(statement)
    return {"dark_addresses": len(np.unique(np.concatenate([met for _, met in counted])))}


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
    held = pa.Table.from_batches([], schema)
    for batch in rows:
        held = pa.concat_tables([held, pa.Table.from_batches([batch]).cast(schema)])
        while held.num_rows >= WRITE_ROWS:
            yield held.slice(0, WRITE_ROWS).combine_chunks()
            held = held.slice(WRITE_ROWS)
    if held.num_rows:
        yield held.combine_chunks()
