"""Charts of one host: its days, hours and ports, where its features stand, how it moved."""

from collections.abc import Sequence

import altair as alt
import numpy as np
import pandas as pd

from darkgnn_core.charts.axes import (
    BAR_RADIUS,
    HEIGHT,
    count_axis,
    count_tip,
    day_axis,
    day_tip,
    share_axis,
)
from darkgnn_core.charts.host_words import KIND_WORDS, feature_words, port_words

SMALL_HEIGHT = 220
ROW_HEIGHT = 20
AROUND = 150
"""Pixels of a chart that axis and legend take; its height counts them in."""

FEW_SHADES = 5
"""Counts that differ by less are each named in the legend."""


def _legend(kinds: Sequence[str]) -> alt.Color:
    """Return a colour for each kind, in this order, all in one row above the chart."""
    shown = alt.Legend(
        title=None, orient="top", columns=len(kinds) or 1, labelLimit=0, padding=0, offset=8
    )
    return alt.Color("kind:N", scale=alt.Scale(domain=list(kinds)), legend=shown)


def by_day(history: pd.DataFrame, field: str, title: str, days: Sequence[str]) -> alt.Chart:
    """Return bars of one count a day; days on which the host was not seen stay empty.

    Args:
        history: As `hosts.history.host_history` gives it.
        field: Column of the count.
        title: What is counted.
        days: All days, those without any data among them.
    """
    table = history[["bin", field]].fillna({field: 0})
    chart: alt.Chart = (
        alt.Chart(table, height=SMALL_HEIGHT)
        .mark_bar(cornerRadiusEnd=BAR_RADIUS)
        .encode(
            x=day_axis(pd.Series(list(days))),
            y=count_axis(field, title, float(table[field].max())),
            tooltip=[day_tip(), count_tip(field, title)],
        )
    )
    return chart


def by_hour(hours: pd.DataFrame, field: str, title: str, length: int) -> alt.Chart:
    """Return stacked bars of one count by hour and kind of packet.

    Args:
        hours: As `hosts.packet_hours.packets_by_hour` gives it, of one host.
        field: Column of the count.
        title: What is counted.
        length: Hours of the bin.
    """
    table = hours[["hour", "kind", field]].copy()
    table["kind"] = table["kind"].map(KIND_WORDS)
    found = [words for words in KIND_WORDS.values() if (table["kind"] == words).any()]
    axis = alt.Axis(title="hour (UTC)", labelOverlap="greedy", labelAngle=0)
    top = float(table.groupby("hour")[field].sum().max()) if len(table) else 0.0
    chart: alt.Chart = (
        alt.Chart(table, height=SMALL_HEIGHT)
        .mark_bar()
        .encode(
            x=alt.X("hour:O", axis=axis, scale=alt.Scale(domain=list(range(length)))),
            y=count_axis(field, title, top),
            tooltip=[
                alt.Tooltip("hour:O", title="hour (UTC)"),
                alt.Tooltip("kind:N", title="which"),
                count_tip(field, title),
            ],
        )
    )
    return chart.encode(color=_legend(found)) if len(found) > 1 else chart


def hours_by_day(hours: pd.DataFrame, bins: Sequence[str], field: str, title: str) -> alt.Chart:
    """Return a day-by-hour grid of one host: the darker the busier.

    Args:
        hours: Columns `bin`, `hour` and the count, one row each that has packets.
        bins: All bins, in order.
        field: Column of the count.
        title: What is counted.
    """
    chart: alt.Chart = (
        alt.Chart(hours[["bin", "hour", field]], height=HEIGHT)
        .mark_rect()
        .encode(
            x=day_axis(pd.Series(list(bins))),
            y=alt.Y(
                "hour:O",
                title="hour (UTC)",
                scale=alt.Scale(domain=list(range(24))),
                axis=alt.Axis(values=list(range(0, 24, 3))),
            ),
            color=_shade(field, f"{title} an hour", hours[field]),
            tooltip=[day_tip(), alt.Tooltip("hour:O", title="hour (UTC)"), count_tip(field, title)],
        )
    )
    return chart


def ports_by_day(ports: pd.DataFrame, chosen: Sequence[int], bins: Sequence[str]) -> alt.Chart:
    """Return a port-by-day grid of one host: the darker the more packets.

    Args:
        ports: As `hosts.history.port_history` gives it.
        chosen: Ports that are shown, in order.
        bins: All bins, in order.
    """
    table = ports[ports["port"].isin(list(chosen))].copy()
    table["label"] = [port_words(int(port)) for port in table["port"]]
    order = [port_words(port) for port in chosen]
    chart: alt.Chart = (
        alt.Chart(table[["bin", "label", "packets"]], height=AROUND + ROW_HEIGHT * len(order))
        .mark_rect()
        .encode(
            x=day_axis(pd.Series(list(bins))),
            y=alt.Y(
                "label:N",
                title=None,
                scale=alt.Scale(domain=order),
                axis=alt.Axis(labelLimit=200, labelOverlap=False),
            ),
            color=_shade("packets", "packets", table["packets"]),
            tooltip=[
                day_tip(),
                alt.Tooltip("label:N", title="port"),
                count_tip("packets", "packets"),
            ],
        )
    )
    return chart


