"""Nets of Hugging Face's transformers, as users wrap them: arrays and outputs by name."""

import numpy as np
import pytest
import torch
from modAL.models import ActiveLearner, Committee
from skorch import NeuralNetClassifier
from torch import nn

from modal_interp import (
    alden_diversity,
    badge,
    bald,
    batch_bald,
    coreset,
    dami_kmedoids,
    egl,
    egl_word,
    entropy,
    exclude_duplicates,
    least_confidence,
    margin,
    most_uncertain,
    random_sampling,
    word_interpretations,
)
from tests.small_nets import initialized
from tests.strategies.conftest import learner_of

transformers = pytest.importorskip("transformers")

SPECIAL = [0, 2, 3]
BEGINS = np.arange(30) % 3 != 0
# What a query says of a module that says nothing.
COUNTS = {"no_words": SPECIAL, "begins_word": BEGINS}
WORDS = [alden_diversity, dami_kmedoids, egl_word]
OTHERS = [badge, bald, batch_bald, coreset, egl, entropy, least_confidence, margin, random_sampling]


def tiny(n_labels=2):
    return transformers.BertConfig(
        vocab_size=30,
        hidden_size=8,
        num_hidden_layers=2,
        num_attention_heads=2,
        intermediate_size=12,
        max_position_embeddings=16,
        num_labels=n_labels,
    )


class Masked(nn.Module):
    """Takes what a tokenizer gives, by name."""

    def __init__(self, n_labels=2):
        super().__init__()
        self.bert = transformers.BertModel(tiny(), add_pooling_layer=False)
        self.drop, self.decide = nn.Dropout(0.3), nn.Linear(8, n_labels)

    def forward(self, input_ids, attention_mask):
        read = self.bert(input_ids=input_ids, attention_mask=attention_mask)
        return self.decide(self.drop(read.last_hidden_state[:, 0]))


class FromIds(Masked):
    """Makes the mask itself."""

    def forward(self, input_ids):
        return super().forward(input_ids, (input_ids != 0).long())


class ByName(Masked):
    """Gives its outputs by name."""

    def forward(self, input_ids, attention_mask):
        return {"states": torch.ones(3), "logits": super().forward(input_ids, attention_mask)}


def whole(n_labels=2):
    """The model of transformers itself, which returns a ModelOutput."""
    return transformers.BertForSequenceClassification(tiny(n_labels))


class Logits(NeuralNetClassifier):
    """What skorch needs for a module that gives its outputs by name."""

    def evaluation_step(self, batch, training=False):
        return super().evaluation_step(batch, training)["logits"]

    def get_loss(self, y_pred, y_true, *args, **kwargs):
        return super().get_loss(y_pred["logits"], y_true, *args, **kwargs)


def net_of(module, kind=NeuralNetClassifier):
    params = {"classes": [0, 1], "criterion": nn.CrossEntropyLoss, "train_split": None}
    net = kind(module, verbose=0, **params).initialize()
    torch.manual_seed(3)
    for parameter in net.module_.parameters():
        nn.init.normal_(parameter, std=0.4)
    return net


def tokens(n=24, seed=0, width=10):
    """What a tokenizer gives: [CLS], words of one or more pieces, [SEP], padding; with doubles."""
    rng = np.random.default_rng(seed)
    ids = rng.integers(4, 30, (n, width))
    lengths = rng.integers(2, width + 1, n)
    ids[:, 0], ids[np.arange(n), lengths - 1] = 2, 3
    ids[np.arange(width) >= lengths[:, None]] = 0
    if n > 4:
        ids[4] = ids[1]
    return {"input_ids": ids, "attention_mask": (ids != 0).astype(np.int64)}


def options_of(strategy):
    options = {"random_state": 0}
    return {**options, **COUNTS} if strategy in WORDS else options


@pytest.mark.parametrize("strategy", [*WORDS, *OTHERS], ids=lambda strategy: strategy.__name__)
@pytest.mark.parametrize("module", [Masked, ByName])
def test_a_dict_of_arrays_is_read_as_the_ids_alone(strategy, module):
    pool, labeled = tokens(), tokens(6, seed=1)
    by_name = learner_of(net_of(module), strategy, labeled, None)
    plain = learner_of(net_of(FromIds), strategy, labeled["input_ids"], None)
    found, asked = by_name.query(pool, n_instances=5, **options_of(strategy))
    expected, ids = plain.query(pool["input_ids"], n_instances=5, **options_of(strategy))
    assert found.tolist() == expected.tolist()
    np.testing.assert_array_equal(asked["input_ids"], ids)
    np.testing.assert_array_equal(asked["attention_mask"], pool["attention_mask"][found])


