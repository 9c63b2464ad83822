"""The page Cases and the context in the sidebar, clicked through without a browser."""

import shutil
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from app_workspaces import DAYS, filled_workspace
from clicking import FRAME, Open, click, opening, quiet, table
from made_runs import made_run, no_processes
from streamlit.testing.v1 import AppTest

from darkgnn_core.durable import write_manifest
from darkgnn_core.embeddings import Embedding, write_embedding
from darkgnn_core.errors import WorkspaceError
from darkgnn_core.host_sets import HostSet, find_set, list_sets, save_set
from darkgnn_core.labels.analyst import SOURCE_ID
from darkgnn_core.labels.store import add_list, standing_labels
from darkgnn_core.labels.verdicts import list_rejections
from darkgnn_core.notes import add_note, list_notes
from darkgnn_core.run_config import RunConfig
from darkgnn_core.run_store import EMBEDDINGS
from darkgnn_core.suggestions import SuggestionSettings
from darkgnn_core.workspace import Workspace, open_workspace

__all__ = ["no_processes"]
BASE = 0xC6336400  # 198.51.100.0
EVIL = "![x](http://192.0.2.1/a) <b>$x$</b>"
VIEWS = ["Sets", "New set", "Suggestions", "Notes"]
LABELLED = b"src_ip,label\n" + b"".join(
    b"198.51.100.%d,%s\n" % (host, b"mirai" if host % 2 else b"censys") for host in range(1, 15)
)


@pytest.fixture(scope="module")
def filled(tmp_path_factory: pytest.TempPathFactory) -> Workspace:
    """A workspace of three days and 23 hosts, 198.51.100.1 and up."""
    return filled_workspace(tmp_path_factory.mktemp("filled"))


@pytest.fixture
def workspace(filled: Workspace, tmp_path: Path) -> Workspace:
    """A copy of it, to be changed."""
    shutil.copytree(filled.root, tmp_path / "workspace")
    return open_workspace(tmp_path / "workspace")


@pytest.fixture
def trained(workspace: Workspace, no_processes: list[str]) -> Workspace:
    """It with labels of 14 hosts and a run: odd and even addresses lie far apart."""
    with workspace.catalogue() as connection:
        add_list(connection, LABELLED, name="list.csv")
    run_id = made_run(workspace, RunConfig(), name="parity")
    directory = workspace.runs / run_id / EMBEDDINGS
    random = np.random.default_rng(0)
    hosts = np.arange(BASE + 1, BASE + 24, dtype=np.uint32)
    for day in DAYS:
        vectors = random.standard_normal((len(hosts), 4)).astype(np.float32)
        vectors[:, 0] += 20 * (hosts % 2)
        write_embedding(directory / f"{day}.parquet", Embedding(day, hosts, vectors, "test"))
    write_manifest(directory)
    return workspace


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch) -> Iterator[Open]:
    """Open a view of the page."""
    with opening(monkeypatch, "manage_cases.py", views="cases_view", first="Sets") as go:
        yield go


def kept(workspace: Workspace, hosts: list[int], name: str) -> HostSet:
    """Keep a set of hosts, by their last bytes."""
    recipe = {"kind": "pasted", "entries": len(hosts)}
    return save_set(workspace, [BASE + host for host in hosts], recipe=recipe, name=name)


def last_bytes(found: HostSet) -> list[int]:
    """Return the last bytes of a set's hosts."""
    return (found.hosts - BASE).tolist()


def texts(app: AppTest) -> list[str]:
    """Return the plain texts of the sidebar."""
    return [text.value for text in app.sidebar.text]


def current(app: AppTest) -> str:
    """Return the name of the current set, as the sidebar tells it."""
    return next((text.partition(":")[0] for text in texts(app) if " host" in text), "None")


@pytest.mark.parametrize("view", VIEWS)
def test_each_view_opens_on_an_empty_workspace(run: Open, tmp_path: Path, view: str) -> None:
    """Before anything is loaded something is said, and what to do."""
    app = run(tmp_path / "new", view)
    assert app.info


