"""Which ports each class covers on which day: a core that stays and a window that rotates."""

from functools import lru_cache

import numpy as np
import numpy.typing as npt

from darkgnn_core.demo.blocks import LOOKALIKE_POOL, NO_POOL, WIDE_POOL
from darkgnn_core.demo.class_behaviours import core_ports
from darkgnn_core.demo.config import DemoConfig
from darkgnn_core.demo.planning import Plan
from darkgnn_core.demo.targets import days_of, target_of
from darkgnn_core.demo.truth import CLASSES, UNKNOWN_CLASS

Ports = npt.NDArray[np.uint16]
HIGHEST_PORT = 65_535
SERVICE_PORTS = 12_000
SURE_COVER = 1.6


@lru_cache(maxsize=4)
def rotation(config: DemoConfig, number: int) -> Ports:
    """Return the order in which a class goes through its rotating ports.

    A class with few ports keeps to those below 12,000, where services live. Source: ours.
    """
    cls = CLASSES[number]
    core = core_ports(cls.label)
    total = max(target_of(cls, config).figures.ports - len(core), 0)
    rng = np.random.default_rng([config.seed, 2, number])
    highest = SERVICE_PORTS if total < 3_000 else HIGHEST_PORT
    free = np.ones(highest + 1, dtype=np.bool_)
    free[[0, *(port for port in core if port <= highest)]] = False
    return rng.permutation(np.flatnonzero(free))[:total].astype(np.uint16)


def class_window(config: DemoConfig, number: int, day: int) -> Ports:
    """Return the rotating ports of a class on a day; the windows of all days cover the rotation.

    Returns:
        uint16; empty on a day on which the class is silent.
    """
    cls, days = CLASSES[number], days_of(CLASSES[number], config)
    if day not in days:
        return np.zeros(0, dtype=np.uint16)
    ports = rotation(config, number)
    width = max(target_of(cls, config).figures.daily_ports - len(core_ports(cls.label)), 0)
    width = min(width, len(ports))
    step = (len(ports) - width) / max(len(days) - 1, 1)
    start = round(days.index(day) * step)
    return ports[start : start + width]


def day_windows(plan: Plan, day: int) -> dict[int, Ports]:
    """Return the rotating ports of every pool on a day, each in its own random order.

    Packets take a pool's ports in turn, so a pool with as many packets as ports covers them all.
    The wide pool holds exactly as many ports as the unknown hosts shall have on that day.
    """
    rng = np.random.default_rng([plan.config.seed, 3, day])
    windows: dict[int, Ports] = {}
    for number in range(len(CLASSES)):
        ports = class_window(plan.config, number, day)
        windows[number] = rng.permutation(ports)
        windows[LOOKALIKE_POOL + number] = rng.permutation(ports)
    windows[WIDE_POOL] = _wide_window(plan, day, windows, rng)
    return windows


def _wide_window(
    plan: Plan, day: int, windows: dict[int, Ports], rng: np.random.Generator
) -> Ports:
    figures = target_of(UNKNOWN_CLASS, plan.config).figures
    seen = np.zeros(HIGHEST_PORT + 1, dtype=np.bool_)
    seen[[port for behaviour in plan.behaviours for port, _ in behaviour.ports]] = True
    for pool, packets in _tail_packets(plan, day).items():
        if pool >= LOOKALIKE_POOL:
            seen[windows[pool][: int(packets)]] = True
    seen[0] = False
    missing = round(figures.daily_ports * rng.uniform(0.98, 1.02)) - int(seen.sum())
    more = rng.permutation(np.flatnonzero(~seen[1:]) + 1)[: max(missing, 0)]
    return rng.permutation(np.concatenate([np.flatnonzero(seen), more])).astype(np.uint16)


def _tail_packets(plan: Plan, day: int) -> dict[int, float]:
    """Return the expected packets of each pool to its rotating ports."""
    hosts, packets = plan.activity.of_day(day)
    tail = tail_shares(plan)[plan.hosts.behaviour[hosts]]
    pools = np.array([block.pool for block in plan.blocks])[plan.hosts.block[hosts]]
    sums = np.bincount(pools + 1, packets * tail)
    return {pool - 1: float(total) for pool, total in enumerate(sums) if pool - 1 != NO_POOL}


@lru_cache(maxsize=2)
def tail_shares(plan: Plan) -> npt.NDArray[np.float64]:
    """Return each behaviour's share of packets to rotating ports.

    Raised where a class would otherwise send too few packets to cover its ports.
    """
    config = plan.config
    shares = np.array([behaviour.tail for behaviour in plan.behaviours])
    first = 0
    for block in plan.blocks:
        part = slice(first, first + len(block.behaviours))
        if 0 <= block.pool < len(CLASSES):
            cls = CLASSES[block.pool]
            width = len(class_window(config, block.pool, block.days[0]))
            weights = np.array([b.share * b.rate * (b.tail > 0) for b in block.behaviours])
            every = sum(b.share * b.rate for b in block.behaviours)
            packets = target_of(cls, config).figures.daily_packets * weights.sum() / every
            need = min(SURE_COVER * width / max(packets, 1), 0.95)
            shares[part] = np.where(shares[part] > 0, np.maximum(shares[part], need), 0)
        first += len(block.behaviours)
    return shares
