"""Scores by labels and by probabilities are scikit-learn's, for one label a sample or several."""

import warnings
from functools import partial

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sklearn.metrics import (
    accuracy_score,
    average_precision_score,
    f1_score,
    log_loss,
    make_scorer,
    roc_auc_score,
)

from modal_interp import DeepEnsemble, TabularMLPClassifier, random_sampling
from modal_interp.experiments import run_experiment
from modal_interp.experiments.running.interleaving import Interleaved

X = np.random.RandomState(0).normal(size=(60, 3))
ROWS = np.arange(60)
FEW = settings(max_examples=8, deadline=None, suppress_health_check=list(HealthCheck))
MICRO = make_scorer(
    roc_auc_score, response_method="predict_proba", multi_class="ovr", average="micro"
)
ALL_LABELS = make_scorer(roc_auc_score, response_method="predict_proba", average="micro")


def scored(estimator, y, scoring):
    protocol = Interleaved(
        estimator=estimator, X=X, y=y, initial=10, step=10, budget=30, split=(0.6, 0.2, 0.2),
        scoring=scoring, warm_start=False, early_stopping=False, n_threads=1,
    )  # fmt: skip
    return protocol.score(estimator, ROWS)


def net(**options):
    return TabularMLPClassifier(max_epochs=1, random_state=0, **options)


@st.composite
def classes(draw, least=2):
    """Draw a label for each sample, each class some times; words or numbers."""
    n = draw(st.integers(least, 4))
    y = np.resize(np.arange(n), 60)
    np.random.RandomState(draw(st.integers(0, 9))).shuffle(y)
    return np.array(draw(st.sampled_from([range(n), list("abcd"[:n])])))[y]


@st.composite
def indicators(draw):
    """Draw an indicator of 2 to 4 labels; each has a yes and a no."""
    size = 60, draw(st.integers(2, 4))
    y = np.random.RandomState(draw(st.integers(0, 99))).randint(2, size=size)
    y[:2] = [[0], [1]]
    return y


def columns(y):
    return (y[:, None] == np.unique(y)).astype(int)


OF_CLASSES = {
    "roc_auc_ovr": lambda y, p: np.mean(
        [roc_auc_score(of, scores) for of, scores in zip(columns(y).T, p.T, strict=True)]
    ),
    "roc_auc_ovr_weighted": lambda y, p: np.average(
        [roc_auc_score(of, scores) for of, scores in zip(columns(y).T, p.T, strict=True)],
        weights=columns(y).sum(axis=0),
    ),
    "roc_auc_ovo": partial(roc_auc_score, multi_class="ovo"),
    "average_precision": lambda y, p: average_precision_score(columns(y), p),
    "neg_log_loss": lambda y, p: -log_loss(y, p),
}


@pytest.mark.parametrize("scoring", [*OF_CLASSES, "micro"])
@FEW
@given(y=classes(least=3))
def test_probabilities_of_classes(scoring, y):
    if scoring == "average_precision":  # scikit-learn's looks for a class 1
        y = np.unique(y, return_inverse=True)[1]
    fitted = net().fit(X, y)
    proba = fitted.predict_proba(X)
    if scoring == "micro":
        expected = roc_auc_score(columns(y).ravel(), proba.ravel())
        assert scored(fitted, y, MICRO) == pytest.approx(expected)
        return
    assert scored(fitted, y, scoring) == pytest.approx(OF_CLASSES[scoring](y, proba))


@FEW
@given(y=classes())
def test_predicted_classes(y):
    fitted = net().fit(X, y)
    found = fitted.predict(X)
    assert scored(fitted, y, "accuracy") == accuracy_score(y, found)
    for average in ("macro", "micro", "weighted"):
        expected = f1_score(y, found, average=average)
        assert scored(fitted, y, f"f1_{average}") == pytest.approx(expected)


@FEW
@given(y=classes().filter(lambda y: len(np.unique(y)) == 2))
def test_two_classes(y):
    fitted = net().fit(X, y)
    positive = fitted.predict_proba(X)[:, 1]
    of_second = (y == np.unique(y)[1]).astype(int)
    for scoring in ("roc_auc", "roc_auc_ovr", "roc_auc_ovo"):
        assert scored(fitted, y, scoring) == pytest.approx(roc_auc_score(of_second, positive))


@pytest.mark.parametrize("names", [False, True])
@pytest.mark.parametrize("ensemble", [False, True])
@settings(FEW, max_examples=4)
@given(y=indicators())
def test_several_labels(names, ensemble, y):
    made = net(classes=list("abcd"[: y.shape[1]])) if names else net()
    fitted = (DeepEnsemble(made, n_members=2, random_state=0) if ensemble else made).fit(X, y)
    proba, found = fitted.predict_proba(X), fitted.predict(X)
    expected = {
        "roc_auc": roc_auc_score(y, proba),
        "roc_auc_ovr": roc_auc_score(y, proba),
        "average_precision": average_precision_score(y, proba),
        "f1_macro": f1_score(y, found, average="macro", zero_division=0),
        "f1_samples": f1_score(y, found, average="samples", zero_division=0),
        "accuracy": accuracy_score(y, found),
    }
    for scoring, score in expected.items():
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # F1 of a label that is never predicted
            assert scored(fitted, y, scoring) == pytest.approx(score)
    by_micro = roc_auc_score(y.ravel(), proba.ravel())
    assert scored(fitted, y, ALL_LABELS) == pytest.approx(by_micro)


def test_a_scorer_of_ones_own_gets_the_estimator_itself():
    y = (X > 0).astype(int)
    fitted = net().fit(X, y)

    def own(estimator, X, y):
        assert estimator is fitted
        return 0.25

    assert scored(fitted, y, own) == 0.25


@pytest.mark.parametrize("scoring", ["roc_auc", "average_precision", ALL_LABELS])
@pytest.mark.parametrize("n_labels", [2, 3])
def test_a_run_with_several_labels(scoring, n_labels):
    y = (X > 0).astype(int)[:, :n_labels]
    results = run_experiment(
        net(), X, y, [random_sampling], seeds=1, initial=10, step=10, budget=30, scoring=scoring
    )
    assert results["score"].between(0, 1).all()


class Untrainable(TabularMLPClassifier):
    """Fails if it is trained."""

    def fit(self, X, y):
        raise AssertionError("trained")


@pytest.mark.parametrize("scoring", ["roc_auc_ovr", MICRO, "average_precision"], ids=str)
def test_a_class_that_the_test_part_lacks(scoring, tmp_path):
    y = np.array([0] * 30 + [1] * 29 + [2])
    with pytest.raises(ValueError, match=r"test part of seed 0 has none of the classes \[2\]") as e:
        run_experiment(
            Untrainable(), X, y, [random_sampling], seeds=1, initial=10, step=10, budget=30,
            scoring=scoring, out=tmp_path / "out",
        )  # fmt: skip
    assert "Choose other seeds, larger parts, or a scoring by predicted labels" in str(e.value)
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("scoring", ["roc_auc", ALL_LABELS], ids=str)
def test_a_label_that_no_sample_of_the_test_part_has(scoring):
    y = (X > 0).astype(int)[:, :2]
    y[:, 1] = 0
    y[0, 1] = 1
    with pytest.raises(ValueError, match=r"part of seed 0 has none of the classes \[1\]"):
        run_experiment(
            Untrainable(), X, y, [random_sampling], seeds=[0], initial=10, step=10, budget=30,
            scoring=scoring,
        )  # fmt: skip
