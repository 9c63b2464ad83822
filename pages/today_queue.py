"""Today: is the sensor healthy, and what came in."""

import streamlit as st

from darkgnn_core.charts import sensor
from pages.shared import loaders, state
from pages.shared.case_note_box import offer_notes
from pages.shared.first_run import show_first_run
from pages.shared.sensor_view import show_day, show_gaps, show_pair
from pages.shared.today_hosts import show_who_came

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
show_who_came(workspace, health, day)
offer_notes(workspace, "day", day, "today_notes")
