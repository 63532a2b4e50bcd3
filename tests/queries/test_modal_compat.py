import importlib
import inspect
import pickle

import modAL.models
import modAL.models.base
import modAL.models.learners
import modAL.utils.data
import numpy as np
import pandas as pd
import pytest
import sklearn.utils
import sklearn.utils.validation
from modAL.models import ActiveLearner, BayesianOptimizer, Committee
from sklearn.base import clone
from sklearn.linear_model import LogisticRegression

from modal_interp import TabularMLPClassifier, TextCNNClassifier, entropy, margin, random_sampling
from modal_interp.queries import modal_compat
from tests.small_nets import word_ids

ORIGINAL = sklearn.utils.validation.check_X_y


def bindings():
    modules = [importlib.import_module(name) for name in modal_compat._MODAL_MODULES]
    return [module.check_X_y for module in modules if hasattr(module, "check_X_y")]


def test_scikit_learn_itself_is_left_alone():
    assert sklearn.utils.check_X_y is ORIGINAL
    assert not hasattr(ORIGINAL, "_mends_modal")


def test_mending_twice_changes_nothing():
    before = bindings()
    assert before
    modal_compat.mend_modal()
    assert all(a is b for a, b in zip(before, bindings(), strict=True))


def test_only_what_needs_it_is_mended(monkeypatch):
    module = next(
        importlib.import_module(name)
        for name in modal_compat._MODAL_MODULES
        if hasattr(importlib.import_module(name), "check_X_y")
    )

    def check_X_y(X, y, force_all_finite=True):  # noqa: N802
        """A scikit-learn that knows the old name only."""

    monkeypatch.setattr(module, "check_X_y", check_X_y)
    modal_compat.mend_modal()
    assert module.check_X_y is check_X_y


def test_the_old_keyword_reaches_the_check():
    mended = bindings()[0]
    X, y = np.array([[1.0], [np.nan]]), np.array([0, 1])
    with pytest.raises(ValueError, match="NaN"):
        mended(X, y, force_all_finite=True)
    mended(X, y, force_all_finite=False)
    assert "ensure_all_finite" in inspect.signature(ORIGINAL).parameters


def test_fit_and_teach_run_without_a_warning():
    X, y = np.arange(12.0)[:, None], np.arange(12) % 2
    learner = ActiveLearner(LogisticRegression(), X_training=X[:6], y_training=y[:6])
    learner.teach(X[6:8], y[6:8])
    learner.teach(X[8:], y[8:], only_new=True)
    learner.fit(X, y)
    committee = Committee(
        [learner, ActiveLearner(LogisticRegression(), X_training=X, y_training=y)]
    )
    committee.teach(X[:2], y[:2])
    assert committee.predict(X).shape == (12,)


TABLE = np.random.RandomState(0).normal(size=(40, 3)).astype(np.float32)
SIDES = (TABLE[:, 0] > 0).astype(int)
COLLECTIONS = [TABLE, TABLE.tolist(), pd.DataFrame(TABLE, np.arange(40)[::-1])]


def classes_of_modal():
    for module in (modAL.models.base, modAL.models.learners):
        yield from (kind for kind in vars(module).values() if inspect.isclass(kind))


def test_every_mend_is_made_once():
    before = [dict(vars(kind)) for kind in classes_of_modal()]
    modal_compat.mend_modal()
    for kind, methods in zip(classes_of_modal(), before, strict=True):
        assert all(vars(kind)[name] is method for name, method in methods.items())


def test_functions_are_mended_wherever_modal_has_them():
    for name in ("data_vstack", "retrieve_rows"):
        mended = getattr(modAL.utils.data, name)
        for module in (modAL.models.base, modAL.models.learners):
            assert getattr(module, name, mended) is mended


def test_arrays_are_still_modals_own(monkeypatch):
    """What modAL does by itself is done by modAL: same objects, same draws."""
    learner = ActiveLearner(LogisticRegression(), margin, TABLE, SIDES)
    np.random.seed(3)  # noqa: NPY002
    learner._fit_to_known(bootstrap=True)
    np.random.seed(3)  # noqa: NPY002
    rows = np.random.choice(range(40), 40, replace=True)  # noqa: NPY002
    expected = LogisticRegression().fit(TABLE[rows], SIDES[rows])
    np.testing.assert_array_equal(learner.estimator.coef_, expected.coef_)
    monkeypatch.setattr(modal_compat, "take_rows", None)
    monkeypatch.setattr(modal_compat, "stack_rows", None)
    _, asked = learner.query(TABLE, n_instances=2)
    learner.teach(asked, [0, 1])
    assert learner.X_training.shape == (42, 3)


@pytest.mark.parametrize("same_classes", [True, False])
def test_a_committee_predicts_of_a_list(same_classes):
    X, y = TABLE.tolist(), np.arange(40) % (2 if same_classes else 3)
    learners = [
        ActiveLearner(LogisticRegression(C=c), margin, X[:n], y[:n])
        for c, n in ((1.0, 40), (0.1, 40 if same_classes else 2))
    ]
    committee = Committee(learners, margin)
    assert np.array_equal(committee.vote(X), committee.vote(TABLE))
    assert np.array_equal(committee.vote_proba(X), committee.vote_proba(TABLE))
    assert np.array_equal(committee.predict(X), committee.predict(TABLE))
    assert committee.score(X, y) == committee.score(TABLE, y)


