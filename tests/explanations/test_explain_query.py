"""What is refused, what is left alone, and how words, features and samples are named."""

import copy
import pickle
import random
from functools import partial, wraps

import numpy as np
import pandas as pd
import pytest
import scipy.stats
import torch
from modAL.models import ActiveLearner, Committee
from modAL.uncertainty import uncertainty_sampling
from sklearn.decomposition import PCA
from sklearn.ensemble import RandomForestClassifier
from sklearn.frozen import FrozenEstimator
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from modal_interp import (
    DeepEnsemble,
    TabularMLPClassifier,
    TextCNNClassifier,
    WordEncoder,
    alden_diversity,
    badge,
    bald,
    batch_bald,
    coreset,
    dami_kmedoids,
    egl,
    egl_word,
    entropy,
    exclude_duplicates,
    explain_query,
    features,
    least_confidence,
    make_reviews,
    make_sigmoid,
    margin,
    most_uncertain,
    open_query,
    random_sampling,
    strategies,
    top_k,
)
from modal_interp.explanations import Reason, Reasons
from modal_interp.explanations.names import spans_of
from tests.small_nets import initialized, word_ids

TEXTS, LABELS = make_reviews(70, random_state=0)
POOL = TEXTS[20:]
NAMED = np.array(["neg", "pos"])[LABELS]
ALL = [getattr(strategies, name) for name in strategies.__all__]


def taught(strategy=alden_diversity, seed=0, encoder=None, **params):
    encoder = encoder or WordEncoder().fit(TEXTS)
    sizes = {"module__n_filters": 4, "module__embedding_dim": 6}
    net = TextCNNClassifier(max_epochs=2, random_state=seed, **{**sizes, **params})
    pipeline = make_pipeline(FrozenEstimator(encoder), net)
    return ActiveLearner(pipeline, strategy, TEXTS[:20], NAMED[:20])


@pytest.fixture(scope="module")
def learner():
    return taught()


def asked(learner, strategy, n=4, pool=POOL, **options):
    learner.query_strategy = strategy
    return learner.query(pool, n_instances=n, **options)[0]


@pytest.mark.parametrize("strategy", ALL, ids=lambda strategy: strategy.__name__)
def test_nothing_is_changed(strategy, tmp_path, monkeypatch):
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    learner = taught(strategy)
    indices = learner.query(POOL, n_instances=3, random_state=0)[0]
    net, rng = learner.estimator[-1], np.random.RandomState(0)
    gradients = [parameter.grad for parameter in net.module_.parameters()]
    before = copy.deepcopy([net.module_.state_dict(), gradients]), held(learner)
    states = np.random.get_state()[1].tolist(), random.getstate(), torch.get_rng_state().tolist()  # noqa: NPY002
    found = explain_query(learner, POOL, indices, random_state=rng)
    assert found.checked
    assert rng.get_state()[1].tolist() == np.random.RandomState(0).get_state()[1].tolist()
    after = np.random.get_state()[1].tolist(), random.getstate(), torch.get_rng_state().tolist()  # noqa: NPY002
    assert after == states
    assert held(learner) == before[1]
    assert all(map(torch.equal, net.module_.state_dict().values(), before[0][0].values()))
    for parameter, known, was in zip(
        net.module_.parameters(), gradients, before[0][1], strict=True
    ):
        assert parameter.grad is known
        assert torch.equal(known, was)
    assert not any(tmp_path.iterdir())
    again = learner.query(POOL, n_instances=3, random_state=0)[0]
    assert again.tolist() == indices.tolist()


def held(learner):
    module = learner.estimator[-1].module_
    hooks = [
        (layer.training, len(layer._forward_hooks), len(layer._forward_pre_hooks))
        for layer in module.modules()
    ]
    frozen = [parameter.requires_grad for parameter in module.parameters()]
    return hooks, frozen, sorted(vars(learner)), id(learner.X_training), len(learner.y_training)


# What is refused, and what is not.


