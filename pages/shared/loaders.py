"""The only place of `st.cache_*`: core functions, keyed by small values, never by a table."""

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

import pandas as pd
import streamlit as st

from darkgnn_core.backups import back_up_daily
from darkgnn_core.busiest import KnownShare, busiest_hosts, known_share
from darkgnn_core.errors import WorkspaceError
from darkgnn_core.estimates import Device, Estimate, devices, estimate
from darkgnn_core.health import Health, all_hosts, hosts_without_known, measure_health, table2
from darkgnn_core.labels.classes import labels_of_class
from darkgnn_core.labels.conflicts import conflicts
from darkgnn_core.labels.coverage import Coverage, coverage
from darkgnn_core.labels.lists import ListOptions
from darkgnn_core.labels.opinions import Addresses
from darkgnn_core.labels.previewing import ListLook, look_at_lists
from darkgnn_core.labels.store import labels_by_arrival, state_of
from darkgnn_core.run_config import RunConfig
from darkgnn_core.shelf import list_snapshots
from darkgnn_core.sources import list_sources
from darkgnn_core.traces.mapping import from_json
from darkgnn_core.traces.previewing import Preview, preview_trace
from darkgnn_core.traces.reading import ColumnMapping, ReadOptions
from darkgnn_core.workspace import Workspace, open_workspace
from pages.shared import state

FileTimes = tuple[tuple[int, int], ...]
Shelf = tuple[tuple[str, str, str], ...]
Fingerprint = tuple[str, Shelf, bool]


@st.cache_resource(max_entries=8, show_spinner=False)
def workspace_at(root: str) -> Workspace:
    """Open a workspace once; its folders are made where it is new, its catalogue is copied daily.

    Raises:
        WorkspaceError: As `open_workspace`; `DAMAGED` where its catalogue is not whole.
    """
    workspace = open_workspace(Path(root))
    try:
        back_up_daily(workspace)
    except WorkspaceError as error:
        if error.code == "DAMAGED":
            raise  # anything else, such as a full disk, is no reason not to look at it
    return workspace


def workspace_in_use() -> Workspace:
    """Return the workspace the analyst has open."""
    return workspace_at(str(state.workspace_path()))


def is_synthetic(workspace: Workspace) -> bool:
    """Whether any packet of the workspace came from the demo generator."""
    with workspace.catalogue() as connection:
        return any(source.is_synthetic for source in list_sources(connection))


def fingerprint(workspace: Workspace) -> Fingerprint:
    """Return what changes whenever labels, snapshots or the kind of sources do.

    Not with the heartbeats of jobs, which write to the catalogue twice a second: those only make
    it be looked at again.
    """
    return _fingerprint(str(workspace.root), catalogue_times(workspace))


def catalogue_times(workspace: Workspace) -> FileTimes:
    """Return what changes when anything in the catalogue does."""
    path = workspace.catalogue_path
    return times_of(path, path.with_name(f"{path.name}-wal"))


def times_of(*files: Path) -> FileTimes:
    """Return what changes when files do; one that is not there, or just goes, counts as none."""
    found = []
    for file in files:
        with suppress(FileNotFoundError):
            stat = file.stat()
            found.append((stat.st_mtime_ns, stat.st_size))
    return tuple(found)


@st.cache_data(max_entries=4, show_spinner=False)
def _fingerprint(root: str, changed: FileTimes) -> Fingerprint:
    workspace = workspace_at(root)
    return label_state(workspace), shelf_state(workspace), is_synthetic(workspace)


def bins(workspace: Workspace) -> list[str]:
    """Return the keys of the workspace's time bins (days, by default), the latest first."""
    shelved = list_snapshots(workspace, workspace.snapshot_config())
    return [each.bin for each in reversed(shelved)]


def health(workspace: Workspace) -> Health:
    """Return the health of the sensor; measured again when labels or snapshots change."""
    return _health(str(workspace.root), fingerprint(workspace))


@st.cache_data(max_entries=4, show_spinner="Reading the snapshots")
def _health(root: str, changed: Fingerprint) -> Health:
    workspace = workspace_at(root)
    return measure_health(workspace, workspace.snapshot_config())


def classes(workspace: Workspace) -> pd.DataFrame:
    """Return the workspace's own Table 2, averages in whole numbers as the paper gives them."""
    return _classes(str(workspace.root), fingerprint(workspace)).round()


@st.cache_data(max_entries=4, show_spinner="Counting hosts, ports and packets by label")
def _classes(root: str, changed: Fingerprint) -> pd.DataFrame:
    workspace = workspace_at(root)
    return table2(workspace, workspace.snapshot_config())


def hosts(workspace: Workspace, bin_key: str, *, hide_known: bool) -> pd.DataFrame:
    """Return the busiest hosts of a bin."""
    return _hosts(str(workspace.root), fingerprint(workspace), bin_key, hide_known)


@st.cache_data(max_entries=16, show_spinner=False)
def _hosts(root: str, changed: Fingerprint, bin_key: str, hide_known: bool) -> pd.DataFrame:
    workspace = workspace_at(root)
    return busiest_hosts(workspace, workspace.snapshot_config(), bin_key, hide_known=hide_known)


def known_in(workspace: Workspace, bin_key: str) -> KnownShare:
    """Return how much of a bin comes from known scanners."""
    return _known_in(str(workspace.root), fingerprint(workspace), bin_key)


@st.cache_data(max_entries=16, show_spinner=False)
def _known_in(root: str, changed: Fingerprint, bin_key: str) -> KnownShare:
    workspace = workspace_at(root)
    return known_share(workspace, workspace.snapshot_config(), bin_key)


