"""An ensemble of classifiers behaves as one of scikit-learn's, and its members as told."""

import pickle
import random
import threading
from functools import partial

import joblib
import numpy as np
import pandas as pd
import pytest
import scipy.sparse as sp
import torch
from modAL.models import ActiveLearner
from sklearn.base import BaseEstimator, ClassifierMixin, clone
from sklearn.calibration import CalibratedClassifierCV
from sklearn.ensemble import RandomForestClassifier
from sklearn.exceptions import NotFittedError
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.frozen import FrozenEstimator
from sklearn.linear_model import LinearRegression, LogisticRegression, SGDClassifier
from sklearn.model_selection import GridSearchCV, cross_val_score
from sklearn.multioutput import MultiOutputClassifier
from sklearn.naive_bayes import GaussianNB
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import SVC
from sklearn.utils.estimator_checks import parametrize_with_checks
from skorch import NeuralNetClassifier
from torch import nn

from modal_interp import (
    DeepEnsemble,
    TabularMLPClassifier,
    TextCNNClassifier,
    WordEncoder,
    make_sigmoid,
)
from modal_interp.estimators.members import drawn_rows

# A list, because pytest no longer takes the generator that some scikit-learn versions hand over.
CHECKS = parametrize_with_checks(
    [
        DeepEnsemble(SGDClassifier(loss="log_loss"), n_members=2),
        DeepEnsemble(TabularMLPClassifier(lr=0.05, max_epochs=8), n_members=1),
    ]
)
NAMES, CASES = CHECKS.args


@pytest.mark.parametrize(NAMES, list(CASES), **CHECKS.kwargs)
def test_scikit_learn_checks(estimator, check):
    check(estimator)


mlp = partial(TabularMLPClassifier, module__hidden=(8,), max_epochs=3)
ensemble = partial(DeepEnsemble, n_members=3, random_state=0)
RNG = np.random.RandomState(0)
Y = np.arange(60) % 3
X = (RNG.normal(size=(60, 4)) + 2 * Y[:, None]).astype(np.float32)
LABELS = (Y[:, None] == np.arange(3)).astype(int)


def states():
    """A digest of all global generators."""
    numpys = repr(np.random.get_state())  # noqa: NPY002
    return joblib.hash((torch.get_rng_state().numpy(), numpys, random.getstate()))


class Plain(nn.Module):
    def __init__(self, n_outputs=3):
        super().__init__()
        self.inner, self.drop = nn.Linear(4, 8), nn.Dropout(0.5)
        self.out = nn.Linear(8, n_outputs)

    def forward(self, x):
        return self.out(self.drop(torch.relu(self.inner(x))))


def foreign(criterion=nn.CrossEntropyLoss, **options):
    """A net that draws from torch's global generator and has no seed of its own."""
    return NeuralNetClassifier(
        Plain, criterion=criterion, max_epochs=2, verbose=0, train_split=None, **options
    )


class Noisy(ClassifierMixin, BaseEstimator):
    """Draws from NumPy's and Python's global generators."""

    def fit(self, X, y):
        self.classes_ = np.unique(y)
        self.noise_ = [np.random.rand(), random.random()]  # noqa: NPY002
        return self

    def predict_proba(self, X):
        return np.tile([self.noise_[0], 1 - self.noise_[0]], (len(X), 1))


# Prediction


