"""The classifiers take several labels for each sample by the shape of y."""

import pickle
from functools import partial

import numpy as np
import pandas as pd
import pytest
import scipy.sparse as sp
import torch
from modAL.models import ActiveLearner, Committee
from sklearn.base import clone
from sklearn.exceptions import DataConversionWarning
from sklearn.frozen import FrozenEstimator
from sklearn.metrics import accuracy_score
from sklearn.model_selection import GridSearchCV, cross_val_score
from sklearn.pipeline import make_pipeline
from sklearn.utils import get_tags
from skorch.callbacks import Callback
from skorch.dataset import ValidSplit
from torch import nn

from modal_interp.estimators import (
    TabularMLPClassifier,
    TextBiLSTMClassifier,
    TextCNNClassifier,
    TextCNNLSTMClassifier,
)
from modal_interp.texts.word_encoder import WordEncoder

SMALL = {"n_words": 40, "module__embedding_dim": 8, "random_state": 0, "max_epochs": 3}
text_cnn = partial(TextCNNClassifier, **SMALL, module__n_filters=4)
text_bilstm = partial(TextBiLSTMClassifier, **SMALL, module__hidden_size=4)
# Deep nets of four units do not learn in the few steps of these tests.
WIDE = {"module__hidden_size": 16, "module__dropout": 0.1}
deep_bilstm = partial(TextBiLSTMClassifier, **SMALL, **WIDE, module__n_layers=2)
text_cnn_lstm = partial(TextCNNLSTMClassifier, **SMALL, **WIDE, module__n_filters=16)
tabular_mlp = partial(TabularMLPClassifier, module__hidden=(8,), random_state=0, max_epochs=3)

# Three labels, each its own direction (or word) of X; every set of labels occurs.
Y = (np.arange(80)[:, None] >> np.arange(3)) & 1
ROWS = np.random.RandomState(0).normal(size=(80, 4)) + 8 * np.pad(Y - 0.5, ((0, 0), (0, 1)))
WORDS = np.where(Y, [5, 6, 7], [8, 9, 10])
NAMES = ["sport", "art", "news"]


KINDS = {
    "cnn": text_cnn,
    "bilstm": text_bilstm,
    "deep_bilstm": deep_bilstm,
    "mlp": tabular_mlp,
}


@pytest.fixture(params=KINDS.values(), ids=KINDS)
def make(request):
    return request.param


def x_of(make):
    return ROWS if make is tabular_mlp else WORDS


def weights(net):
    return torch.cat([p.detach().ravel() for p in net.module_.parameters()])


# What goes in and comes out


def test_independent_probabilities_and_an_indicator(make):
    X = x_of(make)
    net = make(max_epochs=60, lr=0.02).fit(X, Y)
    assert net.multilabel_
    assert isinstance(net.criterion_, nn.BCEWithLogitsLoss)
    assert net.classes_.tolist() == [0, 1, 2]
    assert net.module_.output.out_features == 3
    proba = net.predict_proba(X)
    assert proba.dtype == np.float32
    with torch.no_grad():
        logits = net.module_.eval()(torch.as_tensor(net._check_input(X, reset=False)))
    np.testing.assert_allclose(proba, torch.sigmoid(logits), rtol=1e-6)
    np.testing.assert_array_equal(net.predict(X), proba > 0.5)
    assert net.score(X, Y) == accuracy_score(Y, net.predict(X)) > 0.9
    assert net.score(X, np.c_[Y[:, :2], 1 - Y[:, 2]]) < 0.1  # a sample counts with all its labels


def test_independent_probabilities_of_a_stack_of_convolutions():
    """By shorter steps than those of the other nets, which it does not learn from."""
    net = text_cnn_lstm(max_epochs=80, lr=0.005).fit(WORDS, Y)
    assert net.multilabel_
    assert net.predict_proba(WORDS).shape == Y.shape
    assert net.score(WORDS, Y) > 0.9
    again = pickle.loads(pickle.dumps(net))
    np.testing.assert_array_equal(again.predict_proba(WORDS), net.predict_proba(WORDS))
    assert torch.equal(weights(clone(net).fit(WORDS, Y)), weights(net))


