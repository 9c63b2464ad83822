"""The command line of training: options to settings, groups, ids, refusals, and runs to the end."""

import argparse
import json
import os
import shutil
import signal
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from app_workspaces import filled_workspace
from made_runs import made_run, no_processes

from darkgnn_core.cli import following, running, training
from darkgnn_core.cli.main import build_parser, main
from darkgnn_core.cli.output import Output
from darkgnn_core.cli.running import find_ids
from darkgnn_core.cli.settings import (
    combinations,
    read_changes,
    read_sweeps,
    settings_of,
)
from darkgnn_core.cli.training import chosen_configs
from darkgnn_core.errors import ConfigError, RunError
from darkgnn_core.estimates import Estimate
from darkgnn_core.paces import Pace
from darkgnn_core.run_config import (
    METHODS,
    DarkVecConfig,
    NetworkConfig,
    RunConfig,
    TableConfig,
)
from darkgnn_core.runs import cancel_run, find_run, list_runs
from darkgnn_core.workspace import Workspace

__all__ = ["no_processes"]

ABSENT = Workspace(Path("absent"))
SMALL = Estimate(1.0, 1000, 1000, fits=True, why_not="", basis="Made up for a test.")


@pytest.fixture(scope="module")
def filled(tmp_path_factory: pytest.TempPathFactory) -> Workspace:
    """Give a workspace of three days, not to be written to."""
    return filled_workspace(tmp_path_factory.mktemp("filled"))


@pytest.fixture
def workspace(filled: Workspace, tmp_path: Path) -> Workspace:
    """Give a workspace of three days of one's own."""
    return Workspace(Path(shutil.copytree(filled.root, tmp_path / "workspace")))


@pytest.fixture
def estimated(monkeypatch: pytest.MonkeyPatch) -> None:
    """Estimate every run as small, at once."""
    monkeypatch.setattr(training, "estimate", lambda *_, **__: SMALL)


def run(capsys: pytest.CaptureFixture[str], *words: object) -> tuple[int, dict[str, Any]]:
    """Run a command with `--json`; return its exit code and document."""
    code = main([*map(str, words), "--json"])
    return code, json.loads(capsys.readouterr().out)


def parsed(*words: str) -> argparse.Namespace:
    """Return the options of `train WORDS`."""
    return build_parser().parse_args(["train", *words])


def chosen(*words: str, workspace: Workspace = ABSENT) -> list[RunConfig]:
    """Return the runs that `train WORDS --device cpu` asks for."""
    return chosen_configs(parsed(*words, "--device", "cpu"), workspace)


def test_without_options_a_variant_has_its_preset() -> None:
    """Nothing told, the settings are those of `RunConfig.of`."""
    for method in METHODS:
        if method != "fusion":
            assert chosen(method) == [RunConfig.of(method)]
    released = chosen("i-gcn", "--preset", "as_released")
    assert released == [RunConfig.of("i-gcn", "as_released")]


def test_every_option_reaches_its_setting() -> None:
    """Options of their own and `--set` give one frozen config."""
    [config] = chosen(
        *("i-gcn-gru", "--no-features", "--first-day", "2021-12-01", "--last-day", "2021-12-04"),
        *("--seed", "7", "--history", "2", "--epochs", "3", "--set", "learning_rate=0.01"),
        *("--set", "carry-state=yes", "--set", "scaling=quantile", "--set", "negatives=degree"),
    )
    assert config == RunConfig.of(
        "i-gcn-gru",
        use_features=False,
        first_day="2021-12-01",
        last_day="2021-12-04",
        seed=7,
        history_days=2,
        epochs=3,
        learning_rate=0.01,
        carry_state=True,
        scaling="quantile",
        negatives="degree",
    )


def test_without_features_the_preset_takes_more_epochs() -> None:
    """`--no-features` picks the paper's five epochs; `--set use_features=no` does so too."""
    [by_option] = chosen("i-gcn", "--no-features")
    [by_name] = chosen("i-gcn", "--set", "use_features=no")
    assert by_option == by_name
    assert isinstance(by_option.settings, NetworkConfig)
    assert by_option.settings.epochs == 5


