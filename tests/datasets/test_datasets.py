import gzip
import hashlib
import os
import re
import time
from collections import Counter

import numpy as np
import pandas as pd
import pooch
import pytest
from sklearn.feature_extraction.text import CountVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline

from modal_interp.datasets import (
    _files,
    _publishers,
    _reviews,
    fetch_agnews,
    fetch_mr,
    fetch_subj,
    fetch_trec,
    make_reviews,
    make_sigmoid,
)
from modal_interp.datasets import _review_templates as grammar
from modal_interp.datasets import _review_words as lexicon

REAL_DATA = os.environ.get("MODAL_INTERP_DATA")


def words(text):
    return re.findall(r"[\w'-]+", text.lower())


# The Sigmoid set


def test_sigmoid_shapes_and_dtypes():
    X, y = make_sigmoid(300, random_state=0)
    assert X.shape == (300, 2)
    assert X.dtype == np.float64
    assert y.shape == (300,)
    assert y.dtype == np.int64
    assert set(y) == {0, 1}
    assert make_sigmoid(random_state=0)[0].shape == (2000, 2)
    assert make_sigmoid(1, random_state=0)[0].shape == (1, 2)


def test_sigmoid_features_fill_the_square_evenly():
    X, _ = make_sigmoid(20_000, random_state=0)
    assert X.min() >= -5
    assert X.max() <= 5
    cells, _, _ = np.histogram2d(*X.T, bins=4, range=[[-5, 5], [-5, 5]])
    np.testing.assert_allclose(cells / 20_000, 1 / 16, atol=0.01)


def test_sigmoid_labels_follow_the_papers_probability():
    X, y = make_sigmoid(60_000, random_state=1)
    p = 1 / (1 + np.exp(-X[:, 0] * X[:, 1]))
    for lower in np.arange(0, 1, 0.1):
        inside = (p >= lower) & (p < lower + 0.1)
        assert y[inside].mean() == pytest.approx(p[inside].mean(), abs=0.05)


def test_sigmoid_regions_are_the_triangles_between_the_diagonals():
    X, y, regions = make_sigmoid(2000, random_state=2, return_regions=True)
    assert regions.dtype == np.int64
    angle = np.degrees(np.arctan2(X[:, 1], X[:, 0]))  # 0 at the right half-axis, anticlockwise
    np.testing.assert_array_equal(regions, np.floor((angle + 45) / 90).astype(int) % 4)
    for region in range(4):
        inside = regions == region
        assert inside.mean() == pytest.approx(0.25, abs=0.04)
        assert y[inside].mean() == pytest.approx(0.5, abs=0.08)
        line = LogisticRegression().fit(X[inside], y[inside])
        assert line.score(X[inside], y[inside]) > 0.85
    assert LogisticRegression().fit(X, y).score(X, y) < 0.6


def test_sigmoid_is_seeded_and_leaves_the_global_state_alone():
    before = np.random.get_state()[1].copy()  # noqa: NPY002 (the state under test)
    first = make_sigmoid(50, random_state=7, return_regions=True)
    for one, other in zip(first, make_sigmoid(50, random_state=7), strict=False):
        np.testing.assert_array_equal(one, other)
    assert (first[0] != make_sigmoid(50, random_state=8)[0]).all()
    generator = np.random.RandomState(7)
    np.testing.assert_array_equal(first[1], make_sigmoid(50, random_state=generator)[1])
    np.testing.assert_array_equal(before, np.random.get_state()[1])  # noqa: NPY002


# Reviews


@pytest.fixture(scope="module")
def reviews():
    return make_reviews(2000, random_state=0, return_kinds=True)


def test_reviews_shapes_and_dtypes(reviews):
    X, y, kinds = reviews
    assert X.shape == y.shape == kinds.shape == (2000,)
    assert X.dtype == kinds.dtype == object
    assert all(type(text) is str for text in X)
    assert y.dtype == np.int64
    assert len(make_reviews(random_state=0)) == 2
    assert make_reviews(1, random_state=0)[0].shape == (1,)


def test_reviews_are_the_same_everywhere():
    X, y = make_reviews(500, random_state=42)
    told = "\n".join(f"{label} {text}" for text, label in zip(X, y, strict=True))
    assert hashlib.sha256(told.encode()).hexdigest()[:16] == "a68909ea93500edd"


def test_reviews_are_seeded_and_fewer_are_the_first_of_more(reviews):
    X, y, kinds = reviews
    for mine, more in zip(
        make_reviews(700, random_state=0, return_kinds=True), (X, y, kinds), strict=True
    ):
        np.testing.assert_array_equal(mine, more[:700])
    assert (make_reviews(2000, random_state=1)[0] != X).mean() > 0.95


def test_reviews_are_balanced_varied_short_sentences(reviews):
    X, y, kinds = reviews
    assert y.mean() == pytest.approx(0.5, abs=0.04)
    assert len(set(X)) > 0.98 * len(X)
    counts = Counter(kinds)
    assert set(counts) == {"plain", "negated", "contrast", "wry"}
    assert counts["plain"] > counts["negated"] > counts["contrast"] > counts["wry"] > 50


