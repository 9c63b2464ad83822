"""Who says what of the host, and how near it is to what the run takes it for."""

import pandas as pd
import streamlit as st

from darkgnn_core.charts.host_charts import class_distances
from darkgnn_core.charts.host_words import claim_table, vote_words
from darkgnn_core.hosts.predicting import Prediction, Standing
from pages.shared import host_loaders
from pages.shared.case_note_box import offer_notes
from pages.shared.feedback import plain, safe, show_table
from pages.shared.host_header import names_of, other_runs, other_runs_words, prediction_of
from pages.shared.host_view import HostView


def show_summary(view: HostView) -> None:
    """Show labels with source, day and evidence, then the prediction with votes and distances."""
    told = host_loaders.told(view.workspace, view.host, view.day)
    st.subheader("Labels")
    if told.claims.empty:
        st.text("No source has a label for this address or a prefix that holds it.")
    else:
        show_table(claim_table(told.claims), "host_claims")
    offer_notes(view.workspace, "host", view.address, "host_notes")
    st.subheader("What the run takes it for")
    if view.run is None:
        st.text("There is no run with embeddings yet: see Train models.")
        return
    found = prediction_of(view, view.embedded_by)
    if found is None:
        st.text(plain(f"The run {view.run.name} has no embedding of this host on {view.day}."))
        return
    _show_prediction(found)
    _show_others(view)


def _show_prediction(found: Prediction) -> None:
    st.text(plain(f"{found.label}: {vote_words(found)}"))
    st.text(plain(f"Nearest first they are: {', '.join(found.neighbours)}."))
    if found.verdict == "far":
        st.warning(safe(found.sentence), icon=":material/social_distance:")
    else:
        st.info(safe(found.sentence), icon=":material/adjust:")
    for place, standing in enumerate(found.standings):
        _show_standing(standing, place)
    st.caption(
        "The 3 nearest hosts of the same day vote, the host's own label left out, as in the paper: "
        "hosts without a label vote, too, and classes of fewer than three hosts count as none. The "
        "limit is the distance within which 95 % of a class's hosts have another one of it."
    )


def _show_standing(standing: Standing, place: int) -> None:
    st.text(
        plain(
            f"{standing.label}, {standing.hosts:,} other hosts: this host is nearer to it than "
            f"{1 - standing.share_nearer:.0%} of its own hosts are to one another."
        )
    )
    chart = class_distances(standing.distances, standing.distance, standing.limit)
    st.altair_chart(
        chart,
        width="stretch",
        key=f"host_standing_{place}",
        alt=plain(f"Distances within {standing.label}, and that of this host"),
    )


def _show_others(view: HostView) -> None:
    others = other_runs(view)
    names, rows = names_of(others), []
    for run in others:
        other = prediction_of(view, run)
        if other is not None:
            near = other.standings[0] if other.standings else None
            rows.append(
                {
                    "run": names[run.id],
                    "taken for": other.label,
                    "votes": f"{other.votes} of {other.k}",
                    "nearest class": "none" if near is None else near.label,
                    "within its range": "" if near is None else "no" if near.is_far else "yes",
                }
            )
    if rows:
        st.subheader("What other runs take it for")
        st.caption(f"Runs that embedded this day. {safe(other_runs_words(view))}")
        show_table(pd.DataFrame(rows), "host_other_runs")
