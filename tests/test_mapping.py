"""Columns are guessed from names and values, and mappings are saved, loaded and checked."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from darkgnn_core.errors import TraceError
from darkgnn_core.traces.mapping import (
    REQUIRED,
    TARGETS,
    check,
    from_json,
    guess,
    missing_columns,
    to_json,
)
from darkgnn_core.traces.reading import ColumnMapping
from darkgnn_core.traces.times import UNITS


@pytest.mark.parametrize(
    ("header", "row", "expected"),
    [
        (
            "datetime,host,src,proto,spt,dpt",
            "2013-03-03 21:53:59,paris,192.0.2.1,TCP,6000,1433",
            {"ts_ns": "datetime", "src_ip": "src", "sensor": "host", "src_port": "spt",
             "dst_port": "dpt", "proto": "proto"},
        ),
        (
            "ts,host,src",
            "1700000000,198.51.100.1,192.0.2.1",
            {"ts_ns": "ts", "src_ip": "src", "dst_ip": "host"},
        ),
        (
            "StartTime,SrcAddr,Sport,DstAddr,Dport,Proto,TotPkts",
            "1700000000,192.0.2.1,1,198.51.100.1,23,tcp,3",
            {"src_ip": "SrcAddr", "src_port": "Sport", "dst_ip": "DstAddr", "dst_port": "Dport",
             "proto": "Proto"},
        ),
        (
            "@timestamp,id.orig_h,id.orig_p,id.resp_h,id.resp_p,orig_pkts",
            "2023-01-01T00:00:00Z,192.0.2.1,1,198.51.100.1,23,3",
            {"ts_ns": "@timestamp", "src_ip": "id.orig_h", "src_port": "id.orig_p",
             "dst_ip": "id.resp_h", "dst_port": "id.resp_p"},
        ),
        (
            "id,time,source,saddr,daddr,size,t_win,id2",
            "999999,1700000000,agent7,192.0.2.1,198.51.100.1,40,1024,4",
            {"ts_ns": "time", "src_ip": "saddr", "dst_ip": "daddr", "length": "size",
             "window": "t_win"},
        ),
        (
            "Source IP,Destination IP,Destination Port,Timestamp",
            "192.0.2.1,198.51.100.1,23,1700000000123",
            {"ts_ns": "Timestamp", "src_ip": "Source IP", "dst_ip": "Destination IP",
             "dst_port": "Destination Port"},
        ),
    ],
)  # fmt: skip
def test_known_headers(header, row, expected):
    """Headers of public data sets and tools are understood; values speak against wrong columns."""
    assert dict(guess(header.split(","), [row.split(",")]).columns) == expected


def test_unit_is_guessed():
    """The unit follows the values, and is seconds where they do not tell."""
    for value, unit in (("1700000000123", "ms"), ("2023-01-01 00:00:00", "text"), ("0", "s")):
        assert guess(["ts", "src"], [[value, "192.0.2.1"]]).time_unit == unit
    assert guess(["ts", "src"]).time_unit == "s"


def test_missing_columns():
    """A guess without a time or a source says so."""
    assert missing_columns(guess(["a", "b"])) == list(REQUIRED)
    assert missing_columns(guess(["ts", "src_ip"])) == []


@given(
    st.dictionaries(st.sampled_from(TARGETS), st.text(), min_size=0, max_size=8),
    st.sampled_from(UNITS),
    st.text(),
    st.text(),
)
def test_json_round_trip(columns, unit, time, source):
    """A saved mapping is loaded as it was."""
    columns |= {"ts_ns": time, "src_ip": source}
    mapping = ColumnMapping(tuple(columns.items()), unit)
    assert from_json(to_json(mapping)) == mapping


@pytest.mark.parametrize(
    "text",
    [
        "", "[]", "7", "{", "{}", '{"columns": []}', '{"columns": {"ts_ns": 1, "src_ip": "a"}}',
        '{"columns": {"ts_ns": "a"}}', '{"columns": {"ts_ns": "a", "src_ip": "b", "x": "c"}}',
        '{"columns": {"ts_ns": "a", "src_ip": "b"}, "time_unit": "minutes"}',
        '{"columns": {"ts_ns": "a", "src_ip": "b"}, "other": 1}',
        '{"columns": {"ts_ns": "a", "src_ip": "b"}, "time_unit": 1}', "[" * 100_000,
    ],
)  # fmt: skip
def test_bad_json(text):
    """What is no mapping is refused under one code."""
    with pytest.raises(TraceError) as caught:
        from_json(text)
    assert caught.value.code == "MAPPING"


def test_a_field_twice():
    """A field may come from one column only."""
    with pytest.raises(TraceError, match="twice"):
        check(ColumnMapping((("ts_ns", "a"), ("src_ip", "b"), ("ts_ns", "c"))))
