"""Charts and tables of one host: what they hold, and that they stand with next to nothing."""

from typing import Any

import altair as alt
import numpy as np
import pandas as pd
import pytest

from darkgnn_core.charts import host_charts, host_words
from darkgnn_core.hosts.evidence import evidence_of
from darkgnn_core.hosts.fingerprint import Tool
from darkgnn_core.hosts.over_time import DayNear, companions, turnover
from darkgnn_core.hosts.predicting import Prediction
from darkgnn_core.hosts.reading import port_table
from darkgnn_core.snapshots.columns import HOST_FEATURES

BINS = ["2021-12-01", "2021-12-02", "2021-12-03"]
HISTORY = pd.DataFrame({"bin": [BINS[0], BINS[2]], "packets": [3.0, np.nan]})


def spec(chart: alt.TopLevelMixin) -> dict[str, Any]:
    """Return a chart's specification, checked against Vega-Lite's schema."""
    found: dict[str, Any] = chart.to_dict()
    return found


def rows(chart: alt.TopLevelMixin) -> list[dict[str, Any]]:
    """Return the data of a chart of one table."""
    [table] = spec(chart)["datasets"].values()
    return list(table)


def test_every_feature_has_a_name_of_its_own() -> None:
    """37 different names, none of them a raw column."""
    names = [host_words.feature_words(name) for name in HOST_FEATURES]
    assert len(set(names)) == 37
    assert not any("_" in name for name in names)


def test_days_without_the_host_stay_empty() -> None:
    """All days are on the axis; an untold count is drawn as none."""
    chart = host_charts.by_day(HISTORY, "packets", "packets", BINS)
    assert spec(chart)["encoding"]["x"]["scale"]["domain"] == BINS
    assert [row["packets"] for row in rows(chart)] == [3.0, 0.0]


def test_hours_by_kind() -> None:
    """All hours are on the axis; a legend only where there are several kinds."""
    hours = pd.DataFrame({"hour": [0, 5], "kind": ["tcp", "tcp"], "packets": [2, 3]})
    one = spec(host_charts.by_hour(hours, "packets", "packets", 24))
    assert one["encoding"]["x"]["scale"]["domain"] == list(range(24))
    assert "color" not in one["encoding"]
    two = hours.assign(kind=["tcp", "backscatter"])
    both = spec(host_charts.by_hour(two, "packets", "packets", 24))
    assert both["encoding"]["color"]["scale"]["domain"] == list(host_words.KIND_WORDS.values())[:2]
    assert spec(host_charts.by_hour(hours.iloc[:0], "packets", "packets", 24))


@pytest.mark.parametrize("counts", [[1, 1], [1, 2], [1, 500], [7, 9]])
def test_shades_stand_for_any_spread(counts: list[int]) -> None:
    """One value, a few, or several magnitudes: a scale that has a length, whole numbers if few."""
    ports = pd.DataFrame({"bin": BINS[:2], "port": [23, -1], "packets": counts})
    found = spec(host_charts.ports_by_day(ports, [23, -1], BINS))
    assert found["encoding"]["y"]["scale"]["domain"] == ["23 telnet", "not told"]
    color = found["encoding"]["color"]
    assert (color["scale"].get("type") == "log") == (counts == [1, 500])
    assert color["legend"].get("values", [1])[0] == int(color["legend"].get("values", [1])[0])
    grid = pd.DataFrame({"bin": BINS[:2], "hour": [0, 23], "packets": counts})
    assert spec(host_charts.hours_by_day(grid, BINS, "packets", "packets"))


def test_features_against_all_and_class() -> None:
    """Two points a feature; one where there is no class."""
    standing = pd.DataFrame(
        {
            "feature": ["ports", "ttl_mean"],
            "value": [1.0, 2.0],
            "percentile_all": [0.1, 0.9],
            "percentile_class": [0.5, np.nan],
        }
    )
    found = spec(host_charts.feature_places(standing, "mirai"))
    points = max(found["datasets"].values(), key=len)
    assert [(row["feature"], row["kind"]) for row in points] == [
        ("port nodes", "all hosts of the day"),
        ("TTL, mean", "all hosts of the day"),
        ("port nodes", "mirai"),
    ]


@pytest.mark.parametrize(
    ("own", "distance", "limit"),
    [([0.1, 0.2, 5.0], 0.3, 0.25), ([], 0.3, np.inf), ([0.0, 0.0], 0.0, 0.0), ([1.0], 90.0, 1.0)],
)
def test_distances_of_a_class(own: list[float], distance: float, limit: float) -> None:
    """All hosts of the class are in a bar, the farthest in the last; host and limit are lines."""
    chart = host_charts.class_distances(np.array(own), distance, limit)
    tables = spec(chart)["datasets"].values()
    bars = next(table for table in tables if "hosts" in table[0])
    lines = next(table for table in tables if "kind" in table[0])
    assert sum(row["hosts"] for row in bars) == len(own)
    assert [row["kind"] for row in lines] == ["this host", "limit"][: 1 + np.isfinite(limit)]
    assert bars[-1]["to"] >= distance


