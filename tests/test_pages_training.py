"""The page Train models, clicked through without a browser: form, start, runs, actions."""

import shutil
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import streamlit as st
from app_workspaces import DAYS, filled_workspace
from clicking import FRAME, click, quiet
from made_runs import made_run, no_processes, step_lines
from streamlit.testing.v1 import AppTest

from darkgnn_core import job_processes
from darkgnn_core.estimates import Device, Estimate
from darkgnn_core.run_config import METHODS, RunConfig
from darkgnn_core.runs import find_run, list_runs
from darkgnn_core.workspace import Workspace, open_workspace
from pages.shared.train_actions import TO_BATCHES, TO_CPU, changed, remedies
from pages.shared.train_values import numbers, whole_numbers

__all__ = ["no_processes"]
EVIL = "**[evil](http://192.0.2.1)**"
SMALL = Estimate(12.0, 10**9, 10**7, fits=True, why_not="", basis="Told from the sizes.")


@pytest.fixture(scope="module")
def filled(tmp_path_factory: pytest.TempPathFactory) -> Workspace:
    """A workspace of three days."""
    return filled_workspace(tmp_path_factory.mktemp("filled"))


@pytest.fixture
def workspace(filled: Workspace, tmp_path: Path, no_processes: list[str]) -> Workspace:
    """A copy of it, to be changed; no process is started."""
    shutil.copytree(filled.root, tmp_path / "workspace")
    return open_workspace(tmp_path / "workspace")


@pytest.fixture(autouse=True)
def cheap(monkeypatch: pytest.MonkeyPatch) -> list[tuple[RunConfig, bool]]:
    """Estimate at once and find one processor; give what was asked."""
    asked: list[tuple[RunConfig, bool]] = []

    def estimate(workspace: Workspace, config: RunConfig, *, calibrate: bool = True) -> Estimate:
        asked.append((config, calibrate))
        basis = "One step was measured." if calibrate else SMALL.basis
        return replace(SMALL, basis=basis)

    monkeypatch.setattr("pages.shared.loaders.estimate", estimate)
    processor = Device("cpu", "Processor", 10**10)
    monkeypatch.setattr("pages.shared.loaders.devices", lambda: (processor,))
    monkeypatch.setattr("darkgnn_core.devices.devices", lambda: (processor,))
    return asked


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[Callable[..., AppTest]]:
    """Open the page, on a run where one is given."""
    st.cache_resource.clear()
    st.cache_data.clear()

    def go(root: Path, run_id: str = "", view: str = "", *, is_quiet: bool = True) -> AppTest:
        monkeypatch.setenv("DARKGNN_WORKSPACE", str(tmp_path / "empty"))  # Today is quick there
        app = AppTest.from_file(FRAME, default_timeout=60).run()
        monkeypatch.setenv("DARKGNN_WORKSPACE", str(root))
        app.switch_page("../train_models.py")
        if run_id:
            app.query_params["run"] = run_id
        app.run()
        if view:
            app.segmented_control(key="train_view").set_value(view).run()
        return quiet(app) if is_quiet else app

    yield go
    st.cache_resource.clear()
    st.cache_data.clear()


def texts(app: AppTest) -> str:
    """Return all words on the page, escapes taken out."""
    kinds = ("caption", "text", "info", "warning", "error", "success", "markdown", "subheader")
    return "\n".join(block.value for kind in kinds for block in getattr(app.main, kind)).replace(
        "\\", ""
    )


def table(app: AppTest, column: str) -> Any:
    """Return the first table that has a column."""
    return next(each.value for each in app.dataframe if column in each.value)


def keys(app: AppTest) -> set[str]:
    """Return the keys of all buttons of the page."""
    return {button.key for button in app.main.button if button.key}


def test_without_snapshots_it_says_what_to_do(run: Any, tmp_path: Path) -> None:
    """A way to the data, no form, and no run."""
    app = run(tmp_path / "new")
    assert "there are none yet" in app.info[0].value
    assert "train_start" not in keys(app)
    app = run(tmp_path / "new", view="Runs")
    assert "Nothing has been trained yet" in app.info[0].value


