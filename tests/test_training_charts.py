"""Runs in words, tables and curves: every setting is explained, every number is the run's own."""

import json
from dataclasses import dataclass, field, fields
from typing import Any, get_args, get_origin, get_type_hints

import pandas as pd
import pytest

from darkgnn_core.charts.training_charts import (
    accuracy_curve,
    days_follow_each_other,
    loss_curve,
)
from darkgnn_core.charts.training_tables import (
    changes_of,
    day_table,
    estimate_table,
    provenance_table,
    run_table,
    setting_of,
    settings_table,
    step_table,
    what_of,
)
from darkgnn_core.charts.training_words import (
    FEATURE_WORDS,
    METHOD_WORDS,
    PRESET_WORDS,
    SETTING_WORDS,
    settings_of,
    value_words,
)
from darkgnn_core.config import PRESETS, GraphConfig
from darkgnn_core.run_config import METHODS, SETTINGS, RunConfig

PLAIN = [method for method in METHODS if method != "fusion"]
DAYS = ("2021-12-01", "2021-12-02", "2021-12-04")


@dataclass(frozen=True)
class FakeRun:
    """A run as far as the tables read it."""

    id: str = "0123456789ab"
    name: str = "mine"
    group: str = ""
    config: RunConfig = field(default_factory=RunConfig)
    state: str = "done"
    progress: dict[str, Any] = field(default_factory=dict)
    result: dict[str, Any] = field(default_factory=dict)
    provenance: dict[str, Any] = field(default_factory=dict)
    estimate: dict[str, Any] = field(default_factory=dict)
    created_at: str = "2026-11-23T08:00:00+00:00"
    days: tuple[str, ...] = DAYS


def steps(days: list[str], epochs: int, *, by_day: bool = True) -> list[dict[str, Any]]:
    """Return lines of progress: each day all its epochs, or each epoch all days."""
    passes = range(1, epochs + 1)
    pairs = (
        [(d, e) for d in days for e in passes] if by_day else [(d, e) for e in passes for d in days]
    )
    return [
        {"event": "step", "day": day, "epoch": epoch, "epochs": epochs, "loss": 1 / (1 + i),
         "accuracy": 0.5}
        for i, (day, epoch) in enumerate(pairs)
    ]  # fmt: skip


def test_every_method_has_its_words() -> None:
    """Title and three sentences each; both presets and both choices of columns, too."""
    assert set(METHOD_WORDS) == set(METHODS)
    assert len({words.title for words in METHOD_WORDS.values()}) == len(METHODS)
    for words in METHOD_WORDS.values():
        for sentence in (words.learns, words.costs, words.choose):
            assert sentence.endswith(".")
            assert sentence[0].isupper()
    assert set(PRESET_WORDS) == set(PRESETS)
    assert set(FEATURE_WORDS) == {True, False}


@pytest.mark.parametrize("method", METHODS)
def test_every_setting_of_a_method_can_be_asked_for(method: str) -> None:
    """The words of a method name settings that it has, and each setting acts somewhere."""
    known = {each.name for each in fields(SETTINGS[method])} | {"edges", "scaling", "control"}
    assert set(settings_of(method)) <= known


def test_no_setting_is_forgotten() -> None:
    """Every field of every settings class is offered on some method, but columns and runs."""
    offered = {name for method in METHODS for name in settings_of(method)}
    there = {each.name for kind in (*SETTINGS.values(), GraphConfig) for each in fields(kind)}
    assert there - offered == {"use_features", "runs"}


@pytest.mark.parametrize("name", SETTING_WORDS)
def test_the_words_of_a_choice_are_its_values(name: str) -> None:
    """A choice offers exactly the values that the config takes; other settings offer none."""
    for kind in (*set(SETTINGS.values()), GraphConfig):
        hint = get_type_hints(kind).get(name)
        if hint is None or (name == "negatives" and hint is int):
            continue
        words = SETTING_WORDS[name]
        if get_origin(hint) is None:
            assert words.values == {}
        else:
            assert set(words.values) == set(get_args(hint))