@pytest.mark.parametrize(
    ("as_y", "dtype"),
    [
        (np.asarray, np.int64),
        (np.ndarray.tolist, np.int64),
        (list, np.int64),
        (partial(np.asarray, dtype=bool), bool),
        (partial(np.asarray, dtype=np.uint8), np.uint8),
        (partial(np.asarray, dtype=np.float32), np.float32),
        (torch.as_tensor, np.int64),
        (partial(pd.DataFrame, columns=NAMES), np.int64),
        (sp.csr_matrix, np.int64),
        (sp.dok_matrix, np.int64),
        (sp.coo_array, np.int64),
        (partial(sp.csc_matrix, dtype=bool), bool),
    ],
)
def test_indicators_of_any_kind(as_y, dtype):
    net = tabular_mlp().fit(ROWS, as_y(Y))
    expected = tabular_mlp().fit(ROWS, Y)
    assert torch.equal(weights(net), weights(expected))
    assert type(net.predict(ROWS)) is np.ndarray
    assert net.predict(ROWS).dtype == dtype
    np.testing.assert_array_equal(net.predict(ROWS), expected.predict(ROWS))
    assert net.score(ROWS, as_y(Y)) == expected.score(ROWS, Y)


def test_labels_are_named_in_the_order_of_the_columns():
    net = tabular_mlp(classes=NAMES).fit(ROWS, Y)
    assert net.classes_.tolist() == NAMES
    expected = tabular_mlp().fit(ROWS, Y)
    np.testing.assert_array_equal(net.predict_proba(ROWS), expected.predict_proba(ROWS))


def test_columns_without_both_values(make):
    X = x_of(make)
    same = np.c_[np.zeros(80, int), Y[:, 0], np.ones(80, int)]
    net = make(max_epochs=60, lr=0.02, class_weight="balanced").fit(X, same)
    np.testing.assert_array_equal(net.predict(X)[:, [0, 2]], same[:, [0, 2]])
    assert make().fit(X[:1], same[:1]).predict(X).shape == (80, 3)


def test_a_column_is_one_label_a_sample():
    with pytest.warns(DataConversionWarning):
        net = tabular_mlp().fit(ROWS, Y[:, :1])
    assert not net.multilabel_
    assert net.predict(ROWS).shape == (80,)
    with pytest.warns(DataConversionWarning):
        assert tabular_mlp().fit(ROWS, sp.csr_matrix(Y[:, :1])).predict(ROWS).shape == (80,)


@pytest.mark.parametrize(
    ("options", "y", "message"),
    [
        ({}, 2 * Y, r"y of shape \(80, 3\) must be an indicator matrix: 1 .* Found 2, dtype int64"),
        ({}, Y - 0.5, r"must be an indicator matrix.* Found -0.5, dtype float64"),
        ({}, np.array(NAMES)[Y], r"Found 'sport', dtype <U5.*MultiLabelBinarizer"),
        ({}, Y.astype(str), r"must be an indicator matrix.* Found '0'"),
        ({}, np.where(Y, np.nan, 1.0), "Input y contains NaN"),
        ({}, sp.csr_matrix(np.where(Y, np.inf, 1.0)), "Input y contains infinity"),
        ({}, [["art"], ["art", "news"]] * 40, "y must be .* rows of 1 to 2 values.*Binarizer"),
        ({}, Y[:-1], "inconsistent numbers of samples"),
        ({"classes": ["a", "b"]}, Y, r"classes must name each of the 3 columns .*\['a', 'b'\]"),
        ({"classes": "abc"}, Y, "classes must name each of the 3 columns of y.*found 'abc'"),
        ({"classes": ["b", "a", "b"]}, Y, "each column of y differently, found 'b' twice"),
        ({"class_weight": {7: 1.0}}, Y, r"class_weight holds labels .*\[0, 1, 2\]: \[7\]"),
        ({"class_weight": {0: np.nan}}, Y, "class_weight must hold finite numbers > 0"),
        ({"class_weight": "even"}, Y, "class_weight must be None, 'balanced' or a dict"),
    ],
)
def test_errors(options, y, message):
    net = tabular_mlp(classes=options.get("classes")).set_params(**options)
    with pytest.raises(ValueError, match=message):
        net.fit(ROWS, y)


