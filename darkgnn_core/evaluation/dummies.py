"""Baselines that need no embedding: whatever does not beat them has learned nothing of use."""

from collections.abc import Sequence

import numpy as np

from darkgnn_core.evaluation.aligning import shared
from darkgnn_core.evaluation.labelled_days import LabelledDay
from darkgnn_core.evaluation.predictions import (
    NOBODY,
    DayScores,
    Floats,
    Ints,
    Texts,
    Voting,
    coded,
    named,
    prefixes_of,
)
from darkgnn_core.labels.texts import UNKNOWN
from darkgnn_core.trainers import seed_of

STRATIFIED = "stratified_dummy"
LAST_LABEL = "last_label"
PREFIX_MAJORITY = "prefix_majority"


def stratified_dummy(days: Sequence[LabelledDay], voting: Voting, seed: int = 0) -> list[DayScores]:
    """Guess each labelled host of the last day: labels drawn as often as they are on the day.

    Classes only; a guess of unknown would score less.
    """
    day, labels, found = _asked(days[-1], voting)
    random = np.random.default_rng(seed_of(seed, STRATIFIED, day.key))
    guesses = random.choice(labels[found], len(found)) if len(found) else labels[found]
    return [_told(day, labels, found, guesses.astype(object), np.ones(len(found)), STRATIFIED)]


def last_label(days: Sequence[LabelledDay], voting: Voting, seed: int = 0) -> list[DayScores]:
    """Tell each labelled host of the last day the label that its address last had before.

    Unknown where it was never seen with one. Labels that are not bound to a day make this almost
    perfect for addresses seen before, which says how little a repeated address proves.
    """
    day, labels, found = _asked(days[-1], voting)
    told = np.full(len(found), UNKNOWN, object)
    for earlier in days[:-1]:
        their = earlier.classes(voting)
        here, there = shared(day.embedding.hosts[found], earlier.embedding.hosts)
        known = their[there] != UNKNOWN
        told[here[known]] = their[there[known]]
    return [_told(day, labels, found, told, (told != UNKNOWN).astype(float), LAST_LABEL)]


def prefix_majority(days: Sequence[LabelledDay], voting: Voting, seed: int = 0) -> list[DayScores]:
    """Tell each labelled host of the last day the commonest label of its /24.

    Two results: among the other labelled hosts of the same day (`same day`), and among all
    labelled hosts of earlier days (`earlier days`). Unknown where there is none; level labels go
    to the first by name.
    """
    day, labels, found = _asked(days[-1], voting)
    own = labels[found]
    prefixes = prefixes_of(day.embedding.hosts[found])
    told, share = _majority(prefixes, prefixes, own, without_itself=True)
    same = _told(day, labels, found, told, share, PREFIX_MAJORITY, "same day")
    told, share = _majority(prefixes, *_earlier(days, voting))
    return [same, _told(day, labels, found, told, share, PREFIX_MAJORITY, "earlier days")]


def _asked(day: LabelledDay, voting: Voting) -> tuple[LabelledDay, Texts, Ints]:
    """Return the day, its labels without classes too small, and where its labelled hosts stand."""
    return day, day.classes(voting), day.labelled(voting)


def _earlier(days: Sequence[LabelledDay], voting: Voting) -> tuple[Ints, Texts]:
    """Return /24 and label of every labelled host of every day before the last one."""
    prefixes, labels = [np.empty(0, np.int64)], [np.empty(0, object)]
    for day in days[:-1]:
        _, their, found = _asked(day, voting)
        prefixes.append(prefixes_of(day.embedding.hosts[found]))
        labels.append(their[found])
    return np.concatenate(prefixes), np.concatenate(labels)


def _majority(
    asked: Ints, prefixes: Ints, voters: Texts, *, without_itself: bool = False
) -> tuple[Texts, Floats]:
    """Return for each prefix asked its commonest label, and that label's share of the voters.

    With `without_itself` those asked are the voters, and none votes for itself.
    """
    names, codes = coded(voters)
    blocks, block = np.unique(prefixes, return_inverse=True)
    counts = np.zeros((len(blocks) + 1, len(names) + 1), np.int64)  # last row: a prefix not there
    np.add.at(counts, (block, codes), 1)
    place = np.searchsorted(blocks, asked)
    is_there = np.append(blocks, NOBODY)[place] == asked
    votes = counts[np.where(is_there, place, len(blocks))]
    if without_itself:
        votes[np.arange(len(asked)), codes] -= 1
    most, total = votes.max(axis=1), votes.sum(axis=1)
    winner = np.where(total > 0, votes.argmax(axis=1), NOBODY)
    return named(names, winner), np.divide(most, total, out=np.zeros(len(asked)), where=total > 0)


def _told(
    day: LabelledDay,
    labels: Texts,
    found: Ints,
    told: Texts,
    share: Floats,
    name: str,
    variant: str = "",
) -> DayScores:
    """Put predictions beside the truth; the share of votes is kept in thousandths."""
    return DayScores(
        key=day.key,
        protocol=name,
        variant=variant,
        draw=0,
        hosts=day.embedding.hosts[found],
        y_true=labels[found],
        y_pred=told,
        votes=np.rint(share * 1000).astype(np.int64),
        margin=share,
        distance=np.full(len(found), np.nan),
        k=1000,
    )
