"""Blocks side by side weigh the same, whatever their scale."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from darkgnn_core.baselines.blocks import side_by_side


@given(st.integers(2, 30), st.integers(1, 9), st.floats(1e-6, 1e6), st.floats(-1e3, 1e3))
def test_blocks_weigh_the_same(rows, columns, scale, shift):
    """Each block is centred with mean squared length 1, and scale and shift leave no trace."""
    block = np.random.default_rng(rows * 10 + columns).normal(size=(rows, columns))
    found = side_by_side([block, scale * (block + shift)])
    assert found.shape == (rows, 2 * columns)
    for part in np.split(found, 2, axis=1):
        assert np.allclose(part.mean(axis=0), 0, atol=1e-9)
        assert np.isclose((part**2).sum(axis=1).mean(), 1)
    assert np.allclose(found[:, :columns], found[:, columns:], atol=1e-7)


def test_equal_rows_become_zero():
    """A block that tells no hosts apart adds nothing, and nothing is divided by zero."""
    found = side_by_side([np.full((3, 2), 7.0), np.array([[1.0], [2.0], [3.0]])])
    assert not found[:, :2].any()
    assert found[:, 2].any()
