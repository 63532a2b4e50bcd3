"""The classifiers behave as scikit-learn's, and train as told."""

import copy
import pickle
import random
import re
from functools import partial

import joblib
import numpy as np
import pandas as pd
import pytest
import torch
from sklearn.base import clone
from sklearn.exceptions import DataConversionWarning, NotFittedError
from sklearn.frozen import FrozenEstimator
from sklearn.model_selection import GridSearchCV, cross_val_score
from sklearn.pipeline import make_pipeline
from sklearn.utils.estimator_checks import parametrize_with_checks
from skorch.callbacks import Callback
from skorch.dataset import ValidSplit, unpack_data
from skorch.exceptions import DeviceWarning
from torch.utils.data import DataLoader, WeightedRandomSampler

from modal_interp.estimators import (
    TabularMLPClassifier,
    TextBiLSTMClassifier,
    TextCNNClassifier,
    TextCNNLSTMClassifier,
)
from modal_interp.modules import TextCNN
from modal_interp.texts.word_encoder import WordEncoder

# A list, because pytest no longer takes the generator that some scikit-learn versions hand over.
CHECKS = parametrize_with_checks([TabularMLPClassifier(max_epochs=20)])
NAMES, CASES = CHECKS.args


@pytest.mark.parametrize(NAMES, list(CASES), **CHECKS.kwargs)
def test_scikit_learn_checks(estimator, check):
    check(estimator)


SMALL = {"n_words": 40, "module__embedding_dim": 8, "random_state": 0, "max_epochs": 3}
text_cnn = partial(TextCNNClassifier, **SMALL, module__n_filters=4)
text_bilstm = partial(TextBiLSTMClassifier, **SMALL, module__hidden_size=4)
tabular_mlp = partial(TabularMLPClassifier, module__hidden=(8,), random_state=0, max_epochs=3)
text_cnn_lstm = partial(TextCNNLSTMClassifier, **SMALL, module__n_filters=4, module__hidden_size=4)
KINDS = [text_cnn, text_bilstm, text_cnn_lstm, tabular_mlp]


def data(make, n=60, n_classes=2, seed=0):
    """Input for a kind of net, and codes 0..C-1 that can be learned from it."""
    rng = np.random.RandomState(seed)
    y = np.arange(n) % n_classes
    if make is tabular_mlp:
        return rng.normal(size=(n, 4)) + 2 * y[:, None], y
    X = rng.randint(2 + n_classes, 40, (n, 9))
    X[:, 0] = 2 + y
    X[:, 6:] *= rng.rand(n, 1) < 0.5
    return X, y


@pytest.fixture(params=KINDS, ids=["cnn", "bilstm", "cnn_lstm", "mlp"])
def make(request):
    return request.param


def states():
    """A digest of all global generators."""
    numpys = repr(np.random.get_state())  # noqa: NPY002
    return joblib.hash((torch.get_rng_state().numpy(), numpys, random.getstate()))


def weights(net):
    return torch.cat([p.detach().cpu().ravel() for p in net.module_.parameters()])


# Labels


@pytest.mark.parametrize(
    "labels",
    [["pos", "neg"], [7, 3], [True, False], [1.0, 0.0], np.array(["b", "a"], dtype=object)],
    ids=str,
)
def test_labels_of_any_kind(make, labels):
    X, y = data(make)
    y = np.asarray(labels)[y]
    net = make(max_epochs=40, lr=0.02).fit(X, y)
    assert net.classes_.tolist() == sorted(labels)
    assert net.classes_.dtype == y.dtype
    assert net.predict(X).dtype == y.dtype
    assert net.score(X, y) > 0.9
    proba = net.predict_proba(X)
    np.testing.assert_array_equal(net.classes_[proba.argmax(axis=1)], net.predict(X))
    np.testing.assert_allclose(proba.sum(axis=1), 1, rtol=1e-6)


@pytest.mark.parametrize("as_y", [list, pd.Series, partial(np.array, dtype=object)])
def test_labels_in_any_container(as_y):
    X, y = data(text_cnn)
    y = np.array(["neg", "pos"])[y]
    np.testing.assert_array_equal(
        text_cnn().fit(X, as_y(y)).predict_proba(X), text_cnn().fit(X, y).predict_proba(X)
    )


def test_classes_not_yet_labelled(make):
    X, y = data(make)
    net = make(classes=["z", "b", "c", "a"]).fit(X, np.array(["c", "a"])[y])
    assert net.classes_.tolist() == ["a", "b", "c", "z"]
    assert net.predict_proba(X).shape == (len(X), 4)
    assert net.module_.output.out_features == 4


def test_one_class_is_enough_where_classes_are_known(make):
    X, _ = data(make)
    net = make(classes=["neg", "pos"]).fit(X, ["neg"] * len(X))
    assert net.predict_proba(X).shape == (len(X), 2)


X2, Y2 = data(text_cnn)


