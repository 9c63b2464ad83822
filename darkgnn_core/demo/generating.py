"""Packets of a planned day, hour by hour, in time order and bounded memory."""

from collections.abc import Iterator
from datetime import UTC, date, datetime

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from darkgnn_core.demo.addresses import DARKNET, DARKNET_SIZE
from darkgnn_core.demo.picking import PortPicker
from darkgnn_core.demo.planning import Plan
from darkgnn_core.demo.senders import HOURS, Senders, hour_weights, senders_of
from darkgnn_core.demo.stacks import ICMP, MASSCAN, MIRAI, TCP, ZMAP, ZMAP_IP_ID
from darkgnn_core.demo.windows import Ports
from darkgnn_core.errors import ConfigError
from darkgnn_core.traces.packets import SCHEMA

HOUR_US = 3_600 * 10**6


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
    senders = senders_of(plan, index)
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


def _packets_by_hour(
    plan: Plan, index: int, senders: Senders, rng: np.random.Generator
) -> npt.NDArray[np.int64]:
    host, _ = plan.activity.of_day(index)
    return rng.multinomial(senders.packets, hour_weights(plan, host, index))


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
