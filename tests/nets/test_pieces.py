"""What counts as a word, which pieces make one, and the ids of words of several pieces."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn import config_context
from torch import nn

from modal_interp import (
    ReadBy,
    WordInterpretations,
    alden_diversity,
    badge,
    dami_kmedoids,
    egl_word,
    expected_word_gradient_length,
    interpretation,
    word_interpretations,
)
from modal_interp.nets.batches import batches
from modal_interp.nets.layers import how_read
from modal_interp.nets.pieces import count_words, what_counts
from modal_interp.nets.sequences import merged, numbered, renumbered, spelled
from modal_interp.nets.words import embedding_rows
from tests.reference_pieces import words_of
from tests.small_nets import PieceReader, small_net, table, table_net
from tests.strategies.conftest import learner_of
from tests.strategies.test_against_references import committee_of, member
from tests.thoroughness import examples

BEGINS = np.array([True, True, True, False, True, False, False])  # of ten ids

WORD = st.lists(st.integers(0, 3), min_size=1, max_size=5)
READ = [word_interpretations, interpretation, expected_word_gradient_length]


def net_of(padding=0, **counts):
    return small_net(PieceReader, module__padding=padding, module__counts=counts)


def texts_of(ids, begins, is_word):
    """The words of each text as lists of pieces."""
    texts = []
    for row, begin, counts in zip(ids.tolist(), begins.tolist(), is_word.tolist(), strict=True):
        words = []
        for piece, new, counted in zip(row, begin, counts, strict=True):
            if counted:
                words.append([piece]) if new else words[-1].append(piece)
        texts.append(words)
    return texts


@pytest.mark.parametrize("padding", [0, 1])
@pytest.mark.parametrize("no_words", [None, (), (2,), np.array([2, 7]), [7, 7]])
@pytest.mark.parametrize("begins", [None, BEGINS, BEGINS.tolist(), BEGINS > 1, BEGINS >= 0])
def test_words_are_runs_of_pieces(padding, no_words, begins):
    ids = np.random.default_rng(0).integers(0, 10, (40, 8))
    ids[0], ids[1] = padding, 2
    counting = what_counts(net_of(padding), no_words=no_words, begins_word=begins)
    is_word, first = count_words(torch.from_numpy(ids), counting)
    assert (first is None) == (begins is None)
    special = [] if no_words is None else list(no_words)
    expected = [
        [[int(x[j]) for j in word] for word in words_of(x, padding, special, begins)] for x in ids
    ]
    assert texts_of(ids, is_word if first is None else first, is_word) == expected


def test_a_query_goes_before_the_module_also_in_what_counts():
    net = net_of(begins_word=BEGINS, no_words=[2], words="pieces")
    assert how_read(net).words == "pieces"
    assert what_counts(net).begins is None
    whole = what_counts(net, words="whole", no_words=())
    assert whole.begins.tolist() == [*BEGINS.tolist(), True, True, True]
    assert whole.is_word.tolist() == [False, *[True] * 9]
    assert ReadBy() == (None, None, None, None, "whole")


def test_the_module_may_say_nothing_by_name():
    net = net_of(begins_word=None, no_words=None, words=None)
    assert how_read(net).words == "whole"
    assert what_counts(net) == (0, None, None)


@settings(max_examples=examples(200), deadline=None)
@given(st.lists(WORD, max_size=12), st.integers(0, 12))
def test_numbers_are_in_lexicographic_order(words, cut):
    parts = [words[:cut], words[cut:]]
    flat = [np.array([p for word in part for p in word], dtype=np.int64) for part in parts]
    begins = [
        np.array([j == 0 for word in part for j in range(len(word))], dtype=bool) for part in parts
    ]
    expected = sorted({tuple(word) for word in words if len(word) > 1})
    of_parts = [numbered(p, b, 4) for p, b in zip(flat, begins, strict=True)]
    together, numbers = merged([several for _, several in of_parts])
    found = [
        renumbered(ids, several, new) for (ids, several), new in zip(of_parts, numbers, strict=True)
    ]
    ids = [w[0] if len(w) == 1 else 4 + expected.index(tuple(w)) for w in words]
    assert np.concatenate(found).tolist() == ids
    assert np.diff(together.offsets).tolist() == [len(word) for word in expected]
    assert together.pieces.tolist() == [piece for word in expected for piece in word]
    pieces, offsets = spelled(np.array(ids, dtype=np.int64), together)
    assert pieces.tolist() == np.concatenate(flat).tolist()
    assert np.diff(offsets).tolist() == [len(word) for word in words]


def test_the_embedding_of_a_word_is_the_mean_of_its_pieces():
    net = net_of()
    _, several = numbered(np.array([3, 4, 4, 5, 3]), np.array([1, 0, 0, 1, 0], bool), 10)
    rows = embedding_rows(net, np.array([2, 10, 11]), several)
    weight = net.module_.pieces.weight.detach().double().numpy()
    expected = [weight[2], (weight[3] + 2 * weight[4]) / 3, (weight[5] + weight[3]) / 2]
    np.testing.assert_array_equal(rows, expected)
    assert embedding_rows(net, np.array([2, 3]), several).dtype == np.float32


def test_interpretations_of_two_parts_get_one_vocabulary():
    net = net_of(begins_word=BEGINS, no_words=[2])
    ids = np.random.default_rng(0).integers(0, 10, (20, 8))
    whole = word_interpretations(net, ids)
    parts = [word_interpretations(net, part) for part in (ids[:5], ids[5:6], ids[6:, :8])]
    assert any(len(p.pieces.offsets) != len(whole.pieces.offsets) for p in parts)
    joined = WordInterpretations.concatenate(parts)
    np.testing.assert_array_equal(joined.words, whole.words)
    np.testing.assert_allclose(joined.values, whole.values, atol=1e-6)
    np.testing.assert_array_equal(joined.pieces.pieces, whole.pieces.pieces)
    assert [part.words.tolist() for part in parts] != [[], [], []]
    taken = whole.samples(np.array([7, 3]))
    word = taken.words[-1]
    assert taken.pieces_of(word).tolist() == whole.pieces_of(word).tolist()
    assert whole.pieces_of(5).tolist() == [5]


def test_interpretations_by_nets_of_other_ids_are_not_put_together():
    ids = np.random.default_rng(0).integers(0, 8, (4, 8))
    parts = [
        word_interpretations(small_net(PieceReader, module__n_ids=n), ids, begins_word=BEGINS)
        for n in (8, 9)
    ]
    with pytest.raises(ValueError, match=r"know equally many ids.*found 8 and 9"):
        WordInterpretations.concatenate(parts)


def test_words_of_a_pool_beyond_working_memory():
    net = net_of(begins_word=BEGINS, no_words=[2])
    ids = np.random.default_rng(0).integers(0, 10, (3000, 11))
    expected = word_interpretations(net, ids)
    with config_context(working_memory=0.01):
        found = word_interpretations(net, ids)
    for one, other in zip(found[:3], expected[:3], strict=True):
        np.testing.assert_array_equal(one, other)
    np.testing.assert_array_equal(found.pieces.pieces, expected.pieces.pieces)


@pytest.mark.parametrize("read", [interpretation, expected_word_gradient_length])
def test_a_second_pass_adds_pieces_up_as_the_first(read):
    net = net_of(begins_word=BEGINS, no_words=[2])
    ids = np.random.default_rng(0).integers(0, 10, (300, 11))
    expected = read(net, ids)
    with config_context(working_memory=0):
        np.testing.assert_array_equal(read(net, ids), expected)


@pytest.mark.parametrize("padding", [0, 1])
def test_texts_are_sorted_by_length_whatever_padding_is(padding):
    ids = np.random.default_rng(0).integers(2, 10, (600, 9))
    lengths = np.random.default_rng(1).integers(1, 10, 600)
    ids[np.arange(9) >= lengths[:, None]] = padding
    read = [lengths[rows] for rows, _ in batches(net_of(padding), ids)]
    assert (np.diff(np.concatenate(read)) >= 0).all()


def test_what_one_id_a_word_says_changes_nothing():
    net, ids = net_of(), np.random.default_rng(0).integers(0, 10, (50, 8))
    plain = word_interpretations(net, ids)
    said = word_interpretations(net, ids, begins_word=np.ones(10, bool), no_words=[0])
    for one, other in zip(plain[:3], said[:3], strict=True):
        np.testing.assert_array_equal(one, other)
    pieces = word_interpretations(net, ids, begins_word=BEGINS, words="pieces")
    np.testing.assert_array_equal(pieces.values, plain.values)
    assert plain.pieces is pieces.pieces is None


BAD = {
    "no_words: a string": ({"no_words": "[CLS]"}, TypeError, r"no_words must be ids.*'\[CLS\]'"),
    "no_words: names": ({"no_words": ["[CLS]", "[SEP]"]}, TypeError, r"no_words must hold ids"),
    "no_words: floats": ({"no_words": [1.0, 2.5]}, TypeError, r"no_words must hold ids.*2.5"),
    "no_words: a number": ({"no_words": 3}, TypeError, r"no_words must be ids.*found 3"),
    "no_words: a mask": ({"no_words": np.ones(10, bool)}, TypeError, r"no_words must hold ids"),
    "no_words: a table": ({"no_words": [[1, 2]]}, TypeError, r"no_words must be ids"),
    "no_words: beyond": ({"no_words": [1, 10]}, ValueError, r"ids from 0 to 9.*found 10"),
    "no_words: below": ({"no_words": [-1, 2]}, ValueError, r"ids from 0 to 9.*found -1"),
    "begins_word: ids": ({"begins_word": [1, 4]}, TypeError, r"begins_word must be.*bool.*int64"),
    "begins_word: too many": (
        {"begins_word": np.ones(11, bool)},
        ValueError,
        r"begins_word must have at most 10 values.*found 11",
    ),
    "begins_word: a table": (
        {"begins_word": np.ones((10, 1), bool)},
        TypeError,
        r"begins_word must be an array of bool of shape \(V,\).*shape \(10, 1\)",
    ),
    "begins_word: pieces": (
        {"begins_word": ["a", "##b"]},
        TypeError,
        r"begins_word must be an array",
    ),
    "begins_word: a function": ({"begins_word": len}, TypeError, r"found a builtin_function"),
    "words: another": (
        {"words": "tokens"},
        ValueError,
        r"words must be 'whole' or 'pieces'.*'tokens'",
    ),
    "words: a list": ({"words": ["whole"]}, ValueError, r"words must be 'whole' or 'pieces'"),
    "words: true": ({"words": True}, ValueError, r"words must be 'whole' or 'pieces'.*found True"),
}


@pytest.mark.parametrize("strategy", [alden_diversity, badge, dami_kmedoids, egl_word])
@pytest.mark.parametrize("case", BAD)
def test_what_makes_no_sense_is_refused_before_any_pass(strategy, case):
    said, error, message = BAD[case]
    ids = np.random.default_rng(0).integers(0, 10, (9, 8))
    for net, options in ((net_of(), said), (net_of(**said), {})):
        learner = learner_of(net, strategy, ids[:3], None)
        net.infer = None
        with pytest.raises(error, match=message):
            learner.query(ids, n_instances=2, **options)


@pytest.mark.parametrize("read", READ)
def test_a_function_refuses_it_too(read):
    with pytest.raises(ValueError, match=r"begins_word must have at most 10 values"):
        read(net_of(), np.ones((2, 3), int), begins_word=np.ones(11, bool))


def test_a_table_has_no_words_to_tell():
    learner = learner_of(table_net(), badge, table(n_features=5), None)
    with pytest.raises(ValueError, match=r"the module holds no nn.Embedding"):
        learner.query(table(n_features=5), no_words=[1])


def test_a_module_says_it_by_a_mapping():
    net = net_of(special=[2])
    with pytest.raises(
        ValueError, match=r"must map embedding_layer=.*no_words=.*found \{.*'special'"
    ):
        word_interpretations(net, np.ones((2, 3), int))


def test_members_must_count_the_same_as_words():
    ids = np.random.default_rng(0).integers(0, 10, (9, 8))
    nets = [net_of(begins_word=BEGINS), net_of(begins_word=~BEGINS)]
    committee = committee_of([member(net, ids[:3]) for net in nets])
    with pytest.raises(ValueError, match=r"must count the same ids as words"):
        alden_diversity(committee, ids, 2)
    assert len(alden_diversity(committee, ids, 2, begins_word=BEGINS)) == 2


def test_a_committee_may_know_different_numbers_of_ids():
    ids = np.random.default_rng(0).integers(0, 10, (9, 8))
    counts = {"begins_word": BEGINS, "no_words": [2]}
    nets = [small_net(PieceReader, module__n_ids=n, module__counts=counts) for n in (10, 14)]
    found = []
    for pair in (nets, nets[::-1]):
        committee = committee_of([member(net, ids[:3]) for net in pair])
        chosen = alden_diversity(committee, ids, 4)
        found.append((chosen[0] if isinstance(chosen, tuple) else chosen).tolist())
    assert found[0] == found[1]


class Reading(nn.Module):
    """Says how it is read by a property that changes."""

    def __init__(self):
        super().__init__()
        self.inner, self.special = PieceReader(), [2]

    @property
    def read_by(self):
        return {"embedding_layer": "inner.pieces", "no_words": self.special}

    def forward(self, ids):
        return self.inner(ids)


def test_a_property_is_asked_at_each_query():
    net = small_net(lambda n_outputs: Reading())
    ids = np.array([[2, 3, 4, 5]])
    assert word_interpretations(net, ids).words.tolist() == [3, 4, 5]
    net.module_.special = [3, 4]
    assert word_interpretations(net, ids).words.tolist() == [2, 5]
