"""Cached reading for the page Browse embeddings: keyed by ids, hashes and states, never by arrays.

What is returned is shared between sessions: never change it.
"""

from pathlib import Path
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import streamlit as st

from darkgnn_core.config import SnapshotConfig
from darkgnn_core.evaluation.predictions import coded, vote, without_small_classes
from darkgnn_core.hosts.predicting import DESK
from darkgnn_core.labels.classes import class_mask
from darkgnn_core.labels.resolving import resolve
from darkgnn_core.labels.texts import UNKNOWN
from darkgnn_core.maps import storing
from darkgnn_core.maps.cluster_job import StoredClusters, clusters_path, find_clusters
from darkgnn_core.maps.clustering import ClusterSettings
from darkgnn_core.maps.facts import DayFacts, read_facts
from darkgnn_core.maps.making import true_neighbours
from darkgnn_core.maps.planes import StoredPlane, day_plane
from darkgnn_core.maps.projecting import Addresses, directions, turned_towards
from darkgnn_core.maps.storing import StoredMap, StoredNeighbours, embedding_hash
from darkgnn_core.maps.telling import similarity
from darkgnn_core.maps.trusting import kept_neighbours
from darkgnn_core.maps.tsne import TsneSettings
from darkgnn_core.runs import Run, open_embedding
from darkgnn_core.shelf import list_snapshots
from darkgnn_core.spaces import Float32s
from darkgnn_core.workspace import Workspace
from pages.shared.loaders import Shelf, label_state, workspace_at

SETTINGS = TsneSettings()
Points = npt.NDArray[np.float32]
File = tuple[str, int, int]


class DayLabels(NamedTuple):
    """The label of each host of a map.

    Attributes:
        names: Labels of the workspace; the first is `unknown`.
        codes: int32 (n,), position in `names`.
        is_known: bool (n,), known scanners.
    """

    names: tuple[str, ...]
    codes: npt.NDArray[np.int32]
    is_known: npt.NDArray[np.bool_]


class Predicted(NamedTuple):
    """What the neighbours of each host say it is, by the paper's vote.

    Attributes:
        names: Labels.
        codes: int64 (n,), position in `names`.
        confidence: float64 (n,), share of the neighbours that voted for it.
    """

    names: tuple[str, ...]
    codes: npt.NDArray[np.int64]
    confidence: npt.NDArray[np.float64]


def hosts(workspace: Workspace, run: Run, day: str) -> Addresses:
    """Return the hosts of a day's embedding, uint32 (n,), ascending."""
    return _hosts(str(workspace.root), run.id, embedding_hash(workspace, run.id, day), day)


def _hosts(root: str, run_id: str, digest: str, day: str) -> Addresses:
    return _own_plane(root, run_id, digest, day).hosts


def rows(workspace: Workspace, run: Run, day: str) -> Float32s:
    """Return the directions of the hosts of a day in the full space, float32 (n, E)."""
    return _rows(str(workspace.root), run.id, embedding_hash(workspace, run.id, day), day)


@st.cache_resource(max_entries=4, show_spinner=False)
def _rows(root: str, run_id: str, digest: str, day: str) -> Float32s:
    return directions(open_embedding(workspace_at(root), run_id, day).vectors)


def day_similarity(workspace: Workspace, run: Run, day: str) -> float:
    """Return how alike two hosts of a day are on average (`telling.similarity`)."""
    return _similarity(str(workspace.root), run.id, embedding_hash(workspace, run.id, day), day)


@st.cache_data(max_entries=64, show_spinner=False)
def _similarity(root: str, run_id: str, digest: str, day: str) -> float:
    return similarity(_rows(root, run_id, digest, day))


def plane(workspace: Workspace, run: Run, day: str) -> Points:
    """Return the principal plane of a day, turned towards that of the run's first day."""
    first = run.days[0]
    digests = tuple(embedding_hash(workspace, run.id, each) for each in (day, first))
    return _plane(str(workspace.root), run.id, digests, day, first)


@st.cache_resource(max_entries=48, show_spinner="Drawing the map")
def _plane(root: str, run_id: str, digests: tuple[str, ...], day: str, first: str) -> Points:
    own = _own_plane(root, run_id, digests[0], day)
    if day == first:
        return own.points
    there = _own_plane(root, run_id, digests[1], first)
    return turned_towards(own.points, own.hosts, there.points, there.hosts)


@st.cache_resource(max_entries=48, show_spinner=False)
def _own_plane(root: str, run_id: str, digest: str, day: str) -> StoredPlane:
    return day_plane(workspace_at(root), run_id, day)


def stored_map(workspace: Workspace, run: Run, day: str) -> StoredMap | None:
    """Return the t-SNE map of a day, or None while it is not made."""
    path = storing.map_path(workspace, run.id, SETTINGS, day)
    file = _file_of(path)
    if file is None:
        return None
    digest = embedding_hash(workspace, run.id, day)
    return _stored_map(str(workspace.root), run.id, digest, day, file)


@st.cache_resource(max_entries=48, show_spinner=False)
def _stored_map(root: str, run_id: str, digest: str, day: str, file: File) -> StoredMap | None:
    return storing.find_map(workspace_at(root), run_id, SETTINGS, day)


def _file_of(path: Path) -> File | None:
    try:
        stat = path.stat()
    except OSError:
        return None
    return str(path), stat.st_mtime_ns, stat.st_size


