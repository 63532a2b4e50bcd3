"""How a net is read: by what a query names, else by what its module says, else by what is found."""

import numpy as np
import pytest
from torch import nn

from modal_interp import (
    ReadBy,
    alden_diversity,
    badge,
    coreset,
    dami_kmedoids,
    egl_word,
    expected_word_gradient_length,
    feature_interpretations,
    features,
    gradient_embedding,
    interpretation,
    word_interpretations,
)
from modal_interp.modules import TabularMLP, TextBiLSTM, TextCNN, TextCNNLSTM
from modal_interp.nets.layers import find_embedding, find_output, how_read, padding_id
from tests.small_nets import initialized, table, table_net, word_ids
from tests.strategies.conftest import learner_of


class Positions(nn.Module):
    """Declares the embedding of positions first, and a linear layer behind the output."""

    def __init__(self):
        super().__init__()
        self.places, self.words = nn.Embedding(40, 5), nn.Embedding(12, 5, padding_idx=3)
        self.out, self.unused = nn.Linear(5, 2), nn.Linear(5, 5)

    def forward(self, tokens):
        e = self.words(tokens) + self.places.weight[: tokens.shape[1]]
        return self.out((e * (tokens != 3)[..., None]).tanh().sum(dim=1))


class Told(Positions):
    read_by = {"embedding_layer": "words", "output_layer": "out"}  # noqa: RUF012


def of(module):
    return initialized(module, classes=[0, 1], criterion=nn.CrossEntropyLoss)


def test_without_a_word_the_first_embedding_and_the_last_linear_layer():
    net = of(Positions)
    assert how_read(net) == ReadBy(None, None)
    assert find_embedding(net) is net.module_.places
    assert find_output(net) is net.module_.unused
    assert padding_id(net) == 0


def test_a_module_says_it_itself():
    net = of(Told)
    assert how_read(net) == ReadBy("words", "out")
    assert find_embedding(net) is net.module_.words
    assert find_output(net) is net.module_.out
    assert padding_id(net) == 3


def test_a_query_goes_before_the_module():
    net = of(Told)
    assert how_read(net, output_layer="unused") == ReadBy("words", "unused")
    assert how_read(net, output_layer=None) == ReadBy("words", "out")
    assert find_embedding(net, embedding_layer="places") is net.module_.places


@pytest.mark.parametrize("module", [TextCNN, TextBiLSTM, TextCNNLSTM, TabularMLP])
def test_our_modules_say_it(module):
    for name in module.read_by.values():
        width = {"n_features": 3} if module is TabularMLP else {"n_words": 9}
        assert name in dict(module(n_classes=2, **width).named_modules())


READ_WORDS = [word_interpretations, interpretation, expected_word_gradient_length]


@pytest.mark.parametrize("read", [*READ_WORDS, features, gradient_embedding])
def test_what_the_module_says_is_what_a_query_names(read):
    ids = word_ids()
    said = of(Told)
    named = of(Positions)
    named.module_.load_state_dict(said.module_.state_dict())
    layers = {"embedding_layer": "words", "output_layer": "out"}
    for one, other in zip(read(said, ids), read(named, ids, **layers), strict=True):
        np.testing.assert_array_equal(one, other)


@pytest.mark.parametrize("strategy", [alden_diversity, badge, coreset, dami_kmedoids, egl_word])
def test_a_strategy_reads_a_net_as_its_module_says(strategy):
    ids = word_ids(30)
    learner = learner_of(of(Told), strategy, ids[:5], np.arange(5) % 2)
    layers = {"embedding_layer": "words", "output_layer": "out"}
    one = learner.query(ids, n_instances=3, random_state=0)[0]
    other = learner.query(ids, n_instances=3, random_state=0, **layers)[0]
    np.testing.assert_array_equal(one, other)


@pytest.mark.parametrize(
    "read", [*READ_WORDS, features, gradient_embedding, feature_interpretations]
)
def test_another_keyword_is_refused(read):
    net, X = (
        (table_net(), table(n_features=5))
        if read is feature_interpretations
        else (of(Told), word_ids())
    )
    with pytest.raises(
        TypeError, match=r"'embeding_layer'.*embedding_layer=, output_layer=, no_words="
    ):
        read(net, X, embeding_layer="words")


@pytest.mark.parametrize("strategy", [alden_diversity, badge, coreset, dami_kmedoids, egl_word])
def test_a_strategy_refuses_another_keyword(strategy):
    ids = word_ids()
    learner = learner_of(of(Told), strategy, ids[:5], np.arange(5) % 2)
    with pytest.raises(TypeError, match=r"unexpected keyword 'layer'"):
        learner.query(ids, n_instances=2, layer="words")


@pytest.mark.parametrize("told", ["words", {"embedding": "words"}, ["words"]])
def test_a_module_must_say_it_by_names(told):
    net = of(type("Wrong", (Positions,), {"read_by": told}))
    with pytest.raises(ValueError, match=r"read_by of Wrong must map embedding_layer="):
        features(net, word_ids())


def test_a_layer_that_the_module_names_must_exist():
    net = of(type("Wrong", (Positions,), {"read_by": {"embedding_layer": "tokens"}}))
    with pytest.raises(ValueError, match=r"embedding_layer='tokens'.*no layer called.*words"):
        word_interpretations(net, word_ids())
