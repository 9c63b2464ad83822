"""The paper authors' intermediate files: what lies in their folder, and which names its ids have.

    <folder>/raw/raw_YYYYMMDD.csv               packets after their filters, comma separated
    <folder>/graph/YYYYMMDD.txt                 lines `host id,port id,packets,label`, no header
    <folder>/graph/ip_lookup.json               {address: id}
    <folder>/graph/port_lookup.json             {port as text, or "oth": id}
    <folder>/features/features_YYYYMMDD.csv     header `index,0,...,36`; a row for every id
    <folder>/ground_truth/ground_truth.csv      header with `src_ip` and `label`

All of them may also lie in `<folder>/data/`. A host-port pair stands in the file of its first day
only, with the packets of all days; the features are already divided by their day's maximum, hosts
and ports apart; one id may be a host or a port, never both. Pickles and trained embeddings beside
these files are never opened.

Source:
    File names, columns and ids as in the released notebooks; the reader is ours.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date
from itertools import islice
from pathlib import Path
from types import MappingProxyType

from darkgnn_core.errors import TraceError
from darkgnn_core.snapshots.released_labels import ReleasedLabel, read_ground_truth
from darkgnn_core.snapshots.released_lookups import read_host_lookup, read_port_lookup
from darkgnn_core.snapshots.released_raw import rows_outside_day

MAX_ENTRIES = 10_000
RAW = re.compile(r"raw_(\d{8})\.csv\Z")
GRAPH = re.compile(r"(\d{8})\.txt\Z")
FEATURES = re.compile(r"features_(\d{8})\.csv\Z")


@dataclass(frozen=True)
class ReleasedFiles:
    """Which released files lie in a folder; none of them was opened.

    Attributes:
        root: The folder that holds `graph/`, `features/`, `raw/`.
        graphs: Edge file by UTC day (`2021-12-01`).
        features: Feature file by UTC day.
        raw: Filtered packets by the day in the file's name; the packets' own times decide.
        ground_truth: The label file, or None.
    """

    root: Path
    graphs: Mapping[str, Path]
    features: Mapping[str, Path]
    raw: Mapping[str, Path]
    ground_truth: Path | None

    @property
    def days(self) -> tuple[str, ...]:
        """Days that have a graph, in order: each can become a snapshot."""
        return tuple(sorted(self.graphs))

    @property
    def lookups(self) -> tuple[Path, Path]:
        """The files that name hosts and ports; they need not be there."""
        return self.root / "graph" / "ip_lookup.json", self.root / "graph" / "port_lookup.json"

    def inputs_of(self, day: str) -> tuple[Path, ...]:
        """Return the files that the snapshot of a day is made of."""
        features = (self.features[day],) if day in self.features else ()
        return (self.graphs[day], *features, *self.lookups)


@dataclass(frozen=True)
class ReleasedDataset(ReleasedFiles):
    """What was found in a folder of released files; nothing but the two lookups is read yet.

    Attributes:
        hosts: Address (IPv4 as integer) by node id.
        ports: Port by node id; -1 is the node of all ports beyond the most contacted.
        notes: What is missing or odd, for the analyst, one sentence each.
    """

    hosts: Mapping[int, int] = field(repr=False)
    ports: Mapping[int, int] = field(repr=False)
    notes: tuple[str, ...] = ()

    def labels(self) -> tuple[ReleasedLabel, ...]:
        """Read the ground truth; empty where there is no such file.

        Raises:
            LabelError: `COLUMNS`, `IP`, `LABEL`, `ENCODING`, `LIMIT`, with the row.
        """
        return read_ground_truth(self.ground_truth) if self.ground_truth else ()


def is_released_folder(path: Path) -> bool:
    """Say whether a folder holds the authors' files: both lookups, or raw files by day."""
    return _root_of(path) is not None


