import numpy as np
import pytest
import torch
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from modal_interp.estimators import (
    TabularMLPClassifier,
    TextBiLSTMClassifier,
    TextCNNClassifier,
    TextCNNLSTMClassifier,
)
from modal_interp.representations.interpretations import (
    WordInterpretations,
    feature_interpretations,
    word_interpretations,
)
from tests import reference
from tests.small_nets import (
    attention_net,
    gru_net,
    rounding_decides,
    sorter_net,
    table_net,
    twice_net,
    word_ids,
)


def binary_logits(module, ids):
    z = module(ids)
    return torch.cat([torch.zeros_like(z), z], dim=1)


def plain_logits(module, ids):
    return module(ids)


def our_net(kind, n_classes, **params):
    """One of our estimators, trained a little: its weights are then those of a net in use."""
    params |= {"n_words": 12, "module__embedding_dim": 8, "max_epochs": 3, "lr": 0.01}
    net = kind(**params, random_state=0)
    return net.fit(word_ids(40, seed=5), np.arange(40) % n_classes)


OURS = {"logits": plain_logits, "embedding": lambda m: m.embedding}
WORD_NETS = {
    "CNN, two classes": (lambda: our_net(TextCNNClassifier, 2), OURS),
    "CNN, five classes": (lambda: our_net(TextCNNClassifier, 5), OURS),
    "BiLSTM, two classes": (lambda: our_net(TextBiLSTMClassifier, 2), OURS),
    "BiLSTM, five classes": (lambda: our_net(TextBiLSTMClassifier, 5), OURS),
    "BiLSTM of two layers": (lambda: our_net(TextBiLSTMClassifier, 5, module__n_layers=2), OURS),
    "CNN-LSTM, two classes": (lambda: our_net(TextCNNLSTMClassifier, 2), OURS),
    "CNN-LSTM, five classes": (lambda: our_net(TextCNNLSTMClassifier, 5), OURS),
    "sorted by length": (
        sorter_net,
        {"logits": plain_logits, "embedding": lambda m: m.words},
    ),
    "attention, two classes": (
        lambda: attention_net(2),
        {"logits": lambda m, ids: m.logits(ids), "embedding": lambda m: m.lookup},
    ),
    "attention, five classes": (
        lambda: attention_net(5),
        {"logits": lambda m, ids: m.logits(ids), "embedding": lambda m: m.lookup},
    ),
    "time first, one logit": (
        gru_net,
        {"logits": binary_logits, "embedding": lambda m: m.words, "padding": 3},
    ),
}


def assert_equals_reference(found, expected, atol=1e-5):
    assert found.offsets.tolist() == [0, *np.cumsum([len(text) for text in expected])]
    assert found.words.tolist() == [word for text in expected for word, _ in text]
    np.testing.assert_allclose(found.values, [v for text in expected for _, v in text], atol=atol)


@pytest.mark.parametrize("target", ["proba", "logit"])
@pytest.mark.parametrize("classes", ["all", "predicted"])
@pytest.mark.parametrize("name", WORD_NETS)
def test_words_equal_the_slow_reference(name, target, classes):
    make, layers = WORD_NETS[name]
    net, ids = make(), word_ids()
    options = {"target": target, "classes": classes}
    found = word_interpretations(net, ids, **options)
    expected = reference.word_interpretations(
        net.module_, torch.from_numpy(ids), **layers, **options
    )
    assert_equals_reference(found, expected)


def our_table_net(n_classes):
    X = np.random.default_rng(1).normal(size=(60, 5))
    net = TabularMLPClassifier(max_epochs=3, lr=0.01, random_state=0)
    return net.fit(X, np.arange(60) % n_classes)


@pytest.mark.parametrize("make", [table_net, our_table_net])
@pytest.mark.parametrize("n_classes", [2, 5])
@pytest.mark.parametrize("target", ["proba", "logit"])
@pytest.mark.parametrize("classes", ["all", "predicted"])
def test_features_equal_the_slow_reference(make, n_classes, target, classes):
    net = make(n_classes)
    X = np.random.default_rng(0).normal(size=(8, 5)).astype(np.float32)
    options = {"target": target, "classes": classes}
    found = feature_interpretations(net, X, **options)
    expected = reference.feature_interpretations(net.module_, X, **options)
    np.testing.assert_allclose(found, expected, atol=1e-5)


