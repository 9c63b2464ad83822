"""Where nodes are drawn: by forces, or hosts left and ports right; what has a place keeps it."""

import math
from collections.abc import Mapping, Sequence
from typing import Literal, TypeAlias

import networkx as nx
import numpy as np
import numpy.typing as npt
import pandas as pd

from darkgnn_core.graphs.nodes import host_node, port_node

Layout: TypeAlias = Literal["force", "two columns"]
LAYOUTS: tuple[Layout, ...] = ("force", "two columns")
Place: TypeAlias = tuple[float, float]
Places: TypeAlias = dict[str, Place]
Floats: TypeAlias = npt.NDArray[np.float64]
Singles: TypeAlias = npt.NDArray[np.float32]
Room: TypeAlias = tuple[Singles, Singles]

SEED = 1
ROUNDS, LARGE_ROUNDS, LARGE = 80, 35, 400
"""Rounds of moving; fewer from `LARGE` nodes on, so that 800 take half a second."""

FIRST_STEP = 0.1
"""No node moves further in the first round, as a share of the drawing; less in each round after."""

SPREADING, GAP = 40, 0.8
"""Rounds of opening clumps, and the least distance, as a share of what evenly spread nodes have."""

SWEEPS = 6
NEARER = 0.5
"""New nodes come nearer than the usual distance: the old ones push them out, too."""
WIDE = 1.3
"""Width of a drawing over its height; the page stretches it up to twice one way."""
CELLS = 4
"""Parts of the usual distance to which components are packed."""

COLUMNS = {"h": 0.0, "p": 1.0}


def graph_of(ids: Sequence[str], edges: pd.DataFrame) -> nx.Graph:
    """Return nodes and edges as networkx has them, with `weight` and `packets` on the edges.

    Args:
        ids: Nodes, in a fixed order, so that the same graph gives the same drawing.
        edges: Columns `host`, `port`, `packets`, as in `subgraph.Shown`.
    """
    graph = nx.Graph()
    graph.add_nodes_from(ids)
    for host, port, packets in zip(edges["host"], edges["port"], edges["packets"], strict=True):
        graph.add_edge(
            host_node(host).id, port_node(port).id,
            weight=1 + math.log10(max(float(packets), 1.0)), packets=float(packets),
        )  # fmt: skip
    return graph


def places_of(
    ids: Sequence[str], edges: pd.DataFrame, layout: Layout, kept: Mapping[str, Place] | None = None
) -> Places:
    """Return a place for each node; nodes that have one keep it exactly.

    Args:
        ids: Nodes, in a fixed order.
        edges: As for `graph_of`.
        layout: `force`, or `two columns`: hosts at x = 0, ports at x = 1, y in rows.
        kept: Places that stay.

    Source:
        Fruchterman and Reingold, 1991, seeded, as arrays: networkx's own takes three times
        longer on 800 nodes. Components are laid out one by one and packed. Columns are ordered by
        the mean row of the neighbours.
    """
    graph = graph_of(ids, edges)
    old = {node: kept[node] for node in ids if kept and node in kept}
    if len(old) == len(ids):
        return old
    if layout == "two columns":
        return _two_columns(graph, old)
    return _added(graph, old) if old else _packed(graph)


def _pulled(
    graph: nx.Graph, start: Floats, length: float, fixed: Sequence[bool] | None = None
) -> Floats:
    """Move nodes by forces: all push one another away, edges pull.

    Args:
        graph: n nodes, in order.
        start: float64 (n, 2), where they start.
        length: The distance at which push and pull of an edge of weight 1 are level.
        fixed: Which nodes stay.

    Returns:
        float64 (n, 2).
    """
    place_of = {node: place for place, node in enumerate(graph)}
    ends = np.array([(place_of[a], place_of[b]) for a, b in graph.edges], np.int64).reshape(-1, 2)
    weights = np.array([weight for _, _, weight in graph.edges(data="weight")], np.float64)
    moves = ~np.array(fixed, bool) if fixed is not None else np.ones(len(graph), bool)
    at = start.astype(np.float64).copy()
    reach = max(float(np.ptp(at, axis=0).max()), length) * FIRST_STEP
    rounds, room = ROUNDS if len(at) < LARGE else LARGE_ROUNDS, _room(len(at))
    for done in range(rounds):
        force = _push(at, length, room) + _pull(at, ends, weights, length)
        size = np.maximum(np.linalg.norm(force, axis=1), 1e-9)
        step = np.minimum(size, reach * (1 - done / rounds)) / size
        at[moves] += (force * step[:, None])[moves]
    return at


