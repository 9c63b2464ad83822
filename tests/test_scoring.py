"""Scores are computed once and never stale: labels, embeddings, settings, version, damage."""

import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from darkgnn_core import score_files, scoring
from darkgnn_core.durable import write_manifest
from darkgnn_core.embeddings import Embedding, write_embedding
from darkgnn_core.errors import ConfigError, RunError
from darkgnn_core.evaluation.labelled_days import labelled_days
from darkgnn_core.evaluation.open_set import alarms_of, open_set_days
from darkgnn_core.evaluation.predictions import DayScores, Voting
from darkgnn_core.evaluation.protocols import DUMMIES, PROTOCOLS, predict_days
from darkgnn_core.evaluation.scores import score
from darkgnn_core.jobs import cancel_job, find_job, read_log
from darkgnn_core.labels.analyst import add_labels
from darkgnn_core.labels.targets import parse_target
from darkgnn_core.runs import delete_run, open_embedding
from darkgnn_core.score_files import (
    Question,
    agreement_path,
    health_paths,
    label_state,
    prediction_paths,
    read_facts,
    read_predictions,
)
from darkgnn_core.score_job import Task, score_all, scoring_jobs, start_scoring, task_from
from darkgnn_core.scoring import compute_agreement, compute_health, compute_scores, scores_of
from darkgnn_core.workspace import Workspace, open_workspace
from tests.app_workspaces import DAYS
from tests.made_runs import no_processes
from tests.review_runs import HOSTS, LABELS, add_labels_list, embed, labelled_workspace, scored_run
from tests.waiting import wait_for

__all__ = ["no_processes"]
DEADLINE_S = 60.0

SAME_DAY = Question()
PAST = Question(protocol="past_labels")
FIELDS = ("hosts", "y_true", "y_pred", "votes", "margin", "distance")


