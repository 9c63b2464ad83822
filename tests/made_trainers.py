"""A method made for tests: a walk of a few numbers, which a unit left out or done twice changes."""

import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from darkgnn_core.embeddings import Embedding
from darkgnn_core.errors import RunError
from darkgnn_core.run_config import RunConfig
from darkgnn_core.trainers import Step, Tell, TrainerState, Unit, seed_of

CONFIG = RunConfig.of("features", seed=3)
DAYS = ("2021-12-01", "2021-12-02", "2021-12-03", "2021-12-04")
HOSTS = np.arange(100, 105, dtype=np.uint32)


class WalkTrainer:
    """Two units that only train, then one a day; three steps each.

    Args:
        days: Keys of the bins.
        seed: Of the walk.
        step_s: How long a step takes.
        poison: A unit and what turns to NaN in it: `loss`, `embedding` or `weights`.
        fails: A unit and the error it raises after its first step.
    """

    def __init__(
        self,
        days: tuple[str, ...] = DAYS,
        *,
        seed: int = 3,
        step_s: float = 0.0,
        poison: tuple[str, str] = ("", ""),
        fails: tuple[str, BaseException | None] = ("", None),
    ) -> None:
        self.units = (Unit("epoch 1"), Unit("epoch 2"), *(Unit(day, day) for day in days))
        self.seed, self.step_s, self.poison, self.fails = seed, step_s, poison, fails
        self.weights = np.zeros(4)
        self.done = 0
        self.did: list[str] = []

    def do(self, position: int, tell: Tell) -> Iterator[Embedding]:
        """Walk three steps, and embed where the unit has a day."""
        unit = self.units[position]
        self.did.append(unit.name)
        assert position == self.done, "a unit was left out, or done twice"
        for epoch in range(1, 4):
            self._step(unit, epoch, tell)
        self.done += 1
        if unit.day:
            yield self._embedding(unit)

    def _step(self, unit: Unit, epoch: int, tell: Tell) -> None:
        time.sleep(self.step_s)
        noise = np.random.default_rng(seed_of(self.seed, unit.name, epoch)).normal(size=4)
        self.weights = 0.9 * self.weights + noise
        what = self.poison[1] if self.poison[0] == unit.name else ""
        if what == "weights":
            self.weights[2] = np.nan
        loss = np.nan if what == "loss" else float(np.square(self.weights).mean())
        tell(Step(unit.day or "2021-12-01", epoch, 3, loss, 0.5, self.step_s))
        if self.fails[0] == unit.name and self.fails[1] is not None:
            raise self.fails[1]

    def _embedding(self, unit: Unit) -> Embedding:
        vectors = np.outer(np.arange(1, 6), self.weights).astype(np.float32)
        if self.poison == (unit.name, "embedding"):
            vectors[1, 1] = np.inf
        return Embedding(unit.day, HOSTS, np.nan_to_num(vectors, posinf=np.inf), CONFIG.hash)

    def state(self) -> TrainerState:
        """Return where the walk is."""
        return TrainerState({"weights": self.weights}, {"done": self.done})

    def restore(self, state: TrainerState) -> None:
        """Go on from there."""
        if "weights" not in state.arrays:
            raise RunError("It is no walk.", code="CHECKPOINT")
        self.weights = state.arrays["weights"]
        self.done = int(state.facts["done"])


def embeddings_of(directory: Path) -> dict[str, bytes]:
    """Return the bytes of a run's embeddings and of their manifest, by name."""
    return {path.name: path.read_bytes() for path in sorted((directory / "embeddings").iterdir())}
