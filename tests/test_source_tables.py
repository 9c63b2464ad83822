"""Traces, snapshots and jobs as tables."""

from darkgnn_core.charts.source_tables import (
    FIELDS,
    day_table,
    fact_table,
    job_table,
    reason_table,
    snapshot_table,
    trace_table,
)
from darkgnn_core.shelf import ShelvedSnapshot
from darkgnn_core.sources import Source
from darkgnn_core.traces.mapping import TARGETS

REPORT = {
    "skipped": {"ipv6": 3, "bad_time": 4},
    "notes": {"PCAP-CUT": 1},
    "days": {"2021-12-02": 1, "2021-12-01": 2},
    "facts": {
        "mapping": {"columns": {"src_ip": "who", "ts_ns": "when"}, "time_unit": "text"},
        "ignored_columns": [],
        "delimiter": "comma",
        "sensors": {"<b>": "0.1.2.3"},
        "something_new": 5,
    },
}


def source(*, is_synthetic=False):
    """Return a loaded trace."""
    return Source(
        "0" * 16, "a.csv", "delimited", 2_500, is_synthetic, 3, 10**18, 2 * 10**18,
        "2021-12-03T00:00:00+00:00", REPORT,
    )  # fmt: skip


def test_traces_are_marked_as_synthetic():
    """Name, days, packets, skipped, notes, size; the mark of the generator."""
    table = trace_table([source(), source(is_synthetic=True)])
    assert table["synthetic"].tolist() == ["no", "synthetic"]
    assert "synthetic" not in trace_table([source()])
    row = table.iloc[0]
    assert (row["days"], row["packets"], row["skipped"], row["notes"]) == (2, 3, 7, 1)
    assert row["size"] == "2.5 kB"


def test_reasons_are_in_words():
    """The most frequent first."""
    table = reason_table(REPORT, "skipped")
    assert table["records"].tolist() == [4, 3]
    assert "before 1995" in table["what"].iloc[0]
    assert reason_table({}, "notes").empty


def test_facts_tell_the_mapping():
    """Columns by field, the form of times, sensors; facts without a word keep their name."""
    facts = dict(fact_table(REPORT).values.tolist())
    assert facts["column of the source address"] == "who"
    assert facts["times are written as"] == "dates and times as text"
    assert facts["columns not used"] == "none"
    assert facts["address that stands for the sensor <b>"] == "0.1.2.3"
    assert facts["something_new"] == "5"
    assert fact_table({}).empty


def test_every_field_of_a_mapping_has_a_word():
    """So no analyst reads the name of a column of ours."""
    assert set(TARGETS) <= set(FIELDS)


def test_days_are_in_order():
    """Whatever the order of the report."""
    assert day_table(REPORT)["packets"].tolist() == [2, 1]


def shelved(summary):
    """Return a snapshot."""
    return ShelvedSnapshot("2021-12-01", "c", "i", None, summary, "2021-12-03T00:00:00+00:00")


def test_snapshots_show_what_was_left_out_and_why():
    """Packets add up: read = kept + the columns of reasons; reasons that never occur have none."""
    summary = {
        "read": 10, "kept": 6, "hosts": 1, "ports": 2, "edges": 3,
        "dropped": {"not_tcp": 3, "few_packets": 1, "bogon": 0},
        "dropped_hosts": {"few_packets": 1},
    }  # fmt: skip
    row = snapshot_table([shelved(summary)]).iloc[0]
    assert row["packets read"] == row["kept"] + row["not TCP"] + row["host with few packets"]
    assert "unroutable source" not in row
    assert "why there is none" not in row


def test_packets_without_a_known_port_have_a_column_where_there_are_any():
    """They are part of the kept ones, so they take no part in the sum."""
    name = "TCP without a known port"
    with_some = shelved({"read": 9, "kept": 9, "found": {"no_port": 4}})
    with_none = shelved({"read": 9, "kept": 9, "found": {"no_port": 0}})
    assert snapshot_table([with_some, with_none])[name].tolist() == [4, 0]
    assert name not in snapshot_table([with_none])
    assert "hosts left out" not in snapshot_table([with_some, with_none])


def test_a_day_without_a_snapshot_says_why():
    """And released graphs, which know no packets, leave the counts open."""
    table = snapshot_table(
        [shelved({"error": "nothing left"}), shelved({"read": None, "hosts": 4})]
    )
    assert table["why there is none"].tolist() == ["nothing left", ""]
    assert table["packets read"].isna().all()
    assert snapshot_table([]).empty


def test_jobs_have_a_length_once_they_ended():
    """Kinds and states in words; one under way has no end."""
    job = {
        "kind": "remove", "state": "done", "message": "",
        "created_at": "2021-12-01T00:00:00+00:00", "ended_at": "2021-12-01T00:00:09+00:00",
    }  # fmt: skip
    table = job_table([job | {"state": "running", "ended_at": None}, job])
    assert table["state"].tolist() == ["under way", "done"]
    assert table["job"].tolist() == ["remove a trace"] * 2
    assert table["seconds"].isna().tolist() == [True, False]
    assert table["seconds"].iloc[1] == 9
