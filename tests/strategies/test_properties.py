"""What holds for every strategy, whatever learner, net and pool."""

import inspect
import pickle
import random
from functools import partial

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from modAL.models import ActiveLearner, Committee
from sklearn.exceptions import NotFittedError
from sklearn.frozen import FrozenEstimator
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer
from skorch import NeuralNet, NeuralNetClassifier
from torch import nn

from modal_interp import strategies
from modal_interp.datasets import make_reviews
from modal_interp.estimators import TextBiLSTMClassifier, TextCNNClassifier
from modal_interp.strategies.narrowing import exclude_duplicates, most_uncertain
from modal_interp.texts.word_encoder import WordEncoder
from tests.small_nets import (
    MeanReader,
    SmoothTable,
    TwiceReader,
    attention_net,
    initialized,
    small_net,
    table,
    table_net,
    word_ids,
)
from tests.strategies.conftest import learner_of

RETURNS_METRICS = "return_metrics" in inspect.signature(ActiveLearner.query).parameters
EVERY = strategies.__all__
TEXTS_ONLY = {"alden_diversity", "egl_word"}
SCORES = ["bald", "egl", "egl_word", "entropy", "least_confidence", "margin"]
DRAWING = ["badge", "bald", "batch_bald", "dami_kmedoids", "random_sampling"]
# Those that draw nothing, and bald, whose masks are the same for all samples.
ORDERLESS = ["alden_diversity", "coreset", *SCORES]
LEARNERS = ["learner", "committee", "pipeline"]

every = pytest.mark.parametrize("name", EVERY)


def on_all_samples(names):
    """Names with each kind of samples that the strategy suits."""
    pairs = [(n, kind) for n in names for kind in ("text", "table")]
    return [(n, kind) for n, kind in pairs if kind == "text" or n not in TEXTS_ONLY]


every_kind = pytest.mark.parametrize(("name", "kind"), on_all_samples(EVERY))


def samples_of(kind, n=9, seed=0):
    return word_ids(n, seed=seed) if kind == "text" else table(n, seed=seed)


def distinct_samples(kind, n=9, seed=0):
    """Samples that no net takes for each other: `MeanReader` does not see the order of words."""
    X = samples_of(kind, n, seed)
    return X[sorted({frozenset(row): i for i, row in enumerate(X.tolist())}.values())]


def net_for(kind, several=False, n_outputs=3):
    return small_net(MeanReader if kind == "text" else SmoothTable, n_outputs, several)


def member(net, labeled):
    return learner_of(net, strategies.random_sampling, labeled, None)


def learner_for(kind, how="learner", several=False, labeled=None):
    """An untrained learner, whose net is as it was born."""
    labeled = samples_of(kind, 4, seed=1) if labeled is None else labeled
    nets = [net_for(kind, several) for _ in range(2 if how == "committee" else 1)]
    if how == "pipeline":
        nets = [make_pipeline(FrozenEstimator(FunctionTransformer()), net) for net in nets]
    members = [member(net, labeled) for net in nets]
    return Committee(members, strategies.random_sampling) if how == "committee" else members[0]


def chosen_by(name, learner, pool, n, random_state=0, **options):
    strategy = getattr(strategies, name)
    result = strategy(learner, pool, n, random_state=random_state, **options)
    return (result[0] if RETURNS_METRICS else result).tolist()


def assert_distinct_rows(chosen, n, pool):
    assert len(chosen) == len(set(chosen)) == n
    assert set(chosen) <= set(range(len(pool)))


# Rows of the pool.


def odd_pool(kind, which):
    X = samples_of(kind)
    if which == "duplicates":
        return np.repeat(X[:1], 6, axis=0)
    if which == "zeros":
        return np.zeros_like(X[:6])
    return X[4:5] if which == "one" else X


