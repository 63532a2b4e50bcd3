import importlib
import math
import tracemalloc

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.special import entr, softmax

from modal_interp.selectors import joint_information
from modal_interp.selectors.configurations import drawn, extended, gains, no_labels
from tests import reference_selectors as reference
from tests.thoroughness import examples

# The function of the same name hides the module.
module = importlib.import_module("modal_interp.selectors.joint_information")


def probabilities(rng, n, K, C, kind="fine"):
    """P(y_i = c | w_k), (n, K, C): of any kind, or with ties, zeros and ones."""
    if kind == "coarse":
        return rng.multinomial(4, np.full(C, 1 / C), (n, K)) / 4
    if kind == "certain":
        return np.eye(C)[rng.integers(0, C, (n, K))]
    spread = {"fine": 1.0, "sharp": 8.0}[kind]
    return softmax(rng.normal(size=(n, 1, C)) + spread * rng.normal(size=(n, K, C)), axis=2)


@st.composite
def problems(draw, classes=(2, 3, 7)):
    """Probabilities (n, K, C), with samples that recur and samples that tell nothing."""
    rng = np.random.default_rng(draw(st.integers(0, 2**31)))
    C = draw(st.sampled_from(classes))
    K, n = draw(st.integers(1, 4)), draw(st.integers(1, {2: 6, 3: 5, 7: 4}[C]))
    P = probabilities(rng, n, K, C, draw(st.sampled_from(["fine", "sharp", "coarse", "certain"])))
    for i in range(n):
        if rng.random() < 0.3:
            P[i] = P[rng.integers(n)]
        if rng.random() < 0.2:
            P[i] = P[i, 0]
    if draw(st.booleans()):
        P = P.astype(np.float32)
    return P, draw(st.integers(1, n if C == 2 else min(n, 3)))


def bald(P):
    return entr(P.mean(axis=1)).sum(axis=1) - entr(P).sum(axis=2).mean(axis=1)


@settings(max_examples=examples(120), deadline=None)
@given(problems())
def test_chooses_as_the_literal_algorithm_does(problem):
    P, k = problem
    expected, values = reference.joint_information([P.tolist()], k)
    chosen, information = joint_information(P, k)
    assert (chosen.dtype, information.dtype) == (np.intp, np.float64)
    assert chosen.tolist() == expected
    assert information == pytest.approx(values, abs=1e-9)


@settings(max_examples=examples(40), deadline=None)
@given(problems(classes=[2]), st.integers(1, 3), st.integers(0, 2**31))
def test_several_labels_as_the_literal_algorithm_does(problem, n_labels, seed):
    P, k = problem
    rng = np.random.default_rng(seed)
    p = np.stack([P[rng.permutation(len(P)), :, 1] for _ in range(n_labels)], axis=2)
    p = p.astype(np.float64).clip(0, 1)
    labels = [np.stack([1 - p[..., a], p[..., a]], axis=2).tolist() for a in range(n_labels)]
    expected, values = reference.joint_information(labels, k)
    chosen, information = joint_information(p, k, multilabel=True)
    assert chosen.tolist() == expected
    assert information == pytest.approx(values, abs=1e-9)


def test_hand_worked_values():
    # 0 and 2 are told apart by the first label, 1 splits the posterior samples the other way.
    P = np.eye(2)[[[0, 0, 1, 1], [0, 1, 0, 1], [1, 1, 0, 0]]]
    chosen, information = joint_information(P, 3)
    assert chosen.tolist() == [0, 1, 2]
    assert information == pytest.approx([math.log(2), math.log(4), math.log(4)])


@pytest.mark.parametrize("C", [2, 3, 7])
def test_the_first_is_the_best_by_bald(C):
    P = probabilities(np.random.default_rng(C), 200, 10, C)
    chosen, information = joint_information(P, 1)
    assert chosen[0] == bald(P).argmax()
    assert information[0] == pytest.approx(bald(P).max(), abs=1e-12)


def test_the_first_is_the_best_by_bald_summed_over_labels():
    p = np.random.default_rng(0).random((200, 10, 3))
    summed = sum(bald(np.stack([1 - p[..., a], p[..., a]], axis=2)) for a in range(3))
    chosen, information = joint_information(p, 1, multilabel=True)
    assert chosen[0] == summed.argmax()
    assert information[0] == pytest.approx(summed.max(), abs=1e-12)


