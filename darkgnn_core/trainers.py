"""What every method gives, network or not: units of work, a state to go on from, embeddings.

A run goes through its method's units in order. After each unit the runner keeps the trainer's
state, so a run that was killed goes on after the last finished unit, and ends in the same
embeddings as one that was never killed.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt

from darkgnn_core.embeddings import Embedding

Array = npt.NDArray[Any]


@dataclass(frozen=True)
class Unit:
    """One piece of a run's work, after which its state is kept.

    Attributes:
        name: What the analyst reads, such as `2021-12-01` or `epoch 3`.
        day: Key of the bin it embeds; empty where it only trains.
    """

    name: str
    day: str = ""


@dataclass(frozen=True)
class Step:
    """One step of training, as it is told to whoever watches.

    Attributes:
        day: Key of the bin it trained on.
        epoch: Its pass over the bin (or over all training days), from 1.
        epochs: The most passes there may be.
        loss: Mean negative log likelihood of the step; what else a method minimises.
        accuracy: Share of links told right, 0 to 1; None for a method without links.
        seconds: Wall time of the step.
    """

    day: str
    epoch: int
    epochs: int
    loss: float
    accuracy: float | None
    seconds: float


Tell = Callable[[Step], None]
"""Called after every step; raises `traces.parsing.Stopped` when the analyst asked to stop."""


@dataclass(frozen=True)
class TrainerState:
    """Everything that a trainer needs to go on after a unit.

    Attributes:
        arrays: By name, of any numeric dtype: weights, moments of the optimiser, random state.
        facts: JSON: counters and names.
    """

    arrays: Mapping[str, Array]
    facts: Mapping[str, Any]


class Trainer(Protocol):
    """A method at work on the days of a run."""

    @property
    def units(self) -> tuple[Unit, ...]:
        """All units of the run, in order; known before the first is done."""
        ...

    def do(self, position: int, tell: Tell) -> Iterator[Embedding]:
        """Do one unit and give the embeddings it makes, none where it only trains.

        All earlier units have been done by this trainer, or by the one whose state it restored.
        A unit may turn out to have nothing left to do (early stopping).
        """
        ...

    def state(self) -> TrainerState:
        """Return its state after the last finished unit."""
        ...

    def restore(self, state: TrainerState) -> None:
        """Go on from a state that `state` gave, in this or another process.

        Raises:
            RunError: `CHECKPOINT` if it is not the state of such a trainer.
        """
        ...


def seed_of(*parts: int | str) -> np.random.SeedSequence:
    """Return the seed of one random draw, told by the run's seed and what it is drawn for.

    No generator lives from step to step: a run that goes on after a kill draws what it would have
    drawn. Source: ours.

    >>> seed_of(7, "negatives", "2021-12-01", 1).generate_state(1)[0] == seed_of(
    ...     7, "negatives", "2021-12-01", 1).generate_state(1)[0]
    True
    """
    numbers = []
    for part in parts:
        data = str(part).encode()
        numbers += [len(data), *data]
    return np.random.SeedSequence(numbers)
