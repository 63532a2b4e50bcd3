"""Scores that skorch's callbacks and scikit-learn's searches give: those of the labels."""

import copy
import pickle

import numpy as np
import pandas as pd
import pytest
import torch
from sklearn.metrics import f1_score, fbeta_score, get_scorer, make_scorer
from sklearn.model_selection import GridSearchCV, cross_val_score
from skorch.callbacks import BatchScoring, Callback, EarlyStopping, EpochScoring
from skorch.dataset import Dataset, ValidSplit
from skorch.helper import predefined_split
from torch.utils.data import TensorDataset

from modal_interp import TabularMLPClassifier

RNG = np.random.RandomState(0)
X = RNG.randn(120, 3).astype(np.float32)
BINARY = (X[:, 0] + 0.5 * RNG.randn(120) > 0).astype(int)
THREE = np.digitize(X[:, 0] + 0.5 * RNG.randn(120), [-0.5, 0.5])
INDICATOR = (X + 0.5 * RNG.randn(120, 3) > 0).astype(int)
LABELS = {
    "words": np.array(["neg", "pos", "zero"]),
    "objects": np.array(["neg", "pos", "zero"], dtype=object),
    "negative": np.array([-100, -1, 7]),
    "from one": np.array([1, 2, 3]),
    "floats": np.array([-1.0, 2.0, 3.0]),
    "small ints": np.array([1, 2, 3], dtype=np.int8),
}
TRAIN, VALID = slice(0, 80), slice(80, None)


def mlp(*callbacks, **options):
    options = {"max_epochs": 3, "random_state": 0, "batch_size": 16, **options}
    return TabularMLPClassifier(callbacks=list(callbacks), **options)


def scored(y, scoring, *, cached=True, **options):
    """Return the last score that a callback gave on the validation part, and the right one."""
    scoring = get_scorer(scoring) if isinstance(scoring, str) and scoring != "own" else scoring
    callback = EpochScoring(scoring, name="own", lower_is_better=False, use_caching=cached)
    valid = predefined_split(Dataset(X[VALID], y[VALID]))
    net = mlp(("own", callback), train_split=valid, **options).fit(X[TRAIN], y[TRAIN])
    right = scoring if callable(scoring) else get_scorer(scoring)
    return net.history[-1, "own"], right(net, X[VALID], y[VALID])


@pytest.mark.parametrize("cached", [True, False])
@pytest.mark.parametrize("kind", [*LABELS, "bools"])
@pytest.mark.parametrize("scoring", ["accuracy", "f1_macro", "neg_log_loss", "roc_auc"])
def test_binary_scores_are_those_of_labels(kind, scoring, cached):
    y = BINARY.astype(bool) if kind == "bools" else LABELS[kind][BINARY]
    found, right = scored(y, scoring, cached=cached)
    assert found == pytest.approx(right, abs=1e-6)
    assert scoring == "neg_log_loss" or right > 0.6


@pytest.mark.parametrize("kind", LABELS)
@pytest.mark.parametrize("scoring", ["balanced_accuracy", "roc_auc_ovr", "neg_log_loss"])
def test_scores_of_three_classes(kind, scoring):
    found, right = scored(LABELS[kind][THREE], scoring)
    assert found == pytest.approx(right, abs=1e-6)


@pytest.mark.parametrize(
    "scorer",
    [
        make_scorer(f1_score, pos_label="pos"),
        make_scorer(fbeta_score, pos_label="neg", beta=2),
        lambda net, X, y: float(np.mean(net.predict(X) == y)),
        lambda net, X, y: float(np.mean(net.classes_[net.predict_proba(X).argmax(1)] == y)),
    ],
)
def test_scorers_with_labels_of_their_own(scorer):
    found, right = scored(LABELS["words"][BINARY], scorer)
    assert found == pytest.approx(right, abs=1e-6)
    assert right > 0.5


@pytest.mark.parametrize("labels", [[0, 1], [False, True]])
def test_average_precision_where_a_class_counts_as_positive(labels):
    found, right = scored(np.array(labels)[BINARY], "average_precision")
    assert found == pytest.approx(right, abs=1e-6)


@pytest.mark.parametrize("dtype", [int, bool, float, np.uint8])
@pytest.mark.parametrize(
    "scoring", ["accuracy", "f1_micro", "jaccard_macro", "average_precision", "roc_auc"]
)
def test_scores_of_several_labels(dtype, scoring):
    found, right = scored(INDICATOR.astype(dtype), scoring, max_epochs=20)
    assert found == pytest.approx(right, abs=1e-6)
    assert right > 0.2


def test_no_scorer_means_the_score_of_the_net():
    callbacks = [("own", EpochScoring(None, name="own", lower_is_better=False))]
    y = LABELS["words"][THREE]
    valid = predefined_split(Dataset(X[VALID], y[VALID]))
    net = mlp(*callbacks, train_split=valid).fit(X[TRAIN], y[TRAIN])
    assert net.history[-1, "own"] == pytest.approx(net.score(X[VALID], y[VALID]))
    assert net.history[-1, "valid_acc"] == pytest.approx(net.score(X[VALID], y[VALID]))


