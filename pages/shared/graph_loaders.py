"""Cached reading for Explore graph: keyed by days, states and settings, never by a table."""

from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt
import pandas as pd
import streamlit as st

from darkgnn_core.charts.graph_tables import edge_rows
from darkgnn_core.graphs.centrality import centrality
from darkgnn_core.graphs.difference import (
    Changed,
    EachDay,
    counted_changes,
    either_day,
    on_each_day,
    with_changes,
)
from darkgnn_core.graphs.groups import Groups, maximal_bicliques, same_ports
from darkgnn_core.graphs.limits import Doings, Limits, Seeds
from darkgnn_core.graphs.nodes import Node, host_node, hosts_among, port_node, ports_among
from darkgnn_core.graphs.pairs import (
    Mask,
    Pairs,
    frame_of,
    joined,
    met_by,
    no_pairs,
    pairs_from,
    read_day,
)
from darkgnn_core.graphs.ports import ports_near, read_visitors, similar_ports, visitors
from darkgnn_core.graphs.subgraph import Shown, around, around_shown, subgraph
from darkgnn_core.graphs.typed import read_seeds
from darkgnn_core.host_sets import find_set
from darkgnn_core.labels.resolving import Resolved, resolve
from darkgnn_core.labels.texts import UNKNOWN
from darkgnn_core.labels.typed import hosts_of
from darkgnn_core.maps.storing import embedding_hash
from darkgnn_core.run_store import read_run
from darkgnn_core.runs import Run
from darkgnn_core.shelf import open_snapshot
from darkgnn_core.workspace import Workspace
from pages.shared import loaders, map_loaders
from pages.shared.graph_clusters import hosts_of_cluster

Inputs = tuple[tuple[str, str, str], ...]
Hosts = npt.NDArray[np.uint32]
Texts = npt.NDArray[np.object_]
RANGES = 2
DAYS_APART = ("change", "packets_a_day_now", "packets_before")


@dataclass(frozen=True)
class Question:
    """Which graph is asked for; all plain values.

    Attributes:
        days: The bins in view, in order.
        start: Kind and value of `graph_start.Start`.
        limits: How much is shown.
        doings: What the analyst did to it.
        compared: The bin it is compared with, or empty.
        labels: Only hosts with one of these labels; empty for all.
        hide_known: Leave out hosts of known scanners.
    """

    days: tuple[str, ...]
    start: tuple[str, str]
    limits: Limits
    doings: Doings
    compared: str = ""
    labels: tuple[str, ...] = ()
    hide_known: bool = False


@dataclass(frozen=True, eq=False)
class Answer:
    """The graph that was asked for.

    Attributes:
        shown: What is drawn; its edges say how they changed where a day is compared.
        labels: Label by address of the hosts drawn, unknown left out.
        names: All labels of the workspace (`loaders.all_labels`), for colours.
        known: How many hosts of known scanners are left out.
        seeds: How many hosts and ports of the start are there, and how many it names.
        changes: How the edges around what is drawn changed; none where no day is compared.
    """

    shown: Shown
    labels: dict[int, str]
    names: tuple[str, ...]
    known: int
    seeds: tuple[int, int]
    changes: tuple[Changed, ...] = ()


def inputs_of(workspace: Workspace, days: Sequence[str]) -> Inputs:
    """Return what changes when the snapshots of some days do."""
    wanted = frozenset(days)
    return tuple(each for each in loaders.shelf_state(workspace) if each[1] in wanted)


def day_pairs(workspace: Workspace, day: str) -> Pairs:
    """Return who sent to which port on a day; shared, so never to be changed."""
    return _day_pairs(str(workspace.root), inputs_of(workspace, [day]), day)


@st.cache_resource(max_entries=6, show_spinner="Reading the pairs of the day")
def _day_pairs(root: str, inputs: Inputs, day: str) -> Pairs:
    workspace = loaders.workspace_at(root)
    directory = open_snapshot(workspace, workspace.snapshot_config(), day).directory
    return no_pairs() if directory is None else read_day(directory)


@st.cache_resource(max_entries=2, show_spinner=False)
def _ranges(root: str) -> OrderedDict[Inputs, Pairs]:
    return OrderedDict()


def are_read(workspace: Workspace, days: Sequence[str]) -> bool:
    """Say whether the pairs of a range are at hand."""
    return len(days) < 2 or inputs_of(workspace, days) in _ranges(str(workspace.root))


def hold_range(workspace: Workspace, days: Sequence[str], parts: Sequence[Pairs]) -> None:
    """Put the pairs of several days together and hold them, the last `RANGES` of such."""
    held = _ranges(str(workspace.root))
    held[inputs_of(workspace, days)] = joined(parts)
    while len(held) > RANGES:
        held.popitem(last=False)


