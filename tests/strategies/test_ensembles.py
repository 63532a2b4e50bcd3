"""Every strategy sees the members of a DeepEnsemble as it sees those of a Committee."""

import copy
import pickle
from unittest import mock

import numpy as np
import pytest
import torch
from modAL.models import ActiveLearner, Committee
from sklearn.base import clone
from sklearn.ensemble import HistGradientBoostingClassifier, RandomForestClassifier
from sklearn.exceptions import NotFittedError
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.frozen import FrozenEstimator
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer, StandardScaler

from modal_interp import (
    DeepEnsemble,
    TabularMLPClassifier,
    TextCNNClassifier,
    WordEncoder,
    make_reviews,
    open_query,
    strategies,
)
from modal_interp.strategies.narrowing import exclude_duplicates, most_uncertain
from tests.strategies.test_properties import (
    EVERY,
    assert_distinct_rows,
    chosen_by,
    net_for,
    on_all_samples,
    samples_of,
)

PASSES = ["entropy", "least_confidence", "margin"]
ANY_CLASSIFIER = ["bald", "batch_bald", "random_sampling", *PASSES]


def ensemble_of(members):
    """A fitted ensemble of these members."""
    found = DeepEnsemble(members[0], len(members))
    found.estimators_ = list(members)
    found.classes_, found.multilabel_ = members[0].classes_, False
    return found


def teaching(estimator, labeled):
    """A learner that was taught these samples, whose estimator is as it was."""
    learner = ActiveLearner(estimator, strategies.random_sampling)
    learner.X_training = labeled
    return learner


def committee_of(learners):
    committee = Committee.__new__(Committee)
    committee.learner_list, committee.X_training = list(learners), None
    return committee


def answer(name, learner, pool, n, **options):
    """Rows and metrics, as every modAL would get them."""
    with mock.patch("modal_interp.queries.query.query_result", lambda _, *result: result):
        indices, metrics = getattr(strategies, name)(learner, pool, n, random_state=3, **options)
    return indices.tolist(), metrics.tolist()


def bare(nets):
    return ensemble_of(nets)


def pipelines(nets):
    step = FrozenEstimator(FunctionTransformer())
    return ensemble_of([make_pipeline(step, net) for net in nets])


def behind_steps(nets):
    around = FrozenEstimator(FunctionTransformer())
    return make_pipeline("passthrough", around, ensemble_of(nets))


def frozen(nets):
    return FrozenEstimator(ensemble_of([FrozenEstimator(net) for net in nets]))


def searched(nets):
    search = GridSearchCV(DeepEnsemble(nets[0]), {})
    search.best_estimator_ = make_pipeline(FunctionTransformer(), ensemble_of(nets))
    return search


def nested(nets):
    return ensemble_of([ensemble_of(nets[:2]), *nets[2:]])


WAYS = [bare, pipelines, behind_steps, frozen, searched, nested]


@pytest.mark.parametrize(("name", "kind"), on_all_samples(EVERY))
@pytest.mark.parametrize(("several", "n_outputs"), [(False, 2), (False, 3), (True, 3)])
def test_same_choice_as_a_committee_of_the_members(name, kind, several, n_outputs):
    pool, labeled = samples_of(kind, 12), samples_of(kind, 4, seed=1)
    nets = [net_for(kind, several, n_outputs) for _ in range(3)]
    committee = committee_of(teaching(net, labeled) for net in nets)
    for way in WAYS:
        options = {"candidates": 9} if way is behind_steps else {}
        expected = answer(name, committee, pool, 5, **options)
        assert answer(name, teaching(way(nets), labeled), pool, 5, **options) == expected, way
        assert_distinct_rows(expected[0], 5, pool)


@pytest.mark.parametrize(("name", "kind"), on_all_samples(EVERY))
def test_one_member_is_one_net(name, kind):
    pool, labeled = samples_of(kind), samples_of(kind, 4, seed=1)
    net = net_for(kind)
    options = [{}, {"n_passes": 4}] if name in ("bald", "batch_bald", *PASSES) else [{}]
    for given in options:
        expected = answer(name, teaching(net, labeled), pool, 4, **given)
        one = teaching(ensemble_of([net]), labeled)
        assert answer(name, one, pool, 4, **given) == expected


