"""The list of runs with its filters; the one that is chosen is shown in full below it."""

from collections.abc import Sequence
from functools import partial

import streamlit as st

from darkgnn_core.charts.training_tables import STATES, run_table, what_of
from darkgnn_core.charts.training_words import METHOD_WORDS
from darkgnn_core.runs import Run, size_of
from darkgnn_core.workspace import Workspace
from pages.shared import state
from pages.shared.feedback import plain, show_table
from pages.shared.train_actions import offer_all
from pages.shared.train_run import show_run
from pages.shared.train_views import all_runs

KEY = "runs_"
FEW = 12
ROW_PIXELS = 35


def show_runs(workspace: Workspace) -> None:
    """Show the list, and one run in full."""
    runs = all_runs(workspace)
    if not runs:
        st.info("Nothing has been trained yet: see New run.", icon=":material/model_training:")
        return
    found = _filtered(runs)
    run = _chosen(runs, found)
    if not found:
        st.info("No run matches.", icon=":material/filter_alt_off:")
    else:
        _show_list(workspace, found, run)
    if run is not None:
        show_run(workspace, run)


def _filtered(runs: Sequence[Run]) -> list[Run]:
    groups = sorted({run.group for run in runs if run.group})
    methods = [name for name in METHOD_WORDS if any(run.config.method == name for run in runs)]
    states = [name for name in STATES if any(run.state == name for run in runs)]
    text_, state_, method_, group_, archived_ = st.columns(
        [3, 3, 3, 3, 3], vertical_alignment="bottom"
    )
    words = text_.text_input(
        "Find",
        key=f"{KEY}text",
        placeholder="Name, settings or id",
        help="Lists the runs that have all of these words, in any order.",
        persist_state="session",
    )
    wanted_states = state_.multiselect(
        "State",
        states,
        format_func=STATES.__getitem__,
        key=f"{KEY}state",
        placeholder="Any",
        help="Lists only runs in one of the chosen states.",
    )
    wanted_methods = method_.multiselect(
        "Method",
        methods,
        format_func=lambda name: METHOD_WORDS[name].title,
        key=f"{KEY}method",
        placeholder="Any",
        help="Lists only runs of one of the chosen methods.",
    )
    wanted_groups = group_.multiselect(
        "Group",
        groups,
        format_func=plain,
        key=f"{KEY}group",
        placeholder="Any",
        help="Lists only runs of one of the chosen groups: runs that were started together.",
    )
    with archived_:
        archived = st.toggle(
            "Archived ones, too",
            key=f"{KEY}archived",
            help="Lists also runs that were put into the archive; there they can be taken out.",
        )
    return [
        run
        for run in runs
        if (archived or not run.archived)
        and (not wanted_states or run.state in wanted_states)
        and (not wanted_methods or run.config.method in wanted_methods)
        and (not wanted_groups or run.group in wanted_groups)
        and _matches(run, words)
    ]


def _matches(run: Run, words: str) -> bool:
    text = f"{run.name} {run.group} {what_of(run.config)} {run.id}".lower()
    return all(word in text for word in words.lower().split())


def _show_list(workspace: Workspace, runs: list[Run], in_view: Run | None) -> None:
    sizes = {run.id: run.result.get("bytes") or size_of(workspace, run.id) for run in runs}
    ids = tuple(run.id for run in runs)
    _mark_row([ids.index(in_view.id)] if in_view is not None and in_view.id in ids else [])
    show_table(
        run_table(runs, sizes),
        f"{KEY}table",
        height="auto" if len(runs) <= FEW else FEW * ROW_PIXELS,
        on_select=partial(_look_at_row, ids),
    )
    with st.container(horizontal=True, vertical_alignment="center"):
        st.caption("Choose a row to see a run in full.")
        if len(runs) > 1:
            offer_all(workspace, runs, sizes)


def _mark_row(rows: list[int]) -> None:
    """Have the table show the run in view as chosen, however it came into view."""
    now = st.session_state.get(f"{KEY}table")
    if now is None or list(now["selection"]["rows"]) != rows:
        chosen = {"rows": rows, "columns": [], "cells": []}
        st.session_state[f"{KEY}table"] = {"selection": chosen}


def _look_at_row(ids: tuple[str, ...]) -> None:
    rows = st.session_state[f"{KEY}table"].selection.rows
    if rows and rows[0] < len(ids):
        state.set_run_in_view(ids[rows[0]])


def _chosen(runs: Sequence[Run], found: Sequence[Run]) -> Run | None:
    """Return the run in view; the first of the list where none is, or it is gone."""
    by_id = {run.id: run for run in runs}
    wanted = state.run_in_view()
    if wanted is not None and wanted not in by_id:
        st.info("The run of this link is not in this workspace.", icon=":material/link_off:")
    run = by_id.get(wanted or "") or next(iter(found), None)
    if run is not None and run.id != wanted:
        state.set_run_in_view(run.id)
    return run
