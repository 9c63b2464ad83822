"""The networks of the paper in the plainest way: what the fast ones must equal, and are timed by.

Every node of all days is in every graph, active or not; each graph goes whole through two
convolutions of torch-geometric's message passing and, in recurrent networks, through PyTorch's GRU;
negatives are drawn one at a time into a set. No row is left out and nothing is folded. This is how
the paper's text reads if one asks nothing of speed; it is written from that text, and from the
list of differences in `docs/decisions.md`.
"""

import random
from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional
from torch_geometric.nn import SimpleConv

from darkgnn_core.run_config import NetworkConfig
from darkgnn_core.training.day_graphs import DayGraph, Keys, places_of
from darkgnn_core.training.network import NetworkAtWork

PlainGraph = tuple[Tensor, Tensor, Tensor]
"""x (nodes, F), edge_index (2, edges) with self-loops, edge_weight (edges,)."""


class PlainNetwork(nn.Module):
    """Two convolutions a graph; a linear layer, or a GRU over graphs; the link head.

    Args:
        settings: The widths.
        inputs: Width of the input: 37, or the number of nodes where the input is the identity.
        is_recurrent: Whether a GRU follows.
    """

    def __init__(self, settings: NetworkConfig, inputs: int, *, is_recurrent: bool) -> None:
        super().__init__()
        self.first = nn.Linear(inputs, settings.hidden, bias=False)
        self.bias1 = nn.Parameter(torch.zeros(settings.hidden))
        self.second = nn.Linear(settings.hidden, settings.output, bias=False)
        self.bias2 = nn.Parameter(torch.zeros(settings.output))
        self.neighbours = SimpleConv(aggr="sum")
        self.last: nn.Module = (
            nn.GRU(settings.output, settings.embedding)
            if is_recurrent
            else nn.Linear(settings.output, settings.embedding)
        )
        self.norm = nn.BatchNorm1d(settings.embedding)
        self.head1 = nn.Linear(2 * settings.embedding, settings.head)
        self.head2 = nn.Linear(settings.head, 2)

    def forward(self, graphs: Sequence[PlainGraph]) -> Tensor:
        """Return the embeddings of all nodes, (nodes, E)."""
        each = []
        for x, edge_index, edge_weight in graphs:
            hidden = self.neighbours(self._first(x), edge_index, edge_weight) + self.bias1
            wide = self.second(torch.relu(hidden))
            each.append(self.neighbours(wide, edge_index, edge_weight) + self.bias2)
        if isinstance(self.last, nn.GRU):
            return self.last(torch.stack(each))[0][-1]
        return torch.relu(self.last(each[-1]))

    def _first(self, x: Tensor) -> Tensor:
        is_identity = x.shape[1] == 0
        return self.first.weight.T if is_identity else self.first(x)

    def links(self, embeddings: Tensor, edges: Tensor, active: Tensor) -> Tensor:
        """Return log probabilities of links, (edges, 2); statistics are those of active nodes."""
        normed = torch.zeros_like(embeddings)
        normed[active] = self.norm(embeddings[active])
        both = torch.cat([normed[edges[0]], normed[edges[1]]], dim=1)
        return functional.log_softmax(self.head2(torch.relu(self.head1(both))), dim=1)


def plain_graph(graph: DayGraph, everyone: Keys, *, use_features: bool = True) -> PlainGraph:
    """Return a day's graph over the nodes of all days; absent nodes are alone, features zero."""
    _, places = places_of(graph.nodes, everyone)
    matrix = graph.adjacency.tocoo()
    alone = np.setdiff1d(np.arange(len(everyone)), places)
    row = np.concatenate([places[matrix.row], alone])
    column = np.concatenate([places[matrix.col], alone])
    weight = np.concatenate([matrix.data, np.ones(len(alone), np.float32)])
    x = np.zeros((len(everyone), graph.features.shape[1] if use_features else 0), np.float32)
    if use_features:
        x[places] = graph.features
    edge_index = torch.from_numpy(np.stack([column, row]))
    return torch.from_numpy(x), edge_index, torch.from_numpy(weight)


def copy_weights(work: NetworkAtWork, plain: PlainNetwork, everyone: Keys) -> None:
    """Give the plain network the weights of a fast one."""
    weights = {name: torch.tensor(value) for name, value in work.weights().items()}
    with torch.no_grad():
        if work.settings.use_features:
            plain.first.weight.copy_(weights["encoder.convolutions.weight1"].T)
        else:
            rows = work.table.rows_of(everyone, "later").cpu()
            plain.first.weight.copy_(work.table.vectors.cpu()[rows].T)
        for ours, theirs in (
            ("encoder.convolutions.bias1", plain.bias1),
            ("encoder.convolutions.bias2", plain.bias2),
        ):
            theirs.copy_(weights[ours])
        plain.second.weight.copy_(weights["encoder.convolutions.weight2"].T)
        if isinstance(plain.last, nn.GRU):
            for ours, theirs in (("input", "ih"), ("state", "hh")):
                matrix = weights[f"encoder.recurrence.weight_{ours}"].T
                getattr(plain.last, f"weight_{theirs}_l0").copy_(matrix)
                bias = weights[f"encoder.recurrence.bias_{ours}"]
                getattr(plain.last, f"bias_{theirs}_l0").copy_(bias)
        else:
            plain.last.weight.copy_(weights["encoder.weight"].T)
            plain.last.bias.copy_(weights["encoder.bias"])
        plain.head1.weight.copy_(weights["head.weight"].T)
        plain.head1.bias.copy_(weights["head.bias"])
        plain.head2.weight.copy_(weights["head.weight_output"].T)
        plain.head2.bias.copy_(weights["head.bias_output"])


def plain_negatives(graph: DayGraph, count: int, chance: random.Random) -> Keys:
    """Draw distinct non-edges one at a time, as one writes it first."""
    edges = set(zip(*graph.edges.tolist(), strict=True))
    found: set[tuple[int, int]] = set()
    while len(found) < count:
        pair = (
            chance.randrange(graph.host_count),
            chance.randrange(graph.host_count, len(graph.nodes)),
        )
        if pair not in edges:
            found.add(pair)
    return np.array(sorted(found)).T


def plain_step(
    plain: PlainNetwork,
    optimiser: torch.optim.Optimizer,
    graphs: Sequence[PlainGraph],
    today: DayGraph,
    everyone: Keys,
    chance: random.Random,
) -> float:
    """Take one full-batch step on a day; return its loss."""
    _, places = places_of(today.nodes, everyone)
    negatives = plain_negatives(today, today.edges.shape[1], chance)
    edges = torch.from_numpy(places[np.concatenate([today.edges, negatives], axis=1)])
    truth = (torch.arange(edges.shape[1]) < today.edges.shape[1]).long()
    told = plain.links(plain(graphs), edges, torch.from_numpy(places))
    loss = functional.nll_loss(told, truth)
    optimiser.zero_grad()
    loss.backward()
    optimiser.step()
    return float(loss.detach())
