"""Several embeddings of the same hosts side by side, each with the same weight.

    Z = [C_1 / l_1, C_2 / l_2, ...],  C_b = B_b - mean of its rows,  l_b = sqrt(mean |c_b,u|^2)

so that each block B_b contributes as much to the mean squared distance of two hosts. Within a
block the columns keep their proportions: to standardise them would raise the least of 128 singular
directions to the height of the first. An evaluation that standardises columns itself, as the
released protocol does, undoes this and any other scaling of columns: there a block weighs as much
as it has columns.

Shapes: blocks (n, E_b); Z float64 (n, sum of E_b). A block of equal rows becomes 0.

Source: ours.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt


def side_by_side(blocks: Sequence[npt.NDArray[Any]]) -> npt.NDArray[np.float64]:
    """Return blocks of the same rows, each centred and divided by its mean row length.

    Args:
        blocks: Floating (n, E_b), one row a host, n >= 1.

    >>> side_by_side([np.array([[0.0], [2.0]]), np.array([[5.0, 30.0], [5.0, 10.0]])]).tolist()
    [[-1.0, 0.0, 1.0], [1.0, 0.0, -1.0]]
    """
    return np.concatenate([_levelled(block.astype(np.float64)) for block in blocks], axis=1)


def _levelled(block: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    centred: npt.NDArray[np.float64] = block - block.mean(axis=0)
    length = np.sqrt((centred**2).sum(axis=1).mean())
    return centred / length if length > 0 else centred
