"""The same work done by peer packages, on the same arrays: how fast, and whether it agrees.

A peer that is not installed is skipped. Times are of the selection alone wherever the peer can be
given representations; nothing is trained.
"""

from __future__ import annotations

import copy
import time
from functools import partial

import numpy as np
import pytest
import torch
from sklearn.metrics import pairwise_distances

from modal_interp import (
    egl,
    egl_word,
    expected_word_gradient_length,
    farthest_first,
    joint_information,
    k_medoids,
    kmeans_pp,
    top_k,
)
from modal_interp.scores.uncertainty import distributions, mutual_information
from tests.benchmarks.peers import (
    Kept,
    blas_threads,
    gathered,
    posterior,
    skactiveml_classifier,
    small_text_scores,
    traced_mb,
)
from tests.benchmarks.workload import N_LABELED, representations, workload

N, K = 10_000, 50
N_FEATURES, N_CLASSES = 128, 10
N_WORD_TEXTS, N_TEXTS, N_CHECKED = 200, 64, 50
# BatchBALD: samples, posterior samples and batch.
N_BALD, N_POSTERIOR, N_BATCH = 2_000, 50, 10
# What the peer's own examples set is 1,000 (4 classes) and 100,000, for which each pick here would
# multiply matrices for half a minute; with 10,000 the first five picks are exact.
N_DRAWN = 10_000
N_POINTS, N_DIMENSIONS, N_MEDOIDS = 10_000, 100, 200

ROUNDS = 5
SLOW = 1  # round, where the peer takes a minute for it


def gradient_factors(n):
    """Return probabilities, features, and the first factor of the gradient embedding."""
    proba, features = representations(n, N_FEATURES, N_CLASSES)
    a = proba.copy()
    a[np.arange(n), proba.argmax(axis=1)] -= 1
    return proba, features, a


def pool_and_labeled():
    """Return features in double precision, in which both sides then round alike."""
    features = representations(N + N_LABELED, N_FEATURES, N_CLASSES)[1].astype(np.float64)
    return features[:N], features[N:]


def unlabeled(n):
    return np.full(n, np.nan)


def test_badge_of_scikit_activeml(beside, benchmark):
    pool = pytest.importorskip("skactiveml.pool")
    proba, h, a = gradient_factors(N)
    classifier = skactiveml_classifier(proba)
    ours = Kept(kmeans_pp, (a, h), K, random_state=0)
    strategy = pool.Badge(random_state=0)
    query = partial(strategy.query, h, unlabeled(N), classifier, fit_clf=False, batch_size=K)
    theirs = Kept(query, return_utilities=True)
    beside(
        ours,
        query,
        row=f"BADGE of scikit-activeml, n = {N:,}",
        limit=20,
        rounds=ROUNDS,
        faster=True,
    )
    benchmark.extra_info |= {
        "traced_mb": traced_mb(ours),
        "other_traced_mb": traced_mb(query),
        "note": "Starts with the largest norm instead of a random sample.",
    }
    theirs()
    # Draws are random: what can agree is what they are drawn in proportion to.
    picks, chances = theirs.result
    squared = (a**2).sum(axis=1) * (h.astype(np.float64) ** 2).sum(axis=1)
    np.testing.assert_allclose(chances[0], squared / squared.sum(), rtol=1e-6)
    assert picks[0] == squared.argmax()
    assert len(set(ours.result)) == len(set(picks)) == K


def test_coreset_of_scikit_activeml(beside):
    pool = pytest.importorskip("skactiveml.pool")
    Z, labeled = pool_and_labeled()
    known = np.concatenate([unlabeled(N), np.zeros(N_LABELED)])
    query = pool.CoreSet(random_state=0).query
    ours = Kept(farthest_first, Z, K, centers=labeled)
    theirs = Kept(query, np.concatenate([Z, labeled]), known, batch_size=K)
    row = f"coreset of scikit-activeml, n = {N:,}"
    beside(ours, theirs, row=row, limit=2, rounds=ROUNDS, faster=True)
    assert ours.result[0].tolist() == theirs.result.tolist()


def test_coreset_of_small_text(beside, benchmark):
    coresets = pytest.importorskip("small_text.query_strategies.coresets")
    Z, labeled = pool_and_labeled()
    # It takes its picks, places among the unlabelled, for rows of all: so these come first.
    everything, rows = np.concatenate([Z, labeled]), np.arange(N + N_LABELED)
    ours = Kept(farthest_first, Z, K, centers=labeled)
    theirs = Kept(
        coresets.greedy_coreset, everything, rows[:N], rows[N:], K, distance_metric="euclidean"
    )
    row = f"coreset of small-text, n = {N:,}"
    beside(ours, theirs, row=row, limit=50, rounds=ROUNDS, faster=True)
    benchmark.extra_info["note"] = "Computes all distances anew at each pick."
    assert ours.result[0].tolist() == theirs.result.tolist()