@pytest.fixture(scope="module")
def loaded(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Give a workspace with labels; copy it to change it."""
    return labelled_workspace(tmp_path_factory.mktemp("loaded")).root


@pytest.fixture
def workspace(loaded: Path, tmp_path: Path, no_processes: list[str]) -> Workspace:
    """Give a copy of it, in which no process is started."""
    return open_workspace(shutil.copytree(loaded, tmp_path / "w"), create=False)


def compute(workspace: Workspace, run_id: str, question: Question = SAME_DAY) -> int:
    """Compute all days; return how many were not kept."""
    return compute_scores(workspace, run_id, question, DAYS)


def files(workspace: Workspace, run_id: str, question: Question = SAME_DAY) -> dict[str, Path]:
    """Return where the predictions of all days are now."""
    state = label_state(workspace, counts_analysts=question.counts_analysts)
    return prediction_paths(workspace, run_id, question, DAYS, state)


def check_equal(first: list[DayScores], second: list[DayScores]) -> None:
    """Check that predictions are the same in every array and fact; NaN is NaN."""
    for a, b in zip(first, second, strict=True):
        for name in FIELDS:
            np.testing.assert_array_equal(getattr(a, name), getattr(b, name))
        assert (a.key, a.protocol, a.variant) == (b.key, b.protocol, b.variant)
        assert (a.draw, a.k) == (b.draw, b.k)


@pytest.mark.parametrize("protocol", [*PROTOCOLS, *DUMMIES])
def test_what_is_kept_is_what_the_protocol_predicts(workspace: Workspace, protocol: str) -> None:
    """Every variant and draw of every protocol comes back as it was, from the files."""
    run_id = scored_run(workspace, apart=1.0)
    question = Question(protocol=protocol, voting=Voting(min_class_hosts=5))
    days = labelled_days(workspace, lambda key: open_embedding(workspace, run_id, key), DAYS)
    expected = predict_days(question.asked, days, voting=question.voting)
    for found in (scores_of(workspace, run_id, question, DAYS) for _ in range(2)):
        assert list(found) == list(expected)
        for variant, draws in expected.items():
            for ours, theirs in zip(found[variant], draws, strict=True):
                check_equal(ours, theirs)


def test_the_second_time_nothing_is_computed(
    workspace: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Days that are kept are neither read nor predicted again; a new day alone is."""
    run_id = scored_run(workspace, days=DAYS[:2])
    assert compute(workspace, run_id) == 2
    embed(workspace, run_id, 9.0, days=DAYS)
    assert compute(workspace, run_id) == 1
    monkeypatch.setattr(scoring, "predict_days", None)
    monkeypatch.setattr(scoring, "open_embedding", None)
    assert compute(workspace, run_id) == 0
    [draw] = scores_of(workspace, run_id, SAME_DAY, DAYS)[""]
    assert score(draw).summary["macro_f1_mean"] > 0.95


def test_a_changed_label_makes_scores_stale(workspace: Workspace) -> None:
    """A list that is added, a label that is withdrawn, another withdrawn instead: all count."""
    run_id = scored_run(workspace)
    compute(workspace, run_id)
    add_labels_list(workspace, "more.csv", {3: "rapid7"})
    assert compute(workspace, run_id) == len(DAYS)
    [draw] = scores_of(workspace, run_id, SAME_DAY, DAYS)[""]
    assert set(score(draw).by_class["label"]) == {*LABELS, "rapid7"}
    seen = {label_state(workspace)}
    with workspace.catalogue() as connection:
        ids = [row["id"] for row in connection.execute("SELECT id FROM label ORDER BY id")]
        for each in ids[:2]:  # as many are withdrawn each time, but not the same
            connection.execute("UPDATE label SET withdrawn_at = NULL")
            connection.execute("UPDATE label SET withdrawn_at = 'now' WHERE id = ?", (each,))
            seen.add(label_state(workspace))
    assert len(seen) == 3
    assert compute(workspace, run_id) == len(DAYS)
    assert not compute(workspace, run_id)


def test_labels_by_hand_count_only_where_asked_for(workspace: Workspace) -> None:
    """They leave scores standing that do not look at them, and change those that do."""
    run_id = scored_run(workspace)
    asked = Question(counts_analysts=True)
    compute(workspace, run_id)
    compute(workspace, run_id, asked)
    with workspace.catalogue() as connection:
        add_labels(connection, [parse_target(f"198.51.100.{4 * at + 3}") for at in range(12)], "x")
    assert compute(workspace, run_id) == 0
    assert compute(workspace, run_id, asked) == len(DAYS)
    [draw] = scores_of(workspace, run_id, asked, DAYS)[""]
    assert "x" in set(score(draw).by_class["label"])


@pytest.mark.parametrize(
    "other",
    [
        PAST,
        Question(voting=Voting(k=1)),
        Question(voting=Voting(min_class_hosts=16)),
        Question(scope="all"),
        Question(seed=1),
    ],
)
def test_another_question_has_files_of_its_own(workspace: Workspace, other: Question) -> None:
    """No setting is answered by the file of another; both stay."""
    run_id = scored_run(workspace)
    compute(workspace, run_id)
    assert compute(workspace, run_id, other) == len(DAYS)
    assert compute(workspace, run_id) == compute(workspace, run_id, other) == 0
    assert Question.from_dict(other.to_dict()) == other


def test_another_embedding_or_version_makes_scores_stale(
    workspace: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What hangs on earlier days goes with them, what does not stays; old files go."""
    run_id = scored_run(workspace, days=DAYS[1:])
    compute(workspace, run_id)
    compute(workspace, run_id, PAST)
    embed(workspace, run_id, 9.0, days=DAYS[1:])
    assert compute(workspace, run_id) == 0, "the same bytes"
    late = {day: (workspace.runs / run_id / "embeddings" / f"{day}.parquet") for day in DAYS[1:]}
    kept = {day: path.read_bytes() for day, path in late.items()}
    embed(workspace, run_id, 9.0, days=DAYS, seed=1)
    for day, path in late.items():
        path.write_bytes(kept[day])
    write_manifest(workspace.runs / run_id / "embeddings")
    assert compute(workspace, run_id) == 1, "the new first day"
    assert compute(workspace, run_id, PAST) == 3, "all days have another past"
    monkeypatch.setattr(score_files, "VERSION", score_files.VERSION + 1)
    assert compute(workspace, run_id) == 3
    folders = (workspace.runs / run_id / "scores").iterdir()
    assert {len(list(folder.iterdir())) for folder in folders} == {len(DAYS)}


@pytest.mark.parametrize("place", [40, 0.5, -100])
def test_a_damaged_file_is_computed_again(workspace: Workspace, place: float) -> None:
    """A bit that flipped in it, or a file cut short, is no prediction."""
    run_id = scored_run(workspace)
    compute(workspace, run_id)
    path = files(workspace, run_id)[DAYS[1]]
    whole = bytearray(path.read_bytes())
    at = int(place * len(whole)) if isinstance(place, float) else int(place)
    whole[at] ^= 4
    path.write_bytes(bytes(whole))
    damaged = read_predictions(path)
    if damaged is not None:  # the bit says nothing of the predictions
        pytest.skip("padding")
    assert compute(workspace, run_id) == 1
    path.write_bytes(bytes(whole[:-30]))
    assert compute(workspace, run_id) == 1
    assert len(scores_of(workspace, run_id, SAME_DAY, DAYS)[""][0]) == len(DAYS)


def test_labels_that_change_meanwhile_are_read_again(
    workspace: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    """No file says it holds labels of another moment; a change that never ends is an error."""
    run_id = scored_run(workspace)
    calls: list[int] = []

    def read(*arguments: Any, **options: Any) -> Any:
        found = labelled_days(*arguments, **options)
        calls.append(1)
        if len(calls) == 1 or len(calls) > 2:
            add_labels_list(workspace, f"{len(calls)}.csv", {3: f"label {len(calls)}"})
        return found

    monkeypatch.setattr(scoring, "labelled_days", read)
    assert compute(workspace, run_id) == len(DAYS)
    assert len(calls) == 2
    day = read_predictions(files(workspace, run_id)[DAYS[0]])
    assert day is not None
    assert day.sizes == dict.fromkeys((*LABELS, "label 1"), 15)
    with pytest.raises(RunError) as error:
        compute(workspace, run_id, PAST)
    assert error.value.code == "LABELS-CHANGED"


def test_stopping_keeps_what_was_finished(workspace: Workspace) -> None:
    """The job ends before the next day; going on computes the rest alone."""
    run_id = scored_run(workspace)
    told: list[dict[str, Any]] = []
    tasks = [Task("scores", run_id, DAYS), Task("health", run_id, DAYS)]
    assert [task_from(task.to_dict()) for task in tasks] == tasks

    def should_stop() -> bool:
        return len(told) == 3

    report = score_all(workspace, tasks, on_progress=told.append, should_stop=should_stop)
    assert (report.stopped, report.computed) == (True, 2)
    assert [each["done"] for each in told] == [0, 1, 2]
    assert told[-1] == {
        "done": 2, "total": 6, "what": "scores", "run_id": run_id, "day": DAYS[2],
    }  # fmt: skip
    told.clear()
    again = score_all(workspace, tasks, on_progress=told.append, should_stop=lambda: False)
    assert (again.stopped, again.computed) == (False, 1 + 3)
    assert [each["done"] for each in told] == [2, 3, 3, 4, 5, 6]


def test_one_job_scores_at_a_time_and_loads_are_not_in_its_way(
    workspace: Workspace, no_processes: list[str]
) -> None:
    """A second waits; both can be cancelled; rows of ended ones do not pile up."""
    run_id = scored_run(workspace)
    no_processes.clear()
    first = start_scoring(workspace, [Task("scores", run_id, DAYS)])
    second = start_scoring(workspace, [Task("health", run_id, DAYS)])
    assert no_processes == [first]
    assert {job.id: job.state for job in scoring_jobs(workspace)}[second] == "queued"
    assert cancel_job(workspace, second).state == "cancelled"
    third = start_scoring(workspace, [Task("health", run_id, DAYS)])
    assert {job.id for job in scoring_jobs(workspace)} == {first, third}
    with pytest.raises(RunError):
        start_scoring(workspace, [])


def test_health_is_kept_and_checked(workspace: Workspace) -> None:
    """Facts of each day; the first has none before it; a flipped digit is computed again."""
    run_id = scored_run(workspace)
    assert compute_health(workspace, run_id, Voting(), DAYS) == 3
    assert compute_health(workspace, run_id, Voting(), DAYS) == 0
    paths = health_paths(workspace, run_id, Voting(), DAYS)
    first, second = (read_facts(paths[day]) for day in DAYS[:2])
    assert first is not None
    assert second is not None
    assert (first["since"], second["since"], second["stayed"]) == (None, DAYS[0], 60)
    assert first["hosts"] == 60
    assert 0 <= second["drift"] < 1
    text = paths[DAYS[0]].read_text()
    paths[DAYS[0]].write_text(text.replace('"hosts": 60', '"hosts": 61'))
    assert compute_health(workspace, run_id, Voting(), DAYS) == 1
    embed(workspace, run_id, 3.0)
    assert compute_health(workspace, run_id, Voting(), DAYS) == 3


def test_collapse_is_a_warning(workspace: Workspace) -> None:
    """Hosts that all lie in one direction are not to be trusted."""
    run_id = scored_run(workspace)
    directory = workspace.runs / run_id / "embeddings"
    rows = 100 + np.random.default_rng(0).standard_normal((60, 8)).astype(np.float32)
    write_embedding(directory / f"{DAYS[0]}.parquet", Embedding(DAYS[0], HOSTS, rows, "test"))
    write_manifest(directory)
    compute_health(workspace, run_id, Voting(), DAYS[:1])
    facts = read_facts(health_paths(workspace, run_id, Voting(), DAYS)[DAYS[0]])
    assert facts is not None
    assert facts["warnings"][0].startswith("Collapse")


def test_agreement_of_seeds(workspace: Workspace) -> None:
    """The same embedding agrees wholly, another one less; kept by the pair."""
    same, other = (scored_run(workspace, seed=seed) for seed in (0, 1))
    assert compute_agreement(workspace, same, other, Voting(), DAYS) == 3
    assert compute_agreement(workspace, same, other, Voting(), DAYS) == 0
    facts = read_facts(agreement_path(workspace, same, other, Voting(), DAYS[0]))
    assert facts is not None
    assert facts["hosts"] == 60
    assert 0.1 < facts["same"] < 0.95
    assert compute_agreement(workspace, same, same, Voting(), DAYS[:1]) == 1
    assert read_facts(agreement_path(workspace, same, same, Voting(), DAYS[0])) == {
        "hosts": 60,
        "same": 1.0,
    }


def test_days_without_embedding_are_left_out(workspace: Workspace) -> None:
    """They are no error; a run without any gives nothing."""
    run_id = scored_run(workspace, days=DAYS[:1])
    assert compute_scores(workspace, run_id, SAME_DAY, ["1999-01-01", *DAYS]) == 1
    assert scores_of(workspace, run_id, SAME_DAY, ["1999-01-01"]) == {}
    assert agreement_path(workspace, run_id, "nobody", Voting(), DAYS[0]) is None


def test_questions_that_are_none_are_refused() -> None:
    """A protocol or scope of another name."""
    for wrong in ({"protocol": "none"}, {"scope": "week"}):
        with pytest.raises(ConfigError):
            Question(**wrong)  # type: ignore[arg-type]


def test_scores_go_with_their_run(workspace: Workspace) -> None:
    """Deleting a run leaves none of its files."""
    run_id = scored_run(workspace)
    compute(workspace, run_id)
    delete_run(workspace, run_id)
    assert not (workspace.runs / run_id).exists()


def test_a_real_job_scores_and_ends(loaded: Path, tmp_path: Path, request: Any) -> None:
    """In a process of its own; what it kept is what this process would compute; then a cancel."""
    request.getfixturevalue("no_processes")
    workspace = open_workspace(shutil.copytree(loaded, tmp_path / "real"), create=False)
    run_id = scored_run(workspace)
    request.getfixturevalue("monkeypatch").undo()
    job_id = start_scoring(workspace, [Task("scores", run_id, DAYS), Task("health", run_id, DAYS)])
    wait_for(lambda: not find_job(workspace, job_id).is_active, DEADLINE_S)
    job = find_job(workspace, job_id)
    assert job.state == "done", read_log(workspace, job_id)
    assert (job.report["computed"], job.report["stopped"]) == (6, False)
    assert job.progress["done"] == job.progress["total"] == 6
    assert compute(workspace, run_id) == 0
    assert compute_health(workspace, run_id, Voting(), DAYS) == 0
    again = start_scoring(workspace, [Task("scores", run_id, DAYS, PAST)])
    assert cancel_job(workspace, again).state == "cancelled"
    assert not (workspace.jobs / job_id).exists(), "rows and logs of ended ones do not pile up"


def test_what_the_open_set_adds_is_kept_too(workspace: Workspace) -> None:
    """Distance, alarms and classes held out come back as computed; other protocols have none."""
    run_id = scored_run(workspace, apart=1.0)
    question = Question(protocol="open_set", voting=Voting(min_class_hosts=5))
    days = labelled_days(workspace, lambda key: open_embedding(workspace, run_id, key), DAYS)
    compute(workspace, run_id, question)
    kept = [read_predictions(path) for path in files(workspace, run_id, question).values()]
    for ours, theirs in zip(kept, open_set_days(days, DAYS, question.voting), strict=True):
        assert ours is not None
        assert ours.open_set is not None
        assert ours.open_set.threshold == theirs.threshold
        assert alarms_of([ours.open_set]) == alarms_of([theirs])
        pd.testing.assert_frame_equal(ours.open_set.left_out, theirs.left_out)
        assert len(theirs.left_out) > 1
    compute(workspace, run_id)
    [first, *_] = files(workspace, run_id).values()
    same_day = read_predictions(first)
    assert same_day is not None
    assert same_day.open_set is None
