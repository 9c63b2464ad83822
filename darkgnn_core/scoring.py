"""Scores of runs, computed once: predictions and health by protocol, kept until anything changes.

What is kept are predictions, not scores: whoever chooses other days or classes gets the scores of
those from the same files, in a moment.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np

from darkgnn_core.errors import RunError
from darkgnn_core.evaluation.health import drift, measure_embedding, stability
from darkgnn_core.evaluation.labelled_days import LabelledDay, labelled_days
from darkgnn_core.evaluation.open_set import open_set_day
from darkgnn_core.evaluation.predictions import DayScores, Voting
from darkgnn_core.evaluation.protocols import OPEN_SET, predict_days
from darkgnn_core.labels.texts import UNKNOWN
from darkgnn_core.runs import open_embedding
from darkgnn_core.score_files import (
    DayPredictions,
    Question,
    agreement_path,
    embedding_hashes,
    health_paths,
    label_state,
    prediction_paths,
    read_facts,
    read_predictions,
    write_facts,
    write_predictions,
)
from darkgnn_core.spaces import one_thread_each
from darkgnn_core.workspace import Workspace

Told = Callable[[int, int, str], None]
"""Told how many days of how many are done, and which comes next; raising in it stops the work."""

TRIES = 3
NEAREST = 10
"""Neighbours that health looks at."""

Draws = dict[str, list[list[DayScores]]]
"""For each variant one list of days a draw, as `scores.score` takes them."""


def scores_of(
    workspace: Workspace,
    run_id: str,
    question: Question,
    keys: Sequence[str],
    *,
    told: Told | None = None,
) -> Draws:
    """Return the predictions of a run for some days; what is not kept already is computed and kept.

    Args:
        workspace: Whose run and labels.
        run_id: The run.
        question: By which protocol, with which settings.
        keys: Names of the bins; those that the run has not embedded are left out.
        told: Called before each day that is computed, and at the end.

    Returns:
        For each variant, one list of days a draw, in time order.

    Raises:
        RunError: `NO-RUN`; `LABELS-CHANGED` where labels change faster than they can be scored.
        WorkspaceError: `DAMAGED` for an embedding, `DISK-FULL`.
    """
    compute_scores(workspace, run_id, question, keys, told=told)
    paths = _paths(workspace, run_id, question, keys)
    read = [read_predictions(path) for _, path in sorted(paths.items())]
    return by_variant([each for each in read if each is not None])


def by_variant(days: Sequence[DayPredictions]) -> Draws:
    """Put the results of days that follow each other together: by variant, then by draw."""
    found: dict[str, dict[int, list[DayScores]]] = {}
    for day in days:
        for each in day.found:
            found.setdefault(each.variant, {}).setdefault(each.draw, []).append(each)
    return {variant: list(draws.values()) for variant, draws in found.items()}


def compute_scores(
    workspace: Workspace,
    run_id: str,
    question: Question,
    keys: Sequence[str],
    *,
    told: Told | None = None,
) -> int:
    """Predict the days that are not kept, and keep each as soon as it is there.

    Labels and embeddings that change while they are read are read again, so that a file never
    holds another state than its name says. Arguments and errors as `scores_of`.

    Returns:
        How many days were predicted.
    """
    for _ in range(TRIES):
        paths = _paths(workspace, run_id, question, keys)
        missing = sorted(key for key, path in paths.items() if read_predictions(path) is None)
        if not missing:
            return 0
        days = _labelled(workspace, run_id, question, missing)
        if _paths(workspace, run_id, question, keys) != paths:
            continue
        for done, key in enumerate(missing):
            _tell(told, done, len(missing), key)
            write_predictions(paths[key], _predicted(question, days, key))
        _tell(told, len(missing), len(missing), "")
        return len(missing)
    raise RunError(
        "Labels changed while they were read. Compute again once they are at rest.",
        code="LABELS-CHANGED",
    )


def _paths(
    workspace: Workspace, run_id: str, question: Question, keys: Sequence[str]
) -> dict[str, Path]:
    state = label_state(workspace, counts_analysts=question.counts_analysts)
    return prediction_paths(workspace, run_id, question, keys, state)


def _tell(told: Told | None, done: int, total: int, key: str) -> None:
    if told is not None:
        told(done, total, key)


def _labelled(
    workspace: Workspace, run_id: str, question: Question, missing: Sequence[str]
) -> list[LabelledDay]:
    """Read the days to predict, and all before the last of them where the protocol needs them."""
    days = embedding_hashes(workspace, run_id)
    wanted = [day for day in days if day <= missing[-1]] if question.asked.needs_past else missing
    return labelled_days(
        workspace,
        lambda key: open_embedding(workspace, run_id, key),
        wanted,
        scope=question.scope,
        counts_analysts=question.counts_analysts,
    )


def _predicted(question: Question, days: Sequence[LabelledDay], key: str) -> DayPredictions:
    until = [day for day in days if day.key <= key]
    names, counts = np.unique(until[-1].labels, return_counts=True)
    sizes = {
        str(name): int(count) for name, count in zip(names, counts, strict=True) if name != UNKNOWN
    }
    if question.asked is OPEN_SET:
        with one_thread_each():
            told = open_set_day(until, question.voting)
        return DayPredictions((told.scores,), sizes, told)
    found = predict_days(question.asked, until, [key], voting=question.voting, seed=question.seed)
    each = [day for draws in found.values() for draw in draws for day in draw]
    return DayPredictions(tuple(each), sizes)


def compute_health(
    workspace: Workspace,
    run_id: str,
    voting: Voting,
    keys: Sequence[str],
    *,
    told: Told | None = None,
) -> int:
    """Measure the embeddings of the days whose health is not kept, and keep it.

    Facts of a day: those of `health.EmbeddingHealth`, its `warnings`, and of the move since the
    run's day before: `since`, `stayed` (hosts of both days), `drift` (median cosine distance of
    these, the days turned onto each other); None where that cannot be told.

    Args:
        workspace: Whose run.
        run_id: The run.
        voting: Metric and scaling of neighbours.
        keys: Names of the bins.
        told: As for `scores_of`.

    Returns:
        How many days were measured.

    Raises:
        RunError: `NO-RUN`.
        WorkspaceError: `DAMAGED`, `DISK-FULL`.
    """
    paths = health_paths(workspace, run_id, voting, keys)
    return _measure(paths, lambda key: _health(workspace, run_id, voting, key), told)


def _measure(
    paths: Mapping[str, Path], facts_of: Callable[[str], dict[str, Any]], told: Told | None
) -> int:
    """Keep the facts of each day that are not kept; return of how many days."""
    missing = sorted(key for key, path in paths.items() if read_facts(path) is None)
    for done, key in enumerate(missing):
        _tell(told, done, len(missing), key)
        with one_thread_each():
            write_facts(paths[key], facts_of(key))
    _tell(told, len(missing), len(missing), "")
    return len(missing)


def _health(workspace: Workspace, run_id: str, voting: Voting, key: str) -> dict[str, Any]:
    today = open_embedding(workspace, run_id, key)
    found = measure_embedding(today, k=NEAREST, voting=voting)
    facts = asdict(found) | {"warnings": list(found.warnings)}
    earlier = [day for day in embedding_hashes(workspace, run_id) if day < key]
    moved = drift(open_embedding(workspace, run_id, earlier[-1]), today) if earlier else None
    return facts | {
        "since": earlier[-1] if earlier else None,
        "stayed": len(moved[0]) if moved else None,
        "drift": float(np.median(moved[1])) if moved else None,
    }


def compute_agreement(
    workspace: Workspace,
    first: str,
    second: str,
    voting: Voting,
    keys: Sequence[str],
    *,
    told: Told | None = None,
) -> int:
    """Measure how far two runs agree on who lies near whom, where that is not kept; and keep it.

    Facts of a day: `hosts` of both runs, and `same`, the mean share of their nearest hosts that is
    the same in both.

    Args:
        workspace: Whose runs.
        first: One run.
        second: Another, such as one with another seed.
        voting: Metric and scaling of neighbours.
        keys: Names of the bins.
        told: As for `scores_of`.

    Returns:
        How many days were measured.

    Raises:
        RunError: `NO-RUN`.
        WorkspaceError: `DAMAGED`, `DISK-FULL`.
    """
    paths = {key: agreement_path(workspace, first, second, voting, key) for key in keys}
    there = {key: path for key, path in paths.items() if path}
    return _measure(there, lambda key: _agreement(workspace, first, second, voting, key), told)


def _agreement(
    workspace: Workspace, first: str, second: str, voting: Voting, key: str
) -> dict[str, Any]:
    pair = [open_embedding(workspace, run_id, key) for run_id in (first, second)]
    same = stability(*pair, k=NEAREST, voting=voting)
    return {"hosts": len(same), "same": float(same.mean()) if len(same) else None}
