"""Labels: which sources say who a host is, which of them wins, and labels of one's own."""

import streamlit as st

from pages.shared import loaders
from pages.shared.label_adding import show_adding
from pages.shared.label_by_hand import show_by_hand
from pages.shared.label_conflicts import show_conflicts
from pages.shared.label_history import show_history
from pages.shared.label_names import show_kinds, show_names
from pages.shared.label_sources import show_figures, show_sources
from pages.shared.label_told import show_said

VIEWS = {
    "Sources": show_sources,
    "Add lists": show_adding,
    "Label by hand": show_by_hand,
    "Conflicts": show_conflicts,
    "Names": show_names,
    "Kinds of sender": show_kinds,
    "History": show_history,
}

st.title("Labels")
workspace = loaders.workspace_in_use()
show_said()
show_figures(workspace)
view = st.segmented_control(
    "What would you like to see or do?",
    list(VIEWS),
    default="Sources",
    key="labels_view",
    required=True,
    bind="query-params",
    help="Say which source wins, bring lists or label by hand, see where sources disagree, say "
    "which names are one and which senders are known scanners, or read what changed.",
)
VIEWS[view or "Sources"](workspace)
