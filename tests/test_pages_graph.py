"""The page Explore graph, clicked through without a browser: start, expand, compare, tables."""

import json
import shutil
from collections.abc import Callable, Iterator
from itertools import count
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import streamlit as st
from app_workspaces import DAYS, filled_workspace
from clicking import FRAME, click, quiet
from made_runs import no_processes  # noqa: F401 - a fixture
from map_workspaces import embedded_run
from streamlit.testing.v1 import AppTest

from darkgnn_core.graphs.keeping import kept_graph
from darkgnn_core.graphs.nodes import host_node
from darkgnn_core.host_sets import find_set, save_set
from darkgnn_core.labels.analyst import add_labels
from darkgnn_core.labels.targets import parse_target
from darkgnn_core.maps.cluster_job import cluster_for_job, find_clusters
from darkgnn_core.maps.clustering import ClusterSettings
from darkgnn_core.notes import notes_on
from darkgnn_core.workspace import Workspace, open_workspace

EVIL = "**[evil](http://192.0.2.1)**"
NUMBERS = count(1)
FIRST = int(np.uint32(0xC6336401))  # 198.51.100.1


@pytest.fixture(scope="module")
def filled(tmp_path_factory: pytest.TempPathFactory) -> Workspace:
    """A workspace of three days: 20 hosts, four on each of five ports."""
    return filled_workspace(tmp_path_factory.mktemp("filled"))


@pytest.fixture
def workspace(filled: Workspace, tmp_path: Path) -> Workspace:
    """A copy of it, to be changed."""
    shutil.copytree(filled.root, tmp_path / "workspace")
    return open_workspace(tmp_path / "workspace")


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[Callable[..., AppTest]]:
    """Open the page with what its address says."""
    st.cache_resource.clear()
    st.cache_data.clear()

    def go(root: Path, typed: str = "", **address: str) -> AppTest:
        monkeypatch.setenv("DARKGNN_WORKSPACE", str(tmp_path / "empty"))  # Today is quick there
        app = AppTest.from_file(FRAME, default_timeout=60).run()
        monkeypatch.setenv("DARKGNN_WORKSPACE", str(root))
        app.switch_page("../explore_graph.py")
        if typed:
            app.query_params["graph_start"] = "Typed"
            app.query_params["graph_typed"] = typed
        for name, value in address.items():
            app.query_params[name] = value
        return quiet(app.run())

    yield go
    st.cache_resource.clear()
    st.cache_data.clear()


def told(app: AppTest) -> str:
    """Return the words of the page, escapes taken out."""
    kinds = ("caption", "text", "info", "markdown", "subheader")
    blocks = [block.value for kind in kinds for block in getattr(app.main, kind)]
    return "\n".join(blocks).replace("\\", "").replace("\u2060", "")


def refused(app: AppTest) -> str:
    """Return what the page warns of, escapes taken out."""
    words = "\n".join(each.value for each in app.main.warning)
    return words.replace("\\", "").replace("\u2060", "")


def table(app: AppTest, column: str) -> Any:
    """Return the first table that has a column."""
    return next(each.value for each in app.main.dataframe if column in each.value)


def names(app: AppTest) -> list[str]:
    """Return the names of all nodes that are drawn."""
    return [str(each) for each in table(app, "neighbours")["name"]]


def drawing(app: AppTest) -> Any:
    """Return what the browser was sent."""
    found = [each.proto.bytes for each in app.main.get("bidi_component")]
    return json.loads(found[0])


def act(app: AppTest, **event: Any) -> AppTest:
    """Do something in the drawing, as its JavaScript reports it."""
    value = {"id": next(NUMBERS), "frame": drawing(app)["head"]["frame"], **event}
    app.session_state["graph_canvas"] = {"event": value}
    return app.run()


def select(app: AppTest, *ids: str) -> AppTest:
    """Select nodes as a click in the drawing does."""
    return quiet(act(app, kind="select", ids=list(ids)))


