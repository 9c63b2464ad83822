"""Health and Table 2: every figure of a small workspace counted by hand."""

from pathlib import Path

import numpy as np
import pytest

from darkgnn_core.busiest import KnownShare, known_share
from darkgnn_core.config import SnapshotConfig
from darkgnn_core.health import all_hosts, hosts_without_known, measure_health, table2
from darkgnn_core.ingest import ingest
from darkgnn_core.workspace import Workspace, open_workspace
from tests.made_traces import DAY_S, FIRST_DAY_S, Made, write_log

ALL = SnapshotConfig(min_packets=1)
ANN, BOB, CYD = "192.0.2.1", "192.0.2.2", "192.0.2.3"
SYN_ACK = 18


@pytest.fixture
def workspace(tmp_path: Path) -> Workspace:
    """Give three days with a hole: Ann on all, Bob on the first and last, Cyd on the last."""
    packets = [
        Made(0, ANN, 22),
        Made(3_600, ANN, 23, dark="198.18.0.2"),
        Made(7_200, BOB, 22),
        Made(7_300, CYD, 99, flags=SYN_ACK),
        Made(DAY_S, ANN, 22),
        Made(3 * DAY_S, ANN, 22),
        Made(3 * DAY_S + 1, BOB, 80),
        Made(3 * DAY_S + 1, BOB, 80),
        Made(3 * DAY_S + 2, CYD, 443),
    ]
    made = open_workspace(tmp_path / "w")
    made.set_snapshot_config(ALL)
    labels = tmp_path / "labels.csv"
    labels.write_text(f"src_ip,label\n{ANN},censys\n203.0.113.9,mirai\n", encoding="utf-8")
    ingest(made, [write_log(tmp_path / "a.log", packets), labels])
    return made


def test_each_day_is_counted(workspace: Workspace) -> None:
    """Packets, hosts, new, returning, labelled, backscatter, repeats and silent hours."""
    days = measure_health(workspace, ALL).days.set_index("bin")
    counted = {
        "read": [4, 1, 4],
        "packets": [3, 1, 4],
        "hosts": [2, 1, 3],
        "ports": [2, 1, 3],
        "dark_addresses": [2, 1, 1],
        "backscatter": [1, 0, 0],
        "duplicates": [0, 0, 1],
        "new_hosts": [2, 0, 1],
        "returning_hosts": [0, 0, 1],
        "labelled_hosts": [1, 1, 1],
        "silent_hours": [21, 23, 23],
    }
    assert list(days.index) == ["2021-12-01", "2021-12-02", "2021-12-04"]
    for column, expected in counted.items():
        assert list(days[column]) == expected, column
    np.testing.assert_allclose(days["labelled_share"], [1 / 2, 1, 1 / 3])


def test_holes_hours_and_ports_are_named(workspace: Workspace) -> None:
    """The missing day, the hours with packets, and the busiest port with its days."""
    health = measure_health(workspace, ALL)
    assert health.missing == ("2021-12-03",)
    assert not health.is_synthetic
    busy = health.hours[health.hours["packets"] > 0]
    assert list(zip(busy["bin"], busy["hour"], busy["packets"], strict=True)) == [
        ("2021-12-01", 0, 1),
        ("2021-12-01", 1, 1),
        ("2021-12-01", 2, 2),
        ("2021-12-02", 0, 1),
        ("2021-12-04", 0, 4),
    ]
    assert health.top_ports.iloc[0].to_dict() == {"port": 22, "packets": 4, "hosts": 2, "bins": 3}
    assert list(health.dropped.itertuples(index=False)) == [("2021-12-01", "backscatter", 1)]


def test_table2_counts_hosts_true_ports_and_packets(workspace: Workspace) -> None:
    """Totals over days and averages a day, by label, unknown, and all."""
    rows = {row["label"]: row for row in table2(workspace, ALL).to_dict("records")}
    assert list(rows) == ["censys", "unknown", "total"]
    assert [rows["censys"][name] for name in ("hosts", "ports", "packets")] == [1, 2, 4]
    assert [rows["unknown"][name] for name in ("hosts", "ports", "packets")] == [2, 3, 4]
    assert [rows["total"][name] for name in ("hosts", "ports", "packets")] == [3, 4, 8]
    np.testing.assert_allclose(
        [rows["total"][f"{name}_a_day"] for name in ("hosts", "ports", "packets")],
        [6 / 3, 6 / 3, 8 / 3],
    )
    np.testing.assert_allclose(rows["unknown"]["hosts_a_day"], (1 + 0 + 2) / 3)


def test_true_ports_count_beyond_the_port_filter(workspace: Workspace) -> None:
    """With one port node the others still count in Table 2."""
    one = SnapshotConfig(min_packets=1, max_ports=1)
    ingest(workspace, [], config=one)
    assert table2(workspace, one).set_index("label").loc["total", "ports"] == 4


def test_an_unknown_port_is_no_port(tmp_path: Path) -> None:
    """Packets that do not tell their port are counted as such, and as no port in Table 2."""
    rows = ["ts,src_ip,dst_port,proto", f"{FIRST_DAY_S},{ANN},22,6"]
    rows += [f"{FIRST_DAY_S + n},{BOB},,6" for n in range(1, 4)]
    trace = tmp_path / "a.csv"
    trace.write_text("\n".join(rows) + "\n", encoding="utf-8")
    made = open_workspace(tmp_path / "w")
    made.set_snapshot_config(ALL)
    ingest(made, [trace])
    (day,) = measure_health(made, ALL).days.to_dict("records")
    assert (day["packets"], day["no_port"], day["ports"]) == (4, 3, 1)
    total = table2(made, ALL).set_index("label").loc["total"]
    assert (total["hosts"], total["ports"], total["packets"]) == (2, 1, 4)
    assert total["ports_a_day"] == 1


def test_an_empty_workspace_gives_empty_tables(tmp_path: Path) -> None:
    """Nothing loaded: no rows, no hosts, nothing missing, no error."""
    empty = open_workspace(tmp_path / "w")
    health = measure_health(empty, ALL)
    assert health.days.empty
    assert health.missing == ()
    assert table2(empty, ALL).empty
    assert all_hosts(empty, ALL).tolist() == []


def test_known_scanners_are_told_apart(workspace: Workspace) -> None:
    """Censys is a known scanner: its packets of a day, and the hosts a day without it."""
    assert known_share(workspace, ALL, "2021-12-01") == KnownShare(1, 2, 3)
    assert known_share(workspace, ALL, "2021-12-02").share == 1.0
    assert known_share(workspace, ALL, "2021-12-04") == KnownShare(1, 1, 4)
    without = hosts_without_known(workspace, ALL).set_index("bin")
    assert list(without["hosts"]) == [1, 0, 2]
    assert list(without["new_hosts"]) == [1, 0, 1]
    assert list(without["returning_hosts"]) == [0, 0, 1]
    assert list(without["labelled_share"]) == [0, 0, 0]
