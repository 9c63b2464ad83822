"""Telling classes where most hosts are of none that is known: all hosts of a day are predicted.

A host far from every labelled one is told `unknown`. How far is learned from the days before, never
from the day that is scored. An unknown host told a class is an alarm; some alarms are right,
since nobody knows what the host is.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd

from darkgnn_core.evaluation.labelled_days import LabelledDay
from darkgnn_core.evaluation.predictions import (
    DayScores,
    Floats,
    Ints,
    Texts,
    Voting,
    coded,
    named,
    prefixes_of,
    vote,
)
from darkgnn_core.labels.texts import UNKNOWN
from darkgnn_core.neighbours import MISSING, Neighbours, nearest_in, nearest_to, prepare
from darkgnn_core.spaces import one_thread_each

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
        left_out: One row a class, held out in turn: `label`, `hosts`, `auroc` (how well distance
            tells its hosts from labelled hosts of other classes; 0.5 is chance) and
            `fpr_at_95_tpr` (share of its hosts taken for known where 95 % of the known are).
    """

    scores: DayScores
    threshold: float
    left_out: pd.DataFrame

    @property
    def unknown_hosts(self) -> int:
        """Hosts without a label, or of a class too small."""
        return int((self.scores.y_true == UNKNOWN).sum())

    @property
    def alarms(self) -> int:
        """How many of the unknown hosts were told a class."""
        is_unknown = self.scores.y_true == UNKNOWN
        return int((is_unknown & (self.scores.y_pred != UNKNOWN)).sum())

    @property
    def abstained(self) -> int:
        """How many labelled hosts were told `unknown`."""
        is_unknown = self.scores.y_true == UNKNOWN
        return int((~is_unknown & (self.scores.y_pred == UNKNOWN)).sum())


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
    labels = days[-1].classes(voting)
    return OpenSetDay(scores, threshold, left_out=_held_out(days[-1], labels, voting))


def _told(days: Sequence[LabelledDay], voting: Voting) -> tuple[DayScores, float]:
    day = days[-1]
    labels = day.classes(voting)
    near, known = _near_labelled(day, voting)
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


def _near_labelled(day: LabelledDay, voting: Voting) -> tuple[Neighbours, Ints]:
    """Return every host's nearest labelled hosts, itself left out, and where those stand."""
    known = day.labelled(voting)
    others = np.setdiff1d(np.arange(len(day.labels)), known, assume_unique=True)
    inside, outside = _near_known(day, known, others, voting)
    back = np.argsort(np.concatenate([known, others]), kind="stable")
    positions = np.concatenate([inside.positions, outside.positions])[back]
    return Neighbours(positions, np.concatenate([inside.distances, outside.distances])[back]), known


def _near_known(
    day: LabelledDay, known: Ints, others: Ints, voting: Voting
) -> tuple[Neighbours, Neighbours]:
    """Return the nearest of the hosts `known` to these hosts, none to itself, and to others."""
    rows = day.rows(voting)
    prefixes = prefixes_of(day.embedding.hosts) if voting.leaves_out_prefix else None
    groups, own = (None, None) if prefixes is None else (prefixes[known], prefixes[others])
    space = prepare(rows[known], metric=voting.metric, standardise=False, groups=groups)
    return (
        nearest_in(space, None, voting.k),
        nearest_to(space, rows[others], voting.k, groups=own),
    )


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
        left, held = np.flatnonzero(is_known), np.flatnonzero(labels == name)
        inside, outside = _near_known(day, left, held, replace(voting, k=1))
        known, novel = inside.distances[:, 0], outside.distances[:, 0]
        rows.append(
            {
                "label": name,
                "hosts": len(novel),
                "auroc": auroc(known, novel),
                "fpr_at_95_tpr": float((novel <= np.quantile(known, ACCEPTED)).mean()),
            }
        )
    return pd.DataFrame(rows, columns=["label", "hosts", "auroc", "fpr_at_95_tpr"])


def open_set_days(
    days: Sequence[LabelledDay],
    keys: Sequence[str],
    voting: Voting,
    told: Callable[[int, int, str], None] | None = None,
) -> list[OpenSetDay]:
    """Do `open_set_day` for some days, each from it and the days before it alone.

    Args:
        days: All days there are, in time order.
        keys: Names of the days asked for; each is one of `days`.
        voting: How labelled neighbours vote.
        told: As `protocols.predict_days`.
    """
    tell = told or (lambda done, total, what: None)
    place = {day.key: at for at, day in enumerate(days)}
    found = []
    with one_thread_each():
        for done, key in enumerate(keys):
            tell(done, len(keys), key)
            found.append(open_set_day(days[: place[key] + 1], voting))
    tell(len(keys), len(keys), "")
    return found


def alarms_of(days: Sequence[OpenSetDay]) -> dict[str, float]:
    """Return what days come to together.

    Returns:
        `unknown_hosts`, `alarms` and `alarm_share` (alarms a host that is unknown), `abstained`
        and `abstained_share` (of labelled hosts), `auroc` and `fpr_at_95_tpr` (means over classes,
        then over days; NaN where no day has two classes).
    """
    unknown = sum(day.unknown_hosts for day in days)
    alarms = sum(day.alarms for day in days)
    labelled = sum(len(day.scores.hosts) for day in days) - unknown
    abstained = sum(day.abstained for day in days)
    means = [day.left_out[["auroc", "fpr_at_95_tpr"]].mean() for day in days]
    over_days = pd.DataFrame(means).mean()
    return {
        "unknown_hosts": unknown,
        "alarms": alarms,
        "alarm_share": alarms / unknown if unknown else float("nan"),
        "abstained": abstained,
        "abstained_share": abstained / labelled if labelled else float("nan"),
        "auroc": float(over_days["auroc"]),
        "fpr_at_95_tpr": float(over_days["fpr_at_95_tpr"]),
    }


def left_out_classes(days: Sequence[OpenSetDay]) -> pd.DataFrame:
    """Return how well each class is told to be new when it is held out, the mean over days.

    Returns:
        One row a class, by hosts: `label`, `days`, `hosts`, `auroc`, `fpr_at_95_tpr`.
    """
    table = pd.concat([day.left_out for day in days], ignore_index=True)
    grouped = table.groupby("label", as_index=False).agg(
        days=("hosts", "size"),
        hosts=("hosts", "sum"),
        auroc=("auroc", "mean"),
        fpr_at_95_tpr=("fpr_at_95_tpr", "mean"),
    )
    return grouped.sort_values(["hosts", "label"], ascending=[False, True], ignore_index=True)


def auroc(low: Floats, high: Floats) -> float:
    """Return how often a value of `high` is above one of `low`; level ones count half.

    >>> auroc(np.array([1.0, 2.0]), np.array([2.0, 3.0]))
    0.875
    """
    ordered = np.sort(low)
    below = np.searchsorted(ordered, high, "left")
    level = np.searchsorted(ordered, high, "right") - below
    return float((below + level / 2).sum() / (len(low) * len(high)))
