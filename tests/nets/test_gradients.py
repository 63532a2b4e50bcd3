import copy

import numpy as np
import pytest
import torch
from skorch import NeuralNetClassifier
from torch import nn

from modal_interp.nets.gradients import feature_gradients, word_gradients
from modal_interp.nets.words import embedding_rows
from modal_interp.representations.interpretations import word_interpretations
from tests.small_nets import (
    AttentionReader,
    LengthSorter,
    attention_net,
    gru_net,
    initialized,
    table_net,
    twice_net,
    word_ids,
)


def state_of(net):
    return {
        "modes": [m.training for m in net.module_.modules()],
        "required": [p.requires_grad for p in net.module_.parameters()],
        "grads": [None if p.grad is None else p.grad.clone() for p in net.module_.parameters()],
        "values": {k: v.clone() for k, v in net.module_.state_dict().items()},
        "hooks": [len(m._forward_hooks) for m in net.module_.modules()],
        "torch": torch.get_rng_state(),
        "numpy": np.random.get_state()[1].copy(),  # noqa: NPY002
    }


def assert_same(a, b):
    torch.testing.assert_close(a["values"], b["values"], rtol=0, atol=0)
    torch.testing.assert_close(a["torch"], b["torch"], rtol=0, atol=0)
    assert (a["numpy"] == b["numpy"]).all()
    for key in ("modes", "required", "hooks"):
        assert a[key] == b[key]
    for x, y in zip(a["grads"], b["grads"], strict=True):
        assert (x is None and y is None) or torch.equal(x, y)


@pytest.mark.parametrize("make", [attention_net, gru_net, twice_net])
def test_net_is_left_as_it_was_found(make):
    net = make()
    net.module_.train()
    next(net.module_.children()).eval()
    parameters = list(net.module_.parameters())
    parameters[-1].requires_grad_(False)
    parameters[-2].grad = torch.ones_like(parameters[-2])
    before = state_of(net)
    list(word_gradients(net, word_ids(), target="logit"))
    assert_same(before, state_of(net))


def test_net_is_left_as_it_was_found_when_reading_fails():
    net = attention_net()
    before = state_of(net)
    with pytest.raises(IndexError):
        list(word_gradients(net, word_ids() + 100))
    assert_same(before, state_of(net))


def test_one_backward_pass_a_batch_and_output(monkeypatch):
    calls = []
    grad = torch.autograd.grad
    monkeypatch.setattr(torch.autograd, "grad", lambda *a, **k: calls.append(1) or grad(*a, **k))
    for n_classes, expected in ((2, 1), (5, 4)):
        calls.clear()
        list(word_gradients(attention_net(n_classes), word_ids(50)))
        assert len(calls) == expected
    calls.clear()
    list(word_gradients(attention_net(5), word_ids(50), classes="predicted"))
    assert len(calls) == 1


def test_works_where_gradients_are_switched_off():
    net = attention_net()
    expected = word_interpretations(net, word_ids()).values
    with torch.no_grad():
        np.testing.assert_array_equal(word_interpretations(net, word_ids()).values, expected)


def test_named_layers():
    net = attention_net()
    by_name = word_interpretations(
        net, word_ids(), target="logit", embedding_layer="lookup", output_layer="decide"
    )
    found = word_interpretations(net, word_ids(), target="logit")
    np.testing.assert_array_equal(by_name.values, found.values)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"embedding_layer": "nowhere"}, r"no layer called 'nowhere'.*lookup \(Embedding\)"),
        ({"embedding_layer": "decide"}, r"'decide' is a Linear, not an nn.Embedding"),
        ({"target": "logit", "output_layer": "lookup"}, r"'lookup' is a Embedding, not an nn.Lin"),
    ],
)
def test_wrong_names_list_the_layers(options, message):
    with pytest.raises(ValueError, match=message):
        list(word_gradients(attention_net(), word_ids(), **options))


class Blocked(AttentionReader):
    def forward(self, tokens):
        self.lookup(tokens)
        return self.decide(torch.zeros(len(tokens), self.decide.in_features)).softmax(dim=1)


class Silent(nn.Module):
    """Scales its logits behind the output layer: no layer gives what softmax takes."""

    def __init__(self):
        super().__init__()
        self.words = nn.Embedding(12, 4)
        self.out = nn.Linear(4, 2)

    def forward(self, tokens):
        return (3 * self.out(self.words(tokens).mean(dim=1))).softmax(dim=1)


