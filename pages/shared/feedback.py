"""What the app says: text that stays text, and errors that end in words instead of a traceback."""

import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, Literal

import pandas as pd
import streamlit as st

from darkgnn_core.errors import DarkgnnError
from pages.shared.safe_logs import show_unexpected, visible

MAX_LENGTH = 500
TIME = "YYYY-MM-DD HH:mm:ss"
PUNCTUATION = re.compile(r"([!-/:-@\[-`{-~])")
REWRITTEN = re.compile(r":(?=[A-Za-z/])|www(?=\.)|@|[-<>~](?=[->=])", re.IGNORECASE)
WORD_JOINER = "\u2060"


def safe(text: str) -> str:
    """Return Markdown that Streamlit shows as exactly `text`, whatever the text is.

    Backslashes switch off Markdown, HTML, colours and formulas. Addresses, `:name:` images and
    arrows are looked for after the backslashes are gone; an invisible word joiner breaks those.
    Prefer `st.text` or a table, which need none of this.

    Args:
        text: Anything: a file name, a label, a message that holds one.
    """
    short = plain(text).replace("\n", " ")
    broken = REWRITTEN.sub(lambda match: match.group() + WORD_JOINER, short)
    return PUNCTUATION.sub(r"\\\1", broken)


def plain(text: str) -> str:
    """Return `text` for sinks that do not read Markdown: no control characters, not endless."""
    cut = text if len(text) <= MAX_LENGTH else f"{text[:MAX_LENGTH]} ... ({len(text):,} characters)"
    return visible(cut)


@contextmanager
def user_errors_shown() -> Iterator[None]:
    """Show expected errors as messages and bugs as an id; every fragment carries this, too."""
    try:
        yield
    except DarkgnnError as error:
        st.error(safe(str(error)), icon=":material/error:")
    except Exception as error:  # the last boundary: logged with its traceback
        show_unexpected(error)


def show_table(
    table: pd.DataFrame,
    key: str,
    *,
    columns: dict[str, Any] | None = None,
    height: int | Literal["auto"] = "auto",
    on_select: Callable[[], None] | None = None,
    selection_mode: Literal["single-row", "multi-row"] = "single-row",
) -> None:
    """Show a table, its texts without control characters; numbers with thousands marks.

    Args:
        table: Columns are our own names, never names from a file.
        key: Widget key.
        columns: Streamlit column settings by column.
        height: Pixels, or `auto`.
        on_select: Called when a row is chosen, which stands in the session under `key`.
        selection_mode: Whether several rows can be chosen.
    """
    shown = table.copy()
    settings: dict[str, Any] = {}
    for name in shown.columns:
        words = str(name).replace("_", " ")
        if pd.api.types.is_numeric_dtype(shown[name]):
            settings[name] = st.column_config.NumberColumn(words, format="localized")
        elif pd.api.types.is_datetime64_any_dtype(shown[name]):
            settings[name] = st.column_config.DatetimeColumn(words, format=TIME, timezone="UTC")
        else:
            shown[name] = [plain(str(value)) for value in shown[name]]
            settings[name] = st.column_config.TextColumn(words)
    st.dataframe(
        shown,
        key=key,
        hide_index=True,
        width="stretch",
        height=height,
        placeholder="",
        column_config=settings | (columns or {}),
        on_select=on_select or "ignore",
        selection_mode=selection_mode,
    )