def test_a_node_stays_where_it_is_dropped(run: Any, workspace: Workspace) -> None:
    """Pinned there; through expanding, collapsing, a new layout, a reload; undo takes it back."""
    app = run(workspace.root, "198.51.100.4")
    before = places(app)
    quiet(act(app, kind="move", layout="force", places={"p23": [0.25, 7.5], "p99": [0, 0]}))
    assert places(app) == before | {"p23": [0.25, 7.5]}, "a node that is not drawn is none"
    assert {node[0]: node[1:3] for node in drawing(app)["nodes"]}["p23"] == [0.25, 7.5]
    assert "pinned" in table(app, "state").set_index("name").loc["23 telnet", "state"]
    quiet(act(app, kind="expand", node="p23"))
    assert len(names(app)) == 5
    assert places(app)["p23"] == [0.25, 7.5]
    click(app, "graph_collapse")
    click(app, "graph_anew")
    assert places(app)["p23"] == [0.25, 7.5]
    again = run(workspace.root, "198.51.100.4")
    assert places(again)["p23"] == [0.25, 7.5]
    for _ in range(3):
        click(again, "graph_undo")
    assert places(again)["p23"] == before["p23"]
    assert not table(again, "state")["state"].str.contains("pinned").any()
    click(again, "graph_redo")
    assert places(again)["p23"] == [0.25, 7.5]


def test_what_the_drawing_reports_is_checked(run: Any, workspace: Workspace) -> None:
    """No place, no node, another drawing: refused or passed over, and nothing is changed."""
    app = run(workspace.root, "198.51.100.4")
    before = places(app)
    for bad in ({"p23": [float("nan"), 0]}, {"p23": [1]}, {"p23": "ab"}, ["p23"]):
        app = act(app, kind="move", layout="force", places=bad)
        assert [error.value for error in app.error], bad
        app = quiet(app.run())
    assert act(app, kind="expand", node="x").error
    app = quiet(app.run())
    quiet(act(app, kind="move", layout="force", frame="elsewhere", places={"p23": [1, 1]}))
    quiet(act(app, kind="select", ids=["nonsense"]))
    assert places(app) == before


def test_without_data_it_says_so(run: Any, tmp_path: Path) -> None:
    """A way to the data, and nothing else."""
    app = run(tmp_path / "new")
    assert "load traffic first" in told(app)
    assert not app.main.button


def test_before_there_is_a_start_busy_ports_are_offered(run: Any, workspace: Workspace) -> None:
    """One row a port, the one that most hosts asked for first; host and set say what is missing."""
    app = run(workspace.root)
    assert table(app, "port")["hosts"].tolist() == [4] * 5
    for kind, words in (("Host in view", "No host is in view"), ("Current set", "No set is")):
        app.segmented_control(key="graph_start").set_value(kind).run()
        assert words in told(quiet(app))


def test_a_port_is_drawn_with_its_hosts(run: Any, workspace: Workspace) -> None:
    """Nodes and edges of 2021-12-04, its four hosts by packets, one chart, and tables."""
    app = run(workspace.root, "port 23")
    assert "4 hosts, 1 port, 4 edges; 2021-12-04." in told(app)
    assert names(app)[-1] == "23 telnet"
    assert len(drawing(app)["nodes"]) == 5
    app.segmented_control(key="graph_section").set_value("Edges").run()
    edges = table(quiet(app), "dark_addresses")
    assert edges["packets"].tolist() == [8] * 4
    assert edges["dark_addresses"].tolist() == [8] * 4


def test_a_node_is_expanded_collapsed_hidden_pinned_and_all_is_undone(
    run: Any, workspace: Workspace
) -> None:
    """One host with its port; the port's hosts come in place; each step can be taken back."""
    app = run(workspace.root, "198.51.100.4")
    assert names(app) == ["198.51.100.4", "23 telnet"]
    before = places(app)
    select(app, "p23")
    assert "4 hosts, 1 of them drawn" in told(app)
    click(app, "graph_expand")
    assert len(names(app)) == 5
    after = places(app)
    assert {name: after[name] for name in before} == before
    click(app, "graph_collapse")
    assert len(names(app)) == 2
    click(app, "graph_undo")
    assert len(names(app)) == 5
    assert places(app) == after
    other = host_node(FIRST + 8).id
    select(app, other)
    click(app, "graph_pin")
    click(app, "graph_undo")
    click(app, "graph_redo")
    assert "pinned" in ", ".join(table(app, "state")["state"])
    select(app, "p23")
    click(app, "graph_collapse")
    assert len(names(app)) == 3, "what is pinned stays"
    select(app, other)
    click(app, "graph_hide")
    assert "1 hidden by you" in told(app)
    assert len(names(app)) == 2
    click(app, "graph_over")
    assert names(app) == ["198.51.100.4", "23 telnet"]


