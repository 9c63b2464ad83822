"""A cluster of the run and day in view as what a graph is around."""

import numpy as np
import numpy.typing as npt
import streamlit as st

from darkgnn_core.charts.map_words import cluster_words
from darkgnn_core.errors import ConfigError
from darkgnn_core.maps.cluster_job import StoredClusters
from darkgnn_core.maps.clustering import NOISE, ClusterSettings
from darkgnn_core.run_store import read_run
from darkgnn_core.runs import Run
from darkgnn_core.workspace import Workspace
from pages.shared import map_loaders as loaded
from pages.shared.cluster_choice import (
    choose_settings,
    recipe_of,
    see_to_clusters,
    settings,
    tell_cohesion,
)
from pages.shared.context import day_of, run_needed
from pages.shared.feedback import plain
from pages.shared.set_links import offer_set

NUMBER = "graph_cluster"
Hosts = npt.NDArray[np.uint32]


def choose_cluster(workspace: Workspace) -> tuple[str, str] | None:
    """Ask for a cluster; return its value for `hosts_of_cluster` and its words, or None."""
    run = run_needed(workspace)
    day = None if run is None else day_of(run)
    if run is None or day is None:
        return None
    with st.popover(
        "How clusters are found",
        icon=":material/tune:",
        help="How many hosts make a cluster, and how dense it must be; a change finds them anew.",
    ):
        choose_settings()
    found = see_to_clusters(workspace, run, day)
    if found is None:
        return None
    numbers = [int(each) for each in np.unique(found.labels) if each != NOISE]
    if not numbers:
        st.info(
            "All hosts are noise: there is no cluster. Let one have fewer hosts.",
            icon=":material/blur_on:",
        )
        return None
    names = _names(workspace, run, day, found)
    _take_from_address(numbers)
    chosen = st.selectbox(
        f"Cluster of {len(numbers):,}; noise: {int((found.labels == NOISE).sum()):,} hosts",
        numbers,
        key=NUMBER,
        format_func=names.__getitem__,
        help="The largest first, each with its commonest label. Noise are hosts of no cluster; "
        "they cannot be chosen.",
    )
    st.query_params[NUMBER] = str(chosen)
    wanted = settings()
    tell_cohesion(workspace, run.id, day, wanted, chosen)
    value = f"{run.id} {day} {wanted.min_hosts} {wanted.min_samples} {chosen}"
    recipe = recipe_of(run.id, day, wanted, chosen)
    offer_set(workspace, hosts_of_cluster(workspace, value), recipe=recipe, key="graph_of_cluster")
    return value, f"{cluster_words(chosen)} of {plain(run.name)}, {day}"


def _take_from_address(numbers: list[int]) -> None:
    """Choose the cluster that the address names by its number, if none is chosen.

    A bound widget would write its words there, which change with the labels.
    """
    if st.session_state.get(NUMBER) in numbers:
        return
    st.session_state.pop(NUMBER, None)
    linked = st.query_params.get(NUMBER, "")
    if linked in map(str, numbers):
        st.session_state[NUMBER] = int(linked)


def _names(workspace: Workspace, run: Run, day: str, found: StoredClusters) -> dict[int, str]:
    """Return each cluster with its size and its most frequent label."""
    told = loaded.labels(workspace, run, day)
    names = {}
    for number in np.unique(found.labels):
        codes = told.codes[found.labels == number]
        counts = np.bincount(codes, minlength=len(told.names))
        top = int(counts.argmax())
        share = counts[top] / max(len(codes), 1)
        words = f"{cluster_words(int(number))}: {len(codes):,} hosts, "
        names[int(number)] = words + f"{share:.0%} {plain(told.names[top])}"
    return names


def hosts_of_cluster(workspace: Workspace, value: str) -> Hosts:
    """Return the hosts of a cluster, uint32 (n,), by address; none where it is gone.

    Args:
        workspace: Where the run is.
        value: Run, day, settings and number, as `choose_cluster` gives it.

    Raises:
        ConfigError: `CLUSTERS` where the value is none.
    """
    try:
        run_id, day, *numbers = value.split()
        min_hosts, min_samples, number = map(int, numbers)
    except ValueError as error:
        raise ConfigError("A cluster is run, day, settings and number.", code="CLUSTERS") from error
    run = read_run(workspace, run_id)
    found = loaded.clusters(workspace, run, day, ClusterSettings(min_hosts, min_samples))
    if found is None:
        return np.empty(0, np.uint32)
    hosts: Hosts = loaded.hosts(workspace, run, day)[found.labels == number]
    return hosts
