"""The commands, their options and their help."""

import argparse
import logging
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TypeAlias

from darkgnn_core import __version__
from darkgnn_core.cli.backing_up import add_backups_options, run_backups
from darkgnn_core.cli.cases import (
    NOTES_EXAMPLES,
    SETS_EXAMPLES,
    add_notes_actions,
    add_sets_actions,
)
from darkgnn_core.cli.evaluating import add_evaluate_options, run_evaluate
from darkgnn_core.cli.ingesting import INTERRUPTED, run_demo, run_ingest, run_jobs, run_sources
from darkgnn_core.cli.labelling import run_labels
from darkgnn_core.cli.output import Output, printable
from darkgnn_core.cli.reproducing import add_reproduce_options, run_reproduce
from darkgnn_core.cli.running import add_runs_actions
from darkgnn_core.cli.showing import run_report, run_snapshots
from darkgnn_core.cli.training import (
    add_estimate_options,
    add_train_options,
    run_estimate,
    run_train,
)
from darkgnn_core.config import PRESETS
from darkgnn_core.errors import DarkgnnError
from darkgnn_core.traces.formats import FORMATS

REFUSED = 3
EXIT_CODES = """exit codes:
  0  done
  2  the command line is not understood
  3  refused, or a run failed: the message says what was found, and the way out
  4  some files failed, the others are loaded
  130  stopped by Ctrl-C; what was finished is kept
"""
EXAMPLES = """examples:
  python -m darkgnn_core demo --workspace demo-workspace
  python -m darkgnn_core ingest traces/ --workspace my-workspace
  python -m darkgnn_core ingest log.csv --timezone UTC --min-packets 1 --workspace my-workspace
  python -m darkgnn_core labels add scanners.csv --workspace my-workspace
  python -m darkgnn_core report --workspace my-workspace
  python -m darkgnn_core sets list --workspace my-workspace
  python -m darkgnn_core train i-gcn-gru --workspace my-workspace
  python -m darkgnn_core runs list --workspace my-workspace
  python -m darkgnn_core evaluate RUN --workspace my-workspace
  python -m darkgnn_core reproduce table3 --workspace my-workspace
"""


def main(words: Sequence[str] | None = None) -> int:
    """Run one command; return its exit code."""
    arguments = build_parser().parse_args(words)
    output = Output(as_json=arguments.json)
    logging.getLogger("darkgnn").addHandler(logging.NullHandler())  # no tracebacks on a terminal
    try:
        code = int(arguments.run(arguments, output))
    except DarkgnnError as error:
        output.value("error", {"code": error.code, "message": str(error)})
        if not arguments.json:
            sys.stderr.write(printable(f"{error} ({error.code})") + "\n")
        code = REFUSED
    except KeyboardInterrupt:
        return INTERRUPTED
    output.finish()
    return code


