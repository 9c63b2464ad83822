"""The two views of the page Train models, and how one gets from one to the other."""

import streamlit as st

from darkgnn_core.run_config import RunConfig
from darkgnn_core.runs import Run, list_runs
from darkgnn_core.workspace import Workspace
from pages.shared import state
from pages.shared.train_form import fill_from

NEW, RUNS = "New run", "Runs"
VIEW, NEXT = "train_view", "train_view_next"


def choose_view() -> str:
    """Ask which view; a link to a run opens the runs."""
    coming = st.session_state.pop(NEXT, None)
    if coming is not None:
        st.session_state[VIEW] = coming
    elif VIEW not in st.session_state and VIEW not in st.query_params and "run" in st.query_params:
        st.session_state[VIEW] = RUNS
    view = st.segmented_control(
        "What would you like to see or do?",
        [NEW, RUNS],
        default=None if VIEW in st.session_state else NEW,
        key=VIEW,
        required=True,
        bind="query-params",
        help="New run asks for a method and its settings and starts it; Runs lists what is under "
        "way and what was trained.",
    )
    return view or NEW


def look_at(run_id: str) -> None:
    """Open one run, when the page is run again."""
    st.session_state[NEXT] = RUNS
    state.set_run_in_view(run_id)


def clone(config: RunConfig) -> None:
    """Put the settings of a run into the form and open it, when the page is run again."""
    fill_from(config)
    st.session_state[NEXT] = NEW


def all_runs(workspace: Workspace) -> list[Run]:
    """Return all runs, archived ones too, the newest first."""
    return list_runs(workspace, archived=True)