def test_a_pasted_list_becomes_the_current_set(run: Open, workspace: Workspace) -> None:
    """What was not understood is listed, what was never seen is offered; the sidebar tells."""
    app = run(workspace.root, "New set")
    app.text_area(key="case_paste").input(
        "198.51.100.2 198.51.100.4/30, example.org\n192.0.2.77"
    ).run()
    assert table(app, "what is wrong")["text"].tolist() == ["'example.org'"]
    assert "1 addresses that were never seen" in app.toggle(key="case_paste_unseen").label
    assert len(table(app, "address")) == 5
    app.text_input(key="case_pasted_name").input("from a colleague").run()
    click(app, "case_pasted_keep")
    [made] = list_sets(workspace)
    assert (made.name, last_bytes(made)) == ("from a colleague", [2, 4, 5, 6, 7])
    assert made.day == DAYS[-1]
    assert app.query_params["set"] == made.id
    [told] = [text for text in texts(app) if text.startswith("from a colleague: ")]
    assert told.endswith("not understood: 1. 5 hosts")


def test_a_query_follows_the_range_in_the_sidebar(run: Open, workspace: Workspace) -> None:
    """Port and packets over one day, then over all; kept with a recipe that says so."""
    app = run(workspace.root, "New set")
    app.segmented_control(key="case_making_how").set_value("Ask by label, port or packets").run()
    app.number_input(key="case_query_port").set_value(23).run()
    assert len(table(quiet(app), "address")) == 4
    app.selectbox(key="since").set_value(DAYS[0]).run()
    assert len(table(quiet(app), "address")) == 12
    click(app, "case_queried_keep")
    [made] = list_sets(workspace)
    assert made.words == f"query: port 23, on {DAYS[-1]}, from {DAYS[0]}"
    app.number_input(key="case_query_port").set_value(24).run()
    assert "No host fits" in app.info[0].value


def test_undo_and_redo_walk_through_the_current_sets(run: Open, workspace: Workspace) -> None:
    """Back to none and on again, past a deleted set; a reload still knows the way back."""
    sets = [kept(workspace, [host], f"set {host}") for host in (1, 2, 3)]
    app = run(workspace.root)
    for each in sets:
        app.query_params["set"] = each.id
        app.run()
    assert app.query_params["set"] == sets[2].id
    click(app, "set_undo")
    assert current(app) == "set 2"
    click(app, "set_redo")
    assert app.button(key="set_redo").disabled
    assert current(app) == "set 3"
    click(app, "set_undo")
    click(app, f"case_delete_{sets[1].id}")
    assert "was deleted" in app.success[0].value
    assert find_set(workspace, sets[0].id)
    click(app, "set_undo")
    assert current(app) == "set 1"
    again = AppTest.from_file(FRAME, default_timeout=60)
    again.query_params["set"] = sets[0].id
    again.run()
    assert current(quiet(again)) == "set 1"
    assert not again.button(key="set_undo").disabled
    click(again, "set_clear")
    assert "None" in texts(again)
    click(again, "set_undo")
    assert current(again) == "set 1"


