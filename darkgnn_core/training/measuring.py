"""The short-lived process that finds devices and measures a step, so that nobody else needs torch.

    python -m darkgnn_core.training.measuring devices
    python -m darkgnn_core.training.measuring step < request.json

prints one line of JSON. A step is measured by really training: the run's own first days, cut down
to a share of their hosts, first a small one, then as large a one as the time allows. Source: ours.
"""

import json
import sys
import time
from dataclasses import dataclass, replace
from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np
import psutil

from darkgnn_core.config import SnapshotConfig
from darkgnn_core.embeddings import Embedding
from darkgnn_core.errors import RunError
from darkgnn_core.provenance import cores
from darkgnn_core.run_config import DarkVecConfig, NetworkConfig, RunConfig, TableConfig
from darkgnn_core.run_days import DayInput, Days
from darkgnn_core.snapshots.reading import Snapshot
from darkgnn_core.trainers import Step
from darkgnn_core.training.costs import (
    DaySize,
    Sizes,
    nominal_seconds,
    rows_to_read,
    steps_of,
    takes_batches_on,
    work_of,
)
from darkgnn_core.training.methods import TRAINERS, make_trainer
from darkgnn_core.training.preparing import prepare

PORT_KEYS = 1 << 33
TRIAL_DAYS = 2
TRIAL_EPOCHS = 1
SMALL_HOSTS = 16
LARGER = 16.0
"""The larger trial has at least so many times the hosts of the small one, where they are there."""
BUDGET_S = 1.5
"""What the larger trial is meant to take."""


def find_devices() -> list[dict[str, Any]]:
    """Return the devices that torch can use, the processor first."""
    import torch

    memory = psutil.virtual_memory().total
    cores = psutil.cpu_count(logical=False) or psutil.cpu_count() or 1
    found = [{"name": "cpu", "label": f"processor, {cores} cores", "memory_bytes": memory}]
    for number in range(torch.cuda.device_count() if torch.cuda.is_available() else 0):
        about = torch.cuda.get_device_properties(number)
        found.append(
            {"name": f"cuda:{number}", "label": about.name, "memory_bytes": about.total_memory}
        )
    if torch.backends.mps.is_available():
        found.append({"name": "mps", "label": "Apple graphics", "memory_bytes": memory})
    return found


class CutDays(Days):
    """The first days of a run with a share of their hosts, read before anything is timed.

    Args:
        days: All days of the run.
        share: Share of each day's hosts, 0 to 1.
    """

    def __init__(self, days: Days, share: float) -> None:
        super().__init__(
            days.inputs[:TRIAL_DAYS], snapshot_config=days.snapshot_config, graph=days.graph
        )
        self._cut = [cut(days.snapshot(each), share) for each in range(len(self.inputs))]

    def snapshot(self, position: int) -> Snapshot:
        """Return the snapshot of a bin, cut."""
        return self._cut[position]

    @property
    def sizes(self) -> Sizes:
        """How large the cut days are."""
        nodes = [
            np.concatenate([each.hosts.astype(np.int64), each.ports.astype(np.int64) + PORT_KEYS])
            for each in self._cut
        ]
        distinct = len(np.unique(np.concatenate(nodes)))
        days = tuple(
            DaySize(
                len(each.hosts), len(each.ports), len(each.edge_weight), int(each.edge_weight.sum())
            )
            for each in self._cut
        )
        return Sizes(days, nodes=distinct, window_nodes=distinct)


def cut(snapshot: Snapshot, share: float) -> Snapshot:
    """Return a snapshot with a share of its hosts, evenly spaced, and the ports they contacted."""
    count = len(snapshot.hosts)
    wanted = max(1, round(count * share))
    kept = np.unique(np.linspace(0, count - 1, wanted).astype(np.int64))
    is_kept = np.zeros(count, dtype=bool)
    is_kept[kept] = True
    edges = is_kept[snapshot.edge_index[0]]
    ports, port_places = np.unique(snapshot.edge_index[1][edges], return_inverse=True)
    return replace(
        snapshot,
        hosts=snapshot.hosts[kept],
        ports=snapshot.ports[ports],
        host_features=snapshot.host_features[kept],
        port_features=snapshot.port_features[ports],
        edge_index=np.stack(
            [np.searchsorted(kept, snapshot.edge_index[0][edges]), port_places.reshape(-1)]
        ),
        edge_weight=snapshot.edge_weight[edges],
    )


def shortened(config: RunConfig, sizes: Sizes) -> RunConfig:
    """Return the settings of a trial: the same widths, few epochs, short history, no early end.

    Args:
        config: The run.
        sizes: Of its days; a trial takes batches where one of them does.
    """
    settings = config.settings
    if isinstance(settings, NetworkConfig):
        epochs = min(settings.epochs, TRIAL_EPOCHS)
        is_sampled = any(
            takes_batches_on(config.method, settings, sizes, day) for day in range(len(sizes.days))
        )
        return replace(
            config,
            settings=replace(
                settings,
                epochs=epochs,
                patience=epochs,
                sampling="neighbours" if is_sampled else "whole",
                train_days=min(settings.train_days, TRIAL_DAYS - 1),
                history_days=min(settings.history_days, TRIAL_DAYS - 1),
            ),
        )
    if isinstance(settings, DarkVecConfig | TableConfig):
        return replace(
            config, settings=replace(settings, epochs=min(settings.epochs, TRIAL_EPOCHS))
        )
    return config


