"""GCN: a network of its own for each day, trained on that day until its links are learned.

Source: paper, section 4.1: 50 epochs, patience 3. Each day is trained on by itself, test days
included, as the released code does; nothing else can be meant by a static model of a day.
"""

from collections.abc import Iterator

from darkgnn_core.embeddings import Embedding
from darkgnn_core.run_config import RunConfig
from darkgnn_core.run_days import Days
from darkgnn_core.trainers import Tell, TrainerState, Unit
from darkgnn_core.training.network import NetworkAtWork
from darkgnn_core.training.stopping import BestSoFar


class DailyTrainer:
    """One unit a day: a new network, its epochs, its embedding.

    Args:
        config: A run of `gcn`.
        days: Its days.
    """

    def __init__(self, config: RunConfig, days: Days) -> None:
        self._work = NetworkAtWork(config, days)
        self.units = tuple(Unit(key, key) for key in days.keys)

    def do(self, position: int, tell: Tell) -> Iterator[Embedding]:
        """Train a new network on a day and embed the day."""
        work, settings = self._work, self._work.settings
        work.start(self.units[position].day)
        best = BestSoFar(settings.patience)
        for epoch in range(1, settings.epochs + 1):
            step = work.train(position, epoch, settings.epochs, tell)
            if step is None:
                break
            best.note(step.accuracy or 0.0, work.weights)
            if best.is_over:
                break
        if settings.keeps == "best" and best.weights:
            work.load(best.weights)
        yield work.embed(position)

    def again(self, position: int) -> Embedding:
        """Embed a day, an earlier one too, with the weights as they are now."""
        return self._work.embed(position)

    def state(self) -> TrainerState:
        """Return its state: the network of the last day, for whoever wants to look at it."""
        return self._work.state()

    def restore(self, state: TrainerState) -> None:
        """Go on from a state; the next day starts a new network anyway."""
        self._work.restore(state)
