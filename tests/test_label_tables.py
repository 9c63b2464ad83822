"""Labels as tables: what analysts read, from what the core tells."""

import pandas as pd

from darkgnn_core.charts.label_tables import (
    alias_table,
    bad_table,
    class_table,
    conflict_table,
    history_table,
    list_reasons,
    look_table,
    source_table,
    wide_table,
)
from darkgnn_core.labels.aliases import Alias
from darkgnn_core.labels.conflicts import COLUMNS
from darkgnn_core.labels.previewing import ListLook
from darkgnn_core.labels.store import LabelSource

REPORT = {
    "read": 5,
    "kept": 2,
    "skipped": {"ipv6": 1, "wide_prefix": 2},
    "notes": {"mapped_ipv6": 1},
    "wide": [["198.51.0.0/16", "b"], ["198.0.0.0/8", "c"]],
    "conflicting": 0,
}


def source(identity, kind="csv", note=""):
    """Return a source of labels."""
    return LabelSource(
        identity, f"{identity}.csv", kind, None, "2021-12-01T10:00:00+00:00", 200, note, {}, 7
    )


def test_sources_stand_in_their_order_with_their_hosts():
    """Place, kind in words, labels, hosts; one that met no host has 0; notes only if any."""
    table = source_table([source("a"), source("b", "misp")], {"b": (5, 3)})
    assert table["order"].tolist() == [1, 2]
    assert table["kind"].tolist() == ["CSV list", "MISP warning list"]
    assert table["hosts it labels"].tolist() == [0, 5]
    assert table["hosts it wins"].tolist() == [0, 3]
    assert "note" not in table
    assert source_table([source("a", note="mine")], {})["note"].tolist() == ["mine"]
    assert source_table([], {}).empty


def test_looks_add_up_and_failures_have_no_counts():
    """Rows add up: read = kept + skipped; a file that is no list has its message and no numbers."""
    looks = [ListLook("a", "csv", REPORT), ListLook("b", "", {}, "no list")]
    table = look_table(looks)
    assert table.loc[0, "read"] == table.loc[0, "kept"] + table.loc[0, "skipped"]
    assert table.loc[0, "held back"] == 2
    assert table.loc[1, ["kind", "message"]].tolist() == ["not read", "no list"]
    assert table.loc[1, ["read", "kept", "skipped"]].isna().all()


def test_reasons_are_summed_in_words():
    """Over several lists, the most frequent first; reports without them count nothing."""
    table = list_reasons([REPORT, REPORT, {}], "skipped")
    assert table["rows"].tolist() == [4, 2]
    assert table["reason"].tolist()[0] == "a prefix wider than /24, held back"
    assert list_reasons([{}], "notes").empty


def test_wide_prefixes_come_widest_first():
    """With how many addresses each labels."""
    table = wide_table([REPORT, {}])
    assert table["addresses"].tolist() == [1 << 24, 1 << 16]
    assert table["label"].tolist() == ["c", "b"]


def test_conflicts_keep_their_rows_under_words():
    """One row a dispute; the integers of the address are left out."""
    row = ("192.0.2.1", 1, 1, "a", "one", "first in the order of sources", "two: b", "a | b")
    table = conflict_table(pd.DataFrame([row], columns=list(COLUMNS)))
    assert table.iloc[0].tolist() == [
        "192.0.2.1",
        "a",
        "one",
        "first in the order of sources",
        "two: b",
    ]


def test_aliases_say_who_said_so():
    """Seed and edits are told apart, and the end of the chain is shown."""
    table = alias_table([Alias("x", "y", "z", "seed"), Alias("p", "q", "q", "edited")])
    assert table["stands for"].tolist() == ["z", "q"]
    assert table["from"].tolist() == ["comes with darkgnn", "changed here"]


def test_every_label_has_a_kind():
    """Labels of hosts without a class are other; classes without hosts are listed, too."""
    table = class_table({"acme": 4}, {"censys": "known", "mirai": "malicious"})
    assert table.values.tolist() == [
        ["acme", 4, "other"],
        ["censys", 0, "known scanner"],
        ["mirai", 0, "malicious"],
    ]


def test_history_shows_when_labels_were_taken_back():
    """Times as times, an open end as none, a missing confidence as missing."""
    row = {
        "first_ip": 3221225985,
        "prefix_len": 32,
        "raw_label": "Acme",
        "source": "Analysts",
        "evidence": "banner",
        "confidence": None,
        "day": None,
        "run": None,
        "added_at": "2021-12-01T10:00:00+00:00",
        "withdrawn_at": None,
    }
    table = history_table([row, row | {"withdrawn_at": "2021-12-02T10:00:00+00:00"}])
    assert table["address"].tolist() == ["192.0.2.1"] * 2
    assert table["confidence"].isna().all()
    assert table["taken back"].isna().tolist() == [True, False]
    assert history_table([]).empty


def test_bad_texts_have_their_reason():
    """Two columns, even of nothing."""
    assert list(bad_table([])) == ["text", "what is wrong"]
