"""A graph in words: nodes, what was cut, what is shown."""

from collections.abc import Sequence

from darkgnn_core.charts.port_names import port_label
from darkgnn_core.graphs.difference import Changed
from darkgnn_core.graphs.limits import Cut
from darkgnn_core.graphs.nodes import Node

UNKNOWN_PORT = "port not told"

PARTS = {
    "seed hosts": "hosts of the start",
    "seed ports": "ports of the start",
    "ports": "ports",
    "hosts": "hosts",
    "nodes": "nodes",
    "edges": "edges",
}
RANKS = {
    "packets": "the heaviest",
    "each": "the heaviest of each",
    "shared": "those that most of the hosts share",
}

EITHER = " on either day"
"""Of what was counted over two days that are compared."""

CHANGE_WORDS = {
    "new": "new",
    "grown": "grown",
    "same": "about the same",
    "shrunk": "shrunk",
    "gone": "gone",
}


def node_words(node: Node) -> str:
    """Return a node as it is written everywhere.

    >>> node_words(Node("port", 23)), node_words(Node("host", 3221225985))
    ('23 telnet', '192.0.2.1')
    """
    if node.is_host:
        return node.address
    return UNKNOWN_PORT if node.key < 0 else port_label(node.key)


def cut_words(cut: Cut, *, is_compared: bool = False) -> str:
    """Say what a guard left out.

    Args:
        cut: What.
        is_compared: What there is was counted over two days that are compared.

    >>> cut_words(Cut("ports", 40, 312))
    'Showing 40 of 312 ports, the heaviest.'
    >>> cut_words(Cut("hosts", 5, 9, of=Node("port", 23)))
    '23 telnet: showing 5 of 9 hosts, the heaviest.'
    """
    where = EITHER if is_compared else ""
    said = f"howing {cut.shown:,} of {cut.total:,} {PARTS[cut.part]}{where}, {RANKS[cut.rank]}."
    return f"S{said}" if cut.of is None else f"{node_words(cut.of)}: s{said}"


def change_words(changes: Sequence[Changed], compared: str) -> str:
    """Say how many edges changed since a day, and how many of those are drawn.

    >>> change_words([Changed("new", 100, 21), Changed("gone", 90, 19)], "2022-01-20")
    'Against 2022-01-20: 100 new, 90 gone; of these 21 and 19 are drawn.'
    >>> change_words([Changed("new", 4, 4)], "2022-01-20")
    'Against 2022-01-20: 4 new; all are drawn.'
    """
    if not changes:
        return f"Against {compared}: no edge."
    told = ", ".join(f"{each.edges:,} {CHANGE_WORDS[each.change]}" for each in changes)
    drawn = [f"{each.drawn:,}" for each in changes]
    some = " and ".join([", ".join(drawn[:-1]), drawn[-1]] if len(drawn) > 1 else drawn)
    is_all = all(each.drawn == each.edges for each in changes)
    return f"Against {compared}: {told}; {'all' if is_all else f'of these {some}'} are drawn."


def count_words(hosts: int, ports: int, edges: int) -> str:
    """Say how much is drawn.

    >>> count_words(1, 2, 2)
    '1 host, 2 ports, 2 edges'
    """
    return ", ".join(
        f"{count:,} {word}{'' if count == 1 else 's'}"
        for count, word in ((hosts, "host"), (ports, "port"), (edges, "edge"))
    )


def days_words(days: Sequence[str]) -> str:
    """Say which days are looked at.

    >>> days_words(["2021-12-01", "2021-12-02"])
    '2 days, 2021-12-01 to 2021-12-02'
    """
    return days[0] if len(days) == 1 else f"{len(days):,} days, {days[0]} to {days[-1]}"
