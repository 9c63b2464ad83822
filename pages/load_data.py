"""Load data: choose files, see what they are, load them in the background."""

import streamlit as st

st.title("Load data")
