"""Runs held against each other day by day: who is ahead, by how much, and is it sure."""

import sys
import threading
from importlib import import_module

import streamlit as st

from darkgnn_core.charts import review_charts
from darkgnn_core.charts.review_tables import daily_values, pair_table
from darkgnn_core.charts.review_words import COMPARING
from darkgnn_core.evaluation.comparing import compare, sentence
from pages.shared.feedback import plain, safe
from pages.shared.review_daily import ask_measure, in_sentence
from pages.shared.review_export import number, show_chart, show_numbers
from pages.shared.review_seen import Seen

MOST_SENTENCES = 12
COLUMNS = {
    "first ahead by": "Mean of the daily differences; below 0 the second is ahead.",
    "95 % from": "Lower end of the 95 % interval of that mean (blocks of days drawn).",
    "to": "Upper end of that interval.",
    "sd over days": "Standard deviation of the daily differences.",
    "p": "Wilcoxon's signed-rank test, two-sided.",
    "p, adjusted": "The same, adjusted for the number of pairs (Holm).",
    "smallest that would show": "The smallest mean difference that so many days with this spread "
    "would show 4 times in 5.",
}


def show_comparison(seen: Seen) -> None:
    """Show every pair of runs, and each run against the baselines."""
    if len(seen.found) < 2:
        st.info(
            "Choose a second run above, or switch on the baselines under More settings.",
            icon=":material/compare_arrows:",
        )
        return
    measure, label, words = ask_measure(seen, "review_pair", without=("ece",))
    daily = {name: daily_values(each, measure, label) for name, each in seen.found.items()}
    addresses = {each.entry.name for each in seen.kept if each.entry.is_baseline}
    runs = {name: days for name, days in daily.items() if name not in addresses}
    others = {name: days for name, days in daily.items() if name in addresses}
    if not runs:
        st.info("Choose a run above: baselines are not compared among themselves.")
        return
    pairs = compare(runs, baselines=others)
    for row in pairs.head(MOST_SENTENCES).to_dict("records"):
        st.text(plain(sentence(row, in_sentence(words))))
    if len(pairs) > MOST_SENTENCES:
        st.text(f"... and {len(pairs) - MOST_SENTENCES:,} more pairs in the table.")
    st.caption(safe(COMPARING))
    drawn = pairs[pairs["days"] > 0]
    if len(drawn):
        show_chart(
            review_charts.pair_spans(drawn, words),
            "review_pair_chart",
            title=f"{words}: differences of runs",
            words="Mean difference of each pair of runs with its interval; the table has the same.",
        )
    columns = {name: number(words, "%.4f") for name, words in COLUMNS.items()}
    show_numbers(pair_table(pairs), "review_pair_table", title="Pairs of runs", columns=columns)


def make_ready() -> None:
    """Load the library of tests beside the page, so that the first comparison is there at once."""
    if "scipy.stats" not in sys.modules:
        threading.Thread(target=import_module, args=("scipy.stats",), daemon=True).start()
