"""The map with its controls, its table and what sets the selection apart: one part of the page.

It is a fragment: drawing on the map runs only this again.
"""

import streamlit as st

from darkgnn_core.run_store import read_run
from darkgnn_core.runs import Run
from darkgnn_core.workspace import Workspace
from pages.shared import loaders, map_state, state
from pages.shared.cluster_choice import choose_settings
from pages.shared.feedback import safe, user_errors_shown
from pages.shared.label_undo import noun
from pages.shared.map_colouring import CLUSTER, choice, choose_colour, colouring
from pages.shared.map_compare import choose_beside, view_beside
from pages.shared.map_drawing import draw_map, tell_shown
from pages.shared.map_events import take_event
from pages.shared.map_finding import ask_list, ask_search, found_on, tell_found
from pages.shared.map_keeping import hold
from pages.shared.map_panel import show_panel
from pages.shared.map_table import show_table_of
from pages.shared.map_trails import choose_trails, name_trails, trails_on
from pages.shared.map_views import METHOD, METHODS, MapView, Method, make_view
from pages.shared.set_links import offer_set

DAY = "map_day"


def choose_map(run: Run, day: str) -> Method:
    """Ask for the day and the kind of map; the day is that of all pages."""
    left, right = st.columns([3, 5], vertical_alignment="bottom")
    methods: list[Method] = list(METHODS)
    with left:
        chosen = st.segmented_control(
            "Map",
            methods,
            format_func=METHODS.__getitem__,
            default=methods[0],
            key=METHOD,
            required=True,
            bind="query-params",
            help="Principal components are there at once and show the large differences. t-SNE "
            "shows groups; it is made in the background, each day starting from the one beside it.",
        )
    if len(run.days) > 1:
        st.session_state[DAY] = day
        right.select_slider(
            "Day of the run (UTC)",
            run.days,
            key=DAY,
            on_change=_take_day,
            help="It changes the day of all pages. Only days that the run has embedded are here; "
            "arrow keys go from one to the next.",
        )
    return chosen or methods[0]


def _take_day() -> None:
    st.session_state[state.DAY] = st.session_state[DAY]


@st.fragment
@user_errors_shown()
def browse(root: str, run_id: str, day: str, method: Method) -> None:
    """Show the map of a day, and all that goes with it.

    Args:
        root: The workspace.
        run_id: The run.
        day: A day it embedded.
        method: How the map is made; principal components where it is still to be made.
    """
    workspace = loaders.workspace_at(root)
    run = read_run(workspace, run_id)
    hide = state.is_known_hidden()
    view = make_view(workspace, run, day, method, hide_known=hide)
    if view is None:
        view = make_view(workspace, run, day, "pca", hide_known=hide)
    if view is None:
        return
    _ask(workspace, run, day)
    hold(workspace)
    beside = view_beside(workspace, view, hide_known=hide)
    _draw(workspace, [view] if beside is None else [view, beside])
    _show_selection(workspace, view)


def _ask(workspace: Workspace, run: Run, day: str) -> None:
    places = st.columns([5, 7, 4, 4], vertical_alignment="bottom")
    with places[0]:
        choose_colour()
    with places[1]:
        ask_search()
    with places[2]:
        ask_list()
    with places[3]:
        choose_beside(workspace, run, day)
    if choice() == CLUSTER:
        with st.container(horizontal=True):
            choose_settings()


def _draw(workspace: Workspace, views: list[MapView]) -> None:
    """Draw one map or two, after doing what was asked on either."""
    colours = [colouring(workspace, view) for view in views]
    for view, own in zip(views, colours, strict=True):
        take_event(workspace, view, own)
    selection = map_state.selection(workspace)
    _offer_draft(workspace)
    tell_found(workspace, views[0])
    columns = st.columns(len(views))
    for column, view, own in zip(columns, views, colours, strict=True):
        with column:
            tell_shown(view)
            selected = view.among(selection)
            trails = trails_on(workspace, view, selected)
            draw_map(
                view, own, selected, found_on(workspace, view), trails,
                is_one_of_two=len(views) > 1,
            )  # fmt: skip
            name_trails(workspace, view, trails)


def _offer_draft(workspace: Workspace) -> None:
    """Say that hosts drawn in a session before are kept, and offer to show them."""
    draft = map_state.offered_draft(workspace)
    if draft is None:
        return
    many = len(draft.hosts)
    with st.container(horizontal=True, vertical_alignment="center"):
        st.caption(
            f"A selection of {many:,} {noun(many, 'host')} that was drawn on the map is kept."
        )
        if st.button(
            "Show it",
            key="map_draft",
            icon=":material/history:",
            help="Selects those hosts instead; the current set stays as it is.",
        ):
            map_state.select(workspace, draft.hosts, draft.recipe)
            st.rerun()


def _show_selection(workspace: Workspace, view: MapView) -> None:
    selection = map_state.selection(workspace)
    selected = view.among(selection)
    with st.container(horizontal=True, vertical_alignment="center"):
        choose_trails()
        if st.button(
            "Selection before", key="map_back", icon=":material/undo:",
            disabled=not map_state.can_go_back(),
            help="Brings back the hosts that were selected before these, one step at a time.",
        ):  # fmt: skip
            map_state.go_back(workspace)
            st.rerun()
    elsewhere = len(selection) - int(selected.sum())
    if elsewhere:
        are = noun(elsewhere, "is", "are")
        st.caption(
            f"{elsewhere:,} of {len(selection):,} selected hosts {safe(are)} not on this map."
        )
    show_table_of(workspace, view, selected, found_on(workspace, view))
    if len(selection):
        if int((selected & view.shown).sum()) < len(selection):
            st.caption(
                f"Keep, Map, Graph, Label and CSV act on all {len(selection):,} selected hosts, "
                "shown or not."
            )
        offer_set(workspace, selection, recipe=map_state.recipe(), key="map_set", shortcut="L")
    if selected.any():
        show_panel(workspace, view, selected)
