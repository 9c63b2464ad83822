"""Commands about runs that are there: `runs list|show|cancel|resume|delete|rename|archive|log`."""

import argparse
from collections.abc import Callable, Sequence
from typing import Any

import pandas as pd

from darkgnn_core.cli.following import as_document, exit_code, follow, in_a_line
from darkgnn_core.cli.ingesting import OK, interruptible
from darkgnn_core.cli.output import Output
from darkgnn_core.errors import RunError
from darkgnn_core.run_config import METHODS, NetworkConfig
from darkgnn_core.runs import (
    Run,
    archive_run,
    cancel_run,
    delete_run,
    find_run,
    list_runs,
    rename_run,
    resume_run,
    run_log,
    size_of,
)
from darkgnn_core.units import duration, file_size
from darkgnn_core.workspace import Workspace, open_workspace

Action = Callable[[Workspace, argparse.Namespace, Output], int]


def run_runs(arguments: argparse.Namespace, output: Output) -> int:
    """Do what `runs ACTION` asks for."""
    workspace = open_workspace(arguments.workspace, create=False)
    actions: dict[str, Action] = {
        "list": _list,
        "show": _show,
        "cancel": _cancel,
        "resume": _resume,
        "delete": _delete,
        "rename": _rename,
        "archive": _archive,
        "log": _log,
    }
    return actions[arguments.action](workspace, arguments, output)


def find_ids(workspace: Workspace, words: Sequence[str]) -> list[str]:
    """Return the ids of runs told by their first characters.

    Raises:
        RunError: `NO-RUN` where none begins so, `AMBIGUOUS` where several do.
    """
    there = {run.id: run for run in _all_runs(workspace)}
    return [_find_id(there, word) for word in words]


def _all_runs(workspace: Workspace) -> list[Run]:
    found = {run.id: run for run in list_runs(workspace)}
    found |= {run.id: run for run in list_runs(workspace, archived=True)}
    return list(found.values())


def _find_id(there: dict[str, Run], word: str) -> str:
    if word in there:
        return word
    matches = [run for run in there.values() if word and run.id.startswith(word)]
    if not matches:
        raise RunError(
            f"There is no run {word!r}. `runs list` shows those there are.", code="NO-RUN"
        )
    if len(matches) > 1:
        which = ", ".join(f"{run.id} ({run.name})" for run in matches)
        raise RunError(f"{word!r} begins several runs: {which}.", code="AMBIGUOUS")
    return matches[0].id


def _list(workspace: Workspace, arguments: argparse.Namespace, output: Output) -> int:
    runs = [
        run
        for run in list_runs(workspace, archived=arguments.archived)
        if arguments.variant in (None, run.config.method) and arguments.state in (None, run.state)
    ]
    rows = [_row(workspace, run) for run in runs]
    shown = [
        {
            "id": row["id"],
            "run": row["name"] if row["name"] == what_of(run) else f"{row['name']}: {what_of(run)}",
            "days": len(run.days),
            "state": run.state,
            "progress": row["progress"],
            "seconds_a_day": row["seconds_a_day"],
            "size": file_size(row["bytes"]),
        }
        for run, row in zip(runs, rows, strict=True)
    ]
    columns = ["id", "run", "days", "state", "progress", "seconds_a_day", "size"]
    table = pd.DataFrame(shown, columns=columns).astype({"seconds_a_day": "Float64"})
    headings = {"seconds_a_day": "s a day"}
    output.table("runs", table, title="Runs, the newest first", headings=headings)
    output.value("runs", rows)
    return OK


def what_of(run: Run) -> str:
    """Return what a run is in a few words, as runs are called that got no name."""
    config = run.config
    parts = [config.method, "no features" if _uses_features(run) is False else "", config.preset]
    return ", ".join([*filter(None, parts), f"seed {config.seed}"])


def _uses_features(run: Run) -> bool | None:
    settings = run.config.settings
    return settings.use_features if isinstance(settings, NetworkConfig) else None


def _row(workspace: Workspace, run: Run) -> dict[str, Any]:
    return {
        "id": run.id,
        "name": run.name,
        "group": run.group,
        "variant": run.config.method,
        "features": _uses_features(run),
        "preset": run.config.preset,
        "seed": run.config.seed,
        "days": list(run.days),
        "state": run.state,
        "progress": in_a_line(run) if run.progress and run.state != "done" else "",
        "seconds_a_day": run.result.get("seconds_a_day"),
        "bytes": size_of(workspace, run.id),
        "archived": run.archived,
    }


def _show(workspace: Workspace, arguments: argparse.Namespace, output: Output) -> int:
    [run_id] = find_ids(workspace, [arguments.id])
    run = find_run(workspace, run_id)
    size = size_of(workspace, run_id)
    output.value("run", as_document(run) | {"bytes": size})
    rows = [{"what": name, "value": text} for name, text in _facts(run, size) if text]
    output.table("facts", pd.DataFrame(rows, columns=["what", "value"]), title=f"Run {run.id}")
    return OK