def neighbours(
    workspace: Workspace, run: Run, day: str, *, may_find: bool
) -> StoredNeighbours | None:
    """Return the true neighbours of a day's hosts; None where they are not known.

    Args:
        workspace: Where the run is.
        run: The run.
        day: Its day.
        may_find: Find and keep them now where they are not known.
    """
    digest = embedding_hash(workspace, run.id, day)
    file = _file_of(storing.neighbours_path(workspace, run.id, day))
    if file is not None:
        found = _neighbours(str(workspace.root), run.id, digest, day, file)
        if found is not None:
            return found
    if not may_find:
        return None
    with st.spinner("Finding the true neighbours of each host"):
        return true_neighbours(workspace, run.id, day)


@st.cache_resource(max_entries=4, show_spinner=False)
def _neighbours(
    root: str, run_id: str, digest: str, day: str, file: File
) -> StoredNeighbours | None:
    return storing.find_neighbours(workspace_at(root), run_id, day)


def clusters(
    workspace: Workspace, run: Run, day: str, settings: ClusterSettings
) -> StoredClusters | None:
    """Return the clusters of a day, or None while they are not found."""
    file = _file_of(clusters_path(workspace, run.id, settings, day))
    if file is None:
        return None
    digest = embedding_hash(workspace, run.id, day)
    return _clusters(str(workspace.root), run.id, digest, day, settings, file)


@st.cache_resource(max_entries=16, show_spinner=False)
def _clusters(
    root: str, run_id: str, digest: str, day: str, settings: ClusterSettings, file: File
) -> StoredClusters | None:
    return find_clusters(workspace_at(root), run_id, settings, day)


def plane_trust(workspace: Workspace, run: Run, day: str) -> npt.NDArray[np.float32] | None:
    """Return the trust of a day's principal plane; None where true neighbours are not known."""
    if neighbours(workspace, run, day, may_find=False) is None:
        return None
    digests = tuple(embedding_hash(workspace, run.id, each) for each in (day, run.days[0]))
    return _plane_trust(str(workspace.root), run.id, digests, day, run.days[0])


@st.cache_resource(max_entries=8, show_spinner="Holding the map against the full space")
def _plane_trust(
    root: str, run_id: str, digests: tuple[str, ...], day: str, first: str
) -> npt.NDArray[np.float32]:
    near = storing.find_neighbours(workspace_at(root), run_id, day)
    points = _plane(root, run_id, digests, day, first)
    return kept_neighbours(points, near.near) if near is not None else np.zeros(len(points), "f4")


def facts(workspace: Workspace, run: Run, day: str) -> DayFacts:
    """Return what the snapshot of a day tells of the hosts of its embedding."""
    config = run.snapshot_config
    shelf = tuple(
        (each.config_hash, each.bin, each.inputs_hash)
        for each in list_snapshots(workspace, config)
        if each.bin <= day
    )
    digest = embedding_hash(workspace, run.id, day)
    return _facts(str(workspace.root), shelf, config, run.id, digest, day)


@st.cache_resource(max_entries=4, show_spinner="Reading what the hosts did")
def _facts(
    root: str, shelf: Shelf, config: SnapshotConfig, run_id: str, digest: str, day: str
) -> DayFacts:
    return read_facts(workspace_at(root), config, day, _hosts(root, run_id, digest, day))


def labels(workspace: Workspace, run: Run, day: str) -> DayLabels:
    """Return the label of each host of a day's embedding, as of that day."""
    digest = embedding_hash(workspace, run.id, day)
    return _labels(str(workspace.root), label_state(workspace), run.id, digest, day)


@st.cache_resource(max_entries=8, show_spinner="Looking up labels")
def _labels(root: str, state: str, run_id: str, digest: str, day: str) -> DayLabels:
    with workspace_at(root).catalogue() as connection:
        resolved = resolve(connection, _hosts(root, run_id, digest, day), day=day[:10])
        is_known = class_mask(connection, resolved, "known")
    return DayLabels(resolved.names, resolved.codes, np.asarray(is_known, bool))


def predicted(workspace: Workspace, run: Run, day: str) -> Predicted | None:
    """Return what each host's neighbours say it is; None where they are not known."""
    if neighbours(workspace, run, day, may_find=False) is None:
        return None
    digest = embedding_hash(workspace, run.id, day)
    return _predicted(str(workspace.root), label_state(workspace), run.id, digest, day)


@st.cache_resource(max_entries=8, show_spinner="Asking the neighbours")
def _predicted(root: str, state: str, run_id: str, digest: str, day: str) -> Predicted:
    near = storing.find_neighbours(workspace_at(root), run_id, day)
    told = _labels(root, state, run_id, digest, day)
    texts = without_small_classes(np.array(told.names, object)[told.codes], DESK.min_class_hosts)
    names, codes = coded(texts)
    if near is None or not len(names):
        return Predicted((UNKNOWN,), np.zeros(len(texts), np.int64), np.zeros(len(texts)))
    votes = vote(np.append(codes, -1)[near.near[:, : DESK.k]], DESK.ties)
    winner = np.where(votes.winner < 0, len(names), votes.winner)
    known = tuple(str(name) for name in names)
    if UNKNOWN in known:
        winner[winner == len(names)] = known.index(UNKNOWN)
    else:
        known = (*known, UNKNOWN)
    return Predicted(known, winner, votes.votes / DESK.k)
