"""Modules and tables of other people: asked as they predict, or refused with the reason."""

from functools import partial

import numpy as np
import pytest
import torch
from modAL.models import ActiveLearner
from skorch import NeuralNetClassifier
from torch import nn

from modal_interp import (
    badge,
    bald_scores,
    coreset,
    dami_kmedoids,
    egl,
    entropy,
    entropy_scores,
    expected_gradient_length,
    expected_word_gradient_length,
    features,
    interpretation,
    word_interpretations,
)

RNG = np.random.RandomState(0)
IDS, Y = RNG.randint(100, 200, (40, 6)), np.arange(40) % 2
TABLE = RNG.randint(1, 30, (60, 6))


def fitted(module, X, **options):
    net = NeuralNetClassifier(
        module, criterion=nn.CrossEntropyLoss, max_epochs=1, train_split=None, verbose=0, **options
    )
    torch.manual_seed(0)
    return net.fit(X, np.arange(len(X)) % 2)


def asked(net, strategy, X):
    options = {"X_labeled": X[:5]} if strategy is coreset else {}
    answer = ActiveLearner(net, strategy).query(X, n_instances=4, random_state=0, **options)
    return np.asarray(answer[0]).tolist()


class OfNumbers(nn.Module):
    """Takes a table of any numbers, and computes in the precision of its layer."""

    def __init__(self, dtype=torch.float32):
        super().__init__()
        self.layer = nn.Linear(6, 2, dtype=dtype)

    def forward(self, x):
        return self.layer(x.to(self.layer.weight.dtype)).float()


@pytest.mark.parametrize(
    "dtype", [np.int64, np.int32, np.uint8, np.float16, np.float32, np.float64]
)
@pytest.mark.parametrize("strategy", [dami_kmedoids, badge, coreset, entropy, egl])
def test_tables_of_any_numbers_give_one_answer(dtype, strategy):
    net = fitted(OfNumbers, TABLE[:20].astype(np.float32))
    given, usual = TABLE.astype(dtype), TABLE.astype(np.float32)
    assert asked(net, strategy, given) == asked(net, strategy, usual)


@pytest.mark.parametrize("dtype", [torch.float64, torch.bfloat16, torch.float16])
def test_what_the_net_predicts_is_asked(dtype):
    X = (TABLE / 30).astype(np.float32)
    net = fitted(OfNumbers, X, module__dtype=dtype)
    p = net.predict_proba(X).astype(float)
    expected = -(p * np.log(p)).sum(axis=1)
    np.testing.assert_allclose(entropy_scores(net, X), expected, atol=1e-5)
    assert interpretation(net, X).shape == (60, 6)


class OfCodes(nn.Module):
    def __init__(self):
        super().__init__()
        self.codes = nn.EmbeddingBag(200, 4)
        self.layer = nn.Linear(4, 2)

    def forward(self, x):
        return self.layer(self.codes(x))


class OneHot(nn.Module):
    def __init__(self):
        super().__init__()
        self.layer = nn.Linear(200, 2)

    def forward(self, x):
        return self.layer(nn.functional.one_hot(x, 200).float().sum(dim=1))


@pytest.mark.parametrize("module", [OfCodes, OneHot])
def test_ids_that_no_embedding_reads(module):
    net = fitted(module, IDS)
    learner = ActiveLearner(net, dami_kmedoids)
    with pytest.raises(ValueError, match="features must be real numbers for the module"):
        learner.query(IDS, n_instances=3)
    for strategy in (entropy, badge, coreset):
        assert len(asked(net, strategy, IDS)) == 4


class Temperature(nn.Module):
    """Has parameters of no and of three dimensions."""

    def __init__(self):
        super().__init__()
        self.layer = nn.Linear(3, 2)
        self.temperature = nn.Parameter(torch.tensor(0.7))
        self.cube = nn.Parameter(torch.full((1, 1, 2), 0.3))

    def forward(self, x):
        return self.layer(x) * self.temperature + self.cube[0]