@pytest.mark.parametrize("strategy", ALL, ids=lambda strategy: strategy.__name__)
def test_indices_of_another_query_are_refused(learner, strategy):
    indices = asked(learner, strategy, random_state=0)
    others = np.setdiff1d(np.arange(len(POOL)), indices)[:4]
    for wrong in (others, np.roll(indices, 1)):
        with pytest.raises(ValueError, match="indices must be those of this query, in its order"):
            explain_query(learner, POOL, wrong, random_state=0)


def test_a_learner_that_was_taught_since_is_refused():
    learner = taught()
    indices, _, metrics = learner.query(POOL, n_instances=4, return_metrics=True)
    assert explain_query(learner, POOL, indices, metrics=metrics).metrics.tolist() == list(metrics)
    learner.teach(TEXTS[20:24], NAMED[20:24])
    with pytest.raises(ValueError, match=r"indices must be those|metrics must be those"):
        explain_query(learner, POOL, indices, metrics=metrics)


def test_a_net_that_was_trained_on_is_known_by_the_metrics():
    learner = taught(margin)
    pool = POOL[:3]
    indices, _, metrics = learner.query(pool, n_instances=1, return_metrics=True)
    with torch.no_grad():
        learner.estimator[-1].module_.output.weight *= 0.5
    with pytest.raises(ValueError, match="before the learner is taught again"):
        explain_query(learner, pool, indices, metrics=metrics)


@pytest.mark.parametrize("strategy", [bald, batch_bald, partial(entropy, n_passes=3)])
def test_what_was_drawn_from_nobody_knows_where_is_refused(learner, strategy):
    indices = asked(learner, strategy)
    with pytest.raises(ValueError, match="random_state must be that of the query, because"):
        explain_query(learner, POOL, indices)


@pytest.mark.parametrize("strategy", [badge, dami_kmedoids, random_sampling])
def test_a_choice_that_was_drawn_is_explained_unchecked(learner, strategy):
    indices = asked(learner, strategy, n=15, random_state=8)
    known = explain_query(learner, POOL, indices, random_state=8)
    found = explain_query(learner, POOL, indices)
    assert not found.checked
    assert known.checked
    assert "could not be checked" in str(found)
    pd.testing.assert_frame_equal(found.to_frame(), known.to_frame())
    with pytest.raises(ValueError, match="random_state must be that of the query"):
        explain_query(learner, POOL, indices, candidates=0.9)


def test_the_order_of_dami_is_checked_whatever_was_drawn(learner):
    indices = asked(learner, dami_kmedoids, random_state=8)
    sizes = explain_query(learner, POOL, indices).metrics
    assert sizes[0] > sizes[-1]
    with pytest.raises(ValueError, match="indices must be those of this query"):
        explain_query(learner, POOL, indices[::-1])


@pytest.mark.parametrize(
    ("indices", "error", "said"),
    [
        ([0.5], TypeError, "whole numbers"),
        ([], TypeError, "at least 1"),
        ([[1]], TypeError, "shape"),
        ([1, 1], ValueError, "distinct"),
        ([-1], ValueError, "from 0 to 49; found -1"),
        ([50], ValueError, "before the samples were taken out"),
    ],
)
def test_bad_indices(learner, indices, error, said):
    with pytest.raises(error, match=said):
        explain_query(learner, POOL, indices)


def test_a_strategy_that_is_none(learner):
    with pytest.raises(TypeError, match="strategy must be a query strategy"):
        explain_query(learner, POOL, [0], strategy="margin")
    with pytest.raises(TypeError, match="must be an ActiveLearner"):
        explain_query(learner.estimator, POOL, [0])


# Candidates.


