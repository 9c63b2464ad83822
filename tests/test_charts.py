"""Charts: valid specs over our own columns, empty places for missing days, tables that add up."""

import json

import pandas as pd
import pytest

from darkgnn_core.charts import sensor
from darkgnn_core.charts.load_tables import failed_snapshots, file_table, packet_table, reason_table
from darkgnn_core.charts.port_names import port_label

DAYS = pd.DataFrame(
    {
        "bin": ["2021-12-01", "2021-12-02", "2021-12-04"],
        "packets": [100, 200, 0],
        "hosts": [10, 20, 30],
        "ports": [3, 4, 5],
        "backscatter": [0, 0, 0],
        "duplicates": [0, 1, 0],
        "new_hosts": [10, 12, 5],
        "returning_hosts": [0, 0, 5],
        "labelled_hosts": [1, 2, 3],
        "labelled_share": [0.1, 0.1, 0.1],
    }
)
DROPPED = pd.DataFrame({"bin": ["2021-12-01"], "reason": ["few_packets"], "packets": [7]})
HOURS = pd.DataFrame({"bin": ["2021-12-01"] * 2, "hour": [0, 1], "packets": [5, 0], "hosts": 1})
PORTS = pd.DataFrame({"port": [23, 40_001], "packets": [9, 4], "hosts": [3, 2], "bins": [3, 1]})
MISSING = ("2021-12-03",)

CHARTS = {
    "packets": sensor.packets_by_day(DAYS, DROPPED, MISSING),
    "hosts": sensor.hosts_by_day(DAYS, MISSING),
    "ports": sensor.ports_by_day(DAYS, MISSING),
    "backscatter": sensor.backscatter_by_day(DAYS, MISSING),
    "duplicates": sensor.duplicates_by_day(DAYS, MISSING),
    "labelled": sensor.labelled_by_day(DAYS, MISSING),
    "hours": sensor.packets_by_hour(HOURS, MISSING),
    "top": sensor.top_ports(PORTS),
}


@pytest.mark.parametrize("name", CHARTS)
def test_each_chart_is_a_valid_spec_without_addresses(name: str) -> None:
    """Altair's own schema accepts it; besides the schema's name it holds no address to fetch."""
    spec = CHARTS[name].to_dict()
    spec.pop("$schema")
    assert "http" not in json.dumps(spec)
    assert '"image"' not in json.dumps(spec)


@pytest.mark.parametrize("name", ["packets", "hosts", "ports", "backscatter", "labelled"])
def test_missing_days_keep_their_place(name: str) -> None:
    """The axis lists all four days though one has no data."""
    domain = CHARTS[name].to_dict()["encoding"]["x"]["scale"]["domain"]
    assert domain == ["2021-12-01", "2021-12-02", "2021-12-03", "2021-12-04"]


def test_an_axis_of_zeros_has_a_length() -> None:
    """All counts zero: the axis runs to 1 and does not write NaN."""
    assert CHARTS["backscatter"].to_dict()["encoding"]["y"]["scale"]["domain"] == [0, 1]


def test_the_parts_of_a_day_add_up_to_its_hosts() -> None:
    """New, returning and steady hosts of each bar are the day's hosts."""
    sums = CHARTS["hosts"].data.groupby("bin")["hosts"].sum()
    assert sums.tolist() == DAYS["hosts"].tolist()


def test_columns_of_others_never_reach_a_chart() -> None:
    """A table with columns named like Vega's special ones gives the same spec."""
    loud = DAYS.assign(image="http://192.0.2.1/x", url="http://192.0.2.1/y")
    assert sensor.ports_by_day(loud, MISSING).to_json() == CHARTS["ports"].to_json()


def test_ports_are_named() -> None:
    """Known services get their name, others their number."""
    assert CHARTS["top"].data["label"].tolist() == ["23 telnet", "40001"]
    assert port_label(7) == "7"


def test_the_report_of_a_load_adds_up() -> None:
    """Records read = kept + skipped in each file; reasons are summed, failures kept."""
    read = {"read": 10, "kept": 7, "skipped": {"ipv6": 3}, "packets": 7, "days": {"2021-12-01": 7}}
    report = {
        "files": [
            {"name": "a", "status": "loaded", "report": read | {"format": "pcap"}},
            {"name": "b", "status": "loaded", "report": read | {"format": "pcap"}},
            {"name": "c", "status": "failed", "message": "why"},
        ],
        "snapshots": {"2021-12-01": {"kept": 7}, "2021-12-02": {"error": "nothing left"}},
    }
    table = file_table(report)
    good = table[table["status"] == "loaded"]
    assert (good["read"] == good["kept"] + good["skipped"]).all()
    assert table["message"].tolist() == ["", "", "why"]
    assert reason_table(report, "skipped").values.tolist() == [["ipv6", 6, 2]]
    assert failed_snapshots(report).values.tolist() == [["2021-12-02", "nothing left"]]
    assert file_table({}).empty
    assert reason_table({}, "notes").empty


def test_packets_are_shown_as_people_read_them() -> None:
    """Dotted addresses, UTC times; what a format lacks stays empty."""
    table = packet_table([{"ts_ns": 1_638_316_800 * 10**9, "src_ip": 3_325_256_704 + 7}])
    assert table["source"].tolist() == ["198.51.100.7"]
    assert table["destination"].tolist() == [""]
    assert str(table["time (UTC)"][0]) == "2021-12-01 00:00:00+00:00"
    assert table["port"].isna().all()
