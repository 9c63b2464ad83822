"""What is shown where there is no host to look at: the busiest ones, or a search in the packets."""

import pandas as pd
import streamlit as st

from darkgnn_core.config import SnapshotConfig
from darkgnn_core.workspace import Workspace
from pages.shared import host_loaders, loaders, state
from pages.shared.feedback import show_table
from pages.shared.host_walking import walk
from pages.shared.label_undo import noun
from pages.shared.set_hosts import show_hosts

SEARCH = "host_search_packets"


def show_busiest(workspace: Workspace) -> None:
    """Show the busiest hosts of the day in view, each one click from its page."""
    day = state.day() or loaders.bins(workspace)[0]
    table = loaders.hosts(workspace, day, hide_known=state.is_known_hidden())
    st.subheader("Busiest hosts of the day")
    if table.empty:
        st.text("None.")
        return
    show_hosts(table, "host_busiest")


def show_never_seen(workspace: Workspace, config: SnapshotConfig, host: int) -> None:
    """Say that an address is on no day, and offer to look for it in the packets themselves."""
    bins = [key for _, key, _ in host_loaders.shelf_of(workspace, config)]
    st.info(
        f"This address is in no graph: on none of {len(bins):,} days did it send as many as "
        f"{config.min_packets:,} TCP {noun(config.min_packets, 'packet')}.",
        icon=":material/person_off:",
    )
    if not any(host_loaders.has_packets(workspace, config, each) for each in bins[-1:]):
        return
    st.caption("It may still have sent a few packets, answers, or another protocol than TCP.")
    wanted = f"{SEARCH}_of"
    if st.button(
        "Look for it in all packets",
        key=SEARCH,
        icon=":material/manage_search:",
        help="Reads the stored packets of every day, before any filter; it can be stopped.",
    ):
        st.session_state[wanted] = host
    if st.session_state.get(wanted) == host:
        found = walk(
            bins,
            "Looking",
            SEARCH,
            lambda each: host_loaders.hours(workspace, config, each, [host]),
        )
        if found is not None:
            _show_found({key: hours for key, hours in found.items() if len(hours)}, len(found))


def _show_found(found: dict[str, pd.DataFrame], days: int) -> None:
    if not found:
        st.text(f"Not a single packet on {days:,} days.")
        return
    rows = [
        {
            "day": key,
            "packets": int(hours["packets"].sum()),
            "answers": int(hours.loc[hours["kind"] == "backscatter", "packets"].sum()),
            "not TCP": int(hours.loc[hours["kind"] == "other", "packets"].sum()),
            "first hour": int(hours["hour"].min()),
            "last hour": int(hours["hour"].max()),
        }
        for key, hours in found.items()
    ]
    st.text(f"Found on {len(rows):,} of {days:,} days.")
    show_table(pd.DataFrame(rows), "host_found_packets")
