"""Looking at some classes, confusion cells and their hosts: known answers."""

import json
from typing import Any

import numpy as np
import pandas as pd
import pytest

from darkgnn_core.charts import review_charts
from darkgnn_core.charts.pictures import picture_of
from darkgnn_core.charts.review_tables import (
    HEALTH,
    HEALTH_HELP,
    alarms,
    class_bars,
    class_table,
    daily_values,
    day_lines,
    day_table,
    health_lines,
    health_table,
    names_of,
    pair_table,
    setting_title,
    summary_table,
    sweep_points,
    varied_settings,
)
from darkgnn_core.charts.review_words import (
    BASELINE_TITLES,
    COLUMN_HELP,
    HEALTH_WORDS,
    MEASURE_HELP,
    MEASURES,
    PROTOCOL_WORDS,
    SUMMARY_HELP,
)
from darkgnn_core.errors import ConfigError
from darkgnn_core.evaluation.comparing import compare
from darkgnn_core.evaluation.predictions import DayScores
from darkgnn_core.evaluation.protocols import DUMMIES, PROTOCOLS
from darkgnn_core.evaluation.scores import reliability
from darkgnn_core.reviewing import (
    cell_hosts,
    cells,
    classes_in,
    left_out,
    pooled_reliability,
    review,
)
from darkgnn_core.run_config import RunConfig
from tests.evaluation_days import told
from tests.test_class_colours import THEME
from tests.test_theme import contrast

TRUE = ["a", "a", "a", "b", "b", "c"]
SAID = ["a", "a", "b", "b", "unknown", "a"]
DAYS = [told(TRUE, SAID, key="2021-12-01"), told(TRUE, TRUE, key="2021-12-02")]
OTHER = [told(TRUE, TRUE, key="2021-12-01"), told(TRUE, SAID, key="2021-12-02")]


def test_all_classes_are_scored_as_ever() -> None:
    """Without a choice nothing differs from the scores of the protocol."""
    found = review([DAYS]).summary
    f1 = np.mean([2 * 2 / (3 + 3), 2 * 1 / (2 + 2), 0.0])
    assert found["macro_f1_mean"] == pytest.approx((f1 + 1) / 2)
    assert not np.isnan(found["mcc_pooled"])


def test_a_class_left_out_is_like_one_without_a_label() -> None:
    """Its hosts are not scored, yet told a class that is looked at they are its false alarms."""
    found = review([DAYS], ["a"])
    [row] = found.by_class.to_dict("records")
    assert (row["label"], row["support"], row["days"]) == ("a", 6, 2)
    assert row["precision"] == pytest.approx(5 / 6), "the host of c is a false alarm of a"
    assert row["recall"] == pytest.approx(5 / 6)
    assert found.summary["hosts"] == 6
    assert found.summary["macro_f1_mean"] == pytest.approx((2 * 2 / (3 + 3) + 1) / 2)
    assert np.isnan(found.summary["mcc_pooled"])
    assert found.by_day["mcc"].isna().all()


def test_calibration_looks_at_the_classes_alone() -> None:
    """Hosts of other classes are no wrong ones."""
    votes = [told(["a", "b"], ["a", "b"], votes=[3, 1])]
    assert review([votes], ["a"]).summary["ece"] == pytest.approx(0.0)
    assert review([votes], ["b"]).summary["ece"] == pytest.approx(2 / 3)
    table = pooled_reliability([votes, votes], ["b"])
    assert table["hosts"].tolist() == [2]


def test_nothing_to_score_is_no_error() -> None:
    """No class is there: empty tables, NaN, no crash."""
    empty = [told([], [])]
    for classes in (None, ["a"]):
        found = review([empty], classes)
        assert found.by_class.empty
        assert np.isnan(found.summary["macro_f1_mean"])
        assert cells(empty, classes).empty
    assert cell_hosts([], "a", "b").empty
    assert cell_hosts(empty, "a", "b").empty