@pytest.mark.parametrize(
    ("options", "y", "message"),
    [
        (
            {},
            np.zeros(60, int),
            r"one class only: \[0\]. Name all labels that will occur by classes=",
        ),
        ({"classes": ["a"]}, ["a"] * 60, "one class only"),
        ({"classes": [0, 1, 5]}, Y2 + 1, r"not in classes=\[0, 1, 5\]: \[2\]"),
        ({"classes": ["a", "b"]}, Y2, "scikit-learn has numbered them.*leave classes= out"),
        ({"classes": ["0", "1"]}, Y2, r"not in classes=\['0', '1'\]: \[0, 1\]"),
        ({"classes": "ab"}, Y2, "classes must be a 1-D collection of labels, found 'ab'"),
        ({}, np.stack([Y2, Y2 + 1], 1), r"y of shape \(60, 2\) must be an indicator matrix"),
        ({}, Y2 + 0.5, "Unknown label type"),
        ({}, np.where(Y2, np.nan, 1.0), "Input y contains NaN"),
        ({}, Y2[:-1], "inconsistent numbers of samples"),
        ({}, None, "requires y to be passed"),
        ({"class_weight": {7: 1.0}}, Y2, r"class_weight holds labels .*\[0, 1\]: \[7\]"),
        ({"class_weight": {0: -1.0}}, Y2, "class_weight must hold finite numbers > 0"),
        ({"class_weight": "even"}, Y2, "class_weight must be None, 'balanced' or a dict"),
        ({"validation_fraction": 1.0}, Y2, r"validation_fraction must be in \(0, 1\), found 1.0"),
        ({"n_iter_no_change": 0}, Y2, "n_iter_no_change must be >= 1, found 0"),
        ({"device": "gpu"}, Y2, "device must be 'auto' or a device of torch, found 'gpu'"),
        ({"n_words": "40"}, Y2, "n_words must be an integer >= 2, found '40'"),
        ({"module__n_words": 7}, Y2, "module__n_words cannot be set"),
        ({"embedding_matrix": np.zeros((9, 3))}, Y2, "n_words=40, but embedding_matrix has 9"),
        ({"n_wards": 7}, Y2, "n_wards"),
    ],
)
def test_errors_of_labels_and_parameters(options, y, message):
    with pytest.raises(ValueError, match=message):
        text_cnn(**options).fit(X2, y)


def test_column_of_labels_is_flattened_with_a_warning():
    with pytest.warns(DataConversionWarning):
        net = text_cnn().fit(X2, Y2[:, None])
    assert net.predict(X2).shape == (60,)


# Word ids


@pytest.mark.parametrize(
    "as_x", [np.int16, np.uint8, np.int64, lambda X: X.tolist(), pd.DataFrame, torch.as_tensor]
)
def test_word_ids_of_any_integer_kind(as_x):
    X = as_x(X2) if not isinstance(as_x, type) or as_x is pd.DataFrame else X2.astype(as_x)
    expected = text_cnn().fit(X2, Y2).predict_proba(X2)
    np.testing.assert_array_equal(text_cnn().fit(X, Y2).predict_proba(X), expected)


@pytest.mark.parametrize(
    ("X", "message"),
    [
        (["a text", "another"], "X holds strings, not word ids: put a WordEncoder before"),
        (np.array([["a"], ["b"]], dtype=object), "put a WordEncoder before"),
        (np.ones((2, 3)), r"X must hold integers \(word ids\), found dtype float64"),
        (np.ones((2, 3), bool), "found dtype bool"),
        (np.array([[2, -1], [3, 3]]), "Word ids must be >= 0, found -1"),
        (np.array([[2, 40], [3, 3]]), "reach 40, but the embedding has 40 rows: pass n_words="),
        (np.array([2, 3]), r"shape \(n, T\), found shape \(2,\)"),
        (np.zeros((0, 3), int), r"found shape \(0, 3\)|Found array with 0 sample"),
        ([[2, 3], [4]], "X must have rows of one length"),
    ],
)
def test_errors_of_word_ids(X, message):
    with pytest.raises(ValueError, match=message):
        text_cnn(classes=[0, 1]).fit(X, [0, 1][: len(X)])
    net = text_cnn().fit(X2, Y2)
    with pytest.raises(ValueError, match=message):
        net.predict(X)


@pytest.mark.parametrize("kind", [TextCNNClassifier, TextBiLSTMClassifier, TextCNNLSTMClassifier])
def test_words_of_the_pool_have_vectors_without_n_words(kind):
    X = np.array([[2, 3, 700_000, 0], [5, 2, 9, 9]] * 30)
    net = kind(max_epochs=2, random_state=0).fit(X, Y2)
    assert net.module_.embedding.words.tolist() == [0, 1, 2, 3, 5, 9, 700_000]
    # Filters and the LSTM, and what Adam keeps of them.
    assert len(pickle.dumps(net)) < (3e6 if kind is TextCNNLSTMClassifier else 2.5e6)
    pool = np.arange(2**20 - 40, 2**20).reshape(10, 4)
    before = net.predict_proba(pool)
    assert len(np.unique(before, axis=0)) == 10  # words that are known apart
    np.testing.assert_array_equal(pickle.loads(pickle.dumps(net)).predict_proba(pool), before)
    assert len(net.module_.embedding.words) == 7
    for train in (net.predict, net.partial_fit, net.fit):
        y = () if train == net.predict else (Y2,)
        with pytest.raises(ValueError, match="reach 1048576, but the embedding has 1048576 rows"):
            train([[2**20, 3]] * 60, *y)


