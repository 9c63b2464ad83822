"""Hosts by label, port, packets and address, against counts by hand; and sets as tables."""

import csv
import io

import numpy as np
import pytest
from app_workspaces import DAYS, filled_workspace

from darkgnn_core.errors import ConfigError
from darkgnn_core.host_queries import HostQuery, find_hosts
from darkgnn_core.labels.store import add_list
from darkgnn_core.set_tables import csv_of_hosts, host_table, label_counts, labels_of
from darkgnn_core.workspace import Workspace

BASE = 0xC6336400  # 198.51.100.0
LIST = b"src_ip,label\n198.51.100.2,Acme\n198.51.100.6,=cmd()\n"


@pytest.fixture(scope="module")
def workspace(tmp_path_factory: pytest.TempPathFactory) -> Workspace:
    """Hosts .1 to .20 on day one, .2 to .21 and .4 to .23 later; host n uses port n mod 5."""
    made = filled_workspace(tmp_path_factory.mktemp("filled"))
    with made.catalogue() as connection:
        add_list(connection, LIST, name="list.csv")
    return made


def ask(workspace: Workspace, day: str = DAYS[0], **wanted: object) -> list[int]:
    """Return the last bytes of the hosts found."""
    query = HostQuery(day, **wanted)  # type: ignore[arg-type]
    return (find_hosts(workspace, workspace.snapshot_config(), query) - BASE).tolist()


def test_all_hosts_of_a_day_or_a_range(workspace: Workspace) -> None:
    """Without a wish, everybody; over a range, everybody of any of its days."""
    assert ask(workspace) == list(range(1, 21))
    assert ask(workspace, DAYS[2]) == list(range(4, 24))
    assert ask(workspace, DAYS[1], first_day=DAYS[0]) == list(range(1, 22))


def test_by_port_and_packets(workspace: Workspace) -> None:
    """Ports are those of the trace; packets add up over the range, to that port alone."""
    assert ask(workspace, port=23) == [1, 6, 11, 16]
    assert ask(workspace, port=24) == []
    assert ask(workspace, min_packets=8, max_packets=8) == list(range(1, 21))
    assert ask(workspace, min_packets=9) == []
    both = list(range(2, 21))
    assert ask(workspace, DAYS[1], first_day=DAYS[0], min_packets=9) == both
    assert ask(workspace, DAYS[1], first_day=DAYS[0], min_packets=9, port=23) == []


def test_by_label_and_address(workspace: Workspace) -> None:
    """Labels in any writing, `unknown` for none; prefixes and addresses join."""
    assert ask(workspace, label="ACME") == [2]
    assert ask(workspace, label="unknown", addresses="198.51.100.0/30, 198.51.100.9") == [1, 3, 9]
    with pytest.raises(ConfigError, match="no address or prefix"):
        ask(workspace, addresses="example.org")


def test_a_query_says_how_it_was(workspace: Workspace) -> None:
    """The recipe holds what was asked, nothing else."""
    assert HostQuery("2021-12-01", port=0).recipe() == {
        "kind": "query", "day": "2021-12-01", "port": 0,
    }  # fmt: skip


def test_hosts_are_told_with_their_labels(workspace: Workspace) -> None:
    """Label and who says so; counts by label; labels by address."""
    hosts = np.array([BASE + 2, BASE + 3], np.uint32)
    table = host_table(workspace, hosts)
    assert table.to_numpy().tolist() == [
        ["198.51.100.2", "acme", "list.csv"],
        ["198.51.100.3", "unknown", ""],
    ]
    assert label_counts(workspace, hosts)["hosts"].tolist() == [1, 1]
    assert labels_of(workspace, np.array([[BASE + 2, 0]], np.uint32)) == {BASE + 2: "acme"}
    assert host_table(workspace, hosts[:0]).empty


def test_a_csv_is_harmless(workspace: Workspace) -> None:
    """What a spreadsheet would run starts with an apostrophe; a CSV reader reads the rest back."""
    hosts = np.array([BASE + 6, BASE + 2], np.uint32)
    rows = list(csv.reader(io.StringIO(csv_of_hosts(workspace, hosts).decode())))
    assert rows == [
        ["address", "label", "source"],
        ["198.51.100.6", "'=cmd()", "list.csv"],
        ["198.51.100.2", "acme", "list.csv"],
    ]