class Tied(nn.Module):
    """Uses one layer twice."""

    def __init__(self):
        super().__init__()
        self.layer = nn.Linear(3, 3)
        self.again = self.layer
        self.out = nn.Linear(3, 2)

    def forward(self, x):
        return self.out(torch.tanh(self.again(torch.tanh(self.layer(x)))))


class Frozen(Temperature):
    def __init__(self):
        super().__init__()
        self.temperature.requires_grad_(False)


@pytest.mark.parametrize("module", [Temperature, Tied, Frozen])
def test_gradient_lengths_of_any_parameters(module):
    X = RNG.normal(size=(12, 3)).astype(np.float32)
    net = fitted(module, X)
    found = expected_gradient_length(net, X)
    expected = [literal_length(net, x) for x in torch.from_numpy(X)]
    np.testing.assert_allclose(found, expected, rtol=1e-5)


def literal_length(net, x):
    """Sum over classes of p times the length of the gradient of the loss."""
    trained = [p for p in net.module_.parameters() if p.requires_grad]
    total = 0.0
    for c in range(2):
        logits = net.module_(x[None])
        loss = nn.functional.cross_entropy(logits, torch.tensor([c]))
        gradients = torch.autograd.grad(loss, trained)
        length = torch.sqrt(sum((g**2).sum() for g in gradients))
        total += (torch.softmax(logits, 1)[0, c] * length).item()
    return total


class Positions(nn.Module):
    """Declares what is no word before what is."""

    def __init__(self):
        super().__init__()
        self.position = nn.Embedding(512, 8)
        self.word = nn.Embedding(200, 8, padding_idx=0)
        self.layer = nn.Linear(8, 2)

    def forward(self, x):
        places = torch.arange(x.shape[1]).expand(x.shape)
        return self.layer(torch.relu(self.word(x) + self.position(places)).sum(1))


class Segments(Positions):
    def forward(self, x):
        return self.layer((self.word(x) * self.position((x > 150).long())).sum(1))


class Bigrams(Positions):
    def forward(self, x):
        return self.layer((self.word(x) + self.position((x + x.roll(1)) % 512)).sum(1))


@pytest.mark.parametrize("module", [Positions, Segments, Bigrams])
def test_a_guess_that_reads_other_ids_is_refused(module):
    net = fitted(module, IDS)
    with pytest.raises(ValueError, match=r"Name the layer of words by embedding_layer="):
        word_interpretations(net, IDS)
    found = word_interpretations(net, IDS, embedding_layer="word")
    np.testing.assert_array_equal(np.reshape(found.words, IDS.shape), IDS)


class WordsFirst(Positions):
    def __init__(self):
        super().__init__()
        layers = dict(self._modules)
        self._modules.clear()
        self._modules.update({name: layers[name] for name in ("word", "position", "layer")})


def test_a_guess_that_reads_the_words_stands():
    net = fitted(WordsFirst, IDS)
    named = word_interpretations(net, IDS, embedding_layer="word")
    np.testing.assert_array_equal(word_interpretations(net, IDS).values, named.values)


class PlacesAndBag(nn.Module):
    """Its one nn.Embedding reads places; words are looked up by another layer."""

    def __init__(self, counted=False):
        super().__init__()
        self.places, self.bag = nn.Embedding(50, 8), nn.EmbeddingBag(200, 8)
        self.layer, self.counted = nn.Linear(8, 2), counted

    def forward(self, x):
        places = torch.arange(x.shape[1]).expand(x.shape)
        places = (x != 0).long().cumsum(1) * (x != 0) if self.counted else places
        return self.layer(torch.tanh(self.bag(x)) + torch.tanh(self.places(places)).mean(dim=1))


