"""What holds of every method, network or not: one checker for all trainers.

`make` is a function of `Days` that gives a fresh trainer; its config names the same seed each time.
"""

import json
import math
from collections.abc import Callable
from functools import lru_cache
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pytest
from planted_days import rebuilt
from safetensors.numpy import load, save

from darkgnn_core.embeddings import Embedding
from darkgnn_core.errors import RunError
from darkgnn_core.run_days import Days
from darkgnn_core.trainers import Step, Trainer, TrainerState

Make = Callable[[Days], Trainer]


def check_trainer(
    make: Make,
    days: Days,
    *,
    sees_future: bool = False,
    renumbers: bool = True,
    tolerance: float = 1e-4,
) -> None:
    """Hold a method against all that follows here.

    Args:
        make: From days to a fresh trainer.
        days: Made days with packet files (`planted_days`), three or more; kept alive, what is
            derived from them is made once.
        sees_future: The method looks at later days on purpose (`edges="month_first"`, a network
            that trains on many days before it embeds the first).
        renumbers: Other addresses of the same hosts give the same rows; wrong where random draws
            go by the place of a host: negatives of a network, i-DarkVec's vocabulary.
        tolerance: How far rows may be apart after renumbering, of the largest value of the day.
    """
    check_units(make, days)
    through = check_embeddings(make, days)
    check_seed(make, days, through)
    check_restoring(make, days, through)
    check_foreign_state(make, days)
    if not sees_future:
        check_future(make, days, through)
    if renumbers:
        check_renumbering(make, days, through, tolerance)


def run_through(trainer: Trainer, first: int = 0, told: list[Step] | None = None) -> list:
    """Do the units of a trainer from a position on; give all embeddings in their order."""
    tell = (lambda _: None) if told is None else told.append
    return [
        embedding
        for position in range(first, len(trainer.units))
        for embedding in trainer.do(position, tell)
    ]


def through_disk(state: TrainerState) -> TrainerState:
    """Return a state as a file holds it."""
    arrays = {name: np.ascontiguousarray(values) for name, values in state.arrays.items()}
    return TrainerState(load(save(arrays)), json.loads(json.dumps(dict(state.facts))))


def assert_same_bits(found: list[Embedding], expected: list[Embedding]) -> None:
    """Compare embeddings to the last bit."""
    assert [each.key for each in found] == [each.key for each in expected]
    for one, other in zip(found, expected, strict=True):
        assert one.hosts.tobytes() == other.hosts.tobytes(), one.key
        assert one.vectors.tobytes() == other.vectors.tobytes(), one.key
        assert one.config_hash == other.config_hash


def check_units(make: Make, days: Days) -> None:
    """Units are known before the first is done, are named, and embed each day once, in order."""
    units = make(days).units
    assert units == make(days).units
    assert all(unit.name for unit in units)
    assert [unit.day for unit in units if unit.day] == list(days.keys)


def check_embeddings(make: Make, days: Days) -> list[Embedding]:
    """Each day's embedding has the day's hosts and finite float32 rows; steps make sense."""
    trainer, told = make(days), []
    units, embeddings = trainer.units, run_through(trainer, told=told)
    assert trainer.units == units
    assert [each.key for each in embeddings] == list(days.keys)
    for position, each in enumerate(embeddings):
        assert each.hosts.dtype == np.uint32
        assert np.array_equal(each.hosts, days.snapshot(position).hosts)
        assert each.vectors.dtype == np.float32
        assert each.vectors.ndim == 2
        assert len(each.vectors) == len(each.hosts)
        assert each.vectors.flags.c_contiguous
        assert np.isfinite(each.vectors).all()
        assert each.vectors.any()
        assert each.config_hash
    assert len({each.vectors.shape[1] for each in embeddings}) == 1
    for step in told:
        assert step.day in days.keys
        assert 1 <= step.epoch <= step.epochs
        assert math.isfinite(step.loss)
        assert step.accuracy is None or 0 <= step.accuracy <= 1
        assert step.seconds >= 0
    return embeddings


def check_seed(make: Make, days: Days, through: list[Embedding]) -> None:
    """The same seed gives the same bits, whatever was drawn from global generators before."""
    np.random.seed(12_345)  # noqa: NPY002 - the global state that must not matter
    assert_same_bits(run_through(make(days)), through)


