"""What a host is taken for, and how near is near: hand-made answers and brute force."""

import math
from dataclasses import replace

import numpy as np
import pytest
from evaluation_days import embedding
from hypothesis import given, settings
from hypothesis import strategies as st

from darkgnn_core.evaluation.predictions import PAPER, Voting
from darkgnn_core.evaluation.same_day import same_day_loo
from darkgnn_core.hosts.predicting import (
    DESK,
    MOST_MEMBERS,
    distances_from,
    nearby,
    place_of,
    predict,
    ranks_from,
    standing,
)
from darkgnn_core.neighbours import METRICS, Metric, nearest, prepare

LINE = Voting(k=3, metric="euclidean", standardise=False, min_class_hosts=2)


def on_a_line(*places: float, metric: Metric = "euclidean"):
    """Put hosts on a line."""
    vectors = np.array([[place] for place in places], np.float32)
    return prepare(vectors, metric=metric, standardise=False)


def texts(*labels: str) -> np.ndarray:
    """Return labels as the core has them."""
    return np.array(labels, object)


def test_a_host_within_its_class() -> None:
    """Two of three vote for it, and it lies no farther than the class's own hosts."""
    space = on_a_line(0, 1, 2, 3, 4, 50)
    found = predict(space, 2, texts("unknown", "a", "a", "a", "a", "a"), LINE)
    assert (found.label, found.votes, found.margin, found.k) == ("a", 2, pytest.approx(1 / 3), 3)
    assert found.neighbours == ("a", "a", "unknown")
    assert found.distance == 1.0
    [near] = found.standings
    assert (near.label, near.hosts, near.distance) == ("a", 4, 1.0)
    assert near.distances.tolist() == [1.0, 1.0, 2.0, 46.0]  # of 3, 4, 1 and 50
    assert not near.is_far
    assert found.verdict == "like"
    assert "Within the range of a" in found.sentence


def test_too_far_from_anything_known() -> None:
    """However the vote ends: it lies farther from the class than the class's hosts do."""
    space = on_a_line(0, 1, 2, 3, 100)
    found = predict(space, 4, texts("a", "a", "a", "a", "unknown"), LINE)
    assert found.label == "a"
    assert found.votes == 3
    assert found.verdict == "far"
    [near] = found.standings
    assert (near.distance, near.limit, near.share_nearer) == (97.0, 1.0, 1.0)
    assert found.sentence.startswith("Too far from anything known: the nearest is a")


def test_unknown_neighbours_but_a_class_within_range() -> None:
    """The vote says unknown; the nearest known class is named, and judged by its own hosts."""
    space = on_a_line(0, 1, 2, 2.4, 2.5, 2.6, 2.7)
    labels = texts("a", "a", "a", "unknown", "unknown", "unknown", "unknown")
    found = predict(space, 3, labels, LINE)
    assert found.label == "unknown"
    assert [each.label for each in found.standings] == ["a"]
    assert found.verdict == "like"
    assert "no label" in found.sentence


def test_the_class_that_won_may_be_far_and_another_near() -> None:
    """Two far hosts of a tight class outvote one near host of a wide class."""
    space = on_a_line(0, 10, 20.0, 24.0, 24.01, 30.0)
    labels = texts("wide", "wide", "unknown", "tight", "tight", "wide")
    found = predict(space, 2, labels, Voting(3, "euclidean", False, 2))
    assert found.label == "tight"
    assert [each.label for each in found.standings] == ["tight"]
    assert found.verdict == "far"
    closer = predict(
        on_a_line(0, 10, 20, 24, 24.01, 23), 2, labels, Voting(3, "euclidean", False, 2)
    )
    assert [each.label for each in closer.standings] == ["tight", "wide"]
    assert closer.verdict == "like"
    assert "within the range of wide" in closer.sentence


def test_at_the_desk_three_hosts_make_a_class() -> None:
    """Labels given by hand count at once; the paper's eleven would leave them out."""
    space = on_a_line(0, 1, 2, 1.5, 50)
    for label, voting in (("mine", DESK), ("unknown", PAPER)):
        labels = texts("mine", "mine", "mine", "unknown", "unknown")
        assert predict(space, 3, labels, replace(voting, metric="euclidean")).label == label
    two = predict(space, 3, texts("mine", "mine", "unknown", "unknown", "unknown"), DESK)
    assert two.label == "unknown"


