"""Where chosen hosts were on the days before, as lines on the map."""

from ipaddress import IPv4Address

import numpy as np
import numpy.typing as npt
import pandas as pd
import streamlit as st

from darkgnn_core.workspace import Workspace
from pages.shared import map_loaders as loaded
from pages.shared.feedback import safe, show_table
from pages.shared.label_undo import noun
from pages.shared.map_drawing import Trail
from pages.shared.map_views import MapView

WANTED = "map_trails"
MOST_HOSTS, MOST_DAYS = 12, 14
ROW_PIXELS = 35
Mask = npt.NDArray[np.bool_]


def choose_trails() -> None:
    """Ask whether to show where selected hosts were before."""
    st.toggle(
        "Trails",
        key=WANTED,
        bind="query-params",
        help=f"Where up to {MOST_HOSTS:,} selected hosts, the busiest, were on up to {MOST_DAYS:,} "
        "days before.",
    )


def trails_on(workspace: Workspace, view: MapView, selected: Mask) -> list[Trail]:
    """Return the trails of selected hosts, and say of how many; none where not asked for."""
    if not st.session_state.get(WANTED):
        return []
    places = np.flatnonzero(selected & view.shown)
    if not len(places):
        st.caption("Select hosts to see their trails.")
        return []
    packets = loaded.facts(workspace, view.run, view.day).packets[places]
    busiest = places[np.argsort(-packets, kind="stable")[:MOST_HOSTS]]
    chosen = np.sort(view.all_hosts[busiest])
    maps = _maps_before(workspace, view)
    trails = [trail for host in chosen if (trail := _trail(int(host), maps)) is not None]
    if len(maps) < 2:
        st.caption(safe(_why_none(view)))
    else:
        st.caption(
            f"Trails of {len(trails):,} of {len(places):,} selected "
            f"{noun(len(places), 'host')}, the busiest, over {len(maps):,} days that can be "
            "compared. A trail needs two days with the host."
        )
    return [{"number": number, **trail} for number, trail in enumerate(trails, start=1)]


def name_trails(workspace: Workspace, view: MapView, trails: list[Trail]) -> None:
    """Show below a map which host has which number.

    Args:
        workspace: Whose labels.
        view: The map.
        trails: What `trails_on` gave.
    """
    if not trails:
        return
    told = loaded.labels(workspace, view.run, view.day)
    at = np.searchsorted(view.all_hosts, [int(IPv4Address(each["name"])) for each in trails])
    st.caption("Trails by number, as on the map; the larger dot is the day in view.")
    table = pd.DataFrame(
        {
            "trail": [each["number"] for each in trails],
            "address": [each["name"] for each in trails],
            "label": [told.names[code] for code in told.codes[at]],
            "days": [len(each["days"]) for each in trails],
            "from": [each["days"][0] for each in trails],
        }
    )
    show_table(table, f"map_trails_{view.name}", height=ROW_PIXELS * (len(table) + 1) + 3)


def _why_none(view: MapView) -> str:
    """Say why there is no other day to compare with."""
    if view.day == view.run.days[0]:
        return "Trails go back in time, and this is the first day of the run: choose a later one."
    return "Trails need more days: the t-SNE map of no day before this one is made yet."


Placed = tuple[str, npt.NDArray[np.uint32], npt.NDArray[np.float32]]


def _maps_before(workspace: Workspace, view: MapView) -> list[Placed]:
    """Return day, hosts and points of this map and of those before it in the same frame."""
    run = view.run
    days = [day for day in run.days if day < view.day][-MOST_DAYS:]
    maps: list[Placed] = []
    for day in days:
        if view.method == "pca":
            maps.append((day, loaded.hosts(workspace, run, day), loaded.plane(workspace, run, day)))
            continue
        stored = loaded.stored_map(workspace, run, day)
        if stored is not None and stored.chain == view.chain:
            maps.append((day, stored.hosts, stored.points))
    return [*maps, (view.day, view.all_hosts, view.all_points)]


def _trail(host: int, maps: list[Placed]) -> Trail | None:
    """Return the places of a host over days; None where it was there only once."""
    days, points = [], []
    for day, hosts, places in maps:
        at = int(np.searchsorted(hosts, host))
        if at < len(hosts) and int(hosts[at]) == host:
            days.append(day[5:])
            points.append([float(value) for value in places[at]])
    if len(days) < 2:
        return None
    return {"name": str(IPv4Address(host)), "days": days, "points": points}
