"""The strategies inside modAL's own classes, on the installed modAL."""

import inspect
import pickle

import modAL.models
import numpy as np
import pytest
from modAL.models import ActiveLearner, Committee
from sklearn.exceptions import NotFittedError
from sklearn.frozen import FrozenEstimator
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import Pipeline, make_pipeline

from modal_interp.datasets import make_reviews
from modal_interp.estimators import TextBiLSTMClassifier, TextCNNClassifier
from modal_interp.queries.learner import query_result, views_of
from modal_interp.strategies import alden_diversity
from modal_interp.texts.word_encoder import WordEncoder

STRATEGIES = [alden_diversity]
TEXTS, Y = make_reviews(90, random_state=0)
LABELS = np.array(["neg", "pos"])[Y]
SEED, POOL = slice(0, 20), slice(20, None)
ENCODER = WordEncoder().fit(TEXTS)


def small_net(kind=TextCNNClassifier, seed=0):
    return kind(
        classes=["neg", "pos"],
        n_words=ENCODER.n_words_,
        module__embedding_dim=8,
        max_epochs=2,
        random_state=seed,
    )


def from_strings(seed=0, kind=TextCNNClassifier):
    return make_pipeline(FrozenEstimator(ENCODER), small_net(kind, seed))


def taught(strategy, estimator=None, texts=TEXTS):
    return ActiveLearner(
        estimator=estimator or from_strings(),
        query_strategy=strategy,
        X_training=texts[SEED],
        y_training=LABELS[SEED],
    )


@pytest.mark.parametrize("strategy", STRATEGIES)
@pytest.mark.parametrize("n", [1, 2, 5])
@pytest.mark.parametrize("kind", [TextCNNClassifier, TextBiLSTMClassifier])
def test_active_learner_queries_and_learns(strategy, n, kind):
    learner = taught(strategy, from_strings(kind=kind))
    texts, labels = TEXTS[POOL], LABELS[POOL]
    for _ in range(2):
        indices, asked = learner.query(texts, n_instances=n)
        assert indices.shape == (n,)
        assert len(set(indices.tolist())) == n
        assert asked.tolist() == texts[indices].tolist()
        before = len(learner.y_training)
        learner.teach(asked, labels[indices])
        assert len(learner.y_training) == before + n
        texts, labels = np.delete(texts, indices), np.delete(labels, indices)
    assert set(learner.predict(texts)) <= {"neg", "pos"}
    assert len(learner.estimator[0].vocabulary_) == len(ENCODER.vocabulary_)


@pytest.mark.parametrize("strategy", STRATEGIES)
@pytest.mark.parametrize("n", [1, 2, 5])
def test_committee_queries_and_learns(strategy, n):
    committee = Committee(
        [taught(strategy, from_strings(0)), taught(strategy, from_strings(1))], strategy
    )
    indices, asked = committee.query(TEXTS[POOL], n_instances=n)
    assert indices.shape == (n,)
    committee.teach(asked, LABELS[POOL][indices])
    assert set(committee.predict(TEXTS[POOL])) <= {"neg", "pos"}


@pytest.mark.parametrize("strategy", STRATEGIES)
@pytest.mark.parametrize(
    "texts", [TEXTS, TEXTS.astype("U"), TEXTS.tolist()], ids=["object", "U", "list"]
)
def test_raw_strings_in_any_collection(strategy, texts):
    learner = taught(strategy, texts=texts)
    indices, asked = learner.query(texts[POOL], n_instances=3)
    expected, _ = taught(strategy).query(TEXTS[POOL], n_instances=3)
    assert indices.tolist() == expected.tolist()
    learner.teach(asked, LABELS[POOL][indices])


@pytest.mark.parametrize("strategy", STRATEGIES)
@pytest.mark.parametrize(
    "wrap",
    [
        lambda net: make_pipeline(WordEncoder(vocabulary=ENCODER.vocabulary_), net),
        lambda net: make_pipeline(FrozenEstimator(ENCODER), "passthrough", net),
        lambda net: make_pipeline(make_pipeline(FrozenEstimator(ENCODER)), make_pipeline(net)),
        lambda net: make_pipeline(
            FrozenEstimator(ENCODER), GridSearchCV(net, {"lr": [net.lr]}, cv=2)
        ),
        lambda net: Pipeline([("encode", FrozenEstimator(ENCODER)), ("net", net)]),
    ],
    ids=["given vocabulary", "passthrough", "nested", "grid search", "named"],
)
def test_nets_are_found_inside_what_users_build(strategy, wrap):
    learner = taught(strategy, wrap(small_net()))
    indices, asked = learner.query(TEXTS[POOL], n_instances=3)
    expected, _ = taught(strategy).query(TEXTS[POOL], n_instances=3)
    assert indices.tolist() == expected.tolist()
    learner.teach(asked, LABELS[POOL][indices])


