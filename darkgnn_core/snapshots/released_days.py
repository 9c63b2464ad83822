"""One released day: the edges of a graph file, the 37 columns of a feature file."""

import math
from array import array
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from darkgnn_core.errors import TraceError
from darkgnn_core.snapshots.released_lines import bounded_lines, shown
from darkgnn_core.snapshots.released_lookups import MAX_NODES

N_FEATURES = 37
MAX_DIGITS = 15
MAX_EDGES = 2_000_000
ZEROS = (0.0,) * N_FEATURES
SILENT = b",0.0" * N_FEATURES
"""How the row of a node ends that was silent on the day: most rows, as every file has all nodes."""

Numbers = npt.NDArray[np.int64]
Matrix = npt.NDArray[np.float64]


@dataclass(frozen=True)
class EdgeFile:
    """The edges of one file.

    Attributes:
        hosts: Node ids, int64 (edges,).
        ports: Node ids, int64 (edges,).
        packets: Packets of each pair, int64 (edges,).
        repeated: Lines that repeat a pair, merged into it.
    """

    hosts: Numbers
    ports: Numbers
    packets: Numbers
    repeated: int


@dataclass(frozen=True)
class FeatureFile:
    """The features of one file, in its own order of rows.

    Attributes:
        nodes: Node ids, int64 (rows,), each once.
        values: float64 (rows, 37), columns in the order 0 to 36 whatever the file's order.
        reordered: Whether the file's columns stood in another order.
    """

    nodes: Numbers
    values: Matrix
    reordered: bool


def read_edges(path: Path, *, hosts: Mapping[int, int], ports: Mapping[int, int]) -> EdgeFile:
    """Read the edges of one day; ids that the lookups do not name are refused.

    Lines of one pair are added up, as they stem from a port that was read once as number and once
    as text; lines that differ in the label only stem from two labels of one address, and count
    once.

    Raises:
        TraceError: `ROW`, `VALUE`, `NO-ROWS`, `LIMIT`; `RELEASED-NODE` where an id is in no
            lookup.
    """
    by_label: dict[tuple[int, int, bytes], int] = {}
    lines = 0
    for number, line in bounded_lines(path, TraceError):
        host, port, packets, label = _edge_of(line, path, number)
        for node, known, lookup in ((host, hosts, "ip_lookup"), (port, ports, "port_lookup")):
            if node not in known:
                raise TraceError(
                    f"{path.name}, line {number}: node {node} is not in {lookup}.json. The graph "
                    "and the lookups must come from the same run.",
                    code="RELEASED-NODE",
                )
        by_label[host, port, label] = by_label.get((host, port, label), 0) + packets
        lines += 1
        if lines > MAX_EDGES:
            raise TraceError(f"{path.name}: more than {MAX_EDGES:,} edges.", code="LIMIT")
    if not lines:
        raise TraceError(f"{path.name}: no edges.", code="NO-ROWS")
    return _merged_edges(by_label, lines)


def _edge_of(line: bytes, path: Path, number: int) -> tuple[int, int, int, bytes]:
    fields = line.split(b",", 3)
    if len(fields) != 4:
        raise TraceError(
            f"{path.name}, line {number}: expected host id, port id, packets, label; "
            f"found {len(fields)} fields.",
            code="ROW",
        )
    numbers = []
    for name, text in zip(("host id", "port id", "packets"), fields, strict=False):
        if not text.isdigit() or len(text) > MAX_DIGITS:
            raise TraceError(
                f"{path.name}, line {number}: {name} must be a whole number, got {shown(text)}.",
                code="VALUE",
            )
        numbers.append(int(text))
    if numbers[2] == 0:
        raise TraceError(f"{path.name}, line {number}: packets must be 1 or more.", code="VALUE")
    return numbers[0], numbers[1], numbers[2], fields[3]


def _merged_edges(by_label: dict[tuple[int, int, bytes], int], lines: int) -> EdgeFile:
    packets_of: dict[tuple[int, int], int] = {}
    for (host, port, _), packets in by_label.items():
        packets_of[host, port] = max(packets, packets_of.get((host, port), 0))
    ends = np.array(list(packets_of), dtype=np.int64).reshape(-1, 2)
    return EdgeFile(
        hosts=ends[:, 0],
        ports=ends[:, 1],
        packets=np.array(list(packets_of.values()), dtype=np.int64),
        repeated=lines - len(packets_of),
    )


