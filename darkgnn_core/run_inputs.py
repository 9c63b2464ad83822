"""What a run reads of a workspace: the snapshots of its days and the packets behind them."""

from collections import defaultdict
from collections.abc import Callable, Sequence
from pathlib import Path

from darkgnn_core.config import SnapshotConfig
from darkgnn_core.errors import RunError
from darkgnn_core.run_days import DayInput
from darkgnn_core.shelf import ShelvedSnapshot, list_snapshots, plan_snapshots
from darkgnn_core.snapshots.bins import Bin
from darkgnn_core.workspace import Workspace


def inputs_between(
    workspace: Workspace, config: SnapshotConfig, *, first_day: str = "", last_day: str = ""
) -> list[DayInput]:
    """Return the bins from one to another that have a snapshot, in time order.

    Args:
        workspace: Where the snapshots are.
        config: The settings they were built with.
        first_day: Key of the first bin; empty for the first there is.
        last_day: Key of the last bin; empty for the last there is.

    Raises:
        RunError: `NO-SNAPSHOTS` if there is none, or a bin that is named has none.
    """
    inputs = _inputs(workspace, config, lambda key: first_day <= key <= (last_day or key))
    found = {each.key for each in inputs}
    for named in (first_day, last_day):
        if named and named not in found:
            raise _no_snapshot(named)
    if not inputs:
        raise RunError(
            "No day has a snapshot with the workspace's settings yet. Load traces first "
            "(Load data, or `ingest`).",
            code="NO-SNAPSHOTS",
        )
    return inputs


def inputs_named(
    workspace: Workspace, config: SnapshotConfig, keys: Sequence[str]
) -> list[DayInput]:
    """Return the bins of these names, in time order.

    Raises:
        RunError: `NO-SNAPSHOTS`, naming the first that has no snapshot.
    """
    inputs = _inputs(workspace, config, frozenset(keys).__contains__)
    found = {each.key for each in inputs}
    for key in keys:
        if key not in found:
            raise _no_snapshot(key)
    return inputs


def _no_snapshot(key: str) -> RunError:
    return RunError(
        f"There is no snapshot of {key} with these settings. `snapshots list` shows what there is.",
        code="NO-SNAPSHOTS",
    )


def _inputs(
    workspace: Workspace, config: SnapshotConfig, is_wanted: Callable[[str], bool]
) -> list[DayInput]:
    """Return the wanted bins; those whose packets have changed since come without packets."""
    stale = {plan.bin.key for plan in plan_snapshots(workspace, config)}
    sources = _sources_by_day(workspace) if config.origin == "packets" else {}
    inputs = []
    for shelved in list_snapshots(workspace, config):
        if shelved.directory is not None and is_wanted(shelved.bin):
            packets = () if shelved.bin in stale else _packets(workspace, config, shelved, sources)
            inputs.append(DayInput(shelved.bin, shelved.directory, packets))
    return inputs


def _packets(
    workspace: Workspace,
    config: SnapshotConfig,
    shelved: ShelvedSnapshot,
    sources: dict[str, list[str]],
) -> tuple[Path, ...]:
    days = [day.isoformat() for day in Bin.parse(shelved.bin, config.bin_hours).days]
    return tuple(
        workspace.packets / source / f"{day}.parquet"
        for day in days
        for source in sources.get(day, ())
    )


def _sources_by_day(workspace: Workspace) -> dict[str, list[str]]:
    sources: dict[str, list[str]] = defaultdict(list)
    with workspace.catalogue() as connection:
        for row in connection.execute("SELECT source_id, day FROM packet_file ORDER BY source_id"):
            sources[row["day"]].append(row["source_id"])
    return sources
