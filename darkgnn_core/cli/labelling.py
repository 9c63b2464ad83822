"""Commands about labels: `labels add|list|remove|order|conflicts|coverage|export|aliases`."""

import argparse
from typing import Any

import numpy as np
import pandas as pd

from darkgnn_core.cli.cases import write_csv
from darkgnn_core.cli.ingesting import OK, SOME_FAILED
from darkgnn_core.cli.output import Output
from darkgnn_core.errors import LabelError
from darkgnn_core.health import all_hosts
from darkgnn_core.labels.aliases import list_aliases, remove_alias, set_alias
from darkgnn_core.labels.conflicts import conflicts
from darkgnn_core.labels.coverage import coverage
from darkgnn_core.labels.given import given_table
from darkgnn_core.labels.lists import ListOptions
from darkgnn_core.labels.store import add_file, list_sources, remove_source, set_order
from darkgnn_core.workspace import Workspace, open_workspace


def run_labels(arguments: argparse.Namespace, output: Output) -> int:
    """Do what `labels ACTION` asks for."""
    workspace = open_workspace(arguments.workspace, create=arguments.action == "add")
    actions = {
        "add": _add,
        "list": _list,
        "remove": _remove,
        "order": _order,
        "conflicts": _conflicts,
        "coverage": _coverage,
        "export": _export,
        "aliases": _aliases,
    }
    return actions[arguments.action](workspace, arguments, output)


def _add(workspace: Workspace, arguments: argparse.Namespace, output: Output) -> int:
    options = ListOptions(
        label=arguments.label,
        generic_label=arguments.generic_label,
        allow_wide=arguments.allow_wide,
    )
    rows: list[dict[str, Any]] = []
    for path in arguments.files:
        row: dict[str, Any] = {"file": path.name}
        try:
            with workspace.catalogue() as connection:
                added = add_file(connection, path, kind=arguments.kind, options=options)
        except LabelError as error:
            rows.append(row | {"outcome": "failed", "error": str(error)})
            continue
        report = added.report
        skipped = ", ".join(f"{reason} {count:,}" for reason, count in report["skipped"].items())
        rows.append(
            row
            | {"outcome": added.outcome, "read": report["read"], "kept": report["kept"]}
            | {"skipped": skipped, "conflicts": report["conflicting"], "wide": len(report["wide"])}
        )
    columns = ["file", "outcome", "read", "kept", "skipped", "conflicts", "wide", "error"]
    counts = dict.fromkeys(("read", "kept", "conflicts", "wide"), "Int64")
    texts = dict.fromkeys(("skipped", "error"), "str")
    table = pd.DataFrame(rows, columns=columns).astype(counts | texts)
    output.table("added", table)
    if table["wide"].sum():
        output.say(
            "Prefixes wider than /24 were held back: each labels more than 256 addresses. "
            "Add --allow-wide to take them."
        )
    return SOME_FAILED if (table["outcome"] == "failed").any() else OK


def _list(workspace: Workspace, _: argparse.Namespace, output: Output) -> int:
    with workspace.catalogue() as connection:
        sources = list_sources(connection)
    rows = [
        {
            "order": place,
            "id": source.id,
            "name": source.name,
            "kind": source.kind,
            "labels": source.labels,
            "added_at": source.added_at,
        }
        for place, source in enumerate(sources, start=1)
    ]
    output.table("sources", pd.DataFrame(rows), title="Label sources, the first wins")
    return OK


def _remove(workspace: Workspace, arguments: argparse.Namespace, output: Output) -> int:
    with workspace.catalogue() as connection:
        remove_source(connection, arguments.id)
    output.say(f"Label source {arguments.id} is removed.")
    return _list(workspace, arguments, output)


def _order(workspace: Workspace, arguments: argparse.Namespace, output: Output) -> int:
    with workspace.catalogue() as connection:
        set_order(connection, arguments.ids)
    return _list(workspace, arguments, output)


def _conflicts(workspace: Workspace, arguments: argparse.Namespace, output: Output) -> int:
    hosts = _hosts(workspace) if arguments.seen else None
    with workspace.catalogue() as connection:
        table = conflicts(connection, hosts)
    shown = table[["prefix", "label", "source", "why", "against"]]
    output.table("conflicts", shown, title="Where sources disagree, and who wins")
    output.say(f"{len(table):,} conflicts.")
    return OK


def _coverage(workspace: Workspace, _: argparse.Namespace, output: Output) -> int:
    with workspace.catalogue() as connection:
        found = coverage(connection, _hosts(workspace))
    output.value("hosts", found.hosts)
    output.value("labelled", found.labelled)
    output.table("coverage", found.table, title="Hosts by source and label")
    output.say(f"{found.labelled:,} of {found.hosts:,} hosts have a label.")
    for _code, sentence in found.warnings:
        output.say(sentence)
    return OK


def _export(workspace: Workspace, arguments: argparse.Namespace, output: Output) -> int:
    with workspace.catalogue() as connection:
        table = given_table(connection)
    write_csv(table, "labels", arguments.out, output)
    return OK


def _hosts(workspace: Workspace) -> "np.ndarray[Any, np.dtype[np.uint32]]":
    return all_hosts(workspace, workspace.snapshot_config())


def _aliases(workspace: Workspace, arguments: argparse.Namespace, output: Output) -> int:
    with workspace.catalogue() as connection:
        if arguments.set:
            set_alias(connection, *arguments.set)
        if arguments.unset:
            remove_alias(connection, arguments.unset)
        rows = [
            {"alias": each.alias, "label": each.resolves_to, "origin": each.origin}
            for each in list_aliases(connection)
        ]
    output.table("aliases", pd.DataFrame(rows), title="Names that stand for a label")
    return OK
