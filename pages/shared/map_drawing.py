"""Put a map on the page: its points once, and what they are whenever that changes."""

from typing import Any

import numpy as np
import numpy.typing as npt
import streamlit as st

from darkgnn_core.charts.map_colours import Colouring
from darkgnn_core.maps.packing import pack_marks, pack_points, states_of
from pages.components.embedding_map import show_map, show_marks
from pages.shared.feedback import plain
from pages.shared.map_events import key_of
from pages.shared.map_views import METHODS, MapView

HEIGHT, HEIGHT_OF_TWO = 600, 480
HINT = (
    "Drag to draw; Shift adds, Ctrl takes out. Wheel or + and - zoom, arrow keys or the space bar "
    "with the mouse move, 0 shows all. Click a host to open its page, with Shift to select it."
)
Mask = npt.NDArray[np.bool_]
Trail = dict[str, Any]


def draw_map(
    view: MapView,
    colours: Colouring,
    selected: Mask,
    lit: Mask,
    trails: list[Trail],
    *,
    is_one_of_two: bool,
) -> None:
    """Draw a map with its legend.

    Args:
        view: The map, n hosts.
        colours: The colour of each of the n hosts.
        selected: bool (n,).
        lit: bool (n,), found by a search.
        trails: Where chosen hosts were on other days.
        is_one_of_two: There is another map beside it.
    """
    hosts, points, shown = view.hosts, view.points, view.shown
    with st.container(gap=None):
        show_map(
            pack_points(
                points,
                hosts,
                {
                    "name": view.name,
                    "frame": view.frame,
                    "height": HEIGHT_OF_TWO if is_one_of_two else HEIGHT,
                    "hint": "" if is_one_of_two else HINT,
                    "words": f"Map of {len(hosts):,} hosts of {view.day}. The table below selects "
                    "the same hosts by keyboard.",
                },
            ),
            key=key_of(view),
        )
        show_marks(_marks(view, colours, selected, lit[shown], trails), key=f"{key_of(view)}_marks")


def _marks(view: MapView, colours: Colouring, among: Mask, lit: Mask, trails: list[Trail]) -> bytes:
    selected = among[view.shown]
    codes = colours.codes[view.shown]
    many = len(colours.classes)
    hosts = np.bincount(codes, minlength=many)
    chosen = np.bincount(codes[selected], minlength=many)
    palette = [
        {
            "name": plain(each.name),
            "colour": each.colour,
            "shape": each.shape,
            "hosts": int(hosts[place]),
            "selected": int(chosen[place]),
        }
        for place, each in enumerate(colours.classes)
    ]
    count = int(selected.sum())
    hidden = int(among.sum()) - count
    more = f" and {hidden:,} hidden" if hidden else ""
    head = {
        "name": view.name,
        "id": view.id,
        "palette": palette,
        "title": colours.title,
        "selected": count,
        "text": f"{count:,} of {len(codes):,} hosts selected{more}",
        "trails": trails,
    }
    background = colours.is_background[view.shown]
    return pack_marks(codes, states_of(selected, lit, background), head)


def tell_shown(view: MapView) -> None:
    """Say how many hosts are shown of how many, and which are not."""
    shown, everyone = int(view.shown.sum()), len(view.all_hosts)
    which = (
        f"showing {shown:,} of {everyone:,} hosts: known scanners are hidden"
        if shown < everyone
        else f"showing all {everyone:,} hosts"
    )
    st.text(plain(f"{view.day}, {view.run.name}, {METHODS[view.method]}: {which}"))
