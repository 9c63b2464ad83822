"""Commands that bring packets in: `demo`, `ingest`, `sources`, `jobs`."""

import argparse
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, replace
from pathlib import Path

import pandas as pd

from darkgnn_core.cli.output import Output
from darkgnn_core.config import SnapshotConfig
from darkgnn_core.demo import DemoConfig
from darkgnn_core.demo_loading import load_demo, table2_beside_paper
from darkgnn_core.ingest import Ask, IngestReport, ingest, remove
from darkgnn_core.jobs import cancel_job, list_jobs, read_log
from darkgnn_core.sources import list_sources
from darkgnn_core.traces.mapping import from_json
from darkgnn_core.traces.opening import open_once
from darkgnn_core.traces.reading import ColumnMapping, ReadOptions
from darkgnn_core.workspace import Workspace, open_workspace

MAPPING_BYTES = 1 << 20
OK, SOME_FAILED, INTERRUPTED = 0, 4, 130


def run_demo(arguments: argparse.Namespace, output: Output) -> int:
    """Generate and load a demo darknet."""
    workspace = open_workspace(arguments.workspace)
    if arguments.if_empty and _has_sources(workspace):
        output.say("The workspace has packets already; nothing to do.")
        return OK
    config = DemoConfig.of_size("full" if arguments.full else "small", seed=arguments.seed)
    with output.progress() as tell, interruptible() as should_stop:
        report = load_demo(
            workspace, config, logs=arguments.logs, on_progress=tell, should_stop=should_stop
        )
    code = _tell_report(report, output)
    if not report.stopped:
        beside = table2_beside_paper(workspace)
        output.table("table2", beside, title="Table 2 of this demo, beside the paper's")
    return code


def run_ingest(arguments: argparse.Namespace, output: Output) -> int:
    """Load files and folders, and bring the snapshots up to date."""
    workspace = open_workspace(arguments.workspace)
    before = workspace.snapshot_config()
    config = chosen_config(arguments, before)
    with output.progress() as tell, interruptible() as should_stop:
        report = ingest(
            workspace,
            arguments.sources,
            options=_read_options(arguments),
            config=config,
            format_name=arguments.format or "",
            on_progress=tell,
            should_stop=should_stop,
        )
    if not report.stopped and config != before:  # a released folder may have set its own
        workspace.set_snapshot_config(config)
    return _tell_report(report, output)


def chosen_config(arguments: argparse.Namespace, current: SnapshotConfig) -> SnapshotConfig:
    """Return the settings a command asks for: the preset's or the workspace's, with its changes."""
    changes = {
        name: value
        for name in (
            "bin_hours",
            "min_packets",
            "max_ports",
            "features_before_port_filter",
            "include_backscatter",
            "include_bogons",
            "drop_duplicates",
        )
        if (value := getattr(arguments, name)) is not None
    }
    if arguments.preset:
        return SnapshotConfig.of_preset(arguments.preset, **changes)
    return replace(current, **changes)


def _read_options(arguments: argparse.Namespace) -> ReadOptions:
    mapping = arguments.mapping
    return ReadOptions(
        mapping=_read_mapping(mapping) if mapping else None,
        timezone=arguments.timezone,
        year=arguments.year,
        max_days=arguments.max_days,
    )


def _read_mapping(path: Path) -> ColumnMapping:
    with open_once(path) as opened:
        content = opened.raw.read(MAPPING_BYTES) or b""
    return from_json(content.decode("utf-8", "replace"))


@contextmanager
def interruptible() -> Iterator[Ask]:
    """Let the first Ctrl-C end the block's work soundly, the second at once."""
    asked: list[int] = []

    def stop(number: int, _: object) -> None:
        asked.append(number)
        signal.signal(signal.SIGINT, before)

    before = signal.signal(signal.SIGINT, stop)
    try:
        yield lambda: bool(asked)
    finally:
        signal.signal(signal.SIGINT, before)


def _tell_report(report: IngestReport, output: Output) -> int:
    output.table("files", _file_table(report), title="Files")
    built = [each for each in report.snapshots.values() if "error" not in each]
    empty = {key: each["error"] for key, each in report.snapshots.items() if "error" in each}
    output.value("snapshots", {"built": len(built), "empty": empty})
    for name in ("packets", "seconds", "stopped"):
        output.value(name, getattr(report, name))
    rate = report.packets / max(report.seconds, 1e-3)
    output.say(
        f"{report.packets:,} packets added, {len(built)} snapshots built, in "
        f"{report.seconds:.1f} s ({rate:,.0f} packets/s)."
    )
    for message in empty.values():
        output.say(message)
    if report.stopped:
        output.say("Stopped. What was finished is kept; the same command goes on from there.")
        return INTERRUPTED
    return SOME_FAILED if any(each.status == "failed" for each in report.files) else OK


def _file_table(report: IngestReport) -> pd.DataFrame:
    rows = [
        {
            "file": each.name,
            "status": each.status,
            "format": each.report.get("format", ""),
            "read": each.report.get("read"),
            "kept": each.report.get("kept"),
            "skipped": _reasons(each.report.get("skipped", {})),
            "notes": _reasons(each.report.get("notes", {})),
            "error": each.message,
        }
        for each in report.files
    ]
    columns = ["file", "status", "format", "read", "kept", "skipped", "notes", "error"]
    return pd.DataFrame(rows, columns=columns).astype({"read": "Int64", "kept": "Int64"})


def _reasons(counts: dict[str, int]) -> str:
    return ", ".join(f"{reason} {count:,}" for reason, count in counts.items())


def _has_sources(workspace: Workspace) -> bool:
    with workspace.catalogue() as connection:
        return bool(list_sources(connection))


def run_sources(arguments: argparse.Namespace, output: Output) -> int:
    """List the loaded traces, or remove one."""
    workspace = open_workspace(arguments.workspace, create=False)
    if arguments.action == "remove":
        remove(workspace, arguments.id)
        output.say(f"Source {arguments.id} is removed; its days' snapshots are up to date.")
    with workspace.catalogue() as connection:
        rows = [asdict(source) for source in list_sources(connection)]
    columns = ["id", "name", "format", "packets", "bytes", "is_synthetic", "loaded_at"]
    output.table("sources", pd.DataFrame(rows, columns=columns), title="Sources")
    return OK


def run_jobs(arguments: argparse.Namespace, output: Output) -> int:
    """List background jobs, show one's log, or cancel one."""
    workspace = open_workspace(arguments.workspace, create=False)
    if arguments.action == "cancel":
        output.say(cancel_job(workspace, arguments.id).message)
    elif arguments.action == "log":
        log = read_log(workspace, arguments.id)
        output.value("log", log)
        output.say(log)
        return OK
    rows = [asdict(job) for job in list_jobs(workspace)]
    columns = ["id", "kind", "state", "message", "created_at", "ended_at"]
    output.table("jobs", pd.DataFrame(rows, columns=columns), title="Jobs")
    return OK
