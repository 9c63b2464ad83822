"""Figures 4a and 4b: macro F1 of i-GCN-GRU over days of history, and over epochs a snapshot.

The paper drew them on the test days, which are then no test any more. Here each is drawn twice: on
the days before the test days, where a setting may be chosen, and on the test days.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import pandas as pd

from darkgnn_core.evaluation.comparing import FEWEST_DAYS
from darkgnn_core.evaluation.protocols import SAME_DAY_LOO
from darkgnn_core.reproducing import paper
from darkgnn_core.reproducing.asking import Job, Part
from darkgnn_core.reproducing.data_sets import describe
from darkgnn_core.reproducing.exports import plain, write_document, write_tables
from darkgnn_core.reproducing.rows import Row, chosen, epoch_rows, history_rows
from darkgnn_core.reproducing.running import Runs, scored_keys
from darkgnn_core.reproducing.scoring import Ask, RowScores, score_runs
from darkgnn_core.traces.parsing import Stopped

TEST, EARLIER = "ours, test days", "ours, the days before them"
RANDOM, PAPER = "random weights, test days", "the paper (its test days, its data)"
CURVES = (TEST, EARLIER, RANDOM, PAPER)
POINTS = ["curve", "value", "f1", "sd_days", "sd_seeds", "low", "high", "seeds", "days"]


def figure4a(job: Job) -> Part:
    """Make Figure 4a: macro F1 by days of history."""
    rows = history_rows(job.settings.device)
    return _figure(job, "figure4a", rows, paper.HISTORY_F1, "days of history H")


def figure4b(job: Job) -> Part:
    """Make Figure 4b: macro F1 by epochs a snapshot."""
    rows = epoch_rows(job.settings.device)
    return _figure(job, "figure4b", rows, paper.EPOCHS_F1, "epochs a snapshot")


def _figure(
    job: Job, name: str, rows: Sequence[Row], published: Mapping[int, float], x_title: str
) -> Part:
    from darkgnn_core.reproducing.figures import curve_chart, save_chart  # imports Altair

    data_set = describe(job.workspace)
    settings = job.settings
    runs = job.runs()
    keys = scored_keys(runs, settings.last_days)
    earlier = _days_to_choose_on(runs.keys, keys)
    found, stopped = _points(job, runs, chosen(rows, settings.only, settings.skip), keys, earlier)
    known = [_paper_point(value, f1) for value, f1 in published.items()]
    points = pd.DataFrame([*found, *known], columns=POINTS)
    points = points.sort_values(
        ["curve", "value"],
        key=lambda column: column.map(CURVES.index) if column.name == "curve" else column,
        ignore_index=True,
    )
    title = f"Figure {name.removeprefix('figure')}: macro F1 of i-GCN-GRU by {x_title}"
    notes = _notes(points, x_title, keys, earlier, stopped=stopped)
    head = "\n\n".join([f"# {title}", data_set.title, *notes])
    files = write_tables(job.directory, name, {"Points": points}, head=head)
    chart = curve_chart(points, title=title, subtitle=data_set.title, x_title=x_title)
    files += save_chart(chart, job.directory, name)
    document: dict[str, Any] = plain(
        {
            "title": f"{title}; {data_set.title}",
            "paper": paper.CITATION,
            "settings": settings.to_dict(),
            "notes": list(notes),
            "stopped": stopped,
            "points": points,
        }
    )
    files.append(write_document(job.directory, name, document))
    tables = {"Points": points}
    return Part(
        name, f"{title}; {data_set.title}", data_set, tables, notes, document, tuple(files), stopped
    )


def _days_to_choose_on(all_keys: Sequence[str], keys: Sequence[str]) -> tuple[str, ...]:
    """Return the days before the test days that have the longest history behind them.

    With too few of them there are none: they would tell nothing.
    """
    before = [key for key in all_keys if key < keys[0]]
    earlier = tuple(before[max(paper.HISTORY_F1) :][-len(keys) :])
    return earlier if len(earlier) >= FEWEST_DAYS else ()


def _points(
    job: Job, runs: Runs, rows: Sequence[Row], keys: tuple[str, ...], earlier: tuple[str, ...]
) -> tuple[list[dict[str, Any]], bool]:
    """Return the points of ours, and whether it was stopped on the way."""
    points: list[dict[str, Any]] = []
    for place, row in enumerate(rows):
        job.tell(place, len(rows), row.name)
        try:
            ended = runs.of(row, job.settings.seeds, {})
        except Stopped:
            return points, True
        is_random = row.name.startswith("random")
        for curve, days in ((RANDOM if is_random else TEST, keys), (EARLIER, earlier)):
            if days and not (is_random and curve == EARLIER):
                ask = Ask(
                    SAME_DAY_LOO.name, days, job.settings.min_class_hosts, job.settings.labels
                )
                scored = score_runs(job.workspace, row, ended, ask)
                points += [_point(curve, each) for each in scored if each.repeats is not None]
    job.tell(len(rows), len(rows), "")
    return points, False


def _point(curve: str, scores: RowScores) -> dict[str, Any]:
    summary = {} if scores.repeats is None else scores.repeats.summary
    return {
        "curve": curve,
        "value": scores.row.value,
        "f1": summary["macro_f1_mean"],
        "sd_days": summary["macro_f1_sd"],
        "sd_seeds": summary["macro_f1_sd_repeats"],
        "low": summary["macro_f1_low"],
        "high": summary["macro_f1_high"],
        "seeds": len(scores.runs),
        "days": summary["days"],
    }


def _paper_point(value: int, f1: float) -> dict[str, Any]:
    return {"curve": PAPER, "value": value, "f1": f1}


def _notes(
    points: pd.DataFrame,
    x_title: str,
    keys: Sequence[str],
    earlier: Sequence[str],
    *,
    stopped: bool,
) -> tuple[str, ...]:
    notes = [f"Test days {keys[0]} to {keys[-1]}; bars are 95 % intervals over blocks of days."]
    tuned = points[points["curve"] == EARLIER]
    if earlier and not tuned.empty:
        best = tuned.iloc[int(tuned["f1"].to_numpy().argmax())]
        tested = points[(points["curve"] == TEST) & (points["value"] == best["value"])]
        notes.append(
            f"Chosen on the days before ({earlier[0]} to {earlier[-1]}) would be "
            f"{int(best['value'])} {x_title} ({best['f1']:.3f} there, "
            f"{tested['f1'].iloc[0]:.3f} on the test days)."
        )
    if not earlier:
        notes.append("There are too few days before them to choose a setting on.")
    if stopped:
        notes.append("Stopped before the end; the same command goes on from there.")
    return tuple(notes)