@pytest.mark.parametrize("strategy", STRATEGIES)
def test_a_frozen_net_can_still_be_asked(strategy):
    learner = taught(strategy)
    learner.estimator = FrozenEstimator(learner.estimator)
    indices, _ = learner.query(TEXTS[POOL], n_instances=3)
    assert indices.shape == (3,)


@pytest.mark.parametrize("strategy", STRATEGIES)
def test_ids_without_a_pipeline(strategy):
    ids = ENCODER.transform(TEXTS)
    learner = taught(strategy, small_net(), texts=ids)
    indices, asked = learner.query(ids[POOL], n_instances=2)
    expected, _ = taught(strategy).query(TEXTS[POOL], n_instances=2)
    assert indices.tolist() == expected.tolist()
    learner.teach(asked, LABELS[POOL][indices])


@pytest.mark.parametrize("strategy", STRATEGIES)
def test_a_pickled_learner_asks_the_same(strategy):
    learner = taught(strategy)
    again = pickle.loads(pickle.dumps(learner))
    a, _ = learner.query(TEXTS[POOL], n_instances=4)
    b, _ = again.query(TEXTS[POOL], n_instances=4)
    assert a.tolist() == b.tolist()


@pytest.mark.parametrize("strategy", STRATEGIES)
def test_metrics_where_modal_returns_them(strategy):
    learner = taught(strategy)
    committee = Committee([taught(strategy), taught(strategy, from_strings(1))], strategy)
    for asker in (learner, committee):
        if "return_metrics" not in inspect.signature(type(asker).query).parameters:
            indices = strategy(asker, TEXTS[POOL], 2)
            assert indices.shape == (2,)
        indices, _, metrics = asker.query(TEXTS[POOL], n_instances=2, return_metrics=True)
        assert indices.shape == metrics.shape == (2,)
        assert np.isfinite(metrics).all()


@pytest.mark.parametrize("strategy", STRATEGIES)
@pytest.mark.skipif(
    not hasattr(modAL.models, "DeepActiveLearner"), reason="this modAL has no DeepActiveLearner"
)
def test_deep_active_learner_is_told_what_is_labelled(strategy):
    ids = ENCODER.transform(TEXTS)
    learner = modAL.models.DeepActiveLearner(estimator=small_net(), query_strategy=strategy)
    learner.fit(ids[SEED], LABELS[SEED])
    indices, _ = learner.query(ids[POOL], n_instances=3, X_labeled=ids[SEED])
    expected, _ = taught(strategy).query(TEXTS[POOL], n_instances=3)
    assert indices.tolist() == expected.tolist()
    with pytest.raises(ValueError, match="X_labeled="):
        learner.query(ids[POOL], n_instances=3)
    learner.teach(ids[POOL][indices], LABELS[POOL][indices], warm_start=True)


def test_only_strategies_that_need_them_ask_for_labelled_samples():
    learner = taught(alden_diversity)
    learner.X_training = None
    (view,) = views_of(learner, TEXTS[POOL], 1)
    assert view.labeled == []
    assert view.pool.shape == (70, ENCODER.max_length_)


class PassingOn(ActiveLearner):
    def query(self, X_pool, **options):
        return super().query(X_pool, **options)


def test_a_subclass_that_passes_its_arguments_on():
    learner = PassingOn(from_strings(), alden_diversity, TEXTS[SEED], LABELS[SEED])
    indices, _ = learner.query(TEXTS[POOL], n_instances=2)
    expected, _ = taught(alden_diversity).query(TEXTS[POOL], n_instances=2)
    assert indices.tolist() == expected.tolist()


def test_position_in_a_committees_query():
    """Documented: the second position is n_instances in modAL 0.4.1, return_metrics in 0.4.2."""
    committee = Committee([taught(alden_diversity)], alden_diversity)
    result = committee.query(TEXTS[POOL], 3)
    takes_metrics = "return_metrics" in inspect.signature(Committee.query).parameters
    assert len(result[0]) == (1 if takes_metrics else 3)


def test_a_search_that_is_not_fitted():
    search = GridSearchCV(small_net(), {"lr": [1e-3]})
    learner = ActiveLearner(make_pipeline(FrozenEstimator(ENCODER), search), alden_diversity)
    learner.X_training = TEXTS[SEED]
    with pytest.raises(NotFittedError, match="GridSearchCV has no best_estimator_"):
        learner.query(TEXTS[POOL])


def test_what_is_wrong_costs_nothing_although_modal_tries_twice(monkeypatch):
    learner = taught(alden_diversity)
    monkeypatch.setattr(TextCNNClassifier, "infer", lambda *a, **k: pytest.fail("computed"))
    with pytest.raises(ValueError, match="n_instances"):
        learner.query(TEXTS[POOL], n_instances=1000)


def test_the_result_fits_the_installed_modal():
    learner = taught(alden_diversity)
    result = query_result(learner, np.array([3, 4]), np.array([0.5, 0.25]))
    if "return_metrics" in inspect.signature(ActiveLearner.query).parameters:
        indices, metrics = result
        assert metrics.tolist() == [0.5, 0.25]
    else:
        indices = result
    assert indices.tolist() == [3, 4]
