"""The pages of the app, in the order of the menu."""

from pathlib import Path

import streamlit as st
from streamlit.navigation.page import Page

PAGES = Path(__file__).resolve().parents[1]
ICON = str(PAGES.parent / "assets" / "darkgnn.svg")  # an icon by name would be fetched from afar
MENU = (
    ("today_queue.py", "Today", ":material/today:"),
    ("load_data.py", "Load data", ":material/upload_file:"),
    ("manage_sources.py", "Sources", ":material/database:"),
    ("train_models.py", "Train models", ":material/model_training:"),
    ("browse_embeddings.py", "Browse embeddings", ":material/scatter_plot:"),
    ("inspect_host.py", "Inspect host", ":material/frame_inspect:"),
    ("explore_graph.py", "Explore graph", ":material/hub:"),
    ("review_metrics.py", "Review metrics", ":material/monitoring:"),
    ("manage_labels.py", "Labels", ":material/label:"),
    ("manage_cases.py", "Cases", ":material/folder_special:"),
)


def page(file: str) -> Page:
    """Return the page of one file, with a hyphenated address: `load_data.py` is `/load-data`."""
    title, icon = next((title, icon) for name, title, icon in MENU if name == file)
    address = Path(file).stem.replace("_", "-")
    first = file == MENU[0][0]
    return st.Page(PAGES / file, title=title, icon=icon, url_path=address, default=first)


def pages() -> list[Page]:
    """Return all pages; the first is the home page."""
    return [page(file) for file, _, _ in MENU]