def test_what_left_out_how_many(learner):
    pool = [*TEXTS[:5], *POOL]
    narrow = [exclude_duplicates, partial(most_uncertain, fraction=0.5), 20, 0.5, [0, 2, 4, 6]]
    options = {"candidates": narrow, "random_state": 1}
    for strategy in (margin, alden_diversity, coreset, badge, dami_kmedoids, random_sampling):
        indices = asked(learner, strategy, n=2, pool=pool, **options)
        found = explain_query(learner, pool, indices, **options)
        assert [(step.by, step.n_before, step.n_left) for step in found.narrowing] == [
            ("exclude_duplicates", 55, 50),
            ("most_uncertain(fraction=0.5)", 50, 25),
            ("20 at random", 25, 20),
            ("a share of 0.5 at random", 20, 10),
            ("the rows given", 10, 4),
        ]
        assert [step.drew for step in found.narrowing] == [False, False, True, True, False]
        assert (found.n_pool, found.n_candidates) == (55, 4)
        assert "candidates=exclude_duplicates left 50 of 55." in str(found)
        assert [one.sample for one in found] == [pool[i] for i in indices]


def test_a_strategy_as_candidates_is_not_taken_for_the_strategy(learner):
    options = {"candidates": lambda asker, X: entropy(asker, X, 9)}
    indices = asked(learner, margin, **options)
    found = explain_query(learner, POOL, indices, **options)
    assert found.strategy == "margin"
    assert found.metric_name.startswith("uncertainty, 1 less the gap")
    assert found.n_candidates == 9


# Strategies of one's own.


def by_length(learner, X_pool, n_instances=1, **options):
    query = open_query(learner, X_pool, n_instances, **options)
    scores = (query.views[0].pool != 0).sum(axis=1)
    chosen = top_k(scores, n_instances)
    return query.answer(chosen, scores[chosen])


def test_a_strategy_by_open_query_is_checked(learner):
    indices = asked(learner, by_length, candidates=30, random_state=2)
    found = explain_query(learner, POOL, indices, candidates=30, random_state=2)
    assert found.strategy == "by_length"
    assert found.checked
    assert found.n_candidates == 30
    assert found.metrics.tolist() == sorted(found.metrics, reverse=True)
    assert "by_length does not say why" in found[0].sentence
    assert found[0].words.names == tuple(
        learner.estimator[0].estimator.tokenize([found[0].sample])[0]
    )
    with pytest.raises(ValueError, match="indices must be"):
        explain_query(learner, POOL, indices[::-1], candidates=30, random_state=2)


@wraps(margin)
def wrapped(*args, **kwargs):
    return margin(*args, **kwargs)


def of_a_part(learner, X_pool, n_instances=1):
    """Whose rows are not those that the strategy inside answers."""
    found = margin(learner, X_pool[10:], n_instances)
    rows = found[0] if isinstance(found, tuple) else found
    return (rows + 10, np.ones(n_instances)) if isinstance(found, tuple) else rows + 10


@pytest.mark.parametrize(
    "strategy", [partial(margin, reverse=True), partial(partial(margin), reverse=True)]
)
def test_partials_are_looked_through(learner, strategy):
    indices = asked(learner, strategy)
    found = explain_query(learner, POOL, indices)
    assert (found.strategy, found.options) == ("margin", {"reverse": True})
    assert found.metrics.tolist() == sorted(found.metrics)


def test_a_wrapped_strategy(learner):
    indices = asked(learner, wrapped)
    assert explain_query(learner, POOL, indices).checked


@pytest.mark.parametrize("strategy", [of_a_part, uncertainty_sampling])
def test_a_foreign_strategy(learner, strategy):
    indices = asked(learner, strategy)
    found = explain_query(learner, POOL, indices)
    assert found.strategy == strategy.__name__
    assert "does not say why" in found[0].sentence
    assert found[0].proba.classes == ("neg", "pos")
    assert found[0].words is not None
    other = explain_query(learner, POOL, indices[::-1])
    assert not other.checked
    assert np.isnan(other.metrics).all()


# Names.