@pytest.mark.parametrize("strategy", [*WORDS, *OTHERS], ids=lambda strategy: strategy.__name__)
def test_a_model_of_transformers_as_it_stands(strategy):
    net, pool = net_of(whole, Logits), tokens()
    learner = learner_of(net, strategy, tokens(6, seed=1), None)
    found = learner.query(pool, n_instances=5, **options_of(strategy))[0]
    assert len(set(found.tolist())) == 5


def test_what_a_model_of_transformers_predicts():
    net, pool = net_of(whole, Logits), tokens()
    learner = learner_of(net, least_confidence, pool, None)
    rows, _, scores = learner.query(pool, n_instances=24, return_metrics=True)
    np.testing.assert_allclose(scores, 1 - net.predict_proba(pool).max(axis=1)[rows], atol=1e-6)


@pytest.mark.parametrize("words", ["whole", "pieces"])
def test_interpretations_of_words_are_those_of_their_pieces_added_up(words):
    net, pool = net_of(Masked), tokens(8)
    found = word_interpretations(net, pool, words=words, **COUNTS)
    layer = net.module_.bert.embeddings.word_embeddings
    for i in range(8):
        x = {key: torch.from_numpy(part[i : i + 1]) for key, part in pool.items()}
        seen = []

        def cut(_, args, output, seen=seen):
            seen.append(output.detach().requires_grad_())
            return seen[0]

        handle = layer.register_forward_hook(cut)
        net.module_.eval()
        p = net.module_(**x).softmax(dim=1)[0, 1]
        handle.remove()
        p.backward()
        of_pieces = (seen[0].grad * seen[0]).sum(dim=2)[0].tolist()
        expected, in_a_word = [], False
        for piece, value in zip(pool["input_ids"][i].tolist(), of_pieces, strict=True):
            if piece in SPECIAL:
                in_a_word = False
            elif in_a_word and not BEGINS[piece] and words == "whole":
                expected[-1][0].append(piece)
                expected[-1][1] += value
            else:
                expected.append([[piece], value])
                in_a_word = True
        here = slice(found.offsets[i], found.offsets[i + 1])
        assert [found.pieces_of(w).tolist() for w in found.words[here]] == [e[0] for e in expected]
        np.testing.assert_allclose(found.values[here, 0], [e[1] for e in expected], atol=1e-5)


def test_a_loop_of_modal_over_dicts_of_arrays():
    start, pool = tokens(10, seed=1), tokens(30)
    params = {"classes": [0, 1], "criterion": nn.CrossEntropyLoss, "train_split": None}

    def made(strategy):
        net = NeuralNetClassifier(Masked, max_epochs=1, verbose=0, **params)
        return ActiveLearner(net, strategy, start, np.arange(10) % 2)

    learner, committee = made(alden_diversity), Committee([made(bald), made(bald)], bald)
    for taught in (learner, committee):
        options = COUNTS if taught is learner else {}
        for candidates in (None, 12, most_uncertain):
            asked = taught.query(pool, n_instances=3, candidates=candidates, **options)[1]
            taught.teach(asked, np.arange(3) % 2)
    assert learner.predict(pool).shape == (30,)
    assert learner.X_training["input_ids"].shape == (19, 10)
    learner.teach(asked, np.arange(3) % 2, bootstrap=True)
    assert len(committee.learner_list[0].X_training["attention_mask"]) == 19


@pytest.mark.parametrize("strategy", WORDS, ids=lambda strategy: strategy.__name__)
def test_a_committee_over_dicts_of_arrays(strategy, committee_for):
    pool, labeled = tokens(), tokens(6, seed=1)
    nets = [net_of(Masked), net_of(Masked)]
    for again in (labeled, {key: part.copy() for key, part in labeled.items()}):
        committee = committee_for(strategy, nets)
        for member, X in zip(committee.learner_list, (labeled, again), strict=True):
            member.X_training = X
        rows = committee.query(pool, n_instances=4, **options_of(strategy))[0]
        single = learner_of(nets[0], strategy, labeled, None)
        alone = single.query(pool, n_instances=4, **options_of(strategy))[0]
        if strategy is not dami_kmedoids:  # of two alike
            assert rows.tolist() == alone.tolist()