def test_cells_count_every_host_once_a_day() -> None:
    """Rows add up to the hosts of a label; the largest label first, unknown last."""
    open_set = told(["unknown", "unknown", "unknown", "unknown", "b"], ["a"] * 4 + ["b"])
    table = cells([*DAYS, open_set])
    assert table["hosts"].sum() == 17
    assert list(dict.fromkeys(table["true"])) == ["a", "b", "c", "unknown"]
    row = table.set_index(["true", "told"]).loc[("a", "b")]
    assert (row["hosts"], row["share"]) == (1, pytest.approx(1 / 6))
    assert set(cells(DAYS, ["b"])["true"]) == {"b"}
    assert classes_in([open_set]) == ["b"]


def test_the_hosts_of_a_cell() -> None:
    """One row a host with its days there, most days first."""
    day = DayScores(
        key="2021-12-01",
        protocol="test",
        variant="",
        draw=0,
        hosts=np.array([0xC0000201, 0xC0000202, 0xC0000203], np.uint32),
        y_true=np.array(["a", "a", "b"], object),
        y_pred=np.array(["b", "b", "b"], object),
        votes=np.array([3, 2, 3]),
        margin=np.ones(3),
        distance=np.array([0.5, 0.1, 0.0]),
        k=3,
    )
    later = DayScores(**{**day.__dict__, "key": "2021-12-02", "y_true": np.array(list("bab"))})
    table = cell_hosts([day, later], "a", "b")
    assert table["address"].tolist() == ["192.0.2.2", "192.0.2.1"]
    assert table["days"].tolist() == [2, 1]
    assert table["last day"].tolist() == ["2021-12-02", "2021-12-01"]
    assert table["votes"].tolist() == pytest.approx([2 / 3, 1.0])
    assert table["distance"].tolist() == pytest.approx([0.1, 0.5])


def test_small_classes_are_counted() -> None:
    """On how many of its days a class was too small, and how large it ever was."""
    sizes = {"1": {"a": 11, "b": 10}, "2": {"a": 3}, "3": {"b": 2, "c": 20}}
    assert left_out(sizes, 11).to_numpy().tolist() == [["b", 2, 2, 10], ["a", 1, 2, 11]]
    assert left_out({}, 11).empty


def two_runs() -> dict[str, Any]:
    """Two runs, the second with two seeds."""
    return {"one": review([DAYS]), "two": review([DAYS, OTHER])}


def test_tables_say_the_run_only_where_there_are_several() -> None:
    """And leave out columns that say nothing."""
    both = two_runs()
    alone = {"one": both["one"]}
    for table_of in (summary_table, class_table, day_table):
        assert "run" in table_of(both)
        assert "run" not in table_of(alone)
    assert "repeats" not in summary_table(alone)
    assert list(summary_table(both)["repeats"]) == [1, 2]
    assert list(class_table(both)["class"]) == ["a", "a", "b", "b", "c", "c"]
    pairs = pair_table(
        compare({name: daily_values(each, "macro_f1") for name, each in both.items()})
    )
    assert list(pairs["significant"]) == ["no"]


def test_alarms_are_hosts_without_a_label_told_a_class() -> None:
    """Counted where a protocol scores them, nothing elsewhere."""
    open_set = told(["unknown", "unknown", "unknown", "a"], ["a", "unknown", "a", "b"])
    assert alarms(review([[open_set]])) == (2, 3)
    assert alarms(review([DAYS])) == (0, 0)


def test_lines_carry_the_spread_of_repeats() -> None:
    """One deviation of the seeds around their mean; none for a run alone; a class by itself."""
    lines = day_lines(two_runs(), "macro_f1").set_index(["run", "bin"])
    first = [review([days]).by_day["macro_f1"][0] for days in (DAYS, OTHER)]
    mean, spread = np.mean(first), np.std(first, ddof=1)
    row = lines.loc[("two", "2021-12-01")]
    assert row["value"] == pytest.approx(mean)
    assert row["high"] - row["low"] == pytest.approx(2 * spread)
    assert lines.loc["one"]["low"].isna().all()
    of_class = day_lines(two_runs(), "", "b").set_index(["run", "bin"])
    assert of_class.loc[("one", "2021-12-01"), "value"] == pytest.approx(0.5)
    assert day_lines(two_runs(), "", "nobody").empty