def places(app: AppTest) -> dict[str, tuple[float, float]]:
    """Return where each node is drawn."""
    return dict(app.session_state["graph_steps"]["places"]["force"])


def test_a_new_session_finds_the_graph_as_it_was_left(run: Any, workspace: Workspace) -> None:
    """Steps and places survive a reload."""
    app = run(workspace.root, "198.51.100.4")
    select(app, "p23")
    click(app, "graph_expand")
    left = places(app)
    again = run(workspace.root, "198.51.100.4")
    assert len(names(again)) == 5
    assert places(again) == left
    kept = kept_graph(workspace)
    assert kept is not None
    assert kept["steps"][-1]["expanded"] == ["p23"]


def test_limits_say_what_they_cut(run: Any, workspace: Workspace) -> None:
    """Two neighbours at a time: two of four hosts; a heavy edge only: nothing passes."""
    app = run(workspace.root, "23, 22")
    app.slider(key="graph_neighbours").set_value(2).run()
    assert "Showing 2 of 8 hosts, the heaviest of each." in told(quiet(app))
    app.segmented_control(key="graph_section").set_value("Everything").run()
    assert "All 8 edges of the start" in told(quiet(app))
    assert len(table(app, "dark_addresses")) == 8
    app.number_input(key="graph_least").set_value(1_000).run()
    assert "nothing passes the filters" in told(quiet(app))


def test_a_start_that_was_not_there_is_said(run: Any, workspace: Workspace) -> None:
    """An address without traffic, and one that came on another day."""
    app = run(workspace.root, "198.51.100.250")
    assert "Nothing of the start" in told(app)
    app = run(workspace.root, "198.51.100.1, 198.51.100.4")
    assert "1 of 2 of the start not there." in told(app)
    app = run(workspace.root, f"198.51.100.4 {EVIL}")
    assert "expected" in refused(app)
    app = run(workspace.root, "port 99999, 23")
    assert "'99999': ports go from 0 to 65535" in refused(app), "openly, not folded away"
    app = run(workspace.root, "23 a b c d e")
    assert "2 more not understood" in [each.label for each in app.main.expander]


def test_a_day_is_compared_with_another(run: Any, workspace: Workspace) -> None:
    """Hosts move on by three from 2021-12-01, so the port has four new ones, and four are gone."""
    app = run(workspace.root, "port 23", graph_compare=DAYS[0])
    app.segmented_control(key="graph_section").set_value("Edges").run()
    changes = table(quiet(app), "change")
    assert set(changes["change"]) == {"new", "gone"}
    assert "Against 2021-12-01: 4 new, 4 gone; all are drawn." in told(app)
    assert "shrunk" in [each["name"] for each in drawing(app)["changes"]]


def test_two_days_are_told_apart(run: Any, workspace: Workspace) -> None:
    """What is counted over both says so; all changes are counted, and how many are drawn."""
    app = run(workspace.root, "port 23", graph_compare=DAYS[0])
    app.slider(key="graph_neighbours").set_value(3).run()
    said = told(quiet(app))
    assert "3 hosts, 1 port, 3 edges on either day; 2021-12-04 and 2021-12-01." in said
    assert "Showing 3 of 8 hosts on either day, the heaviest." in said
    edges = drawing(app)["edges"]
    kinds = [drawing(app)["changes"][edge[3]]["name"] for edge in edges]
    new, gone = kinds.count("new"), kinds.count("gone")
    assert f"4 new, 4 gone; of these {new} and {gone} are drawn." in said
    select(app, "p23")
    assert "2021-12-04: 32 packets, 4 hosts." in told(app)
    assert "2021-12-01: 32 packets, 4 hosts." in told(app)
    assert "8 hosts on either day, 3 of them drawn." in told(app)
    assert set(table(app, "packets_before")["packets_before"]) == {0, 8}


