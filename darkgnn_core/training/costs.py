"""How much work a run is, by its formulas: operations of dense products, bytes moved. No torch.

Counted is what dominates: the products, the arrays that propagation, gates and Adam move, and for
methods without a network what they do a row. How fast a machine does that, and what is not counted
here, is measured (`measuring.py`). Source: ours; the networks' formulas are in `models/`.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from math import ceil

from darkgnn_core.run_config import DarkVecConfig, NetworkConfig, RunConfig, TableConfig
from darkgnn_core.training.choosing import takes_batches

FEATURES = 37
FLOAT, DOUBLE = 4.0, 8.0
TRAINS = 3.0
"""Forward and backward cost three times the forward: each product has two more on its way back."""
ADAM_PASSES = 12.0
"""Reads and writes of Adam a parameter: weight, gradient, two moments, and what lies between."""
SVD_PASSES = 14.0
"""Products with the matrix or its transpose: 5 power iterations, each there and back, and ends."""
SVD_EXTRA = 10
"""Columns a randomised decomposition carries beyond those asked for (scikit-learn)."""
PACKET_BYTES = 400.0
"""Bytes moved to bring a packet into its sequence."""


FLOPS_A_S, BYTES_A_S = 5e10, 5e9
"""What one is taken to do in a second: two cores of a server of 2021, in float32."""


@dataclass(frozen=True)
class DaySize:
    """How large the snapshot of one bin is.

    Attributes:
        hosts: Hosts, n.
        ports: Port nodes, m.
        edges: Host-port pairs, e.
        packets: Packets kept.
    """

    hosts: int
    ports: int
    edges: int
    packets: int

    @property
    def nodes(self) -> int:
        """Hosts and ports, n + m."""
        return self.hosts + self.ports

    @property
    def entries(self) -> int:
        """Entries of the adjacency: each edge both ways, and each node's own."""
        return 2 * self.edges + self.nodes


@dataclass(frozen=True)
class Sizes:
    """How large the days of a run are.

    Attributes:
        days: One a bin, in time order.
        nodes: Distinct hosts and ports of all bins, where they are learned one by one: networks
            without features, and i-DarkVec (its hosts alone).
        window_nodes: The most distinct hosts and ports of one window; likewise.
    """

    days: tuple[DaySize, ...]
    nodes: int = 0
    window_nodes: int = 0


@dataclass(frozen=True)
class Work:
    """What is to be done.

    Attributes:
        flops: Additions and multiplications of dense products.
        bytes: Bytes moved by everything else.
    """

    flops: float = 0.0
    bytes: float = 0.0

    def __add__(self, other: "Work") -> "Work":
        return Work(self.flops + other.flops, self.bytes + other.bytes)

    def __mul__(self, times: float) -> "Work":
        return Work(self.flops * times, self.bytes * times)


def total(parts: Iterable[Work]) -> Work:
    """Add up work."""
    return sum(parts, Work())


def nominal_seconds(work: Work) -> float:
    """Return how long work takes at the rates that are taken for granted.

    >>> nominal_seconds(Work(flops=1e11, bytes=1e10))
    4.0
    """
    return work.flops / FLOPS_A_S + work.bytes / BYTES_A_S


def rows_to_read(sizes: Sizes) -> float:
    """Return what is read of all days once, in rows of nodes; ten edges take as long as one."""
    return sum(each.nodes + each.edges / 10.0 for each in sizes.days)


def work_of(config: RunConfig, sizes: Sizes) -> Work:
    """Return the work of a whole run once its days are read, if it takes every epoch it may."""
    settings, days = config.settings, sizes.days
    if isinstance(settings, NetworkConfig):
        return _network(config.method, settings, sizes)
    if isinstance(settings, DarkVecConfig):
        return total(_dark_vec(settings, each) for each in days)
    if isinstance(settings, TableConfig):
        return total(
            _table(config.method, settings, days[max(0, last - settings.days) : last])
            for last in range(1, len(days) + 1)
        )
    fused = 128.0 * len(settings.runs)
    return Work(bytes=sum(6.0 * each.hosts * fused * DOUBLE for each in days))


