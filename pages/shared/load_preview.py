"""What chosen files are: format, first rows, columns, time zone, size and time."""

from dataclasses import asdict
from datetime import UTC, datetime
from typing import Any
from zoneinfo import available_timezones

import pandas as pd
import streamlit as st

from darkgnn_core.charts.load_tables import packet_table
from darkgnn_core.charts.plain_words import in_words
from darkgnn_core.ingest import default_workers
from darkgnn_core.traces.previewing import Preview
from darkgnn_core.traces.reading import ReadOptions
from darkgnn_core.units import file_size
from pages.shared import loaders
from pages.shared.feedback import plain, safe, show_table
from pages.shared.load_choice import ChosenFile
from pages.shared.load_mapping import ask_mapping

PORT_COLUMNS = {
    name: st.column_config.NumberColumn(format="%d") for name in ("source port", "port", "window")
}
FIRST_YEAR = 1995


def show_preview(files: list[ChosenFile]) -> dict[str, Any] | None:
    """Show what the files are and ask what they leave open.

    Returns:
        The options to read them with, as JSON; None while something stands in the way.
    """
    st.subheader("What is it?")
    chosen = _which(files)
    untouched = loaders.preview(chosen.path, chosen.name)
    mapping = ask_mapping(untouched) if untouched.columns else ""
    assumed = untouched.facts.get("year_assumed")
    year = _ask_year(assumed) if assumed else None
    look = loaders.preview(chosen.path, chosen.name, mapping, year=year)
    timezone = None
    if look.code == "TIMEZONE":
        timezone = _ask_timezone()
        look = loaders.preview(chosen.path, chosen.name, mapping, timezone, year=year)
    _show_figures(look, files)
    _show_rows(look)
    if look.code == "TIMEZONE":
        st.info("Choose the zone of the sensor's clock first.", icon=":material/schedule:")
        return None
    if not look.is_loadable:
        st.error(safe(look.message), icon=":material/error:")
        if len(files) == 1 or look.code in ("COLUMNS", "MAPPING"):
            return None
        st.caption("The other files are loaded; this one is reported as failed.")
    read = ReadOptions(loaders.mapping_of(mapping) if mapping else None, timezone, year)
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


def _ask_year(assumed: int) -> int | None:
    return st.number_input(
        "Its times carry no year. Which year is the first line of?",
        min_value=FIRST_YEAR,
        max_value=datetime.now(UTC).year,
        value=None,
        key="load_year",
        placeholder=f"{assumed}, the latest that fits",
    )


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
    left_out = f"Of the first {look.read:,} records, left out:"
    _show_reasons("why", look.skipped, left_out, "first_skipped")
    _show_reasons("what", look.notes, "Worth knowing", "first_notes")


def _show_reasons(title: str, counts: dict[str, int], caption: str, key: str) -> None:
    if counts:
        words = [in_words(code) for code in counts]
        st.caption(safe(caption))
        show_table(pd.DataFrame({title: words, "records": counts.values()}), key)
