"""Baselines without an embedding, and labels from the workspace's store."""

from pathlib import Path

import numpy as np
import pytest

from darkgnn_core.evaluation.labelled_days import LabelScope, labelled_days
from darkgnn_core.evaluation.predictions import Voting
from darkgnn_core.evaluation.protocols import DUMMIES, predict_days
from darkgnn_core.evaluation.scores import score
from darkgnn_core.labels.analyst import add_labels
from darkgnn_core.labels.store import add_list
from darkgnn_core.labels.targets import parse_target
from darkgnn_core.workspace import open_workspace
from tests.evaluation_days import FIRST_HOST, embedding, labelled, planted_days

LOOSE = Voting(min_class_hosts=1)


def test_the_last_label_is_that_of_the_latest_day_with_one() -> None:
    """A then B is B; unlabelled yesterday falls back to the day before; never seen is unknown."""
    rows = np.zeros((3, 1))
    days = [
        labelled(rows, ["a", "a", "unknown"], key="2021-12-01"),
        labelled(rows, ["b", "unknown", "unknown"], key="2021-12-02"),
        labelled(rows, ["a", "a", "a"], key="2021-12-03"),
    ]
    [[day]] = predict_days(DUMMIES["last_label"], days, ["2021-12-03"], voting=LOOSE)[""]
    assert day.y_pred.tolist() == ["b", "a", "unknown"]


def test_the_majority_of_a_prefix_leaves_the_host_itself_out() -> None:
    """Same day: the others of the /24 vote, level ones by name; earlier days: all of it."""
    hosts = [FIRST_HOST, FIRST_HOST + 1, FIRST_HOST + 2, FIRST_HOST + 256]
    days = [
        labelled(np.zeros((2, 1)), ["c", "c"], key="2021-12-01", hosts=hosts[2:]),
        labelled(np.zeros((4, 1)), ["a", "b", "b", "a"], key="2021-12-02", hosts=hosts),
    ]
    found = predict_days(DUMMIES["prefix_majority"], days, ["2021-12-02"], voting=LOOSE)
    assert found["same day"][0][0].y_pred.tolist() == ["b", "a", "a", "unknown"]
    assert found["same day"][0][0].confidence.tolist() == pytest.approx([1, 0.5, 0.5, 0])
    assert found["earlier days"][0][0].y_pred.tolist() == ["c"] * 4


def test_the_dummy_guesses_as_often_as_labels_are() -> None:
    """Of 300 a and 100 b: about a quarter guessed b, macro F1 near a half, same seed same guess."""
    day = labelled(np.zeros((400, 1)), ["a"] * 300 + ["b"] * 100)
    [[told]] = predict_days(DUMMIES["stratified_dummy"], [day])[""]
    assert (told.y_pred == "b").mean() == pytest.approx(0.25, abs=0.06)
    assert score([told]).summary["macro_f1_mean"] == pytest.approx(0.5, abs=0.08)
    [[again]] = predict_days(DUMMIES["stratified_dummy"], [day])[""]
    assert (again.y_pred == told.y_pred).all()


@pytest.mark.parametrize("protocol", DUMMIES.values(), ids=DUMMIES.keys())
def test_baselines_look_at_no_later_day_and_bear_a_day_without_labels(protocol) -> None:
    """Day 3 changes nothing of days 1 and 2; without labels there is nothing to tell."""
    days = planted_days(3)
    keys = [day.key for day in days[:2]]
    with_later = predict_days(protocol, days, keys)
    without = predict_days(protocol, days[:2], keys)
    for variant, draws in with_later.items():
        for one, other in zip(draws[0], without[variant][0], strict=True):
            assert one.y_pred.tolist() == other.y_pred.tolist()
    bare = labelled(np.zeros((2, 1)), ["unknown"] * 2)
    for draws in predict_days(protocol, [bare]).values():
        assert draws[0][0].y_pred.shape == (0,)


def test_labels_come_from_the_store_as_of_the_day(tmp_path: Path) -> None:
    """A label bound to day 2 counts on day 2 alone, and on all days where all claims count."""
    workspace = open_workspace(tmp_path / "w")
    hosts = [FIRST_HOST, FIRST_HOST + 1, FIRST_HOST + 2]
    with workspace.catalogue() as connection:
        add_labels(connection, [parse_target("198.51.100.0")], "Censys")
        add_labels(connection, [parse_target("198.51.100.1")], "mirai", day="2021-12-02")
    keys = ["2021-12-01", "2021-12-02"]

    def read(key: str):
        return embedding(np.zeros((3, 1)), key=key, hosts=hosts)

    days = labelled_days(workspace, read, keys, counts_analysts=True)
    assert [day.labels.tolist() for day in days] == [
        ["censys", "unknown", "unknown"],
        ["censys", "mirai", "unknown"],
    ]
    whole = labelled_days(workspace, read, keys, scope="all", counts_analysts=True)
    assert [day.labels.tolist() for day in whole] == [["censys", "mirai", "unknown"]] * 2


@pytest.mark.parametrize("scope", ["day", "all"])
def test_labels_by_hand_do_not_count_unless_asked_for(tmp_path: Path, scope: LabelScope) -> None:
    """Whoever labels cannot grade: a list's label stands again where a hand had covered it."""
    workspace = open_workspace(tmp_path / "w")
    hosts = [FIRST_HOST, FIRST_HOST + 1]
    with workspace.catalogue() as connection:
        add_list(connection, b"src_ip,label\n198.51.100.0,Censys\n", name="list.csv")
        both = [parse_target("198.51.100.0"), parse_target("198.51.100.1")]
        add_labels(connection, both, "mirai")

    def read(key: str):
        return embedding(np.zeros((2, 1)), key=key, hosts=hosts)

    for counts_analysts, labels in ((False, ["censys", "unknown"]), (True, ["mirai"] * 2)):
        [day] = labelled_days(
            workspace, read, ["2021-12-01"], scope=scope, counts_analysts=counts_analysts
        )
        assert day.labels.tolist() == labels
