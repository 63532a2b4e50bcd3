import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from modal_interp.selectors import distances
from modal_interp.selectors.distances import Distances
from modal_interp.selectors.k_medoids import k_medoids
from tests import reference_selectors as reference
from tests.thoroughness import examples


def thin(n=300, d=96, rank=5, *, seed=0, dtype=np.float32):
    """Rows in a thin space but for rounding, of lengths from 1e-3 to 1; some are nearly equal."""
    rng = np.random.default_rng(seed)
    Z = rng.normal(size=(n, rank)) @ rng.normal(size=(rank, d)) * 10 ** rng.uniform(-3, 0, (n, 1))
    for i in range(0, n, 7):
        Z[i] = Z[(3 * i + 1) % n] * (1 + 10 ** rng.uniform(-8, -2))
    return Z.astype(dtype).astype(np.float64)


def exact(Z, rows, points):
    return np.sqrt(((Z[rows][:, None] - Z[points]) ** 2).sum(axis=2))


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("rank", [1, 5, 40])
def test_thin_columns_keep_distances(rank, dtype):
    Z = thin(rank=rank, dtype=dtype)
    Z[40], Z[41], Z[50] = Z[0], Z[1], 0
    held, every = Distances(Z), np.arange(len(Z))
    assert held.columns.shape[1] <= rank + 1
    found, expected = np.sqrt(held.squared(every)), exact(Z, every, every)
    assert (found[expected == 0] == 0).all()
    longest = np.sqrt(held.norms.max())
    np.testing.assert_allclose(found, expected, rtol=1e-4, atol=1e-11 * longest)
    # As much as the sums of the search are compared by.
    assert abs(found.sum() - expected.sum()) < 1e-12 * expected.sum()
    some = np.array([3, 40, 0])
    np.testing.assert_allclose(np.sqrt(held.squared(every, some)), found[:, some], rtol=1e-6)


@pytest.mark.parametrize("d", [8, 96])
def test_rows_of_every_direction_are_held_as_they_are(d):
    Z = np.random.default_rng(0).normal(size=(300, d))
    held = Distances(Z)
    assert held.columns is Z
    every = np.arange(300)
    np.testing.assert_allclose(np.sqrt(held.squared(every)), exact(Z, every, every), atol=1e-12)


@pytest.mark.parametrize("length", [1e-4, 1.0])
def test_a_direction_that_one_row_alone_has_is_not_lost(length, monkeypatch):
    monkeypatch.setattr(distances, "_FEW", 40)
    Z = thin()
    Z[1] += length * np.random.default_rng(1).normal(size=Z.shape[1])
    assert 1 not in np.linspace(0, 299, 40).astype(int)
    held, every = Distances(Z), np.arange(len(Z))
    assert held.columns.shape[1] == 6
    np.testing.assert_allclose(np.sqrt(held.squared(every)), exact(Z, every, every), 1e-4)


def test_zeros_and_rows_of_one_direction():
    zeros = np.zeros((50, 40))
    assert (Distances(zeros).squared(np.arange(50)) == 0).all()
    line, every = np.outer(np.arange(50.0), np.ones(40)), np.arange(50)
    found, lengths = Distances(line).squared(every), (line**2).sum(axis=1)
    # Of products, which round by the lengths that they are made of.
    rounding = 8 * np.finfo(float).eps * np.add.outer(lengths, lengths)
    assert (np.abs(found - exact(line, every, every) ** 2) <= rounding).all()


@settings(max_examples=examples(60), deadline=None)
@given(st.integers(0, 2**31), st.integers(4, 13), st.integers(1, 3))
def test_fasterpam_swaps_among_thin_rows_as_the_literal_algorithm_does(seed, n, rank):
    rng = np.random.default_rng(seed)
    Z = rng.normal(size=(n, rank)) @ rng.normal(size=(rank, 12))
    Z[rng.integers(n)] = Z[rng.integers(n)]
    k = int(rng.integers(1, n))
    start = rng.choice(n, k, replace=False)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(distances, "_NARROW", 2)
        found = k_medoids(Z, k, init=start, random_state=seed)
    medoids, n_swaps = reference.fasterpam(Z, start, seed)
    assert sorted({tuple(Z[i]) for i in found.medoids}) == sorted(medoids)
    assert found.n_swaps == n_swaps


@pytest.mark.parametrize("device", [None, "cpu"])
@pytest.mark.parametrize("seed", range(4))
def test_medoids_are_the_same_by_thin_columns(seed, device, monkeypatch):
    Z = thin(400, 384, 17, seed=seed)
    Z[::9] = Z[4]
    thinly = k_medoids(Z, 30, random_state=seed, device=device)
    monkeypatch.setattr(distances, "_NARROW", 10**6)
    wholly = k_medoids(Z, 30, random_state=seed)
    assert thinly.medoids.tolist() == wholly.medoids.tolist()
    assert thinly.n_swaps == wholly.n_swaps
    assert thinly.inertia == wholly.inertia
