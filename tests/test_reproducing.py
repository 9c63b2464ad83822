"""The paper's tables and figures: its numbers, our rows, what is run, reused and written."""

import math
import statistics
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from darkgnn_core.errors import ConfigError, RunError
from darkgnn_core.reproducing import paper
from darkgnn_core.reproducing.asking import Job, Settings
from darkgnn_core.reproducing.curves import _days_to_choose_on
from darkgnn_core.reproducing.data_sets import describe
from darkgnn_core.reproducing.exports import markdown_of, plain
from darkgnn_core.reproducing.reproduce import table3
from darkgnn_core.reproducing.rows import (
    AS_RELEASED,
    chosen,
    epoch_rows,
    history_rows,
    table3_rows,
)
from darkgnn_core.reproducing.running import Runs, scored_keys
from darkgnn_core.run_config import RunConfig
from darkgnn_core.runs import find_run, list_runs
from darkgnn_core.safe_csv import csv_of
from darkgnn_core.traces.parsing import Stopped
from darkgnn_core.workspace import Workspace, open_workspace
from tests.app_workspaces import DAYS, write_trace
from tests.made_runs import made_run, no_processes
from tests.test_evaluation_cli import embed, loaded, run, workspace

__all__ = ["loaded", "no_processes", "run", "workspace"]

RESULT = {"seconds_a_day": 2.5, "processor_seconds_a_day": 4.0, "peak_bytes": 3 << 20}


def done_run(workspace: Workspace, config: RunConfig, apart: float) -> str:
    """Write down a finished run whose kinds of hosts lie so far apart."""
    run_id = made_run(workspace, config, result=RESULT)
    embed(workspace, run_id, apart)
    return run_id


def test_the_papers_numbers_agree_with_each_other() -> None:
    """Macro F1 is the mean of its classes to the digits printed; supports add up to its total."""
    assert sum(paper.SUPPORT.values()) == 43_050
    for column, classes in paper.CLASS_F1.items():
        assert list(classes) == list(paper.SUPPORT)
        mean = statistics.mean(f1 for f1, _ in classes.values())
        assert mean == pytest.approx(paper.MACRO_F1[column][0], abs=0.012)
    assert paper.HISTORY_F1[5] == paper.EPOCHS_F1[1]
    assert round(paper.HISTORY_F1[5], 2) == paper.MACRO_F1["i-gcn-gru"][0]
    assert round(paper.HISTORY_F1[0], 2) == paper.MACRO_F1["i-gcn"][0]


def test_rows_hold_every_column_of_the_paper_with_both_presets() -> None:
    """Names are unique, no two rows are the same run, and each is told by its settings."""
    rows = table3_rows()
    names = [row.name for row in rows]
    assert len(set(names)) == len(names)
    for column in (*paper.COLUMNS, "i-darkvec"):
        assert {column, f"{column}{AS_RELEASED}"} <= set(names)
    hashes = [row.config.hash for row in rows if row.config is not None]
    assert len(set(hashes)) == len(hashes)
    assert next(row for row in rows if row.name == "i-gcn-gru").config == RunConfig()
    assert {row.preset for row in rows if row.name.endswith(AS_RELEASED)} == {"as_released"}
    written = table3_rows(presets=("as_written",))
    assert not [row.name for row in written if row.preset == "as_released"]


def test_seeds_are_runs_only_where_something_is_drawn() -> None:
    """Three seeds of a network, one run of plain columns, none of what looks at addresses."""
    rows = {row.name: row for row in table3_rows()}
    assert [each.seed for each in rows["i-gcn-gru"].configs(3)] == [0, 1, 2]
    assert len(rows["features, max"].configs(3)) == 1
    assert rows["stratified_dummy"].configs(3) == []


def test_rows_are_chosen_by_how_they_begin_and_what_they_hold() -> None:
    """Names that begin so, less those that hold a text; none left is refused."""
    rows = table3_rows()
    kept = chosen(rows, ["i-gcn"], ["no features", "as_released", "rewired", "shuffled"])
    assert [row.name for row in kept] == ["i-gcn-gru", "i-gcn"]
    with pytest.raises(ConfigError) as heard:
        chosen(rows, ["nothing of the kind"], [])
    assert heard.value.code == "NO-ROWS"


