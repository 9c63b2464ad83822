"""Past labels with earlier days embedded anew: by the weights of the day that is told."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from darkgnn_core.again_child import _refuse_other
from darkgnn_core.embedding_again import VARIANT, past_labels_again
from darkgnn_core.errors import RunError
from darkgnn_core.evaluation.labelled_days import labelled_days
from darkgnn_core.evaluation.past_labels import past_labels
from darkgnn_core.evaluation.predictions import Voting
from darkgnn_core.labels.store import add_list
from darkgnn_core.run_config import RunConfig
from darkgnn_core.run_store import Run
from darkgnn_core.runs import create_runs, find_run, open_embedding
from darkgnn_core.workspace import Workspace
from tests.app_workspaces import DAYS, filled_workspace
from tests.evaluation_days import embedding
from tests.made_runs import made_run, no_processes
from tests.waiting import wait_for

__all__ = ["no_processes"]

VOTING = Voting(k=1, min_class_hosts=2)
SMALL = {"hidden": 16, "output": 8, "embedding": 4, "head": 4}


def trained(workspace: Workspace) -> Run:
    """Train i-GCN that learns on its first day alone: one set of weights for all days."""
    [run_id] = create_runs(workspace, [RunConfig.of("i-gcn", is_frozen=True, **SMALL)])
    wait_for(lambda: not find_run(workspace, run_id).is_active, 120)
    run = find_run(workspace, run_id)
    assert run.state == "done", run.message
    return run


@pytest.mark.slow
def test_a_network_that_stays_the_same_embeds_the_past_as_it_is_stored(tmp_path: Path) -> None:
    """With one set of weights both ways agree, and each day gone through is told."""
    workspace = filled_workspace(tmp_path)
    rows = [f"198.51.100.{at},{('censys', 'shodan')[at % 2]}" for at in range(1, 24)]
    with workspace.catalogue() as connection:
        add_list(connection, "\n".join(["src_ip,label", *rows]).encode(), name="two kinds.csv")
    run = trained(workspace)
    heard: list[tuple[int, int, str]] = []
    found = past_labels_again(
        workspace, run, DAYS[1:], VOTING, told=lambda *each: heard.append(each)
    )
    assert [each.key for each in found] == list(DAYS[1:])
    assert {each.variant for each in found} == {VARIANT}
    assert [each[:2] for each in heard] == [(1, 3), (2, 3), (3, 3)]
    days = labelled_days(workspace, lambda key: open_embedding(workspace, run.id, key), DAYS)
    for place, day in enumerate(found, start=1):
        stored = past_labels(days[: place + 1], VOTING)[0]
        assert day.y_pred.tolist() == stored.y_pred.tolist()
        assert day.distance == pytest.approx(stored.distance, abs=1e-5)


def test_a_day_that_does_not_come_out_as_it_is_stored_is_refused() -> None:
    """Rounding is let through; another network, or other hosts, are not."""
    stored = embedding(np.random.default_rng(0).standard_normal((40, 4)))
    rounded = replace(stored, vectors=stored.vectors * np.float32(1 + 1e-6))
    _refuse_other(stored, rounded)
    other = replace(stored, vectors=stored.vectors[::-1])
    fewer = replace(stored, hosts=stored.hosts + np.uint32(1))
    for made in (other, fewer):
        with pytest.raises(RunError) as refused:
            _refuse_other(stored, made)
        assert refused.value.code == "NOT-REPEATED"


@pytest.mark.parametrize(
    "config",
    [
        RunConfig.of("features"),
        RunConfig.of("gcn-gru"),
        RunConfig.of("i-gcn-gru", carry_state=True),
    ],
)
def test_methods_without_weights_of_a_day_are_refused(
    tmp_path: Path, no_processes: list[str], config: RunConfig
) -> None:
    """Tables, networks trained once, and those that carry a state."""
    workspace = filled_workspace(tmp_path)
    run = find_run(workspace, made_run(workspace, config))
    with pytest.raises(RunError) as refused:
        past_labels_again(workspace, run, DAYS[1:], VOTING)
    assert refused.value.code == "NO-MODEL"
