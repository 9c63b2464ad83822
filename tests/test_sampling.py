"""Sampled neighbours: averages stay right, batches cover the day, and runs stay what they are."""

import numpy as np
import pytest
import torch
from planted_days import planted_days
from trainer_checks import check_trainer, run_through, separation

from darkgnn_core.run_config import RunConfig
from darkgnn_core.training import choosing, network
from darkgnn_core.training.day_graphs import day_graph, normalised
from darkgnn_core.training.link_batches import link_batches
from darkgnn_core.training.methods import make_trainer
from darkgnn_core.training.neighbour_draws import NeighbourDraws
from darkgnn_core.training.network import NetworkAtWork
from darkgnn_core.training.sampling import dealt

SMALL = {"hidden": 24, "output": 16, "embedding": 8, "head": 6, "history_days": 2}
SAMPLED = {"sampling": "neighbours", "batch_edges": 80, "fanout": 4}


@pytest.fixture(autouse=True)
def _one_thread():
    torch.set_num_threads(1)


@pytest.fixture(scope="module")
def planted(tmp_path_factory):
    """Three made days of thirty hosts in two groups."""
    return planted_days(tmp_path_factory.mktemp("planted"), days=3, hosts=30)


def sampled(method, **changes):
    """Return a run of narrow networks that sees four neighbours a node."""
    return RunConfig.of(method, **{"train_days": 2, **SMALL, **SAMPLED, **changes})