@pytest.mark.parametrize("kind", LABELS)
def test_scores_of_batches_and_of_training_samples(kind):
    y = LABELS[kind][BINARY]
    net = mlp(
        ("batches", BatchScoring("accuracy", name="batches", lower_is_better=False)),
        ("train", EpochScoring("accuracy", name="train", on_train=True, use_caching=False)),
        train_split=ValidSplit(3, stratified=True),
        max_epochs=30,
    ).fit(X, y)
    assert net.history[-1, "batches"] == pytest.approx(net.history[-1, "valid_acc"])
    assert net.history[-1, "train"] > 0.7
    assert net.history[-1, "valid_acc"] > 0.6


def test_a_validation_set_holds_labels_as_fit_does():
    """Places of labels would be taken for other labels, and -100 for one to pass over."""
    for labels in (LABELS["words"], LABELS["negative"], np.array([2, 1, 0])):
        y = labels[THREE]
        nets = [
            mlp(train_split=predefined_split(own)).fit(X[TRAIN], y[TRAIN])
            for own in (
                Dataset(X[VALID], y[VALID]),
                Dataset(X[VALID].astype(float), pd.Series(y[VALID])),
            )
        ]
        right = get_scorer("neg_log_loss")(nets[0], X[VALID], y[VALID])
        for net in nets:
            assert net.history[-1, "valid_loss"] == pytest.approx(-right, abs=1e-5)
    tensors = TensorDataset(torch.as_tensor(X[VALID]), torch.as_tensor(THREE[VALID] + 1))
    net = mlp(train_split=predefined_split(tensors)).fit(X[TRAIN], THREE[TRAIN] + 1)
    assert net.history[-1, "valid_acc"] == pytest.approx(net.score(X[VALID], THREE[VALID] + 1))


@pytest.mark.parametrize(
    ("X_valid", "y_valid", "message"),
    [
        (X[:4], np.array(["neg", "pos", "neg", "new"]), r"labels that are not in classes.*'new'"),
        (X[:4], np.array([0, 1, 0, 1]), "labels that are not in classes"),
        (X[:4, :2], np.array(["neg"] * 4), "2 features"),
        (X[:4], INDICATOR[:4], "one label a sample"),
    ],
)
def test_validation_sets_of_another_kind(X_valid, y_valid, message):
    net = mlp(train_split=predefined_split(Dataset(X_valid, y_valid)))
    with pytest.raises(ValueError, match=message):
        net.fit(X, LABELS["words"][BINARY])


def test_searches_and_cross_validation():
    y = LABELS["words"][BINARY]
    own = ("own", EpochScoring("roc_auc", name="own", lower_is_better=False))
    stop = ("stop", EarlyStopping("valid_acc", lower_is_better=False, patience=3))
    net = mlp(own, stop, train_split=ValidSplit(3, stratified=True), max_epochs=40)
    search = GridSearchCV(
        net, {"lr": [0.01, 0.02]}, cv=2, scoring=["accuracy", "roc_auc"], refit="roc_auc"
    ).fit(X, y)
    assert search.best_score_ > 0.8
    assert max(search.best_estimator_.history[:, "own"]) > 0.8
    assert max(search.best_estimator_.history[:, "valid_acc"]) > 0.6
    for scoring in ("neg_log_loss", make_scorer(f1_score, pos_label="pos")):
        assert np.isfinite(cross_val_score(net, X, y, cv=2, scoring=scoring)).all()


def test_training_stops_by_the_accuracy_of_labels():
    y = LABELS["words"][BINARY]
    stop = EarlyStopping("valid_acc", lower_is_better=False, patience=2)
    net = mlp(("stop", stop), train_split=ValidSplit(3), max_epochs=200).fit(X, y)
    accuracies = net.history[:, "valid_acc"]
    assert max(accuracies) > 0.6
    assert len(accuracies) == int(np.argmax(accuracies)) + 1 + 2


def test_callbacks_are_left_as_they_were():
    extract = copy.copy  # any function of the user's own
    callback = EpochScoring("accuracy", name="own", target_extractor=extract, use_caching=False)
    y = LABELS["words"][BINARY]
    net = mlp(("own", callback), train_split=ValidSplit(3)).fit(X, y)
    assert callback.target_extractor is extract
    with pytest.raises(ZeroDivisionError):
        mlp(("own", callback), Failing, train_split=ValidSplit(3)).fit(X, y)
    assert callback.target_extractor is extract
    assert net.get_params()["callbacks"][0][1] is callback


class Failing(Callback):
    def on_epoch_end(self, net, **kwargs):
        raise ZeroDivisionError


class Copies(Callback):
    def on_epoch_end(self, net, **kwargs):
        self.copy_ = pickle.dumps(net)


def test_a_copy_made_while_training_trains_on():
    callbacks = [("own", EpochScoring("accuracy", name="own", lower_is_better=False)), Copies]
    y = LABELS["words"][BINARY]
    net = mlp(*callbacks, train_split=ValidSplit(3)).fit(X, y)
    again = pickle.loads(dict(net.callbacks_)["Copies"].copy_)
    again.partial_fit(X, y)
    assert again.history[-1, "own"] == again.history[-1, "valid_acc"] > 0.5


def test_scores_of_data_frames():
    frame, y = pd.DataFrame(X, columns=list("abc")), LABELS["words"][BINARY]
    callbacks = [("own", EpochScoring("accuracy", name="own"))]
    net = mlp(*callbacks, train_split=ValidSplit(3)).fit(frame, y)
    assert net.history[-1, "own"] == net.history[-1, "valid_acc"]
