"""Which column of a table is which field of a packet: shown, changed, saved, used again."""

import zlib
from typing import Any

import pandas as pd
import streamlit as st

from darkgnn_core.errors import TraceError
from darkgnn_core.traces.mapping import TARGETS, from_json, missing_columns, to_dict, to_json
from darkgnn_core.traces.previewing import Preview, mapping_from_choice
from darkgnn_core.traces.reading import ColumnMapping
from darkgnn_core.traces.times import UNITS
from pages.shared.feedback import plain, safe

MAPPING_NAME = "mapping.json"
UNIT_NAMES = {
    "s": "seconds since 1970",
    "ms": "milliseconds since 1970",
    "us": "microseconds since 1970",
    "ns": "nanoseconds since 1970",
    "text": "date and time (ISO 8601)",
}


def fits(mapping: str, look: Preview) -> bool:
    """Say whether the columns of a mapping (as JSON) are in a file."""
    return not _absent(from_json(mapping), look.columns)


def ask_mapping(look: Preview, chosen: str) -> str | None:
    """Show which column is what, to be changed.

    Args:
        look: The file, looked at without a mapping.
        chosen: The mapping chosen before, as JSON; empty for the guess.

    Returns:
        The mapping as JSON, empty if as guessed; None while a column is still needed.
    """
    guessed = look.mapping
    with st.expander("Which column is what", expanded=look.code == "COLUMNS"):
        before = to_dict(from_json(chosen)) if chosen else guessed
        start = _ask_saved(look.columns) or before
        choice, unit = _ask_columns(look, start)
        mapping = mapping_from_choice(choice, unit)
        lacking = missing_columns(mapping) if mapping else ["ts_ns", "src_ip"]
        if mapping is None or lacking:
            st.caption(f"Still needed: {safe(', '.join(lacking))}.")
            return None
        text = to_json(mapping)
        st.download_button(
            "Save this mapping",
            text,
            MAPPING_NAME,
            "application/json",
            key="save_mapping",
            icon=":material/save:",
            on_click="ignore",
            help="For the next file of this kind; the command line takes it with --mapping.",
        )
        return "" if to_dict(mapping) == guessed else text


def _ask_saved(columns: list[str]) -> dict[str, Any] | None:
    """Ask for a saved mapping; return it where it is one and fits these columns."""
    upload = st.file_uploader(
        "Use a saved mapping",
        type="json",
        key="load_saved_mapping",
        max_upload_size=1,
        help="A file from Save this mapping. It fills the table below, where its columns are in "
        "this file, too.",
    )
    if upload is None:
        return None
    try:
        saved = from_json(upload.getvalue().decode("utf-8"))
    except UnicodeDecodeError:
        st.error("This file is no saved mapping: it is not text.", icon=":material/error:")
        return None
    except TraceError as error:
        st.error(f"This file is no saved mapping. {safe(str(error))}", icon=":material/error:")
        return None
    absent = _absent(saved, columns)
    if absent:
        st.error(
            "The saved mapping is for another kind of file: there is no column "
            f"{safe(', '.join(absent))} here.",
            icon=":material/error:",
        )
        return None
    return to_dict(saved)


def _absent(mapping: ColumnMapping, columns: list[str]) -> list[str]:
    return [name for _, name in mapping.columns if name not in columns]


def _ask_columns(look: Preview, start: dict[str, Any]) -> tuple[dict[str, str], str]:
    """Show the form of columns; return the column of each field, and how times are written."""
    given = start.get("columns", {})
    told = "\n".join([*look.columns, str(start)])
    form = zlib.crc32(told.encode())  # another table or saved mapping, another form
    samples = dict(zip(look.columns, look.samples, strict=True))
    table = pd.DataFrame(
        {
            "field": TARGETS,
            "column": [given.get(target) for target in TARGETS],
            "example": [plain(samples.get(given.get(t, ""), "")) for t in TARGETS],
        }
    )
    edited = st.data_editor(
        table,
        key=f"load_mapping_{form}",
        hide_index=True,
        width="stretch",
        disabled=["field", "example"],
        column_config={
            "field": st.column_config.TextColumn(
                "Field of a packet", help="What darkgnn needs or can use; it cannot be changed."
            ),
            "column": st.column_config.SelectboxColumn(
                "Column of the file",
                options=look.columns,
                help="Click a cell to choose another column. Empty: the field is not read.",
            ),
            "example": st.column_config.TextColumn(
                "Example", help="A value of the column that stood here at first."
            ),
        },
    )
    unit = st.selectbox(
        "Times are written as",
        UNITS,
        index=UNITS.index(start.get("time_unit", "s")),
        format_func=UNIT_NAMES.__getitem__,
        key=f"load_unit_{form}",
        help="With the wrong one, packets land on wrong days; the first packets below show it.",
    )
    pairs = zip(edited["field"], edited["column"], strict=True)
    return {field: name for field, name in pairs if isinstance(name, str) and name}, unit
