import sys
import time
import tracemalloc
import types
import warnings

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from modal_interp.selectors import fasterpam
from modal_interp.selectors.farthest_first import farthest_first
from modal_interp.selectors.k_medoids import k_medoids
from tests import reference_selectors as reference
from tests.thoroughness import examples

try:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # it compares versions by distutils
        from sklearn_extra.cluster import KMedoids as ExtraKMedoids
except (ImportError, ValueError):
    ExtraKMedoids = None
needs_extra = pytest.mark.skipif(
    ExtraKMedoids is None, reason="scikit-learn-extra, built for numpy 1, does not import here"
)


@st.composite
def problems(draw, numbers=("fine", "line", "coarse")):
    """Rows in general position, whole numbers on a line, or a grid full of ties; rows recur."""
    rng = np.random.default_rng(draw(st.integers(0, 2**31)))
    n, d, numbers = (
        draw(st.integers(1, 13)),
        draw(st.integers(1, 5)),
        draw(st.sampled_from(numbers)),
    )
    if numbers == "fine":
        Z = rng.normal(size=(n, d)) + 10
    else:
        Z = rng.integers(-3, 4, (n, 1 if numbers == "line" else d)).astype(float)
    Z[rng.random(n) < 0.2] = 0
    for i in range(n):
        if rng.random() < 0.2:
            Z[i] = Z[rng.integers(n)]
    k = draw(st.integers(1, n))
    return Z, k, rng.choice(n, k, replace=False), draw(st.integers(0, 2**31))


def points_of(Z, indices):
    return sorted({tuple(Z[i]) for i in indices})


@settings(max_examples=examples(200), deadline=None)
@given(problems(numbers=("fine", "line")))
def test_fasterpam_swaps_as_the_literal_algorithm_does(problem):
    Z, k, start, seed = problem
    found = k_medoids(Z, k, init=start, random_state=seed)
    medoids, n_swaps = reference.fasterpam(Z, start, seed)
    assert points_of(Z, found.medoids) == sorted(medoids)
    assert found.n_swaps == n_swaps
    assert found.converged


@settings(max_examples=examples(100), deadline=None)
@given(problems(), st.sampled_from([1, 60, 1 << 19]))
def test_no_single_swap_improves_what_is_found(problem, block):
    Z, k, _, seed = problem
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(fasterpam, "_BLOCK", block)  # however many samples are looked at at once
        found = k_medoids(Z, k, random_state=seed)
    medoids = [tuple(Z[i]) for i in found.medoids]
    assert found.inertia == pytest.approx(reference.loss(Z, medoids))
    for point in {tuple(z) for z in Z}:
        assert reference.best_swap(Z, medoids, point)[0] >= found.inertia - 1e-9


@settings(max_examples=examples(200), deadline=None)
@given(problems(), st.sampled_from(["fasterpam", "kcenter"]))
def test_clusters_belong_to_k_distinct_medoids(problem, clustering):
    Z, k, _, seed = problem
    found = k_medoids(Z, k, clustering=clustering, random_state=seed)
    assert found.medoids.dtype == found.labels.dtype == np.intp
    assert len(set(found.medoids.tolist())) == k
    owners, loss = reference.clusters(Z, found.medoids.tolist())
    assert found.medoids[found.labels].tolist() == owners
    assert found.inertia == pytest.approx(loss)
    sizes = np.bincount(found.labels, minlength=k)
    assert list(zip(-sizes, found.medoids, strict=True)) == sorted(
        zip(-sizes, found.medoids, strict=True)
    )


@settings(max_examples=examples(100), deadline=None)
@given(problems())
def test_medoids_are_the_lowest_of_equal_rows(problem):
    Z, k, _, seed = problem
    medoids = set(k_medoids(Z, k, random_state=seed).medoids.tolist())
    lowest = {min(np.flatnonzero((z == Z).all(axis=1))) for z in Z}
    others = sorted(set(range(len(Z))) - lowest)
    if k <= len(lowest):
        assert medoids <= lowest
    else:
        assert medoids == lowest | set(others[: k - len(lowest)])


def test_hand_worked_values():
    Z = np.array([[9.0], [0.0], [1.0], [2.0], [8.0], [0.5], [30.0]])
    found = k_medoids(Z, 3, random_state=0)
    assert found.medoids.tolist() in ([2, 0, 6], [5, 0, 6], [2, 4, 6], [5, 4, 6])
    assert found.inertia == 3.5
    assert found.labels.tolist() == [1, 0, 0, 0, 1, 0, 2]
    # From 0, 1 and 2 it takes two swaps at least to reach the other two groups.
    far = k_medoids(Z, 3, init=[1, 2, 3], random_state=0)
    assert far.inertia == 3.5
    assert far.n_swaps >= 2


