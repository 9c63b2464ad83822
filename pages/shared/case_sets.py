"""The sets there are: choose one, see its hosts, name, combine, delete, and bring back."""

from functools import partial

import streamlit as st

from darkgnn_core.charts.case_tables import set_table, with_notes
from darkgnn_core.host_sets import (
    HostSet,
    Operation,
    combine,
    combined_hosts,
    delete_set,
    list_deleted,
    list_sets,
    rename_set,
    restore_set,
)
from darkgnn_core.notes import count_notes
from darkgnn_core.run_store import read_runs
from darkgnn_core.workspace import Workspace
from pages.shared import case_loaders, state
from pages.shared.case_note_box import offer_notes
from pages.shared.feedback import plain, show_table
from pages.shared.label_told import confirmed, done
from pages.shared.set_hosts import show_hosts
from pages.shared.set_links import current_set, offer_set
from pages.shared.set_preview import labels_now

FEW = 8
ROW_PIXELS = 35
OPERATIONS: dict[Operation, str] = {
    "union": "All hosts of either (union)",
    "intersection": "Only hosts of all (intersection)",
    "difference": "Hosts of the first that are in no other (difference)",
}


def show_sets(workspace: Workspace) -> None:
    """Show the list, the current set in full, and how sets combine."""
    sets = list_sets(workspace)
    if not sets:
        st.info(
            "No set is kept yet. Make one under New set from a pasted list or a query, or draw one "
            "on the map: wherever hosts are shown, Keep as current set keeps them.",
            icon=":material/folder_special:",
        )
        _offer_deleted(workspace)
        return
    _show_list(workspace, sets)
    found = current_set(workspace)
    if found is not None:
        _show_one(workspace, found)
    if len(sets) > 1:
        _offer_combining(workspace, sets)
    _offer_deleted(workspace)


def run_names(workspace: Workspace) -> dict[str, str]:
    """Return the names of all runs by id."""
    return {run.id: run.name for run in read_runs(workspace, archived=True)}


def _show_list(workspace: Workspace, sets: list[HostSet]) -> None:
    ids = tuple(each.id for each in sets)
    current = state.set_in_view()
    _mark_row([ids.index(current)] if current in ids else [])
    show_table(
        set_table(sets, run_names(workspace)),
        "case_sets",
        height="auto" if len(sets) <= FEW else FEW * ROW_PIXELS,
        on_select=partial(_make_current, ids),
    )
    st.caption("The latest first. Choose a row to make it the current set.")


def _mark_row(rows: list[int]) -> None:
    """Have the table show the current set as chosen, however it became so."""
    now = st.session_state.get("case_sets")
    if now is None or list(now["selection"]["rows"]) != rows:
        chosen = {"rows": rows, "columns": [], "cells": []}
        st.session_state["case_sets"] = {"selection": chosen}


def _make_current(ids: tuple[str, ...]) -> None:
    rows = st.session_state["case_sets"]["selection"]["rows"]
    state.set_set_in_view(ids[rows[0]] if rows and rows[0] < len(ids) else None)


def _show_one(workspace: Workspace, found: HostSet) -> None:
    st.subheader("Current set")
    st.text(plain(found.name))
    if found.words != found.name:
        st.text(plain(f"How it came about: {found.words}"))
    offer_set(
        workspace,
        found.hosts,
        recipe=found.recipe,
        key="case_set",
        is_current=True,
        shortcut="L",
    )
    with st.container(horizontal=True, vertical_alignment="center"):
        with (
            st.popover(
                "Rename",
                icon=":material/edit:",
                help="Only the name changes; hosts, notes and how it came about stay.",
            ),
            st.form("case_rename_form"),
        ):
            name = st.text_input(
                "Name",
                value=found.name,
                key=f"case_rename_{found.id}",
                max_chars=80,
                help="What the set is called on all pages, up to 80 characters.",
            )
            if st.form_submit_button("Rename", help="The name before is not kept."):
                rename_set(workspace, found.id, name)
                done(f"The set is now called {name}.")
        question = "Its hosts and notes stay in the workspace; it can be brought back below."
        if confirmed(question, found.name, f"case_delete_{found.id}"):
            delete_set(workspace, found.id)
            state.set_set_in_view(None)
            done(f"{found.name} was deleted. Bring it back under Deleted sets.")
    if len(found.hosts) == 0:
        st.info("This set has no hosts.", icon=":material/inbox:")
        return
    left, right = st.columns([3, 1])
    with left:
        st.caption(f"{len(found.hosts):,} hosts. Click an address to open its host.")
        table = case_loaders.hosts_of_set(workspace, found.id, state.day())
        show_hosts(with_notes(table, count_notes(workspace, "host")), "case_set_hosts")
    with right:
        st.caption("By label, as of the day in view")
        show_table(labels_now(workspace, found.hosts), "case_set_labels")
    offer_notes(workspace, "set", found.id, "case_set_notes")


def _offer_combining(workspace: Workspace, sets: list[HostSet]) -> None:
    by_id = {each.id: each for each in sets}
    with st.expander("Combine sets", icon=":material/join:"):
        ids = st.multiselect(
            "Sets",
            list(by_id),
            format_func=lambda each: plain(f"{by_id[each].name} ({len(by_id[each].hosts):,})"),
            key="case_combine_sets",
            placeholder="Choose two or more",
            help="For a difference the first one chosen is the one that others are taken from.",
        )
        operation = st.segmented_control(
            "What of them?",
            list(OPERATIONS),
            default="union",
            format_func=OPERATIONS.__getitem__,
            key="case_combine_how",
            required=True,
            help="Which hosts the new set gets; the sets it is made of stay as they are.",
        )
        name = st.text_input(
            "Name",
            key="case_combine_name",
            max_chars=80,
            placeholder="told by how it came about",
            help="Empty: the new set is called after those it is made of.",
        )
        how: Operation = operation or "union"
        if len(ids) > 1:
            hosts = combined_hosts(how, [by_id[each].hosts for each in ids])
            st.caption(f"That gives {len(hosts):,} hosts.")
        if st.button(
            "Keep as current set",
            key="case_combine",
            icon=":material/bookmark_add:",
            disabled=len(ids) < 2,
            help="Makes a new set, which goes with you from page to page; the others stay.",
        ):
            made = combine(workspace, how, ids, name=name.strip())
            state.set_set_in_view(made.id)
            done(f"{made.name}: {len(made.hosts):,} hosts.")


def _offer_deleted(workspace: Workspace) -> None:
    gone = list_deleted(workspace)
    if not gone:
        return
    names = {each.id: f"{each.name} ({len(each.hosts):,})" for each in gone}
    with st.expander(f"Deleted sets ({len(gone):,})", icon=":material/restore_from_trash:"):
        chosen = st.selectbox(
            "Deleted set",
            list(names),
            format_func=lambda each: plain(names[each]),
            key="case_deleted",
            help="The 20 sets deleted last, the latest first, with their number of hosts.",
        )
        if st.button(
            "Bring it back",
            key="case_restore",
            icon=":material/undo:",
            help="It comes back with its name and notes, and becomes the current set.",
        ):
            restore_set(workspace, chosen)
            state.set_set_in_view(chosen)
            done(f"{names[chosen]} is back.")