@pytest.mark.parametrize("method", PLAIN)
@pytest.mark.parametrize("preset", PRESETS)
def test_the_bounds_of_a_field_hold_the_defaults(method: str, preset: Any) -> None:
    """A field shows the default of its method, and its ends are taken by the config."""
    config = RunConfig.of(method, preset)
    for name, words in settings_of(method).items():
        value = setting_of(config, name)
        if words.values:
            assert value in words.values
        elif not isinstance(value, bool):
            assert words.low <= value <= words.high
            for end in (words.low, words.high):
                assert (
                    setting_of(RunConfig.of(method, preset, **{name: type(value)(end)}), name)
                    == end
                )


def test_what_a_run_is_names_only_what_differs() -> None:
    """Method, columns, preset, changes and seed."""
    assert what_of(RunConfig.of("i-gcn-gru")) == "i-GCN-GRU"
    config = RunConfig.of("gcn", "as_released", use_features=False, epochs=7, seed=3)
    assert what_of(config) == "GCN, without columns, as released, epochs 7, seed 3"
    assert changes_of(config) == {"epochs": 7}
    assert "fusion" in what_of(RunConfig.of("fusion", runs=("a", "b"))).lower()


def test_settings_say_what_they_stand_instead_of() -> None:
    """A change shows the preset's value beside it, and stands before what is as usual."""
    table = settings_table(RunConfig.of("i-gcn-gru", hidden=16)).set_index("setting")
    changed = "Width of the first layer"
    assert table.index.get_loc(changed) < table.index.get_loc("History (days)")
    table = settings_table(RunConfig.of("i-gcn-gru", history_days=2)).set_index("setting")
    assert table.loc["History (days)"].tolist() == ["2", "5"]
    assert table.loc["Epochs"].tolist() == ["1", ""]
    assert table.loc["Preset", "value"] == "as the paper says"
    assert table.loc["Last day", "value"] == "the last there is"
    fused = settings_table(RunConfig.of("fusion", runs=("a", "b"))).set_index("setting")
    assert fused.loc["Runs", "value"] == "a, b"


def test_values_are_read_as_people_do() -> None:
    """Yes and no, thousands, small numbers, and words of choices."""
    assert [value_words("x", each) for each in (True, 2500, 1e-3, ("a", "b"))] == [
        "yes", "2,500", "0.001", "a, b",
    ]  # fmt: skip
    assert value_words("convolution", "sage") == "GraphSAGE"


def test_the_list_of_runs_shows_what_is_known() -> None:
    """A row a run; columns that no run fills are left out."""
    done = FakeRun(
        result={"seconds_a_day": 1.23456},
        progress={"loss": 0.69314, "accuracy": 0.5},
        config=RunConfig.of("i-gcn", seed=4),
    )
    table = run_table([done, FakeRun(name="i-GCN-GRU", state="queued")], {done.id: 2_500_000})
    assert table["what"].tolist() == ["i-GCN, seed 4", ""]
    assert table["state"].tolist() == ["done", "waiting"]
    assert table.loc[0, "seconds a day"] == 1.235
    assert table.loc[0, "links told right (%)"] == 50.0
    assert table.loc[0, "size (MB)"] == 2.5
    assert "group" not in table
    assert list(run_table([FakeRun()])) == ["name", "state", "days", "made (UTC)", "what"]


def test_an_estimate_stands_beside_the_truth() -> None:
    """Time, memory and disk, as people read them; empty where nothing was told."""
    run = FakeRun(
        estimate={"seconds": 75, "peak_bytes": 10**9, "disk_bytes": 10**6},
        result={"seconds": 80, "peak_bytes": 9 * 10**8},
    )
    table = estimate_table(run, 2_000_000).set_index("what")
    assert table.loc["time"].tolist() == ["1 min 15 s", "1 min 20 s"]
    assert table.loc["peak memory"].tolist() == ["1.0 GB", "900.0 MB"]
    assert table.loc["on disk"].tolist() == ["1.0 MB", "2.0 MB"]
    assert (estimate_table(FakeRun(), None)[["estimated", "took"]] == "").all(axis=None)


