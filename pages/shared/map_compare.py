"""A second map beside the first: another day or another run, with the same selection."""

import streamlit as st

from darkgnn_core.runs import Run
from darkgnn_core.workspace import Workspace
from pages.shared.context import usable_runs
from pages.shared.feedback import plain, safe
from pages.shared.map_views import METHODS, MapView, make_view

BESIDE, DAY, RUN = "map_beside", "map_beside_day", "map_beside_run"
NOTHING = "Nothing"
CHOICES = (NOTHING, "Another day", "Another run")


def choose_beside(workspace: Workspace, run: Run, day: str) -> None:
    """Ask what to show beside the map."""
    with st.popover(
        "Side by side",
        icon=":material/splitscreen_vertical_add:",
        width="stretch",
        help="A second map of another day or run; hosts selected on one light up on both.",
    ):
        st.segmented_control(
            "Show beside it",
            CHOICES,
            default=NOTHING,
            key=BESIDE,
            required=True,
            help="Another day is of the same run, another run of the same day.",
        )
        kind = st.session_state.get(BESIDE)
        if kind == CHOICES[1]:
            others = [each for each in reversed(run.days) if each != day]
            _forget_unless(DAY, others)
            if others:
                st.selectbox(
                    "Day beside it (UTC)",
                    others,
                    key=DAY,
                    help="For the second map only; the day of the pages stays as it is.",
                )
            else:
                st.caption("The run has embedded no other day.")
        elif kind == CHOICES[2]:
            names = {
                each.id: each.name
                for each in usable_runs(workspace)
                if each.id != run.id and day in each.days
            }
            _forget_unless(RUN, list(names))
            if names:
                st.selectbox(
                    "Run beside it",
                    list(names),
                    format_func=lambda each: plain(names[each]),
                    key=RUN,
                    help="Only runs that have embedded this day. The run of the sidebar stays.",
                )
            else:
                st.caption("No other run has embedded this day.")


def _forget_unless(key: str, choices: list[str]) -> None:
    """Forget what a list had chosen where that is no longer in it."""
    if st.session_state.get(key) not in choices:
        st.session_state.pop(key, None)


def view_beside(workspace: Workspace, view: MapView, *, hide_known: bool) -> MapView | None:
    """Return the map to show beside another; None where none is asked for, or it is not made."""
    kind = st.session_state.get(BESIDE)
    run, day = view.run, view.day
    if kind == CHOICES[1] and st.session_state.get(DAY) in run.days:
        day = str(st.session_state[DAY])
    elif kind == CHOICES[2]:
        wanted = st.session_state.get(RUN)
        run = next((each for each in usable_runs(workspace) if each.id == wanted), run)
    if (run.id, day) == (view.run.id, view.day) or day not in run.days:
        return None
    made = make_view(
        workspace, run, day, view.method, name="right", hide_known=hide_known, beside=view
    )
    if made is None:
        st.info(
            f"{safe(METHODS[view.method])} of {safe(run.name)} on {safe(day)} is not made yet; its "
            "principal components are shown. Choose that run and day to have it made.",
            icon=":material/hourglass:",
        )
        made = make_view(
            workspace, run, day, "pca", name="right", hide_known=hide_known, beside=view
        )
    return made