def test_the_form_explains_itself_and_starts_from_the_paper(run: Any, workspace: Workspace) -> None:
    """The best variant, its numbers, what each choice means, and an estimate."""
    app = run(workspace.root)
    assert app.selectbox(key="train_method").value == "i-gcn-gru"
    assert app.number_input(key="train_history_days").value == 5
    assert app.number_input(key="train_epochs").value == 1
    words = texts(app)
    for part in ("**Learns**: ", "**Costs**: ", "**Choose it**: ", "37 columns", "paper's text"):
        assert part in words
    figures = {metric.label: metric.value for metric in app.main.metric}
    assert figures == {"Time, about": "12.0 s", "Memory": "1.0 GB", "Disk": "10.0 MB"}
    assert "Told from the sizes." in words
    assert not app.button(key="train_start").disabled


def test_one_click_starts_the_run_that_is_shown(
    run: Any, workspace: Workspace, no_processes: list[str]
) -> None:
    """Exactly the defaults; the page opens it, and its address is a link to it."""
    app = run(workspace.root)
    click(app, "train_start")
    [made] = list_runs(workspace)
    assert made.config == RunConfig.of("i-gcn-gru")
    assert made.estimate["seconds"] == 12.0
    assert len(no_processes) == 1
    assert app.success[0].value.replace("\\", "") == "Started."
    assert app.segmented_control(key="train_view").value == "Runs"
    assert app.query_params["run"] == made.id


def test_each_method_is_asked_for_its_own_settings(
    run: Any, workspace: Workspace, cheap: list[tuple[RunConfig, bool]]
) -> None:
    """What is estimated, and so started, is the method's defaults, one method after another."""
    app = run(workspace.root)
    for method in METHODS:
        if method != "fusion":
            app.selectbox(key="train_method").select(method).run()
            assert quiet(app)
            assert RunConfig.of(method) in [config for config, _ in cheap]


def test_every_change_of_the_form_reaches_the_run(run: Any, workspace: Workspace) -> None:
    """Columns off, preset, days, a number, a choice, a switch, seed and name."""
    app = run(workspace.root)
    app.toggle(key="train_use_features").set_value(False).run()
    assert app.number_input(key="train_epochs").value == 5
    app.segmented_control(key="train_preset").set_value("as_released").run()
    assert app.selectbox(key="train_edges").value == "month_first"
    app.selectbox(key="train_first_day").select(DAYS[0])
    app.selectbox(key="train_last_day").select(DAYS[1])
    app.number_input(key="train_history_days").set_value(2)
    app.number_input(key="train_learning_rate").set_value(0.01)
    app.selectbox(key="train_negatives").select("degree")
    app.toggle(key="train_carry_state").set_value(True)
    app.text_input(key="train_seeds").input("7")
    app.text_input(key="train_name").input(EVIL).run()
    click(app, "train_start")
    [made] = list_runs(workspace)
    assert made.name == EVIL
    assert made.config == RunConfig.of(
        "i-gcn-gru", "as_released", use_features=False, first_day=DAYS[0], last_day=DAYS[1],
        history_days=2, learning_rate=0.01, negatives="degree", carry_state=True, seed=7,
    )  # fmt: skip
    for block in (*app.markdown, *app.subheader, *app.success, *app.caption):
        assert "](http" not in block.value


def test_another_method_brings_its_own_numbers(run: Any, workspace: Workspace) -> None:
    """Changed numbers are not carried over to a method where they mean something else."""
    app = run(workspace.root)
    app.number_input(key="train_epochs").set_value(9).run()
    app.selectbox(key="train_method").select("gcn").run()
    assert quiet(app).number_input(key="train_epochs").value == 50
    app.selectbox(key="train_method").select("autoencoder").run()
    assert quiet(app).number_input(key="train_epochs").value == 20


def test_a_choice_outlives_another_page(run: Any, workspace: Workspace) -> None:
    """Going to Sources and back keeps what was chosen."""
    app = run(workspace.root)
    app.selectbox(key="train_method").select("i-gcn").run()
    app.number_input(key="train_epochs").set_value(3).run()
    app.switch_page("../manage_sources.py").run()
    app.switch_page("../train_models.py").run()
    assert quiet(app).selectbox(key="train_method").value == "i-gcn"
    assert app.number_input(key="train_epochs").value == 3


