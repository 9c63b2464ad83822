"""Days made by hand for the tests of evaluation."""

from collections.abc import Sequence

import numpy as np

from darkgnn_core.embeddings import Embedding
from darkgnn_core.evaluation.labelled_days import LabelledDay
from darkgnn_core.evaluation.predictions import DayScores

FIRST_HOST = 0xC6336400
"""198.51.100.0, a block for documentation."""


def embedding(
    vectors: Sequence[Sequence[float]] | np.ndarray,
    *,
    key: str = "2021-12-21",
    hosts: Sequence[int] | np.ndarray | None = None,
) -> Embedding:
    """Make an embedding of hosts that follow each other."""
    rows = np.asarray(vectors, np.float32)
    chosen = np.arange(len(rows)) + FIRST_HOST if hosts is None else np.asarray(hosts)
    return Embedding(key, chosen.astype(np.uint32), rows, "test")


def labelled(
    vectors: Sequence[Sequence[float]] | np.ndarray,
    labels: Sequence[str],
    *,
    key: str = "2021-12-21",
    hosts: Sequence[int] | np.ndarray | None = None,
) -> LabelledDay:
    """Make an embedding with labels."""
    return LabelledDay(embedding(vectors, key=key, hosts=hosts), np.array(labels, object))


def told(
    true: Sequence[str],
    predicted: Sequence[str],
    *,
    key: str = "2021-12-21",
    votes: Sequence[int] | None = None,
    k: int = 3,
) -> DayScores:
    """Make the predictions of a day."""
    count = len(true)
    return DayScores(
        key=key,
        protocol="test",
        variant="",
        draw=0,
        hosts=np.arange(count, dtype=np.uint32),
        y_true=np.array(true, object),
        y_pred=np.array(predicted, object),
        votes=np.array([k] * count if votes is None else votes, np.int64),
        margin=np.ones(count),
        distance=np.zeros(count),
        k=k,
    )


def planted_days(count: int = 4, seed: int = 0, hosts: int = 90) -> list[LabelledDay]:
    """Draw days of three classes and unknown hosts that lie apart, most hosts on several days."""
    random = np.random.default_rng(seed)
    centres = random.standard_normal((4, 8)) * 6
    kind = np.arange(hosts) % 4
    names = np.array(["ant", "bee", "cow", "unknown"], object)
    days = []
    for number in range(count):
        there = np.flatnonzero(random.random(hosts) < 0.8)
        vectors = centres[kind[there]] + random.standard_normal((len(there), 8))
        addresses = FIRST_HOST + there * 97  # over several /24
        key = f"2021-12-{number + 1:02}"
        days.append(labelled(vectors, names[kind[there]], key=key, hosts=addresses))
    return days
