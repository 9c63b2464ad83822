"""The graph in view: what is asked for, what is shown of it, and where each node is drawn."""

from collections.abc import Sequence
from dataclasses import dataclass

import pandas as pd
import streamlit as st

from darkgnn_core.charts.graph_tables import node_rows
from darkgnn_core.graphs.layouts import Layout, Places, places_of
from darkgnn_core.graphs.nodes import Node
from darkgnn_core.workspace import Workspace
from pages.shared import graph_loaders, graph_state, loaders, state
from pages.shared.graph_events import take_event
from pages.shared.graph_limits import Choice, choose
from pages.shared.graph_loaders import Answer, Question
from pages.shared.graph_start import Start
from pages.shared.host_walking import walk

SLOW_NODES = 250


@dataclass(frozen=True, eq=False)
class GraphView:
    """What the page is about.

    Attributes:
        workspace: Where it all is.
        days: The bins in view, in order.
        start: What the graph is around.
        choice: Limits, filters and layout.
        question: What was asked for.
        answer: What is drawn.
        rows: Its nodes for people (`graph_tables.node_rows`).
        places: Where each node is drawn.
    """

    workspace: Workspace
    days: tuple[str, ...]
    start: Start
    choice: Choice
    question: Question
    answer: Answer
    rows: pd.DataFrame
    places: Places

    @property
    def edges(self) -> pd.DataFrame:
        """The edges that are drawn."""
        return self.answer.shown.edges

    @property
    def selected(self) -> list[Node]:
        """The nodes that are selected and drawn."""
        drawn = set(self.rows["id"])
        return [node for node in graph_state.selected() if node.id in drawn]


def days_in_view(workspace: Workspace) -> tuple[str, ...]:
    """Return the bins of the day or range in view, in order."""
    bins = loaders.bins(workspace)
    return tuple(each for each in reversed(bins) if state.is_in_range(each)) or tuple(bins[:1])


def view_of(workspace: Workspace, start: Start, days: tuple[str, ...]) -> GraphView | None:
    """Ask for limits and filters and return the graph; None while reading was stopped."""
    graph_state.open_graph_of(workspace, start.id)
    take_event(workspace, start.id)
    if not read_range(workspace, days):
        return None
    choice = choose(workspace, days)
    graph_state.follow_limits(workspace, choice.limits)
    question = Question(
        days=days,
        start=(start.kind, start.value),
        limits=choice.limits,
        doings=graph_state.doings(),
        compared=choice.compared,
        labels=choice.labels,
        hide_known=state.is_known_hidden(),
    )
    answer = graph_loaders.answer(workspace, question)
    rows = node_rows(answer.shown.nodes, answer.labels)
    places = _places(workspace, answer, choice.layout)
    return GraphView(workspace, days, start, choice, question, answer, rows, places)


def _places(workspace: Workspace, answer: Answer, layout: Layout) -> Places:
    """Return where nodes are drawn; what has a place keeps it, new places are kept."""
    ids, held = answer.shown.ids, graph_state.places(layout)
    missing = [each for each in ids if each not in held]
    if not missing:
        return {each: held[each] for each in ids}
    if len(ids) < SLOW_NODES or layout != "force":
        found = places_of(ids, answer.shown.edges, layout, held)
    else:
        with st.spinner(f"Laying out {len(ids):,} nodes"):
            found = places_of(ids, answer.shown.edges, layout, held)
    graph_state.keep_places(workspace, layout, found)
    held = graph_state.places(layout)
    return {each: held[each] for each in ids}


def read_range(workspace: Workspace, days: Sequence[str]) -> bool:
    """Read the days of a range with progress; False where the analyst stopped it."""
    if graph_loaders.are_read(workspace, days):
        return True
    found = walk(
        list(days),
        "Reading who sent to which port",
        "graph_range",
        lambda day: graph_loaders.day_pairs(workspace, day),
    )
    if found is None:
        return False
    with st.spinner(f"Putting {len(days):,} days together"):
        graph_loaders.hold_range(workspace, days, list(found.values()))
    return True
