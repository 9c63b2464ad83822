"""What chosen files are: format, first rows, columns, time zone, size and time."""

import zlib
from dataclasses import asdict
from typing import Any
from zoneinfo import available_timezones

import pandas as pd
import streamlit as st

from darkgnn_core.charts.load_tables import packet_table
from darkgnn_core.ingest import default_workers
from darkgnn_core.traces.mapping import TARGETS, missing_columns, to_json
from darkgnn_core.traces.previewing import Preview, mapping_from_choice
from darkgnn_core.traces.reading import ReadOptions
from darkgnn_core.traces.times import UNITS
from darkgnn_core.units import file_size
from pages.shared import loaders
from pages.shared.feedback import plain, safe, show_table
from pages.shared.load_choice import ChosenFile

PORT_COLUMNS = {
    name: st.column_config.NumberColumn(format="%d") for name in ("source port", "port", "window")
}
UNIT_NAMES = {
    "s": "seconds since 1970",
    "ms": "milliseconds since 1970",
    "us": "microseconds since 1970",
    "ns": "nanoseconds since 1970",
    "text": "date and time (ISO 8601)",
}


def show_preview(files: list[ChosenFile]) -> dict[str, Any] | None:
    """Show what the files are and ask what they leave open.

    Returns:
        The options to read them with, as JSON; None while something stands in the way.
    """
    st.subheader("What is it?")
    chosen = _which(files)
    untouched = loaders.preview(chosen.path, chosen.name, "", None)
    timezone = _ask_timezone() if untouched.code == "TIMEZONE" else None
    mapping = _ask_mapping(untouched) if untouched.columns else ""
    look = loaders.preview(chosen.path, chosen.name, mapping, timezone)
    _show_figures(look, files)
    _show_rows(look)
    if not look.is_loadable:
        st.error(safe(look.message), icon=":material/error:")
        if len(files) == 1 or look.code in ("TIMEZONE", "COLUMNS", "MAPPING"):
            return None
        st.caption("The other files are loaded; this one is reported as failed.")
    read = ReadOptions(mapping=loaders.mapping_of(mapping) if mapping else None, timezone=timezone)
    return asdict(read)


def _which(files: list[ChosenFile]) -> ChosenFile:
    if len(files) == 1:
        return files[0]
    place = st.selectbox(
        f"Look at one of the {len(files):,} files",
        range(len(files)),
        format_func=lambda place: plain(files[place].name),
        key="load_look",
    )
    return files[place or 0]


def _ask_timezone() -> str | None:
    zones = ["UTC", *sorted(zone for zone in available_timezones() if "/" in zone)]
    return st.selectbox(
        "Its times carry no zone. Which zone was the sensor's clock in?",
        zones,
        index=None,
        key="load_timezone",
        placeholder="Choose a time zone",
    )


def _ask_mapping(look: Preview) -> str:
    """Show which column is what, to be changed; return the mapping as JSON, empty if as guessed."""
    guessed = dict(look.mapping.get("columns", {}))
    form = zlib.crc32("\n".join(look.columns).encode())  # another table, another form
    with st.expander("Which column is what", expanded=look.code == "COLUMNS"):
        samples = dict(zip(look.columns, look.samples, strict=True))
        table = pd.DataFrame(
            {
                "field": TARGETS,
                "column": [guessed.get(target) for target in TARGETS],
                "example": [plain(samples.get(guessed.get(t, ""), "")) for t in TARGETS],
            }
        )
        edited = st.data_editor(
            table,
            key=f"load_mapping_{form}",
            hide_index=True,
            width="stretch",
            disabled=["field", "example"],
            column_config={
                "field": st.column_config.TextColumn("Field of a packet"),
                "column": st.column_config.SelectboxColumn(
                    "Column of the file", options=look.columns
                ),
                "example": st.column_config.TextColumn("Example"),
            },
        )
        unit = st.selectbox(
            "Times are written as",
            UNITS,
            index=UNITS.index(look.mapping.get("time_unit", "s")),
            format_func=UNIT_NAMES.__getitem__,
            key=f"load_unit_{form}",
        )
        pairs = zip(edited["field"], edited["column"], strict=True)
        choice = {field: name for field, name in pairs if isinstance(name, str) and name}
        if choice == guessed and unit == look.mapping.get("time_unit"):
            return ""
        mapping = mapping_from_choice(choice, unit)
        lacking = missing_columns(mapping) if mapping else ["ts_ns", "src_ip"]
        if mapping is None or lacking:
            st.caption(f"Still needed: {safe(', '.join(lacking))}.")
            return ""
        return to_json(mapping)


def _show_figures(look: Preview, files: list[ChosenFile]) -> None:
    total = sum(each.path.stat().st_size for each in files)
    share = total / look.bytes if look.bytes else 0.0
    seconds = look.estimated_seconds * share / min(default_workers(), len(files))
    packed = f", packed with {look.compression}" if look.compression else ""
    st.text(plain(f"Format: {look.title}{packed}" if look.title else "Format: not recognised"))
    columns = st.columns(3)
    columns[0].metric("Files", f"{len(files):,}")
    columns[1].metric("Size", file_size(total))
    columns[2].metric(
        "Packets, about",
        _rounded(look.estimated_packets * share) if look.packets else "not known yet",
        f"about {max(1, round(seconds)):,} s to read" if look.packets else None,
        delta_color="off",
        delta_arrow="off",
        help="From the start of the file shown; snapshots take some time more.",
    )


def _rounded(number: float) -> str:
    return f"{float(f'{number:.2g}'):,.0f}"


def _show_rows(look: Preview) -> None:
    if look.rows:
        st.caption("First packets, as they will be loaded")
        show_table(packet_table(look.rows), "first_rows", columns=PORT_COLUMNS)
    if look.lines:
        with st.expander("First lines of the file", expanded=not look.rows):
            st.code("\n".join(plain(line) for line in look.lines), language=None)
    if look.skipped:
        reasons = pd.DataFrame({"reason": look.skipped.keys(), "records": look.skipped.values()})
        st.caption(f"Of the first {look.read:,} records, left out:")
        show_table(reasons, "first_skipped")
