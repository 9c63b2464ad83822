"""The networks against the plainest ones, nodes of all days in every graph, and by hand."""

import warnings
from itertools import pairwise

import numpy as np
import pytest
import torch
from planted_days import planted_days
from trainer_checks import check_trainer, run_through, separation

from darkgnn_core.config import GraphConfig
from darkgnn_core.run_config import RunConfig
from darkgnn_core.snapshots.reading import Snapshot
from darkgnn_core.training.day_graphs import day_graph, normalised
from darkgnn_core.training.methods import make_trainer
from darkgnn_core.training.network import NetworkAtWork

with warnings.catch_warnings():  # torch-geometric reaches for what torch calls outdated
    warnings.simplefilter("ignore")
    from benchmarks.plain_network import PlainNetwork, copy_weights, plain_graph

VARIANTS = ("gcn", "i-gcn", "gcn-gru", "i-gcn-gru")
SMALL = {"hidden": 24, "output": 16, "embedding": 8, "head": 6, "history_days": 2}


@pytest.fixture(autouse=True)
def _one_thread():
    torch.set_num_threads(1)


@pytest.fixture(scope="module")
def planted(tmp_path_factory):
    """Four made days of forty hosts in two groups."""
    return planted_days(tmp_path_factory.mktemp("planted"), days=4, hosts=40)


def small(method, preset="as_written", **changes):
    """Return a run of narrow networks, quick to train."""
    changes = {"train_days": 2, **SMALL, **changes}
    return RunConfig.of(method, preset, **changes)


def trainer_of(config):
    """Return what makes a trainer of this config."""
    return lambda days: make_trainer(config, days, read=None)


def test_propagation_by_hand():
    """Two hosts, three ports: each row is the average by packets, the node itself counting one."""
    edges = np.array([[0, 0, 1], [2, 3, 3]])
    weights = np.array([3.0, 1.0, 4.0], np.float32)
    found = normalised(edges, weights, 5, self_loop="one").toarray()
    expected = np.zeros((5, 5))
    expected[0, [0, 2, 3]] = [1 / 5, 3 / 5, 1 / 5]
    expected[1, [1, 3]] = [1 / 5, 4 / 5]
    expected[2, [0, 2]] = [3 / 4, 1 / 4]
    expected[3, [0, 1, 3]] = [1 / 6, 4 / 6, 1 / 6]
    expected[4, 4] = 1
    np.testing.assert_allclose(found, expected, rtol=1e-6)


def test_self_loop_as_heavy_as_the_rest():
    """With `row_sum` half of a node is its own; a node that is alone is all its own."""
    edges = np.array([[0, 0], [1, 2]])
    found = normalised(edges, np.array([3, 1], np.float32), 4, self_loop="row_sum").toarray()
    np.testing.assert_allclose(np.diag(found), [0.5, 0.5, 0.5, 1.0])
    np.testing.assert_allclose(found.sum(axis=1), 1.0)


def test_two_convolutions_by_hand():
    """A GCN on one host and one port gives what a pocket calculator gives."""
    snapshot = Snapshot(
        key="2021-12-01",
        hosts=np.array([7], np.uint32),
        ports=np.array([23], np.int32),
        host_features=np.eye(1, 37, dtype=np.float32) * 2,
        port_features=np.eye(1, 37, dtype=np.float32) * 4,
        edge_index=np.zeros((2, 1), np.int64),
        edge_weight=np.array([3], np.float32),
        summary={},
    )
    graph = day_graph(snapshot, small("gcn").settings)
    # Weights 1 for itself, 3 for the other: host (2 + 12) / 4, port (4 + 6) / 4.
    np.testing.assert_allclose(graph.averaged[:, 0], [3.5, 2.5])
    work = at_work(small("gcn", hidden=2, output=1, embedding=1), [snapshot])
    convolutions = work.encoder.convolutions
    with torch.no_grad():
        convolutions.weight1.zero_()
        convolutions.weight1[0] = torch.tensor([1.0, -1.0])
        convolutions.bias1.copy_(torch.tensor([0.5, 3.0]))
        convolutions.weight2.copy_(torch.tensor([[2.0], [1.0]]))
        convolutions.bias2.fill_(0.25)
        work.encoder.weight.fill_(3.0)
        work.encoder.bias.fill_(-1.0)
    # h = ReLU([x + 0.5, 3 - x]): host [4, 0], port [3, 0.5]; h W2: 8 and 6.5.
    host = (8 + 3 * 6.5) / 4 + 0.25
    np.testing.assert_allclose(work.embed(0).vectors, [[3 * host - 1]], rtol=1e-6)


class FewDays:
    """Days of snapshots in memory."""

    def __init__(self, snapshots):
        self.snapshots = snapshots
        self.keys = tuple(each.key for each in snapshots)

    def snapshot(self, position):
        """Return one."""
        return self.snapshots[position]


def at_work(config, snapshots):
    """Return a network over snapshots in memory."""
    return NetworkAtWork(config, FewDays(snapshots))


