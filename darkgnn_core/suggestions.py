"""Labels suggested for unlabelled hosts by the nearest labelled ones, or none, with the reason."""

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from darkgnn_core.embeddings import Embedding
from darkgnn_core.errors import ConfigError
from darkgnn_core.evaluation.predictions import (
    Floats,
    Ints,
    Texts,
    coded,
    named,
    prefixes_of,
    vote,
)
from darkgnn_core.labels.texts import UNKNOWN
from darkgnn_core.neighbours import (
    METRICS,
    MISSING,
    Float32s,
    Metric,
    Neighbours,
    Space,
    nearest_in,
    nearest_to,
    prepare,
    standardised,
)

FEW = 10
"""A class of fewer labelled hosts has no limit of its own; that of all classes together counts."""

BLOCK = 2_048
"""Hosts looked at before progress is told."""

Told = Callable[[int, int], None]

DISAGREE = "its neighbours disagree"
TOO_FAR = "too far from any labelled host"
NOBODY_NEAR = "no labelled host may vote"
REJECTED = "rejected before"


@dataclass(frozen=True)
class SuggestionSettings:
    """When a label is suggested.

    Attributes:
        k: Nearest labelled hosts that vote.
        least_share: Share of the k that must vote for the label.
        metric: What near means.
        reach: A host farther from its label than this share of that label's own hosts are from
            each other is too far.
        leaves_out_prefix: Hosts of the same /24 have no vote: alike by address is not alike.

    Source:
        Paper, section 4 (votes of nearest neighbours); abstaining is ours, with the share of
        accepted hosts that open-set detection reports (95 %).
    """

    k: int = 7
    least_share: float = 0.6
    metric: Metric = "cosine"
    reach: float = 0.95
    leaves_out_prefix: bool = False

    def __post_init__(self) -> None:
        """Check every setting once."""
        if not 1 <= self.k <= 1_000:
            raise ConfigError(f"k must be from 1 to 1,000, got {self.k}.", code="SUGGESTIONS")
        for name in ("least_share", "reach"):
            if not 0 <= getattr(self, name) <= 1:
                message = f"{name} must be from 0 to 1, got {getattr(self, name)}."
                raise ConfigError(message, code="SUGGESTIONS")
        if self.metric not in METRICS:
            message = f"the metric must be one of {', '.join(METRICS)}, got {self.metric!r}."
            raise ConfigError(message, code="SUGGESTIONS")


@dataclass(frozen=True, eq=False)
class Suggestions:
    """What is suggested for q unlabelled hosts; strongest first, equal ones by address.

    Attributes:
        hosts: uint32 (q,).
        labels: object (q,), the label suggested; `unknown` where abstained.
        told: object (q,), what the votes say, abstained or not; `unknown` where nobody voted.
        why: object (q,), why abstained; empty where not.
        votes: int64 (q,), for `told`.
        by_hand: int64 (q,), how many of these are of hosts whose label was given by hand.
        k: Hosts that could vote.
        distance: float64 (q,), to the nearest voter for `told`; infinite where there is none.
        limit: float64 (q,), the distance beyond which it is too far.
        voters: uint32 (q, k), who voted, nearest first; 0 where there are fewer.
        known: Labelled hosts of the day that could vote.
    """

    hosts: npt.NDArray[np.uint32]
    labels: Texts
    told: Texts
    why: Texts
    votes: Ints
    by_hand: Ints
    k: int
    distance: Floats
    limit: Floats
    voters: npt.NDArray[np.uint32]
    known: int

    @property
    def share(self) -> Floats:
        """Share of the k that voted for `told`, float64 (q,): how sure the votes are."""
        return self.votes / self.k

    @property
    def is_suggested(self) -> npt.NDArray[np.bool_]:
        """Whether a label is suggested, bool (q,)."""
        return np.asarray(self.labels != UNKNOWN, np.bool_)


def suggest(
    embedding: Embedding,
    labels: Texts,
    *,
    settings: SuggestionSettings = SuggestionSettings(),
    hosts: npt.NDArray[np.uint32] | None = None,
    given: npt.NDArray[np.bool_] | None = None,
    rejected: frozenset[tuple[int, str]] = frozenset(),
    told: Told | None = None,
) -> Suggestions:
    """Suggest labels for unlabelled hosts of a day by their nearest labelled hosts.

    Vectors are standardised over all hosts of the day. Exact neighbours; level votes go to the
    label of the nearest voter.

    Args:
        embedding: The day, n hosts.
        labels: object (n,), `unknown` for a host without one.
        settings: When a label is suggested.
        hosts: Only these, uint32; those without an embedding or with a label are left out. None
            for all.
        given: bool (n,), whose label was given by hand; None for nobody's.
        rejected: Pairs of address and label that an analyst has turned down.
        told: Called with how many hosts are done and how many there are; raising in it stops.
    """
    rows = standardised(embedding.vectors)
    known = np.flatnonzero(labels != UNKNOWN)
    asked = _asked(embedding.hosts, labels, hosts)
    prefixes = prefixes_of(embedding.hosts) if settings.leaves_out_prefix else None
    groups, own = (None, None) if prefixes is None else (prefixes[known], prefixes[asked])
    space = prepare(rows[known], metric=settings.metric, standardise=False, groups=groups)
    names, codes = coded(labels[known])
    progress = _Progress(told, len(asked) + len(known))
    near = _near(space, rows[asked], settings.k, own, progress)
    voted = np.append(codes, MISSING)[near.positions]
    outcome = vote(voted)
    winners = named(names, outcome.winner)
    is_for = voted == outcome.winner[:, None]
    is_given = np.append(np.zeros(len(known), bool) if given is None else given[known], False)
    distance = np.where(is_for, near.distances, np.inf).min(axis=1)
    distance[outcome.winner == MISSING] = np.inf
    limits = _limits(rows[known], codes, len(names), settings, progress)
    limit = np.append(limits, np.nan)[outcome.winner]
    found = Suggestions(
        hosts=embedding.hosts[asked],
        labels=winners,
        told=winners,
        why=_why(
            embedding.hosts[asked], winners, outcome.votes, distance, limit, settings, rejected
        ),
        votes=outcome.votes,
        by_hand=(is_for & is_given[near.positions]).sum(axis=1),
        k=settings.k,
        distance=distance,
        limit=limit,
        voters=np.append(embedding.hosts[known], np.uint32(0))[near.positions],
        known=len(known),
    )
    return _ordered(found)