def _push(at: Floats, length: float, room: Room) -> Floats:
    """Return how all nodes push each away: length**2 / distance, in float32 for speed.

    The sum over j of s_ij (x_i - x_j) is x_i times the sum of s_ij, less a product with x.
    """
    x, y = at.astype(np.float32).T
    strength = _squared_distances(x, y, room)
    np.maximum(strength, np.float32(1e-4 * length**2), out=strength)
    np.divide(np.float32(length**2), strength, out=strength)
    return _weighed(strength, x, y)


def _squared_distances(x: Singles, y: Singles, room: Room) -> Singles:
    """Return the squared distance of all nodes, float32 (n, n), in the room given."""
    squares, other = room
    np.subtract(x[:, None], x, out=squares)
    np.multiply(squares, squares, out=squares)
    np.subtract(y[:, None], y, out=other)
    np.multiply(other, other, out=other)
    np.add(squares, other, out=squares)
    return squares


def _weighed(weights: Singles, x: Singles, y: Singles) -> Floats:
    """Return for each node the sum of its ways from all others by their weights, float64 (n, 2)."""
    sums = (weights @ np.stack([x, y, np.ones_like(x)], axis=1)).astype(np.float64)
    here = np.stack([x, y], axis=1).astype(np.float64)
    ways: Floats = here * sums[:, 2:] - sums[:, :2]
    return ways


def _room(nodes: int) -> Room:
    """Return memory for two numbers a pair of nodes: asked for once, not in every round."""
    return np.empty((nodes, nodes), np.float32), np.empty((nodes, nodes), np.float32)


def _pull(at: Floats, ends: npt.NDArray[np.int64], weights: Floats, length: float) -> Floats:
    """Return how edges pull their ends together: weight * distance**2 / length."""
    way = at[ends[:, 1]] - at[ends[:, 0]]
    pull = way * (weights * np.linalg.norm(way, axis=1) / length)[:, None]
    sides = np.concatenate([ends[:, 0], ends[:, 1]])
    both = np.concatenate([pull, -pull])
    force: Floats = np.stack(
        [np.bincount(sides, both[:, axis], minlength=len(at)) for axis in (0, 1)], axis=1
    )
    return force


def _packed(graph: nx.Graph) -> Places:
    """Lay out each component by itself and pack them, the largest first, small ones around."""
    parts = sorted(nx.connected_components(graph), key=lambda part: (-len(part), min(part)))
    laid = [(_component(graph, part), math.sqrt(len(part))) for part in parts]
    corners = _corners([2 * radius + 1 for _, radius in laid])
    places: Places = {}
    for (part, radius), (x, y) in zip(laid, corners, strict=True):
        middle = (x + radius + 0.5, y - radius - 0.5)
        for node, place in part.items():
            places[node] = (
                float(middle[0] + radius * place[0]),
                float(middle[1] + radius * place[1]),
            )
    return places


def _corners(sizes: Sequence[float]) -> list[Place]:
    """Return where squares go, upper left corners: each as high as it can, then to the left."""
    cells = [math.ceil(size * CELLS) for size in sizes]
    width = math.ceil(math.sqrt(sum(each**2 for each in cells) * WIDE))
    depths = np.zeros(max([width, *cells]), np.int64)
    found = []
    for size in cells:
        tops = np.lib.stride_tricks.sliding_window_view(depths, size).max(axis=1)
        left = int(tops.argmin())
        top = int(tops[left])
        depths[left : left + size] = top + size
        found.append((left / CELLS, -top / CELLS))
    return found


def _component(graph: nx.Graph, part: set[str]) -> dict[str, Floats]:
    """Return places within -1 to 1; nodes in the order of the graph, whatever the set's."""
    inner = nx.Graph()
    inner.add_nodes_from(node for node in graph if node in part)
    inner.add_edges_from(graph.edges(list(inner), data=True))
    draw = np.random.default_rng(SEED)
    found = _pulled(inner, draw.uniform(-1, 1, (len(inner), 2)), 2.2 / math.sqrt(len(inner)))
    spread = _apart(_fitted(found), GAP * 2 / math.sqrt(len(inner)))
    return dict(zip(inner, _fitted(spread), strict=True))


def _fitted(at: Floats) -> Floats:
    """Return places moved and stretched to -1 to 1, each way for itself."""
    low, high = at.min(axis=0), at.max(axis=0)
    fitted: Floats = (2 * at - low - high) / np.maximum(high - low, 1e-9)
    return fitted


