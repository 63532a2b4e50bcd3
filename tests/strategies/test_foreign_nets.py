"""Nets and samples as users have them, each met with the right answer or a clear error."""

from functools import partial

import numpy as np
import pandas as pd
import pytest
import torch
from modAL.models import ActiveLearner
from sklearn.decomposition import PCA
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer
from skorch import NeuralNetClassifier
from torch import nn

from modal_interp import (
    TabularMLPClassifier,
    badge,
    bald,
    batch_bald,
    coreset,
    dami_kmedoids,
    egl,
    egl_word,
    entropy,
    exclude_duplicates,
    expected_gradient_length,
    features,
    least_confidence,
    random_sampling,
)
from modal_interp.scores.uncertainty import bald_scores, least_confidence_scores, margin_scores
from tests.small_nets import MeanReader, SmoothTable, initialized, small_net, table, word_ids
from tests.strategies.conftest import learner_of
from tests.strategies.test_against_references import committee_of


def asked(strategy, net, pool, n=3, labeled=None, **options):
    learner = learner_of(net, strategy, pool[:2] if labeled is None else labeled, None)
    return learner.query(pool, n_instances=n, **options)[0].tolist()


class Entities(nn.Module):
    """A table whose first column is a category."""

    def __init__(self):
        super().__init__()
        self.category, self.out = nn.Embedding(5, 3), nn.Linear(7, 2)

    def forward(self, x):
        return self.out(torch.cat([self.category(x[:, 0].long()), x[:, 1:]], dim=1))


class Positions(nn.Module):
    """Its first embedding does not read the words."""

    def __init__(self):
        super().__init__()
        self.places, self.words = nn.Embedding(7, 4), nn.Embedding(100, 4)
        self.out = nn.Linear(4, 2)

    def forward(self, tokens):
        places = self.places(torch.arange(tokens.shape[1], device=tokens.device))
        return self.out(torch.tanh(self.words(tokens) + places).mean(dim=1))


class WordByWord(nn.Module):
    """Drops on its words in one long matrix."""

    def __init__(self):
        super().__init__()
        self.words, self.drop, self.out = nn.Embedding(12, 5), nn.Dropout(0.5), nn.Linear(5, 2)

    def forward(self, tokens):
        longest = int((tokens != 0).sum(dim=1).max().clamp(min=1))
        e = self.words(tokens[:, :longest])
        return self.out(self.drop(e.flatten(0, 1)).reshape(len(e), longest, -1).mean(dim=1))


class Gated(nn.Module):
    """Its last linear layer is not its output layer."""

    def __init__(self):
        super().__init__()
        self.out, self.gate = nn.Linear(4, 2), nn.Linear(4, 4)

    def forward(self, x):
        return self.out(x * torch.sigmoid(self.gate(x)))


class Named(nn.Module):
    """Takes its input by name, and squeezes a batch of one."""

    def __init__(self):
        super().__init__()
        self.out = nn.Linear(4, 3)

    def forward(self, rows):
        return self.out(rows).squeeze()


class Channels(nn.Module):
    """Channels first, as many columns as the longest text has words."""

    def __init__(self):
        super().__init__()
        self.words, self.drop, self.out = nn.Embedding(12, 5), nn.Dropout(0.5), nn.Linear(5, 2)

    def forward(self, tokens):
        longest = int((tokens != 0).sum(dim=1).max().clamp(min=1))
        e = self.words(tokens[:, :longest]).transpose(1, 2)
        real = (tokens[:, None, :longest] != 0).float()
        return self.out((self.drop(e) * real).sum(dim=2))


make = partial(initialized, classes=[0, 1], criterion=nn.CrossEntropyLoss)


def test_numbers_beside_categories_are_not_rounded():
    rng = np.random.default_rng(0)
    X = np.column_stack([rng.integers(0, 5, 40), rng.uniform(-0.9, 0.9, (40, 4))])
    X, net = X.astype(np.float32), make(Entities)
    scores = 1 - net.predict_proba(X).max(axis=1)
    np.testing.assert_allclose(least_confidence_scores(net, X), scores, atol=1e-6)
    for strategy in (egl, badge, coreset):
        assert len(set(asked(strategy, net, X))) == 3


def test_an_embedding_of_positions_before_that_of_words():
    X = np.random.default_rng(0).integers(1, 100, (20, 7))
    net = make(Positions)
    for strategy in (entropy, egl, badge, coreset):
        assert len(set(asked(strategy, net, X))) == 3
    for strategy in (egl_word, dami_kmedoids):
        assert len(set(asked(strategy, net, X, embedding_layer="words"))) == 3


