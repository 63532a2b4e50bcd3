"""Word vectors: one seed, one answer; every file format; rows that follow the encoder's ids."""

import gzip
import os
import subprocess
import sys
from pathlib import Path

import gensim
import numpy as np
import pytest
from gensim.corpora import Dictionary
from gensim.models import KeyedVectors, Word2Vec
from hypothesis import given
from hypothesis import strategies as st
from numpy.testing import assert_array_equal
from sklearn.exceptions import NotFittedError
from sklearn.frozen import FrozenEstimator

from modal_interp.texts.vector_files import load_word_vectors
from modal_interp.texts.word_encoder import WordEncoder
from modal_interp.texts.word_vectors import embedding_matrix, train_word_vectors

# "hot" and "cold" share their neighbours, and so do "cat" and "dog".
TEXTS = [
    f"{animal} likes {thing} milk" if thing in ("hot", "cold") else f"{animal} runs {thing}"
    for animal in ("cat", "dog")
    for thing in ("hot", "cold", "fast", "slowly")
] * 20


@pytest.fixture(scope="module")
def encoder():
    return WordEncoder().fit(TEXTS)


@pytest.fixture
def vectors():
    keyed = KeyedVectors(3)
    words = ["fine", "dull", "naïve", "1984"]
    keyed.add_vectors(words, np.random.RandomState(0).normal(size=(4, 3)).astype(np.float32))
    return keyed


def assert_same(loaded, expected):
    assert isinstance(loaded, KeyedVectors)
    assert loaded.index_to_key == expected.index_to_key
    assert loaded.vectors.dtype == np.float32
    np.testing.assert_allclose(loaded.vectors, expected.vectors, rtol=1e-6)
    for word in expected.index_to_key:
        assert_array_equal(loaded[word], loaded.vectors[loaded.key_to_index[word]])


# --- training -------------------------------------------------------------------------------------


@pytest.mark.parametrize("sg", [True, False])
def test_words_in_like_places_get_like_vectors(encoder, sg):
    trained = train_word_vectors(TEXTS, encoder, dim=10, epochs=60, sg=sg, random_state=0)
    assert trained.vectors.shape == (encoder.n_words_ - 2, 10)
    assert trained.vectors.dtype == np.float32
    assert trained.similarity("hot", "cold") > trained.similarity("hot", "fast")


PROGRAM = """
import sys
from modal_interp.texts.word_encoder import WordEncoder
from modal_interp.texts.word_vectors import train_word_vectors

texts = ["a fine film", "a dull film", "a fine plot , a fine cast"] * 5
encoder = WordEncoder().fit(texts)
assert "gensim" not in sys.modules, "gensim is slow to import, so it is imported when it is used"
trained = train_word_vectors(texts, encoder, dim=8, random_state=3)
print(trained.index_to_key, trained.vectors.tobytes().hex())
"""


def test_a_seed_gives_the_same_vectors_in_every_process():
    processes = [
        subprocess.Popen(
            [sys.executable, "-c", PROGRAM],
            env={**os.environ, "PYTHONHASHSEED": hash_seed},
            stdout=subprocess.PIPE,
            text=True,
        )
        for hash_seed in ("1", "2")
    ]
    printed = [process.communicate()[0] for process in processes]
    assert printed[0] == printed[1]
    assert "fine" in printed[0]


def test_seeds(encoder):
    def train(random_state):
        return train_word_vectors(TEXTS, encoder, dim=4, epochs=1, random_state=random_state)

    assert_array_equal(train(1).vectors, train(1).vectors)
    assert_array_equal(
        train(np.random.RandomState(1)).vectors, train(np.random.RandomState(1)).vectors
    )
    assert not np.array_equal(train(1).vectors, train(2).vectors)
    np.random.seed(0)  # noqa: NPY002
    unseeded = train(None)
    np.random.seed(0)  # noqa: NPY002
    assert not np.array_equal(unseeded.vectors, train(None).vectors)


def test_the_global_generator_is_left_alone(encoder):
    before = np.random.get_state()[1].copy()  # noqa: NPY002
    for random_state in (None, 0):
        trained = train_word_vectors(TEXTS, encoder, dim=2, epochs=1, random_state=random_state)
        embedding_matrix(encoder, trained, random_state=random_state)
    assert_array_equal(np.random.get_state()[1], before)  # noqa: NPY002


def test_words_unknown_or_rare_get_no_vector():
    texts = ["a b c", "a b rare"] * 3 + ["once"]
    encoder = WordEncoder(vocabulary=["a", "b", "c", "once", "never"])
    trained = train_word_vectors(texts, encoder, dim=2, min_count=2, random_state=0)
    assert set(trained.index_to_key) == {"a", "b", "c"}


