"""Protocols that know labels of earlier days only, as an analyst does on the morning of day t.

Embeddings of earlier days are as their own days left them: either taken as they are, or turned onto
day t by the hosts that both days share (Procrustes; a day with too few of them is left out). The
models of the paper give no promise that two days share their axes.
"""

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Literal

import numpy as np
import numpy.typing as npt

from darkgnn_core.evaluation.aligning import rotation
from darkgnn_core.evaluation.labelled_days import LabelledDay
from darkgnn_core.evaluation.predictions import (
    DayScores,
    Ints,
    Texts,
    Voting,
    prefixes_of,
)
from darkgnn_core.evaluation.same_day import predicted
from darkgnn_core.neighbours import Float32s, Float64s, nearest_to, prepare

Alignment = Literal["as stored", "aligned"]
ALIGNMENTS: tuple[Alignment, ...] = ("as stored", "aligned")

PAST_LABELS = "past_labels"
UNSEEN_HOSTS = "unseen_hosts"
UNSEEN_PREFIXES = "unseen_prefixes"


@dataclass(frozen=True, eq=False)
class Past:
    """The labelled hosts of earlier days, a row for each day that a host was there.

    Attributes:
        hosts: uint32 (m,), ascending; the latest day of a host first.
        rows: float32 (m, E), as they are compared.
        labels: object (m,), none of them unknown.
        days_left_out: Earlier days that could not be turned onto the day.
    """

    hosts: npt.NDArray[np.uint32]
    rows: Float32s
    labels: Texts
    days_left_out: int


def past_labels(days: Sequence[LabelledDay], voting: Voting, seed: int = 0) -> list[DayScores]:
    """Predict the labelled hosts of the last day by labelled hosts of the days before.

    Args:
        days: In time order; the last one is scored.
        voting: How neighbours vote; classes below its size on their own day are unknown.
        seed: Nothing is drawn.

    Returns:
        One result an alignment.
    """
    return _told_by_past(days, voting, PAST_LABELS, days[-1].labelled(voting))


def unseen_hosts(days: Sequence[LabelledDay], voting: Voting, seed: int = 0) -> list[DayScores]:
    """As `past_labels`, for hosts whose address was on no earlier day alone."""
    found = days[-1].labelled(voting)
    before = [day.embedding.hosts for day in days[:-1]]
    seen = np.concatenate([*before, np.empty(0, np.uint32)])
    fresh = found[~np.isin(days[-1].embedding.hosts[found], seen)]
    return _told_by_past(days, voting, UNSEEN_HOSTS, fresh)


def unseen_prefixes(days: Sequence[LabelledDay], voting: Voting, seed: int = 0) -> list[DayScores]:
    """As `past_labels`, where no host of a host's own /24, itself included, may vote."""
    found = days[-1].labelled(voting)
    return _told_by_past(days, voting, UNSEEN_PREFIXES, found, holds_prefix_out=True)


def _told_by_past(
    days: Sequence[LabelledDay],
    voting: Voting,
    protocol: str,
    queries: Ints,
    *,
    holds_prefix_out: bool = False,
) -> list[DayScores]:
    today = days[-1]
    own = prefixes_of(today.embedding.hosts[queries]) if holds_prefix_out else None
    rows = today.rows(voting)[queries]
    for day in days:
        day.labelled_rows(voting)  # made once, before two threads ask for them

    def told(alignment: Alignment) -> DayScores:
        past = past_of(days, voting, alignment)
        groups = prefixes_of(past.hosts) if holds_prefix_out else None
        space = prepare(past.rows, metric=voting.metric, standardise=False, groups=groups)
        near = nearest_to(space, rows, voting.k, groups=own)
        return predicted(
            today.embedding,
            near,
            queries,
            past.labels,
            today.labels,
            voting,
            protocol=protocol,
            variant=alignment,
        )

    with ThreadPoolExecutor(len(ALIGNMENTS)) as pool:
        return list(pool.map(told, ALIGNMENTS))


def past_of(days: Sequence[LabelledDay], voting: Voting, alignment: Alignment) -> Past:
    """Gather the labelled hosts of all days before the last one."""
    today = days[-1]
    known, left_out = [], 0
    for day in reversed(days[:-1]):
        turn = _turn(day, today, voting) if alignment == "aligned" else None
        if alignment == "aligned" and turn is None:
            left_out += 1
            continue
        known.append((day, day.labelled(voting), turn))
    hosts = [day.embedding.hosts[labelled] for day, labelled, _ in known]
    everyone = np.concatenate([*hosts, np.empty(0, np.uint32)])
    order = np.argsort(everyone, kind="stable")
    place = np.empty_like(order)
    place[order] = np.arange(len(order))
    rows = np.empty((len(order), today.embedding.vectors.shape[1]), np.float32)
    labels = np.empty(len(order), object)
    start = 0
    for day, labelled, turn in known:
        at = place[start : start + len(labelled)]
        found = day.labelled_rows(voting)
        rows[at] = found if turn is None else found @ turn.astype(np.float32)
        labels[at] = day.labels[labelled]
        start += len(labelled)
    return Past(everyone[order], rows, labels, left_out)


def _turn(day: LabelledDay, onto: LabelledDay, voting: Voting) -> Float64s | None:
    return rotation(day.embedding.hosts, day.rows(voting), onto.embedding.hosts, onto.rows(voting))
