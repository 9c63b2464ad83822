"""What is in view, made sure of: the run and the day that a page needs; and ways to other pages."""

import streamlit as st

from darkgnn_core.runs import Run, list_runs
from darkgnn_core.workspace import Workspace
from pages.shared import state
from pages.shared.feedback import safe
from pages.shared.navigation import page


def usable_runs(workspace: Workspace) -> list[Run]:
    """Return the runs that have embeddings, newest first; archived ones only where in view."""
    wanted = state.run_in_view()
    runs = list_runs(workspace, archived=True)
    return [run for run in runs if run.days and (not run.archived or run.id == wanted)]


def run_in_use(runs: list[Run]) -> Run | None:
    """Return the run in view if it is among `runs`; else the newest that is done, or that has any.

    Args:
        runs: As `usable_runs` gives them.
    """
    wanted = state.run_in_view()
    by_id = {run.id: run for run in runs}
    done = [run for run in runs if run.state == "done"]
    return by_id.get(wanted or "") or next(iter([*done, *runs]), None)


def run_shown(workspace: Workspace) -> str | None:
    """Return the id of the run that the sidebar shows, which is kept with labels and notes."""
    run = run_in_use(usable_runs(workspace))
    return None if run is None else run.id


def run_needed(workspace: Workspace) -> Run | None:
    """Return the run a page works on: that in view, else the newest finished one.

    Where there is none, an empty state with the way to Train models is shown, and None returned.
    """
    run = run_in_use(usable_runs(workspace))
    if run is None:
        st.info(
            "This page needs embeddings: train a model first. A first run on the demo takes a few "
            "minutes.",
            icon=":material/model_training:",
        )
        st.page_link(
            page("train_models.py"),
            label="Go to Train models",
            help="Embeddings are made there; this page can be used once a run has finished a day.",
        )
        return None
    wanted = state.run_in_view()
    if wanted is not None and wanted != run.id:
        st.caption(
            f"The run in view has no embeddings yet, or is gone; this is {safe(run.name)} instead."
        )
    return run


def day_of(run: Run) -> str | None:
    """Return the day in view if the run embedded it; else its last embedded day, and say so."""
    wanted = state.day()
    if wanted in run.days:
        return wanted
    if not run.days:
        return None
    last = run.days[-1]
    if wanted is not None:
        st.caption(
            f"This run has no embedding of {safe(wanted)}; its last day, {safe(last)}, is shown."
        )
    return last


def open_host(address: str) -> None:
    """Look at a host on its page."""
    state.set_host_in_view(address)
    _open("inspect_host.py")


def open_map() -> None:
    """Go to the map, where the current set is lit up."""
    _open("browse_embeddings.py")


def open_graph() -> None:
    """Go to the graph, around the current set."""
    _open("explore_graph.py")


def open_review() -> None:
    """Go to the scores of the run in view."""
    _open("review_metrics.py")


def open_cases() -> None:
    """Go to the sets and notes."""
    _open("manage_cases.py")


def _open(file: str) -> None:
    """Switch to a page; run, host and set go with it in the address."""
    st.switch_page(page(file), query_params=state.link_of_context())
