"""A table of hosts, each one click from its page."""

from functools import partial
from typing import Any, Literal

import pandas as pd
import streamlit as st

from pages.shared import context
from pages.shared.feedback import show_table

ROW_PIXELS = 35
MOST_ROWS = 14


def show_hosts(
    table: pd.DataFrame,
    key: str,
    *,
    column: str = "address",
    columns: dict[str, Any] | None = None,
    height: int | Literal["auto"] | None = None,
) -> None:
    """Show a table in which a click on an address, or choosing its row, opens the host's page.

    Args:
        table: One row a host; as for `feedback.show_table`.
        key: Widget key.
        column: Column that holds the address as text.
        columns: Streamlit column settings by column.
        height: Pixels; None to grow with the rows up to 14.
    """
    chosen = f"{key}_host"
    if height is None:
        height = "auto" if len(table) < MOST_ROWS else MOST_ROWS * ROW_PIXELS
    addresses, clicked = tuple(table[column]), f"{key}_opened"
    link = st.column_config.ButtonColumn(
        column,
        type="tertiary",
        key=clicked,
        on_click=partial(_note_click, clicked, chosen, addresses),
        alignment="left",
    )
    show_table(
        table,
        key,
        columns={column: link} | (columns or {}),
        height=height,
        on_select=partial(_note_row, key, chosen, addresses),
    )
    address = st.session_state.pop(chosen, None)
    if address is not None:
        context.open_host(str(address))


def _note_click(key: str, chosen: str, addresses: tuple[str, ...]) -> None:
    """Remember which host was clicked: a callback cannot go to another page."""
    click = st.session_state.get(key)
    if click is not None and click["row"] < len(addresses):
        st.session_state[chosen] = addresses[click["row"]]


def _note_row(key: str, chosen: str, addresses: tuple[str, ...]) -> None:
    """Remember whose row was chosen."""
    rows = st.session_state[key]["selection"]["rows"]
    if rows and rows[0] < len(addresses):
        st.session_state[chosen] = addresses[rows[0]]