def check_restoring(make: Make, days: Days, through: list[Embedding]) -> None:
    """A new trainer that takes over after any unit ends in the same bits."""
    trainer = make(days)
    embeddings = []
    for position in range(len(trainer.units)):
        embeddings += trainer.do(position, lambda _: None)
        other = make(days)
        other.restore(through_disk(trainer.state()))
        assert_same_bits([*embeddings, *run_through(other, position + 1)], through)


def check_foreign_state(make: Make, days: Days) -> None:
    """A state that is no state of such a trainer is refused by name."""
    with pytest.raises(RunError) as refused:
        make(days).restore(TrainerState({"alien": np.zeros(3, np.float32)}, {}))
    assert refused.value.code == "CHECKPOINT"


def check_future(make: Make, days: Days, through: list[Embedding]) -> None:
    """Another last day changes its own embedding and none before it, not by a bit."""
    changed = run_through(make(last_day_changed(days)))
    assert_same_bits(changed[:-1], through[:-1])
    same = changed[-1].vectors.tobytes() == through[-1].vectors.tobytes()
    assert not same, "the last day does not matter to its own embedding"


def check_renumbering(
    make: Make, days: Days, through: list[Embedding], tolerance: float = 1e-4
) -> None:
    """Hosts under other addresses, in another order, have the same rows."""
    others, address_of = renumbered(days)
    for one, other in zip(through, run_through(make(others)), strict=True):
        places = np.searchsorted(other.hosts, [address_of[host] for host in one.hosts.tolist()])
        assert sorted(places.tolist()) == list(range(len(one.hosts)))
        assert places.tolist() != list(range(len(one.hosts))), "the order must change"
        apart = np.abs(other.vectors[places] - one.vectors).max()
        assert apart <= tolerance * np.abs(one.vectors).max(), f"{one.key}: {apart} apart"


def separation(embedding: Embedding, group_of: dict[int, str]) -> float:
    """Return the share of hosts whose three nearest others (cosine) have their group.

    Columns are standardised first, one that is constant is left out, as the evaluation does.
    """
    vectors = embedding.vectors.astype(np.float64)
    spread = vectors.std(axis=0)
    vectors = (vectors - vectors.mean(axis=0))[:, spread > 0] / spread[spread > 0]
    lengths = np.linalg.norm(vectors, axis=1, keepdims=True)
    vectors /= np.where(lengths > 0, lengths, 1)
    near = vectors @ vectors.T
    np.fill_diagonal(near, -np.inf)
    groups = np.array([group_of[host] for host in embedding.hosts.tolist()])
    votes = groups[np.argsort(-near, axis=1, kind="stable")[:, :3]] == groups[:, None]
    return float((votes.sum(axis=1) >= 2).mean())


def addresses_of(days: Days) -> list[int]:
    """Return all hosts of all days, ascending."""
    return np.unique(
        np.concatenate([days.snapshot(position).hosts for position in range(len(days.keys))])
    ).tolist()


@lru_cache(maxsize=8)
def last_day_changed(days: Days) -> Days:
    """Return the days with another last day: a third of its packets gone, other headers."""

    def change(table: pa.Table) -> pa.Table:
        kept = table.filter(pa.array(np.arange(len(table)) % 3 > 0))
        window = kept.schema.get_field_index("window")
        other = pc.cast(pc.add(pc.cast(kept["window"], pa.int64()), 7), pa.uint16())
        return kept.set_column(window, kept.schema.field(window), other)

    return rebuilt(days, _beside(days, "changed"), change, first=len(days.keys) - 1)


@lru_cache(maxsize=8)
def renumbered(days: Days) -> tuple[Days, dict[int, int]]:
    """Return the days with the addresses of the hosts dealt out in reverse, and the new of each."""
    addresses = addresses_of(days)
    address_of = dict(zip(addresses, reversed(addresses), strict=True))

    def change(table: pa.Table) -> pa.Table:
        senders = [address_of.get(host, host) for host in table["src_ip"].to_pylist()]
        place = table.schema.get_field_index("src_ip")
        return table.set_column(place, table.schema.field(place), pa.array(senders, pa.uint32()))

    return rebuilt(days, _beside(days, "renumbered"), change), address_of


def _beside(days: Days, name: str) -> Path:
    return days.inputs[0].directory.parent.parent / name
