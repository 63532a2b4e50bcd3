"""Reads files of word vectors: gensim's own, word2vec's and GloVe's."""

from __future__ import annotations

import gzip
import io
import zlib
from array import array
from collections.abc import Iterable
from itertools import chain, takewhile
from os import PathLike
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

# gensim takes a second to import, so each function imports it when it is called.
if TYPE_CHECKING:
    from gensim.models import KeyedVectors


def load_word_vectors(path: str | PathLike[str], *, binary: bool | None = None) -> KeyedVectors:
    r"""Load word vectors, finding out the format from what the file holds.

    Parameters
    ----------
    path : str or path-like
        File of `KeyedVectors.save`, of `Word2Vec.save`, of word2vec in text or binary form, or of
        GloVe in text form, compressed by gzip or not. Load what `save` wrote only from a source
        that you trust: it is a pickle, and a pickle can run code.
    binary : bool, default=None
        Whether a word2vec file is binary. By default its first bytes tell.

    Returns
    -------
    gensim.models.KeyedVectors
        Vectors of dtype float32. Of a word that is listed twice, the first vector is kept.

    Raises
    ------
    FileNotFoundError
        If there is no such file.
    ValueError
        If the file is of another format or damaged.

    Notes
    -----
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
            pickled = file.peek(1).startswith(b"\x80")
            return _load_pickle(path) if pickled else _read(file, binary)
    except (ValueError, EOFError, OSError, MemoryError, zlib.error) as error:
        raise ValueError(
            f"path must name a file of KeyedVectors, word2vec or GloVe, got {str(path)!r}, which "
            f"cannot be read so ({error}): unpack it, download it again, or set binary"
        ) from error


def _open(path: Path) -> io.BufferedReader:
    with path.open("rb") as file:
        zipped = file.read(2) == b"\x1f\x8b"
    return io.BufferedReader(gzip.open(path)) if zipped else path.open("rb")


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


def _read(file: io.BufferedReader, binary: bool | None) -> KeyedVectors:
    first = file.readline()
    sizes = first.split()
    header = len(sizes) == 2 and all(map(bytes.isdigit, sizes))
    if binary and not header:
        raise ValueError("its first line does not give the numbers of words and dimensions")
    # From the right: a few words of GloVe hold spaces, but none of those ends in a number.
    dim = int(sizes[1]) if header else sum(1 for _ in takewhile(_is_number, sizes[:0:-1]))
    if dim < 1:
        raise ValueError("its first line has no vector")
    if not header:
        return _keyed_vectors(*_read_text(chain([first], file), dim))
    if binary is None:
        binary = not all(map(_is_number, file.peek().split(maxsplit=2)[1:2]))
    read = _read_binary if binary else _read_text
    return _keyed_vectors(*read(file, dim, int(sizes[0])))


def _is_number(token: bytes) -> bool:
    try:
        float(token)
    except ValueError:
        return False
    return True


def _read_text(
    lines: Iterable[bytes], dim: int, n_words: int | None = None
) -> tuple[list[bytes], npt.NDArray[np.float32]]:
    words, values = [], array("f")
    for number, line in enumerate(lines, start=1 if n_words is None else 2):
        if line.isspace():
            continue
        word, *row = line.rsplit(maxsplit=dim) or [b""]
        try:
            values.extend(map(float, row))
        except ValueError:
            row = []
        if len(row) != dim or any(map(_is_number, word.split()[1:][-1:])):
            raise ValueError(f"line {number} is not a word and {dim} numbers")
        words.append(word)
    if n_words not in (None, len(words)):
        raise ValueError(f"its first line promises {n_words} words, it has {len(words)}")
    return words, np.frombuffer(values, dtype=np.float32).reshape(-1, dim)


def _read_binary(
    file: io.BufferedReader, dim: int, n_words: int
) -> tuple[list[bytes], npt.NDArray[np.float32]]:
    words: list[bytes] = []
    matrix = np.empty((n_words, dim), dtype="<f4")
    for row in matrix:
        word = bytearray()
        while (byte := file.read(1)) not in (b" ", b""):
            word += byte
        if file.readinto(row) < row.nbytes:
            raise ValueError(f"it ends after {len(words)} of {n_words} words")
        words.append(bytes(word).lstrip(b"\n"))
    return words, matrix


def _keyed_vectors(words: list[bytes], matrix: npt.NDArray[np.float32]) -> KeyedVectors:
    from gensim.models import KeyedVectors

    first: dict[str, int] = {}
    for number, word in enumerate(words):
        # The word2vec tool cuts long words, at times within a character.
        first.setdefault(word.decode(errors="replace"), number)
    vectors = KeyedVectors(matrix.shape[1])
    vectors.add_vectors(list(first), matrix[list(first.values())])
    return vectors
