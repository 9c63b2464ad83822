"""The story of a port: who asks for it now against its own earlier days, and ports like it."""

from dataclasses import replace
from functools import partial

import pandas as pd
import streamlit as st

from darkgnn_core.charts.graph_charts import visitors_by_day
from darkgnn_core.charts.graph_words import node_words
from darkgnn_core.graphs.nodes import Node, node_of, port_node
from darkgnn_core.graphs.ports import against_baseline, daily_classes, new_visitors
from darkgnn_core.set_tables import host_table
from darkgnn_core.workspace import Workspace
from pages.shared import graph_loaders, graph_state, loaders
from pages.shared.case_note_box import offer_notes
from pages.shared.context import run_in_use, usable_runs
from pages.shared.feedback import plain, safe, show_table
from pages.shared.graph_view import GraphView
from pages.shared.host_walking import walk
from pages.shared.set_hosts import show_hosts
from pages.shared.set_links import offer_set

PORT = "graph_port"
BASELINES = (3, 7, 14, 28)
USUAL = 7
NO_SHARED = "None: no host that asked for it asked for another port, too."


def show_port(view: GraphView) -> None:
    """Show one of the ports drawn: that which is selected, or the heaviest."""
    ports = [node for node in map(node_of, view.rows["id"]) if not node.is_host and node.key >= 0]
    if not ports:
        st.text("No port is drawn.")
        return
    port, days_before = _ask(view, ports)
    bins = list(reversed(loaders.bins(view.workspace)))
    today = view.days[-1]
    before = [each for each in bins if each < today][-days_before:]
    found = walk(
        [*before, today],
        "Reading who asked for the port",
        "graph_port_days",
        lambda day: graph_loaders.port_visitors(view.workspace, day, port.key),
    )
    if found is None:
        return
    now, labels = found[today]
    earlier = [found[day] for day in before]
    new = new_visitors(now, [visitors for visitors, _ in earlier])
    usual = float(pd.Series([len(each) for each, _ in earlier]).median()) if earlier else None
    _show_figures(now, len(new), usual, len(before))
    counted = daily_classes(found)
    if not counted.empty:
        names = loaders.all_labels(view.workspace)
        st.altair_chart(
            visitors_by_day(counted, [*before, today], names),
            width="stretch",
            key="graph_port_chart",
            alt="Hosts that asked for the port by day and label",
        )
    left, right = st.columns(2)
    with left:
        _show_classes(against_baseline(now, labels, earlier), bool(earlier))
    with right:
        _show_like(view, port)
    _show_new(view, port, new, len(before))
    offer_notes(view.workspace, "port", str(port.key), f"graph_port_{port.key}_notes")


def _ask(view: GraphView, ports: list[Node]) -> tuple[Node, int]:
    ids = [node.id for node in ports]
    chosen = [node.id for node in view.selected if node.id in ids]
    if chosen and st.session_state.get(f"{PORT}_seen") != chosen[0]:
        st.session_state[PORT] = st.session_state[f"{PORT}_seen"] = chosen[0]
    if st.session_state.get(PORT) not in ids:
        st.session_state[PORT] = ids[0]
    with st.container(horizontal=True, vertical_alignment="bottom"):
        port = st.selectbox(
            "Port",
            ids,
            key=PORT,
            format_func=lambda each: plain(node_words(node_of(each))),
            help="Ports that are drawn; one that you select in the drawing is chosen here, too.",
        )
        days = st.selectbox(
            "Held against",
            BASELINES,
            index=BASELINES.index(USUAL),
            key="graph_port_baseline",
            format_func=lambda count: f"the {count} days before",
            help="Who is new, and how many hosts are usual, is told against these days.",
        )
    return node_of(port), days


def _show_figures(now: pd.DataFrame, new: int, usual: float | None, days: int) -> None:
    hosts = len(now)
    figures = st.columns(4)
    figures[0].metric("Hosts that day", f"{hosts:,}")
    figures[1].metric(
        "New here",
        f"{new:,}",
        help="Hosts that asked for this port that day, and on none of the days before that are "
        "looked at.",
    )
    figures[2].metric(
        "Usual hosts a day",
        "not told" if usual is None else f"{usual:,.1f}",
        help="The median of the days before.",
    )
    figures[3].metric("Packets that day", f"{int(now['packets'].sum()):,}")
    if not days:
        st.caption("There is no earlier day to hold it against: everybody is new.")


def _show_classes(table: pd.DataFrame, has_baseline: bool) -> None:
    st.caption("By label: hosts that day, new ones, and the port's own days before.")
    shown = table if has_baseline else table[["label", "hosts", "new_hosts"]]
    show_table(shown.round(2), "graph_port_classes")


def _show_like(view: GraphView, port: Node) -> None:
    by_hosts, by_places = "By shared hosts", "By embedding of their hosts"
    chosen = st.segmented_control(
        "Similar ports",
        [by_hosts, by_places],
        default=by_hosts,
        key="graph_port_likeness",
        required=True,
        bind="query-params",
        help="Ports that the same hosts ask for, or ports whose hosts lie close together in the "
        "run in view.",
    )
    found = _near(view, port) if chosen == by_places else _alike(view, port)
    if found is None:
        return
    if found.empty:
        st.text("No other port is like it." if chosen == by_places else NO_SHARED)
        return
    nodes = [port_node(each) for each in found["port"]]
    shown = found.assign(port=[node_words(node) for node in nodes]).round(3)
    show_table(
        shown,
        "graph_port_like",
        height=360 if len(shown) > 9 else "auto",
        on_select=partial(_bring, view.workspace, tuple(nodes)),
    )


def _alike(view: GraphView, port: Node) -> pd.DataFrame:
    st.caption(
        "Ports visited like it: cosine of ln(1 + packets) over the hosts of the days in view. "
        "Choose a row to bring the port into the drawing."
    )
    return graph_loaders.like_ports(view.workspace, view.days, port.key)


def _near(view: GraphView, port: Node) -> pd.DataFrame | None:
    """Return ports whose hosts lie alike in the run in view; None, and why, without a run."""
    run = run_in_use(usable_runs(view.workspace))
    day = view.days[-1]
    if run is None or day not in run.days:
        st.caption(safe(f"This needs a run with an embedding of {day}."))
        return None
    st.caption(
        safe(
            f"Cosine of the mean places of their hosts in {run.name}, {day}; of ports with 3 hosts "
            "there or more. Ports themselves are not embedded. They may share no host."
        )
    )
    return graph_loaders.ports_near_in(view.workspace, view.days, port.key, run)


def _bring(workspace: Workspace, nodes: tuple[Node, ...]) -> None:
    rows = st.session_state["graph_port_like"]["selection"]["rows"]
    done = graph_state.doings()
    if rows and rows[0] < len(nodes) and nodes[rows[0]] not in done.pinned:
        graph_state.do(workspace, replace(done, pinned=(*done.pinned, nodes[rows[0]])))


def _show_new(view: GraphView, port: Node, new: graph_loaders.Hosts, days: int) -> None:
    st.subheader("New here")
    if not len(new):
        st.text("Nobody.")
        return
    name = node_words(port)
    said = f"On {view.days[-1]}, not on the {days} days before."
    st.caption(safe(f"{said} Click an address to open it."))
    table = host_table(view.workspace, new, day=view.days[-1])
    show_hosts(table, "graph_port_new", height=300 if len(table) > 7 else "auto")
    recipe = {
        "kind": "graph",
        "words": f"new on port {name}, {view.days[-1]}",
        "port": port.key,
        "day": view.days[-1],
    }
    offer_set(view.workspace, new, recipe=recipe, key="graph_port_new")
