"""Curves of a run: loss and links told right, by day or by epoch."""

import altair as alt
import pandas as pd

HEIGHT = 220
MANY_POINTS = 80


def loss_curve(steps: pd.DataFrame) -> alt.Chart:
    """Return the loss of each step; lower is better.

    Args:
        steps: `training_tables.step_table`, at least one row.
    """
    return _curve(steps, "loss", alt.Axis(title="loss", tickCount=5, format="~g"), ".4g")


def accuracy_curve(steps: pd.DataFrame) -> alt.Chart | None:
    """Return the share of links told right at each step; None for a method without links.

    Args:
        steps: `training_tables.step_table`.
    """
    known = steps.dropna(subset=["accuracy"])
    if known.empty:
        return None
    return _curve(known, "accuracy", alt.Axis(title="links told right", format="%"), ".1%")


def _curve(steps: pd.DataFrame, field: str, axis: alt.Axis, number: str) -> alt.Chart:
    is_by_day = days_follow_each_other(steps)
    table = _by_day(steps, field) if is_by_day else _by_epoch(steps, field)
    top = 1.0 if field == "accuracy" else alt.Undefined
    scale = alt.Scale(zero=False, nice=True, domainMax=top)
    tips = [alt.Tooltip("epoch:Q", title="epoch"), alt.Tooltip(f"{field}:Q", format=number)]
    if is_by_day:
        tips.insert(0, alt.Tooltip("day:N", title="day"))
    chart: alt.Chart = (
        alt.Chart(table, height=HEIGHT)
        .mark_line(point=alt.OverlayMarkDef(size=28) if len(table) <= MANY_POINTS else False)
        .encode(
            x=_day_axis(table) if is_by_day else _epoch_axis(table),
            y=alt.Y(f"{field}:Q", axis=axis, scale=scale),
            tooltip=tips,
        )
    )
    has_passes = is_by_day and int(table["epochs"].max()) > 1
    return chart.encode(detail="day:N") if has_passes else chart


def days_follow_each_other(steps: pd.DataFrame) -> bool:
    """Say whether a run finished each day before the next; else it went over all days by epoch."""
    days = steps["day"]
    return bool(days.nunique() > 1 and days.is_monotonic_increasing)


def _by_day(steps: pd.DataFrame, field: str) -> pd.DataFrame:
    """Give each step its moment: its day, and within it the share of its passes gone."""
    starts = pd.to_datetime(steps["day"], utc=True, format="ISO8601")
    length = starts.drop_duplicates().diff().min()
    gone = (steps["epoch"] - 1) / steps["epochs"].clip(lower=1)
    table = steps[["day", "epoch", "epochs", field]].copy()
    table["at"] = starts + length * gone
    return table


def _by_epoch(steps: pd.DataFrame, field: str) -> pd.DataFrame:
    return steps.groupby("epoch", as_index=False).agg({field: "mean", "epochs": "max"})


def _day_axis(table: pd.DataFrame) -> alt.X:
    first, last = table["at"].min(), table["at"].max()
    title = f"day of {first.year} (UTC)" if first.year == last.year else "day (UTC)"
    pattern = "%m-%d" if first.year == last.year else "%Y-%m-%d"
    days = table["at"].dt.normalize().drop_duplicates()
    few = [alt.DateTime(year=d.year, month=d.month, date=d.day, utc=True) for d in days]
    axis = alt.Axis(
        title=title,
        format=pattern,
        labelAngle=0,
        labelOverlap="greedy",
        labelFlush=False,
        values=few if len(few) <= 8 else alt.Undefined,
        tickCount=8,
    )
    return alt.X("at:T", scale=alt.Scale(type="utc"), axis=axis)


def _epoch_axis(table: pd.DataFrame) -> alt.X:
    most = int(table["epochs"].max())
    axis = alt.Axis(title="epoch", tickMinStep=1, format="d", tickCount=min(most, 8))
    return alt.X("epoch:Q", axis=axis, scale=alt.Scale(domain=[1, max(most, 2)]))
