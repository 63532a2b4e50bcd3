import inspect
from functools import partial

import numpy as np
import pytest
import torch
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from modAL.models import ActiveLearner

from modal_interp.estimators import TextBiLSTMClassifier, TextCNNClassifier
from modal_interp.strategies import alden_diversity
from tests import reference
from tests.small_nets import attention_net, gru_net, rounding_decides, word_ids
from tests.strategies.conftest import learner_of
from tests.thoroughness import examples

RETURNS_METRICS = "return_metrics" in inspect.signature(ActiveLearner.query).parameters


def chosen_by(learner, X_pool, n, **options):
    """Indices, and D where this modAL takes metrics."""
    result = alden_diversity(learner, X_pool, n, **options)
    return result if RETURNS_METRICS else (result, None)


def literal_choice(net, pool, labeled, n, embedding, logits, **options):
    words = reference.word_interpretations(
        net.module_, torch.from_numpy(pool), logits=logits, embedding=embedding, **options
    )
    known = reference.word_interpretations(
        net.module_, torch.from_numpy(labeled), logits=logits, embedding=embedding, **options
    )
    return reference.alden(words, known, embedding(net.module_).weight.tolist(), n)


def our_net(kind, n_classes):
    net = kind(
        n_words=12,
        classes=list(range(n_classes)),
        module__embedding_dim=4,
        random_state=None,
    )
    return net.initialize()


OUR_LAYERS = (lambda m: m.embedding, lambda m, ids: m(ids))
NETS = {
    "attention": (attention_net, lambda m: m.lookup, lambda m, ids: m.logits(ids)),
    "CNN": (partial(our_net, TextCNNClassifier), lambda m: m.embedding, lambda m, ids: m(ids)),
    "BiLSTM": (
        partial(our_net, TextBiLSTMClassifier),
        lambda m: m.embedding,
        lambda m, ids: m(ids),
    ),
}


@pytest.mark.parametrize("name", NETS)
@settings(max_examples=examples(70), deadline=None)
@given(
    st.integers(0, 2**31),
    st.integers(1, 9),
    st.sampled_from([2, 2, 3, 7]),
    st.sampled_from(["proba", "logit"]),
    st.sampled_from(["all", "predicted"]),
    st.booleans(),
    st.data(),
)
def test_equals_the_literal_algorithm_from_the_texts_on(
    name, seed, n_pool, n_classes, target, classes, ties, data
):
    torch.manual_seed(seed)
    make, embedding, logits = NETS[name]
    net = make(n_classes)
    pool, labeled = word_ids(n_pool, seed=seed), word_ids(4, seed=seed + 1)
    if ties:  # a text that is labelled already, and words that share one embedding
        pool[0] = labeled[1]
        embedding(net.module_).weight.data[5:9] = embedding(net.module_).weight.data[4].clone()
    assume(name != "CNN" or not any(rounding_decides(net, X) for X in (pool, labeled)))
    n = data.draw(st.integers(1, n_pool))
    options = {"target": target, "classes": classes}
    learner = learner_of(net, alden_diversity, labeled, None)
    chosen, diversity = chosen_by(learner, pool, n, **options)
    expected, metrics = literal_choice(net, pool, labeled, n, embedding, logits, **options)
    assert chosen.tolist() == expected
    if diversity is not None:
        np.testing.assert_allclose(diversity, metrics, atol=1e-5)


def test_where_rounding_decides_is_found_in_double_precision():
    torch.manual_seed(6596)  # two windows differ by 3e-9 in their activations: they are equal
    net = NETS["CNN"][0](2)
    assert not rounding_decides(net, word_ids(4, seed=6597))
    word, other = net.module_.embedding.weight.data[2:4]
    first = net.module_.convolutions[0]
    for part in (first.weight, first.bias):
        part.data.zero_()
    first.weight.data[0, 0] = 1.0
    first.bias.data[1:] = 0.1  # of filters that no word turns on or off
    word[0], other[0] = 0.5, 0.5 - 1.5e-6  # just at the edge of what counts as equal
    assert rounding_decides(net, np.array([[2, 3]]))
    other[0] = 0.4
    first.bias.data[0] = -0.5  # just where the filter goes on
    assert rounding_decides(net, np.array([[2, 3]]))


def test_a_committee_has_one_component_a_member(committee_for, ids, labeled):
    nets = [attention_net(), attention_net()]
    committee = committee_for(alden_diversity, nets)
    chosen, _ = chosen_by(committee, ids, 10)

    def side_by_side(X):
        layers = {"logits": lambda m, i: m.logits(i), "embedding": lambda m: m.lookup}
        members = [
            reference.word_interpretations(net.module_, torch.from_numpy(X), **layers)
            for net in nets
        ]
        return [
            [(w, a + b) for (w, a), (_, b) in zip(*texts, strict=True)]
            for texts in zip(*members, strict=True)
        ]

    rows = np.hstack([net.module_.lookup.weight.detach().numpy() for net in nets])
    expected, _ = reference.alden(side_by_side(ids), side_by_side(labeled), rows, 10)
    assert chosen.tolist() == expected


def test_members_that_were_taught_other_texts_count_as_one_labelled_set(committee_for, ids):
    committee = committee_for(alden_diversity)
    whole, _ = chosen_by(committee, ids, 8)
    for member, part in zip(committee.learner_list, (slice(0, 4), slice(2, 6)), strict=True):
        member.X_training = member.X_training[part]
    parts, _ = chosen_by(committee, ids, 8)
    assert whole.tolist() == parts.tolist()


def test_labelled_texts_can_be_given(learner_for, ids, labeled):
    learner = learner_for(alden_diversity)
    expected, _ = chosen_by(learner, ids, 5)
    learner.X_training = None
    given_, _ = chosen_by(learner, ids, 5, X_labeled=labeled)
    assert expected.tolist() == given_.tolist()


def test_labelled_texts_may_have_another_width(ids, labeled):
    net = attention_net()
    padding = np.zeros((len(labeled), 4), dtype=np.int64)
    learner = learner_of(net, alden_diversity, np.hstack([labeled, padding]), None)
    chosen, _ = chosen_by(learner, ids, 8)
    layers = {"embedding": lambda m: m.lookup, "logits": lambda m, i: m.logits(i)}
    expected, _ = literal_choice(net, ids, learner.X_training, 8, **layers)
    assert chosen.tolist() == expected


def test_a_padding_id_of_the_layers_own_is_no_word(labeled):
    net = gru_net()
    pool = np.array([[3, 3, 3], [5, 3, 3], [6, 7, 3]])
    chosen, _ = chosen_by(
        learner_of(net, alden_diversity, np.minimum(labeled + 4, 11), None), pool, 3
    )
    assert chosen[-1] == 0


def test_diversity_is_what_modal_returns_as_metric(learner_for, ids):
    learner = learner_for(alden_diversity)
    indices, asked, diversity = learner.query(ids, n_instances=2, return_metrics=True)
    assert indices.shape == (2,)
    np.testing.assert_array_equal(asked, ids[indices])
    assert diversity[0] >= diversity[1] > 0
