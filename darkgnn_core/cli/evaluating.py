"""The command `evaluate`: how good are runs, per class and day, and which is better."""

import argparse
import json
from collections.abc import Sequence
from dataclasses import replace
from typing import get_args

import pandas as pd

from darkgnn_core.cli.ingesting import OK
from darkgnn_core.cli.output import Output
from darkgnn_core.cli.running import find_ids
from darkgnn_core.embedding_again import PAST_DAYS, VARIANT, past_labels_again
from darkgnn_core.embeddings import Embedding
from darkgnn_core.errors import ConfigError, RunError
from darkgnn_core.evaluation.comparing import compare, sentence
from darkgnn_core.evaluation.labelled_days import LabelledDay, LabelScope, labelled_days
from darkgnn_core.evaluation.open_set import alarms_of, left_out_classes, open_set_days
from darkgnn_core.evaluation.predictions import Ties, Voting
from darkgnn_core.evaluation.protocols import (
    DUMMIES,
    OPEN_SET,
    PAST_LABELS,
    PROTOCOLS,
    SAME_DAY_LOO,
    Protocol,
)
from darkgnn_core.evaluation.repeats import Repeats, evaluate, over_repeats
from darkgnn_core.evaluation.scores import score
from darkgnn_core.neighbours import METRICS
from darkgnn_core.runs import Run, find_run, open_embedding
from darkgnn_core.workspace import Workspace, open_workspace

TEST_DAYS = 11
"""Days of the paper's test set."""

SUMMARY = {
    "run": "run",
    "variant": "variant",
    "days": "days",
    "hosts": "hosts",
    "classes": "classes",
    "repeats": "seeds",
    "macro_f1_mean": "macro F1",
    "macro_f1_sd": "sd over days",
    "macro_f1_sd_repeats": "sd over seeds",
    "macro_f1_low": "95 % from",
    "macro_f1_high": "to",
    "macro_f1_pooled": "pooled",
    "weighted_f1_pooled": "weighted",
    "balanced_accuracy_pooled": "balanced",
    "mcc_pooled": "MCC",
    "ece": "ECE",
}
CLASSES = {
    "run": "run",
    "variant": "variant",
    "label": "label",
    "support": "support",
    "days": "days",
    "precision": "precision",
    "recall": "recall",
    "f1": "F1 pooled",
    "f1_mean": "F1 mean",
    "f1_sd": "sd over days",
    "f1_sd_repeats": "sd over seeds",
    "f1_low": "95 % from",
    "f1_high": "to",
}
DAYS = {
    "run": "run",
    "variant": "variant",
    "day": "day",
    "hosts": "hosts",
    "classes": "classes",
    "macro_f1": "macro F1",
    "weighted_f1": "weighted",
    "balanced_accuracy": "balanced",
    "mcc": "MCC",
    "ece": "ECE",
}
"""Columns of each table with what people read above them."""

ALARMS = {
    "run": "run",
    "unknown_hosts": "unknown hosts",
    "alarms": "told a class",
    "alarm_share": "share",
    "abstained": "labelled told unknown",
    "abstained_share": "share",
    "auroc": "AUROC, class held out",
    "fpr_at_95_tpr": "FPR at 95 % TPR",
}
LEFT_OUT = {
    "run": "run",
    "label": "label",
    "days": "days",
    "hosts": "hosts",
    "auroc": "AUROC",
    "fpr_at_95_tpr": "FPR at 95 % TPR",
}
"""The same for the open set: a class held out is one that no neighbour has."""

PAIR_NUMBERS = ("difference", "sd", "low", "high", "p", "p_holm", "detectable")
"""Columns that people read with four decimals."""


def add_evaluate_options(command: argparse.ArgumentParser) -> None:
    """Say what `evaluate` takes."""
    voting = Voting()
    command.add_argument("runs", nargs="+", metavar="RUN", help="id of a run, or how it begins")
    command.add_argument(
        "--protocol", choices=PROTOCOLS, default=SAME_DAY_LOO.name, help="(default: %(default)s)"
    )
    days = command.add_mutually_exclusive_group()
    days.add_argument("--days", metavar="FIRST..LAST", help="such as 2021-12-21..2021-12-31")
    days.add_argument(
        "--last-days", type=int, default=TEST_DAYS, metavar="N", help="the last N days (11)"
    )
    command.add_argument("--k", type=int, default=voting.k, help="neighbours that vote (3)")
    command.add_argument("--metric", choices=METRICS, default=voting.metric, help="(cosine)")
    command.add_argument(
        "--standardise",
        action=argparse.BooleanOptionalAction,
        default=voting.standardise,
        help="bring columns to mean 0 and variance 1 over all hosts of the day (yes)",
    )
    command.add_argument(
        "--min-class-hosts",
        type=int,
        default=voting.min_class_hosts,
        help="smaller classes are unknown on their day (11)",
    )
    command.add_argument(
        "--ties", choices=get_args(Ties), default=voting.ties, help="who wins level votes (nearest)"
    )
    command.add_argument(
        "--other-prefixes", action="store_true", help="hosts of the same /24 have no vote"
    )
    command.add_argument(
        "--labels",
        choices=get_args(LabelScope),
        default="day",
        help="labels bound to a day count on that day, or, as in the paper, all of them always",
    )
    command.add_argument(
        "--join-seeds", action="store_true", help="runs that differ in the seed alone are one"
    )
    command.add_argument(
        "--embed-again",
        action="store_true",
        help="past_labels: also with earlier days embedded anew by the weights of each scored day "
        f"(the last {PAST_DAYS} days; takes about as long as training)",
    )
    command.add_argument(
        "--baselines", action="store_true", help="add baselines that need no embedding"
    )
    command.add_argument("--seed", type=int, default=0, help="of what is drawn")