def _facts(run: Run, size: int) -> list[tuple[str, str]]:
    """Return what is known of a run, in words; empty texts are left out by whoever shows them."""
    config, told, result, estimate = run.config, run.progress, run.result, run.estimate
    changed = {**vars(config.settings), "edges": config.graph.edges}
    facts = [
        ("name", run.name),
        ("group", run.group),
        ("variant", f"{config.method}, preset {config.preset}, seed {config.seed}"),
        ("settings", ", ".join(f"{name} {value}" for name, value in changed.items())),
        ("scaling", config.graph.scaling),
        ("device", config.device),
        ("state", f"{run.state}. {run.message}" if run.message else run.state),
        ("days", f"{run.days[0]} to {run.days[-1]} ({len(run.days)})" if run.days else ""),
        ("progress", in_a_line(run) if told else ""),
        ("created, ended", f"{run.created_at}, {run.ended_at or 'not yet'}"),
        ("size", file_size(size)),
        ("settings' hash", run.config_hash),
        ("data's hash", str(run.provenance.get("data", {}).get("hash", ""))),
    ]
    if result.get("seconds") is not None:
        a_day = f" ({duration(result['seconds_a_day'])} a day)" if "seconds_a_day" in result else ""
        facts.append(("time", duration(result["seconds"]) + a_day))
    if estimate:
        facts.append(("estimated time", duration(estimate["seconds"])))
    if result.get("peak_bytes"):
        facts.append(("peak memory", file_size(int(result["peak_bytes"]))))
    if estimate:
        facts.append(("estimated memory", file_size(int(estimate["peak_bytes"]))))
    return facts


def _cancel(workspace: Workspace, arguments: argparse.Namespace, output: Output) -> int:
    runs = [cancel_run(workspace, run_id) for run_id in find_ids(workspace, arguments.ids)]
    output.value("runs", [as_document(run) for run in runs])
    for run in runs:
        output.say(f"{run.id} {run.state}. {run.message}".strip())
    return OK


def _resume(workspace: Workspace, arguments: argparse.Namespace, output: Output) -> int:
    ids = find_ids(workspace, arguments.ids)
    with interruptible() as should_stop:
        runs = [resume_run(workspace, run_id) for run_id in ids]
        output.value("ids", ids)
        if not arguments.detach:
            return exit_code(follow(workspace, ids, output, should_stop=should_stop))
    for run in runs:
        output.say(f"{run.id} {run.state}; `runs show {run.id}` tells how far it is.")
    return OK


def _delete(workspace: Workspace, arguments: argparse.Namespace, output: Output) -> int:
    ids = find_ids(workspace, arguments.ids)
    if len(ids) > 1 and not arguments.yes:
        raise RunError(
            f"That would delete {len(ids)} runs: {', '.join(ids)}. Add --yes to do it.",
            code="UNCONFIRMED",
        )
    freed = {run_id: size_of(workspace, run_id) for run_id in ids}
    for run_id in ids:
        delete_run(workspace, run_id)
    output.value("deleted", ids)
    output.value("bytes", sum(freed.values()))
    output.say(f"Deleted {', '.join(ids)}: {file_size(sum(freed.values()))} free.")
    return OK


def _rename(workspace: Workspace, arguments: argparse.Namespace, output: Output) -> int:
    [run_id] = find_ids(workspace, [arguments.id])
    rename_run(workspace, run_id, arguments.name)
    output.value("run", as_document(find_run(workspace, run_id)))
    output.say(f"{run_id} is now called {arguments.name}.")
    return OK


def _archive(workspace: Workspace, arguments: argparse.Namespace, output: Output) -> int:
    ids = find_ids(workspace, arguments.ids)
    for run_id in ids:
        archive_run(workspace, run_id, not arguments.undo)
    output.value("runs", [as_document(find_run(workspace, run_id)) for run_id in ids])
    where = "back in the list" if arguments.undo else "archived; `runs list --archived` shows them"
    output.say(f"{', '.join(ids)}: {where}.")
    return OK


def _log(workspace: Workspace, arguments: argparse.Namespace, output: Output) -> int:
    [run_id] = find_ids(workspace, [arguments.id])
    log = run_log(workspace, run_id)
    output.value("log", log)
    output.say(log)
    return OK


def add_runs_actions(
    actions: "argparse._SubParsersAction[argparse.ArgumentParser]",
    command: Callable[..., argparse.ArgumentParser],
) -> None:
    """Give `runs` its actions.

    Args:
        actions: Where they go.
        command: Makes one of (actions, name, help text, what runs it), with the common options.
    """
    listed = command(actions, "list", "List the runs, the newest first.", run_runs)
    listed.add_argument("--archived", action="store_true", help="the archived ones too")
    listed.add_argument("--variant", choices=METHODS, metavar="VARIANT", help="only this variant")
    listed.add_argument("--state", metavar="STATE", help="only those done, failed, running, ...")
    for name, help_text in (
        ("show", "Show all that is known of a run."),
        ("rename", "Give a run another name."),
        ("log", "Print the log of a run."),
    ):
        one = command(actions, name, help_text, run_runs)
        one.add_argument("id", metavar="ID", help="or its first characters")
        if name == "rename":
            one.add_argument("name", metavar="NAME")
    for name, help_text in (
        ("cancel", "Stop runs; what they finished is kept, and they can go on later."),
        ("resume", "Let runs go on: after their last finished day, or with days that arrived."),
        ("delete", "Delete runs with all their embeddings."),
        ("archive", "Take runs out of the list without deleting them."),
    ):
        several = command(actions, name, help_text, run_runs)
        several.add_argument("ids", nargs="+", metavar="ID", help="or its first characters")
        if name == "resume":
            several.add_argument("--detach", action="store_true", help="return at once")
        if name == "delete":
            several.add_argument("--yes", action="store_true", help="delete more than one")
        if name == "archive":
            several.add_argument("--undo", action="store_true", help="put them back instead")
