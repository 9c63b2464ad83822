"""Neighbours over time: who joined, who left, and how far the host itself moved."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from darkgnn_core.hosts.reading import Floats, Hosts


@dataclass(frozen=True, eq=False)
class DayNear:
    """Who was near a host on one day.

    Attributes:
        bin: Key of the bin.
        near: uint32 (k,), its nearest hosts, nearest first; None where the host was not embedded.
        hosts: uint32 (n,), all hosts that were embedded, ascending.
    """

    bin: str
    near: Hosts | None
    hosts: Hosts


def overlap(first: Hosts, second: Hosts) -> float:
    """Return the Jaccard index of two sets of hosts; NaN where both are empty.

    >>> overlap(np.array([1, 2], np.uint32), np.array([2, 3], np.uint32))
    0.3333333333333333
    """
    both, either = len(np.intersect1d(first, second)), len(np.union1d(first, second))
    return both / either if either else float("nan")


def turnover(days: Sequence[DayNear]) -> pd.DataFrame:
    """Hold the neighbours of each day against those of the day before that the host was there.

    Args:
        days: In time order.

    Returns:
        One row a day: `bin`, `is_embedded`, `neighbours`, `stayed`, `joined`, of them `new`
        (addresses that were not there before), `left`, of them `gone` (not there any more),
        `overlap` (Jaccard index with the neighbours before, NaN on the first day) and `before`
        (key of the day it is held against, empty on the first).
    """
    rows = []
    last: DayNear | None = None
    for day in days:
        rows.append(_turnover_row(day, last))
        if day.near is not None:
            last = day
    return pd.DataFrame(rows, columns=_TURNOVER)


_TURNOVER = [
    "bin", "is_embedded", "neighbours", "stayed", "joined", "new", "left", "gone", "overlap",
    "before",
]  # fmt: skip


def _turnover_row(day: DayNear, last: DayNear | None) -> tuple[object, ...]:
    if day.near is None:
        return (day.bin, False, 0, 0, 0, 0, 0, 0, float("nan"), "")
    if last is None or last.near is None:
        return (day.bin, True, len(day.near), 0, 0, 0, 0, 0, float("nan"), "")
    joined, left = np.setdiff1d(day.near, last.near), np.setdiff1d(last.near, day.near)
    return (
        day.bin,
        True,
        len(day.near),
        len(day.near) - len(joined),
        len(joined),
        int((~np.isin(joined, last.hosts)).sum()),
        len(left),
        int((~np.isin(left, day.hosts)).sum()),
        overlap(day.near, last.near),
        last.bin,
    )


def joined_and_left(days: Sequence[DayNear], key: str) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Return who joined and who left the neighbours of a host on one day.

    Args:
        days: In time order.
        key: Key of the day.

    Returns:
        Two tables of `host` and `why`: joined as `new address` (not there before) or `moved near`;
        left as `not there any more` or `moved away`. Both empty on the host's first day.
    """
    there = [
        (day.bin, day.near, day.hosts) for day in days if day.near is not None and day.bin <= key
    ]
    if len(there) < 2 or there[-1][0] != key:
        empty = pd.DataFrame({"host": np.empty(0, np.uint32), "why": np.empty(0, str)})
        return empty, empty.copy()
    (_, before, hosts_before), (_, near, hosts) = there[-2:]
    joined, left = np.setdiff1d(near, before), np.setdiff1d(before, near)
    return (
        _told(joined, np.isin(joined, hosts_before), "moved near", "new address"),
        _told(left, np.isin(left, hosts), "moved away", "not there any more"),
    )


def _told(hosts: Hosts, is_there: np.ndarray, there: str, absent: str) -> pd.DataFrame:
    return pd.DataFrame({"host": hosts, "why": np.where(is_there, there, absent)})


def companions(days: Sequence[DayNear], limit: int = 20) -> pd.DataFrame:
    """Return when each of the most faithful neighbours was near, and at which place.

    Args:
        days: In time order.
        limit: How many neighbours: those near on most days, then by their best place, then by
            address.

    Returns:
        One row a neighbour and day: `host`, `bin`, `rank` (1 is the nearest), `days`.
    """
    rows = [
        (int(host), day.bin, rank + 1)
        for day in days
        if day.near is not None
        for rank, host in enumerate(day.near)
    ]
    table = pd.DataFrame(rows, columns=["host", "bin", "rank"])
    totals = table.groupby("host").agg(days=("bin", "size"), best=("rank", "min")).reset_index()
    totals = totals.sort_values(["days", "best", "host"], ascending=[False, True, True])
    kept = totals.head(limit)
    order = {host: place for place, host in enumerate(kept["host"])}
    found = table[table["host"].isin(kept["host"])].merge(kept[["host", "days"]], on="host")
    found["order"] = found["host"].map(order)
    found = found.sort_values(["order", "bin"], ignore_index=True)
    return found[["host", "bin", "rank", "days"]]


def agreement(days: Sequence[DayNear], others: Mapping[str, Sequence[DayNear]]) -> pd.DataFrame:
    """Return how far the neighbours in other runs are the same, day by day.

    Args:
        days: Of the run in view.
        others: Of other runs, by name.

    Returns:
        One row a day and other run that both embedded the host on: `bin`, `run`, `overlap`.
    """
    own = {day.bin: day.near for day in days if day.near is not None}
    rows = [
        (day.bin, name, overlap(own[day.bin], day.near))
        for name, those in others.items()
        for day in those
        if day.near is not None and day.bin in own
    ]
    return pd.DataFrame(rows, columns=["bin", "run", "overlap"])


@dataclass(frozen=True, eq=False)
class DayMove:
    """How far all hosts moved between two days.

    Attributes:
        bin: Key of the later bin.
        before: Key of the earlier one.
        hosts: uint32 (m,), hosts of both, ascending.
        distances: float64 (m,), cosine distance once the days are turned onto each other; None
            where too few hosts are on both to tell the rotation.
    """

    bin: str
    before: str
    hosts: Hosts
    distances: Floats | None


def moves_of(moves: Sequence[DayMove], host: int) -> pd.DataFrame:
    """Return how far one host moved each day, against the hosts that were there, too.

    Returns:
        One row a pair of days that both have the host and can be compared: `bin`, `before`,
        `distance`, `median` (of all hosts of both days) and `share_less` (share of those that
        moved less, equal ones half).
    """
    rows = []
    for move in moves:
        place = int(np.searchsorted(move.hosts, np.uint32(host)))
        if move.distances is None or place == len(move.hosts) or move.hosts[place] != host:
            continue
        own, all_ = float(move.distances[place]), move.distances
        less = float(((all_ < own).sum() + (all_ == own).sum() / 2) / len(all_))
        rows.append((move.bin, move.before, own, float(np.median(all_)), less))
    return pd.DataFrame(rows, columns=["bin", "before", "distance", "median", "share_less"])
