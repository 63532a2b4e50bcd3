"""What is wrong is named, with what to do, before any gradient is computed."""

import numpy as np
import pandas as pd
import pytest
import scipy.sparse as sp
import torch
from modAL.models import ActiveLearner, Committee
from sklearn.exceptions import NotFittedError
from sklearn.frozen import FrozenEstimator
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from skorch import NeuralNet, NeuralNetClassifier, NeuralNetRegressor
from torch import nn

from modal_interp.strategies import alden_diversity
from modal_interp.texts.word_encoder import WordEncoder
from tests.small_nets import AttentionReader, TableReader, attention_net, table_net, word_ids
from tests.strategies.conftest import learner_of

IDS = word_ids(8)
FLOATS = IDS.astype(float)


class BagReader(nn.Module):
    def __init__(self):
        super().__init__()
        self.bag = nn.EmbeddingBag(12, 4)
        self.out = nn.Linear(4, 2)

    def forward(self, tokens):
        return self.out(self.bag(tokens)).softmax(dim=1)


def fitted(**options):
    return learner_of(options.pop("net", None) or attention_net(), alden_diversity, IDS[:4], None)


def untaught(net):
    return ActiveLearner(estimator=net, query_strategy=alden_diversity)


def without_training():
    learner = fitted()
    learner.X_training = None
    return learner


def regressor():
    return NeuralNetRegressor(TableReader, train_split=None).initialize()


def classifier_of(module):
    return NeuralNetClassifier(module, train_split=None, classes=[0, 1]).initialize()


def committee_of(*learners):
    committee = Committee.__new__(Committee)
    committee.learner_list, committee.query_strategy = list(learners), alden_diversity
    return committee


def with_encoder():
    encoder = WordEncoder(vocabulary=["good", "bad"])
    net = make_pipeline(FrozenEstimator(encoder), attention_net())
    return learner_of(net, alden_diversity, np.array(["good", "bad"], dtype=object), None)


def encoding_otherwise():
    """A committee whose members encode the same texts by other vocabularies."""
    members = []
    for vocabulary in (["good", "bad"], ["bad", "good"]):
        net = make_pipeline(WordEncoder(vocabulary=vocabulary), attention_net())
        members.append(learner_of(net, alden_diversity, np.array(["good", "bad"]), None))
    return committee_of(*members)


def edited(row, value):
    ids = IDS.copy()
    ids[row, 0] = value
    return ids


