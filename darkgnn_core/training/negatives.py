"""Pairs of a host and a port that did not meet: the negative examples of link prediction."""

import numpy as np
import numpy.typing as npt

from darkgnn_core.training.day_graphs import DayGraph, Keys, places_of

TRIES = 60
"""Rounds of drawing before a graph counts as too dense to find more by chance."""


def draw_negatives(
    graph: DayGraph,
    count: int,
    generator: np.random.Generator,
    *,
    kind: str = "uniform",
    earlier: Keys | None = None,
) -> Keys:
    """Draw distinct pairs of an active host and an active port that are no edge.

    Args:
        graph: The graph of the day.
        count: How many; fewer come back where the graph has fewer such pairs.
        generator: Source of chance.
        kind: `uniform` over all such pairs (the released code's way); `degree`: host and port
            drawn each by its number of edges; `historical`: pairs that met on earlier days and
            not today, filled up with uniform ones where they are too few.
        earlier: For `historical`: int64 (2, pairs), keys of host and port nodes.

    Returns:
        int64 (2, count), positions of host and port in `graph.nodes`.

    Source:
        Paper, section 2 ("a set of non-existing edges"); `docs/decisions.md`.
    """
    hosts, ports = graph.host_count, len(graph.nodes) - graph.host_count
    edges = np.sort(graph.edges[0] * ports + (graph.edges[1] - hosts))
    count = min(count, hosts * ports - len(edges))
    found = np.zeros(0, np.int64)
    if kind == "historical" and earlier is not None:
        met = _still_active(graph, earlier, ports)
        met = met[~_is_in(met, edges)]
        found = generator.permutation(met)[:count]
    for _ in range(TRIES):
        missing = count - len(found)
        if missing <= 0:
            break
        drawn = _draw(graph, missing + missing // 8 + 16, generator, by_degree=kind == "degree")
        drawn = drawn[~_is_in(drawn, edges)]
        _, first = np.unique(np.concatenate([found, drawn]), return_index=True)
        found = np.concatenate([found, drawn])[np.sort(first)][:count]
    if len(found) < count:
        found = np.concatenate([found, _rest(edges, found, hosts * ports, generator)])[:count]
    return np.stack([found // ports, found % ports + hosts])


def _draw(graph: DayGraph, count: int, generator: np.random.Generator, *, by_degree: bool) -> Keys:
    hosts, ports = graph.host_count, len(graph.nodes) - graph.host_count
    if by_degree:
        ends = generator.integers(0, graph.edges.shape[1], (2, count))
        return graph.edges[0, ends[0]] * ports + (graph.edges[1, ends[1]] - hosts)
    return generator.integers(0, hosts * ports, count)


def _rest(edges: Keys, found: Keys, pairs: int, generator: np.random.Generator) -> Keys:
    """Return all pairs of a dense graph that are neither edges nor found yet, in chance order."""
    free = np.ones(pairs, dtype=bool)
    free[edges] = False
    free[found] = False
    return generator.permutation(np.flatnonzero(free))


def _is_in(values: Keys, ordered: Keys) -> npt.NDArray[np.bool_]:
    if not len(ordered):
        return np.zeros(len(values), dtype=bool)
    places = np.minimum(np.searchsorted(ordered, values), len(ordered) - 1)
    return np.asarray(ordered[places] == values)


def _still_active(graph: DayGraph, earlier: Keys, ports: int) -> Keys:
    """Return the pairs whose host and port are both active, as numbers of pairs, ascending."""
    host, port = np.unique(earlier[0]), np.unique(earlier[1])
    places = []
    for wanted, keys in ((host, earlier[0]), (port, earlier[1])):
        there, at = places_of(wanted, graph.nodes)
        place = np.full(len(wanted), -1, np.int64)
        place[there] = at
        places.append(place[np.searchsorted(wanted, keys)])
    active = (places[0] >= 0) & (places[1] >= 0)
    return np.unique(places[0][active] * ports + (places[1][active] - graph.host_count))
