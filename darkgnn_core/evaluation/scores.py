"""Scores of predictions: per class, by day, over days and over seeds; all on whole arrays.

A day's macro F1 is the mean over the classes of that day: those with a host that is scored. Over
days there are two: the mean of the days' macro F1 (the paper's), and the macro F1 of all days'
predictions pooled. A host that is predicted unknown is missed by its class and is no alarm of any
other.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from darkgnn_core.errors import ConfigError
from darkgnn_core.evaluation.predictions import DayScores, Floats, Ints
from darkgnn_core.evaluation.resampling import interval
from darkgnn_core.labels.texts import UNKNOWN

DDOF = 1
"""Standard deviations divide by n - 1; the released code's table does not say what it does."""

BINS = 10
"""Bins of equal width in which confidence is held against accuracy."""


@dataclass(frozen=True, eq=False)
class Scores:
    """How good predictions are.

    Attributes:
        by_class: One row a class, the largest first: `label`, `support` (hosts over all days),
            `days` (with a host of it), `precision`, `recall`, `f1` (of all days pooled),
            `f1_mean`, `f1_sd` (over its days, ddof 1), `f1_low`, `f1_high` (95 % interval of the
            mean).
        by_day: One row a day: `day`, `hosts`, `classes`, `macro_f1`, `weighted_f1`, `accuracy`,
            `balanced_accuracy`, `mcc`, `ece`; a day without hosts to score has NaN.
        class_by_day: F1, one row a day, one column a class; NaN where the class is not there.
        confusion: Hosts of all days, true labels down, predicted labels across, both with
            `unknown` last.
        reliability: One row a bin of confidence: `low`, `high`, `hosts`, `confidence`, `accuracy`.
        summary: `hosts`, `days`, `classes`, `macro_f1_mean`, `macro_f1_sd`, `macro_f1_low`,
            `macro_f1_high`, `macro_f1_pooled`, `weighted_f1_mean`, `weighted_f1_pooled`,
            `accuracy_pooled`, `balanced_accuracy_mean`, `balanced_accuracy_pooled`, `mcc_mean`,
            `mcc_pooled`, `ece`.
    """

    by_class: pd.DataFrame
    by_day: pd.DataFrame
    class_by_day: pd.DataFrame
    confusion: pd.DataFrame
    reliability: pd.DataFrame
    summary: dict[str, Any]


def score(days: Sequence[DayScores], *, block_days: int | None = None, seed: int = 0) -> Scores:
    """Score the predictions of one protocol and variant, a day each.

    Args:
        days: At least one, in time order, no day twice.
        block_days: Neighbouring days drawn together for the intervals; None: the cube root of
            their number.
        seed: Of the draws behind the intervals.

    Raises:
        ConfigError: `EVALUATION` where there is no day, or one twice.

    Source:
        Paper, section 5 (macro average and deviation over days); the intervals are ours.
    """
    keys = [day.key for day in days]
    if not keys or len(set(keys)) < len(keys):
        message = f"expected the predictions of one or more different days, got {keys}."
        raise ConfigError(message, code="EVALUATION")
    names = _names_of(days)
    tables = np.stack([confusion_of(day, names) for day in days])
    f1 = class_f1(tables)
    by_day = _by_day(days, tables, f1)
    low, high = interval(f1, block_days=block_days, seed=seed)
    return Scores(
        by_class=_by_class(names, tables, f1, low, high),
        by_day=by_day,
        class_by_day=pd.DataFrame(f1, index=pd.Index(keys, name="day"), columns=names),
        confusion=_confusion_table(names, tables.sum(axis=0)),
        reliability=reliability(days),
        summary=_summary(days, tables, by_day, block_days, seed),
    )


def _names_of(days: Sequence[DayScores]) -> list[str]:
    """Return the classes that are true or predicted on any day; unknown is none."""
    found = {*np.concatenate([np.append(day.y_true, day.y_pred) for day in days])}
    return sorted(found - {UNKNOWN})


