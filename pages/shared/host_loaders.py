"""Cached reading for the page Inspect host: keyed by ids, days and states, never by a table."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pandas as pd
import streamlit as st

from darkgnn_core.config import SnapshotConfig
from darkgnn_core.embeddings import Embedding
from darkgnn_core.errors import ConfigError, WorkspaceError
from darkgnn_core.evaluation.health import drift
from darkgnn_core.evaluation.labelled_days import labelled_day
from darkgnn_core.evaluation.predictions import Texts, Voting
from darkgnn_core.hosts.history import host_history, port_history
from darkgnn_core.hosts.over_time import DayMove, DayNear
from darkgnn_core.hosts.packet_hours import packet_files, packets_by_hour
from darkgnn_core.hosts.predicting import (
    Nearby,
    Prediction,
    nearby,
    place_of,
    predict,
    ranks_from,
)
from darkgnn_core.hosts.reading import PortTable, read_host_rows, read_port_table
from darkgnn_core.hosts.told import ToldOf, told_of
from darkgnn_core.labels.opinions import ClaimTable, opinions_on, read_claims
from darkgnn_core.labels.resolving import resolved_from
from darkgnn_core.neighbours import Metric, Space, prepare
from darkgnn_core.run_store import EMBEDDINGS, directory_of
from darkgnn_core.runs import open_embedding
from darkgnn_core.shelf import list_snapshots, open_snapshot
from darkgnn_core.snapshots.bins import Bin
from darkgnn_core.spaces import one_thread_each
from darkgnn_core.workspace import Workspace
from pages.shared.loaders import Shelf, fingerprint, times_of, workspace_at

Stamp = tuple[int, int]


def shelf_of(workspace: Workspace, config: SnapshotConfig) -> Shelf:
    """Return which snapshots there are with these settings."""
    shelved = list_snapshots(workspace, config)
    return tuple((each.config_hash, each.bin, each.inputs_hash) for each in shelved)


def history(workspace: Workspace, config: SnapshotConfig, host: int) -> pd.DataFrame:
    """Return what a host did in each bin."""
    return _history(str(workspace.root), config, shelf_of(workspace, config), host)


@st.cache_data(max_entries=64, show_spinner="Reading the host's days")
def _history(root: str, config: SnapshotConfig, shelf: Shelf, host: int) -> pd.DataFrame:
    return host_history(list_snapshots(workspace_at(root), config), host)


def ports(workspace: Workspace, config: SnapshotConfig, host: int) -> pd.DataFrame:
    """Return how many packets a host sent to each port in each bin."""
    return _ports(str(workspace.root), config, shelf_of(workspace, config), host)


@st.cache_data(max_entries=64, show_spinner="Reading the host's ports")
def _ports(root: str, config: SnapshotConfig, shelf: Shelf, host: int) -> pd.DataFrame:
    return port_history(list_snapshots(workspace_at(root), config), host)


def day_rows(workspace: Workspace, config: SnapshotConfig, day: str) -> pd.DataFrame:
    """Return all hosts of a bin; shared, so never to be changed."""
    return _day_rows(str(workspace.root), config, _inputs(workspace, config, day), day)


@st.cache_resource(max_entries=3, show_spinner="Reading the hosts of the day")
def _day_rows(root: str, config: SnapshotConfig, inputs: str, day: str) -> pd.DataFrame:
    directory = open_snapshot(workspace_at(root), config, day).directory
    return pd.DataFrame({"host": []}) if directory is None else read_host_rows(directory)


def day_ports(workspace: Workspace, config: SnapshotConfig, day: str) -> PortTable:
    """Return who asked for which port in a bin; shared, so never to be changed."""
    return _day_ports(str(workspace.root), config, _inputs(workspace, config, day), day)


@st.cache_resource(max_entries=3, show_spinner="Reading the ports of the day")
def _day_ports(root: str, config: SnapshotConfig, inputs: str, day: str) -> PortTable:
    directory = open_snapshot(workspace_at(root), config, day).directory
    if directory is None:
        raise ConfigError(f"There is no snapshot of {day}.", code="NO-SNAPSHOT")
    return read_port_table(directory)


def _inputs(workspace: Workspace, config: SnapshotConfig, day: str) -> str:
    shelf = shelf_of(workspace, config)
    return next((inputs for _, key, inputs in shelf if key == day), "")


def _stamp(workspace: Workspace, run_id: str, day: str) -> Stamp:
    """Return what changes when the embedding of a day is written again."""
    path = directory_of(workspace, run_id) / EMBEDDINGS / f"{day}.parquet"
    return next(iter(times_of(path)), (0, 0))


def embedding(workspace: Workspace, run_id: str, day: str) -> Embedding:
    """Return a run's embedding of a day; shared, so never to be changed.

    Raises:
        RunError: `NO-EMBEDDING`.
    """
    return _embedding(str(workspace.root), run_id, day, _stamp(workspace, run_id, day))


@st.cache_resource(max_entries=4, show_spinner="Reading the embedding")
def _embedding(root: str, run_id: str, day: str, stamp: Stamp) -> Embedding:
    return open_embedding(workspace_at(root), run_id, day)


def space(
    workspace: Workspace, run_id: str, day: str, *, metric: Metric, standardise: bool
) -> Space:
    """Return the hosts of a day ready to be searched; shared, so never to be changed."""
    stamp = _stamp(workspace, run_id, day)
    return _space(str(workspace.root), run_id, day, stamp, metric, standardise)


@st.cache_resource(max_entries=4, show_spinner="Preparing the embedding")
def _space(
    root: str, run_id: str, day: str, stamp: Stamp, metric: Metric, standardise: bool
) -> Space:
    vectors = _embedding(root, run_id, day, stamp).vectors
    return prepare(vectors, metric=metric, standardise=standardise)


def labels(workspace: Workspace, run_id: str, day: str) -> Texts:
    """Return the label of each host of an embedding as of its day; never to be changed."""
    stamp = _stamp(workspace, run_id, day)
    return _labels(str(workspace.root), run_id, day, stamp, _label_state(workspace))


@st.cache_resource(max_entries=8, show_spinner="Reading the labels")
def _labels(root: str, run_id: str, day: str, stamp: Stamp, state: str) -> Texts:
    return labelled_day(_claims(root, state, day), _embedding(root, run_id, day, stamp)).labels


def prediction(
    workspace: Workspace, run_id: str, day: str, host: int, voting: Voting
) -> Prediction | None:
    """Return what a run takes a host for; None where it has no embedding of it that day."""
    return _prediction(
        str(workspace.root),
        run_id,
        day,
        _stamp(workspace, run_id, day),
        _label_state(workspace),
        host,
        voting,
    )


@st.cache_data(max_entries=256, show_spinner="Asking the neighbours")
def _prediction(
    root: str, run_id: str, day: str, stamp: Stamp, state: str, host: int, voting: Voting
) -> Prediction | None:
    place = place_of(_embedding(root, run_id, day, stamp).hosts, host)
    if place is None:
        return None
    searched = _space(root, run_id, day, stamp, voting.metric, voting.standardise)
    return predict(searched, place, _labels(root, run_id, day, stamp, state), voting)


def near(
    workspace: Workspace,
    run_id: str,
    day: str,
    host: int,
    k: int,
    *,
    metric: Metric,
    standardise: bool,
) -> Nearby | None:
    """Return the k nearest hosts of a host; None where the run has no embedding of it that day."""
    place = place_of(embedding(workspace, run_id, day).hosts, host)
    if place is None:
        return None
    searched = space(workspace, run_id, day, metric=metric, standardise=standardise)
    return nearby(searched, embedding(workspace, run_id, day).hosts, place, k)


def twins(workspace: Workspace, run_id: str, day: str, host: int, voting: Voting) -> int:
    """Return how many other hosts of the day have exactly the place of a host."""
    searched = space(workspace, run_id, day, metric=voting.metric, standardise=voting.standardise)
    place = place_of(embedding(workspace, run_id, day).hosts, host)
    if place is None:
        return 0
    kind = int(searched.kind_of[place])
    return int(searched.starts[kind + 1] - searched.starts[kind]) - 1


def ranks(
    workspace: Workspace, run_id: str, day: str, host: int, others: Sequence[int], voting: Voting
) -> dict[int, tuple[int, int]]:
    """Return for hosts of a day their place among the neighbours of a host, and of how many.

    Args:
        workspace: Whose run.
        run_id: Its id.
        day: A day it embedded.
        host: The host whose neighbours are counted.
        others: Addresses; those that the run has no embedding of are left out.
        voting: Metric and scaling.
    """
    stamp = _stamp(workspace, run_id, day)
    return _ranks(str(workspace.root), run_id, day, stamp, host, tuple(others), voting)


@st.cache_data(max_entries=128, show_spinner="Asking other runs")
def _ranks(
    root: str,
    run_id: str,
    day: str,
    stamp: Stamp,
    host: int,
    others: tuple[int, ...],
    voting: Voting,
) -> dict[int, tuple[int, int]]:
    hosts = _embedding(root, run_id, day, stamp).hosts
    place = place_of(hosts, host)
    places = {each: place_of(hosts, each) for each in others if each != host}
    there = {each: at for each, at in places.items() if at is not None}
    if place is None or not there:
        return {}
    searched = _space(root, run_id, day, stamp, voting.metric, voting.standardise)
    found = ranks_from(searched, place, list(there.values()))
    return {each: (int(rank), len(hosts) - 1) for each, rank in zip(there, found, strict=True)}


def told(workspace: Workspace, host: int, day: str) -> ToldOf:
    """Return who says what of a host on a day."""
    return _told(str(workspace.root), _label_state(workspace), host, day)


@st.cache_data(max_entries=128, show_spinner=False)
def _told(root: str, state: str, host: int, day: str) -> ToldOf:
    with workspace_at(root).catalogue() as connection:
        return told_of(connection, _claims(root, state, day), host)


@st.cache_resource(max_entries=4, show_spinner="Reading the labels")
def _claims(root: str, state: str, day: str) -> ClaimTable:
    with workspace_at(root).catalogue() as connection:
        return read_claims(connection, day=day[:10])


def _label_state(workspace: Workspace) -> str:
    """Return what changes whenever a host's label may; looked up again after any write only."""
    return fingerprint(workspace)[0]


