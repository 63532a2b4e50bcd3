import importlib
import tracemalloc

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn import config_context

from modal_interp.selectors import diverse_words
from modal_interp.selectors.nearest import nearest_rows, nearest_with_key
from tests import reference
from tests.thoroughness import examples

# The package's names of these are the functions.
diverse_words_module = importlib.import_module("modal_interp.selectors.diverse_words")
nearest_module = importlib.import_module("modal_interp.selectors.nearest")


def flat(texts, n_components):
    """Lists of (word, interpretation) as (words, values, offsets)."""
    words = np.array([w for text in texts for w, _ in text], dtype=np.int64)
    values = np.array([v for text in texts for _, v in text], dtype=np.float32)
    offsets = np.concatenate([[0], np.cumsum([len(text) for text in texts])]).astype(np.int64)
    return words, values.reshape(-1, n_components), offsets


@st.composite
def problems(draw):
    """Small problems with ties everywhere, and fine ones without.

    Word 1 is the unknown word; many words never stand in a labelled text; texts may be empty,
    repeat a word, or stand in the pool twice.
    """
    n_components = draw(st.sampled_from([1, 1, 2, 3, 5]))
    n_words = draw(st.integers(2, 9))
    seed = draw(st.integers(0, 2**31))
    coarse = draw(st.booleans())
    rng = np.random.default_rng(seed)

    def numbers(shape):
        if coarse:
            return rng.integers(-2, 3, shape) / 2
        return rng.normal(size=shape).astype(np.float32).astype(np.float64)

    def text():
        words = rng.integers(1, n_words, rng.integers(0, 6))
        return [(int(w), tuple(numbers(n_components))) for w in words]

    pool = [text() for _ in range(draw(st.integers(1, 14)))]
    for i in range(1, len(pool)):
        if rng.random() < 0.2:
            pool[i] = pool[rng.integers(0, i)]
    labeled = [text() for _ in range(draw(st.integers(0, 6)))]
    embeddings = numbers((n_words, draw(st.integers(1, 4))))
    n = draw(st.integers(1, len(pool)))
    return pool, labeled, embeddings, n_components, n


@settings(max_examples=examples(400), deadline=None)
@given(problems())
def test_equals_the_literal_algorithm(problem):
    pool, labeled, embeddings, n_components, n = problem
    chosen, diversity = diverse_words(
        flat(pool, n_components), flat(labeled, n_components), embeddings, n
    )
    expected, metrics = reference.alden(pool, labeled, embeddings, n)
    assert chosen.tolist() == expected
    np.testing.assert_allclose(diversity, metrics, rtol=1e-12)


@pytest.mark.parametrize("n_components", [1, 4])
def test_equals_the_literal_algorithm_on_long_tailed_texts(n_components):
    rng = np.random.default_rng(n_components)

    def texts(n):
        drawn = [np.minimum(rng.zipf(1.4, rng.integers(0, 12)), 199) for _ in range(n)]
        return [[(int(w), tuple(rng.normal(size=n_components))) for w in words] for words in drawn]

    pool, labeled = texts(60), texts(10)
    pool = [[(w, tuple(np.float32(v).tolist() for v in i)) for w, i in t] for t in pool]
    labeled = [[(w, tuple(np.float32(v).tolist() for v in i)) for w, i in t] for t in labeled]
    embeddings = rng.normal(size=(200, 8)).astype(np.float32)
    chosen, diversity = diverse_words(
        flat(pool, n_components), flat(labeled, n_components), embeddings, len(pool)
    )
    expected, metrics = reference.alden(pool, labeled, embeddings, len(pool))
    assert chosen.tolist() == expected
    np.testing.assert_allclose(diversity, metrics, rtol=1e-12)


def test_hand_worked_values():
    # Word 2 is labelled with 0.0 and 0.5. Word 3 is not; word 2 stands in for it.
    labeled = [[(2, (0.0,))], [(2, (0.5,))]]
    pool = [
        [(2, (0.2,))],  # 0.2 from 0.0
        [(2, (0.9,)), (2, (0.1,))],  # 0.4 from 0.5
        [],
        [(3, (1.5,))],  # 1.0 from word 2's 0.5
    ]
    embeddings = np.array([[0.0], [9.0], [1.0], [1.2]])
    chosen, diversity = diverse_words(flat(pool, 1), flat(labeled, 1), embeddings, 4)
    assert chosen.tolist() == [3, 1, 0, 2]
    # Once word 3 is labelled it answers for itself, and words 2 keep their own answers.
    np.testing.assert_allclose(diversity, [1.0, 0.4, 0.1, -np.inf], rtol=1e-6)