def test_training_that_goes_on_stores_more_words():
    options = {"classes": [0, 1], "random_state": 0, "module__embedding_dim": 4}
    more = np.array([[2, 50, 60], [2, 3, 70]] * 30)
    net = TextCNNClassifier(**options, max_epochs=2).partial_fit(X2, Y2)
    stored, before = len(net.module_.embedding.words), net.predict_proba(more)
    net.set_params(max_epochs=0).partial_fit(more, Y2)
    assert len(net.module_.embedding.words) == stored + 3
    np.testing.assert_array_equal(net.predict_proba(more), before)
    net.set_params(max_epochs=2).partial_fit(more, Y2)
    assert not np.array_equal(net.predict_proba(more), before)


@pytest.mark.parametrize("optimizer", [torch.optim.Adam, torch.optim.SGD, torch.optim.Adagrad])
def test_it_trains_as_a_net_that_stores_all_words(optimizer):
    """Rows that come later find the optimiser as rows do that were there and not used."""
    options = {"classes": [0, 1], "max_epochs": 2, "module__embedding_dim": 4, "lr": 0.05}
    options |= {"optimizer": optimizer, "random_state": 0}
    more = np.array([[2, 50, 60], [2, 3, 70]] * 30)
    small = TextCNNClassifier(**options).initialize()
    large = TextCNNClassifier(**options).initialize()
    large.module_.load_state_dict(small.module_.state_dict())
    large.module_.embedding.store(torch.arange(80))
    large.initialize_optimizer()
    for net in (small, large):
        net.random_state_ = np.random.RandomState(0)
        net.partial_fit(X2, Y2).partial_fit(more, Y2)
    np.testing.assert_allclose(small.predict_proba(more), large.predict_proba(more), rtol=1e-5)
    everything = np.arange(120).reshape(20, 6)
    np.testing.assert_allclose(
        small.predict_proba(everything), large.predict_proba(everything), rtol=1e-5
    )


class Own(TextCNN):
    """A module of the user's, which is told a number of words."""

    def __init__(self, n_words, n_classes, **kwargs):
        super().__init__(n_words, n_classes, embedding_dim=4, **kwargs)
        self.weights_of_words = torch.nn.Embedding(n_words, 1)


def test_a_module_of_ones_own_is_told_how_many_rows():
    net = TextCNNClassifier(Own, max_epochs=1).fit(X2, Y2)
    assert net.n_words_ == net.module_.embedding.num_embeddings == 2**15
    net.predict([[2**15 - 1, 3]])
    with pytest.raises(ValueError, match="32768 rows: pass n_words="):
        net.predict([[2**15, 3]])
    net.fit(np.maximum(X2, 2**15), Y2)
    assert net.n_words_ == 2**16


def test_embedding_matrix_gives_the_rows(make):
    if make is tabular_mlp:
        pytest.skip("has no embedding")
    matrix = np.random.RandomState(0).normal(size=(50, 5))
    net = make(n_words=None, embedding_matrix=matrix, module__freeze_embedding=True).fit(X2, Y2)
    assert net.n_words_ == 50
    np.testing.assert_allclose(net.module_.embedding.weight[1:].detach(), matrix[1:], rtol=1e-6)


def test_the_designs_pipeline_with_words_never_trained_on():
    texts = np.array(["a good film", "a bad film", "good , good", "so bad", "lovely weather today"])
    encoder = WordEncoder().fit(texts)
    net = TextCNNClassifier(classes=["neg", "pos"], max_epochs=5)
    learner = make_pipeline(FrozenEstimator(encoder), net)
    learner.fit(texts[:4], ["pos", "neg", "pos", "neg"])
    assert set(learner.predict(texts)) <= {"neg", "pos"}
    assert learner.predict_proba(texts).shape == (5, 2)


# Tables


def test_tables_of_any_number_kind():
    X, y = data(tabular_mlp)
    frame = pd.DataFrame(X, columns=list("abcd"))
    expected = tabular_mlp().fit(X, y).predict_proba(X)
    net = tabular_mlp().fit(frame, y)
    assert net.feature_names_in_.tolist() == list("abcd")
    np.testing.assert_array_equal(net.predict_proba(frame), expected)
    np.testing.assert_array_equal(tabular_mlp().fit(X.tolist(), y).predict_proba(X), expected)
    with pytest.raises(ValueError, match="feature names"):
        net.predict(frame[list("dcba")])


# Randomness


