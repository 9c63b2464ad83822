"""Settings of snapshots in words."""

from dataclasses import fields

import pytest

from darkgnn_core.charts.settings_tables import (
    BIN_HOURS,
    EXPLAINED,
    TITLES,
    preset_of,
    settings_table,
)
from darkgnn_core.config import PRESETS, SnapshotConfig


def test_every_setting_has_a_name_and_a_sentence():
    """A new setting cannot appear in the app unexplained."""
    names = {field.name for field in fields(SnapshotConfig)}
    assert set(TITLES) == set(EXPLAINED) == names
    assert all(text.endswith(".") for text in EXPLAINED.values())


@pytest.mark.parametrize("hours", BIN_HOURS)
def test_every_length_that_is_offered_is_valid(hours):
    """The config takes it."""
    assert SnapshotConfig(bin_hours=hours).bin_hours == hours


def test_presets_are_recognised():
    """By their settings; anything else is none."""
    assert [preset_of(SnapshotConfig.of_preset(name)) for name in PRESETS] == list(PRESETS)
    assert preset_of(SnapshotConfig(max_ports=7)) == ""


def test_changes_are_marked():
    """Each setting once, its value then and now, and a mark where they differ."""
    then = SnapshotConfig(bin_hours=6, include_backscatter=True)
    table = settings_table(SnapshotConfig(), then).set_index("setting")
    assert table.loc["Length of a snapshot"].tolist() == ["1 day", "6 hours", "yes"]
    assert table.loc["Keep backscatter"].tolist() == ["no", "yes", "yes"]
    assert (table["changes"] == "yes").sum() == 2
    assert len(table) == len(fields(SnapshotConfig))
