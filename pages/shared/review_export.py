"""Every table and chart of Review metrics, with the way to take it along: CSV, PNG, SVG."""

from collections.abc import Callable
from functools import partial
from typing import Any

import altair as alt
import pandas as pd
import streamlit as st

from darkgnn_core.charts.pictures import Picture, picture_of
from darkgnn_core.safe_csv import csv_of
from pages.shared.csv_export import offer_table
from pages.shared.feedback import plain, show_table

Chart = alt.Chart | alt.LayerChart
MIME: dict[Picture, str] = {"png": "image/png", "svg": "image/svg+xml"}
ROW_PIXELS = 35
MOST_ROWS = 16


def show_chart(
    chart: Chart, key: str, *, title: str, words: str, on_select: Callable[[], None] | None = None
) -> None:
    """Show a chart with buttons that save it.

    Args:
        chart: The chart.
        key: Its key, and the start of those of its buttons.
        title: What it shows; also stands above the saved picture.
        words: The same for who cannot see it.
        on_select: Called when a part of it is chosen.
    """
    st.altair_chart(
        chart,
        key=key,
        width="stretch" if chart.width is alt.Undefined else "content",
        on_select=on_select or "ignore",
        alt=plain(words),
    )
    with st.container(horizontal=True):
        for kind in MIME:
            st.download_button(
                kind.upper(),
                partial(picture_of, chart, kind, title=title),
                file_name=f"darkgnn-{_file_name(title)}.{kind}",
                mime=MIME[kind],
                key=f"{key}_{kind}",
                on_click="ignore",
                type="tertiary",
                icon=":material/image:",
                help="The chart as a picture on white.",
            )


def show_numbers(
    table: pd.DataFrame,
    key: str,
    *,
    title: str,
    columns: dict[str, Any] | None = None,
    on_select: Callable[[], None] | None = None,
) -> None:
    """Show a table with a button that saves it.

    Args:
        table: Columns are our own names.
        key: Its key, and the start of that of its button.
        title: What it shows, for the name of the file.
        columns: Streamlit column settings by column.
        on_select: Called when a row is chosen.
    """
    tall = len(table) > MOST_ROWS
    show_table(
        table,
        key,
        columns={name: each for name, each in (columns or {}).items() if name in table},
        height=MOST_ROWS * ROW_PIXELS if tall else "auto",
        on_select=on_select,
    )
    offer_csv(table, key, title=title)


def offer_csv(table: pd.DataFrame, key: str, *, title: str, label: str = "CSV") -> None:
    """Show the button that saves a table as CSV."""
    offer_table(
        label,
        partial(csv_of, table),
        name=_file_name(title),
        key=f"{key}_csv",
        type="tertiary",
        help="The table as a file. Texts that a spreadsheet would run are made harmless.",
    )


def _file_name(title: str) -> str:
    kept = [character if character.isalnum() else "-" for character in title.lower()]
    return "-".join(part for part in "".join(kept).split("-") if part)[:60]


def number(explanation: str, pattern: str = "%.3f") -> Any:
    """Return the settings of a column of numbers with its explanation."""
    return st.column_config.NumberColumn(format=pattern, help=explanation)


def bar(explanation: str) -> Any:
    """Return the settings of a column of shares, drawn as bars."""
    return st.column_config.ProgressColumn(
        format="%.3f", min_value=0.0, max_value=1.0, help=explanation
    )
