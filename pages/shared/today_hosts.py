"""The part of the home page about hosts: who came, for which ports, with which labels."""

import streamlit as st

from darkgnn_core.charts import sensor
from darkgnn_core.health import Health
from darkgnn_core.workspace import Workspace
from pages.shared import loaders, state
from pages.shared.feedback import show_table
from pages.shared.sensor_view import show_hidden, show_pair
from pages.shared.set_hosts import show_hosts


def show_who_came(workspace: Workspace, health: Health, day: str) -> None:
    """Show hosts, ports and labels of all days, and the busiest hosts of the one at hand."""
    days, missing = health.days, health.missing
    if not days["hosts"].any():
        st.info(
            "No host of any day passed the filters, so there is no graph and nothing to list. The "
            "chart of packets a day says why packets were left out; what decides it is set on the "
            "page Sources.",
            icon=":material/filter_alt:",
        )
        return
    host_days = days
    if state.is_known_hidden():
        show_hidden(loaders.known_in(workspace, day))
        host_days = loaders.days_without_known(workspace)
    show_pair(
        ("Hosts a day", sensor.hosts_by_day(host_days, missing)),
        ("Busiest ports", sensor.top_ports(health.top_ports)),
    )
    show_pair(
        ("Share of hosts with a label", sensor.labelled_by_day(host_days, missing)),
        ("Different ports a day", sensor.ports_by_day(days, missing)),
    )
    _show_classes(workspace)
    _show_hosts(workspace, day)


def _show_classes(workspace: Workspace) -> None:
    st.header("Hosts, ports and packets by label")
    st.caption(
        "Over all days, and on an average day; the workspace's own version of the paper's Table 2."
    )
    classes = loaders.classes(workspace)
    if state.is_known_hidden():
        st.caption("Known scanners are hidden; the total counts them.")
        classes = classes[~classes["label"].isin(loaders.known_labels(workspace))]
    show_table(classes, "table2")


def _show_hosts(workspace: Workspace, day: str) -> None:
    st.header("Busiest hosts of the day")
    hosts = loaders.hosts(workspace, day, hide_known=state.is_known_hidden())
    if hosts.empty:
        st.caption("No host of this day passed the filters, or all of them are hidden.")
        return
    st.caption("Click an address to open its host.")
    show_hosts(hosts, "hosts", height=360)
