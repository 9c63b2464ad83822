"""What analysts keep: `sets list|show|export|combine|delete|restore`, `notes list|add|delete`."""

import argparse
import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeAlias

import pandas as pd

from darkgnn_core.cli.output import Output
from darkgnn_core.durable import write_file
from darkgnn_core.errors import ConfigError, WorkspaceError
from darkgnn_core.host_sets import (
    OPERATIONS,
    HostSet,
    combine,
    delete_set,
    list_deleted,
    list_sets,
    restore_set,
)
from darkgnn_core.notes import (
    NOTE_KINDS,
    Note,
    add_note,
    checked_subject,
    list_notes,
    withdraw_note,
)
from darkgnn_core.safe_csv import csv_of
from darkgnn_core.set_tables import host_table
from darkgnn_core.workspace import Workspace, open_workspace

OK = 0
SHOWN_HOSTS = 20
SETS_EXAMPLES = """examples:
  python -m darkgnn_core sets list --workspace W
  python -m darkgnn_core sets show 3f9c --workspace W
  python -m darkgnn_core sets export "router worm" --out worm.csv --workspace W
  python -m darkgnn_core sets combine difference 3f9c 81ab --name "still unknown" --workspace W

A set is told by its name, or by the first characters of its id. What is deleted can be brought
back: sets restore ID.
"""
NOTES_EXAMPLES = """examples:
  python -m darkgnn_core notes list --kind host --workspace W
  python -m darkgnn_core notes add host 192.0.2.7 "Asks for 7547 only." --workspace W
  python -m darkgnn_core notes add set "router worm" "Told the provider." --workspace W
  python -m darkgnn_core notes delete 12 --workspace W
"""

Command: TypeAlias = Callable[..., argparse.ArgumentParser]
Actions: TypeAlias = "argparse._SubParsersAction[argparse.ArgumentParser]"
Action: TypeAlias = Callable[[Workspace, argparse.Namespace, Output], int]


def add_sets_actions(actions: Actions, command: Command) -> None:
    """Say what `sets` takes.

    Args:
        actions: Sub-commands of `sets`.
        command: Makes one of them with the options that all commands have.
    """
    command(actions, "list", "List the sets, the latest first.", run_sets)
    show = command(actions, "show", "Show a set: how it came about, and its hosts.", run_sets)
    export = command(actions, "export", "Write the hosts of a set as CSV.", run_sets)
    export.add_argument("--out", type=Path, metavar="FILE", help="where to (default: the terminal)")
    joined = command(actions, "combine", "Make a set of others, and keep it.", run_sets)
    joined.add_argument(
        "operation",
        choices=OPERATIONS,
        help="all hosts of either; only hosts of all; those of the first that are in no other",
    )
    joined.add_argument("sets", nargs="+", metavar="SET", help="name, or start of the id")
    joined.add_argument("--name", default="", help="what to call it (default: how it came about)")
    delete = command(actions, "delete", "Take a set out of the lists.", run_sets)
    restore = command(actions, "restore", "Bring a deleted set back.", run_sets)
    for each in (show, export, delete, restore):
        each.add_argument("set", metavar="SET", help="name, or start of the id")
    for each in (show, export):
        each.add_argument(
            "--day", metavar="DAY", help="labels as of this day, such as 2021-12-01 (default: all)"
        )


def add_notes_actions(actions: Actions, command: Command) -> None:
    """Say what `notes` takes; arguments as for `add_sets_actions`."""
    listed = command(actions, "list", "List the notes, the latest first.", run_notes)
    listed.add_argument("--kind", choices=NOTE_KINDS, help="only notes on such things")
    listed.add_argument("--subject", default="", help="only notes on this one; needs --kind")
    listed.add_argument("--all", action="store_true", help="also those changed or taken back")
    add = command(actions, "add", "Write a note.", run_notes)
    add.add_argument("kind", choices=NOTE_KINDS)
    add.add_argument("subject", help="an address, a set, a port, or a day such as 2021-12-01")
    add.add_argument("text")
    delete = command(actions, "delete", "Take a note back; it stays in the history.", run_notes)
    delete.add_argument("id", type=int)


def run_sets(arguments: argparse.Namespace, output: Output) -> int:
    """Do what `sets ACTION` asks for."""
    workspace = open_workspace(arguments.workspace, create=False)
    actions: dict[str, Action] = {
        "list": _list_sets,
        "show": _show_set,
        "export": _export_set,
        "combine": _combine_sets,
        "delete": _delete_set,
        "restore": _restore_set,
    }
    return actions[arguments.action](workspace, arguments, output)


def run_notes(arguments: argparse.Namespace, output: Output) -> int:
    """Do what `notes ACTION` asks for."""
    workspace = open_workspace(arguments.workspace, create=False)
    actions: dict[str, Action] = {"list": _list_notes, "add": _add_note, "delete": _delete_note}
    return actions[arguments.action](workspace, arguments, output)


def write_csv(table: pd.DataFrame, name: str, out: Path | None, output: Output) -> None:
    """Write a table as CSV to a file or the terminal; under `--json` its rows go into the document.

    Args:
        table: The table.
        name: Of its rows in the document.
        out: The file; None for the terminal.
        output: Where words go.

    Raises:
        ConfigError: `OUT` where the file cannot be written.
    """
    if out is not None:
        try:
            write_file(out, lambda path: path.write_bytes(csv_of(table)))
        except OSError as error:
            raise ConfigError(f"{out} cannot be written: {error.strerror}.", code="OUT") from error
        output.value("file", str(out))
        output.say(f"{len(table):,} rows written to {out}.")
    elif not output.as_json:
        sys.stdout.write(csv_of(table).decode())
    output.value(name, json.loads(table.to_json(orient="records")))


