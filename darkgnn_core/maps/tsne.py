"""t-SNE of a day, started from where its hosts lay the day before, so that they do not jump."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from darkgnn_core.errors import ConfigError
from darkgnn_core.maps.enclosing import Points
from darkgnn_core.maps.projecting import Addresses
from darkgnn_core.spaces import Float64s, Int64s

SPREAD = 1e-4
"""Standard deviation of a start that has no day before: small, as is usual."""

FEWEST_HOSTS = 8
EARLY_EXAGGERATION = 12.0
TELL_EVERY = 10
PLACED_BY = 5
"""A new host starts between so many of its nearest hosts that were there before."""


@dataclass(frozen=True)
class TsneSettings:
    """How a map is made.

    Attributes:
        perplexity: How many neighbours a host roughly looks at.
        early: Steps with stronger attraction, in which islands form.
        late: Steps after them.
        aligned: Steps of a map that starts from another day's.
        seed: Of the tiny differences that part hosts with the same start.

    Raises:
        ConfigError: `MAP` where a number is outside what it may be.
    """

    perplexity: int = 30
    early: int = 250
    late: int = 500
    aligned: int = 250
    seed: int = 0

    def __post_init__(self) -> None:
        """Check every setting once."""
        bounds = {"perplexity": (2, 200), "early": (0, 5_000), "late": (0, 5_000)}
        bounds["aligned"] = (0, 5_000)
        for name, (least, most) in bounds.items():
            if not least <= getattr(self, name) <= most:
                message = f"{name} must be from {least} to {most:,}, got {getattr(self, name)}."
                raise ConfigError(message, code="MAP")

    def neighbours_for(self, hosts: int) -> int:
        """Return how many neighbours of each host are needed on a day of so many hosts."""
        return max(min(3 * self.perplexity, hosts - 1), 0)


def start_of(
    plane: Points,
    hosts: Addresses,
    near: Int64s,
    before: tuple[Addresses, Points] | None,
) -> tuple[Float64s, bool]:
    """Return where t-SNE starts, float64 (n, 2), and whether it starts from another day's map.

    Hosts of that map start where they lay; a new one between those of its nearest hosts that have
    a place, else in the middle of the map. Without a map, hosts start from the principal plane.

    Args:
        plane: float32 (n, 2), the principal plane of the day.
        hosts: uint32 (n,), its hosts, ascending.
        near: int64 (n, k), positions of the nearest hosts, nearest first; -1 for none.
        before: Hosts, ascending, and points of the map of the day next to it.
    """
    if before is None or not len(before[0]):
        return _small(plane.astype(np.float64)), False
    shared, ours, theirs = np.intersect1d(hosts, before[0], assume_unique=True, return_indices=True)
    if not len(shared):
        return _small(plane.astype(np.float64)), False
    start = np.full((len(hosts), 2), np.nan)
    start[ours] = before[1][theirs]
    _fill_in(start, near)
    return start, True


def _small(plane: Float64s) -> Float64s:
    deviation = plane.std(axis=0).max() if len(plane) else 0.0
    centred: Float64s = (plane - plane.mean(axis=0)) * (SPREAD / deviation if deviation else 1.0)
    return centred


def _fill_in(start: Float64s, near: Int64s) -> None:
    """Give a place to hosts without one: the mean of their nearest hosts that have one."""
    middle = np.nanmean(start, axis=0)
    known = ~np.isnan(start[:, 0])
    for row in np.flatnonzero(~known):
        placed = near[row][near[row] >= 0]
        placed = placed[known[placed]][:PLACED_BY]
        start[row] = start[placed].mean(axis=0) if len(placed) else middle


def spread(
    start: Float64s,
    near: Int64s,
    distances: Float64s,
    settings: TsneSettings,
    *,
    is_aligned: bool,
    threads: int = 1,
    told: Callable[[float], None] = lambda share: None,
    should_stop: Callable[[], bool] = lambda: False,
) -> Points | None:
    """Run t-SNE from a start and return the map, float32 (n, 2); None if it was stopped.

    A start from another day keeps its islands: the steps with strong attraction are left out, so
    that hosts which lie well stay where they are.

    Args:
        start: float64 (n, 2).
        near: int64 (n, k), positions of the nearest hosts, all of them there.
        distances: float64 (n, k), of those.
        settings: Perplexity, steps, seed.
        is_aligned: The start comes from another day's map.
        threads: Processors it may use.
        told: Called now and then with the share that is done.
        should_stop: Asked as often.

    Source:
        openTSNE (Policar and others 2024); the start from an earlier map as in its documentation
        of aligned embeddings.
    """
    if len(start) < FEWEST_HOSTS:
        return start.astype(np.float32)
    from openTSNE import TSNEEmbedding, affinity, nearest_neighbors

    noise = np.random.default_rng(settings.seed).normal(scale=SPREAD / 10, size=start.shape)
    index = nearest_neighbors.PrecomputedNeighbors(near, np.maximum(distances, 1e-12))
    perplexity = min(settings.perplexity, near.shape[1] / 3)
    affinities = affinity.PerplexityBasedNN(knn_index=index, perplexity=perplexity, n_jobs=threads)
    phases = [(settings.early, EARLY_EXAGGERATION), (settings.late, None)]
    if is_aligned:
        phases = [(settings.aligned, None)]
    progress = _Progress(sum(steps for steps, _ in phases), told, should_stop)
    embedding = TSNEEmbedding(start + noise, affinities, random_state=settings.seed, n_jobs=threads)
    for steps, exaggeration in phases:
        if not steps:
            continue
        embedding.optimize(
            steps,
            inplace=True,
            exaggeration=exaggeration,
            momentum=0.5 if exaggeration else 0.8,
            learning_rate="auto",
            n_jobs=threads,
            max_step_norm=5,
            use_callbacks=True,
            callbacks=progress.step,
            callbacks_every_iters=TELL_EVERY,
        )
        progress.done += steps
        if progress.stopped:
            return None
    return np.asarray(embedding, np.float32)


class _Progress:
    """Tells how far it is, and ends it when asked."""

    def __init__(
        self, total: int, told: Callable[[float], None], should_stop: Callable[[], bool]
    ) -> None:
        self.total, self.done, self.stopped = max(total, 1), 0, False
        self._told, self._should_stop = told, should_stop

    def step(self, iteration: int, error: float, embedding: Float64s) -> bool:
        """Tell the share that is done; True ends the work."""
        self._told(min((self.done + iteration) / self.total, 1.0))
        self.stopped = self.stopped or self._should_stop()
        return self.stopped
