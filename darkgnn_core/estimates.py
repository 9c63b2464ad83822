"""Time, memory and disk a run will take, told before it starts.

Formulas say how the work grows (`training/costs.py`, `training/room.py`); a child process that
really trains a few hosts says how fast this machine is (`training/measuring.py`). No torch here.
"""

import shutil
import sys
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import numpy.typing as npt
import psutil

from darkgnn_core.devices import Device, choose_device, devices
from darkgnn_core.paces import Pace, pace_of
from darkgnn_core.run_config import DarkVecConfig, NetworkConfig, RunConfig
from darkgnn_core.run_days import DayInput
from darkgnn_core.run_inputs import inputs_between
from darkgnn_core.snapshots.reading import column, read_hosts, read_ports, read_summary
from darkgnn_core.training.costs import (
    DaySize,
    Sizes,
    nominal_seconds,
    rows_to_read,
    steps_of,
    units_of,
    window_of,
    work_of,
)
from darkgnn_core.training.room import disk_of, memory_of, written_by
from darkgnn_core.units import duration, file_size
from darkgnn_core.workspace import Workspace

__all__ = [
    "Device",
    "Estimate",
    "add_up",
    "available_memory",
    "choose_device",
    "devices",
    "estimate",
    "room_for",
    "sizes_of",
]

Keys = npt.NDArray[np.int64]
PORT_KEYS = 1 << 33
UNIT_S, WRITE_BYTES_A_S = 0.02, 4e8
"""What keeping a unit takes: some syncs of the disk, and the bytes written."""
WHILE_WRITING = 2
"""A new checkpoint is written whole before the old one goes."""


@dataclass(frozen=True)
class Estimate:
    """What a run will take, if it takes every epoch it may take.

    Attributes:
        seconds: Wall time of its units, which is what a run is said to have taken in the end;
            starting its process comes on top.
        peak_bytes: Memory at its peak, libraries included.
        disk_bytes: What its files take in the end; up to twice that while it writes.
        fits: Whether memory and disk that are free now suffice.
        why_not: Why it does not fit; empty where it does.
        basis: One sentence: what was measured.
    """

    seconds: float
    peak_bytes: int
    disk_bytes: int
    fits: bool
    why_not: str
    basis: str


def estimate(workspace: Workspace, config: RunConfig, *, calibrate: bool = True) -> Estimate:
    """Return what a run will take on this machine.

    Args:
        workspace: Whose snapshots.
        config: The run.
        calibrate: Measure a short step first, in a child process of a few seconds, unless such a
            run was measured before on this machine with these libraries; else typical speeds.

    Raises:
        RunError: `NO-SNAPSHOTS` where no day is there.
    """
    inputs = inputs_between(
        workspace,
        workspace.snapshot_config(),
        first_day=config.first_day,
        last_day=config.last_day,
    )
    sizes = sizes_of(config, inputs)
    pace = pace_of(workspace, config, inputs) if calibrate else Pace()
    seconds = (
        pace.row_s * rows_to_read(sizes)
        + pace.step_s * steps_of(config, sizes)
        + pace.factor * nominal_seconds(work_of(config, sizes))
        + UNIT_S * units_of(config, sizes)
        + written_by(config, sizes) / WRITE_BYTES_A_S
    )
    found = Estimate(
        seconds=seconds,
        peak_bytes=round(pace.base_bytes + memory_of(config, sizes)),
        disk_bytes=round(disk_of(config, sizes)),
        fits=True,
        why_not="",
        basis=_basis(pace, config),
    )
    return room_for(workspace, found, device=config.device)


def _basis(pace: Pace, config: RunConfig) -> str:
    """Say in one sentence what an estimate rests on."""
    settings = config.settings
    most = ""
    if config.method in ("gcn", "gcn-gru") and isinstance(settings, NetworkConfig):
        most = f" It is taken to need all {settings.epochs} epochs; it may stop earlier."
    if pace.hosts:
        return (
            f"Told from the days' sizes and a trial of {pace.hosts:,.0f} hosts a day on "
            f"{config.device}, {duration(pace.seconds)}.{most}"
        )
    measured = "how fast days are read here" if pace.measured else "typical speeds"
    return f"Told from the days' sizes and {measured}, without a trial.{most}"


