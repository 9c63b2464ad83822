"""Every label ever given, those taken back among them, the latest first."""

import streamlit as st

from darkgnn_core.charts.label_tables import bad_table, history_table
from darkgnn_core.labels.store import history, list_sources
from darkgnn_core.labels.typed import read_typed
from darkgnn_core.workspace import Workspace
from pages.shared.feedback import plain, show_table

SHOWN = 1_000


def show_history(workspace: Workspace) -> None:
    """Ask for an address or a source; show what was said of it, when and by whom."""
    with workspace.catalogue() as connection:
        names = {source.id: source.name for source in list_sources(connection)}
    left, right = st.columns(2)
    text = left.text_input(
        "Address",
        key="label_history_address",
        placeholder="any",
        help="Also finds labels on prefixes that hold it.",
    )
    source = right.selectbox(
        "Source",
        list(names),
        index=None,
        format_func=lambda each: plain(names[each]),
        key="label_history_source",
        placeholder="any",
        help="Shows only labels of this source. Empty: those of all sources.",
    )
    typed = read_typed(text)
    if typed.bad:
        st.error("That is no address.", icon=":material/error:")
        show_table(bad_table(typed.bad), "label_history_bad")
        return
    address = typed.targets[0].first_ip if typed.targets else None
    with workspace.catalogue() as connection:
        rows = history(connection, address=address, source_id=source, limit=SHOWN)
    if not rows:
        st.info("No label was ever given here.", icon=":material/history:")
        return
    show_table(history_table(rows), "label_history", height=480 if len(rows) > 12 else "auto")
    st.caption(
        f"{len(rows):,} labels, the latest first; at most {SHOWN:,} are shown. Lists that were "
        "removed are gone from here, labels given by hand never are."
    )
