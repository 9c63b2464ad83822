"""Protocols: what each may know, on days whose answers are planted or counted by hand."""

import dataclasses
from typing import Any

import numpy as np
import pytest
from sklearn import metrics

from darkgnn_core.errors import ConfigError
from darkgnn_core.evaluation.aligning import rotation
from darkgnn_core.evaluation.labelled_days import LabelledDay
from darkgnn_core.evaluation.open_set import (
    alarms_of,
    auroc,
    left_out_classes,
    open_set_day,
    open_set_days,
)
from darkgnn_core.evaluation.past_labels import past_of
from darkgnn_core.evaluation.predictions import DayScores, Voting
from darkgnn_core.evaluation.protocols import (
    FEW_LABELS,
    LABEL_NOISE,
    OPEN_SET,
    PAST_LABELS,
    PROTOCOLS,
    SAME_DAY_LOO,
    UNSEEN_HOSTS,
    UNSEEN_PREFIXES,
    predict_days,
)
from darkgnn_core.evaluation.scores import score
from darkgnn_core.evaluation.weak_labels import flipped
from darkgnn_core.trainers import seed_of
from tests.evaluation_days import FIRST_HOST, labelled, planted_days

LOOSE = Voting(min_class_hosts=2)
LINE = Voting(k=1, metric="euclidean", standardise=False, min_class_hosts=1)


def as_values(day: DayScores) -> list[Any]:
    """Give everything a day's predictions hold, to compare."""
    values = [getattr(day, field.name) for field in dataclasses.fields(day)]
    return [value.tolist() if isinstance(value, np.ndarray) else value for value in values]


def shaken(day: LabelledDay) -> LabelledDay:
    """Give a day other vectors and other labels."""
    random = np.random.default_rng(99)
    vectors = random.standard_normal(day.embedding.vectors.shape).astype(np.float32)
    changed = dataclasses.replace(day.embedding, vectors=vectors)
    return LabelledDay(changed, random.permutation(day.labels))


@pytest.mark.parametrize("protocol", PROTOCOLS.values(), ids=PROTOCOLS.keys())
def test_later_days_change_nothing(protocol: Any) -> None:
    """Other vectors and labels on day 4, or no day 4 at all: days 1 to 3 score the same."""
    days = planted_days(4)
    keys = [day.key for day in days[:3]]
    expected = predict_days(protocol, days, keys, voting=LOOSE)
    for others in ([*days[:3], shaken(days[3])], days[:3]):
        found = predict_days(protocol, others, keys, voting=LOOSE)
        assert found.keys() == expected.keys()
        for variant, draws in expected.items():
            for draw, other in zip(draws, found[variant], strict=True):
                assert list(map(as_values, draw)) == list(map(as_values, other))


@pytest.mark.parametrize("protocol", PROTOCOLS.values(), ids=PROTOCOLS.keys())
def test_planted_classes_are_found_on_days_after_the_first(protocol: Any) -> None:
    """Groups that lie apart score above 0.95 (with a fifth of the labels flipped above 0.75)."""
    days = planted_days(5, hosts=400)
    keys = [day.key for day in days[1:]]
    found = predict_days(protocol, days, keys, voting=Voting(min_class_hosts=3))
    floor = 0.75 if protocol in (LABEL_NOISE, OPEN_SET) else 0.95
    for variant, draws in found.items():
        for draw in draws:
            assert [each.key for each in draw] == keys
            assert score(draw).summary["macro_f1_pooled"] > floor, variant


def test_labels_of_the_day_itself_are_no_help_to_past_labels() -> None:
    """Day 2 has swapped labels: told by day 1 all are wrong, told by the same day all right."""
    rows = [[0.0], [0.1], [9.0], [9.1]]
    days = [
        labelled(rows, ["a", "a", "b", "b"], key="2021-12-01"),
        labelled(rows, ["b", "b", "a", "a"], key="2021-12-02"),
    ]
    [[[past]]] = [predict_days(PAST_LABELS, days, ["2021-12-02"], voting=LINE)["as stored"]]
    [[same]] = predict_days(SAME_DAY_LOO, days, ["2021-12-02"], voting=LINE)[""]
    assert past.y_pred.tolist() == ["a", "a", "b", "b"]
    assert same.y_pred.tolist() == ["b", "b", "a", "a"]


