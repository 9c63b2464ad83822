"""How fast this machine does a method: measured once by a child process, and kept."""

import hashlib
import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

from darkgnn_core.catalogue import read_setting, write_setting
from darkgnn_core.devices import ask_child
from darkgnn_core.errors import RunError
from darkgnn_core.provenance import environment
from darkgnn_core.run_config import RunConfig
from darkgnn_core.run_days import DayInput
from darkgnn_core.workspace import Workspace

SETTING = "measured paces"
KEPT_PACES = 50
HOW_MUCH = ("epochs", "history_days", "train_days", "patience", "learning_rate", "runs")
"""Settings that change how much there is to do, not how fast it goes."""


@dataclass(frozen=True)
class Pace:
    """How fast a machine does a method; its defaults are typical.

    Attributes:
        row_s: Seconds to read a row of a snapshot.
        step_s: Seconds that a step takes, however small.
        factor: By how much work takes longer than its nominal time.
        base_bytes: Memory of a process with its libraries.
        hosts: Hosts a day of the trial; 0 where none was made.
        seconds: What the trial took.
        measured: Whether it was measured here.
    """

    row_s: float = 5e-6
    step_s: float = 0.02
    factor: float = 1.0
    base_bytes: float = 450e6
    hosts: float = 0.0
    seconds: float = 0.0
    measured: bool = False


def pace_of(workspace: Workspace, config: RunConfig, inputs: Sequence[DayInput]) -> Pace:
    """Return how fast this machine does it, measured now or before; typical where that fails."""
    key = pace_key(config)
    with workspace.catalogue() as connection:
        kept: dict[str, dict[str, Any]] = read_setting(connection, SETTING, {})
    if key in kept:
        return Pace(**kept[key])
    try:
        pace = Pace(**ask_child("step", request_of(workspace, config, inputs)), measured=True)
    except RunError:
        return Pace()
    with workspace.catalogue() as connection:
        kept = read_setting(connection, SETTING, {}) | {key: asdict(pace)}
        write_setting(connection, SETTING, dict(list(kept.items())[-KEPT_PACES:]))
    return pace


def request_of(
    workspace: Workspace, config: RunConfig, inputs: Sequence[DayInput]
) -> dict[str, Any]:
    """Return what the child is told, as JSON can hold it; `measuring.read_request` reads it."""
    return {
        "config": config.to_dict(),
        "snapshot_config": asdict(workspace.snapshot_config()),
        "inputs": [
            {
                "key": each.key,
                "directory": str(each.directory),
                "packet_files": [str(path) for path in each.packet_files],
            }
            for each in inputs
        ],
    }


def pace_key(config: RunConfig) -> str:
    """Return what names a pace: machine, code, libraries, device, method, settings that count."""
    settings = {
        name: value for name, value in asdict(config.settings).items() if name not in HOW_MUCH
    }
    parts = [config.method, settings, asdict(config.graph), config.device, environment()]
    return hashlib.sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()[:16]
