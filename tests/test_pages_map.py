"""Browse embeddings: what is drawn becomes a selection; search, table, panel, t-SNE, two maps."""

import json
import struct
from collections.abc import Callable, Iterator
from ipaddress import IPv4Address
from typing import Any

import numpy as np
import pytest
import streamlit as st
from streamlit.testing.v1 import AppTest

from darkgnn_core.host_sets import find_set, save_set
from darkgnn_core.labels.analyst import add_labels
from darkgnn_core.labels.targets import target_of
from darkgnn_core.maps.cluster_job import cluster_for_job, clusters_job, find_clusters
from darkgnn_core.maps.clustering import ClusterSettings
from darkgnn_core.maps.making import make_maps, map_job, queue_maps
from darkgnn_core.maps.packing import LIT, SELECTED
from darkgnn_core.maps.storing import find_map
from darkgnn_core.maps.tsne import TsneSettings
from darkgnn_core.runs import list_runs
from darkgnn_core.workspace import Workspace
from tests.app_workspaces import DAYS, filled_workspace
from tests.clicking import FRAME, click, opening, quiet
from tests.made_runs import no_processes  # noqa: F401 - a fixture
from tests.map_workspaces import GROUP, embedded_run, hosts_on

PAGE = "browse_embeddings.py"
LAST = DAYS[-1]
QUICK = TsneSettings(perplexity=4, early=40, late=40, aligned=30)
Open = Callable[..., AppTest]


@pytest.fixture(scope="module")
def loaded(tmp_path_factory: pytest.TempPathFactory) -> Workspace:
    """Load a small trace once."""
    return filled_workspace(tmp_path_factory.mktemp("map page"))


@pytest.fixture
def workspace(loaded: Workspace, no_processes: list[str]) -> Workspace:  # noqa: F811
    """A workspace with a run, nothing selected or kept, no labels."""
    with loaded.catalogue() as connection:
        connection.execute("DELETE FROM run")
        connection.execute("DELETE FROM host_set")
        connection.execute("DELETE FROM label")
        connection.execute("DELETE FROM setting WHERE name IN ('map_selection', 'set_trail')")
    embedded_run(loaded)
    return loaded


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch) -> Iterator[Open]:
    """Give a function that opens the page on a workspace."""
    monkeypatch.setattr("pages.shared.map_loaders.SETTINGS", QUICK)
    with opening(monkeypatch, PAGE) as go:
        yield go


