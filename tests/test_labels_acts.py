"""Acts of labelling are undone one after another and done again, also after a restart."""

import sqlite3
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from darkgnn_core.errors import LabelError
from darkgnn_core.labels.acts import (
    MOST_ACTS,
    forget,
    read_acts,
    redo_last,
    remember,
    undo_last,
)
from darkgnn_core.labels.analyst import SOURCE_ID, add_labels, withdraw
from darkgnn_core.labels.store import standing_labels
from darkgnn_core.labels.targets import parse_target
from darkgnn_core.workspace import Workspace, open_workspace

HOSTS = ("192.0.2.1", "192.0.2.2", "192.0.2.3")
LABELS = ("worm", "scanner")


@pytest.fixture
def workspace(tmp_path: Path) -> Workspace:
    """One that is empty."""
    return open_workspace(tmp_path / "workspace")


@pytest.fixture
def connection(workspace: Workspace) -> Iterator[sqlite3.Connection]:
    """Its catalogue."""
    with workspace.catalogue() as opened:
        yield opened


def act(connection: sqlite3.Connection, hosts: tuple[str, ...], label: str) -> None:
    """Label hosts and remember it."""
    change = add_labels(connection, [parse_target(host) for host in hosts], label)
    remember(connection, change, f"{len(hosts)} {label}")


def now(connection: sqlite3.Connection) -> list[tuple[int, str]]:
    """Return the labels that stand."""
    rows = standing_labels(connection, SOURCE_ID)
    return sorted((row["first_ip"], row["label"]) for row in rows)


@given(
    st.lists(
        st.one_of(
            st.tuples(st.sets(st.sampled_from(HOSTS), min_size=1), st.sampled_from(LABELS)),
            st.sampled_from(["undo", "redo"]),
        ),
        max_size=12,
    )
)
def test_undo_and_redo_are_those_of_a_list_of_states(
    tmp_path_factory: pytest.TempPathFactory,
    steps: list[tuple[set[str], str] | str],
) -> None:
    """Whatever is labelled over what, undone and done again: the labels are those of that time."""
    workspace = open_workspace(tmp_path_factory.mktemp("acts") / "workspace")
    with workspace.catalogue() as connection:
        states, at = [now(connection)], 0
        for step in steps:
            if step == "undo":
                assert (undo_last(connection) is None) == (at == 0)
                at = max(0, at - 1)
            elif step == "redo":
                assert (redo_last(connection) is None) == (at == len(states) - 1)
                at = min(len(states) - 1, at + 1)
            else:
                hosts, label = step
                act(connection, tuple(sorted(hosts)), str(label))
                states, at = [*states[: at + 1], now(connection)], at + 1
            assert now(connection) == states[at]


def test_acts_are_there_after_a_restart(
    workspace: Workspace, connection: sqlite3.Connection
) -> None:
    """What they were and when; the undo works in another session."""
    act(connection, HOSTS, "worm")
    act(connection, HOSTS[:1], "scanner")
    with open_workspace(workspace.root).catalogue() as other:
        assert [each.what for each in read_acts(other).done] == ["3 worm", "1 scanner"]
        assert undo_last(other) == "1 scanner"
        assert [label for _, label in now(other)] == ["worm"] * 3
        assert [each.what for each in read_acts(other).undone] == ["1 scanner"]


def test_what_was_changed_by_other_means_is_refused_and_can_be_forgotten(
    connection: sqlite3.Connection,
) -> None:
    """Nothing is half undone."""
    act(connection, HOSTS, "worm")
    before = standing_labels(connection, SOURCE_ID)
    withdraw(connection, [before[0]["id"]])
    with pytest.raises(LabelError, match="NO-LABEL"):
        undo_last(connection)
    assert len(now(connection)) == 2
    forget(connection)
    assert undo_last(connection) is None
    assert len(now(connection)) == 2


def test_only_the_last_acts_are_kept(connection: sqlite3.Connection) -> None:
    """The oldest go first."""
    for turn in range(MOST_ACTS + 3):
        act(connection, HOSTS, LABELS[turn % 2])
    acts = read_acts(connection).done
    assert len(acts) == MOST_ACTS
    assert acts[-1].change.added == tuple(
        sorted(row["id"] for row in standing_labels(connection, SOURCE_ID))
    )