@pytest.mark.parametrize("early_stopping", [False, True])
def test_fit_is_reproducible_and_leaves_global_generators_alone(make, early_stopping):
    X, y = data(make)
    before = states()
    net = make(early_stopping=early_stopping).fit(X, y)
    assert states() == before
    torch.manual_seed(99)
    again = make(early_stopping=early_stopping).fit(X, y)
    other = make(early_stopping=early_stopping, random_state=1).fit(X, y)
    assert torch.equal(weights(net), weights(again))
    assert torch.equal(weights(net.fit(X, y)), weights(again))
    assert not torch.equal(weights(other), weights(again))


@pytest.mark.parametrize("random_state", [None, 0])
def test_predictions_leave_global_generators_alone(make, random_state):
    X, y = data(make)
    net = make(random_state=random_state).fit(X, y)
    before = states()
    net.predict(X)
    net.predict_proba(X)
    net.score(X, y)
    net.set_params(module__dropout=0.3)
    assert states() == before


def test_no_random_state_means_torchs_generator(make):
    X, y = data(make)
    found = []
    for _ in range(2):
        torch.manual_seed(3)
        found.append(weights(make(random_state=None).fit(X, y)))
    assert torch.equal(*found)
    assert not torch.equal(weights(make(random_state=None).fit(X, y)), found[0])


def test_a_random_state_object_goes_on():
    rng = np.random.RandomState(0)
    first = weights(text_cnn(random_state=rng).fit(X2, Y2))
    assert not torch.equal(weights(text_cnn(random_state=rng).fit(X2, Y2)), first)
    again = text_cnn(random_state=np.random.RandomState(0)).fit(X2, Y2)
    assert torch.equal(weights(again), first)


class Seen(Callback):
    """Keeps the first column of each training batch."""

    def initialize(self):
        self.batches_ = []
        return self

    def on_batch_begin(self, net, batch=None, training=False, **kwargs):
        self.batches_.append(unpack_data(batch)[0][:, 0].tolist())


def test_training_that_goes_on_does_not_repeat_its_shuffles():
    X = np.arange(2, 38).reshape(18, 2)
    y = np.arange(18) % 2
    net = text_cnn(max_epochs=1, callbacks=[Seen], batch_size=18).partial_fit(X, y, classes=[0, 1])
    seen = dict(net.callbacks_)["Seen"].batches_
    net.partial_fit(X, y)
    net.set_params(warm_start=True).fit(X, y)
    assert len({tuple(batch) for batch in seen}) == 3
    again = text_cnn(max_epochs=1, batch_size=18).partial_fit(X, y, classes=[0, 1])
    again.partial_fit(X, y).set_params(warm_start=True).fit(X, y)
    assert torch.equal(weights(again), weights(net))


# Training that goes on


def test_partial_fit_goes_on(make):
    X, y = data(make)
    net = make(max_epochs=2)
    with pytest.raises(ValueError, match="classes= must be passed on the first call"):
        net.partial_fit(X, y)
    net.partial_fit(X, y, classes=[0, 1, 2])
    assert net.predict_proba(X).shape == (len(X), 3)
    net.partial_fit(X, y, classes=[2, 1, 0])
    assert len(net.history) == 4
    with pytest.raises(ValueError, match=r"trained for the classes \[0, 1, 2\], found"):
        net.partial_fit(X, y, classes=[0, 1])
    with pytest.raises(ValueError, match=r"not in classes=\[0, 1, 2\]: \[3\]"):
        net.partial_fit(X, y + 2)


def test_partial_fit_after_fit_and_other_classes():
    net = text_cnn(classes=[0, 1]).partial_fit(X2, Y2)
    with pytest.raises(ValueError, match="differ from the constructor's"):
        net.partial_fit(X2, Y2, classes=[0, 2])
    assert len(net.fit(X2, Y2).partial_fit(X2, Y2).history) == 6


def test_warm_start(make):
    X, y = data(make)
    net = make(warm_start=True, classes=[0, 1]).fit(X, y)
    before = weights(net)
    assert len(net.fit(X, y).history) == 6
    assert not torch.equal(weights(net), before)
    assert len(net.set_params(warm_start=False).fit(X, y).history) == 3
    assert torch.equal(weights(net), before)
    net.set_params(warm_start=True, classes=[0, 1, 2])
    with pytest.raises(ValueError, match="Call fit with warm_start=False to change them"):
        net.fit(X, y)


def test_a_failed_fit_leaves_the_fitted_net_as_it_was(make):
    X, y = data(make)
    net = make().fit(X, y)
    before = net.predict_proba(X)
    with pytest.raises(ValueError, match="inconsistent"):
        net.fit(X, y[:-1] + 5)
    np.testing.assert_array_equal(net.predict_proba(X), before)
    assert net.classes_.tolist() == [0, 1]


@pytest.mark.parametrize("wrong", [{"module__dropout": 2}, {"criterion__foo": 1}])
def test_a_failed_training_leaves_no_net_that_answers(make, wrong):
    X, y = data(make)
    for net in (make(), make().fit(X, y)):
        with pytest.raises((TypeError, ValueError)):
            net.set_params(**wrong).fit(X, y + 5)
        assert not net.__sklearn_is_fitted__()
        assert not net.initialized_
        assert not hasattr(net, "classes_")
        for method in (net.predict, net.predict_proba):
            with pytest.raises(NotFittedError):
                method(X)


