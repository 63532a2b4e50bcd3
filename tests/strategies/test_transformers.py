"""On transformers, with marks and pieces of words, every strategy chooses what its loops choose."""

from unittest import mock

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from modAL.models import ActiveLearner

from modal_interp import DeepEnsemble, TransformerClassifier, strategies
from tests import reference_strategies as reference
from tests.strategies import test_against_references as plain
from tests.strategies import test_pieces as pieces
from tests.strategies.test_against_references import committee_of, member
from tests.tiny_encoders import MARKS, N_IDS, PIECES, bert_config, word_pieces

PADDING, UNKNOWN, CLS, SEP, MASK = range(len(MARKS))
FIRST_PIECE = N_IDS - len(PIECES)
BEGINS = np.arange(N_IDS) < FIRST_PIECE
COUNTS = {"padding": PADDING, "no_words": (PADDING, CLS, SEP, MASK), "begins_word": BEGINS}


def texts(n, seed):
    """Ids between marks: unknown words, pieces behind nothing, an empty text and a double."""
    rng = np.random.default_rng(seed)
    ids = np.zeros((n, 8), dtype=np.int64)
    ids[:, 0] = CLS
    for row in ids:
        words = rng.choice([UNKNOWN, *range(len(MARKS), N_IDS)], rng.integers(0, 7))
        row[1 : len(words) + 1], row[len(words) + 1] = words, SEP
    if n > 2:
        ids[1, 1:], ids[2] = [SEP, *[PADDING] * 6], ids[0]
    return ids


def fitted(trainable, n_outputs, several, seed):
    """A net after one step, of weights so large that rounding decides nothing."""
    config = bert_config(initializer_range=0.5, num_hidden_layers=1)
    X, rng = texts(8, seed), np.random.default_rng(seed)
    y = rng.integers(0, 2, (8, n_outputs)) if several else np.arange(8) % n_outputs
    net = TransformerClassifier(
        config,
        tokenizer=word_pieces(),
        trainable=trainable,
        classes=list(range(n_outputs)),
        module__dropout=0.3,
        max_epochs=1,
        random_state=seed,
    )
    return net.fit(X, y)


def literal_of(net, several):
    found = reference.Literal.of(net, several)
    found.module.store = None  # features in double precision, made anew for each gradient
    return found


@st.composite
def problems(draw, most=6):
    seed = draw(st.integers(0, 2**31 - 1))
    several, n_outputs = draw(st.booleans()), draw(st.sampled_from([2, 3, 7]))
    trainable = draw(st.sampled_from(["head", "all"]))
    n_nets = draw(st.sampled_from([1, 1, 2]))
    nets = [fitted(trainable, n_outputs, several, (seed + i) % 2**31) for i in range(n_nets)]
    n = draw(st.integers(1, most))
    pool, labeled = texts(n, seed), texts(4, seed + 1)
    members = [member(net, labeled) for net in nets]
    fields = {
        "learner": members[0] if n_nets == 1 else committee_of(members),
        "nets": [literal_of(net, several) for net in nets],
        "pool": pool,
        "labeled": labeled,
        "k": draw(st.integers(1, n)),
        "seed": seed,
    }
    whole = draw(st.booleans())
    counts = {**COUNTS, "begins_word": BEGINS if whole else None}
    said = {} if whole else {"words": "pieces"}
    return plain.Problem(**fields, several=several), pieces.Problem(
        **fields, counts=counts, said=said
    )


EXPLAINED = [("proba", "all"), ("logit", "all"), ("proba", "predicted")]


@pytest.mark.parametrize("name", ["alden_diversity", "dami_kmedoids"])
@settings(max_examples=12, deadline=None)
@given(problems(), st.sampled_from(EXPLAINED))
def test_strategies_that_explain_words(name, problem, explained):
    literal = getattr(pieces, f"test_{name}").hypothesis.inner_test
    literal(problem[1], *explained)


@settings(max_examples=12, deadline=None)
@given(problems(), st.booleans())
def test_egl_word(problem, reverse):
    pieces.test_egl_word.hypothesis.inner_test(problem[1], reverse)


@pytest.mark.parametrize("name", ["least_confidence", "margin", "entropy"])
@settings(max_examples=6, deadline=None)
@given(problems(), st.booleans(), st.sampled_from([None, 2]))
def test_uncertainty(name, problem, reverse, n_passes):
    plain.test_uncertainty.hypothesis.inner_test(name, problem[0], reverse, n_passes)


@pytest.mark.parametrize(
    ("name", "options"),
    [
        ("bald", (False, 3)),
        ("batch_bald", (2,)),
        ("egl", (False,)),
        ("badge", ()),
        ("coreset", ()),
    ],
)
@settings(max_examples=8, deadline=None)
@given(problems(most=4))
def test_strategies_of_whole_samples(name, options, problem):
    getattr(plain, f"test_{name}").hypothesis.inner_test(problem[0], *options)


@pytest.mark.parametrize("name", ["alden_diversity", "dami_kmedoids", "egl_word", "bald", "badge"])
def test_an_ensemble_asks_as_a_committee(name):
    X, y = texts(12, 0), np.arange(12) % 3
    net = TransformerClassifier(
        bert_config(initializer_range=0.5), tokenizer=word_pieces(), max_epochs=2
    )
    ensemble = DeepEnsemble(net, n_members=2, random_state=0)
    learner = ActiveLearner(ensemble, getattr(strategies, name), X[:6], y[:6])
    committee = committee_of([member(part, X[:6]) for part in ensemble.estimators_])
    # As every modAL would, whether or not it takes metrics.
    with mock.patch("modal_interp.queries.query.query_result", lambda _, *result: result):
        (rows, metrics), (by_committee, its_metrics) = (
            getattr(strategies, name)(asking, X[6:], 3, **_seeded(name))
            for asking in (learner, committee)
        )
    assert rows.tolist() == by_committee.tolist()
    assert np.array_equal(metrics, its_metrics)


def _seeded(name):
    return {} if name in ("alden_diversity", "egl_word") else {"random_state": 0}