def _shade(field: str, title: str, values: "pd.Series[float]") -> alt.Color:
    """Return a colour that grows with the order of magnitude."""
    low, high = (float(values.min()), float(values.max())) if len(values) else (1.0, 1.0)
    if low == high:
        scale = alt.Scale(domain=[0, max(high, 1)])
    else:
        scale = alt.Scale(type="log" if 0 < low < high / 10 else "linear")
    few = list(range(int(low), int(high) + 1)) if high - low < FEW_SHADES else alt.Undefined
    shown = alt.Legend(
        title=title, orient="top", format="~s", padding=0, offset=8, tickCount=4, values=few
    )
    return alt.Color(f"{field}:Q", scale=scale, legend=shown)


AGAINST = {"all": "all hosts of the day", "class": "its class"}


def feature_places(standing: pd.DataFrame, class_name: str) -> alt.LayerChart | alt.FacetChart:
    """Return a row a feature with its percentile among all hosts and among its class.

    Args:
        standing: As `hosts.features.feature_standing` gives it.
        class_name: What the class is called; empty where there is none.
    """
    words = {"all": AGAINST["all"], "class": class_name or AGAINST["class"]}
    parts = [
        pd.DataFrame(
            {
                "feature": [feature_words(name) for name in standing["feature"]],
                "kind": words[group],
                "percentile": standing[f"percentile_{group}"],
                "value": standing["value"],
            }
        )
        for group in words
    ]
    table = pd.concat(parts, ignore_index=True).dropna(subset=["percentile"])
    found = [each for each in words.values() if (table["kind"] == each).any()]
    order = [feature_words(name) for name in standing["feature"]]
    base = alt.Chart(table, height=AROUND + ROW_HEIGHT * len(order)).encode(
        y=alt.Y(
            "feature:N",
            title=None,
            scale=alt.Scale(domain=order),
            axis=alt.Axis(labelLimit=220, labelOverlap=False),
        )
    )
    points = base.mark_point(filled=True, size=70, opacity=1).encode(
        x=share_axis_x("percentile", "percentile"),
        color=_legend(found),
        shape=alt.Shape("kind:N", scale=alt.Scale(domain=found), legend=None),
        tooltip=[
            alt.Tooltip("feature:N", title="feature"),
            alt.Tooltip("kind:N", title="against"),
            alt.Tooltip("percentile:Q", title="percentile", format=".1%"),
            alt.Tooltip("value:Q", title="value", format=",.4~g"),
        ],
    )
    middle = alt.Chart(pd.DataFrame({"at": [0.5]})).mark_rule(strokeDash=[3, 3]).encode(x="at:Q")
    return alt.layer(middle, points)


def share_axis_x(field: str, title: str) -> alt.X:
    """Return a horizontal axis from 0 to 100 %."""
    axis = alt.Axis(title=title, format="%", tickCount=5)
    return alt.X(f"{field}:Q", axis=axis, scale=alt.Scale(domain=[0, 1]))


def class_distances(
    own: np.ndarray, distance: float, limit: float
) -> alt.LayerChart | alt.FacetChart:
    """Return how far hosts of a class are from one another, and where this host and the limit lie.

    The last bar holds all hosts that are farther.

    Args:
        own: float64, of hosts of the class to the nearest other one.
        distance: Of the host to the nearest of the class.
        limit: Distance within which nearly all of the class have another one.
    """
    reach = limit if np.isfinite(limit) else 0.0
    top = 1.15 * max(distance, 1.3 * reach, float(np.quantile(own, 0.9)) if len(own) else 0.0)
    edges = np.linspace(0, top or 1.0, 31)
    counts, _ = np.histogram(np.minimum(own, edges[-1]), edges)
    bars = pd.DataFrame({"from": edges[:-1], "to": edges[1:], "hosts": counts})
    lines = pd.DataFrame({"at": [distance, limit], "kind": ["this host", "limit"]})
    lines = lines[np.isfinite(lines["at"])]
    grid = (
        alt.Chart(bars, height=SMALL_HEIGHT)
        .mark_bar()
        .encode(
            x=alt.X("from:Q", title="distance to the nearest of the class", bin="binned"),
            x2="to:Q",
            y=count_axis("hosts", "hosts of the class", float(counts.max()) if len(own) else 0.0),
            color=alt.value("#8C9199"),
            tooltip=[
                alt.Tooltip("from:Q", title="from", format=".3~g"),
                alt.Tooltip("to:Q", title="to", format=".3~g"),
                count_tip("hosts", "hosts"),
            ],
        )
    )
    kinds = ["this host", "limit"]
    marks = (
        alt.Chart(lines)
        .mark_rule(strokeWidth=3)
        .encode(
            x="at:Q",
            color=alt.Color(
                "kind:N",
                scale=alt.Scale(domain=kinds, range=["#C23300", "#3399CC"]),
                legend=alt.Legend(title=None, orient="top", padding=0, offset=8),
            ),
            strokeDash=alt.StrokeDash(
                "kind:N", scale=alt.Scale(domain=kinds, range=[[1, 0], [6, 4]]), legend=None
            ),
            tooltip=[alt.Tooltip("kind:N"), alt.Tooltip("at:Q", format=".3~g", title="distance")],
        )
    )
    return alt.layer(grid, marks)


