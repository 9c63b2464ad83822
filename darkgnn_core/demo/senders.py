"""The active hosts of a day: what all packets of one sender have in common."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from darkgnn_core.demo.behaviours import RHYTHMS
from darkgnn_core.demo.planning import Plan
from darkgnn_core.demo.stacks import STACKS

HOURS = 24
Any64 = npt.NDArray[np.uint64]


@dataclass(frozen=True)
class Senders:
    """Active hosts of one day, one row each, with what their packets have in common."""

    packets: npt.NDArray[np.int64]
    behaviour: npt.NDArray[np.int16]
    pool: npt.NDArray[np.int16]
    mixed: Any64
    address: npt.NDArray[np.uint32]
    ttl: npt.NDArray[np.uint8]
    stack: npt.NDArray[np.int8]
    relation: npt.NDArray[np.int8]
    proto: npt.NDArray[np.uint8]
    is_reply: npt.NDArray[np.bool_]
    flags: npt.NDArray[np.uint8]
    length: npt.NDArray[np.uint16]
    window: npt.NDArray[np.uint16]
    mss: npt.NDArray[np.uint16]
    clock: npt.NDArray[np.uint32]
    has_clock: npt.NDArray[np.bool_]
    port_base: npt.NDArray[np.uint32]
    port_range: npt.NDArray[np.uint32]
    coverage: npt.NDArray[np.uint32]
    dst_offset: npt.NDArray[np.uint32]
    dst_step: npt.NDArray[np.uint32]
    within: npt.NDArray[np.float64]
    width: npt.NDArray[np.float64]


def mix(values: Any64, salt: int) -> Any64:
    """Hash 64-bit values (splitmix64), so that a host's traits need no random stream.

    >>> int(mix(np.array([1], dtype=np.uint64), 2)[0]) >> 60 < 16
    True
    """
    x = values + np.uint64((salt * 0x9E3779B97F4A7C15 + 0x9E3779B97F4A7C15) % 2**64)
    x = (x ^ (x >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    x = (x ^ (x >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return x ^ (x >> np.uint64(31))


def senders_of(plan: Plan, index: int) -> Senders:
    """Return the senders of a day; hosts of one pool stand side by side."""
    host, packets = plan.activity.of_day(index)
    hosts = plan.hosts
    variant, stack = hosts.variant[host], hosts.stack[host]
    today = mix(variant, 1_000 + index)
    relation = np.array([s.relation for s in STACKS], dtype=np.int8)[stack]
    ttl = np.array([s.ttl for s in STACKS], dtype=np.int64)[stack] - hosts.hops[host]
    base, width = _source_ports(stack, today)
    within, spans = _within_hour(plan, host, index)
    return Senders(
        packets=packets,
        behaviour=hosts.behaviour[host],
        pool=np.array([b.pool for b in plan.blocks], dtype=np.int16)[hosts.block[host]],
        mixed=_port_seed(plan, host, variant, today),
        address=hosts.address[host],
        ttl=ttl.astype(np.uint8),
        stack=stack,
        relation=relation,
        proto=np.array([s.proto for s in STACKS], dtype=np.uint8)[stack],
        is_reply=np.array([s.is_reply for s in STACKS])[stack],
        flags=_choice([s.flags for s in STACKS], stack, variant, 1).astype(np.uint8),
        length=_choice([s.lengths for s in STACKS], stack, variant, 2).astype(np.uint16),
        window=_windows(stack, variant, today),
        mss=_choice([s.mss for s in STACKS], stack, variant, 4).astype(np.uint16),
        clock=(mix(variant, 5) & np.uint64(0x3FFFFFFF)).astype(np.uint32),
        has_clock=np.array([s.sends_timestamps for s in STACKS])[stack],
        port_base=base,
        port_range=width,
        coverage=hosts.coverage[host].astype(np.uint32),
        dst_offset=(mix(variant, 6) & np.uint64(255)).astype(np.uint32),
        dst_step=(mix(variant, 7) & np.uint64(255) | np.uint64(1)).astype(np.uint32),
        within=within,
        width=spans,
    )


def _choice(
    choices: list[tuple[int, ...]], stack: npt.NDArray[np.int8], variant: Any64, salt: int
) -> npt.NDArray[np.int64]:
    """Pick one of its stack's values for each host, always the same one."""
    sizes = np.array([max(len(values), 1) for values in choices], dtype=np.uint64)
    table = np.zeros((len(choices), int(sizes.max())), dtype=np.int64)
    for row, values in enumerate(choices):
        table[row, : len(values)] = values
    place = (mix(variant, salt) >> np.uint64(8)) % sizes[stack]
    return table[stack, place.astype(np.int64)]


