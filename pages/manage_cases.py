"""Cases: sets of hosts, notes, and labels that neighbours suggest."""

import streamlit as st

from pages.shared import loaders
from pages.shared.case_making import show_making
from pages.shared.case_notes import show_notes
from pages.shared.case_sets import show_sets
from pages.shared.case_suggestions import show_suggestions
from pages.shared.label_told import show_said

VIEWS = {
    "Sets": show_sets,
    "New set": show_making,
    "Suggestions": show_suggestions,
    "Notes": show_notes,
}

st.title("Cases")
workspace = loaders.workspace_in_use()
show_said()
view = st.segmented_control(
    "What would you like to see or do?",
    list(VIEWS),
    default="Sets",
    key="cases_view",
    required=True,
    bind="query-params",
    help="Look at the sets that are kept, make one from a list or a query, decide on labels that "
    "neighbours suggest, or read and write notes.",
)
VIEWS[view or "Sets"](workspace)
