"""The page Inspect host, clicked through without a browser: every view, every empty state."""

import shutil
from collections.abc import Callable, Iterator
from ipaddress import IPv4Address
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import streamlit as st
from app_workspaces import DAYS, filled_workspace
from clicking import FRAME, click, quiet, table
from made_embeddings import drawn_places, embedded_run
from made_runs import no_processes
from released_files import planted, write_released
from streamlit.testing.v1 import AppTest

from darkgnn_core.host_sets import save_set
from darkgnn_core.labels.analyst import add_labels
from darkgnn_core.labels.targets import parse_target
from darkgnn_core.labels.texts import fold
from darkgnn_core.neighbours import nearest
from darkgnn_core.released_loading import load_released
from darkgnn_core.run_config import RunConfig
from darkgnn_core.runs import open_embedding
from darkgnn_core.snapshots.released_writing import CONFIG
from darkgnn_core.workspace import Workspace, open_workspace

__all__ = ["no_processes"]

HOST = "198.51.100.10"
LEFT_OUT = "198.51.100.12"
EVIL = "**[evil](http://192.0.2.1)**"
FOLDED = fold(EVIL)
DAY = DAYS[-1]


@pytest.fixture(scope="module")
def filled(tmp_path_factory: pytest.TempPathFactory) -> Workspace:
    """A workspace of three days, hosts .4 to .15 labelled evil, .16 to .18 labelled shodan."""
    workspace = filled_workspace(tmp_path_factory.mktemp("filled"))
    with workspace.catalogue() as connection:
        for numbers, label in ((range(4, 16), EVIL), (range(16, 19), "shodan")):
            targets = [parse_target(f"198.51.100.{number}") for number in numbers]
            add_labels(connection, targets, label, reason=EVIL, confidence=0.9)
    return workspace


@pytest.fixture
def workspace(filled: Workspace, tmp_path: Path, no_processes: list[str]) -> Workspace:
    """A copy of it with two runs, the second over the last day only and without one host."""
    shutil.copytree(filled.root, tmp_path / "workspace")
    workspace = open_workspace(tmp_path / "workspace")
    left_out = int(IPv4Address(LEFT_OUT))
    embedded_run(
        workspace,
        RunConfig.of("i-darkvec"),
        name=EVIL,
        days=[DAY],
        place=lambda day, hosts: drawn_places(day, hosts, seed=1),
        without=[left_out],
    )
    embedded_run(workspace, RunConfig.of("i-gcn-gru"), name="main run", without=[left_out])
    return workspace


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[Callable[..., AppTest]]:
    """Open the page on an address, in a view."""
    st.cache_resource.clear()
    st.cache_data.clear()

    def go(root: Path, host: str = "", view: str = "", *, is_quiet: bool = True) -> AppTest:
        monkeypatch.setenv("DARKGNN_WORKSPACE", str(tmp_path / "empty"))  # Today is quick there
        app = AppTest.from_file(FRAME, default_timeout=60).run()
        monkeypatch.setenv("DARKGNN_WORKSPACE", str(root))
        app.switch_page("../inspect_host.py")
        if host:
            app.query_params["host"] = host
        app.run()
        if view:
            app.segmented_control(key="host_view").set_value(view).run()
        return quiet(app) if is_quiet else app

    yield go
    st.cache_resource.clear()
    st.cache_data.clear()


def words(app: AppTest) -> str:
    """Return all words on the page, escapes and joiners taken out."""
    kinds = (
        "caption", "text", "info", "warning", "error", "success", "markdown", "subheader", "header",
    )  # fmt: skip
    said = "\n".join(block.value for kind in kinds for block in getattr(app.main, kind))
    return said.replace("\\", "").replace("\u2060", "")


def charts(app: AppTest) -> int:
    """Return how many charts the page has."""
    return len(app.main.get("vega_lite_chart"))


def test_no_address_or_none_that_is_one(run: Any, workspace: Workspace) -> None:
    """An empty field, then nonsense: a sentence, and the busiest hosts one click away."""
    app = run(workspace.root)
    assert "Type an address" in app.info[0].value
    assert app.text_input(key="host_typed").value == ""
    assert HOST in set(table(app, "address")["address"])
    for typed, part in (
        ("2001:db8::1", "IPv6"),
        ("no address", "IPv4 address"),
        ("198.51.100.0/24", "prefix"),
        (EVIL, "IPv4 address"),
    ):
        app.text_input(key="host_typed").set_value(typed).run()
        assert part in words(quiet(app))
        assert "](http" not in app.warning[0].value
        assert not table(app, "address").empty
    app.query_params["host"] = "2001:db8::2"
    app.run()
    assert "2001:db8::2" in words(quiet(app))


