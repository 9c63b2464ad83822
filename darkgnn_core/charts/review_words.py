"""Words of Review metrics: each protocol, measure and sign of ill health in a sentence."""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType


@dataclass(frozen=True)
class ProtocolWords:
    """A protocol in words.

    Attributes:
        title: Its short name for people.
        does: What is done, in a sentence.
        is_optimistic: Whether its scores promise more than an analyst will see.
    """

    title: str
    does: str
    is_optimistic: bool = False


PROTOCOL_WORDS: Mapping[str, ProtocolWords] = MappingProxyType(
    {
        "same_day_loo": ProtocolWords(
            "Same day (the paper's; optimistic)",
            "Each labelled host is told by the commonest label of the hosts nearest to it on the "
            "same day; only its own label is hidden.",
            is_optimistic=True,
        ),
        "past_labels": ProtocolWords(
            "Labels of earlier days only",
            "Each labelled host of a day is told by the nearest labelled hosts of earlier days; "
            "of the day itself no label is used.",
        ),
        "unseen_hosts": ProtocolWords(
            "Addresses never seen before",
            "As with labels of earlier days, but only hosts are told whose address was on no "
            "earlier day.",
        ),
        "unseen_prefixes": ProtocolWords(
            "Own /24 held out",
            "As with labels of earlier days, but hosts of the same /24 (the first three numbers "
            "of the address) may not vote.",
        ),
        "open_set": ProtocolWords(
            "All hosts, unknown ones too",
            "Every host of a day is told, also those without a label; one far from all labelled "
            "hosts is told unknown.",
        ),
        "few_labels": ProtocolWords(
            "1, 3, 5 or 10 labels a class",
            "Only a few hosts of each class, drawn by lot, keep their label and tell all others "
            "of the same day.",
            is_optimistic=True,
        ),
        "label_noise": ProtocolWords(
            "5, 10 or 20 % of labels wrong",
            "As on the same day, but some of the labels that vote are made wrong by lot.",
            is_optimistic=True,
        ),
    }
)
"""Every protocol that an analyst may choose, in the order in which they are offered."""

BASELINE_TITLES: Mapping[str, str] = MappingProxyType(
    {
        "stratified_dummy": "Chance",
        "last_label": "Last label of the address",
        "prefix_majority": "Commonest label of the /24",
    }
)

VARIANT_WORDS: Mapping[str, str] = MappingProxyType(
    {
        "as stored": "Earlier days as they were stored",
        "aligned": "Earlier days turned onto the day",
        "other /24 only": "Only hosts of other /24 vote",
    }
)

MEASURES: Mapping[str, str] = MappingProxyType(
    {
        "macro_f1": "Macro F1",
        "weighted_f1": "Weighted F1",
        "accuracy": "Accuracy",
        "balanced_accuracy": "Balanced accuracy",
        "mcc": "Matthews' correlation",
        "ece": "Calibration error",
    }
)
"""Measures of a day, by their column of `Scores.by_day`."""

MEASURE_HELP: Mapping[str, str] = MappingProxyType(
    {
        "macro_f1": "Mean F1 over the classes of the day, small classes counting as much as large.",
        "weighted_f1": "Mean F1 over the classes of the day, each weighted by its hosts.",
        "accuracy": "Share of labelled hosts that are told right; large classes decide it.",
        "balanced_accuracy": "Mean recall over the classes of the day.",
        "mcc": "Agreement of true and told labels beyond chance: 1 is perfect, 0 is chance.",
        "ece": "How far the share of votes is from how often it is right; lower is better.",
    }
)

F1_HELP = (
    "F1 joins precision and recall in one number (their harmonic mean): it is high only where "
    "both are."
)
COLUMN_HELP: Mapping[str, str] = MappingProxyType(
    {
        "hosts": "Hosts of the class that were scored, over all days (the support): with few of "
        "them the other numbers are weak.",
        "days": "Days on which the class was there and large enough.",
        "precision": "Of the hosts told this class, the share that are of it (days pooled).",
        "recall": "Of the hosts of this class, the share that were told it (days pooled).",
        "F1": f"{F1_HELP} Mean of the days.",
        "F1 pooled": "F1 of all days' hosts taken together.",
        "sd over days": "Standard deviation of F1 from day to day.",
        "sd over seeds": "Standard deviation of the mean F1 from seed to seed.",
        "95 % from": "Lower end of the interval that holds the mean F1 in 95 of 100 draws of days.",
        "to": "Upper end of that interval.",
    }
)