class FailsOnce(Callback):
    def __init__(self, at):
        self.at = at

    def on_epoch_end(self, net, **kwargs):
        if len(net.history) == self.at:
            raise RuntimeError("once")


def test_what_fails_while_training_goes_on_keeps_the_net(make):
    X, y = data(make)
    net = make(warm_start=True, callbacks=[("fails", FailsOnce(5))]).fit(X, y)
    with pytest.raises(RuntimeError, match="once"):
        net.fit(X, y)
    assert net.predict(X).shape == y.shape
    assert len(net.partial_fit(X, y).history) == 8
    net.set_params(callbacks__fails__at=2, warm_start=False)
    with pytest.raises(RuntimeError, match="once"):
        net.fit(X, y)
    assert not net.__sklearn_is_fitted__()
    fresh = make().fit(X, y).predict_proba(X)
    np.testing.assert_array_equal(
        net.set_params(callbacks__fails__at=9).fit(X, y).predict_proba(X), fresh
    )


# Weights of classes


def test_class_weight_acts_on_the_loss():
    X = np.ones((90, 4))
    labels = np.array(["often", "seldom"])[(np.arange(90) % 9 == 0).astype(int)]
    mean = {}
    for weight in (None, "balanced", {"seldom": 8.0}, {"often": 1, "seldom": 64.0}):
        net = tabular_mlp(class_weight=weight, max_epochs=150, lr=0.05, batch_size=-1)
        mean[str(weight)] = net.fit(X, labels).predict_proba(X[:1])[0, 1]
    assert mean["None"] == pytest.approx(1 / 9, abs=0.02)
    assert mean["balanced"] == pytest.approx(1 / 2, abs=0.02)
    assert mean["{'seldom': 8.0}"] == pytest.approx(1 / 2, abs=0.02)
    assert mean["{'often': 1, 'seldom': 64.0}"] == pytest.approx(8 / 9, abs=0.02)


def test_balanced_passes_over_classes_not_yet_labelled():
    net = text_cnn(class_weight="balanced", classes=["a", "b", "c"]).fit(
        X2, np.array(["a", "c"])[Y2]
    )
    assert net.criterion_.weight.tolist() == [1, 1, 1]


# Early stopping


class BestWeights(Callback):
    """Keeps the weights of the epoch with the least validation loss."""

    def on_train_begin(self, net, **kwargs):
        self.loss_, self.weights_, self.sizes_ = np.inf, None, None

    def on_epoch_end(self, net, dataset_train=None, dataset_valid=None, **kwargs):
        self.sizes_ = len(dataset_train), len(dataset_valid)
        if net.history[-1, "valid_loss"] < self.loss_:
            self.loss_, self.weights_ = net.history[-1, "valid_loss"], weights(net)


def test_early_stopping_keeps_the_best_epoch(make, capsys):
    X, y = data(make, 200)
    labels = np.array(["neg", "pos"])[np.random.RandomState(0).permutation(y)]
    net = make(
        early_stopping=True,
        n_iter_no_change=3,
        validation_fraction=0.25,
        max_epochs=200,
        lr=0.02,
        callbacks=[("best", BestWeights)],
    ).fit(X, labels)
    best = dict(net.callbacks_)["best"]
    losses = net.history[:, "valid_loss"]
    assert len(losses) == int(np.argmin(losses)) + 1 + 3
    assert torch.equal(weights(net), best.weights_)
    assert best.sizes_ == (150, 50)
    assert capsys.readouterr() == ("", "")


def test_validation_accuracy_is_that_of_labels():
    X, y = data(text_cnn, 100)
    net = text_cnn(early_stopping=True, max_epochs=40, lr=0.02, n_iter_no_change=40)
    net.fit(X, np.array(["neg", "pos"])[y])
    assert net.history[-1, "valid_acc"] > 0.9
    net.fit(X, np.array([3, 8])[y])
    assert net.history[-1, "valid_acc"] > 0.9


def test_a_train_split_of_skorchs():
    net = text_cnn(train_split=ValidSplit(3, stratified=True)).fit(X2, np.array(["neg", "pos"])[Y2])
    assert 0 <= net.history[-1, "valid_acc"] <= 1


@pytest.mark.parametrize(
    "counts", [[200, 200], [58, 2], [59, 1], [2, 2], [2, 1], [1, 1, 1, 5], [3] * 8]
)
def test_held_out_samples_leave_each_class_one(counts):
    y = np.repeat(np.arange(len(counts)), counts)
    X = np.repeat(X2[:1], len(y), axis=0)
    net = text_cnn(early_stopping=True, max_epochs=1, classes=range(9), callbacks=[Parts]).fit(X, y)
    train, valid = dict(net.callbacks_)["Parts"].targets_
    assert sorted(train + valid) == y.tolist()
    assert set(train) == set(y)
    assert len(valid) == max(round(0.1 * len(y)), 1)
    if min(counts) == 200:
        assert valid.count(0) == valid.count(1)


