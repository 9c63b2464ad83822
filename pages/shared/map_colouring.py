"""What the points of a map are coloured by: choosing it, and working it out."""

import numpy as np
import streamlit as st

from darkgnn_core.charts.map_colours import (
    Colouring,
    by_age,
    by_cluster,
    by_label,
    by_number,
    by_port,
)
from darkgnn_core.charts.map_words import column_words
from darkgnn_core.maps.cluster_job import StoredClusters
from darkgnn_core.maps.facts import FEATURES
from darkgnn_core.workspace import Workspace
from pages.shared import loaders
from pages.shared import map_loaders as loaded
from pages.shared.cluster_choice import settings
from pages.shared.feedback import safe
from pages.shared.map_views import MapView

COLOUR, FEATURE, CLUSTER = "map_colour", "map_feature", "cluster"
ASKED = "map_clusters_asked"
CHOICES = {
    "label": "Label",
    "prediction": "Prediction (vote of its neighbours)",
    "confidence": "Confidence of the prediction",
    "port": "Port with most packets",
    "packets": "Packets",
    "newness": "First seen",
    "cluster": "Cluster of the day",
    "trust": "Trust in its place",
    "feature": "A feature",
}
NEED_NEIGHBOURS = ("prediction", "confidence", "trust")
TRUST_EDGES = (0, 5, 10, 20, 30, 50, 70, 100)
MOST_AT_ONCE = 8_000
"""So many hosts have their true neighbours found while one waits, about a second."""


def choose_colour() -> None:
    """Ask what the colours shall mean."""
    st.selectbox(
        "Colour by",
        list(CHOICES),
        format_func=CHOICES.__getitem__,
        key=COLOUR,
        bind="query-params",
        help="The same label has the same colour on every page. Trust is the share of a host's 15 "
        "nearest hosts in the full space that are nearest on the map, too: an island of low trust "
        "is not one.",
    )
    if choice() == "feature":
        st.selectbox(
            "Feature",
            FEATURES,
            format_func=column_words,
            key=FEATURE,
            bind="query-params",
            help="A figure of each host's traffic of the day; the legend gives its values.",
        )


def choice() -> str:
    """Return what the colours mean."""
    return str(st.session_state.get(COLOUR) or "label")


def colouring(workspace: Workspace, view: MapView) -> Colouring:
    """Return the colours of all hosts of a map's day; by label where others are not known."""
    chosen = choice()
    run, day = view.run, view.day
    if chosen in NEED_NEIGHBOURS:
        found = _by_neighbours(workspace, view, chosen)
        if found is not None:
            return found
    elif chosen == CLUSTER:
        clusters = _clusters(workspace, view)
        if clusters is not None:
            return by_cluster(clusters.labels)
    elif chosen == "port":
        return by_port(loaded.facts(workspace, run, day).busiest_ports)
    elif chosen == "newness":
        return by_age(loaded.facts(workspace, run, day).days_known)
    elif chosen in ("packets", "feature"):
        name = "packets" if chosen == "packets" else str(st.session_state.get(FEATURE, FEATURES[0]))
        values = loaded.facts(workspace, run, day).features[:, FEATURES.index(name)]
        return by_number(values, column_words(name))
    told = loaded.labels(workspace, run, day)
    return by_label(told.names, told.codes, loaders.all_labels(workspace))


def _clusters(workspace: Workspace, view: MapView) -> StoredClusters | None:
    """Return the clusters of a map's day; None where they are still to be found by the page."""
    wanted = settings()
    found = loaded.clusters(workspace, view.run, view.day, wanted)
    asked = [view.run.id, view.day, wanted.min_hosts, wanted.min_samples]
    if found is None and view.name == "left" and st.session_state.get(ASKED) != asked:
        st.session_state[ASKED] = asked
        st.rerun(scope="app")
    if found is None and view.name != "left":
        st.caption("Clusters are found for one map at a time; labels are shown here.")
    return found


def _by_neighbours(workspace: Workspace, view: MapView, chosen: str) -> Colouring | None:
    """Return colours that need the true neighbours; None, and say so, where they are not known."""
    few = len(view.all_hosts) <= MOST_AT_ONCE
    if loaded.neighbours(workspace, view.run, view.day, may_find=few) is None:
        st.info(
            f"{safe(CHOICES[chosen])} needs the true neighbours of {len(view.all_hosts):,} hosts. "
            "They are found with the t-SNE map; until then labels are shown.",
            icon=":material/hourglass:",
        )
        return None
    if chosen == "trust":
        trust = view.trust
        if trust is None:
            trust = loaded.plane_trust(workspace, view.run, view.day)
        values = np.zeros(len(view.all_hosts), np.float32) if trust is None else trust
        return by_number(100 * values, "true neighbours kept (%)", edges=TRUST_EDGES)
    found = loaded.predicted(workspace, view.run, view.day)
    if found is None:
        return None
    if chosen == "confidence":
        return by_number(found.confidence, "votes for the prediction")
    return by_label(found.names, found.codes, loaders.all_labels(workspace), "prediction")
