"""Clusters of a day: planted groups are found, noise is noise, kept by what they were made of."""

import numpy as np
import pytest

from darkgnn_core.charts.map_colours import MOST_LABELS, OTHER_CLUSTERS, by_cluster
from darkgnn_core.durable import write_manifest
from darkgnn_core.errors import ConfigError, RunError
from darkgnn_core.jobs import find_job
from darkgnn_core.maps.cluster_job import (
    JOB,
    cluster_for_job,
    clusters_job,
    clusters_path,
    find_clusters,
    queue_clusters,
)
from darkgnn_core.maps.clustering import NOISE, ClusterSettings, clusters_of
from darkgnn_core.neighbours import nearest
from darkgnn_core.run_store import EMBEDDINGS, directory_of
from darkgnn_core.worker import KINDS
from darkgnn_core.workspace import Workspace
from tests.app_workspaces import DAYS, filled_workspace
from tests.made_runs import no_processes  # noqa: F401 - a fixture
from tests.map_workspaces import GROUP, embedded_run, hosts_on, planted_vectors, write_vectors

SMALL = ClusterSettings(min_hosts=5, min_samples=3)
DAY = DAYS[-1]


def groups(
    sizes: tuple[int, ...], noise: int = 0, *, seed: int = 0
) -> tuple[np.ndarray, np.ndarray]:
    """Return vectors of groups far apart, then of hosts anywhere, and the group of each."""
    draw = np.random.default_rng(seed)
    centres = np.eye(len(sizes), 12) * 20
    parts = [centres[at] + draw.normal(0, 0.3, (size, 12)) for at, size in enumerate(sizes)]
    vectors = np.concatenate([*parts, draw.normal(0, 9, (noise, 12))]).astype(np.float32)
    truth = np.repeat(np.arange(len(sizes) + 1), [*sizes, noise])
    return vectors, truth


def found_in(vectors: np.ndarray, settings: ClusterSettings, k: int = 15) -> np.ndarray:
    """Return the cluster of each row."""
    near = nearest(vectors, None, k, standardise=False)
    labels, strengths = clusters_of(near.positions, near.distances, settings)
    assert labels.dtype == np.int32
    assert ((strengths > 0) <= (labels != NOISE)).all(), "noise belongs nowhere"
    assert ((strengths >= 0) & (strengths <= 1)).all()
    return labels


def test_planted_groups_are_the_clusters_by_size() -> None:
    """Each group is one cluster, the largest number 1, whichever comes first."""
    vectors, truth = groups((20, 60, 40))
    labels = found_in(vectors, ClusterSettings())
    assert [set(labels[truth == group].tolist()) for group in range(3)] == [{3}, {1}, {2}]


def test_hosts_that_lie_nowhere_are_noise() -> None:
    """Most hosts that were thrown anywhere are in no cluster; the groups stay whole."""
    vectors, truth = groups((60, 50), noise=40)
    labels = found_in(vectors, ClusterSettings())
    assert (labels[truth == 2] == NOISE).mean() > 0.8
    for group in (0, 1):
        assert (labels[truth == group] != NOISE).all()


def test_over_all_neighbours_it_is_hdbscan() -> None:
    """With every other host as a neighbour, clusters and noise are those over all distances.

    Edges of equal length may be taken in another order, so that few hosts may differ.
    """
    from sklearn.cluster import HDBSCAN
    from sklearn.metrics import adjusted_rand_score

    vectors, _ = groups((30, 25, 14), noise=30, seed=3)
    near = nearest(vectors, None, len(vectors) - 1, standardise=False)
    distances = np.zeros((len(vectors),) * 2)
    np.put_along_axis(distances, near.positions, np.sqrt(2 * near.distances), axis=1)
    theirs = HDBSCAN(min_cluster_size=10, min_samples=5, metric="precomputed", copy=True)
    ours = found_in(vectors, ClusterSettings(10, 4), k=len(vectors) - 1)
    assert adjusted_rand_score(ours, theirs.fit(distances).labels_) > 0.95


def test_the_order_of_hosts_does_not_matter() -> None:
    """Renumbering hosts renumbers their clusters with them."""
    vectors, _ = groups((30, 25), noise=20, seed=5)
    order = np.random.default_rng(1).permutation(len(vectors))
    plain, turned = found_in(vectors, SMALL), found_in(vectors[order], SMALL)
    assert np.array_equal(plain[order], turned)