def test_seeds_and_sweeps_give_every_combination() -> None:
    """Two histories by three seeds are six different runs."""
    configs = chosen(
        "i-gcn-gru", "--sweep", "history_days=0,5", "--seeds", "0,1,2", "--epochs", "1"
    )
    found = {(config.settings.history_days, config.seed) for config in configs}  # type: ignore[union-attr]
    assert found == {(history, seed) for history in (0, 5) for seed in (0, 1, 2)}
    assert len({config.hash for config in configs}) == 6


def test_a_fusion_takes_runs_by_the_start_of_their_ids(
    workspace: Workspace, no_processes: list[str]
) -> None:
    """`--runs` finds the full ids, in order."""
    ids = [made_run(workspace, RunConfig.of("features", seed=seed)) for seed in (0, 1)]
    [config] = chosen("fusion", "--runs", ids[1][:8], ids[0], workspace=workspace)
    assert config.settings.runs == (ids[1], ids[0])  # type: ignore[union-attr]


@pytest.mark.parametrize(
    ("words", "heard"),
    [
        (("features", "--set", "history_days=5"), "no setting 'history_days'"),
        (("features", "--history", "5"), "no setting 'history_days'"),
        (("i-gcn", "--set", "epochs=many"), "epochs takes a whole number, got 'many'"),
        (("i-gcn", "--set", "epochs=1.5"), "epochs takes a whole number"),
        (("i-gcn", "--set", "epochs=0"), "epochs must be 1 to"),
        (("i-gcn", "--set", "learning_rate=nan"), "learning_rate must be"),
        (("i-gcn", "--set", "is_frozen=perhaps"), "is_frozen takes yes or no"),
        (("i-gcn", "--set", "convolution=cnn"), "gcn or sage or gatv2, got 'cnn'"),
        (("i-gcn", "--set", "epochs"), "written NAME=VALUE, got 'epochs'"),
        (("i-gcn", "--set", "epochs=1", "--set", "epochs=2"), "epochs is set twice"),
        (("i-gcn", "--set", "epochs=1", "--epochs", "2"), "epochs is told twice"),
        (("i-gcn", "--sweep", "seed=0,1", "--seeds", "0,1"), "seed is told twice"),
        (("i-gcn", "--set", "epochs=1", "--sweep", "epochs=1,2"), "either set or swept"),
        (("i-gcn", "--sweep", "epochs=1,1"), "each value once"),
        (("fusion",), "two runs or more"),
        (("i-gcn", "--first-day", "2021-12-04", "--last-day", "2021-12-01"), "must not come after"),
    ],
)
def test_a_wrong_setting_is_named(words: tuple[str, ...], heard: str) -> None:
    """What is not understood is told, with what would be."""
    with pytest.raises(ConfigError, match=heard):
        chosen(*words)


def test_an_unknown_setting_lists_the_known_with_their_meaning() -> None:
    """Every setting of the method is in the message, each with what it does."""
    with pytest.raises(ConfigError) as caught:
        read_changes("i-darkvec", ["windw=3"])
    for setting in settings_of("i-darkvec").values():
        assert setting.name in str(caught.value)
    assert "Hosts to each side that count as context" in str(caught.value)


def test_every_setting_of_every_method_has_a_meaning_and_reads_its_default() -> None:
    """The listing leaves none unexplained, and a default typed in comes out as itself."""
    for method in METHODS:
        for setting in settings_of(method).values():
            assert setting.meaning, f"{method}: {setting.name}"
            if setting.default not in (None, (), ""):
                typed = training._plain(setting.default)
                read = read_changes(method, [f"{setting.name}={typed}"])
                assert read == {setting.name: setting.default}


def test_defaults_shown_are_those_of_the_preset() -> None:
    """`--help-settings --preset as_released` shows what that preset would run with."""
    assert settings_of("i-gcn", "as_released")["is_frozen"].default is True
    assert settings_of("i-gcn")["is_frozen"].default is False
    assert settings_of("gcn", "as_released")["edges"].default == "month_first"


