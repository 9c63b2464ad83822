"""Clusters kept beside their run, by day and settings, and the job that finds them."""

import hashlib
import json
import time
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from darkgnn_core.jobs import Job, list_jobs
from darkgnn_core.maps.clustering import ClusterSettings, Labels, Strengths, clusters_of
from darkgnn_core.maps.making import MapReport, Told, queue_once, true_neighbours
from darkgnn_core.maps.storing import MAPS, SUFFIX, embedding_hash, read_arrays, write_arrays
from darkgnn_core.run_store import directory_of
from darkgnn_core.workspace import Workspace

JOB, DEVICE = "cluster", "clusters"
VERSION = 1
"""Goes up whenever the same embedding and settings would give other clusters."""


@dataclass(frozen=True, eq=False)
class StoredClusters:
    """The cluster of each host of a day's embedding, n hosts.

    Attributes:
        key: Name of the bin.
        labels: int32 (n,), from 1 by size; 0 for noise.
        strengths: float32 (n,), how firmly each host belongs, 0 to 1.
        embedding: Hash of the embedding they were found in.
    """

    key: str
    labels: Labels
    strengths: Strengths
    embedding: str


def clusters_path(workspace: Workspace, run_id: str, settings: ClusterSettings, day: str) -> Path:
    """Return where the clusters of a day are kept."""
    told = json.dumps([VERSION, asdict(settings)], sort_keys=True)
    name = f"clusters-{hashlib.sha256(told.encode()).hexdigest()[:12]}"
    return directory_of(workspace, run_id) / MAPS / name / f"{day}{SUFFIX}"


def find_clusters(
    workspace: Workspace, run_id: str, settings: ClusterSettings, day: str
) -> StoredClusters | None:
    """Return the clusters of a day, or None where there are none of the embedding as it is now.

    A file that is cut or damaged counts as absent: it is made again.

    Raises:
        RunError: `NO-EMBEDDING`.
    """
    read = read_arrays(clusters_path(workspace, run_id, settings, day))
    if read is None or read[1].get("embedding") != embedding_hash(workspace, run_id, day):
        return None
    arrays, facts = read
    return StoredClusters(day, arrays["labels"], arrays["strengths"], facts["embedding"])


def queue_clusters(workspace: Workspace, run_id: str, day: str, settings: ClusterSettings) -> str:
    """Start finding the clusters of a day; return the id of the job, of one at it already if any.

    Raises:
        RunError: `NO-EMBEDDING`.
    """
    embedding_hash(workspace, run_id, day)
    there = clusters_job(workspace, run_id, day, settings)
    config = {"run_id": run_id, "day": day, "settings": asdict(settings)}
    return queue_once(workspace, there, JOB, config, device=DEVICE)


def clusters_job(
    workspace: Workspace, run_id: str, day: str, settings: ClusterSettings
) -> Job | None:
    """Return the last job that looks or looked for these clusters, or None."""
    config = {"run_id": run_id, "day": day, "settings": asdict(settings)}
    jobs = list_jobs(workspace, with_runs=True)
    return next((job for job in jobs if job.kind == JOB and job.config == config), None)


def cluster_for_job(workspace: Workspace, config: dict[str, Any], *, told: Told) -> MapReport:
    """Do what a job of kind `cluster` was told: `run_id`, `day`, `settings`.

    Raises:
        RunError: `NO-RUN`, `NO-EMBEDDING`.
        WorkspaceError: `DAMAGED`, `DISK-FULL`.
    """
    began, day = time.monotonic(), str(config["day"])
    settings = ClusterSettings(**config["settings"])
    told({"step": "finding true neighbours", "share": 0.0})
    near = true_neighbours(workspace, config["run_id"], day)
    told({"step": "finding clusters", "share": 0.6})
    labels, strengths = clusters_of(near.near, near.distances, settings)
    path = clusters_path(workspace, config["run_id"], settings, day)
    arrays = {"labels": labels, "strengths": strengths}
    write_arrays(path, arrays, {"key": day, "embedding": near.embedding})
    told({"step": "done", "share": 1.0})
    return MapReport((day,), time.monotonic() - began, stopped=False)
