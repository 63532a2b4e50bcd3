import tracemalloc

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from modal_interp.selectors.kmeans_pp import _factors, _squared_distances, kmeans_pp
from tests import reference_selectors as reference
from tests.thoroughness import examples


@st.composite
def problems(draw, max_columns=5):
    """Factors (n, C) and (n, H), fine or coarse, with rows that recur and rows of zeros."""
    rng = np.random.default_rng(draw(st.integers(0, 2**31)))
    n, C, H = draw(st.integers(1, 15)), draw(st.integers(1, 4)), draw(st.integers(1, max_columns))
    numbers = draw(st.sampled_from(["fine", "coarse", "single", "tiny", "tiny single", "huge"]))
    scale = {"tiny": 1e-24, "tiny single": 1e-22, "huge": 1e20}.get(numbers, 1)

    def factor(width):
        if numbers == "coarse":
            return rng.integers(0, 3, (n, width)).astype(float)
        values = scale * rng.normal(size=(n, width))
        return values.astype(np.float32) if "single" in numbers else values

    A, B = factor(C), factor(H)
    for i in range(n):
        if rng.random() < 0.2:
            A[i] = 0
        if rng.random() < 0.2:
            B[i] = 0
        if rng.random() < 0.3:
            j = rng.integers(n)
            A[i], B[i] = A[j], B[j]
    return A, B, draw(st.integers(1, n)), draw(st.integers(0, 2**31))


@settings(max_examples=examples(300), deadline=None)
@given(problems())
def test_factors_draw_as_the_literal_algorithm_does_on_their_products(problem):
    A, H, k, seed = problem
    expected = reference.kmeans_pp(reference.products(A, H), k, seed)
    assert kmeans_pp((A, H), k, random_state=seed).tolist() == expected


@settings(max_examples=examples(200), deadline=None)
@given(problems())
def test_rows_draw_as_the_literal_algorithm_does(problem):
    _, Z, k, seed = problem
    chosen = kmeans_pp(Z, k, random_state=seed)
    assert chosen.dtype == np.intp
    assert chosen.tolist() == reference.kmeans_pp(Z.tolist(), k, seed)


@settings(max_examples=examples(100), deadline=None)
@given(problems(), st.integers(0, 2**31))
def test_products_side_by_side_draw_as_the_literal_algorithm_does(problem, other):
    A, H, k, seed = problem
    rng = np.random.default_rng(other)
    B, G = rng.normal(size=A.shape), rng.normal(size=H.shape)
    both = zip(reference.products(A, H), reference.products(B, G), strict=True)
    expected = reference.kmeans_pp([g + h for g, h in both], k, seed)
    assert kmeans_pp([(A, H), (B, G)], k, random_state=seed).tolist() == expected


@settings(max_examples=examples(100), deadline=None)
@given(problems())
def test_every_sample_is_drawn_once(problem):
    A, H, _, seed = problem
    chosen = kmeans_pp((A, H), len(A), random_state=seed)
    assert sorted(chosen.tolist()) == list(range(len(A)))


@settings(max_examples=examples(100), deadline=None)
@given(st.integers(0, 2**31), st.floats(-12, 12), st.floats(-16, 0))
def test_squared_distances_keep_their_bound(seed, skew, closeness):
    rng = np.random.default_rng(seed)
    a, h = rng.normal(size=3), rng.normal(size=40)
    A = a + 10**closeness * rng.normal(size=(12, 3))
    H = h + 10**closeness * rng.normal(size=(12, 40))
    # The same products from factors of other lengths; a repeated row; rows without a product.
    scale = 10 ** (skew * rng.random(12))
    A, H = A * scale[:, None], H / scale[:, None]
    A[3], H[3], A[4], H[5] = A[0], H[0], 0, 0
    G = np.einsum("nc,nh->nch", A.astype(np.longdouble), H.astype(np.longdouble)).reshape(12, -1)
    norms = (G**2).sum(axis=1)
    every = np.arange(12)
    found = _squared_distances(_factors((A, H)), norms.astype(float), every, 0)
    error = np.abs(found - ((G - G[0]) ** 2).sum(axis=1))
    assert (found >= 0).all()
    assert found[3] == 0
    assert (error <= 8 * (3 + 40 + 8) * np.finfo(float).eps * (norms + norms[0])).all()
    assert _squared_distances(_factors((A, H)), norms.astype(float), every, 4)[5] == 0