def confusion_of(day: DayScores, names: Sequence[str]) -> Ints:
    """Count a day's hosts by true and predicted label, int64 (C + 1, C + 1), unknown last."""
    place = {name: code for code, name in enumerate([*names, UNKNOWN])}
    size = len(place)
    true = np.fromiter(map(place.__getitem__, day.y_true), np.int64, len(day.y_true))
    told = np.fromiter(map(place.__getitem__, day.y_pred), np.int64, len(day.y_pred))
    counts = np.bincount(true * size + told, minlength=size * size)
    return counts.reshape(size, size).astype(np.int64)


def _parts_of(tables: Ints) -> tuple[Ints, Ints, Ints]:
    """Return hits, support and alarms of each class, each int64 (..., C)."""
    hits = np.diagonal(tables, axis1=-2, axis2=-1)[..., :-1]
    return hits, tables.sum(axis=-1)[..., :-1], tables.sum(axis=-2)[..., :-1]


def _share(part: npt.NDArray[Any], whole: npt.NDArray[Any]) -> Floats:
    """Divide; nothing of nothing is 0."""
    share: Floats = np.divide(part, whole, out=np.zeros(np.shape(part)), where=whole > 0)
    return share


def class_f1(tables: Ints) -> Floats:
    """Return F1 of each class, float64 (..., C); NaN for a class without a host.

    F1 = 2 hits / (support + alarms).
    """
    hits, support, alarms = _parts_of(tables)
    return np.where(support > 0, _share(2 * hits, support + alarms), np.nan)


def macro(values: Floats, weights: npt.NDArray[Any] | None = None) -> Floats:
    """Return the mean over classes that are there, float64 (...); NaN where none is."""
    there = ~np.isnan(values)
    weights = there if weights is None else weights * there
    total = weights.sum(axis=-1)
    summed = (np.where(there, values, 0) * weights).sum(axis=-1)
    mean: Floats = np.divide(summed, total, out=np.full(np.shape(total), np.nan), where=total > 0)
    return mean


def accuracy_of(tables: Ints) -> Floats:
    """Return the share of labelled hosts that are told right, float64 (...); NaN without any."""
    hits, support, _ = _parts_of(tables)
    right, hosts = hits.sum(axis=-1), support.sum(axis=-1)
    share: Floats = np.divide(right, hosts, out=np.full(np.shape(hosts), np.nan), where=hosts > 0)
    return share


def class_recall(tables: Ints) -> Floats:
    """Return recall of each class, float64 (..., C); NaN for a class without a host."""
    hits, support, _ = _parts_of(tables)
    return np.where(support > 0, _share(hits, support), np.nan)


def mcc_of(tables: Ints) -> Floats:
    """Return Matthews' correlation of the true and the predicted labels, unknown among them.

    0 where either is the same for all hosts. Source: Gorodkin, Computational Biology and
    Chemistry 28 (2004), the multi-class form.
    """
    counts = tables.astype(np.float64)
    total = counts.sum(axis=(-2, -1))
    true, told = counts.sum(axis=-1), counts.sum(axis=-2)
    right = np.trace(counts, axis1=-2, axis2=-1)
    covariance = right * total - (true * told).sum(axis=-1)
    spread = (total**2 - (true**2).sum(axis=-1)) * (total**2 - (told**2).sum(axis=-1))
    return _share(covariance, np.sqrt(spread))


def _by_day(days: Sequence[DayScores], tables: Ints, f1: Floats) -> pd.DataFrame:
    _, support, _ = _parts_of(tables)
    return pd.DataFrame(
        {
            "day": [day.key for day in days],
            "hosts": support.sum(axis=-1),
            "classes": (support > 0).sum(axis=-1),
            "macro_f1": macro(f1),
            "weighted_f1": macro(f1, support),
            "accuracy": accuracy_of(tables),
            "balanced_accuracy": macro(class_recall(tables)),
            "mcc": np.where(support.sum(axis=-1) > 0, mcc_of(tables), np.nan),
            "ece": [calibration_error(reliability([day])) for day in days],
        }
    )


