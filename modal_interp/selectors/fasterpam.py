"""The search of FasterPAM: medoids that are exchanged as soon as it lowers the loss."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from modal_interp.selectors.distances import Distances
from modal_interp.selectors.nearest import Indices

Floats = NDArray[np.float64]

_ALL = slice(None)
# Entries of one block of the distance matrix: 4 MB. Larger ones leave the processor's cache.
_BLOCK = 1 << 19
# Swaps that lower the loss by less than this share of the distances involved are rounding.
_TOLERANCE = 1e-10


class Swaps:
    """The medoids, with the nearest and the second-nearest of each point, up to date."""

    def __init__(self, distances: Distances, weights: Floats, medoids: Indices) -> None:
        n, self.k = len(weights), len(medoids)
        self.distances, self.weights, self.medoids = distances, weights, medoids
        self.is_medoid = np.zeros(n, dtype=bool)
        self.is_medoid[medoids] = True
        self.nearest, self.to_nearest = np.empty(n, dtype=np.intp), np.empty(n)
        self.second, self.to_second = np.empty(n, dtype=np.intp), np.empty(n)
        for block in np.array_split(np.arange(n), min(n, 1 + n * self.k // _BLOCK)):
            self._find_medoids(block)

    def run(self, order: Indices, max_iter: int, verbose: int) -> tuple[int, bool]:
        """Swap while it helps; return the number of swaps, and whether no more would help."""
        blocks = np.array_split(order, min(len(order), 1 + len(order) ** 2 // _BLOCK))
        n_swaps, n_since = 0, 0
        for i in range(max_iter):
            for block in blocks:
                swapped, behind = self._try(block)
                n_swaps, n_since = n_swaps + swapped, behind + (0 if swapped else n_since)
                if n_since >= len(order):  # all were looked at since the last swap
                    break
            if verbose:
                loss = self.weights @ self.to_nearest
                print(f"fasterpam: pass {i + 1}, {n_swaps} swaps, loss {loss:.6g}")
            if n_since >= len(order):
                return n_swaps, True
        return n_swaps, False

    def _try(self, rows: Indices) -> tuple[int, int]:
        """Swap each of these rows in where that lowers the loss.

        Returns how many were, and how many of the rows come behind the last of them.
        """
        n_swaps, tolerance = 0, _TOLERANCE * (self.weights @ self.to_second)
        squared = self.distances.squared(rows)
        changes = self._changes(squared)
        while len(rows):
            removal = self.weights * (self.to_second - self.to_nearest)  # the first sum
            totals = changes + np.bincount(self.nearest, removal, self.k)
            totals[self.is_medoid[rows]] = np.inf
            lowest = totals.min(axis=1)
            i = np.argmax(lowest < -tolerance)
            if lowest[i] >= -tolerance:
                break
            # Of medoids that are equally good to replace, but for rounding, the first.
            medoid = int(np.argmax(totals[i] <= lowest[i] + tolerance))
            row, distance = rows[i], np.sqrt(squared[i])
            rows, squared, changes = rows[i + 1 :], squared[i + 1 :], changes[i + 1 :]
            # The rows still to come see the points of this swap anew, and all others as before.
            near = distance < self.to_second
            touched = np.flatnonzero(near | (self.nearest == medoid) | (self.second == medoid))
            seen = squared[:, touched]
            changes = changes - self._changes(seen, touched)
            self._swap(medoid, row, touched, distance[touched])
            changes += self._changes(seen, touched)
            n_swaps += 1
        return n_swaps, len(rows)

    def _swap(self, medoid: int, row: int, touched: Indices, distance: Floats) -> None:
        """Put this row, so far from the points that it touches, in the place of a medoid."""
        self.is_medoid[[self.medoids[medoid], row]] = False, True
        self.medoids[medoid] = row
        lost = (self.nearest[touched] == medoid) | (self.second[touched] == medoid)
        self._find_medoids(touched[lost])
        points, distance = touched[~lost], distance[~lost]
        first = distance < self.to_nearest[points]
        moved, second = points[first], points[~first]
        self.second[moved], self.to_second[moved] = self.nearest[moved], self.to_nearest[moved]
        self.nearest[moved], self.to_nearest[moved] = medoid, distance[first]
        self.second[second], self.to_second[second] = medoid, distance[~first]

    def _find_medoids(self, points: Indices) -> None:
        """Find the nearest and second-nearest medoid of these points; the first of equal ones."""
        distance = np.sqrt(self.distances.squared(points, self.medoids))
        each = np.arange(len(points))
        self.nearest[points] = first = distance.argmin(axis=1)
        self.to_nearest[points] = distance[each, first]
        distance[each, first] = np.inf
        self.second[points] = second = distance.argmin(axis=1)
        # Where there is no second one, it is as far away as no point is.
        farthest = 2 * np.sqrt(self.distances.norms.max())
        self.to_second[points] = np.minimum(distance[each, second], farthest)

    def _changes(self, squared: Floats, points: Indices | slice = _ALL) -> Floats:
        """Return the last two sums of the change, over these points, for rows and medoids."""
        to_nearest, to_second = self.to_nearest[points], self.to_second[points]
        weights = self.weights[points]
        if self.k == 1:  # all points are near: without a medoid there is no other
            return (np.sqrt(squared) - to_second) @ weights[:, None]
        near = squared < to_second**2
        hits, n_rows, n_points = np.flatnonzero(near), *squared.shape
        row = np.repeat(np.arange(n_rows), np.count_nonzero(near, axis=1))
        point = hits - row * n_points
        distance, nearest = np.sqrt(squared.ravel()[hits]), to_nearest[point]
        weights = weights[point]
        own = weights * (np.maximum(distance, nearest) - to_second[point])
        shared = weights * np.minimum(distance - nearest, 0)
        cell = row * self.k + self.nearest[points][point]
        changes = np.bincount(cell, own, n_rows * self.k).reshape(n_rows, self.k)
        return changes + np.bincount(row, shared, n_rows)[:, None]
