"""fastText's own format, looked through first: gensim hangs on a file that was cut off."""

from __future__ import annotations

import mmap
import struct
from pathlib import Path
from typing import TYPE_CHECKING

# gensim takes a second to import, so each function imports it when it is called.
if TYPE_CHECKING:
    from gensim.models import KeyedVectors

_MAGIC = 793_712_314
_ARGUMENTS = struct.Struct("<12id")
# Within _ARGUMENTS
_DIM, _LOSS, _MODEL, _BUCKET, _MIN_N, _MAX_N = 0, 6, 7, 8, 9, 10


def is_fasttext(start: bytes) -> bool:
    """Tell by its first bytes; files of before 2017 have no magic number, but all arguments."""
    if start[:4] == struct.pack("<i", _MAGIC):
        return True
    if len(start) < _ARGUMENTS.size:
        return False
    values = _ARGUMENTS.unpack_from(start)
    return (
        0 < values[_DIM] < 2**16
        and 0 < values[_LOSS] < 5
        and 0 < values[_MODEL] < 4
        and 0 <= values[_MIN_N] < 2**8
        and 0 <= values[_MAX_N] < 2**8
        and 0 <= values[-1] <= 1
    )


def load_fasttext(path: Path) -> KeyedVectors:
    """Load an uncompressed file, whatever its name.

    Raises
    ------
    ValueError
        If it is damaged, a classifier, or quantised.
    """
    with path.open("rb") as file:
        _check(mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ))
    from gensim.models.fasttext import load_facebook_vectors

    try:
        return load_facebook_vectors(str(path.resolve()))
    except Exception as error:  # gensim asserts what it finds
        raise ValueError(f"fastText's own format: {type(error).__name__}: {error}") from error


def _check(content: mmap.mmap) -> None:
    try:
        _walk(content)
    except struct.error:
        raise ValueError(
            f"fastText's own format, which ends too early, at byte {len(content)}"
        ) from None


def _walk(content: mmap.mmap) -> None:
    new = struct.unpack_from("<i", content)[0] == _MAGIC
    at = 8 if new else 0
    arguments = _ARGUMENTS.unpack_from(content, at)
    at += _ARGUMENTS.size
    n_entries, n_words, n_labels, _ = struct.unpack_from("<3iq", content, at)
    at += 20
    if n_labels > 0:
        raise ValueError(
            "a fastText classifier, of which gensim reads nothing: take the .vec beside it"
        )
    n_pruned = struct.unpack_from("<q", content, at)[0] if new else 0
    at = _after_words(content, at + 8 * new, n_entries) + 8 * max(0, n_pruned)
    shape = (n_words + arguments[_BUCKET], arguments[_DIM])
    after = _after_matrix(content, at, new, shape)
    _after_matrix(content, after, new, None)  # the output layer, which is not loaded


def _after_words(content: mmap.mmap, at: int, count: int) -> int:
    for number in range(count):
        end = content.find(b"\0", at)
        if end < 0:
            raise ValueError(f"fastText's own format, which ends after {number} of {count} words")
        at = end + 1 + 9  # the count of the word, and its kind
    return at


def _after_matrix(content: mmap.mmap, at: int, new: bool, shape: tuple[int, int] | None) -> int:
    if new and content[at : at + 1] == b"\1":
        raise ValueError("a quantised fastText model (.ftz): take the .bin or .vec beside it")
    n_rows, dim = found = struct.unpack_from("<2q", content, at + new)
    if shape is not None and found != shape:
        raise ValueError(
            f"fastText's own format, damaged at byte {at}: a matrix of {found} where its first "
            f"bytes promise {shape}"
        )
    end = int(at + new + 16 + 4 * n_rows * dim)
    if min(n_rows, dim) < 0 or end > len(content):
        raise ValueError(
            f"fastText's own format, which ends at byte {len(content)}, within the matrix that "
            f"begins at byte {at}"
        )
    return end
