"""What the graph is around: the host in view, the current set, or what is typed."""

from dataclasses import dataclass

import streamlit as st

from darkgnn_core.graphs.typed import read_seeds
from darkgnn_core.workspace import Workspace
from pages.shared import state
from pages.shared.feedback import plain, safe
from pages.shared.graph_clusters import NUMBER, choose_cluster
from pages.shared.set_links import current_set

HOST, SET, CLUSTER, TYPED = "Host in view", "Current set", "Cluster", "Typed"
CHOICE = "graph_start"
TEXT = "graph_typed"
SEEN = "graph_seen"
NEXT = "graph_next_text"
KEPT = "graph_just_kept"
FEW_BAD, MOST_BAD = 3, 20
"""So many words that were not understood are told openly, and so many at all."""


@dataclass(frozen=True)
class Start:
    """What a graph is around.

    Attributes:
        kind: `host`, `set`, `cluster` or `typed`.
        value: The address, the id of the set, the cluster (`graph_clusters`), or the text.
        words: What it is called.
    """

    kind: str
    value: str
    words: str

    @property
    def id(self) -> str:
        """What tells it from others."""
        return f"{self.kind}:{self.value}"


def choose_start(workspace: Workspace) -> Start | None:
    """Ask what the graph is around; None where there is nothing yet."""
    _follow_context()
    if CHOICE not in st.session_state and CHOICE not in st.query_params:
        st.session_state[CHOICE] = TYPED
    left, right = st.columns(2)
    with left:
        chosen = st.segmented_control(
            "Around",
            [HOST, SET, CLUSTER, TYPED],
            key=CHOICE,
            required=True,
            bind="query-params",
            help="The host you looked at last, the current set of the sidebar, a cluster of the "
            "run and day in view, or addresses, prefixes and ports that you type or paste.",
        )
    with right:
        if chosen == HOST:
            return _host()
        if chosen == CLUSTER:
            return _cluster(workspace)
        st.query_params.pop(NUMBER, None)
        return _set(workspace) if chosen == SET else _typed()


def start_at(text: str) -> None:
    """Start from these addresses and ports on the next run of the page; for callbacks, too."""
    st.session_state[NEXT] = text


def note_context() -> None:
    """Take host and set as seen: going to a host from here does not change what is shown here."""
    st.session_state[SEEN] = [state.host_in_view(), state.set_in_view()]


def _follow_context() -> None:
    """Show the host or set that came into view since this page was open last.

    A set that is kept by a click on this page comes into view, too, but the graph stays.
    """
    now = [state.host_in_view(), state.set_in_view()]
    seen = st.session_state.get(SEEN)
    is_linked = seen is None and CHOICE in st.query_params
    is_kept_here = st.session_state.pop(KEPT, False)
    st.session_state[KEPT] = any(
        value is True and str(key).startswith("graph_") and str(key).endswith("_keep")
        for key, value in st.session_state.items()
    )
    if not is_linked and not is_kept_here and seen != now:
        host_is_new, set_is_new = (
            value is not None and (seen is None or value != seen[place])
            for place, value in enumerate(now)
        )
        if set_is_new or host_is_new:
            st.session_state[CHOICE] = SET if set_is_new else HOST
    note_context()
    text = st.session_state.pop(NEXT, None)
    if text is not None:
        st.session_state[CHOICE], st.session_state[TEXT] = TYPED, text


def _host() -> Start | None:
    address = (state.host_in_view() or "").strip()
    if not address:
        st.info(
            "No host is in view. Type an address in the sidebar, or choose one in any table of "
            "hosts.",
            icon=":material/search:",
        )
        return None
    st.text(plain(address))
    return Start("host", address, address)


def _set(workspace: Workspace) -> Start | None:
    found = current_set(workspace)
    if found is None:
        st.info(
            "No set is current. Draw one on the map, or keep hosts of any table as the current "
            "set.",
            icon=":material/bookmark_add:",
        )
        return None
    st.text(plain(f"{found.name} ({len(found.hosts):,} hosts)"))
    return Start("set", found.id, found.name)


def _cluster(workspace: Workspace) -> Start | None:
    found = choose_cluster(workspace)
    return None if found is None else Start("cluster", *found)


def _typed() -> Start | None:
    text = st.text_input(
        "Addresses, prefixes and ports",
        key=TEXT,
        placeholder="192.0.2.7, 198.51.100.0/24, port 23",
        bind="query-params",
        help="Separated by commas or spaces; lists can be pasted. A number without dots is a port.",
    ).strip()
    if not text:
        return None
    typed = read_seeds(text)
    if typed.bad:
        _tell_bad(typed.bad)
    if not typed.targets and not typed.ports:
        return None
    return Start("typed", text, plain(text)[:60])


def _tell_bad(bad: tuple[tuple[str, str], ...]) -> None:
    """Say what was not understood and why: the first openly, the rest folded away."""
    told = [f"{word}: {why}" for word, why in bad[:MOST_BAD]]
    st.warning(safe(f"Not understood: {'; '.join(told[:FEW_BAD])}."), icon=":material/edit:")
    if len(bad) > FEW_BAD:
        with st.expander(f"{len(bad) - FEW_BAD:,} more not understood", icon=":material/edit:"):
            for each in told[FEW_BAD:]:
                st.caption(safe(each))
