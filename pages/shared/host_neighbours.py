"""The exact nearest hosts of the host in view: each one click from its page, and why it is near."""

from functools import partial

import numpy as np
import pandas as pd
import streamlit as st

from darkgnn_core.charts.host_words import address_text, near_table, rarest_words
from darkgnn_core.evaluation.predictions import Texts, Voting
from darkgnn_core.hosts.evidence import is_same_prefix, shared_ports
from darkgnn_core.hosts.predicting import METRIC_WORDS, Nearby
from darkgnn_core.neighbours import METRICS, Metric
from darkgnn_core.runs import Run
from darkgnn_core.safe_csv import csv_of
from pages.shared import host_loaders, loaders, state
from pages.shared.csv_export import offer_table
from pages.shared.feedback import plain, safe, show_table
from pages.shared.host_evidence import show_evidence
from pages.shared.host_view import HostView
from pages.shared.navigation import page
from pages.shared.set_links import offer_set

TABLE = "host_near"
CHOSEN = "host_near_chosen"
OPENED = "host_near_opened"
ROW_PIXELS = 35
MOST_ROWS = 12


def show_neighbours(view: HostView) -> None:
    """Show the k nearest hosts with distance, label and shared ports; then one pair in full."""
    run = needed_run(view)
    if run is None:
        return
    voting = choose_metric()
    found = host_loaders.near(
        view.workspace, run.id, view.day, view.host, voting.k,
        metric=voting.metric, standardise=voting.standardise,
    )  # fmt: skip
    if found is None:
        st.info(safe(not_embedded(view, run)), icon=":material/scatter_plot:")
        return
    near, labels = _without_known(view, run, found)
    if not len(near.hosts):
        st.text("No other host of the day is left to show.")
        return
    table = _table(view, near, labels)
    row = _chosen_row(view, near)
    _show_table(view, table, row)
    _offer(view, near, voting, table)
    _step(view, near, row)
    show_evidence(view, run, voting, near, labels, row)


def needed_run(view: HostView) -> Run | None:
    """Return the run in view; where there is none or it lacks the day, say so and return None."""
    if view.run is None:
        st.info(
            "Neighbours need embeddings: train a model first.", icon=":material/model_training:"
        )
        st.page_link(
            page("train_models.py"),
            label="Go to Train models",
            help="Embeddings are made there; what the host did can be seen without one.",
        )
        return None
    if view.day not in view.run.days:
        st.info(safe(not_embedded(view, view.run)), icon=":material/scatter_plot:")
        return None
    return view.run


def not_embedded(view: HostView, run: Run) -> str:
    """Return why a run has no neighbours of the host, in a sentence."""
    if view.day in run.days:
        return f"The run {run.name} embedded {view.day}, but not this host."
    return f"The run {run.name} did not embed {view.day}; it has {run.days[0]} to {run.days[-1]}."


def choose_metric() -> Voting:
    """Ask how many neighbours, and what near means."""
    left, middle, right = st.columns([1, 2, 2], vertical_alignment="bottom")
    k = left.number_input(
        "Neighbours", 1, 200, 10, key="host_k", persist_state="session", help="How many nearest."
    )
    metric: Metric = middle.selectbox(
        "Near means",
        METRICS,
        format_func=METRIC_WORDS.__getitem__,
        key="host_metric",
        persist_state="session",
        help="By another measure, other hosts may be the nearest.",
    )
    with right:
        standardise = st.toggle(
            "Standardised",
            value=True,
            key="host_standardise",
            persist_state="session",
            help="Each dimension at mean 0 and variance 1 over the hosts of the day, as in the "
            "paper's evaluation.",
        )
    return Voting(k=int(k), metric=metric, standardise=standardise)


def _without_known(view: HostView, run: Run, found: Nearby) -> tuple[Nearby, Texts]:
    labels = host_loaders.labels(view.workspace, run.id, view.day)[found.positions]
    if not state.is_known_hidden():
        return found, labels
    kept = ~np.isin(labels.astype(str), loaders.known_labels(view.workspace))
    hidden = int((~kept).sum())
    if hidden:
        st.caption(f"{hidden:,} of the {len(kept):,} nearest are known scanners and hidden.")
    return Nearby(found.hosts[kept], found.distances[kept], found.positions[kept]), labels[kept]


