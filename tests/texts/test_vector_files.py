"""Files of word vectors as people have them: each read rightly, or refused with its place."""

import bz2
import gzip
import lzma
import os
import pickle
import random
import struct
import tracemalloc
import zipfile
from pathlib import Path

import gensim
import numpy as np
import pytest
from gensim.models import KeyedVectors
from gensim.models.fasttext import load_facebook_vectors
from numpy.testing import assert_array_equal

from modal_interp.texts.vector_files import load_word_vectors
from modal_interp.texts.word_encoder import WordEncoder
from modal_interp.texts.word_vectors import embedding_matrix

GENSIM = Path(gensim.__file__).parent / "test" / "test_data"
WORDS = {
    "phrase in the middle": [*(f"w{i}" for i in range(30)), "new york", "dull", "plot"],
    "phrase first": ["new york", "fine", "dull"],
    "phrase last": ["fine", "dull", "new york"],
    "every word a phrase": [f"new {i} york" for i in range(50)],
    "blanks of four bytes": ["the cat", "fine", "a b c d", "abc def ghi", "dull"],
    "blanks together": ["a  b", "fine", "a   b   c"],
    "many blanks": ["to be or not to be that is the question whether it is nobler", "fine"],
    "numbers": ["1984", "3.14", "-1", "1e5", "nan", "inf"],
    "numbers in phrases": ["fine", "area 51", "windows 95", "7 of 9", "to infinity", "dull"],
    "decimals in phrases": ["fine", "web 2.0", "dull"],
    "one word": ["fine"],
    "scripts": ["naïve", "звезда", "東京", "กรุงเทพ", "मुंबई", "עברית", "😀👍🏽"],
    "scripts in phrases": ["Нью Йорк", "東京 都", "São Paulo", "a\u00a0b", "👩‍💻 ok"],
    "blanks of other kinds": ["a\u2003b", "a\u3000b", "a\u2028b", "a\u0085b", "\u200b"],
    "marks": ["#", "...", "<unk>", "</s>", "'", '"', ",", "\\", "a_b", "__", "http://x.y"],
    "long": ["x" * 900, "é" * 300, "fine"],
}


def keyed(words, dim, seed=0):
    vectors = KeyedVectors(dim)
    drawn = np.random.RandomState(seed).normal(0, 0.3, size=(len(words), dim))
    vectors.add_vectors(words, drawn.astype(np.float32))
    return vectors


def assert_read(path, expected, **options):
    found = load_word_vectors(path, **options)
    assert found.index_to_key == expected.index_to_key
    np.testing.assert_allclose(found.vectors, expected.vectors, rtol=1e-5)


# --- words ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("dim", [5, 100])
@pytest.mark.parametrize("words", WORDS.values(), ids=WORDS)
@pytest.mark.parametrize("form", ["text", "binary", "tool", "glove"])
def test_words(tmp_path, words, dim, form):
    vectors, path = keyed(words, dim), tmp_path / "vectors"
    if form == "tool":  # word2vec's own writes a line's end after each vector
        rows = zip(words, vectors.vectors, strict=True)
        body = b"".join(word.encode() + b" " + row.tobytes() + b"\n" for word, row in rows)
        path.write_bytes(f"{len(words)} {dim}\n".encode() + body)
    else:
        header = {"write_header": False} if form == "glove" else {}
        vectors.save_word2vec_format(str(path), binary=form == "binary", **header)
    assert_read(path, vectors)


@pytest.mark.parametrize("seed", range(20))
def test_phrases_wherever_they_stand(tmp_path, seed):
    draw = random.Random(seed)
    letters = "abcdefghij XYZ éжн東"
    words = dict.fromkeys(
        "".join(draw.choices(letters, k=draw.randint(1, 12))).strip() for _ in range(3000)
    )
    vectors = keyed([word for word in words if word], draw.choice([8, 25, 50]), seed)
    for name, binary in (("vectors.txt", True), ("vectors.bin", False)):  # names say nothing
        vectors.save_word2vec_format(str(tmp_path / name), binary=binary)
        assert_read(tmp_path / name, vectors)


def test_vectors_of_zeros_and_of_other_sizes(tmp_path):
    vectors = keyed(["zero", "new york", "large", "small", "fine"], 20)
    for row, factor in enumerate([0, 0, 100, 1e-4, 1]):
        vectors.vectors[row] *= factor
    vectors.save_word2vec_format(str(tmp_path / "vectors"), binary=True)
    assert_read(tmp_path / "vectors", vectors)


