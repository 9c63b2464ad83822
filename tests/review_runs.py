"""A workspace with labels and runs for tests of scoring and of Review metrics."""

from pathlib import Path

import numpy as np

from darkgnn_core.durable import write_manifest
from darkgnn_core.embeddings import Embedding, write_embedding
from darkgnn_core.labels.store import add_list
from darkgnn_core.run_config import RunConfig
from darkgnn_core.run_store import EMBEDDINGS
from darkgnn_core.workspace import Workspace
from tests.app_workspaces import DAYS, filled_workspace
from tests.evaluation_days import FIRST_HOST
from tests.made_runs import made_run

HOSTS = np.arange(FIRST_HOST, FIRST_HOST + 60, dtype=np.uint32)
KINDS = np.arange(60) % 4
LABELS = ("censys", "shodan", "mirai")
"""Labels of the first three kinds of hosts; the fourth has none. 15 hosts each."""


def labelled_workspace(folder: Path) -> Workspace:
    """Make a workspace of three days with a list that labels three of four kinds of hosts."""
    workspace = filled_workspace(folder)
    add_labels_list(workspace, "kinds.csv", dict(enumerate(LABELS)))
    return workspace


def add_labels_list(workspace: Workspace, name: str, labels: dict[int, str]) -> None:
    """Add a list that gives kinds of hosts a label."""
    rows = [
        f"198.51.100.{at},{label}"
        for kind, label in labels.items()
        for at in np.flatnonzero(kind == KINDS)
    ]
    with workspace.catalogue() as connection:
        add_list(connection, "\n".join(["src_ip,label", *rows]).encode(), name=name)


def scored_run(
    workspace: Workspace,
    *,
    apart: float = 9.0,
    name: str = "good",
    group: str = "",
    days: tuple[str, ...] = DAYS,
    **settings: object,
) -> str:
    """Write down a run that is done, with embeddings; needs `no_processes`.

    Args:
        workspace: Whose run.
        apart: How far its kinds of hosts lie apart; 0 is not at all.
        name: What it is called.
        group: Of which group it is.
        days: The days it has embedded.
        **settings: Of its `RunConfig`.
    """
    config = RunConfig.of("i-gcn-gru", **settings)
    run_id = made_run(workspace, config, name=name, group=group, days=0)
    embed(workspace, run_id, apart, days=days, seed=config.seed)
    return run_id


def embed(
    workspace: Workspace,
    run_id: str,
    apart: float,
    *,
    days: tuple[str, ...] = DAYS,
    seed: int = 0,
    offset: float = 0.0,
) -> None:
    """Write embeddings of 60 hosts of four kinds that lie so far apart, all off the origin."""
    random = np.random.default_rng(seed)
    directory = workspace.runs / run_id / EMBEDDINGS
    for day in days:
        vectors = random.standard_normal((60, 8)).astype(np.float32)
        vectors[np.arange(60), KINDS] += apart
        vectors += offset
        write_embedding(directory / f"{day}.parquet", Embedding(day, HOSTS, vectors, "test"))
    write_manifest(directory)
