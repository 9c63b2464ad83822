"""Today: is the sensor healthy, and what came in."""

import streamlit as st

st.title("Today")
st.info("No traffic has been loaded yet.")
