"""Reads files of word vectors: word2vec's, GloVe's, fastText's, and gensim's own where allowed."""

from __future__ import annotations

import bz2
import gzip
import io
import lzma
import mmap
import re
import shutil
import tempfile
import warnings
import zlib
from itertools import chain
from os import PathLike
from pathlib import Path
from typing import TYPE_CHECKING, Any

from modal_interp.texts.vector_binary import holds_binary, read_binary
from modal_interp.texts.vector_fasttext import is_fasttext, load_fasttext
from modal_interp.texts.vector_text import Matrix, Words, read_text

# gensim takes a second to import, so each function imports it when it is called.
if TYPE_CHECKING:
    from gensim.models import KeyedVectors

_PACKED: dict[bytes, Any] = {
    b"\x1f\x8b": gzip.open,
    b"BZh": bz2.open,
    b"\xfd7zXZ\0": lzma.open,
}
_DAMAGED = (EOFError, OSError, zlib.error, lzma.LZMAError)
# What is sometimes handed over in place of vectors, by its first bytes.
_OTHERS = {
    b"PK\x03\x04": "a zip archive: unpack it and name the file in it that has the vectors",
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
    path: str | PathLike[str], *, binary: bool | None = None, allow_pickle: bool = False
) -> KeyedVectors:
    r"""Load word vectors, finding out the format from what the file holds.

    Parameters
    ----------
    path : str or path-like
        File of word2vec in text or binary form, of GloVe in text form, or of fastText (`.vec` and
        `.bin`), compressed by gzip, bzip2 or xz or not. What the file holds tells which, not its
        name.
    binary : bool, default=None
        Whether a word2vec file is binary. By default what stands below its first line tells.
    allow_pickle : bool, default=False
        True also loads a file of `KeyedVectors.save` or `Word2Vec.save` where `binary` is None.
        Such a file is a pickle, and a pickle can run code: allow it only from a source that you
        trust.

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
    path = Path(path)
    if not path.is_file():
        raise FileNotFoundError(
            f"path must name a file of word vectors, got {str(path)!r}, where there is none: "
            "download it, or mend the path"
        )
    try:
        with _open(path) as file:
            return _load(path, file, binary, allow_pickle and binary is None)
    except (ValueError, MemoryError, *_DAMAGED) as error:
        raise ValueError(
            f"path must name a file of word2vec, GloVe or fastText, got {str(path)!r}, which "
            f"cannot be read so ({error}): unpack it, download it again, or set binary"
        ) from error


def _open(path: Path) -> io.BufferedReader:
    with path.open("rb") as file:
        start = file.read(6)
    for magic, unpacked in _PACKED.items():
        if start.startswith(magic):
            return io.BufferedReader(unpacked(path))
    return path.open("rb")


def _load(
    path: Path, file: io.BufferedReader, binary: bool | None, allow_pickle: bool
) -> KeyedVectors:
    try:
        start = file.read(512)
        file.seek(0)
        _check_kind(start, allow_pickle)
        if _PICKLE.match(start):
            return _load_pickle(path)
        if is_fasttext(start):
            return _load_fasttext(path, file)
        return _keyed_vectors(*_read(file, binary))
    except _DAMAGED as error:
        raise ValueError(f"damaged after byte {file.tell()} of what it holds: {error}") from error


def _check_kind(start: bytes, allow_pickle: bool) -> None:
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


def _read(file: io.BufferedReader, binary: bool | None) -> tuple[Words, Matrix]:
    first = file.readline().removeprefix(_MARK)
    sizes = first.split()
    if len(sizes) != 2 or not all(map(bytes.isdigit, sizes)):
        if binary:
            raise ValueError("its first line does not give the numbers of words and dimensions")
        return read_text(chain([first], file))
    n_words, dim = map(int, sizes)
    if min(n_words, dim) < 1:
        raise ValueError("its first line has no vector")
    start = file.tell()
    if binary is None:
        binary = holds_binary(file.read(_SAMPLE), dim)
        file.seek(start)
    if not binary:
        return read_text(iter(file), dim, n_words)
    return read_binary(_content(file), start, dim, n_words)


def _content(file: io.BufferedReader) -> bytes | mmap.mmap:
    file.seek(0)
    if isinstance(file.raw, io.FileIO):
        return mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
    return file.read()


def _keyed_vectors(words: Words, matrix: Matrix) -> KeyedVectors:
    from gensim.models import KeyedVectors

    first: dict[str, int] = {}
    n_foreign = 0
    for number, word in enumerate(words):
        # The word2vec tool cuts long words, at times within a character.
        text = word.decode(errors="replace")
        n_foreign += "\ufffd" in text and len(word) < 40 and "\ufffd".encode() not in word
        first.setdefault(text, number)
    if n_foreign > max(1, len(words) / 100):
        warnings.warn(
            f"{n_foreign} of {len(words)} words are not UTF-8, and texts will not find them: save "
            "the file as UTF-8",
            UserWarning,
            stacklevel=4,
        )
    vectors = KeyedVectors(matrix.shape[1])
    vectors.add_vectors(list(first), matrix[list(first.values())])
    return vectors
