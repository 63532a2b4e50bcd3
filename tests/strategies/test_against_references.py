"""Every strategy chooses what its literal reference chooses, from the samples on."""

import math
from typing import NamedTuple
from unittest import mock

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from modAL.models import ActiveLearner, Committee

from modal_interp import strategies
from modal_interp.modules import TextBiLSTM, TextCNNLSTM
from tests import reference_selectors
from tests import reference_strategies as reference
from tests.reference import alden
from tests.small_nets import MeanReader, SmoothTable, small_net, table, word_ids
from tests.thoroughness import examples


def with_large_words(module):
    """Words that differ much, so that no two texts are alike by chance."""
    module.embedding.weight.data[1:].normal_(std=2.0)
    return module


def deep_bilstm(n_outputs):
    sizes = {"embedding_dim": 4, "hidden_size": 3, "n_layers": 2}
    return with_large_words(TextBiLSTM(12, n_outputs, **sizes, dropout=0.4))


def cnn_lstm(n_outputs):
    sizes = {"embedding_dim": 4, "n_filters": 5, "hidden_size": 4, "kernel_sizes": (1, 2, 3, 5)}
    return with_large_words(TextCNNLSTM(12, n_outputs, **sizes, dropout=0.4))


KINDS = {
    "text": (MeanReader, word_ids),
    "table": (SmoothTable, table),
    "deep BiLSTM": (deep_bilstm, word_ids),
    "CNN-LSTM": (cnn_lstm, word_ids),
}


class Problem(NamedTuple):
    learner: object
    nets: list
    pool: np.ndarray
    labeled: np.ndarray
    k: int
    seed: int
    several: bool

    def __repr__(self):  # that of a learner needs what only its constructor sets
        return f"Problem(seed={self.seed}, k={self.k}, {len(self.nets)} nets)"


@st.composite
def problems(draw, kinds=("text", "table"), committees=(1, 1, 2), most=8):
    """Nets as they were born, and pools with doubles, empty texts, unknown and repeated words."""
    seed = draw(st.integers(0, 2**31 - 1))
    torch.manual_seed(seed)
    kind, several = draw(st.sampled_from(kinds)), draw(st.booleans())
    n_outputs = draw(st.sampled_from([2, 3, 7]))
    n = draw(st.integers(1, most))
    module, samples = KINDS[kind]
    nets = [small_net(module, n_outputs, several) for _ in range(draw(st.sampled_from(committees)))]
    pool, labeled = samples(n, seed=seed), samples(4, seed=seed + 1)
    k = draw(st.integers(1, n))
    members = [member(net, labeled) for net in nets]
    learner = members[0] if len(nets) == 1 else committee_of(members)
    literal = [reference.Literal.of(net, several) for net in nets]
    return Problem(learner, literal, pool, labeled, k, seed, several)


def member(net, labeled):
    learner = ActiveLearner(estimator=net)
    learner.X_training = labeled
    return learner


def committee_of(members):
    committee = Committee.__new__(Committee)
    committee.learner_list, committee.X_training = members, None
    return committee


def assert_chooses(name, problem, expected, metrics, **options):
    # As every modAL would, so that metrics are compared beside those that take none.
    with mock.patch("modal_interp.queries.query.query_result", lambda _, *result: result):
        indices, found = getattr(strategies, name)(
            problem.learner, problem.pool, problem.k, **options
        )
    assert indices.tolist() == list(expected)
    if metrics is not None:
        np.testing.assert_allclose(found, metrics, atol=1e-5)


def ranked(scores, k, reverse=False):
    chosen = reference_selectors.top_k(scores, k, reverse)
    return chosen, [scores[i] for i in chosen]


def over_members(problem, score):
    """The score of each sample, mean over the members."""
    return [reference.mean([score(net, x) for net in problem.nets]) for x in problem.pool]


def once_each(score, X):
    """Equal samples have equal scores, to the last bit."""
    known = {}
    for x in X:
        if x.tobytes() not in known:
            known[x.tobytes()] = score(x)
    return [known[x.tobytes()] for x in X]


