"""What is said of a query is what the query decided by, against literal references."""

import math
from unittest import mock

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from modal_interp import explain_query, strategies
from tests import reference
from tests import reference_strategies as literal
from tests.strategies.test_against_references import posterior, problems
from tests.thoroughness import examples

SEED = {"random_state": 3}
TEXT_ONLY = {"alden_diversity", "egl_word"}
OPTIONS = {
    "alden_diversity": {
        "target": st.sampled_from(["proba", "logit"]),
        "classes": st.sampled_from(["all", "predicted"]),
    },
    "badge": {},
    "bald": {"reverse": st.booleans(), "n_passes": st.integers(1, 3)},
    "batch_bald": {"n_passes": st.integers(1, 3)},
    "coreset": {},
    "dami_kmedoids": {
        "target": st.sampled_from(["proba", "logit"]),
        "classes": st.sampled_from(["all", "predicted"]),
    },
    "egl": {"reverse": st.booleans()},
    "egl_word": {"reverse": st.booleans()},
    "random_sampling": {},
}
for uncertain in ("least_confidence", "margin", "entropy"):
    OPTIONS[uncertain] = {
        "reverse": st.booleans(),
        "n_passes": st.sampled_from([None, None, 1, 3]),
    }


def asked(name, problem, **options):
    """The answer of a query, as every modAL would have it."""
    with mock.patch("modal_interp.queries.query.query_result", lambda _, *result: result):
        return getattr(strategies, name)(problem.learner, problem.pool, problem.k, **options)


@st.composite
def explained(draw, name):
    kinds = ("text",) if name in TEXT_ONLY else ("text", "table")
    problem = draw(problems(kinds=kinds, committees=(1, 1, 2), most=8))
    options = {key: draw(values) for key, values in OPTIONS[name].items()} | SEED
    if len(problem.nets) > 1 and name in ("bald", "batch_bald"):
        options.pop("n_passes")
    indices, metrics = asked(name, problem, **options)
    strategy = getattr(strategies, name)
    found = explain_query(problem.learner, problem.pool, indices, strategy, **options)
    assert found.strategy == name
    assert found.options == options
    assert found.checked
    assert found.indices.tolist() == indices.tolist()
    assert found.metrics.tolist() == metrics.tolist()  # to the last bit
    assert [one.place for one in found] == list(range(len(indices)))
    return problem, options, found


@pytest.mark.parametrize("name", OPTIONS)
@settings(max_examples=examples(200), deadline=None)
@given(st.data())
def test_numbers_are_those_of_the_query(name, data):
    problem, options, found = data.draw(explained(name))
    for one in found:
        assert "{" not in one.sentence
        check_predictions(problem, options, one)
    globals().get(f"check_{name}", check_nothing)(problem, options, found)


def check_nothing(problem, options, found):
    pass


def check_predictions(problem, options, one):
    p = one.proba
    assert p.several == problem.several
    assert len(p.classes) == len(p.mean) == p.by.shape[1]
    np.testing.assert_allclose(p.mean, p.by.mean(axis=0))
    np.testing.assert_allclose(p.spread, p.by.std(axis=0))
    if p.of in ("net", "members"):
        x = problem.pool[one.index]
        by = [literal.numbers(net.probabilities(x)) for net in problem.nets]
        np.testing.assert_allclose(p.by, by, atol=1e-5)
    if problem.pool.dtype.kind == "i":
        assert one.features is None
        assert [ids for (ids,) in one.words.ids] == [w for w in problem.pool[one.index] if w != 0]
        n_outputs = one.words.contributions.shape[1]
        assert n_outputs == len(one.words.outputs)
    else:
        assert one.words is None
        assert one.features.contributions.shape == (4, len(one.features.outputs))


def check_alden_diversity(problem, options, found):
    target, classes = options["target"], options["classes"]
    pool, labeled = (
        literal.alden_words(problem.nets, X, target, classes)
        for X in (problem.pool, problem.labeled)
    )
    rows = literal.embeddings_side_by_side(problem.nets)
    sources = [("labelled", m) for m in range(len(labeled))]
    for one in found:
        words = pool[one.index]
        check_alden(one, words, labeled, sources, rows)
        labeled.append(words)
        sources.append(("batch", one.index))


