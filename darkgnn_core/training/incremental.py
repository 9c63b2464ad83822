"""i-GCN and i-GCN-GRU: the network of yesterday, trained a little on today, embeds today.

Source: paper, section 2 (Figures 2a and 2c) and 4.1: one epoch a snapshot with features, five
without. Early days have the graphs there are for a history.
"""

from collections.abc import Iterator

from darkgnn_core.embeddings import Embedding
from darkgnn_core.run_config import RunConfig
from darkgnn_core.run_days import Days
from darkgnn_core.trainers import Tell, TrainerState, Unit
from darkgnn_core.training.network import NetworkAtWork


class IncrementalTrainer:
    """One unit a day: some epochs on it, then its embedding.

    Args:
        config: A run of `i-gcn` or `i-gcn-gru`; or of a random network, which learns nothing.
        days: Its days.
    """

    def __init__(self, config: RunConfig, days: Days) -> None:
        self._work = NetworkAtWork(config, days)
        self._learns = not config.method.startswith("random-")
        self.units = tuple(Unit(key, key) for key in days.keys)

    def do(self, position: int, tell: Tell) -> Iterator[Embedding]:
        """Train on a day, if it is one to learn from, and embed it."""
        settings = self._work.settings
        epochs = settings.epochs if self._learns else 0
        if settings.is_frozen and position > 0:
            epochs = 0
        for epoch in range(1, epochs + 1):
            self._work.train(position, epoch, epochs, tell)
        yield self._work.embed(position)

    def again(self, position: int) -> Embedding:
        """Embed a day, an earlier one too, with the weights as they are now."""
        return self._work.embed(position)

    def state(self) -> TrainerState:
        """Return its state."""
        return self._work.state()

    def restore(self, state: TrainerState) -> None:
        """Go on from a state."""
        self._work.restore(state)