def _windows(stack: npt.NDArray[np.int8], variant: Any64, today: Any64) -> npt.NDArray[np.uint16]:
    chosen = _choice([s.windows for s in STACKS], stack, variant, 3).astype(np.uint16)
    is_random = np.array([not s.windows for s in STACKS])[stack]
    return np.where(is_random, (mix(today, 1) & np.uint64(0xFFFF)).astype(np.uint16), chosen)


def _source_ports(
    stack: npt.NDArray[np.int8], today: Any64
) -> tuple[npt.NDArray[np.uint32], npt.NDArray[np.uint32]]:
    """Return first source port and number of source ports of each sender."""
    low = np.array([s.source_ports[0] for s in STACKS], dtype=np.uint32)[stack]
    high = np.array([s.source_ports[1] for s in STACKS], dtype=np.uint32)[stack]
    fixed = np.array([s.fixed_source_port for s in STACKS])[stack]
    width = high - low + np.uint32(1)
    own = (mix(today, 2) % width.astype(np.uint64)).astype(np.uint32)
    return np.where(fixed, low + own, low), np.where(fixed, np.uint32(1), width)


def _port_seed(plan: Plan, host: npt.NDArray[np.int32], variant: Any64, today: Any64) -> Any64:
    """Return what decides a host's part of the core ports: itself, or itself and the day."""
    rotates = np.array([b.rotates for b in plan.behaviours])[plan.hosts.behaviour[host]]
    return np.where(rotates, today, variant)


def _group_seed(plan: Plan, host: npt.NDArray[np.int32], index: int) -> Any64:
    """Return a value a day that members of a campaign share."""
    campaign = plan.hosts.campaign[host]
    own = mix(plan.hosts.variant[host], 2_000 + index)
    shared = mix(campaign.astype(np.int64).astype(np.uint64), 3_000 + index)
    return np.where(campaign >= 0, shared, own)


def _within_hour(
    plan: Plan, host: npt.NDArray[np.int32], index: int
) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]]:
    """Return the part of each hour in which a sender is awake: bursts take a third or less."""
    seed = _group_seed(plan, host, index)
    burst = np.array([b.rhythm == "burst" for b in plan.behaviours])[plan.hosts.behaviour[host]]
    width = np.where(burst, 0.05 + 0.3 * _unit(mix(seed, 1)), 1.0)
    return (1 - width) * _unit(mix(seed, 2)), width


def _unit(values: Any64) -> npt.NDArray[np.float64]:
    return (values >> np.uint64(11)).astype(np.float64) / 2.0**53


def hour_weights(plan: Plan, host: npt.NDArray[np.int32], index: int) -> npt.NDArray[np.float64]:
    """Return each sender's share of packets by hour of the UTC day.

    Returns:
        float64 (senders, 24), rows add up to 1. `daily` peaks at 14 h of the host's time zone;
        `burst` is two to five hours that a campaign shares.
    """
    hours = np.arange(HOURS)[None, :]
    rhythm = np.array([RHYTHMS.index(b.rhythm) for b in plan.behaviours])
    kind = rhythm[plan.hosts.behaviour[host]][:, None]
    peak = 14 - plan.hosts.timezone[host].astype(np.float64)[:, None]
    daily = 1 + 0.75 * np.cos((hours - peak) * 2 * np.pi / HOURS)
    seed = _group_seed(plan, host, index)
    first = (mix(seed, 3) % np.uint64(HOURS)).astype(np.int64)[:, None]
    length = 2 + (mix(seed, 4) % np.uint64(4)).astype(np.int64)[:, None]
    burst = ((hours - first) % HOURS < length).astype(np.float64)
    weights = np.select(
        [kind == RHYTHMS.index("daily"), kind == RHYTHMS.index("burst")], [daily, burst], 1.0
    )
    shares: npt.NDArray[np.float64] = weights / weights.sum(axis=1, keepdims=True)
    return shares
