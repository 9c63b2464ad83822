"""The groups of hosts that make up the demo darknet: classes, look-alikes, campaigns, noise."""

from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np

from darkgnn_core.demo.behaviours import RHYTHMS, Behaviour, even, falling
from darkgnn_core.demo.class_behaviours import CLASS_BEHAVIOURS
from darkgnn_core.demo.config import DemoConfig
from darkgnn_core.demo.targets import Target, target_of
from darkgnn_core.demo.truth import CLASSES, UNKNOWN, UNKNOWN_CLASS, DemoClass
from darkgnn_core.demo.unknown_behaviours import (
    BACKGROUND,
    FEW_PACKETS,
    PING,
    RESETS,
    SYN_ACKS,
    UDP_SCAN,
    WIDE,
)

NO_POOL = -1
WIDE_POOL = len(CLASSES)
LOOKALIKE_POOL = WIDE_POOL + 1
MIN_PACKETS = 5

WIDE_PACKETS, CAMPAIGN_PACKETS = 0.35, 0.25
WIDE_HOSTS, CAMPAIGN_HOSTS = 0.035, 0.25
BACKSCATTER_SHARE = 0.03
TCP_SHARE = 0.937
"""Share of TCP in all traffic. Source: paper, section 3."""


@dataclass(frozen=True)
class Block:
    """A group of hosts that are planned together.

    Attributes:
        label: Planted class; `unknown` for all that the paper has no label for.
        behaviours: What its hosts do, with shares.
        hosts: Number of hosts.
        host_days: Sum over the days of its active hosts.
        packets: Packets over all days.
        days: Indexes of the days on which it may be active.
        pool: Whose rotating ports it uses: a class's number, `WIDE_POOL`, `LOOKALIKE_POOL` plus
            a class's number, or `NO_POOL`.
        lookalike_of: Label of the class it behaves like, or empty.
        campaign: Name of its campaigns, or empty; all hosts of a block without `grouped` are one.
        grouped: Share of its hosts that start and stop in groups.
        networks: Number of /24 networks it owns; 0 scatters it over the whole source range.
        min_packets: Fewest packets of an active host and day.
        max_packets: Most packets of an active host and day.
        constancy: How alike its hosts are in the number of active days.
    """

    label: str
    behaviours: tuple[Behaviour, ...]
    hosts: int
    host_days: int
    packets: int
    days: tuple[int, ...]
    pool: int = NO_POOL
    lookalike_of: str = ""
    campaign: str = ""
    grouped: float = 0.0
    networks: int = 0
    min_packets: int = MIN_PACKETS
    max_packets: int = 2**31
    constancy: float = 1.3


def plan_blocks(config: DemoConfig, rng: np.random.Generator) -> tuple[Block, ...]:
    """Return all blocks, those of one pool side by side."""
    classes = [_class_block(number, config) for number in range(len(CLASSES))]
    lookalikes = [_lookalike_block(number, block) for number, block in enumerate(classes)]
    unknown = list(_unknown_blocks(target_of(UNKNOWN_CLASS, config), lookalikes, config, rng))
    scanners = [*classes, *lookalikes, *unknown]
    noise = list(_noise_blocks(scanners, config)) if config.noise else []
    return (*scanners, *noise)