@pytest.mark.parametrize("name", PASSES)
def test_passes_with_dropout_of_each_member(name):
    nets = [net_for("text") for _ in range(3)]
    committee = committee_of(teaching(net, None) for net in nets)
    expected = answer(name, committee, samples_of("text"), 4, n_passes=3)
    ensemble = teaching(ensemble_of(nets), None)
    assert answer(name, ensemble, samples_of("text"), 4, n_passes=3) == expected


@pytest.mark.parametrize("name", ["bald", "batch_bald"])
def test_several_members_are_no_passes(name):
    ensemble = teaching(ensemble_of([net_for("text"), net_for("text")]), None)
    with pytest.raises(ValueError, match=r"n_passes must be None for a committee or an ensemble"):
        getattr(strategies, name)(ensemble, samples_of("text"), 2, n_passes=4)


@pytest.mark.parametrize(("name", "kind"), on_all_samples(EVERY))
def test_a_committee_of_ensembles_is_one_of_all_members(name, kind):
    pool, nets = samples_of(kind, 14), [net_for(kind) for _ in range(4)]
    taught = [samples_of(kind, 4, seed=1), samples_of(kind, 5, seed=2)]
    each = zip((nets[:3], nets[3:]), taught, strict=True)
    ensembles = committee_of(teaching(ensemble_of(n), X) for n, X in each)
    sets = [taught[0]] * 3 + [taught[1]]
    pairs = zip(nets, sets, strict=True)
    members = committee_of(teaching(net, X) for net, X in pairs)
    assert answer(name, ensembles, pool, 5) == answer(name, members, pool, 5)


@pytest.mark.parametrize("narrow", [most_uncertain, exclude_duplicates])
def test_candidates_by_a_function(narrow):
    nets, labeled = [net_for("text") for _ in range(3)], samples_of("text", 4, seed=1)
    committee = committee_of(teaching(net, labeled) for net in nets)
    ensemble = teaching(ensemble_of(nets), labeled)
    pool = np.concatenate([samples_of("text", 9), labeled])
    assert narrow(ensemble, pool).tolist() == narrow(committee, pool).tolist()


# Any classifiers.

TEXTS, SIDES = make_reviews(60, random_state=1)
ROWS = np.random.RandomState(0).normal(size=(60, 4)).astype(np.float32)
CLASSES = (ROWS[:, 0] > 0.3).astype(int) + (ROWS[:, 1] > 0)
SEVERAL = (ROWS[:, :3] > 0).astype(int)


@pytest.mark.parametrize("name", ANY_CLASSIFIER)
@pytest.mark.parametrize("y", [CLASSES, SEVERAL], ids=["classes", "labels"])
@pytest.mark.parametrize("around", [False, True])
def test_classifiers_that_are_no_nets(name, y, around):
    forest = RandomForestClassifier(5)
    ensemble = DeepEnsemble(forest, 3, bootstrap=True, random_state=0)
    estimator = make_pipeline(StandardScaler(), ensemble) if around else ensemble
    learner = ActiveLearner(estimator, X_training=ROWS[:30], y_training=y[:30])
    members = ensemble.estimators_
    if around:
        members = [make_pipeline(estimator[0], member) for member in members]
    committee = committee_of(teaching(m, ROWS[:30]) for m in members)
    assert answer(name, learner, ROWS, 5) == answer(name, committee, ROWS, 5)