def test_words_that_are_read_twice_act_twice():
    net, ids = twice_net(), word_ids()
    found = word_interpretations(net, ids, target="logit")
    # The first text twice over: the gradient by both readings at once, by finite differences.
    module, layer = net.module_.double().eval(), net.module_.first
    layer.max_norm = None
    rows = layer.weight.detach().clone()
    rows /= rows.norm(dim=1, keepdim=True).clamp(min=1)
    text = torch.from_numpy(ids[1:2])
    j, step = 0, 1e-6
    word = text[0, j].item()
    values = []
    for sign in (1, -1):
        moved = rows[text].clone()
        moved[0, j] += sign * step * rows[word]
        layer.forward = lambda _, e=moved: e
        z = module(text)[0].detach()
        values.append(z - z.mean())
    expected = (values[0] - values[1]) / (2 * step)
    np.testing.assert_allclose(found.samples([1]).values[0], expected, atol=1e-4)


@pytest.mark.parametrize("name", WORD_NETS)
@settings(max_examples=10, deadline=None)
@given(st.integers(0, 2**31), st.integers(1, 12), st.sampled_from([1, 2, 5, -1]))
def test_batches_and_order_change_nothing(name, seed, n, batch_size):
    ids = word_ids(n, seed=seed)
    net = WORD_NETS[name][0]()
    assume(not name.startswith("CNN,") or not rounding_decides(net, ids))
    whole = word_interpretations(net, ids)
    shuffled = np.random.default_rng(seed).permutation(n)
    net.iterator_valid__batch_size = batch_size
    again = word_interpretations(net, ids[shuffled])
    expected = whole.samples(shuffled)
    np.testing.assert_array_equal(again.words, expected.words)
    np.testing.assert_array_equal(again.offsets, expected.offsets)
    np.testing.assert_allclose(again.values, expected.values, atol=1e-6)


@pytest.mark.parametrize("net", [attention_net(3), gru_net()], ids=["batch first", "time first"])
def test_as_many_texts_as_words(net):
    ids = word_ids(14, width=7)
    whole = word_interpretations(net, ids)
    square = word_interpretations(net, ids[:7])
    np.testing.assert_array_equal(square.words, whole.samples(slice(0, 7)).words)
    np.testing.assert_allclose(square.values, whole.samples(slice(0, 7)).values, atol=1e-6)


def test_equal_texts_are_explained_equally_to_the_last_bit():
    net = attention_net()
    ids = word_ids(40)
    ids[[5, 17, 30]] = ids[1]
    found = word_interpretations(net, ids)
    for i in (5, 17, 30):
        np.testing.assert_array_equal(found.samples([i]).values, found.samples([1]).values)


def test_classes_of_one_word_add_up_to_nothing():
    found = word_interpretations(attention_net(5), word_ids())
    np.testing.assert_allclose(found.values.sum(axis=1), 0, atol=1e-6)


def test_samples_are_taken_in_any_order_and_more_than_once():
    words = np.array([7, 8, 9])
    whole = WordInterpretations(words, words[:, None] / 10, np.array([0, 2, 2, 3]))
    taken = whole.samples(np.array([2, 1, 0, 2]))
    assert taken.words.tolist() == [9, 7, 8, 9]
    assert taken.offsets.tolist() == [0, 1, 1, 3, 4]
    assert whole.samples(slice(1, None)).words.tolist() == [9]


def test_texts_without_words_have_no_interpretations():
    found = word_interpretations(attention_net(), np.zeros((3, 4), dtype=np.int64))
    assert found.words.shape == (0,)
    assert found.values.shape == (0, 1)
    assert found.offsets.tolist() == [0, 0, 0, 0]


def test_a_diverged_net_is_an_error():
    net = attention_net()
    net.module_.decide.weight.data.fill_(float("nan"))
    with pytest.raises(ValueError, match=r"must be finite.*lower lr"):
        word_interpretations(net, word_ids())


@pytest.mark.parametrize(
    ("X", "options", "message"),
    [
        (word_ids(), {"target": "prob"}, "target must be 'proba' or 'logit'"),
        (word_ids(), {"classes": "al"}, "classes must be 'all' or 'predicted'"),
        (word_ids() + 0.7, {}, "X must hold integer word ids"),
        (word_ids()[:0], {}, "at least one sample"),
        (np.array(["a film"]), {}, "WordEncoder"),
        (word_ids() + 12, {}, "word ids from 0 to 11"),
    ],
)
def test_bad_words_are_named(X, options, message):
    with pytest.raises((TypeError, ValueError), match=message):
        word_interpretations(attention_net(), X, **options)


@pytest.mark.parametrize(
    ("make", "X", "message"),
    [
        (attention_net, word_ids(), "Use word_interpretations"),
        (table_net, np.full((3, 5), np.nan), "NaN"),
        (table_net, np.zeros(5), r"shape \(5,\)"),
        (table_net, np.zeros((0, 5)), "at least one sample"),
        (table_net, np.array([["a"] * 5]), "finite real features"),
    ],
)
def test_bad_features_are_named(make, X, message):
    with pytest.raises(ValueError, match=message):
        feature_interpretations(make(), X)
