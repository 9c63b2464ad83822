"""Labels given by analysts: add, replace, withdraw, undo, redo, and a history of it all."""

from pathlib import Path

import pytest

from darkgnn_core.catalogue import open_catalogue
from darkgnn_core.errors import LabelError
from darkgnn_core.labels.analyst import add_labels, undo, withdraw
from darkgnn_core.labels.store import history
from darkgnn_core.labels.targets import parse_target

HOST = parse_target("192.0.2.1")
OTHER = parse_target("192.0.2.2")


@pytest.fixture
def catalogue():
    """Give an empty catalogue in memory."""
    connection = open_catalogue(Path(":memory:"))
    yield connection
    connection.close()


def standing(catalogue):
    """Return the labels that stand, by first address."""
    rows = catalogue.execute(
        "SELECT first_ip, label FROM label WHERE withdrawn_at IS NULL ORDER BY first_ip, id"
    )
    return [tuple(row) for row in rows]


def test_a_label_keeps_reason_confidence_run_and_time(catalogue):
    """Everything an analyst says with a label is in its row."""
    add_labels(
        catalogue, [HOST], "Worm X", reason="same  ports,\nsame rhythm", confidence=0.8, run="run-1"
    )
    (row,) = history(catalogue)
    assert (row["label"], row["raw_label"], row["confidence"]) == ("worm x", "Worm X", 0.8)
    assert (row["evidence"], row["run"], row["withdrawn_at"]) == (
        "same ports, same rhythm", "run-1", None
    )  # fmt: skip
    assert row["added_at"].endswith("+00:00")


def test_a_new_label_takes_the_place_of_the_old_one(catalogue):
    """Labelling again withdraws; the history has both."""
    add_labels(catalogue, [HOST, OTHER, HOST], "one")
    change = add_labels(catalogue, [HOST], "two")
    assert len(change.added) == len(change.withdrawn) == 1
    assert standing(catalogue) == [(HOST.first_ip, "two"), (OTHER.first_ip, "one")]
    assert len(history(catalogue)) == 3


def test_labels_of_a_day_stand_beside_each_other(catalogue):
    """A label bound to a day replaces only that day's; one for good replaces all."""
    add_labels(catalogue, [HOST], "one", day="2021-12-01")
    assert add_labels(catalogue, [HOST], "two", day="2021-12-02").withdrawn == ()
    assert len(add_labels(catalogue, [HOST], "three", day="2021-12-02").withdrawn) == 1
    assert len(add_labels(catalogue, [HOST], "four").withdrawn) == 2


def test_undo_and_redo(catalogue):
    """Undo brings back what was there; undoing the undo is redo; the history grows."""
    add_labels(catalogue, [HOST], "one")
    change = add_labels(catalogue, [HOST, OTHER], "two")
    undone = undo(catalogue, change)
    assert standing(catalogue) == [(HOST.first_ip, "one")]
    undo(catalogue, undone)
    assert standing(catalogue) == [(HOST.first_ip, "two"), (OTHER.first_ip, "two")]
    assert len(history(catalogue)) == 6


def test_undoing_twice_is_refused_and_changes_nothing(catalogue):
    """A change that no longer stands can't be undone."""
    change = add_labels(catalogue, [HOST], "one")
    undo(catalogue, change)
    before = history(catalogue)
    with pytest.raises(LabelError) as caught:
        undo(catalogue, change)
    assert caught.value.code == "NO-LABEL"
    assert history(catalogue) == before


def test_withdrawn_labels_stay_in_the_history(catalogue):
    """Withdrawing marks the row with a time; a second time is refused."""
    change = add_labels(catalogue, [HOST, OTHER], "one")
    withdraw(catalogue, change.added[:1])
    assert standing(catalogue) == [(OTHER.first_ip, "one")]
    assert history(catalogue, address=HOST.first_ip)[0]["withdrawn_at"] is not None
    with pytest.raises(LabelError):
        withdraw(catalogue, change.added)
    assert standing(catalogue) == [(OTHER.first_ip, "one")]


@pytest.mark.parametrize(
    ("targets", "label", "options", "code"),
    [
        ([HOST], "a\u200b", {}, "LABEL"),
        ([HOST], "Unknown", {}, "LABEL"),
        ([], "a", {}, "LIMIT"),
        ([HOST], "a", {"confidence": 1.5}, "VALUE"),
        ([HOST], "a", {"confidence": float("nan")}, "VALUE"),
        ([HOST], "a", {"run": "../x"}, "VALUE"),
        ([HOST], "a", {"reason": "x" * 2001}, "VALUE"),
        ([HOST], "a", {"reason": "\u202e"}, "VALUE"),
        ([HOST], "a", {"day": "soon"}, "VALUE"),
        ([parse_target("198.51.0.0/16")], "a", {}, "WIDE"),
    ],
)
def test_what_can_not_be_kept_is_refused(catalogue, targets, label, options, code):
    """Each value is checked before anything is written."""
    with pytest.raises(LabelError) as caught:
        add_labels(catalogue, targets, label, **options)
    assert caught.value.code == code
    assert history(catalogue) == []


def test_a_wide_prefix_needs_a_yes(catalogue):
    """With the yes it is one label."""
    wide = parse_target("198.51.0.0/16")
    assert len(add_labels(catalogue, [wide], "a", allow_wide=True).added) == 1
