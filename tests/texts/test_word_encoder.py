"""WordEncoder: exact ids, every kind of collection, errors that say what to do, scikit-learn."""

import pickle
import re
from collections import Counter

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.base import clone
from sklearn.exceptions import NotFittedError
from sklearn.frozen import FrozenEstimator
from sklearn.model_selection import GridSearchCV
from sklearn.naive_bayes import MultinomialNB
from sklearn.pipeline import make_pipeline
from sklearn.utils import estimator_checks, get_tags
from sklearn.utils.validation import check_is_fitted

from modal_interp.texts.word_encoder import WordEncoder
from tests.texts.reference_words import prepared, reference_words

TEXTS = ["A fine film.", "Not a film, sadly", "", "fine fine FINE"]

words = st.sampled_from(["a", "b", "B", "c", "don't", "é", "!", "word_2", "  "])
corpora = st.lists(st.one_of(st.text(max_size=12), st.lists(words).map(" ".join)), max_size=8)
corpora_with_a_word = corpora.map(lambda texts: [*texts, "a word"])


@pytest.mark.parametrize(
    "check",
    [
        estimator_checks.check_estimator_cloneable,
        estimator_checks.check_estimator_repr,
        estimator_checks.check_get_params_invariance,
        estimator_checks.check_mixin_order,
        estimator_checks.check_no_attributes_set_in_init,
        estimator_checks.check_parameters_default_constructible,
        estimator_checks.check_set_params,
        estimator_checks.check_valid_tag_types,
    ],
)
def test_scikit_learn_checks_that_need_no_data(check):
    # parametrize_with_checks stops early at estimators of strings.
    check("WordEncoder", WordEncoder())


def reference_ids(texts, fitted_on):
    """Encode with a loop per rule: count, rank, look up, pad."""
    counts = Counter()
    for text in fitted_on:
        for word in reference_words(prepared(text)):
            counts[word] += 1
    ids = {}
    for times in sorted(set(counts.values()), reverse=True):
        for word in sorted(word for word in counts if counts[word] == times):
            ids[word] = 2 + len(ids)
    rows = [[ids.get(w, 1) for w in reference_words(prepared(text))] for text in texts]
    lengths = [len(reference_words(prepared(text))) for text in fitted_on]
    width = max([1, *lengths, *map(len, rows)])
    return [row + [0] * (width - len(row)) for row in rows]


def test_ids_worked_by_hand():
    encoder = WordEncoder().fit(TEXTS)
    # fine 4; a 2, film 2; then , . not sadly once each, in alphabetical order
    assert encoder.words_.tolist() == [
        *("<pad>", "<unk>", "fine", "a", "film", ",", ".", "not", "sadly")
    ]
    assert encoder.vocabulary_ == {word: i for i, word in enumerate(encoder.words_) if i >= 2}
    assert (encoder.n_words_, encoder.max_length_) == (9, 5)
    ids = encoder.transform(["A film!", ""])
    assert ids.dtype == np.int64
    assert ids.tolist() == [[3, 4, 1, 0, 0], [0, 0, 0, 0, 0]]


@given(corpora, corpora_with_a_word)
def test_ids_equal_the_literal_reference(texts, fitted_on):
    ids = WordEncoder().fit(fitted_on).transform(texts)
    assert ids.tolist() == reference_ids(texts, fitted_on)
    assert ids.ndim == 2
    assert ids.shape[1] >= 1


@given(corpora_with_a_word)
def test_fit_transform_is_fit_then_transform(texts):
    together, apart = WordEncoder(), WordEncoder()
    np.testing.assert_array_equal(together.fit_transform(texts), apart.fit(texts).transform(texts))
    assert together.vocabulary_ == apart.vocabulary_


def test_fit_transform_splits_each_text_once():
    calls = []

    def split(text):
        calls.append(text)
        return text.split()

    WordEncoder(tokenizer=split).fit_transform(["a b", "c"])
    assert calls == ["a b", "c"]


@given(corpora_with_a_word, st.randoms())
def test_the_order_of_texts_does_not_change_the_vocabulary(texts, random):
    shuffled = random.sample(texts, len(texts))
    here, there = WordEncoder().fit(texts), WordEncoder().fit(shuffled)
    assert list(here.vocabulary_.items()) == list(there.vocabulary_.items())
    assert here.max_length_ == there.max_length_