def test_classes_too_small_on_their_own_day_do_not_vote_later() -> None:
    """Two hosts a class are asked: a class of one on day 1 has no vote on day 2."""
    voting = dataclasses.replace(LINE, min_class_hosts=2)
    days = [
        labelled([[0.0], [5.0], [5.1]], ["a", "b", "b"], key="2021-12-01"),
        labelled([[0.0], [0.1], [5.0]], ["a", "a", "b"], key="2021-12-02"),
    ]
    [[day]] = predict_days(PAST_LABELS, days, ["2021-12-02"], voting=voting)["as stored"]
    assert day.y_true.tolist() == ["a", "a"]
    assert day.y_pred.tolist() == ["b", "b"]


def test_a_first_day_has_no_past_and_all_is_unknown() -> None:
    """Without earlier days past labels tell nothing, without an error."""
    [day] = planted_days(1)
    for protocol in (PAST_LABELS, UNSEEN_HOSTS, UNSEEN_PREFIXES):
        for draws in predict_days(protocol, [day], voting=LOOSE).values():
            assert set(draws[0][0].y_pred) == {"unknown"}


def test_aligned_days_are_read_where_turned_days_are_not() -> None:
    """Each day turned by a rotation of its own: as stored near chance, aligned near perfect."""
    random = np.random.default_rng(8)
    days = []
    for day in planted_days(4, hosts=240):
        turn, _ = np.linalg.qr(random.standard_normal((8, 8)))
        vectors = (day.embedding.vectors @ turn).astype(np.float32)
        turned = dataclasses.replace(day.embedding, vectors=vectors)
        days.append(LabelledDay(turned, day.labels))
    voting = dataclasses.replace(LOOSE, standardise=False)
    found = predict_days(PAST_LABELS, days, [days[-1].key], voting=voting)
    means = {name: score(draws[0]).summary["macro_f1_mean"] for name, draws in found.items()}
    assert means["aligned"] > 0.95
    assert means["as stored"] < 0.8


def test_a_rotation_is_found_from_hosts_on_both_days() -> None:
    """Rows turned by a known rotation are turned back; too few shared hosts tell none."""
    random = np.random.default_rng(3)
    turn, _ = np.linalg.qr(random.standard_normal((5, 5)))
    rows = random.standard_normal((40, 5)).astype(np.float32)
    hosts = np.arange(40, dtype=np.uint32)
    found = rotation(hosts, (rows @ turn).astype(np.float32), hosts[10:], rows[10:])
    assert found == pytest.approx(turn.T, abs=1e-5)
    assert rotation(hosts, rows, hosts[36:], rows[36:]) is None


def test_days_that_share_too_few_hosts_are_left_out_when_aligned() -> None:
    """Such a day is counted, and votes only where days are taken as stored."""
    days = planted_days(2)
    moved = dataclasses.replace(days[0].embedding, hosts=days[0].embedding.hosts + 1_000_000)
    apart = [LabelledDay(moved, days[0].labels), days[1]]
    assert past_of(apart, LOOSE, "aligned").days_left_out == 1
    assert len(past_of(apart, LOOSE, "aligned").hosts) == 0
    assert len(past_of(apart, LOOSE, "as stored").hosts) == (days[0].labels != "unknown").sum()


def test_unseen_hosts_are_scored_alone() -> None:
    """Of three labelled hosts one was there before, though unlabelled: two are scored."""
    days = [
        labelled([[0.0], [9.0], [1.0]], ["a", "b", "unknown"], key="2021-12-01"),
        labelled(
            [[1.0], [0.2], [9.2]],
            ["a", "a", "b"],
            key="2021-12-02",
            hosts=[FIRST_HOST + 2, FIRST_HOST + 8, FIRST_HOST + 9],
        ),
    ]
    [[day]] = predict_days(UNSEEN_HOSTS, days, ["2021-12-02"], voting=LINE)["as stored"]
    assert day.hosts.tolist() == [FIRST_HOST + 8, FIRST_HOST + 9]
    assert day.y_pred.tolist() == ["a", "b"]


