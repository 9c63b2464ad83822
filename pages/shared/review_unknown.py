"""What became of hosts without a label, and whether a class that nobody knows would be noticed."""

import streamlit as st

from darkgnn_core.charts.review_tables import alarms, held_out_table, unknown_table
from darkgnn_core.charts.review_words import HELD_OUT_HELP, UNKNOWN_HELP
from pages.shared.feedback import plain
from pages.shared.review_entries import open_set_of
from pages.shared.review_export import number, show_numbers
from pages.shared.review_seen import Seen


def show_unknown(seen: Seen) -> None:
    """Say how many hosts without a label were told a class; in the open set, all it says of them.

    It is about all hosts of a day, so nothing is said while only some classes are looked at.
    """
    if seen.classes is not None:
        return
    _show_alarms(seen)
    found = open_set_of(seen.kept)
    if found:
        st.subheader("Hosts and classes that nobody knows")
        columns = {name: number(words) for name, words in UNKNOWN_HELP.items()}
        columns["hosts without a label"] = number(
            UNKNOWN_HELP["hosts without a label"], "localized"
        )
        title = "Open set"
        show_numbers(unknown_table(found), "review_unknown", title=title, columns=columns)
        with st.expander("Each class, held out in turn", icon=":material/person_off:"):
            columns = {name: number(words) for name, words in HELD_OUT_HELP.items()}
            columns["hosts"] = number(HELD_OUT_HELP["hosts"], "localized")
            table = held_out_table(found)
            show_numbers(table, "review_held_out", title="Classes held out", columns=columns)


def _show_alarms(seen: Seen) -> None:
    """Say how many hosts without a label were told a class, where they are told at all."""
    for name, each in seen.found.items():
        false, hosts = alarms(each)
        if hosts:
            st.text(
                plain(
                    f"{name}: {false:,} of {hosts:,} hosts without a label ({false / hosts:.0%}) "
                    "were told a class: alarms, some of which may be right."
                )
            )