def _table(view: HostView, near: Nearby, labels: Texts) -> pd.DataFrame:
    ports = host_loaders.day_ports(view.workspace, view.config, view.day)
    shared = [shared_ports(ports, view.host, int(host)) for host in near.hosts]
    return near_table(
        near.hosts,
        near.distances,
        [str(label) for label in labels],
        [(each.count, each.lift, rarest_words(each.ports)) for each in shared],
        [is_same_prefix(view.host, int(host)) for host in near.hosts],
    )


def _chosen_row(view: HostView, near: Nearby) -> int:
    """Return which neighbour is shown in full: the first one for a host that has just come."""
    of, row = st.session_state.get(CHOSEN, (None, 0))
    return row if of == view.host and row < len(near.hosts) else 0


def _choose(host: int, row: int) -> None:
    st.session_state[CHOSEN] = (host, row)


def _show_table(view: HostView, table: pd.DataFrame, row: int) -> None:
    addresses = tuple(table["open"])
    now = st.session_state.get(TABLE)
    if now is None or list(now["selection"]["rows"]) != [row]:
        chosen = {"rows": [row], "columns": [], "cells": []}
        st.session_state[TABLE] = {"selection": chosen}
    show_table(
        table,
        TABLE,
        columns={
            "open": st.column_config.ButtonColumn(
                "host, opens its page",
                type="tertiary",
                key=OPENED,
                on_click=_open_row,
                args=(addresses,),
                pinned=True,
                alignment="left",
            ),
            "distance": st.column_config.NumberColumn(format="%.4f"),
            "lift": st.column_config.NumberColumn(
                format="%.1f x",
                help="How many times more ports it shares with this host than a random host of "
                "the day does.",
            ),
            "rarest": st.column_config.TextColumn("rarest shared ports"),
        },
        height="auto" if len(table) < MOST_ROWS else MOST_ROWS * ROW_PIXELS,
        on_select=partial(_choose_selected, view.host),
    )


def _open_row(addresses: tuple[str, ...]) -> None:
    click = st.session_state.get(OPENED)
    if click is not None and click["row"] < len(addresses):
        state.set_host_in_view(addresses[click["row"]])


def _choose_selected(host: int) -> None:
    rows = st.session_state[TABLE].selection.rows
    if rows:
        _choose(host, rows[0])


def _offer(view: HostView, near: Nearby, voting: Voting, table: pd.DataFrame) -> None:
    recipe = {
        "kind": "neighbours",
        "of": view.address,
        "k": len(near.hosts),
        "metric": voting.metric,
        "day": view.day,
    }
    hosts = np.append(near.hosts, np.uint32(view.host))
    st.caption("The host and its neighbours as a set")
    offer_set(view.workspace, np.sort(hosts), recipe=recipe, key="host_near_set")
    offer_table(
        "Neighbours as CSV",
        lambda: csv_of(table.rename(columns={"open": "address"})),
        name=f"{view.address}-neighbours",
        key="host_near_csv",
        help="The table above, one row for each neighbour.",
    )


def _step(view: HostView, near: Nearby, row: int) -> None:
    """Show the ways to the next and the previous neighbour, by key, too."""
    with st.container(horizontal=True, vertical_alignment="center"):
        st.subheader(f"Why neighbour {row + 1:,} of {len(near.hosts):,} is near", anchor=False)
        st.button(
            "Previous",
            key="host_near_previous",
            icon=":material/chevron_left:",
            shortcut="P",
            disabled=row == 0,
            on_click=partial(_choose, view.host, row - 1),
            help="Shows why the next nearer neighbour is near; the host in view stays.",
        )
        st.button(
            "Next neighbour",
            key="host_near_next",
            icon=":material/chevron_right:",
            shortcut="N",
            disabled=row + 1 == len(near.hosts),
            on_click=partial(_choose, view.host, row + 1),
            help="Shows why the next farther neighbour is near; the host in view stays.",
        )
        st.button(
            plain(f"Open {address_text(int(near.hosts[row]))}"),
            key="host_near_open",
            icon=":material/open_in_new:",
            shortcut="O",
            on_click=state.set_host_in_view,
            args=(address_text(int(near.hosts[row])),),
            help="Makes this neighbour the host in view, with neighbours of its own.",
        )