# The loss


def test_training_minimises_the_binary_cross_entropy():
    """One step over all samples starts from the formula's loss and goes down its gradient."""
    X, y = np.array([[1.0, 2.0], [-1.0, 0.5], [0.0, 1.0]]), np.array([[1, 0], [0, 0], [1, 1]])
    start = tabular_mlp(
        module__hidden=(), batch_size=-1, max_epochs=1, lr=1.0, optimizer=torch.optim.SGD
    )
    net = clone(start).set_params(lr=0.0).fit(X, y)
    W, b = (p.detach().double().numpy() for p in net.module_.output.parameters())
    p = 1 / (1 + np.exp(-(X @ W.T + b)))
    loss = 0.0
    for i in range(3):
        for c in range(2):
            loss -= (y[i, c] * np.log(p[i, c]) + (1 - y[i, c]) * np.log(1 - p[i, c])) / 6
    assert net.history[-1, "train_loss"] == pytest.approx(loss, rel=1e-6)
    stepped = start.fit(X, y).module_.output
    np.testing.assert_allclose(stepped.weight.detach(), W - (p - y).T @ X / 6, rtol=1e-5)
    np.testing.assert_allclose(stepped.bias.detach(), b - (p - y).sum(axis=0) / 6, rtol=1e-5)


def test_a_criterion_of_the_users_own_is_kept():
    net = tabular_mlp(criterion=nn.MultiLabelSoftMarginLoss).fit(ROWS, Y)
    assert isinstance(net.criterion_, nn.MultiLabelSoftMarginLoss)
    np.testing.assert_allclose(
        net.predict_proba(ROWS), tabular_mlp().fit(ROWS, Y).predict_proba(ROWS), rtol=1e-4
    )
    with pytest.raises(ValueError, match="class_weight='balanced' needs a criterion with a pos_w"):
        net.set_params(class_weight="balanced").fit(ROWS, Y[:, [0, 0]] * Y[:, 1:])


class SigmoidMLP(nn.Module):
    """Gives probabilities, as BCELoss asks for."""

    def __init__(self, n_features, n_classes):
        super().__init__()
        self.output = nn.Linear(n_features, n_classes)

    def forward(self, X):
        return torch.sigmoid(self.output(X))


def test_probabilities_of_a_module_are_left_as_they_are():
    nets = [
        TabularMLPClassifier(*module, random_state=0, max_epochs=3, **options).fit(ROWS, Y)
        for module, options in [
            ((SigmoidMLP,), {"criterion": nn.BCELoss}),
            ((), {"module__hidden": ()}),
        ]
    ]
    np.testing.assert_allclose(*[net.predict_proba(ROWS) for net in nets], rtol=1e-4)
    own = tabular_mlp(predict_nonlinearity=None).fit(ROWS, Y).predict_proba(ROWS)
    assert own.min() < 0


def test_class_weight_acts_on_the_loss():
    X, y = np.ones((90, 4)), np.zeros((90, 2), int)
    y[:10, 0], y[:45, 1] = 1, 1
    net = tabular_mlp(class_weight="balanced", max_epochs=150, lr=0.05, batch_size=-1).fit(X, y)
    assert net.criterion_.pos_weight.tolist() == [8, 1]
    np.testing.assert_allclose(net.predict_proba(X[:1]), [[0.5, 0.5]], atol=0.02)
    one_sided = net.fit(X, np.c_[y, np.zeros(90, int), np.ones(90, int)])
    assert one_sided.criterion_.pos_weight.tolist() == [8, 1, 1, 1]


