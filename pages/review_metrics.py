"""Review metrics: how well runs tell labels, by class and day, and whether to trust it."""

import streamlit as st

from pages.shared import context, loaders, review_entries
from pages.shared.review_calibration import show_calibration
from pages.shared.review_choice import ask_what
from pages.shared.review_classes import show_classes
from pages.shared.review_comparison import make_ready, show_comparison
from pages.shared.review_compute import offer_computing, show_under_way
from pages.shared.review_confusion import show_confusion
from pages.shared.review_daily import show_days
from pages.shared.review_health import show_health, warn_of_health
from pages.shared.review_notes import show_notes
from pages.shared.review_seen import look_at
from pages.shared.review_sweeps import show_sweeps

VIEWS = {
    "Classes": show_classes,
    "Days": show_days,
    "Confusion": show_confusion,
    "Calibration": show_calibration,
    "Comparison": show_comparison,
    "Sweeps": show_sweeps,
    "Health": show_health,
}

st.title("Review metrics")
workspace = loaders.workspace_in_use()
run = context.run_needed(workspace)
if run is not None:
    runs = context.usable_runs(workspace)
    choice = ask_what(run, runs)
    warn_of_health(workspace, run, choice.question.voting)
    entries = review_entries.entries_of(choice)
    kept, missing = review_entries.kept_and_missing(workspace, entries)
    show_under_way(workspace, {each.id: each.name for each in runs})
    offer_computing(workspace, missing, "Scores", "review_compute")
    show_notes(workspace, choice, entries, kept)
    if kept:
        seen = look_at(workspace, choice, kept)
        view = st.segmented_control(
            "What would you like to see?",
            list(VIEWS),
            default="Classes",
            key="review_view",
            required=True,
            bind="query-params",
            help="The same scores by class, by day, by mistake, by share of votes, and run against "
            "run. Sweeps compare values of a setting; Health says whether an embedding is sound.",
        )
        VIEWS[view or "Classes"](seen)
        make_ready()