def run_evaluate(arguments: argparse.Namespace, output: Output) -> int:
    """Score runs by a protocol: in one line, per class, by day, and against each other."""
    workspace = open_workspace(arguments.workspace, create=False)
    protocol = PROTOCOLS[arguments.protocol]
    voting = _voting(arguments)
    ids = dict.fromkeys(find_ids(workspace, arguments.runs))
    runs = [find_run(workspace, run_id) for run_id in ids]
    keys = _chosen_days(runs, arguments)
    found: dict[tuple[str, str], Repeats] = {}
    for name, members in _groups(runs, joined=arguments.join_seeds).items():
        for variant, repeats in _scored(workspace, members, protocol, keys, voting, arguments):
            found[name, variant] = repeats
        if arguments.embed_again:
            found[name, VARIANT] = _embedded_again(workspace, members, protocol, keys, arguments)
    if arguments.baselines:
        days = _labelled(workspace, runs[0], keys, arguments, with_past=True)
        for dummy in DUMMIES.values():
            for variant, repeats in _evaluated(dummy, days, keys, voting, arguments).items():
                found[dummy.name, variant] = repeats
    _show(protocol, keys, found, output)
    if protocol is OPEN_SET:
        _show_open_set(workspace, runs, keys, voting, arguments, output)
    return OK


def _embedded_again(
    workspace: Workspace,
    members: Sequence[Run],
    protocol: Protocol,
    keys: Sequence[str],
    arguments: argparse.Namespace,
) -> Repeats:
    """Score runs by past labels, earlier days embedded by the weights of each scored day."""
    if protocol is not PAST_LABELS:
        message = f"--embed-again goes with --protocol {PAST_LABELS.name} alone."
        raise ConfigError(message, code="EVALUATION")
    voting = _voting(arguments)
    return over_repeats(
        [
            score(
                past_labels_again(workspace, run, keys, voting, scope=arguments.labels),
                seed=arguments.seed,
            )
            for run in members
        ],
        seed=arguments.seed,
    )


def _show_open_set(
    workspace: Workspace,
    runs: Sequence[Run],
    keys: Sequence[str],
    voting: Voting,
    arguments: argparse.Namespace,
    output: Output,
) -> None:
    """Show what became of unknown hosts, and how well a class held out is told to be new."""
    totals, classes = [], []
    for run in runs:
        days = _labelled(workspace, run, keys, arguments, with_past=True)
        found = open_set_days(days, keys, voting)
        name = {"run": f"{run.name} ({run.id[:6]})"}
        totals.append(name | alarms_of(found))
        classes.append(left_out_classes(found).assign(**name))
    _table("open_set", pd.DataFrame(totals), ALARMS, "Unknown hosts, and classes held out", output)
    _table("left_out", pd.concat(classes, ignore_index=True), LEFT_OUT, "Held out by class", output)


def _voting(arguments: argparse.Namespace) -> Voting:
    return Voting(
        k=arguments.k,
        metric=arguments.metric,
        standardise=arguments.standardise,
        min_class_hosts=arguments.min_class_hosts,
        ties=arguments.ties,
        leaves_out_prefix=arguments.other_prefixes,
    )


def _chosen_days(runs: Sequence[Run], arguments: argparse.Namespace) -> list[str]:
    """Return the keys of the bins to score: those that all runs have."""
    shared = sorted(set.intersection(*(set(run.days) for run in runs)))
    if arguments.days is None:
        if arguments.last_days < 1:
            message = f"--last-days must be 1 or more, got {arguments.last_days}."
            raise ConfigError(message, code="EVALUATION")
        chosen = shared[-arguments.last_days :]
    else:
        first, dots, last = arguments.days.partition("..")
        if not dots:
            message = f"--days must be FIRST..LAST, got {arguments.days!r}."
            raise ConfigError(message, code="EVALUATION")
        chosen = [key for key in shared if first <= key[:10] <= last]
    if not chosen:
        there = f"{shared[0]} to {shared[-1]}" if shared else "no day that all of them have"
        raise RunError(f"There is no such day in these runs; they have {there}.", code="NO-DAYS")
    return chosen


