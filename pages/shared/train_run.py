"""One run in full: how it went, its curves, settings, where it comes from, and what to do."""

import streamlit as st

from darkgnn_core.charts.training_tables import (
    STATES,
    day_table,
    estimate_table,
    provenance_table,
    settings_table,
    what_of,
)
from darkgnn_core.runs import Run, read_progress, size_of
from darkgnn_core.units import file_size
from darkgnn_core.workspace import Workspace
from pages.shared.feedback import plain, safe, show_table
from pages.shared.train_actions import offer_actions, offer_remedy
from pages.shared.train_live import show_curves, show_figures, show_live, show_log

ROW_PIXELS = 35
MOST_ROWS = 14


def show_run(workspace: Workspace, run: Run) -> None:
    """Show a run; while it is active, every two seconds anew."""
    st.subheader(safe(run.name))
    st.text(plain(f"{what_of(run.config)}: {STATES[run.state]}{_when(run)}"))
    if run.is_active:
        show_live(str(workspace.root), run.id)
    else:
        _show_end(workspace, run)
    _show_tables(workspace, run)


def _when(run: Run) -> str:
    end = run.ended_at or run.created_at
    return f", {end[:16].replace('T', ' ')} UTC"


def _show_end(workspace: Workspace, run: Run) -> None:
    _show_state(workspace, run)
    show_figures(run)
    offer_actions(workspace, run)
    show_curves(workspace, run)


def _show_state(workspace: Workspace, run: Run) -> None:
    if run.state == "done":
        if run.message:
            st.text(plain(run.message))
        return
    code = f" ({run.code})" if run.code and run.code not in run.message else ""
    words = f"{run.message or STATES[run.state].capitalize()}{code}"
    if run.state == "failed":
        st.error(safe(words), icon=":material/error:")
        offer_remedy(run)
    else:
        st.info(safe(words), icon=":material/pause_circle:")


def _show_tables(workspace: Workspace, run: Run) -> None:
    size = size_of(workspace, run.id)
    left, right = st.columns([3, 2])
    with left:
        st.markdown("**Settings**")
        table = settings_table(run.config)
        show_table(
            table,
            f"run_settings_{run.id}",
            height=ROW_PIXELS * (min(len(table), MOST_ROWS) + 1) + 3,
        )
    with right:
        if run.estimate and not run.is_active:
            st.markdown("**Estimate and truth**")
            show_table(estimate_table(run, size), f"run_estimate_{run.id}")
        st.markdown("**Days with embeddings**")
        _show_days(workspace, run, size)
        with st.expander("Where it comes from", icon=":material/fingerprint:"):
            show_table(provenance_table(run, run.config_hash), f"run_provenance_{run.id}")
        if not run.is_active:
            show_log(workspace, run)


def _show_days(workspace: Workspace, run: Run, size: int) -> None:
    if not run.days:
        st.text("None yet." if run.is_active else "None.")
        return
    st.text(f"{len(run.days):,} days, {run.days[0]} to {run.days[-1]}; {file_size(size)} on disk")
    lines, _ = read_progress(workspace, run.id)
    with st.expander("Day by day", icon=":material/calendar_month:"):
        show_table(day_table(lines, run.days), f"run_days_{run.id}", height=240)
