"""Runs held against each other day by day: is a difference more than the days' ups and downs?"""

from collections.abc import Mapping, Sequence
from itertools import combinations, product
from typing import Any

import numpy as np
import pandas as pd

from darkgnn_core.errors import ConfigError
from darkgnn_core.evaluation.predictions import Floats
from darkgnn_core.evaluation.resampling import interval

LEVEL = 0.05
POWER = 0.8

COLUMNS = [
    "first",
    "second",
    "days",
    "difference",
    "sd",
    "low",
    "high",
    "p",
    "p_holm",
    "is_significant",
    "detectable",
]


def compare(
    by_day: Mapping[str, "pd.Series[float]"],
    *,
    baselines: Mapping[str, "pd.Series[float]"] | None = None,
    seed: int = 0,
) -> pd.DataFrame:
    """Compare every two runs on the days that both have, and every run with every baseline.

    Days share hosts, so they are not independent and p is too small rather than too large; the
    interval draws blocks of days and is the better guide. Below 6 days no difference can be
    significant.

    Args:
        by_day: For each run a score a day by key of the bin, such as macro F1.
        baselines: The same for what runs are held against; they are not compared among themselves.
        seed: Of the draws behind the intervals.

    Returns:
        One row a pair: `first`, `second`, `days`, `difference` (mean of first - second), `sd` (of
        the daily differences, ddof 1), `low` and `high` (95 % interval of the mean), `p`
        (Wilcoxon signed-rank, two-sided), `p_holm` (for the number of pairs), `is_significant`
        (p_holm below 0.05), `detectable` (smallest mean difference that so many days with this
        spread would show 4 times in 5).

    Raises:
        ConfigError: `EVALUATION` where there is nothing to compare.

    Source:
        Wilcoxon, Biometrics Bulletin 1 (1945); Holm, Scandinavian Journal of Statistics 6 (1979);
        Demsar, JMLR 7 (2006) for comparing classifiers so.
    """
    others = baselines or {}
    pairs = [*combinations(by_day, 2), *product(by_day, others)]
    if not pairs:
        message = "one run and a baseline, or two runs, are compared, got fewer."
        raise ConfigError(message, code="EVALUATION")
    return compare_pairs({**others, **by_day}, pairs, seed=seed)


def compare_pairs(
    by_day: Mapping[str, "pd.Series[float]"],
    pairs: Sequence[tuple[str, str]],
    *,
    seed: int = 0,
) -> pd.DataFrame:
    """Compare some pairs, chosen before anybody looked at their scores; p is for these alone.

    Args:
        by_day: As for `compare`, runs and baselines alike.
        pairs: Names of first and second; one or more.
        seed: Of the draws behind the intervals.

    Returns:
        As `compare`.
    """
    table = pd.DataFrame(
        {"first": first, "second": second} | _pair(by_day[first], by_day[second], seed)
        for first, second in pairs
    )
    table["p_holm"] = holm(table["p"].to_numpy(np.float64))
    table["is_significant"] = table["p_holm"] < LEVEL
    return table[COLUMNS]


def _pair(first: "pd.Series[float]", second: "pd.Series[float]", seed: int) -> dict[str, Any]:
    apart: Floats = np.asarray((first - second).dropna().sort_index(), np.float64)
    if not len(apart):
        names = ("difference", "sd", "low", "high", "p", "detectable")
        return {"days": 0, **dict.fromkeys(names, float("nan"))}
    low, high = interval(apart[:, None], seed=seed)
    spread = float(np.std(apart, ddof=1)) if len(apart) > 1 else float("nan")
    return {
        "days": len(apart),
        "difference": float(apart.mean()),
        "sd": spread,
        "low": float(low[0]),
        "high": float(high[0]),
        "p": signed_rank(apart),
        "detectable": detectable(spread, len(apart)),
    }


def signed_rank(differences: Floats) -> float:
    """Return Wilcoxon's two-sided p; 1 where nothing differs.

    Differences of 0 are left out; p is exact up to 50 days without level differences.
    """
    from scipy.stats import wilcoxon

    apart = differences[differences != 0]
    return float(wilcoxon(apart).pvalue) if len(apart) else 1.0


def holm(p: Floats) -> Floats:
    """Return p values adjusted for their number; NaN stays and does not count.

    >>> holm(np.array([0.01, 0.04, 0.03])).tolist()
    [0.03, 0.06, 0.06]
    """
    adjusted = np.full(len(p), np.nan)
    there = np.flatnonzero(~np.isnan(p))
    order = there[np.argsort(p[there], kind="stable")]
    raised = p[order] * np.arange(len(order), 0, -1)
    adjusted[order] = np.minimum(np.maximum.accumulate(raised), 1.0)
    return adjusted


def detectable(spread: float, days: int) -> float:
    """Return the smallest mean difference that a paired test would show in 4 of 5 such months.

    (t for 0.975 + t for 0.8) * spread / sqrt(days), with days - 1 degrees of freedom; one test,
    not adjusted for several. NaN below two days.
    """
    from scipy.stats import t

    if days < 2:
        return float("nan")
    quantiles = t.ppf([1 - LEVEL / 2, POWER], days - 1)
    return float(quantiles.sum() * spread / np.sqrt(days))


def sentence(row: Mapping[Any, Any], measure: str = "macro F1") -> str:
    """Say in words what one row of `compare` shows."""
    if not row["days"]:
        return f"{row['first']} and {row['second']} share no day."
    ahead, behind = ("first", "second") if row["difference"] >= 0 else ("second", "first")
    half = (row["high"] - row["low"]) / 2
    gained = f"{abs(row['difference']):.3f} +- {half:.3f} {measure} over {row['days']} days"
    begins = f"{row[ahead]} beats {row[behind]} by {gained}"
    if row["days"] < FEWEST_DAYS:
        return f"{begins}; too few days to tell, {FEWEST_DAYS} or more are needed."
    verdict = "significant" if row["is_significant"] else "not significant"
    return (
        f"{begins}; {verdict} (p = {row['p_holm']:.3f}). Differences below "
        f"{row['detectable']:.3f} would mostly go unseen."
    )


FEWEST_DAYS = 6
"""With fewer pairs Wilcoxon's smallest p, 2 / 2**days, is above 0.05."""