def test_where_a_run_comes_from() -> None:
    """Hashes, code, libraries and machine; what is not known is left out."""
    told = {
        "data": {"hash": "d1", "days": {"2021-12-01": "x"}, "snapshot_config": "s1"},
        "code": "0.1.0",
        "python": "3.11.7",
        "libraries": {"torch": "2.13.0"},
        "machine": {"processor": "P", "cores": 2, "memory_bytes": 24 * 10**9},
    }
    table = provenance_table(FakeRun(provenance=told), "c1")
    found = dict(table.to_numpy().tolist())
    assert found["hash of its settings"] == "c1"
    assert found["hash of its data"] == "d1"
    assert found["torch"] == "2.13.0"
    assert (found["cores"], found["memory"]) == ("2", "24.0 GB")
    assert "darkgnn" not in dict(provenance_table(FakeRun(), "c").to_numpy().tolist())


def test_many_steps_are_thinned_and_keep_their_mean() -> None:
    """Short runs are shown step by step; long ones as means of equal shares."""
    lines = steps(list(DAYS), 2)
    assert len(step_table([*lines, {"event": "note"}])) == 6
    many = [dict(lines[0], loss=float(i)) for i in range(1_000)]
    thin = step_table(many, limit=100)
    assert len(thin) == 100
    assert thin["loss"].mean() == pytest.approx(499.5)
    assert step_table([]).empty


def test_days_carry_their_seconds_where_they_are_told() -> None:
    """A row a day; no column of blanks."""
    lines = [{"event": "day", "day": DAYS[0], "seconds": 1.234}]
    table = day_table(lines, DAYS)
    assert table["day"].tolist() == list(DAYS)
    assert table["seconds"].tolist()[0] == 1.23
    assert list(day_table([], DAYS)) == ["day"]


@pytest.mark.parametrize("epochs", [1, 5])
@pytest.mark.parametrize("by_day", [True, False])
def test_curves_are_valid_and_hold_every_step(epochs: int, by_day: bool) -> None:
    """Altair's schema takes them; no address; as many points as steps, or as epochs."""
    table = step_table(steps(list(DAYS), epochs, by_day=by_day))
    if epochs > 1:
        assert days_follow_each_other(table) is by_day
    for chart in (loss_curve(table), accuracy_curve(table)):
        assert chart is not None
        spec = chart.to_dict()
        spec.pop("$schema")
        assert "http" not in json.dumps(spec)
        assert len(chart.data) == (3 * epochs if by_day or epochs == 1 else epochs)


def test_steps_of_a_day_lie_between_it_and_the_next() -> None:
    """The missing day stays empty: two days pass from the second to the third."""
    chart = loss_curve(step_table(steps(list(DAYS), 2)))
    at = pd.Series(chart.data["at"].tolist())
    assert at.iloc[1] - at.iloc[0] == pd.Timedelta(hours=12)
    assert at.iloc[4] - at.iloc[2] == pd.Timedelta(days=2)


def test_a_run_of_one_day_or_without_links() -> None:
    """One day is drawn by epoch; without accuracy there is no second curve."""
    lines = [dict(line, accuracy=None) for line in steps([DAYS[0]], 3)]
    table = step_table(lines)
    assert accuracy_curve(table) is None
    assert loss_curve(table).to_dict()["encoding"]["x"]["field"] == "epoch"


def test_parts_of_a_day_are_days_of_their_own() -> None:
    """Bins of six hours are told apart on the axis."""
    table = step_table(steps(["2021-12-01T00", "2021-12-01T06"], 1))
    at = loss_curve(table).data["at"].tolist()
    assert at[1] - at[0] == pd.Timedelta(hours=6)
