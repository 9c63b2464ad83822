"""What sets and suggestions are made of, cached on small values."""

import numpy as np
import numpy.typing as npt
import pandas as pd
import streamlit as st

from darkgnn_core.host_queries import HostQuery, find_hosts
from darkgnn_core.host_sets import find_set
from darkgnn_core.labels.resolving import resolve
from darkgnn_core.labels.storing import GIVEN_KINDS
from darkgnn_core.labels.verdicts import rejected_pairs, verdict_state
from darkgnn_core.runs import open_embedding
from darkgnn_core.set_tables import host_table
from darkgnn_core.suggestions import Suggestions, SuggestionSettings, Told, suggest
from darkgnn_core.workspace import Workspace
from pages.shared import loaders


def found_hosts(workspace: Workspace, query: HostQuery) -> npt.NDArray[np.uint32]:
    """Return the hosts that fit a query, uint32 (n,)."""
    shelf, labels = loaders.shelf_state(workspace), loaders.label_state(workspace)
    return _found_hosts(str(workspace.root), shelf, labels, query)


@st.cache_data(max_entries=16, show_spinner="Looking for hosts")
def _found_hosts(
    root: str, shelf: loaders.Shelf, labels: str, query: HostQuery
) -> npt.NDArray[np.uint32]:
    workspace = loaders.workspace_at(root)
    return find_hosts(workspace, workspace.snapshot_config(), query)


def hosts_of_set(workspace: Workspace, set_id: str, day: str | None) -> pd.DataFrame:
    """Return the hosts of a set with their labels; a set's hosts never change."""
    return _hosts_of_set(str(workspace.root), loaders.label_state(workspace), set_id, day)


@st.cache_data(max_entries=8, show_spinner=False)
def _hosts_of_set(root: str, labels: str, set_id: str, day: str | None) -> pd.DataFrame:
    workspace = loaders.workspace_at(root)
    return host_table(workspace, find_set(workspace, set_id).hosts, day=day)


def suggestions(
    workspace: Workspace,
    run_id: str,
    day: str,
    settings: SuggestionSettings,
    set_id: str | None = None,
    *,
    told: Told | None = None,
) -> Suggestions:
    """Return the labels suggested for unlabelled hosts of a day.

    Args:
        workspace: Whose labels vote, those given by hand among them.
        run_id: The run whose embedding counts.
        day: One of its bins.
        settings: When a label is suggested.
        set_id: Only for hosts of this set.
        told: Called with progress while they are worked out; where that is stopped, nothing is
            kept.
    """
    labels, verdicts = loaders.label_state(workspace), _verdict_state(workspace)
    slot = _slot(str(workspace.root), labels, verdicts, run_id, day, settings, set_id)
    if not slot:
        slot.append(_worked_out(workspace, run_id, day, settings, set_id, told))
    return slot[0]


def _verdict_state(workspace: Workspace) -> str:
    with workspace.catalogue() as connection:
        return verdict_state(connection)


@st.cache_resource(max_entries=8, show_spinner=False)
def _slot(
    root: str,
    labels: str,
    verdicts: str,
    run_id: str,
    day: str,
    settings: SuggestionSettings,
    set_id: str | None,
) -> list[Suggestions]:
    """Return where an answer is kept once there is one: progress cannot be told inside a cache."""
    return []


def _worked_out(
    workspace: Workspace,
    run_id: str,
    day: str,
    settings: SuggestionSettings,
    set_id: str | None,
    told: Told | None,
) -> Suggestions:
    embedding = open_embedding(workspace, run_id, day)
    with workspace.catalogue() as connection:
        resolved = resolve(connection, embedding.hosts, day=day[:10])
        rejected = rejected_pairs(connection)
    return suggest(
        embedding,
        resolved.labels,
        settings=settings,
        given=np.isin(resolved.source_kinds, GIVEN_KINDS),
        hosts=None if set_id is None else find_set(workspace, set_id).hosts,
        rejected=rejected,
        told=told,
    )
