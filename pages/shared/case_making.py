"""New sets: from a pasted list of addresses and prefixes, or from a query."""

from typing import Any

import numpy as np
import numpy.typing as npt
import streamlit as st

from darkgnn_core.charts.label_tables import bad_table
from darkgnn_core.host_queries import HostQuery
from darkgnn_core.labels.texts import UNKNOWN
from darkgnn_core.labels.typed import Typed, hosts_of, read_typed
from darkgnn_core.set_tables import host_table
from darkgnn_core.workspace import Workspace
from pages.shared import case_loaders, loaders, state
from pages.shared.feedback import show_table
from pages.shared.label_form import known_labels
from pages.shared.set_hosts import show_hosts
from pages.shared.set_links import offer_set

PASTE, QUERY = "Paste a list", "Ask by label, port or packets"
EXAMPLE = "192.0.2.7\n198.51.100.0/28"
LOOK = 200


def show_making(workspace: Workspace) -> None:
    """Ask how, then which hosts; show what would be in the set, and keep it."""
    if not loaders.bins(workspace):
        st.info("Load packets first: sets are made of hosts.", icon=":material/upload_file:")
        return
    how = st.segmented_control(
        "How would you like to make it?",
        [PASTE, QUERY],
        default=PASTE,
        key="case_making_how",
        required=True,
        help="From addresses that you have, or from what hosts did. Nothing is kept before you "
        "press a button below.",
    )
    if how == QUERY:
        _by_query(workspace)
    else:
        _by_paste(workspace)


def _by_paste(workspace: Workspace) -> None:
    text = st.text_area(
        "Addresses and prefixes",
        key="case_paste",
        placeholder=EXAMPLE,
        height=160,
        help="One a line, or separated by commas or spaces. IPv4 only. A prefix stands for the "
        "hosts in it that were seen in this workspace.",
    )
    if not text.strip():
        st.caption("Paste a list to see which of its hosts were seen.")
        return
    typed = read_typed(text)
    seen = loaders.hosts_seen(workspace)
    found = hosts_of(typed.targets, seen)
    unseen = np.setdiff1d(_alone(typed), seen)
    if len(unseen):
        keeps = st.toggle(
            f"Also keep {len(unseen):,} addresses that were never seen here",
            key="case_paste_unseen",
            help="They have no embedding; they are found once their packets come in.",
        )
        found = np.union1d(found, unseen) if keeps else found
    if typed.bad:
        st.warning(
            f"Not understood and left out: {len(typed.bad):,}",
            icon=":material/warning:",
        )
        show_table(bad_table(typed.bad), "case_paste_bad")
    recipe = {
        "kind": "pasted",
        "entries": len(typed.targets),
        "not_understood": len(typed.bad),
    }
    _show_found(workspace, found, recipe, "case_pasted")


def _alone(typed: Typed) -> npt.NDArray[np.uint32]:
    alone = [target.first_ip for target in typed.targets if target.prefix_len == 32]
    return np.array(alone, np.uint32)


def _by_query(workspace: Workspace) -> None:
    first, last = state.first_day(), state.day() or loaders.bins(workspace)[0]
    st.caption("Hosts of the day in the sidebar; with From day, of all days from there to it.")
    label_, port_, least_, most_ = st.columns(4)
    label = label_.selectbox(
        "Label",
        [UNKNOWN, *known_labels(workspace)],
        index=None,
        key="case_query_label",
        placeholder="Any",
        help="As of the day in view; 'unknown' finds hosts without a label.",
    )
    port = port_.number_input(
        "Port",
        0,
        65_535,
        value=None,
        step=1,
        key="case_query_port",
        placeholder="Any",
        help="Packets are then counted to this port only.",
    )
    least = least_.number_input(
        "Packets, at least",
        1,
        value=None,
        step=10,
        key="case_query_least",
        placeholder="Any",
        help="Hosts with fewer packets, over all days looked at, are left out.",
    )
    most = most_.number_input(
        "Packets, at most",
        1,
        value=None,
        step=10,
        key="case_query_most",
        placeholder="Any",
        help="Hosts with more packets, over all days looked at, are left out.",
    )
    addresses = st.text_input(
        "Within",
        key="case_query_addresses",
        placeholder="any address; such as 198.51.100.0/24",
        help="Addresses and prefixes, separated by commas or spaces.",
    )
    hides_known = state.is_known_hidden()
    if hides_known:
        st.caption("Known scanners are left out: the switch in the sidebar hides them.")
    query = HostQuery(last, first, label or "", port, least, most, addresses.strip(), hides_known)
    _show_found(
        workspace, case_loaders.found_hosts(workspace, query), query.recipe(), "case_queried"
    )


def _show_found(
    workspace: Workspace, hosts: npt.NDArray[np.uint32], recipe: dict[str, Any], key: str
) -> None:
    if len(hosts) == 0:
        st.info("No host fits.", icon=":material/search_off:")
        return
    name = st.text_input(
        "Name of the set",
        key=f"{key}_name",
        max_chars=80,
        placeholder="told by how it came about",
        help="Empty: the set is called after its list or query. It can be renamed under Sets.",
    )
    offer_set(workspace, hosts, recipe=recipe, key=key, name=name.strip())
    st.caption(
        f"{len(hosts):,} {'host' if len(hosts) == 1 else 'hosts'}. "
        "Click an address to open its host."
    )
    if len(hosts) > LOOK:
        st.caption(f"Showing {LOOK:,} of {len(hosts):,}, the first by address.")
    show_hosts(host_table(workspace, hosts[:LOOK], day=state.day()), f"{key}_hosts")
