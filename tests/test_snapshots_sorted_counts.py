"""Counts of more numbers than memory holds, against counting them all at once."""

from collections import Counter

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from darkgnn_core.snapshots.sorted_counts import SortedCounts

numbers = st.one_of(st.integers(0, 9), st.integers(0, 2**63 - 1))


@settings(max_examples=40, deadline=None)
@given(st.lists(st.lists(numbers, max_size=40), max_size=12), st.integers(1, 30))
def test_counts_are_as_at_once(tmp_path_factory, batches, limit):
    """Whatever comes in whatever batches: ascending, each number once, with all its counts."""
    folder = tmp_path_factory.mktemp("counts")
    counts = SortedCounts(folder, "numbers", limit)
    for batch in batches:
        counts.add(np.array(batch, np.uint64))
    expected = sorted(Counter(number for batch in batches for number in batch).items())
    for _ in range(2):  # reading changes nothing
        found = [pair for keys, n in counts for pair in zip(keys.tolist(), n.tolist(), strict=True)]
        assert found == expected
    assert len(counts) == len(expected)
    counts.remove()
    assert not list(folder.iterdir())


def test_pieces_stay_small_and_wait_on_disk(tmp_path):
    """A hundred times the limit: no piece is larger than the limit and a step of each run."""
    rng = np.random.default_rng(1)
    counts = SortedCounts(tmp_path, "numbers", 2_000)
    values = rng.integers(0, 2**40, 200_000)
    for batch in np.array_split(values, 400):
        counts.add(batch)
    assert len(list(tmp_path.iterdir())) > 50
    pieces = [keys for keys, _ in counts]
    assert max(map(len, pieces)) <= 2_000
    assert np.array_equal(np.concatenate(pieces), np.unique(values))


@pytest.mark.parametrize("limit", [2, 1_000])
def test_given_counts_are_added(tmp_path, limit):
    """Counts that come with the numbers are added up."""
    counts = SortedCounts(tmp_path, "numbers", limit)
    for n in (3, 4):
        counts.add(np.array([7, 1, 2**40]), np.array([n, 1, 1]))
    keys, n = (np.concatenate(part) for part in zip(*counts, strict=True))
    assert (keys.tolist(), n.tolist()) == ([1, 7, 2**40], [2, 7, 2])
