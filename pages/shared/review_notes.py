"""What must be said before any number: days that lack, runs without scores, no labels."""

from collections.abc import Sequence

import streamlit as st

from darkgnn_core.run_config import NetworkConfig
from darkgnn_core.runs import Run
from darkgnn_core.workspace import Workspace
from pages.shared import loaders
from pages.shared.feedback import plain, safe
from pages.shared.navigation import page
from pages.shared.review_choice import Choice
from pages.shared.review_entries import Entry, Kept


def show_notes(
    workspace: Workspace, choice: Choice, entries: Sequence[Entry], kept: Sequence[Kept]
) -> None:
    """Say what is not shown, and what the numbers lean on."""
    if not loaders.all_labels(workspace):
        st.info(
            "No sender has a label yet, so nothing can be scored: add lists of labels first.",
            icon=":material/label_off:",
        )
        st.page_link(
            page("manage_labels.py"),
            label="Go to Labels",
            icon=":material/label:",
            help="The page on which lists of labels are added and hosts are labelled by hand.",
        )
    if choice.question.counts_analysts:
        st.warning(
            "Labels given by hand are scored, too. Whoever gave them after a look at an embedding "
            "grades their own work: switch them off under More settings to compare runs.",
            icon=":material/warning:",
        )
    scored = {each.entry.name for each in kept}
    absent = [entry.name for entry in entries if entry.name not in scored]
    if absent and kept:
        st.text(plain(f"Not computed yet, and so not shown: {', '.join(absent)}."))
    for entry in entries:
        lacks = len(choice.days) - len(entry.days)
        if lacks:
            st.caption(
                f"{safe(entry.name)} has no embedding of {lacks:,} of the {len(choice.days):,} "
                "days; it is scored on the others, and compared on shared days alone."
            )
    told = [run for entry in entries if not entry.is_baseline for run in entry.runs]
    for run in told:
        _say_trained(run, choice.days)
    first = choice.runs[0]
    if not any(set(run.days) & set(choice.days) for run in choice.runs):
        st.info(f"{safe(first.name)} has no embedding of these days: choose others.")


def _say_trained(run: Run, days: Sequence[str]) -> None:
    """Say so where a network was trained on days that are scored."""
    settings = run.config.settings
    if run.config.method != "gcn-gru" or not isinstance(settings, NetworkConfig):
        return
    seen = run.trained_days[: settings.train_days]
    if len(seen) == len(run.trained_days):
        seen = seen[:-1]
    shared = [day for day in days if day in seen]
    if shared:
        st.caption(
            f"{safe(run.name)} was trained on {len(shared):,} of these days (up to "
            f"{safe(shared[-1])}), without labels; later days are the fairer ones."
        )
