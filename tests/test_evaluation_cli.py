"""The command `evaluate` on runs that are written down by hand, and scores over repeats."""

import json
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from darkgnn_core.cli.main import main
from darkgnn_core.durable import write_manifest
from darkgnn_core.embeddings import Embedding, write_embedding
from darkgnn_core.errors import ConfigError
from darkgnn_core.evaluation.predictions import Voting
from darkgnn_core.evaluation.protocols import SAME_DAY_LOO
from darkgnn_core.evaluation.repeats import evaluate, over_repeats
from darkgnn_core.evaluation.scores import score
from darkgnn_core.labels.store import add_list
from darkgnn_core.run_config import RunConfig
from darkgnn_core.run_store import EMBEDDINGS
from darkgnn_core.workspace import Workspace, open_workspace
from tests.app_workspaces import DAYS, filled_workspace
from tests.evaluation_days import FIRST_HOST, planted_days, told
from tests.made_runs import made_run, no_processes

__all__ = ["no_processes"]

HOSTS = np.arange(FIRST_HOST, FIRST_HOST + 60, dtype=np.uint32)
KINDS = np.arange(60) % 3


def embed(workspace: Workspace, run_id: str, apart: float) -> None:
    """Write embeddings of 60 hosts of three kinds that lie so far apart."""
    random = np.random.default_rng(0)
    directory = workspace.runs / run_id / EMBEDDINGS
    for day in DAYS:
        vectors = random.standard_normal((60, 8)).astype(np.float32)
        vectors[np.arange(60), KINDS] += apart
        write_embedding(directory / f"{day}.parquet", Embedding(day, HOSTS, vectors, "test"))
    write_manifest(directory)