class Parts(Callback):
    """Keeps the targets of both parts."""

    def on_epoch_end(self, net, dataset_train=None, dataset_valid=None, **kwargs):
        parts = dataset_train, dataset_valid
        self.targets_ = [[int(part[i][1]) for i in range(len(part))] for part in parts]


def test_early_stopping_needs_a_sample_to_spare():
    with pytest.raises(ValueError, match="one sample of each class only"):
        text_cnn(early_stopping=True).fit(X2[:2], [0, 1])


# A scikit-learn estimator in all else


def test_not_fitted(make):
    X, _ = data(make)
    for method in ("predict", "predict_proba", "score"):
        with pytest.raises(NotFittedError):
            getattr(make(), method)(*([X, X[:, 0]] if method == "score" else [X]))
    assert not hasattr(make(), "classes_")


def test_nothing_is_printed_and_history_is_kept(make, capsys):
    X, y = data(make)
    net = make().fit(X, y)
    net.set_params(module__dropout=0.1).fit(X, y).partial_fit(X, y)
    assert capsys.readouterr() == ("", "")
    losses, seconds = zip(*net.history[:, ("train_loss", "dur")], strict=True)
    assert len(losses) == 6
    assert np.isfinite([*losses, *seconds]).all()
    net.set_params(verbose=1).fit(X, y)
    assert "train_loss" in capsys.readouterr().out


def test_clone_params_and_set_params(make):
    X, y = data(make)
    net = make(module__dropout=0.2, classes=["a", "b"], device="auto")
    params = clone(net).get_params()
    assert params["module__dropout"] == 0.2
    assert params["classes"] == ["a", "b"]
    assert params["device"] == "auto"
    assert params["random_state"] == 0
    net.set_params(module__dropout=0.4, lr=0.5, classes=None).fit(X, y)
    assert clone(net).get_params()["module__dropout"] == 0.4
    net.set_params(module__dropout=0.0, lr=0.01, random_state=4).fit(X, y)
    expected = make(module__dropout=0.0, lr=0.01, random_state=4).fit(X, y)
    assert torch.equal(weights(net), weights(expected))


def test_set_params_after_fit_acts_at_the_next_fit(make):
    X, y = data(make)
    net = make().fit(X, y)
    before = net.predict_proba(X)
    net.set_params(
        module__dropout=0.3, iterator_train__batch_size=7, criterion__label_smoothing=0.1
    )
    np.testing.assert_array_equal(net.predict_proba(X), before)
    net.set_params(lr=0.5)
    assert net.optimizer_.param_groups[0]["lr"] == 0.5
    net.fit(X, y)
    assert len(net.history[-1, "batches"]) == 9
    assert net.criterion_.label_smoothing == 0.1


def test_grid_search_and_cross_validation(make):
    X, y = data(make)
    y = np.array(["neg", "pos"])[y]
    grid = {"lr": [0.01, 0.1], "module__dropout": [0.0, 0.5]}
    search = GridSearchCV(make(), grid, cv=2, error_score="raise").fit(X, y)
    assert search.best_estimator_.get_params()["lr"] == search.best_params_["lr"]
    assert search.predict(X[:3]).dtype == y.dtype


def test_cross_validation_in_two_processes():
    scores = [cross_val_score(text_cnn(), X2, Y2, cv=2, n_jobs=jobs) for jobs in (1, 2)]
    np.testing.assert_array_equal(*scores)


@pytest.mark.parametrize("way", ["pickle", "joblib", "deepcopy"])
def test_copies_predict_and_train_the_same(make, way, tmp_path):
    X, y = data(make)
    net = make(early_stopping=True).fit(X, np.array(["neg", "pos"])[y])
    if way == "pickle":
        again = pickle.loads(pickle.dumps(net))
    elif way == "deepcopy":
        again = copy.deepcopy(net)
    else:
        joblib.dump(net, tmp_path / "net.joblib")
        again = joblib.load(tmp_path / "net.joblib")
    np.testing.assert_array_equal(again.predict_proba(X), net.predict_proba(X))
    np.testing.assert_array_equal(again.predict(X), net.predict(X))
    assert again.get_params()["device"] == "auto"
    for one in (net, again):
        one.partial_fit(X, np.array(["neg", "pos"])[y])
    assert torch.equal(weights(net), weights(again))


def test_unfitted_nets_pickle(make):
    X, y = data(make)
    again = pickle.loads(pickle.dumps(make())).fit(X, y)
    assert torch.equal(weights(again), weights(make().fit(X, y)))


def test_parameters_load_into_a_net_that_never_saw_data(tmp_path):
    net = text_cnn().fit(X2, Y2)
    net.save_params(f_params=tmp_path / "net.pt")
    again = text_cnn(classes=[0, 1]).initialize()
    again.load_params(f_params=tmp_path / "net.pt")
    np.testing.assert_array_equal(again.predict_proba(X2), net.predict_proba(X2))
    assert again.get_params()["device"] == "auto"
    with pytest.raises(ValueError, match="classes= must be known before initialize"):
        text_cnn().initialize()
    with pytest.raises(ValueError, match="number of columns is not known before fit"):
        tabular_mlp(classes=[0, 1]).initialize()


