"""Strategies that need only probabilities ask any fitted classifier, not nets alone."""

from functools import partial

import numpy as np
import pandas as pd
import pytest
import scipy.sparse as sp
from modAL.models import ActiveLearner, Committee
from scipy.stats import entropy as entropy_of
from sklearn.calibration import CalibratedClassifierCV
from sklearn.compose import make_column_transformer
from sklearn.dummy import DummyClassifier
from sklearn.ensemble import (
    HistGradientBoostingClassifier,
    RandomForestClassifier,
    VotingClassifier,
)
from sklearn.exceptions import NotFittedError
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.frozen import FrozenEstimator
from sklearn.linear_model import LinearRegression, LogisticRegression
from sklearn.model_selection import GridSearchCV
from sklearn.multiclass import OneVsRestClassifier
from sklearn.multioutput import ClassifierChain, MultiOutputClassifier
from sklearn.naive_bayes import GaussianNB
from sklearn.neighbors import KNeighborsClassifier
from sklearn.neural_network import MLPClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder
from sklearn.svm import SVC

from modal_interp import (
    TabularMLPClassifier,
    alden_diversity,
    badge,
    bald,
    batch_bald,
    coreset,
    dami_kmedoids,
    egl,
    egl_word,
    entropy,
    entropy_scores,
    least_confidence,
    least_confidence_scores,
    make_reviews,
    margin,
    margin_scores,
    most_uncertain,
)
from modal_interp.nets.predictions import predictions
from tests import reference_selectors
from tests import reference_strategies as reference

TEXTS, SIDES = make_reviews(160, random_state=3)
RNG = np.random.RandomState(0)
X = RNG.normal(size=(120, 4)).astype(np.float32)
Y = (X[:, 0] > 0.3).astype(int) + (X[:, 1] > 0)  # three classes
LABELS = np.column_stack([X[:, 0] > 0, X[:, 1] > 0.5, X[:, 2] > -0.5]).astype(int)
words = partial(make_pipeline, TfidfVectorizer())


def rows_of(answer):
    """The rows, whatever this modAL gives beside them."""
    return np.asarray(answer[0]).tolist()


def by_hand(proba, several=False):
    """The three scores of each sample, label by label, by the literal measures."""
    literal = {
        least_confidence: reference.least_confidence,
        margin: reference.margin,
        entropy: reference.entropy,
    }
    found = {strategy: [] for strategy in literal}
    for row in proba.tolist():
        labels = [[1 - p, p] for p in row] if several else [row]
        for strategy, measure in literal.items():
            found[strategy].append(reference.mean([measure(label) for label in labels]))
    return {strategy: np.array(scores) for strategy, scores in found.items()}


def disagreement(proba):
    """What a label would tell of the parameters, sample by sample: (K, C) each."""
    entropy_of_mean = [reference.entropy(row.mean(axis=0).tolist()) for row in proba]
    mean_of_entropy = [
        reference.mean([reference.entropy(p) for p in row.tolist()]) for row in proba
    ]
    return np.subtract(entropy_of_mean, mean_of_entropy)


SCORES = {
    least_confidence: least_confidence_scores,
    margin: margin_scores,
    entropy: entropy_scores,
}
SINGLE = {
    "logistic": LogisticRegression(),
    "bayes": GaussianNB(),
    "forest": RandomForestClassifier(10, random_state=0),
    "calibrated": CalibratedClassifierCV(LogisticRegression(), cv=2),
    "search": GridSearchCV(LogisticRegression(), {"C": [0.1, 1.0]}, cv=2),
    "votes": VotingClassifier([("a", LogisticRegression()), ("b", GaussianNB())], voting="soft"),
    "votes of nets": VotingClassifier(
        [("a", TabularMLPClassifier(max_epochs=2, random_state=0)), ("b", GaussianNB())],
        voting="soft",
    ),
    "one against the rest": OneVsRestClassifier(LogisticRegression()),
}


@pytest.mark.parametrize("strategy", SCORES)
@pytest.mark.parametrize("name", SINGLE)
def test_scores_are_those_of_predict_proba(name, strategy):
    learner = ActiveLearner(SINGLE[name], strategy, X_training=X[:40], y_training=Y[:40])
    proba = learner.predict_proba(X[40:])
    expected = by_hand(proba)[strategy]
    found = SCORES[strategy](learner.estimator, X[40:])
    # What is rounded to single precision adds up to 1 in it alone: 1 - p is known no better.
    precision = np.float32 if name == "votes of nets" else proba.dtype
    np.testing.assert_allclose(found, expected, rtol=0, atol=8 * np.finfo(precision).eps)
    chosen = rows_of(learner.query(X[40:], n_instances=7))
    np.testing.assert_allclose(found[chosen], np.sort(found)[::-1][:7], atol=1e-12)
    lowest = rows_of(learner.query(X[40:], n_instances=7, reverse=True))
    np.testing.assert_allclose(found[lowest], np.sort(found)[:7], atol=1e-12)