@pytest.mark.parametrize("name", ["margin", "bald"])
@pytest.mark.parametrize("around", [False, True])
@pytest.mark.parametrize("as_texts", [list, np.array])
def test_texts_and_sparse_rows(name, around, as_texts):
    texts = as_texts(TEXTS)
    ensemble = DeepEnsemble(LogisticRegression(), 3, bootstrap=True, random_state=0)
    pipeline = make_pipeline(TfidfVectorizer(), LogisticRegression())
    whole = clone(ensemble).set_params(estimator=pipeline)
    estimator = make_pipeline(TfidfVectorizer(), ensemble) if around else whole
    learner = ActiveLearner(estimator, getattr(strategies, name), texts[:30], SIDES[:30])
    rows, asked = learner.query(texts[30:], n_instances=4, candidates=20, random_state=0)[:2]
    assert_distinct_rows(np.asarray(rows).tolist(), 4, texts[30:])
    learner.teach(asked, SIDES[30:][np.asarray(rows)])
    assert learner.predict(texts).shape == (60,)


def test_forests_and_votes_are_one_classifier():
    forest = RandomForestClassifier(5, random_state=0).fit(ROWS, CLASSES)
    assert len(open_query(ActiveLearner(forest), ROWS, 1, any_classifier=True).views) == 1


# What is seen, and how often.


class Counting(FunctionTransformer):
    """Counts how often it is asked."""

    n_asked = 0

    def transform(self, X):
        type(self).n_asked += 1
        return super().transform(X)


@pytest.mark.parametrize("way", [pipelines, behind_steps], ids=lambda way: way.__name__)
@pytest.mark.parametrize("committee", [False, True])
def test_shared_steps_are_asked_once(way, committee, monkeypatch):
    monkeypatch.setitem(globals(), "FunctionTransformer", Counting)
    nets, labeled = [net_for("text") for _ in range(4)], samples_of("text", 4, seed=1)
    learner = teaching(way(nets), labeled)
    if committee:  # of members with one encoder
        step = Counting()
        members = [make_pipeline(FrozenEstimator(step), net) for net in nets]
        learner = committee_of(teaching(member, labeled) for member in members)
    Counting.n_asked = 0
    query = open_query(learner, samples_of("text", 9), 2, needs_labeled=True, candidates=5)
    assert Counting.n_asked == 2  # the pool and the labelled samples
    assert len(query.views) == 4
    assert len({id(view.pool) for view in query.views}) == 1
    assert [len(view.pool) for view in query.views] == [5] * 4


def test_steps_of_each_member_are_its_own():
    pipeline = make_pipeline(StandardScaler(), TabularMLPClassifier(max_epochs=1))
    ensemble = DeepEnsemble(pipeline, 3, bootstrap=True, random_state=0)
    learner = ActiveLearner(ensemble, X_training=ROWS[:20], y_training=CLASSES[:20])
    views = open_query(learner, ROWS, 1).views
    for view, member in zip(views, ensemble.estimators_, strict=True):
        np.testing.assert_array_equal(view.pool, member[0].transform(ROWS))
    assert not np.array_equal(views[0].pool, views[1].pool)


# modAL.


ENCODER = WordEncoder().fit(TEXTS)


def reader(**options):
    sizes = {"module__embedding_dim": 4, "module__n_filters": 4, "n_words": ENCODER.n_words_}
    return TextCNNClassifier(classes=[0, 1], max_epochs=1, **sizes, **options)


@pytest.mark.parametrize("name", EVERY)
@pytest.mark.parametrize("around", [False, True])
def test_query_teach_and_pickle(name, around):
    net = reader() if around else make_pipeline(FrozenEstimator(ENCODER), reader())
    ensemble = DeepEnsemble(net, 2, random_state=0)
    estimator = make_pipeline(FrozenEstimator(ENCODER), ensemble) if around else ensemble
    strategy = getattr(strategies, name)
    learner = ActiveLearner(estimator, strategy, TEXTS[:10], SIDES[:10])
    pool, options = TEXTS[10:], {"n_instances": 2, "random_state": 0}
    indices, asked, metrics = learner.query(pool, **options, return_metrics=True)
    assert_distinct_rows(indices.tolist(), 2, pool)
    assert asked.tolist() == pool[indices].tolist()
    assert metrics.dtype == np.float64
    again = pickle.loads(pickle.dumps(learner))
    assert again.query(pool, **options)[0].tolist() == indices.tolist()
    learner.teach(asked, SIDES[10:][indices])
    assert len(learner.X_training) == 12
    assert len(learner.query(pool, **options)[0]) == 2