def pairs_of(workspace: Workspace, days: Sequence[str]) -> Pairs:
    """Return who sent to which port over some days; shared, so never to be changed."""
    if len(days) == 1:
        return day_pairs(workspace, days[0])
    if not are_read(workspace, days):
        hold_range(workspace, days, [day_pairs(workspace, day) for day in days])
    return _ranges(str(workspace.root))[inputs_of(workspace, days)]


def drawn_from(workspace: Workspace, days: Sequence[str], compared: str = "") -> Pairs:
    """Return the pairs a graph is cut from: those of the days, and of the day compared with."""
    now = pairs_of(workspace, days)
    if not compared:
        return now
    inputs = inputs_of(workspace, [*days, compared])
    return _both(str(workspace.root), inputs, tuple(days), compared)


@st.cache_resource(max_entries=2, show_spinner="Putting the two days together")
def _both(root: str, inputs: Inputs, days: tuple[str, ...], compared: str) -> Pairs:
    workspace = loaders.workspace_at(root)
    return either_day(pairs_of(workspace, days), day_pairs(workspace, compared))


def labels_of(workspace: Workspace, days: Sequence[str], compared: str = "") -> Resolved:
    """Return the label of each of the unique hosts of `drawn_from`, as of the last day."""
    inputs = inputs_of(workspace, [*days, compared])
    state = loaders.label_state(workspace)
    return _labels_of(str(workspace.root), inputs, tuple(days), compared, state)


@st.cache_resource(max_entries=6, show_spinner="Reading the labels")
def _labels_of(
    root: str, inputs: Inputs, days: tuple[str, ...], compared: str, state: str
) -> Resolved:
    workspace = loaders.workspace_at(root)
    hosts = drawn_from(workspace, days, compared).unique_hosts
    with workspace.catalogue() as connection:
        return resolve(connection, hosts, day=days[-1][:10])


def seeds_of(workspace: Workspace, start: tuple[str, str], pairs: Pairs) -> Seeds:
    """Return the hosts and ports a start names; of a prefix, those that are there."""
    kind, value = start
    if kind == "cluster":
        return Seeds(hosts=hosts_of_cluster(workspace, value))
    if kind == "set":
        return Seeds(hosts=find_set(workspace, value).hosts)
    typed = read_seeds(value)
    single = [each.first_ip for each in typed.targets if each.prefix_len == 32]
    within = hosts_of([each for each in typed.targets if each.prefix_len < 32], pairs.unique_hosts)
    hosts = np.union1d(np.array(single, np.uint32), within).astype(np.uint32)
    return Seeds(hosts=hosts, ports=np.array(typed.ports, np.int32))


def answer(workspace: Workspace, question: Question) -> Answer:
    """Return the graph that is asked for; found again when labels or snapshots change."""
    inputs = inputs_of(workspace, [*question.days, question.compared])
    return _answer(str(workspace.root), inputs, loaders.label_state(workspace), question)


@st.cache_resource(max_entries=24, show_spinner="Cutting the graph to size")
def _answer(root: str, inputs: Inputs, state: str, question: Question) -> Answer:
    workspace = loaders.workspace_at(root)
    pairs = drawn_from(workspace, question.days, question.compared)
    told = labels_of(workspace, question.days, question.compared)
    seeds = seeds_of(workspace, question.start, pairs)
    allowed, known = _allowed(workspace, question, told)
    shown = subgraph(pairs, seeds, question.limits, question.doings, allowed=allowed)
    changes: tuple[Changed, ...] = ()
    if question.compared:
        near = around_shown(pairs, seeds, question.limits, question.doings, shown, allowed=allowed)
        changes = _changes(workspace, question, *near)
    shown = replace(shown, edges=_compared(workspace, question, shown.edges))
    hosts = shown.nodes.loc[shown.nodes["kind"] == "host", "key"].to_numpy(np.uint32)
    there = len(seeds.hosts) + len(seeds.ports) - shown.absent
    return Answer(
        shown,
        _label_of(told, hosts),
        loaders.all_labels(workspace),
        known,
        (there, len(seeds.hosts) + len(seeds.ports)),
        changes,
    )


def _changes(
    workspace: Workspace, question: Question, either: Pairs, is_drawn: Mask
) -> tuple[Changed, ...]:
    now, before = pairs_of(workspace, question.days), day_pairs(workspace, question.compared)
    return counted_changes(either, is_drawn, now, before, bins=len(question.days))