def has_packets(workspace: Workspace, config: SnapshotConfig, day: str) -> bool:
    """Whether the packets of a bin are stored."""
    return bool(_files(workspace, config, day))


def hours(
    workspace: Workspace, config: SnapshotConfig, day: str, hosts: Sequence[int]
) -> pd.DataFrame:
    """Return what hosts did in each hour of a bin, from the stored packets."""
    files = tuple(str(path) for path in _files(workspace, config, day))
    wanted = tuple(sorted({int(host) for host in hosts}))
    return _hours(str(workspace.root), files, day, config.bin_hours, wanted)


def hours_if_sound(
    workspace: Workspace, config: SnapshotConfig, day: str, hosts: Sequence[int]
) -> pd.DataFrame | None:
    """Return `hours`; None where no packets are stored, or their file is damaged or gone.

    For what is said beside other things; where hours are the point, `hours` tells what is wrong.
    """
    if not has_packets(workspace, config, day):
        return None
    try:
        return hours(workspace, config, day, hosts)
    except WorkspaceError:
        return None


def _files(workspace: Workspace, config: SnapshotConfig, day: str) -> tuple[Path, ...]:
    with workspace.catalogue() as connection:
        return packet_files(connection, workspace, Bin.parse(day, config.bin_hours))


@st.cache_data(max_entries=512, show_spinner=False)
def _hours(
    root: str, files: tuple[str, ...], day: str, bin_hours: int, hosts: tuple[int, ...]
) -> pd.DataFrame:
    return packets_by_hour(
        [Path(file) for file in files],
        Bin.parse(day, bin_hours),
        np.array(hosts, np.uint32),
        temporary=workspace_at(root).scratch,
    )