def test_unknown_words_leave_before_windows_are_laid():
    encoder = WordEncoder(vocabulary=["a", "b"])
    with_gap = train_word_vectors(["a x b"] * 9, encoder, dim=2, window=1, random_state=0)
    without = train_word_vectors(["a b"] * 9, encoder, dim=2, window=1, random_state=0)
    assert_array_equal(with_gap.vectors, without.vectors)


def test_threads_iterators_frozen_encoders_and_a_progress_bar(encoder, capsys):
    trained = train_word_vectors(
        iter(TEXTS), FrozenEstimator(encoder), dim=2, epochs=2, n_jobs=2, verbose=1
    )
    assert len(trained) == encoder.n_words_ - 2
    assert f"{len(TEXTS)}/{len(TEXTS)}" in capsys.readouterr().err
    train_word_vectors(TEXTS, encoder, dim=2, epochs=1)
    assert capsys.readouterr() == ("", "")


@pytest.mark.parametrize(
    ("options", "error", "message"),
    [
        ({"dim": 0}, ValueError, "dim == 0, must be >= 1"),
        ({"window": 0}, ValueError, "window == 0, must be >= 1"),
        ({"epochs": 0.5}, TypeError, "epochs must be an instance of int"),
        ({"min_count": -1}, ValueError, "min_count == -1, must be >= 1"),
        ({"sg": "cbow"}, TypeError, "sg must be an instance of"),
        (
            {"random_state": 0, "n_jobs": 2},
            ValueError,
            "n_jobs must be 1 with a random_state, got 2",
        ),
        ({"min_count": 1000}, ValueError, "min_count=1000 times, got at most 80 times"),
        ({"texts": []}, ValueError, "min_count=1 times, got at most 0 times"),
        ({"texts": ["", "x y"]}, ValueError, "min_count=1 times, got at most 0 times"),
        ({"texts": "a film"}, ValueError, "texts must be a collection of strings"),
        ({"encoder": TEXTS}, TypeError, "encoder must be a WordEncoder, got list"),
        ({"encoder": WordEncoder()}, NotFittedError, "fit"),
    ],
)
def test_bad_training(encoder, options, error, message):
    options = {"texts": TEXTS, "encoder": encoder, **options}
    with pytest.raises(error, match=message):
        train_word_vectors(**options)


# --- loading --------------------------------------------------------------------------------------


@pytest.mark.parametrize("packed", [False, True])
@pytest.mark.parametrize(
    ("options", "binary"),
    [
        ({"binary": False}, None),
        ({"binary": False}, False),
        ({"binary": True}, None),
        ({"binary": True}, True),
        ({"write_header": False}, None),
    ],
)
def test_word2vec_and_glove_files(tmp_path, vectors, options, binary, packed):
    path = tmp_path / "vectors"
    vectors.save_word2vec_format(str(path), **options)
    if packed:
        path.write_bytes(gzip.compress(path.read_bytes()))
    assert_same(load_word_vectors(path, binary=binary), vectors)


@pytest.mark.parametrize("name", ["vectors.kv", "vectors.kv.gz"])
def test_saved_keyed_vectors(tmp_path, vectors, name):
    vectors.save(str(tmp_path / name))
    assert_same(load_word_vectors(str(tmp_path / name), allow_pickle=True), vectors)


def test_a_saved_model_gives_its_vectors(tmp_path):
    model = Word2Vec([["a", "b"]], vector_size=2, min_count=1, workers=1, seed=0)
    model.save(str(tmp_path / "word2vec.model"))
    assert_same(load_word_vectors(tmp_path / "word2vec.model", allow_pickle=True), model.wv)


def test_rows_longer_than_a_read_buffer(tmp_path):
    keyed = KeyedVectors(5000)
    keyed.add_vectors(["a", "b"], np.random.RandomState(0).normal(size=(2, 5000)))
    for binary in (True, False):
        keyed.save_word2vec_format(str(tmp_path / "wide"), binary=binary)
        assert_same(load_word_vectors(tmp_path / "wide"), keyed)


def test_spaces_in_words_repeated_words_and_cut_characters(tmp_path):
    path = tmp_path / "glove.txt"
    path.write_bytes(b". . . 1 2\na 3 4 \n\na 5 6\ncaf\xc3 7 8\n\n")
    loaded = load_word_vectors(path)
    assert loaded.index_to_key == [". . .", "a", "caf\ufffd"]
    assert loaded.vectors.tolist() == [[1, 2], [3, 4], [7, 8]]