def test_seeds_and_a_sweep_become_one_group(
    run: Any, workspace: Workspace, no_processes: list[str]
) -> None:
    """Three histories by two seeds: six runs, one at work, five in the queue."""
    app = run(workspace.root)
    for name, number in (("scaling", 3), ("carry_state", 2)):  # all of a choice; yes and no
        app.selectbox(key="train_sweep").select(name).run()
        assert quiet(app).main.subheader[0].value == f"What {number} runs will take"
    app.text_input(key="train_seeds").input("0, 1").run()
    app.selectbox(key="train_sweep").select("history_days").run()
    assert app.error[0].value.startswith("History (days)".replace("(", r"\(").replace(")", r"\)"))
    app.text_input(key="train_values_of_history_days").input("0-2").run()
    assert quiet(app).main.subheader[0].value == "What 6 runs will take"
    assert {m.label: m.value for m in app.main.metric}["Time, about"] == "1 min 12 s"
    click(app, "train_start")
    made = list_runs(workspace)
    found = {(each.config.settings.history_days, each.config.seed) for each in made}
    assert found == {(history, seed) for history in range(3) for seed in range(2)}
    assert {each.group for each in made} == {"i-GCN-GRU, history"}
    assert len(no_processes) == 1
    assert sorted(each.state for each in made)[0] == "queued"
    assert [box.label for box in app.expander if "waiting" in box.label] == [
        "5 waiting for the device"
    ]
    click(app, "live_cancel_all")
    assert sorted(each.state for each in list_runs(workspace)) == ["cancelled"] * 5 + ["starting"]


def test_what_is_no_list_is_refused_in_words(run: Any, workspace: Workspace) -> None:
    """Seeds that are none, or a last day before the first: no traceback, and nothing to start."""
    app = run(workspace.root)
    for text in ("one", "5-2", "0-500", " "):
        app.text_input(key="train_seeds").input(text).run()
        assert not app.exception
        assert "Seeds" in app.error[0].value
        assert "train_start" not in keys(app)
    app.text_input(key="train_seeds").input("0")
    app.selectbox(key="train_first_day").select(DAYS[1])
    app.selectbox(key="train_last_day").select(DAYS[0]).run()
    assert not app.exception
    assert "must not come after" in app.error[0].value


def test_lists_of_values() -> None:
    """Commas, semicolons, ranges, each once."""
    assert whole_numbers("3; 1,1, 4-6", "x") == [3, 1, 4, 5, 6]
    assert numbers("1e-3, 0.5", "x") == [0.001, 0.5]


def test_the_estimate_is_measured_on_demand(
    run: Any, workspace: Workspace, cheap: list[tuple[RunConfig, bool]]
) -> None:
    """At first told from sizes; a switch has a step measured, once."""
    app = run(workspace.root)
    assert [calibrate for _, calibrate in cheap] == [False]
    app.toggle(key="train_measured").set_value(True).run()
    assert "One step was measured." in texts(quiet(app))
    app.run()
    assert [calibrate for _, calibrate in cheap] == [False, True]


