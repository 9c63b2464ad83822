"""What can be done with a run: go on, clone, rename, archive, delete; and after a failure."""

from collections.abc import Mapping, Sequence
from typing import Any

import streamlit as st

from darkgnn_core.charts.training_tables import setting_of
from darkgnn_core.run_config import NetworkConfig, RunConfig
from darkgnn_core.runs import (
    Run,
    archive_run,
    delete_run,
    new_days,
    rename_run,
    resume_run,
    size_of,
)
from darkgnn_core.units import file_size
from darkgnn_core.workspace import Workspace
from pages.shared import state
from pages.shared.feedback import plain
from pages.shared.label_told import done
from pages.shared.train_views import clone

TO_CPU = "Change the device to the processor (CPU)"
TO_BATCHES = "Train in smaller batches"


def offer_actions(workspace: Workspace, run: Run) -> None:
    """Show the buttons for a run that is not active."""
    with st.container(horizontal=True):
        _offer_going_on(workspace, run)
        st.button(
            "Clone with changes",
            key=f"run_clone_{run.id}",
            icon=":material/content_copy:",
            help="Fills the form of a new run with these settings.",
            on_click=clone,
            args=(run.config,),
        )
        _offer_name(workspace, run)
        label = "Take out of the archive" if run.archived else "Archive"
        does = "Puts it back into the lists" if run.archived else "Leaves it out of the lists"
        explanation = f"{does} of all pages; nothing is deleted."
        if st.button(
            label, key=f"run_archive_{run.id}", icon=":material/archive:", help=explanation
        ):
            archive_run(workspace, run.id, not run.archived)
            done("It is back in the list." if run.archived else "It is in the archive.")
        _offer_deleting(workspace, run)


def _offer_going_on(workspace: Workspace, run: Run) -> None:
    if run.state == "done":
        graph = run.config.graph  # where new days change earlier ones, a run cannot go on
        changes_past = graph.edges == "month_first" or graph.control == "shuffled_days"
        new = () if changes_past else new_days(workspace, run)
        days = "1 new day" if len(new) == 1 else f"{len(new):,} new days"
        if new and st.button(
            f"Continue with {days}",
            key=f"run_continue_{run.id}",
            type="primary",
            icon=":material/play_arrow:",
            help="Embeds the days that came since; the embeddings it has stay as they are.",
        ):
            resume_run(workspace, run.id)
            done("It goes on with the new days.")
    elif run.is_resumable and st.button(
        "Resume",
        key=f"run_resume_{run.id}",
        type="primary",
        icon=":material/play_arrow:",
        help="It goes on after the last day it finished.",
    ):
        resume_run(workspace, run.id)
        done("It goes on after the last day it finished.")


def _offer_name(workspace: Workspace, run: Run) -> None:
    place = st.popover(
        "Rename", icon=":material/edit:", help="Links to the run, and what was noted, stay."
    )
    with place, st.form(f"rename_{run.id}", border=False):
        name = st.text_input(
            "Name",
            value=run.name,
            key=f"run_name_{run.id}",
            help="Shown wherever runs are listed. Two runs may have the same name.",
        )
        renames = st.form_submit_button(
            "Rename", help="Nothing but the name changes; you can rename it again."
        )
        if renames and name.strip():
            rename_run(workspace, run.id, name.strip())
            done("It has a new name.")


def _offer_deleting(workspace: Workspace, run: Run) -> None:
    with st.popover(
        "Delete",
        icon=":material/delete:",
        help="Says what would go and asks once more; nothing is deleted before that.",
    ):
        st.text(plain(run.name))
        size = file_size(size_of(workspace, run.id))
        st.text(f"Its embeddings, network and log are deleted for good; {size} become free.")
        if st.button(
            "Yes, delete it",
            key=f"run_delete_{run.id}",
            type="primary",
            help="There is no undo; only training again would bring it back.",
        ):
            delete_run(workspace, run.id)
            state.set_run_in_view(None)
            done(f"The run is deleted; {size} are free.")


def offer_all(workspace: Workspace, runs: Sequence[Run], sizes: Mapping[str, int]) -> None:
    """Offer to archive or delete all runs of the list that are not active."""
    ended = [run for run in runs if not run.is_active]
    size = sum(sizes[run.id] for run in ended)
    with st.popover(
        f"All {len(runs):,} in the list",
        icon=":material/checklist:",
        help="Archive or delete at once what the list shows now; runs under way are left alone.",
    ):
        st.text(f"{len(ended):,} have ended and take {file_size(size)}.")
        if st.button(
            "Archive them",
            key="runs_archive_all",
            icon=":material/archive:",
            help="Leaves them out of the lists of all pages; nothing is deleted.",
        ):
            for run in ended:
                archive_run(workspace, run.id, True)
            done(f"{len(ended):,} runs are in the archive.")
        st.text("Deleting takes their embeddings, networks and logs for good.")
        if st.button(
            "Yes, delete them all",
            key="runs_delete_all",
            icon=":material/delete:",
            help="There is no undo; only training again would bring them back.",
        ):
            for run in ended:
                delete_run(workspace, run.id)
            state.set_run_in_view(None)
            done(f"{len(ended):,} runs are deleted; {file_size(size)} are free.")


def offer_remedy(run: Run) -> None:
    """Offer the changes that may help after a failure."""
    for label, changes in remedies(run).items():
        st.button(
            label,
            key=f"run_remedy_{len(changes)}_{run.id}",
            icon=":material/build:",
            help="Fills the form of a new run with this change; nothing starts yet.",
            on_click=clone,
            args=(changed(run.config, changes),),
        )


def remedies(run: Run) -> dict[str, dict[str, Any]]:
    """Return what may help after a failure: changes of settings by what the button says."""
    found: dict[str, dict[str, Any]] = {}
    if not run.code.endswith("OUT-OF-MEMORY"):
        return found
    if run.code == "GPU-OUT-OF-MEMORY":
        found[TO_CPU] = {"device": "cpu"}
    if isinstance(run.config.settings, NetworkConfig):
        now = run.config.settings
        edges = now.batch_edges // 2 if now.sampling == "neighbours" else now.batch_edges
        found[TO_BATCHES] = {"sampling": "neighbours", "batch_edges": max(1, edges)}
    return found


def changed(config: RunConfig, changes: dict[str, Any]) -> RunConfig:
    """Return a config with changes by name, wherever in it they stand."""
    values = config.to_dict()
    for name, value in changes.items():
        setting_of(config, name)  # KeyError where there is no such setting
        home = next((each for each in ("settings", "graph") if name in values[each]), "")
        (values[home] if home else values)[name] = value
    return RunConfig.from_dict(values)