@pytest.mark.parametrize(
    ("content", "binary", "message"),
    [
        (b"", None, "no vector"),
        (b"word\n", None, "no vector"),
        (b"This is a readme.\n", None, "no vector"),
        (b"a 1 2\nb 1\n", None, "line 2 is not a word and 2 numbers"),
        (b"a 1 2\nb 1 2 3\n", None, "line 2 is not a word and 2 numbers"),
        (b"a 1 2\nb 1 x\n", None, "line 2 is not a word and 2 numbers"),
        (b"2 2\na 1 2\nb 1 2 3\n", None, "line 3 is not a word and 2 numbers"),
        (b"3 2\na 1 2\nb 1 2\n", None, "promises 3 words, it has 2"),
        (b"1 2\na 1 2\nb 1 2\n", None, "promises 1 words, it has 2"),
        (b"2 2\na \0\0\x80\x3f\0\0\x80\x3f\nb \0\0", None, "ends after 1 of 2 words"),
        (b"2 2\n", True, "ends after 0 of 2 words"),
        (b"9999999999 9999999\na \0\0\x80\x3f", True, "cannot be read"),
        (b"a 1 2\n", True, "numbers of words and dimensions"),
        (b"\x80\x04 no pickle", None, "UnpicklingError"),
        (b"\x80\x04]\x94.", None, "AttributeError: 'list'"),
        (b"a 1 2 x\n", None, "no vector"),
        (gzip.compress(b"a 1 2\n" * 99, mtime=0)[:-9], None, "cannot be read"),
        (b"\x1f\x8b no gzip", None, "cannot be read"),
    ],
)
def test_damaged_files(tmp_path, content, binary, message):
    path = tmp_path / "vectors.txt"
    path.write_bytes(content)
    with pytest.raises(ValueError, match=rf"path must name .*vectors\.txt.*{message}.*set binary"):
        load_word_vectors(path, binary=binary, allow_pickle=True)


def test_another_object_of_gensim(tmp_path):
    Dictionary([["a"]]).save(str(tmp_path / "words.dict"))
    with pytest.raises(ValueError, match="a pickle of Dictionary"):
        load_word_vectors(tmp_path / "words.dict", allow_pickle=True)


def test_missing_files(tmp_path):
    for path in (tmp_path / "none.kv", tmp_path):
        with pytest.raises(
            FileNotFoundError, match=f"path must name a file.*{path.name}.*download"
        ):
            load_word_vectors(path)


# --- lining up with an encoder --------------------------------------------------------------------

known_words = st.dictionaries(
    st.sampled_from("abcdefgh"),
    st.lists(st.floats(-9, 9, width=32), min_size=3, max_size=3),
    min_size=1,
)


@pytest.mark.filterwarnings("ignore:vectors hold")
@given(known_words, st.sets(st.sampled_from("abcdefgh"), min_size=1), st.integers(0, 2**31))
def test_every_row_follows_its_word(mapping, words, seed):
    encoder = WordEncoder(vocabulary={word: 2 + 3 * i for i, word in enumerate(sorted(words))})
    if not words & mapping.keys():
        return
    matrix = embedding_matrix(encoder, mapping, random_state=seed)
    assert matrix.shape == (encoder.n_words_, 3)
    assert matrix.dtype == np.float32
    assert_array_equal(matrix[0], 0)
    for word in words & mapping.keys():
        assert_array_equal(matrix[encoder.vocabulary_[word]], np.float32(mapping[word]))
    assert_array_equal(matrix, embedding_matrix(encoder, mapping, random_state=seed))


def test_missing_words_are_drawn_at_the_scale_of_known_ones():
    words = [f"w{i}" for i in range(400)]
    encoder = WordEncoder(vocabulary=words)
    rng = np.random.RandomState(0)
    known = {word: rng.normal(0.0, 0.3, size=50) for word in words[::2]}
    matrix = embedding_matrix(encoder, known, random_state=0)
    drawn = np.vstack([matrix[1], matrix[3::2]])
    assert len(drawn) == 201
    assert drawn.std() == pytest.approx(0.3, rel=0.03)
    assert drawn.mean() == pytest.approx(0.0, abs=0.01)
    assert len(np.unique(drawn[:, 0])) == len(drawn)
    assert not np.array_equal(matrix, embedding_matrix(encoder, known, random_state=1))
    assert not np.array_equal(embedding_matrix(encoder, known), embedding_matrix(encoder, known))


def test_matrix_of_trained_vectors(encoder):
    trained = train_word_vectors(TEXTS, encoder, dim=4, epochs=1, random_state=0)
    matrix = embedding_matrix(FrozenEstimator(encoder), trained, random_state=0)
    assert matrix.shape == (encoder.n_words_, 4)
    assert_array_equal(matrix[2:], trained[encoder.words_[2:].tolist()])
    trained.vectors[:] = 0
    assert matrix[encoder.vocabulary_["dog"]].any(), "the matrix must be a copy"