@given(corpora, corpora_with_a_word)
def test_a_row_does_not_depend_on_the_texts_beside_it(texts, fitted_on):
    encoder = WordEncoder().fit(fitted_on)
    for text, row in zip(texts, encoder.transform(texts), strict=True):
        alone = encoder.transform([text])[0]
        assert np.trim_zeros(row, "b").tolist() == np.trim_zeros(alone, "b").tolist()


@given(st.lists(st.lists(st.text("ab'ç", min_size=1), max_size=5), min_size=1))
def test_round_trip(sentences):
    texts = [" ".join(sentence) for sentence in sentences]
    known = {"z", *(word for sentence in sentences for word in sentence)}
    encoder = WordEncoder(tokenizer=str.split, vocabulary=known)
    assert encoder.inverse_transform(encoder.transform(texts)).tolist() == texts
    assert encoder.tokenize(texts) == sentences


def test_inverse_transform_writes_unknown_words_and_leaves_padding_out():
    encoder = WordEncoder(vocabulary=["a", "film"])
    decoded = encoder.inverse_transform(encoder.transform(["a FILM noir", ""]))
    assert decoded.dtype == object
    assert decoded.tolist() == ["a film <unk>", ""]
    assert encoder.inverse_transform(encoder.transform([])).shape == (0,)


@pytest.mark.parametrize(
    ("params", "expected"),
    [
        ({}, ["c", "b", "a", "d", "e"]),
        ({"min_count": 2}, ["c", "b"]),
        ({"max_words": 3}, ["c", "b", "a"]),
        ({"max_words": np.int64(1), "min_count": 2}, ["c"]),
        ({"max_words": 99}, ["c", "b", "a", "d", "e"]),
    ],
)
def test_rare_words_are_dropped(params, expected):
    encoder = WordEncoder(**params).fit(["e d c b", "c b a c"])
    assert list(encoder.vocabulary_) == expected
    assert encoder.n_words_ == 2 + len(expected)
    assert (encoder.transform(["a b c d e"]) == 1).sum() == 5 - len(expected)


def test_lowercase_and_tokenizer():
    assert WordEncoder(lowercase=False).fit(["A a"]).n_words_ == 4
    assert WordEncoder().tokenize(["Isn’t it? l'été -"]) == [["isn’t", "it", "?", "l'été", "-"]]  # noqa: RUF001
    for tokenizer in (
        r"\w+",
        re.compile(r"\w+"),
        r"#?(\w+)",
        str.split,
        lambda text: iter(["", "b"]),
    ):
        encoder = WordEncoder(tokenizer=tokenizer)
        assert encoder.tokenize(["b"]) == [["b"]]
    assert WordEncoder(tokenizer=r"\w*").tokenize(["a b"]) == [["a", "b"]]


def test_width():
    encoder = WordEncoder().fit(["a b c"])
    assert encoder.transform(["a"]).shape == (1, 3)
    assert encoder.transform(["a", "a b c d e"]).shape == (2, 5)
    assert encoder.transform([]).shape == (0, 3)
    np.vstack([encoder.transform(["a"]), encoder.transform(["a b"])])

    cut = WordEncoder(max_length=2).fit(["a b c"])
    assert cut.transform(["c b a", "c"]).tolist() == [[4, 3], [4, 0]]
    assert (cut.max_length_, cut.n_words_) == (2, 5)

    unfitted = WordEncoder(vocabulary=["a"])
    assert unfitted.transform([""]).shape == (1, 1)
    assert unfitted.transform(["a a a"]).shape == (1, 3)
    assert unfitted.fit(["a a"]).transform(["a"]).shape == (1, 2)


@pytest.mark.parametrize(
    "collect",
    [
        list,
        tuple,
        np.array,
        lambda texts: np.array(texts, dtype=object),
        lambda texts: np.array([np.str_(text) for text in texts], dtype=object),
        lambda texts: pd.Series(texts, index=[7, 7, -1, 0]),
        lambda texts: pd.Series(texts, index=list("dcba"), dtype="string"),
        lambda texts: pd.Series(texts, dtype="category"),
        lambda texts: pd.Index(texts),
        iter,
        lambda texts: (text for text in texts),
        lambda texts: dict.fromkeys(texts).keys(),
    ],
)
def test_collections(collect):
    expected = WordEncoder().fit(TEXTS)
    encoder = WordEncoder().fit(collect(TEXTS))
    assert encoder.vocabulary_ == expected.vocabulary_
    assert all(type(word) is str for word in encoder.vocabulary_)
    ids = expected.transform(TEXTS)
    np.testing.assert_array_equal(encoder.transform(collect(TEXTS)), ids)
    np.testing.assert_array_equal(WordEncoder().fit_transform(collect(TEXTS)), ids)


