"""The paper's protocol: counted by hand, against a plain loop, and without a look at later days."""

from collections import Counter
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from darkgnn_core.errors import ConfigError
from darkgnn_core.evaluation.predictions import Voting, vote, without_small_classes
from darkgnn_core.evaluation.same_day import same_day_loo, score_same_day
from darkgnn_core.evaluation.scores import score
from tests.evaluation_days import embedding

SIX = [[0.0], [1.0], [2.1], [10.0], [11.0], [12.1]]
SIX_LABELS = ["a", "a", "a", "b", "b", "a"]


def test_six_hosts_have_the_f1_that_is_counted_by_hand() -> None:
    """On a line, each host is told by its 3 nearest: 3 right a, 2 missed b, 1 missed a.

    Neighbours: 0 -> 1, 2, 10 (a a b: a); 1 -> 0, 2, 10 (a); 2.1 -> 1, 0, 10 (a);
    10 -> 11, 12.1, 2.1 (b a a: a, wrong); 11 -> 10, 12.1, 2.1 (b a a: a, wrong);
    12.1 -> 11, 10, 2.1 (b b a: b, wrong). So a: 3 hits, 4 hosts, 5 alarms, F1 = 6 / 9;
    b: 0 hits, 2 hosts, 1 alarm, F1 = 0.
    """
    day = same_day_loo(embedding(SIX), SIX_LABELS, metric="euclidean", min_class_hosts=1)
    assert day.y_pred.tolist() == ["a", "a", "a", "a", "a", "b"]
    assert day.votes.tolist() == [2, 2, 2, 2, 2, 2]
    assert day.margin == pytest.approx(np.full(6, 1 / 3))
    scores = score([day])
    assert scores.by_class["f1"].tolist() == pytest.approx([2 / 3, 0])
    assert scores.by_class["support"].tolist() == [4, 2]
    assert scores.summary["macro_f1_mean"] == pytest.approx(1 / 3)
    assert scores.summary["accuracy_pooled"] == pytest.approx(0.5)


def test_unknown_hosts_vote_and_are_not_scored() -> None:
    """Two unknown hosts beside a labelled one win its vote; their own labels are not asked."""
    day = same_day_loo(
        embedding([[0.0], [0.1], [0.2], [9.0], [9.1], [9.2], [9.3]]),
        ["a", "unknown", "unknown", "a", "a", "a", "a"],
        metric="euclidean",
        min_class_hosts=2,
    )
    assert day.y_true.tolist() == ["a"] * 5
    assert day.y_pred.tolist() == ["unknown", "a", "a", "a", "a"]
    assert score([day]).confusion.loc["a"].to_dict() == {"a": 4, "unknown": 1}


@pytest.mark.parametrize(("hosts", "is_scored"), [(10, False), (11, True)])
def test_classes_below_eleven_hosts_are_unknown(hosts: int, is_scored: bool) -> None:
    """With 10 hosts on the day a class is unknown, with 11 it is scored."""
    rows = np.arange(hosts + 12, dtype=float)[:, None]
    day = same_day_loo(embedding(rows), ["small"] * hosts + ["large"] * 12)
    assert ("small" in day.y_true) == is_scored
    assert (~np.isin(day.y_pred, ["small"])).all() or is_scored
    assert without_small_classes(np.array(["x"] * hosts, object), 11)[0] == (
        "x" if is_scored else "unknown"
    )


def test_level_votes_go_to_the_nearest_or_by_the_alphabet() -> None:
    """Three neighbours, three labels: the nearest wins; as released, the first by name."""
    rows = [[0.0], [1.0], [2.0], [3.0]]
    labels = ["z", "c", "b", "a"]
    settings_of = {"k": 3, "metric": "euclidean", "min_class_hosts": 1}
    assert same_day_loo(embedding(rows), labels, **settings_of).y_pred[0] == "c"
    released = same_day_loo(embedding(rows), labels, ties="alphabetical", **settings_of)
    assert released.y_pred[0] == "a"
    assert released.margin[0] == 0
    assert released.votes[0] == 1