def test_a_new_stand_in_can_raise_the_diversity_of_other_samples():
    # Word 4 is answered by word 2 at first, exactly; once word 3 is labelled it is nearer.
    labeled = [[(2, (0.0,))]]
    pool = [[(3, (5.0,))], [(4, (0.0,))], [(2, (0.25,))]]
    embeddings = np.array([[0.0], [9.0], [0.0], [2.0], [3.0]])
    chosen, diversity = diverse_words(flat(pool, 1), flat(labeled, 1), embeddings, 3)
    assert chosen.tolist() == [0, 1, 2]
    np.testing.assert_allclose(diversity, [5.0, 5.0, 0.25])


def test_samples_without_labelled_words_are_infinitely_diverse():
    pool = [[], [(2, (1.0,))], [(2, (1.5,))]]
    chosen, diversity = diverse_words(flat(pool, 1), flat([[]], 1), np.zeros((3, 2)), 3)
    assert chosen.tolist() == [1, 2, 0]
    np.testing.assert_allclose(diversity, [np.inf, 0.5, -np.inf])


@settings(max_examples=examples(100), deadline=None)
@given(
    st.integers(0, 2**31), st.integers(1, 30), st.integers(1, 20), st.integers(1, 6), st.booleans()
)
def test_nearest_rows_are_exact(seed, n_queries, n_references, n_columns, coarse):
    rng = np.random.default_rng(seed)
    draw = (lambda s: rng.integers(-1, 2, s)) if coarse else (lambda s: rng.normal(size=s))
    queries = draw((n_queries, n_columns)).astype(np.float32)
    references = draw((n_references, n_columns)).astype(np.float32) + np.float32(100)
    within = rng.choice([0.0, 1e4, np.inf], n_queries) if n_queries % 2 else None
    rows, nearest, squared = nearest_rows(queries, references, within)
    reach = np.full(n_queries, np.inf) if within is None else within
    expected = [[((q.astype(float) - r) ** 2).sum() for r in references] for q in queries]
    assert rows.tolist() == [i for i in range(n_queries) if min(expected[i]) <= reach[i]]
    assert nearest.tolist() == [int(np.argmin(expected[i])) for i in rows]
    np.testing.assert_allclose(squared, [min(expected[i]) for i in rows], rtol=1e-12)


def test_thousands_of_equal_references_cost_no_more_than_one():
    rng = np.random.default_rng(0)
    rows = rng.normal(size=(4000, 50)).astype(np.float32)
    rows[1000:] = 0
    rows[:20] *= 100
    _, nearest, squared = nearest_rows(rows, rows[500:])
    assert set(nearest[1000:].tolist()) == {500}
    assert (squared[500:] == 0).all()


def test_n_is_checked():
    with pytest.raises(
        ValueError, match="n must lie between 1 and the number of samples, 2; found 3"
    ):
        diverse_words(flat([[], []], 1), flat([[]], 1), np.zeros((1, 1)), 3)


@settings(max_examples=examples(100), deadline=None)
@given(st.integers(0, 2**31), st.integers(1, 3), st.integers(0, 20), st.integers(0, 20))
def test_nearest_with_key_is_exact(seed, n_components, n, n_references):
    rng = np.random.default_rng(seed)
    keys, reference_keys = rng.integers(0, 4, n), rng.integers(0, 4, n_references)
    values, references = rng.normal(size=(n_components, n)), rng.normal(size=(n_components, 20))
    references = references[:, :n_references]
    found = np.empty(n)
    nearest_with_key(keys, np.arange(n + 1), values, reference_keys, references, found)
    for i in range(n):
        distances = [
            np.linalg.norm(values[:, i] - references[:, r])
            for r in range(n_references)
            if reference_keys[r] == keys[i]
        ]
        np.testing.assert_allclose(found[i], min(distances, default=np.inf), rtol=1e-12)


@settings(max_examples=examples(100), deadline=None)
@given(problems())
def test_files_give_the_same_to_the_last_bit(problem):
    pool, labeled, embeddings, n_components, n = problem
    problem = flat(pool, n_components), flat(labeled, n_components), embeddings, n
    chosen, diversity = diverse_words(*problem)
    with config_context(working_memory=0):
        by_file, of_file = diverse_words(*problem)
    assert by_file.tolist() == chosen.tolist()
    np.testing.assert_array_equal(of_file, diversity)