def test_a_prediction_that_does_not_read_the_words_is_an_error():
    net = initialized(Blocked, classes=[0, 1])
    with pytest.raises(ValueError, match="must depend on the embedding layer"):
        list(word_gradients(net, word_ids()))


@pytest.mark.parametrize("scale", [1e-4, 1.0, 100.0])
def test_logits_that_cannot_be_had_are_an_error(scale):
    net = initialized(Silent, classes=[0, 1])
    net.module_.out.weight.data *= scale
    net.module_.out.bias.data *= scale
    with pytest.raises(ValueError, match="output_layer="):
        list(word_gradients(net, word_ids(), target="logit"))
    assert list(word_gradients(net, word_ids(), target="proba"))


class BothWays(nn.Module):
    def __init__(self):
        super().__init__()
        self.words = nn.Embedding(12, 4)
        self.out = nn.Linear(8, 2)

    def forward(self, tokens):
        e = [self.words(ids).mean(dim=1) for ids in (tokens, tokens.flip(1).clamp(max=3))]
        return self.out(torch.cat(e, dim=1)).softmax(dim=1)


def test_a_layer_that_reads_two_arrays_is_an_error():
    with pytest.raises(ValueError, match="must read one array of word ids"):
        list(word_gradients(initialized(BothWays, classes=[0, 1]), word_ids()))


def test_outputs_that_are_no_distribution_are_an_error():
    # Logits that nothing turns into probabilities.
    net = initialized(LengthSorter, module__n_classes=3, classes=[0, 1, 2])
    with pytest.raises(ValueError, match="one distribution over at least two classes"):
        list(word_gradients(net, word_ids()))


def test_net_is_given_back_when_the_reader_of_a_batch_fails(monkeypatch):
    net = attention_net()
    before = state_of(net)

    def fails(*batch):
        raise MemoryError

    monkeypatch.setattr("modal_interp.representations.interpretations.of_batch", fails)
    with torch.no_grad():
        with pytest.raises(MemoryError):
            word_interpretations(net, word_ids())
        assert not torch.is_grad_enabled()
    assert_same(before, state_of(net))


def test_embeddings_are_those_that_the_layer_gives():
    net = twice_net()
    net.module_.first.weight.data *= 10
    before = state_of(net)
    norms = np.linalg.norm(embedding_rows(net, np.arange(12)), axis=1)
    assert norms.max() <= 1.0 + 1e-5
    assert_same(before, state_of(net))


def test_half_precision():
    net = attention_net()
    expected = word_interpretations(net, word_ids()).values
    net.module_.to(torch.bfloat16)
    found = word_interpretations(net, word_ids()).values
    assert found.dtype == np.float32
    np.testing.assert_allclose(found, expected, atol=0.05)
    assert embedding_rows(net, np.arange(12)).dtype == np.float32


def test_nets_with_their_own_way_of_reading():
    def collate(items):
        ids, y = zip(*items, strict=True)
        return torch.as_tensor(np.stack(ids)), torch.as_tensor(y)

    net = attention_net()
    own = NeuralNetClassifier(
        AttentionReader,
        classes=[0, 1],
        verbose=0,
        iterator_valid__collate_fn=collate,
        iterator_valid__batch_size=4,
    ).initialize()
    own.module_.load_state_dict(net.module_.state_dict())
    a, b = word_interpretations(net, word_ids()), word_interpretations(own, word_ids())
    np.testing.assert_allclose(a.values, b.values, atol=1e-6)
    np.testing.assert_array_equal(a.words, b.words)


def test_features_of_any_dtype_and_shape_of_batch():
    net = table_net(3)
    X = np.random.default_rng(0).normal(size=(20, 5))
    whole = feature_gradients(net, X)
    assert whole.shape == (20, 3, 5)
    net.iterator_valid__batch_size = 3
    np.testing.assert_allclose(feature_gradients(net, X.astype(np.float32)), whole, atol=1e-6)
    net.iterator_valid__batch_size = -1
    np.testing.assert_allclose(feature_gradients(net, X), whole, atol=1e-6)


@pytest.mark.gpu
@pytest.mark.parametrize("make", [attention_net, gru_net, twice_net])
def test_cuda_equals_cpu(make):
    net = make()
    on_gpu = copy.deepcopy(net).set_params(device="cuda")
    on_gpu.module_.to("cuda")
    expected = word_interpretations(net, word_ids()).values
    np.testing.assert_allclose(word_interpretations(on_gpu, word_ids()).values, expected, atol=1e-5)
