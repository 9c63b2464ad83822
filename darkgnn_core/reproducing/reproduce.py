"""Tables 2 and 3 and Figures 4a and 4b of the paper, made from a workspace and written as files."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from darkgnn_core.demo_loading import table2_beside_paper
from darkgnn_core.evaluation.predictions import Voting
from darkgnn_core.evaluation.protocols import PROTOCOLS
from darkgnn_core.labels.aliases import read_aliases
from darkgnn_core.provenance import environment
from darkgnn_core.reproducing import paper
from darkgnn_core.reproducing.asking import PARTS, Job, Part
from darkgnn_core.reproducing.curves import figure4a, figure4b
from darkgnn_core.reproducing.data_sets import describe
from darkgnn_core.reproducing.exports import plain, write_document, write_tables
from darkgnn_core.reproducing.rows import Row, chosen, table3_rows
from darkgnn_core.reproducing.running import Runs, scored_keys
from darkgnn_core.reproducing.scoring import Ask, RowScores, score_runs, score_table_row
from darkgnn_core.reproducing.tables import (
    METHODS,
    classes_table,
    methods_table,
    pairs_table,
    presets_table,
    wide_classes,
)
from darkgnn_core.runs import Run
from darkgnn_core.traces.parsing import Stopped

__all__ = ["reproduce", "table2", "table3"]


def reproduce(job: Job, parts: Sequence[str] = PARTS) -> list[Part]:
    """Make tables and figures one after another and write their files.

    Finished runs over the same data are reused, interrupted ones go on, missing ones are trained.

    Args:
        job: Of what, how, and whom to tell.
        parts: Names out of `PARTS`, in order.

    Returns:
        What was made; the last one is `stopped` where `job.should_stop` said so.

    Raises:
        RunError: `NO-SNAPSHOTS`, `TOO-FEW-DAYS`.
        ConfigError: `NO-ROWS`.
        WorkspaceError: `DAMAGED`, `DISK-FULL`.
    """
    makers: dict[str, Callable[[Job], Part]] = {
        "table2": table2,
        "table3": table3,
        "figure4a": figure4a,
        "figure4b": figure4b,
    }
    made = []
    for name in parts:
        made.append(makers[name](job))
        if made[-1].stopped:
            break
    return made


def table2(job: Job) -> Part:
    """Make Table 2: hosts, ports and packets by class, with the paper's figures beside them."""
    data_set = describe(job.workspace)
    title = f"Table 2: {data_set.title}"
    rows = table2_beside_paper(job.workspace)
    note = "Daily averages of ours are over all days, the paper's over those a class was seen on."
    tables = {"Hosts, ports and packets by class": rows}
    document = {"title": title, "paper": paper.CITATION, "rows": rows}
    files = write_tables(
        job.directory,
        "table2",
        tables,
        head=f"# {title}\n\n{note}",
        foot=f"Paper: {paper.CITATION}.",
    )
    files.append(write_document(job.directory, "table2", document))
    return Part("table2", title, data_set, tables, (note,), plain(document), tuple(files))


def table3(job: Job) -> Part:
    """Make Table 3: every network, every baseline, every control, and the paper's numbers."""
    settings = job.settings
    data_set = describe(job.workspace)
    rows = chosen(table3_rows(settings.device, settings.presets), settings.only, settings.skip)
    runs = job.runs()
    keys = scored_keys(runs, settings.last_days)
    asks = [
        Ask(name, keys, settings.min_class_hosts, settings.labels) for name in settings.protocols
    ]
    found, stopped = _scored(job, runs, rows, asks)
    with job.workspace.catalogue() as connection:
        aliases = read_aliases(connection)
    results = [_Result(ask, scores, aliases) for ask, scores in zip(asks, found, strict=True)]
    title = f"Table 3: {data_set.title}"
    notes = _notes(job, runs, keys, found[0], stopped=stopped)
    tables = {name: table for result in results for name, table in result.tables().items()}
    document = plain(
        {
            "title": title,
            "data_set": data_set.__dict__,
            "paper": paper.CITATION,
            "settings": settings.to_dict(),
            "days": list(keys),
            "notes": list(notes),
            "stopped": stopped,
            "protocols": {result.ask.protocol: result.document() for result in results},
            "runs": _runs_of(found[0]),
            "data_hash": runs.data_hash,
            "made_with": environment(),
        }
    )
    head = "\n\n".join([f"# {title}", *notes])
    shown = {name: table for result in results for name, table in result.shown().items()}
    foot = f"Paper: {paper.CITATION}."
    files = write_tables(job.directory, "table3", tables, shown=shown, head=head, foot=foot)
    files.append(write_document(job.directory, "table3", document))
    return Part("table3", title, data_set, tables, notes, document, tuple(files), stopped)


