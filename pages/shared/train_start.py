"""What new runs will take, whether they are there already, and the button that starts them."""

from dataclasses import asdict

import streamlit as st

from darkgnn_core.charts.training_tables import what_of
from darkgnn_core.errors import DarkgnnError
from darkgnn_core.estimates import Estimate, add_up, room_for
from darkgnn_core.runs import Run, create_runs, list_runs, rename_run
from darkgnn_core.units import duration, file_size
from darkgnn_core.workspace import Workspace
from pages.shared import loaders, state
from pages.shared.feedback import plain, safe
from pages.shared.label_told import done
from pages.shared.train_form import Wanted
from pages.shared.train_views import all_runs, look_at

ONE_SAME = "A run of the same settings is there already."


def show_start(workspace: Workspace, wanted: Wanted) -> None:
    """Show what the runs will take and the button that starts them."""
    with st.container(border=True):
        number = len(wanted.configs)
        st.subheader("What it will take" if number == 1 else f"What {number:,} runs will take")
        st.text("\n".join(plain(what_of(config)) for config in wanted.configs[:12]))
        if number > 12:
            st.text(f"... and {number - 12:,} more")
        estimates = _show_estimate(workspace, wanted)
        same = _show_same(workspace, wanted)
        can_start = bool(estimates) and _has_room(workspace, wanted, add_up(estimates))
        label = "Start again" if same else "Start"
        if st.button(
            label,
            key="train_start",
            type="primary",
            icon=":material/play_arrow:",
            disabled=not can_start,
            help="Works in the background; it can be cancelled, and resumed after that."
            if can_start
            else "Not possible for the reason above.",
        ):
            _start(workspace, wanted, estimates, again=bool(same))
        if number > 1:
            st.caption("They wait for one another: one at a time on a device.")


def _show_estimate(workspace: Workspace, wanted: Wanted) -> list[Estimate]:
    is_measured = state.is_estimate_measured()
    try:
        estimates = [
            loaders.run_estimate(workspace, config, calibrate=is_measured)
            for config in wanted.configs
        ]
    except DarkgnnError as error:  # no such days, a run of a fusion that is gone
        st.error(safe(str(error)), icon=":material/error:")
        return []
    together = add_up(estimates)
    st.metric("Time, about", duration(together.seconds))
    figures = st.columns(2)
    figures[0].metric("Memory", file_size(together.peak_bytes))
    figures[1].metric("Disk", file_size(together.disk_bytes))
    st.caption(safe(together.basis))
    st.toggle(
        "Measure a step for a better estimate",
        key=state.MEASURED,
        help="Takes some seconds: one step of the work is done on this computer and thrown away.",
        persist_state="session",
    )
    return estimates


def _has_room(workspace: Workspace, wanted: Wanted, together: Estimate) -> bool:
    """Say whether the runs may start; where memory or disk do not suffice, say what lacks."""
    found = room_for(workspace, together)
    if found.fits:
        return True
    devices = {config.device for config in wanted.configs}
    if not any(run.is_active and run.config.device in devices for run in list_runs(workspace)):
        st.error(safe(found.why_not), icon=":material/block:")
        return False
    st.warning(
        f"{safe(found.why_not)} It waits for the runs before it; more may be free by then.",
        icon=":material/hourglass_top:",
    )
    return True


def _show_same(workspace: Workspace, wanted: Wanted) -> list[Run]:
    """Say which runs have the same settings already."""
    hashes = {config.hash for config in wanted.configs}
    same = [run for run in all_runs(workspace) if run.config_hash in hashes]
    if same:
        many = f"{len(same):,} of the runs that are there have the same settings."
        st.warning(
            f"{safe(many if len(same) > 1 else ONE_SAME)} Starting again makes another, with the "
            "same embeddings where it computes on the processor.",
            icon=":material/content_copy:",
        )
        for run in same[:3]:
            st.button(
                f"Open {safe(run.name)}",
                key=f"train_open_{run.id}",
                icon=":material/open_in_new:",
                help="Shows that run in full instead of starting another.",
                on_click=look_at,
                args=(run.id,),
            )
    return same


def _start(workspace: Workspace, wanted: Wanted, estimates: list[Estimate], *, again: bool) -> None:
    configs = list(wanted.configs)
    ids = create_runs(
        workspace,
        configs,
        name=wanted.name or (what_of(configs[0]) if len(configs) == 1 else ""),
        group=wanted.group,
        again=again,
        estimate=[asdict(each) for each in estimates],
    )
    if not wanted.name and len(configs) > 1:
        for run_id, config in zip(ids, configs, strict=True):
            rename_run(workspace, run_id, what_of(config))
    look_at(ids[0])
    done("Started." if len(ids) == 1 else f"{len(ids):,} runs are started, one after another.")
