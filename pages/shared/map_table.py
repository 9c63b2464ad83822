"""The hosts of the map as a table: the same selecting for keyboards and screen readers."""

from ipaddress import IPv4Address

import numpy as np
import numpy.typing as npt
import pandas as pd
import streamlit as st

from darkgnn_core.charts.map_words import hidden_words
from darkgnn_core.charts.port_names import port_label
from darkgnn_core.workspace import Workspace
from pages.shared import map_loaders as loaded
from pages.shared import map_state
from pages.shared.context import open_host
from pages.shared.feedback import plain, safe
from pages.shared.map_views import MapView

WHICH, TURN = "map_table_which", "map_table_turn"
MOST_ROWS = 1_000
HEIGHT, ROW_PIXELS = 340, 35
CHOICES = ("Selected", "Found", "All")
Mask = npt.NDArray[np.bool_]


def show_table_of(workspace: Workspace, view: MapView, selected: Mask, found: Mask) -> None:
    """Show hosts as rows; chosen rows can become the selection.

    Args:
        workspace: Where the run is.
        view: The map, n hosts.
        selected: bool (n,).
        found: bool (n,), by a search.
    """
    masks = dict(zip(CHOICES, (selected, found, np.ones(len(selected), bool)), strict=True))
    which = st.segmented_control(
        "Hosts in the table",
        CHOICES,
        default=CHOICES[0],
        key=WHICH,
        required=True,
        help="Found are those that a search above the map lit up. Hidden hosts are in none.",
    )
    wanted = masks[which or CHOICES[0]] & view.shown
    hidden = int((masks[which or CHOICES[0]] & ~view.shown).sum())
    facts = loaded.facts(workspace, view.run, view.day)
    places = np.flatnonzero(wanted)
    order = np.lexsort((view.all_hosts[places], -facts.packets[places]))
    rows = places[order[:MOST_ROWS]]
    _say_how_many(len(rows), len(places), hidden, which or CHOICES[0])
    if not len(rows):
        return
    turn = int(st.session_state.get(TURN, 0))
    state = st.dataframe(
        _table(workspace, view, rows, selected),
        key=f"map_table_{turn}_{which}",
        hide_index=True,
        width="stretch",
        height=min(HEIGHT, ROW_PIXELS * (len(rows) + 1) + 3),
        on_select="rerun",
        selection_mode="multi-row",
        column_config={
            "packets": st.column_config.NumberColumn(format="localized"),
            "ports": st.column_config.NumberColumn(format="localized"),
        },
    )
    chosen = [row for row in state["selection"]["rows"] if row < len(rows)]
    _offer(workspace, view.all_hosts[rows[chosen]])


def _say_how_many(rows: int, hosts: int, hidden: int, which: str) -> None:
    kind = {"Selected": "selected hosts", "Found": "hosts found", "All": "hosts"}[which]
    if hidden:
        st.caption(f"{safe(hidden_words(hosts, hidden, kind))}.")
    elif not hosts:
        help_ = {
            "Selected": "Nothing is selected here. Draw around hosts, or choose rows of All.",
            "Found": "Nothing was found. Search above the map.",
            "All": "There are no hosts.",
        }
        st.caption(safe(help_[which]))
    if rows < hosts:
        st.caption(f"Showing {rows:,} of {hosts:,} {kind}, chosen by packets: the busiest.")
    elif hosts == 1 and not hidden:
        st.caption(f"One {safe(kind.replace('hosts', 'host'))}.")
    elif hosts > 1 and not hidden:
        st.caption(f"All {hosts:,} {kind}, the busiest first.")


def _table(
    workspace: Workspace, view: MapView, rows: npt.NDArray[np.int64], selected: Mask
) -> pd.DataFrame:
    facts = loaded.facts(workspace, view.run, view.day)
    told = loaded.labels(workspace, view.run, view.day)
    busiest = facts.busiest_ports[rows]
    table = pd.DataFrame(
        {
            "address": [str(IPv4Address(int(host))) for host in view.all_hosts[rows]],
            "label": [plain(told.names[code]) for code in told.codes[rows]],
            "packets": facts.packets[rows],
            "ports": facts.port_counts[rows],
            "busiest port": [port_label(int(port)) if port >= 0 else "" for port in busiest],
            "first seen": [facts.bins[at] if at >= 0 else "" for at in facts.first_seen[rows]],
        }
    )
    if not selected[rows].all():
        table["selected"] = selected[rows]
    if view.trust is not None:
        table["trust"] = np.round(view.trust[rows].astype(float), 2)
    return table


def _offer(workspace: Workspace, chosen: npt.NDArray[np.uint32]) -> None:
    """Offer what can be done with the chosen rows."""
    none = len(chosen) == 0
    words = "no row chosen" if none else f"{len(chosen):,} row{'s' * (len(chosen) != 1)} chosen"
    with st.container(horizontal=True, vertical_alignment="center"):
        st.text(words)
        only = st.button(
            "Select only these",
            key="map_rows_only",
            disabled=none,
            help="The hosts of the chosen rows become the selection, instead of the one there is.",
        )
        add = st.button(
            "Add to selection",
            key="map_rows_add",
            disabled=none,
            help="What is selected now stays selected.",
        )
        take = st.button(
            "Take out",
            key="map_rows_out",
            disabled=none,
            help="The hosts of the chosen rows leave the selection; nothing is deleted.",
        )
        opened = st.button(
            "Open host",
            key="map_rows_open",
            disabled=len(chosen) != 1,
            help="Opens the page of one host; choose exactly one row.",
        )
    if opened:
        open_host(str(IPv4Address(int(chosen[0]))))
    now = map_state.selection(workspace)
    joined = chosen if only else np.union1d(now, chosen) if add else np.setdiff1d(now, chosen)
    if only or add or take:
        map_state.select(workspace, joined, {"kind": "chosen"})
        st.session_state[TURN] = int(st.session_state.get(TURN, 0)) + 1
        st.rerun()
