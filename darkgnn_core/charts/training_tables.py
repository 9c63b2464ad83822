"""Runs as tables and short texts for people: what each is, was told, took and gave."""

import json
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Protocol

import pandas as pd

from darkgnn_core.charts.training_words import (
    METHOD_WORDS,
    RUN_WORDS,
    WITH_FEATURES,
    settings_of,
    value_words,
)
from darkgnn_core.config import Preset
from darkgnn_core.run_config import NetworkConfig, RunConfig
from darkgnn_core.units import duration, file_size

STATES = {
    "queued": "waiting",
    "starting": "starting",
    "running": "running",
    "done": "done",
    "failed": "failed",
    "cancelled": "cancelled",
    "interrupted": "interrupted",
}
"""States of a run, in words."""

PRESET_TITLES = {"as_written": "as the paper says", "as_released": "as its released code does"}


class RunFacts(Protocol):
    """What these tables read of a run; `darkgnn_core.runs.Run` is one."""

    @property
    def id(self) -> str: ...  # noqa: D102 - as in Run, and so are the others
    @property
    def name(self) -> str: ...  # noqa: D102
    @property
    def group(self) -> str: ...  # noqa: D102
    @property
    def config(self) -> RunConfig: ...  # noqa: D102
    @property
    def state(self) -> str: ...  # noqa: D102
    @property
    def progress(self) -> dict[str, Any]: ...  # noqa: D102
    @property
    def result(self) -> dict[str, Any]: ...  # noqa: D102
    @property
    def provenance(self) -> dict[str, Any]: ...  # noqa: D102
    @property
    def estimate(self) -> dict[str, Any]: ...  # noqa: D102
    @property
    def created_at(self) -> str: ...  # noqa: D102
    @property
    def days(self) -> tuple[str, ...]: ...  # noqa: D102


def setting_of(config: RunConfig, name: str) -> Any:
    """Return the value of a setting, wherever in the config it stands."""
    for home in (config.settings, config.graph, config):
        if hasattr(home, name):
            return getattr(home, name)
    raise KeyError(name)


def preset_config(config: RunConfig) -> RunConfig:
    """Return the settings that the config's method, preset and choice of columns start from."""
    preset: Preset = config.preset
    if config.method == "fusion":
        return config
    settings = config.settings
    uses = settings.use_features if isinstance(settings, NetworkConfig) else True
    return RunConfig.of(config.method, preset, use_features=uses)


def changes_of(config: RunConfig) -> dict[str, Any]:
    """Return the settings that differ from those of the preset, by name."""
    start = preset_config(config)
    return {
        name: setting_of(config, name)
        for name in settings_of(config.method)
        if setting_of(config, name) != setting_of(start, name)
    }


def what_of(config: RunConfig) -> str:
    """Return what a run is, in a few words: the method and what differs from its defaults.

    >>> what_of(RunConfig.of("i-gcn", history_days=5, epochs=3, seed=2))
    'i-GCN, epochs 3, seed 2'
    """
    parts = [METHOD_WORDS[config.method].title]
    if isinstance(config.settings, NetworkConfig) and not config.settings.use_features:
        parts.append("without columns")
    if config.preset == "as_released":
        parts.append("as released")
    for name, value in changes_of(config).items():
        parts.append(f"{_short(config.method, name)} {value_words(name, value)}")
    if config.seed:
        parts.append(f"seed {config.seed}")
    return ", ".join(parts)


def _short(method: str, name: str) -> str:
    title = settings_of(method)[name].title.partition(" (")[0]
    return title[0].lower() + title[1:]


def run_table(runs: Iterable[RunFacts], sizes: Mapping[str, int] | None = None) -> pd.DataFrame:
    """Return one row a run, in the order given; columns that no run fills are left out.

    Args:
        runs: The runs.
        sizes: Bytes on disk by id, where known.
    """
    rows = [
        (
            run.name,
            STATES.get(run.state, run.state),
            len(run.days),
            _number(run.result, "seconds_a_day"),
            _percent(run.progress.get("accuracy")),
            _megabytes((sizes or {}).get(run.id)),
            run.created_at,
            run.group,
            _unless(what_of(run.config), run.name),
        )
        for run in runs
    ]
    numbers = ["seconds a day", "links told right (%)", "size (MB)"]
    columns = ["name", "state", "days", *numbers, "made (UTC)", "group", "what"]
    table = pd.DataFrame(rows, columns=columns)
    table[numbers] = table[numbers].astype("Float64")
    table["made (UTC)"] = pd.to_datetime(table["made (UTC)"], utc=True)
    empty = [name for name in ("what", "group", *numbers) if _is_empty(table[name])]
    return table.drop(columns=empty)


def _unless(text: str, other: str) -> str:
    return "" if text == other else text


def _is_empty(column: "pd.Series[Any]") -> bool:
    return bool((column.isna() | (column == "")).all())


def _number(values: Mapping[str, Any], name: str) -> float | None:
    value = values.get(name)
    return None if value is None else round(float(value), 3)


def _percent(value: Any) -> float | None:
    return None if value is None else round(100 * float(value), 1)


def _megabytes(size: int | None) -> float | None:
    return None if size is None else round(size / 1e6, 1)


