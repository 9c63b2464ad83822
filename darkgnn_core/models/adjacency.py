"""Weighted averages over neighbours: z_u = sum over v of w_uv x_v, forwards and backwards.

Shapes: the matrix (rows, columns), x (columns, width), result (rows, width).
Source: paper, section 2 (the weights of a node's edges sum to 1); the stored transpose is ours: it
spares turning the matrix around at every backward pass.
"""

import warnings
from dataclasses import dataclass
from typing import Any

import numpy as np
import scipy.sparse
import torch
from torch import Tensor


@dataclass(frozen=True, eq=False)
class Adjacency:
    """A sparse matrix and its transpose, ready for products.

    Attributes:
        matrix: float32 (rows, columns), compressed rows.
        transpose: float32 (columns, rows), compressed rows.
    """

    matrix: Tensor
    transpose: Tensor

    @classmethod
    def of(cls, matrix: scipy.sparse.csr_array, device: torch.device) -> "Adjacency":
        """Put a matrix onto a device."""
        return cls(_sparse(matrix, device), _sparse(matrix.T.tocsr(), device))

    @property
    def shape(self) -> tuple[int, int]:
        """Rows and columns."""
        return (self.matrix.shape[0], self.matrix.shape[1])


def propagate(adjacency: Adjacency, x: Tensor) -> Tensor:
    """Return the weighted sums of the rows of x, (rows, width)."""
    result: Tensor = _Propagate.apply(x, adjacency.matrix, adjacency.transpose)
    return result


class _Propagate(torch.autograd.Function):
    """matrix @ x; the gradient of x is transpose @ gradient."""

    @staticmethod
    def forward(ctx: Any, x: Tensor, matrix: Tensor, transpose: Tensor) -> Tensor:
        ctx.transpose = transpose
        return _product(matrix, x)

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor, None, None]:
        return _product(ctx.transpose, gradients[0]), None, None


def _product(matrix: Tensor, x: Tensor) -> Tensor:
    if matrix.layout is torch.sparse_csr:
        return matrix @ x.contiguous()
    return _scatter(matrix, x)


def _scatter(matrix: Tensor, x: Tensor) -> Tensor:
    """The same product from coordinates, where a device has no compressed rows (mps)."""
    row, column = matrix.indices()
    weighted = x.index_select(0, column) * matrix.values().unsqueeze(1)
    return x.new_zeros(matrix.shape[0], x.shape[1]).index_add_(0, row, weighted)


def _sparse(matrix: scipy.sparse.csr_array, device: torch.device) -> Tensor:
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="Sparse", category=UserWarning)
        sparse = torch.sparse_csr_tensor(
            torch.from_numpy(matrix.indptr.astype(np.int64)),
            torch.from_numpy(matrix.indices.astype(np.int64)),
            torch.from_numpy(matrix.data.astype(np.float32)),
            matrix.shape,
            check_invariants=False,
        )
        if device.type == "mps":
            return sparse.to_sparse_coo().coalesce().to(device)
        return sparse.to(device)
