"""Why two hosts are alike, against hand-made answers and brute force."""

import math
from ipaddress import IPv4Address

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from darkgnn_core.hosts.evidence import (
    evidence_of,
    is_same_prefix,
    likeness,
    shared_ports,
    volume_likeness,
)
from darkgnn_core.hosts.reading import PortTable, port_table

FIRST, SECOND, TWIN = (
    int(IPv4Address(each)) for each in ("192.0.2.1", "198.51.100.1", "192.0.2.77")
)


def table_of(asked: dict[int, dict[int, int]]) -> PortTable:
    """Return who asked for which port, from packets by host and port."""
    rows = [(host, port, n) for host in sorted(asked) for port, n in sorted(asked[host].items())]
    hosts, ports, packets = (np.array(column) for column in zip(*rows, strict=True))
    return port_table(hosts.astype(np.uint32), ports.astype(np.int32), packets.astype(np.int64))


def test_shared_ports_with_their_lift() -> None:
    """Of ten other hosts one asks for 7547 and all for 23: lifts of 10 and 1."""
    asked = {FIRST: {23: 4, 7547: 6, 80: 1}, SECOND: {23: 8, 7547: 1, 22: 9}}
    asked |= {SECOND + number: {23: 1} for number in range(1, 10)}
    found = shared_ports(table_of(asked), FIRST, SECOND)
    assert found.ports["port"].tolist() == [7547, 23]
    assert found.ports["lift"].tolist() == [10.0, 1.0]
    assert found.ports["base_rate"].tolist() == [0.1, 1.0]
    assert found.ports["hosts"].tolist() == [2, 11]
    assert found.ports["packets"].tolist() == [6, 4]
    assert found.ports["neighbour_packets"].tolist() == [1, 8]
    assert (found.count, found.of_host, found.of_neighbour) == (2, 3, 3)
    assert found.expected == pytest.approx(1.1)
    assert found.lift == pytest.approx(2 / 1.1)
    assert found.jaccard == 0.5
    ours, theirs = np.array([4, 6, 1, 0]), np.array([8, 1, 0, 9])
    expected = ours @ theirs / np.linalg.norm(ours) / np.linalg.norm(theirs)
    assert found.cosine == pytest.approx(expected)


def test_nothing_shared() -> None:
    """No port in common: no lift, no likeness."""
    found = shared_ports(table_of({FIRST: {23: 1}, SECOND: {80: 1}}), FIRST, SECOND)
    assert (found.count, found.jaccard, found.cosine) == (0, 0.0, 0.0)
    assert math.isnan(found.lift)
    assert found.ports.empty


def test_ports_that_are_not_told_are_not_shared() -> None:
    """Two hosts without a port have nothing in common by that."""
    found = shared_ports(table_of({FIRST: {-1: 5}, SECOND: {-1: 5}}), FIRST, SECOND)
    assert found.count == 0
    assert math.isnan(found.jaccard)
    assert math.isnan(found.cosine)


ASKED = st.dictionaries(
    st.integers(1, 8),
    st.dictionaries(st.integers(0, 5), st.integers(1, 9), min_size=1),
    min_size=2,
)


@given(ASKED)
def test_shared_ports_are_those_of_a_loop(asked: dict[int, dict[int, int]]) -> None:
    """Ports, base rates and expectation as counted one by one."""
    first, second = sorted(asked)[:2]
    found = shared_ports(table_of(asked), first, second)
    both = set(asked[first]) & set(asked[second])
    assert set(found.ports["port"]) == both
    others = [host for host in asked if host != first]
    rates = {port: sum(port in asked[host] for host in others) / len(others)
             for port in asked[first]}  # fmt: skip
    for row in found.ports.itertuples():
        assert row.base_rate == pytest.approx(rates[row.port])
        assert row.lift == pytest.approx(1 / rates[row.port])
    assert found.expected == pytest.approx(sum(rates.values()))


def test_likeness_and_volume() -> None:
    """The same rhythm is alike whatever the volume; nothing sent is not told."""
    assert likeness(np.array([1.0, 2.0]), np.array([10.0, 20.0])) == pytest.approx(1.0)
    assert likeness(np.array([1.0, 0.0]), np.array([0.0, 1.0])) == 0.0
    assert math.isnan(likeness(np.zeros(2), np.ones(2)))
    assert volume_likeness(10, 40) == volume_likeness(40, 10) == 0.25
    assert math.isnan(volume_likeness(math.nan, 4)) or math.isnan(volume_likeness(0, 0))


def test_the_same_network() -> None:
    """Addresses that differ in the last byte only."""
    assert is_same_prefix(FIRST, TWIN)
    assert not is_same_prefix(FIRST, SECOND)


def test_a_card_puts_it_together() -> None:
    """Each part is that of the two hosts, found by their addresses."""
    rows = pd.DataFrame(
        {
            "host": np.array([FIRST, TWIN, SECOND], np.uint32),
            "packets": [10, 90, 40],
            "initial_ttl": [64, 255, 64],
            "hops": [9, 9, 10],
            "window_common": [1_024, 5, 1_024],
            "length_common": [40, 44, 40],
            "size": [1.0, 2.0, 3.0],
        }
    )
    ports = table_of({FIRST: {23: 10}, TWIN: {80: 90}, SECOND: {23: 40}})
    hours = (np.array([1.0, 1.0]), np.array([2.0, 2.0]))
    card = evidence_of(FIRST, SECOND, rows=rows, features=("size",), ports=ports, hours=hours)
    assert card.packets == (10.0, 40.0)
    assert card.volume == 0.25
    assert card.timing == pytest.approx(1.0)
    assert card.is_same_fingerprint is True
    assert not card.is_same_prefix
    assert card.shared.count == 1
    assert card.gaps["host"].tolist() == [1.0]
    assert card.gaps["neighbour"].tolist() == [3.0]
    twin = evidence_of(FIRST, TWIN, rows=rows, features=("size",), ports=ports, hours=None)
    assert math.isnan(twin.timing)
    assert twin.is_same_fingerprint is False
    assert twin.is_same_prefix
    assert twin.shared.count == 0
