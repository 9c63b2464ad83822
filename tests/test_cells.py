"""Neighbours looked for by cells: the same as those of a look at all pairs, and far fewer pairs."""

from typing import Any

import numpy as np
import pytest

from darkgnn_core import cells, neighbours
from darkgnn_core.neighbours import nearest, nearest_to, prepare


@pytest.fixture
def small_cells(monkeypatch: pytest.MonkeyPatch) -> None:
    """Deal even few hosts to cells."""
    monkeypatch.setattr(cells, "FEWEST_KINDS", 1)
    monkeypatch.setattr(cells, "FEWEST_QUERIES", 1)
    monkeypatch.setattr(cells, "KINDS_A_CELL", 7)


def crowd(seed: int, hosts: int = 700, size: int = 12, narrow: float = -3) -> np.ndarray:
    """Draw hosts in clumps of different width, many equal, some without a direction."""
    random = np.random.default_rng(seed)
    centres = random.standard_normal((9, size)) * 4
    wide = 10.0 ** random.uniform(narrow, 0.5, 9)
    clump = random.integers(0, 9, hosts)
    vectors = centres[clump] + wide[clump][:, None] * random.standard_normal((hosts, size))
    vectors[random.integers(0, hosts, hosts // 4)] = vectors[random.integers(0, hosts, hosts // 4)]
    vectors[random.integers(0, hosts, 5)] = 0
    return vectors.astype(np.float32)


def both(monkeypatch: pytest.MonkeyPatch, ask: Any) -> tuple[Any, Any]:
    """Ask without cells, then with them."""
    monkeypatch.setattr(neighbours, "worth_dealing", lambda space, queries: False)
    plain = ask()
    monkeypatch.setattr(neighbours, "worth_dealing", cells.worth_dealing)
    return plain, ask()


@pytest.mark.parametrize("seed", range(12))
@pytest.mark.parametrize("has_groups", [False, True])
@pytest.mark.usefixtures("small_cells")
def test_cells_change_no_neighbour(
    monkeypatch: pytest.MonkeyPatch, seed: int, *, has_groups: bool
) -> None:
    """Same hosts, same distances to the bit: inside a day, and for strangers."""
    random = np.random.default_rng(seed + 100)
    vectors = crowd(seed)
    groups = random.integers(0, 40, len(vectors)) if has_groups else None
    k = int(random.integers(1, 9))

    def inside() -> Any:
        return nearest(vectors, None, k, standardise=False, groups=groups)

    def outside() -> Any:
        space = prepare(vectors, standardise=False, groups=groups)
        own = random.permutation(40)[np.arange(300) % 40] if has_groups else None
        strangers = crowd(seed + 1, 300)
        if own is not None:
            own = np.arange(300) % 40
        return nearest_to(space, strangers, k, groups=own)

    for ask in (inside, outside):
        plain, dealt = both(monkeypatch, ask)
        assert np.array_equal(plain.positions, dealt.positions)
        assert np.array_equal(plain.distances, dealt.distances)


@pytest.mark.usefixtures("small_cells")
def test_hosts_that_float32_cannot_tell_apart_take_the_other_way(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A heap of 800 hosts within 1e-6, a thousand elsewhere: the order is that of float64."""
    random = np.random.default_rng(3)
    heap = (1 + 1e-6 * random.standard_normal((800, 32))).astype(np.float32)
    vectors = np.concatenate([heap, crowd(5, 1_000, 32)])
    plain, dealt = both(monkeypatch, lambda: nearest(vectors, None, 4, standardise=False))
    assert np.array_equal(plain.positions, dealt.positions)
    space = prepare(heap, standardise=False)
    asking = -space.first_look[:50]
    with pytest.raises(cells.Crowded):
        cells.likely_in(cells.deal(space), asking, None, 4)


@pytest.mark.usefixtures("small_cells")
@pytest.mark.parametrize("hosts", [1, 2, 3, 9])
def test_few_hosts_are_all_found(hosts: int) -> None:
    """Fewer hosts than neighbours asked for, in two cells: the rest is missing."""
    vectors = np.eye(hosts, 9, dtype=np.float32) + np.float32(0.1)
    space = prepare(vectors, standardise=False)
    found = nearest_to(space, np.ones((4, 9), np.float32), 5)
    assert (found.positions != -1).sum() == 4 * min(hosts, 5)


@pytest.mark.usefixtures("small_cells")
def test_most_pairs_are_passed_over() -> None:
    """Clumps that lie apart: the pairs looked at are a small part of all."""
    vectors = crowd(2, 3_000, narrow=-1)
    space = prepare(vectors, standardise=False)
    dealt = cells.deal(space)
    look = cells._Look(dealt, -space.first_look, None, 3)
    looked = 0
    plain = look._look_for

    def counted(rows: np.ndarray, cell: int) -> None:
        nonlocal looked
        looked += len(rows) * int(dealt.starts[cell + 1] - dealt.starts[cell])
        plain(rows, cell)

    look._look_for = counted  # type: ignore[method-assign]
    look.found()
    assert looked < 0.25 * space.kinds**2


def test_small_searches_and_other_metrics_do_without_cells() -> None:
    """Dealing costs; only cosine has its bound."""
    vectors = np.random.default_rng(0).standard_normal((cells.FEWEST_KINDS, 2)).astype(np.float32)
    space = prepare(vectors)
    assert cells.worth_dealing(space, cells.FEWEST_QUERIES)
    assert not cells.worth_dealing(space, 1)
    assert not cells.worth_dealing(prepare(vectors[1:]), cells.FEWEST_QUERIES)
    assert not cells.worth_dealing(prepare(vectors, metric="dot"), cells.FEWEST_QUERIES)