def _by_class(
    names: Sequence[str], tables: Ints, f1: Floats, low: Floats, high: Floats
) -> pd.DataFrame:
    pooled = tables.sum(axis=0)
    hits, support, alarms = _parts_of(pooled)
    table = pd.DataFrame(
        {
            "label": list(names),
            "support": support,
            "days": (~np.isnan(f1)).sum(axis=0),
            "precision": _share(hits, alarms),
            "recall": _share(hits, support),
            "f1": class_f1(pooled),
            "f1_mean": macro(f1.T),
            "f1_sd": spread_of(f1),
            "f1_low": low,
            "f1_high": high,
        }
    )
    there = table[table["support"] > 0]
    return there.sort_values(["support", "label"], ascending=[False, True], ignore_index=True)


def spread_of(values: Floats) -> Floats:
    """Return the standard deviation down each column (ddof 1), NaN left out and below two."""
    there = ~np.isnan(values)
    count = there.sum(axis=0)
    apart = np.where(there, values - macro(values.T), 0)
    squares: Floats = (apart**2).sum(axis=0)
    wide = np.divide(squares, count - DDOF, out=np.full(squares.shape, np.nan), where=count > DDOF)
    spread: Floats = np.sqrt(wide)
    return spread


def _summary(
    days: Sequence[DayScores],
    tables: Ints,
    by_day: pd.DataFrame,
    block_days: int | None,
    seed: int,
) -> dict[str, Any]:
    pooled = tables.sum(axis=0)
    _, support, _ = _parts_of(pooled)
    daily = by_day[["macro_f1"]].to_numpy()
    low, high = interval(daily, block_days=block_days, seed=seed)
    means = {name: float(macro(by_day[name].to_numpy())) for name in _MEANS}
    return {
        "hosts": int(support.sum()),
        "days": len(days),
        "classes": int((support > 0).sum()),
        "macro_f1_mean": means["macro_f1"],
        "macro_f1_sd": float(spread_of(daily)[0]),
        "macro_f1_low": float(low[0]),
        "macro_f1_high": float(high[0]),
        "macro_f1_pooled": float(macro(class_f1(pooled))),
        "weighted_f1_mean": means["weighted_f1"],
        "weighted_f1_pooled": float(macro(class_f1(pooled), support)),
        "accuracy_pooled": float(accuracy_of(pooled)),
        "balanced_accuracy_mean": means["balanced_accuracy"],
        "balanced_accuracy_pooled": float(macro(class_recall(pooled))),
        "mcc_mean": means["mcc"],
        "mcc_pooled": float(mcc_of(pooled)),
        "ece": calibration_error(reliability(days)),
    }


_MEANS = ("macro_f1", "weighted_f1", "balanced_accuracy", "mcc")


def _confusion_table(names: Sequence[str], counts: Ints) -> pd.DataFrame:
    labels = [*names, UNKNOWN]
    table = pd.DataFrame(counts, index=pd.Index(labels, name="label"), columns=labels)
    seen: pd.DataFrame = table.loc[counts.sum(axis=1) > 0]
    return seen


def reliability(days: Sequence[DayScores], bins: int = BINS) -> pd.DataFrame:
    """Hold confidence (the share of votes) against how often it was right.

    Args:
        days: Predictions; those of `unknown` count too, as wrong for a labelled host.
        bins: Bins of equal width from 0 to 1; only those with hosts are given.

    Returns:
        One row a bin: `low`, `high`, `hosts`, `confidence` (mean), `accuracy`.
    """
    confidence = np.concatenate([day.confidence for day in days])
    right = np.concatenate([day.y_true == day.y_pred for day in days]).astype(np.float64)
    place = np.clip(np.ceil(confidence * bins - 1e-9).astype(np.int64) - 1, 0, bins - 1)
    hosts = np.bincount(place, minlength=bins)
    found = np.flatnonzero(hosts)
    return pd.DataFrame(
        {
            "low": found / bins,
            "high": (found + 1) / bins,
            "hosts": hosts[found],
            "confidence": np.bincount(place, confidence, bins)[found] / hosts[found],
            "accuracy": np.bincount(place, right, bins)[found] / hosts[found],
        }
    )


def calibration_error(table: pd.DataFrame) -> float:
    """Return the expected calibration error: mean of |accuracy - confidence|, weighted by hosts.

    Source: Naeini et al., AAAI 2015.
    """
    if table.empty:
        return float("nan")
    apart = (table["accuracy"] - table["confidence"]).abs()
    return float((apart * table["hosts"]).sum() / table["hosts"].sum())
