"""`backups list|make|restore`: copies of the catalogue, and the way back to one."""

import argparse

import pandas as pd

from darkgnn_core.backups import Backup, list_backups, make_backup, restore
from darkgnn_core.cli.output import Output
from darkgnn_core.errors import WorkspaceError
from darkgnn_core.workspace import Workspace, open_workspace

ACTIONS = ("list", "make", "restore")
OK = 0


def add_backups_options(command: argparse.ArgumentParser) -> None:
    """Say what `backups` takes."""
    command.add_argument("action", choices=ACTIONS)
    command.add_argument("name", nargs="?", default="", help="copy to restore (the newest)")


def run_backups(arguments: argparse.Namespace, output: Output) -> int:
    """List the copies of the catalogue, make one now, or put one in the catalogue's place."""
    workspace = Workspace(arguments.workspace.expanduser().resolve())  # opened even if damaged
    if arguments.action == "make":
        output.say(f"Made {make_backup(open_workspace(workspace.root, create=False)).path.name}.")
    if arguments.action == "restore":
        chosen = _named(list_backups(workspace), arguments.name)
        aside = restore(workspace, chosen)
        output.say(f"Back to {chosen.path.name}. What was there lies in {aside}.")
    rows = [
        {"name": each.path.name, "made_at": each.made_at.isoformat(), "bytes": each.bytes}
        for each in list_backups(workspace)
    ]
    table = pd.DataFrame(rows, columns=["name", "made_at", "bytes"])
    output.table("backups", table, title="Copies of the catalogue, the newest first")
    return OK


def _named(copies: list[Backup], name: str) -> Backup:
    found = [each for each in copies if not name or each.path.name == name]
    if not found:
        there = ", ".join(each.path.name for each in copies) or "none"
        raise WorkspaceError(
            f"There is no copy {name or 'of the catalogue'}. There are: {there}.",
            code="NO-BACKUP",
        )
    return found[0]
