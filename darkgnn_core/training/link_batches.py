"""Batches of links with the neighbours drawn for them, by torch-geometric's loader.

torch-geometric's own samplers need one of two compiled companions (pyg-lib, torch-sparse); its
loaders take any other. This one draws by weight, a whole batch at a time (`neighbour_draws.py`).
Importing torch-geometric takes 1.5 s: import this module only when it is needed.
"""

import warnings
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import scipy.sparse
import torch
from torch import Tensor

from darkgnn_core.training.day_graphs import Keys
from darkgnn_core.training.neighbour_draws import NeighbourDraws

with warnings.catch_warnings():  # it reaches for what torch calls outdated
    warnings.simplefilter("ignore")
    from torch_geometric.data import Data
    from torch_geometric.loader import LinkLoader
    from torch_geometric.sampler import (
        BaseSampler,
        EdgeSamplerInput,
        NegativeSampling,
        NodeSamplerInput,
        SamplerOutput,
    )


@dataclass
class WeightedOutput(SamplerOutput):
    """What was drawn, and how much each drawn edge weighs.

    Attributes:
        weight: float32 (edges,).
    """

    weight: Tensor | None = None


class WeightedNeighbours(BaseSampler):
    """Draws neighbours of the nodes that a batch is about, one hop, by weight.

    Args:
        draws: Of the graph.
        chance: Source of chance.
    """

    def __init__(self, draws: NeighbourDraws, chance: np.random.Generator) -> None:
        self.draws, self.chance = draws, chance

    def sample_from_nodes(self, index: NodeSamplerInput, **kwargs: Any) -> WeightedOutput:
        """Return the nodes asked for, which must be distinct, with their neighbours."""
        return self._around(index.node.numpy(), (index.input_id, index.time))

    def sample_from_edges(
        self, index: EdgeSamplerInput, neg_sampling: NegativeSampling | None = None
    ) -> WeightedOutput:
        """Return the ends of links, ascending, with their neighbours."""
        ends = torch.stack([index.row, index.col]).numpy()
        seeds, places = np.unique(ends, return_inverse=True)
        links = torch.from_numpy(places.reshape(ends.shape))
        return self._around(seeds, (index.input_id, links, index.label, index.time))

    def _around(self, seeds: Keys, metadata: tuple[Any, ...]) -> WeightedOutput:
        drawn = self.draws.draw(seeds, self.chance)
        others = np.setdiff1d(drawn.indices, seeds)
        nodes = np.concatenate([seeds, others])
        order = np.argsort(nodes)
        sources = order[np.searchsorted(nodes, drawn.indices, sorter=order)]
        targets = np.repeat(np.arange(len(seeds)), np.diff(drawn.indptr))
        return WeightedOutput(
            node=torch.from_numpy(nodes),
            row=torch.from_numpy(sources),
            col=torch.from_numpy(targets),
            edge=None,
            num_sampled_nodes=[len(seeds), len(others)],
            num_sampled_edges=[len(sources)],
            metadata=metadata,
            weight=torch.from_numpy(drawn.data),
        )


class _Loader(LinkLoader):
    """Hands on what the drawn edges weigh."""

    def filter_fn(self, out: WeightedOutput) -> Data:
        """Return a batch as torch-geometric makes it, with `edge_weight`."""
        data = super().filter_fn(out)
        data.edge_weight = out.weight
        return data


@dataclass(frozen=True, eq=False)
class LinkBatch:
    """Some links of a day, and what was drawn for them in its graph.

    Attributes:
        nodes: int64 (R,), the links' ends, positions in the day's nodes, ascending.
        drawn: float32 (R, nodes of the day), their rows of the adjacency, as drawn.
        links: int64 (2, b), positions of host and port in `nodes`.
        exists: bool (b,).
    """

    nodes: Keys
    drawn: scipy.sparse.csr_array
    links: Tensor
    exists: Tensor


def link_batches(
    draws: NeighbourDraws,
    links: Keys,
    exists: np.ndarray,
    batches: Sequence[Keys],
    chance: np.random.Generator,
) -> Iterator[LinkBatch]:
    """Yield batches of links in the order given.

    Args:
        draws: Of the day's graph.
        links: int64 (2, links), positions of host and port in the day's nodes.
        exists: bool (links,).
        batches: Each int64 (b,), positions in `links`.
        chance: Source of chance for the neighbours.
    """
    loader = _Loader(
        Data(num_nodes=draws.nodes, edge_index=torch.zeros(2, 0, dtype=torch.int64)),
        WeightedNeighbours(draws, chance),
        edge_label_index=torch.from_numpy(links),
        edge_label=torch.from_numpy(exists),
    )
    for batch in batches:
        data = loader(torch.from_numpy(batch))
        seeds = data.num_sampled_nodes[0]
        nodes, (source, target) = data.n_id.numpy(), data.edge_index.numpy()
        starts = np.concatenate([[0], np.cumsum(np.bincount(target, minlength=seeds))])
        drawn = scipy.sparse.csr_array(
            (data.edge_weight.numpy(), nodes[source], starts), shape=(seeds, draws.nodes)
        )
        yield LinkBatch(nodes[:seeds], drawn, data.edge_label_index, data.edge_label)
