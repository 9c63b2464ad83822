"""Scores: those of scikit-learn, and known answers where it has none."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn import metrics

from darkgnn_core.errors import ConfigError
from darkgnn_core.evaluation.predictions import DayScores
from darkgnn_core.evaluation.resampling import drawn_days, interval
from darkgnn_core.evaluation.scores import reliability, score
from tests.evaluation_days import told

TRUE = st.sampled_from(["a", "b", "c", "d"])
PREDICTED = st.sampled_from(["a", "b", "c", "d", "unknown"])
DAY = st.lists(st.tuples(TRUE, PREDICTED), min_size=1, max_size=30)


def made(days: list[list[tuple[str, str]]]) -> list[DayScores]:
    """Make the predictions of several days."""
    return [
        told(*zip(*pairs, strict=True), key=f"2021-12-{number + 1:02}")
        for number, pairs in enumerate(days)
    ]


@pytest.mark.filterwarnings("ignore:A single label was found")
@given(DAY)
@settings(max_examples=40, deadline=None)
def test_a_days_scores_are_those_of_scikit_learn(pairs: list[tuple[str, str]]) -> None:
    """Per class and averaged; the classes are those that are true on the day."""
    [day] = made([pairs])
    found = score([day])
    names = sorted(set(day.y_true))
    options = {"labels": names, "zero_division": 0}
    expected = metrics.precision_recall_fscore_support(day.y_true, day.y_pred, **options)
    table = found.by_class.set_index("label").loc[names]
    for column, values in zip(("precision", "recall", "f1", "support"), expected, strict=True):
        assert table[column].to_numpy() == pytest.approx(values)
    row = found.by_day.iloc[0]
    for average in ("macro", "weighted"):
        value = metrics.f1_score(day.y_true, day.y_pred, average=average, **options)
        assert row[f"{average}_f1"] == pytest.approx(value)
    assert row["accuracy"] == pytest.approx(metrics.accuracy_score(day.y_true, day.y_pred))
    recall = metrics.recall_score(day.y_true, day.y_pred, average="macro", **options)
    assert row["balanced_accuracy"] == pytest.approx(recall)
    assert row["mcc"] == pytest.approx(metrics.matthews_corrcoef(day.y_true, day.y_pred))


@pytest.mark.filterwarnings("ignore:A single label was found")
@given(st.lists(DAY, min_size=2, max_size=5))
@settings(max_examples=25, deadline=None)
def test_both_macro_f1_are_what_they_say(days: list[list[tuple[str, str]]]) -> None:
    """The mean of the days' macro F1, each over its own classes; and that of all days pooled."""
    made_days = made(days)
    found = score(made_days).summary
    daily = [
        metrics.f1_score(d.y_true, d.y_pred, labels=sorted(set(d.y_true)), average="macro")
        for d in made_days
    ]
    assert found["macro_f1_mean"] == pytest.approx(np.mean(daily))
    assert found["macro_f1_sd"] == pytest.approx(np.std(daily, ddof=1))
    true = np.concatenate([d.y_true for d in made_days])
    predicted = np.concatenate([d.y_pred for d in made_days])
    pooled = metrics.f1_score(
        true, predicted, labels=sorted(set(true)), average="macro", zero_division=0
    )
    assert found["macro_f1_pooled"] == pytest.approx(pooled)
    assert found["mcc_pooled"] == pytest.approx(metrics.matthews_corrcoef(true, predicted))
    assert found["macro_f1_low"] <= np.mean(daily) + 1e-12
    assert found["macro_f1_high"] >= np.mean(daily) - 1e-12


def test_a_class_counts_on_its_own_days_only() -> None:
    """A class that is away for a day has no F1 there, not 0."""
    days = made([[("a", "a"), ("b", "b")], [("a", "a"), ("a", "b")]])
    found = score(days)
    row = found.by_class.set_index("label")
    assert row.loc["b", "days"] == 1
    assert row.loc["b", "f1_mean"] == 1.0
    assert np.isnan(row.loc["b", "f1_sd"])
    assert row.loc["b", "f1"] == pytest.approx(2 / 3)
    assert row.loc["a", "f1_mean"] == pytest.approx((1 + 2 / 3) / 2)
    assert np.isnan(found.class_by_day.loc["2021-12-02", "b"])