@pytest.mark.parametrize(
    "estimator",
    [
        mlp(),
        foreign(),
        LogisticRegression(),
        RandomForestClassifier(5),
        make_pipeline(StandardScaler(), mlp()),
        make_pipeline(FrozenEstimator(StandardScaler().fit(X)), mlp()),
        GridSearchCV(mlp(), {"lr": [0.01]}, cv=2),
        make_pipeline(StandardScaler(), GridSearchCV(LogisticRegression(), {"C": [1.0]}, cv=2)),
        DeepEnsemble(mlp(), n_members=2),
    ],
    ids=lambda value: str(value)[:30].replace("\n", ""),
)
def test_probabilities_are_the_mean_of_the_members(estimator):
    found = ensemble(estimator).fit(X, Y)
    assert len(found.estimators_) == 3
    assert all(type(member) is type(estimator) for member in found.estimators_)
    mean = np.mean([member.predict_proba(X) for member in found.estimators_], axis=0)
    proba = found.predict_proba(X)
    np.testing.assert_allclose(proba, mean, rtol=1e-5)
    assert proba.dtype == np.float64
    assert found.classes_.tolist() == [0, 1, 2]
    assert not found.multilabel_
    np.testing.assert_array_equal(found.predict(X), proba.argmax(axis=1))


SEVERAL = [
    mlp(),
    RandomForestClassifier(5),
    MultiOutputClassifier(LogisticRegression()),
    make_pipeline(StandardScaler(), mlp()),
    foreign(criterion=nn.BCEWithLogitsLoss, predict_nonlinearity=torch.sigmoid),
]


@pytest.mark.parametrize("bootstrap", [False, True])
@pytest.mark.parametrize("estimator", SEVERAL, ids=lambda value: type(value).__name__)
def test_several_labels(estimator, bootstrap):
    labels = LABELS.astype(np.float32)
    found = ensemble(estimator, bootstrap=bootstrap).fit(X, labels)
    assert found.multilabel_
    proba = found.predict_proba(X)
    assert proba.shape == (60, 3)
    members = [member.predict_proba(X) for member in found.estimators_]
    if isinstance(members[0], list):
        members = [np.column_stack([p[:, 1] for p in member]) for member in members]
    np.testing.assert_allclose(proba, np.mean(members, axis=0), rtol=1e-5)
    predicted = found.predict(X)
    assert predicted.dtype == np.float32
    np.testing.assert_array_equal(predicted, proba > 0.5)
    sparse = ensemble(estimator, bootstrap=bootstrap).fit(X, sp.csr_matrix(labels))
    np.testing.assert_array_equal(sparse.predict_proba(X), proba)


def test_a_label_that_was_always_or_never_given():
    labels = LABELS.copy()
    labels[:, 0], labels[:, 1] = 1, 0
    proba = ensemble(RandomForestClassifier(3)).fit(X, labels).predict_proba(X)
    np.testing.assert_array_equal(proba[:, :2], np.tile([1.0, 0.0], (60, 1)))


def test_names_of_several_labels():
    names = ["a", "c", "b"]
    found = ensemble(mlp(classes=names)).fit(X, LABELS)
    assert found.classes_.tolist() == names
    assert ensemble(mlp()).fit(X, LABELS).classes_.tolist() == [0, 1, 2]


# Seeds


@pytest.mark.parametrize(
    "make", [mlp, foreign, partial(SGDClassifier, loss="log_loss", alpha=1.0), Noisy]
)
@pytest.mark.parametrize("bootstrap", [False, True])
def test_members_differ_and_are_reproducible(make, bootstrap):
    y = Y % 2 if make is Noisy else Y
    before = states()
    first = ensemble(make(), bootstrap=bootstrap).fit(X, y)
    assert states() == before
    members = [member.predict_proba(X) for member in first.estimators_]
    assert not any(np.array_equal(members[0], other) for other in members[1:])
    proba = first.predict_proba(X)
    again = ensemble(make(), bootstrap=bootstrap, random_state=np.random.RandomState(0))
    np.testing.assert_array_equal(again.fit(X, y).predict_proba(X), proba)
    torch.manual_seed(5)  # nor do they read what they leave alone
    np.testing.assert_array_equal(first.fit(X, y).predict_proba(X), proba)
    other = ensemble(make(), bootstrap=bootstrap, random_state=1).fit(X, y)
    assert not np.array_equal(other.predict_proba(X), proba)


