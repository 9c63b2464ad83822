"""What travels with the analyst from page to page: plain values, each with a default.

The disk is the truth; the session only holds which workspace, which day, and switches.
"""

import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import streamlit as st

from pages.shared.launcher import WORKSPACE_VARIABLE

WORKSPACE = "workspace_path"
DAY = "day"
HIDE_KNOWN = "hide_known"
LOAD_JOB = "load_job"
SOURCE_JOB = "source_job"
LABEL_CHANGE = "label_change"
SAID = "said"
RUN = "run_in_view"
TRAIN_BASE = "train_base"
MEASURED = "train_measured"


def default_workspace() -> Path:
    """Return the workspace the launcher was given, or one in the home directory."""
    given = os.environ.get(WORKSPACE_VARIABLE)
    return Path(given) if given else Path.home() / "darkgnn-workspace"


def workspace_path() -> Path:
    """Return the folder of the workspace in use."""
    return Path(str(_get(WORKSPACE, default_workspace())))


def set_workspace_path(path: Path) -> None:
    """Use another workspace; what belonged to the old one is forgotten."""
    st.session_state[WORKSPACE] = str(path)
    for key in (DAY, LOAD_JOB, SOURCE_JOB, LABEL_CHANGE, SAID, RUN, TRAIN_BASE):
        st.session_state.pop(key, None)
    st.query_params.pop("run", None)


def day() -> str | None:
    """Return the day in view (ISO date), or None where there is none."""
    value = _get(DAY, None)
    return None if value is None else str(value)


def is_known_hidden() -> bool:
    """Whether hosts of known scanners are left out of tables and charts."""
    return bool(_get(HIDE_KNOWN, False))


def load_job() -> str | None:
    """Return the id of the loading job whose progress or report is shown."""
    value = _get(LOAD_JOB, None)
    return None if value is None else str(value)


def set_load_job(job_id: str | None) -> None:
    """Show that job's progress and report."""
    st.session_state[LOAD_JOB] = job_id


def source_job() -> str | None:
    """Return the id of the job that the page Sources started last."""
    value = _get(SOURCE_JOB, None)
    return None if value is None else str(value)


def set_source_job(job_id: str | None) -> None:
    """Remember the job that the page Sources started."""
    st.session_state[SOURCE_JOB] = job_id


def label_change() -> tuple[list[int], list[int], str] | None:
    """Return the last act of labelling: ids of labels given, taken back, and what it was."""
    value: tuple[list[int], list[int], str] | None = _get(LABEL_CHANGE, None)
    return value


def set_label_change(added: Sequence[int], withdrawn: Sequence[int], what: str) -> None:
    """Remember the last act of labelling, so that it can be undone."""
    st.session_state[LABEL_CHANGE] = (list(added), list(withdrawn), what)


def forget_label_change() -> None:
    """Forget the last act of labelling."""
    st.session_state.pop(LABEL_CHANGE, None)


def run_in_view() -> str | None:
    """Return the id of the run in view: that of the address, or the one last looked at."""
    value = st.query_params.get("run") or _get(RUN, None)
    return None if value is None else str(value)


def set_run_in_view(run_id: str | None) -> None:
    """Look at that run; it stands in the address, and travels from page to page."""
    st.session_state[RUN] = run_id
    if run_id is None:
        st.query_params.pop("run", None)
    else:
        st.query_params["run"] = run_id


def is_estimate_measured() -> bool:
    """Whether estimates come from a short measured step, not only from sizes."""
    return bool(_get(MEASURED, False))


def train_base() -> dict[str, Any] | None:
    """Return the settings from which the form of a new run was filled, as `RunConfig.to_dict`."""
    value: dict[str, Any] | None = _get(TRAIN_BASE, None)
    return value


def set_train_base(config: dict[str, Any] | None) -> None:
    """Remember the settings from which the form of a new run was filled; None to fill it anew."""
    st.session_state[TRAIN_BASE] = config


def say(text: str) -> None:
    """Keep a sentence for the next run of the page, to be said once."""
    st.session_state[SAID] = text


def take_said() -> str | None:
    """Return the sentence that was kept, once."""
    value = st.session_state.pop(SAID, None)
    return None if value is None else str(value)


def _get(key: str, default: Any) -> Any:
    return st.session_state.get(key, default)
