"""What sets the selected hosts apart: figures, labels, ports, features, first seen."""

import math
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
import streamlit as st

from darkgnn_core.charts.host_words import port_words
from darkgnn_core.charts.map_words import column_words, hidden_words, short_count
from darkgnn_core.maps.clustering import ClusterSettings
from darkgnn_core.maps.facts import FEATURES, DayFacts
from darkgnn_core.maps.telling import (
    closeness,
    features_apart,
    first_seen_table,
    labels_apart,
    ports_apart,
)
from darkgnn_core.workspace import Workspace
from pages.shared import map_loaders as loaded
from pages.shared import map_state
from pages.shared.cluster_choice import tell_cohesion
from pages.shared.feedback import safe, show_table
from pages.shared.map_views import MapView

MOST_PORTS, MOST_FEATURES, MOST_BINS = 15, 15, 12
ROW_PIXELS = 35
Mask = npt.NDArray[np.bool_]


def show_panel(workspace: Workspace, view: MapView, selected: Mask) -> None:
    """Show what sets some hosts of a day apart from the rest of it.

    Args:
        workspace: Where the run is.
        view: The map, n hosts.
        selected: bool (n,), at least one.
    """
    st.subheader("What sets these hosts apart")
    _tell_hidden(view, selected)
    _tell_cluster(workspace)
    facts = loaded.facts(workspace, view.run, view.day)
    _show_figures(workspace, view, facts, selected)
    left, right = st.columns(2)
    with left:
        _show_labels(workspace, view, selected)
        _show_first_seen(facts, selected)
    with right:
        _show_ports(facts, selected)
    _show_features(facts, selected)


def _tell_hidden(view: MapView, selected: Mask) -> None:
    """Say that hidden hosts count, too, where some are selected."""
    hidden = int((selected & ~view.shown).sum())
    if hidden:
        count = int(selected.sum())
        words = hidden_words(count - hidden, hidden, "selected hosts")
        st.caption(f"{safe(words)}. All figures below are of all {count:,}.")


def _tell_cluster(workspace: Workspace) -> None:
    """Say how close the selection lies where it is a cluster."""
    how = map_state.recipe()
    if how.get("kind") == "cluster" and how.get("run"):
        wanted = ClusterSettings(int(how["min_hosts"]), int(how["min_samples"]))
        tell_cohesion(workspace, str(how["run"]), str(how["day"]), wanted, int(how["cluster"]))


def _show_figures(workspace: Workspace, view: MapView, facts: DayFacts, selected: Mask) -> None:
    near = loaded.neighbours(workspace, view.run, view.day, may_find=False)
    rows = loaded.rows(workspace, view.run, view.day)
    day = loaded.day_similarity(workspace, view.run, view.day)
    close = closeness(rows, selected, None if near is None else near.near, day=day)
    count = int(selected.sum())
    new = int((facts.days_known[selected] == 0).sum())
    figures = st.columns(5)
    _figure(figures[0], "Hosts", f"{count:,}", f"{count / len(selected):.1%} of the day")
    packets, all_packets = int(facts.packets[selected].sum()), int(facts.packets.sum())
    share = packets / max(all_packets, 1)
    _figure(figures[1], "Packets", short_count(packets), f"{share:.1%} of the day")
    _figure(figures[2], "First seen today", f"{new:,}", f"{new / count:.0%} of them")
    _figure(
        figures[3],
        "Cohesion",
        "one host" if math.isnan(close.inside) else f"{close.inside:.2f}",
        f"{close.day:.2f} over the day",
        "Mean cosine similarity of two of these hosts in the full space, not on the map.",
    )
    _figure(
        figures[4],
        "Group kept",
        "not yet" if math.isnan(close.kept) else f"{close.kept:.0%}",
        "of true neighbours",
        "Share of the 15 nearest hosts of each in the full space that are selected, too. Low where "
        "hosts only look like a group on the map. Known once the t-SNE map of the day is made, or "
        "once the map was coloured by trust.",
    )


def _figure(place: Any, label: str, value: str, below: str, help_: str | None = None) -> None:
    place.metric(
        safe(label),
        value,
        below,
        delta_color="off",
        delta_arrow="off",
        help=None if help_ is None else safe(help_),
    )


def _show_labels(workspace: Workspace, view: MapView, selected: Mask) -> None:
    told = loaded.labels(workspace, view.run, view.day)
    st.caption("Labels")
    table = labels_apart(told.names, told.codes, selected)
    show_table(_with_shares(table), "map_labels", height=_height(table))


def _show_ports(facts: DayFacts, selected: Mask) -> None:
    table = ports_apart(facts, selected)
    shown = table[table["weight"] > 0].head(MOST_PORTS)
    st.caption(
        f"Ports that tell them from the day, the clearest first; {len(shown):,} of "
        f"{len(table):,} they sent to. Lift: their share over that of the day."
    )
    named = shown.assign(port=[port_words(int(port)) for port in shown["port"]])
    show_table(_with_shares(named.drop(columns="weight")), "map_ports", height=_height(shown))


def _show_features(facts: DayFacts, selected: Mask) -> None:
    shown = features_apart(FEATURES, facts.features, facts.ranks, selected, limit=MOST_FEATURES)
    st.caption(
        f"The {len(shown):,} of {len(FEATURES):,} features in which they differ most from the "
        "other hosts of the day. Effect 1: each of them is above each of the others; 0: no "
        "difference; -1: below."
    )
    named = shown.assign(feature=[column_words(name) for name in shown["feature"]])
    named = named.rename(columns={"median": "their median", "median_others": "median of others"})
    show_table(named.round(3), "map_features", height=_height(shown))


def _show_first_seen(facts: DayFacts, selected: Mask) -> None:
    table = first_seen_table(facts, selected)
    shown = table.head(MOST_BINS)
    st.caption(f"First seen; {len(shown):,} of {len(table):,} days")
    show_table(
        _with_shares(shown.rename(columns={"bin": "day"})), "map_first_seen", height=_height(shown)
    )


def _with_shares(table: pd.DataFrame) -> pd.DataFrame:
    """Write shares as percentages, lifts with two decimals."""
    written = table.copy()
    for name in ("share", "day_share"):
        if name in written:
            written[name] = [f"{value:.1%}" for value in table[name]]
    if "lift" in written:
        written["lift"] = table["lift"].round(2)
    return written.rename(columns={"day_share": "share of the day"})


def _height(table: pd.DataFrame) -> int:
    return ROW_PIXELS * (min(len(table), 12) + 1) + 3