@pytest.mark.parametrize("name", ["least_confidence", "margin", "entropy"])
@settings(max_examples=examples(100), deadline=None)
@given(problems(), st.booleans(), st.sampled_from([None, None, 1, 3]))
def test_uncertainty(name, problem, reverse, n_passes):
    rng = np.random.RandomState(problem.seed)
    scores = []
    for net in problem.nets:
        passes = None if n_passes is None else (rng.randint(2**31 - 1), n_passes)
        measure = getattr(reference, name)

        def score(x, net=net, passes=passes, measure=measure):
            return reference.uncertainty(measure, net, x, passes)

        scores.append(once_each(score, problem.pool))
    scores = [reference.mean(s) for s in zip(*scores, strict=True)]
    expected = ranked(scores, problem.k, reverse)
    options = {"reverse": reverse, "n_passes": n_passes, "random_state": problem.seed}
    assert_chooses(name, problem, *expected, **options)


def posterior(problem, n_passes):
    """For each sample its probabilities under each pass, or by each member."""
    if len(problem.nets) > 1:
        return [
            [reference.numbers(net.probabilities(x)) for net in problem.nets] for x in problem.pool
        ]
    seed = np.random.RandomState(problem.seed).randint(2**31 - 1)
    return [
        reference.dropout_probabilities(problem.nets[0], x, seed, n_passes) for x in problem.pool
    ]


@settings(max_examples=examples(100), deadline=None)
@given(problems(committees=(1, 2, 3)), st.booleans(), st.integers(1, 5))
def test_bald(problem, reverse, n_passes):
    scores = [
        reference.disagreement(problem.nets[0], passes) for passes in posterior(problem, n_passes)
    ]
    # Of one pass nothing disagrees: rounding must not rank the samples.
    scores = [0.0 if score < 1e-9 else score for score in scores]
    n_passes = n_passes if len(problem.nets) == 1 else None
    expected = ranked(scores, problem.k, reverse)
    options = {"reverse": reverse, "n_passes": n_passes, "random_state": problem.seed}
    assert_chooses("bald", problem, *expected, **options)


@settings(max_examples=examples(100), deadline=None)
@given(problems(committees=(1, 2, 3), most=4), st.integers(1, 4))
def test_batch_bald(problem, n_passes):
    passes = posterior(problem, n_passes)
    net = problem.nets[0]
    labels = [
        [[reference.labels_of(net, p)[label] for p in sample] for sample in passes]
        for label in range(len(reference.labels_of(net, passes[0][0])))
    ]
    expected = reference_selectors.joint_information(labels, problem.k)
    n_passes = n_passes if len(problem.nets) == 1 else None
    options = {"n_passes": n_passes, "random_state": problem.seed}
    assert_chooses("batch_bald", problem, *expected, **options)


@settings(max_examples=examples(100), deadline=None)
@given(problems(), st.booleans())
def test_egl(problem, reverse):
    scores = [
        once_each(lambda x, net=net: reference.gradient_length(net, x), problem.pool)
        for net in problem.nets
    ]
    scores = [reference.mean(s) for s in zip(*scores, strict=True)]
    assert_chooses("egl", problem, *ranked(scores, problem.k, reverse), reverse=reverse)


@settings(max_examples=examples(100), deadline=None)
@given(problems(kinds=("text",)), st.booleans())
def test_egl_word(problem, reverse):
    scores = [
        once_each(lambda x, net=net: reference.word_gradient_length(net, x), problem.pool)
        for net in problem.nets
    ]
    scores = [reference.mean(s) for s in zip(*scores, strict=True)]
    assert_chooses("egl_word", problem, *ranked(scores, problem.k, reverse), reverse=reverse)


