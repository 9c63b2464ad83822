"""What is selected: who it is, all it meets, and what can be done with it."""

from collections.abc import Callable
from dataclasses import replace
from functools import partial
from typing import Literal

import numpy as np
import pandas as pd
import streamlit as st

from darkgnn_core.charts.graph_tables import label_of
from darkgnn_core.charts.graph_words import EITHER, days_words, node_words
from darkgnn_core.graphs.limits import Doings
from darkgnn_core.graphs.nodes import Node, hosts_among, node_of
from darkgnn_core.workspace import Workspace
from pages.shared import context, graph_loaders, graph_state, state
from pages.shared.feedback import plain, safe, show_table
from pages.shared.graph_start import note_context, start_at
from pages.shared.graph_view import GraphView
from pages.shared.set_links import offer_set

ROWS = 9
ROW_PIXELS = 35
CHOOSE = "graph_choose"


def show_panel(view: GraphView) -> None:
    """Show what is selected, or how to select."""
    _choose(view)
    nodes = view.selected
    if not nodes:
        st.caption("Select a node: in the drawing, above by name, or in the tables below.")
    elif len(nodes) == 1:
        _show_one(view, nodes[0])
    else:
        _show_several(view, nodes)


def _choose(view: GraphView) -> None:
    """Choose nodes by name, with the keyboard."""
    names = dict(zip(view.rows["id"], view.rows["name"], strict=True))
    st.session_state[CHOOSE] = [node.id for node in view.selected]
    st.multiselect(
        "Selected",
        list(names),
        format_func=lambda each: plain(names.get(each, "")),
        key=CHOOSE,
        on_change=_take_chosen,
        placeholder="Find a node by name",
        help="Only nodes that are drawn are found. Taking a name out lets go of the node; it stays "
        "in the drawing.",
    )


def _take_chosen() -> None:
    graph_state.select(list(st.session_state[CHOOSE]))


def _show_one(view: GraphView, node: Node) -> None:
    row = view.rows[view.rows["id"] == node.id].iloc[0]
    met = graph_loaders.neighbours(view.workspace, view.question, node)
    what = "ports" if node.is_host else "hosts"
    st.text(plain(f"{node_words(node)}: {label_of(node, view.answer.labels)}"))
    drawn = f"{int(row['neighbours']):,} {what}", f"{int(row['shown']):,} of them drawn."
    if view.question.compared:
        _show_days(view, node, what)
        st.caption(safe(f"{drawn[0]}{EITHER}, {drawn[1]}"))
    else:
        st.caption(safe(f"{int(row['packets']):,} packets, {drawn[0]}, {drawn[1]}"))
    _show_actions(view, node, int(row["neighbours"]) - int(row["shown"]), what)
    _show_met(view, met, what)


def _show_days(view: GraphView, node: Node, what: str) -> None:
    """Tell the days in view and the day compared with apart."""
    found = graph_loaders.each_day(view.workspace, view.question, node)
    told = ((days_words(view.days), found.now), (view.question.compared, found.before))
    for column, (days, (packets, met)) in zip(st.columns(2), told, strict=True):
        column.caption(safe(f"{days}: {packets:,} packets, {met:,} {what}."))


def _show_actions(view: GraphView, node: Node, hidden: int, what: str) -> None:
    done = graph_state.doings()
    count = min(hidden, view.choice.limits.neighbours)
    with st.container(horizontal=True, gap="small"):
        _step(
            view.workspace,
            f"Show {count:,} more {what}" if count else f"All {what} drawn",
            "expand",
            replace(done, expanded=(*done.expanded, node)),
            "The heaviest of those not drawn yet; Collapse takes them away again.",
            disabled=not count,
            icon=":material/add_circle:",
        )
        kept = tuple(each for each in done.expanded if each != node)
        _step(
            view.workspace,
            "Collapse",
            "collapse",
            replace(done, expanded=kept),
            "Takes away what expanding it brought, unless another node brings it, too.",
            disabled=len(kept) == len(done.expanded),
            icon=":material/do_not_disturb_on:",
        )
        is_pinned = node in done.pinned
        _step(
            view.workspace,
            "Unpin" if is_pinned else "Pin",
            "pin",
            replace(done, pinned=_toggled(done.pinned, node)),
            "A pinned node stays where it is, and is drawn whatever the limits say.",
            icon=":material/keep:",
        )
        _step(
            view.workspace,
            "Hide",
            "hide",
            replace(done, hidden=(*done.hidden, node)),
            "Leaves it and its edges out of the drawing; Hidden, above, brings it back.",
            icon=":material/visibility_off:",
        )
        st.button(
            "Start here",
            key="graph_start_here",
            icon=":material/my_location:",
            on_click=partial(start_at, node.address if node.is_host else f"port {node.key}"),
            disabled=node.key < 0,
            help="A new graph around this node alone.",
        )
        if node.is_host and st.button(
            "Open host",
            key="graph_open",
            icon=":material/open_in_new:",
            help="Goes to its page, Inspect host; the graph stays as it is here.",
        ):
            _open(node)