def test_reviews_have_5_to_25_words_and_look_like_english():
    X, _ = make_reviews(20_000, random_state=3)
    lengths = np.array([len(text.split()) for text in X])
    assert lengths.min() >= 5
    assert lengths.max() <= 25
    for text in X:
        assert text[0].isupper()
        assert text.endswith(".")
        assert "{" not in text
        assert "  " not in text
        assert not re.search(r"\b[Aa] [aeiou]|\b[Aa]n [^aeiou]", text), text


def test_reviews_have_a_long_tail_of_words(reviews):
    few = Counter(word for text in reviews[0] for word in words(text))
    many = {word for text in make_reviews(20_000, random_state=4)[0] for word in words(text)}
    assert 600 <= len(few) <= 900
    assert len(few) + 50 < len(many) < 1000
    assert sum(count == 1 for count in few.values()) > 80


def test_most_opinion_words_stand_in_reviews_of_both_labels():
    X, y = make_reviews(10_000, random_state=5)
    shares = {}
    for word in ("dull", "charming", "charm", "clutter", "gripping", "cold", "hardly", "plot"):
        shares[word] = np.mean([label for text, label in zip(X, y, strict=True) if word in text])
    assert all(0.1 < share < 0.9 for share in shares.values()), shares
    assert shares["dull"] < 0.3 < shares["hardly"] < 0.7 < shares["charming"]


def accuracy(X, y, train, ngrams):
    model = make_pipeline(CountVectorizer(ngram_range=ngrams), LogisticRegression(max_iter=500))
    return model.fit(X[train], y[train]).score(X[1600:], y[1600:])


def test_word_order_helps_on_reviews():
    pairs = []
    for seed in range(3):
        X, y = make_reviews(2000, random_state=seed)
        pairs.append([accuracy(X, y, slice(1600), (1, n)) for n in (1, 3)])
    single, triple = np.mean(pairs, axis=0)
    print(f"single words {single:.3f}, up to three words {triple:.3f}")
    assert 0.75 < single < 0.88
    assert triple > single + 0.03


def test_reviews_are_learnt_slowly():
    curve = []
    for n in (40, 100, 200, 400):
        scores = []
        for seed in range(4):
            X, y = make_reviews(2000, random_state=seed)
            scores += [accuracy(X, y, slice(start, start + n), (1, 2)) for start in (0, 400, 800)]
        curve.append(np.mean(scores))
    print("accuracy at 40, 100, 200, 400 labels:", np.round(curve, 3))
    assert 0.55 < curve[0] < 0.7
    assert np.all(np.diff(curve) > 0.02)
    assert curve[-1] > 0.75


def test_label_noise_flips_that_fraction_and_no_text(reviews):
    X, y, _ = reviews
    for noise in (0.1, 0.25, 0.5):
        noisy_X, noisy_y = make_reviews(2000, label_noise=noise, random_state=0)
        np.testing.assert_array_equal(noisy_X, X)
        assert (noisy_y != y).mean() == noise


def test_ten_thousand_reviews_take_less_than_a_second():
    start = time.process_time()
    make_reviews(10_000, random_state=0)
    # A tenth of that is usual; a busy machine may take its time.
    assert time.process_time() - start < 1.0


def all_templates():
    for templates in grammar.TEMPLATES.values():
        yield from (template for part in templates for template in part)
    yield from grammar.SECONDS + lexicon.OPENERS + lexicon.CLOSERS


@pytest.mark.parametrize("label", [0, 1])
@pytest.mark.parametrize("topic", range(len(lexicon.TOPICS)))
def test_every_template_can_be_filled(topic, label):
    for template in all_templates():
        for u in (0.0, 0.5, 1 - 2**-53):
            writer = _reviews._Writer(_reviews._slots(topic, label), iter([u] * 20), set())
            assert "{" not in writer.write((template,))


def test_no_word_is_praise_and_blame_at_once():
    blame, praise = (set(words) for words in lexicon.ADJECTIVES)
    for topic in lexicon.TOPICS:
        blame |= set(topic["blame"])
        praise |= set(topic["praise"])
        assert not set(topic["blame_fits"]) & set(topic["praise_fits"])
    assert not blame & praise
    assert not set(lexicon.NOUNS[0]) & set(lexicon.NOUNS[1])
    assert not set(lexicon.VERBS[0]) & set(lexicon.VERBS[1])


# Bad parameters


@pytest.mark.parametrize("make", [make_sigmoid, make_reviews])
@pytest.mark.parametrize("n_samples", [0, -3, 2.5, "ten", None, True, float("nan")])
def test_bad_number_of_samples(make, n_samples):
    with pytest.raises(ValueError, match="n_samples must be an integer of at least 1; found "):
        make(n_samples)


def test_numbers_of_samples_may_be_numpy_integers():
    assert len(make_reviews(np.int64(3), random_state=0)[0]) == 3


