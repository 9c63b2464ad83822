"""From host to host of the current set, by buttons and by key."""

import numpy as np
import streamlit as st

from darkgnn_core.charts.host_words import address_text
from darkgnn_core.host_sets import HostSet
from darkgnn_core.hosts.predicting import place_of
from darkgnn_core.workspace import Workspace
from pages.shared import state
from pages.shared.feedback import plain
from pages.shared.set_links import current_set

LOWER = "The host of the current set with the next lower address."
HIGHER = "The host of the current set with the next higher address."


def offer_steps(workspace: Workspace, host: int | None) -> None:
    """Show where the host stands in the current set, and the ways to the one before and after it.

    Args:
        workspace: Where the set is kept.
        host: The host in view; None where there is none yet.
    """
    kept = current_set(workspace)
    if kept is None or not len(kept.hosts):
        return
    place = None if host is None else place_of(kept.hosts, host)
    with st.container(horizontal=True, vertical_alignment="center"):
        st.text(plain(_words(kept, place)))
        before, after = _around(kept, host)
        _step("Previous host", "host_step_back", "K", ":material/arrow_upward:", before, LOWER)
        _step("Next host", "host_step_on", "J", ":material/arrow_downward:", after, HIGHER)


def _words(kept: HostSet, place: int | None) -> str:
    if place is None:
        return f"The current set, {kept.name}, has {len(kept.hosts):,} hosts, not this one."
    return f"Host {place + 1:,} of {len(kept.hosts):,} in the current set, {kept.name}."


def _around(kept: HostSet, host: int | None) -> tuple[int | None, int | None]:
    """Return the hosts of a set just below and just above an address."""
    address = 0 if host is None else host
    low = int(np.searchsorted(kept.hosts, np.uint32(address), "left"))
    high = int(np.searchsorted(kept.hosts, np.uint32(address), "right"))
    before = int(kept.hosts[low - 1]) if low else None
    after = int(kept.hosts[high]) if high < len(kept.hosts) else None
    return before, after


def _step(
    label: str, key: str, shortcut: str, icon: str, host: int | None, explanation: str
) -> None:
    address = "" if host is None else address_text(host)
    st.button(
        label,
        key=key,
        icon=icon,
        shortcut=shortcut,
        disabled=host is None,
        on_click=state.set_host_in_view,
        args=(address,),
        help=explanation,
    )