def days_without_known(workspace: Workspace) -> pd.DataFrame:
    """Return the hosts of each bin without known scanners."""
    return _days_without_known(str(workspace.root), fingerprint(workspace))


@st.cache_data(max_entries=4, show_spinner="Leaving out known scanners")
def _days_without_known(root: str, changed: Fingerprint) -> pd.DataFrame:
    workspace = workspace_at(root)
    return hosts_without_known(workspace, workspace.snapshot_config())


def mapping_of(text: str) -> ColumnMapping:
    """Return a mapping from its JSON text."""
    return from_json(text)


def preview(
    path: Path,
    name: str,
    mapping: str = "",
    timezone: str | None = None,
    *,
    year: int | None = None,
) -> Preview:
    """Return a look at the start of a file.

    Args:
        path: The file.
        name: What to call it.
        mapping: The mapping chosen, as JSON text; empty to guess.
        timezone: Zone of times without one.
        year: Year of times without one.
    """
    stat = path.stat()
    return _preview(str(path), (stat.st_mtime_ns, stat.st_size), name, mapping, timezone, year)


@st.cache_data(max_entries=32, show_spinner="Looking at the file")
def _preview(
    path: str,
    changed: tuple[int, int],
    name: str,
    mapping: str,
    timezone: str | None,
    year: int | None,
) -> Preview:
    options = ReadOptions(from_json(mapping) if mapping else None, timezone, year)
    return preview_trace(Path(path), options, name=name)


def known_labels(workspace: Workspace) -> list[str]:
    """Return the labels that mean a known scanner, which the switch in the sidebar hides."""
    with workspace.catalogue() as connection:
        return labels_of_class(connection, "known")


def label_state(workspace: Workspace) -> str:
    """Return what changes whenever a host's label may."""
    with workspace.catalogue() as connection:
        return state_of(connection)


def all_labels(workspace: Workspace) -> tuple[str, ...]:
    """Return every label of the workspace, those that came first first: colours go by it."""
    return _all_labels(str(workspace.root), label_state(workspace))


@st.cache_data(max_entries=4, show_spinner=False)
def _all_labels(root: str, labels: str) -> tuple[str, ...]:
    with workspace_at(root).catalogue() as connection:
        return labels_by_arrival(connection)


def shelf_state(workspace: Workspace) -> Shelf:
    """Return which snapshots are shown: settings, bin and inputs of each."""
    shelved = list_snapshots(workspace, workspace.snapshot_config())
    return tuple((each.config_hash, each.bin, each.inputs_hash) for each in shelved)


def hosts_seen(workspace: Workspace) -> Addresses:
    """Return every host of any snapshot that is shown, uint32 (n,), sorted."""
    return _hosts_seen(str(workspace.root), shelf_state(workspace))


@st.cache_data(max_entries=2, show_spinner="Reading the hosts")
def _hosts_seen(root: str, shelf: Shelf) -> Addresses:
    workspace = workspace_at(root)
    hosts: Addresses = all_hosts(workspace, workspace.snapshot_config())
    return hosts


def label_coverage(workspace: Workspace) -> Coverage:
    """Return how well labels cover the hosts seen."""
    return _coverage(str(workspace.root), label_state(workspace), shelf_state(workspace))


@st.cache_data(max_entries=4, show_spinner="Counting labelled hosts")
def _coverage(root: str, labels: str, shelf: Shelf) -> Coverage:
    hosts = _hosts_seen(root, shelf)
    with workspace_at(root).catalogue() as connection:
        return coverage(connection, hosts)


def label_conflicts(workspace: Workspace, *, only_seen: bool) -> pd.DataFrame:
    """Return where sources disagree: about hosts seen, or about any address."""
    shelf = shelf_state(workspace) if only_seen else ()
    return _conflicts(str(workspace.root), label_state(workspace), shelf, only_seen)


@st.cache_data(max_entries=4, show_spinner="Looking for conflicts")
def _conflicts(root: str, labels: str, shelf: Shelf, only_seen: bool) -> pd.DataFrame:
    hosts = _hosts_seen(root, shelf) if only_seen else None
    with workspace_at(root).catalogue() as connection:
        return conflicts(connection, hosts)


def list_looks(files: Sequence[tuple[Path, str]], options: ListOptions) -> list[ListLook]:
    """Return what files would give as lists of labels; read again when a file has changed."""
    stats = [(path, path.stat()) for path, _ in files]
    changed = tuple((stat.st_mtime_ns, stat.st_size) for _, stat in stats)
    return _list_looks(tuple((str(path), name) for path, name in files), changed, options)


@st.cache_data(max_entries=8, show_spinner="Reading the lists")
def _list_looks(
    files: tuple[tuple[str, str], ...], changed: FileTimes, options: ListOptions
) -> list[ListLook]:
    return look_at_lists([(Path(path), name) for path, name in files], options)


def run_estimate(workspace: Workspace, config: RunConfig, *, calibrate: bool) -> Estimate:
    """Return what a run will take.

    Args:
        workspace: Whose snapshots it reads.
        config: Its settings.
        calibrate: Measure a short step first, instead of telling it from the sizes alone.
    """
    seedless = replace(config, seed=0)  # no seed takes longer than another
    return _run_estimate(str(workspace.root), shelf_state(workspace), seedless, calibrate)


@st.cache_data(max_entries=512, show_spinner="Estimating time and memory")
def _run_estimate(root: str, shelf: Shelf, config: RunConfig, calibrate: bool) -> Estimate:
    return estimate(workspace_at(root), config, calibrate=calibrate)


@st.cache_resource(max_entries=1, show_spinner="Looking for devices to compute on")
def found_devices() -> tuple[Device, ...]:
    """Return the devices a run may compute on; a child process looks, which takes seconds."""
    return devices()