def test_a_held_out_prefix_has_no_vote() -> None:
    """The twin next door says a, the nearest host of another /24 says b: b it is."""
    twin, other = FIRST_HOST + 1, FIRST_HOST + 256
    days = [
        labelled([[0.0], [1.0]], ["a", "b"], key="2021-12-01", hosts=[twin, other]),
        labelled([[0.0]], ["a"], key="2021-12-02", hosts=[FIRST_HOST]),
    ]
    [[held]] = predict_days(UNSEEN_PREFIXES, days, ["2021-12-02"], voting=LINE)["as stored"]
    [[past]] = predict_days(PAST_LABELS, days, ["2021-12-02"], voting=LINE)["as stored"]
    assert held.y_pred.tolist() == ["b"]
    assert past.y_pred.tolist() == ["a"]


def test_few_labels_know_few_and_score_the_others() -> None:
    """Of each class 1, 3, 5 or 10 hosts are known, five draws each; all others are scored."""
    [day] = planted_days(1, hosts=200)
    sizes = {name: int((day.labels == name).sum()) for name in ("ant", "bee", "cow")}
    found = predict_days(FEW_LABELS, [day], voting=Voting(min_class_hosts=3))
    assert list(found) == [f"{count} labels a class" for count in (1, 3, 5, 10)]
    for count, draws in zip((1, 3, 5, 10), found.values(), strict=True):
        assert len(draws) == 5
        for [draw] in draws:
            for name, size in sizes.items():
                assert (draw.y_true == name).sum() == size - count
        assert len({tuple(draw.hosts) for [draw] in draws}) == 5


def test_a_small_class_keeps_a_host_to_score() -> None:
    """Of two hosts one is known and one is scored, however many labels are asked."""
    day = labelled([[0.0], [0.1], [9.0], [9.1]], ["a", "a", "b", "b"])
    for draws in predict_days(FEW_LABELS, [day], voting=LINE).values():
        for [draw] in draws:
            assert sorted(draw.y_true) == ["a", "b"]
            assert (draw.y_pred == draw.y_true).all()


def test_flipped_labels_are_as_many_as_said_and_of_other_classes() -> None:
    """A tenth of 100 known labels is another class; unknown ones stay; one class cannot flip."""
    labels = np.array(["a"] * 50 + ["b"] * 30 + ["c"] * 20 + ["unknown"] * 7, object)
    changed = flipped(labels, 0.1, seed_of(1))
    assert (changed != labels).sum() == 10
    assert set(changed[changed != labels]) <= {"a", "b", "c"}
    assert (changed[100:] == "unknown").all()
    assert (flipped(labels[:50], 0.2, seed_of(1)) == labels[:50]).all()


def test_more_noise_scores_less_against_the_right_labels() -> None:
    """The mean over draws falls from 5 to 10 to 20 % flipped."""
    [day] = planted_days(1, hosts=400)
    found = predict_days(LABEL_NOISE, [day], voting=Voting(k=1, min_class_hosts=3))
    means = [
        np.mean([score(draw).summary["macro_f1_mean"] for draw in draws])
        for draws in found.values()
    ]
    assert list(found) == ["5% flipped", "10% flipped", "20% flipped"]
    assert means == sorted(means, reverse=True)
    assert means == pytest.approx([0.95, 0.9, 0.8], abs=0.04)