@every_kind
@pytest.mark.parametrize(
    ("how", "several"), [("learner", False), ("committee", True), ("pipeline", True)]
)
@pytest.mark.parametrize("which", ["mixed", "duplicates", "zeros", "one"])
def test_distinct_rows(name, kind, how, several, which):
    learner, pool = learner_for(kind, how, several), odd_pool(kind, which)
    for n in sorted({1, min(2, len(pool)), len(pool)}):
        assert_distinct_rows(chosen_by(name, learner, pool, n), n, pool)


@every_kind
@settings(max_examples=12, deadline=None)
@given(st.integers(0, 2**31 - 1), st.integers(1, 12), st.booleans(), st.data())
def test_distinct_rows_of_any_pool(name, kind, seed, n_pool, several, data):
    torch.manual_seed(seed)
    pool, n = samples_of(kind, n_pool, seed), data.draw(st.integers(1, n_pool))
    assert_distinct_rows(chosen_by(name, learner_for(kind, several=several), pool, n), n, pool)


@pytest.mark.parametrize("name", sorted(set(EVERY) - {"random_sampling"}))
@pytest.mark.parametrize("which", ["duplicates", "zeros"])
def test_labelled_samples_may_be_empty_texts(name, which):
    learner = learner_for("text", labeled=np.zeros((3, 7), dtype=np.int64))
    pool = odd_pool("text", which)
    assert_distinct_rows(chosen_by(name, learner, pool, 3), 3, pool)


@pytest.mark.parametrize(("name", "kind"), on_all_samples(ORDERLESS))
@settings(max_examples=12, deadline=None)
@given(st.integers(0, 2**31 - 1), st.sampled_from(LEARNERS), st.booleans())
def test_rows_follow_samples(name, kind, seed, how, several):
    torch.manual_seed(seed)
    learner, pool = learner_for(kind, how, several), distinct_samples(kind, 12, seed)
    order = np.random.default_rng(seed).permutation(len(pool))
    n = len(pool) // 2
    expected = chosen_by(name, learner, pool, n)
    assert order[chosen_by(name, learner, pool[order], n)].tolist() == expected


@every_kind
@pytest.mark.parametrize(("how", "several"), [("learner", False), ("committee", True)])
def test_size_of_batches_is_irrelevant(name, kind, how, several):
    learner, pool = learner_for(kind, how, several), samples_of(kind, 12)
    members = learner.learner_list if how == "committee" else [learner]
    chosen = []
    for size in (1, 3, 1000):
        for member in members:
            member.estimator.iterator_valid__batch_size = size
        chosen.append(chosen_by(name, learner, pool, 7))
    assert chosen[0] == chosen[1] == chosen[2]


# The net, and the randomness of others.


class NormedTable(nn.Module):
    """Has running statistics, dropout, and a part that is frozen."""

    def __init__(self, n_features=4):
        super().__init__()
        self.first = nn.Linear(n_features, 6)
        self.norm = nn.BatchNorm1d(6)
        self.drop = nn.Dropout(0.5)
        self.out = nn.Linear(6, 3)

    def forward(self, x):
        return self.out(self.drop(torch.tanh(self.norm(self.first(x)))))


HOOKS = ["_forward_hooks", "_forward_pre_hooks", "_backward_hooks", "_backward_pre_hooks"]


def found_in(net):
    """All that a query could leave behind, in a form that == compares."""
    modules, parameters = dict(net.module_.named_modules()), dict(net.module_.named_parameters())
    grads = {k: None if p.grad is None else p.grad.tolist() for k, p in parameters.items()}
    _, keys, *numpy_state = np.random.get_state()  # noqa: NPY002
    return {
        "modes": {name: module.training for name, module in modules.items()},
        "hooks": {n: [len(getattr(m, hook)) for hook in HOOKS] for n, m in modules.items()},
        "sparse": {name: getattr(module, "sparse", None) for name, module in modules.items()},
        "required": {name: p.requires_grad for name, p in parameters.items()},
        "parameters": {name: id(p) for name, p in parameters.items()},
        "grads": grads,
        "values": {name: value.tolist() for name, value in net.module_.state_dict().items()},
        "criterion": net.criterion_.training,
        "attributes": sorted(vars(net)),
        "fast paths": torch.backends.mha.get_fastpath_enabled(),
        "gradients": torch.is_grad_enabled(),
        "torch": torch.get_rng_state().tolist(),
        "numpy": [keys.tolist(), *numpy_state],
        "python": random.getstate(),
    }


