"""TF-IDF and truncated SVD of who sent how much to which port: the graph without a network.

    A    = host-port matrix, a_up packets of host u to port node p, summed over the last D bins
    w_up = (1 + ln a_up) (1 + ln((1 + n) / (1 + n_p))), rows divided by their Euclidean length
    W    ~ U S V^T, the k largest singular values;  Z = W V, rows of the day's hosts

n hosts (rows, over all D bins), n_p those of them that sent to p, m port nodes. The weights are
scikit-learn's TfidfTransformer(sublinear_tf=True, smooth_idf=True, norm="l2"), the decomposition
its TruncatedSVD (randomised, 5 power iterations, seeded by run and day). An axis points where the
largest entry of its column of V is positive, so the result has one sign. Axes of different days
have nothing to do with each other.

With fewer ports or hosts than E dimensions, k = min(E, m, n) and the other columns are 0; so are
columns whose singular value is rounding alone, which an evaluation that standardises its columns
would blow up to the size of the others.

Shapes: Z float32 (hosts of the day, E).

Source: ours; Halko, Martinsson, Tropp, "Finding structure with randomness", 2011, for the SVD.
"""

import numpy as np
import numpy.typing as npt
from scipy.sparse import csr_matrix
from sklearn.decomposition import TruncatedSVD
from sklearn.feature_extraction.text import TfidfTransformer
from threadpoolctl import threadpool_limits  # type: ignore[import-untyped]

from darkgnn_core.baselines.daily import TableTrainer
from darkgnn_core.run_config import TableConfig
from darkgnn_core.run_days import Days
from darkgnn_core.snapshots.reading import Snapshot
from darkgnn_core.trainers import seed_of

Floats = npt.NDArray[np.float64]


def joint_matrix(snapshots: list[Snapshot]) -> tuple[csr_matrix, npt.NDArray[np.uint32]]:
    """Add up the packets of each host and port node over bins.

    Returns:
        float64 (hosts, ports), both those of all bins, ascending; and the hosts, uint32.
    """
    hosts = np.unique(np.concatenate([each.hosts for each in snapshots]))
    ports = np.unique(np.concatenate([each.ports for each in snapshots]))
    rows = [np.searchsorted(hosts, each.hosts)[each.edge_index[0]] for each in snapshots]
    columns = [np.searchsorted(ports, each.ports)[each.edge_index[1]] for each in snapshots]
    packets = np.concatenate([each.edge_weight for each in snapshots]).astype(np.float64)
    places = (np.concatenate(rows), np.concatenate(columns))
    return csr_matrix((packets, places), shape=(len(hosts), len(ports))), hosts


def compress(matrix: csr_matrix, dimensions: int, seed: int) -> Floats:
    """Return TF-IDF and truncated SVD of a matrix, float64 (rows, dimensions).

    Args:
        matrix: Packets, float64 (hosts, ports).
        dimensions: Columns of the result; those beyond the size of the matrix are 0.
        seed: Of the randomised decomposition.
    """
    weights = TfidfTransformer(sublinear_tf=True).fit_transform(matrix)
    rows, columns = weights.shape
    weights.resize((rows, max(columns, 2)))  # the decomposition takes no single column
    size = min(dimensions, rows, columns)
    decomposition = TruncatedSVD(size, algorithm="randomized", n_iter=5, random_state=seed)
    with (
        np.errstate(invalid="ignore", divide="ignore"),  # shares of no variance, not used here
        threadpool_limits(1, "blas"),  # OpenBLAS waits by spinning: on a busy machine 5 to 8 times
    ):
        vectors = decomposition.fit_transform(weights)
    strengths = decomposition.singular_values_
    vectors[:, strengths <= strengths[0] * max(rows, columns) * np.finfo(np.float64).eps] = 0
    result = np.zeros((rows, dimensions))
    result[:, :size] = vectors
    return result


def spectral_vectors(days: Days, position: int, settings: TableConfig, seed: int) -> Floats:
    """Return the compressed rows of a day's hosts, float64 (n, E), by address."""
    first = max(0, position - settings.days + 1)
    snapshots = [days.snapshot(each) for each in range(first, position + 1)]
    matrix, hosts = joint_matrix(snapshots)
    draw = int(seed_of(seed, "spectral", days.keys[position]).generate_state(1)[0])
    vectors = compress(matrix, settings.embedding, draw)
    return vectors[np.searchsorted(hosts, snapshots[-1].hosts)]


class SpectralTrainer(TableTrainer):
    """TF-IDF and truncated SVD of each day, or of the last `settings.days` days together."""

    def rows(self, position: int, settings: TableConfig) -> Floats:
        """Return the compressed rows of a day's hosts."""
        return spectral_vectors(self.days, position, settings, self.config.seed)
