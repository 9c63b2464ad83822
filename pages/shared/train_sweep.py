"""Several values of one setting: one run each, listed as a group."""

from typing import Any

import streamlit as st

from darkgnn_core.charts.training_words import SettingWords, settings_of
from darkgnn_core.errors import ConfigError
from pages.shared.feedback import safe
from pages.shared.train_values import numbers, whole_numbers

KEY = "train_"


def ask_sweep(method: str) -> tuple[str, list[dict[str, Any]]]:
    """Ask which setting to vary; return what the group is about, and the changes, one a run.

    Raises:
        ConfigError: `CONFIG` where no values are given, or they are none.
    """
    settings = settings_of(method)
    with st.expander("Try several values of a setting", icon=":material/stacked_line_chart:"):
        if st.session_state.get(f"{KEY}sweep") not in (None, *settings):
            st.session_state[f"{KEY}sweep"] = None
        left, right = st.columns(2)
        with left:
            name = st.selectbox(
                "Setting",
                list(settings),
                index=None,
                format_func=lambda each: settings[each].title,
                placeholder="None",
                key=f"{KEY}sweep",
                help="Its value above is not used then; all other settings hold for each run.",
                persist_state="session",
            )
        if name is None:
            right.caption("One run is made for each value and seed, and they form one group.")
            return "", [{}]
        with right:
            values = _ask_values(name, settings[name])
        st.caption(safe(settings[name].help))
    return _short(settings[name]), [{name: value} for value in values]


def _short(words: SettingWords) -> str:
    title = words.title.partition(" (")[0]
    return title[0].lower() + title[1:]


def _ask_values(name: str, words: SettingWords) -> list[Any]:
    now = st.session_state[f"{KEY}{name}"]
    if isinstance(now, bool):
        st.text("Values: yes and no")
        return [True, False]
    if words.values:
        chosen = st.multiselect(
            "Values",
            list(words.values),
            default=list(words.values),
            format_func=words.values.__getitem__,
            key=f"{KEY}values_of_{name}",
            help="One run is made for each of them, and for each seed.",
        )
        if not chosen:
            raise ConfigError(f"{words.title}: choose one value or more.", code="CONFIG")
        return list(chosen)
    text = st.text_input(
        "Values",
        key=f"{KEY}values_of_{name}",
        placeholder="0, 2, 5-8" if isinstance(now, int) else "0.001, 0.01",
        help="With commas between; 5-8 means 5, 6, 7, 8.",
        persist_state="session",
    )
    if isinstance(now, int):
        return whole_numbers(text, words.title)
    return numbers(text, words.title)