def day_near(
    workspace: Workspace, run_id: str, day: str, host: int, k: int, voting: Voting
) -> DayNear:
    """Return who was near a host on one day."""
    stamp = _stamp(workspace, run_id, day)
    return _day_near(str(workspace.root), run_id, day, stamp, host, k, voting)


@st.cache_resource(max_entries=256, show_spinner=False)
def _day_near(
    root: str, run_id: str, day: str, stamp: Stamp, host: int, k: int, voting: Voting
) -> DayNear:
    embedded = open_embedding(workspace_at(root), run_id, day)
    place = place_of(embedded.hosts, host)
    if place is None:
        return DayNear(day, None, embedded.hosts)
    searched = prepare(embedded.vectors, metric=voting.metric, standardise=voting.standardise)
    return DayNear(day, nearby(searched, embedded.hosts, place, k).hosts, embedded.hosts)


def day_move(workspace: Workspace, run_id: str, before: str, day: str) -> DayMove:
    """Return how far all hosts of two days of a run moved between them."""
    stamps = (_stamp(workspace, run_id, before), _stamp(workspace, run_id, day))
    return _day_move(str(workspace.root), run_id, before, day, stamps)


@st.cache_resource(max_entries=128, show_spinner=False)
def _day_move(
    root: str, run_id: str, before: str, day: str, stamps: tuple[Stamp, Stamp]
) -> DayMove:
    workspace = workspace_at(root)
    first, second = (open_embedding(workspace, run_id, each) for each in (before, day))
    with one_thread_each():
        found = drift(first, second)
    if found is None:
        return DayMove(day, before, np.empty(0, np.uint32), None)
    return DayMove(day, before, *found)


def row_labels(workspace: Workspace, config: SnapshotConfig, day: str) -> Texts:
    """Return the label of each host of `day_rows` as of its day; never to be changed."""
    inputs = _inputs(workspace, config, day)
    return _row_labels(str(workspace.root), config, inputs, day, _label_state(workspace))


@st.cache_resource(max_entries=8, show_spinner="Reading the labels")
def _row_labels(root: str, config: SnapshotConfig, inputs: str, day: str, state: str) -> Texts:
    hosts = _day_rows(root, config, inputs, day)["host"].to_numpy()
    claims = _claims(root, state, day)
    return resolved_from(claims, hosts, opinions_on(claims, hosts)).labels