def _open(node: Node) -> None:
    """Go to the page of a host; the graph stays as it is."""
    state.set_host_in_view(node.address)
    note_context()
    context.open_host(node.address)


def _toggled(nodes: tuple[Node, ...], node: Node) -> tuple[Node, ...]:
    return tuple(each for each in nodes if each != node) if node in nodes else (*nodes, node)


def _step(
    workspace: Workspace,
    words: str,
    key: str,
    change: Doings,
    explanation: str,
    *,
    icon: str,
    disabled: bool = False,
) -> None:
    act: Callable[[], None] = partial(graph_state.do, workspace, change)
    st.button(
        plain(words),
        key=f"graph_{key}",
        icon=icon,
        disabled=disabled,
        on_click=act,
        help=explanation,
    )


def _show_met(view: GraphView, met: pd.DataFrame, what: str) -> None:
    """Show all neighbours, drawn or not; a row that is drawn can be chosen."""
    table = met.drop(columns=["id"])
    height: int | Literal["auto"] = "auto" if len(table) < ROWS else ROWS * ROW_PIXELS
    either = EITHER if view.question.compared else ""
    said = f"All {len(table):,} {what}{either}, drawn or not. Choose a row to select it."
    st.caption(safe(said))
    drawn = set(view.rows["id"])
    ids = [each if each in drawn else "" for each in met["id"]]
    show_table(
        table, "graph_met", height=height, on_select=partial(take_row, "graph_met", tuple(ids))
    )


def take_row(key: str, ids: tuple[str, ...]) -> None:
    """Select the node of the row that was chosen in a table; rows without one do nothing."""
    rows = st.session_state[key]["selection"]["rows"]
    chosen = [ids[row] for row in rows if row < len(ids) and ids[row]]
    if chosen:
        graph_state.select(chosen)


def _show_several(view: GraphView, nodes: list[Node]) -> None:
    """Show what can be done with several nodes at once."""
    hosts, done = hosts_among(nodes), graph_state.doings()
    st.caption(f"{len(hosts):,} hosts and {len(nodes) - len(hosts):,} ports are selected.")
    with st.container(horizontal=True, gap="small"):
        _step(
            view.workspace,
            "Expand all",
            "expand",
            replace(done, expanded=(*done.expanded, *nodes)),
            "Draws more neighbours of each of them, the heaviest first; Undo takes them away.",
            icon=":material/add_circle:",
        )
        pinned = (*done.pinned, *(node for node in nodes if node not in done.pinned))
        _step(
            view.workspace,
            "Pin all",
            "pin",
            replace(done, pinned=pinned),
            "They stay where they are, and are drawn whatever the limits say.",
            icon=":material/keep:",
        )
        _step(
            view.workspace,
            "Hide all",
            "hide",
            replace(done, hidden=(*done.hidden, *nodes)),
            "Leaves them and their edges out of the drawing; Hidden, above, brings them back.",
            icon=":material/visibility_off:",
        )
    if len(hosts):
        recipe = recipe_of(view, "selected")
        offer_set(view.workspace, hosts, recipe=recipe, key="graph_several", shortcut="L")


def recipe_of(view: GraphView, what: str) -> dict[str, str]:
    """Return how hosts of a graph came about, for a set."""
    last = view.days[-1]
    days = last if len(view.days) == 1 else f"{view.days[0]} to {last}"
    return {
        "kind": "graph",
        "words": f"{what} in the graph around {view.start.words}, {days}",
        "start": view.start.value[:200],
        "day": last,
    }


def show_hosts_drawn(view: GraphView) -> None:
    """Offer all hosts that are drawn as a set."""
    hosts = hosts_among(node_of(each) for each in view.rows["id"])
    if len(hosts):
        many = f"The {len(hosts):,} hosts that are drawn:"
        st.caption(safe(many if len(hosts) > 1 else "The host that is drawn:"))
        offer_set(
            view.workspace,
            hosts.astype(np.uint32),
            recipe=recipe_of(view, "hosts drawn"),
            key="graph_drawn",
        )
