"""The parts of the networks against PyTorch's own, and negatives against what they should be."""

import numpy as np
import pytest
import scipy.sparse
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from darkgnn_core.models import adjacency as adjacencies
from darkgnn_core.models import convolutions, link_head
from darkgnn_core.models.adjacency import Adjacency, propagate
from darkgnn_core.models.recurrence import Recurrence
from darkgnn_core.run_config import NetworkConfig
from darkgnn_core.snapshots.reading import Snapshot
from darkgnn_core.training.carried_states import CarriedStates
from darkgnn_core.training.day_graphs import PORT_KEY, day_graph, places_of
from darkgnn_core.training.negatives import draw_negatives
from darkgnn_core.training.stopping import BestSoFar
from darkgnn_core.training.vector_table import VectorTable

CPU = torch.device("cpu")


@pytest.fixture(autouse=True)
def _one_thread():
    torch.set_num_threads(1)


def graph_of(edges, hosts, ports):
    """Return the graph of a day with these pairs of a host and a port."""
    edges = np.array(sorted(edges), np.int64).reshape(-1, 2).T
    chance = np.random.default_rng(0)
    return day_graph(
        Snapshot(
            key="2021-12-01",
            hosts=np.arange(100, 100 + hosts, dtype=np.uint32),
            ports=np.arange(ports, dtype=np.int32) - 1,
            host_features=chance.random((hosts, 37), np.float32),
            port_features=chance.random((ports, 37), np.float32),
            edge_index=edges,
            edge_weight=chance.integers(1, 9, edges.shape[1]).astype(np.float32),
            summary={},
        ),
        NetworkConfig(),
    )


def test_propagation_forwards_and_backwards():
    """The product and its gradient are those of the dense matrix, from rows or coordinates."""
    matrix = scipy.sparse.random_array((6, 4), density=0.5, rng=0, dtype=np.float32).tocsr()
    x = torch.randn(4, 3, requires_grad=True)
    own = Adjacency.of(matrix, CPU)
    dense = torch.from_numpy(matrix.toarray())
    (propagate(own, x) ** 2).sum().backward()
    found, x.grad = x.grad, None
    ((dense @ x) ** 2).sum().backward()
    torch.testing.assert_close(found, x.grad)
    coordinates = own.matrix.to_sparse_coo().coalesce()
    torch.testing.assert_close(adjacencies._product(coordinates, x), dense @ x)


@pytest.mark.parametrize("rows", [0, 1, 5, 8, 13])
def test_expansion_in_parts_is_the_expansion(monkeypatch, rows):
    """Rows made a few at a time, and made again on the way back, give the plain gradients."""
    monkeypatch.setattr(convolutions, "ROWS", 4)
    inputs = torch.randn(rows, 5)
    parts = [torch.randn(*shape, requires_grad=True) for shape in ((5, 7), (7,), (7, 3))]
    aim = torch.randn(rows, 3)
    (convolutions.expand(inputs, *parts) * aim).sum().backward()
    found = [part.grad for part in parts]
    for part in parts:
        part.grad = None
    (torch.relu(inputs @ parts[0] + parts[1]) @ parts[2] * aim).sum().backward()
    for one, part in zip(found, parts, strict=True):
        torch.testing.assert_close(one, part.grad)


def test_bfloat16_is_near_float32():
    """Products in bfloat16 stay within its eight bits of those in float32, both ways."""
    inputs = torch.rand(50, 5)
    parts = [torch.rand(*shape, requires_grad=True) for shape in ((5, 64), (64,), (64, 3))]
    found = []
    for in_bfloat16 in (False, True):
        result = convolutions.expand(inputs, *parts, in_bfloat16=in_bfloat16)
        gradients = torch.autograd.grad(result.sum(), parts)
        found.append((result, *gradients))
    for exact, rough in zip(*found, strict=True):
        assert ((exact - rough).abs().max() / exact.abs().max()).item() < 0.02