SEVERAL = {
    "forest": RandomForestClassifier(10, random_state=0),
    "neighbours": KNeighborsClassifier(3),
    "net of scikit-learn": MLPClassifier((8,), tol=0.1, random_state=0),
    "one against the rest": OneVsRestClassifier(LogisticRegression()),
    "an estimator a label": MultiOutputClassifier(LogisticRegression()),
    "chain": ClassifierChain(LogisticRegression(), random_state=0),
    "pipeline": make_pipeline("passthrough", RandomForestClassifier(10, random_state=0)),
}


@pytest.mark.parametrize("name", SEVERAL)
def test_several_labels_score_the_mean_over_labels(name):
    learner = ActiveLearner(SEVERAL[name], margin, X_training=X[:60], y_training=LABELS[:60])
    given = learner.predict_proba(X[60:])
    proba = np.column_stack([p[:, 1] for p in given]) if isinstance(given, list) else given
    found = predictions(learner.estimator, X[60:])
    assert found.several
    np.testing.assert_allclose(found.proba, proba, atol=1e-12)
    for strategy, scores in by_hand(proba, several=True).items():
        np.testing.assert_allclose(SCORES[strategy](learner.estimator, X[60:]), scores, atol=1e-7)
    assert len(set(rows_of(learner.query(X[60:], n_instances=5)))) == 5


def test_a_label_that_was_always_or_never_given():
    labels = LABELS.copy()
    labels[:60, 0], labels[:60, 1] = 1, 0
    forest = RandomForestClassifier(5, random_state=0).fit(X[:60], labels[:60])
    proba = predictions(forest, X[60:]).proba
    np.testing.assert_array_equal(proba[:, :2], np.tile([1.0, 0.0], (60, 1)))


def test_labels_that_are_no_yes_or_no_are_refused():
    labels = np.column_stack([Y, LABELS[:, 0]])
    forest = RandomForestClassifier(5, random_state=0).fit(X, labels)
    with pytest.raises(ValueError, match=r"each be a yes or no.*found one with.*\[0, 1, 2\]"):
        margin_scores(forest, X)


def test_one_class_leaves_no_doubt():
    sure = DummyClassifier().fit(X, np.zeros(len(X)))
    for scores in SCORES.values():
        np.testing.assert_array_equal(scores(sure, X), np.zeros(len(X)))


POOLS = {
    "list": list,
    "objects": lambda texts: np.array(texts, dtype=object),
    "strings": lambda texts: np.array(texts, dtype=str),
}


@pytest.mark.parametrize("strategy", [*SCORES, partial(margin, candidates=0.5)])
@pytest.mark.parametrize("kind", POOLS)
def test_a_pipeline_of_texts(kind, strategy):
    texts = POOLS[kind](TEXTS)
    learner = ActiveLearner(
        words(LogisticRegression()), strategy, X_training=texts[:40], y_training=SIDES[:40]
    )
    rows, asked = learner.query(texts[40:], n_instances=6, random_state=0)[:2]
    assert len(set(np.asarray(rows).tolist())) == 6
    learner.teach(asked, SIDES[40:][np.asarray(rows)])
    assert len(learner.X_training) == 46


def test_sparse_rows_and_candidates():
    rows = TfidfVectorizer().fit_transform(TEXTS)
    learner = ActiveLearner(
        LogisticRegression(), margin, X_training=rows[:40], y_training=SIDES[:40]
    )
    scores = margin_scores(learner.estimator, rows)
    free = np.arange(40, 160, 3)
    chosen = rows_of(learner.query(sp.csr_matrix(rows), n_instances=5, candidates=free))
    assert set(chosen) <= set(free.tolist())
    np.testing.assert_allclose(scores[chosen], np.sort(scores[free])[::-1][:5])
    half = rows_of(learner.query(rows, n_instances=80, candidates=most_uncertain_half))
    assert set(half) == set(np.argsort(-entropy_scores(learner.estimator, rows))[:80].tolist())


most_uncertain_half = partial(most_uncertain, fraction=0.5)


def test_a_frame_reaches_the_pipeline_as_it_is():
    frame = pd.DataFrame({"age": X[:, 0], "city": np.array(list("abc"))[Y]}, index=range(9, 129))
    columns = make_column_transformer(
        ("passthrough", ["age"]), (OneHotEncoder(handle_unknown="ignore"), ["city"])
    )
    model = make_pipeline(columns, LogisticRegression())
    learner = ActiveLearner(model, entropy, X_training=frame[:40], y_training=Y[:40])
    expected = entropy_of(learner.predict_proba(frame[40:]), axis=1)
    chosen = rows_of(learner.query(frame[40:], n_instances=4))
    np.testing.assert_allclose(expected[chosen], np.sort(expected)[::-1][:4])


def test_missing_numbers_where_the_classifier_takes_them():
    holes = X.copy()
    holes[::5, 1] = np.nan
    trees = HistGradientBoostingClassifier(max_iter=5).fit(holes[:40], Y[:40])
    learner = ActiveLearner(trees, margin)
    assert len(set(rows_of(learner.query(holes[40:], n_instances=5)))) == 5


