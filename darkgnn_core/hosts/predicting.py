"""What a run takes a host for, and whether it is near enough to anything known to be taken for it.

The vote is that of the paper's protocol: the labels of the k nearest hosts of the same day, the
host's own left out. A vote always has a winner, however far its voters are; so the distance to the
class is held against the distances that hosts of this very class have to one another.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np

from darkgnn_core.evaluation.open_set import ACCEPTED
from darkgnn_core.evaluation.predictions import (
    PAPER,
    Texts,
    Voting,
    coded,
    named,
    vote,
    without_small_classes,
)
from darkgnn_core.hosts.features import percentile
from darkgnn_core.hosts.reading import Floats, Hosts, Ints
from darkgnn_core.labels.texts import UNKNOWN
from darkgnn_core.neighbours import (
    MISSING,
    Metric,
    Neighbours,
    Space,
    nearest_in,
    nearest_to,
    prepare,
)

Verdict = Literal["like", "far", "nobody"]

DESK = replace(PAPER, min_class_hosts=3)
"""How neighbours vote at the analyst's desk: as in the paper, but three hosts make a class, so that
labels given by hand count at once; three still tell how far apart their hosts lie. Scores keep the
paper's eleven. Source: ours."""

MOST_MEMBERS = 2_000
"""Of a larger class so many hosts, evenly by address, tell how far apart its hosts are."""


@dataclass(frozen=True)
class Standing:
    """How near a host is to a class, held against the class's own distances.

    Attributes:
        label: The class.
        hosts: Its hosts on the day, the host itself left out.
        distance: To the nearest of them.
        share_nearer: Share of the class's hosts that have another one nearer than that, 0 to 1.
        limit: Distance within which `open_set.ACCEPTED` of the class's hosts have another one.
        distances: float64, of hosts of the class to the nearest other one, ascending.
    """

    label: str
    hosts: int
    distance: float
    share_nearer: float
    limit: float
    distances: Floats

    @property
    def is_far(self) -> bool:
        """Whether the host is farther away than nearly all hosts of the class are."""
        return self.distance > self.limit


@dataclass(frozen=True)
class Prediction:
    """What a run takes a host for.

    Attributes:
        label: The winner of the vote, `unknown` among them.
        votes: Its votes.
        margin: Votes ahead of the second label, as a share of k.
        k: Neighbours that could vote.
        neighbours: Labels that voted, the nearest first; `unknown` also for a class too small.
        distance: To the nearest host of any kind; infinite without one.
        standings: The class that won, if it is one, and the class of the nearest labelled host;
            each once.
    """

    label: str
    votes: int
    margin: float
    k: int
    neighbours: tuple[str, ...]
    distance: float
    standings: tuple[Standing, ...]

    @property
    def verdict(self) -> Verdict:
        """`like` a class; `far`: too far from anything known; `nobody`: nothing is known."""
        if not self.standings:
            return "nobody"
        return "far" if all(each.is_far for each in self.standings) else "like"

    @property
    def sentence(self) -> str:
        """The answer in a sentence."""
        if self.verdict == "nobody":
            return "No other host of the day has a label of a class large enough to compare with."
        near = next((each for each in self.standings if not each.is_far), self.standings[0])
        found = f"distance {near.distance:.3g}, limit {near.limit:.3g}, from {near.hosts:,} hosts"
        if self.verdict == "far":
            return (
                f"Too far from anything known: the nearest is {near.label} ({found}); "
                f"{near.share_nearer:.0%} of its own hosts lie closer together."
            )
        if self.label == UNKNOWN:
            return (
                f"Most of its neighbours have no label; of what is known {near.label} is "
                f"nearest, and within its own range ({found})."
            )
        if near.label != self.label:
            return (
                f"Its neighbours vote for {self.label}, but it is farther from that class than "
                f"the class's own hosts; it is within the range of {near.label} ({found})."
            )
        return f"Within the range of {near.label} ({found})."


def predict(
    space: Space, place: int, labels: Texts, voting: Voting, near: Neighbours | None = None
) -> Prediction:
    """Tell what a host is by its neighbours of the same day.

    Args:
        space: All n hosts of the day, as `neighbours.prepare` makes them with `voting`'s metric
            and scaling.
        place: Position of the host.
        labels: object (n,), the hosts' labels; that of the host itself is not used.
        voting: How they vote; classes smaller than it asks for are unknown, the host's own label
            counted, as in the paper's protocol.
        near: The host's nearest, at least k of them, if they are known already.

    Source:
        Paper, section 4; the distances of the class are ours, with the share that the open-set
        protocol accepts.
    """
    voters = without_small_classes(labels, voting.min_class_hosts)
    found = nearest_in(space, np.array([place]), voting.k) if near is None else near
    positions = found.positions[:1, : voting.k]
    names, codes = coded(voters)
    outcome = vote(np.append(codes, MISSING)[positions], voting.ties)
    label = str(named(names, outcome.winner)[0])
    there = positions[0][positions[0] != MISSING]
    return Prediction(
        label=label,
        votes=int(outcome.votes[0]),
        margin=float(outcome.margin[0]),
        k=voting.k,
        neighbours=tuple(str(each) for each in voters[there]),
        distance=float(found.distances[0, 0]),
        standings=_standings(space, place, voters, label),
    )