def test_two_learners_of_ensembles_in_modals_committee():
    def taught(seed):
        ensemble = DeepEnsemble(TabularMLPClassifier(max_epochs=1), 2, random_state=seed)
        return ActiveLearner(ensemble, X_training=ROWS[:20], y_training=CLASSES[:20])

    committee = Committee([taught(0), taught(1)], strategies.bald)
    assert committee.classes_.tolist() == [0, 1, 2]
    indices, asked = committee.query(ROWS[20:], n_instances=3)
    committee.teach(asked, CLASSES[20:][indices])
    assert committee.predict(ROWS).shape == (60,)


def test_members_are_left_as_they_were_found():
    ensemble = DeepEnsemble(reader(), 2, random_state=0)
    ids = ENCODER.transform(TEXTS)
    learner = ActiveLearner(ensemble, X_training=ids[:10], y_training=SIDES[:10])
    proba, state = ensemble.predict_proba(ids), torch.get_rng_state()
    held = copy.copy(vars(ensemble))
    for name in EVERY:
        chosen_by(name, learner, ids, 3)
    assert vars(ensemble) == held
    np.testing.assert_array_equal(ensemble.predict_proba(ids), proba)
    assert torch.equal(torch.get_rng_state(), state)


# Errors, and missing values.


@pytest.mark.parametrize(
    ("estimator", "error", "message"),
    [
        (DeepEnsemble(net_for("table")), NotFittedError, "DeepEnsemble is not fitted yet"),
        (
            make_pipeline(FunctionTransformer(), DeepEnsemble(LogisticRegression())),
            NotFittedError,
            "DeepEnsemble is not fitted yet",
        ),
        (
            DeepEnsemble(LogisticRegression(), 2).fit(ROWS, CLASSES),
            TypeError,
            "must be a skorch net, alone .*; found a LogisticRegression",
        ),
        (GridSearchCV(DeepEnsemble(net_for("table")), {}), NotFittedError, "no best_estimator_"),
    ],
    ids=["alone", "pipeline", "no net", "search"],
)
def test_what_is_no_fitted_ensemble_of_nets(estimator, error, message):
    with pytest.raises(error, match=message):
        strategies.badge(teaching(estimator, None), ROWS, 2)


def test_missing_values_where_the_members_take_them():
    holes = ROWS.copy()
    holes[::4, 1] = np.nan
    trees = DeepEnsemble(HistGradientBoostingClassifier(max_iter=2, max_leaf_nodes=4), 2)
    net = TabularMLPClassifier(max_epochs=1)
    for estimator in (
        trees,
        make_pipeline(SimpleImputer(), DeepEnsemble(net, 2)),
        DeepEnsemble(make_pipeline(SimpleImputer(), net), 2),
    ):
        learner = ActiveLearner(estimator, strategies.margin, ROWS[:20], CLASSES[:20])
        indices, asked = learner.query(holes[20:], n_instances=9, candidates=range(0, 40, 4))
        learner.teach(asked, CLASSES[20:][indices])
        assert np.isnan(learner.X_training).any()
        strategies.random_sampling(learner, holes, 5)
    assert ActiveLearner(trees, X_training=holes, y_training=CLASSES).estimator is trees
    learner = ActiveLearner(DeepEnsemble(net, 2), X_training=ROWS, y_training=CLASSES)
    with pytest.raises(ValueError, match=r"X_pool must hold a value everywhere.*DeepEnsemble tak"):
        strategies.random_sampling(learner, holes, 5)
    with pytest.raises(ValueError, match="NaN"):
        ActiveLearner(DeepEnsemble(net, 2), X_training=holes, y_training=CLASSES)


def test_a_strategy_of_ones_own_sees_a_view_a_member():
    learner = teaching(ensemble_of([net_for("text") for _ in range(3)]), None)
    assert len(open_query(learner, samples_of("text"), 1).views) == 3
