"""The scores of a row's runs, or of what predicts without a run, by a protocol."""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import numpy.typing as npt

from darkgnn_core.embeddings import Embedding
from darkgnn_core.evaluation.ceilings import GRADIENT_BOOSTING
from darkgnn_core.evaluation.labelled_days import LabelledDay, LabelScope, labelled_days
from darkgnn_core.evaluation.open_set import alarms_of, open_set_days
from darkgnn_core.evaluation.predictions import Ties, Voting
from darkgnn_core.evaluation.protocols import OPEN_SET, PROTOCOLS, SAME_DAY_LOO, Protocol
from darkgnn_core.evaluation.repeats import Repeats, evaluate, over_repeats
from darkgnn_core.reproducing.rows import Row
from darkgnn_core.run_config import NetworkConfig
from darkgnn_core.run_inputs import inputs_named
from darkgnn_core.runs import Run, open_embedding
from darkgnn_core.snapshots.columns import EXTRA_HOST_COLUMNS, HOST_FEATURES
from darkgnn_core.snapshots.reading import read_hosts
from darkgnn_core.workspace import Workspace

ALL_LABELLED = ("same_day_loo", "past_labels", "unseen_prefixes", "label_noise")
"""Protocols that score every labelled host of a day, as what predicts without a run does."""

Told = Callable[[int, int, str], None]


@dataclass(frozen=True)
class Ask:
    """How rows are scored.

    Attributes:
        protocol: Name of a protocol.
        keys: Names of the bins that are scored.
        min_class_hosts: Smaller classes are unknown on their day.
        labels: Which claims count; None for all of the workspace's in the paper's protocol, and
            those of the day in every other.
        seed: Of what is drawn.
    """

    protocol: str
    keys: tuple[str, ...]
    min_class_hosts: int = 11
    labels: LabelScope | None = None
    seed: int = 0

    @property
    def scope(self) -> LabelScope:
        """Which claims count."""
        is_paper = self.protocol == SAME_DAY_LOO.name
        return self.labels or ("all" if is_paper else "day")

    def voting(self, row: Row) -> Voting:
        """Return how neighbours vote for a row: level votes as its preset resolves them."""
        ties: Ties = "alphabetical" if row.preset == "as_released" else "nearest"
        return Voting(min_class_hosts=self.min_class_hosts, ties=ties)


@dataclass(frozen=True, eq=False)
class RowScores:
    """A row with what came of it.

    Attributes:
        row: Which.
        variant: Of the protocol; empty for most.
        repeats: Its scores; None where it was not run.
        runs: Its runs, one a seed.
        seconds_a_day: Wall time of a day, the mean over its runs.
        processor_s_a_day: What a day took of all cores together, the mean over its runs; None
            where a run did not keep it.
        peak_bytes: Largest memory of any of its runs; None where nothing was run.
        note: Why there are no scores, or what to mind about them.
        alarms: What became of unknown hosts, means over its runs; in the open set alone.
    """

    row: Row
    variant: str
    repeats: Repeats | None
    runs: tuple[Run, ...] = ()
    seconds_a_day: float | None = None
    processor_s_a_day: float | None = None
    peak_bytes: int | None = None
    note: str = ""
    alarms: dict[str, float] = field(default_factory=dict)

    @property
    def name(self) -> str:
        """What it is called in tables."""
        return f"{self.row.name} ({self.variant})" if self.variant else self.row.name


def score_runs(
    workspace: Workspace, row: Row, runs: Sequence[Run], ask: Ask, *, told: Told | None = None
) -> list[RowScores]:
    """Score a row's runs, one result a variant of the protocol.

    Args:
        workspace: Where they are.
        row: Which.
        runs: One a seed; those that are not done are told in a note.
        ask: How.
        told: As `evaluation.protocols.predict_days`.

    Raises:
        WorkspaceError: `DAMAGED`.
    """
    done = [run for run in runs if run.state == "done"]
    if not done:
        return [RowScores(row, "", None, tuple(runs), note=_why_none(runs))]
    protocol = PROTOCOLS[ask.protocol]
    by_variant: dict[str, list[Repeats]] = {}
    alarms = []
    for run in done:
        days = _days_of_run(workspace, run, ask, protocol)
        found = evaluate(protocol, days, ask.keys, voting=ask.voting(row), seed=ask.seed, told=told)
        for variant, repeats in found.items():
            by_variant.setdefault(variant, []).append(repeats)
        if protocol is OPEN_SET:
            alarms.append(alarms_of(open_set_days(days, ask.keys, ask.voting(row), told)))
    whole = RowScores(
        row,
        "",
        None,
        tuple(done),
        seconds_a_day=_mean_of_all(done, "seconds_a_day"),
        processor_s_a_day=_mean_of_all(done, "processor_seconds_a_day"),
        peak_bytes=max(run.result["peak_bytes"] for run in done),
        note="; ".join(filter(None, [_saw_scored_days(done[0], ask), _some_failed(runs)])),
        alarms={} if not alarms else {name: _mean(alarms, name) for name in alarms[0]},
    )
    return [
        replace(whole, variant=variant, repeats=_joined(found))
        for variant, found in by_variant.items()
    ]