def test_what_cannot_fit_is_not_started(
    run: Any, workspace: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The reason is said, and the button is off."""
    reason = "It needs 900 GB of memory; 4 GB are free."
    refused = replace(SMALL, fits=False, why_not=reason)
    app = run(workspace.root)
    monkeypatch.setattr("pages.shared.train_start.room_for", lambda *_, **__: refused)
    app.run()
    assert reason in app.error[0].value.replace("\\", "")
    assert app.button(key="train_start").disabled
    running(workspace)
    assert "It waits for the runs before it" in texts(quiet(app.run()))
    assert not app.button(key="train_start").disabled


def test_a_run_that_is_there_is_said_and_opened(run: Any, workspace: Workspace) -> None:
    """The form names it; one click opens it, another makes it again."""
    there = made_run(workspace, RunConfig.of("i-gcn-gru"), name=EVIL)
    app = run(workspace.root)
    assert "same settings is there already" in app.warning[0].value
    assert app.button(key="train_start").label == "Start again"
    click(app, f"train_open_{there}")
    assert app.segmented_control(key="train_view").value == "Runs"
    assert app.query_params["run"] == there
    app.segmented_control(key="train_view").set_value("New run").run()
    click(app, "train_start")
    assert len(list_runs(workspace)) == 2


def test_a_second_tab_that_was_quicker_is_not_repeated(
    run: Any, workspace: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where the same run appears between the look and the click, the error names it."""
    app = run(workspace.root)
    there = made_run(workspace, RunConfig.of("i-gcn-gru"))
    monkeypatch.setattr("pages.shared.train_start.all_runs", lambda _: [])
    app.button(key="train_start").click().run()
    assert not app.exception
    assert there in app.error[0].value
    assert len(list_runs(workspace)) == 1


def test_a_fusion_takes_runs(run: Any, workspace: Workspace) -> None:
    """It asks for two; without them it says what is missing."""
    app = run(workspace.root)
    app.selectbox(key="train_method").select("fusion").run()
    assert not app.exception
    assert "two runs with embeddings" in texts(app)
    ids = [made_run(workspace, RunConfig.of("features", days=days)) for days in (1, 2)]
    app.run()
    app.multiselect(key="train_runs").set_value(ids).run()
    click(app, "train_start")
    newest = list_runs(workspace)[0]
    assert newest.config.settings.runs == tuple(ids)


def running(workspace: Workspace, **values: Any) -> str:
    """Make a run that is at work on its second day."""
    progress = {
        "unit": DAYS[1], "day": DAYS[1], "units_done": 1, "units_total": 3, "epoch": 1,
        "epochs": 2, "loss": 0.69, "accuracy": 0.5, "seconds": 10.0, "remaining_s": 20.0,
        "peak_bytes": 10**9,
    }  # fmt: skip
    lines = step_lines(list(DAYS[:2]), epochs=2)
    told = {"progress": progress, "lines": lines, "days": 1} | values
    return made_run(workspace, RunConfig.of("i-gcn-gru"), "running", **told)


def test_a_run_at_work_is_shown_live(run: Any, workspace: Workspace) -> None:
    """Bar, unit, figures, curves and log; nothing that would disturb it can be clicked."""
    run_id = running(workspace)
    app = run(workspace.root, run_id)
    assert "1 of 3 done" in app.get("progress")[0].proto.text.replace("\\", "")
    figures = {metric.label: metric.value for metric in app.main.metric}
    assert figures["Time left, about"] == "20.0 s"
    assert figures["Time a day"] == "10.0 s"
    assert figures["Peak memory"] == "1.0 GB"
    assert figures["Links told right"] == "50.0%"
    assert len(app.get("vega_lite_chart")) == 2
    assert f"one_cancel_{run_id}" in keys(app)
    assert f"run_delete_{run_id}" not in keys(app)
    assert not app.warning


def test_what_is_under_way_is_shown_beside_the_form(run: Any, workspace: Workspace) -> None:
    """A short line with its bar, and a way to open it; one that is silent is said to be."""
    run_id = running(workspace, name="night", heartbeat_at="2026-01-01T00:00:00+00:00")
    app = run(workspace.root)
    assert "night" in texts(app)
    click(app, f"live_open_{run_id}")
    assert app.segmented_control(key="train_view").value == "Runs"
    assert "Not responding" in app.warning[0].value


def test_a_run_is_cancelled_and_resumed(
    run: Any, workspace: Workspace, no_processes: list[str]
) -> None:
    """Cancel ends it, Resume queues it again."""
    run_id = running(workspace)
    app = run(workspace.root, run_id)
    click(app, f"one_cancel_{run_id}")
    assert find_run(workspace, run_id).state == "cancelled"
    app.run()
    assert "You cancelled it" in quiet(app).info[0].value
    click(app, f"run_resume_{run_id}")
    assert find_run(workspace, run_id).is_active
    assert len(no_processes) == 2


def test_a_second_tab_does_not_take_a_cancelled_run_for_a_crashed_one(
    workspace: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whoever looks when its process is gone and the click not yet answered sees it cancelled."""
    run_id = running(workspace)
    monkeypatch.setattr(job_processes, "is_working", lambda workspace, job_id: False)
    monkeypatch.setattr(job_processes, "exit_status", lambda job_id: -9)
    with workspace.catalogue() as connection:
        connection.execute("UPDATE job SET stop_requested = 1 WHERE run_id = ?", (run_id,))
    assert find_run(workspace, run_id).state == "cancelled"


def test_a_finished_run_is_shown_in_full(run: Any, workspace: Workspace) -> None:
    """Settings, where it comes from, estimate beside truth, days, curves, size."""
    run_id = made_run(
        workspace,
        RunConfig.of("i-gcn-gru", history_days=2),
        estimate={"seconds": 30.0, "peak_bytes": 10**9, "disk_bytes": 10**6},
        result={"seconds": 33.0, "seconds_a_day": 11.0, "peak_bytes": 2 * 10**9, "days": 3},
        progress={"loss": 0.3, "accuracy": 0.9},
        lines=step_lines(list(DAYS)),
    )
    app = run(workspace.root, run_id)
    settings = table(app, "setting").set_index("setting")
    assert settings.loc["History (days)"].tolist() == ["2", "5"]
    truth = table(app, "estimated").set_index("what")
    assert truth.loc["time"].tolist() == ["30.0 s", "33.0 s"]
    facts = dict(table(app, "is").to_numpy().tolist())
    assert facts["id of the run"] == run_id
    assert facts["hash of its settings"] == RunConfig.of("i-gcn-gru", history_days=2).hash
    assert table(app, "day")["day"].tolist() == list(DAYS)
    assert "3 days, 2021-12-01 to 2021-12-04" in texts(app)
    assert len(app.get("vega_lite_chart")) == 2
    assert f"run_continue_{run_id}" not in keys(app)


def test_new_days_can_be_gone_on_with(run: Any, workspace: Workspace) -> None:
    """A run over the first two days continues with the third."""
    with workspace.catalogue() as connection:
        row = connection.execute("SELECT * FROM snapshot WHERE bin = ?", (DAYS[2],)).fetchone()
        connection.execute("DELETE FROM snapshot WHERE bin = ?", (DAYS[2],))
        run_id = made_run(workspace, RunConfig.of("i-gcn"), days=2)
        connection.execute(
            "INSERT INTO snapshot VALUES (?, ?, ?, ?, ?, ?)",
            tuple(row),
        )
    app = run(workspace.root, run_id)
    assert app.button(key=f"run_continue_{run_id}").label == "Continue with 1 new day"
    click(app, f"run_continue_{run_id}")
    assert find_run(workspace, run_id).is_active


def test_a_failed_run_says_why_and_what_may_help(
    run: Any, workspace: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Message and code; a way to try it on the processor, or in smaller batches."""
    found = (Device("cpu", "Processor", 10**10), Device("cuda:0", "A card", 10**10))
    monkeypatch.setattr("darkgnn_core.devices.devices", lambda: found)
    run_id = made_run(
        workspace,
        RunConfig.of("i-gcn", device="cuda:0"),
        "failed",
        message="The graphics card ran out of memory.",
        code="GPU-OUT-OF-MEMORY",
    )
    app = run(workspace.root, run_id, is_quiet=False)
    assert not app.exception
    said = app.error[0].value.replace("\\", "")
    assert said == "The graphics card ran out of memory. (GPU-OUT-OF-MEMORY)"
    labels = {button.label for button in app.main.button}
    assert {TO_CPU, TO_BATCHES, "Resume"} <= labels


def test_remedies_change_what_they_say() -> None:
    """Processor, or batches of half the size when it was in batches already."""
    config = RunConfig.of("i-gcn", device="cuda:0", sampling="neighbours", batch_edges=100)
    assert changed(config, {"device": "cpu"}).device == "cpu"
    smaller = changed(config, {"batch_edges": 50})
    assert smaller.settings == replace(config.settings, batch_edges=50)
    assert changed(config, {"scaling": "none"}).graph.scaling == "none"
    with pytest.raises(KeyError):
        changed(config, {"colour": "red"})


def test_only_lack_of_memory_has_remedies(workspace: Workspace) -> None:
    """A method without a graph gets no batches; another failure gets nothing."""
    for code, method, labels in (
        ("DIVERGED", "i-gcn", []),
        ("OUT-OF-MEMORY", "i-gcn", [TO_BATCHES]),
        ("OUT-OF-MEMORY", "features", []),
        ("GPU-OUT-OF-MEMORY", "autoencoder", [TO_CPU]),
    ):
        run_id = made_run(workspace, RunConfig.of(method), "failed", code=code)
        assert list(remedies(find_run(workspace, run_id))) == labels


def test_a_clone_fills_the_form(run: Any, workspace: Workspace) -> None:
    """Every setting, ready to be changed."""
    config = RunConfig.of(
        "gcn-gru", use_features=False, epochs=4, keeps="last", seed=5, first_day=DAYS[0]
    )
    run_id = made_run(workspace, config)
    app = run(workspace.root, run_id)
    click(app, f"run_clone_{run_id}")
    assert app.segmented_control(key="train_view").value == "New run"
    assert app.selectbox(key="train_method").value == "gcn-gru"
    assert "same settings is there already" in app.warning[0].value
    app.number_input(key="train_epochs").set_value(6).run()
    click(app, "train_start")
    newest = list_runs(workspace)[0]
    assert newest.config == replace(config, settings=replace(config.settings, epochs=6))


def test_a_run_is_renamed_archived_and_deleted(run: Any, workspace: Workspace) -> None:
    """Each by one click, deletion after a yes that names the size."""
    run_id = made_run(workspace, RunConfig.of("features"))
    app = run(workspace.root, run_id)
    app.text_input(key=f"run_name_{run_id}").input(EVIL)
    form = next(button for button in app.main.button if button.label == "Rename")
    quiet(form.click().run())
    assert find_run(workspace, run_id).name == EVIL
    click(app, f"run_archive_{run_id}")
    assert find_run(workspace, run_id).archived
    assert "No run matches." in texts(app)
    click(app, f"run_archive_{run_id}")
    assert not find_run(workspace, run_id).archived
    assert "become free" in texts(app)
    click(app, f"run_delete_{run_id}")
    assert list_runs(workspace, archived=True) == []
    assert "deleted" in app.success[0].value


def test_the_list_is_filtered(run: Any, workspace: Workspace) -> None:
    """By words, state, method, group, and whether archived."""
    made_run(workspace, RunConfig.of("features"), name="one", group="g")
    made_run(workspace, RunConfig.of("i-gcn"), "cancelled", name="two")
    app = run(workspace.root, view="Runs")
    assert table(app, "what")["name"].tolist() == ["two", "one"]
    app.text_input(key="runs_text").input("37 COLUMNS").run()
    assert table(app, "what")["name"].tolist() == ["one"]
    app.text_input(key="runs_text").input("")
    app.multiselect(key="runs_state").set_value(["cancelled"]).run()
    assert table(app, "what")["name"].tolist() == ["two"]
    app.multiselect(key="runs_state").set_value([])
    app.multiselect(key="runs_group").set_value(["g"]).run()
    assert table(app, "what")["name"].tolist() == ["one"]
    app.multiselect(key="runs_method").set_value(["i-gcn"]).run()
    assert "No run matches." in texts(app)


def test_the_whole_list_is_tidied_at_once(run: Any, workspace: Workspace) -> None:
    """All that are listed and have ended are archived, or deleted; others stay."""
    other = made_run(workspace, RunConfig.of("i-gcn"), name="other")
    busy = made_run(workspace, RunConfig.of("gcn", seed=1), "running", name="sweep 0")
    for seed in (1, 2):
        made_run(workspace, RunConfig.of("features", seed=seed), name=f"sweep {seed}")
    app = run(workspace.root, view="Runs")
    app.text_input(key="runs_text").input("sweep").run()
    click(app, "runs_archive_all")
    assert {each.id for each in list_runs(workspace)} == {other, busy}
    app.toggle(key="runs_archived").set_value(True).run()
    click(app, "runs_delete_all")
    assert {each.id for each in list_runs(workspace, archived=True)} == {other, busy}


def test_a_link_to_a_run_that_is_gone(run: Any, workspace: Workspace) -> None:
    """It is said, and the newest run is shown instead."""
    there = made_run(workspace, RunConfig.of("features"))
    app = run(workspace.root, "0" * 12)
    assert "not in this workspace" in texts(app)
    assert f"run_clone_{there}" in keys(app)


def test_the_best_device_is_taken_unless_one_is_chosen(
    run: Any, workspace: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A graphics card where there is one; the processor by choice, and for methods without it."""
    found = (Device("cpu", "Processor", 10**10), Device("cuda:0", "A card", 10**10))
    monkeypatch.setattr("pages.shared.loaders.devices", lambda: found)
    monkeypatch.setattr("darkgnn_core.devices.devices", lambda: found)
    app = run(workspace.root)
    assert app.selectbox(key="train_device").options == ["Automatic: A card", "Processor", "A card"]
    click(app, "train_start")
    assert list_runs(workspace)[0].config.device == "cuda:0"
    app.segmented_control(key="train_view").set_value("New run").run()
    app.selectbox(key="train_device").select("cpu").run()
    click(app, "train_start")
    assert list_runs(workspace)[0].config.device == "cpu"
    app.segmented_control(key="train_view").set_value("New run").run()
    app.selectbox(key="train_method").select("features").run()
    assert not [box for box in app.selectbox if box.key == "train_device"]