def test_many_rows_of_zeros():
    Z = np.zeros((500, 24), dtype=np.float32)
    Z[::50] = np.random.default_rng(0).normal(size=(10, 24))
    found = k_medoids(Z, 40, random_state=0)
    assert set(range(0, 500, 50)) | {1} <= set(found.medoids.tolist())
    assert len(set(found.medoids.tolist())) == 40
    assert found.inertia == 0


def test_distances_far_from_zero_keep_their_digits():
    """Groups whose spread is a millionth of their distance from each other."""
    rng = np.random.default_rng(0)
    Z = np.repeat([[1e3, -1e3], [1e3, 1e3], [-2e3, 0.0]], 40, axis=0)
    Z += 1e-3 * rng.normal(size=Z.shape)
    for k in (3, 6, 20):
        found = k_medoids(Z, k, random_state=0)
        medoids = Z[found.medoids]
        exact = np.sqrt(((Z[:, None] - medoids) ** 2).sum(axis=2)).min(axis=1).sum()
        assert found.inertia == pytest.approx(exact, rel=1e-9)
        for point in Z[::7]:
            for j in range(k):
                swapped = np.concatenate([medoids[:j], medoids[j + 1 :], [point]])
                distance = np.sqrt(((Z[:, None] - swapped) ** 2).sum(axis=2)).min(axis=1)
                assert distance.sum() >= exact * (1 - 1e-6)


def test_medoids_follow_the_samples():
    rng = np.random.default_rng(0)
    Z, order = rng.normal(size=(200, 6)), rng.permutation(200)
    for k in (1, 7, 40):
        start = rng.choice(200, k, replace=False)
        found = k_medoids(Z, k, init=start, random_state=0)
        place = np.argsort(order)
        shuffled = k_medoids(Z[order], k, init=place[start], random_state=0)
        assert sorted(order[shuffled.medoids]) == sorted(found.medoids)
        assert shuffled.inertia == pytest.approx(found.inertia)


def test_seeds_and_the_global_generator():
    Z = np.random.default_rng(0).normal(size=(150, 5))
    before = np.random.get_state()[1].tolist()  # noqa: NPY002
    first, again = (k_medoids(Z, 9, random_state=7) for _ in range(2))
    assert first.medoids.tolist() == again.medoids.tolist()
    assert first.labels.tolist() == again.labels.tolist()
    assert first[2:] == again[2:]
    assert np.random.get_state()[1].tolist() == before  # noqa: NPY002


def test_stops_after_max_iter_passes_and_says_so(capsys, monkeypatch):
    monkeypatch.setattr(fasterpam, "_BLOCK", 1)
    Z = np.random.default_rng(0).normal(size=(150, 5))
    short = k_medoids(Z, 15, random_state=0, max_iter=1, verbose=1)
    assert not short.converged
    assert capsys.readouterr().out.startswith("fasterpam: pass 1, ")
    long = k_medoids(Z, 15, random_state=0)
    assert long.converged
    assert long.inertia <= short.inertia
    assert capsys.readouterr().out == ""


def test_kcenter_chooses_farthest_first():
    Z = np.random.default_rng(0).normal(size=(60, 3))
    found = k_medoids(Z, 8, clustering="kcenter")
    assert set(found.medoids) == set(farthest_first(Z, 8)[0])
    assert found.n_swaps == 0


def random_problem(seed):
    rng = np.random.default_rng(seed)
    n, d, k = int(rng.integers(200, 400)), int(rng.integers(2, 25)), int(rng.integers(5, 30))
    Z = rng.normal(size=(n, d))
    if seed % 2:
        Z += 4 * rng.normal(size=(k, d))[rng.integers(k, size=n)]
    return Z, rng.choice(n, k, replace=False)


@needs_extra
@pytest.mark.parametrize("seed", range(20))
def test_loss_beside_scikit_learn_extra(seed):
    Z, start = random_problem(seed)
    found = k_medoids(Z, len(start), init=start, random_state=0)
    pam = ExtraKMedoids(len(start), method="pam", init=Z[start], max_iter=10_000).fit(Z)
    assert found.inertia <= 1.01 * pam.inertia_
    alternate = ExtraKMedoids(len(start), method="alternate", init=Z[start]).fit(Z)
    assert found.inertia <= alternate.inertia_
    ours = k_medoids(Z, len(start), clustering="alternate", init=start)
    assert sorted(ours.medoids) == sorted(alternate.medoid_indices_)
    assert ours.inertia == pytest.approx(alternate.inertia_)