def overlap_by_day(turnover: pd.DataFrame, agreement: pd.DataFrame) -> alt.Chart:
    """Return lines: how far the neighbours are those of the day before, and those of other runs.

    Args:
        turnover: As `hosts.over_time.turnover` gives it.
        agreement: As `hosts.over_time.agreement`; may be empty.
    """
    own = turnover[["bin", "overlap"]].assign(kind="same run, day before")
    table = pd.concat(
        [own, agreement.rename(columns={"run": "kind"})[["bin", "overlap", "kind"]]],
        ignore_index=True,
    )
    kinds = list(dict.fromkeys(table["kind"]))
    table = table.dropna(subset=["overlap"])
    chart: alt.Chart = (
        alt.Chart(table, height=SMALL_HEIGHT)
        .mark_line(point=True)
        .encode(
            x=day_axis(turnover["bin"]),
            y=share_axis("overlap", "neighbours in common"),
            color=_legend(kinds),
            tooltip=[
                day_tip(),
                alt.Tooltip("kind:N", title="against"),
                alt.Tooltip("overlap:Q", title="in common (Jaccard)", format=".1%"),
            ],
        )
    )
    return chart


TURNOVER_KINDS = {"stayed": "stayed", "joined": "joined", "left": "left"}


def turnover_by_day(turnover: pd.DataFrame) -> alt.Chart:
    """Return bars a day: how many neighbours stayed and joined, and below zero how many left."""
    table = turnover[turnover["before"] != ""].melt(
        "bin", list(TURNOVER_KINDS), var_name="kind", value_name="hosts"
    )
    table["height"] = np.where(table["kind"] == "left", -table["hosts"], table["hosts"])
    chart: alt.Chart = (
        alt.Chart(table, height=SMALL_HEIGHT)
        .mark_bar()
        .encode(
            x=day_axis(turnover["bin"]),
            y=alt.Y("height:Q", axis=alt.Axis(title="neighbours", tickMinStep=1, format="d")),
            color=_legend(list(TURNOVER_KINDS)),
            tooltip=[day_tip(), alt.Tooltip("kind:N", title="which"), count_tip("hosts", "hosts")],
        )
    )
    return chart


def companions_by_day(companions: pd.DataFrame, bins: Sequence[str]) -> alt.Chart:
    """Return a grid of the most faithful neighbours by day: the darker the nearer.

    Args:
        companions: As `hosts.over_time.companions` gives it, `host` as text.
        bins: All days, in order.
    """
    order = list(dict.fromkeys(companions["host"]))
    chart: alt.Chart = (
        alt.Chart(
            companions[["host", "bin", "rank", "days"]], height=AROUND + ROW_HEIGHT * len(order)
        )
        .mark_rect()
        .encode(
            x=day_axis(pd.Series(list(bins))),
            y=alt.Y(
                "host:N",
                title=None,
                scale=alt.Scale(domain=order),
                axis=alt.Axis(labelOverlap=False),
            ),
            color=alt.Color(
                "rank:Q",
                scale=alt.Scale(reverse=True),
                legend=alt.Legend(title="place, 1 is nearest", orient="top", padding=0, offset=8),
            ),
            tooltip=[
                day_tip(),
                alt.Tooltip("host:N", title="neighbour"),
                alt.Tooltip("rank:Q", title="place"),
                count_tip("days", "days near"),
            ],
        )
    )
    return chart


def moved_by_day(moves: pd.DataFrame, bins: Sequence[str]) -> alt.LayerChart | alt.FacetChart:
    """Return how far the host moved each day, beside the median of all hosts.

    Args:
        moves: As `hosts.over_time.moves_of` gives it.
        bins: All days, in order.
    """
    kinds = {"distance": "this host", "median": "median of all hosts"}
    table = moves.melt(
        ["bin", "before", "share_less"], list(kinds), var_name="kind", value_name="moved"
    )
    table["kind"] = table["kind"].map(kinds)
    base = alt.Chart(table, height=SMALL_HEIGHT).encode(
        x=day_axis(pd.Series(list(bins))),
        y=alt.Y("moved:Q", axis=alt.Axis(title="cosine distance moved", tickCount=5)),
        color=_legend(list(kinds.values())),
        tooltip=[
            day_tip(),
            alt.Tooltip("before:N", title="since"),
            alt.Tooltip("kind:N", title="which"),
            alt.Tooltip("moved:Q", title="moved", format=".3~g"),
            alt.Tooltip("share_less:Q", title="hosts that moved less", format=".0%"),
        ],
    )
    return alt.layer(base.mark_line(), base.mark_point(filled=True, size=40))