def members(strategy, labels=Y, estimators=None):
    estimators = estimators or [LogisticRegression(C=c) for c in (0.01, 1.0, 100.0)]
    learners = [
        ActiveLearner(estimator, margin, X_training=X[i : i + 50], y_training=labels[i : i + 50])
        for i, estimator in enumerate(estimators)
    ]
    return Committee(learners, strategy)


def test_uncertainty_of_a_committee_is_the_mean_over_members():
    committee = members(margin)
    scores = np.mean([margin_scores(m.estimator, X) for m in committee.learner_list], axis=0)
    chosen = rows_of(committee.query(X, n_instances=6))
    np.testing.assert_allclose(scores[chosen], np.sort(scores)[::-1][:6])


def test_bald_of_a_committee_of_any_classifiers():
    net = TabularMLPClassifier(classes=[0, 1, 2], max_epochs=2, random_state=0)
    committee = members(bald, estimators=[LogisticRegression(), GaussianNB(), net])
    proba = np.stack([m.predict_proba(X) for m in committee.learner_list], axis=1)
    information = disagreement(proba)
    chosen = rows_of(committee.query(X, n_instances=8))
    np.testing.assert_allclose(information[chosen], np.sort(information)[::-1][:8], atol=1e-6)


def test_batch_bald_of_a_committee_of_any_classifiers():
    committee = members(batch_bald)
    proba = np.stack([m.predict_proba(X) for m in committee.learner_list], axis=1)
    literal = reference_selectors.joint_information([proba.tolist()], 4)
    assert rows_of(committee.query(X, n_instances=4)) == list(literal[0])


@pytest.mark.parametrize("strategy", [bald, batch_bald])
def test_bald_over_several_labels(strategy):
    forests = [RandomForestClassifier(8, random_state=seed) for seed in range(3)]
    committee = members(strategy, labels=LABELS, estimators=forests)
    assert len(set(rows_of(committee.query(X, n_instances=5)))) == 5


@pytest.mark.parametrize("strategy", [bald, batch_bald])
def test_members_must_know_the_same_classes(strategy):
    committee = members(strategy)
    committee.learner_list[0].estimator.fit(X[:50], np.minimum(Y[:50], 1))
    with pytest.raises(ValueError, match="must know the same classes"):
        committee.query(X, n_instances=2)


FITTED = LogisticRegression().fit(X, Y)


@pytest.mark.parametrize("strategy", [bald, batch_bald])
def test_bald_of_a_single_classifier_needs_a_net(strategy):
    learner = ActiveLearner(FITTED, strategy)
    with pytest.raises(TypeError, match=r"dropout need a skorch net.*LogisticReg.*Committee"):
        learner.query(X, n_instances=2)


@pytest.mark.parametrize("strategy", SCORES)
def test_passes_with_dropout_need_a_net(strategy):
    learner = ActiveLearner(FITTED, strategy)
    with pytest.raises(TypeError, match=r"dropout need a skorch net; found a LogisticRegression"):
        learner.query(X, n_instances=2, n_passes=5)


@pytest.mark.parametrize(
    ("estimator", "error", "match"),
    [
        (SVC().fit(X, Y), TypeError, r"predict_proba; found a SVC without.*CalibratedClass"),
        (LinearRegression().fit(X, Y), TypeError, r"predict_proba; found a LinearRegression"),
        (LogisticRegression(), NotFittedError, r"LogisticRegression is not fitted yet"),
        (words(LogisticRegression()), NotFittedError, r"Pipeline is not fitted yet"),
        (GridSearchCV(FITTED, {}), NotFittedError, r"GridSearchCV has no best_estimator_"),
        (FrozenEstimator(GaussianNB()), NotFittedError, r"FrozenEstimator is not fitted yet"),
    ],
    ids=lambda value: type(value).__name__,
)
def test_what_is_no_fitted_classifier_is_refused(estimator, error, match):
    learner = ActiveLearner(estimator, margin)
    with pytest.raises(error, match=match):
        learner.query(X, n_instances=2)


@pytest.mark.parametrize(
    "strategy", [alden_diversity, badge, coreset, dami_kmedoids, egl, egl_word]
)
def test_what_looks_into_a_net_says_so(strategy):
    learner = ActiveLearner(FITTED, strategy, X_training=X[:50], y_training=Y[:50])
    with pytest.raises(TypeError, match=r"must be a skorch net.*found a LogisticRegression"):
        learner.query(X, n_instances=2)


class Unsure:
    """Gives numbers that are no probabilities."""

    def __init__(self, given):
        self.given = given

    def predict_proba(self, X):
        return np.tile(self.given, (len(X), 1))

    def predict(self, X):
        return np.zeros(len(X))


@pytest.mark.parametrize("given", [[0.5, 0.1], [np.nan, np.nan], [1.5, -0.5]])
def test_what_is_no_distribution_is_refused(given):
    with pytest.raises(ValueError, match="predict_proba of Unsure must give each sample one dist"):
        margin_scores(Unsure(given), X)