def test_nobody_known() -> None:
    """Without labels, or with classes too small, there is nothing to be near to."""
    space = on_a_line(0, 1, 2)
    for labels in (texts("unknown", "unknown", "unknown"), texts("a", "b", "unknown")):
        found = predict(space, 0, labels, LINE)
        assert found.verdict == "nobody"
        assert found.label == "unknown"
        assert found.standings == ()
    alone = predict(on_a_line(1.0), 0, texts("a"), LINE)
    assert alone.neighbours == ()
    assert alone.distance == math.inf


def test_the_hosts_own_label_does_not_vote() -> None:
    """A host of class b among a is taken for a, and a's hosts are its measure."""
    space = on_a_line(0, 1, 2, 3, 1.5, 90, 91)
    labels = texts("a", "a", "a", "a", "b", "b", "b")
    found = predict(space, 4, labels, LINE)
    assert found.label == "a"
    assert found.standings[0].label == "a"


def test_a_class_of_one_other_host_has_no_distances() -> None:
    """It has no limit, so nothing is too far from it, and no share is told."""
    space = on_a_line(0, 5)
    found = standing(space, 0, np.array([1]), "a")
    assert found.limit == math.inf
    assert math.isnan(found.share_nearer)
    assert not found.is_far


def test_large_classes_are_measured_by_some_of_their_hosts() -> None:
    """Evenly by address, each against the whole class."""
    many = 2 * MOST_MEMBERS + 10
    space = on_a_line(*range(many + 1))
    found = standing(space, many, np.arange(many), "a")
    assert found.hosts == many
    assert len(found.distances) <= MOST_MEMBERS
    assert set(found.distances.tolist()) == {1.0}


@settings(max_examples=15, deadline=None)
@given(st.integers(0, 10_000))
def test_the_vote_is_that_of_the_protocol(seed: int) -> None:
    """Every labelled host gets the label that the paper's protocol gives it."""
    random = np.random.default_rng(seed)
    vectors = random.normal(size=(30, 3)).astype(np.float32)
    labels = random.choice(np.array(["a", "b", "unknown"], object), 30)
    day = embedding(vectors)
    scores = same_day_loo(day, labels, min_class_hosts=2)
    space = prepare(day.vectors)
    for host, predicted, votes, margin in zip(
        scores.hosts, scores.y_pred, scores.votes, scores.margin, strict=True
    ):
        place = place_of(day.hosts, int(host))
        assert place is not None
        found = predict(space, place, labels, Voting(min_class_hosts=2))
        assert (found.label, found.votes) == (predicted, votes)
        assert found.margin == pytest.approx(margin)


@pytest.mark.parametrize("metric", METRICS)
def test_distances_and_ranks_are_those_of_the_search(metric: Metric) -> None:
    """One against all gives what the exact search gives; ranks count who is nearer."""
    random = np.random.default_rng(3)
    vectors = random.normal(size=(40, 5)).astype(np.float32)
    vectors[7] = vectors[8]
    vectors[9] = 0
    space = prepare(vectors, metric=metric, standardise=False)
    found = nearest(vectors, np.array([7]), 39, metric=metric, standardise=False)
    distances = distances_from(space, 7)
    np.testing.assert_allclose(distances[found.positions[0]], found.distances[0], atol=1e-9)
    ranks = ranks_from(space, 7, found.positions[0])
    brute = [1 + sum(distances[j] < distances[i] for j in range(40) if j != 7)
             for i in found.positions[0]]  # fmt: skip
    assert ranks.tolist() == brute
    if metric != "dot":  # a zero or longer row may have the larger product with any other
        assert ranks[0] == 1


def test_nearby_gives_addresses_and_stops_at_the_last() -> None:
    """Nearest first, itself never among them, no more than there are."""
    hosts = np.array([10, 20, 30, 40], np.uint32)
    found = nearby(on_a_line(0, 5, 1, 3), hosts, 0, 10)
    assert found.hosts.tolist() == [30, 40, 20]
    assert found.distances.tolist() == [1.0, 3.0, 5.0]
    assert found.positions.tolist() == [2, 3, 1]
