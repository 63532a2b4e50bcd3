"""Reads files of word vectors: word2vec's, GloVe's, fastText's, and gensim's own where allowed."""

from __future__ import annotations

import io
import mmap
import re
import shutil
import tempfile
from collections.abc import Iterable
from itertools import chain
from os import PathLike
from pathlib import Path
from typing import TYPE_CHECKING

from modal_interp.texts.chosen_words import ChosenWords, check_vocabulary
from modal_interp.texts.unpacking import DAMAGED, is_packed, open_unpacked
from modal_interp.texts.vector_binary import holds_binary, read_binary
from modal_interp.texts.vector_fasttext import is_fasttext, load_fasttext
from modal_interp.texts.vector_text import Matrix, Words, read_text

# gensim takes a second to import, so each function imports it when it is called.
if TYPE_CHECKING:
    from gensim.models import KeyedVectors

# What is sometimes handed over in place of vectors, by its first bytes.
_OTHERS = {
    b"\x28\xb5\x2f\xfd": "packed by zstd: unpack it first",
    b"7z\xbc\xaf\x27\x1c": "a 7z archive: unpack it first",
    b"\x93NUMPY": "an array of NumPy, which has no words",
    b"\x89HDF": "an HDF5 file: save its vectors in the text form of word2vec",
    b"version https://git-lfs": "a pointer to a file in Git LFS: fetch the file itself",
    b"<!DOCTYPE": "a web page: look at the address that it was fetched from",
    b"<html": "a web page: look at the address that it was fetched from",
    b"\xff\xfe": "text in UTF-16: save it as UTF-8",
    b"\xfe\xff": "text in UTF-16: save it as UTF-8",
}
_PICKLE = re.compile(rb"\x80[\x02-\x05]")
_MARK = b"\xef\xbb\xbf"  # which some editors set before UTF-8
_SAMPLE = 2**16


def load_word_vectors(
    path: str | PathLike[str],
    *,
    binary: bool | None = None,
    allow_pickle: bool = False,
    vocabulary: Iterable[str] | None = None,
) -> KeyedVectors:
    r"""Load word vectors, finding out the format from what the file holds.

    Parameters
    ----------
    path : str or path-like
        File of word2vec in text or binary form, of GloVe in text form, or of fastText (`.vec` and
        `.bin`), or one of them packed by gzip, bzip2, xz, or zip as its only member. What the file
        holds tells which, not its name.
    binary : bool, default=None
        Whether a word2vec file is binary. By default what stands below its first line tells.
    allow_pickle : bool, default=False
        True also loads a file of `KeyedVectors.save` or `Word2Vec.save` where `binary` is None.
        Such a file is a pickle, and a pickle can run code: allow it only from a source that you
        trust.
    vocabulary : iterable of str, default=None
        The only words to keep, such as ``encoder.vocabulary_``, in whatever case and form of
        Unicode, and the first three of the file, which show its language. The others are checked
        but take no memory. A fastText `.bin` and a pickle are kept whole.

    Returns
    -------
    gensim.models.KeyedVectors
        Vectors of dtype float32. Of a word that is listed twice, the first vector is kept. Those of
        a fastText `.bin` also have a vector for other words, put together from parts of the word.

    Warns
    -----
    UserWarning
        If several words are not UTF-8.

    Raises
    ------
    FileNotFoundError
        If there is no such file.
    TypeError
        If `vocabulary` is not of str.
    ValueError
        If the file is of another format, a pickle that is not allowed, or damaged: then with the
        line, or the byte of what is unpacked.

    Notes
    -----
    In text, the last D fields of a line are the numbers and the rest is the word, which may hold
    blanks and numbers; D is in the header, or what most of the first lines have. In the binary
    form, the word ends at the blank that numbers of sane size and another word follow.

    Departs from the paper: ALDEN and DAMI train vectors on each data set and load none.

    Examples
    --------
    >>> from pathlib import Path
    >>> from tempfile import TemporaryDirectory
    >>> from modal_interp.texts.vector_files import load_word_vectors
    >>> with TemporaryDirectory() as folder:
    ...     file = Path(folder, "glove.txt")
    ...     _ = file.write_text("fine 0.5 1\ndull -0.5 1\n")
    ...     load_word_vectors(file)["dull"]
    array([-0.5,  1. ], dtype=float32)
    """
    chosen = ChosenWords(check_vocabulary(vocabulary))
    path = Path(path)
    if not path.is_file():
        raise FileNotFoundError(
            f"path must name a file of word vectors, got {str(path)!r}, where there is none: "
            "download it, or mend the path"
        )
    try:
        with open_unpacked(path) as file:
            vectors = _load(path, file, chosen, binary, allow_pickle and binary is None)
    except (ValueError, MemoryError, *DAMAGED) as error:
        raise ValueError(
            f"path must name a file of word2vec, GloVe or fastText, got {str(path)!r}, which "
            f"cannot be read so ({error}): unpack it, download it again, or set binary"
        ) from error
    chosen.doubt_encoding(stacklevel=3)
    return vectors


