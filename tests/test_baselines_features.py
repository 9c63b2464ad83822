"""The 37 features as an embedding: against the snapshots, and what holds of every method."""

import numpy as np
import pytest
from planted_days import planted_days
from trainer_checks import check_trainer, run_through, separation

from darkgnn_core.baselines.features import FeaturesTrainer
from darkgnn_core.config import GraphConfig
from darkgnn_core.run_config import RunConfig
from darkgnn_core.run_days import Days


@pytest.fixture(scope="module")
def planted(tmp_path_factory):
    """Give four days with two planted groups, and the groups."""
    return planted_days(tmp_path_factory.mktemp("planted"))


@pytest.mark.parametrize("over_days", [1, 3])
def test_what_holds_of_every_method(planted, over_days):
    """The features pass the checks of every method, of one day and of several."""
    config = RunConfig.of("features", days=over_days)
    check_trainer(lambda days: FeaturesTrainer(config, days), planted[0])


@pytest.mark.parametrize("scaling", ["max", "quantile", "none"])
def test_one_day_is_the_scaled_features(planted, scaling):
    """With one day the embedding is the snapshot's features, scaled as the run says."""
    days = Days(
        planted[0].inputs,
        snapshot_config=planted[0].snapshot_config,
        graph=GraphConfig(scaling=scaling),
    )
    config = RunConfig.of("features", scaling=scaling)
    embeddings = run_through(FeaturesTrainer(config, days))
    for position, each in enumerate(embeddings):
        assert np.array_equal(each.vectors, days.snapshot(position).host_features)
        assert each.vectors.shape[1] == 37


def test_mean_over_the_days_that_saw_the_host(planted):
    """Over three days a host has the mean of its features on those days that it was seen."""
    days = planted[0]
    config = RunConfig.of("features", days=3)
    found = run_through(FeaturesTrainer(config, days))[3]
    counts = set()
    for host, row in zip(found.hosts.tolist(), found.vectors, strict=True):
        seen = []
        for position in (1, 2, 3):
            snapshot = days.snapshot(position)
            seen += list(snapshot.host_features[snapshot.hosts == host])
        counts.add(len(seen))
        assert np.allclose(row, np.mean(seen, axis=0), rtol=1e-6, atol=1e-7)
    assert len(counts) > 1, "some hosts must have been away"


def test_planted_groups_are_apart(planted):
    """Nearest neighbours tell the planted groups on every day."""
    days, group_of = planted
    for scaling in ("max", "quantile"):
        graph = GraphConfig(scaling=scaling)
        scaled = Days(days.inputs, snapshot_config=days.snapshot_config, graph=graph)
        config = RunConfig.of("features", scaling=scaling)
        for each in run_through(FeaturesTrainer(config, scaled)):
            assert separation(each, group_of) > 0.95, (scaling, each.key)