def test_an_empty_workspace_leads_to_the_data(run: Any, tmp_path: Path) -> None:
    """Nothing is loaded: no table, no error, a way on."""
    app = run(tmp_path / "new", HOST)
    assert "load traffic first" in app.info[0].value
    assert not app.dataframe


def test_an_address_that_was_never_seen(run: Any, workspace: Workspace) -> None:
    """It is in no graph; a search of the packets finds the victim of backscatter there."""
    app = run(workspace.root, "203.0.113.9")
    assert "in no graph" in app.info[0].value
    click(app, "host_search_packets")
    found = table(app, "answers")
    assert found["answers"].tolist() == [10, 10, 10]
    assert "Found on 3 of 3 days" in words(app)
    app.text_input(key="host_typed").set_value("192.0.2.200").run()
    click(app, "host_search_packets")
    assert "Not a single packet on 3 days" in words(app)


def test_typing_an_address_opens_it_and_stands_in_the_link(run: Any, workspace: Workspace) -> None:
    """Space around it is ignored; label, class, figures and cautions are told."""
    app = run(workspace.root)
    app.text_input(key="host_typed").set_value(f"  {HOST} ").run()
    quiet(app)
    assert app.query_params["host"] in (HOST, [HOST])
    assert app.header[0].value == HOST
    said = words(app)
    assert FOLDED in said
    assert "Says Analysts" in said
    assert "Few packets" in said
    figures = {metric.label: metric.value for metric in app.main.metric}
    assert figures["Packets"] == "8"
    assert figures["Days"] == "3 of 3"
    assert f"First seen {DAYS[0]} " in said
    assert f"last seen {DAY} " in said


def test_neighbours_are_the_exact_ones(run: Any, workspace: Workspace) -> None:
    """Addresses and distances of the table are those of the search in the full space."""
    app = run(workspace.root, HOST, "Neighbours")
    shown = table(app, "rarest")
    run_id = app.query_params.get("run") or None
    assert run_id is None
    embedding = open_embedding(workspace, _newest(workspace), DAY)
    place = int(np.searchsorted(embedding.hosts, int(IPv4Address(HOST))))
    near = nearest(embedding.vectors, np.array([place]), 10)
    expected = [str(IPv4Address(int(each))) for each in embedding.hosts[near.positions[0]]]
    assert shown["open"].tolist() == expected
    np.testing.assert_allclose(shown["distance"], near.distances[0])
    assert set(shown["same_/24"]) == {"yes"}
    assert "Neighbours from its own network" in words(app)
    app.number_input(key="host_k").set_value(3).run()
    app.selectbox(key="host_metric").set_value("euclidean").run()
    app.toggle(key="host_standardise").set_value(False).run()
    far = nearest(embedding.vectors, np.array([place]), 3, metric="euclidean", standardise=False)
    np.testing.assert_allclose(table(quiet(app), "rarest")["distance"], far.distances[0])


def _newest(workspace: Workspace) -> str:
    with workspace.catalogue() as connection:
        row = connection.execute("SELECT id FROM run WHERE name = 'main run'").fetchone()
    return str(row[0])


def test_the_evidence_card_follows_next_neighbour(run: Any, workspace: Workspace) -> None:
    """The card is of the first neighbour, then of the next; it opens on its own page."""
    app = run(workspace.root, HOST, "Neighbours")
    addresses = table(app, "rarest")["open"].tolist()
    assert f"{HOST} and {addresses[0]}" in words(app)
    assert app.button(key="host_near_previous").disabled
    click(app, "host_near_next")
    said = words(app)
    assert f"{HOST} and {addresses[1]}" in said
    assert "Why neighbour 2 of 10 is near" in said
    assert "Similarity by address is not behaviour" in said
    assert "in 0 of 1 other runs" in said or "in 1 of 1 other runs" in said
    figures = {metric.label: metric.value for metric in app.main.metric}
    assert figures["Volume alike"] == "100%"
    click(app, "host_near_open")
    assert app.header[0].value == addresses[1]
    assert "Why neighbour 1 of 10 is near" in words(app)


def test_neighbours_become_a_set(run: Any, workspace: Workspace) -> None:
    """One click keeps the host and its neighbours as the current set, recipe and all."""
    app = run(workspace.root, HOST, "Neighbours")
    addresses = [*table(app, "rarest")["open"], HOST]
    click(app, "host_near_set_keep")
    with workspace.catalogue() as connection:
        row = connection.execute("SELECT recipe, hosts FROM host_set").fetchone()
    assert f'"of": "{HOST}"' in row["recipe"]
    hosts = np.frombuffer(row["hosts"], "<u4")
    assert {str(IPv4Address(int(each))) for each in hosts} == set(addresses)


