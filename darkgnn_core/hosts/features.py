"""The 37 features of a host against those of its class and of all hosts of the day."""

import numpy as np
import pandas as pd

from darkgnn_core.hosts.reading import Floats

MANY = 2
"""A group of fewer other hosts than this tells no spread."""


def percentile(value: float, others: Floats) -> float:
    """Return where a value stands among others, 0 to 1; equal ones count half; NaN without any.

    >>> percentile(2.0, np.array([1.0, 2.0, 3.0, 4.0]))
    0.375
    """
    known = others[np.isfinite(others)]
    if not len(known) or not np.isfinite(value):
        return float("nan")
    below, level = np.count_nonzero(known < value), np.count_nonzero(known == value)
    return float((below + level / 2) / len(known))


def effect(value: float, others: Floats) -> float:
    """Return how many standard deviations (ddof 1) a value is above the mean of others.

    NaN with fewer than two others; 0 where all are equal to it, infinite where they are equal and
    it differs.

    >>> effect(4.0, np.array([1.0, 2.0, 3.0]))
    2.0
    """
    known = others[np.isfinite(others)]
    if len(known) < MANY or not np.isfinite(value):
        return float("nan")
    apart, spread = value - float(known.mean()), float(known.std(ddof=1))
    if spread > 0:
        return float(apart / spread)
    return 0.0 if apart == 0 else float(np.copysign(np.inf, apart))


def feature_standing(
    names: tuple[str, ...], features: Floats, place: int, is_class: np.ndarray
) -> pd.DataFrame:
    """Hold the features of one host against those of others.

    Args:
        names: Names of the c columns.
        features: float64 (n, c), of all hosts of the day.
        place: Row of the host.
        is_class: bool (n,), hosts of its class; the host itself never counts.

    Returns:
        One row a feature, in order: `feature`, `value`, and for `all` and `class` each the
        `median_`, `percentile_` and `effect_` (see `percentile` and `effect`); those of the class
        are NaN where it has no other host.
    """
    others = np.ones(len(features), bool)
    others[place] = False
    groups = {"all": features[others], "class": features[others & is_class]}
    rows = []
    for column, name in enumerate(names):
        value = float(features[place, column])
        row: dict[str, object] = {"feature": name, "value": value}
        for group, values in groups.items():
            known = values[:, column]
            row[f"median_{group}"] = float(np.median(known)) if len(known) else float("nan")
            row[f"percentile_{group}"] = percentile(value, known)
            row[f"effect_{group}"] = effect(value, known)
        rows.append(row)
    return pd.DataFrame(rows)


def feature_gaps(
    names: tuple[str, ...], features: Floats, place: int, other: int, *, limit: int = 5
) -> pd.DataFrame:
    """Return the features in which two hosts differ most, by their places among all hosts.

    Args:
        names: Names of the c columns.
        features: float64 (n, c), of all hosts of the day.
        place: Row of the host.
        other: Row of the other one.
        limit: How many.

    Returns:
        `feature`, `host`, `neighbour` (values), `percentile`, `neighbour_percentile` and `gap`
        (difference of the two, 0 to 1), the largest gap first; equal ones in order.
    """
    rows = []
    for column, name in enumerate(names):
        values = features[:, column]
        ours, theirs = (percentile(float(values[row]), values) for row in (place, other))
        rows.append(
            (name, float(values[place]), float(values[other]), ours, theirs, abs(ours - theirs))
        )
    columns = ["feature", "host", "neighbour", "percentile", "neighbour_percentile", "gap"]
    table = pd.DataFrame(rows, columns=columns)
    return table.sort_values("gap", ascending=False, kind="stable", ignore_index=True).head(limit)