@pytest.mark.parametrize(("C", "k"), [(2, 13), (3, 8), (4, 7), (7, 5)])
@pytest.mark.parametrize("seed", range(5))
def test_drawn_configurations_come_close(C, k, seed):
    P = probabilities(np.random.default_rng(seed), k + 1, 5, C, "fine")
    chosen, information = joint_information(P, k, max_configurations=1, random_state=seed)
    assert not np.allclose(information, joint_information(P, k)[1], 0, 1e-12)  # it did draw
    exact = reference.mutual_information(P.tolist(), chosen.tolist())
    assert information[-1] == pytest.approx(exact, abs=0.05)


@pytest.mark.parametrize("C", [2, 6])
def test_drawing_stays_close_in_long_batches(C):
    P = probabilities(np.random.default_rng(C), 40, 10, C)
    many = {"max_configurations": 1 << 16, "n_samples": 1 << 13}
    information = joint_information(P, 40, random_state=0)[1]
    assert information == pytest.approx(joint_information(P, 40, **many)[1], abs=0.05)


def test_drawing_keeps_expectations():
    rng = np.random.default_rng(0)
    P = probabilities(rng, 8, 4, 3).transpose(0, 2, 1)
    table = no_labels(4)
    for outcome in P[:5]:
        table = extended(table, outcome)
    left, noise = P[5:].transpose(1, 0, 2), entr(P[5:]).sum(axis=1)
    found = []
    for seed in range(1500):
        thinned = drawn(table, 20, np.random.RandomState(seed))
        assert len(thinned.mass) <= 20
        assert thinned.mass.sum() == pytest.approx(1)
        found.append(gains(thinned, left, noise))
    error = np.std(found, axis=0) / math.sqrt(len(found))
    assert (np.abs(np.mean(found, axis=0) - gains(table, left, noise)) < 5 * error).all()


def scoring_all(P, k, max_configurations, n_samples, seed):
    """The same greedy without bounds: every sample scored in every step."""
    P, rng = P.transpose(0, 2, 1), np.random.RandomState(seed)
    table, chosen = no_labels(P.shape[2]), []
    for _ in range(k):
        scores = gains(table, P.transpose(1, 0, 2), entr(P).sum(axis=1))
        scores[chosen] = -np.inf
        chosen.append(int((scores >= scores.max() - 1e-10).argmax()))
        table = extended(table, P[chosen[-1]])
        if len(table.mass) * P.shape[1] > max_configurations and len(table.mass) > n_samples:
            table = drawn(table, n_samples, rng)
    return chosen


@pytest.mark.parametrize("kind", ["fine", "sharp", "coarse", "certain"])
@pytest.mark.parametrize("limits", [(1 << 12, 1), (200, 30), (1, 50)])
@pytest.mark.parametrize("C", [2, 3])
def test_bounds_change_no_choice(kind, limits, C):
    for seed in range(5):
        P = probabilities(np.random.default_rng(seed), 60, 6, C, kind)
        P[40:] = P[:20]
        P /= P.sum(axis=2, keepdims=True)
        one = {"max_configurations": limits[0], "n_samples": limits[1], "random_state": seed}
        chosen, _ = joint_information(P, 12, **one)
        assert chosen.tolist() == scoring_all(P, 12, *limits, seed)


@pytest.mark.parametrize("multilabel", [False, True])
@pytest.mark.parametrize("limits", [(1 << 15, 1 << 11), (64, 16)])
@pytest.mark.parametrize("kind", ["sharp", "coarse", "certain"])
def test_information_never_falls_and_is_at_most_log_k(multilabel, limits, kind):
    P = probabilities(np.random.default_rng(0), 150, 6, 2, kind)
    P[:20, :, 0], P[:20, :, 1] = 1.0, 1e-300
    P[20:30, ::2] = [5e-324, 1.0]
    most = math.log(6) * (2 if multilabel else 1)
    chosen, information = joint_information(
        P, 150, multilabel=multilabel, max_configurations=limits[0], n_samples=limits[1]
    )
    assert sorted(chosen.tolist()) == list(range(150))
    assert (np.diff(information) >= 0).all()
    assert 0.9 * most <= information[-1] <= most


@pytest.mark.parametrize("K", [1, 5])
def test_what_tells_nothing_comes_in_order(K):
    P = np.repeat(probabilities(np.random.default_rng(0), 30, 1, 3), K, axis=1)
    chosen, information = joint_information(P, 30)
    assert chosen.tolist() == list(range(30))
    assert information == pytest.approx(np.zeros(30), abs=1e-8)