def read_features(path: Path) -> FeatureFile:
    """Read the features of one day: a row a node id, 37 columns named `0` to `36`.

    Raises:
        TraceError: `COLUMNS` (another header), `ROW`, `VALUE` (text, negative, not finite),
            `FEATURES-NAN` (a column without one number), `FEATURES-TWICE` (a node with two rows),
            `NO-ROWS`, `EMPTY`, `LIMIT`.
    """
    lines = bounded_lines(path, TraceError)
    _, header = next(lines, (0, b""))
    order = _feature_columns(header, path)
    nodes, cells = array("q"), array("d")
    for number, line in lines:
        fields = line.split(b",")
        if len(fields) != N_FEATURES + 1:
            raise TraceError(
                f"{path.name}, line {number}: {len(fields)} fields, expected {N_FEATURES + 1}.",
                code="ROW",
            )
        nodes.append(_node_of(fields[0], path, number))
        silent = line.endswith(SILENT)
        cells.extend(ZEROS if silent else _floats_of(fields, path, number))
        if len(nodes) > MAX_NODES:
            raise TraceError(f"{path.name}: more than {MAX_NODES:,} rows.", code="LIMIT")
    if not nodes:
        raise TraceError(f"{path.name}: a header, but no rows.", code="NO-ROWS")
    ids = np.frombuffer(nodes, dtype=np.int64)
    values = np.frombuffer(cells, dtype=np.float64).reshape(-1, N_FEATURES)
    reordered = order != list(range(N_FEATURES))
    if reordered:
        values = values[:, np.argsort(order)]
    _check_features(ids, values, path)
    return FeatureFile(nodes=ids, values=values, reordered=reordered)


def _feature_columns(header: bytes, path: Path) -> list[int]:
    """Return which feature stands in each column after the first."""
    names = header.decode("utf-8", "replace").removeprefix("\ufeff").split(",")
    expected = {str(number) for number in range(N_FEATURES)}
    if not header:
        raise TraceError(f"{path.name}: the file is empty.", code="EMPTY")
    if set(names[1:]) != expected or len(names) != N_FEATURES + 1:
        odd = sorted(expected.symmetric_difference(names[1:]))[:5]
        raise TraceError(
            f"{path.name}: expected a column of node ids and columns 0 to {N_FEATURES - 1}, found "
            f"{len(names) - 1} columns after the first; differing: {shown(', '.join(odd))}.",
            code="COLUMNS",
        )
    return [int(name) for name in names[1:]]


def _node_of(text: bytes, path: Path, number: int) -> int:
    if text.isdigit() and len(text) <= MAX_DIGITS:
        return int(text)
    raise TraceError(
        f"{path.name}, line {number}, first column: expected a node id of the lookups, got "
        f"{shown(text)}.",
        code="VALUE",
    )


def _floats_of(fields: list[bytes], path: Path, number: int) -> list[float]:
    """Return the values of a row; an empty cell is not a number, and told later."""
    try:
        return [float(text) if text else math.nan for text in fields[1:]]
    except ValueError as error:
        bad = next(text for text in fields[1:] if not _is_float(text))
        raise TraceError(
            f"{path.name}, line {number}: expected numbers, got {shown(bad)}.",
            code="VALUE",
        ) from error


def _is_float(text: bytes) -> bool:
    try:
        float(text or b"nan")
    except ValueError:
        return False
    return True


def _check_features(nodes: Numbers, values: Matrix, path: Path) -> None:
    empty = np.flatnonzero(np.isnan(values).all(axis=0))
    if len(empty):
        columns = ", ".join(map(str, empty))
        raise TraceError(
            f"{path.name}: no number at all in column {columns}. Write the file again, or leave "
            "it out: the graph can be read without it.",
            code="FEATURES-NAN",
        )
    bad = np.argwhere(~np.isfinite(values) | (values < 0))
    if len(bad):
        row, column = (int(place) for place in bad[0])
        raise TraceError(
            f"{path.name}, node {nodes[row]}, column {column}: expected a number of 0 or more, "
            f"got {values[row, column]}.",
            code="VALUE",
        )
    once, counts = np.unique(nodes, return_counts=True)
    if len(once) < len(nodes):
        raise TraceError(
            f"{path.name}: node {once[counts > 1][0]} has more than one row.",
            code="FEATURES-TWICE",
        )