@pytest.mark.parametrize("carried", [False, True])
def test_recurrence_is_pytorchs_gru(carried):
    """Targets that come late share a row until they come; state and gradients are the GRU's."""
    torch.manual_seed(0)
    targets, units, inputs = 9, 4, 6
    ours, theirs = Recurrence(inputs, units), torch.nn.GRU(inputs, units)
    ours.start(torch.Generator().manual_seed(1))
    with torch.no_grad():
        theirs.weight_ih_l0.copy_(ours.weight_input.T)
        theirs.weight_hh_l0.copy_(ours.weight_state.T)
        theirs.bias_ih_l0.copy_(ours.bias_input)
        theirs.bias_hh_l0.copy_(ours.bias_state)
    alone = torch.randn(inputs)
    places = [torch.tensor(each).long() for each in ([2, 5], [], [0, 2, 8], [1, 3, 5, 8])]
    present = [torch.randn(len(each), inputs) for each in places]
    state = torch.randn(targets, units) if carried else None
    values = [each @ ours.weight_input + ours.bias_input for each in present]
    absent = alone @ ours.weight_input + ours.bias_input
    found = ours(values, absent, places, targets, state)
    whole = alone.expand(len(places), targets, inputs).clone()
    for step, (place, each) in enumerate(zip(places, present, strict=True)):
        whole[step, place] = each
    first = torch.zeros(1, targets, units) if state is None else state.unsqueeze(0)
    expected = theirs(whole, first)[0][-1]
    torch.testing.assert_close(found, expected)
    aim = torch.randn_like(found)
    (found * aim).sum().backward()
    (expected * aim).sum().backward()
    torch.testing.assert_close(ours.weight_input.grad.T, theirs.weight_ih_l0.grad)
    torch.testing.assert_close(ours.weight_state.grad.T, theirs.weight_hh_l0.grad)
    torch.testing.assert_close(ours.bias_input.grad, theirs.bias_ih_l0.grad)
    torch.testing.assert_close(ours.bias_state.grad, theirs.bias_hh_l0.grad)


@pytest.mark.parametrize("count", [1, 4, 11])
def test_link_loss_is_that_of_both_side_by_side(monkeypatch, count):
    """Multiplying nodes once, a few edges at a time, gives the plain loss and its gradients."""
    monkeypatch.setattr(link_head, "EDGES", 4)
    head = link_head.LinkHead(4, 5)
    head.start(torch.Generator().manual_seed(0))
    embeddings = torch.randn(6, 4, requires_grad=True)
    edges = torch.stack([torch.randint(0, 3, (count,)), torch.randint(3, 6, (count,))])
    exists = torch.arange(count) % 3 == 0
    leaves = [embeddings, *head.parameters()]
    loss, right = head(embeddings, edges, exists)
    found = torch.autograd.grad(3 * loss, leaves)
    normed = head.norm(embeddings)
    both = torch.cat([normed[edges[0]], normed[edges[1]]], dim=1)
    hidden = torch.relu(both @ head.weight + head.bias)
    told = (hidden @ head.weight_output + head.bias_output).log_softmax(1)
    expected = torch.nn.functional.nll_loss(told, exists.long())
    torch.testing.assert_close(loss, expected)
    assert right.item() == pytest.approx((told.argmax(1) == exists).double().mean().item())
    for one, other in zip(found, torch.autograd.grad(3 * expected, leaves), strict=True):
        torch.testing.assert_close(one, other)


PAIRS = st.sets(st.tuples(st.integers(0, 5), st.integers(0, 4)), min_size=1, max_size=29)


@given(PAIRS, st.integers(0, 40), st.sampled_from(["uniform", "degree", "historical"]))
@settings(max_examples=80, deadline=None)
def test_negatives_are_never_edges(edges, count, kind):
    """Negatives are distinct pairs without an edge, as many as are asked for or there can be."""
    graph = graph_of(edges, 6, 5)
    earlier = np.array([[100, 101, 999], [PORT_KEY, PORT_KEY + 1, PORT_KEY]])
    drawn = draw_negatives(graph, count, np.random.default_rng(1), kind=kind, earlier=earlier)
    pairs = set(zip(*drawn.tolist(), strict=True))
    assert len(pairs) == drawn.shape[1] == min(count, 30 - len(edges))
    assert not pairs & set(zip(*graph.edges.tolist(), strict=True))
    assert all(host < 6 <= port < 11 for host, port in pairs)