@pytest.mark.parametrize("X", COLLECTIONS, ids=["array", "list", "frame"])
@pytest.mark.parametrize(
    "estimator", [LogisticRegression(), TabularMLPClassifier(max_epochs=1)], ids=["linear", "net"]
)
@pytest.mark.parametrize("kind", [ActiveLearner, BayesianOptimizer])
@pytest.mark.parametrize("bootstrap", [False, True])
def test_learners_are_shown_copied_and_described(X, estimator, kind, bootstrap):
    learner = kind(clone(estimator), margin, X, SIDES, bootstrap_init=bootstrap)
    committee = Committee([learner, learner], margin)
    for asker in (learner, pickle.loads(pickle.dumps(learner)), committee):
        assert "ActiveLearner(" in repr(asker) or "BayesianOptimizer(" in repr(asker)
        assert "<div" in asker._repr_html_()
        assert type(clone(asker)) is type(asker)
        assert "query_strategy" in asker.get_params()
    assert learner.get_params(deep=False)["bootstrap_init"] is bootstrap
    assert clone(learner).bootstrap_init is bootstrap
    assert learner.get_params()["estimator__" + ("C" if hasattr(estimator, "C") else "lr")] > 0


def test_learners_pickled_before_the_mend_are_shown():
    learner = ActiveLearner(LogisticRegression(), margin)
    del vars(learner)["bootstrap_init"]
    assert repr(pickle.loads(pickle.dumps(learner))).startswith("ActiveLearner(")


class Own(ActiveLearner):
    def __init__(self, estimator, query_strategy=margin, bootstrap_init=True):
        super().__init__(estimator, query_strategy, TABLE, SIDES, bootstrap_init)


def test_a_subclass_with_parameters_of_its_own():
    assert Own(LogisticRegression()).get_params(deep=False)["bootstrap_init"] is True
    assert repr(Own(LogisticRegression())).startswith("Own(")


class PassingOn(ActiveLearner):
    def query(self, X_pool, **options):
        return super().query(X_pool, **options)


def wrapped(learner, X_pool, **options):
    """A strategy of one's own around another."""
    return margin(learner, X_pool, **options)


@pytest.mark.parametrize("X", COLLECTIONS, ids=["array", "list", "frame"])
@pytest.mark.parametrize("strategy", [margin, entropy, random_sampling, wrapped])
@pytest.mark.parametrize("n", [1, 2, 3])
def test_metrics_in_both_modals(X, strategy, n):
    members = [
        kind(LogisticRegression(), strategy, X, SIDES) for kind in (ActiveLearner, PassingOn)
    ]
    for asker in (*members, Committee(members, strategy)):
        options = {"random_state": 0} if strategy is random_sampling else {}
        rows, asked = asker.query(X, n_instances=n, **options)
        found, same, metrics = asker.query(X, n_instances=n, return_metrics=True, **options)
        assert found.tolist() == rows.tolist()
        assert np.asarray(same).tolist() == np.asarray(asked).tolist()
        assert metrics.shape == (n,)
        assert metrics.dtype == np.float64
        assert len(asker.query(X, n_instances=n, return_metrics=False, **options)) == 2


def test_metrics_are_asked_for_in_one_query_only():
    learner = ActiveLearner(LogisticRegression(), margin, TABLE, SIDES)
    answer = margin(learner, TABLE, 3)
    learner.query(TABLE, n_instances=3, return_metrics=True)
    with pytest.raises(ValueError, match="n_instances"):
        learner.query(TABLE, n_instances=99, return_metrics=True)
    assert type(margin(learner, TABLE, 3)) is type(answer)
    assert not modal_compat.metrics_wanted()


def test_candidates_by_another_strategy_beside_metrics():
    learner = ActiveLearner(LogisticRegression(), margin, TABLE, SIDES)
    narrow = lambda asker, X: entropy(asker, X, 5)  # noqa: E731
    rows, _, metrics = learner.query(TABLE, n_instances=2, candidates=narrow, return_metrics=True)
    assert rows.shape == metrics.shape == (2,)


def test_a_strategy_without_metrics():
    learner = ActiveLearner(LogisticRegression(), lambda learner, X: np.array([4, 2, 7]))
    with pytest.warns(UserWarning, match="doesn't support return_metrics"):
        rows, asked, metrics = learner.query(TABLE, return_metrics=True)
    assert rows.tolist() == [4, 2, 7]
    assert asked.tolist() == TABLE[[4, 2, 7]].tolist()
    assert metrics is None


@pytest.mark.parametrize("kind", [np.asarray, np.ndarray.tolist, pd.DataFrame])
@pytest.mark.skipif(
    not hasattr(modAL.models, "DeepActiveLearner"), reason="this modAL has no DeepActiveLearner"
)
def test_a_deep_learner_bootstraps_rows(kind):
    net = TextCNNClassifier(classes=[0, 1], n_words=12, max_epochs=1)
    learner = modAL.models.DeepActiveLearner(net, margin)
    X = kind(word_ids(40))
    learner.fit(X, SIDES)
    _, asked = learner.query(X, n_instances=4)
    for warm_start in (True, False):
        learner.teach(asked, pd.Series([0, 1, 0, 1], [9, 8, 7, 6]), warm_start, bootstrap=True)
    assert "DeepActiveLearner(" in repr(learner)
