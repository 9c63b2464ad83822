"""Suggested labels accepted and turned down, and both taken back."""

from pathlib import Path

import numpy as np
import pytest

from darkgnn_core.errors import LabelError
from darkgnn_core.labels.analyst import SOURCE_ID, undo
from darkgnn_core.labels.resolving import resolve
from darkgnn_core.labels.store import standing_labels
from darkgnn_core.labels.verdicts import (
    Suggested,
    accept,
    list_rejections,
    reject,
    rejected_pairs,
    verdict_state,
    withdraw_rejections,
)
from darkgnn_core.workspace import Workspace, open_workspace

THREE = [Suggested(1, "mirai", 5, 7), Suggested(2, "mirai", 7, 7), Suggested(3, "censys", 5, 7)]
HOSTS = np.array([1, 2, 3], np.uint32)


@pytest.fixture
def workspace(tmp_path: Path) -> Workspace:
    """An empty workspace."""
    return open_workspace(tmp_path / "w")


def test_accepted_labels_count_at_once_and_are_undone(workspace: Workspace) -> None:
    """With the votes as how sure, the run, and a reason; one undo takes all of them back."""
    with workspace.catalogue() as connection:
        change = accept(connection, THREE, run="r1", seen_on="2021-12-01", day="2021-12-01")
        rows = {row["first_ip"]: row for row in standing_labels(connection, SOURCE_ID)}
        assert resolve(connection, HOSTS).labels.tolist() == ["mirai", "mirai", "censys"]
        assert [rows[host]["confidence"] for host in (1, 2, 3)] == [5 / 7, 1.0, 5 / 7]
        assert {(row["run"], row["day"]) for row in rows.values()} == {("r1", "2021-12-01")}
        assert rows[1]["evidence"] == (
            "suggested by 5 of its 7 nearest labelled hosts on 2021-12-01"
        )
        undo(connection, change)
        assert resolve(connection, HOSTS).labels.tolist() == ["unknown"] * 3


def test_accepting_is_all_or_nothing(workspace: Workspace) -> None:
    """One label that cannot be given leaves none of the others."""
    with workspace.catalogue() as connection:
        with pytest.raises(LabelError):
            accept(connection, [*THREE, Suggested(4, "unknown", 7, 7)], run="r1")
        assert standing_labels(connection, SOURCE_ID) == []


def test_rejections_are_kept_and_taken_back(workspace: Workspace) -> None:
    """By host and label, whatever its writing; what was taken back may be suggested again."""
    with workspace.catalogue() as connection:
        before = verdict_state(connection)
        ids = reject(connection, [*THREE[:1], Suggested(9, "Palo_Alto", 4, 7)], run="r1")
        assert rejected_pairs(connection) == {(1, "mirai"), (9, "palo alto")}
        told = verdict_state(connection)
        assert told != before
        withdraw_rejections(connection, ids[:1])
        assert rejected_pairs(connection) == {(9, "palo alto")}
        assert verdict_state(connection) != told
        assert [row["host"] for row in list_rejections(connection)] == [9]
        with pytest.raises(LabelError, match="no standing rejection"):
            withdraw_rejections(connection, ids)
        assert rejected_pairs(connection) == {(9, "palo alto")}