def test_what_is_hidden_is_a_list(run: Any, workspace: Workspace) -> None:
    """One node comes back by its name, or all at once; undo hides them again."""
    app = run(workspace.root, "port 23")
    first, second, *_ = [node[0] for node in drawing(app)["nodes"] if node[0][0] == "h"]
    assert "graph_hidden" not in app.session_state
    select(app, first, second)
    click(app, "graph_hide")
    assert len(names(app)) == 3
    assert "Hidden (2)" in [each.proto.popover.label for each in app.main.get("popover")]
    app.selectbox(key="graph_hidden").set_value(second).run()
    click(app, "graph_unhide")
    assert second in places(app)
    assert len(names(app)) == 4
    click(app, "graph_undo")
    click(app, "graph_unhide_all")
    assert len(names(app)) == 5
    assert "hidden by you" not in told(app)


def test_notes_on_a_port_are_written_where_it_is_shown(run: Any, workspace: Workspace) -> None:
    """Kept with the port, and there when it is opened again; a port without its like says so."""
    app = run(workspace.root, "port 23", graph_section="Port")
    assert "None: no host that asked for it asked for another port, too." in told(app)
    app.text_area(key="graph_port_23_notes_new_0").set_value(EVIL).run()
    click(app, "graph_port_23_notes_add")
    assert [note.text for note in notes_on(workspace, "port", "23")] == [EVIL]
    app = run(workspace.root, "port 23, port 22", graph_section="Port")
    select(app, "p22")
    assert EVIL not in told(app)
    select(app, "p23")
    assert EVIL in told(app)


def test_a_range_is_put_together(run: Any, workspace: Workspace) -> None:
    """Three days: each host counts once, its packets added up."""
    app = run(workspace.root, "port 23", since=DAYS[0])
    assert "3 days, 2021-12-01 to 2021-12-04" in told(app)
    app.segmented_control(key="graph_section").set_value("Edges").run()
    edges = table(quiet(app), "dark_addresses")
    assert edges["days"].max() <= 3
    assert edges["packets"].sum() == 3 * 4 * 8


def test_the_current_set_and_the_host_in_view_start_a_graph(run: Any, workspace: Workspace) -> None:
    """What came into view last is shown; a foreign name stays text."""
    made = save_set(
        workspace, np.array([FIRST + 3, FIRST + 4], np.uint32), recipe={"kind": "chosen"}, name=EVIL
    )
    app = run(workspace.root, set=made.id)
    assert app.segmented_control(key="graph_start").value == "Current set"
    assert names(app)[:2] == ["198.51.100.4", "198.51.100.5"]
    assert EVIL in told(app)
    app = run(workspace.root, host="198.51.100.4")
    assert app.segmented_control(key="graph_start").value == "Host in view"
    assert names(app) == ["198.51.100.4", "23 telnet"]


def test_hosts_that_are_drawn_become_a_set(run: Any, workspace: Workspace) -> None:
    """One click; its recipe says where they come from."""
    app = run(workspace.root, "port 23")
    click(app, "graph_drawn_keep")
    assert app.query_params["set"]
    assert app.segmented_control(key="graph_start").value == "Typed", "the graph stays"


def test_a_port_is_held_against_its_own_days(run: Any, workspace: Workspace) -> None:
    """Hosts that day, the new ones as a table, a set and a chart; ports like it."""
    app = run(workspace.root, "port 23", graph_section="Port")
    figures = {metric.label: metric.value for metric in app.main.metric}
    assert figures == {
        "Hosts that day": "4",
        "New here": "4",
        "Usual hosts a day": "4.0",
        "Packets that day": "32",
    }
    assert table(app, "new_hosts")["times"].tolist() == [1.0]
    assert len(app.main.get("vega_lite_chart")) == 1
    assert table(app, "address")["address"].nunique() == 4
    click(app, "graph_port_new_keep")
    assert "new on port 23 telnet" in told_in_sidebar(app)


