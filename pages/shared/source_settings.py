"""How packets become snapshots: each setting in a sentence, what would change, and the rebuild."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from typing import Any

import streamlit as st

from darkgnn_core.charts.settings_tables import (
    BIN_HOURS,
    EXPLAINED,
    PRESET_TITLES,
    TITLES,
    bin_text,
    preset_of,
    settings_table,
)
from darkgnn_core.config import PRESETS, Preset, SnapshotConfig
from darkgnn_core.jobs import start_job
from darkgnn_core.shelf import list_snapshots, plan_snapshots
from darkgnn_core.snapshots.released_writing import CONFIG as RELEASED
from darkgnn_core.workspace import Workspace
from pages.shared import state
from pages.shared.feedback import safe, show_table

NUMBERS = ("bin_hours", "min_packets", "max_ports")
SWITCHES = (
    "features_before_port_filter",
    "include_backscatter",
    "include_bogons",
    "drop_duplicates",
)
EFFECTS = {
    "bin_hours": "Shorter ones make more graphs with fewer hosts each.",
    "min_packets": "A higher number leaves out more hosts, and makes graphs smaller.",
    "max_ports": "More of them tell rare ports apart, and make graphs larger.",
    "features_before_port_filter": "Off, all ports without a node of their own count as one port.",
    "include_backscatter": "On, victims of attacks stand among the hosts.",
    "include_bogons": "Off, packets from such addresses are left out and counted.",
    "drop_duplicates": "On, of packets that are alike one is kept; the others are counted.",
}
"""What a change of a setting brings, beside what it does."""

KEY = "setting_"
SHOWN = "settings_of"


def show_settings(workspace: Workspace, *, is_busy: bool) -> None:
    """Ask for settings, show what they would change, and start building with them."""
    now = workspace.snapshot_config()
    _fill_once(workspace, now)
    chosen = RELEASED if _wants_released(workspace, now) else _ask(now)
    st.subheader("What would change")
    st.text(f"Chosen: {PRESET_TITLES.get(preset_of(chosen), 'settings of your own')}")
    show_table(settings_table(now, chosen), "settings_table")
    missing = len(plan_snapshots(workspace, chosen))
    there = len(list_snapshots(workspace, chosen))
    if chosen == now and not missing:
        st.success(
            "These settings are in use, and every snapshot is up to date.",
            icon=":material/check_circle:",
        )
    else:
        st.text(
            f"{missing:,} snapshots will be built, {there:,} are there already. Snapshots of "
            "other settings are kept, so going back takes no time."
        )
    label = "Rebuild" if missing else "Use these settings"
    if st.button(
        label,
        key="settings_rebuild",
        type="primary",
        icon=":material/play_arrow:",
        disabled=is_busy or (chosen == now and not missing),
        help="All pages show snapshots of these settings from then on; you can go back.",
    ):
        start_building(workspace, chosen)


def start_building(workspace: Workspace, config: SnapshotConfig) -> None:
    """Start the job that builds what is missing with these settings and shows those from then."""
    job = start_job(workspace, "snapshots", {"snapshot_config": asdict(config)})
    state.set_source_job(job)
    st.rerun()


def _fill_once(workspace: Workspace, now: SnapshotConfig) -> None:
    """Put the settings in use into the fields, when the page or the settings are new to them."""
    mark = f"{workspace.root} {now}"
    _fill(now, only_missing=st.session_state.get(SHOWN) == mark)
    st.session_state[SHOWN] = mark


def _fill(
    config: SnapshotConfig, *, names: tuple[str, ...] = tuple(TITLES), only_missing: bool = False
) -> None:
    for name in names:
        if not only_missing or f"{KEY}{name}" not in st.session_state:
            st.session_state[f"{KEY}{name}"] = getattr(config, name)


def _wants_released(workspace: Workspace, now: SnapshotConfig) -> bool:
    """Ask what snapshots are made from, where there is a choice."""
    if now.origin != "released" and not list_snapshots(workspace, RELEASED):
        st.session_state[f"{KEY}origin"] = "packets"
        return False
    names = {"packets": "Loaded packets", "released": "The authors' released graphs"}
    chosen = st.segmented_control(
        "Snapshots are made from",
        list(names),
        format_func=names.__getitem__,
        key=f"{KEY}origin",
        required=True,
        help=EXPLAINED["origin"],
    )
    return chosen == "released"


def _ask(now: SnapshotConfig) -> SnapshotConfig:
    with st.container(horizontal=True):
        for preset in PRESETS:
            _preset_button(preset)
    st.caption("Fill in the settings of the paper, or choose your own below.")
    values: dict[str, Any] = {}
    with _row("bin_hours"):
        values["bin_hours"] = st.selectbox(
            TITLES["bin_hours"],
            sorted({*BIN_HOURS, now.bin_hours}),
            format_func=bin_text,
            key=f"{KEY}bin_hours",
            help=EFFECTS["bin_hours"],
        )
    with _row("min_packets"):
        values["min_packets"] = st.number_input(
            TITLES["min_packets"],
            1,
            1_000_000,
            key=f"{KEY}min_packets",
            help=EFFECTS["min_packets"],
        )
    with _row("max_ports"):
        values["max_ports"] = st.number_input(
            TITLES["max_ports"],
            1,
            65_536,
            step=100,
            key=f"{KEY}max_ports",
            help=EFFECTS["max_ports"],
        )
    for name in SWITCHES:
        with _row(name):
            values[name] = st.toggle(
                safe(TITLES[name]), key=f"{KEY}{name}", help=safe(EFFECTS[name])
            )
    return SnapshotConfig(**values)


@contextmanager
def _row(name: str) -> Iterator[None]:
    """Put a setting on the left and what it does on the right."""
    left, right = st.columns([2, 3], vertical_alignment="center")
    right.caption(safe(EXPLAINED[name]))
    with left:
        yield


def _preset_button(name: Preset) -> None:
    if st.button(
        safe(PRESET_TITLES[name]),
        key=f"settings_{name}",
        help="Fills in the settings below; nothing is built before you press the last button.",
    ):
        _fill(SnapshotConfig.of_preset(name), names=NUMBERS + SWITCHES)