def test_weights_of_labels_and_of_another_call():
    net = tabular_mlp(class_weight={"art": 3}, classes=NAMES, warm_start=True, max_epochs=1)
    net.set_params(batch_size=-1, lr=0.0).fit(ROWS, Y)
    assert net.criterion_.weight.tolist() == [1, 3, 1]
    p = net.predict_proba(ROWS).astype(float)
    losses = -np.where(Y, np.log(p), np.log(1 - p)).mean(axis=0)
    assert net.history[-1, "train_loss"] == pytest.approx(losses @ [1, 3, 1] / 3, rel=1e-5)
    net.set_params(class_weight="balanced").fit(ROWS, Y * Y[:, ::-1])
    assert net.criterion_.weight.tolist() == [1, 1, 1]
    assert net.criterion_.pos_weight.tolist() == [3, 1, 3]


# Training that goes on


def test_partial_fit_knows_the_labels_by_the_columns(make):
    X = x_of(make)
    net = make(max_epochs=2).partial_fit(X, Y)
    assert len(net.partial_fit(X, Y.astype(bool)).history) == 4
    assert net.predict(X).dtype == Y.dtype
    net = make().partial_fit(X, Y, classes=NAMES)
    with pytest.raises(ValueError, match=r"for the classes \['sport', 'art', 'news'\], found"):
        net.partial_fit(X, Y, classes=sorted(NAMES))
    with pytest.raises(ValueError, match="differ from the constructor's"):
        make(classes=NAMES).partial_fit(X, Y, classes=sorted(NAMES))


@pytest.mark.parametrize(
    ("first", "then", "message"),
    [
        (Y, Y[:, 0], r"an indicator matrix of 3 columns, which the net was .* shape \(80,\)"),
        (Y, Y[:, :2], r"an indicator matrix of 3 columns, which the net was .* shape \(80, 2\)"),
        (Y[:, 0], Y[:, :2], r"one label a sample, which the net was .* shape \(80, 2\)"),
    ],
)
def test_a_warm_start_keeps_to_its_kind(first, then, message):
    net = tabular_mlp(warm_start=True).fit(ROWS, first)
    before, proba = weights(net), net.predict_proba(ROWS)
    for method in (net.fit, net.partial_fit):
        with pytest.raises(ValueError, match=message + r".* Call fit with warm_start=False"):
            method(ROWS, then)
    assert torch.equal(weights(net), before)
    np.testing.assert_array_equal(net.predict_proba(ROWS), proba)
    assert len(net.fit(ROWS, first).history) == 6
    again = net.set_params(warm_start=False).fit(ROWS, then)
    assert torch.equal(weights(again), weights(tabular_mlp().fit(ROWS, then)))
    assert again.multilabel_ == (then.ndim == 2)
    assert again.predict(ROWS).shape == then.shape


def test_initialize_before_any_y_is_for_one_label():
    net = text_cnn(classes=[0, 1, 2]).initialize()
    assert not net.multilabel_
    assert isinstance(net.criterion_, nn.CrossEntropyLoss)
    assert not hasattr(text_cnn(), "multilabel_")


# Validation


class Parts(Callback):
    """Keeps the numbers of the samples in both parts, by their first column."""

    def on_epoch_end(self, net, dataset_train=None, dataset_valid=None, **kwargs):
        parts = dataset_train, dataset_valid
        self.parts_ = [[int(part[i][0][0]) for i in range(len(part))] for part in parts]


def test_early_stopping(make):
    X = x_of(make)
    options = {"early_stopping": True, "n_iter_no_change": 60, "validation_fraction": 0.25}
    net = make(**options, max_epochs=60, lr=0.02).fit(X, Y)
    assert net.history[0, "valid_acc"] < 0.9 < net.history[-1, "valid_acc"]
    noise = np.random.RandomState(0).permutation(Y)
    net = make(**options | {"n_iter_no_change": 2}, max_epochs=100, lr=0.05).fit(X, noise)
    losses = net.history[:, "valid_loss"]
    assert len(losses) == int(np.argmin(losses)) + 1 + 2