def each_day(workspace: Workspace, question: Question, node: Node) -> EachDay:
    """Tell apart what a node met on the days in view and on the day compared with."""
    pairs = drawn_from(workspace, question.days, question.compared)
    told = labels_of(workspace, question.days, question.compared)
    allowed, _ = _allowed(workspace, question, told)
    seed = Seeds(hosts_among([node]), ports_among([node]))
    met = around(pairs, seed, question.limits, question.doings, allowed=allowed)
    now, before = pairs_of(workspace, question.days), day_pairs(workspace, question.compared)
    return on_each_day(met, now, before)


def everything(workspace: Workspace, question: Question) -> pd.DataFrame:
    """Return all edges of the start that pass the filters, drawn or not, the heaviest first.

    Columns as `subgraph.Shown.edges`; with those of `with_changes` where a day is compared.
    """
    pairs = drawn_from(workspace, question.days, question.compared)
    told = labels_of(workspace, question.days, question.compared)
    seeds = seeds_of(workspace, question.start, pairs)
    allowed, _ = _allowed(workspace, question, told)
    found = around(pairs, seeds, question.limits, question.doings, allowed=allowed)
    order = np.lexsort((found.ports, found.hosts, -found.packets))
    return _compared(workspace, question, frame_of(found.where(order)))


def label_texts(workspace: Workspace, question: Question, hosts: Hosts) -> dict[int, str]:
    """Return labels by address of hosts of the graph, unknown left out."""
    return _label_of(labels_of(workspace, question.days, question.compared), np.unique(hosts))


def _compared(workspace: Workspace, question: Question, edges: pd.DataFrame) -> pd.DataFrame:
    """Say of each edge how it changed, where a day is compared."""
    if not question.compared:
        return edges
    now, before = pairs_of(workspace, question.days), day_pairs(workspace, question.compared)
    return with_changes(edges, now, before, bins=len(question.days))


def _allowed(workspace: Workspace, question: Question, told: Resolved) -> tuple[Hosts | None, int]:
    """Return the hosts that count, or None for all, and how many known ones are left out."""
    if not question.labels and not question.hide_known:
        return None, 0
    counts = np.ones(len(told.names), bool)
    if question.labels:
        counts &= np.isin(np.array(told.names, object), np.array(question.labels, object))
    known = 0
    if question.hide_known:
        is_known = np.isin(
            np.array(told.names, object), np.array(loaders.known_labels(workspace), object)
        )
        known = int(is_known[told.codes].sum())
        counts &= ~is_known
    return told.hosts[counts[told.codes]], known


def _label_of(told: Resolved, hosts: Hosts) -> dict[int, str]:
    """Return labels by address, unknown left out."""
    if not len(hosts):
        return {}
    codes = told.codes[np.searchsorted(told.hosts, hosts)]
    return {int(host): told.names[code] for host, code in zip(hosts, codes, strict=True) if code}


def neighbours(workspace: Workspace, question: Question, node: Node) -> pd.DataFrame:
    """Return all that a node meets, drawn or not, the heaviest first.

    Returns:
        Columns `port` or `host`, `packets`, `label` of hosts, `dark_addresses`, `last`, `id`;
        where a day is compared the change and the packets of both days in place of `packets`.
    """
    pairs = drawn_from(workspace, question.days, question.compared)
    met = met_by(pairs, node)
    order = np.lexsort((met.ports, met.hosts, -met.packets))
    rows = edge_rows(_compared(workspace, question, frame_of(met.where(order))), {})
    if node.is_host:
        nodes = [port_node(each) for each in met.ports[order]]
        rows = rows.drop(columns=["host", "label"])
    else:
        nodes = [host_node(each) for each in met.hosts[order]]
        told = labels_of(workspace, question.days, question.compared)
        found = _label_of(told, np.sort(met.hosts))
        rows["label"] = [found.get(each.key, UNKNOWN) for each in nodes]
        rows = rows.drop(columns=["port"])
    if len(question.days) == 1 and not question.compared:
        rows = rows.drop(columns=["days"])
    counts = list(DAYS_APART) if question.compared else ["packets"]
    first = ["port" if node.is_host else "host", *counts]
    rest = [name for name in rows.columns if name not in (*first, "first")]
    return rows[[*first, *rest]].assign(id=[each.id for each in nodes])


def port_visitors(workspace: Workspace, day: str, port: int) -> tuple[pd.DataFrame, Texts]:
    """Return who sent to a port on a day, and their labels as of that day."""
    state = loaders.label_state(workspace)
    return _port_visitors(str(workspace.root), inputs_of(workspace, [day]), state, day, port)


