"""The search of FasterPAM: medoids that are exchanged as soon as it lowers the loss."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from modal_interp.selectors.nearest import Indices

Floats = NDArray[np.float64]

_ALL = slice(None)
# Entries of one block of the distance matrix: 4 MB. Larger ones leave the processor's cache.
_BLOCK = 1 << 19
# A squared distance below this share of the squared norms is computed from differences.
_CLOSE = 1e-6
# Swaps that lower the loss by less than this share of the distances involved are rounding.
_TOLERANCE = 1e-10


class Swaps:
    """The medoids, with the nearest and the second-nearest of each point, up to date."""

    def __init__(
        self, points: Floats, weights: Floats, medoids: Indices, device: Any = None
    ) -> None:
        n, self.k = len(points), len(medoids)
        self.weights, self.medoids, self.indices = weights, medoids, np.arange(n)
        self.columns = np.ascontiguousarray(points.T)
        self.norms = np.einsum("nd,nd->n", points, points)
        # One product gives squared distances: |x|^2 - 2 <x, y> + |y|^2.
        self.left = np.column_stack([points, self.norms, np.ones(n)])
        self.right = np.column_stack([-2 * points, np.ones(n), self.norms])
        self.on_device: tuple[torch.Tensor, torch.Tensor] | None = None
        if device is not None:
            left, right = (torch.from_numpy(factor) for factor in (self.left, self.right))
            self.on_device = left.to(device), right.to(device)
        # It is in error by no more than this.
        epsilon = 4 * (points.shape[1] + 4) * np.finfo(np.float64).eps
        self.slack = epsilon * (self.norms + self.norms.max())
        self.nearest, self.to_nearest = np.empty(n, dtype=np.intp), np.empty(n)
        self.second, self.to_second = np.empty(n, dtype=np.intp), np.empty(n)
        for block in np.array_split(self.indices, min(n, 1 + n * self.k // _BLOCK)):
            self._find_medoids(block)

    def run(self, order: Indices, max_iter: int, verbose: int) -> tuple[int, bool]:
        """Swap while it helps; return the number of swaps, and whether no more would help."""
        blocks = np.array_split(order, min(len(order), 1 + len(order) ** 2 // _BLOCK))
        n_swaps = 0
        for i in range(max_iter):
            swapped = sum(self._try(block) for block in blocks)
            n_swaps += swapped
            if verbose:
                loss = self.weights @ self.to_nearest
                print(f"fasterpam: pass {i + 1}, {n_swaps} swaps, loss {loss:.6g}")
            if not swapped:
                return n_swaps, True
        return n_swaps, False

    def _try(self, rows: Indices) -> int:
        """Swap each of these rows in where that lowers the loss; return how many were."""
        n_swaps, tolerance = 0, _TOLERANCE * (self.weights @ self.to_second)
        changes = self._changes(rows)
        while len(rows):
            removal = self.weights * (self.to_second - self.to_nearest)  # the first sum
            totals = changes + np.bincount(self.nearest, removal, self.k)
            totals[np.isin(rows, self.medoids)] = np.inf
            i = np.argmax(totals.min(axis=1) < -tolerance)
            if totals[i].min() >= -tolerance:
                break
            # Of medoids that are equally good to replace, but for rounding, the first.
            medoid = np.argmax(totals[i] <= totals[i].min() + tolerance)
            row, rows, changes = rows[i], rows[i + 1 :], changes[i + 1 :]
            # The rows still to come see the points of this swap anew, and all others as before.
            near = self._distances(row[None])[0] < self.to_second
            touched = np.flatnonzero(near | (self.nearest == medoid) | (self.second == medoid))
            changes = changes - self._changes(rows, touched)
            self.medoids[medoid] = row
            self._find_medoids(touched)
            changes += self._changes(rows, touched)
            n_swaps += 1
        return n_swaps

    def _find_medoids(self, points: Indices) -> None:
        """Find the nearest and second-nearest medoid of these points; the first of equal ones."""
        distance, each = self._distances(points, self.medoids), np.arange(len(points))
        self.nearest[points] = first = distance.argmin(axis=1)
        self.to_nearest[points] = distance[each, first]
        distance[each, first] = np.inf
        self.second[points] = second = distance.argmin(axis=1)
        # Where there is no second one, it is as far away as no point is.
        farthest = 2 * np.sqrt(self.norms.max())
        self.to_second[points] = np.minimum(distance[each, second], farthest)

    def _changes(self, rows: Indices, points: Indices | slice = _ALL) -> Floats:
        """Return the last two sums of the change, over these points, for rows and medoids."""
        if self.k == 1:  # all points are near: without a medoid there is no other
            saved = self._distances(rows, points) - self.to_second[points]
            return saved @ self.weights[points][:, None]
        reach = self.to_second[points] ** 2 + self.slack[points]
        products = self._products(rows, points)
        hits = np.flatnonzero(products < reach)
        row, column = np.divmod(hits, len(reach))
        point, squared = self.indices[points][column], products.ravel()[hits]
        close = np.flatnonzero(squared < _CLOSE * (self.norms[rows[row]] + self.norms[point]))
        squared[close] = self._squared_differences(rows[row[close]], point[close])
        distance, weights = np.sqrt(squared), self.weights[point]
        nearest, second = self.to_nearest[point], self.to_second[point]
        own = weights * (np.clip(distance, nearest, second) - second)
        shared = weights * np.minimum(distance - nearest, 0)
        changes = np.bincount(row * self.k + self.nearest[point], own, len(rows) * self.k)
        return changes.reshape(len(rows), self.k) + np.bincount(row, shared, len(rows))[:, None]

    def _distances(self, rows: Indices, points: Indices | slice = _ALL) -> Floats:
        """Return the distances of these rows from these points, (rows, points)."""
        squared = self._products(rows, points)
        close = squared < _CLOSE * (self.norms[rows][:, None] + self.norms[points])
        row, point = np.nonzero(close)
        squared[close] = self._squared_differences(rows[row], self.indices[points][point])
        return np.sqrt(squared)

    def _products(self, rows: Indices, points: Indices | slice) -> Floats:
        """Return the squared distances of these rows from these points, but for rounding."""
        if self.on_device is None:
            return self.left[rows] @ self.right[points].T
        left, right = self.on_device
        return (left[rows] @ right[points].T).cpu().numpy()

    def _squared_differences(self, rows: Indices, points: Indices) -> Floats:
        """Return the squared distance of each pair, not from a product but exactly."""
        squared = np.zeros(len(rows))
        for column in self.columns:
            squared += (column[rows] - column[points]) ** 2
        return squared