def test_stepping_through_the_current_set(run: Any, workspace: Workspace) -> None:
    """From host to host by address, as far as the set goes; also from a host outside it."""
    hosts = [int(IPv4Address(f"198.51.100.{number}")) for number in (8, 10, 12)]
    kept = save_set(workspace, np.array(hosts, np.uint32), recipe={"kind": "chosen"}, name=EVIL)
    app = run(workspace.root, HOST)
    assert "host_step_on" not in {button.key for button in app.main.button}
    app.query_params["set"] = kept.id
    app.run()
    assert f"Host 2 of 3 in the current set, {EVIL}." in words(quiet(app))
    click(app, "host_step_on")
    assert app.header[0].value == LEFT_OUT
    assert app.button(key="host_step_on").disabled
    app.text_input(key="host_typed").set_value("198.51.100.9").run()
    assert "not this one" in words(app)
    click(app, "host_step_back")
    assert app.header[0].value == "198.51.100.8"
    assert app.button(key="host_step_back").disabled


def test_known_scanners_are_hidden_and_counted(run: Any, workspace: Workspace) -> None:
    """Shodan's hosts leave the table, and the page says how many."""
    app = run(workspace.root, HOST, "Neighbours")
    app.number_input(key="host_k").set_value(19).run()
    assert "shodan" in set(table(app, "rarest")["label"])
    app.toggle(key="hide_known").set_value(True).run()
    assert "shodan" not in set(table(quiet(app), "rarest")["label"])
    assert "3 of the 18 nearest are known scanners and hidden" in words(app)


def test_a_host_that_was_not_embedded(run: Any, workspace: Workspace) -> None:
    """It has no neighbours in this run, but everything that snapshots tell."""
    app = run(workspace.root, LEFT_OUT, "Neighbours")
    assert f"embedded {DAY}, but not this host" in words(app)
    for view, number in (("Behaviour", 5), ("Headers and features", 1), ("Labels and votes", 0)):
        app.segmented_control(key="host_view").set_value(view).run()
        assert charts(quiet(app)) == number
    app.segmented_control(key="host_view").set_value("Over time").run()
    assert "0 day only" in words(quiet(app))


def test_a_day_the_run_did_not_embed(run: Any, workspace: Workspace) -> None:
    """The run says which days it has; the day in view stays."""
    app = run(workspace.root, HOST)
    other = next(each for each in app.sidebar.selectbox if each.label == "Run")
    other.select(other.options[-1] if EVIL in other.options[-1] else other.options[0]).run()
    app.selectbox(key="day").set_value(DAYS[0]).run()
    assert f"did not embed {DAYS[0]}" in words(quiet(app))


def test_a_day_without_the_host(run: Any, workspace: Workspace) -> None:
    """Its last day before is shown, and one click goes there."""
    app = run(workspace.root, "198.51.100.2")
    assert f"Not seen on {DAY}" in words(app)
    click(app, "host_go_to_day")
    assert app.selectbox(key="day").value == DAYS[1]
    assert "Not seen" not in words(app)


def test_behaviour_by_day_hour_and_port(run: Any, workspace: Workspace) -> None:
    """Three charts by day, the hours of the day, then of all days, and the ports."""
    app = run(workspace.root, HOST, "Behaviour")
    assert charts(app) == 5
    app.segmented_control(key="host_hour_count").set_value("Dark addresses").run()
    app.toggle(key="host_all_hours").set_value(True).run()
    assert charts(quiet(app)) == 6
    assert table(app, "port")["packets"].sum() == 8


def test_headers_and_features(run: Any, workspace: Workspace) -> None:
    """Headers in words, what the trace does not tell, and 37 features against class and all."""
    app = run(workspace.root, HOST, "Headers and features")
    assert "does not tell" in words(app)
    traits = table(app, "header")
    assert "255" in set(traits["value"])
    features = table(app, "percentile of all")
    assert len(features) == 37
    assert features["percentile of class"].notna().all()


def test_labels_with_source_day_and_evidence(run: Any, workspace: Workspace) -> None:
    """Who says so and why, as text; the vote with its distances; other runs beside it."""
    app = run(workspace.root, HOST, "Labels and votes")
    claims = table(app, "evidence")
    assert claims["label"].tolist() == [FOLDED]
    assert claims["evidence"].tolist() == [EVIL]
    assert claims["counts"].tolist() == ["yes"]
    assert "distance" in words(app)
    assert len(table(app, "taken for")) == 1
    for block in (*app.markdown, *app.info, *app.warning, *app.caption, *app.subheader):
        assert "](http" not in block.value


