"""The drawing of a graph: hosts by label, ports by name, edges by packets or by change."""

from collections.abc import Collection, Sequence
from typing import Literal

import altair as alt
import pandas as pd

from darkgnn_core.charts.axes import count_axis, count_tip, day_axis, day_tip
from darkgnn_core.charts.class_colours import colour_of
from darkgnn_core.charts.graph_tables import FEW_SELECTED, PORT_KIND
from darkgnn_core.charts.graph_words import CHANGE_WORDS
from darkgnn_core.graphs.layouts import Layout, Place

PORT_COLOUR = "#5F6B7A"
PORT_SHAPE = "M-1.1,-0.55L1.1,-0.55L1.1,0.55L-1.1,0.55Z"
EDGE_COLOUR = "#8C9199"
RING = "#D9A400"
"""Colours that stand out 3 to 1 from white and from the dark background (tests)."""

DARK_INK, LIGHT_INK = "#16202A", "#E6EDF3"
"""Of names on a light and on a dark page."""

CHANGE_LOOKS = {
    "new": ("#0052FF", [1, 0]),
    "grown": ("#3399CC", [1, 0]),
    "same": ("#8C9199", [1, 0]),
    "shrunk": ("#EB7000", [7, 3]),
    "gone": ("#C23300", [2, 3]),
}

FORCE_HEIGHT = 640
STORY_HEIGHT = 220
ROW_PIXELS = 15
HEIGHTS = (420, 2_000)
MARGIN = 0.05
NAME_ROOM = 0.22
SIDE = 0.42
"""Room for names beside two columns, as a share of the distance between them."""


def graph_chart(
    nodes: pd.DataFrame,
    edges: pd.DataFrame,
    looks: Sequence[tuple[str, str, str]],
    *,
    layout: Layout = "force",
    ink: str = DARK_INK,
) -> alt.LayerChart:
    """Draw a graph as a picture to hand on; on the page it is drawn by a component.

    Args:
        nodes: As `graph_tables.drawn_nodes` gives them.
        edges: As `graph_tables.drawn_edges` gives them.
        looks: Label, colour and shape, as `graph_tables.label_looks`.
        layout: Decides the height and where names stand.
        ink: Colour of the names.
    """
    x, y = _scales(nodes, layout)
    layers = [
        _lines(edges, x, y),
        *_marks(nodes, looks, x, y),
        *_names(nodes, x, y, layout, ink),
    ]
    places = zip(nodes["x"], nodes["y"], strict=True)
    chart = alt.layer(*layers).properties(height=height_of(list(places), layout))
    drawn: alt.LayerChart = chart.resolve_scale(
        color="independent", shape="independent", strokeDash="independent"
    )
    return drawn


def _scales(nodes: pd.DataFrame, layout: Layout) -> tuple[alt.Scale, alt.Scale]:
    """Return scales with room for the names, which stand to the right of nodes drawn by forces."""
    left, right = (SIDE, SIDE) if layout == "two columns" else (MARGIN, NAME_ROOM)
    return _scale(nodes["x"], left, right), _scale(nodes["y"], MARGIN / 2, MARGIN / 2)


def _scale(values: "pd.Series[float]", before: float, after: float) -> alt.Scale:
    low, high = float(values.min()), float(values.max())
    length = high - low or 1.0
    domain = [low - before * length, high + after * length]
    return alt.Scale(domain=domain, nice=False, zero=False)


def height_of(places: Collection[Place], layout: Layout) -> int:
    """Return how high a drawing is, in pixels: two columns grow with their rows."""
    if layout == "force":
        return FORCE_HEIGHT
    at = [y for _, y in places]
    rows = max(at, default=0.0) - min(at, default=0.0) + 1
    return int(min(max(rows * ROW_PIXELS, HEIGHTS[0]), HEIGHTS[1]))


def _lines(edges: pd.DataFrame, x: alt.Scale, y: alt.Scale) -> alt.Chart:
    tips = [alt.Tooltip("host:N"), alt.Tooltip("port:N")]
    marks = alt.Chart(edges).mark_rule(strokeCap="round")
    lines = marks.encode(
        x=alt.X("x:Q", scale=x, axis=None),
        y=alt.Y("y:Q", scale=y, axis=None),
        x2="x2:Q",
        y2="y2:Q",
        strokeWidth=alt.StrokeWidth("width:Q", scale=None, legend=None),
        opacity=alt.condition("datum.is_near", alt.value(0.6), alt.value(0.1)),
    )
    if "change" not in edges:
        plain: alt.Chart = lines.encode(
            color=alt.value(EDGE_COLOUR), tooltip=[*tips, count_tip("packets", "packets")]
        )
        return plain
    kinds = [CHANGE_WORDS[each] for each in CHANGE_LOOKS]
    colours, dashes = zip(*CHANGE_LOOKS.values(), strict=True)
    legend = alt.Legend(title=None, orient="bottom", symbolType="stroke", padding=0, offset=4)
    changed: alt.Chart = lines.encode(
        color=alt.Color(
            "change:N", scale=alt.Scale(domain=kinds, range=list(colours)), legend=legend
        ),
        strokeDash=alt.StrokeDash(
            "change:N", scale=alt.Scale(domain=kinds, range=list(dashes)), legend=None
        ),
        tooltip=[
            *tips,
            alt.Tooltip("change:N"),
            alt.Tooltip("now:Q", title="packets a day now", format=",.1~f"),
            alt.Tooltip("before:Q", title="packets before", format=",.1~f"),
        ],
    )
    return changed