def test_neighbours_over_time() -> None:
    """Overlap and turnover by day, faithful neighbours by place; one day alone stands, too."""
    days = [
        DayNear(BINS[0], np.array([1, 2], np.uint32), np.array([1, 2], np.uint32)),
        DayNear(BINS[1], np.array([2, 3], np.uint32), np.array([2, 3], np.uint32)),
    ]
    table = turnover(days)
    other = pd.DataFrame({"bin": [BINS[0]], "run": ["other"], "overlap": [0.5]})
    found = spec(host_charts.overlap_by_day(table, other))
    assert found["encoding"]["color"]["scale"]["domain"] == ["same run, day before", "other"]
    heights = {row["kind"]: row["height"] for row in rows(host_charts.turnover_by_day(table))}
    assert heights == {"stayed": 1, "joined": 1, "left": -1}
    assert spec(host_charts.turnover_by_day(turnover(days[:1])))
    faithful = companions(days).assign(host=lambda each: each["host"].astype(str))
    grid = spec(host_charts.companions_by_day(faithful, BINS))
    assert grid["encoding"]["y"]["scale"]["domain"] == ["2", "1", "3"]


def test_moves_beside_the_median() -> None:
    """Two lines over all days."""
    moves = pd.DataFrame(
        {
            "bin": [BINS[1]],
            "before": [BINS[0]],
            "distance": [0.2],
            "median": [0.1],
            "share_less": [0.9],
        }
    )
    found = spec(host_charts.moved_by_day(moves, BINS))
    kinds = {row["kind"] for table in found["datasets"].values() for row in table}
    assert kinds == {"this host", "median of all hosts"}


def test_tables_in_words() -> None:
    """Ports by name, addresses dotted, shares in percent, tools with what speaks for them."""
    ports = pd.DataFrame(
        {
            "port": [23, -1],
            "packets": [1, 2],
            "neighbour_packets": [3, 4],
            "hosts": [5, 6],
            "base_rate": [0.25, 0.5],
            "lift": [4.0, 2.0],
        }
    )
    table = host_words.shared_port_table(ports)
    assert table["port"].tolist() == ["23 telnet", "not told"]
    assert table["base rate"].tolist() == [25.0, 50.0]
    assert host_words.rarest_words(ports, 1) == "23 telnet, 1 more"
    near = host_words.near_table(
        np.array([0xC0000201], np.uint32), np.array([0.5]), ["mirai"], [(2, 3.0, "23")], [True]
    )
    assert near.to_dict("records") == [
        {
            "open": "192.0.2.1",
            "rank": 1,
            "distance": 0.5,
            "label": "mirai",
            "shared_ports": 2,
            "lift": 3.0,
            "rarest": "23",
            "same_/24": "yes",
        }
    ]
    [row] = host_words.tool_rows([Tool("ZMap", "clear", ("One.", "Two."))])
    assert row == ("ZMap", "its own mark on nearly all packets", "One. Two.")


def test_evidence_as_rows() -> None:
    """One row a neighbour with all that its card says; none gives an empty table."""
    hosts = np.array([1, 2], np.uint32)
    ports = port_table(hosts, np.array([23, 23], np.int32), np.array([1, 3], np.int64))
    rows = pd.DataFrame({"host": hosts, "packets": [1, 3], "size": [1.0, 2.0]})
    card = evidence_of(1, 2, rows=rows, features=("size",), ports=ports, hours=None)
    [row] = host_words.evidence_table([card], [0.5], ["mirai"]).to_dict("records")
    assert row["neighbour"] == "0.0.0.2"
    assert (row["label"], row["distance"], row["shared_ports"]) == ("mirai", 0.5, 1)
    assert (row["same_headers"], row["same_24"]) == ("not told", "yes")
    assert (row["rarest_shared_ports"], row["largest_feature_gap"]) == ("23", "size")
    assert host_words.evidence_table([], [], []).empty


def test_votes_in_words() -> None:
    """How many of k voted for it; nobody, where there is no other host."""
    told = Prediction("mirai", 2, 1 / 3, 3, ("mirai", "mirai", "unknown"), 0.1, ())
    said = host_words.vote_words(told)
    assert said == "2 of its 3 nearest hosts are mirai, 33% of the votes ahead of the next label."
    alone = Prediction("unknown", 0, 0.0, 3, (), float("inf"), ())
    assert host_words.vote_words(alone) == "There is no other host that could vote."
    assert host_words.seconds_words(float("nan")) == "not told"