def test_curves_start_from_the_runs_of_table_3() -> None:
    """History 5 and 1 epoch are i-GCN-GRU as it is, history 0 is i-GCN: nothing is run twice."""
    table = {row.name: row.config.hash for row in table3_rows() if row.config is not None}
    history = {(row.name.split(",")[0], row.value): row.config for row in history_rows()}
    assert history["i-gcn-gru", 5].hash == table["i-gcn-gru"]
    assert history["i-gcn-gru", 0].hash == table["i-gcn"]
    assert history["random-gcn-gru", 0].hash == table["random-gcn"]
    epochs = {row.value: row.config for row in epoch_rows()}
    assert epochs[1].hash == table["i-gcn-gru"]
    assert (epochs[30].settings.epochs, history["i-gcn-gru", 8].settings.history_days) == (30, 8)


def test_finished_runs_are_scored_and_the_others_said_to_be_missing(
    capsys: pytest.CaptureFixture[str], workspace: Workspace, tmp_path: Path
) -> None:
    """Two seeds far apart, i-DarkVec on one heap: the table, its spread, the pairs, the files."""
    for seed, apart in ((0, 9.0), (1, 2.5)):
        done_run(workspace, RunConfig(seed=seed), apart)
    done_run(workspace, RunConfig.of("i-darkvec"), 0.0)
    done_run(workspace, RunConfig.of("i-gcn-gru", "as_released"), 1.5)
    made_run(workspace, RunConfig.of("i-gcn"), state="failed", message="out of memory")
    words = ["reproduce", "table3", "--workspace", workspace.root, "--no-train", "--seeds", 2]
    words += ["--out", tmp_path / "out", "--min-class-hosts", 2, "--skip", "gradient"]
    code, document = run(capsys, *words)
    assert code == 0
    [same_day] = document["table3"]["protocols"].values()
    lines = {line["method"]: line for line in same_day["methods"]}
    best = lines["i-gcn-gru"]
    assert (best["seeds"], best["days"], best["support"], best["classes"]) == (2, 2, 80, 2)
    assert best["macro_f1"] > 0.8 > 0.7 > lines["i-darkvec"]["macro_f1"]
    assert best["sd_seeds"] > 0
    assert (best["seconds_a_day"], best["processor_s_a_day"], best["peak_mib"]) == (2.5, 4.0, 3.0)
    assert (best["paper_f1"], best["paper_sd"]) == (0.80, 0.02)
    assert lines["gcn"]["macro_f1"] is None
    assert lines["gcn"]["note"] == lines["i-gcn"]["note"] == "not run"  # a failed run is no score
    assert 0.9 < lines["last_label"]["macro_f1"] < 1  # hosts keep their labels, one is new
    assert "not the paper's data set" in document["table3"]["title"]
    assert any("gcn-gru, no features" in note for note in document["table3"]["notes"])
    pair = next(each for each in same_day["pairs"] if each["second"] == "i-darkvec")
    assert pair["difference"] > 0
    assert "too few days" in pair["sentence"]
    [preset] = same_day["presets"]
    assert (preset["first"], preset["second"]) == ("i-gcn-gru", "i-gcn-gru, as_released")
    assert preset["difference"] > 0
    classes = {(each["source"], each["method"], each["label"]) for each in same_day["classes"]}
    assert ("paper", "i-gcn-gru", "mirai") in classes
    assert ("ours", "i-gcn-gru", "censys") in classes
    written = {Path(name).name for name in document["table3_files"]}
    assert {"table3.md", "table3.csv", "table3.json"} <= written
    kept = pd.read_csv(tmp_path / "out/table3.csv").set_index("method")
    assert kept.loc["i-gcn-gru", "macro_f1"] == best["macro_f1"]
    assert len(kept) == len(lines)
    text = (tmp_path / "out/table3.md").read_text()
    assert "paper: i-gcn-gru" in text
    assert "2021-12-02 to 2021-12-04" in text


def test_what_is_missing_is_trained_once_and_stopping_leaves_it_to_be_resumed(
    workspace: Workspace, tmp_path: Path
) -> None:
    """Asked to stop while a run is followed: it is cancelled, and the same run goes on later."""
    seen: list[str] = []
    asked: list[bool] = []

    def see(run: Any) -> None:
        seen.append(run.id)
        asked.append(True)

    job = Job(
        workspace,
        Settings(only=("features, max", "spectral, 1 day"), min_class_hosts=2),
        tmp_path / "out",
        see=see,
        should_stop=lambda: bool(asked),
    )
    part = table3(job)
    assert part.stopped
    [cancelled] = list_runs(workspace)
    assert (cancelled.id, cancelled.is_resumable) == (seen[0], True)
    assert "stopped before it" in (tmp_path / "out/table3.md").read_text()
    asked.clear()
    again = table3(job)
    assert again.stopped
    [resumed] = list_runs(workspace)
    assert resumed.id == cancelled.id