def test_arrow_strings():
    pytest.importorskip("pyarrow")
    texts = pd.Series(TEXTS, dtype="string[pyarrow]")
    np.testing.assert_array_equal(
        WordEncoder().fit_transform(texts), WordEncoder().fit_transform(TEXTS)
    )


BAD_TEXTS = [
    ("a film", ValueError, "texts must be a collection.*'a film'.*list"),
    (b"a film", TypeError, "texts must be an ordered collection.*bytes.*list"),
    (3, TypeError, "texts must be an ordered collection.*int"),
    (None, TypeError, "texts must be an ordered collection.*NoneType"),
    ({"a", "b"}, TypeError, "texts must be an ordered collection.*set"),
    ({"a": "b"}, TypeError, "texts must be an ordered collection.*dict"),
    (np.array([["a"], ["b"]]), ValueError, r"one-dimensional.*\(2, 1\).*one column"),
    (np.array("a"), ValueError, r"one-dimensional.*shape \(\)"),
    (pd.DataFrame({"text": ["a"]}), ValueError, r"one-dimensional.*\(1, 1\).*frame\['text'\]"),
    (["a", None], ValueError, "strings only.*None.*position 1: drop"),
    (["a", "b", float("nan")], ValueError, "strings only.*nan.*position 2: drop"),
    (pd.Series(["a", pd.NA], index=[5, 9]), ValueError, "strings only.*position 1: drop"),
    (pd.Series(["a", None], dtype="string"), ValueError, "strings only.*position 1: drop"),
    (np.array(["a", 1.5], dtype=object), TypeError, r"1.5 \(float\) at position 1.*str\(\)"),
    (np.arange(3), TypeError, r"0 \(int\) at position 0.*str\(\)"),
    (["a", b"b", 3], TypeError, r"b'b' \(bytes\) at position 1.*decode"),
    ([["a", "b"]], TypeError, r"\['a', 'b'\] \(list\) at position 0.*join"),
    (iter(["a", None]), ValueError, "position 1"),
]


@pytest.mark.parametrize(("texts", "error", "message"), BAD_TEXTS)
def test_bad_texts(texts, error, message):
    with pytest.raises(error, match=message):
        WordEncoder(vocabulary=["a"]).transform(texts)
    if not hasattr(texts, "__next__"):
        encoder = WordEncoder()
        with pytest.raises(error, match=message):
            encoder.fit(texts)
        assert not encoder.__sklearn_is_fitted__()


BAD_PARAMS = [
    ({"min_count": 0}, ValueError, "min_count == 0, must be >= 1"),
    ({"min_count": 1.5}, TypeError, "min_count must be an instance of int"),
    ({"max_words": 0}, ValueError, "max_words == 0, must be >= 1"),
    ({"max_words": "all"}, TypeError, "max_words must be an instance of int"),
    ({"max_length": 0}, ValueError, "max_length == 0, must be >= 1"),
    ({"max_length": -3}, ValueError, "max_length == -3, must be >= 1"),
    ({"lowercase": "yes"}, TypeError, "lowercase must be an instance of"),
    ({"normalize": "nfc"}, ValueError, "normalize must be one of NFC, NFD, NFKC.*got 'nfc'"),
    ({"normalize": True}, ValueError, "normalize must be one of NFC.*or None, got True"),
    ({"tokenizer": "("}, ValueError, r"tokenizer must.*got '\('.*no valid pattern"),
    ({"tokenizer": r"(a)(b)"}, ValueError, "tokenizer must.*one group at most"),
    ({"tokenizer": re.compile(b"a")}, ValueError, "tokenizer must.*of str"),
    ({"tokenizer": None}, TypeError, "tokenizer must be.*got None"),
    ({"tokenizer": lambda text: [1]}, TypeError, r"tokenizer must return.*\[1\].*'a film'"),
    ({"tokenizer": lambda text: text}, TypeError, "tokenizer must return.*'a film'"),
    ({"tokenizer": lambda text: None}, TypeError, "tokenizer must return.*None"),
    ({"vocabulary": "a film"}, TypeError, "vocabulary must be a dict.*'a film'"),
    ({"vocabulary": 7}, TypeError, "vocabulary must be a dict.*7"),
    ({"vocabulary": []}, ValueError, "vocabulary must hold a word, got none"),
    ({"vocabulary": {}}, ValueError, "vocabulary must hold a word, got none"),
    ({"vocabulary": ["a", "b", "a"]}, ValueError, "vocabulary must have each word once, got 'a' 2"),
    ({"vocabulary": {"a": 2, "b": 2}}, ValueError, "vocabulary must have each id once, got 2 2"),
    ({"vocabulary": {"a": 2, "b": 1}}, ValueError, "vocabulary must have ids from 2.*1 for 'b'"),
    ({"vocabulary": {"a": 2.0}}, TypeError, "vocabulary must have int.*2.0 for 'a'"),
    ({"vocabulary": {"a": True}}, TypeError, "vocabulary must have int.*True"),
    ({"vocabulary": {3: 2}}, TypeError, "vocabulary must have str.*3"),
    ({"vocabulary": ["a", ["b"]]}, TypeError, r"vocabulary must have str.*\['b'\]"),
]