@pytest.mark.parametrize("hosts", [0, 1, 4])
def test_few_hosts_are_noise(hosts: int) -> None:
    """Fewer than a cluster needs."""
    vectors = np.random.default_rng(0).normal(size=(hosts, 4)).astype(np.float32)
    near = np.full((hosts, 15), -1)
    labels, strengths = clusters_of(near, np.full((hosts, 15), np.inf), SMALL)
    assert labels.tolist() == [NOISE] * len(vectors)
    assert not strengths.any()


def test_hosts_with_one_and_the_same_vector_are_a_cluster() -> None:
    """A distance of 0 is a distance, too."""
    vectors, _ = groups((8, 30))
    vectors[:8] = vectors[0]
    labels = found_in(vectors, SMALL, k=10)
    assert len(set(labels[:8].tolist())) == 1
    assert labels[0] not in {NOISE, *labels[8:].tolist()}


@pytest.mark.parametrize("wrong", [(1, 5), (10_001, 5), (5, 0), (5, 16)])
def test_settings_outside_their_bounds_are_refused(wrong: tuple[int, int]) -> None:
    """Named, with what is allowed."""
    with pytest.raises(ConfigError, match="A cluster has 2 to 10,000 hosts"):
        ClusterSettings(*wrong)


def test_clusters_have_looks_and_noise_the_background() -> None:
    """Numbers in order; more than a byte can tell go together."""
    few = by_cluster(np.array([0, 2, 1, 1], np.int32))
    assert [few.classes[code].name for code in few.codes] == [
        "noise", "cluster 2", "cluster 1", "cluster 1",
    ]  # fmt: skip
    assert few.is_background.tolist() == [True, False, False, False]
    many = by_cluster(np.arange(300, dtype=np.int32))
    names = [many.classes[code].name for code in many.codes]
    assert names[0] == "noise"
    assert names[MOST_LABELS] == f"cluster {MOST_LABELS}"
    assert set(names[MOST_LABELS + 1 :]) == {OTHER_CLUSTERS}
    looks = {(each.colour, each.shape) for each in many.classes[:56]}
    assert len(looks) == 56


@pytest.fixture(scope="module")
def loaded(tmp_path_factory: pytest.TempPathFactory) -> Workspace:
    """Load a small trace once."""
    return filled_workspace(tmp_path_factory.mktemp("clusters"))


@pytest.fixture
def run(loaded: Workspace, no_processes: list[str]) -> str:  # noqa: F811
    """A run with a planted group on each of three days."""
    return embedded_run(loaded)


def job_of(run_id: str) -> dict[str, object]:
    """Return what a job is told."""
    return {"run_id": run_id, "day": DAY, "settings": {"min_hosts": 5, "min_samples": 3}}


def test_clusters_are_kept_and_go_with_their_embedding(loaded: Workspace, run: str) -> None:
    """Found once, read back; absent for other settings, another embedding, a damaged file."""
    told: list[dict[str, object]] = []
    report = cluster_for_job(loaded, job_of(run), told=told.append)
    assert (report.days, report.stopped) == ((DAY,), False)
    assert [each["step"] for each in told][-1] == "done"
    kept = find_clusters(loaded, run, SMALL, DAY)
    assert kept is not None
    assert len(set(kept.labels[:GROUP].tolist())) == 1
    assert kept.labels[0] != NOISE
    assert find_clusters(loaded, run, ClusterSettings(), DAY) is None
    path = clusters_path(loaded, run, SMALL, DAY)
    whole = path.read_bytes()
    path.write_bytes(whole[:-1] + bytes([whole[-1] ^ 1]))
    assert find_clusters(loaded, run, SMALL, DAY) is None
    path.write_bytes(whole)
    folder = directory_of(loaded, run) / EMBEDDINGS
    hosts = hosts_on(loaded, DAY)
    write_vectors(folder, DAY, hosts, planted_vectors(len(hosts), seed=9))
    write_manifest(folder)
    assert find_clusters(loaded, run, SMALL, DAY) is None


def test_a_job_is_queued_once(loaded: Workspace, run: str, no_processes: list[str]) -> None:  # noqa: F811
    """Asked twice it is one job; other settings are another one; no embedding, no job."""
    first = queue_clusters(loaded, run, DAY, SMALL)
    assert queue_clusters(loaded, run, DAY, SMALL) == first
    assert find_job(loaded, first).kind == "cluster"
    assert first in no_processes
    other = queue_clusters(loaded, run, DAY, ClusterSettings())
    assert other != first
    job = clusters_job(loaded, run, DAY, SMALL)
    assert job is not None
    assert job.id == first
    with pytest.raises(RunError, match="no embedding"):
        queue_clusters(loaded, run, "2020-01-01", SMALL)


def test_the_worker_knows_the_job() -> None:
    """What is queued has somebody who does it."""
    assert JOB in KINDS
