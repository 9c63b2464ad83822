"""Packets of a planned day, hour by hour, in time order and bounded memory."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime
from itertools import pairwise

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from darkgnn_core.demo.addresses import DARKNET, DARKNET_SIZE
from darkgnn_core.demo.behaviours import RHYTHMS
from darkgnn_core.demo.planning import Plan
from darkgnn_core.demo.stacks import ICMP, MASSCAN, MIRAI, STACKS, TCP, ZMAP, ZMAP_IP_ID
from darkgnn_core.demo.windows import Ports, day_windows, tail_shares
from darkgnn_core.errors import ConfigError
from darkgnn_core.traces.packets import SCHEMA

HOURS = 24
HOUR_US = 3_600 * 10**6
TABLE = 4_096
Any64 = npt.NDArray[np.uint64]


def generate_day(plan: Plan, day: date) -> Iterator[pa.RecordBatch]:
    """Generate the packets of a day.

    The same plan and day give the same packets, in whatever order or process days are made.

    Args:
        plan: The plan.
        day: One of `plan.days`.

    Yields:
        Batches of `packets.SCHEMA`, one an hour, in time order; times are whole microseconds.

    Raises:
        ConfigError: If the plan has no such day.
    """
    if day not in plan.days:
        raise ConfigError(f"The demo has no day {day.isoformat()}.", code="CONFIG")
    index = plan.days.index(day)
    start = int(datetime(day.year, day.month, day.day, tzinfo=UTC).timestamp())
    rng = np.random.Generator(np.random.SFC64([plan.config.seed, 5, index]))
    senders = _senders(plan, index)
    ports = PortPicker.of_day(plan, index)
    hours = _packets_by_hour(plan, index, senders, rng)
    silent = silent_hours(plan, index)
    for hour in range(HOURS):
        columns = _hour(senders, hours[:, hour], ports, start + 3_600 * hour, rng)
        if hour not in silent:
            yield _batch(columns)


def silent_hours(plan: Plan, index: int) -> set[int]:
    """Return the hours of a day in which the sensor failed, if gaps were asked for."""
    if not plan.config.sensor_gaps or index % 5 != 3:
        return set()
    first = 3 + (7 * index + plan.config.seed) % 15
    return set(range(first, first + 1 + index % 4))


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


def _senders(plan: Plan, index: int) -> Senders:
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


def _packets_by_hour(
    plan: Plan, index: int, senders: Senders, rng: np.random.Generator
) -> npt.NDArray[np.int64]:
    host, _ = plan.activity.of_day(index)
    return rng.multinomial(senders.packets, hour_weights(plan, host, index))


class PortPicker:
    """Draws destination ports: the core by weight, rotating ports in turn.

    Args:
        tables: uint16 (behaviours, 4096), core ports in proportion to their weights.
        focus: float64 (behaviours,), share of the table that a host uses.
        tail: float64 (behaviours,), share of packets to rotating ports.
        windows: Rotating ports by pool.
    """

    def __init__(
        self,
        tables: Ports,
        focus: npt.NDArray[np.float64],
        tail: npt.NDArray[np.float64],
        windows: dict[int, Ports],
    ) -> None:
        self.tables = tables.ravel()
        self.span = np.maximum(np.rint(focus * TABLE), 1).astype(np.uint32)
        self.tail = np.rint(tail * 65_536).astype(np.uint32)
        self.windows = windows
        self.used = dict.fromkeys(windows, 0)

    @classmethod
    def of_day(cls, plan: Plan, index: int) -> "PortPicker":
        """Return the picker for a day of a plan."""
        tables = np.stack([_table(b.ports) for b in plan.behaviours])
        focus = np.array([b.focus for b in plan.behaviours])
        return cls(tables, focus, tail_shares(plan), day_windows(plan, index))

    def pick(
        self,
        senders: Senders,
        row: npt.NDArray[np.int32],
        counts: npt.NDArray[np.int64],
        rng: np.random.Generator,
    ) -> Ports:
        """Draw a port for each packet; rows of one pool stand side by side."""
        random = rng.integers(0, 2**32, len(row), dtype=np.uint32)
        start = (senders.mixed % np.uint64(TABLE)).astype(np.uint32)
        base = senders.behaviour.astype(np.uint32) * np.uint32(TABLE)
        span = self.span[senders.behaviour]
        place = start[row] + ((random & np.uint32(0xFFFF)) * span[row] >> np.uint32(16))
        ports = self.tables[base[row] + (place & np.uint32(TABLE - 1))]
        is_tail = (random >> np.uint32(16)) < self.tail[senders.behaviour][row]
        self._take_turns(ports, is_tail, senders.pool, counts)
        return ports

    def _take_turns(
        self,
        ports: Ports,
        is_tail: npt.NDArray[np.bool_],
        pool: npt.NDArray[np.int16],
        counts: npt.NDArray[np.int64],
    ) -> None:
        ends = np.concatenate([[0], np.cumsum(counts)])
        bounds = np.concatenate([[0], np.flatnonzero(np.diff(pool)) + 1, [len(pool)]])
        for first, last in pairwise(bounds):
            number = int(pool[first]) if first < len(pool) else -1
            window = self.windows.get(number)
            if window is None or len(window) == 0:
                continue
            where = ends[first] + np.flatnonzero(is_tail[ends[first] : ends[last]])
            turn = self.used[number] + np.arange(len(where))
            ports[where] = window[turn % len(window)]
            self.used[number] += len(where)


def _table(ports: tuple[tuple[int, float], ...]) -> Ports:
    """Spread ports over a table in proportion to their weights, each at least once."""
    weights = np.array([weight for _, weight in ports])
    shares = np.maximum(np.cumsum(weights) / weights.sum() * TABLE, np.arange(len(ports)) + 1)
    bounds = np.rint(shares).astype(np.int64)
    sizes = np.diff(np.concatenate([[0], bounds]))
    numbers = np.array([port for port, _ in ports], dtype=np.uint16)
    table: Ports = np.repeat(numbers, sizes)[:TABLE]
    return table


def _hour(
    senders: Senders,
    counts: npt.NDArray[np.int64],
    ports: PortPicker,
    start_s: int,
    rng: np.random.Generator,
) -> dict[str, npt.NDArray[np.generic]]:
    """Draw all packets of an hour, sorted by time."""
    row = np.repeat(np.arange(len(counts), dtype=np.int32), counts)
    port = ports.pick(senders, row, counts, rng)
    moment = senders.within[row] + rng.random(len(row)) * senders.width[row]
    micros = (moment * HOUR_US).astype(np.uint32)
    order = np.argsort(micros)
    row, port, micros = row[order], port[order], micros[order]
    random = rng.integers(0, 2**32, len(row), dtype=np.uint32)
    target = _targets(senders, row, random)
    seq = rng.integers(0, 2**32, len(row), dtype=np.uint32)
    relation = senders.relation[row]
    seq = np.where(relation == MIRAI, target, seq)
    ip_id = _ip_ids(relation, random, target, port, seq)
    source = senders.port_base[row] + (
        (random >> np.uint32(16)) * senders.port_range[row] >> np.uint32(16)
    )
    reply = senders.is_reply[row]
    millis = np.uint32(start_s * 1_000 % 2**32) + micros // np.uint32(1_000)
    return {
        "ts_ns": start_s * 10**9 + micros.astype(np.int64) * 1_000,
        "src_ip": senders.address[row],
        "dst_ip": target,
        "src_port": np.where(reply, port, source).astype(np.uint16),
        "dst_port": np.where(reply, source, port).astype(np.uint16),
        "proto": senders.proto[row],
        "length": senders.length[row].astype(np.uint32),
        "tcp_flags": senders.flags[row],
        "ttl": senders.ttl[row],
        "ip_id": ip_id,
        "seq": seq,
        "window": senders.window[row],
        "mss": senders.mss[row],
        "ts_option": np.where(senders.has_clock[row], (senders.clock[row] + millis) | 1, 0),
        "mirai": seq == target,
    }


def _targets(
    senders: Senders, row: npt.NDArray[np.int32], random: npt.NDArray[np.uint32]
) -> npt.NDArray[np.uint32]:
    """Draw the dark address of each packet among those its sender covers."""
    place = (random & np.uint32(0xFFFF)) * senders.coverage[row] >> np.uint32(16)
    last = senders.dst_offset[row] + senders.dst_step[row] * place
    return np.uint32(DARKNET) + (last & np.uint32(DARKNET_SIZE - 1))


def _ip_ids(
    relation: npt.NDArray[np.int8],
    random: npt.NDArray[np.uint32],
    target: npt.NDArray[np.uint32],
    port: Ports,
    seq: npt.NDArray[np.uint32],
) -> npt.NDArray[np.uint16]:
    masscan = (target ^ port ^ seq).astype(np.uint16)
    scrambled = (random * np.uint32(0x9E3779B1) >> np.uint32(16)).astype(np.uint16)
    found = np.where(relation == MASSCAN, masscan, scrambled)
    return np.where(relation == ZMAP, np.uint16(ZMAP_IP_ID), found)


NEEDS_TCP = ("tcp_flags", "seq", "window", "mss", "ts_option", "mirai")
NEEDS_PORTS = ("src_port", "dst_port")


def _batch(columns: dict[str, npt.NDArray[np.generic]]) -> pa.RecordBatch:
    """Build the batch; what UDP and ICMP lack becomes null."""
    proto = columns["proto"]
    not_tcp, icmp = proto != TCP, proto == ICMP
    arrays = []
    for field in SCHEMA:
        mask = not_tcp if field.name in NEEDS_TCP else icmp if field.name in NEEDS_PORTS else None
        if mask is not None and not mask.any():
            mask = None
        arrays.append(pa.array(columns[field.name], type=field.type, mask=mask))
    return pa.RecordBatch.from_arrays(arrays, schema=SCHEMA)