def check_alden(one, words, labeled, sources, rows):
    """Of each word the nearest labelled occurrence, by loops over all of them."""
    if not words:
        assert one.metric == -math.inf
        assert one.counterpart is None
        return
    np.testing.assert_allclose(one.words.contributions, [v for _, v in words], atol=1e-5)
    for (word, value), score in zip(words, one.words.scores, strict=True):
        expected = reference.word_diversity(labeled, word, value, rows)
        np.testing.assert_allclose(score, expected, atol=1e-5)
    assert one.metric == one.words.scores.max() == one.words.scores[one.words.decided]
    other = one.counterpart
    if other is None:
        assert one.metric == math.inf
        return
    assert other.distance == one.metric
    word, value = words[one.words.decided]
    stand_in = reference.neighbour(labeled, word, rows)
    assert other.ids == as_ids(stand_in)
    assert other.stands_in == (stand_in != word)
    np.testing.assert_allclose(other.gap, reference.norm(rows[word], rows[stand_in]), atol=1e-5)
    m = sources.index((other.source, other.index))
    assert labeled[m][other.position][0] == stand_in
    np.testing.assert_allclose(other.contributions, labeled[m][other.position][1], atol=1e-5)
    of_same = [v for text in labeled for w, v in text if w == stand_in]
    nearest = min(reference.norm(value, v) for v in of_same)
    np.testing.assert_allclose(other.distance, nearest, atol=1e-5)


def as_ids(word):
    """The pieces of a word as references know it: by its id, or by whether it has several."""
    return word[1] if isinstance(word, tuple) else (word,)


def check_dami_kmedoids(problem, options, found):
    target, classes = options["target"], options["classes"]
    texts = problem.pool.dtype.kind == "i"
    represent = literal.dami_of_texts if texts else literal.dami_of_a_table
    Z = literal.side_by_side(
        [represent(net, problem.pool, target, classes) for net in problem.nets]
    )
    medoids = [one.index for one in found if Z[one.index] is not None]
    for one in found:
        if Z[one.index] is None:
            assert (one.metric, one.neighbours) == (1.0, ())
            continue
        (near,) = one.neighbours
        assert near.n_all + 1 == one.metric
        expected = [reference.norm(Z[one.index], Z[i]) for i in near.indices]
        np.testing.assert_allclose(near.distances, expected, atol=1e-5)
        assert (np.diff(near.distances) >= 0).all()
        assert len(near.indices) == min(near.n_all, 10)
        for i, distance in zip(near.indices, near.distances, strict=True):
            assert distance <= min(reference.norm(Z[m], Z[i]) for m in medoids) + 1e-5
        if texts:
            check_telling_words(problem, target, classes, one)


def check_telling_words(problem, target, classes, one):
    """Each net decides by the word that is farthest from the mean over the pool."""
    n_words = len(one.words.ids)
    squared = np.zeros(n_words)
    for net, decided in zip(problem.nets, one.words.decided_by, strict=True):
        vectors = [literal.interpretations_of_words(net, x, target, classes) for x in problem.pool]
        means = [np.mean(words, axis=0) for words in vectors if words]
        own = np.array(vectors[one.index]) - np.mean(means, axis=0)
        far = np.sqrt((own**2).sum(axis=1))
        assert far[decided] >= far.max() - 1e-5
        squared += far**2
    np.testing.assert_allclose(one.words.scores, np.sqrt(squared), atol=1e-5)


def check_egl(problem, options, found):
    for one in found:
        (by_layer,) = one.shares
        np.testing.assert_allclose(by_layer.values.sum(), one.metric, rtol=1e-4, atol=1e-7)
        assert (by_layer.values >= 0).all()
        named = {name for net in problem.nets for name, _ in net.module.named_modules()}
        assert set(by_layer.names) <= named


