"""Hosts and sets side by side, labels of a host, and what to doubt: hand-made answers."""

from ipaddress import IPv4Address
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from darkgnn_core.hosts.cautions import Doubtful, cautions_of, first_of_each
from darkgnn_core.hosts.comparing import compare, port_shares
from darkgnn_core.hosts.reading import port_table
from darkgnn_core.hosts.told import told_of
from darkgnn_core.labels.analyst import add_labels
from darkgnn_core.labels.opinions import read_claims
from darkgnn_core.labels.store import add_list
from darkgnn_core.labels.targets import parse_target
from darkgnn_core.workspace import Workspace, open_workspace

HOST = int(IPv4Address("192.0.2.1"))
A, B, C = HOST, HOST + 1, int(IPv4Address("198.51.100.1"))
PORTS = port_table(
    np.array([A, A, B, C], np.uint32),
    np.array([22, 23, 23, 80], np.int32),
    np.array([5, 1, 2, 9], np.int64),
)
ROWS = pd.DataFrame(
    {
        "host": np.array([A, B, C], np.uint32),
        "packets": [6, 2, 9],
        "true_ports": [2, 1, 1],
        "dark_addresses": [3.0, 1.0, 5.0],
        "hours": [1, 2, 3],
        "gap_p50_s": [1.0, np.nan, 4.0],
        "length_common": [40, 40, 60],
        "hops": [7, 9, np.nan],
        "mirai_share": [1.0, 1.0, 0.0],
    }
)


def test_groups_side_by_side() -> None:
    """Sums, medians, labels and tools of each group; hosts not seen are counted apart."""
    groups = {
        "pair": np.array([B, A, A], np.uint32),
        "one": np.array([C, C + 1], np.uint32),
    }
    found = compare(groups, rows=ROWS, ports=PORTS, labels={A: "mirai", B: "mirai", C: "shodan"})
    facts = found.facts.set_index("fact")
    assert facts.loc["hosts seen"].tolist() == ["2", "1"]
    assert facts.loc["labels"].tolist() == ["mirai", "shodan"]
    assert facts.loc["packets"].tolist() == ["8", "9"]
    assert facts.loc["median packets a host"].tolist() == ["4", "9"]
    assert facts.loc["median hops"].tolist() == ["8", "not told"]
    assert facts.loc["likely tool"].tolist() == ["Mirai", "no tool recognised"]
    assert facts.loc["/24 networks"].tolist() == ["1", "1"]
    assert found.absent == {"pair": 0, "one": 1}
    ports = found.ports.set_index("port")
    assert ports.loc[23, ["share_1", "share_2"]].tolist() == [1.0, 0.0]
    assert ports.loc[22, "share_1"] == 0.5
    assert ports.loc[23, "day_share"] == pytest.approx(2 / 3)
    assert found.ports["port"].tolist() == [23, 80, 22]
    [pair] = found.pairs.to_dict("records")
    assert (pair["ports_shared"], pair["ports_jaccard"], pair["ports_cosine"]) == (0, 0.0, 0.0)


def test_a_group_of_nobody_seen_is_said_so() -> None:
    """Its column has no hosts, and nothing fails."""
    groups = {"a": np.array([A], np.uint32), "none": np.empty(0, np.uint32)}
    found = compare(groups, rows=ROWS.iloc[:1], ports=PORTS, labels={})
    facts = found.facts.set_index("fact")
    assert facts.loc["hosts seen"].tolist() == ["1", "0"]
    assert facts.loc["labels", "a"] == "unknown"
    nobody = compare({"none": groups["none"]}, rows=ROWS.iloc[:0], ports=PORTS, labels={})
    assert nobody.ports.empty
    assert nobody.pairs.empty


def test_the_same_group_twice_is_the_same() -> None:
    """All ports in common."""
    both = np.array([A, B], np.uint32)
    found = compare({"x": both, "y": both}, rows=ROWS.iloc[:2], ports=PORTS, labels={})
    [pair] = found.pairs.to_dict("records")
    assert (pair["hosts_shared"], pair["ports_jaccard"]) == (2, 1.0)
    assert pair["ports_cosine"] == pytest.approx(1.0)


