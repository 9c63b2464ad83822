"""A day in batches of links, with the neighbours that are drawn for each: for days too large.

One pass over a day is one step of Adam a batch. The day's hosts are dealt out by chance, so many a
batch that these have `batch_edges` links; the batch is about all links of its hosts, and about
those pairs that did not meet, drawn for the whole day at once as for whole graphs, that are its
hosts'. So each host is computed once a pass; of links dealt out one by one, almost each would bring
a host of its own. The ports come with every batch, which therefore should not be small. The nodes
that a batch is about see at most `fanout` neighbours each, in every graph of the window.
Source: ours.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from darkgnn_core.run_config import NetworkConfig
from darkgnn_core.trainers import Step, seed_of
from darkgnn_core.training.day_graphs import DayGraph, Keys, places_of
from darkgnn_core.training.sampled_views import DrawnGraph, draws_of, sampled_views


@dataclass(frozen=True, eq=False)
class Batch:
    """What one step learns from.

    Attributes:
        views: One a graph of the window, the oldest first.
        targets: int64, keys of the nodes it is about, ascending.
        links: int64 (2, b), positions of host and port among the targets.
        exists: bool (b,), whether they are edges.
        table: int64, keys of the nodes whose learned vectors the views take; None where the step
            is about a whole day, or where nodes have features.
    """

    views: list[object]
    targets: Keys
    links: Tensor
    exists: Tensor
    table: Keys | None = None


def sampled_batches(
    window: Sequence[DayGraph],
    today: DayGraph,
    pairs: tuple[Keys, Keys],
    settings: NetworkConfig,
    *,
    seed: int,
    epoch: int,
    device: torch.device,
) -> Iterator[Batch]:
    """Yield the batches of one pass over a day; all chance follows from seed, day and epoch.

    Args:
        window: The graphs that the day is seen by, the oldest first.
        today: The day's graph as the encoder sees it; the last of the window, where it has it.
        pairs: Links and pairs that are none, int64 (2, links) each, positions in today's nodes.
        settings: Of the network.
        seed: Of the run.
        epoch: From 1.
        device: Where the network is.
    """
    from darkgnn_core.training.link_batches import link_batches  # torch-geometric: 1.5 s

    chance = np.random.default_rng(seed_of(seed, "batch", today.key, epoch))
    draws = [draws_of(graph, settings) for graph in window]
    own = draws[-1] if window[-1] is today else draws_of(today, settings)
    links = np.concatenate(pairs, axis=1)
    exists = np.arange(links.shape[1]) < pairs[0].shape[1]
    batches = dealt(links[0], exists, settings.batch_edges, chance)
    for found in link_batches(own, links, exists, batches, chance):
        targets = today.nodes[found.nodes]
        drawn = []
        for graph, each in zip(window, draws, strict=True):
            if graph is today:
                places = np.arange(len(targets))
                drawn.append(DrawnGraph(graph, each, found.nodes, places, found.drawn))
                continue
            places, rows = places_of(targets, graph.nodes)
            drawn.append(DrawnGraph(graph, each, rows, places, each.draw(rows, chance)))
        views, table = sampled_views(drawn, targets, settings, device, chance)
        yield Batch(views, targets, found.links.to(device), found.exists.to(device), table)


def dealt(
    hosts: Keys, exists: npt.NDArray[np.bool_], size: int, chance: np.random.Generator
) -> list[Keys]:
    """Deal hosts out in chance order, so many a batch that they have up to `size` links.

    Args:
        hosts: int64 (pairs,), the host of each pair.
        exists: bool (pairs,), whether it is a link.
        size: Links a batch.
        chance: Source of chance.

    Returns:
        int64, positions of the pairs of each batch; no batch is empty.
    """
    degrees = np.bincount(hosts[exists], minlength=int(hosts.max()) + 1)
    links = int(degrees.sum())
    even = -(-links // -(-links // size))  # as many a batch in the last as in the others
    order = chance.permutation(len(degrees))
    batch_of = np.empty_like(order)
    batch_of[order] = np.maximum(np.cumsum(degrees[order]) - 1, 0) // even
    batches = batch_of[hosts]
    places = np.argsort(batches, kind="stable")
    ends = np.cumsum(np.bincount(batches))
    return [part for part in np.split(places, ends[:-1]) if len(part)]


def pass_of(steps: Sequence[Step], sizes: Sequence[int]) -> Step | None:
    """Return the steps of a pass as one: means over their links, seconds together.

    Args:
        steps: Of one day and epoch.
        sizes: Links of each.
    """
    if len(steps) < 2:
        return steps[0] if steps else None
    last = steps[-1]
    return Step(
        day=last.day,
        epoch=last.epoch,
        epochs=last.epochs,
        loss=float(np.average([each.loss for each in steps], weights=sizes)),
        accuracy=float(np.average([each.accuracy or 0.0 for each in steps], weights=sizes)),
        seconds=sum(each.seconds for each in steps),
    )
