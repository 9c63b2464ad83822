"""TF-IDF and truncated SVD: against exact arithmetic, and what holds of every method."""

import numpy as np
import pytest
from planted_days import planted_days
from scipy.sparse import csr_matrix
from trainer_checks import check_trainer, run_through, separation

from darkgnn_core.baselines.spectral import SpectralTrainer, compress, joint_matrix
from darkgnn_core.run_config import RunConfig


@pytest.fixture(scope="module")
def planted(tmp_path_factory):
    """Give four days with two planted groups that only their ports tell apart."""
    return planted_days(tmp_path_factory.mktemp("planted"), fingerprints=False)


@pytest.mark.parametrize("over_days", [1, 3])
def test_what_holds_of_every_method(planted, over_days):
    """The compressed matrix passes the checks of every method, of one day and of several."""
    config = RunConfig.of("spectral", days=over_days, embedding=8)
    check_trainer(lambda days: SpectralTrainer(config, days), planted[0])


def plain_weights(packets: np.ndarray) -> np.ndarray:
    """Return TF-IDF of a dense matrix by its formula."""
    hosts = len(packets)
    frequency = np.where(packets > 0, 1 + np.log(np.maximum(packets, 1)), 0)
    weights = frequency * (1 + np.log((1 + hosts) / (1 + (packets > 0).sum(axis=0))))
    return weights / np.linalg.norm(weights, axis=1, keepdims=True)


def test_compressed_rows_are_those_of_the_exact_decomposition(planted):
    """The vectors are W V of the exact decomposition, each axis with its largest port positive."""
    matrix, _ = joint_matrix([planted[0].snapshot(0)])
    weights = plain_weights(matrix.toarray())
    axes = np.linalg.svd(weights, full_matrices=False)[2]
    axes *= np.sign(axes[range(len(axes)), np.abs(axes).argmax(axis=1)])[:, None]
    found = compress(matrix, 5, seed=1)
    assert np.allclose(found, weights @ axes[:5].T, atol=1e-6)
    assert np.allclose(found, compress(matrix, 5, seed=2), atol=1e-6)


def test_joint_matrix_adds_up_packets_of_days(planted):
    """Over days there is one row a host and one column a port, with the packets of all days."""
    snapshots = [planted[0].snapshot(position) for position in range(3)]
    matrix, hosts = joint_matrix(snapshots)
    ports = sorted({port for each in snapshots for port in each.ports.tolist()})
    expected = np.zeros((len(hosts), len(ports)))
    for each in snapshots:
        for (host, port), packets in zip(each.edge_index.T, each.edge_weight, strict=True):
            row = hosts.tolist().index(each.hosts[host])
            expected[row, ports.index(each.ports[port])] += packets
    assert np.array_equal(matrix.toarray(), expected)


def test_rows_of_the_days_hosts_out_of_the_joint_matrix(planted):
    """Over six days the day's hosts get their rows of the joint decomposition."""
    days = planted[0]
    config = RunConfig.of("spectral", days=6, embedding=4, seed=3)
    found = run_through(SpectralTrainer(config, days))[2]
    matrix, hosts = joint_matrix([days.snapshot(position) for position in range(3)])
    rows = compress(matrix, 4, seed=9)[np.searchsorted(hosts, found.hosts)]
    assert len(hosts) > len(found.hosts)
    assert np.allclose(found.vectors, rows, atol=1e-6)


def test_fewer_ports_than_dimensions_leave_zeros(planted):
    """Dimensions that the matrix has not are exactly zero, and those it has are not."""
    config = RunConfig.of("spectral")
    for position, each in enumerate(run_through(SpectralTrainer(config, planted[0]))):
        ports = len(planted[0].snapshot(position).ports)
        assert each.vectors.shape[1] == 128
        assert not each.vectors[:, ports:].any()
        assert (np.abs(each.vectors[:, :ports]).max(axis=0) > 1e-3).all()


@pytest.mark.parametrize("hosts", [1, 5])
@pytest.mark.parametrize("ports", [1, 7])
def test_small_and_equal_days(hosts, ports):
    """One host, one port, or hosts that are all alike give finite rows and zeros, no warning."""
    found = compress(csr_matrix(np.full((hosts, ports), 3.0)), 4, seed=0)
    assert np.allclose(np.linalg.norm(found, axis=1), 1)
    assert not found[:, 1:].any(), "all alike have one direction, not noise beside it"


def test_planted_groups_are_apart(planted):
    """Nearest neighbours tell groups that differ by their ports alone."""
    days, group_of = planted
    for over_days in (1, 6):
        config = RunConfig.of("spectral", days=over_days)
        for each in run_through(SpectralTrainer(config, days)):
            assert separation(each, group_of) > 0.95, (over_days, each.key)