def test_over_time(run: Any, workspace: Workspace) -> None:
    """Overlap, turnover, faithful neighbours and moves; another run beside it."""
    app = run(workspace.root, HOST, "Over time")
    assert charts(app) == 4
    moves = table(app, "share_less")
    assert moves["bin"].tolist() == list(DAYS[1:])
    assert moves["distance"].between(0, 2).all()
    [other] = app.multiselect(key="host_time_runs").options
    assert other == EVIL
    app.multiselect(key="host_time_runs").select(other).run()
    assert charts(quiet(app)) == 4


def test_reading_many_days_can_be_stopped(
    run: Any, workspace: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Slow days show how far it is; stopped, the page says so and goes on where it was."""
    monkeypatch.setattr("pages.shared.host_walking.QUIET_S", -1.0)
    app = run(workspace.root, HOST, "Over time")
    assert charts(app) == 4
    key = f"host_time_near_{_newest(workspace)}"
    app.session_state[f"{key}_stopped"] = True
    app.run()
    assert "Stopped. What was read is kept." in words(quiet(app))
    assert charts(app) == 0
    click(app, f"{key}_on")
    assert charts(app) == 4


def test_comparing_hosts_prefixes_and_sets(run: Any, workspace: Workspace) -> None:
    """Each is a column of facts; what is no address is told; a set kept before is offered."""
    hosts = np.array([int(IPv4Address("198.51.100.16"))], np.uint32)
    kept = save_set(workspace, hosts, recipe={"kind": "chosen"}, name=EVIL)
    app = run(workspace.root, HOST, "Compare")
    assert "beside this host" in words(app)
    app.text_area(key="host_compare_typed").set_value("198.51.100.11 198.51.100.16/28 nonsense")
    app.multiselect(key="host_compare_sets").select(kept.name).run()
    facts = table(quiet(app), "fact")
    assert list(facts.columns) == [
        "fact", HOST, "198.51.100.11", "198.51.100.16/28", f"{EVIL} (1)",
    ]  # fmt: skip
    seen = facts.set_index("fact").loc["hosts seen"]
    assert seen.tolist() == ["1", "1", "8", "1"]
    assert "Not understood: 'nonsense'" in words(app)
    assert len(table(app, "ports_jaccard")) == 6


def test_one_day_only(run: Any, workspace: Workspace) -> None:
    """A host of one day: nothing to hold against, no error in any view."""
    app = run(workspace.root, "198.51.100.23", "Over time")
    assert "1 day only" in words(app)
    for view in ("Neighbours", "Labels and votes"):
        app.segmented_control(key="host_view").set_value(view).run()
        quiet(app)


def test_damaged_packets_cost_only_the_hours(run: Any, workspace: Workspace) -> None:
    """The page opens, timing is not told; the view of the hours says what is wrong."""
    [path] = workspace.packets.glob(f"*/{DAY}.parquet")
    path.unlink()
    app = run(workspace.root, HOST, "Neighbours")
    figures = {metric.label: metric.value for metric in app.main.metric}
    assert figures["Timing alike"] == "not told"
    app.segmented_control(key="host_view").set_value("Behaviour").run()
    assert not app.exception
    assert "is missing" in app.error[0].value


def test_released_data_that_tell_little(run: Any, tmp_path: Path, no_processes: list[str]) -> None:
    """Snapshots without packets, times or headers: what is not told is said so, in every view."""
    folder = write_released(tmp_path / "released", planted(), {"192.0.2.1": "mirai"})
    workspace = open_workspace(tmp_path / "w")
    load_released(workspace, folder)
    workspace.set_snapshot_config(CONFIG)
    embedded_run(workspace, RunConfig.of("i-gcn-gru"))
    app = run(workspace.root, "192.0.2.1", "Behaviour")
    figures = {metric.label: metric.value for metric in app.main.metric}
    assert figures["Packets"] == figures["Hours"] == "not told"
    assert "hours are not told" in words(app)
    assert "First seen not told" in words(app)
    for view in ("Headers and features", "Labels and votes", "Over time", "Neighbours", "Compare"):
        app.segmented_control(key="host_view").set_value(view).run()
        quiet(app)
    app.text_area(key="host_compare_typed").set_value("192.0.2.0/24").run()
    facts = table(quiet(app), "fact").set_index("fact")
    assert facts.loc["median hours a host"].tolist() == ["not told", "not told"]


def test_without_a_run(run: Any, filled: Workspace) -> None:
    """Everything but neighbours works; they say what is missing."""
    app = run(filled.root, HOST, "Neighbours")
    assert "train a model first" in words(app)
    for view in ("Behaviour", "Headers and features", "Labels and votes", "Compare"):
        app.segmented_control(key="host_view").set_value(view).run()
        quiet(app)
