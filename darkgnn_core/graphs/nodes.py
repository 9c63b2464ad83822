"""Nodes of a drawing: a host or a port, each with an id that JSON and a chart can carry."""

import re
from collections.abc import Iterable
from ipaddress import IPv4Address
from typing import Literal, NamedTuple, TypeAlias

import numpy as np
import numpy.typing as npt

from darkgnn_core.errors import ConfigError

Kind: TypeAlias = Literal["host", "port"]
Hosts: TypeAlias = npt.NDArray[np.uint32]
Ports: TypeAlias = npt.NDArray[np.int32]

_ID = re.compile(r"([hp])(0|-1|[1-9][0-9]{0,9})")
_MOST = {"host": 0xFFFF_FFFF, "port": 65_535}


class Node(NamedTuple):
    """A host or a port.

    Attributes:
        kind: `host` or `port`.
        key: The address as an integer, or the port number; -1 for a port the trace does not tell.
    """

    kind: Kind
    key: int

    @property
    def id(self) -> str:
        """`h` and the address as an integer, or `p` and the port."""
        return f"{self.kind[0]}{self.key}"

    @property
    def is_host(self) -> bool:
        """Whether it is a host."""
        return self.kind == "host"

    @property
    def address(self) -> str:
        """The address of a host, dotted."""
        return str(IPv4Address(self.key))


def host_node(host: int) -> Node:
    """Return the node of an address."""
    return Node("host", int(host))


def port_node(port: int) -> Node:
    """Return the node of a port."""
    return Node("port", int(port))


def node_of(text: object) -> Node:
    """Return the node of an id, which may come from a browser.

    Raises:
        ConfigError: `NODE` where it is none.

    >>> node_of("p23"), node_of("h3221225985").address
    (Node(kind='port', key=23), '192.0.2.1')
    """
    found = _ID.fullmatch(text) if isinstance(text, str) else None
    if found is not None:
        kind: Kind = "host" if found[1] == "h" else "port"
        key = int(found[2])
        if key <= _MOST[kind] and (key >= 0 or kind == "port"):
            return Node(kind, key)
    shown = ascii(text)[:40]
    raise ConfigError(f"A node is h and an address, or p and a port; got {shown}.", code="NODE")


def hosts_among(nodes: Iterable[Node]) -> Hosts:
    """Return the hosts of some nodes, uint32, ascending."""
    return np.unique(np.array([node.key for node in nodes if node.is_host], np.uint32))


def ports_among(nodes: Iterable[Node]) -> Ports:
    """Return the ports of some nodes, int32, ascending."""
    return np.unique(np.array([node.key for node in nodes if not node.is_host], np.int32))
