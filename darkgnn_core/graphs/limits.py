"""What is drawn of a graph: from where, how much, what the analyst did to it, what is left out."""

from dataclasses import dataclass, field
from typing import Literal, TypeAlias

import numpy as np

from darkgnn_core.errors import ConfigError
from darkgnn_core.graphs.nodes import Hosts, Node, Ports

Rank: TypeAlias = Literal["packets", "shared"]
Decided: TypeAlias = Literal["packets", "shared", "each"]
Part: TypeAlias = Literal["seed hosts", "seed ports", "ports", "hosts", "nodes", "edges"]

MOST_NODES = 800
MOST_EDGES = 4_000


@dataclass(frozen=True)
class Limits:
    """How much is drawn.

    Attributes:
        neighbours: Most ports or hosts that the start, or one expanded node, brings along.
        nodes: Most nodes of the start; each click that expands a node brings its own beyond that,
            up to `MOST_NODES` in all. What was started from, expanded or pinned goes first.
        edges: Most edges; each node keeps its heaviest one.
        min_packets: Pairs with fewer packets do not count at all.
        rank: Whether the ports of the start are ranked by packets, the heaviest of each host
            first, or by how many of its hosts share them.
    """

    neighbours: int = 40
    nodes: int = 150
    edges: int = 600
    min_packets: int = 1
    rank: Rank = "packets"

    def __post_init__(self) -> None:
        """Check the bounds.

        Raises:
            ConfigError: `GRAPH-LIMITS`.
        """
        bounds = (
            (1 <= self.neighbours <= MOST_NODES, f"1 to {MOST_NODES} neighbours"),
            (2 <= self.nodes <= MOST_NODES, f"2 to {MOST_NODES} nodes"),
            (1 <= self.edges <= MOST_EDGES, f"1 to {MOST_EDGES} edges"),
            (self.min_packets >= 1, "at least 1 packet"),
            (self.rank in ("packets", "shared"), "a rank by packets or shared"),
        )
        for holds, expected in bounds:
            if not holds:
                raise ConfigError(f"A graph shows {expected}; got {self}.", code="GRAPH-LIMITS")


@dataclass(frozen=True, eq=False)
class Seeds:
    """What a graph starts from: hosts uint32 (n,), ports int32 (m,)."""

    hosts: Hosts = field(default_factory=lambda: np.empty(0, np.uint32))
    ports: Ports = field(default_factory=lambda: np.empty(0, np.int32))


@dataclass(frozen=True)
class Doings:
    """What the analyst did to the graph, node by node.

    Attributes:
        expanded: Nodes whose neighbours are shown, in the order of the clicks; a node that stands
            there twice shows twice as many.
        hidden: Nodes left out.
        pinned: Nodes that stay whatever the limits say, where they are.
    """

    expanded: tuple[Node, ...] = ()
    hidden: tuple[Node, ...] = ()
    pinned: tuple[Node, ...] = ()


@dataclass(frozen=True)
class Cut:
    """What a guard left out.

    Attributes:
        part: What is counted.
        shown: How many are shown.
        total: How many there are.
        of: The expanded node whose neighbours these are; None for the start, or for all.
        rank: What decided who is shown; `each`: the heaviest of each one of the start.
    """

    part: Part
    shown: int
    total: int
    of: Node | None = None
    rank: Decided = "packets"