def _asked(
    there: npt.NDArray[np.uint32], labels: Texts, hosts: npt.NDArray[np.uint32] | None
) -> Ints:
    is_asked = labels == UNKNOWN
    if hosts is not None:
        is_asked &= np.isin(there, hosts)
    return np.flatnonzero(is_asked)


class _Progress:
    """Counts hosts and tells."""

    def __init__(self, told: Told | None, total: int) -> None:
        self.told, self.total, self.done = told, total, 0

    def add(self, count: int) -> None:
        self.done += count
        if self.told is not None:
            self.told(self.done, self.total)


def _near(
    space: Space, rows: Float32s, k: int, groups: Ints | None, progress: _Progress
) -> Neighbours:
    """Return the k nearest of a space to each row, block by block."""
    positions = np.full((len(rows), k), MISSING, np.int64)
    distances = np.full((len(rows), k), np.inf)
    for start in range(0, len(rows), BLOCK):
        part = slice(start, start + BLOCK)
        found = nearest_to(space, rows[part], k, groups=None if groups is None else groups[part])
        positions[part], distances[part] = found.positions, found.distances
        progress.add(len(found.positions))
    return Neighbours(positions, distances)


def _limits(
    rows: Float32s, codes: Ints, names: int, settings: SuggestionSettings, progress: _Progress
) -> Floats:
    """Return for each label how far its hosts lie from the next of their own, at most."""
    own = np.full(len(codes), np.inf)
    for code in range(names):
        members = np.flatnonzero(codes == code)
        space = prepare(rows[members], metric=settings.metric, standardise=False)
        for start in range(0, len(members), BLOCK):
            part = np.arange(start, min(start + BLOCK, len(members)))
            own[members[part]] = nearest_in(space, part, 1).distances[:, 0]
            progress.add(len(part))
    overall = _quantile(own, settings.reach)
    counts = np.bincount(codes, minlength=names)
    return np.array(
        [
            _quantile(own[codes == code], settings.reach) if counts[code] >= FEW else overall
            for code in range(names)
        ],
        np.float64,
    )


def _quantile(distances: Floats, share: float) -> float:
    finite = distances[np.isfinite(distances)]
    return float(np.quantile(finite, share)) if len(finite) else float("inf")


def _why(
    hosts: npt.NDArray[np.uint32],
    told: Texts,
    votes: Ints,
    distance: Floats,
    limit: Floats,
    settings: SuggestionSettings,
    rejected: frozenset[tuple[int, str]],
) -> Texts:
    why = np.full(len(hosts), "", object)
    for place, pair in enumerate(zip(hosts.tolist(), told, strict=True)):
        if pair in rejected:
            why[place] = REJECTED
    why[distance > limit] = TOO_FAR
    why[votes < settings.least_share * settings.k - 1e-9] = DISAGREE
    why[told == UNKNOWN] = NOBODY_NEAR
    return why


def chosen_of(found: Suggestions, is_chosen: npt.NDArray[np.bool_] | Ints) -> Suggestions:
    """Return some of the hosts.

    Args:
        found: q hosts.
        is_chosen: bool (q,), or int64 places in the order wanted.
    """
    return replace(
        found,
        hosts=found.hosts[is_chosen],
        labels=found.labels[is_chosen],
        told=found.told[is_chosen],
        why=found.why[is_chosen],
        votes=found.votes[is_chosen],
        by_hand=found.by_hand[is_chosen],
        distance=found.distance[is_chosen],
        limit=found.limit[is_chosen],
        voters=found.voters[is_chosen],
    )


def _ordered(found: Suggestions) -> Suggestions:
    """Put suggestions before abstentions, more votes first, nearer first, then by address."""
    is_abstained = found.why != ""
    order = np.lexsort((found.hosts, found.distance, -found.votes, is_abstained))
    labels = found.told.copy()
    labels[is_abstained] = UNKNOWN
    return chosen_of(replace(found, labels=labels), order)
