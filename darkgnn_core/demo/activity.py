"""Which hosts of a block are active on which days, and how many packets each sends."""

import numpy as np
import numpy.typing as npt

from darkgnn_core.demo.blocks import Block
from darkgnn_core.demo.truth import UNKNOWN

Ints = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]

LEAST_OF_MEAN = 0.87


def active_days(block: Block, rng: np.random.Generator) -> Ints:
    """Draw how many days each host of a block is active.

    Returns:
        int64 (hosts,), each from 1 to the block's days, with sum `block.host_days` exactly. Few
        hosts stay, most leave soon, unless the block's mean is near all days.

    Source:
        Ours: a beta distribution with the mean that Table 2 gives.
    """
    most = len(block.days)
    mean = (block.host_days / block.hosts - 1) / max(most - 1, 1)
    mean = min(max(mean, 1e-3), 1 - 1e-3)
    share = rng.beta(block.constancy * mean, block.constancy * (1 - mean), block.hosts)
    days = np.rint(1 + (most - 1) * share).astype(np.int64)
    return with_sum(days, block.host_days, 1, most, rng)


def with_sum(values: Ints, total: int, lowest: int, highest: int, rng: np.random.Generator) -> Ints:
    """Move random values up or down by one until they add up to `total`.

    >>> with_sum(np.array([1, 1, 9]), 9, 1, 5, np.random.default_rng(0)).sum()
    np.int64(9)
    """
    values = np.clip(values, lowest, highest)
    while (missing := total - int(values.sum())) != 0:
        step = 1 if missing > 0 else -1
        free = np.flatnonzero(values < highest if step > 0 else values > lowest)
        if len(free) == 0:
            break
        chosen = rng.permutation(free)[: abs(missing)]
        values[chosen] += step
    return values


def campaign_numbers(block: Block, days: Ints, rng: np.random.Generator) -> Ints:
    """Put hosts that are active for equally long into groups that start together.

    Returns:
        int64 (hosts,): the campaign's number within the block, -1 for none.
    """
    numbers = np.full(block.hosts, -1, dtype=np.int64)
    if block.campaign and not block.grouped:
        return np.zeros(block.hosts, dtype=np.int64)
    if not block.grouped:
        return numbers
    able = np.flatnonzero((days > 1) & (days < 0.7 * len(block.days)))
    members = rng.permutation(able)[: round(block.grouped * block.hosts)]
    members = members[np.argsort(days[members], kind="stable")]
    size = max(6, min(60, len(members) // 8))
    numbers[members] = np.arange(len(members)) // size
    return numbers


def presence(
    block: Block, days: Ints, campaigns: Ints, rng: np.random.Generator
) -> npt.NDArray[np.bool_]:
    """Place each host's active days: runs with gaps; members of a campaign start together.

    Returns:
        bool (hosts, days of the block), `days[i]` of them true in row i.
    """
    most = len(block.days)
    starts = rng.permutation((np.arange(block.hosts) + rng.random()) * most / block.hosts)
    grouped = campaigns >= 0
    if grouped.any():
        number = int(campaigns.max()) + 1
        together = rng.permutation((np.arange(number) + rng.random()) * most / number)
        if number == 1:
            together = np.zeros(1)
        starts[grouped] = together[campaigns[grouped]]
    position = (np.arange(most)[None, :] - np.floor(starts)[:, None]) % most
    gaps = rng.exponential(np.where(grouped, 0.4, 1.5)[:, None], position.shape)
    order = np.argsort(position + gaps, axis=1, kind="stable")
    rank = np.empty_like(order)
    np.put_along_axis(rank, order, np.arange(most)[None, :], axis=1)
    found: npt.NDArray[np.bool_] = rank < days[:, None]
    if block.label != UNKNOWN:
        _fill_quiet_days(found, rng)
    return found


def _fill_quiet_days(found: npt.NDArray[np.bool_], rng: np.random.Generator) -> None:
    """Move host days from the busiest day until no day is far below the mean.

    So that a small class is not below the evaluation's limit of hosts by chance. In place; each
    host keeps its number of days.
    """
    lowest = int(LEAST_OF_MEAN * found.sum() / found.shape[1])
    while (load := found.sum(axis=0)).min() < lowest:
        quiet, busy = int(load.argmin()), int(load.argmax())
        able = np.flatnonzero(found[:, busy] & ~found[:, quiet])
        moved = rng.choice(able, min(lowest - int(load[quiet]), len(able), 5), replace=False)
        found[moved, busy], found[moved, quiet] = False, True


def packet_counts(
    block: Block, rates: Floats, hosts: Ints, day_factor: Floats, rng: np.random.Generator
) -> Ints:
    """Share a block's packets among its active hosts and days.

    Args:
        block: The block.
        rates: float64 (hosts,), relative packets a host.
        hosts: int64 (host days,), the host of each host day.
        day_factor: float64 (host days,), the day's share of a mean day.
        rng: Random source.

    Returns:
        int64 (host days,), each from `min_packets` to `max_packets`, with sum `block.packets`
        unless the limits forbid it.
    """
    weights = rates[hosts] * day_factor * rng.lognormal(0, 0.3, len(hosts))
    spare = max(block.packets - block.min_packets * len(hosts), 0)
    extra = spare * weights / weights.sum()
    counts = block.min_packets + np.floor(extra).astype(np.int64)
    return with_sum(counts, block.packets, block.min_packets, block.max_packets, rng)
