"""Parquet tables of others are read within bounds; our own packet columns are read as they are."""

import gzip
import io
from contextlib import suppress
from datetime import UTC, datetime

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from reading_helpers import read_bytes

from darkgnn_core.errors import TraceError
from darkgnn_core.traces.packets import SCHEMA

T0 = 1_700_000_000


def parquet(table, **options):
    """Return a table as the bytes of a Parquet file."""
    if isinstance(table, dict):
        table = pa.table(table)
    sink = io.BytesIO()
    pq.write_table(table, sink, **options)
    return sink.getvalue()


def refused(content, **options):
    """Return the code with which bytes are refused."""
    with pytest.raises(TraceError) as caught:
        read_bytes(content, **options)
    return caught.value.code


def test_typed_columns():
    """Integers, floats with gaps, dictionaries and time stamps become packets."""
    table = {
        "timestamp": pa.array([T0 * 10**6 + 1, T0 * 10**6 + 2], pa.timestamp("us", "UTC")),
        "src_ip": pa.array(["192.0.2.7", "192.0.2.8"]).dictionary_encode(),
        "dst_port": pa.array([23, 80], pa.int64()),
        "ttl": pa.array([64.0, None]),
        "seq": pa.array([4294967295.0, 7.0]),
        "proto": ["tcp", "udp"],
    }
    rows, tally = read_bytes(parquet(table))
    assert [row["ts_ns"] for row in rows] == [T0 * 10**9 + 1000, T0 * 10**9 + 2000]
    assert [row["dst_port"] for row in rows] == [23, 80]
    assert [row["ttl"] for row in rows] == [64, None]
    assert [row["seq"] for row in rows] == [4_294_967_295, 7]
    assert [row["proto"] for row in rows] == [6, 17]
    assert tally.read == 2


@pytest.mark.parametrize(
    ("times", "expected"),
    [
        (pa.array([T0]), T0 * 10**9),
        (pa.array([T0 * 1000 + 5]), T0 * 10**9 + 5_000_000),
        (pa.array([T0 + 0.25]), T0 * 10**9 + 250_000_000),
        (pa.array(["1700000000.123456789"]), T0 * 10**9 + 123_456_789),
        (pa.array(["2023-11-14T22:13:20Z"]), T0 * 10**9),
        (pa.array([datetime(2023, 11, 14, 22, 13, 20, tzinfo=UTC)]), T0 * 10**9),
        (pa.array([T0], pa.timestamp("s", "UTC")), T0 * 10**9),
        (pa.array([T0 * 10**9 + 7], pa.timestamp("ns", "UTC")), T0 * 10**9 + 7),
    ],
)
def test_times(times, expected):
    """A time column of any sensible type is read to the nanosecond it holds."""
    rows, _ = read_bytes(parquet({"ts": times, "src_ip": ["192.0.2.7"]}))
    assert rows[0]["ts_ns"] == expected


def test_local_timestamps_need_a_zone():
    """A time stamp type without a zone is local time: the analyst must say whose."""
    table = {"ts": pa.array([T0], pa.timestamp("s")), "src_ip": ["192.0.2.7"]}
    assert refused(parquet(table)) == "TIMEZONE"
    rows, _ = read_bytes(parquet(table), timezone="Europe/Rome")
    assert rows[0]["ts_ns"] == (T0 - 3600) * 10**9


def test_bad_rows_are_counted():
    """Values out of range cost their row."""
    table = {
        "ts": pa.array([T0, None, 2**62, T0, T0], pa.int64()),
        "src_ip": ["192.0.2.7", "192.0.2.7", "192.0.2.7", "x", "192.0.2.7"],
        "dst_port": [23, 23, 23, 23, -1],
    }
    rows, tally = read_bytes(parquet(table))
    assert len(rows) == 1
    assert tally.skipped == {"bad_time": 2, "bad_address": 1, "bad_port": 1}


def test_own_packets():
    """A table with the packet columns themselves is read without a mapping."""
    row = dict.fromkeys(SCHEMA.names) | {"ts_ns": T0 * 10**9, "src_ip": 0xC0000207, "proto": 6}
    table = pa.Table.from_pylist([row, row | {"ts_ns": 5}, row | {"mirai": True}], SCHEMA)
    rows, tally = read_bytes(parquet(table))
    assert [(r["src_ip"], r["mirai"]) for r in rows] == [("192.0.2.7", None), ("192.0.2.7", True)]
    assert tally.skipped == {"bad_time": 1}


def test_integer_addresses_are_refused():
    """Addresses as numbers of an unknown byte order are an error, not a guess."""
    table = {"ts": [T0], "src_ip": pa.array([1], pa.int64())}
    assert refused(parquet(table)) == "COLUMNS"


def test_shape_is_checked_first():
    """Nested columns, too many columns or row groups, and no rows are refused."""
    good = {"ts": [T0], "src_ip": ["192.0.2.7"]}
    assert refused(parquet(good | {"x": [[1, 2]]})) == "COLUMNS"
    assert refused(parquet(good | {f"c{i}": [0] for i in range(300)})) == "LIMIT"
    many = {"ts": [T0] * 1_001, "src_ip": ["192.0.2.7"] * 1_001}
    assert refused(parquet(many, row_group_size=1)) == "LIMIT"
    assert refused(parquet(pa.table(good).slice(0, 0))) == "NO-ROWS"


def test_too_many_rows(monkeypatch):
    """More rows than the cap are refused by the footer, before one is read."""
    monkeypatch.setattr("darkgnn_core.traces.parquet.MAX_ROWS", 9)
    assert refused(parquet({"ts": [T0] * 10, "src_ip": ["192.0.2.7"] * 10})) == "LIMIT"


def test_bomb():
    """A small file whose rows fill gigabytes is stopped on the way."""
    rows = 6_000_000
    coded = pa.DictionaryArray.from_arrays(np.zeros(rows, np.int32), pa.array(["192.0.2.7"]))
    table = {"ts": pa.array(np.full(rows, T0)), "src_ip": coded}
    content = parquet(table, compression="zstd", row_group_size=rows)
    assert len(content) < 200_000
    assert refused(content) == "BOMB"


def test_compressed_outside():
    """Parquet inside gzip is refused with the way out."""
    content = parquet({"ts": [T0], "src_ip": ["192.0.2.7"]})
    assert refused(gzip.compress(content)) == "COMPRESSED"


def test_damage():
    """Cut and flipped files end in a TraceError or in counted rows, never otherwise."""
    count = 2_000
    table = {
        "ts": [T0 + i for i in range(count)],
        "src_ip": [f"192.0.2.{i % 256}" for i in range(count)],
    }
    content = parquet(table, row_group_size=500, write_page_checksum=True)
    random = np.random.default_rng(1)
    for _ in range(150):
        broken = bytearray(content)
        if random.random() < 0.3:
            del broken[int(random.integers(8, len(broken))) :]
        else:
            for at in random.integers(4, len(broken), 3).tolist():
                broken[at] ^= int(random.integers(1, 256))
        with suppress(TraceError):
            read_bytes(bytes(broken))
