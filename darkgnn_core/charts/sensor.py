"""Charts of the sensor's health, from the tables of `darkgnn_core.health.Health`."""

import altair as alt
import pandas as pd

from darkgnn_core.charts.axes import (
    BAR_RADIUS,
    HEIGHT,
    count_axis,
    count_tip,
    day_axis,
    day_tip,
    legend,
    share_axis,
)
from darkgnn_core.charts.port_names import port_label

REASONS = {
    "kept": "kept for the graph",
    "few_packets": "host with few packets",
    "backscatter": "backscatter",
    "not_tcp": "not TCP",
    "no_port": "no port",
    "bogon": "unroutable source",
    "duplicate": "duplicate",
}
"""What became of a packet, in plain words, in the order of the stack."""

HOST_KINDS = {
    "steady": "seen the day before",
    "returning_hosts": "returning",
    "new_hosts": "new",
}
"""How a host was known, in the order of the stack."""


def packets_by_day(
    days: pd.DataFrame, dropped: pd.DataFrame, missing: tuple[str, ...] = ()
) -> alt.Chart:
    """Return stacked bars: packets of each day, kept or left out and why.

    Args:
        days: `Health.days`; `bin` and `packets` are used.
        dropped: `Health.dropped`.
        missing: `Health.missing`; such days stay empty.
    """
    kept = days[["bin", "packets"]].assign(reason="kept")
    table = pd.concat([kept, dropped[["bin", "reason", "packets"]]], ignore_index=True)
    table["kind"] = table["reason"].map(REASONS).fillna("other")
    table["order"] = table["reason"].map({name: i for i, name in enumerate(REASONS)}).fillna(99)
    found = [words for name, words in REASONS.items() if (table["reason"] == name).any()]
    return _stacked(table[["bin", "kind", "packets", "order"]], "packets", found, missing)


def hosts_by_day(days: pd.DataFrame, missing: tuple[str, ...] = ()) -> alt.Chart:
    """Return stacked bars: hosts of each day, new, returning, or seen the day before.

    Args:
        days: `Health.days`.
        missing: `Health.missing`.
    """
    steady = days["hosts"] - days["new_hosts"] - days["returning_hosts"]
    wide = days.drop(columns="hosts").assign(steady=steady)
    table = wide.melt("bin", list(HOST_KINDS), "name", "hosts")
    table["kind"] = table["name"].map(HOST_KINDS)
    table["order"] = table["name"].map({name: i for i, name in enumerate(HOST_KINDS)})
    return _stacked(
        table[["bin", "kind", "hosts", "order"]], "hosts", list(HOST_KINDS.values()), missing
    )


def _stacked(
    table: pd.DataFrame, field: str, kinds: list[str], missing: tuple[str, ...]
) -> alt.Chart:
    chart: alt.Chart = (
        alt.Chart(table, height=HEIGHT)
        .mark_bar()
        .encode(
            x=day_axis(table["bin"], missing),
            y=count_axis(field, field, float(table[field].max())),
            color=legend(kinds),
            order=alt.Order("order:Q"),
            tooltip=[day_tip(), alt.Tooltip("kind:N", title="which"), count_tip(field, field)],
        )
    )
    return chart


def ports_by_day(days: pd.DataFrame, missing: tuple[str, ...] = ()) -> alt.Chart:
    """Return bars: different TCP ports asked for on each day, before the port filter."""
    return _bars(days, "ports", "different ports", missing)


def backscatter_by_day(days: pd.DataFrame, missing: tuple[str, ...] = ()) -> alt.Chart:
    """Return bars: SYN-ACK and RST packets of each day, which victims of attacks send."""
    return _bars(days, "backscatter", "packets", missing)


def duplicates_by_day(days: pd.DataFrame, missing: tuple[str, ...] = ()) -> alt.Chart:
    """Return bars: packets that repeat another in every field, as overlapping files do."""
    return _bars(days, "duplicates", "packets", missing)


def _bars(days: pd.DataFrame, field: str, title: str, missing: tuple[str, ...]) -> alt.Chart:
    chart: alt.Chart = (
        alt.Chart(days[["bin", field]], height=HEIGHT)
        .mark_bar(cornerRadiusEnd=BAR_RADIUS)
        .encode(
            x=day_axis(days["bin"], missing),
            y=count_axis(field, title, float(days[field].max())),
            tooltip=[day_tip(), count_tip(field, title)],
        )
    )
    return chart


def labelled_by_day(days: pd.DataFrame, missing: tuple[str, ...] = ()) -> alt.Chart:
    """Return a line: share of each day's hosts that carry a label, 0 to 100 %."""
    table = days[["bin", "labelled_share", "labelled_hosts"]]
    chart: alt.Chart = (
        alt.Chart(table, height=HEIGHT)
        .mark_line(point=True)
        .encode(
            x=day_axis(days["bin"], missing),
            y=share_axis("labelled_share", "share of hosts"),
            tooltip=[
                day_tip(),
                alt.Tooltip("labelled_share:Q", title="share", format=".1%"),
                count_tip("labelled_hosts", "labelled hosts"),
            ],
        )
    )
    return chart


def packets_by_hour(
    hours: pd.DataFrame, missing: tuple[str, ...] = ()
) -> alt.LayerChart | alt.FacetChart:
    """Return a day-by-hour grid: the darker the busier; an hour without a packet is crossed out.

    Args:
        hours: `Health.hours`.
        missing: `Health.missing`; such days stay empty.
    """
    table = hours[["bin", "hour", "packets", "hosts"]]
    base = alt.Chart(table, height=HEIGHT).encode(
        x=day_axis(table["bin"], missing),
        y=alt.Y("hour:O", title="hour (UTC)", axis=alt.Axis(values=list(range(0, 24, 3)))),
        tooltip=[
            day_tip(),
            alt.Tooltip("hour:O", title="hour (UTC)"),
            count_tip("packets", "packets"),
            count_tip("hosts", "hosts"),
        ],
    )
    # a name for each of hundreds of cells takes the browser longer than drawing them
    grid = base.mark_rect(aria=False).encode(
        color=alt.Color(
            "packets:Q",
            legend=alt.Legend(
                title="packets an hour", orient="top", format="~s", padding=0, offset=8
            ),
        )
    )
    silent = base.transform_filter(alt.FieldEqualPredicate(field="packets", equal=0)).mark_point(
        shape="cross", size=40, filled=True, color="#D55E00", opacity=1
    )
    return alt.layer(grid, silent)


def top_ports(ports: pd.DataFrame, *, limit: int = 12) -> alt.Chart:
    """Return horizontal bars: the ports with most packets.

    Args:
        ports: `Health.top_ports`.
        limit: How many.
    """
    table = ports.head(limit)[["port", "packets", "hosts", "bins"]].copy()
    table["label"] = [port_label(int(port)) for port in table["port"]]
    chart: alt.Chart = (
        alt.Chart(table, height=HEIGHT)
        .mark_bar(cornerRadiusEnd=BAR_RADIUS)
        .encode(
            x=alt.X("packets:Q", axis=alt.Axis(title="packets", format="~s", tickCount=5)),
            y=alt.Y(
                "label:N", sort=None, title=None, axis=alt.Axis(labelLimit=200, labelOverlap=False)
            ),
            tooltip=[
                alt.Tooltip("label:N", title="port"),
                count_tip("packets", "packets"),
                count_tip("hosts", "most hosts on a day"),
                count_tip("bins", "days among the top"),
            ],
        )
    )
    return chart