@pytest.mark.parametrize(
    ("vectors", "error", "message"),
    [
        ({"x": [1.0]}, ValueError, "vectors must hold a word.*none of its 2.*lowercase"),
        ({}, ValueError, "vectors must hold a word"),
        ({"a": [1.0, np.nan]}, ValueError, "vectors must be finite, got nan for 'a'"),
        ({"a": [1.0], "b": [-np.inf]}, ValueError, "vectors must be finite, got -inf for 'b'"),
        ({"a": [1.0], "b": [1.0, 2.0]}, ValueError, r"one shape \(D,\), got \(2,\) for 'b'"),
        ({"a": 1.0}, ValueError, r"one shape \(D,\), got \(\) for 'a'"),
        ([[1.0], [2.0]], TypeError, "vectors must be KeyedVectors or a mapping.*list.*dict"),
    ],
)
def test_bad_vectors(vectors, error, message):
    with pytest.raises(error, match=message):
        embedding_matrix(WordEncoder(vocabulary=["a", "b"]), vectors)


def test_bad_encoders():
    with pytest.raises(NotFittedError):
        embedding_matrix(WordEncoder(), {"a": [1.0]})
    with pytest.raises(TypeError, match="encoder must be a WordEncoder, got dict"):
        embedding_matrix({"a": 2}, {"a": [1.0]})
    with pytest.raises(TypeError, match=r"vectors must be KeyedVectors.*WordEncoder"):
        embedding_matrix({"a": [1.0]}, WordEncoder(vocabulary=["a"]))


# --- how many words have a vector -----------------------------------------------------------------

VOCABULARY = [f"word{letter}" for letter in "abcdefghij"]


def listed(spell, words=VOCABULARY):
    return {spell(word): np.ones(2) for word in words}


@pytest.mark.parametrize(
    ("words", "vectors", "message"),
    [
        (VOCABULARY, listed(str, VOCABULARY[:4]), r"hold 4 of the encoder's 10 words \(40.0%\)"),
        (VOCABULARY, listed(str, VOCABULARY[:1]), r"\(10.0%\): lower-casing would find 10.0%"),
        (
            VOCABULARY,
            listed(str.title) | {"worda": np.ones(2)},
            r"10.0%.*lower-casing the words of vectors would find 100.0%",
        ),
        (
            [*map(str.upper, VOCABULARY), "x"],
            listed(str) | {"x": np.ones(2)},
            r"9.1%.*lower-casing the encoder's words would find 100.0%, so set lowercase=True",
        ),
        (
            [*map(str.upper, VOCABULARY), "x"],
            listed(str.title) | {"x": np.ones(2)},
            r"9.1%.*lower-casing both would find 100.0%",
        ),
        (
            [f"caf\u00e9{word}" for word in VOCABULARY] + ["x"],
            listed("cafe\u0301{}".format) | {"x": np.ones(2)},
            r"9.1%.*apart \(NFD\) would find 100.0%, so set normalize='NFD'",
        ),
        (
            [*VOCABULARY, "x"],
            {"звезда": np.ones(2), "x": np.ones(2)},
            r"9.1%.*missing are 'worda'.*vectors hold 'звезда', 'x'.*the language of vectors",
        ),
    ],
)
def test_few_words_with_a_vector_are_told(words, vectors, message):
    encoder = WordEncoder(vocabulary=words, lowercase=False, normalize=None)
    with pytest.warns(UserWarning, match=message) as told:
        embedding_matrix(encoder, vectors)
    assert told[0].filename == __file__
    keyed = KeyedVectors(2)
    keyed.add_vectors(list(vectors), list(vectors.values()))
    with pytest.warns(UserWarning, match=message):
        embedding_matrix(encoder, keyed)


@pytest.mark.parametrize("n_words", [5, 8, 10])
def test_half_of_the_words_is_enough(n_words):
    encoder = WordEncoder(vocabulary=VOCABULARY)
    embedding_matrix(encoder, listed(str, VOCABULARY[:n_words]))  # any warning is an error


def test_no_word_at_all_is_refused_with_the_hint():
    with pytest.raises(ValueError, match=r"none of its 10: lower-casing the words.*100.0%"):
        embedding_matrix(WordEncoder(vocabulary=VOCABULARY), listed(str.upper))


def test_words_that_fasttext_puts_together_have_rows_but_do_not_count():
    path = Path(gensim.__file__).parent / "test" / "test_data" / "lee_fasttext.bin"
    vectors = load_word_vectors(path)
    encoder = WordEncoder(vocabulary=["the", "reviewer", "spellbound"])
    with pytest.warns(UserWarning, match="hold 1 of the encoder's 3 words"):
        matrix = embedding_matrix(encoder, vectors, random_state=0)
    for word in ("the", "reviewer", "spellbound"):
        assert_array_equal(matrix[encoder.vocabulary_[word]], vectors[word])
