"""The 37 features and the compressed host-port matrix side by side.

    z_u = [block of the features of u, block of the spectral vector of u]

Each block is centred on the day's hosts and divided by the root mean square length of its rows
(`blocks.side_by_side`, with the reason), so that who a host is and where it sends weigh the same.

Shapes: n hosts of the day; z float32 (n, 37 + E).

Source: ours; features paper, Table 1; see `features` and `spectral`.
"""

from darkgnn_core.baselines.blocks import side_by_side
from darkgnn_core.baselines.daily import StatelessTrainer, embedding_of
from darkgnn_core.baselines.features import mean_features
from darkgnn_core.baselines.spectral import spectral_vectors
from darkgnn_core.embeddings import Embedding
from darkgnn_core.run_config import TableConfig


class FeaturesSpectralTrainer(StatelessTrainer):
    """Features and spectral vectors of each day; both look back over `settings.days` days."""

    def embed(self, position: int) -> Embedding:
        """Return both blocks of a day's hosts."""
        settings = self.config.settings
        assert isinstance(settings, TableConfig)  # noqa: S101 - RunConfig has checked it
        blocks = [
            mean_features(self.days, position, settings.days),
            spectral_vectors(self.days, position, settings, self.config.seed),
        ]
        return embedding_of(
            self.config,
            self.days.keys[position],
            self.days.snapshot(position).hosts,
            side_by_side(blocks),
        )
