"""Charts of Review metrics: F1 by class and day, confusion, calibration, pairs, sweeps, health."""

from collections.abc import Mapping, Sequence
from typing import Any

import altair as alt
import pandas as pd

from darkgnn_core.charts.axes import BAR_RADIUS, day_axis, day_tip
from darkgnn_core.charts.class_colours import colour_of
from darkgnn_core.labels.texts import UNKNOWN

HEIGHT, SMALL = 300, 220
BAR_PIXELS, GAP_PIXELS = 14, 10
CELL_PIXELS, CELL_HEIGHT = 64, 26
MANY = 8
"""Labels from which a confusion takes all the width there is."""
AROUND_PIXELS, LEGEND_PIXELS = 140, 24
"""A chart that is stretched has to hold titles and legends in its height, too."""
LABEL_PIXELS = 200
TICKS = 10
MARK = "#6B7785"
"""Lines that belong to no run, seen on light and dark."""
PALE, DEEP = "#DDE9F4", "#0B4A78"
DIM, BRIGHT = "#17324A", "#CBE5F8"
HALF = 0.5
CELL = "cell"
"""Name of the selection of a confusion cell; its fields are `true` and `told`."""


def _layered(charts: Sequence[alt.Chart], **sizes: Any) -> alt.LayerChart:
    return alt.LayerChart(layer=list(charts), **sizes)


def class_bars(table: pd.DataFrame, labels: Sequence[str]) -> alt.LayerChart:
    """Return F1 of each class as bars with their 95 % intervals, one a run.

    Args:
        table: `review_tables.class_bars`.
        labels: All labels of the workspace, for their colours.
    """
    order = list(dict.fromkeys(table["label"]))
    runs = list(dict.fromkeys(table["run"]))
    names = alt.Axis(title=None, labelLimit=LABEL_PIXELS)
    base = alt.Chart(table).encode(y=alt.Y("label:N", sort=order, axis=names))
    if len(runs) > 1:
        base = base.encode(yOffset=alt.YOffset("run:N", sort=runs))
        colour = run_colour(runs)
    else:
        shown = [colour_of(label, labels) for label in order]
        colour = alt.Color("label:N", scale=alt.Scale(domain=order, range=shown), legend=None)
    bars = base.mark_bar(cornerRadiusEnd=BAR_RADIUS, opacity=0.85).encode(
        x=alt.X(
            "f1:Q",
            title="F1 (mean of days)",
            scale=alt.Scale(domain=[0, 1]),
            axis=alt.Axis(tickCount=TICKS, format=".1f"),
        ),
        color=colour,
        tooltip=[
            alt.Tooltip("run:N", title="run"),
            alt.Tooltip("label:N", title="class"),
            alt.Tooltip("f1:Q", title="F1", format=".3f"),
            alt.Tooltip("low:Q", title="95 % from", format=".3f"),
            alt.Tooltip("high:Q", title="to", format=".3f"),
            alt.Tooltip("precision:Q", format=".3f"),
            alt.Tooltip("recall:Q", format=".3f"),
            alt.Tooltip("hosts:Q", format=","),
            alt.Tooltip("days:Q"),
        ],
    )
    spans = base.mark_rule(color=MARK, strokeWidth=2).encode(x="low:Q", x2="high:Q")
    if len(runs) > 1:
        spans = spans.encode(yOffset=alt.YOffset("run:N", sort=runs, bandPosition=0.5))
    step = max(BAR_PIXELS * len(runs) + GAP_PIXELS, CELL_HEIGHT)
    legends = _legend_height(runs)
    return _layered([bars, spans], height=step * len(order) + legends + 50)


