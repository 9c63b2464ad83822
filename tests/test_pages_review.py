"""The page Review metrics, clicked through without a browser: choosing, computing, each view."""

import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import streamlit as st
from app_workspaces import DAYS, filled_workspace
from clicking import FRAME, click, quiet
from made_runs import no_processes
from review_runs import LABELS, embed, labelled_workspace, scored_run
from streamlit.testing.v1 import AppTest

from darkgnn_core.host_sets import list_sets
from darkgnn_core.score_job import score_all, scoring_jobs, task_from
from darkgnn_core.workspace import Workspace, open_workspace

__all__ = ["no_processes"]
VIEWS = ("Classes", "Days", "Confusion", "Calibration", "Comparison", "Sweeps", "Health")
EVIL = "**[evil](http://192.0.2.1)**"


@pytest.fixture(scope="module")
def loaded(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Give a workspace with labels; copy it to change it."""
    return labelled_workspace(tmp_path_factory.mktemp("loaded")).root


@pytest.fixture
def workspace(loaded: Path, tmp_path: Path, no_processes: list[str]) -> Workspace:
    """Give a copy of it, in which no process is started."""
    return open_workspace(shutil.copytree(loaded, tmp_path / "w"), create=False)


@pytest.fixture
def go(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[Any]:
    """Open the page, on a run and a view where they are given."""
    st.cache_resource.clear()
    st.cache_data.clear()

    def opened(root: Path, run_id: str = "", view: str = "") -> AppTest:
        monkeypatch.setenv("DARKGNN_WORKSPACE", str(tmp_path / "empty"))  # Today is quick there
        app = AppTest.from_file(FRAME, default_timeout=60).run()
        monkeypatch.setenv("DARKGNN_WORKSPACE", str(root))
        app.switch_page("../review_metrics.py")
        if run_id:
            app.query_params["run"] = run_id
        app.run()
        if view:
            app.segmented_control(key="review_view").set_value(view).run()
        return quiet(app)

    yield opened
    st.cache_resource.clear()
    st.cache_data.clear()


def work_off(workspace: Workspace) -> None:
    """Do what the job's process would do, and end it."""
    for job in reversed(scoring_jobs(workspace)):
        if job.is_active:
            tasks = [task_from(each) for each in job.config["tasks"]]
            score_all(workspace, tasks, on_progress=lambda _: None, should_stop=lambda: False)
            end_job(workspace, job.id, "done")


def end_job(workspace: Workspace, job_id: str, state: str, message: str = "") -> None:
    """Write down how a job ended."""
    with workspace.catalogue() as connection:
        connection.execute(
            "UPDATE job SET state = ?, message = ?, ended_at = created_at WHERE id = ?",
            (state, message, job_id),
        )


def compute(app: AppTest, workspace: Workspace, key: str = "review_compute") -> AppTest:
    """Click Compute, and let the work be done."""
    click(app, key)
    work_off(workspace)
    return quiet(app.run())


def few(app: AppTest) -> AppTest:
    """Have classes of fewer hosts count, too."""
    app.number_input(key="review_set_fewest").set_value(5).run()
    return quiet(app)


def texts(app: AppTest) -> str:
    """Return all words on the page, escapes taken out."""
    kinds = ("caption", "text", "info", "warning", "error", "success", "markdown", "subheader")
    words = "\n".join(block.value for kind in kinds for block in getattr(app.main, kind))
    return words.replace("\\", "").replace("\u2060", "")


def table(app: AppTest, column: str) -> Any:
    """Return the first table that has a column."""
    return next(each.value for each in app.dataframe if column in each.value)


def keys(app: AppTest) -> set[str]:
    """Return the keys of all buttons of the page."""
    return {button.key for button in app.main.button if button.key}


def test_without_runs_it_says_what_to_do(go: Any, tmp_path: Path) -> None:
    """A way to Train models, and nothing to choose."""
    app = go(tmp_path / "new")
    assert "train a model first" in texts(app)
    assert not app.main.multiselect


def test_without_labels_it_says_what_to_do(
    go: Any, tmp_path: Path, no_processes: list[str]
) -> None:
    """The way to Labels; computing is possible and shows that nothing was scored."""
    workspace = filled_workspace(tmp_path)
    scored_run(workspace)
    app = go(workspace.root)
    assert "No sender has a label yet" in texts(app)
    compute(app, workspace)
    assert "No host was scored" in texts(app)


def test_a_run_is_computed_by_a_click_and_shown(
    go: Any, workspace: Workspace, no_processes: list[str]
) -> None:
    """First what is missing, then progress, then F1 of each class with its support."""
    run_id = scored_run(workspace)
    app = go(workspace.root, run_id)
    assert "Scores: 3 days of 1 run to compute" in texts(app)
    assert "segmented_control" not in [each.type for each in app.main.children.values()]
    click(app, "review_compute")
    assert app.get("progress")[0].proto.text == "Starting"
    assert "review_compute" not in keys(app)
    work_off(workspace)
    quiet(app.run())
    found = table(app, "class")
    assert list(found["class"]) == sorted(LABELS)
    assert list(found["hosts"]) == [45] * 3
    assert (found["F1"] > 0.95).all()
    figures = {metric.label: metric.value for metric in app.main.metric}
    assert figures["Hosts scored"] == "135"
    assert figures["Macro F1, mean of days"].startswith("1.000")
    assert "Optimistic" in texts(app)
    assert "averaged over that day" in texts(app)


def test_progress_and_cancel(go: Any, workspace: Workspace) -> None:
    """The bar says what is at work; after Cancel the page says so and offers to go on."""
    run_id = scored_run(workspace, name=EVIL)
    app = go(workspace.root, run_id)
    click(app, "review_compute")
    [job] = scoring_jobs(workspace)
    told = '{"done": 1, "total": 3, "what": "scores", "run_id": "%s", "day": "%s"}'
    with workspace.catalogue() as connection:
        connection.execute("UPDATE job SET progress = ?", (told % (run_id, DAYS[1]),))
    app.run()
    words = app.get("progress")[0].proto.text
    assert words.replace("\\", "").startswith("1 of 3 days: predictions of **[evil]")
    assert "](http" not in words
    click(app, f"review_cancel_{job.id}")
    assert "Cancelled. Days that were finished are kept." in texts(app)
    assert "review_compute" in keys(app)
    compute(app, workspace)
    assert list(table(app, "class")["class"]) == sorted(LABELS)


def test_a_job_that_failed_says_why(go: Any, workspace: Workspace) -> None:
    """The message stands above the button."""
    app = go(workspace.root, scored_run(workspace))
    click(app, "review_compute")
    end_job(workspace, scoring_jobs(workspace)[0].id, "failed", "The disk is full. (DISK-FULL)")
    app.run()
    assert "The disk is full." in texts(app)
    assert "review_compute" in keys(app)


def test_each_view_opens_whatever_is_chosen(go: Any, workspace: Workspace) -> None:
    """No error with one run, with three of which two are seeds, nor with one day."""
    first = scored_run(workspace, name=EVIL, group="g")
    app = go(workspace.root, first)
    compute(app, workspace)
    look_through(app, workspace)
    seed = scored_run(workspace, name="seed", seed=1, group="g")
    poor = scored_run(workspace, name="poor", apart=0.0, history_days=2, group="g")
    app.run()
    app.multiselect(key="review_runs").set_value([first, seed, poor]).run()
    compute(app, workspace)
    look_through(app, workspace)
    app.select_slider(key="review_days").set_value((DAYS[1], DAYS[1])).run()
    look_through(app, workspace)
    assert "review_compute" not in "".join(keys(app))


def look_through(app: AppTest, workspace: Workspace) -> None:
    """Open each view, and compute what it lacks; no text of others is a link."""
    for view in VIEWS:
        app.segmented_control(key="review_view").set_value(view).run()
        quiet(app)
        for name in ("review_compute_health", "review_compute_sweep"):
            if name in keys(app):
                compute(app, workspace, name)
        assert "](http" not in "".join(block.value for block in (*app.markdown, *app.caption))


def test_the_open_set_tells_of_hosts_and_classes_nobody_knows(
    go: Any, workspace: Workspace
) -> None:
    """Well apart classes are noticed as new where they are held out; other protocols say nothing.

    The protocol is chosen on the page, so its scores are computed by a click there.
    """
    run_id = scored_run(workspace, apart=8.0)
    app = few(go(workspace.root, run_id))
    app.selectbox(key="review_protocol").set_value("open_set").run()
    compute(app, workspace)
    found = table(app, "new class told apart").iloc[0]
    assert found["new class told apart"] > 0.9
    assert found["hosts without a label"] > 0
    assert 0 <= found["told a class"] <= 1
    held_out = table(app, "class held out")
    assert set(held_out["class held out"]) == set(LABELS)
    assert "Hosts and classes that nobody knows" in texts(app)
    app.selectbox(key="review_protocol").set_value("same_day_loo").run()
    compute(app, workspace)
    assert "Hosts and classes that nobody knows" not in texts(app)


def test_the_protocol_travels_and_stands_in_the_address(go: Any, workspace: Workspace) -> None:
    """By its name; another page keeps it there, and a link or a reload brings it back."""
    run_id = scored_run(workspace)
    app = go(workspace.root, run_id)
    assert "protocol" not in app.query_params
    app.selectbox(key="review_protocol").set_value("past_labels").run()
    assert app.query_params["protocol"] in ("past_labels", ["past_labels"])
    quiet(app.switch_page("../manage_labels.py").run())
    assert app.query_params["protocol"] in ("past_labels", ["past_labels"])
    del app.session_state["protocol_in_view"]  # as a reload does
    app.switch_page("../review_metrics.py")
    app.query_params["protocol"] = "past_labels"
    assert quiet(app.run()).selectbox(key="review_protocol").value == "past_labels"
    app.query_params["protocol"] = "<none>"
    assert quiet(app.run()).selectbox(key="review_protocol").value == "same_day_loo"


def test_seeds_are_one_run_with_a_spread(go: Any, workspace: Workspace) -> None:
    """Two seeds stand in one row; told apart where that is wished."""
    ids = [scored_run(workspace, name="run", seed=seed, apart=1.5) for seed in (0, 1)]
    app = go(workspace.root, ids[0])
    app.multiselect(key="review_runs").set_value(ids).run()
    compute(app, workspace)
    assert "run" not in table(app, "class")
    assert table(app, "class")["sd over seeds"].notna().all()
    app.toggle(key="review_set_joined").set_value(False).run()
    names = set(table(quiet(app), "class")["run"])
    assert names == {f"run ({run_id[:6]})" for run_id in ids}


def test_a_cell_lists_its_hosts_and_a_host_opens(
    go: Any, workspace: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Clicking a cell shows who is in it; a set can be kept of them; a row opens the host."""
    run_id = scored_run(workspace, apart=0.0)
    app = few(go(workspace.root, run_id))
    compute(app, workspace)
    app.segmented_control(key="review_view").set_value("Confusion").run()
    assert "Click a cell" in texts(app)
    cells = table(app, "true label")
    row = cells[(cells["true label"] == "mirai") & (cells["told"] != "mirai")].iloc[0]
    picked = {"selection": {"cell": [{"true": "mirai", "told": row["told"]}]}}
    app.session_state["review_confusion_chart"] = picked
    app.session_state["review_cell"] = ("mirai", row["told"])
    quiet(app.run())
    hosts = table(app, "address")
    assert hosts["days"].sum() == row["hosts"]
    assert {int(each.split(".")[-1]) % 4 for each in hosts["address"]} == {2}
    click(app, "review_cell_set_keep")
    [kept] = list_sets(workspace)
    assert kept.recipe["kind"] == "cell"
    assert len(kept.hosts) == len(hosts)
    opened: list[str] = []
    monkeypatch.setattr("pages.shared.context.open_host", opened.append)
    app.session_state["review_cell_hosts_host"] = hosts["address"][0]
    quiet(app.run())
    assert opened == [hosts["address"][0]]


def test_known_scanners_and_classes_are_left_out_in_words(go: Any, workspace: Workspace) -> None:
    """The switch of the sidebar and the choice of classes leave out rows, and say so."""
    app = go(workspace.root, scored_run(workspace))
    compute(app, workspace)
    app.toggle(key="hide_known").set_value(True).run()
    assert list(table(quiet(app), "class")["class"]) == ["mirai"]
    assert "2 classes of known scanners are left out" in texts(app)
    app.toggle(key="hide_known").set_value(False).run()
    app.multiselect(key="review_classes").set_value(["censys"]).run()
    assert list(table(quiet(app), "class")["class"]) == ["censys"]
    app.segmented_control(key="review_view").set_value("Confusion").run()
    assert set(table(quiet(app), "true label")["true label"]) == {"censys"}


def test_a_class_too_small_is_named(go: Any, workspace: Workspace) -> None:
    """It says which classes were left out on how many days, and what would bring them in."""
    app = go(workspace.root, scored_run(workspace))
    app.number_input(key="review_set_fewest").set_value(16).run()
    compute(app, workspace)
    assert "No host was scored" in texts(app)
    assert "16 hosts or more" in texts(app)
    found = table(app, "most hosts")
    assert list(found["label"]) == sorted(LABELS)
    assert list(found["days"]) == [3, 3, 3]


def test_runs_are_compared_in_a_sentence(go: Any, workspace: Workspace) -> None:
    """Who is ahead, over how many days, and that three days are too few to tell."""
    good = scored_run(workspace)
    poor = scored_run(workspace, name="poor", apart=0.0, epochs=2)
    app = go(workspace.root, good)
    app.multiselect(key="review_runs").set_value([good, poor])
    app.toggle(key="review_set_baselines").set_value(True).run()
    compute(app, workspace)
    app.segmented_control(key="review_view").set_value("Comparison").run()
    words = texts(quiet(app))
    assert "good beats poor by " in words
    assert "macro F1 over 3 days; too few days to tell" in words.replace("Macro", "macro")
    assert len(table(app, "first ahead by")) == 1 + 2 * 3


def test_a_day_that_a_run_lacks_is_said(go: Any, workspace: Workspace) -> None:
    """Runs with other days are scored on theirs and compared on shared ones."""
    whole, part = scored_run(workspace), scored_run(workspace, name="part", epochs=2, days=DAYS[:2])
    app = go(workspace.root, whole)
    app.multiselect(key="review_runs").set_value([whole, part]).run()
    app.select_slider(key="review_days").set_value((DAYS[0], DAYS[2])).run()
    assert "part has no embedding of 1 of the 3 days" in texts(quiet(app))


def test_the_run_of_the_sidebar_stands_first(go: Any, workspace: Workspace) -> None:
    """Choosing another there puts it first here; others that were added stay."""
    ids = [scored_run(workspace, name=name, epochs=at + 1) for at, name in enumerate("abc")]
    app = go(workspace.root, ids[0])
    assert app.multiselect(key="review_runs").value == [ids[0]]
    app.multiselect(key="review_runs").set_value([ids[0], ids[1]]).run()
    app.selectbox(key="sidebar_run").set_value(ids[2]).run()
    assert quiet(app).multiselect(key="review_runs").value == [ids[2], ids[1]]


def test_a_collapsed_embedding_warns_on_every_view(go: Any, workspace: Workspace) -> None:
    """Once health is known, the day in view carries its warning above all numbers."""
    run_id = scored_run(workspace)
    embed(workspace, run_id, 0.0, offset=100.0)
    app = go(workspace.root, run_id)
    compute(app, workspace)
    app.segmented_control(key="review_view").set_value("Health").run()
    compute(app, workspace, "review_compute_health")
    assert "Do not trust the map" in texts(app)
    app.segmented_control(key="review_view").set_value("Classes").run()
    assert "Collapse" in texts(quiet(app))


def test_a_sweep_is_a_curve(go: Any, workspace: Workspace) -> None:
    """Runs of a group that differ in a setting are points; earlier days are a second curve."""
    ids = [
        scored_run(workspace, name=f"H {history}", group="history", history_days=history)
        for history in (0, 2, 5)
    ]
    app = go(workspace.root, ids[0])
    app.select_slider(key="review_days").set_value((DAYS[2], DAYS[2])).run()
    compute(app, workspace)
    app.segmented_control(key="review_view").set_value("Sweeps").run()
    compute(app, workspace, "review_compute_sweep")
    assert list(table(app, "value")["value"]) == ["0", "2", "5"]
    app.toggle(key="review_sweep_earlier").set_value(True).run()
    compute(app, workspace, "review_compute_sweep")
    assert sorted(set(table(app, "value")["days"])) == ["the chosen days", "the days before them"]
