"""Today: is the sensor healthy, and what came in."""

import streamlit as st

from darkgnn_core.charts import sensor
from pages.shared import loaders, state
from pages.shared.case_note_box import offer_notes
from pages.shared.feedback import show_table
from pages.shared.first_run import show_first_run
from pages.shared.sensor_view import show_day, show_gaps, show_hidden, show_pair
from pages.shared.set_hosts import show_hosts

st.title("Today")
workspace = loaders.workspace_in_use()
health = loaders.health(workspace)
if health.days.empty:
    show_first_run(workspace)
    st.stop()

day = state.day() or health.days["bin"].iloc[-1]
show_day(health, day)
show_gaps(health)

days, missing = health.days, health.missing
st.header("Is the sensor healthy?")
show_pair(
    ("Packets a day", sensor.packets_by_day(days, health.dropped, missing)),
    ("Packets by hour", sensor.packets_by_hour(health.hours, missing)),
)
show_pair(
    (
        "Backscatter a day",
        sensor.backscatter_by_day(days, missing) if days["backscatter"].any() else None,
    ),
    (
        "Duplicate packets a day",
        sensor.duplicates_by_day(days, missing) if days["duplicates"].any() else None,
    ),
)

st.header("Who came, and for what?")
host_days = days
if state.is_known_hidden():
    show_hidden(loaders.known_in(workspace, day))
    host_days = loaders.days_without_known(workspace)
show_pair(
    ("Hosts a day", sensor.hosts_by_day(host_days, missing)),
    ("Busiest ports", sensor.top_ports(health.top_ports)),
)
show_pair(
    ("Share of hosts with a label", sensor.labelled_by_day(host_days, missing)),
    ("Different ports a day", sensor.ports_by_day(days, missing)),
)

st.header("Hosts, ports and packets by label")
st.caption(
    "Over all days, and on an average day; the workspace's own version of the paper's Table 2."
)
classes = loaders.classes(workspace)
if state.is_known_hidden():
    st.caption("Known scanners are hidden; the total counts them.")
    classes = classes[~classes["label"].isin(loaders.known_labels(workspace))]
show_table(classes, "table2")

st.header("Busiest hosts of the day")
st.caption("Choose a row to open the host.")
show_hosts(loaders.hosts(workspace, day, hide_known=state.is_known_hidden()), "hosts", height=360)
offer_notes(workspace, "day", day, "today_notes")