@every_kind
@pytest.mark.parametrize("training", [False, True])
def test_net_is_left_as_it_was_found(name, kind, training):
    module = TwiceReader if kind == "text" else NormedTable
    net = initialized(module, classes=[0, 1, 2], criterion=nn.CrossEntropyLoss)
    net.module_.train(training)
    net.module_.drop.train(not training)
    net.module_.norm.running_mean += 0.5
    first, *_, last = net.module_.parameters()
    first.requires_grad_(False)
    last.grad = torch.ones_like(last)
    learner = member(net, samples_of(kind, 4, seed=1))
    before = found_in(net)
    chosen_by(name, learner, samples_of(kind), 3)
    assert found_in(net) == before


@every_kind
@pytest.mark.parametrize("how", LEARNERS)
@pytest.mark.parametrize("options", [{}, {"candidates": 6}, {"candidates": 0.7}], ids=str)
def test_without_a_seed_the_global_generators_are_left_alone(name, kind, how, options):
    learner, pool = learner_for(kind, how), samples_of(kind)
    net = initialized(NormedTable, classes=[0, 1, 2], criterion=nn.CrossEntropyLoss)
    before = found_in(net)
    chosen_by(name, learner, pool, 3, random_state=None, **options)
    assert found_in(net) == before


@every_kind
@pytest.mark.parametrize("how", LEARNERS)
def test_same_seed_same_answer(name, kind, how):
    learner, pool = learner_for(kind, how), samples_of(kind, 20)
    first = chosen_by(name, learner, pool, 5, random_state=3)
    assert chosen_by(name, learner, pool, 5, random_state=3) == first
    assert chosen_by(name, learner, pool, 5, random_state=np.random.RandomState(3)) == first


@pytest.mark.parametrize(("name", "kind"), on_all_samples(DRAWING))
def test_another_seed_can_give_another_answer(name, kind):
    learner, pool = learner_for(kind), samples_of(kind, 60)
    answers = [chosen_by(name, learner, pool, 15, random_state=seed) for seed in range(5)]
    assert len(set(map(tuple, answers))) > 1


@pytest.mark.parametrize(("name", "kind"), on_all_samples(sorted(set(EVERY) - set(DRAWING))))
def test_what_draws_nothing_answers_the_same_without_a_seed(name, kind):
    learner, pool = learner_for(kind), samples_of(kind, 20)
    answers = [chosen_by(name, learner, pool, 6, random_state=seed) for seed in (None, 0, 1)]
    assert answers[0] == answers[1] == answers[2]


@pytest.mark.parametrize(("name", "kind"), on_all_samples(SCORES))
@pytest.mark.parametrize("how", LEARNERS)
def test_reverse_gives_the_other_end_first(name, kind, how):
    learner, pool = learner_for(kind, how), distinct_samples(kind)
    expected = chosen_by(name, learner, pool, len(pool))
    assert chosen_by(name, learner, pool, len(pool), reverse=True) == expected[::-1]
    assert chosen_by(name, learner, pool, 2, reverse=True) == expected[::-1][:2]


# modAL.

TEXTS, Y = make_reviews(40, random_state=0)
SEED, POOL = slice(0, 16), slice(16, None)
ENCODER = WordEncoder().fit(TEXTS)


