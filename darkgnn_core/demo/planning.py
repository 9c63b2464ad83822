"""The plan of a demo darknet: every host, what it is, what it does and on which days."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from functools import lru_cache

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from darkgnn_core.demo.activity import (
    active_days,
    campaign_numbers,
    packet_counts,
    presence,
)
from darkgnn_core.demo.addresses import allocate
from darkgnn_core.demo.behaviours import Behaviour
from darkgnn_core.demo.blocks import Block, plan_blocks
from darkgnn_core.demo.config import DemoConfig
from darkgnn_core.demo.stacks import STACK_NUMBER, STACKS
from darkgnn_core.demo.truth import LABELS, UNKNOWN


@dataclass(frozen=True)
class Hosts:
    """The planted truth, one value a host; hosts of one block stand side by side.

    Attributes:
        address: uint32, all different.
        block: int16, index in `Plan.blocks`.
        behaviour: int16, index in `Plan.behaviours`.
        stack: int8, index in `stacks.STACKS`.
        campaign: int32, index in `Plan.campaigns`, -1 for none.
        hops: uint8, routers between it and the darknet, the same on all days.
        coverage: int16, dark addresses it contacts, of 256.
        timezone: int8, hours east of UTC.
        variant: uint64, random; all that is individual about a host follows from it.
    """

    address: npt.NDArray[np.uint32]
    block: npt.NDArray[np.int16]
    behaviour: npt.NDArray[np.int16]
    stack: npt.NDArray[np.int8]
    campaign: npt.NDArray[np.int32]
    hops: npt.NDArray[np.uint8]
    coverage: npt.NDArray[np.int16]
    timezone: npt.NDArray[np.int8]
    variant: npt.NDArray[np.uint64]


@dataclass(frozen=True)
class Activity:
    """Which host sends how many packets on which day, sorted by day, then host.

    Attributes:
        offsets: int64 (days + 1,), where each day begins.
        host: int32 (host days,), index in `Hosts`.
        packets: int64 (host days,).
    """

    offsets: npt.NDArray[np.int64]
    host: npt.NDArray[np.int32]
    packets: npt.NDArray[np.int64]

    def of_day(self, index: int) -> tuple[npt.NDArray[np.int32], npt.NDArray[np.int64]]:
        """Return the active hosts of a day and their packets."""
        part = slice(int(self.offsets[index]), int(self.offsets[index + 1]))
        return self.host[part], self.packets[part]


@dataclass(frozen=True, eq=False)
class Plan:
    """Everything that is planted; packets follow from it and the seed alone.

    Attributes:
        config: The settings it was made from.
        blocks: The groups of hosts.
        behaviours: What hosts do.
        campaigns: Names of the campaigns.
        hosts: The planted truth.
        activity: Hosts and packets a day.
    """

    config: DemoConfig
    blocks: tuple[Block, ...]
    behaviours: tuple[Behaviour, ...]
    campaigns: tuple[str, ...]
    hosts: Hosts
    activity: Activity

    @property
    def days(self) -> tuple[date, ...]:
        """The UTC days, in order."""
        return self.config.dates

    @property
    def packets(self) -> int:
        """Packets of all days, before any sensor gap."""
        return int(self.activity.packets.sum())

    @property
    def labels(self) -> list[str]:
        """The planted class of each host."""
        of_block = [block.label for block in self.blocks]
        return [of_block[number] for number in self.hosts.block]

    def truth(self) -> pa.Table:
        """Return the planted truth of every host, sorted by address.

        Returns:
            Columns `src_ip` (text), `class`, `behaviour`, `lookalike_of`, `campaign`, `stack`
            (text, empty where none), `hops`, `active_days`, `packets` (int64).
        """
        hosts, order = self.hosts, np.argsort(self.hosts.address)
        days = np.bincount(self.activity.host, minlength=len(order))
        packets = np.bincount(self.activity.host, self.activity.packets, minlength=len(order))
        campaigns = np.array([*self.campaigns, ""])
        texts: dict[str, npt.NDArray[np.str_]] = {
            "class": np.array([b.label for b in self.blocks])[hosts.block],
            "behaviour": np.array([b.name for b in self.behaviours])[hosts.behaviour],
            "lookalike_of": np.array([b.lookalike_of for b in self.blocks])[hosts.block],
            "campaign": campaigns[hosts.campaign],
            "stack": np.array([stack.name for stack in STACKS])[hosts.stack],
        }
        numbers: dict[str, npt.NDArray[np.generic]] = {
            "hops": hosts.hops,
            "active_days": days,
            "packets": packets,
        }
        columns = {"src_ip": pa.array([address_text(int(a)) for a in hosts.address[order]])}
        columns |= {name: pa.array(values[order].tolist()) for name, values in texts.items()}
        columns |= {
            name: pa.array(values[order].astype(np.int64)) for name, values in numbers.items()
        }
        return pa.table(columns)


def address_text(address: int) -> str:
    """Return an address in dotted form.

    >>> address_text(3323068417)
    '198.18.0.1'
    """
    return ".".join(str(address >> shift & 255) for shift in (24, 16, 8, 0))


@lru_cache(maxsize=2)
def plan(config: DemoConfig) -> Plan:
    """Plan a demo darknet: a few seconds for the full month.

    The same settings give the same plan.

    Source:
        Paper Table 2 for the totals; look-alikes, campaigns and noise are ours.
    """
    rng = np.random.default_rng([config.seed, 1])
    blocks = plan_blocks(config, rng)
    behaviours = tuple(behaviour for block in blocks for behaviour in block.behaviours)
    addresses = allocate(blocks, rng)
    campaigns: list[str] = []
    parts = list(_plan_each(blocks, config, campaigns, rng))
    traits = (np.concatenate(column) for column in zip(*(p[0] for p in parts), strict=True))
    hosts = Hosts(addresses, *traits)
    activity = _by_day([part[1] for part in parts], blocks, config.days)
    for values in (*vars(hosts).values(), *vars(activity).values()):
        values.flags.writeable = False
    return Plan(config, blocks, behaviours, tuple(campaigns), hosts, activity)


Columns = tuple[npt.NDArray[np.generic], ...]
HostDays = tuple[npt.NDArray[np.int64], npt.NDArray[np.int64], npt.NDArray[np.int64]]


def _plan_each(
    blocks: tuple[Block, ...],
    config: DemoConfig,
    campaigns: list[str],
    rng: np.random.Generator,
) -> Iterator[tuple[Columns, HostDays]]:
    first_behaviour = 0
    for number, block in enumerate(blocks):
        days = active_days(block, rng)
        groups = campaign_numbers(block, days, rng)
        kind, columns = _traits(block, number, first_behaviour, rng)
        campaign = np.where(groups >= 0, groups + len(campaigns), -1).astype(np.int32)
        alone = block.campaign and not block.grouped
        number_of_groups = int(groups.max(initial=-1)) + 1
        names = [f"{block.campaign}-{group + 1:02d}" for group in range(number_of_groups)]
        campaigns.extend([block.campaign] if alone else names)
        columns = (*columns[:3], campaign, *columns[3:])
        yield columns, _host_days(block, days, groups, kind, config, rng)
        first_behaviour += len(block.behaviours)


def _traits(
    block: Block, number: int, first_behaviour: int, rng: np.random.Generator
) -> tuple[npt.NDArray[np.int64], Columns]:
    """Draw what is individual about each host of a block."""
    shares = np.array([behaviour.share for behaviour in block.behaviours])
    bounds = np.cumsum(shares / shares.sum())
    even_places = rng.permutation((np.arange(block.hosts) + 0.5) / block.hosts)
    kind = np.minimum(np.searchsorted(bounds, even_places), len(shares) - 1)
    stack = np.zeros(block.hosts, dtype=np.int8)
    coverage = np.zeros(block.hosts, dtype=np.int16)
    hops = np.zeros(block.hosts, dtype=np.uint8)
    for index, behaviour in enumerate(block.behaviours):
        mine = np.flatnonzero(kind == index)
        names, weights = zip(*behaviour.stacks, strict=True)
        numbers = np.array([STACK_NUMBER[name] for name in names], dtype=np.int8)
        stack[mine] = rng.choice(numbers, len(mine), p=np.array(weights) / sum(weights))
        low, high = np.log(behaviour.coverage[0]), np.log(behaviour.coverage[1])
        coverage[mine] = np.rint(np.exp(rng.uniform(low, high, len(mine))))
        hops[mine] = rng.integers(behaviour.hops[0], behaviour.hops[1] + 1, len(mine))
    zones = rng.choice(np.array([-8, -5, -3, 0, 1, 3, 5, 8, 9], dtype=np.int8), block.hosts)
    variant = rng.integers(0, 2**64, block.hosts, dtype=np.uint64)
    columns: Columns = (
        np.full(block.hosts, number, dtype=np.int16),
        (first_behaviour + kind).astype(np.int16),
        stack,
        hops,
        coverage,
        zones,
        variant,
    )
    return kind, columns


def _host_days(
    block: Block,
    days: npt.NDArray[np.int64],
    groups: npt.NDArray[np.int64],
    kind: npt.NDArray[np.int64],
    config: DemoConfig,
    rng: np.random.Generator,
) -> HostDays:
    """Return the host, day and packets of each active host day of a block."""
    host, place = np.nonzero(presence(block, days, groups, rng))
    day = np.array(block.days, dtype=np.int64)[place]
    spread = np.array([behaviour.spread for behaviour in block.behaviours])[kind]
    rate = np.array([behaviour.rate for behaviour in block.behaviours])[kind]
    rates = rate * np.exp(np.clip(rng.normal(0, 1, block.hosts), -2.5, 2.5) * spread)
    weekday = (config.dates[0].weekday() + np.arange(config.days)) % 7
    factor = np.where(weekday >= 5, 0.93, 1.03) * rng.lognormal(0, 0.05, config.days)
    return host, day, packet_counts(block, rates, host, factor[day], rng)


def _by_day(parts: list[HostDays], blocks: tuple[Block, ...], days: int) -> Activity:
    starts = np.cumsum([0, *(block.hosts for block in blocks)])
    host = np.concatenate([part[0] + start for part, start in zip(parts, starts, strict=False)])
    day = np.concatenate([part[1] for part in parts])
    packets = np.concatenate([part[2] for part in parts])
    order = np.lexsort((host, day))
    offsets = np.searchsorted(day[order], np.arange(days + 1))
    return Activity(offsets, host[order].astype(np.int32), packets[order])


def is_labelled(plan: Plan) -> npt.NDArray[np.bool_]:
    """Return for each host whether it has one of the 14 labels."""
    of_block = np.array([block.label != UNKNOWN for block in plan.blocks])
    found: npt.NDArray[np.bool_] = of_block[plan.hosts.block]
    return found


def label_numbers(plan: Plan) -> npt.NDArray[np.int8]:
    """Return each host's class as an index in `truth.LABELS`."""
    of_block = np.array([LABELS.index(block.label) for block in plan.blocks], dtype=np.int8)
    return of_block[plan.hosts.block]
