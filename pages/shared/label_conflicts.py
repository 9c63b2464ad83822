"""Where sources of labels disagree: every such host or prefix, who wins, and why."""

import streamlit as st

from darkgnn_core.charts.label_tables import conflict_table
from darkgnn_core.workspace import Workspace
from pages.shared import loaders
from pages.shared.feedback import show_table
from pages.shared.set_hosts import show_hosts

SHOWN = 5_000


def show_conflicts(workspace: Workspace) -> None:
    """Show the disputes about the hosts seen here, or about every address of any source."""
    only_seen = st.toggle(
        "Only hosts seen in this workspace",
        value=True,
        key="label_only_seen",
        help="Off: every address and prefix that any source speaks of.",
    )
    found = loaders.label_conflicts(workspace, only_seen=only_seen)
    if found.empty:
        st.success("No two sources disagree here.", icon=":material/check_circle:")
        return
    st.caption(
        f"Disputed addresses and prefixes: {len(found):,}. None of them is settled silently: "
        "change the order of sources, or say under Names that two labels are one."
    )
    table = conflict_table(found.head(SHOWN))
    if only_seen:
        st.caption("Click an address to open its host.")
        show_hosts(table, "label_conflict_hosts")
    else:
        show_table(table, "label_conflict_table", height=480 if len(found) > 12 else "auto")
    if len(found) > SHOWN:
        st.caption(f"The first {SHOWN:,} of them, by address.")
