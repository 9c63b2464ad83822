"""Packets as lines of the paper's per-packet log, without a Python loop over packets.

Each column becomes a fixed-width field padded with zero bytes, taken from a table of ready-made
numbers; dropping the zero bytes of the whole block leaves the lines.
"""

from functools import cache
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

COLUMNS = (
    *("ts", "ethtype", "src_ip", "src_port", "dst_ip", "dst_port", "pck_len", "tcp_flags"),
    *("mirai", "tcp_seq", "ttl", "t_mss", "t_win", "t_ts", "t_sack", "t_sackp", "proto"),
)
HEADER = (" ".join(COLUMNS) + "\n").encode()
ETHERTYPE_IPV4 = b"2048"
ABSENT = b"-"
SACK_LENGTHS = (48, 52, 60)

Values = npt.NDArray[Any]
FIELDS = np.dtype(
    [
        ("seconds_high", "S5"),
        ("seconds_low", "S5"),
        ("point", "S1"),
        ("millis", "S3"),
        ("micros", "S3"),
        ("ethtype", "S6"),
        ("src_high", "S7"),
        ("src_dot", "S1"),
        ("src_low", "S7"),
        ("gap_1", "S1"),
        ("src_port", "S5"),
        ("gap_2", "S1"),
        ("dst_high", "S7"),
        ("dst_dot", "S1"),
        ("dst_low", "S7"),
        ("gap_3", "S1"),
        ("dst_port", "S5"),
        ("gap_4", "S1"),
        ("length", "S5"),
        ("gap_5", "S1"),
        ("tcp_flags", "S5"),
        ("gap_6", "S1"),
        ("mirai", "S5"),
        ("gap_7", "S1"),
        ("seq_high", "S5"),
        ("seq_low", "S5"),
        ("gap_8", "S1"),
        ("ttl", "S5"),
        ("gap_9", "S1"),
        ("mss", "S5"),
        ("gap_10", "S1"),
        ("window", "S5"),
        ("gap_11", "S1"),
        ("ts_high", "S5"),
        ("ts_low", "S5"),
        ("sack", "S3"),
        ("sackp", "S1"),
        ("gap_12", "S1"),
        ("proto", "S5"),
        ("end", "S1"),
    ]
)
CONSTANT = {
    "ethtype": b" " + ETHERTYPE_IPV4 + b" ",
    "point": b".",
    "src_dot": b".",
    "dst_dot": b".",
    "sack": b" - ",
    "end": b"\n",
} | {f"gap_{number}": b" " for number in range(1, 13)}


@cache
def _numbers() -> Values:
    """Return '0' to '65535' and, as the last entry, the sign for an absent value."""
    return np.array([*(str(n).encode() for n in range(1 << 16)), ABSENT], dtype="S5")


@cache
def _halves() -> Values:
    """Return the two low octets of an address in dotted form, by 16-bit value."""
    return np.array([f"{n >> 8}.{n & 255}".encode() for n in range(1 << 16)], dtype="S7")


@cache
def _five() -> Values:
    """Return 0 to 99999 without leading zeros, then again with."""
    plain = [str(n).encode() for n in range(10**5)]
    return np.array([*plain, *(text.zfill(5) for text in plain)], dtype="S5")


@cache
def _high() -> Values:
    """Return the high digits of a number: 1 to 42949, and nothing for 0."""
    return np.array([b"", *(str(n).encode() for n in range(1, 42_950))], dtype="S5")


@cache
def _template() -> Values:
    """Return a line with what all lines have in common."""
    line = np.zeros((), dtype=FIELDS)
    for name, value in CONSTANT.items():
        line[name] = value
    return line


@cache
def _three() -> Values:
    return np.array([f"{n:03d}".encode() for n in range(1_000)], dtype="S3")


def log_lines(batch: pa.RecordBatch) -> bytes:
    """Return a batch of `packets.SCHEMA` as lines of the paper's log.

    Absent fields are `-`; `mirai` is 1 or 0; `ethtype` and `tcp_flags` are decimal; `t_sack` is
    always absent. The format has no IP identification: `ip_id` is not written.
    """
    lines = np.full(batch.num_rows, _template(), dtype=FIELDS)
    _put_time(lines, batch)
    for side in ("src", "dst"):
        address = _values(batch, f"{side}_ip")
        lines[f"{side}_high"] = _halves()[address >> 16]
        lines[f"{side}_low"] = _halves()[address & 0xFFFF]
    for name in ("src_port", "dst_port", "length", "tcp_flags", "mirai", "ttl", "window", "proto"):
        lines[name] = _numbers()[_small(batch, name)]
    for name, zero_is_absent in (("seq", False), ("ts_option", True)):
        _put_large(lines, name.split("_")[0], batch, name, zero_is_absent=zero_is_absent)
    mss = _small(batch, "mss")
    lines["mss"] = _numbers()[np.where(mss == 0, 1 << 16, mss)]
    is_tcp = _values(batch, "proto") == 6
    has_sack = is_tcp & (mss != 0) & np.isin(_values(batch, "length"), SACK_LENGTHS)
    lines["sackp"] = np.where(has_sack, b"1", ABSENT)
    return lines.tobytes().translate(None, b"\0")


def _put_time(lines: Values, batch: pa.RecordBatch) -> None:
    micros = _values(batch, "ts_ns") // 1_000
    seconds, micros = np.divmod(micros, 10**6)
    lines["seconds_high"] = _five()[seconds // 10**5]
    lines["seconds_low"] = _five()[10**5 + seconds % 10**5]
    lines["millis"] = _three()[micros // 1_000]
    lines["micros"] = _three()[micros % 1_000]


def _put_large(
    lines: Values, field: str, batch: pa.RecordBatch, name: str, *, zero_is_absent: bool
) -> None:
    """Write 32-bit numbers in two parts: up to five high digits, then the low five."""
    column = batch.column(name)
    values = _values(batch, name)
    high, low = np.divmod(values, np.uint32(10**5))
    lines[f"{field}_high"] = _high()[high]
    lines[f"{field}_low"] = _five()[low + np.uint32(10**5) * (high > 0)]
    absent = np.zeros(len(lines), dtype=np.bool_)
    if column.null_count:
        absent |= column.is_null().to_numpy(zero_copy_only=False)
    if zero_is_absent:
        absent |= values == 0
    lines[f"{field}_high"][absent] = b""
    lines[f"{field}_low"][absent] = ABSENT


def _values(batch: pa.RecordBatch, name: str) -> Values:
    column = batch.column(name)
    if column.null_count:
        column = column.fill_null(False if pa.types.is_boolean(column.type) else 0)
    found: Values = column.to_numpy(zero_copy_only=False)
    return found


def _small(batch: pa.RecordBatch, name: str) -> Values:
    """Return a column as places in the table of numbers, absent values at its end."""
    column, values = batch.column(name), _values(batch, name).astype(np.int32)
    if column.null_count:
        values[column.is_null().to_numpy(zero_copy_only=False)] = 1 << 16
    return values
