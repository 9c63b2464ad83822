"""The traces of the workspace: what each gave, what was left out of it, and removing one."""

from typing import Any

import streamlit as st

from darkgnn_core.charts.source_tables import day_table, fact_table, reason_table, trace_table
from darkgnn_core.jobs import start_job
from darkgnn_core.sources import Source, list_sources
from darkgnn_core.units import file_size
from darkgnn_core.workspace import Workspace
from pages.shared import state
from pages.shared.feedback import plain, show_table
from pages.shared.label_told import confirmed
from pages.shared.navigation import page

TIMES = ("first packet (UTC)", "last packet (UTC)", "loaded (UTC)")
"""Columns that tell the minute; the second would push the last of them out of view."""


def show_traces(workspace: Workspace, *, is_busy: bool) -> None:
    """Show the traces, and one of them in detail."""
    with workspace.catalogue() as connection:
        sources = list_sources(connection)
    if not sources:
        st.info("No trace has been loaded yet.", icon=":material/database:")
        st.page_link(
            page("load_data.py"),
            label="Load data",
            icon=":material/upload_file:",
            help="The page on which captures, logs and tables are read in.",
        )
        return
    times = {name: _minutes(name) for name in TIMES}
    show_table(trace_table(sources), "traces", columns=times)
    by_id = {source.id: source for source in sources}
    chosen = st.selectbox(
        "One of them",
        list(by_id),
        format_func=lambda each: plain(by_id[each].name),
        key="source_chosen",
        help="What was kept of it and what was left out stands below, with the way to remove it.",
    )
    _show_trace(workspace, by_id.get(str(chosen), sources[0]), is_busy=is_busy)


def _minutes(title: str) -> Any:
    return st.column_config.DatetimeColumn(title, format="YYYY-MM-DD HH:mm", timezone="UTC")


def _show_trace(workspace: Workspace, source: Source, *, is_busy: bool) -> None:
    report = source.report
    skipped = sum(report.get("skipped", {}).values())
    figures = st.columns(4)
    figures[0].metric("Records read", f"{report.get('read', 0):,}", border=True)
    figures[1].metric("Kept", f"{report.get('kept', 0):,}", border=True)
    figures[2].metric("Skipped", f"{skipped:,}", border=True)
    figures[3].metric(
        "Packets",
        f"{source.packets:,}",
        help="More than the records kept where one record stands for several packets.",
        border=True,
    )
    made_up = "synthetic, made by the demo generator; " if source.is_synthetic else ""
    seconds = float(report.get("seconds", 0.0))
    st.text(f"{made_up}{file_size(source.bytes)}, read in {seconds:,.1f} s; id {source.id}")
    _show_tables(source)
    _offer_removal(workspace, source, is_busy=is_busy)


def _show_tables(source: Source) -> None:
    tables = {
        "Skipped, by reason": reason_table(source.report, "skipped"),
        "Worth knowing": reason_table(source.report, "notes"),
        "What the file turned out to be": fact_table(source.report),
        "Packets by day (UTC)": day_table(source.report),
    }
    full = {title: table for title, table in tables.items() if len(table)}
    for place, (title, table) in enumerate(full.items()):
        if place % 2 == 0:
            columns = st.columns(2)
        with columns[place % 2]:
            st.subheader(title)
            show_table(table, f"source_table_{place}", height="auto" if len(table) < 9 else 320)


def _offer_removal(workspace: Workspace, source: Source, *, is_busy: bool) -> None:
    question = (
        "Its packets leave the workspace, and the snapshots of its days are built again without "
        "them. The file it was loaded from is not touched."
    )
    if confirmed(question, source.name, "source_remove", disabled=is_busy):
        state.set_source_job(start_job(workspace, "remove", {"source_id": source.id}))
        st.rerun()
    if is_busy:
        st.caption("Wait until the job above has ended to remove it.")