def test_without_a_seed_each_fit_draws_anew_and_leaves_global_generators_alone():
    before = states()
    first, second = (
        ensemble(mlp(random_state=0), random_state=None).fit(X, Y).predict_proba(X)
        for _ in range(2)
    )
    assert not np.array_equal(first, second)
    assert states() == before


def test_each_random_state_is_set_and_no_other_parameter():
    search = GridSearchCV(make_pipeline(StandardScaler(), mlp()), {}, cv=2)
    found = ensemble(search).fit(X, Y)
    name = "estimator__tabularmlpclassifier__random_state"
    assert len({member.get_params()[name] for member in found.estimators_}) == 3
    assert search.get_params()[name] is None
    forest = RandomForestClassifier(2, random_state=7)
    assert 7 not in [m.random_state for m in ensemble(forest).fit(X, Y).estimators_]


# Jobs


class Threads(ClassifierMixin, BaseEstimator):
    """Tells how many threads it was trained with."""

    def fit(self, X, y):
        self.classes_, self.n_threads_ = np.unique(y), torch.get_num_threads()
        return self

    def predict_proba(self, X):
        return np.full((len(X), len(self.classes_)), 1 / len(self.classes_))


@pytest.fixture
def four_threads():
    before = torch.get_num_threads()
    torch.set_num_threads(4)
    yield
    torch.set_num_threads(before)


def test_members_are_the_same_for_every_number_of_jobs(four_threads, capsys):
    """In the one test that starts processes: seeds, threads, the bar and shared steps."""
    frozen = FrozenEstimator(StandardScaler().fit(X))
    searched = GridSearchCV(make_pipeline(frozen, LogisticRegression()), {}, cv=2)
    nested = DeepEnsemble(make_pipeline(frozen, mlp()), 2)
    pipeline = make_pipeline(frozen, mlp(warm_start=True))
    for estimator in (pipeline, foreign(), Noisy(), searched, nested, Threads()):
        y = Y % 2 if isinstance(estimator, Noisy) else Y
        alone = DeepEnsemble(estimator, 2, bootstrap=True, random_state=0).fit(X, y)
        assert capsys.readouterr().err == ""
        before = states()
        jobs = clone(alone).set_params(n_jobs=2, verbose=1).fit(X, y)
        assert "2/2" in capsys.readouterr().err
        jobs.set_params(verbose=0)
        assert states() == before
        np.testing.assert_array_equal(jobs.predict_proba(X), alone.predict_proba(X))
        if estimator is searched:
            steps = {id(m.best_estimator_[0].estimator) for m in jobs.estimators_}
            assert steps == {id(frozen.estimator)}
        elif estimator is nested:
            assert {id(m[0]) for e in jobs.estimators_ for m in e.estimators_} == {id(frozen)}
        elif estimator is pipeline:
            assert {id(m[0]) for m in jobs.estimators_} == {id(frozen)}
            proba = alone.fit(X[:9], y[:9]).predict_proba(X)  # goes on
            np.testing.assert_array_equal(jobs.fit(X[:9], y[:9]).predict_proba(X), proba)
        elif isinstance(estimator, Threads):
            assert [m.n_threads_ for m in (*alone.estimators_, *jobs.estimators_)] == [2] * 4
    assert torch.get_num_threads() == 4


@pytest.mark.parametrize(
    "config", [{"backend": "threading"}, {"require": "sharedmem"}, {"prefer": "threads"}], ids=str
)
def test_threads_would_share_the_generators(config):
    expected = ensemble(foreign()).fit(X, Y).predict_proba(X)
    with joblib.parallel_config(n_jobs=3, **config):
        found = ensemble(foreign()).fit(X, Y).predict_proba(X)
    np.testing.assert_array_equal(found, expected)


def test_a_bar_is_shown_where_it_is_asked_for(capsys):
    ensemble(LogisticRegression(), verbose=1).fit(X, Y)
    assert "3/3" in capsys.readouterr().err


# Classes