def test_a_run_that_was_under_way_before_is_left_at_work(workspace: Workspace) -> None:
    """Asked to stop while somebody else's run is waited for: it goes on."""
    run_id = made_run(workspace, RunConfig.of("features"), state="running")
    asked = iter([False, True])
    runs = Runs(workspace, should_stop=lambda: next(asked))
    row = next(row for row in table3_rows() if row.name == "features, max")
    with pytest.raises(Stopped):
        runs.of(row, 1, {})
    assert find_run(workspace, run_id).is_active


def test_a_failed_run_is_told_of_and_goes_on_only_where_asked(workspace: Workspace) -> None:
    """Without `--retry` its message is what there is; with it the same run is queued again."""
    config = RunConfig.of("features")
    run_id = made_run(workspace, config, state="failed", message="no room")
    row = next(row for row in table3_rows() if row.name == "features, max")
    [told] = Runs(workspace).of(row, 1, {})
    assert (told.id, told.state, told.message) == (run_id, "failed", "no room")
    asked = iter([False, True])
    with pytest.raises(Stopped):
        Runs(workspace, retries=True, should_stop=lambda: next(asked)).of(row, 1, {})
    [again] = list_runs(workspace)
    assert (again.id, again.state) == (run_id, "cancelled")


def test_runs_over_other_data_are_not_taken(workspace: Workspace, tmp_path: Path) -> None:
    """A run of before a day came is no run over the days there are now."""
    from darkgnn_core.ingest import ingest

    config = RunConfig.of("features")
    run_id = done_run(workspace, config, 1.0)
    assert Runs(workspace).find(config).id == run_id
    ingest(workspace, [write_trace(tmp_path / "more.csv", (5,))])
    assert Runs(workspace).find(config) is None


def test_a_fusion_takes_runs_of_the_same_seed(workspace: Workspace) -> None:
    """Of seeds 0 and 1 there, 0 alone in both: one fusion, of these two runs."""
    ids = [
        done_run(workspace, config, 1.0)
        for config in (RunConfig(), RunConfig(seed=1), RunConfig.of("i-darkvec"))
    ]
    found = [find_run(workspace, each) for each in ids]
    row = next(row for row in table3_rows() if row.fused)
    asked = iter([False, True])
    runs = Runs(workspace, should_stop=lambda: next(asked))
    others = {"i-gcn-gru": found[:2], "i-darkvec": found[2:]}
    with pytest.raises(Stopped):
        runs.of(row, 2, others)
    [fusion] = [run for run in list_runs(workspace) if run.config.method == "fusion"]
    assert fusion.config.settings.runs == (ids[0], ids[2])


def test_the_first_day_is_never_scored(workspace: Workspace) -> None:
    """It has no past; with one day nothing can be scored."""
    runs = Runs(workspace)
    assert scored_keys(runs, 11) == DAYS[1:]
    assert scored_keys(runs, 1) == DAYS[-1:]
    runs.keys = DAYS[:1]
    with pytest.raises(RunError) as heard:
        scored_keys(runs, 11)
    assert heard.value.code == "TOO-FEW-DAYS"


def test_the_title_says_which_data_set_it_is(workspace: Workspace) -> None:
    """Sources by name, days and settings; never the paper's name for another's data."""
    told = describe(workspace)
    assert told.title.startswith("the workspace's trace.csv, not the paper's data set; 3 days")
    assert (told.is_paper, told.is_synthetic, told.days) == (False, False, 3)


def test_the_demo_is_known_by_its_addresses(tmp_path: Path) -> None:
    """Its logs loaded as anybody's traces are still no real darknet, nor the paper's."""
    from darkgnn_core.ingest import ingest

    text = write_trace(tmp_path / "made.csv").read_text()
    (tmp_path / "made.csv").write_text(text.replace("198.51.100.", "240.0.1."))
    workspace = open_workspace(tmp_path / "w")
    ingest(workspace, [tmp_path / "made.csv"])
    told = describe(workspace)
    assert told.is_synthetic
    assert told.title.startswith("a synthetic demo darknet, not the paper's data set")


