"""Settings of snapshots in words: what each does, and what a change of them changes."""

from dataclasses import asdict
from typing import Any

import pandas as pd

from darkgnn_core.config import PRESETS, SnapshotConfig

TITLES = {
    "origin": "Made from",
    "bin_hours": "Length of a snapshot",
    "min_packets": "Fewest packets of a host",
    "max_ports": "Ports with a node of their own",
    "features_before_port_filter": "Compute the columns on all ports",
    "include_backscatter": "Keep backscatter",
    "include_bogons": "Keep unroutable sources",
    "drop_duplicates": "Drop duplicate packets",
}
"""What each setting is called."""

EXPLAINED = {
    "origin": "Built from the packets you loaded, or the graphs that the paper's authors released.",
    "bin_hours": "One snapshot for so much time, in UTC; the paper takes a day.",
    "min_packets": "A host that sent fewer packets in that time is left out; the paper says 5, "
    "its released code keeps from 6.",
    "max_ports": "The ports with most packets; all others share one node. The paper takes 2,500.",
    "features_before_port_filter": "Count a host's ports before the rare ones are put together, "
    "not after.",
    "include_backscatter": "SYN-ACK and RST packets come from victims of attacks, not from "
    "scanners; left out unless you want them.",
    "include_bogons": "Private, loopback and multicast addresses, which nobody can reach from the "
    "internet; kept unless you drop them.",
    "drop_duplicates": "Packets that repeat another in every field, as files that overlap give "
    "them.",
}
"""What each setting does, in a sentence."""

PRESET_TITLES = {"as_written": "As the paper says", "as_released": "As its released code does"}
ORIGINS = {"packets": "loaded packets", "released": "the authors' released graphs"}
BIN_HOURS = (1, 2, 3, 4, 6, 8, 12, 24, 48, 72, 168)
"""Lengths that are offered; the config takes any that divides or is a multiple of a day."""


def bin_text(hours: int) -> str:
    """Return the length of a bin in words.

    >>> bin_text(1), bin_text(6), bin_text(24), bin_text(168)
    ('1 hour', '6 hours', '1 day', '7 days')
    """
    number, unit = (hours // 24, "day") if hours % 24 == 0 else (hours, "hour")
    return f"{number} {unit}" if number == 1 else f"{number} {unit}s"


def setting_text(name: str, value: Any) -> str:
    """Return the value of a setting in words."""
    if name == "bin_hours":
        return bin_text(value)
    if name == "origin":
        return ORIGINS[value]
    if isinstance(value, bool):
        return "yes" if value else "no"
    return f"{value:,}"


def preset_of(config: SnapshotConfig) -> str:
    """Return the preset that has these settings, or an empty text."""
    same = (each for each in PRESETS if SnapshotConfig.of_preset(each) == config)
    return next(same, "")


def settings_table(now: SnapshotConfig, then: SnapshotConfig) -> pd.DataFrame:
    """Return one row a setting: its name, its value now, its value then, and whether it changes."""
    rows = [
        (
            TITLES[name],
            setting_text(name, value),
            setting_text(name, asdict(then)[name]),
            "yes" if value != asdict(then)[name] else "",
        )
        for name, value in asdict(now).items()
    ]
    return pd.DataFrame(rows, columns=["setting", "now", "chosen", "changes"])