def test_sweeps_are_typed_and_multiply() -> None:
    """Numbers become numbers; the last name changes fastest."""
    sweeps = read_sweeps("i-gcn-gru", ["history_days=0,2", "mask_edges=0,0.5"])
    assert sweeps == {"history_days": [0, 2], "mask_edges": [0.0, 0.5]}
    found = [(each["history_days"], each["mask_edges"]) for each in combinations(sweeps)]
    assert found == [(0, 0.0), (0, 0.5), (2, 0.0), (2, 0.5)]


def test_the_command_line_takes_no_setting_class_unseen() -> None:
    """Each class of settings can be reached: networks, i-DarkVec, tables."""
    kinds = {type(RunConfig.of(method).settings) for method in METHODS if method != "fusion"}
    assert kinds == {NetworkConfig, DarkVecConfig, TableConfig}


def test_help_does_not_wait_for_torch() -> None:
    """Parsing, and all that the command line imports, leaves the slow libraries alone."""
    check = (
        "import sys; from darkgnn_core.cli.main import build_parser; "
        "build_parser().parse_args(['train', 'i-gcn-gru']); "
        "print([name for name in ('torch', 'sklearn', 'gensim', 'altair') if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", check], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_help_names_every_variant(capsys: pytest.CaptureFixture[str]) -> None:
    """`train --help` has a line for each."""
    with pytest.raises(SystemExit):
        main(["train", "--help"])
    shown = capsys.readouterr().out
    assert all(f"\n  {method} " in shown for method in METHODS)


def test_help_settings_lists_them(capsys: pytest.CaptureFixture[str]) -> None:
    """Names, defaults, what they take and mean; no workspace is needed."""
    code, told = run(capsys, "train", "i-gcn-gru", "--help-settings")
    assert code == 0
    rows = {row["setting"]: row for row in told["settings"]}
    assert rows["history_days"]["default"] == "5"
    assert rows["scaling"]["takes"] == "max or quantile or none"