def test_a_committee_predicts_of_dicts_of_arrays():
    pool, y = tokens(), np.arange(24) % 2
    nets = [net_of(Masked), net_of(Masked)]
    for p in nets[1].module_.parameters():
        p.data.neg_()
    learners = [ActiveLearner(net) for net in nets]
    for learner in learners:
        learner.estimator.classes_inferred_ = np.array([0, 1])
    committee = Committee(learners, margin)
    expected = np.stack([net.predict_proba(pool) for net in nets], axis=1)
    np.testing.assert_array_equal(committee.vote_proba(pool), expected)
    np.testing.assert_array_equal(committee.vote(pool), expected.argmax(axis=2))
    np.testing.assert_allclose(committee.predict_proba(pool), expected.mean(axis=1))
    assert committee.score(pool, y) == np.mean(committee.predict(pool) == y)


def test_equal_samples_of_a_dict_are_explained_once():
    pool = tokens()
    found = word_interpretations(net_of(Masked), pool, **COUNTS)
    one, other = (found.samples(np.array([row])) for row in (1, 4))
    np.testing.assert_array_equal(one.values, other.values)
    pool["attention_mask"][4, 1] = 0
    found = word_interpretations(net_of(Masked), pool, **COUNTS)
    one, other = (found.samples(np.array([row])) for row in (1, 4))
    assert (one.values != other.values).any()


BAD = {
    "no array": (
        {"input_ids": [[1, 2]]},
        TypeError,
        r"a dict must hold arrays.*found a list.*'np'",
    ),
    "nothing": ({}, TypeError, r"X_pool as a dict must hold arrays.*found none"),
    "a number": ({"input_ids": np.array(3)}, TypeError, r"as a dict must hold arrays"),
    "rows": (
        {"input_ids": np.ones((3, 4), int), "attention_mask": np.ones((2, 4), int)},
        ValueError,
        r"equally many rows; found \{'input_ids': 3, 'attention_mask': 2\}",
    ),
    "other ids": (
        {"input_ids": np.full((3, 4), 30), "attention_mask": np.ones((3, 4), int)},
        ValueError,
        r"X_pool\['input_ids'\] must hold word ids from 0 to 29.*found 30",
    ),
    "no ids": (
        {"input_ids": np.ones((3, 4)), "attention_mask": np.ones((3, 4), int)},
        TypeError,
        r"X_pool\['input_ids'\] must hold integer word ids; found dtype float64",
    ),
    "what a tokenizer gives": (
        transformers.BatchEncoding(tokens(3)),
        TypeError,
        r"found a BatchEncoding. Of what a tokenizer gives make a dict",
    ),
}


@pytest.mark.parametrize(
    "strategy", [alden_diversity, margin], ids=lambda strategy: strategy.__name__
)
@pytest.mark.parametrize("case", BAD)
def test_bad_dicts_are_refused_before_any_pass(strategy, case):
    pool, error, message = BAD[case]
    learner = learner_of(net_of(Masked), strategy, tokens(6), None)
    learner.estimator.infer = None
    with pytest.raises(error, match=message):
        learner.query(pool, n_instances=1)


def test_arrays_of_other_names_or_widths_are_not_taught():
    start = tokens(10, seed=1)
    net = initialized(Masked, classes=[0, 1], criterion=nn.CrossEntropyLoss, max_epochs=1)
    learner = ActiveLearner(net, margin, start, np.arange(10) % 2)
    for wrong in (tokens(3, width=8), {"input_ids": tokens(3)["input_ids"]}):
        with pytest.raises(ValueError, match=r"dimensions|arrays that the learner was taught"):
            learner.teach(wrong, np.array([0, 1, 0]))
    assert len(learner.X_training["input_ids"]) == 10


def test_duplicates_of_dicts_are_refused_with_the_reason():
    learner = learner_of(net_of(Masked), margin, tokens(6), None)
    with pytest.raises(
        TypeError, match=r"must reach the net as arrays to be compared; found a dict"
    ):
        learner.query(tokens(), candidates=exclude_duplicates)


def test_outputs_by_name_must_hold_logits():
    class Nameless(Masked):
        def forward(self, input_ids, attention_mask):
            return {"scores": super().forward(input_ids, attention_mask)}

    learner = learner_of(net_of(Nameless), margin, tokens(6), None)
    with pytest.raises(
        ValueError, match=r"must call what it predicts from 'logits'; found \['scores'\]"
    ):
        learner.query(tokens())
