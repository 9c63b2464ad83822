"""Scores of runs as tables for people and for charts: one row a class, day, pair, value or day."""

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd

from darkgnn_core.charts.training_tables import setting_of, what_of
from darkgnn_core.charts.training_words import settings_of, value_words
from darkgnn_core.errors import ConfigError
from darkgnn_core.evaluation.open_set import OpenSetDay, alarms_of, left_out_classes
from darkgnn_core.evaluation.repeats import Repeats
from darkgnn_core.evaluation.scores import Scores
from darkgnn_core.labels.texts import UNKNOWN
from darkgnn_core.run_config import FusionConfig, RunConfig

SUMMARY = {
    "days": "days",
    "hosts": "hosts",
    "classes": "classes",
    "repeats": "repeats",
    "macro_f1_mean": "macro F1, mean of days",
    "macro_f1_sd": "sd over days",
    "macro_f1_sd_repeats": "sd over repeats",
    "macro_f1_low": "95 % from",
    "macro_f1_high": "to",
    "macro_f1_pooled": "macro F1, days pooled",
    "weighted_f1_pooled": "weighted F1",
    "accuracy_pooled": "accuracy",
    "balanced_accuracy_pooled": "balanced accuracy",
    "mcc_pooled": "Matthews' correlation",
    "ece": "calibration error",
}
CLASSES = {
    "label": "class",
    "support": "hosts",
    "days": "days",
    "f1_mean": "F1",
    "precision": "precision",
    "recall": "recall",
    "f1_low": "95 % from",
    "f1_high": "to",
    "f1_sd": "sd over days",
    "f1_sd_repeats": "sd over seeds",
    "f1": "F1 pooled",
}
DAYS = {
    "day": "day",
    "hosts": "hosts",
    "classes": "classes",
    "macro_f1": "macro F1",
    "weighted_f1": "weighted F1",
    "accuracy": "accuracy",
    "balanced_accuracy": "balanced accuracy",
    "mcc": "Matthews' correlation",
    "ece": "calibration error",
}
PAIRS = {
    "first": "first",
    "second": "second",
    "days": "days",
    "difference": "first ahead by",
    "low": "95 % from",
    "high": "to",
    "sd": "sd over days",
    "p": "p",
    "p_holm": "p, adjusted",
    "verdict": "significant",
    "detectable": "smallest that would show",
}
UNKNOWNS = {
    "run": "run",
    "unknown_hosts": "hosts without a label",
    "alarm_share": "told a class",
    "abstained_share": "labelled, told unknown",
    "auroc": "new class told apart",
    "fpr_at_95_tpr": "new class taken for known",
}
HELD_OUT = {
    "run": "run",
    "label": "class held out",
    "days": "days",
    "hosts": "hosts",
    "auroc": "told apart",
    "fpr_at_95_tpr": "taken for known",
}
HEALTH = {
    "run": "run",
    "key": "day",
    "hosts": "hosts",
    "dimensions": "dimensions",
    "effective_dimensions": "effective dimensions",
    "flat_dimensions": "flat dimensions",
    "mean_cosine": "mean cosine",
    "zero_hosts": "zero vectors",
    "repeated_hosts": "share a vector",
    "largest_repeat": "most with one vector",
    "hubness": "hubness",
    "largest_hub": "largest hub",
    "never_near": "nobody's neighbour",
    "lonely_hosts": "lonely",
    "stayed": "hosts of the day before",
    "drift": "drift",
}
SWEEP = {
    "words": "value",
    "kind": "days",
    "mean": "mean",
    "sd": "sd over days",
    "runs": "runs",
}
"""Columns of each table with what people read above them."""

HEALTH_HELP = {
    "effective dimensions": "In how many directions the hosts really spread.",
    "flat dimensions": "Columns in which all hosts have the same number.",
    "mean cosine": "Of random pairs of hosts; near 1 means collapse.",
    "zero vectors": "Hosts whose numbers are all 0.",
    "share a vector": "Hosts whose numbers are the very same as another's.",
    "most with one vector": "Hosts that share the commonest vector.",
    "hubness": "Skewness of how often a host is among the 10 nearest of others.",
    "largest hub": "Hosts that have the same host among their 10 nearest, at most.",
    "nobody's neighbour": "Share of hosts that are among the nearest of no other host.",
    "lonely": "Hosts much farther from their nearest one than most.",
    "hosts of the day before": "Hosts that the run's day before has, too.",
    "drift": "How far those moved: median cosine distance, 0 not at all, 1 unrelated.",
}
"""What the columns of health mean."""

DECIMALS = 4


def summary_table(found: Mapping[str, Repeats]) -> pd.DataFrame:
    """Return one row a run: how it did over all days.

    Args:
        found: Scores by what each run is called.
    """
    rows = pd.DataFrame([{"run": name, **each.summary} for name, each in found.items()])
    return _told(rows, {"run": "run", **SUMMARY})