def test_classes_not_yet_labelled():
    names = np.array(["a", "b", "c"])[Y]
    found = ensemble(mlp(classes=["d", "c", "b", "a"]), bootstrap=True).fit(X, names)
    assert found.classes_.tolist() == ["a", "b", "c", "d"]
    assert found.predict_proba(X).shape == (60, 4)
    assert set(found.predict(X)) <= set("abcd")


def test_one_class_is_enough_where_classes_are_known():
    one = np.zeros(60, dtype=int)
    assert ensemble(mlp(classes=[0, 1])).fit(X, one).predict_proba(X).shape == (60, 2)
    with pytest.raises(ValueError, match=r"one class only: \[0\]. Name all labels .* by classes="):
        ensemble(mlp()).fit(X, one)
    alone = ensemble(GaussianNB()).fit(X, one)
    assert alone.predict(X).tolist() == one.tolist()


@pytest.mark.parametrize(
    "estimator",
    [mlp(), make_pipeline(StandardScaler(), mlp()), GridSearchCV(mlp(), {}, cv=2)],
    ids=lambda value: type(value).__name__,
)
def test_labels_are_handed_to_the_members(estimator):
    found = ensemble(estimator).fit(X, Y)
    (name,) = (n for n in found.get_params() if n.endswith("classes"))
    member = found.estimators_[0].get_params()
    assert member[name.removeprefix("estimator__")].tolist() == [0, 1, 2]
    assert found.get_params()[name] is None


@pytest.mark.parametrize("make", [mlp, LogisticRegression, GaussianNB])
def test_a_bootstrap_sample_holds_every_class(make):
    y = np.zeros(60, dtype=int)
    y[7], y[11] = 5, 9
    found = ensemble(make(), n_members=8, bootstrap=True).fit(X, y)
    assert all(member.classes_.tolist() == [0, 5, 9] for member in found.estimators_)


@pytest.mark.parametrize("y", [Y, np.eye(60, dtype=int)[0], LABELS, np.eye(60, dtype=int)], ids=len)
def test_drawn_rows(y):
    seen = np.zeros(60)
    for seed in range(40):
        rows = drawn_rows(y, np.random.RandomState(seed))
        assert len(rows) == 60
        seen[rows] += 1
        for of in np.atleast_2d(y.T):
            assert set(of[rows]) == set(of)
    assert seen.min() > 0
    plain = np.random.RandomState(3).randint(60, size=60)
    assert drawn_rows(Y, np.random.RandomState(3)).tolist() == plain.tolist()


class Forgetful(LogisticRegression):
    """Knows another class each time."""

    def fit(self, X, y):
        return super().fit(X, y + self.random_state % 1000)


def test_members_of_other_classes_are_refused():
    with pytest.raises(ValueError, match=r"members of an ensemble must know the same classes; fo"):
        ensemble(Forgetful()).fit(X, Y)


def test_outputs_without_a_class_are_refused():
    found = ensemble(foreign(module__n_outputs=4)).fit(X, Y)
    with pytest.raises(ValueError, match=r"each of the 3 classes; found shape \(60, 4\)"):
        found.predict(X)


# Errors