def _load(
    path: Path,
    file: io.BufferedReader,
    chosen: ChosenWords,
    binary: bool | None,
    allow_pickle: bool,
) -> KeyedVectors:
    try:
        start = file.read(512)
        file.seek(0)
        _check_kind(start, allow_pickle)
        if _PICKLE.match(start):
            return _load_pickle(path)
        if is_fasttext(start):
            return _load_fasttext(path, file)
        return _keyed_vectors(*_read(file, chosen, binary))
    except DAMAGED as error:
        raise ValueError(f"damaged after byte {file.tell()} of what it holds: {error}") from error


def _check_kind(start: bytes, allow_pickle: bool) -> None:
    if is_packed(start):
        raise ValueError("it is packed twice, or no vectors were packed: unpack it first")
    for magic, kind in _OTHERS.items():
        if start.startswith(magic):
            raise ValueError(f"it is {kind}")
    if _PICKLE.match(start) and not allow_pickle:
        raise ValueError(
            "it is a pickle, which could run any code: save its vectors by save_word2vec_format, "
            "or if you trust its source, pass allow_pickle=True and leave binary out"
        )


def _load_fasttext(path: Path, file: io.BufferedReader) -> KeyedVectors:
    # gensim unpacks by the name, whatever the file holds.
    if isinstance(file.raw, io.FileIO) and path.suffix.lower() in ("", ".bin"):
        return load_fasttext(path)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "fasttext.bin")
        with path.open("wb") as unpacked:
            shutil.copyfileobj(file, unpacked, 2**20)
        return load_fasttext(path)


def _load_pickle(path: Path) -> KeyedVectors:
    from gensim.models import KeyedVectors

    try:
        loaded = KeyedVectors.load(str(path))
    except Exception as error:  # a damaged pickle may raise anything
        raise ValueError(f"{type(error).__name__}: {error}") from error
    vectors = getattr(loaded, "wv", loaded)
    if not isinstance(vectors, KeyedVectors):
        raise ValueError(f"it is a pickle of {type(loaded).__name__}")
    return vectors


def _read(
    file: io.BufferedReader, chosen: ChosenWords, binary: bool | None
) -> tuple[Words, Matrix]:
    first = file.readline().removeprefix(_MARK)
    sizes = first.split()
    if len(sizes) != 2 or not all(map(bytes.isdigit, sizes)):
        if binary:
            raise ValueError("its first line does not give the numbers of words and dimensions")
        return read_text(chain([first], file), chosen)
    n_words, dim = map(int, sizes)
    if min(n_words, dim) < 1:
        raise ValueError("its first line has no vector")
    start = file.tell()
    if binary is None:
        binary = holds_binary(file.read(_SAMPLE), dim)
        file.seek(start)
    if not binary:
        return read_text(iter(file), chosen, dim, n_words)
    return read_binary(_content(file), chosen, start, dim, n_words)


def _content(file: io.BufferedReader) -> mmap.mmap:
    if isinstance(file.raw, io.FileIO):
        return mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
    file.seek(0)
    with tempfile.TemporaryFile() as unpacked:
        shutil.copyfileobj(file, unpacked, 2**20)
        unpacked.flush()
        return mmap.mmap(unpacked.fileno(), 0, access=mmap.ACCESS_READ)


def _keyed_vectors(words: Words, matrix: Matrix) -> KeyedVectors:
    from gensim.models import KeyedVectors

    first: dict[str, int] = {}
    for number, word in enumerate(words):
        first.setdefault(word.decode(errors="replace"), number)
    vectors = KeyedVectors(matrix.shape[1])
    vectors.add_vectors(list(first), matrix[list(first.values())])
    return vectors