MACRO_MEAN = (
    "The paper's number: each day's F1 is averaged over that day's classes, then the days are "
    "averaged. A class that is there on few days counts on those only."
)
MACRO_POOLED = (
    "All days' hosts taken together, F1 of each class, then the mean of the classes. A class that "
    "is there on one day counts as much as one that is there on all."
)
SUMMARY_HELP: Mapping[str, str] = MappingProxyType(
    {
        "macro F1, mean of days": MACRO_MEAN,
        "sd over days": "Standard deviation of the days' macro F1.",
        "sd over repeats": "Standard deviation over seeds, or over draws of labels.",
        "95 % from": "Lower end of the interval that holds the mean in 95 of 100 draws of days.",
        "to": "Upper end of that interval.",
        "macro F1, days pooled": MACRO_POOLED,
        "weighted F1": f"{MEASURE_HELP['weighted_f1']} Days pooled.",
        "accuracy": MEASURE_HELP["accuracy"],
        "balanced accuracy": MEASURE_HELP["balanced_accuracy"],
        "Matthews' correlation": MEASURE_HELP["mcc"],
        "calibration error": MEASURE_HELP["ece"],
    }
)
UNKNOWN_HELP: Mapping[str, str] = MappingProxyType(
    {
        "hosts without a label": "Of all days; those of classes that are too small count here.",
        "told a class": "Share of them that is near enough to a class: alarms. Some may be right.",
        "labelled, told unknown": "Share of labelled hosts that is far from every other one.",
        "new class told apart": "Each class is held out in turn: how often a host of it is farther "
        "from what is known than a known host is (AUROC). 0.5 is chance, 1 is always.",
        "new class taken for known": "Share of its hosts that would pass for known, at a distance "
        "that lets 95 of 100 known hosts pass.",
    }
)
HELD_OUT_HELP: Mapping[str, str] = MappingProxyType(
    {
        "hosts": "A host counts once a day.",
        "told apart": UNKNOWN_HELP["new class told apart"],
        "taken for known": UNKNOWN_HELP["new class taken for known"],
    }
)
CALIBRATION = (
    "A label comes with a share of votes, such as 2 of 3. It can be trusted as it stands where "
    "labels with that share are right that often: where the points lie on the line. Below the "
    "line it is too sure of itself, above it too modest."
)
COMPARING = (
    "Runs are held against each other day by day, on the days that both have. A difference is "
    "called significant only where Wilcoxon's signed-rank test, adjusted for the number of pairs "
    "(Holm), gives p below 0.05. Days share hosts, so p is rather too small than too large."
)
SWEEPING = (
    "One point a value of the setting, each from its own run. To choose a value by the very days "
    "on which it is then reported flatters it: choose on earlier days, report on later ones."
)

HEALTH_WORDS: Mapping[str, tuple[str, str]] = MappingProxyType(
    {
        "mean_cosine": (
            "Mean cosine of random pairs",
            "Near 1 all hosts lie in one direction (collapse): distances then tell little.",
        ),
        "effective_dimensions": (
            "Effective dimensions",
            "In how many directions the hosts really spread; 1 is a line.",
        ),
        "hubness": (
            "Hubness",
            "How uneven it is who is whose neighbour (skewness); above 10 a few hosts are near "
            "almost all others.",
        ),
        "drift": (
            "Drift since the day before",
            "How far hosts moved (median cosine distance of hosts on both days, once the days are "
            "turned onto each other); 0 is not at all, 1 is unrelated.",
        ),
        "repeated_share": (
            "Share with another's vector",
            "Hosts whose numbers are the very same as another's: their order among each other is "
            "by address alone.",
        ),
        "lonely_share": (
            "Share of lonely hosts",
            "Hosts much farther from their nearest one than most: what they are told is weak.",
        ),
        "never_near": (
            "Share that is nobody's neighbour",
            "Hosts that are among the nearest of no other host.",
        ),
    }
)
"""Title and meaning of each sign of health, by its column of `review_tables.health_table`."""