@pytest.mark.parametrize(
    ("options", "y", "error", "message"),
    [
        ({"n_members": 0}, Y, ValueError, r"n_members must be a whole number, at least 1; found 0"),
        ({"n_members": 2.0}, Y, ValueError, r"n_members must be .* found 2\.0"),
        ({"n_members": True}, Y, ValueError, r"n_members must be .* found True"),
        ({"estimator": None}, Y, TypeError, r"estimator must be a classifier; found None"),
        ({"estimator": TabularMLPClassifier}, Y, TypeError, r"must be a classifier; found <class"),
        ({"estimator": LinearRegression()}, Y, TypeError, r"a classifier; found LinearRegression"),
        ({"estimator": SVC()}, Y, TypeError, r"predict_proba; found a SVC without.*Calibrated"),
        (
            {"estimator": make_pipeline(StandardScaler(), FrozenEstimator(GaussianNB().fit(X, Y)))},
            Y,
            TypeError,
            r"estimator must end in a classifier that each member trains.*FrozenEstimator",
        ),
        ({"n_jobs": 0}, Y, ValueError, r"n_jobs == 0"),
        ({"random_state": "x"}, Y, ValueError, r"'x' cannot be used to seed"),
        ({}, None, ValueError, r"requires y to be passed"),
        ({}, Y[:-1], ValueError, r"inconsistent numbers of samples"),
        ({}, Y + 0.5, ValueError, r"Unknown label type"),
        ({}, [[1], [0, 1]] * 30, ValueError, r"rows of 1 to 2 values. Lists of labels become"),
        ({}, LABELS + 1, ValueError, r"must be an indicator matrix"),
        ({"estimator": mlp(classes=[0, 1])}, Y, ValueError, r"not in classes=\[0, 1\]: \[2\]"),
    ],
    ids=str,
)
def test_errors(options, y, error, message):
    with pytest.raises(error, match=message):
        ensemble(**{"estimator": mlp(), **options}).fit(X, y)


def test_not_fitted():
    found = ensemble(mlp())
    with pytest.raises(NotFittedError, match="DeepEnsemble instance is not fitted yet"):
        found.predict(X)
    assert not hasattr(found, "n_features_in_")
    assert not hasattr(found, "classes_")


# Training that goes on


def weights(found):
    parts = [p for m in found.estimators_ for p in m.module_.parameters()]
    return torch.cat([p.detach().ravel() for p in parts])


@pytest.mark.parametrize("bootstrap", [False, True])
def test_warm_start_goes_on(bootstrap):
    found = ensemble(mlp(warm_start=True), bootstrap=bootstrap).fit(X, Y)
    members, first = found.estimators_, weights(found)
    found.fit(X[:9], Y[:9])
    assert all(a is b for a, b in zip(found.estimators_, members, strict=True))
    assert [len(member.history_) for member in members] == [6, 6, 6]
    assert not torch.equal(weights(found), first)
    again = ensemble(mlp(warm_start=True), bootstrap=bootstrap).fit(X, Y).fit(X[:9], Y[:9])
    assert torch.equal(weights(again), weights(found))
    with pytest.raises(ValueError, match="n_members must stay 3 while training goes on; found 4"):
        found.set_params(n_members=4).fit(X, Y)


def test_without_warm_start_each_fit_starts_anew():
    found = ensemble(mlp()).fit(X, Y)
    first = weights(found)
    assert torch.equal(weights(found.fit(X, Y)), first)
    assert found.set_params(n_members=2).fit(X, Y % 2).classes_.tolist() == [0, 1]


@pytest.mark.parametrize("around", [None, StandardScaler()])
def test_what_was_set_since_acts_on_members_that_go_on(around):
    net = mlp() if around is None else make_pipeline(around, mlp())
    prefix = "estimator__" if around is None else "estimator__tabularmlpclassifier__"
    found = ensemble(net).fit(X, Y)
    members = found.estimators_
    seeds = [member.get_params()[f"{prefix}random_state"[11:]] for member in members]
    found.set_params(**{f"{prefix}warm_start": True, f"{prefix}max_epochs": 1}).fit(X, Y)
    nets = [member if around is None else member[-1] for member in found.estimators_]
    assert [len(net.history_) for net in nets] == [4, 4, 4]
    assert [net.random_state for net in nets] == seeds


def test_a_search_starts_anew():
    search = GridSearchCV(mlp(warm_start=True), {}, cv=2)
    found = ensemble(search).fit(X, Y)
    assert found.fit(X, Y).estimators_[0].best_estimator_.history_[-1]["epoch"] == 3


