"""Axes and marks that all charts share."""

import altair as alt
import pandas as pd

BAR_RADIUS = 2
HEIGHT = 320


LABEL_BEYOND = 20
"""Pixels by which a day's name may reach beyond its axis; one that reaches further would be cut."""


def day_axis(bins: "pd.Series[str]", missing: tuple[str, ...] = ()) -> alt.X:
    """Return an axis of time bins on which days without data keep their empty place.

    Args:
        bins: Keys of bins, `YYYY-MM-DD` or longer.
        missing: Days without a snapshot.
    """
    keys = sorted({*bins, *missing})
    same_year = len({key[:4] for key in keys}) <= 1
    title = f"day of {keys[0][:4]} (UTC)" if keys and same_year else "day (UTC)"
    axis = alt.Axis(
        title=title,
        labelExpr="slice(datum.label, 5)" if same_year else "datum.label",
        labelOverlap="greedy",
        labelAngle=0,
        labelFlush=False,
        labelBound=LABEL_BEYOND,
    )
    return alt.X("bin:O", sort=None, scale=alt.Scale(domain=keys), axis=axis)


def count_axis(field: str, title: str, largest: float) -> alt.Y:
    """Return an axis of counts from 0 with short numbers (1.2M).

    Args:
        field: Column of the counts.
        title: What is counted.
        largest: The largest of them; without any the axis still has a length.
    """
    axis = alt.Axis(title=title, format="~s", tickCount=5, tickMinStep=1)
    scale = alt.Scale() if largest > 0 else alt.Scale(domain=[0, 1])
    return alt.Y(f"{field}:Q", axis=axis, scale=scale)


def share_axis(field: str, title: str) -> alt.Y:
    """Return an axis from 0 to 100 %."""
    axis = alt.Axis(title=title, format="%", tickCount=5)
    return alt.Y(f"{field}:Q", axis=axis, scale=alt.Scale(domain=[0, 1]))


def count_tip(field: str, title: str) -> alt.Tooltip:
    """Return a line of a tooltip that writes a count in full."""
    return alt.Tooltip(f"{field}:Q", title=title, format=",")


def day_tip() -> alt.Tooltip:
    """Return the line of a tooltip that names the bin."""
    return alt.Tooltip("bin:N", title="day")


def legend(domain: list[str]) -> alt.Color:
    """Return a colour for each kind, in this order, with its legend above the chart."""
    return alt.Color(
        "kind:N",
        scale=alt.Scale(domain=domain),
        legend=alt.Legend(title=None, orient="top", columns=2, labelLimit=0, padding=0, offset=8),
    )