def test_confusion_has_unknown_last_and_counts_every_host() -> None:
    """True labels down, predicted across."""
    day = told(["a", "a", "b", "unknown"], ["a", "unknown", "a", "b"])
    table = score([day]).confusion
    assert table.columns.tolist() == ["a", "b", "unknown"]
    assert table.loc["a"].tolist() == [1, 0, 1]
    assert table.loc["b"].tolist() == [1, 0, 0]
    assert table.loc["unknown"].tolist() == [0, 1, 0]


def test_alarms_on_unknown_hosts_cost_precision_where_they_are_scored() -> None:
    """One right, one alarm on an unknown host: precision one half, and no class of its own."""
    found = score([told(["a", "unknown"], ["a", "a"])])
    assert found.by_class["label"].tolist() == ["a"]
    assert found.by_class["precision"].tolist() == [0.5]
    assert found.summary["hosts"] == 1


def test_calibration_is_counted_by_hand() -> None:
    """Sure thrice and right twice; two thirds sure twice and right once."""
    day = told(list("aaaaa"), list("aabab"), votes=[3, 3, 3, 2, 2])
    table = reliability([day])
    assert table["hosts"].tolist() == [2, 3]
    assert table["confidence"].tolist() == pytest.approx([2 / 3, 1])
    assert table["accuracy"].tolist() == pytest.approx([1 / 2, 2 / 3])
    expected = 2 / 5 * (2 / 3 - 1 / 2) + 3 / 5 * (1 - 2 / 3)
    assert score([day]).summary["ece"] == pytest.approx(expected)


def test_every_confidence_lies_in_its_bin() -> None:
    """Shares of votes at the edge of a bin belong to the bin below, 0 to the first."""
    day = told(list("a" * 11), list("a" * 11), votes=list(range(11)), k=10)
    table = reliability([day])
    assert (table["low"] <= table["confidence"] + 1e-12).all()
    assert (table["confidence"] <= table["high"] + 1e-12).all()
    assert table["hosts"].tolist() == [2] + [1] * 9


def test_intervals_hold_the_mean_and_shrink_with_days() -> None:
    """Of equal days there is no doubt; of many days less than of few."""
    same = np.full((11, 1), 0.8)
    assert interval(same)[0][0] == interval(same)[1][0] == 0.8
    random = np.random.default_rng(0)
    widths = []
    for days in (10, 90):
        low, high = interval(random.standard_normal((days, 1)))
        widths.append(high[0] - low[0])
    assert widths[1] < widths[0] / 2
    low, high = interval(np.full((3, 1), np.nan))
    assert np.isnan([low[0], high[0]]).all()


def test_intervals_cover_the_truth_about_as_often_as_they_say() -> None:
    """Of 200 made months of 31 independent days, 85 % or more of the intervals hold the mean."""
    random = np.random.default_rng(1)
    low, high = interval(random.standard_normal((31, 200)), block_days=1)
    assert 0.85 <= np.mean((low < 0) & (high > 0)) <= 1


def test_days_are_drawn_in_blocks() -> None:
    """In each block the day after is the next one, around the end."""
    drawn = drawn_days(9, block_days=3)
    steps = (drawn[:, 1:] - drawn[:, :-1]) % 9
    assert (steps[:, [0, 1, 3, 4, 6, 7]] == 1).all()
    assert drawn.shape[1] == 9
    assert np.bincount(drawn.reshape(-1)).min() > 1_800


def test_the_same_seed_gives_the_same_interval() -> None:
    """Intervals are drawn, so the draw is told by its seed."""
    days = made([[("a", "a"), ("b", "a")], [("a", "a")], [("a", "b"), ("b", "b")]])
    pd.testing.assert_frame_equal(score(days).by_class, score(days).by_class)


def test_days_given_twice_or_not_at_all_are_refused() -> None:
    """One row a day."""
    day = told(["a"], ["a"])
    for days in ([], [day, day]):
        with pytest.raises(ConfigError) as heard:
            score(days)
        assert heard.value.code == "EVALUATION"