@pytest.mark.parametrize("n_passes", [1, 2, 4, 5])
def test_dropout_on_flattened_words_whose_first_batch_hides_it(n_passes):
    X = np.zeros((12, 4), dtype=np.int64)
    X[:, 0] = np.arange(12) % 11 + 1
    X[4:, 1:] = np.random.default_rng(0).integers(1, 12, (8, 3))
    net = make(WordByWord, iterator_valid__batch_size=4)
    chosen = asked(bald, net, X, n=12, n_passes=n_passes, random_state=0)
    assert sorted(chosen) == list(range(12))


def test_dropout_on_channels_does_not_depend_on_the_batch():
    X = word_ids(30, seed=3)
    net = make(Channels)
    scores = []
    for size in (1, 7, 1000):
        net.iterator_valid__batch_size = size
        scores.append(bald_scores(net, X, random_state=0))
    np.testing.assert_allclose(scores[0], scores[1], atol=1e-6)
    np.testing.assert_allclose(scores[0], scores[2], atol=1e-6)


def test_a_last_layer_that_is_not_the_output_must_be_told():
    net, X = make(Gated), table(12)
    for strategy in (badge, coreset):
        with pytest.raises(ValueError, match=r"Name the layer that gives the logits"):
            asked(strategy, net, X)
        assert len(set(asked(strategy, net, X, output_layer="out"))) == 3


def test_input_by_name():
    to_names = FunctionTransformer(lambda X: {"rows": X})
    net = initialized(Named, classes=[0, 1, 2], criterion=nn.CrossEntropyLoss)
    pipeline = make_pipeline(to_names, net)
    X = table(12)
    for strategy in (entropy, egl, badge):
        assert len(set(asked(strategy, pipeline, X, candidates=8))) == 3
    expected = expected_gradient_length(small_net(SmoothTable), X)
    assert np.isfinite(expected).all()


def test_members_of_two_kinds_are_an_error():
    nets = [small_net(SmoothTable, 3, several) for several in (False, True)]
    for strategy in (bald, batch_bald, entropy, badge):
        committee = committee_of([learner_of(net, strategy, table(3), None) for net in nets])
        with pytest.raises(ValueError, match="members of a committee must be of one kind"):
            strategy(committee, table(9))


def test_scores_of_a_sure_net_still_rank():
    net, X = small_net(SmoothTable), table(60, seed=4)
    X[2] = X[3] + 0.01  # no doubles
    net.module_.out.weight.data *= 200
    assert (net.predict_proba(X).max(axis=1) == 1).sum() > 10
    for score in (least_confidence_scores, margin_scores):
        assert len(np.unique(score(net, X))) == len(np.unique(X, axis=0))


def test_columns_in_another_order_are_an_error():
    frame = pd.DataFrame(table(20), columns=list("abcd"))
    net = TabularMLPClassifier(max_epochs=1).fit(frame, np.arange(20) % 2)
    learner = learner_of(net, entropy, frame, None)
    with pytest.raises(ValueError, match=r"X_pool must have the columns.*found \['d'"):
        entropy(learner, frame[list("dcba")])
    with pytest.raises(ValueError, match=r"X_pool must have the 4 columns.*found shape \(20, 3\)"):
        entropy(learner, frame.to_numpy()[:, :3])


def test_random_sampling_needs_no_net():
    X, y = table(30), np.arange(30) % 2
    learner = ActiveLearner(LogisticRegression(), random_sampling, X[:10], y[:10])
    assert len(set(learner.query(X[10:], n_instances=5)[0].tolist())) == 5


def test_candidates_that_draw_do_so_by_the_seed_of_the_query():
    net, X = small_net(MeanReader), word_ids(60, seed=2)
    some = partial(random_sampling, n_instances=10)
    first, again = (asked(entropy, net, X, candidates=some, random_state=3) for _ in range(2))
    assert first == again
    others = [asked(entropy, net, X, candidates=some, random_state=seed) for seed in range(9)]
    assert any(other != first for other in others)


def test_candidates_that_fail_are_named():
    net, X = small_net(MeanReader), word_ids(9)
    with pytest.raises(ValueError, match=r"candidates=.*failed on 9 samples.*found 500"):
        asked(least_confidence, net, X, candidates=partial(egl_word, n_instances=500))


