"""How fast and in how much memory networks train: seconds a day, what they go to, how they grow.

    python -m benchmarks.training                    # every variant on a month like the paper's
    python -m benchmarks.training --plain            # and the plainest network beside i-gcn-gru
    python -m benchmarks.training --grow             # i-gcn-gru from 1,000 to 100,000 hosts a day
    python -m benchmarks.training --one i-gcn-gru --days 8 --edges 45000

Each row is measured in a process of its own. A day is one training step an epoch and the embedding,
once the history is full. `dense` are the wide products, `sparse` the sums over neighbours,
`recurrent` the unit over graphs, `sampling` the negatives, `links` the head and its loss, `reading`
the making of graphs and views. The share of the peak is that of the machine's own best product of
the same width, measured in the same process.
"""

import argparse
import json
import os
import random
import resource
import subprocess
import sys
import time
import warnings
from collections import defaultdict
from collections.abc import Callable
from typing import Any

from darkgnn_core.job_processes import PATIENT_THREADS

VARIANTS = ("gcn", "i-gcn", "gcn-gru", "i-gcn-gru", "random-gcn-gru")
MONTH = {"hosts": 6_500, "ports": 2_501, "edges": 45_000}


def main() -> None:
    """Measure what was asked for and print a table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--days", type=int, default=9, help="days a row, the last ones timed")
    for name, value in MONTH.items():
        parser.add_argument(f"--{name}", type=int, default=value, help="a day")
    parser.add_argument("--threads", type=int, default=os.cpu_count())
    parser.add_argument("--precision", default="float32", choices=["float32", "bfloat16"])
    parser.add_argument("--plain", action="store_true", help="the plainest network too")
    parser.add_argument("--grow", action="store_true", help="from 1,000 to 100,000 hosts a day")
    parser.add_argument("--one", metavar="VARIANT", help="one row, here and now, as JSON")
    parser.add_argument("--no-features", action="store_true")
    arguments = parser.parse_args()
    if arguments.one:
        print(json.dumps(measure(arguments)))
        return
    rows = [(name, {}) for name in VARIANTS]
    rows.append(("i-gcn-gru", {"no_features": True}))
    if arguments.grow:
        sizes = (1_000, 3_000, 10_000, 30_000, 100_000)
        rows = [("i-gcn-gru", {"hosts": size, "edges": 7 * size}) for size in sizes]
    if arguments.plain:
        rows.append(("plain", {}))
    print(f"{'':24}{'hosts':>8}{'s/day':>8}{'CPU s':>8}{'MiB':>7}{'GFLOP':>7}{'peak %':>7}  split")
    for name, changes in rows:
        show(in_own_process(name, arguments, changes))


def in_own_process(
    name: str, arguments: argparse.Namespace, changes: dict[str, Any]
) -> dict[str, Any]:
    """Measure one row in a new process."""
    values = vars(arguments) | changes
    words = [sys.executable, "-m", "benchmarks.training", "--one", name]
    for option in ("days", "hosts", "ports", "edges", "threads", "precision"):
        words += [f"--{option}", str(values[option])]
    if values["no_features"]:
        words.append("--no-features")
    environment = PATIENT_THREADS | os.environ
    told = subprocess.run(words, check=True, stdout=subprocess.PIPE, env=environment)
    row: dict[str, Any] = json.loads(told.stdout)
    return row


def show(row: dict[str, Any]) -> None:
    """Print one row."""
    split = ", ".join(f"{name} {seconds:.2f}" for name, seconds in row["split"].items())
    print(
        f"{row['name']:24}{row['hosts']:>8,}{row['seconds']:>8.2f}{row['cpu']:>8.2f}"
        f"{row['mib']:>7,.0f}{row['gflop']:>7,.0f}{100 * row['share']:>7.0f}  {split}",
        flush=True,
    )


def measure(arguments: argparse.Namespace) -> dict[str, Any]:
    """Train and embed, timing the last days; return one row."""
    warnings.simplefilter("ignore")
    import torch

    from benchmarks.made_days import MadeDays

    torch.set_num_threads(arguments.threads)
    sizes = {"hosts": arguments.hosts, "ports": arguments.ports, "edges": arguments.edges}
    days = MadeDays(arguments.days, **sizes)
    timed = plain_days if arguments.one == "plain" else fast_days
    row = timed(arguments, days)
    row["hosts"] = arguments.hosts
    row["mib"] = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    peak = best_product(arguments.hosts + arguments.ports)
    row["share"] = row["gflop"] / row["seconds"] / peak
    return row


def fast_days(arguments: argparse.Namespace, days: Any) -> dict[str, Any]:
    """Time our own networks: days 7 and later, when the history of five is full."""
    from darkgnn_core.run_config import RunConfig
    from darkgnn_core.training.network import NetworkAtWork

    name, use_features = arguments.one, not arguments.no_features
    config = RunConfig.of(name, use_features=use_features, precision=arguments.precision)
    work = NetworkAtWork(config, days)
    learns = not name.startswith("random")
    warm = min(6, len(days.keys) - 1)
    split = Split()
    for position in range(len(days.keys)):
        if position == warm:
            split.start()
            started, cpu = time.perf_counter(), time.process_time()
        if learns:
            work.train(position, 1, 1)
        work.embed(position)
    timed = len(days.keys) - warm
    seconds = (time.perf_counter() - started) / timed
    return {
        "name": name + ("" if use_features else ", no features"),
        "seconds": seconds,
        "cpu": (time.process_time() - cpu) / timed,
        "gflop": split.flop / timed / 1e9,
        "split": split.a_day(timed, seconds),
    }


def plain_days(arguments: argparse.Namespace, days: Any) -> dict[str, Any]:
    """Time the plainest i-gcn-gru: one step on the last day, and its embedding."""
    import numpy as np
    import torch

    from benchmarks.plain_network import PlainNetwork, plain_graph, plain_step
    from darkgnn_core.run_config import NetworkConfig
    from darkgnn_core.training.day_graphs import day_graph

    settings = NetworkConfig()
    graphs = [day_graph(days.snapshot(each), settings) for each in range(len(days.keys))]
    # The nodes of a whole month: each day brings its share of new hosts.
    new = len(np.setdiff1d(graphs[-1].hosts, graphs[-2].hosts))
    month = arguments.hosts + 30 * new
    everyone = np.unique(np.concatenate([graph.nodes for graph in graphs]))
    missing = month + arguments.ports - len(everyone)
    if missing > 0:
        everyone = np.union1d(everyone, (1 << 31) + np.arange(missing))
    window = [plain_graph(graph, everyone) for graph in graphs[-6:]]
    plain = PlainNetwork(settings, 37, is_recurrent=True)
    optimiser = torch.optim.Adam(plain.parameters(), lr=1e-3, weight_decay=5e-3)
    chance = random.Random(0)  # noqa: S311 - draws examples, keeps no secret
    started, cpu = time.perf_counter(), time.process_time()
    plain_step(plain, optimiser, window, graphs[-1], everyone, chance)
    trained = time.perf_counter()
    with torch.no_grad():
        plain.eval()(window)
    ended = time.perf_counter()
    units, nodes = settings.embedding, len(everyone)
    products = 37 * 1024 + 1024 * 512 + (512 + units) * 3 * units
    return {
        "name": f"plain, {nodes:,} nodes",
        "seconds": ended - started,
        "cpu": time.process_time() - cpu,
        "gflop": 4 * 6 * 2 * nodes * products / 1e9,
        "split": {"step": trained - started, "embedding": ended - trained},
    }


class Split:
    """What the time goes to: wraps the functions that do the work, and counts wide products."""

    def __init__(self) -> None:
        from darkgnn_core.models import adjacency, convolutions, link_head, recurrence
        from darkgnn_core.training import network

        self.seconds: dict[str, float] = defaultdict(float)
        self.flop = 0.0
        self._open: list[float] = []
        for part, owner, name in (
            ("sparse", adjacency, "_product"),
            ("dense", convolutions._Expand, "forward"),
            ("dense", convolutions._Expand, "backward"),
            ("recurrent", recurrence.Recurrence, "forward"),
            ("recurrent", recurrence._Step, "backward"),
            ("links", link_head._Loss, "forward"),
            ("sampling", network, "draw_negatives"),
            ("reading", network, "views_of"),
            ("reading", network, "day_graph"),
        ):
            function = getattr(owner, name)
            wrapped = self._timed(part, function)
            is_static = (isinstance(owner, type) and name != "forward") or "_" in owner.__name__[:1]
            setattr(owner, name, staticmethod(wrapped) if is_static else wrapped)

    def start(self) -> None:
        """Forget what was timed so far."""
        self.seconds.clear()
        self.flop = 0.0

    def _timed(self, part: str, function: Callable[..., Any]) -> Callable[..., Any]:
        def timed(*words: Any, **options: Any) -> Any:
            self._open.append(0.0)
            started = time.perf_counter()
            result = function(*words, **options)
            taken = time.perf_counter() - started
            inside = self._open.pop()
            self.seconds[part] += taken - inside
            if self._open:
                self._open[-1] += taken
            self.flop += _flop(part, function.__name__, words)
            return result

        return timed

    def a_day(self, days: int, seconds: float) -> dict[str, float]:
        """Return seconds a day by part, the rest as `other`."""
        parts = {name: taken / days for name, taken in sorted(self.seconds.items())}
        return parts | {"other": max(0.0, seconds - sum(parts.values()))}


def _flop(part: str, name: str, words: tuple[Any, ...]) -> float:
    """Return the multiplications and additions of a wide or a recurrent product."""
    if part == "dense":
        context, *given = words
        tensors = given if name == "forward" else context.saved_tensors
        inputs, weight1, _, weight = tensors[:4]
        first = 2 * len(inputs) * weight1.numel()
        second = 2 * len(inputs) * weight.numel()
        return first + second if name == "forward" else 2 * first + 2 * second
    if part == "recurrent" and name == "backward":
        gradient, units = words[1], words[1].shape[1]
        return 2 * len(gradient) * units * units * (1 + 3 + 3)
    if part == "recurrent":
        unit, _, _, places, targets = words[:5]
        return len(places) * 2 * targets * unit.weight_state.numel()
    return 0.0


def best_product(rows: int) -> float:
    """Return GFLOP/s of this machine's best dense product, (rows, 1024) by (1024, 384)."""
    import torch

    left, right = torch.randn(min(rows, 9_000), 1024), torch.randn(1024, 384)
    best = min(_seconds(lambda: left @ right) for _ in range(5))
    return 2 * len(left) * 1024 * 384 / best / 1e9


def _seconds(function: Callable[[], object]) -> float:
    started = time.perf_counter()
    function()
    return time.perf_counter() - started


if __name__ == "__main__":
    main()
