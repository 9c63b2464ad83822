"""The day and the run that the current set was made with, one click from the map of another."""

import streamlit as st

from darkgnn_core.host_sets import HostSet
from darkgnn_core.runs import Run
from darkgnn_core.workspace import Workspace
from pages.shared import state
from pages.shared.context import usable_runs
from pages.shared.feedback import safe
from pages.shared.set_links import current_set


def offer_own_view(workspace: Workspace, run: Run, day: str) -> None:
    """Say which day and run the current set is of, where the map is of another; offer to go there.

    Args:
        workspace: Where they are.
        run: The run that the map is of.
        day: The day that the map is of.
    """
    found = current_set(workspace)
    own = None if found is None else _own_view(workspace, found, run)
    if own is None or (own[0].id, own[1]) == (run.id, day):
        return
    own_run, own_day = own
    named = "" if own_run.id == run.id else f" with the run {own_run.name}"
    with st.container(horizontal=True, vertical_alignment="center"):
        st.caption(safe(f"The current set was made on {own_day}{named}."))
        st.button(
            "Go to its day and run" if named else "Go to its day",
            key="map_own_view",
            icon=":material/event:",
            help="Changes the day and the run of all pages; the set stays.",
            on_click=_go_to,
            args=(own_run.id, own_day),
        )


def _own_view(workspace: Workspace, found: HostSet, run: Run) -> tuple[Run, str] | None:
    """Return run and day of a set: its recipe's, else those it was made in view of; or None.

    Where its run is gone, the run of the map is taken; None where that has no map of the day.
    """
    day = found.recipe.get("day") or found.day
    wanted = found.recipe.get("run") or found.run_id
    own = next((each for each in usable_runs(workspace) if each.id == wanted), run)
    return next(((each, str(day)) for each in (own, run) if day in each.days), None)


def _go_to(run_id: str, day: str) -> None:
    state.set_run_in_view(run_id)
    st.session_state[state.DAY] = day