def sent(app: AppTest, name: str = "left") -> tuple[dict[str, Any], bytes, dict[str, Any], bytes]:
    """Return what the browser was sent for a map: header and body of points, then of marks."""
    found: dict[str, tuple[dict[str, Any], bytes]] = {}
    for each in app.main.get("bidi_component"):
        message = each.proto.bytes
        (length,) = struct.unpack("<I", message[:4])
        head = json.loads(message[4 : 4 + length])
        if head["name"] == name:
            found[head["role"]] = head, message[-(-(4 + length) // 4) * 4 :]
    return (*found["map"], *found["marks"])


def on_map(app: AppTest, name: str = "left") -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return points, hosts and states of a map as the browser has them."""
    head, body, marks, states = sent(app, name)
    n = head["n"]
    assert marks["id"] == head["id"]
    points = np.frombuffer(body[: 8 * n], "<f4").reshape(n, 2)
    return points, np.frombuffer(body[8 * n :], "<u4"), np.frombuffer(states[n:], np.uint8)


def act(app: AppTest, name: str = "left", *, number: int = 1, **event: Any) -> AppTest:
    """Do something on a map, as its JavaScript reports it."""
    head, *_ = sent(app, name)
    value = {"id": number, "points": head["id"], **event}
    app.session_state[f"map_{name}"] = {"event": value}
    return app.run()


def ring(points: np.ndarray) -> list[list[float]]:
    """Return a line round some points."""
    low, high = points.min(axis=0) - 0.05, points.max(axis=0) + 0.05
    return [[low[0], low[1]], [high[0], low[1]], [high[0], high[1]], [low[0], high[1]]]


def selected(app: AppTest) -> list[int]:
    """Return the hosts that are drawn as selected."""
    _, hosts, states = on_map(app)
    return sorted(hosts[(states & SELECTED) > 0].tolist())


def test_without_a_run_the_way_to_one_is_shown(
    run: Open,
    loaded: Workspace,
    no_processes: list[str],  # noqa: F811
) -> None:
    """No embeddings: a sentence and a link, no map."""
    with loaded.catalogue() as connection:
        connection.execute("DELETE FROM run")
    app = run(loaded.root)
    assert "train a model first" in app.info[0].value
    assert not app.main.get("bidi_component")


def test_all_hosts_of_the_day_are_on_the_map(run: Open, workspace: Workspace) -> None:
    """Every host once, and the page says so; a legend with a count for each label."""
    app = run(workspace.root)
    points, hosts, states = on_map(app)
    assert sorted(hosts.tolist()) == sorted(hosts_on(workspace, LAST).tolist())
    assert np.isfinite(points).all()
    assert any(f"showing all {len(hosts)} hosts" in each.value for each in app.text)
    _, _, marks, _ = sent(app)
    assert [(each["name"], each["hosts"]) for each in marks["palette"]] == [("unknown", len(hosts))]
    assert not (states & SELECTED).any()


def test_a_lasso_selects_exactly_what_it_encloses(run: Open, workspace: Workspace) -> None:
    """The planted group, to the host: on the map, in the table, in the legend, in the panel."""
    app = run(workspace.root)
    points, hosts, _ = on_map(app)
    app = quiet(act(app, kind="lasso", polygon=ring(points[:GROUP]), how="replace"))
    assert selected(app) == sorted(hosts[:GROUP].tolist())
    _, _, marks, _ = sent(app)
    assert marks["palette"][0]["selected"] == GROUP
    assert marks["text"] == f"{GROUP} of {len(hosts)} hosts selected"
    addresses = next(each.value for each in app.dataframe if "first seen" in each.value)
    assert len(addresses) == GROUP
    metrics = {each.label: each.value for each in app.main.metric}
    assert metrics["Hosts"] == str(GROUP)
    assert float(metrics["Cohesion"]) > 0.9
    assert any("lift" in each.value for each in app.dataframe)


def test_shift_adds_ctrl_takes_out_and_one_step_goes_back(run: Open, workspace: Workspace) -> None:
    """A second line adds, a third takes out, a single host toggles; the step before comes back."""
    app = run(workspace.root)
    points, hosts, _ = on_map(app)
    act(app, kind="box", polygon=ring(points[:GROUP]), how="replace")
    act(app, number=2, kind="lasso", polygon=ring(points[GROUP : GROUP + 1]), how="add")
    with_one = selected(app)
    assert set(with_one) > set(hosts[:GROUP].tolist())
    act(app, number=3, kind="lasso", polygon=ring(points[:GROUP]), how="remove")
    assert not set(selected(app)) & set(hosts[:GROUP].tolist())
    act(app, number=4, kind="host", host=int(hosts[0]), how="add")
    assert int(hosts[0]) in selected(app)
    act(app, number=5, kind="host", host=int(hosts[0]), how="add")
    assert int(hosts[0]) not in selected(app)
    click(app, "map_back")
    assert int(hosts[0]) in selected(app)
    act(app, number=6, kind="clear")
    assert selected(quiet(app)) == []


def test_an_event_counts_once_and_only_for_its_points(run: Open, workspace: Workspace) -> None:
    """Running the page again repeats nothing; a line drawn on another map is dropped."""
    app = run(workspace.root)
    points, _, _ = on_map(app)
    act(app, kind="lasso", polygon=ring(points[:GROUP]), how="replace")
    click(app, "map_back")
    assert selected(app.run()) == []
    app.session_state["map_left"] = {
        "event": {"id": 2, "points": "other", "kind": "lasso", "polygon": ring(points)}
    }
    assert selected(quiet(app.run())) == []


def test_nonsense_from_the_browser_is_refused_in_words(run: Open, workspace: Workspace) -> None:
    """A line that is none ends in a sentence, not a traceback; unknown kinds do nothing."""
    app = run(workspace.root)
    act(app, kind="lasso", polygon="x", how="replace")
    assert not app.exception
    assert "drawn line" in app.error[0].value
    app = quiet(act(app.run(), number=2, kind="other"))
    quiet(act(app, number=3, kind="class", place=99))


def test_a_reload_loses_nothing(run: Open, workspace: Workspace) -> None:
    """A new session finds what was selected last; a set made current later comes first."""
    app = run(workspace.root)
    points, hosts, _ = on_map(app)
    act(app, kind="lasso", polygon=ring(points[:GROUP]), how="replace")
    assert selected(run(workspace.root)) == sorted(hosts[:GROUP].tolist())
    made = save_set(workspace, hosts[10:12], recipe={"kind": "chosen"}, name="later")
    app = AppTest.from_file(FRAME, default_timeout=60)
    app.query_params["set"] = made.id
    app.run()
    app.switch_page(f"../{PAGE}").run()
    assert selected(quiet(app)) == sorted(hosts[10:12].tolist())


def test_a_selection_becomes_the_current_set(run: Open, workspace: Workspace) -> None:
    """Kept with how it was drawn, and its hosts."""
    app = run(workspace.root)
    points, hosts, _ = on_map(app)
    act(app, kind="lasso", polygon=ring(points[:GROUP]), how="replace")
    click(app, "map_set_keep")
    made = find_set(workspace, app.session_state["set_in_view"])
    assert sorted(made.hosts.tolist()) == sorted(hosts[:GROUP].tolist())
    assert made.recipe["kind"] == "lasso"
    assert made.recipe["day"] == LAST
    assert len(made.recipe["polygon"]) == 4


def test_what_is_searched_lights_up(run: Open, workspace: Workspace) -> None:
    """A port lights its hosts; Select makes them the selection; a pasted list lights up, too."""
    app = run(workspace.root)
    app.text_input(key="map_search").input("23").run()
    _, hosts, states = on_map(quiet(app))
    lit = hosts[(states & LIT) > 0]
    assert len(lit) == 4
    click(app, "map_found_0")
    assert selected(app) == sorted(lit.tolist())
    app.text_input(key="map_search").input("").run()
    first = ".".join(str(int(hosts[0]) >> shift & 255) for shift in (24, 16, 8, 0))
    app.text_area(key="map_list").input(f"{first}\n192.0.2.77\nnonsense").run()
    _, _, states = on_map(quiet(app))
    assert np.flatnonzero(states & LIT).tolist() == [0]
    assert any(each.value.startswith("1 host lit up") for each in app.text)
    assert any("1 address is not on this day" in each.value for each in app.text)
    assert app.warning[0].value.startswith("1 entry is no IPv4 address: ")
    app.text_area(key="map_list").input(f"{first}\n2001:db8::7").run()
    assert "IPv6 addresses are not kept" in quiet(app).info[0].value
    app.text_area(key="map_list").input("").run()
    start = first.rpartition(".")[0]
    app.text_input(key="map_search").input(start).run()
    assert "start of an address" in quiet(app).info[0].value


def test_the_table_selects_as_the_lasso_does(run: Open, workspace: Workspace) -> None:
    """Rows of All become the selection, others are added or taken out: no mouse needed."""
    app = run(workspace.root)
    app.segmented_control(key="map_table_which").set_value("All").run()
    key = "map_table_0_All"
    app.session_state[key] = {"selection": {"rows": [0, 2], "columns": [], "cells": []}}
    app.run()
    shown = next(each.value for each in app.dataframe if "first seen" in each.value)
    click(app, "map_rows_only")
    assert len(selected(app)) == 2
    addresses = {
        ".".join(str(host >> shift & 255) for shift in (24, 16, 8, 0)) for host in selected(app)
    }
    assert addresses == {shown["address"].iloc[0], shown["address"].iloc[2]}
    app.session_state["map_table_1_All"] = {"selection": {"rows": [2], "columns": [], "cells": []}}
    app.run()
    click(app, "map_rows_out")
    assert len(selected(app)) == 1


@pytest.mark.parametrize(
    "colour", ["prediction", "confidence", "port", "packets", "newness", "trust", "feature"]
)
def test_everything_can_be_coloured_by(run: Open, workspace: Workspace, colour: str) -> None:
    """Each choice gives a legend whose counts add up to all hosts."""
    app = run(workspace.root)
    app.selectbox(key="map_colour").set_value(colour).run()
    head, _, marks, _ = sent(quiet(app))
    assert sum(each["hosts"] for each in marks["palette"]) == head["n"]
    assert marks["title"]


def give_label(workspace: Workspace, hosts: np.ndarray) -> None:
    """Label hosts as scanners of Censys."""
    with workspace.catalogue() as connection:
        add_labels(connection, [target_of(int(host)) for host in hosts], "censys")


def test_a_label_has_its_colour_and_a_click_on_the_legend_selects_it(
    run: Open, workspace: Workspace
) -> None:
    """Labelled hosts get the colour of all pages; choosing the class selects exactly them."""
    hosts = hosts_on(workspace, LAST)[:3]
    give_label(workspace, hosts)
    app = run(workspace.root)
    _, _, marks, _ = sent(app)
    assert (marks["palette"][0]["name"], marks["palette"][0]["hosts"]) == ("censys", 3)
    assert marks["palette"][0]["colour"] == "#3399CC"
    act(app, kind="class", place=0, how="replace")
    assert selected(quiet(app)) == sorted(hosts.tolist())


def test_hidden_scanners_are_said_to_be(run: Open, workspace: Workspace) -> None:
    """With known scanners hidden the map is without them and says how many it shows of how many."""
    hosts = hosts_on(workspace, LAST)
    give_label(workspace, hosts[:3])
    app = run(workspace.root)
    app.toggle(key="hide_known").set_value(True).run()
    _, shown, _ = on_map(quiet(app))
    assert len(shown) == len(hosts) - 3
    assert any(f"showing {len(shown)} of {len(hosts)} hosts" in each.value for each in app.text)


def test_tsne_is_made_in_the_background_and_shown_when_there(
    run: Open, workspace: Workspace
) -> None:
    """Choosing it starts a job and shows the plane meanwhile; then the map, with trails."""
    app = run(workspace.root)
    plane, _, _ = on_map(app)
    app.segmented_control(key="map_method").set_value("tsne").run()
    run_id = _run_id(workspace)
    job = map_job(workspace, run_id, QUICK)
    assert job is not None
    assert job.config["day"] == LAST
    assert np.array_equal(on_map(quiet(app))[0], plane)
    assert "principal components are shown" in app.get("progress")[0].proto.text
    click(app, "map_cancel")
    assert "There is no t-SNE map" in app.warning[0].value
    make_maps(workspace, run_id, DAYS, LAST, QUICK)
    app = quiet(app.run())
    made = find_map(workspace, run_id, QUICK, LAST)
    assert made is not None
    assert np.array_equal(on_map(app)[0], made.points)
    points, _, _ = on_map(app)
    act(app, kind="lasso", polygon=ring(points[:GROUP]), how="replace")
    app.toggle(key="map_trails").set_value(True).run()
    trails = sent(quiet(app))[2]["trails"]
    assert trails
    assert all(each["days"][-1] == LAST[5:] for each in trails)
    assert len(trails[0]["points"]) == len(trails[0]["days"])


def test_a_map_that_vanished_is_not_made_over_and_over(run: Open, workspace: Workspace) -> None:
    """A job that made the day has ended and its file is gone: said, with a button to make it."""
    job_id = queue_maps(workspace, _run_id(workspace), LAST, QUICK)
    with workspace.catalogue() as connection:
        connection.execute(
            "UPDATE job SET state = 'done', report = ? WHERE id = ?",
            (json.dumps({"days": [LAST]}), job_id),
        )
    app = run(workspace.root)
    app.segmented_control(key="map_method").set_value("tsne").run()
    assert "gone or damaged" in quiet(app).warning[0].value
    click(app, "map_again")
    job = map_job(workspace, _run_id(workspace), QUICK)
    assert job is not None
    assert job.is_active
    assert job.id != job_id


def _run_id(workspace: Workspace) -> str:
    with workspace.catalogue() as connection:
        return str(connection.execute("SELECT id FROM run").fetchone()["id"])


def test_two_days_and_two_runs_share_one_selection(run: Open, workspace: Workspace) -> None:
    """Drawing on the right map selects the same hosts on the left one."""
    embedded_run(workspace, name="other", seed=3)
    app = run(workspace.root)
    for kind, count in (("Another day", 2), ("Another run", 3)):
        app.segmented_control(key="map_beside").set_value(kind).run()
        points, hosts, _ = on_map(quiet(app), "right")
        act(app, "right", number=count, kind="box", polygon=ring(points[:GROUP]), how="replace")
        both = set(hosts[:GROUP].tolist()) & set(on_map(app)[1].tolist())
        assert set(selected(app)) == both
        assert len(app.main.get("bidi_component")) == 4
        click(app, "map_back")


def test_the_day_of_the_slider_is_that_of_all_pages(run: Open, workspace: Workspace) -> None:
    """Moving it changes the day in view and the map."""
    app = run(workspace.root)
    app.select_slider(key="map_day").set_value(DAYS[0]).run()
    assert app.session_state["day"] == DAYS[0]
    assert sorted(on_map(quiet(app))[1].tolist()) == sorted(hosts_on(workspace, DAYS[0]).tolist())


def test_a_click_on_a_host_opens_its_page(run: Open, workspace: Workspace) -> None:
    """The host is in view afterwards."""
    app = run(workspace.root)
    _, hosts, _ = on_map(app)
    act(app, kind="open", host=int(hosts[0]), how="replace")
    assert not app.exception
    address = ".".join(str(int(hosts[0]) >> shift & 255) for shift in (24, 16, 8, 0))
    assert app.session_state["host_in_view"] == address


def test_clusters_are_found_in_the_background_and_become_a_selection(
    run: Open, workspace: Workspace
) -> None:
    """Colour by cluster: progress, then a legend; a click on it is a set with a recipe."""
    app = run(workspace.root)
    app.selectbox(key="map_colour").set_value("cluster").run()
    app.number_input(key="cluster_hosts").set_value(5).run()
    app.number_input(key="cluster_samples").set_value(3).run()
    assert any("Clusters of" in each.proto.text for each in quiet(app).get("progress"))
    run_id = next(each.id for each in list_runs(workspace))
    job = clusters_job(workspace, run_id, LAST, ClusterSettings(5, 3))
    assert job is not None
    cluster_for_job(workspace, job.config, told=lambda _: None)
    with workspace.catalogue() as connection:
        connection.execute("UPDATE job SET state = 'done'")
    app = quiet(app.run())
    _, _, marks, _ = sent(app)
    names = [each["name"] for each in marks["palette"]]
    assert names[0] == "cluster 1"
    assert names[-1] == "noise"
    _, hosts, _ = on_map(app)
    found = find_clusters(workspace, run_id, ClusterSettings(5, 3), LAST)
    assert found is not None
    planted = int(found.labels[0])
    app = quiet(act(app, kind="class", place=names.index(f"cluster {planted}"), how="replace"))
    assert set(hosts[:GROUP].tolist()) <= set(selected(app))
    assert any(f"Cluster {planted} has" in each.value for each in app.caption)
    click(app, "map_set_keep")
    kept = find_set(workspace, str(app.query_params["set"]))
    assert kept.recipe["kind"] == "cluster"
    assert kept.recipe["cluster"] == planted
    assert f"cluster {planted} (HDBSCAN, hosts at least 5, neighbours 3)" in kept.name


def linked(page: str = PAGE, **query: str) -> AppTest:
    """Open a page in a new session, by a link."""
    app = AppTest.from_file(FRAME, default_timeout=60)
    for name, value in query.items():
        app.query_params[name] = value
    app.run()
    return quiet(app.switch_page(f"../{page}").run())


def kept_and_drawn_on(run: Open, workspace: Workspace) -> tuple[AppTest, str, np.ndarray]:
    """Keep the planted group as current set, draw two others; return app, set and hosts."""
    app = run(workspace.root)
    points, hosts, _ = on_map(app)
    act(app, kind="lasso", polygon=ring(points[:GROUP]), how="replace")
    click(app, "map_set_keep")
    made = str(app.session_state["set_in_view"])
    assert selected(app) == sorted(hosts[:GROUP].tolist())
    for number, place in enumerate((GROUP, GROUP + 1), start=2):
        act(app, number=number, kind="host", host=int(hosts[place]), how="add")
    act(app, number=9, kind="lasso", polygon=ring(points[:GROUP]), how="remove")
    return quiet(app), made, hosts


def test_a_link_shows_the_set_it_names(run: Open, workspace: Workspace) -> None:
    """What was drawn on top of the set is not forced on who opens the link, but offered."""
    app, made, hosts = kept_and_drawn_on(run, workspace)
    drawn = selected(app)
    assert drawn == sorted(hosts[GROUP : GROUP + 2].tolist())
    app = linked(set=made)
    assert selected(app) == sorted(hosts[:GROUP].tolist())
    assert any("A selection of 2 hosts" in each.value for each in app.caption)
    click(app, "map_draft")
    assert selected(app) == drawn
    assert not [each for each in app.button if each.key == "map_draft"]
    click(app, "map_back")
    assert selected(app) == sorted(hosts[:GROUP].tolist())


def test_a_chosen_set_is_what_the_map_shows(run: Open, workspace: Workspace) -> None:
    """Undo, redo, Clear and the button Map bring their set; drawing stays until then."""
    app, _, hosts = kept_and_drawn_on(run, workspace)
    group, drawn = sorted(hosts[:GROUP].tolist()), selected(app)
    app.switch_page("../manage_cases.py").run()
    app.switch_page(f"../{PAGE}").run()
    assert selected(app) == drawn
    app.switch_page("../manage_cases.py").run()
    app.button(key="case_set_map").click().run()
    app.switch_page(f"../{PAGE}").run()
    assert selected(app) == group
    click(app, "map_back")
    assert selected(app) == drawn
    click(app, "set_undo")
    assert selected(app) == []
    click(app, "set_redo")
    assert selected(app) == group
    other = save_set(workspace, hosts[10:12], recipe={"kind": "chosen"}, name="other")
    app.query_params["set"] = other.id
    app.run()
    assert selected(app) == sorted(hosts[10:12].tolist())
    click(app, "set_clear")
    assert selected(app) == []
    assert selected(linked()) == []


def test_hidden_hosts_that_are_selected_count_and_it_is_said(
    run: Open, workspace: Workspace
) -> None:
    """Table and panel say how many are shown of how many; what acts on them acts on all."""
    hosts = hosts_on(workspace, LAST)
    give_label(workspace, hosts[:3])
    app = run(workspace.root)
    points, _, _ = on_map(app)
    act(app, kind="lasso", polygon=ring(points[:GROUP]), how="replace")
    app.toggle(key="hide_known").set_value(True).run()
    said = [each.value.replace("\\", "") for each in quiet(app).caption]
    words = f"{GROUP - 3} of {GROUP} selected hosts are shown: 3 known scanners are hidden."
    assert words in said
    assert f"{words} All figures below are of all {GROUP}." in said
    assert any(f"CSV act on all {GROUP} selected hosts" in each for each in said)
    _, _, marks, _ = sent(app)
    assert marks["text"].endswith("hosts selected and 3 hidden")
    assert {each.label: each.value for each in app.main.metric}["Hosts"] == str(GROUP)
    click(app, "map_set_keep")
    made = find_set(workspace, app.session_state["set_in_view"])
    assert sorted(made.hosts.tolist()) == sorted(hosts[:GROUP].tolist())


def test_a_small_table_is_no_taller_than_its_rows(
    run: Open, workspace: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its height follows its rows up to a limit; one host is called one."""
    heights: dict[str, int] = {}
    shown = st.dataframe

    def noted(*given: Any, **settings: Any) -> Any:
        heights[str(settings.get("key"))] = settings["height"]
        return shown(*given, **settings)

    monkeypatch.setattr("streamlit.dataframe", noted)
    app = run(workspace.root)
    _, hosts, _ = on_map(app)
    act(app, kind="host", host=int(hosts[0]), how="add")
    assert "One selected host." in [each.value for each in quiet(app).caption]
    assert heights["map_table_0_Selected"] == 2 * 35 + 3
    app.segmented_control(key="map_table_which").set_value("All").run()
    assert heights["map_table_0_All"] == min(340, (len(hosts) + 1) * 35 + 3)


def test_what_was_set_up_is_there_on_coming_back(run: Open, workspace: Workspace) -> None:
    """Search, list, colours and the map beside are as they were before another page was opened."""
    app = run(workspace.root)
    app.text_input(key="map_search").input("23").run()
    app.text_area(key="map_list").input("192.0.2.77").run()
    app.selectbox(key="map_colour").set_value("packets").run()
    app.segmented_control(key="map_method").set_value("tsne").run()
    app.segmented_control(key="map_beside").set_value("Another day").run()
    app.selectbox(key="map_beside_day").set_value(DAYS[0]).run()
    app.switch_page("../manage_cases.py").run()
    assert "map_search" not in app.session_state
    app = quiet(app.switch_page(f"../{PAGE}").run())
    assert app.text_input(key="map_search").value == "23"
    assert app.text_area(key="map_list").value == "192.0.2.77"
    assert app.selectbox(key="map_colour").value == "packets"
    assert app.segmented_control(key="map_method").value == "tsne"
    assert app.selectbox(key="map_beside_day").value == DAYS[0]
    assert len(on_map(app, "right")[1]) == len(hosts_on(workspace, DAYS[0]))
    app.text_input(key="map_search").input("").run()
    app.switch_page("../manage_cases.py").run()
    app = quiet(app.switch_page(f"../{PAGE}").run())
    assert app.text_input(key="map_search").value == ""


def test_a_set_leads_to_its_own_day_and_run(run: Open, workspace: Workspace) -> None:
    """Made on another day with another run: the map says so and goes there, or to the day alone."""
    other = embedded_run(workspace, name="other", seed=3)
    hosts = hosts_on(workspace, DAYS[0])
    recipe = {"kind": "lasso", "run": other, "day": DAYS[0], "map": "t-SNE"}
    made = save_set(workspace, hosts[:3], recipe=recipe, name="three")
    first = next(each.id for each in list_runs(workspace) if each.id != other)
    run(workspace.root)  # caches, and which workspace
    app = linked(set=made.id, run=first, day=LAST)
    assert f"The current set was made on {DAYS[0]} with the run other." in [
        each.value.replace("\\", "") for each in app.caption
    ]
    click(app, "map_own_view")
    assert app.session_state["run_in_view"] == other
    assert app.session_state["day"] == DAYS[0]
    assert selected(app) == sorted(hosts[:3].tolist())
    assert not [each for each in app.button if each.key == "map_own_view"]
    gone = {"kind": "lasso", "run": "none", "day": DAYS[0]}
    made = save_set(workspace, hosts[:3], recipe=gone, name="of a run that is gone")
    app = linked(set=made.id, run=first, day=LAST)
    click(app, "map_own_view")
    assert app.session_state["run_in_view"] == first
    assert app.session_state["day"] == DAYS[0]


def test_each_trail_has_a_number_and_its_host_is_named(run: Open, workspace: Workspace) -> None:
    """More trails than names fit on the map: a table says whose each is."""
    app = run(workspace.root)
    points, hosts, _ = on_map(app)
    act(app, kind="lasso", polygon=ring(points), how="replace")
    app.toggle(key="map_trails").set_value(True).run()
    trails = sent(quiet(app))[2]["trails"]
    assert len(trails) > 4
    assert [each["number"] for each in trails] == list(range(1, len(trails) + 1))
    key = next(each.value for each in app.dataframe if "trail" in each.value)
    assert key["address"].tolist() == [each["name"] for each in trails]
    assert set(key["address"]) <= {str(IPv4Address(int(host))) for host in hosts}
    app.select_slider(key="map_day").set_value(DAYS[0]).run()
    assert not sent(quiet(app))[2]["trails"]
    assert any("first day of the run" in each.value for each in app.caption)


def test_trails_wait_for_a_second_map(run: Open, workspace: Workspace) -> None:
    """While t-SNE has made one day alone, it is said that more are needed."""
    make_maps(workspace, _run_id(workspace), (LAST,), LAST, QUICK)
    app = run(workspace.root)
    app.segmented_control(key="map_method").set_value("tsne").run()
    points, _, _ = on_map(quiet(app))
    act(app, kind="lasso", polygon=ring(points[:GROUP]), how="replace")
    app.toggle(key="map_trails").set_value(True).run()
    assert any("Trails need more days" in each.value for each in quiet(app).caption)
