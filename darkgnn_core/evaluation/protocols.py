"""The protocols by name: what each knows, and how its scores are to be read."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType

from darkgnn_core.errors import ConfigError
from darkgnn_core.evaluation import dummies, open_set, past_labels, same_day, weak_labels
from darkgnn_core.evaluation.labelled_days import LabelledDay
from darkgnn_core.evaluation.predictions import PAPER, DayScores, Voting
from darkgnn_core.spaces import one_thread_each

Predict = Callable[[Sequence[LabelledDay], Voting, int], list[DayScores]]

Told = Callable[[int, int, str], None]
"""Told how many of how many days are done, and what comes next; raising in it stops the work."""


@dataclass(frozen=True)
class Protocol:
    """A way to ask how good an embedding is.

    Attributes:
        name: Its name in commands and files.
        title: Its name for people.
        reading: How its scores are to be read.
        predict: Predicts the last of the days it is given, from these days alone; gives one
            result a variant and draw.
        needs_past: Whether it looks at days before the one it scores.
    """

    name: str
    title: str
    reading: str
    predict: Predict
    needs_past: bool = False


def _same_day(days: Sequence[LabelledDay], voting: Voting, seed: int) -> list[DayScores]:
    return [same_day.score_same_day(days[-1].embedding, days[-1].labels, voting)]


SAME_DAY_LOO = Protocol(
    same_day.NAME,
    "Same day, one host left out at a time (the paper's)",
    "Optimistic: the labels of all other hosts of the very day are known.",
    _same_day,
)
PAST_LABELS = Protocol(
    past_labels.PAST_LABELS,
    "Labels of earlier days only",
    "What an analyst gets on the morning of a day; hosts seen before are told by themselves.",
    past_labels.past_labels,
    needs_past=True,
)
UNSEEN_HOSTS = Protocol(
    past_labels.UNSEEN_HOSTS,
    "Addresses never seen before",
    "Strict: only hosts that were on no earlier day; there may be few, look at the support.",
    past_labels.unseen_hosts,
    needs_past=True,
)
UNSEEN_PREFIXES = Protocol(
    past_labels.UNSEEN_PREFIXES,
    "Own /24 held out",
    "Strict: no host of a host's own /24 votes, so a scanner is not told by its twin next door.",
    past_labels.unseen_prefixes,
    needs_past=True,
)
OPEN_SET = Protocol(
    open_set.NAME,
    "All hosts, unknown ones too",
    "Unknown hosts told a class count against its precision; some of these alarms may be right.",
    open_set.open_set,
    needs_past=True,
)
FEW_LABELS = Protocol(
    weak_labels.FEW_LABELS,
    "1, 3, 5 or 10 labels a class",
    "How far a handful of labels goes on the same day; the mean over draws counts.",
    weak_labels.few_labels,
)
LABEL_NOISE = Protocol(
    weak_labels.LABEL_NOISE,
    "5, 10 or 20 % of labels wrong",
    "As the same day's, with wrong labels among the voters; the mean over draws counts.",
    weak_labels.label_noise,
)

PROTOCOLS: Mapping[str, Protocol] = MappingProxyType(
    {
        protocol.name: protocol
        for protocol in (
            SAME_DAY_LOO,
            PAST_LABELS,
            UNSEEN_HOSTS,
            UNSEEN_PREFIXES,
            OPEN_SET,
            FEW_LABELS,
            LABEL_NOISE,
        )
    }
)

DUMMIES: Mapping[str, Protocol] = MappingProxyType(
    {
        protocol.name: protocol
        for protocol in (
            Protocol(
                dummies.STRATIFIED,
                "Labels drawn as often as they are",
                "Chance: it looks at no host at all.",
                dummies.stratified_dummy,
            ),
            Protocol(
                dummies.LAST_LABEL,
                "The same address's last label",
                "Knows addresses and no behaviour; unknown for addresses never labelled before.",
                dummies.last_label,
                needs_past=True,
            ),
            Protocol(
                dummies.PREFIX_MAJORITY,
                "The commonest label of the /24",
                "Knows addresses and no behaviour; what an embedding must beat to be of use.",
                dummies.prefix_majority,
                needs_past=True,
            ),
        )
    }
)
"""Baselines without an embedding, predicted and scored like protocols."""


def predict_days(
    protocol: Protocol,
    days: Sequence[LabelledDay],
    keys: Sequence[str] | None = None,
    *,
    voting: Voting = PAPER,
    seed: int = 0,
    told: Told | None = None,
) -> dict[str, list[list[DayScores]]]:
    """Predict some days; a day's predictions are made from it and the days before it alone.

    Args:
        protocol: How.
        days: All days there are, in time order.
        keys: Names of the days to score; None means all.
        voting: How neighbours vote.
        seed: Of what is drawn.
        told: Called before each day and at the end: days done, days in all, the day's key (empty
            at the end). What it raises ends the work and goes to the caller.

    Returns:
        For each variant, one list of days a draw, ready for `scores.score`.

    Raises:
        ConfigError: `EVALUATION` where a day is not there, or days are not in time order.
    """
    there = [day.key for day in days]
    if there != sorted(set(there)):
        raise ConfigError(f"days must ascend, got {there}.", code="EVALUATION")
    wanted = there if keys is None else list(keys)
    if absent := sorted(set(wanted) - set(there)):
        raise ConfigError(f"there are no days {', '.join(absent)}.", code="EVALUATION")
    found: dict[str, dict[int, list[DayScores]]] = {}
    tell = told or (lambda done, total, what: None)
    asked = [position for position, key in enumerate(there) if key in wanted]
    with one_thread_each():
        for done, position in enumerate(asked):
            tell(done, len(asked), there[position])
            for result in protocol.predict(days[: position + 1], voting, seed):
                draws = found.setdefault(result.variant, {})
                draws.setdefault(result.draw, []).append(result)
    tell(len(asked), len(asked), "")
    return {variant: list(draws.values()) for variant, draws in found.items()}