def test_what_varies_in_a_group() -> None:
    """Settings other than the seed, of one method; none for several methods."""
    configs = [RunConfig.of("i-gcn-gru", history_days=h, seed=s) for h in (0, 5) for s in (0, 1)]
    assert varied_settings(configs) == ["history_days"]
    assert varied_settings([*configs, RunConfig.of("features")]) == []
    plain = RunConfig.of("i-gcn-gru", use_features=False)
    assert set(varied_settings([configs[0], plain])) >= {"use_features"}
    assert setting_title("i-gcn-gru", "history_days") == "History (days)"
    with pytest.raises(ConfigError):
        setting_title("features", "history_days")


def test_a_sweep_joins_seeds_and_keeps_kinds_of_days_apart() -> None:
    """One point a value: the mean over seeds of each day, then over days."""
    configs = [RunConfig.of("i-gcn-gru", history_days=h, seed=s) for h in (5, 0) for s in (0, 1)]
    scored = [("chosen", config, review([DAYS if config.seed else OTHER])) for config in configs]
    points = sweep_points("history_days", [*scored, ("earlier", configs[0], review([DAYS]))])
    assert points["kind"].tolist() == ["chosen", "chosen", "earlier"]
    assert points["value"].tolist() == [0, 5, 5]
    assert points["runs"].tolist() == [2, 2, 1]
    days = (review([DAYS]).by_day["macro_f1"] + review([OTHER]).by_day["macro_f1"]) / 2
    assert points["mean"][0] == pytest.approx(days.mean())
    assert points["sd"][0] == pytest.approx(days.std(ddof=1))


FACTS = {name: 1.0 for name in HEALTH if name not in ("run", "key")} | {
    "key": "2021-12-01", "hosts": 4, "repeated_hosts": 2, "lonely_hosts": 1, "warnings": [],
    "since": None,
}  # fmt: skip


def test_every_chart_is_valid_and_fetches_nothing() -> None:
    """Altair's schema takes them; no address in them; one run, several, text and numbers."""
    both = two_runs()
    alone = {"one": both["one"]}
    configs = [RunConfig.of("i-gcn-gru", history_days=h) for h in (0, 5)]
    points = sweep_points("history_days", [("x", c, both["one"]) for c in configs])
    words = sweep_points("carry_state", [("x", c, both["one"]) for c in configs])
    table = reliability(DAYS).assign(run="one")
    pairs = compare({name: daily_values(each, "macro_f1") for name, each in both.items()})
    lines = health_lines({"one": [FACTS, FACTS | {"key": "2021-12-02"}]})
    charts = [
        review_charts.class_bars(class_bars(both), ["a", "b", "c"]),
        review_charts.class_bars(class_bars(alone), ["a", "b", "c"]),
        review_charts.day_lines(day_lines(both, "macro_f1"), "Macro F1"),
        review_charts.day_lines(day_lines(alone, "macro_f1"), "Macro F1"),
        review_charts.confusion(cells(DAYS)),
        review_charts.reliability(table),
        review_charts.pair_spans(pairs, "Macro F1"),
        review_charts.sweep_curve(points, "History", "Macro F1"),
        review_charts.sweep_curve(words, "Carries", "Macro F1"),
        *(review_charts.health_line(lines, field, HEALTH_WORDS) for field in HEALTH_WORDS),
    ]
    for chart in charts:
        spec = chart.to_dict()
        spec.pop("$schema")
        assert "http" not in json.dumps(spec)