def test_badge_of_small_text(beside, benchmark):
    strategies = pytest.importorskip("small_text.integrations.pytorch.query_strategies")
    proba, h, a = gradient_factors(N)
    strategy, rows = strategies.BADGE(N_CLASSES), np.arange(N)
    ours = Kept(kmeans_pp, (a, h), K, random_state=0)
    theirs = Kept(
        strategy.sample,
        None,
        None,
        rows,
        None,
        None,
        K,
        h.astype(np.float64),
        embeddings_proba=proba,
    )
    row = f"BADGE of small-text, n = {N:,}"
    beside(ours, theirs, row=row, limit=1, rounds=ROUNDS, faster=True)
    benchmark.extra_info["note"] = (
        "Computes something else: the embeddings lack the one-hot term, k-means++ is given norms "
        "for squared norms, and takes the best of several draws."
    )
    # -p h' where the gradient is (p - onehot) h'.
    embedding = strategy.get_badge_embeddings(h.astype(np.float64), proba)
    np.testing.assert_allclose(embedding.reshape(N, N_CLASSES, -1), -proba[:, :, None] * h[:, None])


def test_egl_word_of_small_text(beside, benchmark, monkeypatch):
    strategies = pytest.importorskip("small_text.integrations.pytorch.query_strategies")
    # Its loop asks for a CUDA tensor by name.
    monkeypatch.setattr(torch.cuda, "LongTensor", torch.LongTensor)
    work = workload(N_WORD_TEXTS, egl_word)
    n_chosen = N_WORD_TEXTS // 10
    strategy = strategies.ExpectedGradientLengthMaxWord(2, "embedding", device="cpu")
    # Of a copy, because it leaves gradients behind.
    theirs = Kept(small_text_scores, strategy, copy.deepcopy(work.net.module_), work.pool)
    ours = Kept(egl_word, work.learner, work.pool, n_chosen)
    row = f"egl_word of small-text, n = {N_WORD_TEXTS}"
    beside(ours, theirs, row=row, limit=100, rounds=ROUNDS, faster=True)
    benchmark.extra_info["note"] = (
        "Takes the largest word of each class, not the largest sum over classes: the same for two."
    )
    assert set(ours.result) == set(top_k(theirs.result, n_chosen))
    # Padding counts as a word there, but the embedding gives it no gradient. In double precision,
    # because of sure predictions single leaves few digits to p_c - 1, from which it starts.
    some = work.pool[:N_CHECKED]
    exact = small_text_scores(strategy, copy.deepcopy(work.net.module_).double(), some)
    scores = expected_word_gradient_length(work.net, some)
    np.testing.assert_allclose(scores, exact, rtol=1e-5)


