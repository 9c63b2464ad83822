"""What the analyst hid, as a list: one node or all of them are shown again."""

from dataclasses import replace
from functools import partial

import streamlit as st

from darkgnn_core.charts.graph_words import node_words
from darkgnn_core.graphs.nodes import node_of
from darkgnn_core.workspace import Workspace
from pages.shared import graph_state
from pages.shared.feedback import plain

CHOSEN = "graph_hidden"


def offer_hidden(workspace: Workspace) -> None:
    """Offer what is hidden to be shown again; nothing where nothing is hidden."""
    hidden = [node.id for node in dict.fromkeys(graph_state.doings().hidden)]
    if not hidden:
        return
    if st.session_state.get(CHOSEN) not in hidden:
        st.session_state[CHOSEN] = hidden[0]
    with st.popover(
        f"Hidden ({len(hidden):,})",
        icon=":material/visibility:",
        help="Nodes that you hid: choose one to show it again, or show all of them.",
    ):
        st.selectbox(
            "Hidden by you",
            hidden,
            key=CHOSEN,
            format_func=lambda each: plain(node_words(node_of(each))),
            help="In the order in which you hid them; type to find one by name.",
        )
        with st.container(horizontal=True, gap="small"):
            st.button(
                "Show it again",
                key="graph_unhide",
                icon=":material/visibility:",
                on_click=partial(_show_again, workspace, everything=False),
                help="Puts this node and its edges back; Undo hides it again.",
            )
            st.button(
                "Show all again",
                key="graph_unhide_all",
                icon=":material/done_all:",
                on_click=partial(_show_again, workspace, everything=True),
                help="Puts all hidden nodes and their edges back; Undo hides them again.",
            )


def _show_again(workspace: Workspace, *, everything: bool) -> None:
    done, chosen = graph_state.doings(), node_of(st.session_state[CHOSEN])
    kept = () if everything else tuple(node for node in done.hidden if node != chosen)
    graph_state.do(workspace, replace(done, hidden=kept))
