"""From the columns of a table, as read, to packets: parsed, checked, bad rows counted."""

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from darkgnn_core.errors import TraceError
from darkgnn_core.traces.addresses import BAD, IPV6, NULL, Mask, address_text, addresses
from darkgnn_core.traces.packets import SCHEMA, TCP, packet_batch
from darkgnn_core.traces.reading import ReadOptions, Tally
from darkgnn_core.traces.times import Times, epoch_times, in_range, other_unit, text_times
from darkgnn_core.traces.values import (
    ICMP,
    ethertype_of,
    flags_of,
    id_of,
    mapped,
    mark_of,
    masked,
    protocol_of,
    whole_numbers,
)

REPEAT_LIMIT = 1_000_000
MIXED_SHARE = 0.01
SAMPLE_ROWS = 1_000
MAX_SENSORS = 65_536
REASONS = (
    "",
    "ipv6",
    "not_ip",
    "bad_address",
    "bad_time",
    "bad_port",
    "bad_value",
    "too_many_packets",
)
_NUMBERS = ("length", "ttl", "seq", "window", "mss", "ts_option")
_PORTS = ("src_port", "dst_port")
_OPTIONS = ("mss", "ts_option")


@dataclass
class Assembler:
    """Turns columns of one trace into packets; keeps what must be alike through the file.

    A row is left out for the first reason that holds, in the order of `REASONS`. Columns are
    named as in `packets.SCHEMA`, but for `ts`, and besides them `ethtype` (only IPv4 is kept),
    `sensor` and `packets` (`reading.ColumnMapping`). Columns are strings, strings with a
    dictionary, or integers already of the schema's type; `ts` may also be int64 nanoseconds.

    Attributes:
        name: What messages call the file.
        time_unit: Unit of the `ts` column.
        options: The analyst's choices; `timezone` is obeyed here.
        tally: Counts every row.
        sensors: Address given to each sensor name so far.
    """

    name: str
    time_unit: str
    options: ReadOptions
    tally: Tally
    sensors: dict[str, int] = field(default_factory=dict)

    def batches(self, columns: dict[str, pa.Array], rows: int) -> Iterator[pa.RecordBatch]:
        """Yield the packets of some rows; the tally holds at each yield.

        Raises:
            TraceError: `TIMEZONE`, `TIMES-MIXED`, `SENSORS`.
        """
        reasons = np.zeros(rows, np.uint8)
        done = self._parsed(columns, rows, reasons)
        repeats = self._repeats(columns, reasons)
        counts = np.bincount(reasons, minlength=len(REASONS))
        for code, reason in enumerate(REASONS[1:], start=1):
            self.tally.skip(reason, int(counts[code]))
        if counts[0] == 0:
            return
        batch = packet_batch(done, rows=rows)
        good = reasons == 0
        if counts[0] < rows:
            batch = batch.filter(pa.array(good))
        if repeats is None:
            self.tally.keep(batch.num_rows)
            yield batch
            return
        yield from self._expanded(batch, repeats[good])

    def _parsed(
        self, columns: dict[str, pa.Array], rows: int, reasons: npt.NDArray[np.uint8]
    ) -> dict[str, pa.Array]:
        done: dict[str, pa.Array] = {}
        if "ethtype" in columns:
            family, _ = mapped(columns["ethtype"], ethertype_of, pa.uint8())
            blame(reasons, "ipv6", numpy_of(family, 4) == 6)
            blame(reasons, "not_ip", numpy_of(family, 4) == 0)
        self._addresses(columns, done, reasons)
        self._time(columns["ts"], done, reasons)
        for port in _PORTS:
            if port in columns:
                done[port], bad = whole_numbers(
                    self._known_port(columns[port]), SCHEMA.field(port).type
                )
                blame(reasons, "bad_port", bad)
        self._protocol(columns, done, rows, reasons)
        self._fields(columns, done, reasons)
        done["mirai"] = self._mirai(columns, done, rows)
        return done

    def _addresses(
        self, columns: dict[str, pa.Array], done: dict[str, pa.Array], reasons: Any
    ) -> None:
        values, kind = addresses(columns["src_ip"])
        blame(reasons, "ipv6", kind == IPV6)
        blame(reasons, "bad_address", (kind == BAD) | (kind == NULL))
        done["src_ip"] = pa.array(values)
        if "dst_ip" in columns:
            values, kind = addresses(columns["dst_ip"])
            blame(reasons, "ipv6", kind == IPV6)
            blame(reasons, "bad_address", kind == BAD)
            done["dst_ip"] = masked(values, kind != 0, pa.uint32())
        elif "sensor" in columns:
            done["dst_ip"] = self._sensor_addresses(columns["sensor"])

    def _sensor_addresses(self, names: pa.Array) -> pa.Array:
        coded = names if pa.types.is_dictionary(names.type) else names.dictionary_encode()
        known = [self._sensor_address(str(name)) for name in coded.dictionary.to_pylist()]
        rows = coded.indices.fill_null(len(known)).to_numpy(zero_copy_only=False)
        return masked(np.array([*known, 0], np.uint32)[rows], rows == len(known), pa.uint32())

    def _sensor_address(self, name: str) -> int:
        if name not in self.sensors:
            self._add_sensor(name)
        return self.sensors[name]

    def _add_sensor(self, name: str) -> None:
        if len(self.sensors) >= MAX_SENSORS:
            raise TraceError(
                f"{self.name}: more than {MAX_SENSORS:,} names in the sensor column. "
                "Is it the right column? Give another mapping.",
                code="SENSORS",
            )
        address = sensor_address(name)
        twin = next((old for old, taken in self.sensors.items() if taken == address), None)
        if twin is not None:
            raise TraceError(
                f"{self.name}: the sensors {twin!r} and {name!r} get the same stand-in address "
                f"{address_text(address)}. Rename one of them in the file.",
                code="SENSORS",
            )
        self.sensors[name] = address
        self.tally.facts.setdefault("sensors", {})[name] = address_text(address)

    def _time(self, column: pa.Array, done: dict[str, pa.Array], reasons: Any) -> None:
        times = self._times(column)
        for code, count in times.notes.items():
            self.tally.note(code, count)
        blame(reasons, "bad_time", ~times.good)
        done["ts_ns"] = pa.array(times.ns)

    def _times(self, column: pa.Array) -> Times:
        if pa.types.is_integer(column.type):
            ns = column.fill_null(0).to_numpy(zero_copy_only=False)
            return Times(ns, in_range(ns))
        if self.time_unit == "text":
            times = text_times(column, self.options.timezone, where=self.name)
        else:
            times = epoch_times(column, self.time_unit)
        if not times.good.all():
            self._refuse_other_unit(column, ~times.good)
        return times

    def _refuse_other_unit(self, column: pa.Array, bad: Mask) -> None:
        """Raise where at least one row in a hundred is a good time in another unit."""
        rows = np.flatnonzero(bad)
        looked = rows[:SAMPLE_ROWS]
        texts = [column[int(row)].as_py() for row in looked]
        others = [text for text in texts if text and other_unit(text[:64], self.time_unit)]
        if others and len(others) / len(looked) * len(rows) >= MIXED_SHARE * len(column):
            raise TraceError(
                f"{self.name}: times are written in '{self.time_unit}', but {others[0]!r} reads "
                f"as '{other_unit(others[0], self.time_unit)}'. Write all times alike, or split "
                "the file.",
                code="TIMES-MIXED",
            )

    def _known_port(self, column: pa.Array) -> pa.Array:
        """Take `oth`, which the paper's authors wrote for their rarer ports, as no port."""
        if pa.types.is_integer(column.type):
            return column
        texts = column.cast(pa.string())
        other = pc.fill_null(pc.equal(texts, "oth"), False)
        times = pc.sum(other).as_py() or 0
        if not times:
            return texts
        self.tally.note("port_other", times)
        return pc.if_else(other, pa.scalar(None, pa.string()), texts)

    def _protocol(
        self, columns: dict[str, pa.Array], done: dict[str, pa.Array], rows: int, reasons: Any
    ) -> None:
        if "proto" in columns:
            done["proto"], _ = mapped(columns["proto"], protocol_of, pa.uint8())
            missing = done["proto"].is_null().to_numpy(zero_copy_only=False)
            blame(reasons, "bad_value", missing)
            done["proto"] = done["proto"].fill_null(0)
            return
        done["proto"] = pa.array(np.full(rows, TCP, np.uint8))
        self.tally.note("proto_assumed_tcp", rows)

    def _fields(
        self, columns: dict[str, pa.Array], done: dict[str, pa.Array], reasons: Any
    ) -> None:
        protocol = numpy_of(done["proto"], 0)
        for name in _NUMBERS:
            if name in columns:
                done[name], bad = whole_numbers(columns[name], SCHEMA.field(name).type)
                blame(reasons, "bad_value", bad)
        for name, parse in (("tcp_flags", flags_of), ("ip_id", id_of)):
            if name not in columns:
                continue
            if pa.types.is_unsigned_integer(columns[name].type):
                done[name] = columns[name]
                continue
            done[name], bad = mapped(columns[name], parse, SCHEMA.field(name).type)
            blame(reasons, "bad_value", bad)
        for name in _OPTIONS:
            if name in done and done[name].null_count:
                absent = done[name].is_null().to_numpy(zero_copy_only=False)
                missing = absent & (protocol != TCP)
                done[name] = masked(numpy_of(done[name], 0), missing, done[name].type)
        if (protocol == ICMP).any():
            for port in _PORTS:
                if port in done:
                    gone = (protocol == ICMP) | done[port].is_null().to_numpy(zero_copy_only=False)
                    done[port] = masked(numpy_of(done[port], 0), gone, pa.uint16())

    def _mirai(
        self, columns: dict[str, pa.Array], done: dict[str, pa.Array], rows: int
    ) -> pa.Array:
        """Compare sequence number and destination; the log's own mark only where one is absent."""
        mark = pa.nulls(rows, pa.bool_())
        if "mirai" in columns:
            mark, _ = mapped(columns["mirai"], mark_of, pa.uint8())
            mark = mark.cast(pa.bool_())
        if "seq" not in done or "dst_ip" not in columns:
            return mark
        is_tcp = pa.array(numpy_of(done["proto"], 0) == TCP)
        same = pc.and_(pc.equal(done["seq"], done["dst_ip"]), is_tcp)
        return pc.coalesce(same, mark)

    def _repeats(self, columns: dict[str, pa.Array], reasons: Any) -> npt.NDArray[np.int64] | None:
        if "packets" not in columns:
            return None
        counts, bad = whole_numbers(columns["packets"], pa.uint64())
        blame(reasons, "bad_value", bad)
        repeats = numpy_of(counts, 1).astype(np.uint64)
        blame(reasons, "too_many_packets", repeats > REPEAT_LIMIT)
        blame(reasons, "bad_value", repeats == 0)
        return np.minimum(repeats, REPEAT_LIMIT).astype(np.int64)

    def _expanded(
        self, batch: pa.RecordBatch, repeats: npt.NDArray[np.int64]
    ) -> Iterator[pa.RecordBatch]:
        """Repeat rows, a million packets at a time at most."""
        ends = np.cumsum(repeats)
        first = 0
        while first < len(repeats):
            before = int(ends[first - 1]) if first else 0
            last = max(int(np.searchsorted(ends, before + REPEAT_LIMIT, "right")), first + 1)
            rows = np.repeat(np.arange(first, last), repeats[first:last])
            self.tally.keep(last - first, packets=len(rows))
            yield batch.take(pa.array(rows))
            first = last


def sensor_address(name: str) -> int:
    """Return the stand-in address of a named sensor: in 0.0.0.0/8, the same at every reading.

    >>> sensor_address("paris") >> 24
    0
    """
    return int.from_bytes(hashlib.sha256(name.encode()).digest()[:3], "big") or 1


def blame(reasons: npt.NDArray[np.uint8], reason: str, rows: Mask) -> None:
    """Mark rows with a reason, unless they have one already."""
    reasons[rows & (reasons == 0)] = REASONS.index(reason)


def numpy_of(column: pa.Array, fill: int) -> npt.NDArray[Any]:
    """Return a column as numpy, nulls filled."""
    value = bool(fill) if pa.types.is_boolean(column.type) else fill
    filled = column.fill_null(value) if column.null_count else column
    values: npt.NDArray[Any] = filled.to_numpy(zero_copy_only=False)
    return values