def test_egl_of_small_text(beside, benchmark):
    strategies = pytest.importorskip("small_text.integrations.pytorch.query_strategies")
    work = workload(N_TEXTS, egl)
    strategy = strategies.ExpectedGradientLength(2, device="cpu")
    theirs = Kept(small_text_scores, strategy, copy.deepcopy(work.net.module_), work.pool)
    ours = Kept(egl, work.learner, work.pool, N_TEXTS // 10)
    beside(
        ours, theirs, row=f"egl of small-text, n = {N_TEXTS}", limit=1, rounds=ROUNDS, faster=True
    )
    benchmark.extra_info["note"] = (
        "Computes something else: the sum of the gradient's magnitudes, not its length."
    )


def log_probabilities(probs):
    return torch.from_numpy(probs).log()


def information_of(probs, chosen):
    """Return the joint information of a batch, from far more configurations than either draws."""
    return joint_information(
        probs[chosen],
        len(chosen),
        max_configurations=2 * 10**5,
        n_samples=2 * 10**4,
        random_state=1,
    )[1][-1]


def compared_batches(benchmark, probs, ours, theirs, n_exact):
    """Check that picks agree while exact, and that the batches tell about as much after."""
    assert list(ours[:n_exact]) == list(theirs[:n_exact])
    own, others = information_of(probs, ours), information_of(probs, theirs)
    benchmark.extra_info |= {
        "same_picks": len(set(ours) & set(theirs)),
        "information": own,
        "other_information": others,
    }
    assert own >= others - 0.03


def test_batch_bald_of_batchbald_redux(beside, benchmark):
    batchbald = pytest.importorskip("batchbald_redux.batchbald")
    probs = posterior(N_BALD, N_POSTERIOR, N_CLASSES)
    ours = Kept(joint_information, probs, N_BATCH, n_samples=N_DRAWN, random_state=0)
    theirs = Kept(
        batchbald.get_batchbald_batch,
        log_probabilities(probs),
        N_BATCH,
        N_DRAWN,
        dtype=torch.double,
    )
    row = f"batch BALD of batchbald_redux, n = {N_BALD:,}"
    beside(ours, theirs, row=row, limit=3, rounds=SLOW, faster=True)
    benchmark.extra_info["note"] = f"Both draw {N_DRAWN:,} configurations; our default is 2,048."
    chosen, information = ours.result
    n_exact = 4  # of 10 classes: 10,000 configurations with the fourth, all counted
    compared_batches(benchmark, probs, chosen, theirs.result.indices, n_exact)
    scores = theirs.result.scores
    np.testing.assert_allclose(information[:n_exact], scores[:n_exact], rtol=1e-6)
    np.testing.assert_allclose(information, scores, atol=0.1)


def of_posterior(strategy, probs, batch_size):
    """Return a query of scikit-activeml that sees nothing but these probabilities."""
    n, classifier = len(probs), skactiveml_classifier(probs)
    known = (np.zeros((n, 1)), unlabeled(n), classifier)
    return Kept(strategy.query, *known, fit_ensemble=False, batch_size=batch_size)


def test_batch_bald_of_scikit_activeml(beside, benchmark):
    pool = pytest.importorskip("skactiveml.pool")
    probs = posterior(N_BALD, N_POSTERIOR, N_CLASSES)
    strategy = pool.BatchBALD(
        n_MC_samples=N_DRAWN, sample_predictions_method_name="sample_proba", random_state=0
    )
    theirs = of_posterior(strategy, probs, N_BATCH)
    ours = Kept(joint_information, probs, N_BATCH, n_samples=N_DRAWN, random_state=0)
    row = f"batch BALD of scikit-activeml, n = {N_BALD:,}"
    beside(ours, theirs, row=row, limit=3, rounds=SLOW, faster=True)
    benchmark.extra_info["note"] = f"Both draw {N_DRAWN:,} configurations; our default is 2,048."
    compared_batches(benchmark, probs, ours.result[0], theirs.result, 4)


def bald(probs):
    return top_k(mutual_information(distributions(probs, False)), K)


def test_bald_scores_of_scikit_activeml(beside):
    pool = pytest.importorskip("skactiveml.pool")
    probs = posterior(N, N_POSTERIOR, N_CLASSES)
    strategy = pool.GreedyBALD(sample_predictions_method_name="sample_proba", random_state=0)
    theirs = of_posterior(strategy, probs, K)
    ours = Kept(bald, probs)
    row = f"bald scores of scikit-activeml, n = {N:,}"
    beside(ours, theirs, row=row, limit=1, rounds=ROUNDS, faster=True)
    assert ours.result.tolist() == theirs.result.tolist()


def test_k_medoids_of_kmedoids(beside, benchmark):
    kmedoids = pytest.importorskip("kmedoids")
    Z = gathered(N_POINTS, N_DIMENSIONS)
    start = time.perf_counter()
    distances = pairwise_distances(Z)
    matrix_seconds = time.perf_counter() - start
    ours = Kept(k_medoids, Z, N_MEDOIDS, random_state=0)
    theirs = Kept(kmedoids.fasterpam, distances, N_MEDOIDS, random_state=0, n_cpu=blas_threads())
    row = f"k-medoids of kmedoids, n = {N_POINTS:,}"
    beside(ours, theirs, row=row, limit=2, rounds=ROUNDS)
    inertia, loss = ours.result.inertia, float(theirs.result.loss)
    seconds = benchmark.extra_info
    benchmark.extra_info |= {
        "matrix_seconds": matrix_seconds,
        "ratio_with_matrix": seconds["seconds"] / (seconds["other_seconds"] + matrix_seconds),
        "matrix_mb": distances.nbytes / 2**20,
        "loss": inertia,
        "other_loss": loss,
        "note": "Is given the distances, whose time is not in its seconds, and starts at random.",
    }
    assert inertia <= 1.02 * loss


def test_k_medoids_of_scikit_learn_extra(beside, benchmark):
    cluster = pytest.importorskip("sklearn_extra.cluster")
    Z = gathered(N_POINTS, N_DIMENSIONS)
    search = cluster.KMedoids(N_MEDOIDS, method="alternate", init="k-medoids++", random_state=0)
    ours = Kept(k_medoids, Z, N_MEDOIDS, random_state=0)
    theirs = Kept(search.fit, Z)
    row = f"k-medoids of scikit-learn-extra, n = {N_POINTS:,}"
    beside(ours, theirs, row=row, limit=None, rounds=ROUNDS, faster=True)
    benchmark.extra_info |= {
        "loss": ours.result.inertia,
        "other_loss": float(theirs.result.inertia_),
        "note": "Searches by turns, which ends at a larger loss.",
    }
    assert ours.result.inertia <= theirs.result.inertia_