def test_uniform_negatives_are_uniform():
    """Every free pair comes equally often (chi-square over 4,000 draws of 5)."""
    graph = graph_of({(0, 0), (0, 1), (1, 2), (2, 0)}, 3, 4)
    generator = np.random.default_rng(5)
    counts: dict[tuple[int, int], int] = {}
    for _ in range(4_000):
        for pair in zip(*draw_negatives(graph, 5, generator).tolist(), strict=True):
            counts[pair] = counts.get(pair, 0) + 1
    assert len(counts) == 8
    assert stats.chisquare(list(counts.values())).pvalue > 1e-3


def test_degree_matched_negatives_follow_the_degrees():
    """Single draws by degree come as often as the product of the degrees says."""
    graph = graph_of({(0, 0), (0, 1), (0, 2), (1, 0), (2, 3)}, 3, 4)
    generator = np.random.default_rng(6)
    host_degree, port_degree = np.array([3, 1, 1]), np.array([2, 1, 1, 1])
    expected = np.outer(host_degree, port_degree).astype(float)
    expected[graph.edges[0], graph.edges[1] - 3] = 0
    counts = np.zeros((3, 4))
    for _ in range(6_000):
        host, port = draw_negatives(graph, 1, generator, kind="degree")[:, 0]
        counts[host, port - 3] += 1
    free = expected > 0
    share = expected[free] / expected[free].sum()
    assert stats.chisquare(counts[free], share * 6_000).pvalue > 1e-3


def test_historical_negatives_met_before():
    """Historical negatives are pairs of earlier days that are active and no edge today."""
    graph = graph_of({(0, 0), (1, 1)}, 3, 3)
    # Host 101 with port 0 of today's list met before; host 100 with it is an edge; 999 is gone.
    earlier = np.array([[101, 100, 999], [PORT_KEY, PORT_KEY, PORT_KEY + 1]])
    drawn = draw_negatives(graph, 1, np.random.default_rng(0), kind="historical", earlier=earlier)
    assert drawn[:, 0].tolist() == [1, 3]


def test_places_of_wanted_keys():
    """Keys are found where they are, and left out where they are not."""
    wanted, nodes = np.array([1, 4, 6, 9]), np.array([4, 5, 6])
    present, found = places_of(wanted, nodes)
    assert present.tolist() == [1, 2]
    assert found.tolist() == [0, 2]
    assert places_of(wanted, np.zeros(0, np.int64))[0].tolist() == []


def test_vector_table_learns_like_adam():
    """Rows that are touched at every step move as torch's Adam moves them; others stay."""
    table = VectorTable(3, seed=0, learning_rate=0.1, weight_decay=0.01, device=CPU)
    rows = table.rows_of(np.array([4, 7, 9]), "2021-12-01")
    theirs = table.vectors.clone().requires_grad_()
    adam = torch.optim.Adam([theirs], lr=0.1, weight_decay=0.01)
    for step in range(4):
        gradient = torch.full((3, 3), float(step) - 1.5)
        theirs.grad = gradient.clone()
        adam.step()
        table.learn(rows, gradient)
    torch.testing.assert_close(table.vectors, theirs.detach())
    more = table.rows_of(np.array([2, 7]), "2021-12-02")
    assert more.tolist() == [3, 1]
    before = table.vectors[2].clone()
    table.learn(more, torch.ones(2, 3))
    torch.testing.assert_close(table.vectors[2], before)


def test_carried_states_are_those_of_the_last_day_seen():
    """A node's state is the one it was given last, however long ago; zero before that."""
    states = CarriedStates(2, CPU)
    states.keep(np.array([3, 5]), torch.tensor([[1.0, 1], [2, 2]]))
    states.keep(np.array([1, 5]), torch.tensor([[7.0, 7], [9, 9]]))
    found = states.of(np.array([1, 2, 3, 5]))
    assert found.tolist() == [[7, 7], [0, 0], [1, 1], [9, 9]]


def test_best_so_far_keeps_the_best_and_loses_patience():
    """Three epochs without improvement end training; the best epoch's weights are kept."""
    best = BestSoFar(3)
    for epoch, accuracy in enumerate((0.5, 0.7, 0.6, 0.7, 0.1)):
        assert not best.is_over
        best.note(accuracy, lambda epoch=epoch: {"epoch": np.array(epoch)})
    assert best.is_over
    assert int(best.weights["epoch"]) == 1