# --- forms ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("pack", [gzip.compress, bz2.compress, lzma.compress])
@pytest.mark.parametrize("name", ["vectors", "vectors.txt", "vectors.gz", "vectors.bin.xz"])
@pytest.mark.parametrize("binary", [True, False])
def test_packed_files_under_any_name(tmp_path, pack, name, binary):
    vectors, path = keyed(["new york", "fine", "東京"], 7), tmp_path / name
    vectors.save_word2vec_format(str(tmp_path / "plain"), binary=binary)
    path.write_bytes(pack((tmp_path / "plain").read_bytes()))
    assert_read(path, vectors)


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"\xef\xbb\xbffine 0.5 1\ndull 1 0.5\n", ["fine", "dull"]),
        (b"\xef\xbb\xbf2 2\nfine 0.5 1\ndull 1 0.5\n", ["fine", "dull"]),
        (b"2 2\r\nfine 0.5 1\r\ndull 1 0.5\r\n", ["fine", "dull"]),
        (b"fine\t0.5\t1\nnew york\t1\t0.5\n", ["fine", "new york"]),
        (b"fine 0.5 1 \ndull 1 0.5 ", ["fine", "dull"]),
        (b"\n\nfine 0.5 1\n\ndull 1 0.5\n\n", ["fine", "dull"]),
        (b"area 51 0.5 1\nfine 1 0.5\ndull 0.5 1\n", ["area 51", "fine", "dull"]),
        (b"1984 0.5 1\n42 1 0.5\n", ["1984", "42"]),
        (b"2 2\n24 7 365 0.5 1.0\n9 to 5 1.0 0.5\n", ["24 7 365", "9 to 5"]),
        (b"fine 5e-1 +1.0\ndull 1E0 .5\n", ["fine", "dull"]),
        (b"fine 0.5 1\nfine 0 0.1\ndull 1 0.5\n", ["fine", "dull"]),
        (b"a\xc2\xa0b 0.5 1\nc 1 0.5\n", ["a\u00a0b", "c"]),
    ],
)
def test_text_as_people_have_it(tmp_path, content, words):
    (tmp_path / "vectors").write_bytes(content)
    found = load_word_vectors(tmp_path / "vectors")
    assert found.index_to_key == words
    assert set(found.vectors[:2].ravel()) == {0.5, 1.0}


SHIPPED = {  # name: words, dimensions, one word
    "high_precision.kv.txt": (2, 2, "kangaroo.n.01"),
    "high_precision.kv.bin": (2, 2, "kangaroo.n.01"),
    "euclidean_vectors.bin": (2747, 10, "the"),
    "poincare_vectors.bin": (1182, 10, "mammal.n.01"),
    "word2vec_pre_kv_c": (1750, 10, "the"),
    "test_glove.txt": (76, 50, "the"),
    "crime-and-punishment.vec": (291, 5, "молодой"),
    "lee_fasttext.vec": (1762, 10, "the"),
    "crime-and-punishment.bin": (291, 5, "молодой"),
    "lee_fasttext.bin": (1762, 10, "the"),
    "lee_fasttext_new.bin": (1763, 10, "the"),
    "toy-model.bin": (22, 5, "the"),
}


@pytest.mark.parametrize("name", SHIPPED)
def test_files_that_gensim_ships(name):
    n_words, dim, word = SHIPPED[name]
    found = load_word_vectors(GENSIM / name)
    assert found.vectors.shape == (n_words, dim)
    assert word in found.key_to_index
    assert 0 < np.abs(found.vectors).max() < 100


# --- fastText -------------------------------------------------------------------------------------


@pytest.mark.parametrize("pack", [bytes, gzip.compress, bz2.compress, lzma.compress])
@pytest.mark.parametrize("name", ["model.bin", "model", "model.txt", "model.vec.gz"])
def test_fasttext_under_any_name(tmp_path, pack, name):
    (tmp_path / name).write_bytes(pack((GENSIM / "crime-and-punishment.bin").read_bytes()))
    found = load_word_vectors(tmp_path / name)
    expected = load_facebook_vectors(str(GENSIM / "crime-and-punishment.bin"))
    assert found.index_to_key == expected.index_to_key
    assert_array_equal(found.vectors, expected.vectors)
    assert "Раскольникову" in found
    assert found["Раскольникову"].any()