def reader(seed=0, kind=TextCNNClassifier):
    sizes = {"module__embedding_dim": 6}
    if kind is TextCNNClassifier:
        sizes["module__n_filters"] = 8
    net = kind(classes=[0, 1], n_words=ENCODER.n_words_, max_epochs=1, random_state=seed, **sizes)
    return make_pipeline(FrozenEstimator(ENCODER), net)


def taught(name, seed=0, kind=TextCNNClassifier):
    strategy = getattr(strategies, name)
    return ActiveLearner(reader(seed, kind), strategy, TEXTS[SEED], Y[SEED])


@every
@pytest.mark.parametrize(
    ("n", "kind"), [(1, TextCNNClassifier), (2, TextCNNClassifier), (5, TextBiLSTMClassifier)]
)
def test_query_and_teach(name, n, kind):
    learner, texts, labels = taught(name, kind=kind), TEXTS[POOL], Y[POOL]
    for _ in range(2):
        indices, asked = learner.query(texts, n_instances=n, random_state=0)
        assert indices.shape == (n,)
        assert_distinct_rows(indices.tolist(), n, texts)
        assert asked.tolist() == texts[indices].tolist()
        learner.teach(asked, labels[indices])
        texts, labels = np.delete(texts, indices), np.delete(labels, indices)


@every
@pytest.mark.parametrize("n", [1, 2])
def test_query_and_teach_a_committee(name, n):
    committee = Committee([taught(name), taught(name, 1)], getattr(strategies, name))
    for _ in range(2):
        indices, asked = committee.query(TEXTS[POOL], n_instances=n, random_state=0)
        assert_distinct_rows(indices.tolist(), n, TEXTS[POOL])
        assert asked.tolist() == TEXTS[POOL][indices].tolist()
        committee.teach(asked, Y[POOL][indices])


@every
def test_metrics(name):
    for asker in (taught(name), Committee([taught(name), taught(name, 1)])):
        asker.query_strategy = getattr(strategies, name)
        indices, _, metrics = asker.query(
            TEXTS[POOL], n_instances=2, random_state=0, return_metrics=True
        )
        assert indices.shape == metrics.shape == (2,)
        assert metrics.dtype == np.float64
        assert not np.isnan(metrics).any()


@every_kind
@pytest.mark.parametrize("several", [False, True])
def test_query_and_teach_on_arrays(name, kind, several):
    X = samples_of(kind, 12, seed=1)
    y = np.arange(12) % 3
    y = np.eye(3, dtype=np.float32)[y] if several else y
    net = net_for(kind, several).set_params(max_epochs=1)
    learner = ActiveLearner(net, getattr(strategies, name), X, y)
    pool = samples_of(kind, 9)
    indices, asked = learner.query(pool, n_instances=2, random_state=0)
    learner.teach(asked, y[:2])
    np.testing.assert_array_equal(asked, pool[indices])
    assert len(learner.query(pool, n_instances=9, random_state=0)[0]) == 9


@every_kind
@pytest.mark.parametrize("how", LEARNERS)
def test_a_pickled_learner_asks_the_same(name, kind, how):
    strategy = getattr(strategies, name)
    assert pickle.loads(pickle.dumps(strategy)) is strategy
    learner, pool = learner_for(kind, how), samples_of(kind)
    learner.query_strategy = strategy
    again = pickle.loads(pickle.dumps(learner))
    expected, _ = learner.query(pool, n_instances=4, random_state=0)
    assert again.query(pool, n_instances=4, random_state=0)[0].tolist() == expected.tolist()


# Candidates.


def last_six(learner, X_pool):
    return np.arange(len(X_pool))[-6:]


def with_metrics(learner, X_pool):
    rows = last_six(learner, X_pool)[::-1]
    return rows, np.zeros(len(rows))