@pytest.mark.parametrize("n", [80, 5, 2])
def test_samples_held_out(n):
    X = np.c_[np.arange(n), ROWS[:n]]
    net = tabular_mlp(early_stopping=True, max_epochs=1, callbacks=[Parts]).fit(X, Y[:n])
    train, valid = dict(net.callbacks_)["Parts"].parts_
    assert sorted(train + valid) == list(range(n))
    assert len(valid) == max(round(0.1 * n), 1)


def test_validation_of_the_users_own():
    net = tabular_mlp(train_split=ValidSplit(4)).fit(ROWS, Y)
    assert 0 <= net.history[-1, "valid_acc"] <= 1
    with pytest.raises(ValueError, match="early_stopping=True holds out samples"):
        tabular_mlp(early_stopping=True).fit(ROWS[:1], Y[:1])


# A scikit-learn estimator in all else


def test_pickles_clones_and_tags(make):
    X = x_of(make)
    net = make(classes=NAMES, class_weight="balanced").fit(X, Y.astype(np.uint8))
    again = pickle.loads(pickle.dumps(net))
    np.testing.assert_array_equal(again.predict_proba(X), net.predict_proba(X))
    assert again.predict(X).dtype == np.uint8
    for one in (net, again):
        one.partial_fit(X, Y)
    assert torch.equal(weights(net), weights(again))
    fresh = clone(net)
    assert not hasattr(fresh, "multilabel_")
    assert fresh.get_params()["criterion"] is nn.CrossEntropyLoss
    assert fresh.get_params()["classes"] == NAMES
    assert get_tags(net).classifier_tags.multi_label


def test_searches_and_scores():
    search = GridSearchCV(tabular_mlp(), {"lr": [0.0, 0.02]}, cv=2, error_score="raise")
    search.set_params(estimator__max_epochs=40).fit(ROWS, Y)
    assert search.best_params_ == {"lr": 0.02}
    assert search.predict(ROWS).shape == Y.shape
    scores = cross_val_score(search.best_estimator_, ROWS, Y, cv=2, scoring="roc_auc")
    assert scores.min() > 0.9


# modAL


def first_samples(learner, X_pool, n_instances=1):
    return np.arange(n_instances)


def test_an_active_learner(make):
    X = x_of(make)
    learner = ActiveLearner(
        make(max_epochs=40, lr=0.02), first_samples, X_training=X[:40], y_training=Y[:40]
    )
    idx, asked = learner.query(X[40:], n_instances=20)
    learner.teach(asked, Y[40:][idx])
    assert learner.y_training.shape == (60, 3)
    expected = make(max_epochs=40, lr=0.02).fit(X[:60], Y[:60])
    np.testing.assert_array_equal(learner.predict(X), expected.predict(X))
    assert learner.score(X[60:], Y[60:]) == expected.score(X[60:], Y[60:]) > 0.8
    learner.teach(X[60:], Y[60:], only_new=True)
    assert learner.predict(X).shape == Y.shape


def test_a_committee_of_pipelines():
    words = np.array([["tennis", "paint", "paper"], ["oak", "elm", "ash"]])
    texts = np.array([" ".join(words[1 - row, range(3)]) for row in Y])
    encoder = WordEncoder().fit(texts)
    members = [
        ActiveLearner(
            make_pipeline(
                FrozenEstimator(encoder),
                TextCNNClassifier(classes=NAMES, max_epochs=5, random_state=seed),
            ),
            first_samples,
            X_training=texts[:40],
            y_training=Y[:40],
        )
        for seed in (0, 1)
    ]
    committee = Committee(members, first_samples)
    committee.teach(texts[40:], Y[40:])
    mean = np.mean([member.predict_proba(texts) for member in members], axis=0)
    np.testing.assert_allclose(committee.predict_proba(texts), mean, rtol=1e-6)
    np.testing.assert_array_equal(members[0].predict(texts), members[0].predict_proba(texts) > 0.5)
