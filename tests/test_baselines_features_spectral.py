"""Features and compressed matrix side by side, and what holds of every method."""

import numpy as np
import pytest
from planted_days import planted_days
from trainer_checks import check_trainer, run_through, separation

from darkgnn_core.baselines.blocks import side_by_side
from darkgnn_core.baselines.features import FeaturesTrainer
from darkgnn_core.baselines.features_spectral import FeaturesSpectralTrainer
from darkgnn_core.baselines.spectral import SpectralTrainer
from darkgnn_core.run_config import RunConfig


@pytest.fixture(scope="module")
def planted(tmp_path_factory):
    """Give three days with two planted groups, and the groups."""
    return planted_days(tmp_path_factory.mktemp("planted"), days=3)


def test_what_holds_of_every_method(planted):
    """Both blocks together pass the checks of every method."""
    config = RunConfig.of("features-spectral", days=2, embedding=8)
    check_trainer(lambda days: FeaturesSpectralTrainer(config, days), planted[0])


def test_blocks_are_those_of_the_two_methods(planted):
    """The blocks are the two methods' embeddings of the same settings, levelled."""
    days = planted[0]
    alone = {"days": 2, "embedding": 8, "seed": 5}
    both = run_through(FeaturesSpectralTrainer(RunConfig.of("features-spectral", **alone), days))
    features = run_through(FeaturesTrainer(RunConfig.of("features", **alone), days))
    spectral = run_through(SpectralTrainer(RunConfig.of("spectral", **alone), days))
    for joint, one, other in zip(both, features, spectral, strict=True):
        assert joint.vectors.shape[1] == 37 + 8
        expected = side_by_side([one.vectors, other.vectors])
        assert np.allclose(joint.vectors, expected, atol=1e-5)


def test_planted_groups_are_apart(planted):
    """Nearest neighbours tell the planted groups."""
    days, group_of = planted
    config = RunConfig.of("features-spectral")
    for each in run_through(FeaturesSpectralTrainer(config, days)):
        assert separation(each, group_of) > 0.95, each.key