def test_samples_that_are_alike_come_in_order():
    P = np.tile(probabilities(np.random.default_rng(1), 1, 5, 2), (3000, 1, 1))
    P[::2] = P[::2, :, ::-1]  # the classes change places: the same information
    chosen, _ = joint_information(P, 40, random_state=0)
    assert chosen.tolist() == list(range(40))


@pytest.mark.parametrize("limits", [(1 << 15, 1 << 11), (128, 64)])
def test_blocks_are_irrelevant(monkeypatch, limits):
    P = probabilities(np.random.default_rng(0), 90, 7, 3)
    one = {"max_configurations": limits[0], "n_samples": limits[1], "random_state": 0}
    expected, values = joint_information(P, 9, **one)
    for block in (1, 1000, 1 << 24):
        monkeypatch.setattr(module, "_BLOCK", block)
        chosen, information = joint_information(P, 9, **one)
        assert chosen.tolist() == expected.tolist()
        assert information == pytest.approx(values, abs=1e-10)


def test_seeds_and_the_global_generator():
    P = probabilities(np.random.default_rng(0), 40, 7, 3)
    np.random.seed(0)  # noqa: NPY002
    before = np.random.get_state()[1].tolist()  # noqa: NPY002
    few = {"max_configurations": 64, "n_samples": 16}
    chosen, information = joint_information(P, 20, random_state=3, **few)
    generator = np.random.RandomState(3)
    again, same = joint_information(P, 20, random_state=generator, **few)
    assert chosen.tolist() == again.tolist()
    assert information.tolist() == same.tolist()
    other = joint_information(P, 20, random_state=generator, **few)[1]
    assert information.tolist() != other.tolist()
    assert np.random.get_state()[1].tolist() == before  # noqa: NPY002


def test_input_is_left_as_it_is():
    P = probabilities(np.random.default_rng(0), 20, 4, 2)
    before = P.copy()
    joint_information(P, 5)
    joint_information(P, 5, multilabel=True)
    assert np.array_equal(P, before)


def test_memory():
    P = probabilities(np.random.default_rng(0), 5000, 10, 2)
    tracemalloc.start()
    joint_information(P, 16)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 20 * 2**20 + 10 * P.nbytes


@pytest.mark.parametrize(
    ("probs", "options", "error", "message"),
    [
        ([[0.5, 0.5]], {}, ValueError, r"shape \(n, K, C\).*found shape \(1, 2\)"),
        ([[0.5, 0.5]], {"multilabel": True}, ValueError, r"shape \(n, K, L\).*found shape \(1, 2"),
        (np.ones((2, 0, 3)), {}, ValueError, r"found shape \(2, 0, 3\)"),
        ([[["a", "b"]]], {}, ValueError, "probs must hold real numbers; found dtype <U1"),
        ([[[0.5, np.nan]]], {}, ValueError, "between 0 and 1; found nan"),
        ([[[0.5, np.inf]]], {}, ValueError, "between 0 and 1; found inf"),
        ([[[1.25, -0.25]]], {}, ValueError, "between 0 and 1; found -0.25"),
        ([[[0.5, 1.5]]], {"multilabel": True}, ValueError, "between 0 and 1; found 1.5"),
        ([[[1, 0]], [[0.5, 0.25]]], {}, ValueError, "found 0.75 at sample 1, posterior sample 0"),
        ([[[1, 0]]], {"k": 2}, ValueError, "k must lie between 1 and the number of samples, 1; f"),
        ([[[1, 0]]], {"k": 1.0}, TypeError, "k must be a whole number; found 1.0"),
        ([[[1, 0]]], {"max_configurations": 0}, ValueError, "max_configurations must be at least"),
        ([[[1, 0]]], {"n_samples": 9.5}, TypeError, "n_samples must be a whole number; found 9.5"),
        ([[[1, 0]]], {"n_samples": True}, TypeError, "n_samples must be a whole number; found Tr"),
        ([[[1, 0]]], {"random_state": "x"}, ValueError, "'x' cannot be used to seed"),
    ],
)
def test_bad_input_is_named(probs, options, error, message):
    with pytest.raises(error, match=message):
        joint_information(probs, options.pop("k", 1), **options)
