"""Hand-worked values of measures and scores."""

import math

import numpy as np
import pytest
import torch
from torch import nn

from modal_interp import (
    bald_scores,
    entropy_scores,
    expected_gradient_length,
    expected_word_gradient_length,
    least_confidence_scores,
    margin_scores,
)
from modal_interp.scores import uncertainty as measures
from tests.small_nets import MeanReader, SmoothTable, initialized, small_net, table, word_ids

THREE = np.array([[[0.5, 0.3, 0.2]], [[1.0, 0.0, 0.0]]])
LABELS = measures.distributions(np.array([[0.5, 0.9], [1.0, 0.0]]), several=True)


def test_measures_of_three_classes_by_hand():
    np.testing.assert_allclose(measures.least_confidence(THREE), [0.5, 0.0])
    np.testing.assert_allclose(measures.margin(THREE), [0.8, 0.0])
    entropy = -(0.5 * math.log(0.5) + 0.3 * math.log(0.3) + 0.2 * math.log(0.2))
    np.testing.assert_allclose(measures.entropy(THREE), [entropy, 0.0])


def test_measures_of_several_labels_are_the_mean_over_labels():
    np.testing.assert_allclose(measures.least_confidence(LABELS), [(0.5 + 0.1) / 2, 0.0])
    np.testing.assert_allclose(measures.margin(LABELS), [(1.0 + 0.2) / 2, 0.0])
    of_second = -(0.9 * math.log(0.9) + 0.1 * math.log(0.1))
    np.testing.assert_allclose(measures.entropy(LABELS), [(math.log(2) + of_second) / 2, 0.0])


def test_information_by_hand():
    # Two nets sure of opposites disagree by ln 2; two that agree tell nothing, however unsure.
    sure = np.array([[[[1.0, 0.0]], [[0.0, 1.0]]]])
    unsure = np.full((1, 2, 1, 2), 0.5)
    both = np.concatenate([sure, unsure])
    np.testing.assert_allclose(measures.mutual_information(both), [math.log(2), 0.0], atol=1e-12)


def test_information_of_several_labels_adds_up():
    proba = np.array([[[1.0, 1.0, 0.5], [0.0, 0.0, 0.5]]])  # one sample, two nets, three labels
    information = measures.mutual_information(measures.distributions(proba, several=True))
    np.testing.assert_allclose(information, [2 * math.log(2)])


class TwoWeights(nn.Module):
    def __init__(self):
        super().__init__()
        self.out = nn.Linear(1, 2, bias=False)
        self.out.weight.data = torch.tensor([[0.0], [1.0]])
        self.still = nn.Parameter(torch.ones(3), requires_grad=False)

    def forward(self, x):
        return self.out(x) * self.still[0]


def test_expected_gradient_length_by_hand():
    # z = (0, x): d loss(c)/d W = (p - onehot(c)) x, of length sqrt(2) p(other) |x|.
    net = initialized(TwoWeights, classes=[0, 1], criterion=nn.CrossEntropyLoss)
    x = np.array([[0.0], [2.0], [-1.0]], dtype=np.float32)
    p = 1 / (1 + np.exp(-x[:, 0]))
    expected = 2 * math.sqrt(2) * p * (1 - p) * np.abs(x[:, 0])
    np.testing.assert_allclose(expected_gradient_length(net, x), expected, rtol=1e-6)


@pytest.mark.parametrize("several", [False, True])
@pytest.mark.parametrize("n_outputs", [2, 3])
def test_gradients_one_by_one_equal_those_of_a_batch(monkeypatch, n_outputs, several):
    net, X = small_net(SmoothTable, n_outputs, several), table(20)
    at_once = expected_gradient_length(net, X)
    monkeypatch.setattr("modal_interp.nets.gradients.reads_words", lambda net: True)
    np.testing.assert_allclose(expected_gradient_length(net, X), at_once, rtol=1e-5)


def test_frozen_parameters_do_not_count():
    net, X = small_net(SmoothTable), table(5)
    whole = expected_gradient_length(net, X)
    for parameter in net.module_.inner.parameters():
        parameter.requires_grad_(False)
    part = expected_gradient_length(net, X)
    assert (part < whole).all()
    for parameter in net.module_.parameters():
        parameter.requires_grad_(False)
    with pytest.raises(ValueError, match="must have parameters that training changes"):
        expected_gradient_length(net, X)


def test_scores_of_equal_samples_are_equal_to_the_last_bit():
    for net, X in (
        (small_net(MeanReader, 3), np.repeat(word_ids(40), 13, axis=0)),
        (small_net(SmoothTable, 3), np.repeat(table(40), 13, axis=0)),
    ):
        scores = [
            least_confidence_scores(net, X),
            margin_scores(net, X, n_passes=3, random_state=0),
            entropy_scores(net, X),
            bald_scores(net, X, random_state=0),
        ]
        if X.dtype.kind == "i":
            scores.append(expected_word_gradient_length(net, X))
        for score in scores:
            assert (np.ptp(score.reshape(40, 13), axis=1) == 0).all()


def test_texts_without_words_score_nothing_by_their_words():
    net = small_net(MeanReader)
    assert expected_word_gradient_length(net, np.zeros((2, 4), dtype=np.int64)).tolist() == [0, 0]