def _legend_height(runs: Sequence[str], columns: int = 2) -> int:
    return LEGEND_PIXELS * -(-len(runs) // columns) if len(runs) > 1 else 0


def run_colour(runs: Sequence[str], *, columns: int = 2) -> alt.Color:
    """Return a colour for each run, in this order, from the theme; its legend above the chart."""
    legend = alt.Legend(title=None, orient="top", columns=columns, labelLimit=0, symbolOpacity=1)
    return alt.Color("run:N", sort=list(runs), legend=legend if len(runs) > 1 else None)


def day_lines(table: pd.DataFrame, title: str) -> alt.LayerChart:
    """Return a measure by day, a line a run, with a band of one deviation over its repeats.

    Args:
        table: `review_tables.day_lines`, at least one row.
        title: What is measured.
    """
    runs = list(dict.fromkeys(table["run"]))
    scale = alt.Scale(zero=False)
    base = alt.Chart(table).encode(x=day_axis(table["bin"]), color=run_colour(runs))
    lines = base.mark_line(point=True).encode(
        y=alt.Y("value:Q", title=title, scale=scale),
        tooltip=[
            day_tip(),
            alt.Tooltip("run:N", title="run"),
            alt.Tooltip("value:Q", title=title, format=".3f"),
            alt.Tooltip("low:Q", title="one sd below", format=".3f"),
            alt.Tooltip("high:Q", title="one sd above", format=".3f"),
        ],
    )
    bands = base.mark_area(opacity=0.2).encode(y=alt.Y("low:Q"), y2="high:Q")
    spread = table.dropna(subset=["low"])
    return (
        _layered([bands, lines], height=HEIGHT) if len(spread) else _layered([lines], height=HEIGHT)
    )


def confusion(table: pd.DataFrame, *, is_dark: bool = False) -> alt.LayerChart:
    """Return the confusion of true and told labels; a click chooses a cell.

    Args:
        table: `reviewing.cells`, at least one row.
        is_dark: Whether the page is: few hosts are near its background either way.
    """
    rows = list(dict.fromkeys(table["true"]))
    others = sorted(set(table["told"]) - {*rows, UNKNOWN})
    columns = [*(name for name in rows if name != UNKNOWN), *others]
    columns += [UNKNOWN] if UNKNOWN in {*table["told"], *rows} else []
    choice = alt.selection_point(name=CELL, fields=["true", "told"], empty=False)
    names = alt.Axis(
        title="told", orient="top", labelAngle=-40, labelLimit=LABEL_PIXELS, labelOverlap=False
    )
    true = alt.Axis(title="true label", labelLimit=LABEL_PIXELS, labelOverlap=False)
    base = alt.Chart(table).encode(
        x=alt.X("told:N", sort=columns, scale=alt.Scale(domain=columns), axis=names),
        y=alt.Y("true:N", sort=rows, axis=true),
        tooltip=[
            alt.Tooltip("true:N", title="true label"),
            alt.Tooltip("told:N", title="told"),
            alt.Tooltip("hosts:Q", title="hosts (one a day)", format=","),
            alt.Tooltip("share:Q", title="share of the true label", format=".1%"),
        ],
    )
    chosen = alt.condition(choice, alt.value(3), alt.value(0.5))
    squares = base.mark_rect(stroke=MARK, cursor="pointer").encode(
        color=alt.Color(
            "share:Q",
            scale=alt.Scale(domain=[0, 1], range=[DIM, BRIGHT] if is_dark else [PALE, DEEP]),
            legend=alt.Legend(title="share of row", format="%", orient="bottom"),
        ),
        strokeWidth=chosen,
    )
    is_deep = alt.datum.share < HALF if is_dark else alt.datum.share > HALF
    ink = alt.condition(is_deep, alt.value("#FFFFFF"), alt.value("#16202A"))
    counts = base.mark_text(fontSize=11, cursor="pointer").encode(
        text=alt.Text("hosts:Q", format=","), color=ink
    )
    few: dict[str, Any] = {} if len(columns) > MANY else {"width": alt.Step(CELL_PIXELS)}
    around = AROUND_PIXELS + min(5 * max(map(len, columns)), LABEL_PIXELS)
    height = CELL_HEIGHT * len(rows) + around
    return _layered([squares.add_params(choice), counts], height=height, **few)


def reliability(table: pd.DataFrame) -> alt.LayerChart:
    """Return how often a share of votes is right, beside the line on which it would be honest.

    Args:
        table: `run` and the columns of `scores.reliability`, at least one row.
    """
    runs = list(dict.fromkeys(table["run"]))
    ends = pd.DataFrame({"at": [0.0, 1.0]})
    share = alt.Scale(domain=[0, 1])
    percent = alt.Axis(format="%", tickCount=5)
    line = (
        alt.Chart(ends)
        .mark_line(color=MARK, strokeDash=[4, 4])
        .encode(x=alt.X("at:Q", scale=share), y=alt.Y("at:Q", scale=share))
    )
    base = alt.Chart(table).encode(
        x=alt.X("confidence:Q", title="share of votes", scale=share, axis=percent),
        y=alt.Y("accuracy:Q", title="told right", scale=share, axis=percent),
        color=run_colour(runs),
    )
    points = base.mark_point(filled=True, opacity=0.9).encode(
        size=alt.Size(
            "hosts:Q",
            scale=alt.Scale(range=[60, 600]),
            legend=alt.Legend(
                title="hosts",
                format=",d",
                orient="right",
                tickCount=3,
                symbolFillColor=MARK,
                symbolStrokeColor=MARK,
            ),
        ),
        tooltip=[
            alt.Tooltip("run:N", title="run"),
            alt.Tooltip("confidence:Q", title="share of votes", format=".0%"),
            alt.Tooltip("accuracy:Q", title="told right", format=".1%"),
            alt.Tooltip("hosts:Q", format=","),
        ],
    )
    return _layered([line, base.mark_line(), points], height=HEIGHT)


def pair_spans(pairs: pd.DataFrame, measure: str) -> alt.LayerChart:
    """Return the difference of each pair of runs with its 95 % interval, beside no difference.

    Args:
        pairs: `comparing.compare`, rows with days alone, at least one.
        measure: What is compared.
    """
    table = pairs.assign(
        pair=pairs["first"] + "  -  " + pairs["second"],
        verdict=pairs["is_significant"].map({True: "significant", False: "not significant"}),
    )
    order = list(table["pair"])
    names = alt.Axis(title=None, labelLimit=420, labelOverlap=False)
    base = alt.Chart(table).encode(
        y=alt.Y("pair:N", sort=order, axis=names),
        color=alt.Color(
            "verdict:N",
            scale=alt.Scale(domain=["significant", "not significant"]),
            legend=alt.Legend(title=None, orient="top"),
        ),
    )
    across = alt.X("low:Q", title=f"{measure}: first run minus second, with 95 % interval")
    spans = base.mark_rule(strokeWidth=2).encode(x=across, x2="high:Q")
    points = base.mark_point(filled=True, size=70).encode(
        x="difference:Q",
        tooltip=[
            alt.Tooltip("first:N"),
            alt.Tooltip("second:N"),
            alt.Tooltip("difference:Q", title="first ahead by", format="+.4f"),
            alt.Tooltip("low:Q", title="95 % from", format="+.4f"),
            alt.Tooltip("high:Q", title="to", format="+.4f"),
            alt.Tooltip("p_holm:Q", title="p, adjusted", format=".4f"),
            alt.Tooltip("days:Q"),
        ],
    )
    none = alt.Chart(pd.DataFrame({"at": [0.0]})).mark_rule(color=MARK, strokeDash=[4, 4])
    return _layered(
        [none.encode(x="at:Q"), spans, points],
        height=CELL_HEIGHT * len(order) + AROUND_PIXELS,
    )


def sweep_curve(table: pd.DataFrame, setting: str, measure: str) -> alt.LayerChart:
    """Return a measure over the values of a setting, with one deviation over days to each side.

    Args:
        table: `review_tables.sweep_points`, at least one row.
        setting: What varies, in words.
        measure: What is measured, in words.
    """
    is_number = all(
        isinstance(value, int | float) and not isinstance(value, bool) for value in table["value"]
    )
    shown = table.assign(at=table["value"].astype(float) if is_number else table["words"])
    order = list(dict.fromkeys(shown["at"]))
    values = alt.Axis(title=setting, values=order) if is_number else alt.Axis(title=setting)
    across = (
        alt.X("at:Q", axis=values, scale=alt.Scale(zero=False, nice=True, padding=12))
        if is_number
        else alt.X("at:N", axis=values, sort=order)
    )
    base = alt.Chart(shown.drop(columns="value")).encode(
        x=across,
        color=alt.Color(
            "kind:N",
            legend=alt.Legend(title=None, orient="top", labelLimit=0)
            if shown["kind"].nunique() > 1
            else None,
        ),
    )
    lines = base.mark_line(point=alt.OverlayMarkDef(size=50)).encode(
        y=alt.Y("mean:Q", title=measure, scale=alt.Scale(zero=False)),
        tooltip=[
            alt.Tooltip("words:N", title=setting),
            alt.Tooltip("kind:N", title="days"),
            alt.Tooltip("mean:Q", title=measure, format=".3f"),
            alt.Tooltip("sd:Q", title="sd over days", format=".3f"),
            alt.Tooltip("runs:Q"),
        ],
    )
    spans = base.mark_rule(opacity=0.6).encode(y="low:Q", y2="high:Q")
    return _layered([spans, lines], height=HEIGHT)


def health_line(table: pd.DataFrame, field: str, words: Mapping[str, tuple[str, str]]) -> alt.Chart:
    """Return one sign of health by day, a line a run.

    Args:
        table: `review_tables.health_lines`, at least one row.
        field: Its column.
        words: `review_words.HEALTH_WORDS`.
    """
    title, _ = words[field]
    runs = list(dict.fromkeys(table["run"]))
    height = SMALL + _legend_height(runs, 1)
    chart: alt.Chart = (
        alt.Chart(table.dropna(subset=[field])[["run", "bin", field]], height=height)
        .mark_line(point=True)
        .encode(
            x=day_axis(table["bin"]),
            y=alt.Y(f"{field}:Q", title=None, axis=alt.Axis(tickCount=4)),
            color=run_colour(runs, columns=1),
            tooltip=[
                day_tip(),
                alt.Tooltip("run:N", title="run"),
                alt.Tooltip(f"{field}:Q", title=title, format=".4g"),
            ],
        )
    )
    return chart
