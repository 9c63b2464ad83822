"""What sets hosts apart, searching, facts of a day: planted groups and plain loops."""

from itertools import product
from pathlib import Path

import numpy as np
import pytest

from darkgnn_core.maps.facts import FEATURES, DayFacts, ranked, read_facts
from darkgnn_core.maps.projecting import directions
from darkgnn_core.maps.searching import pasted, search
from darkgnn_core.maps.telling import (
    closeness,
    features_apart,
    first_seen_table,
    labels_apart,
    ports_apart,
)
from darkgnn_core.neighbours import nearest
from tests.app_workspaces import DAYS, filled_workspace

NAMES = ("unknown", "mirai", "censys")


def made_facts(pairs: list[tuple[int, int, int]], hosts: int = 40) -> DayFacts:
    """Return a day of hosts 192.0.2.0 on, from (place of host, port, packets)."""
    rows = np.array(pairs, np.int64).reshape(-1, 3)
    packets = np.bincount(rows[:, 0], weights=rows[:, 2], minlength=hosts).astype(np.int64)
    return DayFacts(
        key="2021-12-04",
        hosts=np.uint32(0xC0000200) + np.arange(hosts, dtype=np.uint32),
        packets=packets,
        features=np.full((hosts, len(FEATURES)), np.nan, np.float32),
        pair_host=rows[:, 0],
        pair_port=rows[:, 1].astype(np.int32),
        pair_packets=rows[:, 2],
        first_seen=np.arange(hosts) % 3,
        bins=DAYS,
    )


def planted() -> tuple[DayFacts, np.ndarray]:
    """Forty hosts send to 23; the first ten also to 37215, one of them to 9999; four others too."""
    pairs = [(host, 23, 5) for host in range(40)]
    pairs += [(host, 37215, 2) for host in (*range(10), 20, 21, 22, 23)]
    pairs += [(3, 9999, 1)]
    selected = np.zeros(40, bool)
    selected[:10] = True
    return made_facts(pairs), selected


def test_the_planted_port_comes_first() -> None:
    """All of ten hosts and four of thirty others: lift 40/14, before a port of a single host."""
    table = ports_apart(*planted()).set_index("port")
    assert table.index.tolist() == [37215, 9999, 23]
    assert table.loc[37215, "lift"] == pytest.approx(40 / 14)
    assert table.loc[37215, ["hosts", "packets"]].tolist() == [10, 20]
    assert table.loc[23, ["share", "day_share", "lift", "weight"]].tolist() == [1, 1, 1, 0]
    assert table.loc[9999, "share"] == pytest.approx(0.1)


def test_a_port_they_avoid_has_a_negative_weight() -> None:
    """Fewer hosts than expected: it comes last, with a lift below one."""
    facts = made_facts([(host, 80, 1) for host in range(1, 40)] + [(0, 22, 1), (1, 22, 1)])
    selected = np.zeros(40, bool)
    selected[:2] = True
    last = ports_apart(facts, selected).iloc[-1]
    assert last["port"] == 80
    assert last["weight"] < 0
    assert last["lift"] < 1


def test_a_port_that_is_not_told_and_no_selection() -> None:
    """Port -1 is kept as such; nothing selected gives no row."""
    facts = made_facts([(0, -1, 3), (1, 65535, 3)])
    everyone = np.ones(40, bool)
    assert sorted(ports_apart(facts, everyone)["port"]) == [-1, 65535]
    assert ports_apart(facts, ~everyone).empty


def test_effects_are_shares_of_won_comparisons() -> None:
    """Cliff's delta by comparing every host inside with every host outside; NaN left out."""
    draw = np.random.default_rng(1)
    features = draw.integers(0, 6, (50, 4)).astype(np.float32)
    features[draw.random((50, 4)) < 0.2] = np.nan
    features[:, 3] = np.nan
    selected = draw.random(50) < 0.3
    names = ("a", "b", "c", "d")
    table = features_apart(names, features, ranked(features), selected)
    assert sorted(table["feature"]) == ["a", "b", "c"]
    for row in table.itertuples():
        values = features[:, names.index(row.feature)]
        inside, outside = (values[mask & ~np.isnan(values)] for mask in (selected, ~selected))
        won = [np.sign(one - other) for one, other in product(inside, outside)]
        assert row.effect == pytest.approx(float(np.mean(won)), abs=1e-6)
        assert row.median == np.median(inside)
    assert table["effect"].abs().is_monotonic_decreasing


def test_a_planted_feature_has_effect_one() -> None:
    """Every selected host above every other one: effect 1; nothing to compare with: no row."""
    features = np.arange(20, dtype=np.float32)[:, None]
    selected = np.arange(20) >= 15
    table = features_apart(("x",), features, ranked(features), selected)
    assert table[["effect", "median", "median_others"]].to_numpy().tolist() == [[1, 17, 7]]
    assert features_apart(("x",), features, ranked(features), np.ones(20, bool)).empty


