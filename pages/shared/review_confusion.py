"""Which classes are taken for which: a click on a cell lists its hosts, a click on one opens it."""

from functools import partial
from ipaddress import IPv4Address

import numpy as np
import pandas as pd
import streamlit as st

from darkgnn_core.charts import review_charts
from darkgnn_core.charts.review_words import PROTOCOL_WORDS
from darkgnn_core.evaluation.predictions import DayScores
from darkgnn_core.reviewing import cell_hosts, cells
from darkgnn_core.runs import Run
from pages.shared.feedback import plain, safe
from pages.shared.review_export import number, offer_csv, show_chart, show_numbers
from pages.shared.review_seen import Seen, ask_run
from pages.shared.set_hosts import show_hosts
from pages.shared.set_links import offer_set

CHOSEN = "review_cell"
CHART, TABLE = "review_confusion_chart", "review_confusion_table"


def show_confusion(seen: Seen) -> None:
    """Show the confusion of one run, and the hosts of the cell that is chosen."""
    asked = ask_run(seen, "review_confusion")
    if asked is None:
        st.info("Choose a run: baselines have no confusion of their own here.")
        return
    run, days = asked
    table = cells(days, seen.classes)
    if table.empty:
        st.info("There is nothing to score on these days.", icon=":material/label_off:")
        return
    st.caption(
        "A row holds the hosts with a label; a column those told a label. Numbers count a host "
        "once a day; colour is the share of the row. Off the diagonal lie the mistakes."
    )
    show_chart(
        review_charts.confusion(table, is_dark=st.context.theme.type == "dark"),
        CHART,
        title="Confusion of labels",
        words="Hosts by true label and by the label they were told; the list beside has the same.",
        on_select=_choose_in_chart,
    )
    with st.expander("The same as a list, for the keyboard", icon=":material/table_rows:"):
        told = table.rename(columns={"true": "true label", "told": "told"})
        pairs = tuple(zip(table["true"], table["told"], strict=True))
        show_numbers(
            told,
            TABLE,
            title="Confusion of labels",
            columns={"share": number("Of the hosts with that true label.", "percent")},
            on_select=partial(_choose_in_table, pairs),
        )
    _show_cell(seen, run, days, table)


def _choose_in_chart() -> None:
    points = st.session_state[CHART].selection.get(review_charts.CELL) or []
    if points and {"true", "told"} <= set(points[0]):
        st.session_state[CHOSEN] = (str(points[0]["true"]), str(points[0]["told"]))


def _choose_in_table(pairs: tuple[tuple[str, str], ...]) -> None:
    rows = st.session_state[TABLE].selection.rows
    if rows and rows[0] < len(pairs):
        st.session_state[CHOSEN] = pairs[rows[0]]


def _show_cell(seen: Seen, run: Run, days: list[DayScores], table: pd.DataFrame) -> None:
    """Show the hosts of the chosen cell, with the ways on."""
    chosen: tuple[str, str] | None = st.session_state.get(CHOSEN)
    there = set(zip(table["true"], table["told"], strict=True))
    if chosen is None or tuple(chosen) not in there:
        st.info(
            "Click a cell to list its hosts; click a host to open its page.",
            icon=":material/ads_click:",
        )
        return
    true, told = chosen
    hosts = cell_hosts(days, true, told)
    st.subheader(safe(f"{true} told {told}" if true != told else f"{true}, told right"))
    st.caption(
        f"{len(hosts):,} hosts. Votes is the share of neighbours that voted so, distance that to "
        "the nearest one; both are means over the host's days in this cell."
    )
    addresses = np.array([int(IPv4Address(each)) for each in hosts["address"]], np.uint32)
    show_hosts(
        hosts,
        "review_cell_hosts",
        columns={
            "votes": number("Share of the neighbours that voted for it.", "percent"),
            "distance": number("To the nearest neighbour that may vote."),
        },
    )
    offer_csv(
        hosts, "review_cell_hosts", title=f"Hosts {true} told {told}", label="CSV of this table"
    )
    recipe = {
        "kind": "cell",
        "true": true,
        "predicted": told,
        "protocol": PROTOCOL_WORDS[seen.choice.question.protocol].title,
        "run": run.id,
        "first_day": days[0].key,
        "last_day": days[-1].key,
    }
    offer_set(
        seen.workspace,
        addresses,
        recipe=recipe,
        key="review_cell_set",
        name=plain(f"{true} told {told}"),
    )
