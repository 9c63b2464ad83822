"""Make the maps of a run in the background: the day in view first, then the days around it."""

import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from hashlib import sha256
from typing import Any

from darkgnn_core.catalogue import transaction
from darkgnn_core.embeddings import Embedding
from darkgnn_core.errors import RunError
from darkgnn_core.jobs import Job, add_queued_job, list_jobs, settle_jobs
from darkgnn_core.maps.projecting import directions, principal_plane, turned_towards
from darkgnn_core.maps.storing import (
    StoredMap,
    StoredNeighbours,
    embedding_hash,
    find_map,
    find_neighbours,
    settings_hash,
    stored_days,
    write_map,
    write_neighbours,
)
from darkgnn_core.maps.trusting import TRUST_NEIGHBOURS, kept_neighbours
from darkgnn_core.maps.tsne import TsneSettings, spread, start_of
from darkgnn_core.neighbours import Neighbours, nearest
from darkgnn_core.runs import open_embedding
from darkgnn_core.workspace import Workspace

JOB, DEVICE = "map", "maps"
Told = Callable[[dict[str, Any]], None]


@dataclass(frozen=True)
class MapReport:
    """What was made.

    Attributes:
        days: Days whose map was made, in the order of making.
        seconds: How long that took.
        stopped: It was told to stop before all were made.
    """

    days: tuple[str, ...]
    seconds: float
    stopped: bool


def queue_maps(workspace: Workspace, run_id: str, day: str, settings: TsneSettings) -> str:
    """Start making the maps of a run, that day's first; return the id of the job.

    A job that is at it already is left alone and returned.

    Raises:
        RunError: `NO-EMBEDDING`.
    """
    embedding_hash(workspace, run_id, day)
    there = map_job(workspace, run_id, settings)
    config = {"run_id": run_id, "day": day, "settings": asdict(settings)}
    return queue_once(workspace, there, JOB, config, device=DEVICE)


def queue_once(
    workspace: Workspace, there: Job | None, kind: str, config: dict[str, Any], *, device: str
) -> str:
    """Queue a job about a run unless one is at it; return the id of the one that is.

    Args:
        workspace: Where the run is.
        there: The last job of the kind that was told the same, or None.
        kind: Of the job.
        config: What it is told; `run_id` names the run.
        device: What it waits for.
    """
    if there is not None and there.is_active:
        return there.id
    with workspace.catalogue() as connection, transaction(connection):
        job_id = add_queued_job(connection, kind, config, device=device, run_id=config["run_id"])
    settle_jobs(workspace)
    return job_id


def map_job(workspace: Workspace, run_id: str, settings: TsneSettings) -> Job | None:
    """Return the last job that makes or made maps of a run with these settings, or None."""
    told = asdict(settings)
    jobs = list_jobs(workspace, with_runs=True)
    return next(
        (
            job
            for job in jobs
            if job.kind == JOB and job.run_id == run_id and job.config.get("settings") == told
        ),
        None,
    )


def outwards(days: Sequence[str], first: str) -> list[str]:
    """Return days in the order of making: the first, then the days around it, nearest first.

    >>> outwards(["a", "b", "c", "d"], "c")
    ['c', 'd', 'b', 'a']
    """
    at = days.index(first) if first in days else len(days) - 1
    return sorted(days, key=lambda day: (abs(days.index(day) - at), days.index(day) < at))


def make_maps(
    workspace: Workspace,
    run_id: str,
    days: Sequence[str],
    first: str,
    settings: TsneSettings,
    *,
    threads: int = 1,
    told: Told = lambda progress: None,
    should_stop: Callable[[], bool] = lambda: False,
) -> MapReport:
    """Make the maps that are missing; each is kept as soon as it is there.

    Args:
        workspace: Where the run is.
        run_id: The run.
        days: Its embedded days, in time order.
        first: The day to begin with.
        settings: How.
        threads: Processors it may use.
        told: Told `units_done`, `units_total`, `day`, `share` (of that day).
        should_stop: Asked often.

    Raises:
        RunError: `NO-RUN`, `NO-EMBEDDING`.
        WorkspaceError: `DAMAGED`, `DISK-FULL`.
    """
    began = time.monotonic()
    made: list[str] = []
    order = outwards(days, first)
    for done, day in enumerate(order):
        if should_stop():
            return MapReport(tuple(made), time.monotonic() - began, stopped=True)
        if find_map(workspace, run_id, settings, day) is not None:
            continue

        def tell(share: float, done: int = done, day: str = day) -> None:
            told({"units_done": done, "units_total": len(order), "day": day, "share": share})

        tell(0.0)
        if not _make(workspace, run_id, days, day, settings, threads, tell, should_stop):
            return MapReport(tuple(made), time.monotonic() - began, stopped=True)
        made.append(day)
    told({"units_done": len(order), "units_total": len(order), "day": first, "share": 1.0})
    return MapReport(tuple(made), time.monotonic() - began, stopped=False)