def _groups(runs: Sequence[Run], *, joined: bool) -> dict[str, list[Run]]:
    """Return runs by the name they are told under: alone, or with those of other seeds."""
    named: dict[str, list[Run]] = {}
    for run in runs:
        key = replace(run.config, seed=0).hash if joined else run.id
        named.setdefault(key, []).append(run)
    told = {}
    for members in named.values():
        first = members[0]
        seeds = f", {len(members)} seeds" if len(members) > 1 else ""
        told[f"{first.name} ({first.id[:6]}{seeds})"] = members
    return told


def _labelled(
    workspace: Workspace,
    run: Run,
    keys: Sequence[str],
    arguments: argparse.Namespace,
    *,
    with_past: bool,
) -> list[LabelledDay]:
    """Read the days to score, and those before them where they are needed."""
    wanted = [day for day in run.days if day <= keys[-1]] if with_past else keys

    def read(key: str) -> Embedding:
        return open_embedding(workspace, run.id, key)

    return labelled_days(workspace, read, wanted, scope=arguments.labels)


def _evaluated(
    protocol: Protocol,
    days: Sequence[LabelledDay],
    keys: Sequence[str],
    voting: Voting,
    arguments: argparse.Namespace,
) -> dict[str, Repeats]:
    return evaluate(protocol, days, keys, voting=voting, seed=arguments.seed)


def _scored(
    workspace: Workspace,
    members: Sequence[Run],
    protocol: Protocol,
    keys: Sequence[str],
    voting: Voting,
    arguments: argparse.Namespace,
) -> list[tuple[str, Repeats]]:
    """Score runs that differ in the seed alone, one run at a time in memory."""
    by_variant: dict[str, list[Repeats]] = {}
    for run in members:
        days = _labelled(workspace, run, keys, arguments, with_past=protocol.needs_past)
        for variant, repeats in _evaluated(protocol, days, keys, voting, arguments).items():
            by_variant.setdefault(variant, []).append(repeats)
    return [
        (variant, over_repeats([scores for each in found for scores in each.each]))
        for variant, found in by_variant.items()
    ]


def _show(
    protocol: Protocol,
    keys: Sequence[str],
    found: dict[tuple[str, str], Repeats],
    output: Output,
) -> None:
    output.value("protocol", {"name": protocol.name, "reading": protocol.reading})
    output.value("days", list(keys))
    output.say(f"{protocol.title}. {protocol.reading}")
    output.say(f"{len(keys)} days, {keys[0]} to {keys[-1]}.")
    summary = pd.DataFrame([_named(name) | found[name].summary for name in found])
    _table("summary", summary, SUMMARY, "Scores", output)
    for name, columns, title in (
        ("by_class", CLASSES, "Per class"),
        ("by_day", DAYS, "By day"),
    ):
        parts = [getattr(each, name).assign(**_named(key)) for key, each in found.items()]
        _table(name, pd.concat(parts, ignore_index=True), columns, title, output)
    _show_comparison(found, output)


def _named(name: tuple[str, str]) -> dict[str, str]:
    return {"run": name[0], "variant": name[1]}


def _table(
    name: str, rows: pd.DataFrame, columns: dict[str, str], title: str, output: Output
) -> None:
    """Show the columns that say something: none that is empty all the way down."""
    kept = [column for column in columns if not _is_empty(rows[column])]
    output.table(name, rows[kept], title=title, headings=columns)


def _is_empty(column: "pd.Series[str]") -> bool:
    return bool((column.isna() | (column == "")).all()) and len(column) > 0


def _show_comparison(found: dict[tuple[str, str], Repeats], output: Output) -> None:
    """Compare runs with each other and with baselines; none where there is one run alone."""
    by_day: dict[str, pd.Series[float]] = {}
    baselines: dict[str, pd.Series[float]] = {}
    for (name, variant), each in found.items():
        told = by_day if name not in DUMMIES else baselines
        told[f"{name} {variant}".strip()] = each.by_day.set_index("day")["macro_f1"]
    if len(by_day) + len(baselines) < 2:
        return
    table = compare(by_day, baselines=baselines)
    said = [sentence(row) for row in table.to_dict("records")]
    exact = {name: table[name].map("{:.4f}".format) for name in PAIR_NUMBERS}
    output.table("comparison", table.assign(**exact), title="Pairs, macro F1 day by day")
    output.value("comparison", json.loads(table.to_json(orient="records")))
    output.value("sentences", said)
    for text in said:
        output.say(text)