def test_port_shares_are_of_hosts_not_packets() -> None:
    """One of two hosts asked for 22, both for 23."""
    shares = port_shares(PORTS, np.array([A, B], np.uint32))
    assert (shares[22], shares[23], shares[80]) == (0.5, 1.0, 0.0)


@pytest.fixture
def workspace(tmp_path: Path) -> Workspace:
    """A workspace with a list that labels a prefix."""
    workspace = open_workspace(tmp_path / "w")
    with workspace.catalogue() as connection:
        add_list(connection, b"ip,label\n192.0.2.0/24,Shodan\n", name="list.csv", kind="csv")
    return workspace


def test_who_says_what_of_a_host(workspace: Workspace) -> None:
    """The winner first; a label of another day does not count."""
    with workspace.catalogue() as connection:
        add_labels(connection, [parse_target("192.0.2.1")], "Mirai", reason="seen", confidence=0.8)
        add_labels(connection, [parse_target("192.0.2.2")], "Other", day="2021-12-05")
        found = told_of(connection, read_claims(connection, day="2021-12-01"), HOST)
        assert (found.label, found.source and found.source.kind) == ("mirai", "analyst")
        assert found.claims["label"].tolist() == ["mirai", "shodan"]
        assert found.claims["wins"].tolist() == [True, False]
        assert found.claims["target"].tolist() == ["192.0.2.1", "192.0.2.0/24"]
        assert found.claims.loc[0, "evidence"] == "seen"
        assert found.claims.loc[0, "confidence"] == 0.8
        early = told_of(connection, read_claims(connection, day="2021-12-01"), HOST + 1)
        assert early.label == "shodan"
        late = told_of(connection, read_claims(connection, day="2021-12-05"), HOST + 1)
        assert late.label == "other"
        nobody = told_of(connection, read_claims(connection), C)
        assert (nobody.label, nobody.source) == ("unknown", None)
        assert nobody.claims.empty


def titles(**found: object) -> list[str]:
    """Return the titles of the cautions for a host that gives none, with changes."""
    sound: dict[str, object] = {"packets": 500.0, "ttl_share": 1.0, "backscatter": 0.0}
    return [each.title for each in cautions_of(Doubtful(HOST, **(sound | found)))]  # type: ignore[arg-type]


def test_cautions() -> None:
    """Each reason alone, and none where nothing is known or all is well."""
    assert titles() == []
    assert cautions_of(Doubtful(HOST)) == ()
    assert titles(packets=9.0) == ["Few packets"]
    assert titles(packets=float("nan")) == []
    assert titles(backscatter=0.05) == ["May be a victim, not a scanner"]
    assert titles(ttl_share=0.4) == ["The address may be forged or shared"]
    assert titles(votes={"one": "mirai", "two": "unknown"}) == ["Runs disagree"]
    assert titles(votes={"one": "mirai", "two": "mirai"}) == []
    assert titles(label="a", votes={"one": "b"}) == ["Behaves like another class"]
    for label, vote in (("a", "a"), ("unknown", "b"), ("a", "unknown")):
        assert titles(label=label, votes={"one": vote}) == []
    assert titles(opinions={"list": "a", "other": "b"}) == ["Sources disagree"]
    assert titles(twins=3) == ["Not told apart by this run"]
    near = np.array([A + 5, A + 6, C], np.uint32)
    assert titles(near=near) == ["Neighbours from its own network"]
    assert titles(near=np.array([A + 5, C, C + 1], np.uint32)) == []
    assert titles(near=np.empty(0, np.uint32)) == []
    [disagree] = cautions_of(Doubtful(HOST, votes={"one": "mirai", "two": "unknown"}))
    assert "mirai in one; unknown in two." in disagree.text


def test_what_each_said_first() -> None:
    """Later ones of the same name are left out."""
    assert first_of_each([]) == {}
    assert first_of_each([("a", "1"), ("b", "2"), ("a", "3")]) == {"a": "1", "b": "2"}
