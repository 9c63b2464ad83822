"""Who holds the drawing together, and which hosts ask for the same ports."""

from functools import partial

import pandas as pd
import streamlit as st

from darkgnn_core.charts.graph_words import node_words
from darkgnn_core.graphs.centrality import EXACT, is_exact
from darkgnn_core.graphs.groups import Group, Groups, group_rows
from darkgnn_core.graphs.nodes import port_node
from pages.shared import graph_loaders, graph_state
from pages.shared.feedback import safe, show_table
from pages.shared.graph_panel import take_row
from pages.shared.graph_view import GraphView
from pages.shared.set_links import offer_set

DRAWN, EQUAL, NEAR = "In the drawing", "Equal ports, all hosts", "Near ports, all hosts"
LIKENESS = 0.8
MOST_ROWS = 200
MOST_NAMES = 6
TABLE = "graph_groups_table"


def show_central(view: GraphView) -> None:
    """Show how central each node drawn is; choosing rows selects nodes."""
    found = graph_loaders.central_nodes(view.workspace, view.question)
    names = dict(zip(view.rows["id"], view.rows["name"], strict=True))
    labels = dict(zip(view.rows["id"], view.rows["label"], strict=True))
    st.caption(
        "In the part that is drawn. Betweenness: the share of shortest paths between others that "
        "go through a node. Choose rows to select nodes, and to make a set of them."
    )
    if not is_exact(len(found)):
        st.caption(f"Betweenness is estimated here, from the paths of {EXACT:,} drawn nodes.")
    table = pd.DataFrame(
        {
            "node": found["id"].map(names),
            "label": found["id"].map(labels),
            "betweenness": found["betweenness"].round(4),
            "degree": found["degree"],
            "packets drawn": found["weighted_degree"].astype("int64"),
        }
    )
    show_table(
        table,
        "graph_central",
        height=420 if len(table) > 11 else "auto",
        selection_mode="multi-row",
        on_select=partial(take_row, "graph_central", tuple(found["id"])),
    )


def show_groups(view: GraphView) -> None:
    """Show groups of hosts with the same ports; choosing one offers it as a set."""
    with st.container(horizontal=True, vertical_alignment="bottom"):
        where = st.segmented_control(
            "Groups",
            [DRAWN, EQUAL, NEAR],
            default=DRAWN,
            key="graph_group_kind",
            required=True,
            help="In the drawing: maximal bicliques, in which every host asked for every port. "
            "All hosts: those whose ports are all the same, or 80 % the same.",
        )
        hosts = st.number_input(
            "Hosts, at least",
            2,
            None,
            3,
            key="graph_group_hosts",
            width=150,
            help="Groups with fewer hosts are left out.",
        )
        ports = st.number_input(
            "Ports, at least",
            1,
            None,
            2,
            key="graph_group_ports",
            width=150,
            help="In the drawing, ports that the whole group shares; over all hosts, ports that "
            "each of its hosts asked for.",
        )
    groups = _found(view, where or DRAWN, int(hosts), int(ports))
    _say(groups, where or DRAWN)
    if not groups.groups:
        st.text("None.")
        return
    shown = groups.groups[:MOST_ROWS]
    show_table(
        _rows(view, groups, shown),
        TABLE,
        height=420 if len(shown) > 11 else "auto",
        on_select=partial(_select, shown, where == DRAWN),
    )
    _offer(view, shown)


def _found(view: GraphView, where: str, hosts: int, ports: int) -> Groups:
    if where == DRAWN:
        return graph_loaders.groups_drawn(view.workspace, view.question, hosts, ports)
    near = LIKENESS if where == NEAR else 1.0
    return graph_loaders.groups_of_days(view.workspace, view.days, near, hosts, ports)


def _say(groups: Groups, where: str) -> None:
    said = f"{len(groups.groups):,} groups, the largest (hosts times ports) first."
    if len(groups.groups) > MOST_ROWS:
        said += f" The table shows {MOST_ROWS:,} of them."
    if groups.is_cut and where == DRAWN:
        said += " The search was ended early: there may be more, and larger ones."
    elif groups.is_cut:
        said += (
            f" The {groups.looked_at:,} sets of ports with most hosts were held against one "
            f"another, of {groups.total:,}."
        )
    st.caption(safe(said))


def _rows(view: GraphView, groups: Groups, shown: tuple[Group, ...]) -> pd.DataFrame:
    table = group_rows(groups).head(len(shown))
    parts = [each.hosts for each in shown]
    counts = graph_loaders.label_counts(view.workspace, view.question, parts)
    table["which ports"] = [_listed(group) for group in shown]
    table["labels"] = [
        ", ".join(f"{label} {count:,}" for label, count in list(each.items())[:3])
        for each in counts
    ]
    return table


def _listed(group: Group) -> str:
    names = [node_words(port_node(port)) for port in group.ports[:MOST_NAMES]]
    more = len(group.ports) - len(names)
    return ", ".join(names) + (f" and {more:,} more" if more > 0 else "")


def _select(groups: tuple[Group, ...], are_drawn: bool) -> None:
    """Select the hosts of a group that is drawn."""
    rows = st.session_state[TABLE]["selection"]["rows"]
    if rows and rows[0] < len(groups) and are_drawn:
        group = groups[rows[0]]
        ids = [f"h{host}" for host in group.hosts] + [f"p{port}" for port in group.ports]
        graph_state.select(ids)


def _offer(view: GraphView, groups: tuple[Group, ...]) -> None:
    rows = st.session_state.get(TABLE, {}).get("selection", {}).get("rows", [])
    if not rows or rows[0] >= len(groups):
        st.caption("Choose a row to make its hosts a set.")
        return
    group = groups[rows[0]]
    words = f"{len(group.hosts):,} hosts that all ask for {_listed(group)}, {view.days[-1]}"
    st.caption(safe(f"{words}:"))
    recipe = {"kind": "graph", "words": words, "day": view.days[-1]}
    offer_set(view.workspace, group.hosts, recipe=recipe, key="graph_group")