def test_labels_are_counted_against_the_day() -> None:
    """Hosts of the selection by label, of all of the day, with lift."""
    codes = np.array([1] * 6 + [0] * 30 + [2] * 4, np.int32)
    selected = np.zeros(40, bool)
    selected[[0, 1, 2, 10]] = True
    table = labels_apart(NAMES, codes, selected)
    assert table[["label", "hosts", "of"]].to_numpy().tolist() == [
        ["mirai", 3, 6], ["unknown", 1, 30],
    ]  # fmt: skip
    assert table["lift"].tolist() == [pytest.approx(5.0), pytest.approx(1 / 3)]


def test_closeness_is_the_mean_over_pairs() -> None:
    """By a loop over pairs; a planted bundle is closer than the day; one host tells nothing."""
    draw = np.random.default_rng(2)
    vectors = draw.normal(size=(60, 6)).astype(np.float32)
    vectors[:12] = 4 + draw.normal(scale=0.1, size=(12, 6))
    rows = directions(vectors)
    selected = np.arange(60) < 12
    near = nearest(vectors, None, 5).positions
    found = closeness(rows, selected, near)
    pairs = [rows[i] @ rows[j] for i in range(12) for j in range(12) if i != j]
    assert found.inside == pytest.approx(float(np.mean(pairs)), abs=1e-5)
    assert found.inside > found.day + 0.5
    assert found.kept == 1.0
    alone = closeness(rows, np.arange(60) == 30)
    assert np.isnan(alone.inside)
    assert np.isnan(alone.kept)


def test_first_seen_by_bin() -> None:
    """The latest bin first, with its share; days known count from the last bin."""
    facts, selected = planted()
    table = first_seen_table(facts, selected)
    assert table["bin"].tolist() == list(DAYS[::-1])
    assert table["hosts"].tolist() == [3, 3, 4]
    assert facts.days_known[:3].tolist() == [2, 1, 0]


@pytest.mark.parametrize(
    ("text", "places"),
    [
        ("192.0.2.7", [7]),
        ("192.0.2.0/30", [0, 1, 2, 3]),
        ("192.0.2.", list(range(40))),
        ("192.0.*", list(range(40))),
        ("10.", []),
        ("192.0.2.1, 192.0.2.3 203.0.113.9", [1, 3]),
        ("port 9999", [3]),
        (":9999", [3]),
        ("37215/tcp", [*range(10), 20, 21, 22, 23]),
        ("MIR", [0, 1]),
        ("nobody", []),
        ("99999", []),
        ("[x](http://198.51.100.1)", []),
    ],
)  # fmt: skip
def test_search_understands_what_an_analyst_types(text: str, places: list[int]) -> None:
    """Address, prefix, start of an address, several, port in three ways, part of a label."""
    codes = np.zeros(40, np.int32)
    codes[:2] = 1
    found = search(text, planted()[0], NAMES, codes)
    assert found is not None
    assert np.flatnonzero(found.mask).tolist() == places


def test_what_was_probably_meant_is_said() -> None:
    """The start of an address without its dot, IPv6, in the search and in a list."""
    facts, codes = planted()[0], np.zeros(40, np.int32)
    for text, word in (("240.0.44", "end it with a dot"), ("2001:db8::/32", "IPv6"), ("x", "")):
        found = search(text, facts, NAMES, codes)
        assert found is not None
        assert bool(found.hint) == bool(word)
        assert word in found.hint
    assert "IPv6" in pasted("192.0.2.1\n2001:db8::7", facts.hosts).hint
    assert not pasted("192.0.2.1, nonsense", facts.hosts).hint


def test_an_empty_search_finds_nothing_to_say() -> None:
    """Blanks are no search."""
    assert search("  ", planted()[0], NAMES, np.zeros(40, np.int32)) is None


def test_a_pasted_list_tells_what_is_missing_and_what_is_none() -> None:
    """Hosts of the list light up; absent ones are counted, other words quoted."""
    found = pasted("192.0.2.5\n192.0.2.5 198.51.100.1\nhello, 192.0.2.8/31", planted()[0].hosts)
    assert np.flatnonzero(found.mask).tolist() == [5, 8, 9]
    assert found.missing == 1
    assert len(found.bad) == 1


def test_facts_of_a_loaded_day(tmp_path: Path) -> None:
    """Packets, features, ports and first days of hosts, and of one that the day does not have."""
    workspace = filled_workspace(tmp_path)
    config = workspace.snapshot_config()
    stranger = np.uint32(0x01010101)
    hosts = np.array([stranger, *(0xC6336400 + np.arange(1, 25))], np.uint32)
    facts = read_facts(workspace, config, DAYS[1], hosts)
    there = facts.packets > 0
    assert there.tolist() == [False, False, *[True] * 20, *[False] * 3]
    assert np.isnan(facts.features[0]).all()
    column = FEATURES.index("packets")
    assert np.array_equal(facts.features[there, column], facts.packets[there])
    assert facts.busiest_ports[2] == 23  # host .2 is the first of the second day
    assert facts.sent_to(23).sum() == 4
    assert facts.busiest_ports[0] == -1
    seen = dict(zip(hosts.tolist(), facts.first_seen.tolist(), strict=True))
    assert seen[0xC6336400 + 5] == 0
    assert seen[0xC6336400 + 21] == 1
    assert seen[int(stranger)] == -1
    assert facts.days_known[0] == -1
