"""The form of a new run: method, columns, preset, days, seeds, device, and every other setting."""

from dataclasses import dataclass
from typing import Any

import streamlit as st

from darkgnn_core.charts.training_tables import PRESET_TITLES, setting_of
from darkgnn_core.charts.training_words import (
    FEATURE_WORDS,
    METHOD_WORDS,
    PRESET_WORDS,
    RUN_WORDS,
    WITH_FEATURES,
    SettingWords,
    settings_of,
)
from darkgnn_core.config import PRESETS, Preset
from darkgnn_core.devices import ON_TORCH, choose_device
from darkgnn_core.errors import ConfigError
from darkgnn_core.run_config import NetworkConfig, RunConfig
from darkgnn_core.runs import list_runs
from darkgnn_core.workspace import Workspace
from pages.shared import loaders, state
from pages.shared.feedback import plain, safe
from pages.shared.train_sweep import ask_sweep
from pages.shared.train_values import whole_numbers

KEY = "train_"
MAIN = ("history_days", "epochs", "days")
"""Settings that stand in view; all others are in the expander."""

FIRST = {"use_features": True, "preset": PRESETS[0], "seeds": "0"}
"""What the form shows at first, beside the settings of the method."""

NAMES_OF_RUN = ("first_day", "last_day", "device")


@dataclass(frozen=True)
class Wanted:
    """What the analyst asks for.

    Attributes:
        configs: The runs, one or more.
        name: What to call them; empty for a name of their settings.
        group: What to call them together; empty for a single run.
    """

    configs: tuple[RunConfig, ...]
    name: str
    group: str


def ask(workspace: Workspace) -> Wanted | None:
    """Ask for the settings of one or more runs; None, and why, where they cannot be."""
    for name, value in FIRST.items():
        st.session_state.setdefault(f"{KEY}{name}", value)
    method, preset, uses = _ask_method()
    try:
        start = _start_of(method, preset, uses=uses)
        _fill(start, only_missing=True)
        run = _ask_days(loaders.bins(workspace)) | {"device": _ask_device(method)}
        values = _ask_fusion(workspace) if method == "fusion" else _ask_settings(method)
        if values is None:
            return None
        seeds = [0] if method == "fusion" else _ask_seeds()
        sweep, changes = ("", [{}]) if method == "fusion" else ask_sweep(method)
        configs = tuple(
            RunConfig.of(method, preset, use_features=uses, seed=seed, **(run | values | change))
            for change in changes
            for seed in seeds
        )
        return Wanted(configs, *_ask_names(configs, sweep))
    except ConfigError as error:
        st.error(safe(str(error)), icon=":material/error:")
        return None


def fill_from(config: RunConfig) -> None:
    """Put the settings of a run into the form, to be changed; the next run of the page shows it."""
    settings = config.settings
    state.set_train_base(config.to_dict())
    st.session_state[f"{KEY}method"] = config.method
    st.session_state[f"{KEY}preset"] = config.preset
    if isinstance(settings, NetworkConfig):
        st.session_state[f"{KEY}use_features"] = settings.use_features
    st.session_state[f"{KEY}seeds"] = str(config.seed)
    for name in ("name", "group", "sweep"):
        st.session_state.pop(f"{KEY}{name}", None)
    for name in NAMES_OF_RUN:
        st.session_state[f"{KEY}{name}"] = getattr(config, name)
    _fill(config)


def _ask_method() -> tuple[str, Preset, bool]:
    method = st.selectbox(
        "Method",
        list(METHOD_WORDS),
        format_func=lambda each: METHOD_WORDS[each].title,
        key=f"{KEY}method",
        help="How hosts are turned into embeddings. It decides which settings there are below.",
        persist_state="session",
    )
    words = METHOD_WORDS[method]
    told = {"Learns": words.learns, "Costs": words.costs, "Choose it": words.choose}
    for title, text in told.items():
        st.caption(f"**{title}**: {safe(text)}")
    uses = True
    if method in WITH_FEATURES:
        uses = st.toggle(
            "Start from the 37 columns",
            key=f"{KEY}use_features",
            help="The columns are figures of the day's traffic of a host or port.",
            persist_state="session",
        )
        st.caption(safe(FEATURE_WORDS[uses]))
    preset: Preset = PRESETS[0]
    if method != "fusion":
        chosen = st.segmented_control(
            "Preset",
            PRESETS,
            format_func=lambda each: PRESET_TITLES[each].capitalize(),
            key=f"{KEY}preset",
            required=True,
            help="Another one fills in the settings below anew; each can still be changed.",
            persist_state="session",
        )
        preset = chosen or preset
        st.caption(safe(PRESET_WORDS[preset]))
    return method, preset, uses


def _start_of(method: str, preset: Preset, *, uses: bool) -> RunConfig | None:
    """Return the settings the form starts from; fill it with them where they are others."""
    if method == "fusion":
        return None
    base = state.train_base()
    if base is not None:
        config = RunConfig.from_dict(base)
        if _kind(config) == (method, preset, uses if method in WITH_FEATURES else True):
            return config
    config = RunConfig.of(method, preset, use_features=uses)
    state.set_train_base(config.to_dict())
    _fill(config)
    return config


def _kind(config: RunConfig) -> tuple[str, str, bool]:
    settings = config.settings
    uses = settings.use_features if isinstance(settings, NetworkConfig) else True
    return config.method, config.preset, uses