@pytest.mark.parametrize("method", VARIANTS)
@pytest.mark.parametrize("use_features", [True, False])
def test_active_nodes_give_what_all_nodes_give(planted, method, use_features):
    """Leaving out inactive nodes and folding weights changes no embedding by more than 1e-5."""
    days, _ = planted
    config = small(method, use_features=use_features, epochs=2)
    trainer = make_trainer(config, days, read=None)
    embeddings = {each.key: each for each in run_through(trainer)}
    work = trainer._work
    graphs = [day_graph(days.snapshot(each), work.settings) for each in range(len(days.keys))]
    everyone = np.unique(np.concatenate([graph.nodes for graph in graphs]))
    inputs = 37 if use_features else len(everyone)
    plain = PlainNetwork(work.settings, inputs, is_recurrent=work.is_recurrent)
    copy_weights(work, plain, everyone)
    length = work.window_length
    window = [plain_graph(graph, everyone, use_features=use_features) for graph in graphs[-length:]]
    with torch.no_grad():
        expected = plain(window).numpy()
    found = embeddings[days.keys[-1]]
    places = np.searchsorted(everyone, found.hosts.astype(np.int64))
    np.testing.assert_allclose(found.vectors, expected[places], atol=1e-5)


@pytest.mark.parametrize("method", [*VARIANTS, "random-gcn", "random-gcn-gru"])
def test_what_holds_of_every_method(planted, method):
    """Units, finite rows, same seed same bits, restoring, no sight of tomorrow, renumbering."""
    days, _ = planted
    check_trainer(
        trainer_of(small(method, epochs=2)),
        days,
        sees_future=method == "gcn-gru",
        renumbers=method.startswith("random"),
    )


@pytest.mark.parametrize(
    "changes",
    [
        {"use_features": False},
        {"carry_state": True},
        {"mask_edges": 0.3},
        {"negatives": "historical"},
        {"negatives": "degree", "edge_weight": "log1p", "self_loop": "row_sum"},
        {"precision": "bfloat16"},
        {"preset": "as_released", "edges": "daily"},
    ],
    ids=lambda changes: "-".join(map(str, changes)),
)
def test_what_holds_of_every_option(planted, changes):
    """Each option beyond the paper resumes to the same bits and never sees tomorrow."""
    days, _ = planted
    check_trainer(trainer_of(small("i-gcn-gru", **changes)), days, renumbers=False)


@pytest.mark.parametrize("convolution", ["sage", "gatv2"])
@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_library_convolutions(planted, convolution):
    """GraphSAGE and GATv2 in the paper's place hold to the same."""
    days, _ = planted
    check_trainer(trainer_of(small("i-gcn-gru", convolution=convolution)), days, renumbers=False)


def test_training_days_stay_those_of_the_start(planted):
    """GCN-GRU embeds days after its training days alike, whatever those days are."""
    days, _ = planted
    trainer = make_trainer(small("gcn-gru", epochs=3), days, read=None)
    assert trainer._train_days == 2
    assert [unit.name for unit in trainer.units[:3]] == ["epoch 1", "epoch 2", "epoch 3"]


@pytest.mark.parametrize("method", VARIANTS)
@pytest.mark.parametrize("use_features", [True, False])
def test_every_parameter_gets_gradient(planted, method, use_features):
    """One step moves every weight of encoder and head, the vectors of active nodes too."""
    days, _ = planted
    work = NetworkAtWork(small(method, use_features=use_features), days)
    position = 1
    work._vectors(position, work.graph(position).nodes)
    before = work.weights()
    work.train(position, 1, 1)
    for name, value in work.weights().items():
        moved = before[name].shape != value.shape or not np.array_equal(before[name], value)
        assert moved, name


def test_incremental_weights_change_every_day(planted):
    """i-GCN learns on every day as written, and on the first day only as released."""
    days, _ = planted
    for preset, learns in (("as_written", True), ("as_released", False)):
        trainer = make_trainer(small("i-gcn", preset, edges="daily"), days, read=None)
        seen = []
        for position in range(len(trainer.units)):
            list(trainer.do(position, lambda _: None))
            seen.append(trainer._work.weights()["encoder.weight"])
        changed = [not np.array_equal(*pair) for pair in pairwise(seen)]
        assert changed == [learns] * 3


def test_released_gru_leaves_today_out(planted):
    """As released, GCN-GRU embeds a day from the days before it: hosts new today are all alike."""
    days, _ = planted
    config = small("gcn-gru", "as_released", edges="daily", epochs=1)
    assert not config.settings.includes_today
    last = run_through(make_trainer(config, days, read=None))[-1]
    earlier = set(np.concatenate([days.snapshot(each).hosts for each in (1, 2)]).tolist())
    new = [place for place, host in enumerate(last.hosts.tolist()) if host not in earlier]
    assert new, "the made days must have new hosts"
    assert np.ptp(last.vectors[new], axis=0).max() == 0


@pytest.mark.parametrize("method", VARIANTS)
def test_planted_groups_are_separated(tmp_path, method):
    """Every variant with features tells two planted groups apart, at the paper's own widths."""
    days, group_of = planted_days(tmp_path, days=3, hosts=80)
    config = RunConfig.of(method, train_days=2, epochs=5)
    last = run_through(make_trainer(config, days, read=None))[-1]
    assert separation(last, group_of) > 0.95


def test_month_first_edges_train(planted):
    """As released in full, edges stand on their first day only, and training goes on."""
    days, _ = planted
    released = type(days)(
        days.inputs, snapshot_config=days.snapshot_config, graph=GraphConfig(edges="month_first")
    )
    config = small("i-gcn-gru", "as_released")
    assert len(run_through(make_trainer(config, released, read=None))) == 4
