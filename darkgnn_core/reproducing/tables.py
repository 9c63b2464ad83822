"""Scored rows as tables: one line a method, F1 a class, pairs; the paper's numbers among them."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd

from darkgnn_core.errors import visible
from darkgnn_core.evaluation.comparing import compare, compare_pairs, sentence
from darkgnn_core.labels.texts import fold
from darkgnn_core.reproducing import paper
from darkgnn_core.reproducing.rows import AS_RELEASED, REFERENCE
from darkgnn_core.reproducing.scoring import RowScores

MIB = 2**20
PAPER_SOURCE, OURS = "paper", "ours"

METHODS = {
    "method": "method",
    "macro_f1": "macro F1",
    "sd_days": "sd over days",
    "sd_seeds": "sd over seeds",
    "low": "95 % from",
    "high": "to",
    "pooled": "pooled",
    "weighted": "weighted",
    "seeds": "seeds",
    "days": "days",
    "classes": "classes",
    "support": "support",
    "alarm_share": "unknown hosts told a class",
    "auroc": "AUROC, class held out",
    "fpr_at_95_tpr": "FPR at 95 % TPR",
    "seconds_a_day": "s a day",
    "processor_s_a_day": "processor s a day",
    "peak_mib": "peak MiB",
    "paper_f1": "paper's F1",
    "paper_sd": "paper's sd",
    "note": "note",
}
"""Columns of the table of methods, with what people read above them."""


def methods_table(scores: Sequence[RowScores]) -> pd.DataFrame:
    """Return one line a row and variant, columns `METHODS`; empty numbers where nothing was run."""
    table = pd.DataFrame([_line(each) for each in scores], columns=list(METHODS))
    return table.astype(dict.fromkeys(("seeds", "days", "classes", "support"), "Int64"))


def _line(scores: RowScores) -> dict[str, Any]:
    mean, spread = paper.MACRO_F1.get(paper_column(scores), (np.nan, np.nan))
    line: dict[str, Any] = {
        "method": scores.name,
        "seconds_a_day": scores.seconds_a_day,
        "processor_s_a_day": scores.processor_s_a_day,
        "peak_mib": None if scores.peak_bytes is None else scores.peak_bytes / MIB,
        "paper_f1": mean,
        "paper_sd": spread,
        "note": visible(scores.note),
    } | {name: scores.alarms.get(name) for name in ("alarm_share", "auroc", "fpr_at_95_tpr")}
    if scores.repeats is None:
        return line
    summary = scores.repeats.summary
    return line | {
        "macro_f1": summary["macro_f1_mean"],
        "sd_days": summary["macro_f1_sd"],
        "sd_seeds": summary["macro_f1_sd_repeats"],
        "low": summary["macro_f1_low"],
        "high": summary["macro_f1_high"],
        "pooled": summary["macro_f1_pooled"],
        "weighted": summary["weighted_f1_pooled"],
        "seeds": max(1, len(scores.runs)),
        "days": summary["days"],
        "classes": summary["classes"],
        "support": summary["hosts"],
    }


def paper_column(scores: RowScores) -> str:
    """Return the paper's column that a row stands beside: with either preset the same."""
    return scores.row.name.removesuffix(AS_RELEASED)


def classes_table(scores: Sequence[RowScores], aliases: Mapping[str, str]) -> pd.DataFrame:
    """Return F1 by class, one line a method and class, the paper's columns first.

    Args:
        scores: Rows; those that were not run are left out.
        aliases: Names that stand for a label, so that the paper's classes meet the workspace's.

    Returns:
        Columns `source` (`paper` or `ours`), `method`, `label`, `support`, `f1` (mean over days),
        `sd_days`, `sd_seeds`, `low`, `high`, `f1_pooled`, `precision`, `recall`.
    """
    parts = [_paper_classes(aliases)]
    for each in scores:
        if each.repeats is not None:
            named = each.repeats.by_class.rename(
                columns={
                    "f1": "f1_pooled",
                    "f1_mean": "f1",
                    "f1_sd": "sd_days",
                    "f1_sd_repeats": "sd_seeds",
                    "f1_low": "low",
                    "f1_high": "high",
                }
            )
            parts.append(named.assign(source=OURS, method=each.name))
    return pd.concat(parts, ignore_index=True)[CLASSES]


