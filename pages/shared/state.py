"""What travels with the analyst from page to page: plain values, each with a default.

The disk is the truth; the session only holds which workspace, which day, and switches. What a link
should carry stands in the address, too: `run`, `host`, `set` and `protocol` by `hold_context`, run
before each page, `day`, `since` and `hide_known` by the sidebar.
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
SAID = "said"
NOTICE = "notice"
VERDICT_TURN = "verdict_turn"
STOPPED = "stopped_suggestions"
RUN = "run_in_view"
HOST = "host_in_view"
SET = "set_in_view"
SET_TURN = "set_turn"
SINCE = "since"
PROTOCOL = "protocol_in_view"
OWN_LABELS = "own_labels"
TRAIL = "set_trail"
LINKED = {"run": RUN, "host": HOST, "set": SET, "protocol": PROTOCOL}
"""What stands in the address, and under which key in the session."""
CHOICES = (DAY, SINCE, HIDE_KNOWN)
"""What widgets of the sidebar ask for, by key of the widget and name in the address.

They are not bound to the address: Streamlit drops what is bound on the way to another page by
`st.switch_page`, and allows nobody to put it back, so a reload there would forget the day.
"""
WRITTEN = "choices_written"
DEFAULT_PROTOCOL = "same_day_loo"
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
    keys = (
        DAY,
        SINCE,
        WRITTEN,
        LOAD_JOB,
        SOURCE_JOB,
        SAID,
        NOTICE,
        TRAIN_BASE,
        TRAIL,
    )
    for key in (*keys, *LINKED.values()):
        st.session_state.pop(key, None)
    for name in LINKED:
        st.query_params.pop(name, None)


def hold_context() -> None:
    """Bring address and session together; the frame does so before each run of a page.

    What the address says wins (a link, or the browser's way back); what it lacks is put into it, in
    one step, so that the way back is not longer than it must be.
    """
    lacks = {}
    for name, key in LINKED.items():
        given = st.query_params.get(name)
        if given:
            st.session_state[key] = given
        elif st.session_state.get(key):
            lacks[name] = str(st.session_state[key])
    if lacks:
        st.query_params.update(_choices() | lacks)


def take_choices() -> None:
    """Take the days and the switch from the address where it changed: a link, or the way back.

    Also where their widgets lost their values, as they do by `st.switch_page`.
    """
    written: dict[str, str] = _get(WRITTEN, {})
    for name in CHOICES:
        given = st.query_params.get(name)
        if given and (name not in st.session_state or given != written.get(name)):
            st.session_state[name] = given == "true" if name == HIDE_KNOWN else given


def write_choices() -> None:
    """Put the days and the switch into the address; the sidebar does so once it has asked."""
    now = _choices()
    for name in CHOICES:
        if name not in now and name in st.query_params:
            del st.query_params[name]
    if any(st.query_params.get(name) != text for name, text in now.items()):
        st.query_params.update(now)
    st.session_state[WRITTEN] = now


def link_of_context() -> dict[str, str]:
    """Return what a link to another page carries: what is in view, days and switch."""
    held = {name: st.session_state.get(key) for name, key in LINKED.items()}
    return {name: str(value) for name, value in held.items() if value} | _choices()


def _choices() -> dict[str, str]:
    """Return what was chosen in the sidebar, as it stands in the address."""
    days = {name: str(st.session_state[name]) for name in (DAY, SINCE) if _get(name, None)}
    return days | ({HIDE_KNOWN: "true"} if is_known_hidden() else {})


def day() -> str | None:
    """Return the day in view (ISO date), or None where there is none."""
    value = _get(DAY, None)
    return None if value is None else str(value)


def first_day() -> str | None:
    """Return the first day of the range in view, or None where one day alone is in view."""
    value = _get(SINCE, None)
    last = day()
    return str(value) if value and last is not None and str(value) < last else None


def is_in_range(bin_key: str) -> bool:
    """Whether a bin lies in the range in view: from `first_day` to `day`, or the one day."""
    last = day()
    return last is not None and (first_day() or last) <= bin_key <= last


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


def run_in_view() -> str | None:
    """Return the id of the run in view: that of the address, or the one last looked at."""
    return _linked("run")


def set_run_in_view(run_id: str | None) -> None:
    """Look at that run; it stands in the address, and travels from page to page."""
    _set_linked("run", run_id)


def host_in_view() -> str | None:
    """Return the address of the host in view, as text that may be anything, or None."""
    return _linked("host")


def set_host_in_view(address: str | None) -> None:
    """Look at that host; it stands in the address, and travels from page to page."""
    _set_linked("host", address)


def set_in_view() -> str | None:
    """Return the id of the current set of hosts, or None."""
    return _linked("set")


def set_set_in_view(set_id: str | None) -> None:
    """Make that set the current one; it stands in the address, and travels from page to page."""
    st.session_state[SET_TURN] = set_turn() + 1
    _set_linked("set", set_id)


def set_turn() -> int:
    """Return how often a set was made the current one, be it the same one again."""
    return int(_get(SET_TURN, 0))


def set_trail() -> tuple[list[str | None], int] | None:
    """Return the sets that were current, by id (None for none), and which of them is; or None."""
    value: tuple[list[str | None], int] | None = _get(TRAIL, None)
    return value


def keep_set_trail(steps: Sequence[str | None], at: int) -> None:
    """Remember which sets were current, and which of them is."""
    st.session_state[TRAIL] = (list(steps), at)


def protocol() -> str:
    """Return the name of the evaluation protocol in view; it may be none where a link says so."""
    return _linked("protocol") or DEFAULT_PROTOCOL


def set_protocol(name: str) -> None:
    """Review by that protocol; it stands in the address, and travels from page to page."""
    _set_linked("protocol", name)


def are_own_labels_scored() -> bool:
    """Whether evaluations count labels given by hand; a widget with key `OWN_LABELS` sets it."""
    return bool(_get(OWN_LABELS, False))


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


def verdict_turn() -> int:
    """Return the number of the table of suggestions; a new one after each verdict unticks it."""
    return int(_get(VERDICT_TURN, 0))


def next_verdict_turn() -> None:
    """Have the table of suggestions start anew, nothing ticked."""
    st.session_state[VERDICT_TURN] = verdict_turn() + 1


def stopped_suggestions() -> str | None:
    """Return which suggestions the analyst has stopped working out, or None."""
    value = _get(STOPPED, None)
    return None if value is None else str(value)


def set_stopped_suggestions(wanted: str | None) -> None:
    """Remember which suggestions are not to be worked out for now."""
    st.session_state[STOPPED] = wanted


def notify(text: str) -> None:
    """Keep a sentence to be shown once, on whatever page runs next, for a few seconds."""
    st.session_state[NOTICE] = text


def take_notice() -> str | None:
    """Return the sentence kept by `notify`, once."""
    value = st.session_state.pop(NOTICE, None)
    return None if value is None else str(value)


def _linked(name: str) -> str | None:
    value = st.query_params.get(name) or _get(LINKED[name], None)
    return None if value is None else str(value)


def _set_linked(name: str, value: str | None) -> None:
    st.session_state[LINKED[name]] = value
    if value is None:
        st.query_params.pop(name, None)
    else:
        st.query_params[name] = value
