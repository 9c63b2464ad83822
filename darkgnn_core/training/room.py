"""How much room a run takes, by its formulas: memory at its peak, bytes on disk. No torch.

Counted are the arrays that grow with the days, above what a process with its libraries takes, which
is measured (`measuring.py`). Source: ours; what is kept for the way back is told in `models/`.
"""

from collections.abc import Sequence

from darkgnn_core.run_config import (
    DarkVecConfig,
    FusionConfig,
    NetworkConfig,
    RunConfig,
    Settings,
    TableConfig,
)
from darkgnn_core.training.costs import (
    DOUBLE,
    FEATURES,
    FLOAT,
    DaySize,
    Sizes,
    batch_of,
    is_recurrent,
    parameters_of,
    takes_batches_on,
    units_of,
    width_of,
    window_of,
)

GRAPH_ROW_BYTES = 16.0 * FEATURES
"""What a node takes in a kept graph and in what the network sees of it: features, averages."""
ENTRY_BYTES = 60.0
"""What an entry of an adjacency takes: the graph's, the matrix on the device, its transpose."""
LINK_BYTES = 200.0
"""What a pair that is predicted takes: its ends, and the last rows of the head."""
VECTOR_COPIES = 4.0
"""Vectors of a window beside the table they are taken from, with their gradients and moments."""
WHILE_KEPT = 7.0
"""What is learned, its gradient and two moments, and the bytes of the checkpoint they go into."""
GATES = 7.0
"""Widths E that a recurrent step keeps for the way back: state, two gates, new, three products."""
TABLE_ROW_BYTES, TABLE_EDGE_BYTES = 2_400.0, 120.0
"""What a row of nodes or edges takes while tables are read and become arrays."""
SNAPSHOT_ROW_BYTES, SNAPSHOT_EDGE_BYTES = 160.0, 20.0
"""What a row of nodes or edges takes in a snapshot that is kept."""
KEPT_DAYS = 8
"""Snapshots that `run_days.Days` keeps in memory."""
PACKET_BYTES, WORD_BYTES = 60.0, 400.0
"""What a packet takes in its sequence, and a host in the vocabulary, vectors aside."""
FILE_BYTES = 8_192.0
"""What an embedding's file takes beside its numbers, with its entry in the manifest."""
FUSED_WIDTH = 128
"""Width of a run's embedding, as the methods come; what a fusion is taken to put together."""


def memory_of(config: RunConfig, sizes: Sizes) -> float:
    """Return the most bytes a run holds at once above what its libraries take."""
    settings, days = config.settings, sizes.days
    kept = sorted(
        SNAPSHOT_ROW_BYTES * each.nodes + SNAPSHOT_EDGE_BYTES * each.edges for each in days
    )
    reading = max(TABLE_ROW_BYTES * each.nodes + TABLE_EDGE_BYTES * each.edges for each in days)
    read = sum(kept[-KEPT_DAYS:]) + reading
    if isinstance(settings, NetworkConfig):
        return read + max(_network(config.method, settings, sizes, day) for day in range(len(days)))
    if isinstance(settings, DarkVecConfig):
        return (
            read
            + _words(sizes) * _word_bytes(settings)
            + PACKET_BYTES * max(each.packets for each in days)
        )
    if isinstance(settings, FusionConfig):
        width = FUSED_WIDTH * len(settings.runs)
        return read + 4.0 * DOUBLE * width * max(each.hosts for each in days)
    together = max(
        (days[max(0, last - settings.days) : last] for last in range(1, len(days) + 1)),
        key=lambda part: sum(each.nodes for each in part),
    )
    return read + _table(config.method, settings, together)


