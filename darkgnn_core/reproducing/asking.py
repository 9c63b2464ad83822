"""What a reproduction is asked for, and what it gives back."""

from collections.abc import Callable
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any

import pandas as pd

from darkgnn_core.config import PRESETS, Preset, require
from darkgnn_core.evaluation.labelled_days import LabelScope
from darkgnn_core.evaluation.protocols import PROTOCOLS, SAME_DAY_LOO
from darkgnn_core.reproducing import paper
from darkgnn_core.reproducing.data_sets import DataSet
from darkgnn_core.reproducing.running import Runs
from darkgnn_core.runs import Run
from darkgnn_core.workspace import Workspace

PARTS = ("table2", "table3", "figure4a", "figure4b")

Tell = Callable[[int, int, str], None]
"""Told how many rows of how many are done, and what comes next."""


@dataclass(frozen=True)
class Settings:
    """How tables and figures are made.

    Attributes:
        seeds: Runs of each row that draws anything, seeds from 0 on.
        slow_seeds: The same for networks without features, which take many times longer.
        last_days: Days that are scored.
        min_class_hosts: Smaller classes are unknown on their day.
        protocols: Names of protocols; the first is the one of the per-class table.
        labels: Which claims count; None for the paper's reading in the paper's protocol, and that
            of the day in every other.
        presets: Which presets have rows.
        only: Rows whose name begins so; all where empty.
        skip: Rows whose name holds it are left out.
        device: What networks compute on.
        trains: Train what is missing; otherwise score finished runs alone.
        retries: Go on with runs that failed, too.
    """

    seeds: int = 1
    slow_seeds: int = 1
    last_days: int = paper.TEST_DAYS
    min_class_hosts: int = 11
    protocols: tuple[str, ...] = (SAME_DAY_LOO.name,)
    labels: LabelScope | None = None
    presets: tuple[Preset, ...] = PRESETS
    only: tuple[str, ...] = ()
    skip: tuple[str, ...] = ()
    device: str = "cpu"
    trains: bool = True
    retries: bool = False

    def __post_init__(self) -> None:
        """Check every setting once."""
        for name in ("seeds", "slow_seeds", "last_days", "min_class_hosts"):
            value = getattr(self, name)
            require(1 <= value <= 1_000_000, f"{name} must be 1 to 1,000,000, got {value}.")
        require(bool(self.protocols), "a protocol is needed.")
        for name in self.protocols:
            known = ", ".join(PROTOCOLS)
            require(name in PROTOCOLS, f"protocols are {known}; got {name!r}.")

    def to_dict(self) -> dict[str, Any]:
        """Return it as JSON can hold it."""
        values = {each.name: getattr(self, each.name) for each in fields(self)}
        return {
            name: list(value) if isinstance(value, tuple) else value
            for name, value in values.items()
        }


@dataclass(frozen=True)
class Job:
    """One reproduction at work.

    Attributes:
        workspace: Whose data.
        settings: How.
        directory: Where files go.
        tell: Told how far it is.
        see: Shown a run while it is followed.
        should_stop: Asked often; what is finished is kept, and the same call goes on from there.
    """

    workspace: Workspace
    settings: Settings
    directory: Path
    tell: Tell = field(default=lambda done, total, what: None)
    see: Callable[[Run], None] = field(default=lambda run: None)
    should_stop: Callable[[], bool] = field(default=lambda: False)

    def runs(self) -> Runs:
        """Return the workspace's runs over its days as they are now.

        Raises:
            RunError: `NO-SNAPSHOTS`.
            WorkspaceError: `DAMAGED`.
        """
        return Runs(
            self.workspace,
            trains=self.settings.trains,
            retries=self.settings.retries,
            should_stop=self.should_stop,
            see=self.see,
        )


@dataclass(frozen=True, eq=False)
class Part:
    """A table or a figure with its data.

    Attributes:
        name: One of `PARTS`.
        title: What it is, of which data set.
        data_set: Of what.
        tables: By title.
        notes: Sentences that belong to it.
        document: Everything, as JSON can hold it.
        files: What was written.
        stopped: Whether it was stopped before all rows were there.
    """

    name: str
    title: str
    data_set: DataSet
    tables: dict[str, pd.DataFrame]
    notes: tuple[str, ...]
    document: dict[str, Any]
    files: tuple[Path, ...]
    stopped: bool = False