def _make(
    workspace: Workspace,
    run_id: str,
    days: Sequence[str],
    day: str,
    settings: TsneSettings,
    threads: int,
    tell: Callable[[float], None],
    should_stop: Callable[[], bool],
) -> bool:
    """Make the map of one day; False if it was stopped."""
    embedding = open_embedding(workspace, run_id, day)
    digest = embedding_hash(workspace, run_id, day)
    near = nearest(embedding.vectors, None, max(settings.neighbours_for(len(embedding.hosts)), 1))
    _keep_neighbours(workspace, run_id, day, digest, near)
    if should_stop():
        return False
    before = _map_beside(workspace, run_id, days, day, settings)
    place = None if before is None else (before.hosts, before.points)
    plane = principal_plane(directions(embedding.vectors))
    start, is_aligned = start_of(plane, embedding.hosts, near.positions, place)
    points = spread(
        start, near.positions, near.distances, settings,
        is_aligned=is_aligned, threads=threads, told=tell, should_stop=should_stop,
    )  # fmt: skip
    if points is None:
        return False
    if before is not None and is_aligned:
        points = turned_towards(
            points, embedding.hosts, before.points, before.hosts, fits_size=True
        )
    chain = before.chain if before is not None and is_aligned else _new_chain(day, digest, settings)
    trust = kept_neighbours(points, near.positions[:, :TRUST_NEIGHBOURS])
    start_day = before.key if before is not None and is_aligned else ""
    write_map(
        workspace, run_id, settings,
        StoredMap(day, embedding.hosts, points, trust, chain, digest, start_day),
    )  # fmt: skip
    return True


def _new_chain(day: str, digest: str, settings: TsneSettings) -> str:
    return sha256(f"{day} {digest} {settings_hash(settings)}".encode()).hexdigest()[:12]


def _map_beside(
    workspace: Workspace, run_id: str, days: Sequence[str], day: str, settings: TsneSettings
) -> StoredMap | None:
    """Return the map of the nearest day that has one; the earlier of two equally near."""
    there = set(stored_days(workspace, run_id, settings)) - {day}
    at = days.index(day)
    for other in sorted(there & set(days), key=lambda each: (abs(days.index(each) - at), each)):
        found = find_map(workspace, run_id, settings, other)
        if found is not None:
            return found
    return None


def true_neighbours(
    workspace: Workspace, run_id: str, day: str, *, embedding: Embedding | None = None
) -> StoredNeighbours:
    """Return the true neighbours of a day's hosts, from disk where they are, else found and kept.

    Raises:
        RunError: `NO-RUN`, `NO-EMBEDDING`.
        WorkspaceError: `DAMAGED`, `DISK-FULL`.
    """
    there = find_neighbours(workspace, run_id, day)
    if there is not None:
        return there
    opened = embedding or open_embedding(workspace, run_id, day)
    near = nearest(opened.vectors, None, TRUST_NEIGHBOURS)
    return _keep_neighbours(workspace, run_id, day, embedding_hash(workspace, run_id, day), near)


def _keep_neighbours(
    workspace: Workspace, run_id: str, day: str, digest: str, near: Neighbours
) -> StoredNeighbours:
    k = min(TRUST_NEIGHBOURS, near.positions.shape[1])
    found = StoredNeighbours(day, near.positions[:, :k], near.distances[:, :k], digest)
    write_neighbours(workspace, run_id, found)
    return found


def make_for_job(
    workspace: Workspace,
    config: dict[str, Any],
    days: Sequence[str],
    *,
    told: Told,
    should_stop: Callable[[], bool],
) -> MapReport:
    """Do what a job of kind `map` was told: `run_id`, `day`, `settings`.

    Raises:
        RunError: `NO-EMBEDDING` where the run has no day yet.
    """
    if not days:
        raise RunError("The run has no embedding yet.", code="NO-EMBEDDING")
    return make_maps(
        workspace, config["run_id"], days, config["day"], TsneSettings(**config["settings"]),
        told=told, should_stop=should_stop,
    )  # fmt: skip
