"""Telling classes where most hosts are of none that is known: all hosts of a day are predicted.

A host far from every labelled one is told `unknown`. How far is learned from the days before, never
from the day that is scored. An unknown host told a class is an alarm; some alarms are right,
since nobody knows what the host is.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from darkgnn_core.evaluation.labelled_days import LabelledDay
from darkgnn_core.evaluation.predictions import (
    DayScores,
    Floats,
    Ints,
    Mask,
    Texts,
    Voting,
    coded,
    named,
    prefixes_of,
    vote,
)
from darkgnn_core.labels.texts import UNKNOWN
from darkgnn_core.neighbours import MISSING, Neighbours, nearest_in, nearest_to, prepare

NAME = "open_set"
ACCEPTED = 0.95
"""Share of labelled hosts that the distance for abstaining lets through."""

CALIBRATION_DAYS = 7
"""Days before the scored one that tell the distance for abstaining."""


@dataclass(frozen=True, eq=False)
class OpenSetDay:
    """What was told of all hosts of a day.

    Attributes:
        scores: Predictions for every host; `distance` is that to the nearest labelled host.
        threshold: A host farther than that from every labelled one is told `unknown`; infinite on
            a first day, which has none before it.
        unknown_hosts: Hosts without a label, or of a class too small.
        alarms: Of these, how many were told a class.
        abstained: Labelled hosts told `unknown`.
        left_out: One row a class, held out in turn: `label`, `hosts`, `auroc` (how well distance
            tells its hosts from labelled hosts of other classes; 0.5 is chance) and
            `fpr_at_95_tpr` (share of its hosts taken for known where 95 % of the known are).
    """

    scores: DayScores
    threshold: float
    unknown_hosts: int
    alarms: int
    abstained: int
    left_out: pd.DataFrame


def open_set(days: Sequence[LabelledDay], voting: Voting, seed: int = 0) -> list[DayScores]:
    """Predict every host of the last day by its labelled neighbours; as `open_set_day`."""
    return [_told(days, voting)[0]]


def open_set_day(days: Sequence[LabelledDay], voting: Voting) -> OpenSetDay:
    """Predict every host of the last day, and hold each class out in turn.

    Args:
        days: In time order; the last one is scored, those just before tell how far is too far.
        voting: How labelled neighbours vote; the others have no vote.

    Source:
        AUROC and FPR at 95 % TPR as Hendrycks and Gimpel, ICLR 2017, and Liang et al., ICLR 2018;
        holding out a class in turn is ours.
    """
    scores, threshold = _told(days, voting)
    is_unknown = scores.y_true == UNKNOWN
    told_unknown = scores.y_pred == UNKNOWN
    labels = days[-1].classes(voting)
    return OpenSetDay(
        scores=scores,
        threshold=threshold,
        unknown_hosts=int(is_unknown.sum()),
        alarms=int((is_unknown & ~told_unknown).sum()),
        abstained=int((~is_unknown & told_unknown).sum()),
        left_out=_held_out(days[-1], labels, voting),
    )


def _told(days: Sequence[LabelledDay], voting: Voting) -> tuple[DayScores, float]:
    day = days[-1]
    labels = day.classes(voting)
    near, known = _near_known(day, labels != UNKNOWN, voting)
    names, codes = coded(labels[known])
    outcome = vote(np.append(codes, MISSING)[near.positions], voting.ties)
    threshold = _threshold(days[:-1][-CALIBRATION_DAYS:], voting)
    told = named(names, outcome.winner)
    told[near.distances[:, 0] > threshold] = UNKNOWN
    scores = DayScores(
        key=day.key,
        protocol=NAME,
        variant="",
        draw=0,
        hosts=day.embedding.hosts,
        y_true=labels,
        y_pred=told,
        votes=outcome.votes,
        margin=outcome.margin,
        distance=near.distances[:, 0],
        k=voting.k,
    )
    return scores, threshold


def _near_known(day: LabelledDay, is_known: Mask, voting: Voting) -> tuple[Neighbours, Ints]:
    """Return every host's nearest labelled hosts, itself left out, and where those stand."""
    known, others = np.flatnonzero(is_known), np.flatnonzero(~is_known)
    rows = day.rows(voting)
    prefixes = prefixes_of(day.embedding.hosts) if voting.leaves_out_prefix else None
    groups, own = (None, None) if prefixes is None else (prefixes[known], prefixes[others])
    space = prepare(rows[known], metric=voting.metric, standardise=False, groups=groups)
    inside = nearest_in(space, None, voting.k)
    outside = nearest_to(space, rows[others], voting.k, groups=own)
    back = np.argsort(np.concatenate([known, others]), kind="stable")
    positions = np.concatenate([inside.positions, outside.positions])[back]
    return Neighbours(positions, np.concatenate([inside.distances, outside.distances])[back]), known


def _threshold(days: Sequence[LabelledDay], voting: Voting) -> float:
    """Return the distance within which most labelled hosts of these days have a labelled one."""
    seen = [np.empty(0)]
    for day in days:
        space = prepare(day.labelled_rows(voting), metric=voting.metric, standardise=False)
        seen.append(nearest_in(space, None, 1).distances[:, 0])
    distances = np.concatenate(seen)
    distances = distances[np.isfinite(distances)]
    return float(np.quantile(distances, ACCEPTED)) if len(distances) else float("inf")


def _held_out(day: LabelledDay, labels: Texts, voting: Voting) -> pd.DataFrame:
    names = [name for name in np.unique(labels) if name != UNKNOWN]
    rows = []
    for name in names if len(names) > 1 else []:
        is_known = (labels != UNKNOWN) & (labels != name)
        near, _ = _near_known(day, is_known, voting)
        novel = near.distances[labels == name, 0]
        known = near.distances[is_known, 0]
        accepted = float((novel <= np.quantile(known, ACCEPTED)).mean())
        rows.append(
            {
                "label": name,
                "hosts": len(novel),
                "auroc": auroc(known, novel),
                "fpr_at_95_tpr": accepted,
            }
        )
    return pd.DataFrame(rows, columns=["label", "hosts", "auroc", "fpr_at_95_tpr"])


def auroc(low: Floats, high: Floats) -> float:
    """Return how often a value of `high` is above one of `low`; level ones count half.

    >>> auroc(np.array([1.0, 2.0]), np.array([2.0, 3.0]))
    0.875
    """
    ordered = np.sort(low)
    below = np.searchsorted(ordered, high, "left")
    level = np.searchsorted(ordered, high, "right") - below
    return float((below + level / 2).sum() / (len(low) * len(high)))