def _standings(space: Space, place: int, voters: Texts, label: str) -> tuple[Standing, ...]:
    known = np.flatnonzero(voters != UNKNOWN)
    known = known[known != place]
    if not len(known):
        return ()
    nearest_known = str(voters[known[_nearest_of(space, known, place)[0]]])
    wanted = dict.fromkeys([label, nearest_known] if label != UNKNOWN else [nearest_known])
    return tuple(
        standing(space, place, known[voters[known] == name], name)
        for name in wanted
        if (voters[known] == name).any()
    )


def _nearest_of(space: Space, members: Ints, place: int) -> tuple[int, float]:
    """Return which of some hosts is nearest to one, and how far it is."""
    host = space.rows(np.array([place])).astype(np.float32)
    near = nearest_to(_part(space, members), host, 1)
    return int(near.positions[0, 0]), float(near.distances[0, 0])


def _part(space: Space, members: Ints) -> Space:
    """Return some hosts of a space, compared as they are there."""
    rows = space.rows(members).astype(np.float32)
    return prepare(rows, metric=space.metric, standardise=False)


def standing(space: Space, place: int, members: Ints, label: str) -> Standing:
    """Hold the distance of a host to a class against the distances within the class.

    Args:
        space: All hosts of the day.
        place: Position of the host.
        members: Positions of the class's hosts, at least one, the host itself not among them.
        label: What the class is called.
    """
    part = _part(space, members)
    host = space.rows(np.array([place])).astype(np.float32)
    distance = float(nearest_to(part, host, 1).distances[0, 0])
    step = max(1, -(-len(members) // MOST_MEMBERS))
    own = nearest_in(part, np.arange(0, len(members), step), 1).distances[:, 0]
    own = np.sort(own[np.isfinite(own)])
    return Standing(
        label=label,
        hosts=len(members),
        distance=distance,
        share_nearer=percentile(distance, own) if len(own) else float("nan"),
        limit=float(np.quantile(own, ACCEPTED)) if len(own) else float("inf"),
        distances=own,
    )


@dataclass(frozen=True, eq=False)
class Nearby:
    """The nearest hosts of one host, nearest first.

    Attributes:
        hosts: uint32 (k,), addresses.
        distances: float64 (k,).
        positions: int64 (k,), among the hosts of the day.
    """

    hosts: Hosts
    distances: Floats
    positions: Ints


def nearby(space: Space, hosts: Hosts, place: int, k: int) -> Nearby:
    """Return the k nearest hosts of one host; fewer where the day has no more.

    Args:
        space: All hosts of the day.
        hosts: uint32 (n,), their addresses.
        place: Position of the host.
        k: How many.
    """
    near = nearest_in(space, np.array([place]), k)
    there = near.positions[0] != MISSING
    positions = near.positions[0][there]
    return Nearby(hosts[positions], near.distances[0][there], positions)


def place_of(hosts: Hosts, host: int) -> int | None:
    """Return where a host stands among ascending addresses; None where it is not there.

    >>> place_of(np.array([3, 8], np.uint32), 8), place_of(np.array([3, 8], np.uint32), 9)
    (1, None)
    """
    place = int(np.searchsorted(hosts, np.uint32(host)))
    return place if place < len(hosts) and hosts[place] == host else None


def ranks_from(space: Space, place: int, others: Sequence[int] | Ints) -> Ints:
    """Return how many hosts are nearer to a host than each of some others, plus one.

    Args:
        space: All n hosts of the day.
        place: Position of the host.
        others: Positions of the others; the host itself has no rank and is not among them.

    Returns:
        int64 (m,), 1 for the nearest; hosts at the same distance share the best rank.
    """
    distances = distances_from(space, place)
    own = np.delete(distances, place)
    ordered = np.sort(own)
    found: Ints = np.searchsorted(ordered, distances[np.asarray(others, np.int64)], "left") + 1
    return found


def distances_from(space: Space, place: int) -> Floats:
    """Return the distance of one host to all of its day, float64 (n,), as `neighbours.nearest`."""
    rows = space.rows(np.arange(len(space.vectors)))
    ours = rows[place]
    if space.metric == "dot":
        found: Floats = -(rows @ ours)
        return found
    if space.metric == "euclidean":
        return np.asarray(np.sqrt(((rows - ours) ** 2).sum(axis=1)))
    norms = np.sqrt(np.einsum("ij,ij->i", rows, rows))
    unit = rows / np.where(norms > 0, norms, 1.0)[:, None]
    apart = ((unit - unit[place]) ** 2).sum(axis=1) / 2
    return np.asarray(np.where((norms == 0) | (norms[place] == 0), 1.0, apart))


METRIC_WORDS: dict[Metric, str] = {
    "cosine": "Cosine: the angle between two hosts, 0 to 2",
    "euclidean": "Euclidean: how far apart they lie",
    "dot": "Dot product, turned round: smaller is nearer",
}