def _list_sets(workspace: Workspace, _: argparse.Namespace, output: Output) -> int:
    columns = ["id", "name", "hosts", "day", "run", "made_at", "how"]
    table = pd.DataFrame([_facts(each) for each in list_sets(workspace)], columns=columns)
    output.table("sets", table, title="Sets of hosts, the latest first")
    return OK


def _facts(found: HostSet) -> dict[str, Any]:
    return {
        "id": found.id,
        "name": found.name,
        "hosts": len(found.hosts),
        "day": found.day or "",
        "run": found.run_id or "",
        "made_at": found.created_at[:19],
        "how": found.words,
    }


def _show_set(workspace: Workspace, arguments: argparse.Namespace, output: Output) -> int:
    found = _find(list_sets(workspace), arguments.set)
    output.value("set", _facts(found) | {"recipe": found.recipe})
    output.say(f"{found.name} ({found.id}), made {found.created_at[:19]} UTC")
    output.say(f"How it came about: {found.words}")
    hosts = host_table(workspace, found.hosts, day=arguments.day)
    shown = hosts if output.as_json else hosts.head(SHOWN_HOSTS)
    output.table("hosts", shown, title=f"{len(hosts):,} hosts")
    if len(shown) < len(hosts):
        output.say(f"Showing {len(shown):,} of {len(hosts):,}; sets export writes all of them.")
    return OK


def _export_set(workspace: Workspace, arguments: argparse.Namespace, output: Output) -> int:
    found = _find(list_sets(workspace), arguments.set)
    table = host_table(workspace, found.hosts, day=arguments.day)
    write_csv(table, "hosts", arguments.out, output)
    return OK


def _combine_sets(workspace: Workspace, arguments: argparse.Namespace, output: Output) -> int:
    there = list_sets(workspace)
    ids = [_find(there, word).id for word in arguments.sets]
    made = combine(workspace, arguments.operation, ids, name=arguments.name)
    output.value("set", _facts(made))
    output.say(f"Made {made.name} ({made.id}): {len(made.hosts):,} hosts.")
    return OK


def _delete_set(workspace: Workspace, arguments: argparse.Namespace, output: Output) -> int:
    found = _find(list_sets(workspace), arguments.set)
    delete_set(workspace, found.id)
    output.value("set", _facts(found))
    output.say(f"{found.name} is deleted; sets restore {found.id} brings it back.")
    return OK


def _restore_set(workspace: Workspace, arguments: argparse.Namespace, output: Output) -> int:
    found = _find(list_deleted(workspace, limit=-1), arguments.set)
    restore_set(workspace, found.id)
    output.value("set", _facts(found))
    output.say(f"{found.name} is back.")
    return OK


def _find(there: list[HostSet], word: str) -> HostSet:
    """Return the set of this id, else of this name, else the only one whose id begins so.

    Raises:
        WorkspaceError: `NO-SET` where there is none, `AMBIGUOUS` where there are several.
    """
    matches = [each for each in there if each.id == word]
    matches = matches or [each for each in there if each.name == word]
    matches = matches or [each for each in there if word and each.id.startswith(word)]
    if not matches:
        message = f"There is no such set: {word!r}. `sets list` shows those there are."
        raise WorkspaceError(message, code="NO-SET")
    if len(matches) > 1:
        which = ", ".join(f"{each.id} ({each.name})" for each in matches)
        raise WorkspaceError(f"{word!r} stands for several sets: {which}.", code="AMBIGUOUS")
    return matches[0]


def _list_notes(workspace: Workspace, arguments: argparse.Namespace, output: Output) -> int:
    notes = list_notes(workspace, kind=arguments.kind, withdrawn=arguments.all, limit=-1)
    if arguments.subject:
        if arguments.kind is None:
            raise ConfigError("Say what kind of thing --subject is: add --kind.", code="NOTE")
        word = _subject(workspace, arguments.kind, arguments.subject)
        about = checked_subject(arguments.kind, word)
        notes = [note for note in notes if note.subject == about]
    columns = ["id", "kind", "subject", "text", "day", "run", "written_at", "taken_back_at"]
    table = pd.DataFrame([_told(note) for note in notes], columns=columns)
    if not arguments.all:
        table = table.drop(columns="taken_back_at")
    output.table("notes", table, title="Notes, the latest first")
    return OK


def _told(note: Note) -> dict[str, Any]:
    return {
        "id": note.id,
        "kind": note.kind,
        "subject": note.subject,
        "text": note.text,
        "day": note.day or "",
        "run": note.run_id or "",
        "written_at": note.added_at[:19],
        "taken_back_at": (note.withdrawn_at or "")[:19],
    }


def _add_note(workspace: Workspace, arguments: argparse.Namespace, output: Output) -> int:
    subject = _subject(workspace, arguments.kind, arguments.subject)
    note = add_note(workspace, arguments.kind, subject, arguments.text)
    output.value("note", _told(note))
    output.say(f"Note {note.id} on {note.kind} {note.subject} is written.")
    return OK


def _delete_note(workspace: Workspace, arguments: argparse.Namespace, output: Output) -> int:
    withdraw_note(workspace, arguments.id)
    output.say(f"Note {arguments.id} is taken back; notes list --all still shows it.")
    return OK


def _subject(workspace: Workspace, kind: str, word: str) -> str:
    return _find(list_sets(workspace), word).id if kind == "set" else word
