"""Runs under way: how far each is, its curves, the queue; drawn again every two seconds."""

from collections.abc import Sequence
from typing import Any

import streamlit as st

from darkgnn_core.charts.training_charts import accuracy_curve, loss_curve
from darkgnn_core.charts.training_tables import step_table
from darkgnn_core.runs import Run, cancel_run, list_runs, read_progress, run_log
from darkgnn_core.units import duration, file_size
from darkgnn_core.workspace import Workspace
from pages.shared import loaders
from pages.shared.feedback import plain, safe, user_errors_shown
from pages.shared.train_views import look_at

EVERY_S = 2.0
LOG_CHARACTERS = 8_000
LINE_CHARACTERS = 400
QUEUE_SHOWN = 8
FIGURE_PIXELS = 180


@st.fragment(run_every=EVERY_S)
@user_errors_shown()
def show_under_way(root: str, seen: tuple[str, ...], open_run: str | None) -> None:
    """Show the runs that are active; run the page again when one of them has ended.

    Args:
        root: The workspace.
        seen: Ids of the runs that were active when the page was drawn.
        open_run: Id of the run that the page shows in full, which is not shown twice.
    """
    workspace = loaders.workspace_at(root)
    active = active_runs(list_runs(workspace))
    if {run.id for run in active} != set(seen):
        st.rerun()
    for run in active:
        if run.state != "queued" and run.id != open_run:
            with st.container(border=True):
                _show_short(workspace, run)
    _show_queue(workspace, [run for run in active if run.state == "queued"])


def active_runs(runs: Sequence[Run]) -> list[Run]:
    """Return the runs that wait or run, the first to be done first."""
    return [run for run in reversed(runs) if run.is_active]


def _show_short(workspace: Workspace, run: Run) -> None:
    left, right = st.columns([5, 2], vertical_alignment="center")
    with left:
        st.markdown(f"**{safe(run.name)}**")
        show_bar(run)
    with right, st.container(horizontal=True, horizontal_alignment="right"):
        st.button(
            "Open", key=f"live_open_{run.id}", icon=":material/open_in_new:",
            help="Shows the run in full, with its curves and its log.",
            on_click=look_at, args=(run.id,),
        )  # fmt: skip
        offer_cancel(workspace, run, "live")


def _show_queue(workspace: Workspace, waiting: list[Run]) -> None:
    if not waiting:
        return
    with st.expander(f"{len(waiting):,} waiting for the device", icon=":material/queue:"):
        for run in waiting[:QUEUE_SHOWN]:
            st.text(f"{plain(run.name)} ({run.config.device})")
        if len(waiting) > QUEUE_SHOWN:
            st.text(f"... and {len(waiting) - QUEUE_SHOWN:,} more")
        if st.button(
            "Cancel all that wait",
            key="live_cancel_all",
            icon=":material/cancel:",
            help="The run at work goes on; each of the others can be resumed later.",
        ):
            for run in reversed(waiting):  # the last first: none starts because another ended
                cancel_run(workspace, run.id)
            st.rerun()


@st.fragment(run_every=EVERY_S)
@user_errors_shown()
def show_live(root: str, run_id: str) -> None:
    """Show one active run in full, until it ends."""
    workspace = loaders.workspace_at(root)
    run = next((run for run in list_runs(workspace, archived=True) if run.id == run_id), None)
    if run is None or not run.is_active:  # ended, or deleted in another tab
        st.rerun()
    show_bar(run)
    _warn_if_silent(run)
    show_figures(run)
    offer_cancel(workspace, run, "one")
    st.caption("You may close this page or use others; training goes on.")
    show_curves(workspace, run)
    show_log(workspace, run)


def show_bar(run: Run) -> None:
    """Show how far a run is: units done of all, and what it is at."""
    st.progress(_share(run), text=safe(_at(run)))


def _share(run: Run) -> float:
    total = int(run.progress.get("units_total") or 0)
    return min(int(run.progress.get("units_done") or 0) / total, 1.0) if total else 0.0


def _at(run: Run) -> str:
    told = run.progress
    if run.state == "queued":
        return "Waiting for the device"
    if not told.get("units_total"):
        return "Starting: loading the libraries takes some seconds"
    parts = [f"{told.get('units_done', 0)} of {told['units_total']} done"]
    if told.get("unit"):
        parts.append(f"now {told['unit']}")
    if int(told.get("epochs") or 1) > 1:
        parts.append(f"epoch {told.get('epoch', 0)} of {told['epochs']}")
    return ", ".join(parts)


def _warn_if_silent(run: Run) -> None:
    """Say so where a run that should be at work has told nothing for half a minute."""
    if run.is_silent:
        st.warning(
            "Not responding: it has told nothing for half a minute. A large step may take that "
            "long; if it goes on, cancel it and resume: what is finished is not lost.",
            icon=":material/hourglass_disabled:",
        )


def show_figures(run: Run) -> None:
    """Show seconds a day, time gone and left, memory, and the latest loss."""
    told: dict[str, Any] = run.result or run.progress
    seconds, days = told.get("seconds"), len(run.days)
    a_day = told.get("seconds_a_day")
    if a_day is None and seconds and days:
        a_day = float(seconds) / days
    left = run.progress.get("remaining_s") if run.is_active else None
    figures = {
        "Time": None if seconds is None else duration(float(seconds)),
        "Time left, about": None if left is None else duration(float(left)),
        "Time a day": None if a_day is None else duration(float(a_day)),
        "Peak memory": file_size(int(told["peak_bytes"])) if told.get("peak_bytes") else None,
        "Loss": _figure(run.progress.get("loss"), "{:.3f}"),
        "Links told right": _figure(run.progress.get("accuracy"), "{:.1%}"),
    }
    known = {title: text for title, text in figures.items() if text is not None}
    if not known:
        return
    with st.container(horizontal=True, gap="medium"):
        for title, text in known.items():
            st.metric(title, text, width=FIGURE_PIXELS)


def _figure(value: Any, pattern: str) -> str | None:
    return None if value is None else pattern.format(float(value))


def offer_cancel(workspace: Workspace, run: Run, where: str) -> None:
    """Show the button that stops a run; what it finished is kept."""
    if st.button(
        "Cancel",
        key=f"{where}_cancel_{run.id}",
        icon=":material/cancel:",
        help="Stops it within seconds; days it has finished are kept, and it can be resumed.",
    ):
        with st.spinner("Stopping it"):
            cancel_run(workspace, run.id)
        st.rerun()


def show_curves(workspace: Workspace, run: Run) -> None:
    """Show loss and link accuracy, side by side, once there are any."""
    lines, _ = read_progress(workspace, run.id)
    steps = step_table(lines)
    if steps.empty:
        return
    pair = [("Loss (lower is better)", loss_curve(steps))]
    accuracy = accuracy_curve(steps)
    if accuracy is not None:
        pair.append(("Links told right", accuracy))
    for column, (title, chart) in zip(st.columns(2), pair, strict=False):
        with column:
            st.markdown(f"**{title}**")
            st.altair_chart(chart, key=f"curve_{title[:5]}_{run.id}", width="stretch")


def show_log(workspace: Workspace, run: Run) -> None:
    """Offer the log of the run's process."""
    with st.expander("Log", icon=":material/terminal:"):
        lines = run_log(workspace, run.id)[-LOG_CHARACTERS:].splitlines()
        text = "\n".join(plain(line[:LINE_CHARACTERS]) for line in lines)
        st.code(text or "It wrote nothing.", language=None)
