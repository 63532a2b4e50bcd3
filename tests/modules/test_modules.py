"""Padding, the other texts of a batch and the order of rows never change a result."""

import pickle

import numpy as np
import pytest
import torch
from torch import nn

from modal_interp.modules import TabularMLP, TextBiLSTM, TextCNN, TextCNNLSTM

N_WORDS, N_CLASSES = 12, 3
# Of every length from empty to longer than all kernels, with padding inside and words repeated.
TEXTS = [
    [],
    [5],
    [0, 7],
    [4, 0, 9],
    [2, 2, 2, 2],
    [3, 1, 4, 1, 5, 9, 2, 6, 5, 3],
    [11, 0, 0, 8, 1],
    [1, 2, 3, 4, 5, 6, 7],
]


def text_cnn():
    return TextCNN(N_WORDS, N_CLASSES, embedding_dim=6, kernel_sizes=(2, 3, 5), n_filters=4)


def text_bilstm():
    return TextBiLSTM(N_WORDS, N_CLASSES, embedding_dim=6, hidden_size=5)


def deep_bilstm():
    return TextBiLSTM(N_WORDS, N_CLASSES, embedding_dim=6, hidden_size=5, n_layers=3)


def text_cnn_lstm():
    sizes = {"kernel_sizes": (1, 2, 3, 6), "n_filters": 4, "hidden_size": 5}
    return TextCNNLSTM(N_WORDS, N_CLASSES, embedding_dim=6, **sizes)


TEXT_NETS = [text_cnn, text_bilstm, deep_bilstm, text_cnn_lstm]


@pytest.fixture(params=TEXT_NETS)
def net(request):
    return request.param().eval()


def padded(texts, width=None):
    width = max(map(len, texts)) if width is None else width
    return torch.tensor([text + [0] * (width - len(text)) for text in texts], dtype=torch.int64)


def logits_and_gradient(net, ids):
    """Logits, and the gradient of a weighing of them that tells classes apart."""
    logits = net(ids)
    total = (logits * torch.arange(1.0, N_CLASSES + 1)).sum()
    return logits.detach(), torch.autograd.grad(total, net.embedding.weight)[0]


def assert_same(found, expected):
    for one, other in zip(found, expected, strict=True):
        torch.testing.assert_close(one, other, rtol=0, atol=1e-6)


def test_one_text_at_a_time_gives_the_same(net):
    logits, gradient = logits_and_gradient(net, padded(TEXTS))
    alone = [logits_and_gradient(net, padded([text])) for text in TEXTS]
    one_by_one = torch.cat([one for one, _ in alone]), sum(one for _, one in alone)
    assert_same((logits, gradient), one_by_one)


@pytest.mark.parametrize("more", [1, 2, 40])
def test_more_padding_changes_nothing(net, more):
    width = max(map(len, TEXTS)) + more
    assert_same(
        logits_and_gradient(net, padded(TEXTS, width)), logits_and_gradient(net, padded(TEXTS))
    )


def test_row_order_changes_nothing(net):
    ids = padded(TEXTS)
    order = torch.randperm(len(ids))
    logits, gradient = logits_and_gradient(net, ids)
    assert_same(logits_and_gradient(net, ids[order]), (logits[order], gradient))


def test_padding_has_no_gradient(net):
    _, gradient = logits_and_gradient(net, padded(TEXTS))
    assert gradient.isfinite().all()
    assert not gradient[0].any()
    assert gradient[1:].any()


def test_empty_texts_are_legal_in_any_company(net):
    ids = padded(TEXTS)
    alone = net(torch.zeros(2, 3, dtype=torch.int64))
    assert alone.isfinite().all()
    torch.testing.assert_close(alone[0], net(ids)[0], rtol=0, atol=1e-6)
    torch.testing.assert_close(net(torch.zeros(2, 0, dtype=torch.int64)), alone)


def test_all_padding_columns_are_not_computed(net):
    seen = []
    net.embedding.register_forward_hook(lambda *args: seen.append(args[2].shape[1]))
    net(padded(TEXTS, 200))
    assert seen == [max(map(len, TEXTS))]


def literal_cnn(net, text):
    """Kim's network as it is written: a loop over filters and windows."""
    pooled = []
    for conv in net.convolutions:
        size = conv.kernel_size[0]
        vectors = [net.embedding.weight[word] for word in text]
        vectors += [torch.zeros(6)] * max(size - len(vectors), 0)
        for weight, bias in zip(conv.weight, conv.bias, strict=True):
            windows = [vectors[start : start + size] for start in range(len(vectors) - size + 1)]
            values = [(weight.T * torch.stack(window)).sum() + bias for window in windows]
            pooled.append(torch.relu(torch.stack(values)).max())
    return net.output(torch.stack(pooled))


def literal_bilstm(net, text):
    """Each direction over the words of one text alone."""
    vectors = [net.embedding.weight[word] for word in text] or [torch.zeros(6)]
    states = net.lstm(torch.stack(vectors))[0]
    for layer in net.deeper:
        states = layer(states)[0]
    return net.output(torch.relu(states).max(dim=0).values)


