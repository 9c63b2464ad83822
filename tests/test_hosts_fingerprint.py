"""What sends the packets, told from headers: known tools, systems, and nothing recognised."""

import math
from typing import Any

import pytest

from darkgnn_core.demo.stacks import STACKS, Stack
from darkgnn_core.hosts.fingerprint import (
    compared_traits,
    fingerprint_of,
    is_same_fingerprint,
)

PLAIN: dict[str, Any] = {
    "ttl_common": 50,
    "ttl_common_share": 1.0,
    "initial_ttl": 64,
    "hops": 14,
    "window_common": 1_000,
    "window_common_share": 1.0,
    "length_common": 40,
    "length_common_share": 1.0,
    "zmap_share": 0.0,
    "masscan_share": 0.0,
    "mirai_share": 0.0,
    "mss_share": 0.0,
    "ts_option_share": 0.0,
    "mss_max": 0.0,
    "source_ports": 12,
}


def names(**changes: Any) -> list[tuple[str, str]]:
    """Return tools and how sure they are, of a plain host with changes."""
    return [(tool.name, tool.strength) for tool in fingerprint_of(PLAIN | changes).tools]


def row_of(stack: Stack) -> dict[str, Any]:
    """Return the columns of a host that sends with a stack of the demo."""
    marks = {1: "zmap_share", 2: "masscan_share", 3: "mirai_share"}
    marked = {marks[stack.relation]: 1.0} if stack.relation else {}
    return (
        PLAIN
        | {
            "initial_ttl": stack.ttl,
            "window_common": (stack.windows or (1_000,))[0],
            "length_common": stack.lengths[0],
            "mss_share": float(stack.mss[0] > 0),
            "mss_max": float(stack.mss[0]),
            "ts_option_share": float(stack.sends_timestamps),
        }
        | marked
    )


@pytest.mark.parametrize(
    ("stack", "words"),
    [
        ("linux", "perhaps Linux"),
        ("windows", "perhaps Windows"),
        ("windows-old", "perhaps Windows"),
        ("zmap", "ZMap"),
        ("masscan", "masscan"),
        ("mirai", "Mirai"),
        ("mirai-like", "no tool recognised"),
        ("plain-syn", "no tool recognised"),
        ("censys", "no tool recognised"),
    ],
)
def test_the_stacks_of_the_demo_are_told(stack: str, words: str) -> None:
    """Each tool by its mark, each system by its values; a look-alike without the mark is none."""
    row = row_of(next(each for each in STACKS if each.name == stack))
    assert fingerprint_of(row).words == words


def test_every_finding_says_why() -> None:
    """The share of marked packets stands in the evidence, and what else fits the tool."""
    [zmap] = fingerprint_of(
        PLAIN | {"zmap_share": 0.97, "initial_ttl": 255, "window_common": 65_535}
    ).tools
    assert zmap.evidence[0].startswith("97% of the packets have IP id 54321")
    said = " ".join(zmap.evidence)
    assert "starts at 255" in said
    assert "65535" in said
    assert "No TCP options" in said
    [masscan] = fingerprint_of(PLAIN | {"masscan_share": 1.0, "window_common": 1_024}).tools
    assert "1024" in " ".join(masscan.evidence)


def test_a_mark_on_some_packets_is_partly() -> None:
    """Two in a hundred are told, a chance match is not; a system beside it may fit, too."""
    assert names(mirai_share=0.5) == [("Mirai", "partly")]
    assert names(mirai_share=0.019) == []
    linux = {"ts_option_share": 1.0, "mss_share": 1.0}
    assert names(mirai_share=0.5, **linux) == [("Mirai", "partly"), ("Linux", "fits")]
    assert names(mirai_share=1.0, **linux) == [("Mirai", "clear")]
    assert fingerprint_of(PLAIN | {"mirai_share": 0.5}).words == "Mirai in part"


def test_a_system_needs_all_its_values() -> None:
    """Linux without timestamps is none; Windows with them is none; nor without one clear TTL."""
    assert names(initial_ttl=64, mss_share=1.0) == []
    assert names(initial_ttl=128, mss_share=1.0, ts_option_share=1.0) == []
    assert names(initial_ttl=128, mss_share=1.0) == [("Windows", "fits")]
    assert names(initial_ttl=128, mss_share=1.0, ttl_common_share=0.3) == []


def test_a_mark_that_is_not_told_leaves_a_look() -> None:
    """Window, TTL and bare packets may fit masscan or ZMap, but only where the mark is not told."""
    bare = {"initial_ttl": 255, "window_common": 1_024, "length_common": 40}
    assert names(**bare) == []
    assert names(**bare, masscan_share=None) == [("masscan", "fits")]
    assert names(**(bare | {"window_common": 65_535}), zmap_share=None) == [("ZMap", "fits")]
    assert names(**bare, masscan_share=None, mss_share=1.0) == []
    assert names(**(bare | {"length_common": 44}), masscan_share=None) == []
    [look] = fingerprint_of(PLAIN | bare | {"masscan_share": None}).tools
    assert "not told" in look.evidence[-1]


def test_doubts_are_told() -> None:
    """Many TTLs, and marks of two tools."""
    assert len(fingerprint_of(PLAIN).doubts) == 0
    [many] = fingerprint_of(PLAIN | {"ttl_common_share": 0.2}).doubts
    assert "20%" in many
    [two] = fingerprint_of(PLAIN | {"zmap_share": 0.5, "mirai_share": 0.5}).doubts
    assert "ZMap and Mirai" in two


def test_what_the_trace_does_not_tell_is_said() -> None:
    """Missing, None and NaN are all not told, and conclude nothing."""
    empty = fingerprint_of({})
    assert empty.words == "no tool recognised"
    assert empty.traits == ()
    assert len(empty.untold) == 7
    without = fingerprint_of(PLAIN | {"zmap_share": math.nan, "masscan_share": None})
    assert len(without.untold) == 2
    assert not any("ZMap" in what for what, _ in without.traits)


def test_traits_are_in_words() -> None:
    """Every field that is told has a line."""
    traits = dict(fingerprint_of(PLAIN | {"mss_share": 1.0, "mss_max": 1460.0}).traits)
    assert traits["TTL at the start"] == "64"
    assert traits["Hops to the sensor, about"] == "14"
    assert traits["Window, most frequent"] == "1000 in 100% of the packets"
    assert traits["Largest MSS"] == "1460"
    assert traits["Mark of ZMap"] == "0% of the packets"


def test_two_hosts_are_compared_field_by_field() -> None:
    """Hops may differ by one; shares are alike on the same level; untold fields are left out."""
    same = compared_traits(PLAIN, PLAIN | {"hops": 15, "mirai_share": 0.01})
    assert bool(same["is_same"].all())
    assert is_same_fingerprint(same) is True
    moved = compared_traits(PLAIN, PLAIN | {"hops": 20})
    assert moved.loc[~moved["is_same"], "trait"].tolist() == ["Hops to the sensor"]
    assert is_same_fingerprint(moved) is True
    other = compared_traits(PLAIN, PLAIN | {"window_common": 5, "zmap_share": 0.5})
    assert other.loc[~other["is_same"], "trait"].tolist() == ["Window", "Mark of ZMap"]
    assert is_same_fingerprint(other) is False
    few = compared_traits(PLAIN, {"initial_ttl": 64, "hops": 14, "window_common": 1_000})
    assert len(few) == 3
    assert is_same_fingerprint(few) is None