def measure(config: RunConfig, days: Days) -> dict[str, float]:
    """Train cut days, a few hosts and then more, and return how fast it went.

    Returns:
        `row_s` to read a row (`costs.rows_to_read`), `step_s` that a step takes however small,
        `factor` by which work takes longer than `costs.nominal_seconds` says, `hosts` and `seconds`
        of the larger trial, `base_bytes` of the process with its libraries in use. A fusion, whose
        runs are not here, is not tried: only `row_s` and `base_bytes`.
    """
    import_module(TRAINERS[config.method][0])
    prepare(config, threads=cores())
    found = {"row_s": _row_s(days)}
    sizes = CutDays(days, 1.0).sizes
    most = max(each.hosts for each in sizes.days)
    if config.method == "fusion":
        return found | {"base_bytes": float(psutil.Process().memory_info().rss)}
    trial = shortened(config, sizes)
    share = min(1.0, SMALL_HOSTS / most)
    _train(trial, CutDays(days, share))  # buffers, threads, first calls
    small = _train(trial, CutDays(days, share))
    base_bytes = float(psutil.Process().memory_info().rss)
    share = min(1.0, share * max(LARGER, BUDGET_S / small.seconds))
    large = _train(trial, CutDays(days, share))
    while share < 1.0 and large.seconds < BUDGET_S / 2:
        share = min(1.0, share * BUDGET_S / large.seconds)
        large = _train(trial, CutDays(days, share))
    step_s, factor = fitted(small, large)
    about = {"hosts": float(round(share * most)), "seconds": large.seconds}
    return found | about | {"step_s": step_s, "factor": factor, "base_bytes": base_bytes}


def _row_s(days: Days) -> float:
    """Return the seconds to read a row, once the libraries that read are there."""
    days.snapshot(0)
    first = Days(days.inputs[:1], snapshot_config=days.snapshot_config, graph=days.graph)
    began = time.perf_counter()
    first.snapshot(0)
    seconds = time.perf_counter() - began
    return seconds / rows_to_read(Sizes(CutDays(first, 1.0).sizes.days))


@dataclass(frozen=True)
class Trial:
    """What a trial was, and how long it took.

    Attributes:
        steps: Steps and embeddings (`costs.steps_of`).
        nominal_s: What its formula says (`costs.nominal_seconds`).
        seconds: What it took.
    """

    steps: int
    nominal_s: float
    seconds: float


def fitted(small: Trial, large: Trial) -> tuple[float, float]:
    """Return seconds a step and seconds a nominal second that give both trials.

    Where the larger took no longer, its time is that of its steps, and work goes as is typical;
    where it took longer than in proportion, all its time is work.

    >>> fitted(Trial(2, 1.0, 3.0), Trial(2, 10.0, 21.0))
    (0.5, 2.0)
    >>> fitted(Trial(2, 1.0, 3.0), Trial(2, 10.0, 40.0))
    (0.0, 4.0)
    >>> fitted(Trial(2, 0.1, 3.0), Trial(2, 0.4, 3.0))
    (1.5, 1.0)
    """
    ratio = large.steps / small.steps
    more = large.nominal_s - small.nominal_s * ratio
    factor = (large.seconds - small.seconds * ratio) / more if more > 0 else 0.0
    step_s = (small.seconds - factor * small.nominal_s) / small.steps
    if factor <= 0:
        return large.seconds / large.steps, 1.0
    if step_s < 0:
        return 0.0, large.seconds / large.nominal_s
    return step_s, factor


def _train(config: RunConfig, days: CutDays) -> Trial:
    trainer = make_trainer(config, days, read=_no_runs)
    began = time.perf_counter()
    for position in range(len(trainer.units)):
        for _ in trainer.do(position, _ignore):
            pass
    seconds = time.perf_counter() - began
    sizes = days.sizes
    return Trial(steps_of(config, sizes), nominal_seconds(work_of(config, sizes)), seconds)


def _ignore(_: Step) -> None:
    """Tell nobody."""


def _no_runs(run_id: str, key: str) -> Embedding:
    raise RunError(f"No run is read here: {run_id}, {key}.", code="NO-RUN")


def read_request(request: dict[str, Any]) -> tuple[RunConfig, Days]:
    """Return the settings and days that a request names; `estimates` makes it."""
    config = RunConfig.from_dict(request["config"])
    inputs = [
        DayInput(each["key"], Path(each["directory"]), tuple(map(Path, each["packet_files"])))
        for each in request["inputs"]
    ]
    snapshots = SnapshotConfig(**request["snapshot_config"])
    return config, Days(inputs, snapshot_config=snapshots, graph=config.graph)


def main(what: str) -> int:
    """Do what is asked and print it as a line of JSON."""
    if what == "devices":
        answer: object = find_devices()
    else:
        answer = measure(*read_request(json.load(sys.stdin)))
    sys.stdout.write("\n" + json.dumps(answer) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:2]))
