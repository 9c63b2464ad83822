"""Protocols in which labels are few, or partly wrong: what an embedding is worth then."""

from collections.abc import Sequence

import numpy as np

from darkgnn_core.evaluation.labelled_days import LabelledDay
from darkgnn_core.evaluation.predictions import (
    DayScores,
    Ints,
    Texts,
    Voting,
    prefixes_of,
)
from darkgnn_core.evaluation.same_day import predicted
from darkgnn_core.labels.texts import UNKNOWN
from darkgnn_core.neighbours import nearest, nearest_to, prepare
from darkgnn_core.trainers import seed_of

FEW_LABELS = "few_labels"
LABELS_A_CLASS = (1, 3, 5, 10)

LABEL_NOISE = "label_noise"
FLIPPED = (0.05, 0.10, 0.20)

DRAWS = 5
"""Draws of which labels are known, or flipped; each is scored on its own."""


def few_labels(days: Sequence[LabelledDay], voting: Voting, seed: int = 0) -> list[DayScores]:
    """Predict the labelled hosts of the last day from a few of each class, drawn.

    Nobody else votes: no unknown host, and none whose label was not drawn. The drawn hosts are not
    scored; a class keeps at least one host to score.

    Args:
        days: The last one is scored; the others are not looked at.
        voting: How neighbours vote.
        seed: Of the draws.

    Returns:
        One result a number of labels and draw.
    """
    day = days[-1]
    labels = day.classes(voting)
    results = []
    for count in LABELS_A_CLASS:
        for draw in range(DRAWS):
            random = np.random.default_rng(seed_of(seed, FEW_LABELS, day.key, count, draw))
            chosen = _drawn(labels, count, random)
            others = np.setdiff1d(np.flatnonzero(labels != UNKNOWN), chosen)
            variant = f"{count} labels a class"
            results.append(_told_by(day, labels, chosen, others, voting, variant, draw))
    return results


def _drawn(labels: Texts, count: int, random: np.random.Generator) -> Ints:
    """Return positions of `count` hosts of each class, one less than all at most, ascending."""
    names, codes = np.unique(labels, return_inverse=True)
    shuffled = random.permutation(len(labels))
    order = shuffled[np.argsort(codes[shuffled], kind="stable")]
    sizes = np.bincount(codes, minlength=len(names))
    rank = np.arange(len(labels)) - np.repeat(np.cumsum(sizes) - sizes, sizes)
    allowed = np.where(names == UNKNOWN, 0, np.minimum(count, sizes - 1))
    return np.sort(order[rank < np.repeat(allowed, sizes)])


def _told_by(
    day: LabelledDay,
    labels: Texts,
    chosen: Ints,
    others: Ints,
    voting: Voting,
    variant: str,
    draw: int,
) -> DayScores:
    rows = day.rows(voting)
    prefixes = prefixes_of(day.embedding.hosts) if voting.leaves_out_prefix else None
    groups, own = (None, None) if prefixes is None else (prefixes[chosen], prefixes[others])
    space = prepare(rows[chosen], metric=voting.metric, standardise=False, groups=groups)
    near = nearest_to(space, rows[others], voting.k, groups=own)
    return predicted(
        day.embedding,
        near,
        others,
        labels[chosen],
        labels,
        voting,
        protocol=FEW_LABELS,
        variant=variant,
        draw=draw,
    )


def label_noise(days: Sequence[LabelledDay], voting: Voting, seed: int = 0) -> list[DayScores]:
    """Do what `same_day_loo` does, with a share of the voters' labels flipped to another class.

    The labels that are scored against are the right ones.

    Args:
        days: The last one is scored; the others are not looked at.
        voting: How neighbours vote.
        seed: Of the draws.

    Returns:
        One result a share and draw.
    """
    day = days[-1]
    labels, found = day.classes(voting), day.labelled(voting)
    groups = prefixes_of(day.embedding.hosts) if voting.leaves_out_prefix else None
    near = nearest(
        day.embedding.vectors,
        found,
        voting.k,
        metric=voting.metric,
        standardise=voting.standardise,
        groups=groups,
    )
    return [
        predicted(
            day.embedding,
            near,
            found,
            flipped(labels, share, seed_of(seed, LABEL_NOISE, day.key, str(share), draw)),
            labels,
            voting,
            protocol=LABEL_NOISE,
            variant=f"{share:.0%} flipped",
            draw=draw,
        )
        for share in FLIPPED
        for draw in range(DRAWS)
    ]


def flipped(labels: Texts, share: float, seed: np.random.SeedSequence) -> Texts:
    """Return labels of which a share, rounded, is that of another class; unknown ones stay.

    The other classes are equally likely. With one class alone nothing can be flipped.
    """
    random = np.random.default_rng(seed)
    known = np.flatnonzero(labels != UNKNOWN)
    names, codes = np.unique(labels[known], return_inverse=True)
    changed = labels.copy()
    if len(names) > 1:
        picked = random.permutation(len(known))[: round(share * len(known))]
        steps = random.integers(1, len(names), len(picked))
        changed[known[picked]] = names[(codes[picked] + steps) % len(names)]
    return changed