@pytest.mark.parametrize("make", [mlp, partial(SGDClassifier, loss="log_loss", alpha=1.0)])
def test_partial_fit(make):
    found = ensemble(make(), bootstrap=True)
    found.partial_fit(X[:4], Y[:4], classes=[0, 1, 2, 3])  # as many as samples
    assert found.classes_.tolist() == [0, 1, 2, 3]
    first = found.predict_proba(X)
    members = found.estimators_
    found.partial_fit(X, Y)
    assert found.estimators_[0] is members[0]
    assert found.predict_proba(X).shape == (60, 4)
    assert not np.array_equal(found.predict_proba(X), first)


def test_partial_fit_needs_classes_or_members_that_know_them():
    with pytest.raises(ValueError, match="classes= must be passed on the first call"):
        ensemble(mlp()).partial_fit(X, Y)
    assert ensemble(mlp(classes=[0, 1, 2])).partial_fit(X[:2], Y[:2]).predict(X).shape == (60,)
    assert ensemble(mlp()).partial_fit(X, LABELS).multilabel_
    assert not hasattr(ensemble(LogisticRegression()), "partial_fit")
    assert not hasattr(ensemble(make_pipeline(StandardScaler(), mlp())), "partial_fit")


def test_a_failed_fit_leaves_the_ensemble_as_it_was():
    found = ensemble(mlp()).fit(X, Y)
    proba = found.predict_proba(X)
    with pytest.raises(ValueError, match="NaN"):
        found.fit(np.full_like(X, np.nan), Y % 2)
    np.testing.assert_array_equal(found.predict_proba(X), proba)
    assert found.classes_.tolist() == [0, 1, 2]


@pytest.mark.parametrize("warm_start", [False, True])
def test_teach(warm_start):
    """modAL's `teach` calls fit, with all samples or with the new ones."""
    found = ensemble(mlp(classes=[0, 1, 2], warm_start=warm_start))
    learner = ActiveLearner(found, X_training=X[:20], y_training=Y[:20])
    learner.teach(X[20:30], Y[20:30])
    learner.teach(X[30:31], Y[30:31], only_new=True)
    assert len(found.estimators_[0].history_) == (9 if warm_start else 3)
    assert learner.score(X, Y) == found.score(X, Y)


# scikit-learn's manners


def test_clone_params_and_search():
    found = ensemble(mlp(), n_jobs=None, bootstrap=True)
    params = found.get_params()
    assert params["estimator__max_epochs"] == 3
    copied = clone(found).set_params(estimator__lr=0.1, estimator__module__hidden=(4,))
    assert copied.get_params()["estimator__lr"] == 0.1
    assert found.get_params()["estimator__lr"] == 0.003
    search = GridSearchCV(found, {"n_members": [1, 2], "estimator__lr": [0.02]}, cv=2).fit(X, Y)
    assert search.best_estimator_.estimators_[0].lr == 0.02
    assert search.predict(X).shape == (60,)
    assert len(cross_val_score(ensemble(mlp(max_epochs=30)), X, Y, cv=2)) == 2
    assert "DeepEnsemble" in repr(found)


@pytest.mark.parametrize("several", [False, True])
def test_pickle(several):
    found = ensemble(mlp(warm_start=True)).fit(X, LABELS if several else Y)
    again = pickle.loads(pickle.dumps(found))
    np.testing.assert_array_equal(again.predict_proba(X), found.predict_proba(X))
    y = LABELS if several else Y
    np.testing.assert_array_equal(again.fit(X, y).predict(X), found.fit(X, y).predict(X))
    assert pickle.loads(pickle.dumps(ensemble(mlp()))).n_members == 3


def test_columns_are_those_of_the_members():
    frame = pd.DataFrame(X, columns=list("abcd"))
    found = ensemble(make_pipeline(StandardScaler(), LogisticRegression())).fit(frame, Y)
    assert found.n_features_in_ == 4
    assert found.feature_names_in_.tolist() == list("abcd")
    with pytest.raises(ValueError, match="feature names should match"):
        found.predict(frame[list("abdc")])


TEXTS = [f"{word} {i % 7} film" for i, word in enumerate(["good", "bad"] * 20)]
SIDES = np.array(["pos", "neg"] * 20)


