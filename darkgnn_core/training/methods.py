"""Which trainer does which method; each is imported only when it is asked for."""

from collections.abc import Callable
from importlib import import_module

from darkgnn_core.embeddings import Embedding
from darkgnn_core.run_config import RunConfig
from darkgnn_core.run_days import Days
from darkgnn_core.trainers import Trainer

TRAINERS = {
    "gcn": ("darkgnn_core.training.daily", "DailyTrainer"),
    "i-gcn": ("darkgnn_core.training.incremental", "IncrementalTrainer"),
    "gcn-gru": ("darkgnn_core.training.offline", "OfflineTrainer"),
    "i-gcn-gru": ("darkgnn_core.training.incremental", "IncrementalTrainer"),
    "random-gcn": ("darkgnn_core.training.incremental", "IncrementalTrainer"),
    "random-gcn-gru": ("darkgnn_core.training.incremental", "IncrementalTrainer"),
    "i-darkvec": ("darkgnn_core.baselines.darkvec", "DarkVecTrainer"),
    "features": ("darkgnn_core.baselines.features", "FeaturesTrainer"),
    "spectral": ("darkgnn_core.baselines.spectral", "SpectralTrainer"),
    "features-spectral": ("darkgnn_core.baselines.features_spectral", "FeaturesSpectralTrainer"),
    "autoencoder": ("darkgnn_core.baselines.autoencoder", "AutoencoderTrainer"),
    "fusion": ("darkgnn_core.baselines.fusion", "FusionTrainer"),
}
"""Module and class by method."""

ReadEmbedding = Callable[[str, str], Embedding]
"""From the id of a run and the key of a bin to the embedding; for fusions."""


def make_trainer(config: RunConfig, days: Days, *, read: ReadEmbedding) -> Trainer:
    """Return the trainer of a run.

    Args:
        config: What the run is told.
        days: Its days.
        read: Reads the embeddings of other runs, for a fusion.
    """
    module, name = TRAINERS[config.method]
    kind = getattr(import_module(module), name)
    trainer: Trainer = kind(config, days, read) if config.method == "fusion" else kind(config, days)
    return trainer