def _scored(
    job: Job, runs: Runs, rows: Sequence[Row], asks: Sequence[Ask]
) -> tuple[list[list[RowScores]], bool]:
    """Run and score all rows, by protocol; and say whether it was stopped on the way."""
    found: list[list[RowScores]] = [[] for _ in asks]
    done: dict[str, list[Run]] = {}
    stopped = False
    for place, row in enumerate(rows):
        job.tell(place, len(rows), row.name)
        try:
            if stopped or job.should_stop():
                raise Stopped
            seeds = job.settings.slow_seeds if row.is_without_features else job.settings.seeds
            ended = runs.of(row, seeds, done)
            done[row.name] = ended
            results = [_row_scores(job, runs, row, ended, ask) for ask in asks]
        except Stopped:
            stopped = True
            results = [[RowScores(row, "", None, note="not run: stopped before it")] for _ in asks]
        for each, scores in zip(found, results, strict=True):
            each += scores
    job.tell(len(rows), len(rows), "")
    return found, stopped


def _row_scores(job: Job, runs: Runs, row: Row, ended: Sequence[Run], ask: Ask) -> list[RowScores]:
    def told(done: int, total: int, what: str) -> None:
        if job.should_stop():
            raise Stopped

    if row.protocol is not None:
        return score_table_row(job.workspace, runs.keys, row, ask, told=told)
    return score_runs(job.workspace, row, ended, ask, told=told)


@dataclass(frozen=True)
class _Result:
    """The rows of one protocol."""

    ask: Ask
    scores: list[RowScores]
    aliases: dict[str, str]

    def tables(self) -> dict[str, Any]:
        """Return its tables by title, as values."""
        name = PROTOCOLS[self.ask.protocol].title
        return {
            f"{name}: methods": methods_table(self.scores),
            f"{name}: F1 by class": classes_table(self.scores, self.aliases),
            f"{name}: pairs": pairs_table(self.scores),
            f"{name}: presets": presets_table(self.scores),
        }

    def shown(self) -> dict[str, Any]:
        """Return its tables by title, as people read them."""
        methods, classes, *others = self.tables().items()
        named = methods[1].rename(columns=METHODS).dropna(axis=1, how="all")
        return {methods[0]: named, classes[0]: wide_classes(classes[1]), **dict(others)}

    def document(self) -> dict[str, Any]:
        """Return it as JSON can hold it."""
        methods, classes, pairs, presets = self.tables().values()
        return {
            "reading": PROTOCOLS[self.ask.protocol].reading,
            "labels": self.ask.scope,
            "methods": methods,
            "classes": classes,
            "pairs": pairs,
            "presets": presets,
            "days": {
                each.name: each.repeats.by_day for each in self.scores if each.repeats is not None
            },
        }


def _notes(
    job: Job, runs: Runs, keys: Sequence[str], scores: Sequence[RowScores], *, stopped: bool
) -> tuple[str, ...]:
    settings, voting = job.settings, Voting()
    readings = " ".join(
        f"{PROTOCOLS[each].title}: {PROTOCOLS[each].reading}" for each in settings.protocols
    )
    notes = [
        f"Scored: the last {len(keys)} of {len(runs.keys)} days, {keys[0]} to {keys[-1]}; "
        f"k={voting.k}, {voting.metric}, standardised; classes of fewer than "
        f"{settings.min_class_hosts} hosts on a day are unknown there.",
        readings,
        "Macro F1 is the mean over days of each day's; pooled is that of all days together. The "
        "95 % interval draws blocks of days, and seeds. Memory is that of the training process.",
    ]
    if "as_released" in settings.presets:
        notes.append(
            "as_released rows do what the paper's released code did, where it differs from the "
            "text, except that all rows share the snapshots named in the title; level votes go to "
            "the alphabetically first label there, to the nearest host's elsewhere."
        )
    missing = [each.row.name for each in scores if each.repeats is None]
    if missing:
        notes.append(f"Not run, or without scores: {'; '.join(missing)}.")
    if stopped:
        notes.append("Stopped before the end; the same command goes on from there.")
    return tuple(notes)


def _runs_of(scores: Sequence[RowScores]) -> dict[str, list[dict[str, Any]]]:
    return {
        each.row.name: [
            {
                "id": run.id,
                "seed": run.config.seed,
                "config_hash": run.config_hash,
                "state": run.state,
            }
            for run in each.runs
        ]
        for each in scores
        if each.runs
    }
