"""A chart as a file to hand on: PNG or SVG, drawn here, with nothing fetched from elsewhere."""

from typing import Any, Literal

import altair as alt

Picture = Literal["png", "svg"]
Chart = alt.Chart | alt.LayerChart

WIDTH = 640
PNG_SCALE = 2.0
VERSION = ".".join(alt.SCHEMA_VERSION.removeprefix("v").split(".")[:2])
"""Of Vega-Lite, the one that Altair writes."""

COLOURS = (
    "#0072B2", "#D55E00", "#00805A", "#B5568F", "#3B2A7A", "#3A8FB7", "#8A6D00", "#6B7280",
    "#7A3B00", "#222222",
)  # fmt: skip
"""Those of the light theme, which a picture on white takes whatever the page looks like."""


def picture_of(chart: Chart, kind: Picture, *, title: str = "") -> bytes:
    """Return a chart as a picture on white.

    Args:
        chart: Whose data are in it.
        kind: `png` (twice the size, for print) or `svg`.
        title: What stands above it.
    """
    import vl_convert  # brings a JavaScript engine, which only a picture needs

    options: dict[str, Any] = {"vl_version": VERSION, "allowed_base_urls": []}
    drawn = _on_white(chart, title)
    if kind == "svg":
        return str(vl_convert.vegalite_to_svg(drawn, **options)).encode()
    return bytes(vl_convert.vegalite_to_png(drawn, scale=PNG_SCALE, **options))


def _on_white(chart: Chart, title: str) -> dict[str, Any]:
    drawn: dict[str, Any] = chart.to_dict()
    drawn.setdefault("width", WIDTH)
    config = drawn.setdefault("config", {})
    config["background"] = "white"
    config["range"] = {"category": list(COLOURS)}
    if title:
        drawn["title"] = {"text": title, "anchor": "start"}
    return drawn