@pytest.fixture(scope="module")
def loaded(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Give a workspace with labels for two of the three kinds of hosts; copy it to change it."""
    workspace = filled_workspace(tmp_path_factory.mktemp("loaded"))
    rows = [
        f"198.51.100.{at},{label}"
        for kind, label in enumerate(("censys", "shodan"))
        for at in np.flatnonzero(kind == KINDS)
    ]
    with workspace.catalogue() as connection:
        add_list(connection, "\n".join(["src_ip,label", *rows]).encode(), name="two kinds.csv")
    return workspace.root


@pytest.fixture
def workspace(loaded: Path, tmp_path: Path, no_processes: list[str]) -> Workspace:
    """Give a copy of the loaded workspace."""
    return open_workspace(shutil.copytree(loaded, tmp_path / "w"), create=False)


def run(capsys: pytest.CaptureFixture[str], *words: object) -> tuple[int, dict[str, Any]]:
    """Run a command with `--json`; return its exit code and document."""
    code = main([*map(str, words), "--json"])
    return code, json.loads(capsys.readouterr().out)


def test_runs_are_scored_and_compared(
    capsys: pytest.CaptureFixture[str], workspace: Workspace
) -> None:
    """Kinds far apart are told, kinds on top of each other are not; the pair is compared."""
    good = made_run(workspace, RunConfig(), name="good")
    poor = made_run(workspace, RunConfig(), name="poor")
    embed(workspace, good, 9.0)
    embed(workspace, poor, 0.0)
    code, document = run(
        capsys, "evaluate", good[:6], poor[:6], "--workspace", workspace.root, "--last-days", 2
    )
    assert code == 0
    assert document["protocol"]["reading"].startswith("Optimistic")
    assert document["days"] == list(DAYS[-2:])
    [first, second] = document["summary"]
    assert first["run"].startswith("good (")
    assert first["macro_f1_mean"] > 0.95 > 0.7 > second["macro_f1_mean"]
    assert (first["hosts"], first["days"], first["classes"]) == (80, 2, 2)
    classes = [(row["label"], row["support"]) for row in document["by_class"][:2]]
    assert classes == [("censys", 40), ("shodan", 40)]
    assert [row["day"] for row in document["by_day"][:2]] == list(DAYS[-2:])
    assert document["comparison"][0]["difference"] > 0.2
    assert "too few days" in document["sentences"][0]


@pytest.mark.parametrize("protocol", ["past_labels", "open_set", "few_labels", "label_noise"])
def test_every_protocol_has_its_table(
    capsys: pytest.CaptureFixture[str], workspace: Workspace, protocol: str
) -> None:
    """Variants are rows; the days before the first scored one are the past."""
    run_id = made_run(workspace, RunConfig())
    embed(workspace, run_id, 9.0)
    words = ["evaluate", run_id, "--workspace", workspace.root, "--protocol", protocol]
    code, document = run(capsys, *words, "--days", f"{DAYS[1]}..{DAYS[2]}")
    assert code == 0
    assert document["days"] == list(DAYS[1:])
    lowest = min(row["macro_f1_mean"] for row in document["summary"])
    assert lowest > (0.5 if protocol == "open_set" else 0.75)


def test_the_open_set_tells_alarms_and_classes_held_out(
    capsys: pytest.CaptureFixture[str], workspace: Workspace
) -> None:
    """A third of the hosts is unknown and lies apart; each class held out is told to be new."""
    run_id = made_run(workspace, RunConfig(), name="good")
    embed(workspace, run_id, 9.0)
    words = ["evaluate", run_id, "--workspace", workspace.root, "--protocol", "open_set"]
    code, document = run(capsys, *words, "--days", f"{DAYS[1]}..{DAYS[2]}")
    assert code == 0
    [row] = document["open_set"]
    assert row["unknown_hosts"] == 40
    assert row["alarm_share"] < 0.2
    assert row["auroc"] > 0.95
    assert row["fpr_at_95_tpr"] < 0.2
    assert [(each["label"], each["days"], each["hosts"]) for each in document["left_out"]] == [
        ("censys", 2, 40),
        ("shodan", 2, 40),
    ]
    assert main([*map(str, words)]) == 0
    assert "AUROC" in capsys.readouterr().out


def test_seeds_can_be_joined_and_baselines_added(
    capsys: pytest.CaptureFixture[str], workspace: Workspace
) -> None:
    """Two seeds of the same settings are one row with a spread; baselines are rows beside it."""
    ids = [made_run(workspace, RunConfig(seed=seed), name="net") for seed in (1, 2)]
    for run_id, apart in zip(ids, (3.0, 2.0), strict=True):
        embed(workspace, run_id, apart)
    words = ["evaluate", *ids, "--workspace", workspace.root, "--join-seeds", "--baselines"]
    _, document = run(capsys, *words)
    first = document["summary"][0]
    assert first["repeats"] == 2
    assert first["macro_f1_sd_repeats"] > 0
    names = {row["run"] for row in document["summary"][1:]}
    assert names == {"stratified_dummy", "last_label", "prefix_majority"}


def test_people_read_tables(capsys: pytest.CaptureFixture[str], workspace: Workspace) -> None:
    """Without `--json` the same in tables, the reading first."""
    run_id = made_run(workspace, RunConfig(), name="good")
    embed(workspace, run_id, 9.0)
    assert main(["evaluate", run_id, "--workspace", str(workspace.root)]) == 0
    shown = capsys.readouterr().out
    assert "Optimistic" in shown
    assert "censys" in shown
    assert "3 days, 2021-12-01 to 2021-12-04" in shown


def test_what_cannot_be_evaluated_is_refused(
    capsys: pytest.CaptureFixture[str], workspace: Workspace
) -> None:
    """No such run, no such days, days that are none, settings that are none."""
    run_id = made_run(workspace, RunConfig())
    embed(workspace, run_id, 1.0)
    for words, expected in (
        (["nothing"], "NO-RUN"),
        ([run_id, "--days", "2030-01-01..2030-01-02"], "NO-DAYS"),
        ([run_id, "--days", "yesterday"], "EVALUATION"),
        ([run_id, "--last-days", "0"], "EVALUATION"),
        ([run_id, "--k", "0"], "EVALUATION"),
    ):
        code, document = run(capsys, "evaluate", *words, "--workspace", workspace.root)
        assert (code, document["error"]["code"]) == (3, expected)


def test_repeats_are_averaged_and_their_spread_is_told() -> None:
    """Two seeds: means of means, deviation over seeds, and over the days of the mean."""
    first = [told([*"ab"], [*"ab"], key="2021-12-01"), told([*"ab"], [*"aa"], key="2021-12-02")]
    second = [told([*"ab"], [*"ab"], key="2021-12-01"), told([*"ab"], [*"ab"], key="2021-12-02")]
    joined = over_repeats([score(first), score(second)])
    low = (1 + (2 / 3 + 0) / 2) / 2  # macro F1 of the first seed
    assert joined.summary["repeats"] == 2
    assert joined.summary["macro_f1_mean"] == pytest.approx((low + 1) / 2)
    assert joined.summary["macro_f1_sd_repeats"] == pytest.approx(np.std([low, 1], ddof=1))
    assert joined.by_day["macro_f1"].tolist() == pytest.approx([1, (1 + 1 / 3) / 2])
    assert joined.summary["macro_f1_sd"] == pytest.approx(np.std([1, 2 / 3], ddof=1))
    row = joined.by_class.set_index("label").loc["b"]
    assert row["f1_mean"] == pytest.approx(0.75)
    assert row["f1_sd_repeats"] == pytest.approx(np.std([0.5, 1], ddof=1))
    assert row["f1_low"] <= 0.75 <= row["f1_high"]
    assert row["support"] == 2
    with pytest.raises(ConfigError):
        over_repeats([score(first), score(second[:1])])


def test_one_repeat_is_itself() -> None:
    """A single result over repeats is that result."""
    days = planted_days(3)
    found = evaluate(SAME_DAY_LOO, days, voting=Voting(min_class_hosts=3))[""]
    alone = found.each[0]
    for name, value in alone.summary.items():
        assert found.summary[name] == pytest.approx(value)
    for column in alone.by_class:
        assert found.by_class[column].tolist() == pytest.approx(alone.by_class[column].tolist())
    with pytest.raises(ConfigError):
        evaluate(SAME_DAY_LOO, days, [])