def literal_cnn_lstm(net, text):
    """A loop over layers, places and filters of one text, with zeros around it."""
    found = [net.embedding.weight[word] for word in text] or [torch.zeros(6)]
    for conv in net.convolutions:
        size, zero = conv.kernel_size[0], torch.zeros_like(found[0])
        around = [zero] * ((size - 1) // 2) + found + [zero] * (size // 2)
        found = []
        for place in range(max(len(text), 1)):
            window = torch.stack(around[place : place + size])
            values = [
                (weight.T * window).sum() + bias
                for weight, bias in zip(conv.weight, conv.bias, strict=True)
            ]
            found.append(torch.relu(torch.stack(values)))
    states = net.lstm(torch.stack(found))[0]
    return net.output(torch.relu(states).max(dim=0).values)


@pytest.mark.parametrize(
    ("make", "literal"),
    [
        (text_cnn, literal_cnn),
        (text_bilstm, literal_bilstm),
        (deep_bilstm, literal_bilstm),
        (text_cnn_lstm, literal_cnn_lstm),
    ],
)
def test_equals_the_literal_network(make, literal):
    net = make().eval()
    expected = torch.stack([literal(net, text) for text in TEXTS])
    torch.testing.assert_close(net(padded(TEXTS)), expected, rtol=0, atol=1e-6)


def test_repeated_words_share_the_gradient_whatever_the_place():
    """A convolution may round equal windows differently."""
    net = TextCNN(N_WORDS, 2, embedding_dim=100).eval()
    for length in range(2, 40):
        text = torch.full((1, length), 3)
        vectors = net.embedding(text).detach().requires_grad_()
        handle = net.embedding.register_forward_hook(lambda *_, v=vectors: v)
        gradient = torch.autograd.grad(net(text)[0, 0], vectors)[0][0]
        handle.remove()
        # By the windows of each size that hold it: fewer at the ends.
        inner = gradient[2:-2]
        torch.testing.assert_close(inner, inner[:1].expand_as(inner), rtol=1e-4, atol=1e-7)


def test_equal_windows_share_the_gradient():
    net = TextCNN(N_WORDS, 2, embedding_dim=6, kernel_sizes=(1,)).eval()
    vectors = net.embedding(torch.tensor([[3, 3, 3]])).detach().requires_grad_()
    handle = net.embedding.register_forward_hook(lambda *_: vectors)
    first, *others = torch.autograd.grad(net(torch.tensor([[3, 3, 3]]))[0, 0], vectors)[0][0]
    handle.remove()
    assert first.any()
    for other in others:
        torch.testing.assert_close(other, first)


def test_dropout_acts_in_training_only(net):
    ids = padded(TEXTS)
    assert torch.equal(net(ids), net(ids))
    net.train()
    assert not torch.equal(net(ids), net(ids))


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("make", [TextCNN, TextBiLSTM, TextCNNLSTM])
def test_embedding_matrix_is_copied_and_its_padding_row_cleared(make, dtype):
    matrix = np.random.RandomState(0).normal(size=(N_WORDS, 7)).astype(dtype)
    before = matrix.copy()
    net = make(N_WORDS, 2, embedding_matrix=matrix)
    assert net.embedding.weight.shape == (N_WORDS, 7)
    assert net.embedding.weight.dtype == torch.float32
    assert not net.embedding.weight[0].any()
    np.testing.assert_allclose(net.embedding.weight[1:].detach(), matrix[1:], rtol=1e-6)
    with torch.no_grad():
        net.embedding.weight.zero_()
    np.testing.assert_array_equal(matrix, before)


@pytest.mark.parametrize("make", [TextCNN, TextBiLSTM, TextCNNLSTM])
@pytest.mark.parametrize("freeze", [False, True])
def test_training_moves_words_but_never_padding(make, freeze):
    matrix = torch.ones(N_WORDS, 6)
    net = make(N_WORDS, 2, embedding_matrix=matrix, freeze_embedding=freeze)
    optimizer = torch.optim.Adam(net.parameters(), lr=0.1, weight_decay=0.1)
    net(padded(TEXTS)).logsumexp(dim=1).sum().backward()
    optimizer.step()
    weight = net.embedding.weight.detach()
    assert not weight[0].any()
    assert (weight[1:] == 1).all() if freeze else (weight[1:] != 1).any()


def test_fresh_embeddings_are_small_and_uniform():
    weight = TextCNN(2000, 2).embedding.weight.detach()
    assert not weight[0].any()
    assert weight.abs().max() <= 0.1
    assert weight.std() == pytest.approx(0.1 / np.sqrt(3), rel=0.01)


def test_layers_are_stacked_and_dropped_between_as_torch_does():
    ids = padded([TEXTS[5], TEXTS[7] + TEXTS[3]])  # of one length, for torch reads padding
    net = TextBiLSTM(N_WORDS, N_CLASSES, embedding_dim=6, hidden_size=5, n_layers=3)
    theirs = nn.LSTM(6, 5, num_layers=3, batch_first=True, bidirectional=True)
    for number, layer in enumerate([net.lstm, *net.deeper]):
        for name, weight in layer.named_parameters():
            getattr(theirs, name.replace("l0", f"l{number}")).data.copy_(weight)
    assert [drop.p for drop in net.between] == [0.5, 0.5]
    pooled = torch.relu(theirs(net.embedding(ids))[0]).amax(dim=1)
    torch.testing.assert_close(net.eval()(ids), net.output(pooled), rtol=0, atol=1e-6)


def test_first_weights_carry_a_word_through_four_convolutions():
    torch.manual_seed(0)
    net = TextCNNLSTM(500, 2)
    seen = []
    net.lstm.register_forward_pre_hook(lambda _, args: seen.append(args[0].data.detach()))
    net(torch.randint(1, 500, (50, 12)))
    words = net.embedding.weight.detach()
    share = seen[0].square().mean() / words.square().mean()
    assert 0.3 < float(share) < 1  # by torch's own first weights under .001, biases aside


@pytest.mark.parametrize("dropout", [0.0, 0.3])
@pytest.mark.parametrize("hidden", [(), (7,), (16, 8)])
def test_tabular_mlp_layers(hidden, dropout):
    net = TabularMLP(5, 3, hidden=hidden, dropout=dropout)
    kinds = [type(layer) for layer in net.layers]
    assert kinds == ([nn.Linear, nn.ReLU] + [nn.Dropout] * (dropout > 0)) * len(hidden)
    assert net(torch.zeros(4, 5)).shape == (4, 3)
    assert net.output.in_features == (hidden[-1] if hidden else 5)


@pytest.mark.parametrize("make", [*TEXT_NETS, lambda: TabularMLP(4, 2)])
def test_survives_pickling(make):
    net = make()
    again = pickle.loads(pickle.dumps(net))
    for key, value in net.state_dict().items():
        assert torch.equal(again.state_dict()[key], value)


BAD = [
    (TextCNN, {"n_words": 1}, "n_words must be an integer >= 2, found 1"),
    (TextCNN, {"n_words": 9.0}, "n_words must be an integer >= 2, found 9.0"),
    (TextCNN, {"n_classes": 0}, "n_classes must be an integer >= 1, found 0"),
    (TextCNN, {"embedding_dim": 0}, "embedding_dim must be an integer >= 1, found 0"),
    (TextCNN, {"kernel_sizes": ()}, "kernel_sizes must hold at least one size"),
    (TextCNN, {"kernel_sizes": (3, 0)}, "kernel_sizes must be an integer >= 1, found 0"),
    (TextCNN, {"n_filters": -1}, "n_filters must be an integer >= 1, found -1"),
    (TextCNN, {"dropout": 1.0}, r"dropout must be a number in \[0, 1\), found 1.0"),
    (TextCNN, {"dropout": None}, r"dropout must be a number in \[0, 1\), found None"),
    (TextCNN, {"embedding_matrix": np.zeros((3, 4))}, r"n_words=9, found \(3, 4\)"),
    (TextCNN, {"embedding_matrix": np.zeros(9)}, r"n_words=9, found \(9,\)"),
    (TextBiLSTM, {"embedding_matrix": np.full((9, 2), np.nan)}, "embedding_matrix must be finite"),
    (TextBiLSTM, {"hidden_size": True}, "hidden_size must be an integer >= 1, found True"),
    (TextBiLSTM, {"n_layers": 0}, "n_layers must be an integer >= 1, found 0"),
    (TextCNNLSTM, {"hidden_size": 0}, "hidden_size must be an integer >= 1, found 0"),
    (TextCNNLSTM, {"kernel_sizes": []}, "kernel_sizes must hold at least one size"),
    (TextCNNLSTM, {"n_filters": 1.0}, "n_filters must be an integer >= 1, found 1.0"),
    (TabularMLP, {"n_features": 0}, "n_features must be an integer >= 1, found 0"),
    (TabularMLP, {"hidden": (4, 0)}, "hidden must be an integer >= 1, found 0"),
    (TabularMLP, {"hidden": 8}, "hidden must be a sequence of integers, found 8"),
    (TextCNN, {"kernel_sizes": 3}, "kernel_sizes must be a sequence of integers, found 3"),
]


@pytest.mark.parametrize(("make", "bad", "message"), BAD)
def test_errors_name_parameter_rule_and_value(make, bad, message):
    sizes = {"n_features": 4} if make is TabularMLP else {"n_words": 9}
    with pytest.raises(ValueError, match=message):
        make(**({"n_classes": 2} | sizes | bad))


@pytest.mark.parametrize("shape", [(3,), (2, 3, 4)])
def test_ids_of_another_shape_are_refused(net, shape):
    with pytest.raises(ValueError, match=r"ids must have shape \(B, T\), found"):
        net(torch.ones(shape, dtype=torch.int64))


@pytest.mark.gpu
def test_gpu_gives_the_cpu_result(net):
    expected = net(padded(TEXTS))
    found = net.cuda()(padded(TEXTS).cuda()).cpu()
    torch.testing.assert_close(found, expected, rtol=1e-4, atol=1e-5)