def _marks(
    nodes: pd.DataFrame,
    looks: Sequence[tuple[str, str, str]],
    x: alt.Scale,
    y: alt.Scale,
) -> list[alt.Chart]:
    """Draw rings around what is selected, then the nodes."""
    place = {"x": alt.X("x:Q", scale=x, axis=None), "y": alt.Y("y:Q", scale=y, axis=None)}
    selected = nodes[nodes["is_selected"]]
    width, size = (4, 900) if len(selected) <= FEW_SELECTED else (2.5, 260)
    ring = (
        alt.Chart(selected)
        .mark_point(
            filled=False, strokeWidth=width, color=RING, opacity=1, shape="circle", size=size
        )
        .encode(**place)
    )
    domain = [label for label, _, _ in looks]
    colours, shapes = [look[1] for look in looks], [look[2] for look in looks]
    if (nodes["kind"] == "port").any():
        domain, colours = [*domain, PORT_KIND], [*colours, PORT_COLOUR]
        shapes = [*shapes, PORT_SHAPE]
    legend = alt.Legend(
        title=None, orient="top", columns=4, labelLimit=150, padding=0, offset=4, symbolSize=110
    )
    marks = (
        alt.Chart(nodes)
        .mark_point(filled=True, opacity=1)
        .encode(
            **place,
            size=alt.Size("size:Q", scale=None, legend=None),
            color=alt.Color(
                "label:N", scale=alt.Scale(domain=domain, range=colours), legend=legend
            ),
            shape=alt.Shape("label:N", scale=alt.Scale(domain=domain, range=shapes), legend=legend),
            tooltip=[
                alt.Tooltip("name:N", title="node"),
                alt.Tooltip("label:N"),
                count_tip("packets", "packets"),
                count_tip("neighbours", "neighbours"),
                alt.Tooltip("more:N", title="of these"),
                alt.Tooltip("state:N"),
            ],
        )
    )
    return [ring, marks]


def _names(
    nodes: pd.DataFrame, x: alt.Scale, y: alt.Scale, layout: Layout, ink: str
) -> list[alt.Chart]:
    named = nodes[nodes["text"] != ""]
    place = {"x": alt.X("x:Q", scale=x, axis=None), "y": alt.Y("y:Q", scale=y, axis=None)}

    def written(rows: pd.DataFrame, align: Literal["left", "right"], dx: int) -> alt.Chart:
        mark = alt.Chart(rows).mark_text(
            fontSize=11, baseline="middle", align=align, dx=dx, color=ink
        )
        chart: alt.Chart = mark.encode(**place, text="text:N")
        return chart

    if layout == "force":
        return [written(named, "left", 11)]
    is_host = named["kind"] == "host"
    return [
        written(named[is_host], "right", -11),
        written(named[~is_host], "left", 12),
    ]


def visitors_by_day(counted: pd.DataFrame, bins: Sequence[str], names: Sequence[str]) -> alt.Chart:
    """Return stacked bars: hosts that asked for a port by day, by label.

    Args:
        counted: As `graphs.ports.daily_classes` gives it.
        bins: All bins, in order.
        names: All labels of the workspace, so that colours are those of other pages.
    """
    order = counted.groupby("label")["hosts"].sum().sort_values(ascending=False)
    labels = [str(each) for each in order.index]
    totals = counted.groupby("bin")["hosts"].sum()
    chart: alt.Chart = (
        alt.Chart(counted, height=STORY_HEIGHT)
        .mark_bar()
        .encode(
            x=day_axis(pd.Series(list(bins))),
            y=count_axis("hosts", "hosts", float(totals.max())),
            color=alt.Color(
                "label:N",
                scale=alt.Scale(
                    domain=labels, range=[colour_of(each, sorted(names)) for each in labels]
                ),
                legend=alt.Legend(
                    title=None, orient="top", columns=6, labelLimit=150, padding=0, offset=4
                ),
            ),
            tooltip=[
                day_tip(),
                alt.Tooltip("label:N"),
                count_tip("hosts", "hosts"),
                count_tip("packets", "packets"),
            ],
        )
    )
    return chart
