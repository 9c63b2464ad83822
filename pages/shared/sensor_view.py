"""How the home page shows the sensor's health: figures of a day, gaps, charts with a title."""

import altair as alt
import streamlit as st

from darkgnn_core.busiest import KnownShare
from darkgnn_core.health import Health
from pages.shared.feedback import plain, safe

FIGURES = (
    ("packets", "Packets", "Packets kept for the graph, after the filters."),
    ("hosts", "Hosts", "Source addresses with enough packets."),
    ("ports", "Ports", "Different TCP ports asked for, before the port filter."),
    ("new_hosts", "New hosts", "Never seen on an earlier day of this workspace."),
    ("returning_hosts", "Returning", "Seen earlier, but not on the day before."),
    ("labelled_share", "With a label", "Share of the day's hosts that carry a label."),
    ("backscatter", "Backscatter", "SYN-ACK and RST packets: answers to spoofed attacks."),
    ("silent_hours", "Silent hours", "Hours of the day without a single packet."),
)
FIGURES_A_ROW = 4


Chart = alt.Chart | alt.LayerChart | alt.FacetChart


def show_pair(*charts: tuple[str, Chart | None]) -> None:
    """Show charts side by side, each under its title, which a screen reader says too.

    Args:
        charts: Title and chart; None where there is nothing to show, which a sentence says: the
            other charts take its place.
    """
    drawn = [(title, chart) for title, chart in charts if chart is not None]
    for column, (title, chart) in zip(st.columns(max(len(drawn), 1)), drawn, strict=False):
        with column:
            st.subheader(title)
            st.altair_chart(chart, width="stretch", key=f"chart_{title}", alt=title)
    shown = {title for title, _ in drawn}
    for title, _ in charts:
        if title not in shown:
            st.caption(safe(f"{title}: none on any day."))


def show_day(health: Health, day: str | None) -> None:
    """Show the figures of one day beside those of the day before."""
    bins = list(health.days["bin"])
    place = bins.index(day) if day in bins else len(bins) - 1
    row = health.days.iloc[place]
    before = health.days.iloc[place - 1] if place else None
    against = "" if before is None else f", against {bins[place - 1]}"
    made_up = "; synthetic data of the demo generator" if health.is_synthetic else ""
    st.text(plain(f"{bins[place]} (UTC){against}{made_up}"))
    cells = [*st.columns(FIGURES_A_ROW), *st.columns(FIGURES_A_ROW)]
    for cell, (field, label, explanation) in zip(cells, FIGURES, strict=True):
        is_share = field == "labelled_share"
        value = f"{row[field]:.1%}" if is_share else f"{row[field]:,}"
        cell.metric(
            label,
            value,
            None if before is None else _change(row[field] - before[field], is_share=is_share),
            delta_color="off",
            delta_arrow="off",
            help=explanation,
            border=True,
        )
    if row["no_port"]:
        st.caption(
            f"{row['no_port']:,} TCP packets of the day do not tell their port (the trace has none "
            "for them); they count to the node of all other ports."
        )
    if row["error"]:
        st.warning("This day has no snapshot:", icon=":material/warning:")
        st.text(plain(str(row["error"])))


def _change(difference: float, *, is_share: bool) -> str:
    if is_share:
        return f"{100 * difference:+.1f} points"
    return f"{difference:+,}" if difference else "no change"


def show_gaps(health: Health) -> None:
    """Say which days are missing and which have hours without a packet."""
    silent = health.days[health.days["silent_hours"] > 0]
    if health.missing:
        st.warning(f"No data on {_listed(health.missing)}.", icon=":material/event_busy:")
    if not silent.empty:
        hours = int(silent["silent_hours"].sum())
        days = _listed(tuple(silent["bin"]))
        st.warning(
            f"{hours} hours without a single packet, on {days}: was the sensor down?",
            icon=":material/sensors_off:",
        )
    if not health.missing and silent.empty:
        st.success("No gaps: every hour of every day has packets.", icon=":material/check_circle:")


def _listed(days: tuple[str, ...], *, limit: int = 6) -> str:
    more = f" and {len(days) - limit} more days" if len(days) > limit else ""
    return ", ".join(days[:limit]) + more


def show_hidden(known: KnownShare) -> None:
    """Say how much of the day the switch "Hide known scanners" hides, and where."""
    scanners = "known scanner" if known.hosts == 1 else "known scanners"
    st.info(
        f"{known.hosts:,} {safe(scanners)} with {known.share:.1%} of the day's packets are hidden "
        "in the charts of hosts and in the tables below. The charts of packets and ports show "
        "all traffic.",
        icon=":material/visibility_off:",
    )