def made_adjacency(seed=0, hosts=60, ports=9):
    """Return a graph whose weights differ a lot: most nodes have more than four neighbours."""
    chance = np.random.default_rng(seed)
    pairs = np.flatnonzero(chance.random(hosts * ports) < 0.6)
    edges = np.stack([pairs // ports, pairs % ports + hosts])
    weights = (chance.pareto(1.0, len(pairs)) + 0.1).astype(np.float32)
    return normalised(edges, weights, hosts + ports, self_loop="one")


def test_enough_draws_are_the_whole():
    """With a fanout of all neighbours or more, every row is the row itself, bit for bit."""
    adjacency = made_adjacency()
    rows = np.array([68, 3, 0, 3])
    for by_weight in (True, False):
        drawn = NeighbourDraws(adjacency, 60, by_weight=by_weight).draw(
            rows, np.random.default_rng(1)
        )
        assert np.array_equal(drawn.toarray(), adjacency[rows].toarray())


def test_drawn_rows_are_averages_over_true_neighbours():
    """Rows sum to 1, keep the node itself as it was, and have at most `fanout` neighbours."""
    adjacency = made_adjacency()
    whole = adjacency.toarray()
    rows = np.arange(len(whole))
    for fanout in (1, 4):
        drawn = NeighbourDraws(adjacency, fanout).draw(rows, np.random.default_rng(2)).toarray()
        np.testing.assert_allclose(drawn.sum(axis=1), 1, rtol=1e-5)
        np.testing.assert_array_equal(np.diag(drawn), np.diag(whole))
        assert (drawn > 0).sum(axis=1).max() == fanout + 1
        assert not drawn[whole == 0].any()


def test_averages_are_right_in_the_mean():
    """Over many draws the sampled average is the exact one, and closer than free draws are."""
    adjacency, draws = made_adjacency(), 2000
    chance = np.random.default_rng(3)
    x = chance.normal(size=adjacency.shape[1])
    exact, port = adjacency @ x, 64
    sampler = NeighbourDraws(adjacency, 4)
    found = np.stack([sampler.draw(np.arange(69), chance) @ x for _ in range(draws)])
    deviation = found.std(axis=0)
    assert (np.abs(found.mean(axis=0) - exact) <= 5 * deviation / draws**0.5 + 1e-6).all()
    assert deviation[port] > 0
    row = adjacency[[port]].toarray()[0]
    own, row[port] = row[port], 0
    share = row / row.sum()
    spread = (share @ x**2 - (share @ x) ** 2) ** 0.5
    assert (1 - own) * spread / 4**0.5 * 1.05 >= deviation[port]


def test_heavy_neighbours_are_always_there():
    """A neighbour with 2/s of the weight cannot be missed, nor can the node itself."""
    edges = np.stack([np.zeros(20, np.int64), np.arange(1, 21)])
    weights = np.ones(20, np.float32)
    weights[7] = 40
    sampler = NeighbourDraws(normalised(edges, weights, 21, self_loop="one"), 4)
    chance = np.random.default_rng(4)
    for _ in range(50):
        columns = sampler.draw(np.zeros(1, np.int64), chance).indices.tolist()
        assert {0, 8} <= set(columns)


def test_uniform_draws_keep_values():
    """Without weights each neighbour is as likely as the next, and what is drawn keeps its own."""
    adjacency = made_adjacency()
    whole, port = adjacency.toarray(), np.array([64])
    sampler = NeighbourDraws(adjacency, 4, by_weight=False)
    chance, drawn = np.random.default_rng(5), []
    for _ in range(1500):
        found = sampler.draw(port, chance)
        assert len(found.indices) == 5
        np.testing.assert_array_equal(found.data, whole[64, found.indices])
        drawn += found.indices.tolist()
    counts = np.bincount(drawn, minlength=69)
    others = (whole[64] > 0) & (np.arange(69) != 64)
    assert counts[64] == 1500
    np.testing.assert_allclose(counts[others], 1500 * 4 / others.sum(), rtol=0.2)


def test_batches_share_out_all_hosts():
    """Each pair is in one batch, all pairs of a host in the same, about `size` links in each."""
    chance = np.random.default_rng(0)
    hosts, exists = chance.integers(0, 100, 900), chance.random(900) < 0.5
    batches = dealt(hosts, exists, 100, chance)
    assert sorted(np.concatenate(batches).tolist()) == list(range(900))
    groups = [set(hosts[each].tolist()) for each in batches]
    assert sum(map(len, groups)) == len(set().union(*groups))
    assert all(80 <= exists[each].sum() <= 120 for each in batches[:-1])
    assert len(dealt(np.zeros(9, np.int64), np.ones(9, bool), 2, chance)) == 1
    again = dealt(hosts, exists, 100, chance)
    assert batches[0].tolist() != again[0].tolist()


def test_loader_gives_the_links_of_a_batch(planted):
    """torch-geometric's loader gives each batch its links, their ends, and rows that are right."""
    days, _ = planted
    graph = day_graph(days.snapshot(0), sampled("gcn").settings)
    exists = np.ones(graph.edges.shape[1], bool)
    exists[::3] = False
    batches = dealt(graph.edges[0], exists, 30, np.random.default_rng(0))
    sampler = NeighbourDraws(graph.adjacency, 1000)
    made = list(link_batches(sampler, graph.edges, exists, batches, np.random.default_rng(1)))
    assert len(made) == len(batches) > 2
    for batch, found in zip(batches, made, strict=True):
        ends = found.nodes[found.links.numpy()]
        np.testing.assert_array_equal(ends, graph.edges[:, batch])
        np.testing.assert_array_equal(found.exists.numpy(), exists[batch])
        np.testing.assert_array_equal(found.nodes, np.unique(ends))
        assert abs(found.drawn - graph.adjacency[found.nodes]).max() == 0


def test_one_batch_of_all_neighbours_is_the_whole_day(planted):
    """With all links in one batch and all neighbours drawn, learning is that of whole graphs."""
    days, _ = planted
    for use_features in (True, False):
        learned = []
        for sampling in ("whole", "neighbours"):
            config = sampled(
                "i-gcn-gru",
                use_features=use_features,
                sampling=sampling,
                batch_edges=1_000_000,
                fanout=1000,
            )
            work = NetworkAtWork(config, days)
            if not use_features:  # the same vectors, whoever asks first
                work._vectors(2, work.graph(2).nodes)
            step = work.train(2, 1, 1)
            learned.append((step.loss, work.embed(2).vectors))
        (whole_loss, whole), (loss, found) = learned
        assert loss == pytest.approx(whole_loss, rel=1e-5)
        np.testing.assert_allclose(found, whole, atol=2e-3)


def test_every_batch_is_told(planted):
    """A pass tells each of its steps, and comes to their mean over links."""
    days, _ = planted
    work = NetworkAtWork(sampled("i-gcn", batch_edges=50), days)
    told = []
    step = work.train(0, 2, 3, told.append)
    edges = work.graph(0).edges.shape[1]
    assert len(told) == -(-edges // 50) > 2
    assert {(each.day, each.epoch, each.epochs) for each in told} == {(days.keys[0], 2, 3)}
    assert min(each.loss for each in told) < step.loss < max(each.loss for each in told)
    assert step.seconds == pytest.approx(sum(each.seconds for each in told))


@pytest.mark.parametrize("method", ["gcn", "i-gcn", "gcn-gru", "i-gcn-gru"])
@pytest.mark.parametrize("use_features", [True, False])
def test_every_parameter_gets_gradient(planted, method, use_features):
    """A pass in batches moves every weight of encoder and head."""
    days, _ = planted
    work = NetworkAtWork(sampled(method, use_features=use_features), days)
    work._vectors(1, work.graph(1).nodes)
    before = work.weights()
    work.train(1, 1, 1)
    for name, value in work.weights().items():
        assert not np.array_equal(before[name], value), name


@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"use_features": False},
        {"carry_state": True},
        {"mask_edges": 0.3, "negatives": "historical"},
        {"includes_today": False},
        {"convolution": "gatv2"},
    ],
    ids=lambda changes: "-".join(map(str, changes)),
)
def test_what_holds_of_every_run(planted, changes):
    """Runs in batches: same seed same bits, restoring, no sight of tomorrow."""
    days, _ = planted
    config = sampled("i-gcn-gru", **changes)
    sees_today = config.settings.includes_today
    make = lambda days: make_trainer(config, days, read=None)  # noqa: E731
    check_trainer(make, days, renumbers=False, sees_future=not sees_today)