def test_a_group_is_created_with_an_estimate_each(
    capsys: pytest.CaptureFixture[str],
    workspace: Workspace,
    no_processes: list[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A sweep, detached: all queued under one group, what was told of each kept with it."""
    told_of = {1: SMALL, 2: Estimate(9.0, 2000, 500, fits=True, why_not="", basis="Made up.")}
    monkeypatch.setattr(training, "estimate", lambda _, config, **__: told_of[config.settings.days])
    code, told = run(
        capsys, "train", "features", "--sweep", "days=1,2", "--detach", "--device", "cpu",
        "--workspace", workspace.root, "--name", "means",
    )  # fmt: skip
    assert code == 0
    runs = [find_run(workspace, run_id) for run_id in told["ids"]]
    assert [each.estimate["seconds"] for each in runs] == [1.0, 9.0]
    assert len({each.group for each in runs}) == 1
    assert runs[0].group.startswith("means ")
    assert told["estimate"]["seconds"] == 10.0
    assert told["estimate"]["peak_bytes"] == 2000
    assert told["estimate"]["disk_bytes"] == 1500


def test_what_cannot_fit_is_refused_unless_forced(
    capsys: pytest.CaptureFixture[str],
    workspace: Workspace,
    no_processes: list[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """With almost no memory left nothing is created; `--force` goes on."""
    monkeypatch.setattr("darkgnn_core.estimates.available_memory", lambda: 10_000_000)
    monkeypatch.setattr("darkgnn_core.estimates.pace_of", lambda *_: Pace())
    words = ("train", "i-gcn-gru", "--detach", "--device", "cpu", "--workspace", workspace.root)
    code, told = run(capsys, *words)
    assert (code, told["error"]["code"]) == (3, "TOO-LARGE")
    assert "10.0 MB are free" in told["error"]["message"]
    assert list_runs(workspace) == []
    code, told = run(capsys, *words, "--force")
    assert (code, len(told["ids"])) == (0, 1)


def test_a_repeated_run_is_refused_and_again_makes_it(
    capsys: pytest.CaptureFixture[str],
    workspace: Workspace,
    no_processes: list[str],
    estimated: None,
) -> None:
    """The second start of the same config says so."""
    words = ("train", "features", "--detach", "--workspace", workspace.root)
    assert run(capsys, *words)[0] == 0
    code, told = run(capsys, *words)
    assert (code, told["error"]["code"]) == (3, "REPEATED")
    assert run(capsys, *words, "--again")[0] == 0


def test_ids_are_found_by_their_first_characters(
    workspace: Workspace, no_processes: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A unique start is enough; an ambiguous one lists the runs, an unknown one is refused."""
    made = find_run(workspace, made_run(workspace, RunConfig.of("features")))
    there = [replace(made, id=name) for name in ("abc1", "abc2", "def0", "abc")]
    monkeypatch.setattr(running, "list_runs", lambda *_, **__: there)
    assert find_ids(workspace, ["d", "abc2", "abc"]) == ["def0", "abc2", "abc"]
    with pytest.raises(RunError, match=r"abc1 .* abc2 .* abc ") as caught:
        find_ids(workspace, ["ab"])
    assert caught.value.code == "AMBIGUOUS"
    for absent in ("x", ""):
        with pytest.raises(RunError) as caught:
            find_ids(workspace, [absent])
        assert caught.value.code == "NO-RUN"


def test_runs_can_be_listed_shown_renamed_archived_and_deleted(
    capsys: pytest.CaptureFixture[str], workspace: Workspace, no_processes: list[str]
) -> None:
    """Each command changes what the next one tells."""
    first = made_run(
        workspace,
        RunConfig.of("features"),
        name="plain",
        result={"seconds": 3.0, "seconds_a_day": 1.0},
    )
    second = made_run(workspace, RunConfig.of("i-gcn", seed=4), "failed", code="DIVERGED")
    at = ("--workspace", workspace.root)
    _, told = run(capsys, "runs", "list", *at)
    rows = {row["id"]: row for row in told["runs"]}
    assert rows[first]["seconds_a_day"] == 1.0
    assert (rows[second]["variant"], rows[second]["features"]) == ("i-gcn", True)
    assert (rows[second]["seed"], rows[second]["state"]) == (4, "failed")
    assert [
        row["id"] for row in run(capsys, "runs", "list", "--variant", "i-gcn", *at)[1]["runs"]
    ] == [second]
    assert [
        row["id"] for row in run(capsys, "runs", "list", "--state", "done", *at)[1]["runs"]
    ] == [first]
    _, told = run(capsys, "runs", "show", first[:6], *at)
    assert told["run"]["config"] == RunConfig.of("features").to_dict()
    assert told["run"]["bytes"] > 0
    run(capsys, "runs", "rename", first, "the bar", *at)
    run(capsys, "runs", "archive", second, *at)
    _, told = run(capsys, "runs", "list", *at)
    assert [row["name"] for row in told["runs"]] == ["the bar"]
    run(capsys, "runs", "archive", second, "--undo", *at)
    assert len(run(capsys, "runs", "list", *at)[1]["runs"]) == 2
    code, told = run(capsys, "runs", "delete", first, second, *at)
    assert (code, told["error"]["code"]) == (3, "UNCONFIRMED")
    assert run(capsys, "runs", "delete", first, second, "--yes", *at)[1]["deleted"] == [
        first,
        second,
    ]
    assert run(capsys, "runs", "list", *at)[1]["runs"] == []


def test_what_is_shown_to_people_names_the_same_facts(
    capsys: pytest.CaptureFixture[str], workspace: Workspace, no_processes: list[str]
) -> None:
    """Without `--json`, `runs show` is a table with estimate and truth."""
    run_id = made_run(
        workspace,
        RunConfig.of("features", days=2),
        result={"seconds": 75.0, "seconds_a_day": 25.0, "peak_bytes": 5_000_000},
        estimate={"seconds": 60.0, "peak_bytes": 4_000_000, "disk_bytes": 1},
    )
    assert main(["runs", "show", run_id, "--workspace", str(workspace.root)]) == 0
    shown = capsys.readouterr().out
    for fact in ("days 2", "1 min 15 s (25.0 s a day)", "1 min 0 s", "5.0 MB", "4.0 MB"):
        assert fact in shown


def test_a_run_is_followed_to_its_end_and_a_failure_tells(
    capsys: pytest.CaptureFixture[str],
    workspace: Workspace,
    no_processes: list[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Lines while it goes, the way it ended after; exit code 3 for a failed run."""
    run_id = made_run(workspace, RunConfig.of("features"), "running", days=1)
    told = [
        {"unit": "2021-12-01", "units_done": 1, "units_total": 3, "loss": 0.5, "remaining_s": 4.0}
    ]

    def passes(_: float) -> None:
        with workspace.catalogue() as connection:
            if told:
                connection.execute("UPDATE run SET progress = ?", (json.dumps(told.pop()),))
            else:
                connection.execute(
                    "UPDATE job SET state = 'failed', code = 'DIVERGED', message = 'It diverged.'"
                )

    monkeypatch.setattr(following.time, "sleep", passes)
    runs = following.follow(workspace, [run_id], Output(as_json=False), should_stop=bool)
    assert following.exit_code(runs) == 3
    shown = capsys.readouterr().out
    assert "2021-12-01, 1 of 3, loss 0.500, 4.0 s left" in shown
    assert "It diverged." in shown
    assert f"runs resume {run_id}" in shown


def test_runs_that_end_in_several_ways_give_one_code(
    workspace: Workspace, no_processes: list[str]
) -> None:
    """All done is 0, a cancelled one 130, any other 3."""
    done = find_run(workspace, made_run(workspace, RunConfig.of("features")))
    failed = find_run(workspace, made_run(workspace, RunConfig.of("features", seed=1), "failed"))
    active = made_run(workspace, RunConfig.of("features", seed=2), "running")
    cancelled = cancel_run(workspace, active)
    assert following.exit_code([done, done]) == 0
    assert following.exit_code([done, failed]) == 3
    assert following.exit_code([done, cancelled]) == 130


def test_features_are_trained_shown_and_continued_by_the_command_line(
    capsys: pytest.CaptureFixture[str], workspace: Workspace
) -> None:
    """From `train` to `runs show` with a real worker and a real estimate; nothing new to resume."""
    at = ("--workspace", workspace.root)
    code, told = run(capsys, "train", "features", "--set", "scaling=quantile", *at)
    assert code == 0, told
    [truth] = told["truth"]
    assert (truth["state"], truth["days"]) == ("done", 3)
    assert "trial" in told["estimate"]["basis"]
    assert told["estimate"]["fits"] is True
    _, shown = run(capsys, "runs", "show", told["ids"][0][:5], *at)
    assert shown["run"]["state"] == "done"
    assert shown["run"]["days"] == ["2021-12-01", "2021-12-02", "2021-12-04"]
    assert shown["run"]["estimate"]["peak_bytes"] == told["estimate"]["peak_bytes"]
    code, told = run(capsys, "runs", "resume", told["ids"][0], *at)
    assert (code, told["error"]["code"]) == (3, "NOTHING-NEW")


@pytest.mark.skipif(sys.platform == "win32", reason="signals are POSIX")
def test_ctrl_c_leaves_a_run_that_goes_on_later(workspace: Workspace) -> None:
    """SIGINT while it trains: exit code 130, the run is cancelled and can be resumed."""
    base = [sys.executable, "-m", "darkgnn_core"]
    at = ["--workspace", str(workspace.root), "--json"]
    words = ["train", "i-darkvec", "--epochs", "100000"]
    with subprocess.Popen([*base, *words, *at], stdout=subprocess.PIPE) as process:
        deadline = time.monotonic() + 60
        while not any(each.state == "running" for each in list_runs(workspace)):
            assert time.monotonic() < deadline, "it did not begin"
            assert process.poll() is None
            time.sleep(0.1)
        os.kill(process.pid, signal.SIGINT)
        heard, _ = process.communicate(timeout=30)
    assert process.returncode == 130
    told = json.loads(heard)
    assert told["stopped"] is True
    assert told["runs"][0]["state"] == "cancelled"
    assert find_run(workspace, told["ids"][0]).is_resumable
