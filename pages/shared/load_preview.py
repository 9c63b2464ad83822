"""What chosen files are: format, first rows, columns, time zone, size and time."""

from typing import Any

import pandas as pd
import streamlit as st

from darkgnn_core.charts.load_tables import packet_table
from darkgnn_core.charts.plain_words import in_words
from darkgnn_core.ingest import default_workers
from darkgnn_core.sources import check_room
from darkgnn_core.traces.previewing import Preview
from darkgnn_core.units import file_size
from darkgnn_core.workspace import Workspace
from pages.shared import load_settings, loaders
from pages.shared.feedback import plain, safe, show_table
from pages.shared.load_choice import ChosenFile
from pages.shared.load_mapping import ask_mapping, fits

PORT_COLUMNS = {
    name: st.column_config.NumberColumn(format="%d") for name in ("source port", "port", "window")
}


def show_preview(workspace: Workspace, files: list[ChosenFile]) -> dict[str, Any] | None:
    """Show what the files are and ask what they leave open.

    Returns:
        How to read them, as a loading job takes it (`load_settings.job_options`); None while
        something stands in the way.
    """
    st.subheader("What is it?")
    load_settings.start_with(files)
    chosen = _which(files)
    scope = load_settings.ask_scope(chosen, files)
    mapping, is_settled = _settle_mapping(loaders.preview(chosen.path, chosen.name), scope)
    year = load_settings.settings_of(scope)["year"]
    timezone = load_settings.settings_of(scope)["timezone"]
    look = loaders.preview(chosen.path, chosen.name, mapping)
    assumed = look.facts.get("year_assumed")
    if assumed:
        year = load_settings.ask_year(scope, assumed)
    if look.code == "TIMEZONE":
        timezone = load_settings.ask_timezone(scope)
    look = loaders.preview(chosen.path, chosen.name, mapping, timezone, year=year)
    _show_figures(look, files)
    _show_rows(look)
    max_days = load_settings.ask_max_days()
    load_settings.tell_own(files)
    check_room(workspace, [each.path for each in files])
    is_ready = is_settled and _is_ready(look, len(files))
    return load_settings.job_options(files, max_days) if is_ready else None


def _settle_mapping(untouched: Preview, scope: str) -> tuple[str, bool]:
    """Ask which column is what, of a table; return the mapping, and whether it is whole."""
    before = load_settings.settings_of(scope)["mapping"]
    if not untouched.columns:
        return ("" if scope else before), True
    if before and not fits(before, untouched):
        st.warning(
            "The columns chosen for the other files are not in this one. Give it settings of its "
            "own above.",
            icon=":material/warning:",
        )
        return before, True
    mapping = ask_mapping(untouched, before)
    if mapping is None:
        return before, False
    load_settings.set_mapping(scope, mapping)
    return mapping, True


def _is_ready(look: Preview, files: int) -> bool:
    """Say what stands in the way of loading; False where it must be settled first."""
    if look.code == "TIMEZONE":
        st.info("Choose the zone of the sensor's clock first.", icon=":material/schedule:")
        return False
    if look.is_loadable:
        return True
    st.error(safe(look.message), icon=":material/error:")
    if files == 1 or look.code in ("COLUMNS", "MAPPING"):
        return False
    st.caption("The other files are loaded; this one is reported as failed.")
    return True


def _which(files: list[ChosenFile]) -> ChosenFile:
    if len(files) == 1:
        return files[0]
    place = st.selectbox(
        f"Look at one of the {len(files):,} files",
        range(len(files)),
        format_func=lambda place: plain(files[place].name),
        key="load_look",
        help="Only for the look below: all files are loaded, whichever is shown.",
    )
    return files[place or 0]


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
