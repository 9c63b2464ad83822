"""Groups by sorting against plain Python, with and without room in 64 bits."""

from collections import Counter

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from darkgnn_core.snapshots.sorting import count_pairs, group_starts, order_pairs, sort_pairs

SMALL = st.tuples(st.integers(0, 3), st.integers(0, 3))
MIXED = st.tuples(st.integers(0, 2**32 - 1), st.integers(0, 2**32 - 1)) | SMALL
LARGE = st.tuples(st.integers(0, 2**20), st.integers(0, 2**50)) | SMALL


def columns(pairs):
    """Return two int64 arrays."""
    return np.array(pairs, np.int64).reshape(-1, 2).T


@given(st.lists(MIXED, min_size=1))
def test_counts_match_a_counter(pairs):
    """Pairs of up to 32 bits each are counted exactly, sorted."""
    found = count_pairs(*columns(pairs))
    rows = zip(found.high.tolist(), found.low.tolist(), found.n.tolist(), strict=True)
    assert list(rows) == [(*pair, n) for pair, n in sorted(Counter(pairs).items())]


@given(st.lists(LARGE, min_size=1))
def test_sorting_matches_python_at_any_width(pairs):
    """Pairs are sorted whether or not 64 bits hold them; equal ones keep their order."""
    high, low = sort_pairs(*columns(pairs))
    assert list(zip(high.tolist(), low.tolist(), strict=True)) == sorted(pairs)
    order = order_pairs(*columns(pairs)).tolist()
    assert order == sorted(range(len(pairs)), key=lambda row: (pairs[row], row))


def test_nothing_has_no_groups():
    """No values, no groups."""
    assert group_starts(np.zeros(0, np.int64)).tolist() == []