def build_parser() -> argparse.ArgumentParser:
    """Return the parser of the whole command line."""
    parser = argparse.ArgumentParser(
        prog="darkgnn_core",
        description="From traces of a darknet to daily graphs and embeddings of its senders.",
        epilog=EXAMPLES + "\n" + EXIT_CODES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--version", action="version", version=f"darkgnn {__version__}")
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    _add_demo(commands)
    _add_ingest(commands)
    _add_sources(commands)
    _add_snapshots(commands)
    _add_labels(commands)
    _add_cases(commands)
    _add_report(commands)
    _add_jobs(commands)
    _add_backups(commands)
    _add_training(commands)
    add_evaluate_options(
        _command(commands, "evaluate", "Score runs per class and day, and compare.", run_evaluate)
    )
    told = "Make the paper's tables and figures from this workspace."
    add_reproduce_options(_command(commands, "reproduce", told, run_reproduce))
    return parser


Commands: TypeAlias = "argparse._SubParsersAction[argparse.ArgumentParser]"


def _command(
    commands: Commands,
    name: str,
    help_text: str,
    run: Callable[[argparse.Namespace, Output], int],
) -> argparse.ArgumentParser:
    command: argparse.ArgumentParser = commands.add_parser(
        name, help=help_text, description=help_text
    )
    command.set_defaults(run=run)
    command.add_argument(
        "--workspace",
        type=Path,
        default=Path.home() / "darkgnn-workspace",
        metavar="W",
        help="directory that holds everything (default: %(default)s)",
    )
    command.add_argument("--json", action="store_true", help="print one JSON document")
    return command


def _add_demo(commands: Commands) -> None:
    command = _command(commands, "demo", "Generate a synthetic darknet and load it.", run_demo)
    command.add_argument(
        "--full",
        action="store_true",
        help="the month of the paper's Table 2, 62 million packets, instead of 14 small days",
    )
    command.add_argument("--seed", type=int, default=2021, help="everything random follows from it")
    command.add_argument(
        "--logs",
        type=Path,
        metavar="DIR",
        help="write it there as per-packet log files first, load those, and keep them",
    )
    command.add_argument(
        "--if-empty", action="store_true", help="do nothing where the workspace has packets"
    )


def _add_ingest(commands: Commands) -> None:
    command = _command(
        commands, "ingest", "Load traces (files or folders) and build daily snapshots.", run_ingest
    )
    command.add_argument("sources", nargs="+", type=Path, metavar="SOURCE", help="file or folder")
    command.add_argument(
        "--format",
        choices=[each.name for each in FORMATS],
        help="read every file as this format (default: told by content)",
    )
    command.add_argument(
        "--timezone", metavar="ZONE", help="zone of times written without one, such as UTC"
    )
    command.add_argument("--year", type=int, help="year of kernel log lines, which carry none")
    command.add_argument(
        "--mapping", type=Path, metavar="FILE", help="column mapping of a table, JSON"
    )
    command.add_argument(
        "--max-days", type=int, default=366, help="refuse a trace of more days (%(default)s)"
    )
    _add_settings(command)


def _add_settings(command: argparse.ArgumentParser) -> None:
    settings = command.add_argument_group(
        "snapshot settings", "the workspace's own where not given; kept for next time"
    )
    settings.add_argument("--preset", choices=PRESETS, help="start from these instead")
    settings.add_argument("--bin-hours", type=int, help="width of a snapshot in hours (24)")
    settings.add_argument("--min-packets", type=int, help="fewest packets of a host (5)")
    settings.add_argument("--max-ports", type=int, help="ports with a node of their own (2500)")
    for name, help_text in (
        ("features-before-port-filter", "compute the 37 columns on the true ports (no)"),
        ("include-backscatter", "keep SYN-ACK and RST packets in the graph (no)"),
        ("include-bogons", "keep sources that cannot be routed (yes)"),
        ("drop-duplicates", "drop packets that repeat another in every field (no)"),
    ):
        settings.add_argument(
            f"--{name}", action=argparse.BooleanOptionalAction, default=None, help=help_text
        )


def _add_sources(commands: Commands) -> None:
    command = _command(commands, "sources", "List the loaded traces, or remove one.", run_sources)
    command.add_argument("action", choices=["list", "remove"])
    command.add_argument("id", nargs="?", default="", help="id of the source to remove")


def _add_snapshots(commands: Commands) -> None:
    command = _command(
        commands, "snapshots", "List snapshots, show one, or build them anew.", run_snapshots
    )
    command.add_argument("action", choices=["list", "show", "build"])
    command.add_argument("bin", nargs="?", default="", help="which to show, such as 2021-12-01")
    _add_settings(command)


def _add_labels(commands: Commands) -> None:
    parser: argparse.ArgumentParser = commands.add_parser(
        "labels", help="Add, list and weigh labels.", description="Add, list and weigh labels."
    )
    actions = parser.add_subparsers(required=True, metavar="ACTION", dest="action")
    add = _command(actions, "add", "Add lists of labels, told apart by content.", run_labels)
    add.add_argument("files", nargs="+", type=Path, metavar="FILE")
    add.add_argument("--kind", choices=["csv", "given", "misp", "maltrail", "ipset"])
    add.add_argument("--label", help="one label for a MISP list or an ipset file")
    add.add_argument("--generic-label", help="label for maltrail lines without an organisation")
    add.add_argument("--allow-wide", action="store_true", help="take prefixes wider than /24 too")
    _command(actions, "list", "List the sources of labels in their order.", run_labels)
    remove = _command(actions, "remove", "Remove a source of labels.", run_labels)
    remove.add_argument("id")
    order = _command(actions, "order", "Put all sources into an order, winner first.", run_labels)
    order.add_argument("ids", nargs="+", metavar="ID")
    disputed = _command(actions, "conflicts", "List where sources disagree.", run_labels)
    disputed.add_argument("--seen", action="store_true", help="only hosts seen in the workspace")
    _command(actions, "coverage", "Count the labelled hosts by source and label.", run_labels)
    given = _command(actions, "export", "Write the labels given by hand as CSV.", run_labels)
    given.add_argument("--out", type=Path, metavar="FILE", help="where to (default: the terminal)")
    aliases = _command(actions, "aliases", "List or edit names that stand for a label.", run_labels)
    aliases.add_argument("--set", nargs=2, metavar=("NAME", "LABEL"))
    aliases.add_argument("--unset", metavar="NAME")


def _add_cases(commands: Commands) -> None:
    for name, told, examples, add_actions in (
        ("sets", "List, combine and write out the sets of hosts.", SETS_EXAMPLES, add_sets_actions),
        ("notes", "List, write and take back notes.", NOTES_EXAMPLES, add_notes_actions),
    ):
        parser: argparse.ArgumentParser = commands.add_parser(
            name,
            help=told,
            description=told,
            epilog=examples,
            formatter_class=argparse.RawDescriptionHelpFormatter,
        )
        actions = parser.add_subparsers(required=True, metavar="ACTION", dest="action")
        add_actions(actions, _command)


def _add_report(commands: Commands) -> None:
    _command(commands, "report", "Show the sensor's health and Table 2.", run_report)


def _add_backups(commands: Commands) -> None:
    told = "Copies of the catalogue: list them, make one, go back to one."
    add_backups_options(_command(commands, "backups", told, run_backups))


def _add_jobs(commands: Commands) -> None:
    command = _command(commands, "jobs", "List, cancel or read background jobs.", run_jobs)
    command.add_argument("action", choices=["list", "cancel", "log"])
    command.add_argument("id", nargs="?", default="")


def _add_training(commands: Commands) -> None:
    train = _command(commands, "train", "Train a variant on the workspace's days.", run_train)
    add_train_options(train)
    told = "Tell time, memory and disk of what train would do, without doing it."
    add_estimate_options(_command(commands, "estimate", told, run_estimate))
    help_text = "List, show, stop, go on with, and tidy up runs."
    parser: argparse.ArgumentParser = commands.add_parser(
        "runs", help=help_text, description=help_text
    )
    add_runs_actions(
        parser.add_subparsers(required=True, metavar="ACTION", dest="action"), _command
    )