def test_words_are_those_of_the_text():
    encoder = WordEncoder().fit(TEXTS[:40])
    learner = taught(alden_diversity, encoder=encoder)
    pool = [*POOL[:5], "Zyzzyva, a GOOD zyzzyva {film}!", "", "   "]
    indices = learner.query(pool, n_instances=len(pool))[0]
    found = {one.index: one for one in explain_query(learner, pool, indices)}
    words = found[5].words
    assert words.names == ("zyzzyva", ",", "a", "good", "zyzzyva", "{", "film", "}", "!")
    assert words.known[0] == words.known[4] == False  # noqa: E712
    assert words.known[2]
    assert found[5].sentence
    text = found[5].sample
    assert [text[start:end].lower() for start, end in words.spans] == list(words.names)
    for empty in (6, 7):
        assert found[empty].words.names == ()
        assert found[empty].metric == -np.inf
        assert "no words" in found[empty].sentence


@pytest.mark.parametrize(
    ("text", "tokens", "expected"),
    [
        ("A film, a FILM", ["a", "film", ",", "a", "film"], ["A", "film", ",", "a", "FILM"]),
        ("\u0130stanbul ok", ["i", "stanbul", "ok"], []),  # lowered, it is longer
        ("films", ["film"], ["film"]),
        ("went", ["go"], []),
        ("", [], []),
        (
            "<b>\U0001f600 \u05e9\u05dc\u05d5\u05dd",
            ["<", "b", ">", "\U0001f600"],
            ["<", "b", ">", "\U0001f600"],
        ),
    ],
)
def test_where_words_lie(text, tokens, expected):
    assert [text[start:end] for start, end in spans_of(text, tokens)] == expected


def test_the_counterpart_is_the_labelled_text(learner):
    indices = asked(learner, alden_diversity, n=6)
    for one in explain_query(learner, POOL, indices):
        other = one.counterpart
        tokens = learner.estimator[0].estimator.tokenize([other.sample])[0]
        assert other.name == tokens[other.position]
        assert other.sample[slice(*other.span)].lower() == other.name
        if other.source == "labelled":
            assert (other.sample, other.label) == (TEXTS[other.index], NAMED[other.index])
        else:
            assert other.sample == POOL[other.index]
            assert other.index in indices
        if not other.stands_in:
            assert other.name == one.words.names[one.words.decided]
            assert other.gap == 0


def test_ids_are_named_by_an_encoder_that_is_given():
    encoder = WordEncoder().fit(TEXTS)
    ids = encoder.transform(TEXTS)
    net = TextCNNClassifier(max_epochs=1, random_state=0)
    learner = ActiveLearner(net, egl_word, ids[:20], NAMED[:20])
    indices = learner.query(ids[20:], n_instances=2)[0]
    plain, named = (
        explain_query(learner, ids[20:], indices, encoder=given)[0] for given in (None, encoder)
    )
    assert plain.words.names[0] == str(plain.words.ids[0][0])
    assert named.words.names == tuple(encoder.tokenize([TEXTS[20 + named.index]])[0])


@pytest.mark.parametrize("strategy", [dami_kmedoids, margin, coreset, egl, badge, bald])
@pytest.mark.parametrize("scaled", [False, True])
def test_features_have_the_names_of_columns(strategy, scaled):
    X, y = make_sigmoid(60, random_state=0)
    X = pd.DataFrame(X, columns=["left", "right"]).astype(np.float32)
    net = TabularMLPClassifier(max_epochs=2, random_state=0, module__dropout=0.3)
    steps = [StandardScaler().set_output(transform="pandas")] if scaled else []
    learner = ActiveLearner(make_pipeline(*steps, net), strategy, X[:20], y[:20])
    indices = learner.query(X[20:], n_instances=3, random_state=0)[0]
    found = explain_query(learner, X[20:], indices, random_state=0)
    for one in found:
        assert one.features.names == ("left", "right")
        assert one.features.contributions.shape == (2, 1)
        assert one.features.outputs == ("1",)
        assert (one.features.decided is not None) == (strategy is dami_kmedoids)
        assert one.sample.tolist() == X[20:].iloc[one.index].tolist()
    if strategy is dami_kmedoids:
        assert "“left”" in found[0].sentence or "“right”" in found[0].sentence


