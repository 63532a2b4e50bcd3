"""Whole words of several pieces, in numbers and as they are written."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from modAL.models import ActiveLearner
from sklearn.pipeline import make_pipeline

from modal_interp import TokenEncoder, TransformerClassifier, explain_query, strategies
from tests import reference_pieces as literal
from tests.explanations.test_numbers import as_ids, asked, check_alden
from tests.strategies.test_pieces import TARGETS, problems
from tests.thoroughness import examples


def explained(name, problem, **options):
    options |= problem.said
    indices, metrics = asked(name, problem, **options)
    strategy = getattr(strategies, name)
    found = explain_query(problem.learner, problem.pool, indices, strategy, **options)
    assert found.checked
    assert found.metrics.tolist() == metrics.tolist()
    return found


@settings(max_examples=examples(200), deadline=None)
@given(problems(), *TARGETS)
def test_alden_diversity(problem, target, classes):
    found = explained("alden_diversity", problem, target=target, classes=classes)
    pool, labeled = (
        [literal.alden_text(problem.nets, x, problem.counts, target, classes) for x in X]
        for X in (problem.pool, problem.labeled)
    )
    rows = literal.stand_in_rows(problem.nets, [*pool, *labeled])
    sources = [("labelled", m) for m in range(len(labeled))]
    for one in found:
        words = pool[one.index]
        assert list(one.words.ids) == [as_ids(word) for word, _ in words]
        check_alden(one, words, labeled, sources, rows)
        labeled.append(words)
        sources.append(("batch", one.index))


@pytest.mark.parametrize(
    "name", ["dami_kmedoids", "egl_word", "margin", "coreset", "bald", "badge"]
)
@settings(max_examples=examples(40), deadline=None)
@given(problems(), st.booleans())
def test_words_are_whole(name, problem, reverse):
    options = {"reverse": reverse} if name == "egl_word" else {}
    if name in ("dami_kmedoids", "badge", "bald"):
        options["random_state"] = 3
    said = problem.said
    if name in ("margin", "bald"):  # which take none of it
        problem = problem._replace(said={})
    for one in explained(name, problem, **options):
        if name == "egl_word" and one.words.ids and len(problem.nets) == 1:
            decided = one.words.scores[one.words.decided]
            np.testing.assert_allclose(decided, one.metric, rtol=1e-4, atol=1e-7)
        if problem.said or not any(value is not None for value in said.values()):
            x = problem.pool[one.index]
            words = literal.words_of(x, **problem.counts)
            expected = [as_ids(literal.key_of(x, places)) for places in words]
            assert list(one.words.ids) == expected


TEXTS = ["a finely casting film", "badly zyzzyva ,", "the bad plot", "", "good fine films"] * 2


def test_words_are_written_whole():
    pytest.importorskip("transformers", reason="needs the extra [transformers]")
    from tests.tiny_encoders import LABELS, bert_folder
    from tests.tiny_encoders import TEXTS as KNOWN

    encoder = TokenEncoder(bert_folder())
    net = TransformerClassifier(bert_folder(), trainable="head", max_epochs=1, random_state=0)
    learner = ActiveLearner(make_pipeline(encoder, net), strategies.alden_diversity, KNOWN, LABELS)
    indices = learner.query(TEXTS[:5], n_instances=5)[0]
    found = {one.index: one for one in explain_query(learner, TEXTS[:5], indices)}
    assert found[0].words.names == ("a", "finely", "casting", "film")
    assert found[1].words.names == ("badly", "zyzzyva", ",")
    assert found[1].words.known.tolist() == [True, False, True]
    assert found[2].words.names == ("the", "bad", "plot")
    assert found[3].words.names == ()
    assert found[4].words.names == ("good", "fine", "films")
    for index in (0, 1, 2, 4):
        words, text = found[index].words, TEXTS[index]
        assert tuple(text[start:end] for start, end in words.spans) == words.names
        other = found[index].counterpart
        assert other.sample[slice(*other.span)] == other.name


@pytest.mark.parametrize("name", strategies.__all__)
@pytest.mark.parametrize("module", ["Masked", "whole"])
def test_models_of_transformers_that_take_arrays_by_name(name, module):
    pytest.importorskip("transformers", reason="needs the extra [transformers]")
    from tests.strategies import test_named_inputs as by_name

    strategy = getattr(strategies, name)
    kind = by_name.Logits if module == "whole" else by_name.NeuralNetClassifier
    net = by_name.net_of(getattr(by_name, module), kind)
    pool, options = by_name.tokens(), by_name.options_of(strategy)
    learner = by_name.learner_of(net, strategy, by_name.tokens(6, seed=1), np.arange(6) % 2)
    indices = learner.query(pool, n_instances=5, **options)[0]
    for one in explain_query(learner, pool, indices, **options):
        assert one.sample["input_ids"].tolist() == pool["input_ids"][one.index].tolist()
        assert len(one.words.names) == len(one.words.ids) > 0
        if name == "bald":
            of_mean, mean = (number.value for number in one.numbers)
            np.testing.assert_allclose(one.metric, of_mean - mean, atol=1e-6)
        if name == "egl":
            np.testing.assert_allclose(one.shares[0].values.sum(), one.metric, rtol=1e-3)


@pytest.mark.parametrize("make", ["word_pieces", "byte_pairs", "sentence_pieces"])
def test_where_words_of_any_tokenizer_lie(make):
    pytest.importorskip("transformers", reason="needs the extra [transformers]")
    from tests import tiny_encoders

    encoder = TokenEncoder(tokenizer=getattr(tiny_encoders, make)())
    text = "a finely film zz films"
    spans, none = encoder.word_spans([text, ""])
    assert [text[start:end] for start, end in spans] == text.split()
    assert none == []
    (cut,) = TokenEncoder(tokenizer=encoder.tokenizer, max_length=4).word_spans([text])
    assert 0 < len(cut) < len(spans)
