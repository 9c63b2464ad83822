"""GCN-GRU: trained on the first M days together, then frozen; it embeds every day.

Source: paper, section 2 (Figure 2b) and 4.1: 50 epochs over M - H sequences, patience 3, M = 20.
Days up to M are embedded too, by a network that has seen them and later ones: good to look at, not
to be scored. Where a run has no more than M days, all but the last are trained on (ours).
"""

from collections.abc import Iterator

import numpy as np

from darkgnn_core.embeddings import Embedding
from darkgnn_core.run_config import RunConfig
from darkgnn_core.run_days import Days
from darkgnn_core.trainers import Step, Tell, TrainerState, Unit
from darkgnn_core.training.network import NetworkAtWork
from darkgnn_core.training.stopping import BestSoFar


class OfflineTrainer:
    """First one unit an epoch over the training days, then one a day.

    Args:
        config: A run of `gcn-gru`.
        days: Its days.
    """

    def __init__(self, config: RunConfig, days: Days) -> None:
        settings = config.settings
        self._train_days = min(getattr(settings, "train_days", 1), max(1, len(days.keys) - 1))
        self._work = NetworkAtWork(config, days, graphs_kept=self._train_days + 1)
        self._best = BestSoFar(self._work.settings.patience)
        self._epochs = self._work.settings.epochs
        self.units = (
            *(Unit(f"epoch {epoch}") for epoch in range(1, self._epochs + 1)),
            *(Unit(key, key) for key in days.keys),
        )

    def do(self, position: int, tell: Tell) -> Iterator[Embedding]:
        """Do one epoch, unless training is over; or embed a day."""
        if position >= self._epochs:
            yield self._work.embed(position - self._epochs)
            return
        if self._best.is_over:
            return
        self._epoch(position + 1, tell)
        ends = self._best.is_over or position + 1 == self._epochs
        if ends and self._work.settings.keeps == "best" and self._best.weights:
            self._work.load(self._best.weights)

    def _epoch(self, epoch: int, tell: Tell) -> None:
        work = self._work
        first = min(work.settings.history_days, self._train_days - 1)
        steps: list[Step] = []
        for day in range(first, self._train_days):
            step = work.train(day, epoch, self._epochs, tell)
            if step is not None:
                steps.append(step)
        accuracies = [step.accuracy or 0.0 for step in steps] or [0.0]
        watched = accuracies[-1] if work.settings.stop_on == "last" else float(np.mean(accuracies))
        self._best.note(watched, work.weights)

    def state(self) -> TrainerState:
        """Return its state: the network, the best epoch's weights, how long ago that was."""
        own = self._work.state()
        best = {f"best.{name}": value for name, value in self._best.weights.items()}
        facts = {
            "train_days": self._train_days,
            "accuracy": self._best.accuracy,
            "waited": self._best.waited,
        }
        return TrainerState({**own.arrays, **best}, facts)

    def restore(self, state: TrainerState) -> None:
        """Go on from a state; the training days stay those of the run's start."""
        self._work.restore(state)
        self._train_days = int(state.facts["train_days"])
        self._best.accuracy = float(state.facts["accuracy"])
        self._best.waited = int(state.facts["waited"])
        self._best.weights = {
            name.removeprefix("best."): value
            for name, value in state.arrays.items()
            if name.startswith("best.")
        }