def _network(method: str, settings: NetworkConfig, sizes: Sizes, day: int) -> float:
    """Return what a network holds on a day: its graphs, what it learned, and what goes back."""
    window = sizes.days[window_of(method, settings, day)]
    width = float(width_of(method, settings))
    kept = sizes.days[: settings.train_days + 1] if method == "gcn-gru" else window
    graphs = sum(GRAPH_ROW_BYTES * each.nodes + ENTRY_BYTES * each.entries for each in kept)
    learned = FLOAT * parameters_of(method, settings, _vectors(method, sizes))
    if method.startswith("random"):
        return graphs + learned + _passing(settings, width, window)
    links = 2.0 * sizes.days[day].edges * LINK_BYTES
    seen, rows = window, sizes.window_nodes
    if takes_batches_on(method, settings, sizes, day):
        seen = tuple(batch_of(settings, each) for each in window)
        rows = min(rows, sum(each.nodes for each in seen))
    each_row = 2.0 * width + (GATES * settings.embedding if is_recurrent(method) else 0.0)
    back = sum(FLOAT * each_row * each.nodes for each in seen)
    if not settings.use_features:
        wide = VECTOR_COPIES * rows + 2.0 * sum(each.nodes for each in seen)
        back += FLOAT * settings.hidden * wide
    return graphs + WHILE_KEPT * learned + links + back + _passing(settings, width, seen)


def _passing(settings: NetworkConfig, width: float, seen: Sequence[DaySize]) -> float:
    """Return what is there for a moment only, of the largest graph."""
    largest = max(each.nodes for each in seen)
    passing = 3.0 * FLOAT * width * largest + 2.0 * FLOAT * settings.hidden * min(largest, 1024)
    if not settings.use_features:
        passing += 3.0 * FLOAT * settings.hidden * largest
    return passing


def _vectors(method: str, sizes: Sizes) -> int:
    """Return how many nodes have a learned vector in the end; a GCN starts anew each day."""
    return sizes.window_nodes if method == "gcn" else sizes.nodes


def _words(sizes: Sizes) -> int:
    """Return how many hosts i-DarkVec has met in the end."""
    return sizes.nodes or sum(each.hosts for each in sizes.days)


def _word_bytes(settings: DarkVecConfig) -> float:
    return 2.0 * FLOAT * settings.embedding + WORD_BYTES


def _table(method: str, settings: TableConfig, days: Sequence[DaySize]) -> float:
    rows = sum(each.hosts for each in days)
    ports, edges = max(each.ports for each in days), sum(each.edges for each in days)
    if method == "features":
        return 2.0 * DOUBLE * FEATURES * days[-1].hosts
    if method == "autoencoder":
        return 3.0 * FLOAT * (FEATURES + settings.embedding + 2 * settings.hidden) * rows
    return 4.0 * DOUBLE * settings.embedding * (rows + ports) + 40.0 * edges


def disk_of(config: RunConfig, sizes: Sizes) -> float:
    """Return the bytes a run leaves: embeddings, and the last checkpoint."""
    width = width_in_files(config.method, config.settings)
    embeddings = sum(FLOAT * (width + 1.0) * each.hosts + FILE_BYTES for each in sizes.days)
    return embeddings + _checkpoint(config.method, config.settings, sizes)


def written_by(config: RunConfig, sizes: Sizes) -> float:
    """Return the bytes a run writes in all: each day's embedding, and a checkpoint a unit.

    What learns a vector a host has none of them at first: half the last checkpoint on average.
    """
    last = _checkpoint(config.method, config.settings, sizes)
    settings = config.settings
    grows = isinstance(settings, DarkVecConfig) or (
        isinstance(settings, NetworkConfig) and not settings.use_features
    )
    embeddings = disk_of(config, sizes) - last
    return embeddings + last * units_of(config, sizes) * (0.5 if grows else 1.0)


def width_in_files(method: str, settings: Settings) -> int:
    """Return the width of a method's embeddings."""
    if isinstance(settings, FusionConfig):
        return FUSED_WIDTH * len(settings.runs)
    if method == "features":
        return FEATURES
    return settings.embedding + (FEATURES if method == "features-spectral" else 0)


def _checkpoint(method: str, settings: Settings, sizes: Sizes) -> float:
    if isinstance(settings, NetworkConfig):
        parts = 1.0 if method.startswith("random") else 3.0
        return parts * FLOAT * parameters_of(method, settings, _vectors(method, sizes))
    if isinstance(settings, DarkVecConfig):
        return _words(sizes) * _word_bytes(settings)
    if method == "autoencoder" and isinstance(settings, TableConfig):
        return 3.0 * FLOAT * 2 * settings.hidden * (FEATURES + settings.embedding)
    return 0.0
