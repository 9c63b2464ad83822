"""What the methods without a network share: a unit a day, and a state that names its method."""

from abc import ABC, abstractmethod
from collections.abc import Collection, Iterator
from typing import Any

import numpy as np
import numpy.typing as npt

from darkgnn_core.embeddings import Embedding
from darkgnn_core.errors import RunError
from darkgnn_core.run_config import RunConfig, TableConfig
from darkgnn_core.run_days import Days
from darkgnn_core.trainers import Tell, TrainerState, Unit

Floats = npt.NDArray[np.floating[Any]]


def units_of(days: Days) -> tuple[Unit, ...]:
    """Return one unit a day."""
    return tuple(Unit(name=key, day=key) for key in days.keys)


def embedding_of(
    config: RunConfig, key: str, hosts: npt.NDArray[np.uint32], vectors: Floats
) -> Embedding:
    """Return vectors of any floating type, (n, E), as the embedding of a day.

    Raises:
        RunError: `DIVERGED` where a number is not finite.
    """
    rows = np.ascontiguousarray(vectors, np.float32)
    if not np.isfinite(rows).all():
        raise RunError(
            f"{config.method} gave numbers that are not finite on {key}. Scale the features "
            "(scaling max or quantile) or lower the learning rate.",
            code="DIVERGED",
        )
    return Embedding(key=key, hosts=hosts, vectors=rows, config_hash=config.hash)


def check_state(state: TrainerState, config: RunConfig, names: Collection[str]) -> None:
    """Hold a state against the arrays that a method keeps.

    Raises:
        RunError: `CHECKPOINT`.
    """
    method = state.facts.get("method")
    if method != config.method or set(state.arrays) != set(names):
        raise no_checkpoint(
            config, f"it holds {sorted(state.arrays)} of {method!r}, expected {sorted(names)}"
        )


def no_checkpoint(config: RunConfig, why: str) -> RunError:
    """Return the error of a state that is another's."""
    return RunError(
        f"The checkpoint is not one of {config.method}: {why}. Start the run again.",
        code="CHECKPOINT",
    )


class StatelessTrainer(ABC):
    """A method that embeds each day from the snapshots up to it and carries nothing along.

    Args:
        config: Of the run.
        days: Of the run.
    """

    def __init__(self, config: RunConfig, days: Days) -> None:
        self.config = config
        self.days = days

    @property
    def units(self) -> tuple[Unit, ...]:
        """One a day."""
        return units_of(self.days)

    @abstractmethod
    def embed(self, position: int) -> Embedding:
        """Return the embedding of a day, from it and days before it alone."""

    def do(self, position: int, tell: Tell) -> Iterator[Embedding]:
        """Give the embedding of a day; nothing is learned, so nothing is told."""
        yield self.embed(position)

    def state(self) -> TrainerState:
        """Return no arrays."""
        return TrainerState({}, {"method": self.config.method})

    def restore(self, state: TrainerState) -> None:
        """Check that it is the state of such a trainer.

        Raises:
            RunError: `CHECKPOINT`.
        """
        check_state(state, self.config, ())


class TableTrainer(StatelessTrainer):
    """A stateless method with `TableConfig` settings that gives a row for every host of the day."""

    @abstractmethod
    def rows(self, position: int, settings: TableConfig) -> Floats:
        """Return the rows of a day's hosts, of any floating type (n, E), by address."""

    def embed(self, position: int) -> Embedding:
        """Return the rows of a day's hosts as its embedding."""
        settings = self.config.settings
        assert isinstance(settings, TableConfig)  # noqa: S101 - RunConfig has checked it
        hosts = self.days.snapshot(position).hosts
        return embedding_of(
            self.config, self.days.keys[position], hosts, self.rows(position, settings)
        )
