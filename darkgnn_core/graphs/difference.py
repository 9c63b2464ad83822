"""What changed between two days: edges that are new, gone, grown or shrunk."""

from dataclasses import dataclass
from typing import Literal, TypeAlias

import numpy as np
import pandas as pd

from darkgnn_core.errors import ConfigError
from darkgnn_core.graphs.pairs import Mask, Pairs, frame_of, joined, keys_of

Change: TypeAlias = Literal["new", "grown", "same", "shrunk", "gone"]
CHANGES: tuple[Change, ...] = ("new", "grown", "same", "shrunk", "gone")


@dataclass(frozen=True)
class Changed:
    """How many edges changed in one way.

    Attributes:
        change: In which.
        edges: How many there are, drawn or not.
        drawn: How many of them are drawn.
    """

    change: Change
    edges: int
    drawn: int


@dataclass(frozen=True)
class EachDay:
    """What one node met on the days in view and on the day compared with.

    Attributes:
        now: Packets and neighbours of the days in view.
        before: Those of the day compared with.
    """

    now: tuple[int, int]
    before: tuple[int, int]


def either_day(now: Pairs, before: Pairs) -> Pairs:
    """Return the pairs of both days, each with the larger of its packets, to be cut to size."""
    return joined([now, before], "most")


def with_changes(
    edges: pd.DataFrame, now: Pairs, before: Pairs, *, bins: int = 1, factor: float = 2.0
) -> pd.DataFrame:
    """Say of each edge how it changed.

    Args:
        edges: As in `subgraph.Shown`.
        now: Pairs of the day or days in view.
        before: Pairs of the day compared with.
        bins: How many days `now` covers; its packets are taken a day.
        factor: From so many times the packets on an edge has grown, or shrunk.

    Returns:
        The edges with `packets_now` and `packets_before`, float64, packets a day, and `change`,
        one of `CHANGES`.

    Raises:
        ConfigError: `GRAPH-FACTOR` where the factor is not above 1.
    """
    if not factor > 1 or bins < 1:
        message = f"An edge grows by a factor above 1, over 1 day or more; got {factor}, {bins}."
        raise ConfigError(message, code="GRAPH-FACTOR")
    keys = keys_of(edges["host"].to_numpy(np.uint32), edges["port"].to_numpy(np.int32))
    today = now.packets_of(keys) / bins
    then = before.packets_of(keys).astype(np.float64)
    conditions = [
        then == 0,
        today == 0,
        today >= factor * then,
        today * factor <= then,
    ]
    change = np.select(conditions, ["new", "gone", "grown", "shrunk"], "same")
    return edges.assign(packets_now=today, packets_before=then, change=change)


def counted_changes(
    either: Pairs, is_drawn: Mask, now: Pairs, before: Pairs, *, bins: int = 1
) -> tuple[Changed, ...]:
    """Count how edges changed, in the order of `CHANGES`; ways that no edge took are left out.

    Args:
        either: Pairs of either day that are counted.
        is_drawn: Which of them are drawn, bool (p,).
        now: Pairs of the day or days in view.
        before: Pairs of the day compared with.
        bins: How many days `now` covers.
    """
    told = with_changes(frame_of(either), now, before, bins=bins)["change"].to_numpy()
    counts = ((each, told == each) for each in CHANGES)
    return tuple(
        Changed(change, int(took.sum()), int((took & is_drawn).sum()))
        for change, took in counts
        if took.any()
    )


def on_each_day(met: Pairs, now: Pairs, before: Pairs) -> EachDay:
    """Tell the two days of some pairs apart.

    Args:
        met: Pairs of one node on either day.
        now: Pairs of the day or days in view.
        before: Pairs of the day compared with.
    """
    today, then = now.packets_of(met.keys), before.packets_of(met.keys)
    return EachDay(
        (int(today.sum()), int((today > 0).sum())), (int(then.sum()), int((then > 0).sum()))
    )
