"""The paper's figures: curves of macro F1 over a setting, as PNG and SVG files."""

from functools import partial
from pathlib import Path
from typing import Literal

import altair as alt
import pandas as pd

from darkgnn_core.charts.pictures import picture_of
from darkgnn_core.durable import write_file

KINDS: tuple[Literal["svg", "png"], ...] = ("svg", "png")
WIDTH, HEIGHT = 520, 320
COLOURS = ("#1b6ca8", "#8c6bb1", "#c1666b", "#6b7a3a")
"""Ours on test days, ours on earlier days, random weights, the paper: apart without colour too,
since each has a shape of its own."""


def curve_chart(points: pd.DataFrame, *, title: str, subtitle: str, x_title: str) -> alt.LayerChart:
    """Return macro F1 over a setting, a line a curve, with the 95 % interval of ours.

    Args:
        points: Columns `curve`, `value` (of the setting), `f1`, `low`, `high` (NaN for none).
        title: What is shown.
        subtitle: Of which data set.
        x_title: The setting.
    """
    names = list(dict.fromkeys(points["curve"]))
    values = sorted({int(each) for each in points["value"]})
    told = points["low"].dropna().tolist() + points["f1"].dropna().tolist()
    base = alt.Chart(points).encode(
        x=alt.X(
            "value:Q",
            title=x_title,
            axis=alt.Axis(values=values, format="d", grid=False),
            scale=alt.Scale(nice=False, padding=12),
        ),
        color=alt.Color(
            "curve:N",
            sort=names,
            scale=alt.Scale(domain=names, range=list(COLOURS[: len(names)])),
            legend=alt.Legend(title=None, orient="bottom", columns=1, labelLimit=0),
        ),
    )
    floor = max(0.0, min(told, default=0.0) - 0.02)
    scale = alt.Scale(domain=[floor, _ceiling(points)], zero=False)
    f1 = alt.Y("f1:Q", title="macro F1", scale=scale)
    shape = alt.Shape("curve:N", sort=names, scale=alt.Scale(domain=names), legend=None)
    low = alt.Y("low:Q", title="macro F1", scale=scale)
    bars = base.mark_rule(opacity=0.5, strokeWidth=2).encode(y=low, y2="high:Q")
    lines = base.mark_line(strokeWidth=1.5).encode(y=f1)
    marks = base.mark_point(filled=True, size=60).encode(y=f1, shape=shape)
    head = alt.TitleParams(title, subtitle=_wrapped(subtitle), anchor="start")
    chart = alt.LayerChart(layer=[bars, lines, marks], data=points)
    return chart.properties(width=WIDTH, height=HEIGHT, title=head)


def _ceiling(points: pd.DataFrame) -> float:
    highest = pd.concat([points["f1"], points["high"]]).max()
    return min(1.0, float(highest) + 0.02)


def _wrapped(text: str, width: int = 90) -> list[str]:
    lines, line = [], ""
    for word in text.split():
        if line and len(line) + len(word) >= width:
            lines.append(line)
            line = ""
        line = f"{line} {word}".strip()
    return [*lines, line]


def save_chart(chart: alt.LayerChart, directory: Path, name: str) -> list[Path]:
    """Write a chart as `<name>.svg` and `<name>.png`; return their paths.

    Raises:
        WorkspaceError: `DISK-FULL`.
    """
    directory.mkdir(parents=True, exist_ok=True)
    paths = []
    for kind in KINDS:
        picture = picture_of(chart, kind)
        path = directory / f"{name}.{kind}"
        write_file(path, partial(Path.write_bytes, data=picture))
        paths.append(path)
    return paths