def test_open_set_abstains_far_away_and_counts_alarms() -> None:
    """Learned on day 1: near is within 1. On day 2 one unknown is near (alarm), one far."""
    rows = [[0], [1], [2], [90], [91], [92]]
    days = [
        labelled(rows, ["a"] * 3 + ["b"] * 3, key="2021-12-01"),
        labelled(
            [*rows, [0.5], [50], [120]],
            ["a"] * 3 + ["b"] * 3 + ["unknown"] * 2 + ["b"],
            key="2021-12-02",
        ),
    ]
    day = open_set_day(days, LINE)
    assert day.threshold == 1.0
    assert (day.unknown_hosts, day.alarms, day.abstained) == (2, 1, 1)
    assert day.scores.y_pred.tolist() == ["a"] * 3 + ["b"] * 3 + ["a", "unknown", "unknown"]
    assert score([day.scores]).by_class.set_index("label").loc["a", "precision"] == 0.75
    assert day.left_out["label"].tolist() == ["a", "b"]
    assert day.left_out["auroc"].tolist() == [1.0, 1.0]
    assert day.left_out["fpr_at_95_tpr"].tolist() == [0.0, 0.0]
    assert open_set_day(days[:1], LINE).threshold == float("inf")


def test_what_open_set_days_come_to() -> None:
    """Shares are of all days together; a class held out is looked at over all known hosts."""
    days = planted_days(4, hosts=200)
    keys = [day.key for day in days[1:]]
    found = open_set_days(days, keys, LOOSE)
    assert [day.scores.key for day in found] == keys
    for day in found:
        alone = open_set_day([each for each in days if each.key <= day.scores.key], LOOSE)
        assert as_values(alone.scores) == as_values(day.scores)
    total = alarms_of(found)
    assert total["alarm_share"] == sum(day.alarms for day in found) / total["unknown_hosts"]
    assert total["auroc"] == pytest.approx(np.mean([day.left_out["auroc"].mean() for day in found]))
    classes = left_out_classes(found).set_index("label")
    assert set(classes.index) == {"ant", "bee", "cow"}
    assert (classes["days"] == 3).all()


def test_auroc_is_that_of_scikit_learn() -> None:
    """With level values too."""
    random = np.random.default_rng(0)
    low, high = random.integers(0, 20, 300) / 4, random.integers(5, 25, 200) / 4
    truth = np.repeat([0, 1], [300, 200])
    expected = metrics.roc_auc_score(truth, np.concatenate([low, high]))
    assert auroc(low, high) == pytest.approx(expected)


def test_the_same_seed_draws_the_same_and_another_seed_another() -> None:
    """Draws are told by the seed, the day and the number of the draw."""
    [day] = planted_days(1)
    found = [predict_days(FEW_LABELS, [day], voting=LOOSE, seed=seed) for seed in (1, 1, 2)]
    hosts = [each["3 labels a class"][0][0].hosts.tolist() for each in found]
    assert hosts[0] == hosts[1] != hosts[2]


def test_days_that_are_not_there_or_out_of_order_are_refused() -> None:
    """Both are named."""
    days = planted_days(2)
    for given_days, keys in ((days[::-1], None), (days, ["2020-01-01"])):
        with pytest.raises(ConfigError) as heard:
            predict_days(SAME_DAY_LOO, given_days, keys)
        assert heard.value.code == "EVALUATION"
    with pytest.raises(ConfigError):
        LabelledDay(days[0].embedding, days[0].labels[:-1])


def test_how_far_it_is_is_told_and_raising_stops_it() -> None:
    """Each scored day is told before it, the end after it; an error in the listener ends it."""
    days = planted_days(4)
    heard: list[tuple[int, int, str]] = []
    predict_days(
        SAME_DAY_LOO,
        days,
        ["2021-12-02", "2021-12-04"],
        voting=LOOSE,
        told=lambda *each: heard.append(each),
    )
    assert heard == [(0, 2, "2021-12-02"), (1, 2, "2021-12-04"), (2, 2, "")]

    def stop(done: int, total: int, what: str) -> None:
        heard.append((done, total, what))
        if done == 1:
            raise InterruptedError

    heard.clear()
    with pytest.raises(InterruptedError):
        predict_days(SAME_DAY_LOO, days, voting=LOOSE, told=stop)
    assert len(heard) == 2
