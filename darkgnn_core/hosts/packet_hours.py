"""What hosts did from hour to hour, from the stored packets: only their own rows are read."""

import sqlite3
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pandas as pd

from darkgnn_core.durable import check_file
from darkgnn_core.hosts.reading import Floats, Hosts
from darkgnn_core.querying import locked_database
from darkgnn_core.snapshots.bins import HOUR_NS, Bin
from darkgnn_core.workspace import Workspace

COLUMNS = ["host", "hour", "kind", "packets", "ports", "dark_addresses"]
KINDS = ("tcp", "backscatter", "other")
"""What a packet is: TCP that asks, TCP that answers (SYN-ACK or RST), or another protocol."""

_MEMORY_MB = 300

_HOURS = """SELECT src_ip AS host, (ts_ns - $start) // $hour_ns AS hour,
        CASE WHEN proto <> 6 THEN 'other'
            WHEN tcp_flags & 18 = 18 OR tcp_flags & 4 = 4 THEN 'backscatter'
            ELSE 'tcp' END AS kind,
        count(*)::BIGINT AS packets, count(DISTINCT dst_port)::BIGINT AS ports,
        count(DISTINCT dst_ip)::BIGINT AS dark_addresses
    FROM read_parquet($files)
    WHERE src_ip IN (SELECT unnest($hosts::UINTEGER[])) AND ts_ns >= $start AND ts_ns < $end
    GROUP BY ALL ORDER BY host, hour, kind"""


def packet_files(
    connection: sqlite3.Connection, workspace: Workspace, time_bin: Bin
) -> tuple[Path, ...]:
    """Return the files that hold the packets of a bin; none for data that came as snapshots.

    Args:
        connection: The catalogue.
        workspace: Whose packets.
        time_bin: The bin.
    """
    days = {day.isoformat() for day in time_bin.days}
    rows = connection.execute("SELECT source_id, day FROM packet_file ORDER BY source_id, day")
    return tuple(
        workspace.packets / row["source_id"] / f"{row['day']}.parquet"
        for row in rows
        if row["day"] in days
    )


def packets_by_hour(
    files: Sequence[Path], time_bin: Bin, hosts: Hosts, *, temporary: Path
) -> pd.DataFrame:
    """Count the packets of hosts by hour, as they were loaded, before any filter of snapshots.

    Args:
        files: As `packet_files` gives them; each is held against its sha256 first.
        time_bin: Hours count from its start.
        hosts: uint32 (m,), addresses.
        temporary: Directory that the database may spill to.

    Returns:
        One row a host, hour and kind (`KINDS`) with packets: `COLUMNS`, by host and hour;
        `ports` and `dark_addresses` are different ones within the hour.

    Raises:
        WorkspaceError: `DAMAGED`.
    """
    if not files or not len(hosts):
        return pd.DataFrame(columns=COLUMNS)
    for path in files:
        check_file(path)
    folders = sorted({path.parent for path in files})
    with locked_database(folders, temporary=temporary, memory_mb=_MEMORY_MB) as connection:
        values = {
            "files": [str(path.resolve()) for path in files],
            "hosts": [int(host) for host in hosts],
            "start": time_bin.start_ns,
            "end": time_bin.end_ns,
            "hour_ns": HOUR_NS,
        }
        columns = connection.execute(_HOURS, values).fetchnumpy()
    return pd.DataFrame({name: np.asarray(columns[name]) for name in COLUMNS})


def hour_profiles(hours: pd.DataFrame, hosts: Hosts, length: int) -> Floats:
    """Return packets of each host in each hour, float64 (m, length), all kinds together.

    Args:
        hours: As `packets_by_hour` gives it.
        hosts: uint32 (m,), addresses, in the order of the rows.
        length: Hours of the bin.
    """
    profiles = np.zeros((len(hosts), length))
    place = {int(host): row for row, host in enumerate(hosts)}
    for host, hour, packets in zip(hours["host"], hours["hour"], hours["packets"], strict=True):
        if int(host) in place:
            profiles[place[int(host)], int(hour)] += packets
    return profiles


def backscatter_share(hours: pd.DataFrame) -> float | None:
    """Return the share of packets that answer what was never asked; None without any packet.

    Args:
        hours: As `packets_by_hour` gives it, of one host.
    """
    total = int(hours["packets"].sum())
    answers = int(hours.loc[hours["kind"] == "backscatter", "packets"].sum())
    return answers / total if total else None
