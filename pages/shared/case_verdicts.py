"""Saying yes or no to suggested labels, after a look at what a yes does; taking a no back."""

from collections.abc import Sequence
from ipaddress import IPv4Address

import streamlit as st

from darkgnn_core.charts.case_tables import rejection_table, verdict_table
from darkgnn_core.labels.verdicts import (
    Suggested,
    accept,
    list_rejections,
    reject,
    withdraw_rejections,
)
from darkgnn_core.run_store import read_runs
from darkgnn_core.suggestions import Suggestions
from darkgnn_core.workspace import Workspace
from pages.shared import context, state
from pages.shared.feedback import plain, show_table, user_errors_shown
from pages.shared.label_undo import noun, remember_act


def offer_verdicts(
    workspace: Workspace,
    found: Suggestions,
    shown: Suggestions,
    rows: Sequence[int],
    run_id: str,
    day: str,
) -> None:
    """Show the buttons for the ticked rows, and for all of them.

    Args:
        workspace: Where verdicts are kept.
        found: All that fit the filter.
        shown: Those in the table.
        rows: Places of the ticked ones in the table.
        run_id: Run whose neighbours voted.
        day: Bin on which they did.
    """
    ticked = _picked(shown, [row for row in rows if row < len(shown.hosts)])
    everyone = _picked(found, range(len(found.hosts)))
    with st.container(horizontal=True, vertical_alignment="center"):
        if st.button(
            f"Accept {len(ticked):,} ticked",
            key="case_accept",
            icon=":material/check:",
            type="primary",
            disabled=not ticked,
            help="Shows first what that would do; nothing is labelled before you say yes.",
        ):
            _preview(workspace, ticked, run_id, day)
        if st.button(
            f"Turn down {len(ticked):,} ticked",
            key="case_reject",
            icon=":material/close:",
            disabled=not ticked,
            help="These labels are not suggested for these hosts again, by any run.",
        ):
            _turn_down(workspace, ticked, run_id)
        if st.button(
            f"Accept all {len(everyone):,}",
            key="case_accept_all",
            icon=":material/done_all:",
            help="Shows first what that would do.",
        ):
            _preview(workspace, everyone, run_id, day)
        if st.button(
            "Open host",
            key="case_suggested_open",
            icon=":material/frame_inspect:",
            disabled=len(ticked) != 1,
            help="Goes to its page, Inspect host; exactly one row must be ticked.",
        ):
            context.open_host(str(IPv4Address(ticked[0].host)))


def _picked(found: Suggestions, places: Sequence[int] | range) -> list[Suggested]:
    return [
        Suggested(
            int(found.hosts[place]), str(found.labels[place]), int(found.votes[place]), found.k
        )
        for place in places
    ]


@st.dialog("Accept suggested labels", width="medium")
@user_errors_shown()
def _preview(workspace: Workspace, suggested: list[Suggested], run_id: str, day: str) -> None:
    show_and_accept(workspace, suggested, run_id, day)


def show_and_accept(
    workspace: Workspace, suggested: Sequence[Suggested], run_id: str, day: str
) -> None:
    """Show what accepting would do, and do it after a yes; then run the page again.

    Args:
        workspace: Where the labels go.
        suggested: What would be accepted.
        run_id: Run whose neighbours voted.
        day: Bin on which they did.
    """
    st.text(f"Hosts that get a label: {len(suggested):,}. How sure is the share of votes.")
    show_table(verdict_table(suggested), "case_preview")
    only_day = st.toggle(
        f"Only for {plain(day[:10])}",
        key="case_preview_day",
        help="Off: for good. An address may belong to someone else next month.",
    )
    st.caption(
        "They count as labels by hand: they vote at once, evaluations leave them out, the history "
        "keeps them, and the sidebar takes them back."
    )
    if st.button(
        "Yes, accept",
        key="case_preview_yes",
        type="primary",
        icon=":material/check:",
        help="Gives all labels in the table; undo in the sidebar takes them back together.",
    ):
        with workspace.catalogue() as connection:
            change = accept(
                connection,
                suggested,
                run=run_id,
                seen_on=day,
                day=day[:10] if only_day else None,
            )
        what = f"{len(suggested):,} suggested {noun(len(suggested), 'label')} accepted"
        remember_act(workspace, change, what)
        state.next_verdict_turn()
        state.notify(f"{what}; undo is in the sidebar.")
        st.rerun()


def _turn_down(workspace: Workspace, suggested: list[Suggested], run_id: str) -> None:
    with workspace.catalogue() as connection:
        reject(connection, suggested, run=run_id)
    state.next_verdict_turn()
    state.notify(f"Turned down: {len(suggested):,}. That can be taken back below.")
    st.rerun()


def ticked_rows(key: str) -> list[int]:
    """Return which rows of a table are ticked."""
    return list(st.session_state[key]["selection"]["rows"])


def show_rejections(workspace: Workspace) -> None:
    """Show what was turned down, and take it back."""
    with workspace.catalogue() as connection:
        rows = list_rejections(connection)
    if not rows:
        return
    names = {run.id: run.name for run in read_runs(workspace, archived=True)}
    with st.expander(f"Turned down ({len(rows):,})", icon=":material/thumb_down:"):
        key = f"case_rejected_{state.verdict_turn()}"
        show_table(
            rejection_table(rows, names),
            key,
            on_select=lambda: None,
            selection_mode="multi-row",
        )
        ticked = [rows[row]["id"] for row in ticked_rows(key) if row < len(rows)]
        if st.button(
            "Take the ticked ones back",
            key="case_unreject",
            icon=":material/undo:",
            disabled=not ticked,
            help="These labels may be suggested for these hosts again; no label is given yet.",
        ):
            with workspace.catalogue() as connection:
                withdraw_rejections(connection, ticked)
            state.next_verdict_turn()
            state.notify("They may be suggested again.")
            st.rerun()
