"""F1, and other measures, day by day, with how far repeats lie apart."""

import streamlit as st

from darkgnn_core.charts import review_charts
from darkgnn_core.charts.review_tables import day_lines, day_table
from darkgnn_core.charts.review_words import F1_HELP, MEASURE_HELP, MEASURES
from pages.shared.feedback import plain, safe
from pages.shared.review_export import number, show_chart, show_numbers
from pages.shared.review_seen import Seen

OF_CLASS = "F1 of a class"


def show_days(seen: Seen) -> None:
    """Show a measure by day, a line a run."""
    measure, label, words = ask_measure(seen, "review_day")
    lines = day_lines(seen.found, measure, label)
    if lines.empty:
        st.info("There is nothing to score on these days.", icon=":material/label_off:")
        return
    if lines["bin"].nunique() == 1:
        st.info(
            "One day has no course: choose more days above to see ups and downs.",
            icon=":material/calendar_today:",
        )
    show_chart(
        review_charts.day_lines(lines, words),
        "review_day_chart",
        title=f"{words} by day",
        words=f"{words} of each day; the table below has the numbers.",
    )
    repeats = max(int(each.summary["repeats"]) for each in seen.found.values())
    if repeats > 1:
        st.caption("Lines are means over seeds or draws; bands one standard deviation of these.")
    else:
        st.caption("No band: a spread on one day needs the same run with other seeds.")
    table = day_table(seen.found)
    columns = {name: number("") for name in table.columns if table[name].dtype == float}
    columns |= {in_sentence(MEASURES[name]): number(words) for name, words in MEASURE_HELP.items()}
    show_numbers(table, "review_day_table", title="Scores by day", columns=columns)


def in_sentence(measure: str) -> str:
    """Return what a measure is called inside a sentence; names of people and F1 stay."""
    is_name = measure.startswith(("F1", "Matthews"))
    return measure if is_name else measure[0].lower() + measure[1:]


def ask_measure(seen: Seen, key: str, *, without: tuple[str, ...] = ()) -> tuple[str, str, str]:
    """Ask what to measure; return the column, the class or nothing, and what it is in words."""
    left, right = st.columns(2)
    with left:
        none = without if seen.classes is None else (*without, "mcc")
        choices = [name for name in MEASURES if name not in none]
        measure = st.selectbox(
            "Measure",
            [*choices, OF_CLASS],
            format_func=lambda each: MEASURES.get(each, each),
            key=f"{key}_measure",
            help="The score that is compared here; nothing has to be computed again for another.",
            persist_state="session",
        )
    if measure != OF_CLASS:
        st.caption(safe(MEASURE_HELP[measure]))
        return str(measure), "", MEASURES[measure]
    st.caption(safe(F1_HELP))
    there = [label for each in seen.found.values() for label in each.by_class["label"]]
    with right:
        label = st.selectbox(
            "Class",
            list(dict.fromkeys(there)),
            format_func=plain,
            key=f"{key}_class",
            help="Only classes that were scored on one of the days are listed.",
        )
    if label is None:
        return "macro_f1", "", MEASURES["macro_f1"]
    return "f1", str(label), f"F1 of {label}"
