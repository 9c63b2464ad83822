"""The feature autoencoder: learning, state, and what holds of every method."""

import numpy as np
import pytest
import torch
from planted_days import planted_days
from trainer_checks import check_trainer, run_through, separation

from darkgnn_core.baselines.autoencoder import Autoencoder, AutoencoderTrainer
from darkgnn_core.config import GraphConfig
from darkgnn_core.errors import RunError
from darkgnn_core.run_config import RunConfig
from darkgnn_core.run_days import Days
from darkgnn_core.trainers import TrainerState

CONFIG = RunConfig.of("autoencoder", embedding=16, epochs=10)


@pytest.fixture(scope="module", autouse=True)
def _one_thread():
    """Keep torch to one thread here."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)


@pytest.fixture(scope="module")
def planted(tmp_path_factory):
    """Give three days with two planted groups, and the groups."""
    return planted_days(tmp_path_factory.mktemp("planted"), days=3)


def test_what_holds_of_every_method(planted):
    """The autoencoder passes the checks of every method."""
    check_trainer(lambda days: AutoencoderTrainer(CONFIG, days), planted[0])


def test_formula_on_given_weights():
    """Code and restored features are those of the formula, by numpy."""
    model = Autoencoder(6, 3, torch.Generator().manual_seed(1))
    w = [parameter.detach().numpy() for parameter in model.parameters()]
    x = np.random.default_rng(0).random((5, 37), np.float32)
    code = np.maximum(x @ w[0].T + w[1], 0) @ w[2].T + w[3]
    restored = np.maximum(code @ w[4].T + w[5], 0) @ w[6].T + w[7]
    with torch.no_grad():
        assert np.allclose(model.encoder(torch.from_numpy(x)).numpy(), code, atol=1e-6)
        assert np.allclose(model(torch.from_numpy(x)).numpy(), restored, atol=1e-6)


def test_weights_come_from_the_seed_alone(planted):
    """Torch's global generator neither matters nor moves; another seed gives other weights."""
    torch.manual_seed(1)
    before = torch.random.get_rng_state()
    one = AutoencoderTrainer(CONFIG, planted[0]).state().arrays
    run_through(AutoencoderTrainer(CONFIG, planted[0]))
    assert torch.equal(torch.random.get_rng_state(), before)
    torch.manual_seed(2)
    two = AutoencoderTrainer(CONFIG, planted[0]).state().arrays
    other = RunConfig.of("autoencoder", embedding=16, epochs=10, seed=9)
    three = AutoencoderTrainer(other, planted[0]).state().arrays
    for name, values in one.items():
        assert np.array_equal(values, two[name])
        if name.startswith("weight"):
            assert not np.array_equal(values, three[name])
            assert np.abs(values).max() <= 1 / np.sqrt(16)


def test_every_parameter_learns_on_every_day(planted):
    """All weights change on each day, and the loss falls from the first epoch to the last."""
    trainer, told = AutoencoderTrainer(CONFIG, planted[0]), []
    before = trainer.state().arrays
    for position in range(3):
        list(trainer.do(position, told.append))
        after = trainer.state().arrays
        for name in before:
            if name.startswith("weight"):
                assert not np.array_equal(before[name], after[name]), (position, name)
        before = after
    assert [step.epoch for step in told] == list(range(1, 11)) * 3
    assert all(step.accuracy is None for step in told)
    assert told[-1].loss < told[9].loss < told[0].loss


def test_the_loss_told_is_the_mean_squared_error(planted):
    """The first loss is that of the first weights on the first day's features."""
    trainer, told = AutoencoderTrainer(CONFIG, planted[0]), []
    model = Autoencoder(64, 16, torch.Generator())
    weights = trainer.state().arrays
    model.load_state_dict(
        {name: torch.from_numpy(weights[f"weight.{name}"]) for name in model.state_dict()}
    )
    x = planted[0].snapshot(0).host_features
    with torch.no_grad():
        restored = model(torch.from_numpy(x)).numpy()
    list(trainer.do(0, told.append))
    assert told[0].loss == pytest.approx(np.mean((restored - x) ** 2), rel=1e-5)


def test_a_state_of_other_widths_is_refused(planted):
    """Weights of another shape are no checkpoint of this run."""
    state = AutoencoderTrainer(CONFIG, planted[0]).state()
    other = AutoencoderTrainer(RunConfig.of("autoencoder", embedding=8), planted[0])
    with pytest.raises(RunError, match="expected") as told:
        other.restore(TrainerState(state.arrays, state.facts))
    assert told.value.code == "CHECKPOINT"


def test_a_loss_that_is_no_number_is_named(planted):
    """Unscaled features with an absurd learning rate end in a named error, not in NaN vectors."""
    graph = GraphConfig(scaling="none")
    days = Days(planted[0].inputs, snapshot_config=planted[0].snapshot_config, graph=graph)
    config = RunConfig.of("autoencoder", scaling="none", learning_rate=10.0, epochs=500)
    trainer = AutoencoderTrainer(config, days)
    arrays = dict(trainer.state().arrays)
    name = "weight.decoder.2.bias"
    arrays[name] = np.full_like(arrays[name], 3e38)
    trainer.restore(TrainerState(arrays, trainer.state().facts))
    with pytest.raises(RunError, match="2021-12-01") as told:
        run_through(trainer)
    assert told.value.code == "DIVERGED"


def test_planted_groups_are_apart(planted):
    """Nearest neighbours tell the planted groups, with the defaults too."""
    days, group_of = planted
    for config in (CONFIG, RunConfig.of("autoencoder")):
        for each in run_through(AutoencoderTrainer(config, days)):
            assert separation(each, group_of) > 0.95, each.key
