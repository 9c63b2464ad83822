"""The paper's protocol: each labelled host is told by its neighbours of the same day.

It is optimistic, and every table says so: the labels of all other hosts of that very day are known,
those of the host's own /24 among them, so that a scanner is told by its twin next door.
"""

from collections.abc import Sequence

import numpy as np

from darkgnn_core.embeddings import Embedding
from darkgnn_core.evaluation.predictions import (
    DayScores,
    Texts,
    Ties,
    Voting,
    coded,
    named,
    prefixes_of,
    vote,
    without_small_classes,
)
from darkgnn_core.labels.texts import UNKNOWN
from darkgnn_core.neighbours import MISSING, Metric, Neighbours, nearest

NAME = "same_day_loo"
OTHER_PREFIXES = "other /24 only"


def same_day_loo(
    embedding: Embedding,
    labels: Sequence[str] | Texts,
    *,
    k: int = 3,
    metric: Metric = "cosine",
    min_class_hosts: int = 11,
    ties: Ties = "nearest",
) -> DayScores:
    """Predict each labelled host of a day by the most frequent label of its k nearest hosts.

    Vectors are standardised over all hosts of the day. Unknown hosts vote and are not scored;
    classes of fewer than `min_class_hosts` hosts on the day are unknown there.

    Args:
        embedding: The day, n hosts.
        labels: n labels; `unknown` for a host without one.
        k: Neighbours that vote.
        metric: What near means.
        min_class_hosts: Fewest hosts of a class on the day.
        ties: To whom level votes go; `alphabetical` as in the released code.

    Returns:
        The predictions for the labelled hosts; an optimistic reading (see the module).

    Raises:
        ConfigError: `EVALUATION` or `NEIGHBOURS` where a setting is outside what it may be.

    Source:
        Paper, section 4, and its released code (`Voting`).
    """
    voting = Voting(k=k, metric=metric, min_class_hosts=min_class_hosts, ties=ties)
    return score_same_day(embedding, np.asarray(labels, object), voting)


def score_same_day(embedding: Embedding, labels: Texts, voting: Voting) -> DayScores:
    """Do what `same_day_loo` does, with all settings as one value."""
    labels = without_small_classes(labels, voting.min_class_hosts)
    found = np.flatnonzero(labels != UNKNOWN)
    groups = prefixes_of(embedding.hosts) if voting.leaves_out_prefix else None
    near = nearest(
        embedding.vectors,
        found,
        voting.k,
        metric=voting.metric,
        standardise=voting.standardise,
        groups=groups,
    )
    variant = OTHER_PREFIXES if voting.leaves_out_prefix else ""
    return predicted(embedding, near, found, labels, labels, voting, variant=variant)


def predicted(
    embedding: Embedding,
    near: Neighbours,
    queries: np.ndarray,
    voters: Texts,
    truth: Texts,
    voting: Voting,
    *,
    protocol: str = NAME,
    variant: str = "",
    draw: int = 0,
) -> DayScores:
    """Let neighbours vote, and put the outcome beside the truth.

    Args:
        embedding: The day whose hosts are told.
        near: q queries' neighbours, positions in `voters`.
        queries: int64 (q,), positions of the hosts that are told.
        voters: object, label of each host that may vote.
        truth: object (n,), label of each host of the day.
        voting: How they vote.
        protocol: Name of the protocol.
        variant: Which of its settings.
        draw: Number of the random draw.
    """
    names, codes = coded(voters)
    outcome = vote(np.append(codes, MISSING)[near.positions], voting.ties)
    return DayScores(
        key=embedding.key,
        protocol=protocol,
        variant=variant,
        draw=draw,
        hosts=embedding.hosts[queries],
        y_true=truth[queries],
        y_pred=named(names, outcome.winner),
        votes=outcome.votes,
        margin=outcome.margin,
        distance=near.distances[:, 0],
        k=voting.k,
    )
