"""Runs before they are there: their names, their data and where they come from, and repeats."""

import sqlite3
import uuid
from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

from darkgnn_core.catalogue import utc_now
from darkgnn_core.devices import choose_device
from darkgnn_core.errors import RunError, visible
from darkgnn_core.provenance import cores, environment
from darkgnn_core.run_config import FusionConfig, NetworkConfig, RunConfig
from darkgnn_core.run_days import data_of
from darkgnn_core.run_inputs import inputs_between
from darkgnn_core.run_store import Run, read_run
from darkgnn_core.workspace import Workspace

NAME_CHARACTERS = 120


def planned_runs(
    workspace: Workspace,
    configs: Sequence[RunConfig],
    *,
    name: str,
    group: str,
    estimates: Sequence[dict[str, Any]],
) -> list[Run]:
    """Return runs as they will be written down: nothing is written yet.

    Args:
        workspace: Whose snapshots, with the settings it shows now, they go over.
        configs: The settings of each.
        name: What the analyst calls them; empty for names told by the settings.
        group: What joins them; several runs without one get the name, or one of their own.
        estimates: What was estimated for each.

    Raises:
        RunError: `NO-SNAPSHOTS`, `NO-DEVICE`, `NO-RUN`, `NAME`.
        WorkspaceError: `DAMAGED` where a snapshot has changed on disk.
    """
    snapshot_config = workspace.snapshot_config()
    made_with = environment() | {
        "snapshot_config": asdict(snapshot_config),
        "threads": cores(),
        "later": [],
    }
    data: dict[tuple[str, str], dict[str, Any]] = {}
    names = _names(configs, name)
    is_several = len(configs) > 1
    joined = group or ((name or f"sweep {uuid.uuid4().hex[:6]}") if is_several else "")
    made = []
    for config, own_name, estimate in zip(configs, names, estimates, strict=True):
        if config.device != "cpu":
            choose_device(config.device, config.method)
        _refuse_missing_sources(workspace, config)
        days = (config.first_day, config.last_day)
        if days not in data:
            inputs = inputs_between(workspace, snapshot_config, first_day=days[0], last_day=days[1])
            data[days] = data_of(inputs, snapshot_config)
        provenance = {"data": data[days]} | made_with
        made.append(_new_run(config, checked_name(own_name), joined, provenance, estimate))
    return made


def _new_run(
    config: RunConfig,
    name: str,
    group: str,
    provenance: dict[str, Any],
    estimate: dict[str, Any],
) -> Run:
    return Run(
        id=uuid.uuid4().hex[:12],
        name=name,
        group=visible(group)[:NAME_CHARACTERS],
        config=config,
        config_hash=config.hash,
        state="queued",
        message="",
        code="",
        progress={},
        result={},
        provenance=provenance,
        estimate=estimate,
        archived=False,
        created_at=utc_now(),
        started_at=None,
        ended_at=None,
        job_id=None,
        days=(),
    )


def _names(configs: Sequence[RunConfig], name: str) -> list[str]:
    if name and len(configs) > 1:
        return [f"{name} ({number} of {len(configs)})" for number in range(1, len(configs) + 1)]
    return [name or _own_name(config) for config in configs]


def _own_name(config: RunConfig) -> str:
    parts = [config.method]
    if isinstance(config.settings, NetworkConfig) and not config.settings.use_features:
        parts.append("no features")
    return ", ".join([*parts, config.preset, f"seed {config.seed}"])


def checked_name(name: str) -> str:
    """Return a name as it may be kept.

    Raises:
        RunError: `NAME`.
    """
    kept = visible(name).strip()
    if not 1 <= len(kept) <= NAME_CHARACTERS:
        raise RunError(f"A name has 1 to {NAME_CHARACTERS} characters.", code="NAME")
    return kept


def _refuse_missing_sources(workspace: Workspace, config: RunConfig) -> None:
    if isinstance(config.settings, FusionConfig):
        for run_id in config.settings.runs:
            read_run(workspace, run_id)


def refuse_repeats(connection: sqlite3.Connection, made: Sequence[Run]) -> None:
    """Refuse a run whose settings and data another has.

    Raises:
        RunError: `REPEATED`, naming the other run.
    """
    seen: set[tuple[str, str]] = set()
    for run in made:
        hashes = (run.config_hash, str(run.provenance["data"]["hash"]))
        row = connection.execute(
            "SELECT run.id, run.name, job.state FROM run LEFT JOIN job ON job.id = run.job_id "
            "WHERE config_hash = ? AND data_hash = ? ORDER BY run.rowid DESC",
            hashes,
        ).fetchone()
        if row is not None:
            raise RunError(
                f"Run {row['id']} ({row['name']}, {row['state']}) has the same settings and data. "
                "Open or resume that one, change a setting, or ask for it again on purpose.",
                code="REPEATED",
            )
        if hashes in seen:
            raise RunError("Two of these runs have the same settings.", code="REPEATED")
        seen.add(hashes)
