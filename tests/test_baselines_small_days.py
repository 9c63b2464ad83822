"""Days at the edge of what there can be: one host, one port, packets without a port."""

import numpy as np
import pyarrow as pa
import pytest
from planted_days import planted_days, rebuilt
from trainer_checks import check_embeddings

from darkgnn_core.baselines.autoencoder import AutoencoderTrainer
from darkgnn_core.baselines.darkvec import DarkVecTrainer
from darkgnn_core.baselines.features import FeaturesTrainer
from darkgnn_core.baselines.features_spectral import FeaturesSpectralTrainer
from darkgnn_core.baselines.spectral import SpectralTrainer
from darkgnn_core.run_config import RunConfig

TRAINERS = {
    "features": FeaturesTrainer,
    "spectral": SpectralTrainer,
    "i-darkvec": DarkVecTrainer,
    "autoencoder": AutoencoderTrainer,
}


@pytest.fixture(scope="module")
def lonely(tmp_path_factory):
    """Give two days of one host."""
    return planted_days(tmp_path_factory.mktemp("lonely"), days=2, hosts=1, absent=0.0)[0]


@pytest.fixture(scope="module")
def portless(lonely, tmp_path_factory):
    """Give the same days from a trace that tells no ports: one node, the rest."""

    def change(table: pa.Table) -> pa.Table:
        place = table.schema.get_field_index("dst_port")
        return table.set_column(place, "dst_port", pa.nulls(len(table), pa.uint16()))

    return rebuilt(lonely, tmp_path_factory.mktemp("portless"), change)


@pytest.mark.parametrize("days", ["lonely", "portless"])
@pytest.mark.parametrize("method", TRAINERS)
def test_one_host_and_one_port_are_enough(method, days, request):
    """A day of one host, with ports or without, has a finite embedding that is not all zero."""
    config = RunConfig.of(method)
    found = check_embeddings(lambda d: TRAINERS[method](config, d), request.getfixturevalue(days))
    assert [len(each.hosts) for each in found] == [1, 1]


def test_blocks_of_one_host_are_zero(lonely):
    """Centred blocks of a single host are zero: there is nobody to tell it from."""
    config = RunConfig.of("features-spectral")
    trainer = FeaturesSpectralTrainer(config, lonely)
    (each,) = trainer.do(0, lambda _: None)
    assert each.vectors.shape == (1, 37 + 128)
    assert not np.any(each.vectors)
