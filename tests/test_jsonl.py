"""JSON lines are mapped like a table, their numbers exact, other lines counted."""

import json

import pytest
from reading_helpers import packed, read_bytes, read_text

from darkgnn_core.errors import TraceError
from darkgnn_core.traces.jsonl import flat, value_at
from darkgnn_core.traces.reading import ColumnMapping

LINE = '{"ts": 1700000000.123456789, "src_ip": "192.0.2.7", "dst_port": 23, "proto": "tcp"}\n'


def test_numbers_are_exact():
    """A time in a JSON number keeps its nanoseconds."""
    rows, tally = read_bytes(packed(LINE + LINE))
    assert [row["ts_ns"] for row in rows] == [1_700_000_000_123_456_789] * 2
    assert (rows[0]["dst_port"], rows[0]["proto"]) == (23, 6)
    assert tally.facts["mapping"]["columns"]["ts_ns"] == "ts"


def test_nested_objects():
    """Keys inside objects are reached by dotted names, in the guess and in a given mapping."""
    row = {"@timestamp": "2023-11-14T22:13:20.5Z", "source": {"ip": "192.0.2.7", "port": 4},
           "destination": {"ip": "198.51.100.9", "port": 23}, "tags": ["a"]}  # fmt: skip
    text = json.dumps(row) + "\n"
    rows, _ = read_text(text)
    assert rows[0]["src_ip"] == "192.0.2.7"
    assert rows[0]["dst_port"] == 23
    assert rows[0]["ts_ns"] == 1_700_000_000_500_000_000
    mapping = ColumnMapping(
        (("ts_ns", "@timestamp"), ("src_ip", "source.ip"), ("dst_port", "source.port")), "text"
    )
    rows, _ = read_text(text, mapping=mapping)
    assert (rows[0]["src_ip"], rows[0]["dst_port"]) == ("192.0.2.7", 4)


def test_bad_lines_are_counted():
    """Lines that are no object, and values that are no field, cost themselves only."""
    bad = ["[1]", "7", "{", "not json", '{"ts": NaN, "src_ip": "192.0.2.7"}',
           '{"ts": 1700000000, "src_ip": ["192.0.2.7"]}', '{"ts": 1700000000}',
           '{"ts": true, "src_ip": "192.0.2.7"}', '{"a":' * 5_000]  # fmt: skip
    rows, tally = read_text(LINE + "\n".join(bad) + "\n" + LINE)
    assert len(rows) == 2
    assert tally.skipped == {"not_json": 5, "bad_time": 2, "bad_address": 2}


def test_missing_columns():
    """Objects without a time or a source are refused, with the keys that were found."""
    with pytest.raises(TraceError, match=r"'a', 'b\.c'") as caught:
        read_text('{"a": 1, "b": {"c": 2}}\n')
    assert caught.value.code == "COLUMNS"


def test_long_value():
    """A value beyond 64 KiB is refused."""
    with pytest.raises(TraceError) as caught:
        read_text(LINE + json.dumps({"ts": 1, "src_ip": "1" * 70_000}) + "\n")
    assert caught.value.code == "LIMIT"


def test_flat_and_back():
    """Each dotted key of a flattened object leads to its value."""
    row = {"a": {"b": {"c": "1"}, "d": "2"}, "e.f": "3", "g": {"h.i": "4"}}
    for key, value in flat(row).items():
        assert value_at(row, key) == value
    assert value_at(row, "a.x") is None
    assert value_at(row, "e.f.g") is None
