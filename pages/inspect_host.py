"""Inspect host: who it is, what it does, who behaves so too and why, and how that changed."""

import streamlit as st

from pages.shared import loaders
from pages.shared.host_behaviour import show_behaviour
from pages.shared.host_compare import show_comparison
from pages.shared.host_header import show_header
from pages.shared.host_neighbours import show_neighbours
from pages.shared.host_over_time import show_over_time
from pages.shared.host_summary import show_summary
from pages.shared.host_traits import show_traits
from pages.shared.host_view import choose_host

VIEWS = {
    "Neighbours": show_neighbours,
    "Behaviour": show_behaviour,
    "Headers and features": show_traits,
    "Labels and votes": show_summary,
    "Over time": show_over_time,
    "Compare": show_comparison,
}

st.title("Inspect host")
view = choose_host(loaders.workspace_in_use())
if view is not None:
    show_header(view)
    chosen = st.segmented_control(
        "What would you like to see?",
        list(VIEWS),
        default="Neighbours",
        key="host_view",
        required=True,
        bind="query-params",
        help="Who lies near it and why, what it sent and when, what its packets look like, who "
        "says what of it, how that changed by day, and how it stands beside hosts of your choice.",
    )
    VIEWS[chosen or "Neighbours"](view)
