"""The drawing of a graph: hosts by label, ports by name, edges by packets or by change."""

from collections.abc import Collection, Sequence

import altair as alt
import pandas as pd

from darkgnn_core.charts.axes import count_axis, count_tip, day_axis, day_tip
from darkgnn_core.charts.class_colours import colour_of
from darkgnn_core.charts.graph_names import Domain, Field, placed_names
from darkgnn_core.charts.graph_tables import FEW_SELECTED, PORT_KIND, within_rows
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
    "new": ("#0FA500", [1, 0]),
    "grown": ("#69694B", [1, 0]),
    "same": ("#8C9199", [1, 0]),
    "shrunk": ("#C34BA5", [7, 3]),
    "gone": ("#A50FFF", [2, 3]),
}
"""Colours that no label has, so that a changed edge is not taken for a label (tests)."""

FORCE_HEIGHT = 640
PICTURE_WIDTH = 900
STORY_HEIGHT = 260
LEGEND_COLUMNS, LEGEND_ROW = 6, 20
"""Labels beside one another in a legend, and how high in pixels each row of them is."""

ROW_PIXELS = 15
HEIGHTS = (420, 3_200)
MARGIN = 0.05
NAME_ROOM = 0.14
SIDE = 0.42
"""Room for names beside two columns, as a share of the distance between them."""


def graph_chart(
    nodes: pd.DataFrame,
    edges: pd.DataFrame,
    looks: Sequence[tuple[str, str, str]],
    *,
    layout: Layout = "force",
    ink: str = DARK_INK,
    title: str = "",
) -> alt.LayerChart:
    """Draw a graph as a picture to hand on; on the page it is drawn by a component.

    Args:
        nodes: As `graph_tables.drawn_nodes` gives them.
        edges: As `graph_tables.drawn_edges` gives them.
        looks: Label, colour and shape, as `graph_tables.label_looks`.
        layout: Decides the height and where names stand.
        ink: Colour of the names.
        title: What stands above it; how many names found no room is said below that.
    """
    field = _field(nodes, layout)
    x, y = _scale(field.x), _scale(field.y)
    if layout == "two columns":
        nodes = within_rows(nodes, field.height / (1 + MARGIN))
    names = placed_names(nodes, field, layout)
    layers = [_lines(edges, x, y), *_marks(nodes, looks, x, y), _names(names, x, y, ink)]
    left_out = int((nodes["text"] != "").sum()) - len(names)
    words = f"{left_out:,} names that would overlap are left out." if left_out else ""
    chart = alt.layer(*layers).properties(width=field.width, height=field.height)
    if title or words:
        head = alt.TitleParams(
            title, subtitle=words, anchor="start", subtitleFontSize=11, subtitleColor=ink
        )
        chart = chart.properties(title=head)
    drawn: alt.LayerChart = chart.resolve_scale(
        color="independent", shape="independent", strokeDash="independent"
    )
    return drawn


def _field(nodes: pd.DataFrame, layout: Layout) -> Field:
    """Return a field with room for the names, which mostly stand to the right of their nodes."""
    left, right = (SIDE, SIDE) if layout == "two columns" else (MARGIN, NAME_ROOM)
    height = height_of(list(zip(nodes["x"], nodes["y"], strict=True)), layout)
    x, y = _domain(nodes["x"], left, right), _domain(nodes["y"], MARGIN / 2, MARGIN / 2)
    return Field(x, y, PICTURE_WIDTH, height)


def _domain(values: "pd.Series[float]", before: float, after: float) -> Domain:
    low, high = float(values.min()), float(values.max())
    length = high - low or 1.0
    return low - before * length, high + after * length


def _scale(domain: Domain) -> alt.Scale:
    return alt.Scale(domain=list(domain), nice=False, zero=False)


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
        opacity=alt.condition("datum.is_near", alt.value(0.75), alt.value(0.1)),
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


def _names(names: pd.DataFrame, x: alt.Scale, y: alt.Scale, ink: str) -> alt.Chart:
    """Write names where they found room."""
    mark = alt.Chart(names).mark_text(fontSize=11, baseline="middle", align="left", color=ink)
    place = {"x": alt.X("x:Q", scale=x, axis=None), "y": alt.Y("y:Q", scale=y, axis=None)}
    chart: alt.Chart = mark.encode(**place, text="text:N")
    return chart


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
    more = (len(labels) - 1) // LEGEND_COLUMNS
    chart: alt.Chart = (
        alt.Chart(counted, height=STORY_HEIGHT + more * LEGEND_ROW)
        .mark_bar()
        .encode(
            x=day_axis(pd.Series(list(bins))),
            y=count_axis("hosts", "hosts", float(totals.max())),
            color=alt.Color(
                "label:N",
                scale=alt.Scale(domain=labels, range=[colour_of(each, names) for each in labels]),
                legend=alt.Legend(
                    title=None,
                    orient="top",
                    columns=LEGEND_COLUMNS,
                    labelLimit=150,
                    padding=0,
                    offset=4,
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