# What the rest of the package reads from a net


def test_skorchs_own_methods_agree(make):
    X, y = data(make)
    net = make().fit(X, y)
    assert torch.device(net.device)
    parts = []
    for batch in net.get_iterator(net.get_dataset(X), training=False):
        net.module_.eval()
        with torch.no_grad():
            parts.append(net._get_predict_nonlinearity()(net.infer(unpack_data(batch)[0])))
    np.testing.assert_allclose(torch.cat(parts).cpu(), net.predict_proba(X), rtol=1e-6)


def test_batch_size_of_predictions_changes_nothing(make):
    X, y = data(make)
    net = make().fit(X, y)
    whole = net.predict_proba(X)
    net.set_params(iterator_valid__batch_size=7)
    np.testing.assert_allclose(net.predict_proba(X), whole, atol=1e-6)


def test_a_dataset_of_the_users_own(make):
    X, y = data(make)
    net = make().fit(X, y)
    X = net._check_input(X, reset=False)
    pairs = [(row, 0) for row in X]
    dataset = type("Rows", (torch.utils.data.Dataset,), {})()
    dataset.__class__.__len__ = lambda self: len(pairs)
    dataset.__class__.__getitem__ = lambda self, i: pairs[i]
    np.testing.assert_array_equal(net.predict_proba(dataset), net.predict_proba(X))


class Loader(DataLoader):
    """A loader of the user's own, which the nets leave as it is."""


@pytest.mark.parametrize(
    ("options", "whole"),
    [
        ({}, True),
        ({"batch_size": -1}, True),
        ({"early_stopping": True, "batch_size": 20}, True),
        ({"train_split": ValidSplit(3, stratified=True)}, True),
        ({"iterator_train__shuffle": False, "batch_size": 7}, True),
        ({"iterator_train__drop_last": True, "iterator_valid__batch_size": 9}, True),
        ({"random_state": None}, True),
        ({"iterator_train__generator": torch.Generator}, True),
        ({"iterator_train__sampler": WeightedRandomSampler, "batch_size": 7}, False),
        ({"iterator_train__collate_fn": torch.utils.data.default_convert}, False),
    ],
    ids=lambda value: re.sub(" at 0x[0-9a-f]+", "", str(value)),
)
def test_batches_taken_whole_are_those_of_a_data_loader(make, options, whole):
    X, y = data(make)
    found = []
    for loader in (DataLoader, Loader):
        given = dict(options)
        if "iterator_train__generator" in given:
            given["iterator_train__generator"] = torch.Generator().manual_seed(5)
        if "iterator_train__sampler" in given:
            sampler = WeightedRandomSampler(np.ones(60), 45)
            given |= {"iterator_train__sampler": sampler, "iterator_train__shuffle": False}
        torch.manual_seed(3)
        net = make(iterator_train=loader, iterator_valid=loader, **given).fit(X, y)
        sizes = [sorted(row.items()) for row in net.history[-1, "batches"]]
        found.append((joblib.hash(weights(net).numpy()), states(), sizes))
        taken = type(net.get_iterator(net.get_dataset(X, y), training=True))
        assert (taken is loader) == (loader is Loader or not whole)
    assert found[0] == found[1]


def test_rows_that_lie_backwards_or_must_not_be_written(make):
    X, y = data(make)
    expected = weights(make().fit(X, y))
    backwards = X[::-1].copy()[::-1]
    backwards.flags.writeable = y.flags.writeable = False
    net = make().fit(backwards, y)
    assert torch.equal(weights(net), expected)
    np.testing.assert_array_equal(net.predict_proba(backwards), net.predict_proba(X))
    batches = list(net.get_iterator(net.get_dataset(X[::-1]), training=False))
    for batch, _ in batches:
        batch.zero_()
    assert X.any()


class Listener(Callback):
    """Notes what it is told."""

    def initialize(self):
        self.told_ = []
        return self

    def on_batch_begin(self, net, batch=None, training=None, **kwargs):
        self.told_.append(("begin", training, len(batch[0])))
        net.module_.output.eval()

    def on_grad_computed(self, net, named_parameters, **kwargs):
        modes = {layer.training for layer in (*net.module_.modules(), net.criterion_)}
        self.told_.append(("grad", len(list(named_parameters)), modes))

    def on_batch_end(self, net, batch=None, training=None, **kwargs):
        self.told_.append(("end", training, kwargs["loss"].item()))


