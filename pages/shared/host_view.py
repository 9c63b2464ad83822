"""The host in view: its address typed, clicked or linked, and the day on which it is looked at."""

from dataclasses import dataclass
from typing import Any

import pandas as pd
import streamlit as st

from darkgnn_core.charts.host_words import address_text
from darkgnn_core.config import SnapshotConfig
from darkgnn_core.errors import ConfigError
from darkgnn_core.hosts.history import calendar
from darkgnn_core.hosts.typed import read_address
from darkgnn_core.runs import Run
from darkgnn_core.workspace import Workspace
from pages.shared import host_loaders, loaders, state
from pages.shared.context import run_in_use, usable_runs
from pages.shared.feedback import plain, safe
from pages.shared.host_absent import show_busiest, show_never_seen
from pages.shared.host_stepping import offer_steps
from pages.shared.navigation import page

TYPED = "host_typed"


@dataclass(frozen=True, eq=False)
class HostView:
    """What the page is about.

    Attributes:
        workspace: Where it all is.
        host: The address, as an integer.
        day: Key of the bin that is shown, one on which the host was seen.
        run: The run in view; None where there is none with embeddings.
        config: Settings of the snapshots that are shown: those of the run, or the workspace's.
        history: `hosts.history.host_history`.
    """

    workspace: Workspace
    host: int
    day: str
    run: Run | None
    config: SnapshotConfig
    history: pd.DataFrame

    @property
    def address(self) -> str:
        """The address as text."""
        return address_text(self.host)

    @property
    def row(self) -> dict[str, Any]:
        """What the host did on the day that is shown, by column of the history."""
        found = self.history[self.history["bin"] == self.day].iloc[0]
        return {str(name): value for name, value in found.items()}

    @property
    def calendar(self) -> list[str]:
        """All bins, and the days between them without data."""
        return calendar([str(each) for each in self.history["bin"]], self.config.bin_hours)

    @property
    def embedded_by(self) -> Run | None:
        """The run in view, if it embedded the day that is shown."""
        return self.run if self.run is not None and self.day in self.run.days else None


def choose_host(workspace: Workspace) -> HostView | None:
    """Ask for an address and return what is to be shown; None where there is nothing to show yet.

    An empty field, a text that is no address, and an address that was never seen each get a
    sentence and a way on.
    """
    typed = _ask()
    if not loaders.bins(workspace):
        st.info("There are no days to look at yet: load traffic first.", icon=":material/upload:")
        st.page_link(
            page("load_data.py"),
            label="Go to Load data",
            help="Hosts are shown from snapshots, which are made when traffic is loaded.",
        )
        return None
    if not typed:
        st.info("Type an address, or choose a host below.", icon=":material/search:")
        offer_steps(workspace, None)
        show_busiest(workspace)
        return None
    try:
        host = read_address(typed)
        offer_steps(workspace, host)
    except ConfigError as error:
        st.warning(safe(str(error)), icon=":material/edit:")
        show_busiest(workspace)
        return None
    return _view_of(workspace, host)


def _ask() -> str:
    """Ask for the address; the field always says which host is in view."""
    now = state.host_in_view() or ""
    if st.session_state.get(TYPED) != now:
        st.session_state[TYPED] = now
    left, _ = st.columns([2, 3])
    left.text_input(
        "Address",
        key=TYPED,
        on_change=_look_at_typed,
        placeholder="192.0.2.1",
        icon=":material/search:",
        help="An IPv4 address; Enter opens it. Tables of hosts on all pages lead here, too.",
    )
    return now.strip()


def _look_at_typed() -> None:
    state.set_host_in_view(str(st.session_state[TYPED]).strip() or None)


def _view_of(workspace: Workspace, host: int) -> HostView | None:
    run = run_in_use(usable_runs(workspace))
    config = workspace.snapshot_config() if run is None else run.snapshot_config
    history = host_loaders.history(workspace, config, host)
    seen = list(history.loc[history["is_seen"], "bin"])
    if not seen:
        show_never_seen(workspace, config, host)
        return None
    day = state.day() or seen[-1]
    if day not in seen:
        shown = max((each for each in seen if each <= day), default=seen[0])
        _say_not_seen(day, shown)
        day = shown
    return HostView(workspace, host, day, run, config, history)


def _say_not_seen(day: str, shown: str) -> None:
    with st.container(horizontal=True, vertical_alignment="center"):
        st.info(
            f"Not seen on {safe(day)} with enough packets; {safe(shown)} is shown instead.",
            icon=":material/event_busy:",
        )
        st.button(
            plain(f"Go to {shown}"),
            key="host_go_to_day",
            icon=":material/event:",
            on_click=_look_at_day,
            args=(shown,),
            help="Makes it the day in view on all pages.",
        )


def _look_at_day(day: str) -> None:
    st.session_state[state.DAY] = day
