"""What a protocol predicts for the hosts of one day, and how neighbours vote."""

from dataclasses import dataclass
from typing import Literal, TypeAlias, get_args

import numpy as np
import numpy.typing as npt

from darkgnn_core.errors import ConfigError
from darkgnn_core.labels.texts import UNKNOWN
from darkgnn_core.neighbours import METRICS, Metric

Texts: TypeAlias = npt.NDArray[np.object_]
Ints: TypeAlias = npt.NDArray[np.int64]
Floats: TypeAlias = npt.NDArray[np.float64]
Mask: TypeAlias = npt.NDArray[np.bool_]

Ties = Literal["nearest", "alphabetical"]

NOBODY = -1
"""Code of a neighbour that is not there: it has no vote."""


@dataclass(frozen=True)
class Voting:
    """How the label of a host is told by its neighbours.

    Attributes:
        k: Neighbours that vote.
        metric: What near means.
        standardise: Columns are brought to mean 0 and variance 1 over all hosts of the day.
        min_class_hosts: A class with fewer hosts on a day is unknown there.
        ties: Level votes go to the label of the `nearest` neighbour among them, or, as in the
            released code, to the `alphabetical`ly first.
        leaves_out_prefix: Hosts of the same /24 have no vote.

    Source:
        Paper, section 4; its released code takes classes of more than 10 hosts a day, and sorts
        level votes by name.
    """

    k: int = 3
    metric: Metric = "cosine"
    standardise: bool = True
    min_class_hosts: int = 11
    ties: Ties = "nearest"
    leaves_out_prefix: bool = False

    def __post_init__(self) -> None:
        """Check every setting once."""
        for name in ("k", "min_class_hosts"):
            if not 1 <= getattr(self, name) <= 1_000_000:
                found = getattr(self, name)
                message = f"{name} must be from 1 to 1,000,000, got {found}."
                raise ConfigError(message, code="EVALUATION")
        for name, allowed in (("metric", METRICS), ("ties", get_args(Ties))):
            if getattr(self, name) not in allowed:
                found = getattr(self, name)
                message = f"{name} must be one of {', '.join(allowed)}, got {found!r}."
                raise ConfigError(message, code="EVALUATION")


PAPER = Voting()
AS_RELEASED = Voting(ties="alphabetical")


@dataclass(frozen=True, eq=False)
class DayScores:
    """What was predicted on one day for m hosts, and what is true of them.

    Attributes:
        key: Name of the bin.
        protocol: Name of the protocol.
        variant: Which of the protocol's settings, such as `5 labels a class`; or empty.
        draw: Number of the random draw, 0 where nothing is drawn.
        hosts: uint32 (m,), the hosts that are scored.
        y_true: object (m,), their labels; `unknown` only where the protocol scores it.
        y_pred: object (m,), the predicted labels, `unknown` among them.
        votes: int64 (m,), neighbours that voted for the prediction.
        margin: float64 (m,), votes ahead of the second label, as a share of k.
        distance: float64 (m,), to the nearest neighbour; infinite where there is none.
        k: Neighbours that could vote.
    """

    key: str
    protocol: str
    variant: str
    draw: int
    hosts: npt.NDArray[np.uint32]
    y_true: Texts
    y_pred: Texts
    votes: Ints
    margin: Floats
    distance: Floats
    k: int

    @property
    def confidence(self) -> Floats:
        """Share of the neighbours that voted for the prediction, float64 (m,)."""
        return self.votes / self.k


@dataclass(frozen=True, eq=False)
class Votes:
    """The outcome of votes.

    Attributes:
        winner: int64 (q,), code of the label; -1 where nobody voted.
        votes: int64 (q,), for the winner.
        margin: float64 (q,), votes ahead of the second label, as a share of k.
    """

    winner: Ints
    votes: Ints
    margin: Floats


def vote(codes: Ints, ties: Ties = "nearest") -> Votes:
    """Count the votes of neighbours.

    Args:
        codes: int64 (q, k), label of each neighbour, nearest first; -1 where there is none.
            Codes ascend as their names do.
        ties: To whom level votes go.

    >>> vote(np.array([[4, 2, 9], [4, 2, 2]])).winner.tolist()
    [4, 2]
    >>> vote(np.array([[4, 2, 9]]), "alphabetical").winner.tolist()
    [2]
    """
    k = codes.shape[1]
    counts = np.zeros(codes.shape, np.int64)
    for voter in range(k):
        counts += codes == codes[:, voter, None]
    counts[codes == NOBODY] = 0
    most = counts.max(axis=1)
    if ties == "nearest":
        winner = np.take_along_axis(codes, counts.argmax(axis=1)[:, None], axis=1)[:, 0]
    else:
        none = np.iinfo(np.int64).max
        level = (counts == most[:, None]) & (codes != NOBODY)
        winner = np.where(level, codes, none).min(axis=1)
        winner[winner == none] = NOBODY
    second = np.where(codes == winner[:, None], 0, counts).max(axis=1)
    return Votes(winner, most, (most - second) / k)


def without_small_classes(labels: Texts, min_class_hosts: int) -> Texts:
    """Return labels in which classes of fewer hosts are unknown, object (n,).

    >>> without_small_classes(np.array(["a", "a", "b"], object), 2).tolist()
    ['a', 'a', 'unknown']
    """
    _, codes = coded(labels)
    is_large = np.bincount(codes) >= min_class_hosts
    kept: Texts = np.where(is_large[codes], labels, UNKNOWN).astype(object)
    return kept


def coded(labels: Texts) -> tuple[Texts, Ints]:
    """Return the names there are, ascending, and the place of each label among them.

    Told by hash, in a tenth of the time that sorting 100,000 texts takes.

    >>> [each.tolist() for each in coded(np.array(["b", "a", "b"], object))]
    [['a', 'b'], [1, 0, 1]]
    """
    each = labels.tolist()
    names = sorted(set(each))
    place = {name: code for code, name in enumerate(names)}
    codes = np.fromiter(map(place.__getitem__, each), np.int64, len(each))
    return np.array(names, object), codes


def named(names: Texts, codes: Ints) -> Texts:
    """Return labels for codes, object; `unknown` for -1."""
    return np.append(names, UNKNOWN).astype(object)[codes]


def prefixes_of(hosts: npt.NDArray[np.uint32]) -> Ints:
    """Return the /24 of each address, int64: the address without its last byte.

    >>> prefixes_of(np.array([0xC0000201, 0xC00002FF], np.uint32)).tolist()
    [12582914, 12582914]
    """
    return (hosts >> np.uint32(8)).astype(np.int64)
