"""The frame around every page: navigation, sidebar, error boundary. `app.py` serves this script."""

import streamlit as st

from pages.shared.feedback import user_errors_shown
from pages.shared.navigation import ICON, pages
from pages.shared.rescue import is_rescue_shown
from pages.shared.sidebar import show_sidebar
from pages.shared.startup import at_rest

at_rest.clear()
st.set_page_config(page_title="darkgnn", page_icon=ICON, layout="wide")
current = st.navigation(pages(), position="sidebar")
if is_rescue_shown():
    st.stop()
with user_errors_shown():
    show_sidebar()
with user_errors_shown():
    current.run()
at_rest.set()