@pytest.mark.parametrize("name", ["crime-and-punishment.bin", "lee_fasttext.bin"])
@pytest.mark.parametrize("share", [0.0, 0.01, 0.1, 0.5, 0.9, 0.999])
def test_fasttext_that_was_cut_off(tmp_path, name, share):
    content = (GENSIM / name).read_bytes()
    (tmp_path / "model.bin").write_bytes(content[: 64 + int(share * (len(content) - 64))])
    with pytest.raises(ValueError, match=r"fastText's own format, which ends"):
        load_word_vectors(tmp_path / "model.bin")


def test_fasttext_of_other_kinds(tmp_path):
    content = bytearray((GENSIM / "crime-and-punishment.bin").read_bytes())
    path = tmp_path / "model.bin"
    labels = content.copy()
    struct.pack_into("<i", labels, 8 + 56 + 8, 3)
    path.write_bytes(labels)
    with pytest.raises(ValueError, match=r"fastText classifier.*\.vec"):
        load_word_vectors(path)
    buckets = content.copy()
    struct.pack_into("<i", buckets, 8 + 32, 2**30)
    path.write_bytes(buckets)
    with pytest.raises(ValueError, match=r"damaged at byte \d+: a matrix of"):
        load_word_vectors(path)


# --- pickles --------------------------------------------------------------------------------------


class Payload:
    def __init__(self, mark):
        self.mark = mark

    def __reduce__(self):
        return os.mkdir, (self.mark,)


@pytest.mark.parametrize("protocol", range(6))
@pytest.mark.parametrize("binary", [None, False, True])
@pytest.mark.parametrize("pack", [bytes, gzip.compress, bz2.compress])
@pytest.mark.parametrize("name", ["glove.txt", "vectors.bin", "vectors.kv", "w2v.model", "v"])
def test_no_pickle_is_loaded_unasked(tmp_path, protocol, binary, pack, name):
    mark = tmp_path / "ran"
    (tmp_path / name).write_bytes(pack(pickle.dumps(Payload(str(mark)), protocol=protocol)))
    with pytest.raises(ValueError, match=r"path must name a file of word2vec"):
        load_word_vectors(tmp_path / name, binary=binary)
    if binary is not None:
        with pytest.raises(ValueError, match=r"path must name a file of word2vec"):
            load_word_vectors(tmp_path / name, binary=binary, allow_pickle=True)
    assert not mark.exists()


def test_what_gensim_saved_is_loaded_where_allowed(tmp_path):
    vectors, path = keyed(["fine", "new york"], 3), tmp_path / "vectors.kv"
    vectors.save(str(path))
    with pytest.raises(ValueError, match=r"a pickle.*save_word2vec_format.*allow_pickle=True"):
        load_word_vectors(path)
    assert_read(path, vectors, allow_pickle=True)
    vectors.save_word2vec_format(str(path))
    assert_read(path, vectors, allow_pickle=True)


# --- damaged files --------------------------------------------------------------------------------

