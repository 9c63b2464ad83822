"""What sets and suggestions are made of, cached on small values."""

import numpy as np
import numpy.typing as npt
import pandas as pd
import streamlit as st

from darkgnn_core.host_queries import HostQuery, find_hosts
from darkgnn_core.host_sets import find_set
from darkgnn_core.labels.resolving import resolve
from darkgnn_core.labels.verdicts import rejected_pairs, verdict_state
from darkgnn_core.runs import open_embedding
from darkgnn_core.set_tables import host_table
from darkgnn_core.suggestions import Suggestions, SuggestionSettings, suggest
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
) -> Suggestions:
    """Return the labels suggested for unlabelled hosts of a day.

    Args:
        workspace: Whose labels vote, those given by hand among them.
        run_id: The run whose embedding counts.
        day: One of its bins.
        settings: When a label is suggested.
        set_id: Only for hosts of this set.
    """
    with workspace.catalogue() as connection:
        verdicts = verdict_state(connection)
    labels = loaders.label_state(workspace)
    return _suggestions(str(workspace.root), labels, verdicts, run_id, day, settings, set_id)


@st.cache_data(max_entries=8, show_spinner="Asking the neighbours")
def _suggestions(
    root: str,
    labels: str,
    verdicts: str,
    run_id: str,
    day: str,
    settings: SuggestionSettings,
    set_id: str | None,
) -> Suggestions:
    workspace = loaders.workspace_at(root)
    embedding = open_embedding(workspace, run_id, day)
    with workspace.catalogue() as connection:
        resolved = resolve(connection, embedding.hosts, day=day[:10])
        rejected = rejected_pairs(connection)
    hosts = None if set_id is None else find_set(workspace, set_id).hosts
    return suggest(embedding, resolved.labels, settings=settings, hosts=hosts, rejected=rejected)