def test_undo_works_where_nothing_can_be_written(
    run: Open, workspace: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    """On a disk that is only read the trail lives in the session alone, and no page breaks."""

    def refused(*_: object) -> None:
        raise WorkspaceError("read only", code="NO-PERMISSION")

    monkeypatch.setattr("pages.shared.set_trail.write_trail", refused)
    made = kept(workspace, [1], "one")
    app = run(workspace.root)
    app.query_params["set"] = made.id
    app.run()
    assert current(quiet(app)) == "one"
    click(app, "set_undo")
    assert current(app) == "None"
    click(app, "set_redo")
    assert current(app) == "one"


def test_a_set_is_shown_renamed_deleted_and_brought_back(run: Open, workspace: Workspace) -> None:
    """Its hosts with labels, its name anew; gone from the list, and back."""
    with workspace.catalogue() as connection:
        add_list(connection, LABELLED, name="list.csv")
    made = kept(workspace, [1, 2, 20], EVIL)
    app = run(workspace.root)
    app.session_state["set_in_view"] = made.id
    app.run()
    shown = table(quiet(app), "source")
    assert shown["label"].tolist() == ["mirai", "censys", "unknown"]
    assert app.text_input(key=f"case_rename_{made.id}").value == EVIL
    for block in (*app.markdown, *app.caption, *app.info, *app.success, *app.warning):
        assert "](http" not in block.value
    click(app, f"case_delete_{made.id}")
    assert list_sets(workspace) == []
    click(app, "case_restore")
    assert [each.name for each in list_sets(workspace)] == [EVIL]
    assert app.query_params["set"] == made.id


def test_sets_combine_with_a_look_at_the_size(run: Open, workspace: Workspace) -> None:
    """The size is told before; the outcome is the current set."""
    one, two = kept(workspace, [1, 2, 3], "one"), kept(workspace, [3, 4], "two")
    app = run(workspace.root)
    app.multiselect(key="case_combine_sets").set_value([one.id, two.id])
    app.segmented_control(key="case_combine_how").set_value("difference").run()
    assert "That gives 2 hosts." in [caption.value for caption in quiet(app).caption]
    click(app, "case_combine")
    made = list_sets(workspace)[0]
    assert (made.words, last_bytes(made)) == ("one without two", [1, 2])
    assert app.query_params["set"] == made.id


def dialog_script() -> None:
    """Run what the dialog for labels holds, for two hosts."""
    import numpy as np

    from pages.shared import loaders
    from pages.shared.label_dialog import ask_and_label

    hosts = np.array([0xC6336414, 0xC6336415], np.uint32)  # 198.51.100.20 and .21
    ask_and_label(loaders.workspace_in_use(), hosts)


def test_hosts_are_labelled_in_a_dialog_and_undone_in_the_sidebar(
    run: Open, trained: Workspace
) -> None:
    """Confidence, reason and run are kept; the labels count at once; one undo takes all back."""
    made = kept(trained, [20, 21], "new ones")
    app = run(trained.root)
    app.query_params["set"] = made.id
    app.run()
    assert table(app, "source")["label"].tolist() == ["unknown", "unknown"]
    click(app, "case_set_label")
    assert app.button(key="label_dialog_give").disabled
    dialog = AppTest.from_function(dialog_script, default_timeout=60)
    dialog.session_state["run_in_view"] = trained_run(trained)
    dialog.run()
    dialog.selectbox(key="label_dialog_text_0").set_value("stretchoid")
    dialog.number_input(key="label_dialog_sure_0").set_value(70)
    dialog.text_input(key="label_dialog_reason_0").input("same banner").run()
    click(dialog, "label_dialog_give")
    with trained.catalogue() as connection:
        rows = standing_labels(connection, SOURCE_ID)
    assert [(row["label"], row["confidence"], row["evidence"], row["run"]) for row in rows] == [
        ("stretchoid", 0.7, "same banner", trained_run(trained))
    ] * 2
    app.run()
    assert table(app, "source")["label"].tolist() == ["stretchoid", "stretchoid"]
    click(app, "sidebar_label_undo")
    assert table(app, "source")["label"].tolist() == ["unknown", "unknown"]
    with trained.catalogue() as connection:
        assert standing_labels(connection, SOURCE_ID) == []


def trained_run(workspace: Workspace) -> str:
    """Return the id of the only run."""
    return next(path.name for path in workspace.runs.iterdir() if (path / EMBEDDINGS).exists())


def tick(app: AppTest, key: str, rows: list[int]) -> AppTest:
    """Tick rows of a table, as a click does."""
    app.session_state[key] = {"selection": {"rows": rows, "columns": [], "cells": []}}
    return app.run()


def test_suggestions_are_accepted_turned_down_and_taken_back(run: Open, trained: Workspace) -> None:
    """Each of nine unlabelled hosts is told by its kind; a yes labels, a no is not asked again."""
    app = run(trained.root, "Suggestions")
    figures = {metric.label: metric.value for metric in app.metric}
    assert figures["Hosts without a label"] == "9"
    suggested = table(app, "suggested")
    parity = [int(address.rpartition(".")[2]) % 2 for address in suggested["address"]]
    assert [label == "mirai" for label in suggested["suggested"]] == [bool(odd) for odd in parity]
    assert suggested["votes"].iloc[0] == "7 of 7"
    tick(app, "case_suggested_0", [0, 1])
    assert app.button(key="case_accept").label == "Accept 2 ticked"
    click(app, "case_reject")
    with trained.catalogue() as connection:
        assert len(list_rejections(connection)) == 2
    assert len(table(app, "suggested")) == len(suggested) - 2
    assert "rejected before" in table(app, "why none")["why none"].tolist()
    tick(app, "case_rejected_1", [0])
    click(app, "case_unreject")
    assert len(table(app, "suggested")) == len(suggested) - 1
    click(app, "case_accept_all")
    assert table(app, "fewest votes")["hosts"].sum() == len(suggested) - 1
    with trained.catalogue() as connection:
        assert standing_labels(connection, SOURCE_ID) == []


def preview_script() -> None:
    """Run what the dialog before accepting holds, for two hosts."""
    from darkgnn_core.labels.verdicts import Suggested
    from pages.shared import loaders
    from pages.shared.case_verdicts import show_and_accept

    both = [Suggested(0xC6336414, "censys", 6, 7), Suggested(0xC6336415, "mirai", 7, 7)]
    show_and_accept(loaders.workspace_in_use(), both, "run1", "2021-12-04")


def test_accepting_shows_first_what_it_does(run: Open, trained: Workspace) -> None:
    """Nothing is written before the yes; then labels for that day, which one undo takes back."""
    app = run(trained.root, "Suggestions")
    preview = AppTest.from_function(preview_script, default_timeout=60).run()
    assert table(quiet(preview), "fewest votes")["fewest votes"].tolist() == ["6 of 7", "7 of 7"]
    preview.toggle(key="case_preview_day").set_value(True).run()
    with trained.catalogue() as connection:
        assert standing_labels(connection, SOURCE_ID) == []
    click(preview, "case_preview_yes")
    with trained.catalogue() as connection:
        rows = standing_labels(connection, SOURCE_ID)
    assert {(row["label"], row["confidence"], row["day"], row["run"]) for row in rows} == {
        ("censys", 6 / 7, "2021-12-04", "run1"), ("mirai", 1.0, "2021-12-04", "run1"),
    }  # fmt: skip
    app.run()
    assert app.metric[0].value == "7"
    click(app, "sidebar_label_undo")
    assert app.metric[0].value == "9"


def test_suggestions_for_the_current_set_alone(run: Open, trained: Workspace) -> None:
    """The choice is there once a set is; labelled hosts of the set are not asked."""
    made = kept(trained, [1, 19, 20], "three")
    app = run(trained.root, "Suggestions")
    app.session_state["set_in_view"] = made.id
    app.run()
    scope = app.segmented_control(key="case_suggest_scope")
    scope.set_value("Those of the current set").run()
    assert quiet(app).metric[0].value == "2"
    app.slider(key="case_suggest_share").set_value(100)
    app.number_input(key="case_suggest_k").set_value(14).run()
    assert app.metric[1].value == "0"
    assert set(table(app, "why none")["why none"]) == {"its neighbours disagree"}


def test_suggestions_that_were_stopped_wait_to_be_asked_again(
    run: Open, trained: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nothing is worked out until then; other settings are asked at once."""
    monkeypatch.setattr("pages.shared.case_suggestions.PATIENCE_S", -1.0)  # show the bar at once
    app = run(trained.root)
    wanted = (trained_run(trained), DAYS[-1], SuggestionSettings(), None)
    app.session_state["stopped_suggestions"] = str(wanted)
    app.segmented_control(key="cases_view").set_value("Suggestions").run()
    assert "Stopped" in quiet(app).info[0].value
    assert not app.metric
    click(app, "case_suggest_again")
    assert app.metric[0].value == "9"


def test_notes_are_written_changed_and_brought_back(run: Open, workspace: Workspace) -> None:
    """Plain text stays plain; a changed note can come back from the history."""
    app = run(workspace.root, "Notes")
    app.text_input(key="case_note_address").input("198.51.100.7").run()
    app.text_area(key="case_note_host_new_0").input(EVIL).run()
    click(app, "case_note_host_add")
    [note] = list_notes(workspace)
    assert (note.kind, note.subject, note.text, note.day) == (
        "host", "198.51.100.7", EVIL, DAYS[-1],
    )  # fmt: skip
    assert EVIL in [text.value for text in app.text]
    app.text_area(key=f"case_note_change_{note.id}").input("a scanner").run()
    click(app, f"case_note_save_{note.id}")
    assert [each.text for each in list_notes(workspace)] == ["a scanner"]
    app.selectbox(key="case_note_back").set_value(note.id).run()
    click(app, "case_note_restore")
    assert [each.text for each in list_notes(workspace)] == [EVIL]
    click(app, f"case_note_drop_{note.id}")
    assert list_notes(workspace) == []
    for block in (*app.markdown, *app.caption, *app.info, *app.success, *app.warning):
        assert "](http" not in block.value


def test_notes_on_a_set_and_a_day(run: Open, workspace: Workspace) -> None:
    """Sets are told by their names, deleted or not; filters by kind."""
    made = kept(workspace, [1], "one")
    add_note(workspace, "set", made.id, "watch these")
    add_note(workspace, "day", DAYS[0], "sensor moved")
    app = run(workspace.root, "Notes")
    assert {"set one", f"day {DAYS[0]}"} <= {text.value for text in app.text}
    app.segmented_control(key="case_notes_kind").set_value("Day").run()
    assert "set one" not in {text.value for text in quiet(app).text}


def test_a_run_is_chosen_in_the_sidebar_and_stands_in_the_address(
    run: Open, trained: Workspace, no_processes: list[str]
) -> None:
    """The newest finished one is in use; another one, chosen, travels to every page."""
    older = trained_run(trained)
    newer = made_run(trained, RunConfig(seed=1), name="newer")
    made_run(trained, RunConfig(seed=2), "failed", days=0, name="without days")
    app = run(trained.root)
    chosen = app.sidebar.selectbox(key="sidebar_run")
    assert chosen.value == newer
    assert chosen.options == ["newer", "parity"]
    chosen.set_value(older).run()
    assert app.query_params["run"] == older
    app.switch_page("../today_queue.py").run()
    assert quiet(app).sidebar.selectbox(key="sidebar_run").value == older


def test_the_sidebar_goes_to_a_host(run: Open, workspace: Workspace) -> None:
    """An address goes to its page with the host in view; anything else is told in words."""
    app = run(workspace.root)
    app.sidebar.text_input(key="sidebar_host").input("198.51.100.0/24").run()
    assert not app.exception
    assert "Give one IPv4 address" in app.sidebar.error[0].value
    app.sidebar.text_input(key="sidebar_host").input(" 198.51.100.7 ").run()
    assert not app.exception
    assert app.session_state["host_in_view"] == "198.51.100.7"
    assert app.sidebar.text_input(key="sidebar_host").value == ""
    assert not app.sidebar.error


def test_a_set_of_another_workspace_is_told(
    workspace: Workspace, monkeypatch: pytest.MonkeyPatch, run: Open
) -> None:
    """A link to a set that is not here says so, on any page, and Clear forgets it."""
    monkeypatch.setenv("DARKGNN_WORKSPACE", str(workspace.root))
    app = AppTest.from_file(FRAME, default_timeout=60)
    app.query_params["set"] = "0123456789ab"
    app.run()
    assert any("not in this workspace" in text for text in texts(quiet(app)))
    click(app, "set_clear")
    assert "set" not in app.query_params