def test_a_confusion_of_many_labels_grows_with_them() -> None:
    """So that every row can be read and clicked."""
    names = [f"class {number}" for number in range(12)]
    many = review_charts.confusion(cells([told(names, names)])).to_dict()
    few = review_charts.confusion(cells(DAYS)).to_dict()
    for spec, rows in ((many, 12), (few, 3)):
        assert spec["height"] >= rows * review_charts.CELL_HEIGHT + 100
    assert few["width"] == {"step": review_charts.CELL_PIXELS}


@pytest.mark.parametrize("is_dark", [False, True])
def test_few_hosts_are_near_the_background(is_dark: bool) -> None:
    """Light or dark: the colour of no share is nearer to the page's than that of all."""
    chart = review_charts.confusion(cells(DAYS), is_dark=is_dark).to_dict()
    none, all_of_them = chart["layer"][0]["encoding"]["color"]["scale"]["range"]
    page = THEME["dark" if is_dark else "light"]["backgroundColor"]
    assert contrast(none, page) < 2 < 4 < contrast(all_of_them, page)


def test_a_chart_is_saved_as_picture() -> None:
    """PNG and SVG with a title, text of others as text."""
    evil = "<script>alert(1)</script>"
    chart = review_charts.confusion(cells([told([evil, "b"], [evil, evil])]))
    assert picture_of(chart, "png", title="Confusion").startswith(b"\x89PNG")
    svg = picture_of(chart, "svg", title="Confusion").decode()
    assert svg.startswith("<svg")
    assert "Confusion" in svg
    assert "<script" not in svg


def test_health_as_a_table() -> None:
    """A column each with its meaning; shares of hosts for the lines."""
    table = health_table({"one": [FACTS], "two": [FACTS]})
    assert {*HEALTH_HELP, "run", "day", "hosts", "dimensions"} >= set(table)
    [row] = health_lines({"one": [FACTS]}).to_dict("records")
    assert (row["repeated_share"], row["lonely_share"]) == (0.5, 0.25)
    assert set(HEALTH_WORDS) <= set(row)


def test_everything_has_words() -> None:
    """Each protocol, baseline, measure and column is explained."""
    assert set(PROTOCOL_WORDS) == set(PROTOCOLS)
    assert set(BASELINE_TITLES) == set(DUMMIES)
    assert set(MEASURES) == set(MEASURE_HELP) <= set(review([DAYS]).by_day)
    both = two_runs()
    assert set(class_table(both)) - {"class", "run"} <= set(COLUMN_HELP)
    numbers = summary_table(both).select_dtypes("float")
    assert set(numbers) <= set(SUMMARY_HELP)
    for words in PROTOCOL_WORDS.values():
        assert words.does.endswith(".")
    assert PROTOCOL_WORDS["same_day_loo"].is_optimistic


class FakeRun:
    """What names are made of."""

    def __init__(self, run_id: str, name: str, **settings: Any) -> None:
        self.id, self.name = run_id, name
        self.config = RunConfig.of("i-gcn-gru", **settings)


def test_names_are_told_apart() -> None:
    """The same name twice gets ids; without a name the settings; seeds lose theirs."""
    runs = [FakeRun("aaaaaaaa", "x"), FakeRun("bbbbbbbb", "x"), FakeRun("cc", "", epochs=3)]
    assert list(names_of(runs).values()) == ["x (aaaaaa)", "x (bbbbbb)", "i-GCN-GRU, epochs 3"]
    joined = {"a": 3, "b": 2}
    seeds = [FakeRun("a", "H (1 of 3)"), FakeRun("b", "gcn, seed 0")]
    assert list(names_of(seeds, joined=joined).values()) == ["H, 3 seeds", "gcn, 2 seeds"]


def test_an_empty_frame_has_no_row_of_nothing() -> None:
    """Health of nobody, pairs of nobody."""
    assert health_table({}).empty
    assert isinstance(health_lines({}), pd.DataFrame)
