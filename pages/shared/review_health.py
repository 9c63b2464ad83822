"""Embedding health: may today's map and neighbours be trusted, and how that went day by day."""

from collections.abc import Mapping
from typing import Any

import pandas as pd
import streamlit as st

from darkgnn_core.charts import review_charts
from darkgnn_core.charts.review_tables import HEALTH_HELP, health_lines, health_table
from darkgnn_core.charts.review_words import HEALTH_WORDS
from darkgnn_core.evaluation.predictions import Voting
from darkgnn_core.runs import Run
from darkgnn_core.score_files import agreement_path, health_paths, read_facts
from darkgnn_core.score_job import Task
from darkgnn_core.workspace import Workspace
from pages.shared import state
from pages.shared.feedback import plain, safe
from pages.shared.review_compute import offer_computing
from pages.shared.review_entries import Entry
from pages.shared.review_export import number, show_chart, show_numbers
from pages.shared.review_seen import Seen

AGREEING = 0.5
"""Seeds that share less than half of the nearest hosts make neighbours a matter of luck."""


def warn_of_health(workspace: Workspace, run: Run, voting: Voting) -> None:
    """Warn where the embedding of the day in view is known not to be sound."""
    key = state.day()
    if key is None or key not in run.days:
        return
    facts = read_facts(health_paths(workspace, run.id, voting, [key]).get(key))
    if facts and facts["warnings"]:
        _warn(run.name, key, facts["warnings"])


def _warn(name: str, key: str, warnings: list[str]) -> None:
    st.warning(
        f"Do not trust the map and the neighbours of {safe(name)} on {safe(key)} as they stand. "
        f"{safe(' '.join(warnings))}",
        icon=":material/heart_broken:",
    )


def show_health(seen: Seen) -> None:
    """Show the health of each run's embeddings, and how far seeds agree."""
    st.caption(
        "Scores look at labelled hosts alone; these numbers look at all hosts and at no label."
    )
    voting = seen.choice.question.voting
    entries = [each.entry for each in seen.kept if not each.entry.is_baseline]
    facts = {each.name: _facts(seen.workspace, each, voting) for each in entries}
    tasks = [
        Task("health", each.runs[0].id, absent, seen.choice.question)
        for each in entries
        if (absent := tuple(key for key in each.days if key not in facts[each.name]))
    ]
    pairs = _pairs(seen, entries)
    tasks += [task for task, found in pairs if found is None]
    names = {run.id: run.name for each in entries for run in each.runs}
    offer_computing(seen.workspace, tasks, "Health", "review_compute_health")
    there = {name: list(days.values()) for name, days in facts.items() if days}
    if there:
        _say_today(there)
        _show_lines(there)
        columns = {name: number(words, "localized") for name, words in HEALTH_HELP.items()}
        table = health_table(there)
        show_numbers(table, "review_health_table", title="Embedding health", columns=columns)
    _show_agreement(pairs, names)


def _facts(workspace: Workspace, entry: Entry, voting: Voting) -> dict[str, dict[str, Any]]:
    paths = health_paths(workspace, entry.runs[0].id, voting, entry.days)
    read = {key: read_facts(path) for key, path in paths.items()}
    return {key: facts for key, facts in read.items() if facts is not None}


def _say_today(there: Mapping[str, list[dict[str, Any]]]) -> None:
    """Say of the day in view, or the last one, whether it may be trusted."""
    for name, days in there.items():
        today = next((day for day in days if day["key"] == state.day()), days[-1])
        if today["warnings"]:
            _warn(name, today["key"], today["warnings"])
        else:
            st.success(
                f"{safe(name)} on {safe(today['key'])}: no collapse, no hubs, few equal vectors.",
                icon=":material/check_circle:",
            )


def _show_lines(there: Mapping[str, list[dict[str, Any]]]) -> None:
    lines = health_lines(there)
    if lines["bin"].nunique() < 2:
        st.caption("One day has no course: choose more days above to see one.")
        return
    for at, field in enumerate(HEALTH_WORDS):
        if at % 2 == 0:
            columns = st.columns(2)
        if lines[field].notna().any():
            with columns[at % 2]:
                title, words = HEALTH_WORDS[field]
                st.markdown(f"**{title}**", help=safe(words))
                chart = review_charts.health_line(lines, field, HEALTH_WORDS)
                show_chart(chart, f"review_health_{field}", title=title, words=words)


def _pairs(seen: Seen, entries: list[Entry]) -> list[tuple[Task, dict[str, Any] | None]]:
    """Return what is to be known of seeds: the first against each other one, on one day."""
    voting = seen.choice.question.voting
    found = []
    for entry in entries:
        key = state.day() if state.day() in entry.days else entry.days[-1]
        for other in entry.runs[1:]:
            task = Task("agreement", entry.runs[0].id, (str(key),), seen.choice.question, other.id)
            pair = (entry.runs[0].id, other.id, voting, str(key))
            found.append((task, read_facts(agreement_path(seen.workspace, *pair))))
    return found


def _show_agreement(
    pairs: list[tuple[Task, dict[str, Any] | None]], names: Mapping[str, str]
) -> None:
    """Show how far seeds agree on who lies near whom."""
    rows = [
        (
            f"{names[task.run_id]} ({task.run_id[:6]})",
            f"{names[task.other]} ({task.other[:6]})",
            task.days[0],
            facts["hosts"],
            facts["same"],
        )
        for task, facts in pairs
        if facts is not None
    ]
    if not rows:
        return
    st.subheader("Do seeds agree?")
    st.caption(
        "The share of each host's 10 nearest hosts that is the same with another seed. Where "
        "seeds disagree, who lies near whom owes more to luck than to the traffic."
    )
    table = pd.DataFrame(rows, columns=["run", "other seed", "day", "hosts", "same"])
    low = table[table["same"] < AGREEING]
    if len(low):
        share = float(low["same"].min())
        st.warning(
            f"Seeds share only {share:.0%} of the nearest hosts: look at several seeds before "
            "you rely on one host's neighbours.",
            icon=":material/casino:",
        )
    columns = {"same": number("Mean share of the 10 nearest hosts in both.", "percent")}
    shown = table.assign(run=[plain(each) for each in table["run"]])
    show_numbers(shown, "review_agreement", title="Agreement of seeds", columns=columns)
