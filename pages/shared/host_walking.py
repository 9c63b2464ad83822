"""Going through days with the progress shown: quick ones show none, long ones can be stopped."""

import time
from collections.abc import Callable, Sequence
from typing import TypeVar

import streamlit as st

from pages.shared.feedback import plain

Found = TypeVar("Found")
QUIET_S = 0.6
"""So long nothing is shown, so that what is cached does not flicker."""


def walk(
    days: Sequence[str], what: str, key: str, read: Callable[[str], Found]
) -> dict[str, Found] | None:
    """Read something of each day; None where the analyst stopped it.

    What was read is kept by the reader's own cache: any click ends this run of the page, and the
    next goes on from there.

    Args:
        days: Keys of bins.
        what: What is being done, words of our own.
        key: Start of the keys of the buttons.
        read: Reads one day.
    """
    stopped = f"{key}_stopped"
    if st.session_state.get(stopped):
        with st.container(horizontal=True, vertical_alignment="center"):
            st.caption("Stopped. What was read is kept.")
            st.button(
                "Go on",
                key=f"{key}_on",
                on_click=_set,
                args=(stopped, False),
                help="Reads the days that are still missing.",
            )
        return None
    started = time.monotonic()
    shown, bar = st.empty(), None
    found: dict[str, Found] = {}
    for done, day in enumerate(days):
        words = f"{what}: {day}, {done} of {len(days)} days"
        if bar is not None:
            bar.progress(round(done / len(days), 3), text=plain(words))
        elif time.monotonic() - started > QUIET_S:
            with shown.container():
                bar = st.progress(round(done / len(days), 3), text=plain(words))
                st.button(
                    "Stop",
                    key=f"{key}_stop",
                    icon=":material/stop:",
                    on_click=_set,
                    args=(stopped, True),
                    help="What was read is kept, and Go on takes it from there.",
                )
        found[day] = read(day)
    shown.empty()
    return found


def _set(name: str, value: bool) -> None:
    st.session_state[name] = value