ONE = struct.pack("<2f", 0.5, 1.0)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"fine 0.5 1\ndull 0.5\nfilm 1 2\n", "line 2 is not a word and 2 numbers"),
        (b"fine 0.5 1\ndull 0.5 1 2\nfilm 1 2\n", "line 2 is not a word and 2 numbers"),
        (b"fine 0.5 1\ndull 0,5 1,0\nfilm 1 2\n", "line 2 is not a word and 2 numbers"),
        (b"fine 0.5 1\ndull 0.5 1_0\nfilm 1 2\n", "line 2 is not a word and 2 numbers"),
        (b"fine 0.5 1\nx 0.5 1\ny 0.5 1 dull 1 2\n", "line 3 is not a word and 2 numbers"),
        (b"fine 0.5 1\n0.5 1\nfilm 1 2\n", "line 2 is not a word and 2 numbers"),
        (b"fine 0.5 1\ndull 0.5 \x00\nfilm 1 2\n", "line 2 is not a word and 2 numbers"),
        (b"word,x,y\nfine,0.5,1\n", "line 1"),
        (b"# made by me\nfine 0.5 1\ndull 0.5 1\n", "line 1 is not a word and 2 numbers"),
        (b"2 3\nfine 0.5 1\ndull 0.5 1\n", "line 2 is not a word and 3 numbers, it ends in 2"),
        (b"2 1\nfine 0.5 0.1\ndull 0.5 0.2\n", "line 2 is not a word and 1 numbers"),
        (b"3 2\nfine 0.5 1\ndull 0.5 1\n", "promises 3 words, it has 2"),
        (b"2 2\nfine 0.5 1\ndull 0.5", "line 3 is not a word and 2 numbers"),
        (b"0 2\n", "no vector"),
        (b"2 0\nfine\ndull\n", "no vector"),
        (b"2 2\nfine " + ONE + b"dull " + ONE[:5], "ends after 1 of 2 words, at byte 27"),
        (b"3 2\nfine " + ONE + b"dull " + ONE, "ends after 2 of 3 words, at byte 30"),
        (b"1 2\nfine " + ONE + b"dull " + ONE, "end at byte 17, but 13 bytes follow"),
        (b"2 2\nfine " + ONE + b"dull " + b"\xff" * 8, "word 2, at byte 17, is not followed"),
        (b"2 3\nfine " + ONE + b"dull " + ONE, "at byte"),
        (b"1 2\nfine " + struct.pack(">2f", 0.5, 1.0), "no sane size"),
        (b"2 1\nfine " + struct.pack(">f", 0.3) + b"dull " + struct.pack(">f", 0.4), "sane size"),
        (b"1 1\nfine " + struct.pack("<d", 0.3), "byte"),
        (b"1 4\nfine " + np.arange(1, 9).astype("<f2").tobytes(), "sane size"),
        (b"\xff\xfef\0i\0n\0e\0 \0001\0\n\0", "UTF-16"),
        (b"PK\x03\x04 glove", "not a zip file"),
        (b"\x93NUMPY\1\0", "an array of NumPy"),
        (b"<!DOCTYPE html><html>", "a web page"),
        (b"version https://git-lfs.github.com/spec/v1\noid sha256:1\nsize 12\n", "Git LFS"),
    ],
)
def test_refused_with_its_place(tmp_path, content, message):
    (tmp_path / "vectors").write_bytes(content)
    with pytest.raises(ValueError, match=rf"path must name a file.*{message}"):
        load_word_vectors(tmp_path / "vectors")


