"""Runs with real embedding files, written by hand: groups of hosts that lie together."""

import shutil
from collections.abc import Callable, Sequence

import numpy as np

from darkgnn_core.durable import write_manifest
from darkgnn_core.embeddings import Embedding, write_embedding
from darkgnn_core.run_config import RunConfig
from darkgnn_core.run_store import EMBEDDINGS
from darkgnn_core.shelf import list_snapshots
from darkgnn_core.snapshots.reading import read_hosts
from darkgnn_core.workspace import Workspace
from tests.made_runs import made_run

Place = Callable[[str, np.ndarray], np.ndarray]


def drawn_places(day: str, hosts: np.ndarray, *, seed: int = 0, size: int = 4) -> np.ndarray:
    """Give each address a place of its own, by seed and address, float32 (n, size).

    Hosts whose last byte leaves the same rest by 5 lie close together; a day moves all a little.
    """
    rows = []
    for host in hosts.tolist():
        group = np.random.default_rng([seed, host % 5]).normal(size=size)
        own = np.random.default_rng([seed, host]).normal(size=size)
        moved = np.random.default_rng([seed, host, int(day[8:10])]).normal(size=size)
        rows.append(3 * group + 0.3 * own + 0.05 * moved)
    return np.array(rows, np.float32).reshape(-1, size)


def embedded_run(
    workspace: Workspace,
    config: RunConfig,
    *,
    name: str = "",
    days: Sequence[str] | None = None,
    place: Place = drawn_places,
    without: Sequence[int] = (),
) -> str:
    """Write down a finished run with embeddings and return its id; needs `no_processes`.

    Args:
        workspace: Whose snapshots it is over.
        config: Its settings.
        name: Its name.
        days: The days it embedded; all by default.
        place: Gives the vectors of hosts on a day.
        without: Addresses it did not embed.
    """
    run_id = made_run(workspace, config, days=0, **({"name": name} if name else {}))
    folder = workspace.runs / run_id / EMBEDDINGS
    shutil.rmtree(folder)
    folder.mkdir()
    for shelved in list_snapshots(workspace, workspace.snapshot_config()):
        if shelved.directory is None or (days is not None and shelved.bin not in days):
            continue
        hosts = read_hosts(shelved.directory, ["host"])["host"].to_numpy()
        hosts = hosts[~np.isin(hosts, np.array(without, np.uint32))]
        vectors = place(shelved.bin, hosts).astype(np.float32)
        path = folder / f"{shelved.bin}.parquet"
        write_embedding(path, Embedding(shelved.bin, hosts, vectors, config.hash))
    write_manifest(folder)
    return run_id