def test_any_classifier():
    X, y = make_sigmoid(60, random_state=0)
    members = [
        ActiveLearner(RandomForestClassifier(5, random_state=0), bald, X[:20], y[:20]),
        ActiveLearner(LogisticRegression(), bald, X[:20], y[:20]),
    ]
    committee = Committee(members, bald)
    indices = committee.query(X[20:], n_instances=3)[0]
    found = explain_query(committee, X[20:], indices)
    assert found.n_members == 2
    assert found[0].proba.of == "members"
    assert found[0].words is found[0].features is None
    members[0].query_strategy = random_sampling
    indices = members[0].query(X[20:], n_instances=3)[0]
    assert explain_query(members[0], X[20:], indices)[0].proba.classes == ("0", "1")


@pytest.mark.parametrize("strategy", ALL, ids=lambda strategy: strategy.__name__)
def test_committees_and_ensembles(strategy):
    encoder = FrozenEstimator(WordEncoder().fit(TEXTS))
    sizes = {"module__n_filters": 4, "module__embedding_dim": 6}
    net = TextCNNClassifier(max_epochs=1, random_state=0, **sizes)
    ensemble = DeepEnsemble(net, n_members=2, random_state=0)
    alone = ActiveLearner(make_pipeline(encoder, ensemble), strategy, TEXTS[:20], NAMED[:20])
    # Members that were taught other texts.
    members = [
        ActiveLearner(
            make_pipeline(encoder, copy.deepcopy(net)), strategy, TEXTS[start:20], NAMED[start:20]
        )
        for start in (0, 5)
    ]
    for asker in (alone, Committee(members, strategy)):
        indices = asker.query(POOL, n_instances=4, random_state=0)[0]
        found = explain_query(asker, POOL, indices, random_state=0)
        assert found.n_members == 2
        assert found[0].words.outputs == ("pos (member 1)", "pos (member 2)")
        assert found[0].proba.by.shape == (2, 2)
        labelled = [TEXTS[i] for i in range(20)]
        for one in found:
            near = [near for near in one.neighbours if near.source == "labelled"]
            assert all(sample in labelled for part in near for sample in part.samples)
            assert one.counterpart is None or one.counterpart.sample in [*labelled, *POOL]


@pytest.mark.parametrize("strategy", ALL, ids=lambda strategy: strategy.__name__)
def test_several_labels_and_many_classes(strategy):
    encoder = FrozenEstimator(WordEncoder().fit(TEXTS))
    several = np.column_stack([LABELS, 1 - LABELS, np.arange(70) % 2])
    many = np.arange(70) % 5
    for y, n in ((several, 3), (many, 5)):
        net = TextCNNClassifier(max_epochs=1, random_state=0, module__n_filters=4)
        learner = ActiveLearner(make_pipeline(encoder, net), strategy, TEXTS[:20], y[:20])
        indices = learner.query(POOL, n_instances=3, random_state=0)[0]
        found = explain_query(learner, POOL, indices, random_state=0)
        assert found.several == (n == 3)
        assert found.classes == tuple(map(str, range(n)))
        assert found[0].words.outputs == found.classes
        assert found.to_frame().shape[0] == 3


def test_it_can_be_kept(learner):
    indices = asked(learner, alden_diversity)
    found = explain_query(learner, POOL, indices)
    kept = pickle.loads(pickle.dumps(found))
    assert str(kept) == str(found)
    assert kept[1:][0].index == found[1].index
    assert repr(kept[0]).startswith(f"<Explanation of {indices[0]}: Its word")
    assert repr(kept) == "<QueryExplanation of 4 samples by alden_diversity>"


def test_a_frame_has_a_row_a_sample(learner):
    for strategy in (alden_diversity, egl_word, least_confidence, coreset):
        indices = asked(learner, strategy)
        frame = explain_query(learner, POOL, indices).to_frame()
        assert frame.index.tolist() == indices.tolist()
        assert frame["sample"].tolist() == [POOL[i] for i in indices]
        assert {"metric", "predicted", "probability", "sentence"} <= set(frame)
    assert "nearest labelled" in frame


