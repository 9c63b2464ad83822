"""Which data set a table is of: the paper's, the demo's, or the workspace's own."""

from dataclasses import dataclass

import numpy as np

from darkgnn_core.errors import visible
from darkgnn_core.health import all_hosts
from darkgnn_core.reproducing import paper
from darkgnn_core.run_inputs import inputs_between
from darkgnn_core.sources import list_sources
from darkgnn_core.workspace import Workspace

RESERVED = 15
"""First four bits of 240.0.0.0/4, where the senders of the demo lie and nobody's are."""

NAMED = 3
"""Sources named in a title; of more, the number alone is told."""


@dataclass(frozen=True)
class DataSet:
    """What a workspace holds, in words.

    Attributes:
        title: For the head of a table.
        is_paper: Whether it is the paper's: its days and its number of hosts.
        is_synthetic: Whether any packet came from the demo generator, or all senders are of the
            reserved block it draws from.
        days: Bins with a snapshot.
        hosts: Hosts of any snapshot.
    """

    title: str
    is_paper: bool
    is_synthetic: bool
    days: int
    hosts: int


def describe(workspace: Workspace) -> DataSet:
    """Say what a workspace's snapshots were made from.

    Raises:
        RunError: `NO-SNAPSHOTS`.
    """
    config = workspace.snapshot_config()
    keys = [each.key for each in inputs_between(workspace, config)]
    addresses = all_hosts(workspace, config)
    hosts = len(addresses)
    with workspace.catalogue() as connection:
        sources = list_sources(connection)
    is_released = config.origin == "released"
    is_made = bool((addresses >> np.uint32(28) == RESERVED).all())  # the demo, loaded from its logs
    is_synthetic = is_made or (not is_released and any(each.is_synthetic for each in sources))
    spans = (keys[0], keys[-1], len(keys)) == (paper.FIRST_DAY, paper.LAST_DAY, paper.DAYS)
    is_paper = spans and hosts == paper.HOSTS and not is_synthetic
    if is_paper:
        what = "the paper's data set (told by its days and its number of hosts)"
    elif is_synthetic:
        what = "a synthetic demo darknet, not the paper's data set"
    elif is_released:
        what = "files in the layout of the paper's release, not known to be its data set"
    else:
        what = f"{_named([each.name for each in sources])}, not the paper's data set"
    title = (
        f"{what}; {len(keys)} days, {keys[0]} to {keys[-1]}, {hosts:,} hosts, "
        f"min_packets={config.min_packets}, max_ports={config.max_ports}"
    )
    return DataSet(title, is_paper, is_synthetic, len(keys), hosts)


def _named(names: list[str]) -> str:
    """Name a few sources, or say how many there are."""
    if len(names) > NAMED:
        return f"{len(names)} sources of the workspace"
    return "the workspace's " + ", ".join(visible(name) for name in names)