def test_duplicates_are_found_up_to_rounding():
    X = np.random.default_rng(0).normal(size=(300, 40)).astype(np.float32)
    pipeline = make_pipeline(PCA(10, random_state=0), TabularMLPClassifier(max_epochs=1))
    learner = ActiveLearner(pipeline, entropy, X[:50], np.arange(50) % 2)
    kept = exclude_duplicates(learner, np.concatenate([X[50:60], X[:37]]))
    assert kept.tolist() == list(range(10))


def test_several_labels_survive_saved_parameters(tmp_path):
    X = table(20)
    Y = (X[:, :3] > 0).astype(int)
    net = TabularMLPClassifier(criterion=nn.BCEWithLogitsLoss, max_epochs=2).fit(X, Y)
    net.save_params(f_params=tmp_path / "net.pt")
    other = TabularMLPClassifier(criterion=nn.BCEWithLogitsLoss, classes=[0, 1, 2])
    other.n_features_in_ = 4
    other.initialize().load_params(f_params=tmp_path / "net.pt")
    np.testing.assert_allclose(other.predict_proba(X), net.predict_proba(X))
    assert (other.predict(X) == net.predict(X)).all()


def test_rows_that_differ_in_a_small_column_are_no_duplicates():
    rng = np.random.default_rng(0)
    labeled = np.column_stack([rng.integers(2_000_000, 9_000_000, 40), rng.integers(0, 2, 40)])
    labeled = np.column_stack([labeled, labeled[::-1]]).astype(np.float32)
    pool = labeled.copy()
    pool[:, 1] = 1 - pool[:, 1]
    learner = learner_of(make(SmoothTable), entropy, labeled, None)
    assert exclude_duplicates(learner, pool).tolist() == list(range(40))
    assert exclude_duplicates(learner, labeled).tolist() == []


class TenTimes(NeuralNetClassifier):
    def infer(self, x, **params):
        return super().infer(x * 10, **params)


class Blind(NeuralNetClassifier):
    def get_dataset(self, X, y=None):
        return super().get_dataset(X * 0, y)


def test_nets_with_a_way_of_their_own_to_infer_or_to_read():
    X = table(12)
    options = {"classes": [0, 1], "criterion": nn.CrossEntropyLoss, "train_split": None}
    net = TenTimes(SmoothTable, **options).initialize()
    plain = initialized(lambda: net.module_, **options)
    scores, expected = (expected_gradient_length(*pair) for pair in ((net, X), (plain, 10 * X)))
    np.testing.assert_allclose(scores, expected, rtol=1e-5)
    blind = Blind(SmoothTable, **options).initialize()
    assert len(np.unique(least_confidence_scores(blind, X))) == 1


def test_ids_that_no_embedding_reads():
    class Bag(nn.Module):
        def __init__(self):
            super().__init__()
            self.bag, self.out = nn.EmbeddingBag(12, 4), nn.Linear(4, 2)

        def forward(self, tokens):
            return self.out(self.bag(tokens))

    net, X = make(Bag), word_ids(12)
    scores = 1 - net.predict_proba(X).max(axis=1)
    np.testing.assert_allclose(least_confidence_scores(net, X), scores, atol=1e-6)


def test_probabilities_by_a_function_of_single_precision():
    turn = torch.tensor([[0.0, 1.0], [1.0, 0.0]])
    net = make(SmoothTable, predict_nonlinearity=lambda z: (z @ turn).softmax(dim=1))
    scores = 1 - net.predict_proba(table(9)).max(axis=1)
    np.testing.assert_allclose(least_confidence_scores(net, table(9)), scores, atol=1e-6)


def test_features_follow_samples_whose_predictions_are_sure():
    class Sorting(nn.Module):
        def __init__(self):
            super().__init__()
            self.out = nn.Linear(4, 2)

        def forward(self, x):
            order = x[:, 0].argsort()
            return self.out(x[order]).softmax(dim=1)[order.argsort()]

    net, X = make(Sorting, predict_nonlinearity=None), table(30)
    net.module_.out.weight.data *= 20
    np.testing.assert_array_equal(features(net, X), X)


def test_changes_in_place_are_seen():
    class InPlace(nn.Module):
        def __init__(self):
            super().__init__()
            self.inner, self.out = nn.Linear(4, 6), nn.Linear(6, 2)
            self.drop = nn.Dropout(0.5, inplace=True)

        def forward(self, x):
            h = torch.tanh(self.inner(x))
            return self.out(self.drop(h)) + h[:, :2]

    net, X = make(InPlace), table(9)
    scores = []
    for size in (1, 1000):
        net.iterator_valid__batch_size = size
        scores.append(bald_scores(net, X, random_state=0))
    np.testing.assert_allclose(*scores, atol=1e-6)