def sizes_of(config: RunConfig, inputs: Sequence[DayInput]) -> Sizes:
    """Return how large the days of a run are, from what their snapshots say of themselves.

    Distinct nodes are counted only where each is learned by itself (`costs.Sizes`).

    Raises:
        WorkspaceError: `DAMAGED`.
    """
    summaries = [read_summary(each.directory) for each in inputs]
    days = tuple(
        DaySize(each["hosts"], each["ports"], each["edges"], each["kept"]) for each in summaries
    )
    settings = config.settings
    if isinstance(settings, DarkVecConfig):
        return Sizes(days, nodes=_distinct([_hosts_of(each) for each in inputs]))
    if not isinstance(settings, NetworkConfig) or settings.use_features:
        return Sizes(days)
    nodes = [_nodes_of(each) for each in inputs]
    windows = (nodes[window_of(config.method, settings, day)] for day in range(len(nodes)))
    return Sizes(days, nodes=_distinct(nodes), window_nodes=max(map(_distinct, windows)))


def _nodes_of(day: DayInput) -> Keys:
    ports = column(read_ports(day.directory, ["port"]), "port").astype(np.int64)
    return np.concatenate([_hosts_of(day), ports + PORT_KEYS])


def _hosts_of(day: DayInput) -> Keys:
    return column(read_hosts(day.directory, ["host"]), "host").astype(np.int64)


def _distinct(nodes: Sequence[Keys]) -> int:
    return len(np.unique(np.concatenate(nodes)))


def add_up(estimates: Sequence[Estimate]) -> Estimate:
    """Return what several runs take one after another: times and disk together, the most memory."""
    hardest = max(estimates, key=lambda each: each.peak_bytes)
    return replace(
        hardest,
        seconds=sum(each.seconds for each in estimates),
        disk_bytes=sum(each.disk_bytes for each in estimates),
    )


def room_for(workspace: Workspace, found: Estimate, *, device: str = "cpu") -> Estimate:
    """Return an estimate that says whether memory and disk that are free now suffice for it.

    Args:
        workspace: On whose disk it writes.
        found: What it takes.
        device: Whose memory it takes; a graphics card is taken to be free.
    """
    memory, whose = memory_on(device)
    disk = shutil.disk_usage(workspace.root).free
    lacks = []
    if found.peak_bytes > memory:
        needed = file_size(found.peak_bytes)
        lacks.append(f"about {needed} of memory, {file_size(memory)} {whose}")
    if WHILE_WRITING * found.disk_bytes > disk:
        needed = file_size(WHILE_WRITING * found.disk_bytes)
        lacks.append(f"about {needed} of disk while it writes, {file_size(disk)} are free")
    return replace(found, fits=not lacks, why_not=f"It takes {' and '.join(lacks)}." * bool(lacks))


def memory_on(device: str) -> tuple[int, str]:
    """Return the bytes that a run may take on a device, and words for whose they are."""
    if not device.startswith("cuda"):
        return available_memory(), "are free"
    found = {each.name: each for each in devices()}
    card = found.get("cuda:0" if device == "cuda" else device)
    return (card.memory_bytes, f"are on {card.label}") if card else (0, "are there: no such device")


def available_memory() -> int:
    """Return the bytes of memory that a new process may take: the machine's, or its container's."""
    return min(psutil.virtual_memory().available, *_left_in_containers())


CONTAINERS = (
    (Path("/sys/fs/cgroup/memory.max"), Path("/sys/fs/cgroup/memory.current")),
    (
        Path("/sys/fs/cgroup/memory/memory.limit_in_bytes"),
        Path("/sys/fs/cgroup/memory/memory.usage_in_bytes"),
    ),
)
"""Where Linux says what a container may have and has, in its two versions of control groups."""


def _left_in_containers() -> list[int]:
    found = [sys.maxsize]
    for limit, used in CONTAINERS:
        try:
            found.append(int(limit.read_text("ascii")) - int(used.read_text("ascii")))
        except (OSError, ValueError):  # no such container, or no limit ("max")
            continue
    return [max(0, each) for each in found]
