"""Labelling from any page: a button, and the dialog it opens for the hosts beside it."""

from ipaddress import IPv4Address

import numpy as np
import numpy.typing as npt
import streamlit as st

from darkgnn_core.labels.analyst import MAX_TARGETS, add_labels
from darkgnn_core.labels.targets import target_of
from darkgnn_core.labels.texts import UNKNOWN, fold
from darkgnn_core.workspace import Workspace
from pages.shared import state
from pages.shared.context import run_shown
from pages.shared.feedback import plain, show_table, user_errors_shown
from pages.shared.label_form import Wanted, ask_label
from pages.shared.label_undo import noun, remember_act
from pages.shared.set_preview import labels_now

Hosts = npt.NDArray[np.uint32]
TURN = "label_dialog_turn"
NAMED = 3


def offer_labelling(
    workspace: Workspace, hosts: Hosts, key: str, *, shortcut: str | None = None
) -> None:
    """Show the button `Label`; it opens a dialog for these hosts.

    Args:
        workspace: Whose hosts they are.
        hosts: uint32 (n,), addresses.
        key: Start of the key of the button.
        shortcut: Key that presses it, such as `L`; at most one button of a page may have it.
    """
    too_many = len(hosts) > MAX_TARGETS
    if st.button(
        "Label",
        key=f"{key}_label",
        icon=":material/label:",
        shortcut=shortcut,
        disabled=len(hosts) == 0 or too_many,
        help="Say what these hosts are; it can be undone."
        if not too_many
        else "Too many hosts for one label: narrow the set first.",
    ):
        st.session_state[TURN] = st.session_state.get(TURN, 0) + 1
        _ask(workspace, hosts)


@st.dialog("Label hosts", width="medium")
@user_errors_shown()
def _ask(workspace: Workspace, hosts: Hosts) -> None:
    ask_and_label(workspace, hosts)


def ask_and_label(workspace: Workspace, hosts: Hosts) -> None:
    """Show what hosts are called now, ask what they are, and label them; then run the page again.

    Args:
        workspace: Whose hosts they are.
        hosts: uint32 (n,), addresses.
    """
    st.text(_named(hosts))
    now = labels_now(workspace, hosts)
    st.caption("What they are called now")
    show_table(now, "label_dialog_now")
    wanted = ask_label(workspace, "label_dialog", st.session_state.get(TURN, 0))
    others = now[~now["label"].isin([UNKNOWN, fold(wanted.label)])]["hosts"].sum()
    if wanted.label and others:
        st.warning(
            f"Called something else now: {others:,} of {len(hosts):,}. A label by hand stands "
            "above lists, unless the order of sources says otherwise; Conflicts on the page Labels "
            "lists both. Earlier labels by hand are taken back and stay in the history.",
            icon=":material/warning:",
        )
    run_id = run_shown(workspace)
    if run_id is not None:
        st.caption("The run in the sidebar is kept with the label.")
    if st.button(
        "Give the label",
        key="label_dialog_give",
        type="primary",
        icon=":material/label:",
        disabled=not wanted.label,
        help="All hosts named above get it. It counts at once and can be undone.",
    ):
        _give(workspace, hosts, wanted, run_id)


def _give(workspace: Workspace, hosts: Hosts, wanted: Wanted, run_id: str | None) -> None:
    with workspace.catalogue() as connection:
        change = add_labels(
            connection,
            [target_of(int(host)) for host in hosts],
            wanted.label,
            reason=wanted.reason,
            confidence=wanted.confidence,
            day=wanted.day,
            run=run_id,
        )
    what = f"{len(hosts):,} {noun(len(hosts), 'host')} labelled {wanted.label}"
    remember_act(workspace, change, what)
    state.notify(f"{what}. They count at once; undo is in the sidebar.")
    st.rerun()


def _named(hosts: Hosts) -> str:
    first = ", ".join(str(IPv4Address(int(host))) for host in hosts[:NAMED])
    more = len(hosts) - NAMED
    return plain(f"{first} and {more:,} more" if more > 0 else first)