def find_released(folder: Path) -> ReleasedFiles:
    """List the released files of a folder; open none.

    Args:
        folder: What `is_released_folder` accepts.

    Raises:
        TraceError: `NOT-RELEASED` where the folder is none; `LIMIT` for more files than any such
            data set has.
    """
    root = _root_of(folder)
    if root is None:
        raise TraceError(
            f"{folder.name}: expected graph/ip_lookup.json and graph/port_lookup.json, or "
            "raw/raw_YYYYMMDD.csv, found neither. Give the folder that holds graph/ or raw/.",
            code="NOT-RELEASED",
        )
    return ReleasedFiles(
        root=root,
        graphs=MappingProxyType(_by_day(root / "graph", GRAPH)),
        features=MappingProxyType(_by_day(root / "features", FEATURES)),
        raw=MappingProxyType(_by_day(root / "raw", RAW) or _by_day(root, RAW)),
        ground_truth=_ground_truth_of(root),
    )


def read_released(folder: Path) -> ReleasedDataset:
    """Look through a folder of released files and read its lookups.

    Args:
        folder: What `is_released_folder` accepts.

    Raises:
        TraceError: As `find_released`; `RELEASED-LOOKUP` where graphs lie there without the lookups
            that name their nodes, or a lookup contradicts itself; `LIMIT` for larger files than any
            such data set has.
    """
    files = find_released(folder)
    hosts: dict[int, int] = {}
    ports: dict[int, int] = {}
    if files.graphs or files.features:
        of_hosts, of_ports = files.lookups
        hosts = read_host_lookup(of_hosts)
        ports = read_port_lookup(of_ports, hosts=hosts)
    return ReleasedDataset(
        **vars(files),
        hosts=MappingProxyType(hosts),
        ports=MappingProxyType(ports),
        notes=tuple(_notes(files, ports)),
    )


def _root_of(folder: Path) -> Path | None:
    for root in (folder, folder / "data"):
        graph = root / "graph"
        if (graph / "ip_lookup.json").is_file() and (graph / "port_lookup.json").is_file():
            return root
        if _by_day(root / "raw", RAW) or _by_day(root, RAW):
            return root
        if _by_day(graph, GRAPH) and _by_day(root / "features", FEATURES):
            return root  # the lookups are missing: `read_released` says so
    return None


def _by_day(folder: Path, pattern: re.Pattern[str]) -> dict[str, Path]:
    found: dict[str, Path] = {}
    if not folder.is_dir():
        return found
    entries = list(islice(folder.iterdir(), MAX_ENTRIES + 1))
    if len(entries) > MAX_ENTRIES:
        raise TraceError(
            f"{folder.name}: more than {MAX_ENTRIES} files. Give a folder with one data set only.",
            code="LIMIT",
        )
    for path in entries:
        match = pattern.match(path.name)
        day = _day_of(match[1]) if match else None
        if day and path.is_file():
            found[day] = path
    return dict(sorted(found.items()))


def _day_of(digits: str) -> str | None:
    try:
        return date(int(digits[:4]), int(digits[4:6]), int(digits[6:])).isoformat()
    except ValueError:  # eight digits, but no day
        return None


def _ground_truth_of(root: Path) -> Path | None:
    for folder in (root / "ground_truth", root):
        if (folder / "ground_truth.csv").is_file():
            return folder / "ground_truth.csv"
    return None


def _notes(files: ReleasedFiles, ports: Mapping[int, int]) -> Iterator[str]:
    for day in sorted(set(files.graphs) - set(files.features)):
        yield f"{day}: a graph without features; the 37 columns of that day stay empty."
    for day in sorted(set(files.features) - set(files.graphs)):
        yield f"{day}: features without a graph; no snapshot for that day."
    twice = len(ports) - len(set(ports.values()))
    if twice:
        yield f"{twice} ports have two nodes (read once as number, once as text); they are merged."
    if files.ground_truth is None:
        yield "There is no ground_truth.csv; the labels of the graph files are not used instead."
    for day, path in files.raw.items():
        others = rows_outside_day(path, day)
        if others:
            yield f"{path.name}: holds rows of {', '.join(others)}; the packets' own time decides."