@pytest.mark.parametrize("method", ["gcn", "gcn-gru"])
def test_what_holds_of_static_runs(planted, method):
    """So do runs of several epochs a day, or of several days an epoch."""
    days, _ = planted
    config = sampled(method, epochs=2)
    make = lambda days: make_trainer(config, days, read=None)  # noqa: E731
    check_trainer(make, days, renumbers=False, sees_future=method == "gcn-gru")


@pytest.mark.parametrize("method", ["i-gcn", "i-gcn-gru"])
def test_planted_groups_are_separated(tmp_path, method):
    """Trained by sampling two of six neighbours, a network tells two planted groups apart."""
    days, group_of = planted_days(tmp_path, days=2, hosts=80)
    config = RunConfig.of(method, sampling="neighbours", batch_edges=200, fanout=2, epochs=2)
    last = run_through(make_trainer(config, days, read=None))[-1]
    assert separation(last, group_of) > 0.95


@pytest.mark.parametrize("carry_state", [False, True])
def test_blocks_give_what_all_at_once_gives(planted, monkeypatch, carry_state):
    """Embedding seven hosts at a time is embedding them all."""
    days, _ = planted
    work = NetworkAtWork(sampled("i-gcn-gru", carry_state=carry_state), days)
    work.embed(0)
    state = work.state()
    whole = work.embed(1)
    monkeypatch.setattr(network, "BLOCK", 7)
    work.restore(state)
    np.testing.assert_allclose(work.embed(1).vectors, whole.vectors, atol=1e-6)


def test_choice_goes_by_sizes():
    """Whole graphs while they fit; batches beyond, and wherever they are asked for."""
    settings = RunConfig.of("i-gcn-gru").settings
    assert not choosing.takes_batches(settings, 384, [(20_000, 60_000)] * 6)
    assert choosing.takes_batches(settings, 384, [(1_000_000, 10_000_000)])
    for sampling, expected in (("whole", False), ("neighbours", True)):
        forced = RunConfig.of("i-gcn-gru", sampling=sampling).settings
        for size in ((9, 9), (1_000_000, 10_000_000)):
            assert choosing.takes_batches(forced, 384, [size]) is expected