def _mean(each: Sequence[dict[str, float]], name: str) -> float:
    return float(np.mean([values[name] for values in each]))


def _mean_of_all(runs: Sequence[Run], name: str) -> float | None:
    """Return the mean of a figure that runs kept; None where one of them did not."""
    kept = [run.result[name] for run in runs if name in run.result]
    return float(np.mean(kept)) if len(kept) == len(runs) else None


def _joined(found: Sequence[Repeats]) -> Repeats:
    """Return scores over seeds and, inside a seed, over draws of labels."""
    return over_repeats([scores for each in found for scores in each.each])


def _days_of_run(workspace: Workspace, run: Run, ask: Ask, protocol: Protocol) -> list[LabelledDay]:
    wanted = [key for key in run.days if key <= ask.keys[-1]] if protocol.needs_past else ask.keys

    def read(key: str) -> Embedding:
        return open_embedding(workspace, run.id, key)

    return labelled_days(workspace, read, wanted, scope=ask.scope)


def _why_none(runs: Sequence[Run]) -> str:
    if not runs:
        return "not run"
    return f"{runs[0].state}: {runs[0].message}" if runs[0].message else runs[0].state


def _some_failed(runs: Sequence[Run]) -> str:
    ended = [run for run in runs if run.state != "done"]
    return f"{len(ended)} of {len(runs)} seeds not done" if ended else ""


def _saw_scored_days(run: Run, ask: Ask) -> str:
    """Say whether a network that is trained once was trained on days that are scored."""
    settings = run.config.settings
    if run.config.method != "gcn-gru" or not isinstance(settings, NetworkConfig):
        return ""
    days = run.trained_days
    learned = set(days[: min(settings.train_days, max(1, len(days) - 1))])
    both = len(learned & set(ask.keys))
    return f"trained on {both} of the {len(ask.keys)} scored days" if both else ""


def score_table_row(
    workspace: Workspace, keys: Sequence[str], row: Row, ask: Ask, *, told: Told | None = None
) -> list[RowScores]:
    """Score what predicts without a run: by address, or by trees on the stored columns.

    Args:
        workspace: Whose snapshots.
        keys: All bins there are, in time order.
        row: One with a `protocol`.
        ask: How.
        told: As `evaluation.protocols.predict_days`.

    Raises:
        WorkspaceError: `DAMAGED`.
    """
    if row.protocol is None or ask.protocol not in ALL_LABELLED:
        return [RowScores(row, "", None, note="scores other hosts than this protocol")]
    columns = COLUMNS if row.protocol is GRADIENT_BOOSTING else ()
    wanted = [key for key in keys if key <= ask.keys[-1]]
    days = labelled_days(workspace, _reader(workspace, wanted, columns), wanted, scope=ask.scope)
    began = time.perf_counter()
    found = evaluate(row.protocol, days, ask.keys, voting=ask.voting(row), seed=ask.seed, told=told)
    seconds = (time.perf_counter() - began) / len(ask.keys)
    return [
        RowScores(row, variant, repeats, seconds_a_day=seconds)
        for variant, repeats in found.items()
    ]


COLUMNS = ("packets", *HOST_FEATURES, *(field.name for field in EXTRA_HOST_COLUMNS))
"""Stored columns that trees learn from: all but addresses and times."""


def _reader(
    workspace: Workspace, keys: Sequence[str], columns: Sequence[str]
) -> Callable[[str], Embedding]:
    """Return what reads the hosts of a bin, with stored columns in the place of vectors."""
    inputs = inputs_named(workspace, workspace.snapshot_config(), list(keys))
    directories = {each.key: each.directory for each in inputs}

    def read(key: str) -> Embedding:
        table = read_hosts(directories[key], ["host", *columns])
        hosts: npt.NDArray[Any] = table.column("host").to_numpy()
        rows = np.zeros((len(hosts), max(1, len(columns))), np.float32)
        for place, name in enumerate(columns):
            rows[:, place] = table.column(name).to_numpy(zero_copy_only=False)
        return Embedding(key, hosts.astype(np.uint32), rows, "stored")

    return read