def settings_table(config: RunConfig) -> pd.DataFrame:
    """Return one row a setting that acts on the method: value, and the preset's where it differs.

    Those that differ come first, after what the method is.

    Returns:
        Columns `setting`, `value`, and `instead of` where anything differs; all text.
    """
    start = preset_config(config)
    rows = [("Method", METHOD_WORDS[config.method].title, "")]
    rows.append(("Preset", PRESET_TITLES[config.preset], ""))
    if config.method in WITH_FEATURES and isinstance(config.settings, NetworkConfig):
        rows.append(("Uses the columns", "yes" if config.settings.use_features else "no", ""))
    if config.method == "fusion":
        rows.append((RUN_WORDS["runs"].title, value_words("runs", setting_of(config, "runs")), ""))
    changed, others = [], []
    for name, words in settings_of(config.method).items():
        value, usual = setting_of(config, name), setting_of(start, name)
        if value == usual:
            others.append((words.title, value_words(name, value), ""))
        else:
            changed.append((words.title, value_words(name, value), value_words(name, usual)))
    rows += [
        *changed,
        *others,
        ("First day", config.first_day or "the first there is", ""),
        ("Last day", config.last_day or "the last there is", ""),
        ("Seed", str(config.seed), ""),
        ("Device", config.device, ""),
    ]
    table = pd.DataFrame(rows, columns=["setting", "value", "instead of"])
    return table.drop(columns="instead of") if _is_empty(table["instead of"]) else table


def provenance_table(run: RunFacts, config_hash: str) -> pd.DataFrame:
    """Return where a run's result comes from: columns `what`, `is`; all text."""
    told = run.provenance
    data = told.get("data", {})
    rows = [
        ("id of the run", run.id),
        ("hash of its settings", config_hash),
        ("hash of its data", data.get("hash", "")),
        ("days of its data", f"{len(data.get('days', {})):,}"),
        ("settings of the snapshots", data.get("snapshot_config", "")),
        ("darkgnn", _text(told.get("code", ""))),
        ("Python", _text(told.get("python", ""))),
    ]
    rows += [(name, _text(version)) for name, version in told.get("libraries", {}).items()]
    rows += [(name, _text(value)) for name, value in _machine(told.get("machine", {}))]
    return pd.DataFrame([row for row in rows if row[1]], columns=["what", "is"])


def _machine(machine: Mapping[str, Any]) -> list[tuple[str, Any]]:
    names = {"processor": "processor", "cores": "cores", "memory_bytes": "memory"}
    return [
        (names.get(name, name), file_size(int(value)) if name == "memory_bytes" else value)
        for name, value in machine.items()
    ]


def _text(value: Any) -> str:
    if isinstance(value, Mapping):
        return ", ".join(f"{name} {each}" for name, each in value.items() if each)
    return value if isinstance(value, str) else json.dumps(value)


def estimate_table(run: RunFacts, size: int | None) -> pd.DataFrame:
    """Return what was estimated beside what it took: columns `what`, `estimated`, `took`.

    Args:
        run: The run.
        size: Its bytes on disk.
    """
    said, took = run.estimate, run.result or run.progress
    rows = [
        ("time", _said(said, "seconds"), _said(took, "seconds")),
        ("peak memory", _said(said, "peak_bytes"), _said(took, "peak_bytes")),
        ("on disk", _said(said, "disk_bytes"), "" if size is None else file_size(size)),
    ]
    return pd.DataFrame(rows, columns=["what", "estimated", "took"])


def _said(values: Mapping[str, Any], name: str) -> str:
    value = values.get(name)
    if value is None:
        return ""
    return duration(float(value)) if name == "seconds" else file_size(int(value))


def step_table(lines: Sequence[Mapping[str, Any]], *, limit: int = 600) -> pd.DataFrame:
    """Return the steps of a run in order, thinned to means of neighbours where there are many.

    Args:
        lines: Lines of progress as `runs.read_progress` gives them.
        limit: The most rows.

    Returns:
        Columns `day` text, `epoch` int, `epochs` int, `loss` float, `accuracy` float (NaN where a
        method has no links).
    """
    names = ["day", "epoch", "epochs", "loss", "accuracy"]
    rows = [
        (line.get("day", ""), line.get("epoch", 1), line.get("epochs", 1), line["loss"],
         line.get("accuracy"))
        for line in lines
        if line.get("event") == "step" and line.get("loss") is not None
    ]  # fmt: skip
    table = pd.DataFrame(rows, columns=names)
    table[["loss", "accuracy"]] = table[["loss", "accuracy"]].astype("float64")
    if len(table) <= limit:
        return table
    bucket = [position * limit // len(table) for position in range(len(table))]
    return table.groupby(bucket).agg(
        {"day": "last", "epoch": "last", "epochs": "last", "loss": "mean", "accuracy": "mean"}
    )


def day_table(lines: Sequence[Mapping[str, Any]], days: Sequence[str]) -> pd.DataFrame:
    """Return the embedded days: columns `day`, and `seconds` where the progress tells them.

    Args:
        lines: Lines of progress.
        days: Keys of the days that are embedded.
    """
    took = {
        line["day"]: round(float(line["seconds"]), 2)
        for line in lines
        if line.get("event") in ("unit", "day") and line.get("day") and "seconds" in line
    }
    table = pd.DataFrame({"day": list(days), "seconds": [took.get(day) for day in days]})
    table["seconds"] = table["seconds"].astype("Float64")
    return table if took else table.drop(columns="seconds")
