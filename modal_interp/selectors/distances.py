"""Euclidean distances between the rows of a matrix, by one product of thin factors."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from scipy.linalg import qr

from modal_interp.selectors.nearest import Indices, squared_norms

Floats = NDArray[np.float64]

_ALL = slice(None)
# A squared distance below this share of the squared norms is computed from differences.
_CLOSE = 1e-6
# Fewer columns are multiplied faster than a basis is found.
_NARROW = 32
# Rows among which a basis is looked for: the fewer first. A try that leaves out too much of some
# rows is made again with these.
_FEW, _MANY, _TRIES = 128, 512, 4
# Rows that lie in a space but for this share of the longest were rounded to single precision.
_ROUNDED = 2e-7
# What the basis leaves out of two rows adds its squared lengths to the squared distance, and a
# product of the two. Where the lengths are below this share of it, the product is not looked at.
_LEFT_OUT = 1e-4
# Numbers of a block of pairs: 512 KB, which a core's cache holds.
_BLOCK = 1 << 16


class Distances:
    """Distances between points, held as a few columns each where they lie in a thin space.

    Gradients of a net by its d inputs do: they are combinations of the rows of its first layer.

    Parameters
    ----------
    points : ndarray of shape (n, d), float64
        Rows near zero, where products give distances most exactly. They are kept.
    device : str or torch.device, optional
        Where products are computed. Without it, NumPy does.
    """

    def __init__(self, points: Floats, device: Any = None) -> None:
        self.points, self.indices = points, np.arange(len(points))
        self.norms = squared_norms(points)
        self.columns, self.rest = _columns(points, self.norms)
        self.near = _CLOSE * self.norms + self.rest / _LEFT_OUT
        # One product gives squared distances: |x|^2 - 2 <x, y> + |y|^2.
        ones = np.ones(len(points))
        self.left = np.column_stack([self.columns, self.norms, ones])
        self.right = np.column_stack([-2 * self.columns, ones, self.norms])
        self.on_device: tuple[torch.Tensor, torch.Tensor] | None = None
        if device is not None:
            left, right = (torch.from_numpy(factor) for factor in (self.left, self.right))
            self.on_device = left.to(device), right.to(device)

    def squared(self, rows: Indices, points: Indices | slice = _ALL) -> Floats:
        """Return the squared distances of these rows from these points, (rows, points)."""
        squared = self._products(rows, points)
        close = np.flatnonzero(squared < np.add.outer(self.near[rows], self.near[points]))
        row, point = np.divmod(close, squared.shape[1])
        squared.ravel()[close] = self._of_pairs(rows[row], self.indices[points][point])
        return squared

    def _products(self, rows: Indices, points: Indices | slice) -> Floats:
        """Return the squared distances of these rows from these points, but for rounding."""
        if self.on_device is None:
            return self.left[rows] @ self.right[points].T
        left, right = self.on_device
        return (left[rows] @ right[points].T).cpu().numpy()

    def _of_pairs(self, rows: Indices, points: Indices) -> Floats:
        """Return the squared distance of each pair, not from a product but from differences."""
        rest = self.rest[rows] + self.rest[points]
        squared = _squared_differences(self.columns, rows, points) + rest
        # A point is no distance from itself, and of points so near all columns tell.
        far = np.flatnonzero(squared * _LEFT_OUT < rest)
        squared[far] = _squared_differences(self.points, rows[far], points[far])
        return squared


def _columns(points: Floats, norms: Floats) -> tuple[Floats, Floats]:
    """Return columns that hold nearly all of each row, and the squared length that they lack.

    They are the points themselves where no half as many columns would do.
    """
    n, d = points.shape
    some = _evenly(n, _FEW)
    for _ in range(_TRIES if min(n, d) >= _NARROW else 0):
        basis, triangle, _ = qr(points[some].T, mode="economic", pivoting=True, check_finite=False)
        diagonal = np.abs(np.diag(triangle))
        rank = max(1, int((diagonal > _ROUNDED * diagonal[0]).sum()))
        if 2 * rank > min(len(some), d):
            if len(some) >= min(n, _MANY):
                break
            some = _evenly(n, _MANY)
            continue
        # Few rows tell weak directions but roughly: all of them, once, tell them well.
        columns = points @ np.linalg.qr(points.T @ (points @ basis[:, :rank]))[0]
        rest = np.maximum(norms - squared_norms(columns), np.finfo(np.float64).eps * norms)
        if rest.max() <= _ROUNDED**2 * norms.max():
            return columns, rest
        some = np.union1d(some, np.argsort(rest)[-_FEW:])  # directions that none of them has
    return points, np.zeros(n)


def _evenly(n: int, size: int) -> Indices:
    return np.linspace(0, n - 1, min(n, size)).astype(np.intp)


def _squared_differences(columns: Floats, rows: Indices, points: Indices) -> Floats:
    """Return the squared length of the difference of each pair of rows."""
    squared, size = np.empty(len(rows)), max(1, _BLOCK // columns.shape[1])
    for start in range(0, len(rows), size):
        block = slice(start, start + size)
        squared[block] = squared_norms(columns[rows[block]] - columns[points[block]])
    return squared
