"""What the host did: by day, by hour, by port."""

import pandas as pd
import streamlit as st

from darkgnn_core.charts import host_charts
from darkgnn_core.charts.host_words import port_words, seconds_words
from darkgnn_core.hosts.history import busiest_ports
from darkgnn_core.safe_csv import csv_of
from pages.shared import host_loaders
from pages.shared.csv_export import offer_table
from pages.shared.feedback import plain, show_table
from pages.shared.host_view import HostView
from pages.shared.host_walking import walk

COUNTS = (
    ("packets", "Packets"),
    ("true_ports", "Ports"),
    ("dark_addresses", "Dark addresses"),
)
HOUR_COUNTS = {"Packets": "packets", "Ports": "ports", "Dark addresses": "dark_addresses"}
ALL_HOURS = "host_all_hours"


def show_behaviour(view: HostView) -> None:
    """Show packets, ports and dark addresses by day and hour, and ports by day."""
    st.subheader("By day")
    for column, (field, title) in zip(st.columns(len(COUNTS)), COUNTS, strict=True):
        with column:
            st.caption(f"{title} a day")
            chart = host_charts.by_day(view.history, field, title.lower(), view.calendar)
            st.altair_chart(
                chart, width="stretch", key=f"host_day_{field}", alt=f"{title} of the host by day"
            )
    _show_rhythm(view)
    _show_hours(view)
    _show_ports(view)


def _show_rhythm(view: HostView) -> None:
    row = view.row
    if pd.isna(row["gap_p50_s"]):
        return
    low, middle, high = (
        seconds_words(float(row[f"gap_{name}_s"])) for name in ("p10", "p50", "p90")
    )
    st.text(f"Between packets on {view.day}: half of the gaps are up to {middle}; {low} to {high}.")


def _show_hours(view: HostView) -> None:
    st.subheader("By hour")
    if not host_loaders.has_packets(view.workspace, view.config, view.day):
        st.text("The packets themselves are not stored, so hours are not told.")
        return
    what = st.segmented_control(
        "What is counted",
        list(HOUR_COUNTS),
        default="Packets",
        key="host_hour_count",
        required=True,
        help="Ports and dark addresses are different ones within the hour.",
    )
    field = HOUR_COUNTS[what or "Packets"]
    hours = host_loaders.hours(view.workspace, view.config, view.day, [view.host])
    length = view.config.bin_hours
    st.caption("Everything it sent on the day in view, before any filter.")
    chart = host_charts.by_hour(hours, field, field.replace("_", " "), length)
    st.altair_chart(chart, width="stretch", key="host_hours", alt="Hours of the host on the day")
    if length == 24 and len(view.history) > 1:
        _show_all_hours(view, field)


def _show_all_hours(view: HostView, field: str) -> None:
    days = [str(each) for each in view.history.loc[view.history["is_seen"], "bin"]]
    if not st.toggle(
        f"Hours of all {len(days):,} days on which it was seen",
        key=ALL_HOURS,
        help="Reads the packets of each of these days; it can be stopped.",
    ):
        return
    found = walk(
        days,
        "Reading packets",
        ALL_HOURS,
        lambda day: host_loaders.hours(view.workspace, view.config, day, [view.host]),
    )
    if not found:
        return
    parts = [hours.assign(bin=day) for day, hours in found.items()]
    table = pd.concat(parts, ignore_index=True)
    grouped = table.groupby(["bin", "hour"])[[field]].sum().reset_index()
    chart = host_charts.hours_by_day(grouped, view.calendar, field, field.replace("_", " "))
    st.altair_chart(chart, width="stretch", key="host_hours_all", alt="Hours of the host by day")


def _show_ports(view: HostView) -> None:
    st.subheader("Ports by day")
    ports = host_loaders.ports(view.workspace, view.config, view.host)
    if ports.empty:
        st.text("None.")
        return
    chosen = busiest_ports(ports)
    total = ports["port"].nunique()
    if total > len(chosen):
        share = ports.loc[ports["port"].isin(chosen), "packets"].sum() / ports["packets"].sum()
        st.caption(
            f"The {len(chosen):,} ports with most packets of {total:,}; they have {share:.1%} of "
            "its packets."
        )
    chart = host_charts.ports_by_day(ports, chosen, view.calendar)
    st.altair_chart(chart, width="stretch", key="host_ports", alt="Packets of the host by port")
    _show_port_table(view, ports)


def _show_port_table(view: HostView, ports: pd.DataFrame) -> None:
    today = ports[ports["bin"] == view.day]
    with st.expander(f"All ports of {plain(view.day)} as a table", icon=":material/table_rows:"):
        table = pd.DataFrame(
            {
                "port": [port_words(int(port)) for port in today["port"]],
                "packets": today["packets"].to_numpy(),
            }
        ).sort_values("packets", ascending=False, ignore_index=True)
        show_table(table, "host_port_table", height=360 if len(table) > 10 else "auto")
    offer_table(
        "Ports by day as CSV",
        lambda: csv_of(ports),
        name=f"{view.address}-ports",
        key="host_ports_csv",
        help="One row for each day and port: all days, not only the one shown.",
    )
