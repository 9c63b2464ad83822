"""Scores over repeats: the same settings with other seeds, or other draws of labels."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from darkgnn_core.errors import ConfigError
from darkgnn_core.evaluation.labelled_days import LabelledDay
from darkgnn_core.evaluation.predictions import PAPER, Floats, Voting
from darkgnn_core.evaluation.protocols import Protocol, Told, predict_days
from darkgnn_core.evaluation.resampling import interval
from darkgnn_core.evaluation.scores import Scores, macro, score, spread_of


@dataclass(frozen=True, eq=False)
class Repeats:
    """The mean of several scores, and how they spread over days and over repeats.

    Attributes:
        each: The scores of each repeat.
        by_class: As `Scores.by_class`, each number the mean over repeats, the deviation over days
            that of the days' means; and `f1_sd_repeats`, that of the repeats' means (ddof 1, NaN
            for one repeat).
        by_day: As `Scores.by_day`, each number the mean over repeats.
        summary: As `Scores.summary` likewise, with `repeats` and `macro_f1_sd_repeats`.
    """

    each: tuple[Scores, ...]
    by_class: pd.DataFrame
    by_day: pd.DataFrame
    summary: dict[str, Any]


def evaluate(
    protocol: Protocol,
    days: Sequence[LabelledDay],
    keys: Sequence[str] | None = None,
    *,
    voting: Voting = PAPER,
    seed: int = 0,
    told: Told | None = None,
) -> dict[str, Repeats]:
    """Predict some days by a protocol and score each variant over its draws.

    Arguments and errors as `protocols.predict_days`; without a day to score ConfigError
    `EVALUATION`.
    """
    found = predict_days(protocol, days, keys, voting=voting, seed=seed, told=told)
    if not found:
        raise ConfigError("there is no day to score.", code="EVALUATION")
    return {
        variant: over_repeats([score(draw, seed=seed) for draw in draws], seed=seed)
        for variant, draws in found.items()
    }


def over_repeats(
    each: Sequence[Scores], *, block_days: int | None = None, seed: int = 0
) -> Repeats:
    """Put the scores of repeats together.

    Args:
        each: One or more, of the same days.
        block_days: As for `scores.score`.
        seed: Of the draws behind the intervals.

    Raises:
        ConfigError: `EVALUATION` where their days differ, or there are none.
    """
    days = [tuple(scores.by_day["day"]) for scores in each]
    if len(set(days)) != 1:
        message = f"repeats must be of the same days, got {sorted(set(days))}."
        raise ConfigError(message, code="EVALUATION")
    by_day = _mean_of([scores.by_day.set_index("day") for scores in each]).reset_index()
    return Repeats(
        each=tuple(each),
        by_class=_by_class(each, block_days, seed),
        by_day=by_day,
        summary=_summary(each, by_day, block_days, seed),
    )


def _mean_of(tables: Sequence[pd.DataFrame]) -> pd.DataFrame:
    """Return the mean of tables row by row; counts that are whole stay whole."""
    mean: pd.DataFrame = pd.concat(tables).groupby(level=0, sort=True).mean()
    for name in ("hosts", "classes", "support", "days"):
        if name in mean and (mean[name] % 1 == 0).all():
            mean[name] = mean[name].astype(np.int64)
    return mean


def _by_class(each: Sequence[Scores], block_days: int | None, seed: int) -> pd.DataFrame:
    table = _mean_of([scores.by_class.set_index("label") for scores in each])
    daily = _stacked([scores.class_by_day for scores in each], list(table.index))
    low, high = interval(daily, block_days=block_days, seed=seed)
    by_label = np.moveaxis(daily, 2, 0)
    table["f1_mean"] = macro(by_label.reshape(len(by_label), daily.shape[0] * daily.shape[1]))
    table["f1_sd"] = spread_of(macro(np.moveaxis(daily, 0, -1)))
    table["f1_low"], table["f1_high"] = low, high
    table["f1_sd_repeats"] = spread_of(macro(np.moveaxis(daily, 1, -1)))
    table = table.reset_index()
    return table.sort_values(["support", "label"], ascending=[False, True], ignore_index=True)


def _stacked(tables: Sequence[pd.DataFrame], names: list[Any]) -> Floats:
    """Return float64 (repeats, days, columns); NaN where a repeat lacks a class."""
    return np.stack([table.reindex(columns=names).to_numpy(np.float64) for table in tables])


def _summary(
    each: Sequence[Scores], by_day: pd.DataFrame, block_days: int | None, seed: int
) -> dict[str, Any]:
    summaries = pd.DataFrame([scores.summary for scores in each])
    means = {str(name): float(value) for name, value in summaries.mean().items()}
    daily = _stacked([scores.by_day.set_index("day") for scores in each], ["macro_f1"])
    low, high = interval(daily, block_days=block_days, seed=seed)
    over = spread_of(summaries[["macro_f1_mean"]].to_numpy(np.float64))
    return means | {
        **{name: round(means[name]) for name in ("days", "hosts", "classes")},
        "macro_f1_sd": float(spread_of(by_day[["macro_f1"]].to_numpy(np.float64))[0]),
        "macro_f1_low": float(low[0]),
        "macro_f1_high": float(high[0]),
        "macro_f1_sd_repeats": float(over[0]),
        "repeats": len(each),
    }