@settings(max_examples=examples(150), deadline=None)
@given(problems(), st.sampled_from(["proba", "logit"]), st.sampled_from(["all", "predicted"]))
def test_dami_kmedoids(problem, target, classes):
    texts = problem.pool.dtype.kind == "i"
    represent = reference.dami_of_texts if texts else reference.dami_of_a_table
    members = [represent(net, problem.pool, target, classes) for net in problem.nets]
    expected = reference.medoids(reference.side_by_side(members), problem.k, problem.seed)
    options = {"target": target, "classes": classes, "random_state": problem.seed}
    assert_chooses("dami_kmedoids", problem, *expected, **options)


@settings(max_examples=examples(100), deadline=None)
@given(
    problems(kinds=("text",)),
    st.sampled_from(["proba", "logit"]),
    st.sampled_from(["all", "predicted"]),
)
def test_alden_diversity(problem, target, classes):
    """Of several labels and of committees too; `test_alden` has other nets."""
    pool, labeled = (
        reference.alden_words(problem.nets, X, target, classes)
        for X in (problem.pool, problem.labeled)
    )
    rows = reference.embeddings_side_by_side(problem.nets)
    expected = alden(pool, labeled, rows, problem.k)
    assert_chooses("alden_diversity", problem, *expected, target=target, classes=classes)


@settings(max_examples=examples(100), deadline=None)
@given(problems())
def test_badge(problem):
    members = [[reference.gradient_embedding(net, x) for x in problem.pool] for net in problem.nets]
    G = reference.side_by_side(members)
    expected = reference_selectors.kmeans_pp(G, problem.k, problem.seed)
    lengths = [math.sqrt(sum(value * value for value in G[i])) for i in expected]
    assert_chooses("badge", problem, expected, lengths, random_state=problem.seed)


@settings(max_examples=examples(100), deadline=None)
@given(problems())
def test_coreset(problem):
    pool, labeled = (
        reference.side_by_side(
            [once_each(net.features, X) for net in problem.nets],
        )
        for X in (problem.pool, problem.labeled)
    )
    expected = reference_selectors.farthest_first(pool, problem.k, labeled)
    assert_chooses("coreset", problem, *expected)


@settings(max_examples=examples(20), deadline=None)
@given(problems())
def test_random_sampling(problem):
    drawn = np.random.RandomState(problem.seed).permutation(len(problem.pool))[: problem.k]
    assert_chooses("random_sampling", problem, drawn, None, random_state=problem.seed)


# The same on nets that read word by word, whose references cost more: each test as above, with
# what it draws.
REVERSE = {"reverse": st.booleans()}
EXPLAINED = {
    "target": st.sampled_from(["proba", "logit"]),
    "classes": st.sampled_from(["all", "predicted"]),
}
DRAWN = {
    "uncertainty": {
        "name": st.sampled_from(["least_confidence", "margin", "entropy"]),
        "n_passes": st.sampled_from([None, 1, 3]),
        **REVERSE,
    },
    "bald": {"n_passes": st.integers(1, 5), **REVERSE},
    "batch_bald": {"n_passes": st.integers(1, 4)},
    "egl": REVERSE,
    "egl_word": REVERSE,
    "dami_kmedoids": EXPLAINED,
    "alden_diversity": EXPLAINED,
    "badge": {},
    "coreset": {},
}


def check_on(kind, name, data):
    most = 4 if name == "batch_bald" else 5
    problem = data.draw(problems(kinds=(kind,), committees=(1, 1, 1, 2), most=most))
    drawn = {option: data.draw(values) for option, values in DRAWN[name].items()}
    globals()[f"test_{name}"].hypothesis.inner_test(problem=problem, **drawn)


@pytest.mark.parametrize("kind", ["deep BiLSTM", "CNN-LSTM"])
@pytest.mark.parametrize("name", DRAWN)
@settings(max_examples=4, deadline=None)
@given(st.data())
def test_nets_that_read_word_by_word(name, kind, data):
    check_on(kind, name, data)


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["deep BiLSTM", "CNN-LSTM"])
@pytest.mark.parametrize("name", DRAWN)
@settings(max_examples=60, deadline=None)
@given(st.data())
def test_nets_that_read_word_by_word_at_length(name, kind, data):
    check_on(kind, name, data)