def is_recurrent(method: str) -> bool:
    """Say whether a network looks back over days."""
    return method.endswith("-gru")


def window_of(method: str, settings: NetworkConfig, day: int) -> slice:
    """Return which days a network sees when it embeds a day: the day, and its history.

    >>> window_of("i-gcn-gru", NetworkConfig(history_days=5), 7), window_of(
    ...     "i-gcn", NetworkConfig(history_days=5), 7)
    (slice(2, 8, None), slice(7, 8, None))
    """
    looks_back = is_recurrent(method) and not settings.carry_state
    return slice(max(0, day - settings.history_days) if looks_back else day, day + 1)


def width_of(method: str, settings: NetworkConfig) -> int:
    """Return K, the width of the second convolution with the map after it folded in."""
    return (3 if is_recurrent(method) else 1) * settings.embedding


def trained_days(method: str, settings: NetworkConfig, days: int) -> slice:
    """Return the days that a network learns from in every epoch."""
    if method == "gcn-gru":
        last = min(settings.train_days, max(1, days - 1))
        return slice(min(settings.history_days, last - 1), last)
    if method == "i-gcn" and settings.is_frozen:
        return slice(0, 1)
    return slice(0, 0 if method.startswith("random") else days)


def steps_of(config: RunConfig, sizes: Sizes) -> int:
    """Return how often a run starts something: a step on a day or a batch, or an embedding.

    >>> days = Sizes((DaySize(hosts=9, ports=5, edges=20, packets=99),) * 4)
    >>> steps_of(RunConfig.of("i-gcn", epochs=3), days), steps_of(RunConfig.of("features"), days)
    (16, 4)
    """
    settings, count = config.settings, len(sizes.days)
    if isinstance(settings, NetworkConfig):
        learnt = range(count)[trained_days(config.method, settings, count)]
        batches = sum(batches_on(config.method, settings, sizes, day) for day in learnt)
        return count + settings.epochs * batches
    if config.method == "autoencoder" and isinstance(settings, TableConfig):
        return count * (1 + settings.epochs)
    return count


def units_of(config: RunConfig, sizes: Sizes) -> int:
    """Return after how many units a run keeps its state: one a day, and one an epoch before."""
    settings = config.settings
    if config.method == "gcn-gru" and isinstance(settings, NetworkConfig):
        return len(sizes.days) + settings.epochs
    return len(sizes.days)


def takes_batches_on(method: str, settings: NetworkConfig, sizes: Sizes, day: int) -> bool:
    """Say whether a network trains on a day by batches with sampled neighbours."""
    window = sizes.days[window_of(method, settings, day)]
    width = width_of(method, settings)
    return takes_batches(settings, width, ((each.nodes, each.edges) for each in window))