@pytest.mark.parametrize("n_components", [1, 3])
def test_blocks_of_any_size_give_the_same(n_components, monkeypatch):
    rng = np.random.default_rng(0)
    offsets = np.concatenate([[0], np.cumsum(rng.integers(0, 9, 80))])
    words = np.minimum(rng.zipf(1.4, offsets[-1]), 19)
    values = rng.normal(size=(offsets[-1], n_components)).astype(np.float32)
    labeled = words[:9], values[:9] + 1, np.array([0, 4, 9])
    problem = (words, values, offsets), labeled, rng.normal(size=(20, 3)), 80
    chosen, diversity = diverse_words(*problem)
    for module, name in [
        (diverse_words_module, "BLOCK"),
        (diverse_words_module, "_NEARER"),
        (diverse_words_module, "_OFTEN"),
        (nearest_module, "BLOCK"),
    ]:
        monkeypatch.setattr(module, name, 7)
    again, of_blocks = diverse_words(*problem)
    assert again.tolist() == chosen.tolist()
    np.testing.assert_array_equal(of_blocks, diversity)


@pytest.mark.parametrize("n_labeled", [0, 50])
def test_words_without_a_vector_cost_little_memory(n_labeled):
    rng = np.random.default_rng(0)
    embeddings = rng.normal(size=(3000, 50)).astype(np.float32)
    embeddings[1000:] = 0

    def texts(n):
        words = rng.integers(1, 3000, size=20 * n)
        return words, rng.normal(size=(20 * n, 1)).astype(np.float32), np.arange(n + 1) * 20

    pool, labeled = texts(500), texts(n_labeled)
    tracemalloc.start()
    diverse_words(pool, labeled, embeddings, 50)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 60e6


def test_huge_and_half_precise_embeddings_are_compared_exactly():
    pool, labeled = [[(1, (0.0,)), (2, (3.0,))], [(4, (1.0,))]], [[(3, (1.0,))]]
    near = np.arange(5.0)[:, None] * np.ones(300)
    expected = diverse_words(flat(pool, 1), flat(labeled, 1), near, 2)
    for embeddings in (near.astype(np.float16) * 20, (near * 1e18).astype(np.float32)):
        found = diverse_words(flat(pool, 1), flat(labeled, 1), embeddings, 2)
        assert found[0].tolist() == expected[0].tolist()


POOL = (np.array([1, 2, 1]), np.ones((3, 2)), np.array([0, 2, 3]))


@pytest.mark.parametrize(
    ("pool", "labeled", "embeddings", "n", "message"),
    [
        (POOL, POOL, np.full((3, 2), np.nan), 1, "embeddings must hold finite numbers"),
        (
            POOL,
            POOL,
            np.eye(2),
            1,
            "rows of embeddings, from 0 to 1; found 2",
        ),
        ((-POOL[0], *POOL[1:]), POOL, np.eye(3), 1, "found -2"),
        ((POOL[0] / 1, *POOL[1:]), POOL, np.eye(3), 1, "words of pool must be ids"),
        (
            POOL,
            (POOL[0], POOL[1][:, :1], POOL[2]),
            np.eye(3),
            1,
            "columns; found 2 and 1",
        ),
        (POOL, (POOL[0], POOL[1][0], POOL[2]), np.eye(3), 1, r"labeled must have shape \(3, A\)"),
        (
            POOL,
            (POOL[0], POOL[1] * np.inf, POOL[2]),
            np.eye(3),
            1,
            "labeled must hold finite",
        ),
        (POOL, (*POOL[:2], POOL[2] + 1), np.eye(3), 1, "offsets of labeled must be whole numbers"),
        (POOL, POOL, np.eye(3), 3, "n must lie between 1 and the number of samples, 2"),
        (POOL, POOL, np.eye(3), 1.5, "n must be a whole number"),
    ],
)
def test_wrong_input(pool, labeled, embeddings, n, message):
    with pytest.raises((TypeError, ValueError), match=message):
        diverse_words(pool, labeled, embeddings, n)


def test_whole_numbers_are_compared_in_double_precision():
    pool = (np.array([1, 2]), np.array([[-128, -128], [3, 3]], dtype=np.int8), np.array([0, 1, 2]))
    values = np.array([[-5, -5], [5, 5], [3, 4]], dtype=np.int8)
    labeled = (np.array([0, 1, 2]), values, np.array([0, 3]))
    chosen, diversity = diverse_words(pool, labeled, np.eye(3), 2)
    assert chosen.tolist() == [0, 1]
    np.testing.assert_allclose(diversity, [133 * np.sqrt(2), 1])
