"""Whether a share of votes can be trusted: how often labels with that share are right."""

import pandas as pd
import streamlit as st

from darkgnn_core.charts import review_charts
from darkgnn_core.charts.review_words import CALIBRATION
from darkgnn_core.evaluation.scores import calibration_error
from darkgnn_core.reviewing import pooled_reliability
from pages.shared import review_loaders
from pages.shared.feedback import plain, safe
from pages.shared.review_entries import Kept
from pages.shared.review_export import number, show_chart, show_numbers
from pages.shared.review_seen import Seen

ERROR_HELP = (
    "Expected calibration error: the mean distance between share of votes and share told right, "
    "weighted by hosts. 0 is perfect."
)


def show_calibration(seen: Seen) -> None:
    """Show confidence against accuracy, a line a run."""
    st.caption(safe(CALIBRATION))
    by_run = {each.entry.name: _reliability(seen, each) for each in seen.kept}
    there = {name: table for name, table in by_run.items() if len(table)}
    if not there:
        st.info("There is nothing to score on these days.", icon=":material/label_off:")
        return
    with st.container(horizontal=True, gap="large"):
        for name, table in there.items():
            title = "Calibration error" if len(there) == 1 else plain(name)
            st.metric(safe(title), f"{calibration_error(table):.3f}", help=safe(ERROR_HELP))
    table = pd.concat([table.assign(run=name) for name, table in there.items()], ignore_index=True)
    show_chart(
        review_charts.reliability(table),
        "review_reliability",
        title="Votes and how often they are right",
        words="Share told right against share of votes; the table below has the numbers.",
    )
    _say_sure(there)
    told = table[["run", "confidence", "accuracy", "hosts"]].rename(
        columns={"confidence": "share of votes", "accuracy": "told right"}
    )
    shown = told if len(there) > 1 else told.drop(columns="run")
    columns = {name: number("", "percent") for name in ("share of votes", "told right")}
    show_numbers(shown, "review_reliability_table", title="Calibration", columns=columns)


def _reliability(seen: Seen, kept: Kept) -> pd.DataFrame:
    repeats = [
        draw for files in kept.files for draw in review_loaders.draws_in(files, seen.variant)
    ]
    return pooled_reliability(repeats, seen.classes)


def _say_sure(there: dict[str, pd.DataFrame]) -> None:
    name, table = next(iter(there.items()))
    surest = table.iloc[-1]
    st.text(
        plain(
            f"{name}: where {surest['confidence']:.0%} of the neighbours voted alike, "
            f"{surest['accuracy']:.1%} of the hosts were told right "
            f"({int(surest['hosts']):,} hosts, one a day)."
        )
    )