@pytest.mark.parametrize(("params", "error", "message"), BAD_PARAMS)
def test_bad_params(params, error, message):
    texts = iter(["a film"])
    with pytest.raises(error, match=message):
        WordEncoder(**params).fit(texts)
    if message.startswith(("min", "max", "lower", "vocab")):
        assert list(texts) == ["a film"], "work was done before the check"
    with pytest.raises(error, match=message):
        WordEncoder(**{"vocabulary": ["a"], **params}).transform(["a film"])


@pytest.mark.parametrize(
    ("texts", "min_count", "message"),
    [
        ([], 1, "got none in 0 texts: pass texts"),
        (["", " "], 1, "got none in 2 texts: pass texts"),
        (["a b", "a"], 3, "at least min_count=3 times"),
    ],
)
def test_no_word_is_left(texts, min_count, message):
    with pytest.raises(ValueError, match=message):
        WordEncoder(min_count=min_count).fit(texts)


@pytest.mark.parametrize("ids", [[2, 3], [[2.0]], [[-1]], [[4]], [["a"]], [[[2]]]])
def test_bad_ids(ids):
    with pytest.raises(ValueError, match=r"ids must be integers in \[0, 4\) of shape"):
        WordEncoder(vocabulary=["a", "b"]).inverse_transform(ids)


def test_not_fitted():
    encoder = WordEncoder()
    assert not hasattr(encoder, "vocabulary_")
    for use in (encoder.transform, encoder.inverse_transform, check_is_fitted):
        with pytest.raises(NotFittedError):
            use(encoder if use is check_is_fitted else ["a"])
    encoder.tokenize(["needs no words"])


@pytest.mark.parametrize(
    ("vocabulary", "ids"),
    [
        (["b", "a"], {"b": 2, "a": 3}),
        ({"b", "a"}, {"a": 2, "b": 3}),
        (np.array(["b", "a"]), {"b": 2, "a": 3}),
        (pd.Series(["b", "a"]), {"b": 2, "a": 3}),
        ({"b": 9, "a": np.int32(2)}, {"b": 9, "a": 2}),
    ],
)
def test_given_vocabulary(vocabulary, ids):
    encoder = WordEncoder(vocabulary=vocabulary, min_count=5, max_words=1)
    check_is_fitted(encoder)
    assert encoder.n_words_ == max(ids.values()) + 1
    before = encoder.transform(["b a x"])
    assert before.tolist() == [[ids["b"], ids["a"], 1]]
    assert encoder.fit(["x y z"]).vocabulary_ == ids
    np.testing.assert_array_equal(encoder.transform(["b a x"]), before)
    assert (
        WordEncoder(vocabulary=encoder.vocabulary_).transform(["b a x"]).tolist() == before.tolist()
    )


def test_ids_left_out_by_a_mapping_are_unknown_words():
    encoder = WordEncoder(vocabulary={"a": 4})
    assert encoder.words_.tolist() == ["<pad>", "<unk>", "<unk>", "<unk>", "a"]