def class_table(found: Mapping[str, Repeats]) -> pd.DataFrame:
    """Return one row a class and run, runs of a class below each other; largest class first."""
    table = _joined(found, "by_class")
    places = {label: place for place, label in enumerate(dict.fromkeys(table["label"]))}
    by_class = table.assign(at=table["label"].map(places)).sort_values("at", kind="stable")
    return _told(by_class, {"label": "class", "run": "run", **CLASSES})


def day_table(found: Mapping[str, Repeats]) -> pd.DataFrame:
    """Return one row a day and run: what `Scores.by_day` has."""
    return _told(_joined(found, "by_day"), {"run": "run", **DAYS})


def alarms(each: Repeats) -> tuple[int, int]:
    """Return how many hosts without a label were told a class, and how many there were.

    Over all days, of the first repeat; both 0 where a protocol does not score such hosts.
    """
    table = each.each[0].confusion
    if UNKNOWN not in table.index:
        return 0, 0
    row = dict(zip(table.columns, table.loc[UNKNOWN].to_numpy(), strict=True))
    hosts = int(sum(row.values()))
    return hosts - int(row[UNKNOWN]), hosts


def unknown_table(found: Mapping[str, Sequence[Sequence[OpenSetDay]]]) -> pd.DataFrame:
    """Return one row a run: what the open set says of hosts without a label, and of new classes.

    Args:
        found: Its days, for each run of an entry, by what the entry is called; numbers are means
            over these runs.
    """
    rows = []
    for name, repeats in found.items():
        each = pd.DataFrame([alarms_of(days) for days in repeats])
        rows.append({"run": name, **each.mean()})
    table = pd.DataFrame(rows, columns=list(UNKNOWNS))
    return _told(table.astype({"unknown_hosts": int}), UNKNOWNS)


def held_out_table(found: Mapping[str, Sequence[Sequence[OpenSetDay]]]) -> pd.DataFrame:
    """Return one row a run and class that was held out; arguments as `unknown_table`."""
    parts = [
        left_out_classes([day for days in repeats for day in days]).assign(run=name)
        for name, repeats in found.items()
    ]
    return _told(pd.concat(parts, ignore_index=True), HELD_OUT)


def pair_table(pairs: pd.DataFrame) -> pd.DataFrame:
    """Return one row a pair of runs, from `comparing.compare`."""
    words = pairs["is_significant"].map({True: "yes", False: "no"})
    return _told(pairs.assign(verdict=words), PAIRS)


def health_table(facts: Mapping[str, Sequence[Mapping[str, Any]]]) -> pd.DataFrame:
    """Return one row a run and day: the health of its embedding.

    Args:
        facts: What `scoring.compute_health` keeps of each day, by what each run is called.
    """
    rows = [{"run": name, **day} for name, days in facts.items() for day in days]
    return _told(pd.DataFrame(rows, columns=list(HEALTH)), HEALTH)


def health_lines(facts: Mapping[str, Sequence[Mapping[str, Any]]]) -> pd.DataFrame:
    """Return one row a run and day for charts: `run`, `bin` and the columns of `HEALTH_WORDS`."""
    rows = []
    for name, days in facts.items():
        for day in days:
            hosts = max(day["hosts"], 1)
            shares = {
                "repeated_share": day["repeated_hosts"] / hosts,
                "lonely_share": day["lonely_hosts"] / hosts,
            }
            rows.append({"run": name, "bin": day["key"], **day, **shares})
    return pd.DataFrame(rows)


def _joined(found: Mapping[str, Repeats], name: str) -> pd.DataFrame:
    parts = [getattr(each, name).assign(run=run) for run, each in found.items()]
    table: pd.DataFrame = pd.concat(parts, ignore_index=True)
    return table


def _told(rows: pd.DataFrame, columns: Mapping[str, str]) -> pd.DataFrame:
    """Return the columns that say something, by their names for people, numbers rounded.

    Left out are columns that are empty all the way down, and the run where it is one alone.
    """
    kept = [name for name in columns if name in rows and not _says_nothing(rows[name], name)]
    table = rows[kept].rename(columns=dict(columns))
    for name in table.select_dtypes("float"):
        table[name] = table[name].round(DECIMALS)
    return table.reset_index(drop=True)


def _says_nothing(column: "pd.Series[Any]", name: str) -> bool:
    if not len(column):
        return False
    if name == "run":
        return column.nunique() < 2
    if name == "repeats":
        return bool((column <= 1).all())
    return bool((column.isna() | (column == "")).all())


def class_bars(found: Mapping[str, Repeats]) -> pd.DataFrame:
    """Return what `review_charts.class_bars` draws: `run`, `label`, `f1`, `low`, `high`, `hosts`.

    Classes with most hosts first, in the order of the first run; classes of others alone follow.
    """
    names = {"f1_mean": "f1", "f1_low": "low", "f1_high": "high", "support": "hosts"}
    table: pd.DataFrame = _joined(found, "by_class").rename(columns={"f1": "pooled"} | names)
    kept: pd.DataFrame = table[
        ["run", "label", "f1", "low", "high", "hosts", "precision", "recall", "days"]
    ]
    return kept


