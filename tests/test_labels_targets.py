"""Addresses and prefixes read from text: reliability rows T7 and T8."""

from ipaddress import IPv4Address, ip_network
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from darkgnn_core.labels.targets import (
    BadTarget,
    Target,
    parse_target,
    prefix_text,
    prefixes_between,
    target_of,
)

HOST = int(IPv4Address("192.0.2.1"))


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", "empty"),
        ("  ", "empty"),
        ("01.02.03.004", "leading_zero"),
        ("192.0.2.01", "leading_zero"),
        ("192.0.2.256", "malformed"),
        ("192.0.2", "malformed"),
        ("3221225985", "integer"),
        ("0x1.2.3.4", "malformed"),
        ("0xC0000201", "malformed"),
        ("192.0.2.1:80", "port"),
        ("scan.example.org", "hostname"),
        ("0x1338.example.org", "hostname"),
        ("\uff11\uff19\uff12.0.2.1", "malformed"),
        ("\u0661\u0669\u0662.0.2.1", "malformed"),
        ("\u00a0192.0.2.1", "malformed"),
        ("192.0.2.1\n", "malformed"),
        ("192.0.2.0/33", "malformed"),
        ("192.0.2.0/024", "malformed"),
        ("192.0.2.0/", "malformed"),
        ("192.0.2.5/24", "host_bits"),
        ("fe80::1%eth0", "zone"),
        ("2001:db8::1", "ipv6"),
        ("2001:db8::/32", "ipv6"),
        ("::ffff:0:0/80", "ipv6"),
        ("2001:db8::/129", "malformed"),
        ("a:b", "malformed"),
    ],
)
def test_what_is_no_address_is_named(text, reason):
    """Nothing is guessed: each bad form is refused under its own name."""
    with pytest.raises(BadTarget) as caught:
        parse_target(text)
    assert caught.value.reason == reason


@pytest.mark.parametrize(
    ("text", "target"),
    [
        ("192.0.2.1", Target(HOST, HOST, 32)),
        (" 192.0.2.1\t", Target(HOST, HOST, 32)),
        ("::ffff:192.0.2.1", Target(HOST, HOST, 32)),
        ("::FFFF:C000:0201", Target(HOST, HOST, 32)),
        ("::ffff:192.0.2.0/120", Target(HOST - 1, HOST + 254, 24)),
        ("192.0.2.0/24", Target(HOST - 1, HOST + 254, 24)),
        ("0.0.0.0/0", Target(0, 2**32 - 1, 0)),
    ],
)
def test_addresses_and_prefixes_are_read(text, target):
    """Dotted addresses, prefixes and mapped IPv6 give the right interval."""
    assert parse_target(text) == target


def test_host_bits_are_masked_on_request():
    """Community lists write 192.0.2.5/24 for its /24; only they may."""
    assert parse_target("192.0.2.5/24", mask_host_bits=True) == target_of(HOST, 24)


@given(st.text(max_size=30) | st.from_regex(r"[0-9a-fx:./%]{0,24}", fullmatch=True))
def test_any_text_is_a_prefix_that_the_standard_library_reads_or_refused(text):
    """Whatever parses is what `ipaddress` reads too; whatever doesn't raises BadTarget."""
    try:
        target = parse_target(text)
    except BadTarget:
        return
    network = ip_network(text.strip(" \t"))
    if network.version == 4:
        assert (int(network[0]), int(network[-1]), network.prefixlen) == target


@given(st.integers(0, 2**32 - 1), st.integers(0, 32))
def test_writing_then_reading_a_prefix_gives_it_back(address, length):
    """`prefix_text` and `parse_target` are inverse to each other."""
    target = target_of(address, length)
    assert parse_target(prefix_text(target.first_ip, length)) == target


@given(st.integers(0, 2**32 - 1), st.integers(0, 2**32 - 1))
def test_a_range_is_covered_exactly_by_its_prefixes(one, other):
    """The prefixes of a range touch, start at its first and end at its last address."""
    first, last = sorted((one, other))
    found = prefixes_between(first, last)
    assert found[0].first_ip == first
    assert found[-1].last_ip == last
    assert all(a.last_ip + 1 == b.first_ip for a, b in pairwise(found))
    assert len(found) <= 62
