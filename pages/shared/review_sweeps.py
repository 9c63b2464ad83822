"""Curves of a group of runs: how a measure goes with the value of a setting."""

from collections.abc import Sequence

import streamlit as st

from darkgnn_core.charts import review_charts
from darkgnn_core.charts.review_tables import (
    SWEEP,
    setting_title,
    sweep_points,
    varied_settings,
)
from darkgnn_core.charts.review_words import MEASURES, SWEEPING
from darkgnn_core.runs import Run
from darkgnn_core.workspace import Workspace
from pages.shared.context import usable_runs
from pages.shared.feedback import plain, safe
from pages.shared.review_choice import Choice
from pages.shared.review_compute import offer_computing
from pages.shared.review_entries import Entry, kept_and_missing, scored
from pages.shared.review_export import number, show_chart, show_numbers
from pages.shared.review_seen import Seen

ON_CHOSEN, ON_EARLIER = "the chosen days", "the days before them"


def show_sweeps(seen: Seen) -> None:
    """Show a group's runs over the setting in which they differ."""
    st.caption(safe(SWEEPING))
    asked = _ask(seen)
    if asked is None:
        return
    runs, setting, measure, kinds = asked
    entries = [
        Entry(f"{run.id} {kind}", (run,), seen.choice.question, there)
        for kind, days in kinds.items()
        for run in runs
        if (there := tuple(day for day in days if day in run.days))
    ]
    kept, missing = kept_and_missing(seen.workspace, entries)
    offer_computing(seen.workspace, missing, "This sweep", "review_compute_sweep")
    if not kept:
        return
    if missing:
        st.caption(f"{len(entries) - len(kept):,} of {len(entries):,} points are still missing.")
    found = scored(kept, seen.variant, seen.classes)
    points = sweep_points(
        setting,
        (
            (each.entry.name.partition(" ")[2], each.entry.runs[0].config, found[each.entry.name])
            for each in kept
        ),
        measure,
    )
    title = setting_title(runs[0].config.method, setting)
    if points.empty:
        st.info("There is nothing to score on these days.", icon=":material/label_off:")
        return
    show_chart(
        review_charts.sweep_curve(points, title, MEASURES[measure]),
        "review_sweep_chart",
        title=f"{MEASURES[measure]} by {title.lower()}",
        words=f"{MEASURES[measure]} for each value of {title}; the table has the numbers.",
    )
    st.caption("Upright lines are one standard deviation over days to each side.")
    table = points[list(SWEEP)].rename(columns=SWEEP)
    columns = {name: number("") for name in ("mean", "sd over days")}
    show_numbers(table, "review_sweep_table", title="Sweep", columns=columns)


def _ask(seen: Seen) -> tuple[list[Run], str, str, dict[str, tuple[str, ...]]] | None:
    """Ask for group, setting and measure; say what lacks where there is no sweep."""
    groups = _groups(seen.workspace)
    if not groups:
        st.info(
            "No group of runs differs in a setting. Train models, New run, Try several values of "
            "a setting makes one.",
            icon=":material/stacked_line_chart:",
        )
        return None
    group_, setting_, measure_ = st.columns(3)
    own = seen.choice.runs[0].group
    names = list(groups)
    group = group_.selectbox(
        "Group",
        names,
        index=names.index(own) if own in groups else 0,
        format_func=plain,
        key="review_sweep_group",
        help="Runs that were started together and differ in a setting, the newest first.",
    )
    runs = groups[group]
    settings = varied_settings([run.config for run in runs])
    setting = setting_.selectbox(
        "Setting",
        settings,
        format_func=lambda each: setting_title(runs[0].config.method, each),
        key="review_sweep_setting",
        help="Its values stand along the chart; only settings in which the runs differ are here.",
    )
    measure = measure_.selectbox(
        "Measure",
        list(MEASURES),
        format_func=MEASURES.__getitem__,
        key="review_sweep_measure",
        help="The score of each point, as the mean over the days.",
    )
    if len(settings) > 1:
        st.caption("Its runs differ in other settings, too; each point is their mean.")
    return runs, setting, measure, _ask_kinds(seen.choice, runs)


def _groups(workspace: Workspace) -> dict[str, list[Run]]:
    """Return groups whose runs differ in a setting, the newest first."""
    found: dict[str, list[Run]] = {}
    for run in usable_runs(workspace):
        if run.group:
            found.setdefault(run.group, []).append(run)
    return {
        name: runs for name, runs in found.items() if varied_settings([run.config for run in runs])
    }


def _ask_kinds(choice: Choice, runs: Sequence[Run]) -> dict[str, tuple[str, ...]]:
    """Return the days to score: those that are chosen, and those before them if wanted."""
    kinds = {ON_CHOSEN: choice.days}
    first = choice.days[0]
    earlier = sorted({day for run in runs for day in run.days if day < first})
    if earlier and st.toggle(
        f"Also the {len(earlier):,} days before those chosen",
        key="review_sweep_earlier",
        help="To choose a value on days on which it is not reported.",
    ):
        kinds[ON_EARLIER] = tuple(earlier)
    return kinds