def test_a_given_vocabulary_is_copied():
    mine = {"a": 2}
    encoder = WordEncoder(vocabulary=mine).fit(["a"])
    mine["b"] = 3
    assert encoder.transform(["b"]).tolist() == [[1]]


def test_vocabulary_from_an_iterator_is_read_once():
    encoder = WordEncoder(vocabulary=iter(["a", "b"]))
    assert encoder.transform(["b"]).tolist() == encoder.transform(["b"]).tolist() == [[3]]


def test_upper_case_words_that_lowercase_never_finds():
    with pytest.warns(UserWarning, match="'Film'.*lowercase=False"):
        WordEncoder(vocabulary=["a", "Film"]).fit(["a"])
    WordEncoder(vocabulary=["Film"], lowercase=False).fit(["a"])


def test_words_in_a_form_that_normalize_never_finds():
    with pytest.warns(UserWarning, match=r"'cafe\\u0301'.*'caf\\xe9', or pass normal"):
        WordEncoder(vocabulary=["cafe\u0301"]).fit(["a"])
    encoder = WordEncoder(vocabulary=["cafe\u0301"], normalize=None).fit(["a"])
    assert encoder.transform(["cafe\u0301 caf\u00e9"]).tolist() == [[2, 1]]


def test_words_of_an_encoder_are_the_vocabulary_of_another():
    encoder = WordEncoder().fit(TEXTS)
    other = WordEncoder(vocabulary=encoder.words_[2:])
    np.testing.assert_array_equal(other.transform(TEXTS), encoder.transform(TEXTS))


def test_refit_learns_anew():
    encoder = WordEncoder().fit(["a b c"]).fit(["d"])
    assert (list(encoder.vocabulary_), encoder.max_length_) == (["d"], 1)


def test_clone_params_and_pickle():
    encoder = WordEncoder(min_count=2, tokenizer=re.compile(r"\w+"), vocabulary=("a", "b"))
    params = encoder.get_params()
    assert clone(encoder).get_params() == params
    assert WordEncoder().set_params(**params).get_params() == params
    fitted = WordEncoder().fit(TEXTS)
    loaded = pickle.loads(pickle.dumps(fitted))
    np.testing.assert_array_equal(loaded.transform(TEXTS), fitted.transform(TEXTS))
    assert not clone(fitted).__sklearn_is_fitted__()


def test_tags():
    for encoder, requires_fit in ((WordEncoder(), True), (WordEncoder(vocabulary=["a"]), False)):
        tags = get_tags(encoder)
        assert (tags.input_tags.string, tags.input_tags.two_d_array) == (True, False)
        assert tags.requires_fit is requires_fit


@pytest.mark.parametrize("freeze", [True, False])
def test_a_refitted_pipeline_keeps_its_ids(freeze):
    fitted = WordEncoder(max_length=4).fit(TEXTS)
    fixed = WordEncoder(max_length=4, vocabulary=fitted.vocabulary_)
    model = make_pipeline(FrozenEstimator(fitted) if freeze else fixed, MultinomialNB())
    model.fit(np.array(["film film", "other words"], dtype=object), [0, 1])
    np.testing.assert_array_equal(model[:-1].transform(TEXTS), fitted.transform(TEXTS))
    assert clone(model).fit(["film", "fine"], [0, 1]).predict(["film"]).shape == (1,)


@pytest.mark.parametrize("collect", [list, np.array, pd.Series])
def test_grid_search(collect):
    texts = collect(["a film", "the film b c", "b c film", "c"] * 3)
    search = GridSearchCV(
        make_pipeline(WordEncoder(max_length=3), MultinomialNB()),
        {"wordencoder__min_count": [1, 2], "wordencoder__max_words": [2, None]},
        cv=2,
        error_score="raise",
    )
    assert search.fit(texts, [0, 1, 0, 1] * 3).predict(["a film d"]).shape == (1,)


# --- what fit finds out ---------------------------------------------------------------------------


def test_counts_worked_by_hand():
    encoder = WordEncoder(max_words=2, max_length=2).fit(["a a b", "", "a b c", "d"])
    assert encoder.words_.tolist() == ["<pad>", "<unk>", "a", "b"]
    assert encoder.word_counts_.tolist() == [0, 2, 3, 2]
    assert (encoder.n_empty_texts_, encoder.n_cut_texts_, encoder.n_words_once_) == (1, 2, 2)
    assert encoder.cut_share_ == 2 / 4
    given = WordEncoder(vocabulary={"b": 3}).fit(["a b", "b"])
    assert given.word_counts_.tolist() == [0, 1, 0, 2]
    assert (given.n_empty_texts_, given.n_cut_texts_, given.n_words_once_) == (0, 0, 1)


