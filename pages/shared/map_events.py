"""What an analyst did on a map in the browser, turned into a selection."""

from collections.abc import Mapping
from ipaddress import IPv4Address
from typing import Any

import numpy as np
import numpy.typing as npt
import streamlit as st

from darkgnn_core.charts.map_colours import Colouring
from darkgnn_core.charts.map_words import number_of
from darkgnn_core.maps.enclosing import checked_polygon, enclosed
from darkgnn_core.workspace import Workspace
from pages.shared import map_state
from pages.shared.cluster_choice import recipe_of, settings
from pages.shared.context import open_host
from pages.shared.map_colouring import CLUSTER
from pages.shared.map_views import METHODS, MapView

Hosts = npt.NDArray[np.uint32]
JOINED = {"replace": None, "add": np.union1d, "remove": np.setdiff1d}
ADDED = {"replace": "", "add": ", added to the selection before", "remove": ", taken out of it"}


def key_of(view: MapView) -> str:
    """Return the widget key of a map."""
    return f"map_{view.name}"


def take_event(workspace: Workspace, view: MapView, colours: Colouring) -> None:
    """Do what was asked on a map, once; what was drawn on other points is dropped.

    Raises:
        ConfigError: `POLYGON` where a drawn line is none.
    """
    value = st.session_state.get(key_of(view))
    event = value.get("event") if isinstance(value, Mapping) else None
    if not isinstance(event, Mapping) or not map_state.is_new_event(key_of(view), event):
        return
    if event.get("kind") == "clear":
        map_state.select(workspace, np.empty(0, np.uint32), map_state.NOTHING)
    elif event.get("points") == view.id:
        _act(workspace, view, colours, event)


def _act(workspace: Workspace, view: MapView, colours: Colouring, event: Mapping[str, Any]) -> None:
    kind, how = str(event.get("kind")), str(event.get("how", "replace"))
    if kind == "open":
        open_host(str(IPv4Address(int(event["host"]))))
    elif kind in ("lasso", "box"):
        polygon = checked_polygon(event.get("polygon"))
        hosts = view.hosts[enclosed(view.points, polygon)]
        _join(workspace, hosts, how, _drawn(view, kind, polygon, how))
    elif kind == "class" and 0 <= int(event["place"]) < len(colours.classes):
        place = int(event["place"])
        name = colours.classes[place].name
        recipe = _of_class(view, colours, name, how)
        _join(workspace, view.hosts[colours.codes[view.shown] == place], how, recipe)
    elif kind == "host":
        host = np.array([int(event["host"])], np.uint32)
        is_in = bool(np.isin(host, map_state.selection(workspace))[0])
        _join(workspace, host, "remove" if is_in else "add", {"kind": "chosen"})


def _of_class(view: MapView, colours: Colouring, name: str, how: str) -> dict[str, Any]:
    """Return how the hosts of an entry of the legend came about."""
    number = number_of(name)
    if colours.title == CLUSTER and how == "replace" and number is not None:
        return dict(recipe_of(view.run.id, view.day, settings(), number))
    return {"kind": "query", "words": f"{colours.title} {name} on {view.day}{ADDED.get(how, '')}"}


def _join(workspace: Workspace, hosts: Hosts, how: str, recipe: Mapping[str, Any]) -> None:
    join = JOINED.get(how)
    joined = hosts if join is None else join(map_state.selection(workspace), hosts)
    map_state.select(workspace, joined, recipe)


def _drawn(view: MapView, kind: str, polygon: npt.NDArray[np.float64], how: str) -> dict[str, Any]:
    """Return how a drawn selection came about, so that it could be drawn again."""
    recipe: dict[str, Any] = {
        "kind": kind,
        "run": view.run.id,
        "day": view.day,
        "map": f"{METHODS[view.method]}{ADDED.get(how, '')}",
        "points": view.id,
        "polygon": polygon.tolist(),
    }
    return recipe