CANDIDATES = [
    (5, range(20), 5),
    (np.int64(5), range(20), 5),
    (99, range(20), 20),
    (0.25, range(20), 5),
    (1.0, range(20), 20),
    (np.array([3, 17, 4, 4, 9]), [3, 4, 9, 17], 4),
    ([3, 17, 4, 9], [3, 4, 9, 17], 4),
    (last_six, range(14, 20), 6),
    (with_metrics, range(14, 20), 6),
    ([last_six, 0.5], range(14, 20), 3),
    ([last_six, np.array([0, 2, 3])], [14, 16, 17], 3),
    ([0.5, last_six, 4], range(20), 4),
]


@every_kind
@pytest.mark.parametrize("case", CANDIDATES, ids=lambda case: str(case[0])[:24])
def test_candidates(name, kind, case):
    candidates, rows, n = case
    learner, pool = learner_for(kind), samples_of(kind, 20)
    chosen = chosen_by(name, learner, pool, n, candidates=candidates)
    assert_distinct_rows(chosen, n, pool)
    assert set(chosen) <= set(rows)
    if n == len(pool):
        return
    with pytest.raises(ValueError, match=rf"candidates must leave at least n_inst.*found {n} of"):
        chosen_by(name, learner, pool, n + 1, candidates=candidates)


@pytest.mark.parametrize("how", LEARNERS)
@pytest.mark.parametrize("candidates", [6, 0.3, [0.5, 6]], ids=str)
def test_same_seed_same_candidates_for_every_strategy(how, candidates):
    learner, pool = learner_for("text", how), samples_of("text", 20)
    drawn = {
        frozenset(chosen_by(name, learner, pool, 6, random_state=7, candidates=candidates))
        for name in EVERY
    }
    assert len(drawn) == 1
    (rows,) = drawn
    others = chosen_by("margin", learner, pool, 6, random_state=8, candidates=candidates)
    assert rows != set(others)