@pytest.mark.parametrize("bootstrap", [False, True])
@pytest.mark.parametrize(
    "as_texts", [list, np.array, partial(np.array, dtype=object), pd.Series], ids=str
)
def test_strings_and_sparse_rows(as_texts, bootstrap):
    texts = as_texts(TEXTS)
    words = ensemble(make_pipeline(TfidfVectorizer(), LogisticRegression()), bootstrap=bootstrap)
    assert words.fit(texts, SIDES).score(texts, SIDES) == 1
    encoder = FrozenEstimator(WordEncoder().fit(TEXTS))
    cnn = TextCNNClassifier(n_words=64, max_epochs=1, module__embedding_dim=4)
    net = ensemble(make_pipeline(encoder, cnn), bootstrap=bootstrap)
    assert net.fit(texts, list(SIDES)).predict(texts).shape == (40,)
    for kind in (sp.csr_matrix, sp.csr_array, sp.coo_matrix):
        rows = kind(TfidfVectorizer().fit_transform(TEXTS))
        sparse = ensemble(LogisticRegression(), bootstrap=bootstrap).fit(rows, SIDES)
        assert sparse.score(rows, SIDES) == 1


def test_a_torch_data_set():
    data = torch.utils.data.TensorDataset(torch.as_tensor(X), torch.as_tensor(Y))
    found = ensemble(foreign(), bootstrap=True).fit(data, Y)
    np.testing.assert_array_equal(found.predict_proba(data), found.predict_proba(X))


def test_weights_of_samples_are_drawn_with_them():
    weights = np.where(Y == 2, 1.0, 1e-9)
    found = ensemble(LogisticRegression(), bootstrap=True).fit(X, Y, sample_weight=weights)
    assert set(found.predict(X)) == {2}
    calibrated = CalibratedClassifierCV(ensemble(LogisticRegression()), cv=2).fit(X, Y)
    assert calibrated.predict(X).shape == (60,)


# Threads.


def test_members_take_turns_with_nets_in_other_threads():
    X, y = make_sigmoid(60, random_state=0)

    def net():
        return TabularMLPClassifier(classes=[0, 1], max_epochs=40, random_state=0)

    expected = net().fit(X, y).predict_proba(X)
    before = torch.get_rng_state(), np.random.get_state()[1].copy()  # noqa: NPY002
    alone, ensembles = net(), [DeepEnsemble(net(), 3, random_state=0) for _ in range(2)]
    threads = [threading.Thread(target=model.fit, args=(X, y)) for model in (alone, *ensembles)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert np.array_equal(alone.predict_proba(X), expected)
    assert np.array_equal(*(ensemble.predict_proba(X) for ensemble in ensembles))
    assert torch.equal(before[0], torch.get_rng_state())
    assert np.array_equal(before[1], np.random.get_state()[1])  # noqa: NPY002


def test_members_that_train_in_threads_of_their_own_wait_for_nobody():
    X, y = make_sigmoid(60, random_state=0)
    search = GridSearchCV(TabularMLPClassifier(max_epochs=1), {"lr": [0.01, 0.1]}, cv=2, n_jobs=2)
    with joblib.parallel_config(backend="threading"):
        DeepEnsemble(search, 2, random_state=0).fit(X, y)


@pytest.mark.parametrize(
    ("name", "value"), [("lr", np.float32(0.3)), ("max_epochs", np.int64(7)), ("min_steps", None)]
)
def test_members_that_go_on_follow_other_numbers_and_none(name, value):
    X, y = make_sigmoid(40, random_state=0)
    net = TabularMLPClassifier(max_epochs=1, min_steps=3, warm_start=True)
    ensemble = DeepEnsemble(net, 2, random_state=0).fit(X, y)
    ensemble.set_params(**{f"estimator__{name}": value}).fit(X, y)
    assert [member.get_params()[name] for member in ensemble.estimators_] == [value] * 2