@given(
    st.lists(st.lists(st.integers(-1, 4), min_size=5, max_size=5), min_size=1, max_size=20),
    st.sampled_from(["nearest", "alphabetical"]),
)
@settings(max_examples=100, deadline=None)
def test_votes_are_those_of_a_plain_count(rows: list[list[int]], ties: Any) -> None:
    """Winner, votes and margin of every row are what counting one by one gives."""
    rows = [sorted(row, key=lambda code: code == -1) for row in rows]  # nobody comes last
    found = vote(np.array(rows), ties)
    for at, row in enumerate(rows):
        counts = Counter(code for code in row if code >= 0)
        if not counts:
            assert found.winner[at] == -1
            assert found.votes[at] == 0
            continue
        most = max(counts.values())
        level = [code for code in row if counts[code] == most]
        winner = level[0] if ties == "nearest" else min(level)
        second = max((n for code, n in counts.items() if code != winner), default=0)
        assert (found.winner[at], found.votes[at]) == (winner, most)
        assert found.margin[at] == pytest.approx((most - second) / 5)


def test_a_day_agrees_with_a_plain_loop() -> None:
    """400 hosts of 5 labels: cosine of standardised vectors, one by one, gives the same."""
    random = np.random.default_rng(2)
    rows = random.standard_normal((400, 6)).astype(np.float32)
    labels = random.choice(["a", "b", "c", "few", "unknown"], 400, p=[0.4, 0.3, 0.1, 0.01, 0.19])
    day = same_day_loo(embedding(rows), list(labels))
    scaled = rows.astype(np.float64)
    scaled = (scaled - scaled.mean(axis=0)) / scaled.std(axis=0)
    scaled /= np.linalg.norm(scaled, axis=1, keepdims=True)
    voters = ["unknown" if each == "few" else each for each in labels]
    expected = []
    for host in range(400):
        if voters[host] == "unknown":
            continue
        apart = 1 - scaled @ scaled[host]
        apart[host] = np.inf
        near = [voters[other] for other in np.argsort(apart)[:3]]
        expected.append(max(near, key=near.count))  # the first of level ones is the nearest
    assert day.y_pred.tolist() == expected
    assert 0 < (labels == "few").sum() < 11


def test_hosts_next_door_can_be_kept_from_voting() -> None:
    """Two /24, a class each: told by itself a prefix is all right, told by the other all wrong."""
    hosts = [0xC6336400 + n for n in range(12)] + [0xCB007100 + n for n in range(12)]
    rows = [[0.0, n] for n in range(12)] + [[100.0, n] for n in range(12)]
    day = embedding(rows, hosts=hosts)
    labels = np.array(["a"] * 12 + ["b"] * 12, object)
    near = score_same_day(day, labels, Voting(metric="euclidean"))
    far = score_same_day(day, labels, Voting(metric="euclidean", leaves_out_prefix=True))
    assert (near.y_pred == near.y_true).all()
    assert (far.y_pred != far.y_true).all()
    assert far.variant == "other /24 only"


def test_a_day_without_labels_or_hosts_has_nothing_to_score() -> None:
    """No predictions, and scores that say NaN rather than 0."""
    for rows, labels in (([[1.0], [2.0]], ["unknown"] * 2), (np.empty((0, 1)), [])):
        day = same_day_loo(embedding(rows), labels)
        assert day.y_pred.shape == (0,)
        scores = score([day])
        assert scores.by_class.empty
        assert np.isnan(scores.summary["macro_f1_mean"])


@pytest.mark.parametrize(
    "wrong", [{"k": 0}, {"metric": "manhattan"}, {"ties": "random"}, {"min_class_hosts": 0}]
)
def test_settings_outside_what_they_may_be_are_refused(wrong: dict[str, Any]) -> None:
    """Each is named in the message."""
    with pytest.raises(ConfigError, match=next(iter(wrong))):
        same_day_loo(embedding(SIX), SIX_LABELS, **wrong)
