"""Whole graphs, or batches with sampled neighbours: which of them a day is trained by. No torch.

The choice follows from settings and sizes alone, never from the memory that happens to be free: a
run that goes on elsewhere after a kill takes the same path and ends in the same embeddings.
"""

from collections.abc import Iterable

from darkgnn_core.run_config import NetworkConfig

WHOLE_BYTES = 6 * 2**30
"""The most a step on whole graphs may take where `sampling` is `auto`."""

ENTRY_BYTES = 110.0
"""What an entry of an adjacency takes: the graph, the matrix and its transpose on the device, the
links drawn from it."""
NODE_BYTES = 1_000.0
"""What a node takes beside what grows with the widths: features, and their copies."""
KEPT, PASSING = 1.5, 4.5
"""Widths K that a row of each graph keeps for the way back, and that pass through with the
largest graph."""


def takes_batches(settings: NetworkConfig, width: int, graphs: Iterable[tuple[int, int]]) -> bool:
    """Say whether a day is trained by batches with sampled neighbours.

    Args:
        settings: `sampling` decides; `auto` leaves it to the sizes.
        width: K, the width of the second convolution with the map after it folded in.
        graphs: Nodes and edges of each graph of the window.
    """
    if settings.sampling == "auto":
        return whole_bytes(settings, width, graphs) > WHOLE_BYTES
    return settings.sampling == "neighbours"


def whole_bytes(settings: NetworkConfig, width: int, graphs: Iterable[tuple[int, int]]) -> float:
    """Return about how many bytes a step on whole graphs takes, above what libraries take.

    Args:
        settings: The widths.
        width: K.
        graphs: Nodes and edges of each graph of the window.
    """
    graphs = list(graphs)
    wide = settings.hidden if not settings.use_features or settings.convolution != "gcn" else 0
    each_node = NODE_BYTES + 4.0 * KEPT * (width + 2 * wide)
    kept = sum(each_node * nodes + ENTRY_BYTES * (2 * edges + nodes) for nodes, edges in graphs)
    return kept + 4.0 * PASSING * (width + wide) * max(nodes for nodes, _ in graphs)
