"""The graph of hosts and ports: a canvas draws it; clicks, drags and boxes come back as events."""

from typing import Any

from pages.components.registering import mount, read_when_run

NAME = "host_graph"


def show_graph(drawing: bytes, *, key: str) -> Any:
    """Put a graph on the page.

    Args:
        drawing: As `darkgnn_core.charts.graph_packing.pack_graph` makes it.
        key: Widget key; `st.session_state[key]["event"]` is what the analyst did last.
    """
    return mount(NAME, key=key, data=drawing, on_event_change=read_when_run)