def test_chances_are_in_proportion_to_the_squared_distance():
    Z = np.array([[0.0], [1.0], [3.0]])
    pairs = np.array([kmeans_pp(Z, 2, random_state=seed) for seed in range(3000)])
    assert np.bincount(pairs[:, 0], minlength=3) == pytest.approx([1000] * 3, abs=100)
    after_first = pairs[pairs[:, 0] == 0, 1]
    assert (after_first == 2).mean() == pytest.approx(9 / 10, abs=0.03)


@pytest.mark.parametrize("scale", [1e-20, 1e-22, 1e-24])
def test_rows_that_are_tiny_beside_others_keep_their_distances(scale):
    for seed in range(50):
        Z = np.vstack([np.ones((1, 4)), scale * np.random.default_rng(seed).normal(size=(12, 4))])
        Z = Z.astype(np.float32)
        assert (
            kmeans_pp(Z, 13, random_state=seed).tolist()
            == kmeans_pp(Z.astype(np.float64), 13, random_state=seed).tolist()
        )


@pytest.mark.parametrize("scale", [1e-12, 1e10, 1e12])
def test_products_beyond_single_precision(scale):
    rng = np.random.default_rng(0)
    A, H = ((scale * rng.normal(size=(300, d))).astype(np.float32) for d in (4, 6))
    expected = kmeans_pp((A.astype(np.float64), H.astype(np.float64)), 40, random_state=5)
    assert kmeans_pp((A, H), 40, random_state=5).tolist() == expected.tolist()


def test_what_coincides_is_drawn_with_equal_chances():
    drawn = [kmeans_pp(np.ones((4, 3)), 2, random_state=seed)[1] for seed in range(2000)]
    assert np.bincount(drawn, minlength=4) == pytest.approx([500] * 4, abs=80)


def test_seeds_and_the_global_generator():
    Z = np.random.default_rng(0).normal(size=(30, 4))
    np.random.seed(0)  # noqa: NPY002
    before = np.random.get_state()[1].tolist()  # noqa: NPY002
    assert kmeans_pp(Z, 9, random_state=3).tolist() == kmeans_pp(Z, 9, random_state=3).tolist()
    one = np.random.RandomState(3)
    assert kmeans_pp(Z, 9, random_state=one).tolist() == kmeans_pp(Z, 9, random_state=3).tolist()
    assert kmeans_pp(Z, 9, random_state=one).tolist() != kmeans_pp(Z, 9, random_state=3).tolist()
    assert np.random.get_state()[1].tolist() == before  # noqa: NPY002


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("recurring", [False, True])
def test_memory(dtype, recurring):
    n, C, H = 4000, 10, 128
    rng = np.random.default_rng(0)
    A, features = rng.normal(size=(n, C)).astype(dtype), rng.normal(size=(n, H)).astype(dtype)
    if recurring:  # all differences are looked at
        A[:], features[:] = A[0], features[0]
    tracemalloc.start()
    kmeans_pp((A, features), 20, random_state=0)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 4 * features.nbytes


@pytest.mark.parametrize(
    ("Z", "k", "error", "message"),
    [
        ([1.0, 2.0], 1, ValueError, r"Z must have shape \(n, d\).*found shape \(2,\)"),
        ([[1.0], [np.nan]], 1, ValueError, "Z must hold finite numbers.*found nan"),
        ([[1.0]], 0, ValueError, "k must lie between 1 and the number of samples, 1; found 0"),
        ([[1.0]], "1", TypeError, "k must be a whole number; found '1'"),
        ((np.ones((2, 1)),), 1, ValueError, "pairs of factors; found a tuple of 1"),
        ((np.ones((2, 1)), np.ones(2)), 1, ValueError, r"each factor in Z.*found shape \(2,\)"),
        ((np.ones((2, 1)), np.ones((3, 1))), 1, ValueError, r"equally many rows; found \[2, 3\]"),
        ([(np.ones((2, 1)), np.full((2, 1), np.inf))], 1, ValueError, "found inf"),
    ],
)
def test_bad_input_is_named(Z, k, error, message):
    with pytest.raises(error, match=message):
        kmeans_pp(Z, k)