def _fill(config: RunConfig | None, *, only_missing: bool = False) -> None:
    """Put the settings of a method into the fields."""
    if config is None:
        return
    for name in settings_of(config.method):
        key = f"{KEY}{name}"
        if not only_missing or key not in st.session_state:
            st.session_state[key] = setting_of(config, name)


def _ask_days(bins: list[str]) -> dict[str, str]:
    days = sorted(bins)
    for name in ("first_day", "last_day"):  # a day that is gone, or of another workspace
        if st.session_state.get(f"{KEY}{name}", "") not in ("", *days):
            st.session_state[f"{KEY}{name}"] = ""
    first, last = st.columns(2)
    with first:
        begin = st.selectbox(
            "First day (UTC)",
            ["", *days],
            format_func=lambda day: day or f"The first ({days[0]})",
            key=f"{KEY}first_day",
            help="The run neither learns from earlier days nor makes embeddings of them.",
            persist_state="session",
        )
    with last:
        end = st.selectbox(
            "Last day (UTC)",
            ["", *reversed(days)],
            format_func=lambda day: day or f"The latest ({days[-1]})",
            key=f"{KEY}last_day",
            help="With the latest day left open, the run can go on when new days have arrived.",
            persist_state="session",
        )
    return {"first_day": begin, "last_day": end}


def _ask_device(method: str) -> str:
    if method not in ON_TORCH:
        return "cpu"
    found = {device.name: device.label for device in loaders.found_devices()}
    if st.session_state.get(f"{KEY}device", "") not in ("", *found):
        st.session_state[f"{KEY}device"] = ""
    best = choose_device("auto", method)
    chosen = st.selectbox(
        "Device",
        ["", *found],
        format_func=lambda name: found.get(name, f"Automatic: {found.get(best, best)}"),
        key=f"{KEY}device",
        help="Where it computes. On the processor (CPU), the same seed gives the same embeddings.",
        persist_state="session",
    )
    return str(chosen) or best


def _ask_seeds() -> list[int]:
    text = st.text_input(
        "Seeds",
        key=f"{KEY}seeds",
        help="Every random draw follows from the seed. Several, such as 0-4, make one run each: "
        "they tell how much of a score is chance.",
        persist_state="session",
    )
    return whole_numbers(text, "Seeds")


def _ask_settings(method: str) -> dict[str, Any]:
    settings = settings_of(method)
    values: dict[str, Any] = {}
    main = [name for name in MAIN if name in settings]
    if main:
        for column, name in zip(st.columns(len(main)), main, strict=True):
            with column:
                values[name] = _ask_setting(name, settings[name])
    more = [name for name in settings if name not in main]
    with st.expander("More settings", icon=":material/tune:"):
        for name in more:
            values[name] = _ask_row(name, settings[name])
    return values


def _ask_row(name: str, words: SettingWords) -> Any:
    """Put a setting on the left and what it does on the right."""
    left, right = st.columns(2, vertical_alignment="center")
    right.caption(safe(words.help))
    with left:
        return _ask_setting(name, words)


def _ask_setting(name: str, words: SettingWords) -> Any:
    key = f"{KEY}{name}"
    value = st.session_state[key]
    if isinstance(value, bool):
        return st.toggle(safe(words.title), key=key, help=safe(words.help), persist_state="session")
    if words.values:
        return st.selectbox(
            words.title,
            list(words.values),
            format_func=words.values.__getitem__,
            key=key,
            help=words.help,
            persist_state="session",
        )
    kind = float if isinstance(value, float) else int
    return st.number_input(
        words.title,
        min_value=kind(words.low),
        max_value=kind(words.high),
        step=kind(words.step),
        format="%g" if kind is float else "%d",
        key=key,
        help=words.help,
        persist_state="session",
    )


def _ask_fusion(workspace: Workspace) -> dict[str, Any] | None:
    """Ask for the runs of a fusion; None while there are fewer than two."""
    done = {run.id: run for run in list_runs(workspace) if run.days}
    if len(done) < 2:
        st.info("A fusion takes two runs with embeddings: train them first.")
        return None
    chosen = st.multiselect(
        RUN_WORDS["runs"].title,
        list(done),
        format_func=lambda each: plain(f"{done[each].name} ({each[:6]})"),
        key=f"{KEY}runs",
        placeholder="Two or more",
        help=RUN_WORDS["runs"].help,
        persist_state="session",
    )
    return {"runs": tuple(chosen)} if len(chosen) > 1 else None


def _ask_names(configs: tuple[RunConfig, ...], sweep: str) -> tuple[str, str]:
    left, right = st.columns(2)
    with left:
        name = st.text_input(
            "Name",
            key=f"{KEY}name",
            placeholder="From its settings",
            help="Shown wherever runs are listed; you can rename a run later.",
            persist_state="session",
        )
    if len(configs) == 1:
        return name.strip(), ""
    title = METHOD_WORDS[configs[0].method].title
    with right:
        group = st.text_input(
            "Name of the group",
            key=f"{KEY}group",
            placeholder=f"{title}, {sweep or 'seeds'}",
            help="Runs of a group are listed together.",
            persist_state="session",
        )
    return name.strip(), group.strip() or f"{title}, {sweep or 'seeds'}"