def _apart(at: Floats, gap: float, fixed: Sequence[bool] | None = None) -> Floats:
    """Move nodes that are nearer than a gap away from one another, so that clumps open up."""
    moves = ~np.array(fixed, bool) if fixed is not None else np.ones(len(at), bool)
    at, room = at.copy(), _room(len(at))
    for _ in range(SPREADING if len(at) < LARGE else SPREADING // 2):
        step = _openings(at, gap, room)
        if step is None:
            break
        size = np.maximum(np.linalg.norm(step, axis=1), 1e-12)
        limited = step * (np.minimum(size, gap) / size)[:, None] / 2
        at[moves] += limited[moves]
    return at


def _openings(at: Floats, gap: float, room: Room) -> Floats | None:
    """Return how nodes nearer than a gap push one another away; None where none is."""
    x, y = at.astype(np.float32).T
    squares = _squared_distances(x, y, room)
    np.fill_diagonal(squares, np.inf)
    rows, columns = np.nonzero(squares < np.float32(gap**2))
    if not len(rows):
        return None
    ways = at[rows] - at[columns]
    distance = np.maximum(np.linalg.norm(ways, axis=1), 1e-6 * gap)
    pushed = ways * ((gap - distance) / distance)[:, None]
    opened: Floats = np.stack(
        [np.bincount(rows, pushed[:, axis], minlength=len(at)) for axis in (0, 1)], axis=1
    )
    return opened


def _added(graph: nx.Graph, old: Mapping[str, Place]) -> Places:
    """Lay out the new nodes around old ones that stay: near their neighbours, by forces."""
    draw = np.random.default_rng(SEED)
    middle = np.mean(list(old.values()), axis=0)
    unit = _usual_distance(graph, old)
    start = {node: np.array(place) - middle for node, place in old.items()}
    for node in graph:
        if node not in start:
            near = [start[each] for each in graph[node] if each in start]
            centre = np.mean(near, axis=0) if near else np.array([0.0, _lowest(start) - 2 * unit])
            start[node] = centre + draw.normal(0, unit, 2)
    is_old = [node in old for node in graph]
    pulled = _pulled(graph, np.array([start[node] for node in graph]), NEARER * unit, is_old)
    new = _apart(pulled, _usual_gap(list(old.values())), is_old) + middle
    return {
        node: old[node] if node in old else (float(at[0]), float(at[1]))
        for node, at in zip(graph, new, strict=True)
    }


def _lowest(places: Mapping[str, Floats]) -> float:
    return min(float(place[1]) for place in places.values())


def _usual_distance(graph: nx.Graph, old: Mapping[str, Place]) -> float:
    """Return the median length of the edges that are drawn; 1 where there is none."""
    lengths = [math.dist(old[a], old[b]) for a, b in graph.edges if a in old and b in old]
    return max(float(np.median(lengths)), 1e-6) if lengths else 1.0


def _usual_gap(places: Sequence[Place]) -> float:
    """Return the median distance of a node to the nearest other one; 1 where there is none."""
    at = np.array(places)
    distances = np.linalg.norm(at[:, None] - at, axis=2)
    np.fill_diagonal(distances, np.inf)
    nearest = distances.min(axis=1)
    return float(np.median(nearest)) if len(at) > 1 else 1.0


def _two_columns(graph: nx.Graph, old: Mapping[str, Place]) -> Places:
    """Order both columns by the mean row of the neighbours; new nodes take the nearest free row."""
    rows = {node: place[1] for node, place in old.items()}
    if not rows:
        rows = _first_rows(graph)
        return {node: (COLUMNS[node[0]], rows[node]) for node in graph}
    taken = {(node[0], round(row)) for node, row in rows.items()}
    for node in graph:
        if node not in rows:
            near = [rows[each] for each in graph[node] if each in rows]
            wanted = round(float(np.mean(near))) if near else 0
            row = _nearest_free(node[0], wanted, taken)
            taken.add((node[0], row))
            rows[node] = float(row)
    return {node: old.get(node, (COLUMNS[node[0]], rows[node])) for node in graph}


def _nearest_free(column: str, wanted: int, taken: set[tuple[str, int]]) -> int:
    for step in range(len(taken) + 1):
        for row in (wanted - step, wanted + step):
            if (column, row) not in taken:
                return row
    return wanted


def _first_rows(graph: nx.Graph) -> dict[str, float]:
    columns = {side: [node for node in graph if node[0] == side] for side in COLUMNS}
    longest = max(map(len, columns.values()))

    def spread(nodes: Sequence[str]) -> dict[str, float]:
        """Give whole rows, the shorter column spread over the length of the longer one."""
        step = max(1, (longest - 1) // max(len(nodes) - 1, 1)) if len(nodes) > 1 else 1
        first = (longest - 1 - step * (len(nodes) - 1)) // 2
        return {node: float(-(first + step * place)) for place, node in enumerate(nodes)}

    rows = {side: spread(nodes) for side, nodes in columns.items()}
    for _ in range(SWEEPS):
        for side, other in (("p", "h"), ("h", "p")):
            means = {
                node: np.mean([rows[other][each] for each in graph[node]]) if graph[node] else 0.0
                for node in columns[side]
            }
            columns[side].sort(key=lambda node, means=means: -means[node])  # type: ignore[misc]
            rows[side] = spread(columns[side])
    return rows["h"] | rows["p"]
