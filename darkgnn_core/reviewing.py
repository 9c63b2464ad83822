"""Predictions as an analyst looks at them: some classes, confusion cells, the hosts behind a cell.

Leaving classes out changes no prediction. Their hosts are then like hosts without a label: they are
not scored, but one that is told a class that is looked at is a false alarm of that class.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from ipaddress import IPv4Address
from typing import Any

import numpy as np
import pandas as pd

from darkgnn_core.evaluation.predictions import DayScores, Mask
from darkgnn_core.evaluation.repeats import Repeats, over_repeats
from darkgnn_core.evaluation.scores import Scores, calibration_error, reliability, score
from darkgnn_core.labels.texts import UNKNOWN

Repeated = Sequence[Sequence[DayScores]]
"""The same days predicted several times: by other seeds of a run, or other draws of labels."""

_OF_ALL = ("mcc_mean", "mcc_pooled")


def review(repeats: Repeated, classes: Collection[str] | None = None) -> Repeats:
    """Score predictions, for some classes alone where these are given.

    Args:
        repeats: One or more lists of days; all of the same days.
        classes: Labels to look at; None for all. With some, Matthews' correlation is NaN: it is
            about all labels or none.

    Raises:
        ConfigError: `EVALUATION` where there is no day, or days differ.
    """
    return over_repeats([_scored(days, classes) for days in repeats])


def _scored(days: Sequence[DayScores], classes: Collection[str] | None) -> Scores:
    if classes is None:
        return score(days)
    found = score([_unlabelled(day, classes) for day in days])
    kept = [labelled(day, classes) for day in days]
    errors = [calibration_error(reliability([day])) for day in kept]
    table = reliability(kept)
    nothing = dict.fromkeys(_OF_ALL, float("nan"))
    return replace(
        found,
        by_day=found.by_day.assign(ece=errors, mcc=float("nan")),
        reliability=table,
        summary=found.summary | nothing | {"ece": calibration_error(table)},
    )


def _unlabelled(day: DayScores, classes: Collection[str]) -> DayScores:
    kept = _is_of(day, classes)
    return replace(day, y_true=np.where(kept, day.y_true, UNKNOWN).astype(object))


def labelled(day: DayScores, classes: Collection[str] | None) -> DayScores:
    """Return the predictions for hosts whose true label is one of some; all for None."""
    return day if classes is None else _part(day, _is_of(day, classes))


def _is_of(day: DayScores, classes: Collection[str]) -> Mask:
    wanted = set(classes)
    return np.fromiter((label in wanted for label in day.y_true), bool, len(day.y_true))


def _part(day: DayScores, kept: Mask) -> DayScores:
    names = ("hosts", "y_true", "y_pred", "votes", "margin", "distance")
    return replace(day, **{name: getattr(day, name)[kept] for name in names})


def pooled_reliability(repeats: Repeated, classes: Collection[str] | None = None) -> pd.DataFrame:
    """Hold confidence against accuracy over all repeats; as `scores.reliability`."""
    return reliability([labelled(day, classes) for days in repeats for day in days])


def classes_in(days: Sequence[DayScores]) -> list[str]:
    """Return the true labels of some days, ascending, without unknown."""
    found: set[str] = set()
    for day in days:
        found.update(day.y_true)
    return sorted(found - {UNKNOWN})


def cells(days: Sequence[DayScores], classes: Collection[str] | None = None) -> pd.DataFrame:
    """Return the confusion of true and told labels, one row a cell with hosts.

    Args:
        days: Predictions; a host counts once a day.
        classes: True labels to look at; None for all, unknown among them where it is scored.

    Returns:
        `true`, `told`, `hosts` (a host counts once a day), `share` of the hosts of that true
        label; true labels with most hosts first, unknown last, then by hosts.
    """
    kept = [labelled(day, classes) for day in days]
    pairs = pd.DataFrame(
        {
            "true": np.concatenate([np.empty(0, object), *(day.y_true for day in kept)]),
            "told": np.concatenate([np.empty(0, object), *(day.y_pred for day in kept)]),
        },
        dtype=object,
    )
    table = pairs.groupby(["true", "told"], sort=True).size().rename("hosts").reset_index()
    whole = table.groupby("true")["hosts"].transform("sum")
    table["share"] = table["hosts"] / whole
    order = table.assign(is_unknown=table["true"] == UNKNOWN, whole=-whole, fewer=-table["hosts"])
    by = ["is_unknown", "whole", "true", "fewer", "told"]
    return table.loc[order.sort_values(by).index].reset_index(drop=True)


def cell_hosts(days: Sequence[DayScores], true: str, told: str) -> pd.DataFrame:
    """Return the hosts of a cell of the confusion, one row a host, most days first.

    Args:
        days: Predictions.
        true: The label they have.
        told: The label they were told.

    Returns:
        `address` text, `days` (in this cell), `last day`, `votes` (mean share of the neighbours
        that voted so), `distance` (mean, to the nearest neighbour).
    """
    rows = [
        pd.DataFrame(
            {"host": part.hosts, "day": part.key, "votes": part.confidence, "at": part.distance}
        )
        for part in (_part(day, (day.y_true == true) & (day.y_pred == told)) for day in days)
    ]
    if not rows:
        return pd.DataFrame(columns=["address", "days", "last day", "votes", "distance"])
    by_host = pd.concat(rows, ignore_index=True).groupby("host", sort=True)
    table = by_host.agg(
        days=("day", "nunique"), last=("day", "max"), votes=("votes", "mean"), at=("at", "mean")
    ).reset_index()
    table = table.sort_values(["days", "host"], ascending=[False, True], ignore_index=True)
    table.insert(0, "address", [str(IPv4Address(int(host))) for host in table["host"]])
    named = table.rename(columns={"last": "last day", "at": "distance"})
    return named.drop(columns="host")


def left_out(sizes: Mapping[str, Mapping[str, int]], fewest: int) -> pd.DataFrame:
    """Return the classes that were too small on some days.

    Args:
        sizes: For each day, hosts by label.
        fewest: Hosts that a class needs on a day.

    Returns:
        `label`, `days` (on which it was there and left out), `of days` (on which it was there),
        `most hosts` (on any day); those left out most often first.
    """
    rows = [(label, n) for day in sizes.values() for label, n in day.items()]
    table = pd.DataFrame(rows, columns=["label", "hosts"])
    by_label = table.assign(small=table["hosts"] < fewest).groupby("label")
    found = by_label.agg(
        small=("small", "sum"), there=("small", "size"), most=("hosts", "max")
    ).reset_index()
    columns: dict[str, Any] = {"small": "days", "there": "of days", "most": "most hosts"}
    told = found[found["small"] > 0].rename(columns=columns)
    return told.sort_values(["days", "label"], ascending=[False, True], ignore_index=True)
