"""Labels that neighbours suggest: looked through, accepted or turned down, one or many at once."""

import time
from dataclasses import replace

import numpy as np
import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from darkgnn_core.charts.case_tables import abstained_table, count_table, suggestion_table
from darkgnn_core.neighbours import METRICS
from darkgnn_core.set_tables import labels_of
from darkgnn_core.suggestions import Suggestions, SuggestionSettings, Told, chosen_of
from darkgnn_core.workspace import Workspace
from pages.shared import case_loaders, context, state
from pages.shared.case_verdicts import offer_verdicts, show_rejections, ticked_rows
from pages.shared.feedback import plain, safe, show_table
from pages.shared.set_hosts import show_hosts
from pages.shared.set_links import current_set, offer_set

EVERYONE, IN_SET = "All unlabelled hosts of the day", "Those of the current set"
SHOWN = 500
PATIENCE_S = 0.5
TABLE_PIXELS = 420
COLUMNS = {
    "of these by hand": st.column_config.NumberColumn(
        "of these by hand",
        help="Votes of hosts whose label was given by hand, an accepted suggestion among them: "
        "what follows from your own labels is no second opinion.",
    ),
    "share": st.column_config.ProgressColumn("share", format="percent", min_value=0, max_value=1),
    "distance": st.column_config.NumberColumn("distance", format="%.3f"),
    "too far beyond": st.column_config.NumberColumn("too far beyond", format="%.3f"),
}


def show_suggestions(workspace: Workspace) -> None:
    """Ask whose neighbours, how many must agree; show what they suggest, and take verdicts."""
    run = context.run_needed(workspace)
    day = None if run is None else context.day_of(run)
    if run is None or day is None:
        return
    st.caption(
        f"Run {safe(run.name)}, {safe(day)}. Each unlabelled host asks its nearest labelled hosts. "
        "Labels given by hand have a vote at once; evaluations leave them out, so that nobody "
        "grades their own labels."
    )
    set_id = _ask_scope(workspace)
    settings = _ask_settings()
    wanted = (run.id, day, settings, set_id)
    if state.stopped_suggestions() == str(wanted):
        st.info("Stopped. Nothing was kept.", icon=":material/stop_circle:")
        st.button(
            "Ask the neighbours again",
            key="case_suggest_again",
            on_click=state.set_stopped_suggestions,
            args=(None,),
            help="Starts from the beginning, with the settings above.",
        )
        return
    found = case_loaders.suggestions(workspace, *wanted, told=_progress(str(wanted)))
    _show_figures(found)
    if found.known == 0:
        st.info(
            "No host of this day has a label, so nobody can vote. Add lists of labels, or label "
            "some hosts by hand.",
            icon=":material/label_off:",
        )
        return
    _show_suggested(workspace, chosen_of(found, found.is_suggested), run.id, day)
    _show_abstained(workspace, chosen_of(found, ~found.is_suggested), day)
    show_rejections(workspace)


def _progress(wanted: str) -> Told:
    """Return what shows progress and a way to stop, once it takes longer than half a second."""
    began = time.monotonic()
    area = st.empty()
    bars: list[DeltaGenerator] = []

    def told(done: int, total: int) -> None:
        if done >= total:
            area.empty()
        elif time.monotonic() - began > PATIENCE_S:
            if not bars:
                with area.container():
                    bars.append(st.empty())
                    st.button(
                        "Stop",
                        key="case_suggest_stop",
                        on_click=state.set_stopped_suggestions,
                        args=(wanted,),
                        help="Ends the asking; what was found so far is not kept.",
                    )
            bars[0].progress(
                round(done / total, 3), text=f"Asking the neighbours: {done:,} of {total:,} hosts"
            )

    return told


def _ask_scope(workspace: Workspace) -> str | None:
    held = current_set(workspace)
    if held is None:
        return None
    scope = st.segmented_control(
        "For which hosts?",
        [EVERYONE, IN_SET],
        default=EVERYONE,
        key="case_suggest_scope",
        required=True,
        help="Who gets a suggestion; all labelled hosts of the day vote either way.",
    )
    return held.id if scope == IN_SET else None


