"""A net that stores the words it was trained on is asked as one that stores all words."""

import copy

import numpy as np
import pytest
import torch
from modAL.models import ActiveLearner

from modal_interp import strategies
from modal_interp.datasets import make_reviews
from modal_interp.estimators import (
    TextBiLSTMClassifier,
    TextCNNClassifier,
    TextCNNLSTMClassifier,
)
from modal_interp.representations import word_interpretations
from modal_interp.scores import expected_gradient_length
from modal_interp.texts import WordEncoder

TEXTS, Y = make_reviews(60, random_state=0)
IDS = WordEncoder().fit_transform(TEXTS)
SIZES = {
    TextCNNClassifier: {"module__n_filters": 4},
    TextBiLSTMClassifier: {"module__hidden_size": 4},
    TextCNNLSTMClassifier: {"module__n_filters": 4, "module__hidden_size": 4},
}


def nets(kind):
    """A fitted net, and the same net with every word stored."""
    few = kind(max_epochs=5, module__embedding_dim=6, random_state=0, **SIZES[kind])
    few.fit(IDS[:10], Y[:10])
    many = copy.deepcopy(few)
    many.module_.embedding.store(torch.from_numpy(IDS))
    return few, many


@pytest.mark.parametrize("kind", list(SIZES))
@pytest.mark.parametrize("name", sorted(set(strategies.__all__) - {"random_sampling"}))
def test_every_strategy_asks_alike(name, kind):
    answers = []
    for net in nets(kind):
        learner = ActiveLearner(net, getattr(strategies, name))
        learner.X_training, learner.y_training = IDS[:10], Y[:10]
        stored = len(net.module_.embedding.words)
        weight = net.module_.embedding.weight
        before = weight.detach().clone()
        answers.append(learner.query(IDS[10:], n_instances=8, random_state=0)[0].tolist())
        assert len(net.module_.embedding.words) == stored
        assert np.array_equal(weight.detach(), before)
        assert not net.module_.embedding.stores
        assert not net.module_.embedding.sparse
    assert answers[0] == answers[1]


@pytest.mark.parametrize("kind", list(SIZES))
def test_interpretations_are_alike(kind):
    few, many = (word_interpretations(net, IDS).values for net in nets(kind))
    np.testing.assert_allclose(few, many, rtol=1e-5, atol=1e-8)


@pytest.mark.parametrize("kind", list(SIZES))
def test_vectors_that_are_not_stored_count_as_parameters(kind):
    few, many = (expected_gradient_length(net, IDS) for net in nets(kind))
    np.testing.assert_allclose(few, many, rtol=1e-4)
