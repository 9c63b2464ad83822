"""A table as a CSV file, by one button."""

from collections.abc import Callable
from typing import Literal

import streamlit as st


def offer_table(
    label: str,
    make: Callable[[], bytes | str],
    *,
    name: str,
    key: str,
    help: str | None = None,
    disabled: bool = False,
    type: Literal["secondary", "tertiary"] = "secondary",
) -> None:
    """Show a button that saves a table; the table is written out when it is clicked.

    Args:
        label: On the button.
        make: Returns the file.
        name: Of the file, after `darkgnn-` and before `.csv`.
        key: Widget key.
        help: What is in it, in words.
        disabled: Whether there is nothing to save.
        type: As of a Streamlit button.
    """
    st.download_button(
        label,
        make,
        file_name=f"darkgnn-{name}.csv",
        mime="text/csv",
        key=key,
        on_click="ignore",
        type=type,
        icon=":material/download:",
        help=help,
        disabled=disabled,
    )