def test_callbacks_of_the_users_own_hear_of_every_batch(make):
    X, y = data(make)
    net = make(early_stopping=True, batch_size=30, max_epochs=2, callbacks=[Listener]).fit(X, y)
    told = dict(net.callbacks_)["Listener"].told_
    kinds = ["begin", "grad", "end"] * 2 + ["begin", "end"]
    assert [one[0] for one in told] == kinds * 2
    begun = [one[1:] for one in told if one[0] == "begin"]
    assert begun == [(True, 30), (True, 24), (False, 6)] * 2
    n_parameters = len(list(net.module_.parameters()))
    # What a callback does to the mode of a layer does not last.
    assert all(one[1:] == (n_parameters, {True}) for one in told if one[0] == "grad")
    losses = [row.get("train_loss", row.get("valid_loss")) for row in net.history[0, "batches"]]
    assert [one[2] for one in told if one[0] == "end"][:3] == losses


def test_the_log_of_epochs_is_written_where_it_is_read(capsys):
    rows = []
    net = tabular_mlp(callbacks__print_log__sink=rows.append).fit(*data(tabular_mlp))
    assert len(rows) == 2 + 3
    assert "train_loss" in rows[0]
    net = tabular_mlp().fit(*data(tabular_mlp))
    assert capsys.readouterr().out == ""
    net.set_params(verbose=1).partial_fit(*data(tabular_mlp))
    assert len(capsys.readouterr().out.splitlines()) == 2 + 3


def test_an_optimizer_that_cannot_be_fused():
    net = text_cnn(optimizer=torch.optim.RMSprop).fit(X2, Y2)
    assert isinstance(net.optimizer_, torch.optim.RMSprop)
    assert text_cnn().fit(X2, Y2).optimizer_.defaults["fused"]


# Devices


def test_auto_is_read_as_a_device_and_kept_as_auto():
    net = text_cnn()
    assert net.device == ("cuda" if torch.cuda.is_available() else "cpu")
    assert net.get_params()["device"] == "auto"
    assert pickle.loads(pickle.dumps(net.fit(X2, Y2))).get_params()["device"] == "auto"
    assert clone(text_cnn(device="cpu")).get_params()["device"] == "cpu"


@pytest.mark.skipif(torch.cuda.is_available(), reason="needs a machine without CUDA")
def test_without_cuda():
    with pytest.raises(ValueError, match="device='cuda:0', but torch finds no CUDA here"):
        text_cnn(device="cuda:0").fit(X2, Y2)
    net = text_cnn().fit(X2, Y2)
    expected = net.predict_proba(X2)
    state = pickle.dumps(net.set_params(device="cuda"))
    with pytest.warns(DeviceWarning):
        again = pickle.loads(state)
    assert str(again.get_params()["device"]) == "cpu"
    np.testing.assert_array_equal(again.predict_proba(X2), expected)


@pytest.mark.gpu
def test_with_cuda(make):
    X, y = data(make)
    before = torch.cuda.get_rng_state().tolist(), torch.get_rng_state().tolist()
    net = make(device="auto").fit(X, y)
    assert (torch.cuda.get_rng_state().tolist(), torch.get_rng_state().tolist()) == before
    assert next(net.module_.parameters()).is_cuda
    again = pickle.loads(pickle.dumps(net))
    np.testing.assert_allclose(again.predict_proba(X), net.predict_proba(X), rtol=1e-5)
    net.partial_fit(X, y)


def test_training_without_a_batch_is_refused():
    net = TabularMLPClassifier(iterator_train__drop_last=True)
    with pytest.raises(ValueError, match=r"batch_size must be at most .* 20, .* found 50"):
        net.fit(np.ones((20, 2), dtype=np.float32), [0, 1] * 10)


@pytest.mark.parametrize(
    ("table", "message"),
    [
        (np.array([[0, 1.0], [2, 1e300]] * 9), r"found 1e\+300 in row 1, column 1"),
        (np.array([[-3.5e38, 1.0], [2, 1]] * 9), r"found -3.5e\+38 in row 0, column 0"),
        (np.array([[10**400, 1.0], [2, 1]] * 9, dtype=object), r"found 10{29}\.\.\. in row 0"),
        (pd.DataFrame({"a": [1.0, 2] * 9, "b": [1, 1e39] * 9}), r"row 1, column 'b'"),
        (np.array([[0, 1.0], [2, np.inf]] * 9), "contains infinity"),
        (np.array([[0, 1.0], [2, np.nan]] * 9), "contains NaN"),
    ],
)
def test_numbers_beyond_float32(table, message):
    with pytest.raises(ValueError, match=message):
        tabular_mlp().fit(table, [0, 1] * 9)
    net = tabular_mlp().fit(np.zeros((18, 2)), [0, 1] * 9)
    if isinstance(table, np.ndarray):
        with pytest.raises(ValueError, match=message):
            net.predict(table)


@pytest.mark.parametrize("largest", [2**53, 2**63 - 1, 1e38, np.float64(3.4e38)])
def test_large_numbers_that_float32_holds(largest):
    assert tabular_mlp().fit(np.array([[0, largest], [1, 0]] * 9), [0, 1] * 9).classes_.size == 2


def test_word_ids_beyond_int64():
    ids = X2.astype(np.uint64)
    ids[0, 0] = 2**64 - 1
    with pytest.raises(ValueError, match="must fit into int64, found 18446744073709551615"):
        text_cnn().fit(ids, Y2)
