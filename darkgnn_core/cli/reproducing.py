"""The command `reproduce`: the paper's tables and figures from a workspace, with one line."""

import argparse
from pathlib import Path
from typing import get_args

from darkgnn_core.cli.following import watching
from darkgnn_core.cli.ingesting import INTERRUPTED, OK, interruptible
from darkgnn_core.cli.output import Output
from darkgnn_core.config import PRESETS
from darkgnn_core.devices import choose_device
from darkgnn_core.evaluation.labelled_days import LabelScope
from darkgnn_core.evaluation.protocols import PROTOCOLS
from darkgnn_core.reproducing.asking import PARTS, Job, Part, Settings
from darkgnn_core.reproducing.reproduce import reproduce
from darkgnn_core.reproducing.rows import table3_rows
from darkgnn_core.workspace import open_workspace

ALL = "all"
FOLDER = "reproduced"
SHORT = ("method", "macro_f1", "sd_days", "sd_seeds", "low", "high", "pooled", "seconds_a_day")
"""Columns of the table of methods that people see on the terminal, with the paper's and notes."""

DETAILS = """The paper's Table 2, Table 3, Figure 4a (F1 by days of history) and Figure 4b (F1 by
epochs), from this workspace's days: the paper's numbers, ours with both presets, every baseline and
negative control. Runs that are missing are trained one after another; finished ones over the same
data are reused, so the command goes on where it was stopped or killed. Files: Markdown, CSV, JSON,
PNG and SVG."""


def add_reproduce_options(command: argparse.ArgumentParser) -> None:
    """Say what `reproduce` takes."""
    defaults = Settings()
    command.description = DETAILS
    command.add_argument("what", choices=[*PARTS, ALL])
    command.add_argument("--out", type=Path, metavar="DIR", help=f"(default: W/{FOLDER})")
    command.add_argument(
        "--seeds", type=int, default=defaults.seeds, metavar="N", help="runs a row, seeds 0 to N-1"
    )
    command.add_argument(
        "--slow-seeds",
        type=int,
        default=defaults.slow_seeds,
        metavar="N",
        help="the same for networks without features (1)",
    )
    command.add_argument(
        "--last-days", type=int, default=defaults.last_days, metavar="N", help="days scored (11)"
    )
    command.add_argument(
        "--min-class-hosts",
        type=int,
        default=defaults.min_class_hosts,
        help="smaller classes are unknown on their day (11)",
    )
    command.add_argument(
        "--protocol",
        nargs="+",
        choices=PROTOCOLS,
        default=list(defaults.protocols),
        metavar="NAME",
        dest="protocols",
        help=f"one or more of {', '.join(PROTOCOLS)} (the paper's)",
    )
    command.add_argument(
        "--labels",
        choices=get_args(LabelScope),
        help="labels bound to a day count on that day, or all of them always (the paper's way; "
        "the default for its protocol)",
    )
    command.add_argument("--presets", nargs="+", choices=PRESETS, default=list(PRESETS))
    command.add_argument(
        "--only", nargs="+", default=[], metavar="NAME", help="rows whose name begins so"
    )
    command.add_argument(
        "--skip", nargs="+", default=[], metavar="TEXT", help='rows that hold it ("no features")'
    )
    command.add_argument("--list", action="store_true", help="list the rows of table3, and end")
    command.add_argument(
        "--no-train", action="store_true", help="score finished runs alone, train nothing"
    )
    command.add_argument(
        "--retry", action="store_true", help="go on with runs that failed, too (no)"
    )
    command.add_argument("--device", default="cpu", help="auto, cpu, cuda, cuda:1, mps (cpu)")


def run_reproduce(arguments: argparse.Namespace, output: Output) -> int:
    """Train what is missing, score, write files, and show the tables."""
    workspace = open_workspace(arguments.workspace, create=False)
    settings = _settings(arguments)
    if arguments.list:
        for row in table3_rows(settings.device, settings.presets):
            output.say(row.name)
        names = [row.name for row in table3_rows(settings.device, settings.presets)]
        output.value("rows", names)
        return OK
    parts = PARTS if arguments.what == ALL else (arguments.what,)
    directory = arguments.out or workspace.root / FOLDER
    with interruptible() as should_stop, watching(output) as watcher:
        job = Job(
            workspace,
            settings,
            directory,
            tell=lambda done, total, what: _tell(output, done, total, what),
            see=watcher.see,
            should_stop=should_stop,
        )
        made = reproduce(job, parts)
    for part in made:
        _show(part, output)
    return INTERRUPTED if made[-1].stopped else OK


def _settings(arguments: argparse.Namespace) -> Settings:
    device = arguments.device
    return Settings(
        seeds=arguments.seeds,
        slow_seeds=arguments.slow_seeds,
        last_days=arguments.last_days,
        min_class_hosts=arguments.min_class_hosts,
        protocols=tuple(dict.fromkeys(arguments.protocols)),
        labels=arguments.labels,
        presets=tuple(dict.fromkeys(arguments.presets)),
        only=tuple(arguments.only),
        skip=tuple(arguments.skip),
        device=device if device == "cpu" else choose_device(device, "i-gcn-gru"),
        trains=not arguments.no_train,
        retries=arguments.retry,
    )


def _tell(output: Output, done: int, total: int, what: str) -> None:
    if what:
        output.say(f"{done + 1} of {total}: {what}")


def _show(part: Part, output: Output) -> None:
    output.value(part.name, part.document)
    output.say("")
    output.say(part.title)
    for note in part.notes:
        output.say(note)
    for title, table in part.tables.items():
        if part.name == "table3" and title.endswith("F1 by class"):
            continue  # wide: it is in the files
        if part.name == "table3" and title.endswith(("pairs", "presets")):
            for text in table["sentence"]:
                output.say(str(text))
            continue
        shown = table
        if part.name == "table3":
            shown = table[[*SHORT, "peak_mib", "paper_f1", "note"]].round(3)
        if not output.as_json:
            output.table(f"{part.name} {title}", shown, title=title)
    for path in part.files:
        output.say(f"  {path}")
    output.value(f"{part.name}_files", [str(path) for path in part.files])