@every_kind
@pytest.mark.parametrize("how", LEARNERS)
def test_most_uncertain_candidates(name, kind, how):
    learner, pool = learner_for(kind, how), distinct_samples(kind, 20)
    narrow = partial(most_uncertain, fraction=0.4)
    n = -(-len(pool) * 4 // 10)
    expected = chosen_by("entropy", learner, pool, n)
    assert set(chosen_by(name, learner, pool, n, candidates=narrow)) == set(expected)
    assert chosen_by("entropy", learner, pool, n, candidates=narrow) == expected


@every_kind
@pytest.mark.parametrize("how", LEARNERS)
def test_duplicates_of_labelled_samples_are_never_chosen(name, kind, how):
    labeled, pool = samples_of(kind, 4, seed=1), samples_of(kind, 12, seed=2)
    pool[[1, 5, 7]] = labeled[[0, 2, 0]]
    known = {tuple(row) for row in labeled.tolist()}
    new = [i for i, row in enumerate(pool.tolist()) if tuple(row) not in known]
    learner = learner_for(kind, how, labeled=labeled)
    chosen = chosen_by(name, learner, pool, len(new), candidates=exclude_duplicates)
    assert sorted(chosen) == new
    with pytest.raises(ValueError, match="candidates must leave at least"):
        chosen_by(name, learner, pool, len(new) + 1, candidates=exclude_duplicates)


@every
@pytest.mark.parametrize("wider", ["pool", "labeled"])
def test_duplicates_are_found_whatever_the_padding(name, wider):
    labeled, pool = word_ids(4, seed=1), word_ids(12, seed=2)
    pool[[1, 5, 7]], pool[9] = labeled[[0, 2, 1]], 0
    wide = partial(np.pad, pad_width=((0, 0), (0, 3)))
    pool, labeled = (wide(pool), labeled) if wider == "pool" else (pool, wide(labeled))
    learner = learner_for("text", labeled=labeled)
    chosen = chosen_by(name, learner, pool, 5, candidates=exclude_duplicates)
    assert not {1, 5, 7} & set(chosen)


def test_a_padding_id_of_the_layers_own_is_no_difference():
    net = initialized(OtherPadding, classes=[0, 1], criterion=nn.CrossEntropyLoss)
    learner = member(net, np.array([[5, 6, 3]]))
    pool = np.array([[5, 6, 3, 3], [5, 6, 0, 0], [5, 6, 0, 3], [7, 3, 3, 3]])
    assert exclude_duplicates(learner, pool).tolist() == [1, 2, 3]


class OtherPadding(nn.Module):
    def __init__(self):
        super().__init__()
        self.words = nn.Embedding(12, 4, padding_idx=3)
        self.out = nn.Linear(4, 2)

    def forward(self, tokens):
        return self.out(self.words(tokens).sum(dim=1))


# What is wrong is named before anything is computed.


@pytest.fixture
def nothing_computed(monkeypatch):
    def computed(*args, **kwargs):
        raise AssertionError("a pass was made before the input was checked")

    monkeypatch.setattr(torch.autograd, "grad", computed)
    monkeypatch.setattr(NeuralNet, "infer", computed)
    monkeypatch.setattr(nn.Module, "__call__", computed)


def assert_refused(name, learner, pool, error, message, n=2, **options):
    with pytest.raises(error, match=f"(?s){message}"):
        getattr(strategies, name)(learner, pool, n, **options)


def unfitted():
    return ActiveLearner(NeuralNetClassifier(MeanReader))


def edited(X, value):
    X = X.copy()
    X[3, 0] = value
    return X


IDS = word_ids(9)
STRINGS = np.array(["a good film", "a bad one", "none"], dtype=object)


@every
@pytest.mark.parametrize(
    ("make", "error", "message"),
    [
        (lambda: net_for("text"), TypeError, "learner must be an ActiveLearner.*found a Neural"),
        (lambda: None, TypeError, "learner must be an ActiveLearner.*found a NoneType"),
        (unfitted, NotFittedError, "NeuralNetClassifier is not fitted yet.*X_training"),
    ],
    ids=["net", "None", "unfitted"],
)
def test_wrong_learners(name, make, error, message, nothing_computed):
    if name == "random_sampling" and make is unfitted:
        pytest.skip("needs no net")
    assert_refused(name, make(), IDS, error, message)


@every_kind
@pytest.mark.parametrize(
    ("n", "error", "message"),
    [
        (0, ValueError, "n_instances must lie between 1 and .* 9; found 0"),
        (-1, ValueError, "n_instances must lie between 1 and .* 9; found -1"),
        (10, ValueError, "n_instances must lie between 1 and .* 9; found 10"),
        (1.5, TypeError, "n_instances must be a whole number; found 1.5"),
        (True, TypeError, "n_instances must be a whole number; found True"),
        (None, TypeError, "n_instances must be a whole number; found None"),
    ],
)
def test_wrong_numbers_of_samples(name, kind, n, error, message, nothing_computed):
    assert_refused(name, learner_for(kind), samples_of(kind), error, message, n)


@every_kind
@pytest.mark.parametrize(
    ("candidates", "error", "message"),
    [
        (0, ValueError, "candidates must be a whole number.*found 0"),
        (-0.1, ValueError, "candidates must be.*share of the pool, above 0.0.*found -0.1"),
        (1.5, ValueError, "candidates must be.*found 1.5"),
        (float("nan"), ValueError, "candidates must be.*found nan"),
        (True, ValueError, "candidates must be.*found True"),
        ("all", TypeError, "candidates must be None, a number.*found 'all'"),
        (np.array([0.5, 1.0]), TypeError, "candidates must be None, a number"),
        (np.array([True, False]), TypeError, "candidates must be None, a number"),
        (np.array([[0, 1]]), TypeError, "candidates must be None, a number"),
        (np.array([0, 9]), ValueError, "candidates must be rows of the pool, from 0 to 8; found 9"),
        (np.array([-1, 4]), ValueError, "candidates must be rows of the pool.*found -1"),
        (lambda learner, pool: "all", TypeError, "candidates must be None, a number"),
        (lambda learner, pool: [], ValueError, "candidates must leave at least.*found 0 of 9"),
        ([], ValueError, "candidates must leave at least.*found 0 of 9"),
        ([0.5, "all"], TypeError, "candidates must be None, a number.*found 'all'"),
        (1, ValueError, "candidates must leave at least n_instances=2.*found 1 of 9"),
    ],
    ids=lambda value: getattr(value, "__name__", str(value)),
)
def test_wrong_candidates(name, kind, candidates, error, message, nothing_computed):
    learner, pool = learner_for(kind), samples_of(kind)
    assert_refused(name, learner, pool, error, message, candidates=candidates)


# Draws without looking at the samples.
LOOKING = sorted(set(EVERY) - {"random_sampling"})


@pytest.mark.parametrize("name", LOOKING)
@pytest.mark.parametrize(
    "candidates", [None, most_uncertain, np.array([0, 1])], ids=["all", "function", "rows"]
)
@pytest.mark.parametrize(
    ("pool", "error", "message"),
    [
        (STRINGS, TypeError, "X_pool must.*a good film.*Put a WordEncoder before the net"),
        (STRINGS.tolist(), TypeError, "X_pool must.*a good film.*WordEncoder before the net"),
        (edited(IDS, 12), ValueError, "X_pool must hold word ids from 0 to 11.*found 12"),
        (edited(IDS, -1), ValueError, "X_pool must hold word ids from 0 to 11.*found -1"),
    ],
    ids=["strings", "list", "12", "-1"],
)
def test_what_are_no_word_ids(name, candidates, pool, error, message, nothing_computed):
    learner = learner_for("text")
    assert_refused(name, learner, pool, error, message, candidates=candidates)


@pytest.mark.parametrize("name", sorted(set(LOOKING) - TEXTS_ONLY))
@pytest.mark.parametrize("candidates", [None, most_uncertain], ids=["all", "function"])
@pytest.mark.parametrize("how", LEARNERS)
@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_tables_that_are_not_finite(name, candidates, how, value, nothing_computed):
    learner, pool = learner_for("table", how), edited(table(), value)
    message = "X_pool must .*finite.*NaN or infinity"
    assert_refused(name, learner, pool, ValueError, message, candidates=candidates)


@pytest.mark.parametrize("name", sorted(TEXTS_ONLY))
def test_tables_have_no_words(name, nothing_computed):
    assert_refused(name, learner_for("table"), table(), ValueError, "holds no nn.Embedding")


@pytest.mark.parametrize("name", ["bald", "batch_bald", "entropy", "least_confidence", "margin"])
@pytest.mark.parametrize(
    ("n_passes", "error", "message"),
    [
        (0, ValueError, "n_passes must be at least 1; found 0"),
        (-1, ValueError, "n_passes must be at least 1; found -1"),
        (2.5, TypeError, "n_passes must be a whole number; found 2.5"),
        (True, TypeError, "n_passes must be a whole number; found True"),
        ("5", TypeError, "n_passes must be a whole number; found '5'"),
    ],
)
def test_wrong_numbers_of_passes(name, n_passes, error, message, nothing_computed):
    for kind in ("text", "table"):
        learner = learner_for(kind)
        assert_refused(name, learner, samples_of(kind), error, message, n_passes=n_passes)


@pytest.mark.parametrize(
    ("name", "options"),
    [
        ("bald", {}),
        ("batch_bald", {}),
        *((name, {"n_passes": 5}) for name in ("entropy", "least_confidence", "margin")),
    ],
)
def test_nets_without_dropout(name, options, nothing_computed):
    message = "passes with dropout need a dropout layer with p > 0; .*Reader holds none"
    for net, pool in ((table_net(), table(n_features=5)), (attention_net(), IDS)):
        learner = member(net, pool)
        assert_refused(name, learner, pool, ValueError, message, **options)


def others_classes():
    nets = [net_for("text", n_outputs=n) for n in (2, 3)]
    return Committee([member(net, IDS) for net in nets], strategies.random_sampling)


def labels_beside_classes():
    nets = [net_for("text", several=several) for several in (False, True)]
    return Committee([member(net, IDS) for net in nets], strategies.random_sampling)


def untaught():
    learner = learner_for("text")
    learner.X_training = None
    return learner


@pytest.mark.parametrize("candidates", [None, most_uncertain], ids=["all", "function"])
@pytest.mark.parametrize(
    ("name", "make", "options", "message"),
    [
        ("bald", partial(learner_for, "text", "committee"), {"n_passes": 5}, "None for a comm.*5"),
        ("bald", labels_beside_classes, {}, "must be of one kind.*found both"),
        ("batch_bald", labels_beside_classes, {}, "must be of one kind.*found both"),
        (
            "batch_bald",
            partial(learner_for, "text", "committee"),
            {"n_passes": 5},
            "n_passes must be None for a committee.*found 5",
        ),
        ("bald", others_classes, {}, r"must know the same classes.*\[0, 1\], \[0, 1, 2\]"),
        ("batch_bald", others_classes, {}, r"must know the same classes.*\[0, 1\], \[0, 1, 2\]"),
        ("badge", None, {"output_layer": "x"}, "output_layer='x'.*no layer called.*out .Linear"),
        ("badge", None, {"output_layer": "words"}, "'words' is a Embedding, not an nn.Linear"),
        ("coreset", None, {"output_layer": "x"}, "output_layer='x'.*no layer called.*out .Linear"),
        ("dami_kmedoids", None, {"output_layer": "x"}, "output_layer='x'.*no layer called"),
        ("dami_kmedoids", None, {"embedding_layer": "x"}, "embedding_layer='x'.*no layer called"),
        ("alden_diversity", None, {"embedding_layer": "x"}, "embedding_layer='x'.*no layer"),
        ("alden_diversity", None, {"output_layer": "x"}, "output_layer='x'.*no layer"),
        ("egl_word", None, {"embedding_layer": "out"}, "'out' is a Linear, not an nn.Embedding"),
        ("dami_kmedoids", None, {"clustering": "kmeans"}, "clustering must be.*found 'kmeans'"),
        ("dami_kmedoids", None, {"target": "probs"}, "target must be 'proba' or.*found 'probs'"),
        ("dami_kmedoids", None, {"classes": "one"}, "classes must be 'all' or.*found 'one'"),
        ("alden_diversity", None, {"target": "probs"}, "target must be 'proba'.*found 'probs'"),
        ("coreset", untaught, {}, "X_training is None.*Pass them.*X_labeled="),
        ("alden_diversity", untaught, {}, "X_training is None.*Pass them.*X_labeled="),
        ("coreset", None, {"X_labeled": IDS[:0]}, "X_labeled must hold at least one sample"),
        ("coreset", None, {"X_labeled": IDS + 12}, "X_labeled must hold word ids.*found"),
        ("batch_bald", None, {"max_configurations": 0}, "max_configurations must be.*found 0"),
        ("batch_bald", None, {"n_samples": 0}, "n_samples must be at least 1; found 0"),
    ],
)
def test_options_of_their_own(name, make, options, message, candidates, nothing_computed):
    learner = make() if make else learner_for("text")
    options = {**options, "candidates": candidates}
    assert_refused(name, learner, IDS, ValueError, message, **options)


@pytest.mark.parametrize("name", LOOKING)
def test_verbose(name, nothing_computed):
    message = "verbose must be a whole number.*found 'loud'"
    assert_refused(name, learner_for("text"), IDS, TypeError, message, verbose="loud")


@every
def test_modal_passes_errors_on(name, nothing_computed):
    learner = learner_for("text")
    learner.query_strategy = getattr(strategies, name)
    with pytest.raises(ValueError, match="n_instances must lie between"):
        learner.query(IDS, n_instances=10)