def _class_block(number: int, config: DemoConfig) -> Block:
    cls = CLASSES[number]
    target = target_of(cls, config)
    return Block(
        cls.label,
        CLASS_BEHAVIOURS[cls.label],
        target.figures.hosts,
        target.host_days,
        target.figures.packets,
        target.days,
        pool=number,
        campaign="" if cls.organisation else cls.label,
        grouped=0.0 if cls.organisation else 0.5,
        networks=-(-target.figures.hosts // 120) if cls.organisation else 0,
        constancy=2.5 if cls.organisation else 1.3,
    )


def _lookalike_block(number: int, block: Block) -> Block:
    cls: DemoClass = CLASSES[number]
    daily = max(2, round(cls.lookalikes * block.host_days / len(block.days)))
    host_days = daily * len(block.days)
    hosts = max(daily, round(block.hosts * host_days / block.host_days))
    behaviours = tuple(_without_fingerprint(behaviour) for behaviour in block.behaviours)
    return replace(
        block,
        label=UNKNOWN,
        behaviours=behaviours,
        hosts=min(hosts, host_days),
        host_days=host_days,
        packets=round(block.packets * host_days / block.host_days),
        pool=LOOKALIKE_POOL + number,
        lookalike_of=cls.label,
        campaign=f"like-{cls.label}" if block.campaign else "",
        networks=-(-hosts // 40) if cls.organisation else 0,
    )


def _without_fingerprint(behaviour: Behaviour) -> Behaviour:
    """Take Mirai's sequence number away: it would make a look-alike a labelled host."""
    stacks = tuple((name.replace("mirai", "mirai-like"), w) for name, w in behaviour.stacks)
    return replace(behaviour, stacks=stacks)


def _unknown_blocks(
    target: Target, lookalikes: list[Block], config: DemoConfig, rng: np.random.Generator
) -> Iterator[Block]:
    """Share what the look-alikes leave of the unknown row among wide scanners, campaigns, rest."""
    hosts = target.figures.hosts - sum(block.hosts for block in lookalikes)
    host_days = target.host_days - sum(block.host_days for block in lookalikes)
    packets = target.figures.packets - sum(block.packets for block in lookalikes)
    wide = _wide_block(target, packets)
    campaigns = list(_campaign_blocks(hosts, packets, host_days, config, rng))
    yield wide
    yield from campaigns
    taken = [wide, *campaigns]
    rest_days = max(host_days - sum(block.host_days for block in taken), config.days)
    rest_hosts = max(hosts - sum(block.hosts for block in taken), 1)
    rest_packets = packets - sum(block.packets for block in taken)
    yield Block(
        UNKNOWN,
        BACKGROUND,
        min(rest_hosts, rest_days),
        rest_days,
        max(rest_packets, rest_days * MIN_PACKETS),
        target.days,
    )


def _wide_block(target: Target, packets: int) -> Block:
    daily = max(3, round(WIDE_HOSTS * target.figures.daily_hosts))
    host_days = daily * len(target.days)
    hosts = max(daily, round(host_days / min(6, len(target.days))))
    budget = max(round(WIDE_PACKETS * packets), host_days * MIN_PACKETS)
    return Block(UNKNOWN, (WIDE,), hosts, host_days, budget, target.days, pool=WIDE_POOL)


def _campaign_blocks(
    hosts: int, packets: int, host_days: int, config: DemoConfig, rng: np.random.Generator
) -> Iterator[Block]:
    """Groups of unknown hosts with one signature that start, act together and stop."""
    number = max(6, round(60 * config.hosts_scale))
    sizes = rng.lognormal(0, 0.9, number)
    sizes = np.maximum(4, sizes / sizes.sum() * hosts * CAMPAIGN_HOSTS).astype(int)
    sizes = np.minimum(sizes, max(4, host_days // (4 * number)))
    weights = sizes * rng.lognormal(0, 0.6, number)
    budget = weights / weights.sum() * packets * CAMPAIGN_PACKETS
    for index in range(number):
        length = min(int(rng.integers(2, 8)), config.days)
        early = min(length - 1, 1)  # a campaign may have begun before the first day
        start = int(rng.integers(-early, config.days - length + early + 1))
        days = tuple(range(max(start, 0), min(start + length, config.days)))
        host_days_here = max(int(sizes[index]), round(0.8 * int(sizes[index]) * len(days)))
        yield Block(
            UNKNOWN,
            (_campaign_behaviour(index, rng),),
            int(sizes[index]),
            host_days_here,
            max(int(budget[index]), host_days_here * (MIN_PACKETS + 2)),
            days,
            campaign=f"campaign-{index:02d}",
            networks=int(rng.integers(1, 4)) + int(sizes[index]) // 100 if index % 4 == 0 else 0,
        )


def _campaign_behaviour(index: int, rng: np.random.Generator) -> Behaviour:
    known = (22, 23, 80, 81, 445, 1433, 2375, 3389, 5555, 6379, 7001, 8080, 8088, 8545, 9000)
    ports = [int(p) for p in rng.choice(known, int(rng.integers(1, 4)), replace=False)]
    ports += [int(p) for p in rng.integers(1024, 65_535, int(rng.integers(0, 6)))]
    stack = ("linux", "windows", "masscan", "zmap", "syn-kit", "plain-syn", "mirai-like")
    reach = int(rng.choice([8, 32, 128, 256]))
    return Behaviour(
        f"campaign-{index:02d}",
        falling(*ports) if index % 2 else even(*ports),
        ((str(rng.choice(stack)), 1.0),),
        coverage=(reach // 2, reach),
        rhythm=RHYTHMS[int(rng.choice([0, 1, 2], p=[0.2, 0.2, 0.6]))],
        spread=float(rng.uniform(0.2, 0.9)),
        focus=float(rng.choice([0.4, 1.0])),
    )


def _noise_blocks(scanners: list[Block], config: DemoConfig) -> Iterator[Block]:
    """What the paper's filters take out: tiny hosts, backscatter, UDP and ICMP."""
    days = tuple(range(config.days))
    packets = sum(block.packets for block in scanners)
    daily = sum(block.host_days for block in scanners) / config.days
    tiny = round(1.6 * daily) * config.days
    back = round(BACKSCATTER_SHARE * packets)
    other = round((packets + back + 1.7 * tiny) * (1 - TCP_SHARE) / TCP_SHARE)
    stay = 1 + 0.035 * (config.days - 1)
    yield replace(_noise_block(FEW_PACKETS, tiny, stay, round(1.7 * tiny), days), max_packets=4)
    for behaviour, hosts_a_day, budget in (
        (SYN_ACKS, 100, 0.7 * back),
        (RESETS, 50, 0.3 * back),
        (UDP_SCAN, 600, 0.85 * other),
        (PING, 250, 0.15 * other),
    ):
        host_days = max(4, round(hosts_a_day * config.hosts_scale)) * config.days
        yield _noise_block(behaviour, host_days, stay, round(budget), days)


def _noise_block(
    behaviour: Behaviour, host_days: int, stay: float, packets: int, days: tuple[int, ...]
) -> Block:
    budget = max(packets, host_days)
    hosts = max(1, round(host_days / stay))
    return Block(UNKNOWN, (behaviour,), hosts, host_days, budget, days, min_packets=1)
