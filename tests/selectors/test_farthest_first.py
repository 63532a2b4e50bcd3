import tracemalloc

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from modal_interp.selectors.farthest_first import farthest_first
from tests import reference_selectors as reference
from tests.thoroughness import examples


@st.composite
def problems(draw, max_centers=8):
    """Small problems: fine and coarse ones full of ties, rows that recur, numbers of all sizes."""
    rng = np.random.default_rng(draw(st.integers(0, 2**31)))
    n, d = draw(st.integers(1, 20)), draw(st.integers(1, 12))
    numbers = draw(st.sampled_from(["fine", "coarse", "single", "far", "tiny", "mixed", "huge"]))
    scale = {"tiny": 1e-24, "mixed": 10.0 ** rng.integers(-30, 10), "huge": 1e18}.get(numbers, 1)

    def points(size):
        if numbers == "coarse":
            return rng.integers(-1, 2, size) / 10
        values = scale * rng.normal(size=size) + (1e6 if numbers == "far" else 0)
        return values.astype(np.float32) if numbers == "single" else values

    Z, centers = points((n, d)), points((draw(st.integers(0, max_centers)), d))
    Z[rng.random(n) < 0.2] = 0
    for i in range(n):
        if rng.random() < 0.2:
            Z[i] = Z[rng.integers(n)]
        if len(centers) and rng.random() < 0.2:
            Z[i] = centers[rng.integers(len(centers))]
    return Z, draw(st.integers(1, n)), centers if len(centers) else None


@settings(max_examples=examples(400), deadline=None)
@given(problems())
def test_equals_the_literal_algorithm(problem):
    Z, k, centers = problem
    chosen, distance = farthest_first(Z, k, centers=centers)
    expected, distances = reference.farthest_first(Z, k, centers)
    assert chosen.tolist() == expected
    assert distance.tolist() == distances


@settings(max_examples=examples(100), deadline=None)
@given(problems())
def test_distances_fall_and_indices_differ(problem):
    Z, _, centers = problem
    chosen, distance = farthest_first(Z, len(Z), centers=centers)
    assert sorted(chosen.tolist()) == list(range(len(Z)))
    assert (distance >= 0).all()
    assert (np.diff(distance) <= 0).all() or np.isinf(distance[0])


def test_many_centers_equal_the_literal_algorithm():
    rng = np.random.default_rng(0)
    Z = rng.integers(0, 3, (60, 5)) / 10
    centers = np.concatenate([rng.integers(0, 3, (80, 5)) / 10, np.zeros((40, 5))])
    chosen, distance = farthest_first(Z, 60, centers=centers)
    expected, distances = reference.farthest_first(Z, 60, centers)
    assert chosen.tolist() == expected
    assert distance.tolist() == distances


def test_hand_worked_values():
    Z = np.array([[0.0], [4.0], [10.0], [6.0]])
    # Covered at 0: 10 is farthest; then 4 is 4 from both 0 and 6 from 10, 6 is 4 from 10.
    chosen, distance = farthest_first(Z, 4, centers=[[0.0]])
    assert chosen.tolist() == [2, 1, 3, 0]
    assert distance.tolist() == [10.0, 4.0, 2.0, 0.0]
    # Nothing covered: the median is 5, and 4 stands before 6; then 10 is 6 away, 0 four.
    chosen, distance = farthest_first(Z, 4)
    assert chosen.tolist() == [1, 2, 0, 3]
    assert distance.tolist() == [np.inf, 6.0, 4.0, 2.0]


def test_coinciding_points_are_at_distance_zero_and_chosen_once():
    Z = np.full((30, 7), 0.1, dtype=np.float32)
    chosen, distance = farthest_first(Z, 30, centers=Z)
    assert chosen.tolist() == list(range(30))
    assert (distance == 0).all()


@pytest.mark.parametrize("start_alone", [True, False])
def test_choices_follow_the_samples(start_alone):
    rng = np.random.default_rng(1)
    Z, order = rng.normal(size=(50, 4)), rng.permutation(50)
    centers = None if start_alone else rng.normal(size=(5, 4))
    chosen, _ = farthest_first(Z, 20, centers=centers)
    shuffled, _ = farthest_first(Z[order], 20, centers=centers)
    assert order[shuffled].tolist() == chosen.tolist()


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("n_centers", [0, 500, 4000])
def test_memory(dtype, n_centers):
    n, d = 4000, 64
    rng = np.random.default_rng(0)
    Z = rng.normal(size=(n, d)).astype(dtype)
    centers = rng.normal(size=(n_centers, d)).astype(dtype) if n_centers else None
    tracemalloc.start()
    farthest_first(Z, 20, centers=centers)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 4 * Z.nbytes


@pytest.mark.parametrize(
    ("Z", "k", "centers", "error", "message"),
    [
        ([1.0, 2.0], 1, None, ValueError, r"Z must have shape \(n, d\).*found shape \(2,\)"),
        (np.zeros((0, 2)), 1, None, ValueError, r"found shape \(0, 2\)"),
        (np.zeros((2, 0)), 1, None, ValueError, r"found shape \(2, 0\)"),
        ([["a"]], 1, None, ValueError, "Z must hold real numbers; found dtype <U1"),
        ([[1.0], [np.nan]], 1, None, ValueError, "Z must hold finite numbers.*found nan"),
        ([[1.0], [np.inf]], 1, None, ValueError, "found inf"),
        ([[1e80]], 1, None, ValueError, r"at most 1e\+70 in magnitude; found 1e\+80"),
        ([[1.0]], 2, None, ValueError, "number of samples, 1; found 2"),
        ([[1.0]], 1.0, None, TypeError, "k must be a whole number"),
        ([[1.0]], 1, [[1.0, 2.0]], ValueError, "as many columns as Z, 1; found shape"),
        ([[1.0]], 1, [[-np.inf]], ValueError, "centers must hold finite.*found -inf"),
    ],
)
def test_bad_input_is_named(Z, k, centers, error, message):
    with pytest.raises(error, match=message):
        farthest_first(Z, k, centers=centers)
