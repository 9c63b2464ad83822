"""The map of hosts: WebGL draws it; what the analyst draws comes back as a polygon."""

from typing import Any

from pages.components.registering import mount, read_when_run

NAME = "embedding_map"


def show_map(points: bytes, *, key: str) -> Any:
    """Put a map on the page.

    Args:
        points: As `darkgnn_core.maps.packing.pack_points` makes them.
        key: Widget key; `st.session_state[key]["event"]` is what the analyst did last.
    """
    return mount(NAME, key=key, data=points, on_event_change=read_when_run)


def show_marks(marks: bytes, *, key: str) -> None:
    """Tell the map of that name what its points are now.

    Args:
        marks: As `darkgnn_core.maps.packing.pack_marks` makes them.
        key: Widget key, another than that of the map.
    """
    mount(NAME, key=key, data=marks)
