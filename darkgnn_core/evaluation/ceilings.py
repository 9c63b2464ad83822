"""What labels can give without an embedding: a supervised model of the stored host columns.

Gradient-boosted trees learn from the labelled hosts of earlier days, never from the day they are
asked about. They see the labels while they learn, which no embedding does, and choose among the
classes alone, so they are a ceiling to hold embeddings against rather than a rival.
"""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from darkgnn_core.evaluation.labelled_days import LabelledDay
from darkgnn_core.evaluation.predictions import DayScores, Texts, Voting
from darkgnn_core.evaluation.protocols import Protocol
from darkgnn_core.labels.texts import UNKNOWN
from darkgnn_core.trainers import seed_of

NAME = "gradient_boosting"
PAST_DAYS = 7
"""Days before the one that is told, from which the trees learn: the last week."""

ROUNDS = 30
LEARNING_RATE = 0.2
SHARES = 1000
"""Probabilities are kept as votes out of so many."""

Floats = npt.NDArray[np.float64]


def gradient_boosting(
    days: Sequence[LabelledDay], voting: Voting, seed: int = 0
) -> list[DayScores]:
    """Predict the labelled hosts of the last day by trees grown on the days before it.

    Args:
        days: In time order; `embedding.vectors` are the columns as they are stored, NaN where one
            is not known. The last day is scored, the `PAST_DAYS` before it teach.
        voting: Its `min_class_hosts` holds on every day by itself.
        seed: Of the trees.

    Source:
        Ke et al., NeurIPS 2017, as scikit-learn's HistGradientBoostingClassifier; classes weigh
        alike (`class_weight="balanced"`), as in a macro average. Rounds and days are ours.
    """
    today = days[-1]
    truth, found = today.classes(voting), today.labelled(voting)
    rows, labels = _lessons(days[:-1][-PAST_DAYS:], voting)
    names, chances = _told(rows, labels, _columns(today)[found], seed_of(seed, NAME, today.key))
    order = np.sort(chances, axis=1)
    second = order[:, -2] if order.shape[1] > 1 else np.zeros(len(found))
    return [
        DayScores(
            key=today.key,
            protocol=NAME,
            variant="",
            draw=0,
            hosts=today.embedding.hosts[found],
            y_true=truth[found],
            y_pred=names[chances.argmax(axis=1)],
            votes=np.rint(order[:, -1] * SHARES).astype(np.int64),
            margin=order[:, -1] - second,
            distance=np.full(len(found), np.nan),
            k=SHARES,
        )
    ]


def _columns(day: LabelledDay) -> npt.NDArray[np.float32]:
    return day.embedding.vectors


def _lessons(days: Sequence[LabelledDay], voting: Voting) -> tuple[npt.NDArray[np.float32], Texts]:
    """Return the columns and labels of all labelled hosts of these days."""
    rows: list[npt.NDArray[np.float32]] = []
    labels: list[Texts] = [np.empty(0, object)]
    for day in days:
        known = day.labelled(voting)
        rows.append(_columns(day)[known])
        labels.append(day.labels[known])
    return np.concatenate(rows) if rows else np.empty((0, 0), np.float32), np.concatenate(labels)


def _told(
    rows: npt.NDArray[np.float32],
    labels: Texts,
    asked: npt.NDArray[np.float32],
    seed: np.random.SeedSequence,
) -> tuple[Texts, Floats]:
    """Return the classes, object (c,), and each asked host's chances, float64 (q, c).

    With fewer than two classes to learn from, that one or `unknown` is told with chance 1.
    """
    names = np.unique(labels) if len(labels) else np.array([UNKNOWN], object)
    if len(names) < 2 or not len(asked):
        return names, np.ones((len(asked), 1)) @ np.eye(1, len(names))
    from sklearn.ensemble import HistGradientBoostingClassifier
    from threadpoolctl import threadpool_limits  # type: ignore[import-untyped]

    told = ~np.isnan(rows).all(axis=0)
    model = HistGradientBoostingClassifier(
        max_iter=ROUNDS,
        learning_rate=LEARNING_RATE,
        class_weight="balanced",
        early_stopping=False,
        random_state=int(seed.generate_state(1)[0]),
    )
    with threadpool_limits(limits=1, user_api="openmp"):  # threads that wait spin: busy machines
        model.fit(rows[:, told], labels.astype(str))
        chances: Floats = model.predict_proba(asked[:, told])
    return np.asarray(model.classes_, object), chances


GRADIENT_BOOSTING = Protocol(
    NAME,
    "Gradient boosting on the stored columns of the last week",
    "A ceiling: it learns from labels of earlier days and chooses among the classes alone.",
    gradient_boosting,
    needs_past=True,
)
"""Predicted and scored like a protocol; its days hold the stored columns as vectors."""
