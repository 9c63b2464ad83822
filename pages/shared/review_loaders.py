"""Caches of Review metrics: predictions by the file they are in, scores by those files."""

from collections.abc import Sequence
from pathlib import Path

import streamlit as st

from darkgnn_core.evaluation.predictions import DayScores
from darkgnn_core.evaluation.repeats import Repeats
from darkgnn_core.reviewing import review
from darkgnn_core.score_files import (
    DayPredictions,
    Question,
    label_state,
    prediction_paths,
    read_predictions,
)
from darkgnn_core.scoring import by_variant
from darkgnn_core.workspace import Workspace
from pages.shared.loaders import FileTimes, catalogue_times, workspace_at

File = tuple[str, int, int]
"""Path, time of change and size: another file of that name is another value."""


def stored_files(
    workspace: Workspace, run_id: str, question: Question, keys: Sequence[str]
) -> dict[str, File | None]:
    """Return the file of each day's predictions; None for a day without one."""
    state = labels_now(workspace, counts_analysts=question.counts_analysts)
    paths = prediction_paths(workspace, run_id, question, keys, state)
    return {key: _file_of(path) for key, path in paths.items()}


def _file_of(path: Path) -> File | None:
    try:
        stat = path.stat()
    except OSError:
        return None
    return str(path), stat.st_mtime_ns, stat.st_size


@st.cache_resource(max_entries=256, show_spinner=False)
def predictions(file: File) -> DayPredictions | None:
    """Return the predictions of a file; None where they cannot be read."""
    return read_predictions(Path(file[0]))


@st.cache_data(max_entries=20_000, show_spinner=False)
def is_whole(file: File) -> bool:
    """Whether the predictions of a file can be read; remembered for more files than those are."""
    return predictions(file) is not None


def draws_in(files: tuple[File, ...], variant: str) -> list[list[DayScores]]:
    """Return a run's predictions by draw; of the one variant there is, where it is not that."""
    read = [day for day in map(predictions, files) if day is not None]
    found = by_variant(read)
    return found.get(variant) or next(iter(found.values()), [])


@st.cache_resource(max_entries=512, show_spinner="Scoring")
def scores(
    runs: tuple[tuple[File, ...], ...], variant: str, classes: tuple[str, ...] | None
) -> Repeats:
    """Return the scores of predictions: several runs of other seeds, or draws, are repeats.

    Args:
        runs: For each run the files of the same days, at least one.
        variant: Which of the protocol's settings.
        classes: Labels to look at; None for all.
    """
    return review([draw for files in runs for draw in draws_in(files, variant)], classes)


def labels_now(workspace: Workspace, *, counts_analysts: bool) -> str:
    """Return what changes whenever a label that is scored may be another."""
    return _labels_now(str(workspace.root), catalogue_times(workspace), counts_analysts)


@st.cache_data(max_entries=8, show_spinner=False)
def _labels_now(root: str, changed: FileTimes, counts_analysts: bool) -> str:
    return label_state(workspace_at(root), counts_analysts=counts_analysts)
