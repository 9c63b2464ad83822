"""What a host did from day to day: packets, ports, dark addresses, and to which ports."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, timedelta

import numpy as np
import pandas as pd

from darkgnn_core.hosts.reading import read_host_rows, row_of
from darkgnn_core.shelf import ShelvedSnapshot
from darkgnn_core.snapshots.reading import read_pairs

FACTS = (
    "packets", "first_ts", "last_ts", "true_ports", "dark_addresses", "hours", "source_ports",
    "ttl_common", "ttl_common_share", "initial_ttl", "hops", "window_common",
    "window_common_share", "length_common", "length_common_share", "zmap_share", "masscan_share",
    "mirai_share", "mss_share", "ts_option_share", "mss_min", "mss_max", "port_entropy",
    "dark_address_entropy", "source_port_entropy", "hour_entropy", "gap_p10_s", "gap_p50_s",
    "gap_p90_s",
)  # fmt: skip
"""The columns of a host that are read for every day."""

BUSIEST_PORTS = 20
HOURS_A_DAY = 24


@dataclass(frozen=True)
class Seen:
    """When a host was seen, over all days there are.

    Attributes:
        first: Its first packet, UTC; None where the data tell no times.
        last: Its last packet, UTC.
        days: On how many days it had enough packets.
        all_days: How many days there are.
        first_day: Key of the first of its days.
        last_day: Key of the last of its days.
    """

    first: pd.Timestamp | None
    last: pd.Timestamp | None
    days: int
    all_days: int
    first_day: str
    last_day: str


def host_history(shelved: Iterable[ShelvedSnapshot], host: int) -> pd.DataFrame:
    """Return what a host did in each bin.

    Args:
        shelved: The snapshots, in time order.
        host: Its address.

    Returns:
        One row a bin, seen or not: `bin`, `is_seen`, and the columns `FACTS`, NaN where it was
        not seen or the trace tells nothing. Hosts with fewer packets than the snapshots keep
        count as not seen.

    Raises:
        WorkspaceError: `DAMAGED`.
    """
    wanted = np.array([host], np.uint32)
    rows = []
    for each in shelved:
        row: dict[str, object] = {"bin": each.bin, "is_seen": False}
        if each.directory is not None:
            found = read_host_rows(each.directory, wanted, FACTS)
            if len(found):
                row |= {"is_seen": True} | row_of(found[list(FACTS)], 0)
        rows.append(row)
    return pd.DataFrame(rows, columns=["bin", "is_seen", *FACTS])


def when_seen(history: pd.DataFrame) -> Seen | None:
    """Return when a host was seen; None where it never was.

    Args:
        history: As `host_history` gives it.
    """
    seen = history[history["is_seen"]]
    if seen.empty:
        return None
    first, last = seen["first_ts"].min(), seen["last_ts"].max()
    return Seen(
        first=None if pd.isna(first) else pd.Timestamp(int(first), tz="UTC"),
        last=None if pd.isna(last) else pd.Timestamp(int(last), tz="UTC"),
        days=len(seen),
        all_days=len(history),
        first_day=str(seen["bin"].iloc[0]),
        last_day=str(seen["bin"].iloc[-1]),
    )


def calendar(bins: Sequence[str], bin_hours: int = 24) -> list[str]:
    """Return the keys of bins with the days between them that have no data, in time order.

    Args:
        bins: Keys of bins.
        bin_hours: Their width; of bins longer than a day, every so many days are expected.

    >>> calendar(["2021-12-01", "2021-12-02", "2021-12-04"])
    ['2021-12-01', '2021-12-02', '2021-12-03', '2021-12-04']
    """
    if not bins:
        return []
    first, last = (date.fromisoformat(key[:10]) for key in (min(bins), max(bins)))
    there = {key[:10] for key in bins}
    every = range(0, (last - first).days, max(1, bin_hours // HOURS_A_DAY))
    expected = {(first + timedelta(days=number)).isoformat() for number in every}
    return sorted({*bins, *(expected - there)})


def port_history(shelved: Iterable[ShelvedSnapshot], host: int) -> pd.DataFrame:
    """Return how many packets a host sent to each true port in each bin.

    Returns:
        One row a bin and port that met: `bin`, `port`, `packets`; by bin, then port.

    Raises:
        WorkspaceError: `DAMAGED`.
    """
    found = []
    for each in shelved:
        if each.directory is None:
            continue
        table = read_pairs(each.directory)
        hosts = table["host"].to_numpy()
        low, high = np.searchsorted(hosts, np.array([host, host + 1], np.uint64))
        rows = table.slice(low, high - low).select(["port", "packets"]).to_pandas()
        found.append(rows.assign(bin=each.bin))
    if not found:
        return pd.DataFrame({"bin": [], "port": [], "packets": []})
    whole: pd.DataFrame = pd.concat(found, ignore_index=True)
    return whole[["bin", "port", "packets"]]


def busiest_ports(ports: pd.DataFrame, limit: int = BUSIEST_PORTS) -> Sequence[int]:
    """Return the ports to which a host sent most packets over all bins, the lower of equal ones.

    Args:
        ports: As `port_history` gives it.
        limit: How many.
    """
    totals = ports.groupby("port")["packets"].sum().reset_index()
    totals = totals.sort_values(["packets", "port"], ascending=[False, True])
    return [int(port) for port in totals["port"].head(limit)]
