"""F1 of each class, in bars and numbers, and in one number over all classes, both ways."""

from math import isnan

import streamlit as st

from darkgnn_core.charts import review_charts
from darkgnn_core.charts.review_tables import class_bars, class_table, summary_table
from darkgnn_core.charts.review_words import (
    COLUMN_HELP,
    F1_HELP,
    MACRO_MEAN,
    MACRO_POOLED,
    SUMMARY_HELP,
)
from darkgnn_core.evaluation.repeats import Repeats
from darkgnn_core.reviewing import left_out
from pages.shared.feedback import safe
from pages.shared.review_export import bar, number, show_chart, show_numbers
from pages.shared.review_seen import Seen
from pages.shared.review_unknown import show_unknown

SHARES = ("F1", "precision", "recall")


def show_classes(seen: Seen) -> None:
    """Show how well each class is told, by each run."""
    bars = class_bars(seen.found)
    if bars.empty:
        _say_nothing_scored(seen)
        return
    if len(seen.found) == 1:
        _show_figures(next(iter(seen.found.values())))
    else:
        _show_summary(seen)
    st.caption(safe(f"Mean of days: {MACRO_MEAN}"))
    st.caption(safe(f"Days pooled: {MACRO_POOLED}"))
    show_unknown(seen)
    st.subheader("By class", help=safe(F1_HELP))
    show_chart(
        review_charts.class_bars(bars, seen.labels),
        "review_class_chart",
        title="F1 by class",
        words="F1 of each class with its 95 % interval; the table below has the numbers.",
    )
    st.caption("Thin lines are 95 % intervals of the mean over days.")
    columns = {name: number(words) for name, words in COLUMN_HELP.items() if name not in SHARES}
    columns |= {name: bar(COLUMN_HELP[name]) for name in SHARES}
    columns |= {name: number(COLUMN_HELP[name], "localized") for name in ("hosts", "days")}
    table = class_table(seen.found)
    show_numbers(table, "review_class_table", title="F1 by class", columns=columns)
    if len(seen.choice.days) == 1:
        st.caption("One day has no spread and no interval: choose more days to see how sure it is.")
    show_left_out(seen)
    if len(seen.found) == 1:
        st.subheader("All measures")
        _show_summary(seen)


def _show_figures(each: Repeats) -> None:
    """Show the numbers of a run that is alone, large."""
    told = each.summary
    mean, spread = told["macro_f1_mean"], told["macro_f1_sd"]
    with st.container(horizontal=True, gap="large"):
        st.metric(
            "Macro F1, mean of days",
            f"{mean:.3f}" if isnan(spread) else f"{mean:.3f} \u00b1 {spread:.3f}",
            help=safe(f"{MACRO_MEAN} After \u00b1 the standard deviation over days."),
        )
        st.metric(
            "Macro F1, days pooled", f"{told['macro_f1_pooled']:.3f}", help=safe(MACRO_POOLED)
        )
        st.metric("Hosts scored", f"{told['hosts']:,}", help="A host counts once a day.")
        st.metric("Classes", f"{told['classes']:,}")
        st.metric("Days", f"{told['days']:,}")


def _show_summary(seen: Seen) -> None:
    table = summary_table(seen.found)
    columns = {
        name: number(SUMMARY_HELP.get(name, ""))
        for name in table.columns
        if table[name].dtype == float
    }
    show_numbers(table, "review_summary", title="Scores over all classes", columns=columns)


def _say_nothing_scored(seen: Seen) -> None:
    fewest = seen.choice.question.voting.min_class_hosts
    st.info(
        f"No host was scored. A class counts on a day with {fewest:,} hosts or more of it, and "
        "the protocol may leave out others. Lower Fewest hosts a class, choose other days or "
        "classes, or load more labels.",
        icon=":material/label_off:",
    )
    show_left_out(seen)


def show_left_out(seen: Seen) -> None:
    """Say which classes were too small, so that none goes missing silently."""
    fewest = seen.choice.question.voting.min_class_hosts
    table = left_out(seen.sizes, fewest)
    if table.empty:
        return
    with st.expander(
        f"{len(table):,} classes were too small on some days", icon=":material/filter_alt:"
    ):
        st.text(
            f"With fewer than {fewest:,} hosts on a day, a class is unknown there: its hosts are "
            "not scored."
        )
        show_numbers(table, "review_left_out", title="Classes left out")
