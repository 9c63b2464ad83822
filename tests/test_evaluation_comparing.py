"""Comparing runs day by day: known p values, and a difference that is there or is not."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from darkgnn_core.errors import ConfigError
from darkgnn_core.evaluation.comparing import compare, detectable, holm, sentence, signed_rank

DAYS = [f"2021-12-{day}" for day in range(21, 32)]


def series(values: list[float], days: list[str] = DAYS) -> "pd.Series[float]":
    """Make a score a day."""
    return pd.Series(values, index=days[: len(values)], dtype=float)


def test_eleven_days_all_one_way_are_significant() -> None:
    """Eleven different gains: p = 2 / 2**11, the interval above 0, and the words say so."""
    base = np.linspace(0.6, 0.7, 11)
    table = compare({"new": series(base + np.linspace(0.01, 0.03, 11)), "old": series(base)})
    row = table.iloc[0]
    assert row["p"] == pytest.approx(2 / 2**11)
    assert row["difference"] == pytest.approx(0.02)
    assert row["low"] > 0
    assert row["is_significant"]
    said = sentence(row.to_dict())
    assert said.startswith("new beats old by 0.020 +- ")
    assert "over 11 days; significant (p = 0.001)" in said


def test_ups_and_downs_are_not_significant() -> None:
    """Gains and losses of the same size: p near 1; the one that is behind is named second."""
    ups = [0.01, -0.011, 0.012, -0.013, 0.014, -0.015, 0.016, -0.017, 0.018, -0.019, 0.0]
    table = compare({"new": series(ups), "old": series([0.0] * 11)})
    row = table.iloc[0]
    assert row["p"] > 0.5
    assert not row["is_significant"]
    assert sentence(row.to_dict()).startswith("old beats new")
    assert "not significant" in sentence(row.to_dict())


def test_runs_that_are_the_same_do_not_differ() -> None:
    """All differences 0: p is 1 and nothing smaller could be told apart from it."""
    row = compare({"a": series([0.5] * 8), "b": series([0.5] * 8)}).iloc[0]
    assert (row["p"], row["difference"], row["detectable"]) == (1.0, 0.0, 0.0)


def test_only_days_of_both_count_and_few_days_tell_nothing() -> None:
    """Three shared days: no verdict; no shared day: said in words."""
    first = series([0.9] * 5)
    second = series([0.5, 0.51, 0.52], DAYS[2:])
    row = compare({"a": first, "b": second}).iloc[0]
    assert row["days"] == 3
    assert "too few days" in sentence(row.to_dict())
    row = compare({"a": series([0.9]), "b": series([0.5], DAYS[5:])}).iloc[0]
    assert sentence(row.to_dict()) == "a and b share no day."
    assert np.isnan(row["p_holm"])


def test_pairs_are_adjusted_for_their_number() -> None:
    """Three runs give three pairs, in order; the smallest p counts three times."""
    random = np.random.default_rng(5)
    runs = {name: series(list(random.normal(0.7, 0.05, 11))) for name in "abc"}
    table = compare(runs)
    assert list(zip(table["first"], table["second"], strict=True)) == [
        ("a", "b"),
        ("a", "c"),
        ("b", "c"),
    ]
    least = table["p"].idxmin()
    assert table.loc[least, "p_holm"] == pytest.approx(min(1, 3 * table.loc[least, "p"]))
    with pytest.raises(ConfigError):
        compare({"a": runs["a"]})


def test_baselines_are_held_against_runs_and_not_against_each_other() -> None:
    """Two runs and two baselines: one pair of runs, four with baselines."""
    random = np.random.default_rng(6)
    made = {name: series(list(random.normal(0.7, 0.05, 11))) for name in "abxy"}
    runs, baselines = ({name: made[name] for name in names} for names in ("ab", "xy"))
    table = compare(runs, baselines=baselines)
    pairs = list(zip(table["first"], table["second"], strict=True))
    assert pairs == [("a", "b"), ("a", "x"), ("a", "y"), ("b", "x"), ("b", "y")]
    assert len(compare({"a": made["a"]}, baselines=baselines)) == 2


@given(st.lists(st.floats(0, 1), min_size=1, max_size=12))
@settings(deadline=None, max_examples=80)
def test_holm_is_the_step_down_by_hand(p: list[float]) -> None:
    """Each sorted p times the number of those not smaller, never falling, at most 1."""
    found = holm(np.array(p))
    running = 0.0
    for rank, position in enumerate(sorted(range(len(p)), key=lambda at: p[at])):
        running = max(running, (len(p) - rank) * p[position])
        assert found[position] == pytest.approx(min(running, 1.0))


def test_signed_rank_is_that_of_scipy() -> None:
    """Zeros left out, two-sided."""
    values = np.array([0.3, -0.1, 0.25, 0.0, 0.6, 0.41, -0.05])
    assert signed_rank(values) == pytest.approx(stats.wilcoxon(values[values != 0]).pvalue)


def test_the_detectable_difference_is_found_in_four_of_five_months() -> None:
    """Of 2,000 made months with that mean difference, a paired t test finds about 80 %."""
    random = np.random.default_rng(1)
    effect = detectable(1.0, 11)
    months = random.normal(effect, 1.0, (2_000, 11))
    found = (stats.ttest_1samp(months, 0, axis=1).pvalue < 0.05).mean()
    assert found == pytest.approx(0.8, abs=0.05)
    assert np.isnan(detectable(float("nan"), 1))