@needs_extra
@settings(max_examples=examples(100), deadline=None)
@given(problems())
def test_alternate_finds_distinct_medoids(problem):
    Z, k, _, seed = problem
    found = k_medoids(Z, k, clustering="alternate", random_state=seed)
    assert len(set(found.medoids.tolist())) == k
    owners, loss = reference.clusters(Z, found.medoids.tolist())
    assert found.medoids[found.labels].tolist() == owners
    assert found.inertia == pytest.approx(loss)


@needs_extra
def test_alternate_says_whether_it_converged():
    Z = np.random.default_rng(0).normal(size=(300, 5))
    assert k_medoids(Z, 9, clustering="alternate", random_state=0).converged
    assert not k_medoids(Z, 9, clustering="alternate", random_state=0, max_iter=1).converged


@pytest.mark.parametrize("why", [ImportError, ValueError])
def test_alternate_without_scikit_learn_extra_names_the_install_line(monkeypatch, why):
    class Broken(types.ModuleType):
        def __getattr__(self, name):
            raise why("numpy.dtype size changed")

    monkeypatch.setitem(sys.modules, "sklearn_extra", types.ModuleType("sklearn_extra"))
    monkeypatch.setitem(sys.modules, "sklearn_extra.cluster", Broken("sklearn_extra.cluster"))
    with pytest.raises(
        ImportError, match=r"pip install 'modal-interp\[sklearn-extra\]' \(numpy.dtype size"
    ):
        k_medoids(np.eye(4), 2, clustering="alternate")


@pytest.mark.parametrize("k", [1, 30, 400])
def test_memory_stays_far_below_a_distance_matrix(k):
    Z = np.random.default_rng(0).normal(size=(4000, 24))
    tracemalloc.start()
    k_medoids(Z, k, random_state=0, max_iter=1)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 4000 * 4000 * 8 / 2


@pytest.mark.slow
def test_a_large_pool():
    Z = np.random.default_rng(0).normal(size=(27_000, 24))
    tracemalloc.start()
    start = time.perf_counter()
    found = k_medoids(Z, 540, random_state=0)
    seconds, peak = time.perf_counter() - start, tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    print(f"{seconds:.0f} s, {peak / 1e6:.0f} MB, {found.n_swaps} swaps, loss {found.inertia:.0f}")
    assert found.converged
    assert peak < 1e9


@pytest.mark.parametrize(
    ("Z", "k", "options", "error", "message"),
    [
        ([1.0, 2.0], 1, {}, ValueError, r"Z must have shape \(n, d\).*found shape \(2,\)"),
        ([[1.0], [np.nan]], 1, {}, ValueError, "Z must hold finite numbers.*found nan"),
        (np.eye(3), 0, {}, ValueError, "number of samples, 3; found 0"),
        (np.eye(3), 4, {}, ValueError, "number of samples, 3; found 4"),
        (np.eye(3), 1.5, {}, TypeError, "k must be a whole number; found 1.5"),
        (np.eye(3), 2, {"clustering": "pam"}, ValueError, "clustering must be.*found 'pam'"),
        (np.eye(3), 2, {"max_iter": 0}, ValueError, "max_iter must be.*found 0"),
        (np.eye(3), 2, {"max_iter": 1.0}, ValueError, "max_iter must be.*found 1.0"),
        (np.eye(3), 2, {"init": "build"}, ValueError, "init must be 'k-means.*found 'build'"),
        (np.eye(3), 2, {"init": [0]}, ValueError, r"2 distinct whole numbers.*found \[0\]"),
        (np.eye(3), 2, {"init": [1, 1]}, ValueError, r"found \[1, 1\]"),
        (np.eye(3), 2, {"init": [0, 3]}, ValueError, r"from 0 to 2; found \[0, 3\]"),
        (np.eye(3), 2, {"init": [0.0, 1.0]}, ValueError, r"found \[0.0, 1.0\]"),
    ],
)
def test_bad_input_is_named(Z, k, options, error, message):
    with pytest.raises(error, match=message):
        k_medoids(Z, k, **options)


@settings(max_examples=examples(60), deadline=None)
@given(problems())
def test_torch_multiplies_as_numpy_does(problem):
    Z, k, start, seed = problem
    by_numpy, by_torch = (
        k_medoids(Z, k, init=start, random_state=seed, device=device) for device in (None, "cpu")
    )
    assert by_numpy.medoids.tolist() == by_torch.medoids.tolist()
    assert by_numpy.n_swaps == by_torch.n_swaps


@pytest.mark.gpu
def test_the_medoids_of_a_gpu_are_those_of_the_cpu():
    Z = np.random.default_rng(0).normal(size=(3000, 24))
    by_numpy, by_gpu = (
        k_medoids(Z, 60, random_state=0, device=device) for device in (None, "cuda")
    )
    assert by_numpy.medoids.tolist() == by_gpu.medoids.tolist()
