"""The host beside other hosts, prefixes and sets, on the day that is shown."""

import numpy as np
import numpy.typing as npt
import streamlit as st

from darkgnn_core.charts.host_words import compared_port_table
from darkgnn_core.host_sets import HostSet, list_sets
from darkgnn_core.hosts.comparing import Compared, compare
from darkgnn_core.labels.targets import prefix_text
from darkgnn_core.labels.typed import read_typed
from darkgnn_core.safe_csv import csv_of
from pages.shared import host_loaders
from pages.shared.csv_export import offer_table
from pages.shared.feedback import plain, safe, show_table
from pages.shared.host_view import HostView
from pages.shared.set_links import current_set

KEY = "host_compare"
MOST_GROUPS = 6
Hosts = npt.NDArray[np.uint32]
PAIR_COLUMNS = {
    "ports_jaccard": st.column_config.NumberColumn(
        "ports alike",
        format="%.2f",
        help="Ports that both asked for, as a share of those that either did.",
    ),
    "ports_cosine": st.column_config.NumberColumn(
        "shares by port alike",
        format="%.2f",
        help="How alike they spread their packets over ports: 1 is the same, 0 nothing in common.",
    ),
}


def show_comparison(view: HostView) -> None:
    """Ask what to compare with and show it side by side."""
    groups = _ask(view)
    if len(groups) < 2:
        st.info(
            "Type addresses or prefixes, or choose a set, to see them beside this host.",
            icon=":material/compare:",
        )
        return
    rows = host_loaders.day_rows(view.workspace, view.config, view.day)
    labels = host_loaders.row_labels(view.workspace, view.config, view.day)
    wanted = np.isin(rows["host"].to_numpy(), np.concatenate(list(groups.values())))
    some = rows[wanted]
    found = compare(
        groups,
        rows=some,
        ports=host_loaders.day_ports(view.workspace, view.config, view.day),
        labels=dict(zip(some["host"].tolist(), labels[wanted].tolist(), strict=True)),
    )
    _show(view, found, list(groups))


def _ask(view: HostView) -> dict[str, Hosts]:
    left, right = st.columns(2)
    typed = left.text_area(
        "Addresses and prefixes",
        key=f"{KEY}_typed",
        placeholder="198.51.100.7\n198.51.100.0/24",
        height=100,
        persist_state="session",
        help="Each is a column of its own. A prefix stands for its hosts of the day.",
    )
    sets = {each.id: each for each in list_sets(view.workspace)}
    now = current_set(view.workspace)
    chosen = right.multiselect(
        "Sets",
        list(sets),
        default=[now.id] if now is not None and now.id in sets else [],
        format_func=lambda each: plain(sets[each].name),
        key=f"{KEY}_sets",
        persist_state="session",
        placeholder="None",
        help="Each is a column of its own, up to six columns in all with this host.",
    )
    groups = {view.address: np.array([view.host], np.uint32)}
    groups |= _typed_groups(view, typed)
    groups |= {_name_of(sets[each]): sets[each].hosts for each in chosen if each in sets}
    if len(groups) > MOST_GROUPS:
        st.caption(f"The first {MOST_GROUPS:,} of {len(groups):,} are shown.")
    return dict(list(groups.items())[:MOST_GROUPS])


def _name_of(each: HostSet) -> str:
    return plain(f"{each.name} ({len(each.hosts):,})")


def _typed_groups(view: HostView, text: str) -> dict[str, Hosts]:
    """Return each address or prefix that was typed with its hosts of the day."""
    typed = read_typed(text)
    for word, why in typed.bad[:3]:
        st.caption(f"Not understood: {safe(word)}, {safe(why)}.")
    hosts = host_loaders.day_rows(view.workspace, view.config, view.day)["host"].to_numpy()
    groups = {}
    for target in typed.targets:
        name = prefix_text(target.first_ip, target.prefix_len)
        low, high = np.searchsorted(hosts, [target.first_ip, target.last_ip + 1])
        one = np.array([target.first_ip], np.uint32)
        groups[name] = one if target.prefix_len == 32 else hosts[low:high]
    return groups


def _show(view: HostView, found: Compared, names: list[str]) -> None:
    st.subheader(plain(f"Side by side on {view.day}"), anchor=False)
    absent = {name: count for name, count in found.absent.items() if count}
    for name, count in absent.items():
        st.caption(f"{safe(name)}: {count:,} of its hosts were not seen on this day.")
    show_table(found.facts, f"{KEY}_facts")
    st.subheader("Ports that tell them apart")
    st.caption("Share of each group's hosts that asked for the port, and of all hosts of the day.")
    ports = compared_port_table(found.ports, names)
    show_table(ports, f"{KEY}_ports", height=420 if len(ports) > 11 else "auto")
    st.subheader("In common")
    show_table(found.pairs, f"{KEY}_pairs", columns=PAIR_COLUMNS)
    offer_table(
        "Comparison as CSV",
        lambda: csv_of(found.facts),
        name=f"{view.address}-compared",
        key=f"{KEY}_csv",
        help="The first table only, not ports and what they have in common.",
    )