def _ask_settings() -> SuggestionSettings:
    with st.expander("When is a label suggested?", icon=":material/tune:"):
        k_, share_, metric_, prefix_ = st.columns(4, vertical_alignment="bottom")
        k = k_.number_input(
            "Neighbours that vote", 1, 50, value=7, key="case_suggest_k",
            help="The nearest labelled hosts of the day; those without a label have no vote.",
        )  # fmt: skip
        share = share_.slider(
            "Votes needed, in %", 0, 100, value=60, step=5, key="case_suggest_share",
            help="With fewer for one label, nothing is suggested.",
        )  # fmt: skip
        metric = metric_.selectbox(
            "Near by", METRICS, key="case_suggest_metric",
            help="How distance in the embedding is measured.",
        )  # fmt: skip
        leaves_out = prefix_.toggle(
            "Not by its own /24", key="case_suggest_prefix",
            help="Hosts of the same /24 have no vote: an address next door is not behaviour.",
        )  # fmt: skip
        st.caption(
            "A host is too far when it lies farther from its label than 95 % of that label's own "
            "hosts lie from the next of their kind."
        )
    return replace(
        SuggestionSettings(), k=k, least_share=share / 100, metric=metric,
        leaves_out_prefix=leaves_out,
    )  # fmt: skip


def _show_figures(found: Suggestions) -> None:
    count = int(found.is_suggested.sum())
    first, second, third = st.columns(3)
    first.metric("Hosts without a label", f"{len(found.hosts):,}")
    second.metric("With a suggestion", f"{count:,}")
    third.metric("Labelled hosts that can vote", f"{found.known:,}")


def _show_suggested(workspace: Workspace, found: Suggestions, run_id: str, day: str) -> None:
    st.subheader("Suggested")
    if not len(found.hosts):
        st.info("Nothing is suggested here; below is why.", icon=":material/help:")
        return
    counts = count_table(found.labels, "label")
    label = st.selectbox(
        "Only this label",
        counts["label"].tolist(),
        index=None,
        format_func=plain,
        key="case_suggest_label",
        placeholder="All labels",
        help="The buttons below for all, and the set, then take only these hosts, too.",
    )
    kept = found if label is None else chosen_of(found, np.asarray(found.labels == label, bool))
    shown = chosen_of(kept, np.arange(len(kept.hosts)) < SHOWN)
    key = f"case_suggested_{state.verdict_turn()}"
    show_table(
        suggestion_table(shown, labels_of(workspace, shown.voters, day=day)),
        key,
        columns=COLUMNS,
        height="auto" if len(shown.hosts) < 10 else TABLE_PIXELS,
        on_select=lambda: None,
        selection_mode="multi-row",
    )
    _tell_cut(len(kept.hosts))
    st.caption("Tick rows to decide on them; with one row ticked its host can be opened.")
    offer_verdicts(workspace, kept, shown, ticked_rows(key), run_id, day)
    with st.expander("All of them as a set", icon=":material/bookmark_add:"):
        words = f"suggested {label or 'labels'} by the neighbours on {day}"
        recipe = {"kind": "neighbours", "words": words, "run": run_id, "day": day}
        offer_set(workspace, np.sort(kept.hosts), recipe=recipe, key="case_suggested_set")


def _show_abstained(workspace: Workspace, found: Suggestions, day: str) -> None:
    if not len(found.hosts):
        return
    with st.expander(f"Not suggested, and why ({len(found.hosts):,})", icon=":material/help:"):
        show_table(count_table(found.why, "why"), "case_abstained_why")
        shown = chosen_of(found, np.arange(len(found.hosts)) < SHOWN)
        _tell_cut(len(found.hosts))
        st.caption("Click an address to open its host.")
        show_hosts(
            abstained_table(shown, labels_of(workspace, shown.voters, day=day)),
            "case_abstained",
            columns=COLUMNS,
        )


def _tell_cut(count: int) -> None:
    if count > SHOWN:
        st.caption(f"Showing {SHOWN:,} of {count:,}, those with most votes.")