@pytest.mark.parametrize("noise", [-0.1, 0.51, float("nan"), "0.1", None])
def test_bad_label_noise(noise):
    with pytest.raises(ValueError, match=r"label_noise must be a number from 0 to 0\.5.*found"):
        make_reviews(10, label_noise=noise)


@pytest.mark.parametrize("make", [make_sigmoid, make_reviews])
def test_bad_random_state(make):
    with pytest.raises(ValueError, match="seed"):
        make(10, random_state="today")


# Ready files of public data sets (tests/test_fetch.py has the rest)


@pytest.fixture
def home(monkeypatch, tmp_path):
    monkeypatch.delenv("MODAL_INTERP_DATA", raising=False)
    monkeypatch.setattr(pooch, "os_cache", lambda name: tmp_path / "cache" / name)
    return tmp_path


def test_classes_have_one_number_in_every_subset(home):
    frame = pd.DataFrame(
        {
            "text": ["a", "b", "c", "d"],
            "label": ["NUM", "ABBR", "LOC", "NUM"],
            "split": ["train", "train", "test", "test"],
            "fine_label": "x:y",
        }
    )
    frame.to_csv(home / "trec.csv.gz", index=False)
    for subset, expected in (("all", [2, 0, 1, 2]), ("train", [2, 0]), ("test", [1, 2])):
        bunch = fetch_trec(data_home=home, subset=subset)
        assert bunch.target_names == ["ABBR", "LOC", "NUM"]
        assert bunch.target.tolist() == expected
    assert "Here: 2 rows of trec.csv.gz (ABBR 0, LOC 1, NUM 1)." in bunch.DESCR


def test_damage_inside_a_compressed_file_is_named(home):
    path = home / "subj.csv.gz"
    texts = make_reviews(300, random_state=0)[0]
    whole = gzip.compress(b"text,label\n" + b"".join(b"%s,x\n" % t.encode() for t in texts))
    for at in (len(whole) // 2, len(whole) - 6):
        broken = bytearray(whole)
        broken[at] ^= 0xFF
        path.write_bytes(broken)
        with pytest.raises(ValueError, match=r"subj\.csv\.gz must .*Remove it to download"):
            fetch_subj(data_home=home)


@pytest.mark.parametrize(
    ("content", "found"), [("text,label\n", "0 rows"), ("text,label\ngood,pos\nbad\n", "1 of them")]
)
def test_missing_rows_and_labels_are_named(content, found, home):
    (home / "mr.csv.gz").write_bytes(gzip.compress(content.encode()))
    with pytest.raises(ValueError, match=rf"mr\.csv\.gz must have rows.*{found}"):
        fetch_mr(data_home=home)


@pytest.mark.parametrize("data_home", [5, ["a"], b"data"])
def test_bad_data_home(data_home):
    with pytest.raises(TypeError, match=r"data_home must be the path of a folder.*found"):
        fetch_mr(data_home=data_home)


def test_a_stored_file_is_plain_to_read_by_others(home, monkeypatch):
    read = pd.DataFrame({"text": ["a\rb", "c"], "label": ["pos", "neg"]})
    source = _files.MR._replace(make=lambda folder: read)
    monkeypatch.setattr("modal_interp.datasets._fetch.MR", source)
    fetch_mr(data_home=home)
    assert fetch_mr(data_home=home).data.tolist() == ["a\rb", "c"]
    (home / "other").touch()
    assert (home / "mr.csv.gz").stat().st_mode == (home / "other").stat().st_mode


def test_all_but_subj_are_checked_against_known_checksums():
    urls = set(_publishers._HASHES)
    assert len(urls) == 5
    assert not any("rotten_imdb" in url for url in urls)
    assert all(re.fullmatch("md5:[0-9a-f]{32}", known) for known in _publishers._HASHES.values())


@pytest.mark.skipif(REAL_DATA is None, reason="needs the real data sets (MODAL_INTERP_DATA)")
def test_real_rows_written_as_published_have_the_known_checksums(tmp_path, monkeypatch):
    path = next(
        p
        for p in (f"{REAL_DATA}/trec.csv.gz", f"{REAL_DATA}/text/trec.csv.gz")
        if os.path.exists(p)
    )
    frame = pd.read_csv(path, keep_default_na=False, dtype=str)

    def retrieve(url, known_hash, path, **_):
        file = path / url.rsplit("/", 1)[1]
        rows = frame[frame["split"] == ("train" if "5500" in url else "test")]
        lines = (rows["fine_label"] + " " + rows["text"] + "\n").str.cat()
        content = lines.replace("sister city with", "sister\xf0city with").encode("latin-1")
        assert known_hash == "md5:" + hashlib.md5(content).hexdigest()
        file.write_bytes(content)
        return str(file)

    monkeypatch.setattr(pooch, "retrieve", retrieve)
    first = fetch_trec(data_home=tmp_path)
    assert first.data.tolist() == frame["text"].tolist()
    sizes = [len(fetch(data_home=REAL_DATA).data) for fetch in (fetch_mr, fetch_subj, fetch_agnews)]
    assert sizes[:2] == [10_662, 10_000]
    assert sizes[2] in (27_600, 127_600)