def day_lines(found: Mapping[str, Repeats], measure: str, label: str = "") -> pd.DataFrame:
    """Return what `review_charts.day_lines` draws: `run`, `bin`, `value`, `low`, `high`.

    Args:
        found: Scores by what each run is called.
        measure: A column of `Scores.by_day`.
        label: A class, whose F1 is taken instead.

    Returns:
        `low` and `high` are one standard deviation over repeats (seeds, draws) to each side; NaN
        for a run without repeats.
    """
    rows = []
    for name, each in found.items():
        daily = pd.DataFrame([_daily(scores, measure, label) for scores in each.each])
        spread = daily.std(axis=0, ddof=1) if len(daily) > 1 else daily.iloc[0] * np.nan
        mean = daily.mean(axis=0)
        table = pd.DataFrame({"value": mean, "low": mean - spread, "high": mean + spread})
        rows.append(table.rename_axis("bin").reset_index().assign(run=name))
    lines = pd.concat(rows, ignore_index=True)
    kept: pd.DataFrame = lines.dropna(subset=["value"])
    return kept[["run", "bin", "value", "low", "high"]]


def daily_values(each: Repeats, measure: str, label: str = "") -> "pd.Series[float]":
    """Return a measure of each day, or a class's F1, the mean over repeats; by day."""
    daily = pd.DataFrame([_daily(scores, measure, label) for scores in each.each])
    mean: pd.Series[float] = daily.mean(axis=0)
    return mean


def _daily(scores: Scores, measure: str, label: str) -> "pd.Series[float]":
    table = scores.class_by_day
    if not label:
        found: pd.Series[float] = scores.by_day.set_index("day")[measure]
    elif label in table:
        found = table[label]
    else:
        found = pd.Series(np.nan, index=table.index)
    return found


def varied_settings(configs: Sequence[RunConfig]) -> list[str]:
    """Return the settings in which runs of one method differ, other than the seed.

    Args:
        configs: Runs of a group.

    Returns:
        Names of settings; none where there are several methods, as no axis holds those.
    """
    methods = {config.method for config in configs}
    if len(methods) != 1 or isinstance(configs[0].settings, FusionConfig):
        return []
    names = [*settings_of(configs[0].method), "use_features"]
    return [name for name in names if len({_value(config, name) for config in configs}) > 1]


def _value(config: RunConfig, name: str) -> Any:
    try:
        return setting_of(config, name)
    except KeyError:
        return None


def sweep_points(
    setting: str, scored: Iterable[tuple[str, RunConfig, Repeats]], measure: str = "macro_f1"
) -> pd.DataFrame:
    """Return what `review_charts.sweep_curve` draws: one row a value and kind of days.

    Runs that differ in the seed alone are one point.

    Args:
        setting: The setting that varies.
        scored: For each run what kind of days it was scored on, its settings and its scores.
        measure: A column of `Scores.by_day`.

    Returns:
        `kind`, `value`, `words` (the value in words), `mean`, `sd` (over the days' means over
        seeds), `low`, `high` (one sd to each side; the mean itself without one), `runs`.
    """
    by_point: dict[tuple[str, Any], list[pd.Series[float]]] = {}
    for kind, config, each in scored:
        daily = daily_values(each, measure)
        by_point.setdefault((kind, _value(config, setting)), []).append(daily)
    rows = []
    for (kind, value), series in by_point.items():
        days = pd.DataFrame(series).mean(axis=0).dropna()
        spread = float(days.std(ddof=1)) if len(days) > 1 else float("nan")
        mean = float(days.mean()) if len(days) else float("nan")
        half = 0.0 if np.isnan(spread) else spread
        ends = {"mean": mean, "sd": spread, "low": mean - half, "high": mean + half}
        words = value_words(setting, value)
        rows.append({"kind": kind, "value": value, "words": words, **ends, "runs": len(series)})
    table = pd.DataFrame(rows).dropna(subset=["mean"])
    return table.sort_values(["kind", "value"], ignore_index=True)


def setting_title(method: str, setting: str) -> str:
    """Return what a setting is called.

    Raises:
        ConfigError: `CONFIG` where the method has none of that name.
    """
    if setting == "use_features":
        return "Uses the columns"
    words = settings_of(method).get(setting)
    if words is None:
        raise ConfigError(f"{method} has no setting {setting!r}.", code="CONFIG")
    return words.title


_SEED = re.compile(r"(, seed \d+| \(\d+ of \d+\)| \([0-9a-f]{6}\))+$")
"""What tells one seed of several apart in a name that runs are given."""


def names_of(runs: Sequence[Any], *, joined: Mapping[str, int] | None = None) -> dict[str, str]:
    """Return for each run, by id, a name that no other of them has.

    Args:
        runs: Runs with `id`, `name` and `config`.
        joined: How many seeds stand behind a run, by id, where more than one.
    """
    seeds = joined or {}
    told = {run.id: (run.name or what_of(run.config)) for run in runs}
    names = list(told.values())
    unique = {
        key: name if names.count(name) == 1 else f"{name} ({key[:6]})" for key, name in told.items()
    }
    return {
        key: f"{_SEED.sub('', name)}, {seeds[key]} seeds" if seeds.get(key, 1) > 1 else name
        for key, name in unique.items()
    }