def by_length_with_reasons(learner, X_pool, n_instances=1):
    query = open_query(learner, X_pool, n_instances)
    scores = (query.views[0].pool != 0).sum(axis=1)
    chosen = top_k(scores, n_instances)

    def why(places):
        said = "It has {:.0f} words, {{word}} the first."
        found = [Reason(scores[i], said.format(scores[i])) for i in places]
        return Reasons("number of words", tuple(found))

    return query.answer(chosen, scores[chosen], why=why)


def test_a_strategy_may_say_why_itself(learner):
    indices = asked(learner, by_length_with_reasons)
    found = explain_query(learner, POOL, indices)
    assert found.metric_name == "number of words"
    assert found[0].sentence.startswith(f"It has {found[0].metric:.0f} words")
    assert found[0].metric == len(found[0].words.names)


class Ids(torch.utils.data.Dataset):
    def __init__(self, X):
        self.X = X

    def __len__(self):
        return len(self.X)

    def __getitem__(self, i):
        return self.X[i], np.array(0)


@pytest.mark.parametrize("strategy", ALL, ids=lambda strategy: strategy.__name__)
@pytest.mark.parametrize("kind", [list, pd.Series, Ids])
def test_pools_of_any_kind(strategy, kind):
    ids = WordEncoder().fit_transform(TEXTS)
    net = TextCNNClassifier(max_epochs=1, random_state=0, module__n_filters=4)
    net.fit(ids[:20], NAMED[:20])
    if kind in (list, pd.Series):
        encoder = WordEncoder().fit(TEXTS)
        pool, estimator = kind(POOL), make_pipeline(FrozenEstimator(encoder), net)
        labelled = TEXTS[:20]
    else:
        pool, estimator, labelled = kind(ids[20:]), net, ids[:20]
    learner = ActiveLearner(estimator, strategy)
    learner.X_training, learner.y_training = labelled, NAMED[:20]
    options = {"random_state": 0}
    answer = strategy(learner, pool, n_instances=3, **options)
    indices = answer[0] if isinstance(answer, tuple) else answer
    found = explain_query(learner, pool, indices, **options)
    assert found.checked
    assert len(found.to_frame()) == len(str(found).split("\n\n")) - 1 == 3
    if kind is Ids:
        assert found[0].sample is None


def test_of_several_classes_the_predicted_one_is_shown():
    encoder, y = FrozenEstimator(WordEncoder().fit(TEXTS)), np.arange(70) % 4
    net = TextCNNClassifier(max_epochs=1, random_state=0, module__n_filters=4)
    learner = ActiveLearner(make_pipeline(encoder, net), entropy, TEXTS[:20], y[:20])
    indices = learner.query(POOL, n_instances=5)[0]
    for one in explain_query(learner, POOL, indices):
        assert one.words.outputs[one.words.shown] == one.proba.classes[one.proba.mean.argmax()]
    indices = asked(learner, alden_diversity, classes="predicted")
    for one in explain_query(learner, POOL, indices, classes="predicted"):
        assert one.words.outputs == (one.proba.classes[one.proba.mean.argmax()],)


class DropsByItself(torch.nn.Module):
    """Whose recurrent layers draw for each sample of a batch."""

    def __init__(self):
        super().__init__()
        self.words = torch.nn.Embedding(60, 4)
        self.read = torch.nn.LSTM(4, 5, num_layers=2, dropout=0.5, batch_first=True)
        self.out = torch.nn.Linear(5, 2)

    def forward(self, ids):
        return self.out(self.read(self.words(ids))[0].mean(dim=1))