def test_ports_are_compared_by_embedding(
    run: Any,
    workspace: Workspace,
    no_processes: list[str],  # noqa: F811
) -> None:
    """Without a run it says what is missing; with one, each other port has a likeness."""
    near = {"graph_section": "Port", "graph_port_likeness": "By embedding of their hosts"}
    assert "This needs a run" in told(run(workspace.root, "port 23", **near))
    embedded_run(workspace)
    app = run(workspace.root, "port 23", **near)
    assert "Ports themselves are not embedded" in told(app)
    ports = table(app, "similarity")
    assert len(ports) == 4
    assert (ports["shared"] == 0).all()


def told_in_sidebar(app: AppTest) -> str:
    """Return the words of the sidebar."""
    return "\n".join(str(each.value) for kind in ("caption", "text") for each in getattr(app, kind))


def test_central_nodes_and_groups_can_be_chosen(run: Any, workspace: Workspace) -> None:
    """The port in the middle comes first; groups in the drawing and over all hosts."""
    app = run(workspace.root, "port 23", graph_section="Central nodes")
    central = table(app, "betweenness")
    assert central.iloc[0][["node", "betweenness", "degree"]].tolist() == ["23 telnet", 1.0, 4]
    app.segmented_control(key="graph_section").set_value("Groups").run()
    app.number_input(key="graph_group_ports").set_value(1).run()
    assert table(quiet(app), "which ports")["which ports"].tolist() == ["23 telnet"]
    app.segmented_control(key="graph_group_kind").set_value("Equal ports, all hosts").run()
    groups = table(quiet(app), "which ports")
    assert groups["hosts"].tolist() == [4] * 5
    app.segmented_control(key="graph_group_kind").set_value("Near ports, all hosts").run()
    assert len(table(quiet(app), "which ports")) == 5
    app.number_input(key="graph_group_hosts").set_value(9).run()
    assert "None." in told(quiet(app))


def test_the_drawing_can_be_handed_on(run: Any, workspace: Workspace) -> None:
    """Five files are offered."""
    app = run(workspace.root, "port 23", graph_section="Export")
    offered = [each.proto.label for each in app.main.get("download_button")]
    assert offered == ["GraphML", "Edges as CSV", "Nodes as CSV", "SVG", "PNG"]


def test_a_cluster_starts_a_graph(
    run: Any,
    workspace: Workspace,
    no_processes: list[str],  # noqa: F811
) -> None:
    """Without a run it says so; looked for, chosen by number, told how close it lies, a set."""
    address = {"graph_start": "Cluster", "cluster_hosts": "5", "cluster_samples": "3"}
    app = run(workspace.root, **address)
    assert "train a model first" in told(app)
    run_id = embedded_run(workspace)
    app = run(workspace.root, **address)
    assert any("starting" in each.proto.text for each in app.get("progress"))
    settings = {"min_hosts": 5, "min_samples": 3}
    job = {"run_id": run_id, "day": DAYS[-1], "settings": settings}
    cluster_for_job(workspace, job, told=lambda _: None)
    app = quiet(app.run())
    assert "Cluster 1 has" in told(app)
    found = find_clusters(workspace, run_id, ClusterSettings(5, 3), DAYS[-1])
    assert found is not None
    hosts = {node[0] for node in drawing(app)["nodes"] if node[0].startswith("h")}
    assert len(hosts) == (found.labels == 1).sum()
    last = int(found.labels.max())
    app.selectbox(key="graph_cluster").set_value(last).run()
    assert f"Cluster {last} has" in told(quiet(app))
    assert app.query_params["graph_cluster"] == str(last)
    with workspace.catalogue() as connection:
        add_labels(connection, [parse_target("198.51.100.0/28")], "shodan")
    linked = run(workspace.root, **address, graph_cluster=str(last))
    assert f"Cluster {last} has" in told(linked), "by number, whatever the labels are now"
    click(app, "graph_of_cluster_keep")
    kept = find_set(workspace, str(app.query_params["set"]))
    assert kept.recipe["cluster"] == last
    assert len(kept.hosts) == (found.labels == last).sum()
    app.number_input(key="cluster_hosts").set_value(5_000).run()
    job["settings"] = {"min_hosts": 5_000, "min_samples": 3}
    cluster_for_job(workspace, job, told=lambda _: None)
    assert "All hosts are noise" in told(quiet(app.run()))