@pytest.mark.parametrize("counted", [False, True])
def test_an_only_embedding_that_reads_places_is_refused(counted):
    net = fitted(PlacesAndBag, IDS % 50, module__counted=counted)
    with pytest.raises(ValueError, match=r"reads? the words of the samples.*\(positions\?\)"):
        word_interpretations(net, IDS % 50)


class OwnIds(nn.Module):
    """Gives rare words one id, and begins each text with a word of its own."""

    def __init__(self):
        super().__init__()
        self.words, self.layer = nn.Embedding(152, 8), nn.Linear(8, 2)

    def forward(self, x):
        own = nn.functional.pad(x.clamp(max=150), (1, 0), value=151)
        return self.layer(torch.tanh(self.words(own)).mean(dim=1))


def test_ids_of_the_modules_own_are_words():
    X = np.where(IDS > 150, IDS - 100, IDS)
    found = word_interpretations(fitted(OwnIds, X), X)
    np.testing.assert_array_equal(np.reshape(found.words, (40, 7))[:, 1:], X)


def test_ids_that_a_guessed_layer_does_not_know():
    class Few(Positions):
        def __init__(self):
            super().__init__()
            self.position = nn.Embedding(6, 8)

    net = fitted(Few, IDS)
    with pytest.raises(ValueError, match="or name the layer that reads the words by embedding_lay"):
        word_interpretations(net, IDS)
    assert len(word_interpretations(net, IDS, embedding_layer="word").words) == IDS.size


# Modules that were compiled, as a whole or in part.


class Plain(nn.Module):
    def __init__(self):
        super().__init__()
        self.words, self.drop = nn.Embedding(200, 8, padding_idx=0), nn.Dropout(0.5)
        self.layer = nn.Linear(8, 2)

    def forward(self, x):
        return self.layer(self.drop(torch.relu(self.words(x)).sum(1)))


class CompiledForward(Plain):
    forward = torch.compile(Plain.forward, backend="eager")


class CompiledPart(nn.Module):
    def __init__(self):
        super().__init__()
        self.part = torch.compile(Plain(), backend="eager")

    def forward(self, x):
        return self.part(x)


class CompiledFunction(Plain):
    def __init__(self):
        super().__init__()
        self.function = torch.compile(super().forward, backend="eager")

    def forward(self, x):
        return self.function(x)


class CompiledInPlace(Plain):
    def __init__(self):
        super().__init__()
        self.compile(backend="eager")


QUERIES = [
    partial(bald_scores, random_state=0),
    entropy_scores,
    expected_gradient_length,
    expected_word_gradient_length,
    features,
    lambda net, X: word_interpretations(net, X).values,
]


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("whole", [False, True])
@pytest.mark.parametrize(
    "module", [CompiledForward, CompiledPart, CompiledFunction, CompiledInPlace, Plain]
)
def test_compiled_modules_are_asked_as_they_were_written(module, whole):
    options = {"compile": True, "compile__backend": "eager"} if whole else {}
    net = fitted(module, IDS[:20], **options)
    stances = torch._dynamo.eval_frame._stance
    for n in (20, 24, 28):  # in each round another number of samples
        net.predict_proba(IDS[n:])
        plain = fitted(Plain, IDS[:20])
        plain.module_.load_state_dict(
            {
                k.replace("_orig_mod.", "").replace("part.", ""): v.clone()
                for k, v in net.module_.state_dict().items()
            }
        )
        for query in QUERIES:
            np.testing.assert_allclose(query(net, IDS[n:]), query(plain, IDS[n:]), rtol=1e-5)
    assert torch._dynamo.eval_frame._stance is stances


@pytest.mark.filterwarnings("ignore")
def test_layers_of_a_compiled_module_are_named_as_they_were_written():
    net = fitted(Positions, IDS, compile=True, compile__backend="eager")
    found = word_interpretations(net, IDS, embedding_layer="word")
    np.testing.assert_array_equal(np.reshape(found.words, IDS.shape), IDS)