@pytest.mark.parametrize("strategy", [bald, partial(entropy, n_passes=4)])
def test_passes_of_layers_that_drop_by_themselves_are_those_of_the_query(strategy):
    net = initialized(DropsByItself, classes=[0, 1], criterion=torch.nn.CrossEntropyLoss)
    learner, pool = ActiveLearner(net, strategy), word_ids(30, n_words=60)
    indices, _, metrics = learner.query(pool, n_instances=4, random_state=0, return_metrics=True)
    for one in explain_query(learner, pool, indices, random_state=0, metrics=metrics):
        expected = scipy.stats.entropy(one.proba.mean)
        if strategy is bald:
            expected -= scipy.stats.entropy(one.proba.by, axis=1).mean()
        np.testing.assert_allclose(one.metric, expected, atol=1e-9)


MAPPED = {"badge": "gradient embeddings", "dami_kmedoids": "interpretations"}


@pytest.mark.parametrize("strategy", ALL, ids=lambda strategy: strategy.__name__)
def test_a_map_of_the_pool(learner, strategy):
    options = {"candidates": [partial(most_uncertain, fraction=0.8)], "random_state": 0}
    indices = asked(learner, strategy, **options)
    assert explain_query(learner, POOL, indices, **options).pool_map is None
    found = explain_query(learner, POOL, indices, pool_map=True, **options)
    drawn = found.pool_map
    assert drawn.of == MAPPED.get(strategy.__name__, "features")
    assert len(drawn.indices) == found.n_candidates == 40
    assert set(indices) <= set(drawn.indices)
    assert drawn.points.shape == (40, 2)
    assert drawn.labelled.shape == (20, 2)
    assert np.isfinite(drawn.points).all()
    assert 0 < drawn.explained.sum() <= 1.0001
    # As scikit-learn's own, but for signs.
    if drawn.of == "features":
        net, encoder = learner.estimator[-1], learner.estimator[0]
        X = encoder.transform([*[POOL[i] for i in drawn.indices], *TEXTS[:20]])
        expected = PCA(2).fit_transform(features(net, X))
        np.testing.assert_allclose(
            np.abs(expected), np.abs([*drawn.points, *drawn.labelled]), atol=1e-4
        )


def test_what_has_no_map():
    X, y = make_sigmoid(60, random_state=0)
    forest = ActiveLearner(RandomForestClassifier(5, random_state=0), margin, X[:20], y[:20])
    indices = forest.query(X[20:], n_instances=3)[0]
    drawn = explain_query(forest, X[20:], indices, pool_map=True).pool_map
    assert drawn.of == "probabilities"
    assert drawn.labelled.shape == (0, 2)


ODD = [
    "<script>alert('x')</script> & \"q\"",
    "\u05e9\u05dc\u05d5\u05dd \u05e2\u05d5\u05dc\u05dd",
    "\U0001f600 fine",
    "word " * 10_000,
    "",
    "x" * 5_000,
    "{0} {word} %s",
]


@pytest.mark.parametrize("strategy", [alden_diversity, egl_word, entropy, egl, bald, dami_kmedoids])
@pytest.mark.parametrize("columns", ["80", "30"])
def test_odd_texts_are_told_of_in_bounded_size(strategy, columns, monkeypatch):
    monkeypatch.setenv("COLUMNS", columns)
    encoder = FrozenEstimator(WordEncoder().fit([*TEXTS, *ODD]))
    net = TextCNNClassifier(max_epochs=1, random_state=0, module__n_filters=4)
    y = np.array(["{a}", "{word}"])[LABELS[:20]]
    learner = ActiveLearner(make_pipeline(encoder, net), strategy, TEXTS[:20], y)
    indices = learner.query(ODD, n_instances=7, random_state=0)[0]
    found = explain_query(learner, ODD, indices, random_state=0)
    for one in found:
        assert len(str(one)) < 2_000
        assert max(map(len, str(one).splitlines())) <= max(40, int(columns))
        assert len(one.words.spans) == len(one.words.names)
    if strategy is entropy:
        assert "{word}" in found[0].sentence
        assert "{a}" in found[0].sentence