def test_table_2_stands_beside_the_papers(
    capsys: pytest.CaptureFixture[str], workspace: Workspace
) -> None:
    """Every class of the paper has its line, and ours theirs."""
    code, document = run(capsys, "reproduce", "table2", "--workspace", workspace.root)
    assert code == 0
    rows = {row["label"]: row for row in document["table2"]["rows"]}
    assert rows["mirai"]["paper_hosts"] == 16_147
    assert rows["mirai"]["hosts"] is None
    assert rows["censys"]["hosts"] > 0
    assert (workspace.root / "reproduced/table2.md").exists()


@pytest.mark.parametrize("what", ["figure4a", "figure4b"])
def test_figures_are_drawn_from_what_is_there(
    capsys: pytest.CaptureFixture[str], workspace: Workspace, what: str
) -> None:
    """One run of ours beside all points of the paper, as PNG, SVG and numbers."""
    done_run(workspace, RunConfig(), 9.0)
    words = ["reproduce", what, "--workspace", workspace.root, "--no-train", "--last-days", 1]
    code, document = run(capsys, *words, "--min-class-hosts", 2)
    assert code == 0
    points = document[what]["points"]
    ours = [each for each in points if each["curve"] == "ours, test days"]
    published = {"figure4a": paper.HISTORY_F1, "figure4b": paper.EPOCHS_F1}[what]
    assert [each["value"] for each in ours] == [{"figure4a": 5, "figure4b": 1}[what]]
    theirs = {each["value"]: each["f1"] for each in points if each["curve"].startswith("the pap")}
    assert theirs == dict(published)
    folder = workspace.root / "reproduced"
    assert (folder / f"{what}.png").read_bytes().startswith(b"\x89PNG\r\n")
    drawing = (folder / f"{what}.svg").read_text()
    assert "ours, test days" in drawing
    assert "not the paper&#39;s data set" in drawing or "not the paper's data set" in drawing


def test_settings_are_chosen_on_days_with_the_longest_history_behind_them() -> None:
    """Of 31 days and 11 test days the 11 before those; of 14 days none is left."""
    keys = [f"2021-12-{day:02}" for day in range(1, 32)]
    assert _days_to_choose_on(keys, keys[-11:]) == tuple(keys[9:20])
    assert _days_to_choose_on(keys[:14], keys[3:14]) == ()


def test_the_rows_can_be_listed(capsys: pytest.CaptureFixture[str], workspace: Workspace) -> None:
    """Without running anything."""
    code, document = run(capsys, "reproduce", "table3", "--workspace", workspace.root, "--list")
    assert code == 0
    assert "i-gcn-gru, shuffled days" in document["rows"]
    assert not list_runs(workspace)


@pytest.mark.parametrize(
    "words", [["--seeds", "0"], ["--last-days", "0"], ["--only", "nothing of the kind"]]
)
def test_what_makes_no_sense_is_refused(
    capsys: pytest.CaptureFixture[str], workspace: Workspace, words: Sequence[str]
) -> None:
    """With exit code 3, before anything is run."""
    code, document = run(capsys, "reproduce", "table3", "--workspace", workspace.root, *words)
    assert code == 3
    assert document["error"]["code"] in ("CONFIG", "NO-ROWS")
    assert not list_runs(workspace)


def test_exports_carry_no_formula_and_no_markup() -> None:
    """A label that a sheet would run is quoted; a pipe does not break a Markdown table."""
    table = pd.DataFrame({"label": ["=cmd()", "a|b\n<b>"], "f1": [0.5, math.nan], "n": [1200, 3]})
    assert csv_of(table).splitlines()[1] == b"'=cmd(),0.5,1200"
    lines = markdown_of(table).splitlines()
    assert lines[2] == "| =cmd\\(\\) | 0.500 | 1,200 |"
    assert len(lines) == 4
    assert lines[3].count("|") - lines[3].count("\\|") == 4
    assert "\\<b\\>" in lines[3]


def test_documents_hold_no_number_that_json_has_not() -> None:
    """NaN and infinity become null, numpy's numbers plain ones, tables lists of rows."""
    value = {"a": np.float64("nan"), "b": (np.int64(3), math.inf), "c": pd.DataFrame({"x": [1.5]})}
    assert plain(value) == {"a": None, "b": [3, None], "c": [{"x": 1.5}]}
