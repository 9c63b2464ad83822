"""Runs with embeddings of the tests' choosing: groups of hosts planted far apart."""

from pathlib import Path

import numpy as np

from darkgnn_core.durable import write_manifest
from darkgnn_core.embeddings import Embedding, write_embedding
from darkgnn_core.run_config import RunConfig
from darkgnn_core.run_store import EMBEDDINGS, directory_of
from darkgnn_core.shelf import open_snapshot
from darkgnn_core.snapshots.reading import read_hosts
from darkgnn_core.workspace import Workspace
from tests.app_workspaces import DAYS
from tests.made_runs import made_run

SIZE = 6
GROUP = 7
"""Hosts of the planted group: the seven lowest addresses of a day."""


def planted_vectors(hosts: int, *, seed: int = 0) -> np.ndarray:
    """Return float32 (hosts, 6): the first seven hosts lie close together, far from all others."""
    draw = np.random.default_rng(seed)
    vectors = draw.normal(0, 0.4, (hosts, SIZE)).astype(np.float32)
    vectors[:, 0] += 2.0
    middle = np.array([-4.0, 3.0, 0.0, 0.0, 0.0, 0.0])
    vectors[:GROUP] = middle + draw.normal(0, 0.02, (min(GROUP, hosts), SIZE))
    return vectors


def hosts_on(workspace: Workspace, day: str) -> np.ndarray:
    """Return the hosts of a day's snapshot."""
    directory = open_snapshot(workspace, workspace.snapshot_config(), day).directory
    assert directory is not None
    return read_hosts(directory, ["host"])["host"].to_numpy()


def embedded_run(workspace: Workspace, *, name: str = "planted", seed: int = 0) -> str:
    """Write down a done run whose embeddings hold the planted group; needs `no_processes`."""
    run_id = made_run(workspace, RunConfig.of("features"), name=name)
    folder = directory_of(workspace, run_id) / EMBEDDINGS
    for day in DAYS:
        hosts = hosts_on(workspace, day)
        write_vectors(folder, day, hosts, planted_vectors(len(hosts), seed=seed))
    write_manifest(folder)
    return run_id


def write_vectors(folder: Path, day: str, hosts: np.ndarray, vectors: np.ndarray) -> None:
    """Write the embedding of a day; the manifest is for the caller."""
    write_embedding(folder / f"{day}.parquet", Embedding(day, hosts, vectors, "0" * 12))
