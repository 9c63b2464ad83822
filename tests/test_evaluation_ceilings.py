"""The supervised ceiling: trees on the stored columns, taught by earlier days alone."""

import dataclasses

import numpy as np
import pytest

from darkgnn_core.evaluation.ceilings import GRADIENT_BOOSTING, PAST_DAYS
from darkgnn_core.evaluation.labelled_days import LabelledDay
from darkgnn_core.evaluation.predictions import Voting
from darkgnn_core.evaluation.protocols import predict_days
from darkgnn_core.evaluation.scores import score
from tests.evaluation_days import labelled, planted_days

VOTING = Voting(min_class_hosts=3)


def test_planted_classes_are_learned_from_earlier_days() -> None:
    """Groups that lie apart are told; only labelled hosts are, and never as unknown."""
    days = planted_days(3, hosts=400)
    [[day]] = predict_days(GRADIENT_BOOSTING, days, [days[-1].key], voting=VOTING)[""]
    assert score([day]).summary["macro_f1_pooled"] > 0.95
    assert len(day.hosts) == (days[-1].labels != "unknown").sum()
    assert "unknown" not in day.y_pred
    assert (day.confidence > 0).all()
    assert (day.confidence <= 1).all()


def test_the_day_itself_and_later_days_teach_nothing() -> None:
    """Other labels on the scored day change no prediction, nor do later days."""
    days = planted_days(4, hosts=200)
    key = days[2].key
    swapped = np.where(days[2].labels == "ant", "bee", days[2].labels).astype(object)
    changed = [*days[:2], LabelledDay(days[2].embedding, swapped)]
    before = predict_days(GRADIENT_BOOSTING, days, [key], voting=VOTING)[""][0][0]
    after = predict_days(GRADIENT_BOOSTING, changed, [key], voting=VOTING)[""][0][0]
    assert before.y_pred.tolist() == after.y_pred.tolist()


def test_only_the_last_week_teaches() -> None:
    """Days before it may hold anything."""
    days = planted_days(PAST_DAYS + 2, hosts=80)
    noisy = np.random.default_rng(0).permutation(days[0].labels)
    key = days[-1].key
    found = [
        predict_days(GRADIENT_BOOSTING, each, [key], voting=VOTING)[""][0][0].y_pred.tolist()
        for each in (days, [LabelledDay(days[0].embedding, noisy), *days[1:]])
    ]
    assert found[0] == found[1]


def test_without_a_past_all_is_unknown_and_with_one_class_all_is_that() -> None:
    """Nothing to learn is no error."""
    first = labelled([[0.0], [1.0], [9.0]], ["a", "a", "b"], key="2021-12-01")
    second = labelled([[0.0], [1.0], [9.0]], ["a", "a", "b"], key="2021-12-02")
    loose = Voting(min_class_hosts=1)
    [[told]] = predict_days(GRADIENT_BOOSTING, [first], voting=loose)[""]
    assert set(told.y_pred) == {"unknown"}
    strict = dataclasses.replace(loose, min_class_hosts=2)
    [[told]] = predict_days(GRADIENT_BOOSTING, [first, second], [second.key], voting=strict)[""]
    assert told.y_pred.tolist() == ["a", "a"]


@pytest.mark.parametrize("absent", [0, 1])
def test_a_column_that_a_format_does_not_carry_is_left_out(absent: int) -> None:
    """Empty columns, as released files have them, and gaps in others."""
    days = []
    for day in planted_days(2, hosts=200):
        rows = day.embedding.vectors.copy()
        rows[:, absent] = np.nan
        rows[::7, 3] = np.nan
        days.append(LabelledDay(dataclasses.replace(day.embedding, vectors=rows), day.labels))
    [[told]] = predict_days(GRADIENT_BOOSTING, days, [days[1].key], voting=VOTING)[""]
    assert score([told]).summary["macro_f1_pooled"] > 0.9
