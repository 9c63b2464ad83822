"""The days of a run: which snapshots it sees, in which form, and the packets behind them."""

import hashlib
import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np

from darkgnn_core.config import GraphConfig, SnapshotConfig, config_hash
from darkgnn_core.durable import MANIFEST, check_manifest, sha256_of
from darkgnn_core.snapshots.graphs import graph_reader
from darkgnn_core.snapshots.reading import Snapshot


@dataclass(frozen=True)
class DayInput:
    """What a run reads of one bin.

    Attributes:
        key: Name of the bin.
        directory: Its snapshot.
        packet_files: The packets it was made of; none where only the snapshot is known.
    """

    key: str
    directory: Path
    packet_files: tuple[Path, ...] = ()


class Days:
    """The bins of a run in the order in which it goes over them: that of time.

    The control `shuffled_days` draws another order; each bin keeps its name and its hosts.

    Args:
        inputs: One a bin, in time order.
        snapshot_config: The settings their snapshots were built with.
        graph: Which edges a model sees, and how features are scaled.
        kept: Snapshots held in memory, the last ones asked for.
    """

    def __init__(
        self,
        inputs: Sequence[DayInput],
        *,
        snapshot_config: SnapshotConfig,
        graph: GraphConfig,
        kept: int = 8,
    ) -> None:
        self.inputs = inputs = _ordered(inputs, graph)
        self.snapshot_config = snapshot_config
        self.graph = graph
        self._read: Callable[[int], Snapshot] = lru_cache(maxsize=kept)(
            graph_reader([each.directory for each in inputs], graph)
        )

    @property
    def keys(self) -> tuple[str, ...]:
        """The names of the bins."""
        return tuple(each.key for each in self.inputs)

    def snapshot(self, position: int) -> Snapshot:
        """Return the snapshot of a bin, edges and scaling as `graph` says; never change it.

        Raises:
            WorkspaceError: `DAMAGED` where a file cannot be read.
        """
        return self._read(position)


def _ordered(inputs: Sequence[DayInput], graph: GraphConfig) -> tuple[DayInput, ...]:
    if graph.control != "shuffled_days":
        return tuple(inputs)
    text = " ".join(["shuffled", *(each.key for each in inputs)])
    seed = np.frombuffer(hashlib.sha256(text.encode()).digest(), np.uint32)
    return tuple(inputs[each] for each in np.random.default_rng(seed).permutation(len(inputs)))


def data_of(inputs: Sequence[DayInput], config: SnapshotConfig) -> dict[str, Any]:
    """Return what a run's data were: settings of the snapshots, and the hash of each bin's files.

    Each snapshot is held against its manifest first.

    Raises:
        WorkspaceError: `DAMAGED`.
    """
    for each in inputs:
        check_manifest(each.directory)
    days = {each.key: sha256_of(each.directory / MANIFEST)[:16] for each in inputs}
    digest = hashlib.sha256(json.dumps(sorted(days.items())).encode()).hexdigest()[:16]
    return {"snapshot_config": config_hash(config), "days": days, "hash": digest}
