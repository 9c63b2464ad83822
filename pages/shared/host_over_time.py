"""Neighbours over time: who joined, who left, whether other runs agree, and how the host moved."""

from collections.abc import Sequence
from functools import partial

import numpy as np
import pandas as pd
import streamlit as st

from darkgnn_core.charts import host_charts
from darkgnn_core.charts.host_words import address_text
from darkgnn_core.evaluation.predictions import Voting
from darkgnn_core.hosts.over_time import (
    DayMove,
    DayNear,
    agreement,
    companions,
    joined_and_left,
    moves_of,
    turnover,
)
from darkgnn_core.runs import Run
from darkgnn_core.safe_csv import csv_of
from pages.shared import host_loaders, state
from pages.shared.context import usable_runs
from pages.shared.csv_export import offer_table
from pages.shared.feedback import plain, safe, show_table
from pages.shared.host_header import names_of
from pages.shared.host_neighbours import choose_metric, needed_run
from pages.shared.host_view import HostView
from pages.shared.host_walking import walk
from pages.shared.set_hosts import show_hosts
from pages.shared.set_links import offer_set

KEY = "host_time"
FAITHFUL = 20


def show_over_time(view: HostView) -> None:
    """Show overlap by day, who joined and left, faithful neighbours, and the host's own moves."""
    run = needed_run(view)
    if run is None:
        return
    voting = choose_metric()
    if state.is_known_hidden():
        st.caption("All neighbours count here, known scanners too: the switch hides none of them.")
    days = _days(view, run, voting)
    if days is None:
        return
    there = [day.bin for day in days if day.near is not None]
    if len(there) < 2:
        st.info(
            f"The run has an embedding of this host on {len(there):,} day only: there is nothing "
            "to hold against.",
            icon=":material/event:",
        )
        return
    table = turnover(days)
    _show_overlap(view, run, voting, days, table)
    _show_change(view, days)
    _show_faithful(view, voting, days)
    _show_moves(view, run, there)
    offer_table(
        "Overlap by day as CSV",
        lambda: csv_of(table),
        name=f"{view.address}-neighbours-by-day",
        key=f"{KEY}_csv",
        help="One row for each day of the run in view: who stayed, joined and left, in numbers.",
    )


def _days(view: HostView, run: Run, voting: Voting) -> list[DayNear] | None:
    """Return who was near on each day of a run; None where the analyst stopped it."""
    days = [day for day in run.days if state.first_day() is None or state.is_in_range(day)]
    found = walk(
        days,
        "Finding neighbours",
        f"{KEY}_near_{run.id}",
        lambda day: host_loaders.day_near(view.workspace, run.id, day, view.host, voting.k, voting),
    )
    return None if found is None else list(found.values())


def _show_overlap(
    view: HostView, run: Run, voting: Voting, days: Sequence[DayNear], table: pd.DataFrame
) -> None:
    others = [each for each in usable_runs(view.workspace) if each.id != run.id]
    names = names_of(others)
    chosen = st.multiselect(
        "Hold against other runs",
        list(names),
        format_func=lambda each: plain(names[each]),
        key=f"{KEY}_runs",
        placeholder="None",
        max_selections=3,
        help="Shows by day what share of the nearest hosts each has in common with the run "
        "in view; up to three.",
    )
    by_run = {}
    for other in (each for each in others if each.id in chosen):
        found = _days(view, other, voting)
        if found is not None:
            by_run[plain(names[other.id])] = found
    left, right = st.columns(2)
    with left:
        st.subheader("How far neighbours stay the same")
        chart = host_charts.overlap_by_day(table, agreement(days, by_run))
        st.altair_chart(
            chart, width="stretch", key=f"{KEY}_overlap", alt="Overlap of neighbours by day"
        )
        st.caption("Jaccard index: those in common as a share of all in either.")
    with right:
        st.subheader("Who joined and who left")
        chart = host_charts.turnover_by_day(table)
        st.altair_chart(
            chart, width="stretch", key=f"{KEY}_turnover", alt="Neighbours joined and left by day"
        )
        st.caption("Each day against the day before that the host was embedded.")


def _show_change(view: HostView, days: Sequence[DayNear]) -> None:
    joined, left = joined_and_left(days, view.day)
    if joined.empty and left.empty:
        st.caption(f"Nobody joined or left on {safe(view.day)}, or it is the host's first day.")
        return
    for column, name, table in zip(st.columns(2), ("Joined", "Left"), (joined, left), strict=True):
        with column:
            st.caption(f"{safe(name)} on {safe(view.day)}; choose one to open it")
            if table.empty:
                st.text("Nobody.")
                continue
            shown = pd.DataFrame(
                {"address": [address_text(host) for host in table["host"]], "why": table["why"]}
            )
            show_hosts(shown, f"{KEY}_{name.lower()}")


def _show_faithful(view: HostView, voting: Voting, days: Sequence[DayNear]) -> None:
    st.subheader("Most faithful neighbours")
    found = companions(days, FAITHFUL)
    hosts = np.unique(found["host"].to_numpy().astype(np.uint32))
    shown = found.assign(host=[address_text(host) for host in found["host"]])
    st.altair_chart(
        host_charts.companions_by_day(shown, view.calendar),
        width="stretch",
        key=f"{KEY}_faithful",
        alt="On which days each of the most faithful neighbours was near",
    )
    table = shown.drop_duplicates("host")[["host", "days"]].rename(columns={"host": "address"})
    with st.expander("As a table: choose one to open it", icon=":material/table_rows:"):
        show_hosts(table.reset_index(drop=True), f"{KEY}_faithful_table")
    recipe = {
        "kind": "neighbours",
        "of": view.address,
        "k": len(hosts),
        "metric": voting.metric,
        "words": f"{len(hosts)} most faithful neighbours of {view.address}, {days[0].bin} to "
        f"{days[-1].bin}",
    }
    offer_set(view.workspace, hosts, recipe=recipe, key=f"{KEY}_set")


def _show_moves(view: HostView, run: Run, there: Sequence[str]) -> None:
    st.subheader("How far it moved")
    before = dict(zip(there[1:], there[:-1], strict=True))
    read = partial(_move, view, run, before)
    found = walk(list(before), "Turning days onto each other", f"{KEY}_move_{run.id}", read)
    if found is None:
        return
    moves = moves_of(list(found.values()), view.host)
    if moves.empty:
        st.text("Too few hosts are on two days to turn one onto the other.")
        return
    st.altair_chart(
        host_charts.moved_by_day(moves, view.calendar),
        width="stretch",
        key=f"{KEY}_moved",
        alt="How far the embedding of the host moved each day",
    )
    last = moves.iloc[-1]
    st.caption(
        "Cosine distance to its place on the day before, once the two days are turned onto each "
        "other by the hosts that both have (Procrustes). "
        f"Since {safe(str(last['before']))} it moved {last['distance']:.3f} to "
        f"{safe(str(last['bin']))}, more than {last['share_less']:.0%} of the others."
    )
    show_table(
        moves,
        f"{KEY}_moves",
        columns={
            "bin": st.column_config.TextColumn("day"),
            "before": st.column_config.TextColumn("since"),
            "distance": st.column_config.NumberColumn("moved", format="%.4f"),
            "median": st.column_config.NumberColumn("median of all hosts", format="%.4f"),
            "share_less": st.column_config.NumberColumn("hosts that moved less", format="percent"),
        },
    )


def _move(view: HostView, run: Run, before: dict[str, str], day: str) -> DayMove:
    return host_loaders.day_move(view.workspace, run.id, before[day], day)
