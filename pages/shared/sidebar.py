"""The sidebar: day or range, run, known scanners or not, current set, last label, workspace."""

from pathlib import Path

import streamlit as st

from darkgnn_core.labels.targets import prefix_text
from darkgnn_core.labels.typed import read_typed
from darkgnn_core.workspace import Workspace
from pages.components.search_key import listen_for_search
from pages.shared import loaders, state
from pages.shared.context import open_host, run_in_use, usable_runs
from pages.shared.feedback import plain, safe
from pages.shared.label_undo import offer_undo
from pages.shared.set_sidebar import show_current_set

RUN_CHOSEN = "sidebar_run"
GO_TO, GO_TO_LABEL = "sidebar_host", "Go to host"
ASKED = "sidebar_host_asked"


def show_sidebar() -> None:
    """Draw it; every page reads its choices from `state`."""
    state.hold_context()
    with st.sidebar:
        workspace = loaders.workspace_in_use()
        if loaders.is_synthetic(workspace):
            st.badge("Synthetic data", icon=":material/science:", color="orange")
        if workspace.is_read_only:
            st.badge("Read only", icon=":material/lock:", color="gray")
            st.caption("This workspace lies where it can only be read: nothing can be changed.")
        bins = loaders.bins(workspace)
        if bins:
            state.take_choices()
            asked_host = _ask_host()
            _choose_day(bins)
            show_current_set(workspace)
            _choose_run(workspace)
            st.toggle(
                "Hide known scanners",
                key=state.HIDE_KNOWN,
                help="Leave out hosts whose label is a known scanner; see Labels, Kinds of sender.",
            )
            state.write_choices()
            offer_undo(workspace, "sidebar_label_undo")
            if asked_host is not None:
                open_host(
                    asked_host
                )  # not sooner: widgets that a run did not draw lose their values
        _choose_workspace(workspace.root)
        if bins:
            listen_for_search(GO_TO_LABEL)
    notice = state.take_notice()
    if notice is not None:
        st.toast(safe(notice), icon=":material/check_circle:")


def _ask_host() -> str | None:
    """Ask for an address; Enter opens its page, whatever page one is on.

    Returns:
        The address to go to; None where none was asked for, or it is none.
    """
    st.text_input(
        GO_TO_LABEL,
        key=GO_TO,
        placeholder="such as 192.0.2.7",
        help="The key / brings you here from anywhere on a page.",
        on_change=_take_address,
        icon=":material/search:",
    )
    asked = st.session_state.pop(ASKED, None)
    if asked is None:
        return None
    typed = read_typed(str(asked))
    if len(typed.targets) != 1 or typed.targets[0].prefix_len != 32:
        st.error("Give one IPv4 address, such as 192.0.2.7.", icon=":material/error:")
        return None
    return prefix_text(typed.targets[0].first_ip, 32)


def _take_address() -> None:
    st.session_state[ASKED] = st.session_state[GO_TO].strip() or None
    st.session_state[GO_TO] = ""


def _choose_day(bins: list[str]) -> None:
    if state.day() not in bins:
        st.session_state[state.DAY] = bins[0]
    with st.container(gap="xsmall"):
        st.selectbox(
            "Day (UTC)",
            bins,
            index=None,
            key=state.DAY,
            help="The day in view. Choose an earlier one below it for a range, from there to here; "
            "pages that look at several days take it.",
        )
        earlier = [each for each in bins if each < (state.day() or "")]
        if st.session_state.get(state.SINCE) not in earlier:
            st.session_state.pop(state.SINCE, None)
        if earlier:
            st.selectbox(
                "From day",
                earlier,
                index=None,
                key=state.SINCE,
                placeholder="From day, for a range",
                label_visibility="collapsed",
                help="First day of a range that ends with the day above. Empty: that day alone.",
            )


def _choose_run(workspace: Workspace) -> None:
    runs = usable_runs(workspace)
    now = run_in_use(runs)
    if now is None:
        return
    names = {run.id: run.name for run in runs}
    st.session_state[RUN_CHOSEN] = now.id
    st.selectbox(
        "Run",
        list(names),
        format_func=lambda each: plain(names[each]),
        key=RUN_CHOSEN,
        on_change=_look_at_chosen,
        help="Whose embeddings are shown: map, neighbours, suggestions, scores.",
    )


def _look_at_chosen() -> None:
    state.set_run_in_view(st.session_state[RUN_CHOSEN])


def _choose_workspace(root: Path) -> None:
    st.caption("Workspace")
    st.text(plain(root.name))
    with st.popover(
        "Change workspace",
        icon=":material/folder_open:",
        width="stretch",
        help="A workspace is a folder with traces, labels and runs of its own.",
    ):
        st.caption("Open now")
        st.text(plain(str(root)))
        with st.form("workspace_form", border=False):
            given = st.text_input(
                "Folder of another workspace",
                key="workspace_input",
                help="Its path on the computer on which darkgnn runs. A folder that is not there "
                "yet becomes an empty workspace.",
            )
            to_open = st.form_submit_button(
                "Open",
                help="All pages then show that workspace; the one open now is kept as it is.",
            )
            if to_open and given.strip():
                chosen = loaders.workspace_at(str(Path(given.strip()).expanduser()))
                state.set_workspace_path(chosen.root)
                st.rerun()
