"""What an analyst should doubt about a host before acting on it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from darkgnn_core.hosts.evidence import is_same_prefix
from darkgnn_core.hosts.reading import Hosts
from darkgnn_core.labels.texts import UNKNOWN

FEW_PACKETS = 10
"""Below so many packets on the day, features and neighbours rest on next to nothing."""

SOME_BACKSCATTER = 0.05
"""Share of answers (SYN-ACK, RST) among a host's packets from which it may be a victim."""

ONE_TTL = 0.5
"""Share of the most frequent TTL below which the address may be forged or shared."""

TWINS = 0.5
"""Share of the neighbours in the host's own /24 from which likeness may be that of a network."""


@dataclass(frozen=True)
class Caution:
    """One reason for doubt.

    Attributes:
        title: In a few words.
        text: In a sentence or two: what was found, and what it means.
    """

    title: str
    text: str


@dataclass(frozen=True)
class Doubtful:
    """What cautions are told from; None where it is not known.

    Attributes:
        packets: Of the host on the day.
        ttl_share: Share of its most frequent TTL, 0 to 1.
        backscatter: Share of its packets that are answers, 0 to 1, before any filter.
        label: Its label, `unknown` without one.
        opinions: Labels that sources give it, by name of the source.
        votes: What runs take it for, by name of the run; the one in view first.
        near: Its nearest hosts, uint32.
        host: Its address.
        twins: Other hosts of the day with exactly its vector.
    """

    host: int
    packets: float | None = None
    ttl_share: float | None = None
    backscatter: float | None = None
    label: str = UNKNOWN
    opinions: Mapping[str, str] | None = None
    votes: Mapping[str, str] | None = None
    near: Hosts | None = None
    twins: int = 0


def cautions_of(found: Doubtful) -> tuple[Caution, ...]:
    """Return the reasons for doubt, the gravest first."""
    return tuple(
        caution
        for caution in (
            _backscatter(found.backscatter),
            _ttls(found.ttl_share),
            _few_packets(found.packets),
            _label(found.label, found.votes or {}),
            _votes(found.votes or {}),
            _opinions(found.opinions or {}),
            _prefix(found.host, found.near),
            _twins(found.twins),
        )
        if caution is not None
    )


def _backscatter(share: float | None) -> Caution | None:
    if share is None or share < SOME_BACKSCATTER:
        return None
    return Caution(
        "May be a victim, not a scanner",
        f"{share:.0%} of its packets are answers (SYN-ACK or RST) to what the darknet never "
        "asked: somebody may have forged darknet addresses in an attack on this host.",
    )


def _ttls(share: float | None) -> Caution | None:
    if share is None or share >= ONE_TTL:
        return None
    return Caution(
        "The address may be forged or shared",
        f"The most frequent TTL is on {share:.0%} of its packets only. One sender on one path "
        "has one TTL; a darknet never answers, so no address in it is proven.",
    )


def _few_packets(packets: float | None) -> Caution | None:
    if packets is None or np.isnan(packets) or packets >= FEW_PACKETS:
        return None
    return Caution(
        "Few packets",
        f"Only {packets:,.0f} packets on this day: its place among others rests on little.",
    )


def _label(label: str, votes: Mapping[str, str]) -> Caution | None:
    said = next(iter(votes.values()), UNKNOWN)
    if UNKNOWN in (label, said) or label == said:
        return None
    return Caution(
        "Behaves like another class",
        f"Its label is {label}, but its neighbours in the run in view vote for {said}.",
    )


def _votes(votes: Mapping[str, str]) -> Caution | None:
    if len(set(votes.values())) < 2:
        return None
    by_label: dict[str, list[str]] = {}
    for run, label in votes.items():
        by_label.setdefault(label, []).append(run)
    said = "; ".join(f"{label} in {' and '.join(runs)}" for label, runs in by_label.items())
    return Caution("Runs disagree", f"Neighbours in different runs vote differently: {said}.")


def _opinions(opinions: Mapping[str, str]) -> Caution | None:
    if len(set(opinions.values())) < 2:
        return None
    said = "; ".join(f"{source}: {label}" for source, label in opinions.items())
    return Caution("Sources disagree", f"Labels of this host differ. {said}.")


def _prefix(host: int, near: Hosts | None) -> Caution | None:
    if near is None or not len(near):
        return None
    same = sum(is_same_prefix(host, int(each)) for each in near)
    if same / len(near) < TWINS:
        return None
    return Caution(
        "Neighbours from its own network",
        f"{same} of its {len(near)} nearest hosts lie in the same /24. Likeness by address is not "
        "likeness by behaviour: look at the ports they share.",
    )


def _twins(twins: int) -> Caution | None:
    if not twins:
        return None
    return Caution(
        "Not told apart by this run",
        f"{twins:,} other hosts have exactly the same place; which of them are called nearest is "
        "decided by address alone.",
    )


def first_of_each(said: Sequence[tuple[str, str]]) -> dict[str, str]:
    """Return what each name said first.

    >>> first_of_each([("list", "a"), ("list", "b"), ("other", "c")])
    {'list': 'a', 'other': 'c'}
    """
    found: dict[str, str] = {}
    for name, text in said:
        found.setdefault(name, text)
    return found
