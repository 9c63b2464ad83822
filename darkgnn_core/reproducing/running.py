"""Runs of a row, trained where they are missing: through the queue, reused, resumed, cancelled.

One run at a time is started here, so a command that is killed leaves one run at work at most, which
ends by itself; the same command finds it then, and goes on with the next.
"""

import time
from collections.abc import Callable, Sequence
from dataclasses import replace

from darkgnn_core.errors import RunError
from darkgnn_core.reproducing.rows import Row
from darkgnn_core.run_config import FusionConfig, RunConfig
from darkgnn_core.run_days import data_of
from darkgnn_core.run_inputs import inputs_between
from darkgnn_core.runs import Run, cancel_run, create_runs, find_run, list_runs, resume_run
from darkgnn_core.traces.parsing import Stopped
from darkgnn_core.workspace import Workspace

POLL_S = 0.3
GROUP = "reproduce"

Ask = Callable[[], bool]
See = Callable[[Run], None]


class Runs:
    """The runs that a workspace has over all of its days as they are now, and those it needs.

    Args:
        workspace: Whose days and runs.
        trains: Train what is missing; otherwise take finished runs alone.
        retries: Go on with runs that failed, too, instead of telling why they did.
        should_stop: Asked while a run is followed; then a run that was started or resumed here is
            cancelled, which resuming undoes, and `Stopped` is raised.
        see: Shown a run several times a second while it is followed.

    Raises:
        RunError: `NO-SNAPSHOTS`.
        WorkspaceError: `DAMAGED` where a snapshot has changed on disk.
    """

    def __init__(
        self,
        workspace: Workspace,
        *,
        trains: bool = True,
        retries: bool = False,
        should_stop: Ask = lambda: False,
        see: See = lambda run: None,
    ) -> None:
        self.workspace = workspace
        self.trains = trains
        self.goes_on_from = ("interrupted", "cancelled", *(("failed",) if retries else ()))
        self.should_stop = should_stop
        self.see = see
        config = workspace.snapshot_config()
        inputs = inputs_between(workspace, config)
        self.keys = tuple(each.key for each in inputs)
        self.data_hash = data_of(inputs, config)["hash"]

    def of(self, row: Row, seeds: int, others: dict[str, list[Run]]) -> list[Run]:
        """Return the runs of a row, one a seed, ended; [] where nothing is run for it.

        Args:
            row: Whose.
            seeds: How many.
            others: The finished runs of rows before it, for a fusion.

        Raises:
            Stopped: If `should_stop` said so.
        """
        configs = row.configs(seeds)
        if row.fused:
            configs = _completed(configs, [others.get(name, []) for name in row.fused])
        found = [self._ended(config, row.name) for config in configs]
        return [run for run in found if run is not None]

    def find(self, config: RunConfig) -> Run | None:
        """Return the best run of these settings over the days as they are now, or None."""
        there = [
            run
            for run in list_runs(self.workspace, archived=True)
            if run.config_hash == config.hash and run.provenance["data"]["hash"] == self.data_hash
        ]
        ranked = sorted(there, key=lambda run: (run.state == "done", run.is_active), reverse=True)
        return ranked[0] if ranked else None

    def _ended(self, config: RunConfig, name: str) -> Run | None:
        """Return the run of these settings at its end; None where it is not there to be scored."""
        run = self.find(config)
        if not self.trains:
            return run if run is not None and run.state == "done" else None
        if self.should_stop():
            raise Stopped
        is_ours = run is None or not run.is_active
        if run is None:
            title = f"{name}, seed {config.seed}"[:120]
            ids = create_runs(self.workspace, [config], name=title, group=GROUP, again=True)
            run = find_run(self.workspace, ids[0])
        elif run.state in self.goes_on_from:
            run = resume_run(self.workspace, run.id)
        return self._followed(run, is_ours=is_ours)

    def _followed(self, run: Run, *, is_ours: bool) -> Run:
        while run.is_active:
            self.see(run)
            if self.should_stop():
                if is_ours:
                    cancel_run(self.workspace, run.id)
                raise Stopped
            time.sleep(POLL_S)
            run = find_run(self.workspace, run.id)
        self.see(run)
        return run


def _completed(configs: Sequence[RunConfig], sources: Sequence[Sequence[Run]]) -> list[RunConfig]:
    """Put ids of runs of the same seed into fusions; none where a source has no such run.

    A fusion draws nothing, so its own seed stays 0.
    """
    completed = []
    for config in configs:
        ids = [
            run.id
            for runs in sources
            for run in runs
            if run.config.seed == config.seed and run.state == "done"
        ]
        if len(ids) == len(sources):
            settings = FusionConfig(runs=tuple(ids))
            completed.append(replace(config, settings=settings, seed=0))
    return completed


def scored_keys(runs: Runs, last_days: int) -> tuple[str, ...]:
    """Return the keys of the days that are scored: the last ones, and never the very first.

    Raises:
        RunError: `TOO-FEW-DAYS`.
    """
    keys = runs.keys[1:][-last_days:] if last_days > 0 else ()
    if not keys:
        raise RunError(
            f"Nothing can be scored: there are {len(runs.keys)} days, and the last {last_days} of "
            "them, the first left out, are asked for.",
            code="TOO-FEW-DAYS",
        )
    return keys