TABLE = [
    # learners
    (lambda: attention_net(), IDS, {}, TypeError, "learner must be an ActiveLearner"),
    (lambda: "alden", IDS, {}, TypeError, "learner must be an ActiveLearner.*found a str"),
    (lambda: committee_of(), IDS, {}, ValueError, "Committee of at least one member"),
    (
        lambda: untaught(NeuralNetClassifier(AttentionReader)),
        IDS,
        {},
        NotFittedError,
        "not fitted yet.*X_training",
    ),
    (
        lambda: fitted(net=LogisticRegression()),
        IDS,
        {},
        TypeError,
        "must be a skorch net.*found a LogisticRegression.*TextCNNClassifier",
    ),
    (
        lambda: fitted(net=make_pipeline(WordEncoder(), LogisticRegression())),
        IDS,
        {},
        TypeError,
        "must be a skorch net.*found a LogisticRegression",
    ),
    (lambda: fitted(net=regressor()), IDS, {}, TypeError, "must be a classifier.*Regressor"),
    (
        lambda: fitted(net=NeuralNet(TableReader, nn.MSELoss).initialize()),
        IDS,
        {},
        TypeError,
        "must be a classifier; found a NeuralNet",
    ),
    # labelled samples
    (without_training, IDS, {}, ValueError, "X_training is None.*Pass them.*X_labeled="),
    (
        lambda: committee_of(fitted(), without_training()),
        IDS,
        {},
        ValueError,
        "X_training is None",
    ),
    (fitted, IDS, {"X_labeled": IDS[:0]}, ValueError, "X_labeled must hold at least one sample"),
    (fitted, IDS, {"X_labeled": IDS[0]}, ValueError, r"X_labeled must have two dim.*X\[None, :\]"),
    (fitted, IDS, {"X_labeled": FLOATS}, TypeError, "X_labeled must hold integer.*float64"),
    (fitted, IDS, {"X_labeled": edited(1, 12)}, ValueError, "X_labeled.*0 to 11.*found 12"),
    (fitted, IDS, {"X_labeled": "good"}, TypeError, "X_labeled must be an array.*found a str"),
    # the pool
    (fitted, IDS[0], {}, ValueError, r"X_pool must have two dimensions.*found shape \(7,\)"),
    (fitted, IDS[:, :, None], {}, ValueError, r"X_pool must have two.*\(8, 7, 1\)"),
    (fitted, IDS[:, :0], {}, ValueError, r"T at least 1.*\(8, 0\)"),
    (fitted, np.array(3), {}, ValueError, "X_pool must have one row a sample"),
    (fitted, FLOATS, {}, TypeError, "X_pool must hold integer word ids; found dtype float64"),
    (fitted, FLOATS * np.nan, {}, TypeError, "X_pool must hold integer word ids"),
    (fitted, IDS > 0, {}, TypeError, "X_pool must hold integer word ids; found dtype bool"),
    (fitted, edited(3, 12), {}, ValueError, "word ids from 0 to 11.*found 12.*n_words="),
    (fitted, edited(3, -1), {}, ValueError, "word ids from 0 to 11.*found -1"),
    (fitted, IDS[:0], {}, ValueError, "X_pool must hold at least one sample"),
    (fitted, [], {}, ValueError, "X_pool must hold at least one sample"),
    (fitted, [[1, 2], [3]], {}, ValueError, "X_pool must be a rectangle.*Pad"),
    (fitted, None, {}, TypeError, "X_pool must be an array.*NoneType"),
    (fitted, "a film", {}, TypeError, "X_pool must be an array.*found a str"),
    (fitted, pd.Series(["a film"]), {}, TypeError, "such as 'a film'.*WordEncoder before the net"),
    (fitted, pd.Series([1, 2]), {}, ValueError, r"X_pool must have two.*found shape \(2,\)"),
    (fitted, torch.from_numpy(IDS), {}, TypeError, "X_pool must be an array.*Tensor"),
    (fitted, sp.csr_matrix(IDS), {}, TypeError, "X_pool must reach the net as word ids.*csr"),
    (fitted, np.array(["a film"]), {}, TypeError, "such as .*a film.*WordEncoder before the net"),
    (fitted, ["a film"], {}, TypeError, "Put a WordEncoder before the net"),
    (fitted, np.array([["a", None]], dtype=object), {}, TypeError, "WordEncoder before the net"),
    (with_encoder, np.array(["good", None], dtype=object), {}, (TypeError, ValueError), "None"),
    (with_encoder, np.array(["good", np.nan], dtype=object), {}, (TypeError, ValueError), "nan"),
    (with_encoder, np.array([1, 2]), {}, (TypeError, ValueError), "1"),
    (encoding_otherwise, np.array(["good"]), {}, ValueError, "must see the same words"),
    # how many
    (fitted, IDS, {"n_instances": 0}, ValueError, "n_instances must lie between 1 and.*8; found 0"),
    (fitted, IDS, {"n_instances": -2}, ValueError, "n_instances.*found -2"),
    (fitted, IDS, {"n_instances": 9}, ValueError, "size of the pool, 8; found 9"),
    (fitted, IDS, {"n_instances": 2.0}, TypeError, "whole number; found 2.0"),
    (fitted, IDS, {"n_instances": "3"}, TypeError, "whole number; found '3'"),
    (fitted, IDS, {"n_instances": True}, TypeError, "whole number; found True"),
    (fitted, IDS, {"n_instances": None}, TypeError, "whole number; found None"),
    # what is explained, and by which layers
    (fitted, IDS, {"target": "prob"}, ValueError, "target must be 'proba' or 'logit'.*'prob'"),
    (fitted, IDS, {"classes": [0]}, ValueError, r"classes must be 'all' or 'predicted'.*\[0\]"),
    (fitted, IDS, {"verbose": "x"}, TypeError, "verbose must be a whole number.*found 'x'"),
    (fitted, IDS, {"embedding_layer": "x"}, ValueError, "no layer called 'x'.*lookup"),
    (fitted, IDS, {"embedding_layer": "decide"}, ValueError, "is a Linear, not an nn.Embedding"),
    (fitted, IDS, {"output_layer": "x"}, ValueError, "output_layer='x'.*decide"),
    (lambda: fitted(net=table_net()), IDS, {}, ValueError, r"holds no nn.Embedding.*inner \(Lin"),
    (lambda: fitted(net=classifier_of(BagReader)), IDS, {}, ValueError, "bag .EmbeddingBag"),
]


@pytest.mark.parametrize("row", TABLE, ids=lambda row: row[4])
def test_bad_input(row, monkeypatch):
    make, X_pool, options, error, message = row
    learner = make()

    def computed(*args, **kwargs):
        raise AssertionError("a gradient was computed before the input was checked")

    monkeypatch.setattr(torch.autograd, "grad", computed)
    monkeypatch.setattr(NeuralNet, "infer", computed)
    with pytest.raises(error, match=f"(?s){message}"):
        alden_diversity(learner, X_pool, **options)


def test_modal_passes_the_error_on():
    with pytest.raises(ValueError, match="n_instances must lie between"):
        fitted().query(IDS, n_instances=99)
