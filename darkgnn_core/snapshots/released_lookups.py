"""The two lookups of the released graphs: which address or port each node id stands for."""

import json
from collections.abc import Mapping
from ipaddress import AddressValueError, IPv4Address
from pathlib import Path
from typing import Any

from darkgnn_core.errors import TraceError
from darkgnn_core.snapshots.released_lines import shown
from darkgnn_core.traces.opening import open_regular

REST_OF_PORTS = -1
REST_NAME = "oth"
MAX_JSON_BYTES = 32 << 20
MAX_NODES = 600_000


def read_host_lookup(path: Path) -> dict[int, int]:
    """Read `{address: id}` into address (as integer) by id.

    Raises:
        TraceError: `RELEASED-LOOKUP`, `LIMIT`, or what opening a file can raise.
    """
    hosts: dict[int, int] = {}
    seen: set[int] = set()
    for key, node in _lookup_pairs(path):
        try:
            address = int(IPv4Address(key))
        except AddressValueError as error:
            raise _lookup_error(path, f"expected IPv4 addresses, got {shown(key)}") from error
        if node in hosts or address in seen:
            what = f"id {node}" if node in hosts else f"address {shown(key)}"
            raise _lookup_error(path, f"{what} stands there twice")
        hosts[node] = address
        seen.add(address)
    return hosts


def read_port_lookup(path: Path, *, hosts: Mapping[int, int]) -> dict[int, int]:
    """Read `{port or "oth": id}` into port by id, -1 for `oth`; one port may have two ids.

    Args:
        path: The file.
        hosts: Address by id; no port may have an id of these.

    Raises:
        TraceError: `RELEASED-LOOKUP`, `LIMIT`, or what opening a file can raise.
    """
    ports: dict[int, int] = {}
    for key, node in _lookup_pairs(path):
        if node in ports:
            raise _lookup_error(path, f"id {node} stands there twice")
        if node in hosts:
            raise _lookup_error(path, f"id {node} is a host in ip_lookup.json and a port here")
        ports[node] = _port_of(key, path)
    return ports


def _port_of(key: str, path: Path) -> int:
    if key == REST_NAME:
        return REST_OF_PORTS
    text = key.removesuffix(".0")  # a column with gaps was read as decimal numbers
    if text.isascii() and text.isdigit() and len(text) <= 5 and int(text) <= 65_535:
        return int(text)
    raise _lookup_error(path, f'expected ports 0 to 65535 or "{REST_NAME}", got {shown(key)}')


def _lookup_pairs(path: Path) -> list[tuple[str, int]]:
    pairs = _json_pairs(path)
    if len(pairs) > MAX_NODES:
        raise TraceError(f"{path.name}: more than {MAX_NODES:,} nodes.", code="LIMIT")
    if not pairs:
        raise _lookup_error(path, "it names no node")
    for key, node in pairs:
        if type(node) is not int or not 0 <= node < 2 * MAX_NODES:
            raise _lookup_error(path, f"the id of {shown(key)} is {shown(str(node))}")
    return pairs


def _json_pairs(path: Path) -> list[tuple[str, Any]]:
    with open_regular(path) as raw:
        content = raw.read(MAX_JSON_BYTES + 1) or b""
    if len(content) > MAX_JSON_BYTES:
        raise TraceError(f"{path.name}: larger than {MAX_JSON_BYTES >> 20} MiB.", code="LIMIT")
    try:
        pairs = json.loads(content, object_pairs_hook=_Pairs)
    except (ValueError, RecursionError) as error:
        raise _lookup_error(path, "it is not JSON") from error
    if not isinstance(pairs, _Pairs):
        raise _lookup_error(path, "expected one JSON object {name: id}")
    return pairs


class _Pairs(list[tuple[str, Any]]):
    """The pairs of a JSON object, those with equal keys included."""


def _lookup_error(path: Path, what: str) -> TraceError:
    return TraceError(
        f"{path.name}: {what}. The lookups name the nodes of the graph files; without them the "
        "files cannot be read.",
        code="RELEASED-LOOKUP",
    )
