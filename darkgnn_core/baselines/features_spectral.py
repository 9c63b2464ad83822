"""The 37 features and the compressed host-port matrix side by side.

    z_u = [block of the features of u, block of the spectral vector of u]

Each block is centred on the day's hosts and divided by the root mean square length of its rows
(`blocks.side_by_side`, with the reason), so that who a host is and where it sends weigh the same.

Shapes: n hosts of the day; z float32 (n, 37 + E).

Source: ours; features paper, Table 1; see `features` and `spectral`.
"""

from darkgnn_core.baselines.blocks import side_by_side
from darkgnn_core.baselines.daily import Floats, TableTrainer
from darkgnn_core.baselines.features import mean_features
from darkgnn_core.baselines.spectral import spectral_vectors
from darkgnn_core.run_config import TableConfig


class FeaturesSpectralTrainer(TableTrainer):
    """Features and spectral vectors of each day; both look back over `settings.days` days."""

    def rows(self, position: int, settings: TableConfig) -> Floats:
        """Return both blocks of a day's hosts."""
        return side_by_side(
            [
                mean_features(self.days, position, settings.days),
                spectral_vectors(self.days, position, settings, self.config.seed),
            ]
        )