@pytest.mark.parametrize("pack", [gzip.compress, bz2.compress, lzma.compress])
@pytest.mark.parametrize("binary", [True, False])
def test_packed_files_that_were_cut_off(tmp_path, pack, binary):
    keyed([f"w{i}" for i in range(500)], 50).save_word2vec_format(
        str(tmp_path / "plain"), binary=binary
    )
    packed = pack((tmp_path / "plain").read_bytes())
    (tmp_path / "vectors").write_bytes(packed[: len(packed) // 2])
    with pytest.raises(ValueError, match=r"damaged after byte \d+ of what it holds"):
        load_word_vectors(tmp_path / "vectors")


def test_a_cut_or_damaged_binary_is_never_read(tmp_path):
    vectors = keyed(["fine", "new york", *(f"w{i}" for i in range(20))], 10)
    vectors.save_word2vec_format(str(tmp_path / "whole"), binary=True)
    content = (tmp_path / "whole").read_bytes()
    for cut in range(6, len(content), 7):
        (tmp_path / "cut").write_bytes(content[:cut])
        with pytest.raises(ValueError, match="path must name a file"):
            load_word_vectors(tmp_path / "cut")
    for word in ("new york", "w0", "w7", "w18"):  # a byte of its vector is lost
        for gap in range(3, 40, 3):
            at = content.index(word.encode() + b" ") + len(word) + 1 + gap
            (tmp_path / "cut").write_bytes(content[:at] + content[at + 1 :])
            with pytest.raises(ValueError, match="at byte"):
                load_word_vectors(tmp_path / "cut")


def test_words_that_are_not_utf8_are_told(tmp_path):
    words = ["café", "naïf", "été", "fine"]
    path = tmp_path / "vectors"
    path.write_bytes("".join(f"{word} 0.5 1\n" for word in words).encode("latin-1"))
    with pytest.warns(UserWarning, match="3 of 4 words are not UTF-8") as told:
        load_word_vectors(path)
    assert told[0].filename == __file__


# --- packed by zip --------------------------------------------------------------------------------


def zipped(path, members, **options):
    with zipfile.ZipFile(path, "w", **options) as archive:
        for name, content in members.items():
            archive.writestr(name, content)


@pytest.mark.parametrize("name", ["vectors.zip", "vectors.txt", "vectors", "vectors.bin.gz"])
@pytest.mark.parametrize("method", [zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED, zipfile.ZIP_LZMA])
@pytest.mark.parametrize("binary", [True, False])
def test_the_only_member_of_a_zip_archive(tmp_path, name, method, binary):
    vectors = keyed(["new york", "fine", "東京"], 7)
    vectors.save_word2vec_format(str(tmp_path / "plain"), binary=binary)
    content = (tmp_path / "plain").read_bytes()
    members = {"wiki/": b"", "wiki/news.vec": content, "__MACOSX/._news.vec": b"\0"}
    zipped(tmp_path / name, members, compression=method)
    assert_read(tmp_path / name, vectors)


def test_fasttext_in_a_zip_archive(tmp_path):
    content = (GENSIM / "crime-and-punishment.bin").read_bytes()
    zipped(tmp_path / "cc.ru.zip", {"cc.ru.bin": content})
    assert "Раскольникову" in load_word_vectors(tmp_path / "cc.ru.zip")


@pytest.mark.parametrize(
    ("members", "message"),
    [
        ({}, "holds nothing"),
        ({"g.50d.txt": b"a 1 2\n", "g.100d.txt": b"a 1 2 3 4\n"}, "'g.50d.txt', 'g.100d.txt'"),
        ({"g.txt.gz": gzip.compress(b"a 1 2\n")}, "packed twice"),
        ({"g.kv": pickle.dumps([1])}, "a pickle, which could run any code"),
        ({"g.txt": b"a 1 2\nb 1\nc 1 2\n"}, "line 2 is not a word and 2 numbers"),
    ],
)
def test_zip_archives_that_are_refused(tmp_path, members, message):
    zipped(tmp_path / "g.zip", members)
    with pytest.raises(ValueError, match=rf"path must name a file.*{message}"):
        load_word_vectors(tmp_path / "g.zip")


def test_damaged_and_locked_zip_archives(tmp_path):
    path, content = tmp_path / "g.zip", b"fine 0.5 1\n" * 99
    zipped(path, {"g.txt": content}, compression=zipfile.ZIP_STORED)
    whole = path.read_bytes()
    path.write_bytes(whole[: len(whole) // 2])
    with pytest.raises(ValueError, match=r"path must name a file.*not a zip file"):
        load_word_vectors(path)
    path.write_bytes(whole.replace(b"0.5", b"0.6", 1))
    with pytest.raises(ValueError, match=r"damaged after byte \d+ of what it holds: Bad CRC"):
        load_word_vectors(path)
    locked = bytearray(whole)
    locked[6] |= 1
    locked[whole.index(b"PK\1\2") + 8] |= 1
    path.write_bytes(locked)
    with pytest.raises(ValueError, match=r"cannot be unpacked here.*password"):
        load_word_vectors(path)


# --- a vocabulary ---------------------------------------------------------------------------------

LISTED = ["the", "of", "and", "Fine", "dull", "NEW york", "caf\u00e9", "STRASSE", "plot", "plot"]


@pytest.mark.parametrize("form", ["text", "binary", "glove"])
@pytest.mark.parametrize("pack", [bytes, gzip.compress, lzma.compress])
def test_only_words_of_the_vocabulary_are_kept(tmp_path, form, pack):
    vectors = keyed(list(dict.fromkeys(LISTED)), 6)
    path = tmp_path / "vectors"
    header = {"write_header": False} if form == "glove" else {}
    vectors.save_word2vec_format(str(path), binary=form == "binary", **header)
    path.write_bytes(pack(path.read_bytes()))
    wanted = {"fine": 2, "new york": 3, "cafe\u0301": 4, "straße": 5, "nowhere": 6}
    found = load_word_vectors(path, vocabulary=wanted)
    kept = ["the", "of", "and", "Fine", "NEW york", "caf\u00e9", "STRASSE"]
    assert found.index_to_key == kept, "the first three, and others in any case and form"
    np.testing.assert_allclose(found.vectors, vectors[kept], rtol=1e-5)
    for other in (list(wanted), iter(wanted), set(wanted), np.array(list(wanted))):
        assert load_word_vectors(path, vocabulary=other).index_to_key == kept
    assert load_word_vectors(path, vocabulary=[]).index_to_key == kept[:3]


@pytest.mark.parametrize("binary", [True, False])
def test_words_that_are_left_out_are_checked(tmp_path, binary):
    vectors, path = keyed([f"w{i}" for i in range(300)], 5), tmp_path / "vectors"
    vectors.save_word2vec_format(str(path), binary=binary)
    content = path.read_bytes()
    at = content.index(b"w250 ") + (8 if binary else len("w250"))
    gap = 1 if binary else content[at + 1 :].index(b" ") + 1
    path.write_bytes(content[:at] + content[at + gap :])
    with pytest.raises(ValueError, match="byte" if binary else "line 252 is not a word"):
        load_word_vectors(path, vocabulary=["w7"])
    path.write_bytes(content[: len(content) // 2])
    with pytest.raises(ValueError, match="byte" if binary else "line|promises 300 words"):
        load_word_vectors(path, vocabulary=["w7"])


def test_a_vocabulary_bounds_the_memory(tmp_path):
    words, path = [f"w{i}" for i in range(20_000)], tmp_path / "vectors"
    keyed(words, 100).save_word2vec_format(str(path), binary=True)
    peaks = {}
    for name, vocabulary in (("all", None), ("few", words[::1000])):
        for content in (path.read_bytes(), gzip.compress(path.read_bytes(), 1)):
            (tmp_path / "packed").write_bytes(content)
            tracemalloc.start()
            load_word_vectors(tmp_path / "packed", vocabulary=vocabulary)
            peaks[name] = max(peaks.get(name, 0), tracemalloc.get_traced_memory()[1])
            tracemalloc.stop()
    assert peaks["all"] > 8e6
    assert peaks["few"] < 4e6


@pytest.mark.parametrize(
    ("vocabulary", "message"),
    [
        ("fine", "vocabulary must be words.*got str"),
        (b"fine", "vocabulary must be words.*got bytes"),
        (7, "vocabulary must be words.*got int"),
        (["fine", 7], "vocabulary must be words.*got 7 among them"),
        ([None], "vocabulary must be words.*got None among them"),
    ],
)
def test_bad_vocabularies(tmp_path, vocabulary, message):
    (tmp_path / "vectors").write_bytes(b"fine 0.5 1\n")
    with pytest.raises(TypeError, match=message):
        load_word_vectors(tmp_path / "vectors", vocabulary=vocabulary)


def test_a_vocabulary_leaves_matrix_and_warnings_as_they_are(tmp_path):
    words = ["das", "und", "Der", "Haus", "Hund", "Katze", "läuft"]
    keyed(words, 4).save_word2vec_format(str(tmp_path / "v"))
    encoder = WordEncoder().fit(["das haus und der hund", "die katze läuft heim"])
    matrices = []
    for vocabulary in (None, encoder.vocabulary_):
        vectors = load_word_vectors(tmp_path / "v", vocabulary=vocabulary)
        with pytest.warns(UserWarning, match="lower-casing the words of vectors would find 77.8%"):
            matrices.append(embedding_matrix(encoder, vectors, random_state=0))
    assert_array_equal(*matrices)


def test_a_vocabulary_in_another_language_shows_what_the_file_holds(tmp_path):
    keyed(["это", "было", "давно", "там"], 4).save_word2vec_format(str(tmp_path / "v"))
    encoder = WordEncoder().fit(["a fine film"])
    vectors = load_word_vectors(tmp_path / "v", vocabulary=encoder.vocabulary_)
    with pytest.raises(ValueError, match=r"none of its 3.*vectors hold 'это', 'было', 'давно'"):
        embedding_matrix(encoder, vectors)


@pytest.mark.parametrize("number", ["nan", "inf", "-inf", "1e39"])
def test_vectors_of_no_numbers_are_refused(tmp_path, number):
    path = tmp_path / "v.txt"
    path.write_text(f"fine 0.5 1.0\ndull {number} 1.0\nfilm 0.5 0.25\n")
    with pytest.raises(ValueError, match="the vector of 'dull' holds NaN, infinity"):
        load_word_vectors(path)