CLASSES = [
    "source",
    "method",
    "label",
    "support",
    "f1",
    "sd_days",
    "sd_seeds",
    "low",
    "high",
    "f1_pooled",
    "precision",
    "recall",
]


def _paper_classes(aliases: Mapping[str, str]) -> pd.DataFrame:
    rows = [
        {
            "source": PAPER_SOURCE,
            "method": column,
            "label": aliases.get(fold(name), fold(name)),
            "support": paper.SUPPORT[name],
            "f1": mean,
            "sd_days": spread,
        }
        for column, classes in paper.CLASS_F1.items()
        for name, (mean, spread) in classes.items()
    ]
    return pd.DataFrame(rows).reindex(columns=CLASSES)


def wide_classes(classes: pd.DataFrame) -> pd.DataFrame:
    """Return F1 as people read Table 3: a line a method, a column a class, mean and deviation.

    Classes stand by support, those of the paper first where the workspace has none of them.
    """
    own = classes[classes["source"] == OURS]
    support = own.groupby("label")["support"].max().sort_values(ascending=False, kind="stable")
    others = [name for name in dict.fromkeys(classes["label"]) if name not in support.index]
    lines = [{"method": "support (ours)"} | {name: f"{support[name]:,}" for name in support.index}]
    for (source, method), part in classes.groupby(["source", "method"], sort=False):
        named = f"paper: {method!s}" if source == PAPER_SOURCE else str(method)
        cells = {
            str(label): _beside(float(f1), float(spread))
            for label, f1, spread in zip(part["label"], part["f1"], part["sd_days"], strict=True)
        }
        lines.append({"method": named} | cells)
    return pd.DataFrame(lines, columns=["method", *support.index, *others]).fillna("")


def _beside(f1: float, spread: float) -> str:
    """Return a mean with its deviation, where there is one.

    >>> _beside(0.9, 0.0123), _beside(0.5, float("nan"))
    ('0.90 +- 0.01', '0.50')
    """
    return f"{f1:.2f}" if np.isnan(spread) else f"{f1:.2f} +- {spread:.2f}"


def pairs_table(scores: Sequence[RowScores], reference: str = REFERENCE) -> pd.DataFrame:
    """Compare the reference row with every other, day by day: `comparing.compare`, one family.

    Returns:
        Its columns and `sentence`; empty where the reference was not run, or nothing beside it.
    """
    daily = _daily(scores)
    named = [each.name for each in scores if each.row.name == reference and each.name in daily]
    others = {name: days for name, days in daily.items() if name not in named}
    if not named or not others:
        return pd.DataFrame(columns=["first", "second", "sentence"])
    return _with_sentences(compare({named[0]: daily[named[0]]}, baselines=others))


def presets_table(scores: Sequence[RowScores]) -> pd.DataFrame:
    """Compare each row with what it is `as_released`, day by day, as a family of its own.

    Returns:
        As `pairs_table`; empty where no row was run both ways.
    """
    daily = _daily(scores)
    written = {each.name: f"{each.row.name}{AS_RELEASED}" for each in scores if each.name in daily}
    pairs = [(name, other) for name, other in written.items() if other in daily]
    if not pairs:
        return pd.DataFrame(columns=["first", "second", "sentence"])
    return _with_sentences(compare_pairs(daily, pairs))


def _daily(scores: Sequence[RowScores]) -> dict[str, "pd.Series[float]"]:
    return {
        each.name: each.repeats.by_day.set_index("day")["macro_f1"]
        for each in scores
        if each.repeats is not None
    }


def _with_sentences(table: pd.DataFrame) -> pd.DataFrame:
    return table.assign(sentence=[sentence(row) for row in table.to_dict("records")])