@given(corpora_with_a_word)
def test_counts_are_those_of_the_ids(texts):
    encoder = WordEncoder()
    ids = encoder.fit_transform(texts)
    expected = np.bincount(ids.ravel(), minlength=encoder.n_words_)
    assert encoder.word_counts_[1:].tolist() == expected[1:].tolist()
    assert encoder.word_counts_[0] == 0
    assert encoder.n_words_once_ == (expected[2:] == 1).sum()
    assert encoder.cut_share_ == 0
    assert encoder.n_empty_texts_ == (ids == 0).all(axis=1).sum()


CLAUSES = [f"这部电影{a}{b}看" for a in "很非常不太真挺好" for b in "一二三四五"]
NEW = [" ".join(f"w{i}-{j}" for j in range(8)).replace("-", "x") for i in range(30)]
UNSPACED = ["、".join(f"ไทย{chr(0xE01 + i)}ดี{j}มาก" for j in range(4)) + "、" for i in range(30)]
LONG = [f"電影{i}好看" for i in range(600)]


@pytest.mark.parametrize(
    ("texts", "params", "message"),
    [
        (
            CLAUSES,
            {"tokenizer": r"\w+"},
            "40 of 40 texts are one word.*once: give",
        ),
        ([""] * 30 + ["a b"] * 10, {}, "30 of 40 texts hold no word: check"),
        (NEW, {}, "240 of 240 words occur once.*give a tokenizer"),
        (
            UNSPACED,
            {"tokenizer": "[^、]+|、"},
            "120 of 120 words occur once.*cuts texts",
        ),
        (["、".join(LONG)], {"tokenizer": "[^、]+|、"}, "600 of 600 words occur once"),
        (
            ["a b c", "a b", "b"] * 20,
            {"max_length": 1},
            "max_length=1 cuts 40 of 60.* 3 would",
        ),
    ],
)
def test_fit_warns_where_words_look_wrong(texts, params, message):
    with pytest.warns(UserWarning, match=message):
        WordEncoder(**params).fit(texts)


def test_the_default_cuts_clauses_and_warns_of_nothing():
    encoder = WordEncoder().fit(CLAUSES)
    assert encoder.tokenize(CLAUSES[:1]) == [list("这部电影很一看")]
    WordEncoder().fit(UNSPACED)
    WordEncoder().fit(["、".join(LONG)])
    WordEncoder().fit(["one", "two", "three", "one"] * 10)
    WordEncoder().fit(NEW[:5])


def test_transform_warns_where_most_words_are_unknown():
    encoder = WordEncoder().fit(["a b c d"])
    encoder.transform(["a b"] * 30 + ["x y"] * 30)
    encoder.transform(["x y"] * 20)
    with pytest.warns(UserWarning, match=r"62 of 120 words are unknown.*FrozenEstimator"):
        encoder.transform(["a b"] * 29 + ["x y"] * 31)
    WordEncoder(max_words=1).fit(["a b"]).transform(["x y"] * 99)


def test_one_long_text_costs_its_words():
    texts = ["a few words"] * 300 + ["much " * 40_000]
    with pytest.warns(UserWarning, match=r"text 300 has 40000 words.* of 301 has 3.*92 MiB.*=3 "):
        ids = WordEncoder().fit_transform(texts)
    assert ids.shape == (301, 40_000)
    assert ids[:300, :3].tolist() == [[3, 4, 5]] * 300
    assert not ids[:300, 3:].any()
    assert (ids[300] == 2).all()
    assert ids.flags.writeable
    assert WordEncoder(max_length=3).fit_transform(texts).shape == (301, 3)


def test_rows_that_no_memory_holds(monkeypatch):
    def refuse(shape, dtype):
        raise MemoryError("no room")

    monkeypatch.setattr("modal_interp.texts.id_rows.zeros_on_demand", refuse)
    with pytest.raises(MemoryError, match=r"text 1 has 3 words.*no room: set max_length"):
        WordEncoder().fit_transform(["a", "a b c"])