def check_egl_word(problem, options, found):
    for one in found:
        if not one.words.ids:
            assert one.metric == 0.0
            continue
        (by_class,) = one.shares
        assert by_class.names == one.proba.classes
        decided = one.words.scores[one.words.decided]
        np.testing.assert_allclose(by_class.values.sum(), decided)
        if len(problem.nets) == 1:
            np.testing.assert_allclose(decided, one.metric, rtol=1e-4, atol=1e-7)
            assert decided == one.words.scores.max()


def check_uncertainty(problem, options, found):
    measure, n_passes = getattr(literal, found.strategy), options["n_passes"]
    for one in found:
        n_members = len(problem.nets)
        by = one.proba.by if n_passes is None else one.proba.by.reshape(n_members, n_passes, -1)
        means = by if n_passes is None else by.mean(axis=1)
        of_each = [
            literal.mean([measure(q) for q in literal.labels_of(net, p)])
            for net, p in zip(problem.nets, means, strict=True)
        ]
        np.testing.assert_allclose(one.metric, literal.mean(of_each), atol=1e-6)


check_least_confidence = check_margin = check_entropy = check_uncertainty


def check_bald(problem, options, found):
    passes = posterior(problem._replace(seed=3), options.get("n_passes", 1))
    for one in found:
        np.testing.assert_allclose(one.proba.by, passes[one.index], atol=1e-5)
        told = literal.disagreement(problem.nets[0], one.proba.by.tolist())
        np.testing.assert_allclose(one.metric, told, atol=1e-6)
        of_mean, mean = (number.value for number in one.numbers)
        # Passes over those chosen alone: equal to the rounding of single precision.
        np.testing.assert_allclose(one.metric, of_mean - mean, atol=1e-7)


def check_batch_bald(problem, options, found):
    passes = posterior(problem._replace(seed=3), options.get("n_passes", 1))
    told = 0.0
    for one in found:
        np.testing.assert_allclose(one.proba.by, passes[one.index], atol=1e-5)
        alone = literal.disagreement(problem.nets[0], passes[one.index])
        np.testing.assert_allclose(one.numbers[0].value, alone, atol=1e-5)
        (shares,) = one.shares
        told += shares.values[0]
        np.testing.assert_allclose(told, one.metric)
        np.testing.assert_allclose(shares.values.sum(), alone, atol=1e-5)


def check_coreset(problem, options, found):
    pool, labeled = (
        literal.side_by_side([[net.features(x) for x in X] for net in problem.nets])
        for X in (problem.pool, problem.labeled)
    )
    check_neighbours(found, pool, labeled)
    for one in found:
        assert one.metric == min(near.distances[0] for near in one.neighbours)


def check_badge(problem, options, found):
    pool, labeled = (
        literal.side_by_side(
            [[literal.gradient_embedding(net, x) for x in X] for net in problem.nets]
        )
        for X in (problem.pool, problem.labeled)
    )
    check_neighbours(found, pool, labeled)


def check_neighbours(found, pool, labeled):
    """The nearest five of the labelled samples, and of those chosen before."""
    before = []
    for one in found:
        parts = {near.relation: near for near in one.neighbours}
        assert set(parts) == {"nearest labelled", *(["nearest chosen"] if before else [])}
        for relation, known, rows in (
            ("nearest labelled", labeled, range(len(labeled))),
            ("nearest chosen", pool, before),
        ):
            if not rows:
                continue
            near = parts[relation]
            apart = sorted(reference.norm(pool[one.index], known[i]) for i in rows)
            assert near.n_all == len(rows)
            np.testing.assert_allclose(near.distances, apart[:5], atol=1e-5)
            own = [reference.norm(pool[one.index], known[i]) for i in near.indices]
            np.testing.assert_allclose(near.distances, own, atol=1e-5)
        before.append(one.index)


def check_random_sampling(problem, options, found):
    assert found.metrics.tolist() == [problem.k / len(problem.pool)] * problem.k
