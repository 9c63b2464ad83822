"""Addresses as they are typed: read, refused in words, counted."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from darkgnn_core.labels.targets import parse_target, prefix_text, target_of
from darkgnn_core.labels.typed import TYPED_CHARACTERS, count_seen, hosts_of, read_typed


def test_addresses_may_be_separated_in_any_common_way():
    """Lines, commas, semicolons, spaces; each target once, in the order typed."""
    typed = read_typed("198.51.100.9\n192.0.2.1, 192.0.2.0/30;192.0.2.1 \t\n")
    texts = [prefix_text(each.first_ip, each.prefix_len) for each in typed.targets]
    assert texts == ["198.51.100.9", "192.0.2.1", "192.0.2.0/30"]
    assert typed.bad == ()
    assert typed.addresses == 6


def test_what_is_no_address_is_told():
    """A name, host bits, IPv6 and plain text: each quoted, with what was expected."""
    typed = read_typed("example.org 192.0.2.5/24 2001:db8::1 <b>")
    assert [text for text, _ in typed.bad] == [
        "'example.org'",
        "'192.0.2.5/24'",
        "'2001:db8::1'",
        "'<b>'",
    ]
    assert all(reason.startswith("expected ") for _, reason in typed.bad)
    assert typed.targets == ()


def test_wide_prefixes_are_named():
    """/24 is not wide, /23 is."""
    typed = read_typed("192.0.2.0/24 198.51.100.0/23")
    assert typed.wide == (parse_target("198.51.100.0/23"),)


def test_an_endless_text_is_cut_and_told():
    """Nothing after the limit is read silently."""
    typed = read_typed("192.0.2.1 " + " " * TYPED_CHARACTERS + "192.0.2.2")
    assert len(typed.targets) == 1
    assert typed.bad[-1][0] == "the end of the text"


def test_hosts_seen_are_counted_once():
    """Overlapping targets do not count a host twice; no hosts, no targets: 0."""
    hosts = np.array([3221225985, 3221225990, 3325256713], np.uint32)  # 192.0.2.1, .6, 198.51.100.9
    targets = read_typed("192.0.2.0/29 192.0.2.1 203.0.113.1").targets
    assert count_seen(targets, hosts) == 2
    assert count_seen((), hosts) == 0
    assert count_seen(targets, np.empty(0, np.uint32)) == 0


@given(
    st.lists(st.tuples(st.integers(0, 2**32 - 1), st.integers(0, 32)), max_size=6),
    st.lists(st.integers(0, 2**32 - 1), max_size=20),
)
def test_counting_equals_the_loop(prefixes, addresses):
    """For any prefixes and hosts, against one comparison a pair."""
    targets = [target_of(address, length) for address, length in prefixes]
    hosts = np.unique(np.array(addresses, np.uint32))
    expected = sum(
        any(each.first_ip <= int(host) <= each.last_ip for each in targets) for host in hosts
    )
    assert count_seen(targets, hosts) == expected


@given(
    st.lists(st.tuples(st.integers(0, 255), st.integers(24, 32)), max_size=6),
    st.sets(st.integers(0, 511)),
)
def test_hosts_of_targets_are_those_inside(targets, seen):
    """As one by one: inside any of the addresses or prefixes, each once, ascending."""
    base = 0xC6336400
    hosts = np.array(sorted(base + each for each in seen), np.uint32)
    chosen = [target_of(base + address, length) for address, length in targets]
    expected = [
        host
        for host in hosts.tolist()
        if any(target.first_ip <= host <= target.last_ip for target in chosen)
    ]
    assert hosts_of(chosen, hosts).tolist() == expected
    assert count_seen(chosen, hosts) == len(expected)