def batches_on(method: str, settings: NetworkConfig, sizes: Sizes, day: int) -> int:
    """Return the steps of one pass over a day."""
    if not takes_batches_on(method, settings, sizes, day):
        return 1
    return max(1, -(-sizes.days[day].edges // settings.batch_edges))


def batch_of(settings: NetworkConfig, day: DaySize) -> DaySize:
    """Return about what one batch sees of a graph: its hosts, the ports, and their neighbours.

    A batch is dealt out by hosts (`sampling.py`); almost every port comes with each, and draws
    hosts of other batches.
    """
    share = min(1.0, settings.batch_edges / max(1, day.edges))
    hosts, ports = ceil(share * day.hosts), min(day.ports, 2 * settings.batch_edges)
    drawn = min(day.hosts - hosts, ports * settings.fanout)
    return DaySize(hosts + drawn, ports, (hosts + ports) * settings.fanout // 2, 0)


def parameters_of(method: str, settings: NetworkConfig, rows: int = 0) -> int:
    """Return how many numbers a network learns, with `rows` vectors where it has no features.

    >>> parameters_of("gcn", NetworkConfig(hidden=4, output=3, embedding=2, head=5))
    216
    """
    first = settings.hidden * (FEATURES if settings.use_features else rows) + settings.hidden
    second = settings.hidden * settings.output + settings.output
    width = width_of(method, settings)
    last = settings.output * width + width
    if is_recurrent(method):
        last += settings.embedding * width + width
    head = (2 * settings.embedding + 1) * settings.head + 2 * (settings.head + 1)
    return first + second + last + head + 2 * settings.embedding


def _network(method: str, settings: NetworkConfig, sizes: Sizes) -> Work:
    days = range(len(sizes.days))
    embed = total(_forward(method, settings, sizes.days, day) for day in days)
    learnt = days[trained_days(method, settings, len(days))]
    return embed + total(_pass(method, settings, sizes, day) for day in learnt) * settings.epochs


def _pass(method: str, settings: NetworkConfig, sizes: Sizes, day: int) -> Work:
    """One pass over a day, as a whole or in batches: there, back, and the optimiser's update."""
    days, batches = sizes.days, batches_on(method, settings, sizes, day)
    learned = parameters_of(method, settings, sizes.window_nodes)
    update = Work(bytes=ADAM_PASSES * FLOAT * learned)
    if takes_batches_on(method, settings, sizes, day):
        days = tuple(batch_of(settings, each) for each in days)
    forward = _forward(method, settings, days, day) * batches
    return (forward + _head(settings, sizes.days[day])) * TRAINS + update * batches


def _forward(method: str, settings: NetworkConfig, days: Sequence[DaySize], day: int) -> Work:
    return total(_graph(method, settings, each) for each in days[window_of(method, settings, day)])


def _graph(method: str, settings: NetworkConfig, size: DaySize) -> Work:
    """One graph forwards: both convolutions, and a step of the recurrent unit."""
    width = width_of(method, settings)
    flops = 2.0 * size.nodes * settings.hidden * width
    moved = FLOAT * width * (size.entries + 4.0 * size.nodes)
    if settings.use_features:
        flops += 2.0 * size.nodes * FEATURES * settings.hidden
    else:
        moved += FLOAT * settings.hidden * (size.entries + 4.0 * size.nodes)
    if is_recurrent(method):
        flops += 2.0 * size.nodes * settings.embedding * width
        moved += 4.0 * FLOAT * width * size.nodes
    return Work(flops, moved)


def _head(settings: NetworkConfig, size: DaySize) -> Work:
    """The link head forwards: as many non-edges as edges."""
    pairs = 2.0 * size.edges
    return Work(
        flops=4.0 * size.nodes * settings.embedding * settings.head + 4.0 * pairs * settings.head,
        bytes=6.0 * FLOAT * pairs * settings.head,
    )


def _dark_vec(settings: DarkVecConfig, size: DaySize) -> Work:
    """Skip-gram: a host meets (window + 1) others on average, each with its negatives."""
    pairs = size.packets * settings.epochs * (settings.window + 1.0)
    return Work(
        flops=6.0 * pairs * (settings.negatives + 1) * settings.embedding,
        bytes=size.packets * PACKET_BYTES,
    )


def _table(method: str, settings: TableConfig, days: Sequence[DaySize]) -> Work:
    """One day of a table, the last of `days`, which are taken together."""
    hosts = days[-1].hosts
    rows, edges = sum(each.hosts for each in days), sum(each.edges for each in days)
    if method == "autoencoder":
        weights = 2 * settings.hidden * (FEATURES + settings.embedding)
        return Work(2.0 * hosts * weights * (TRAINS * settings.epochs + 0.5))
    features = Work(bytes=4.0 * rows * FEATURES * DOUBLE)
    if method == "features":
        return features
    width = settings.embedding + SVD_EXTRA
    nodes = rows + max(each.ports for each in days)
    spectral = Work(
        flops=SVD_PASSES * 2.0 * nodes * width * width,
        bytes=SVD_PASSES * DOUBLE * width * (edges + 2.0 * nodes),
    )
    return spectral if method == "spectral" else spectral + features
