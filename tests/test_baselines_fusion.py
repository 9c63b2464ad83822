"""Fusion of runs: levelled blocks of the hosts that all have, and named errors."""

import numpy as np
import pytest
from planted_days import planted_days
from trainer_checks import check_trainer, run_through

from darkgnn_core.baselines.blocks import side_by_side
from darkgnn_core.baselines.features import FeaturesTrainer
from darkgnn_core.baselines.fusion import FusionTrainer
from darkgnn_core.baselines.spectral import SpectralTrainer
from darkgnn_core.embeddings import Embedding
from darkgnn_core.errors import RunError, WorkspaceError
from darkgnn_core.run_config import RunConfig

CONFIG = RunConfig.of("fusion", runs=("first", "second"))


@pytest.fixture(scope="module")
def planted(tmp_path_factory):
    """Give three days with two planted groups."""
    return planted_days(tmp_path_factory.mktemp("planted"), days=3)[0]


def embeddings_of(days) -> dict[tuple[str, str], Embedding]:
    """Return two runs' embeddings by run and day."""
    runs = {
        "first": FeaturesTrainer(RunConfig.of("features"), days),
        "second": SpectralTrainer(RunConfig.of("spectral", embedding=6), days),
    }
    return {(run, each.key): each for run, it in runs.items() for each in run_through(it)}


def fusion_of(found: dict, days) -> FusionTrainer:
    """Return a fusion that reads from memory."""
    return FusionTrainer(CONFIG, days, lambda run, key: found[run, key])


def test_what_holds_of_every_method(planted):
    """A fusion passes the checks of every method."""
    check_trainer(lambda days: fusion_of(embeddings_of(days), days), planted)


def test_blocks_in_the_order_of_the_runs(planted):
    """A day's rows are the runs' rows of its hosts, levelled, in the order of the settings."""
    found = embeddings_of(planted)
    for each in run_through(fusion_of(found, planted)):
        expected = side_by_side([found[run, each.key].vectors for run in ("first", "second")])
        assert np.array_equal(each.vectors, expected.astype(np.float32))


def test_only_hosts_that_every_run_has(planted):
    """Hosts that a run lacks are left out, the rows of the others stay with their hosts."""
    found = embeddings_of(planted)
    key = planted.keys[1]
    whole = found["second", key]
    found["second", key] = Embedding(key, whole.hosts[::2], whole.vectors[::2], "other")
    fused = run_through(fusion_of(found, planted))[1]
    assert np.array_equal(fused.hosts, whole.hosts[::2])
    rows = [found["first", key].vectors[::2], whole.vectors[::2]]
    assert np.array_equal(fused.vectors, side_by_side(rows).astype(np.float32))


@pytest.mark.parametrize("error", [KeyError("gone"), WorkspaceError("gone"), FileNotFoundError()])
def test_a_day_that_a_run_lacks_is_named(planted, error):
    """A run without the day ends the fusion with a message that names the run and the day."""

    def read(run, key):
        if run == "second":
            raise error
        return embeddings_of(planted)[run, key]

    with pytest.raises(RunError, match=f"second has no embedding of {planted.keys[0]}") as told:
        next(FusionTrainer(CONFIG, planted, read).do(0, lambda _: None))
    assert told.value.code == "FUSION"


def test_runs_without_common_hosts_are_named(planted):
    """Runs of other data share no host: the message says so."""
    found = embeddings_of(planted)
    key = planted.keys[0]
    stranger = Embedding(key, np.array([7], np.uint32), np.ones((1, 2), np.float32), "other")
    found["second", key] = stranger
    with pytest.raises(RunError, match="second has no host") as told:
        run_through(fusion_of(found, planted))
    assert told.value.code == "FUSION"