@st.cache_data(max_entries=512, show_spinner=False)
def _port_visitors(
    root: str, inputs: Inputs, state: str, day: str, port: int
) -> tuple[pd.DataFrame, Texts]:
    workspace = loaders.workspace_at(root)
    directory = open_snapshot(workspace, workspace.snapshot_config(), day).directory
    found = visitors(no_pairs(), port) if directory is None else read_visitors(directory, port)
    with workspace.catalogue() as connection:
        told = resolve(connection, found["host"].to_numpy(np.uint32), day=day[:10])
    return found, told.labels


def like_ports(workspace: Workspace, days: Sequence[str], port: int) -> pd.DataFrame:
    """Return the ports visited like one (`ports.similar_ports`)."""
    return _like_ports(str(workspace.root), inputs_of(workspace, days), tuple(days), port)


@st.cache_data(max_entries=64, show_spinner="Comparing ports by their visitors")
def _like_ports(root: str, inputs: Inputs, days: tuple[str, ...], port: int) -> pd.DataFrame:
    return similar_ports(pairs_of(loaders.workspace_at(root), days), port)


def ports_near_in(workspace: Workspace, days: Sequence[str], port: int, run: Run) -> pd.DataFrame:
    """Return the ports whose visitors lie alike in a run's embedding of the last day."""
    digest = embedding_hash(workspace, run.id, days[-1])
    inputs = inputs_of(workspace, days[-1:])
    return _ports_near(str(workspace.root), inputs, digest, run.id, days[-1], port)


@st.cache_data(max_entries=64, show_spinner="Comparing ports by the places of their visitors")
def _ports_near(
    root: str, inputs: Inputs, digest: str, run_id: str, day: str, port: int
) -> pd.DataFrame:
    workspace = loaders.workspace_at(root)
    run, pairs = read_run(workspace, run_id), day_pairs(workspace, day)
    hosts, rows = map_loaders.hosts(workspace, run, day), map_loaders.rows(workspace, run, day)
    return ports_near(pairs, port, hosts, rows)


def central_nodes(workspace: Workspace, question: Question) -> pd.DataFrame:
    """Return how central the nodes drawn are (`centrality.centrality`)."""
    inputs = inputs_of(workspace, [*question.days, question.compared])
    return _central_nodes(str(workspace.root), inputs, loaders.label_state(workspace), question)


@st.cache_data(max_entries=16, show_spinner="Counting shortest paths")
def _central_nodes(root: str, inputs: Inputs, state: str, question: Question) -> pd.DataFrame:
    shown = answer(loaders.workspace_at(root), question).shown
    return centrality(shown.ids, shown.edges)


def groups_drawn(workspace: Workspace, question: Question, hosts: int, ports: int) -> Groups:
    """Return the maximal bicliques of the part that is drawn."""
    inputs = inputs_of(workspace, [*question.days, question.compared])
    state = loaders.label_state(workspace)
    return _groups_drawn(str(workspace.root), inputs, state, question, hosts, ports)


@st.cache_resource(max_entries=8, show_spinner="Looking for groups in the drawing")
def _groups_drawn(
    root: str, inputs: Inputs, state: str, question: Question, hosts: int, ports: int
) -> Groups:
    edges = answer(loaders.workspace_at(root), question).shown.edges
    return maximal_bicliques(pairs_from(edges), min_hosts=hosts, min_ports=ports)


def groups_of_days(
    workspace: Workspace, days: Sequence[str], near: float, hosts: int, ports: int
) -> Groups:
    """Return the groups of all hosts of some days with equal or near sets of ports."""
    inputs = inputs_of(workspace, days)
    return _groups_of_days(str(workspace.root), inputs, tuple(days), near, hosts, ports)


@st.cache_resource(max_entries=6, show_spinner="Comparing the ports of all hosts")
def _groups_of_days(
    root: str, inputs: Inputs, days: tuple[str, ...], near: float, hosts: int, ports: int
) -> Groups:
    pairs = pairs_of(loaders.workspace_at(root), days)
    return same_ports(pairs, near=near, min_hosts=hosts, min_ports=ports)


def label_counts(
    workspace: Workspace, question: Question, parts: Sequence[Hosts]
) -> list[dict[str, int]]:
    """Return hosts by label of each part, the most frequent first."""
    told = labels_of(workspace, question.days, question.compared)
    found = []
    for hosts in parts:
        codes = told.codes[np.searchsorted(told.hosts, hosts)]
        counts = np.bincount(codes, minlength=len(told.names))
        named = [(told.names[code], int(counts[code])) for code in np.flatnonzero(counts)]
        found.append(dict(sorted(named, key=lambda pair: (-pair[1], pair[0]))))
    return found
