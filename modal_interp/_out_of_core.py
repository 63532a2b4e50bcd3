"""Arrays that grow with the words of a pool: in memory, or in files where there is no room."""

from __future__ import annotations

import errno
import mmap
import os
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import suppress
from tempfile import TemporaryFile
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn import get_config

Places = NDArray[np.intp]

# Words that are looked at together: a few arrays of 2 MB each.
BLOCK = 1 << 18

# Bytes from which on NumPy asks for huge pages.
_HUGE = 1 << 22


def working_memory() -> float:
    """Return the bytes that arrays may take: ``working_memory`` of scikit-learn's options."""
    return get_config()["working_memory"] * 2**20


def empty_for(n_bytes: float) -> Callable[..., NDArray[Any]]:
    """Return what makes arrays that will take so many bytes together.

    Parameters
    ----------
    n_bytes : float
        The size of all of these arrays.

    Returns
    -------
    callable
        ``np.empty`` where they fit into scikit-learn's ``working_memory``, else `empty_in_file`.
    """
    return np.empty if n_bytes <= working_memory() else empty_in_file


def empty_in_file(shape: int | tuple[int, ...], dtype: Any) -> NDArray[Any]:
    """Return an array in a temporary file, which vanishes with the array.

    Parameters
    ----------
    shape : int or tuple of int
        As for ``np.empty``.
    dtype : dtype
        As for ``np.empty``.

    Returns
    -------
    ndarray
        A plain array that is mapped to the file.

    Raises
    ------
    OSError
        If there is no room in the folder of temporary files.
    """
    n_bytes = int(np.prod(shape)) * np.dtype(dtype).itemsize
    if not n_bytes:
        return np.empty(shape, dtype)  # nothing cannot be mapped
    with TemporaryFile() as file:
        _reserve(file.fileno(), n_bytes)
        mapped: Any = np.memmap(file, dtype=dtype, mode="w+", shape=shape)
    return np.asarray(mapped)


def zeros_on_demand(shape: tuple[int, int], dtype: Any) -> NDArray[Any]:
    """Return zeros of which only the pages that are written to take memory.

    ``np.zeros`` promises that only for small arrays: for large ones NumPy 2 asks for huge pages,
    each of which one number fills.

    Parameters
    ----------
    shape : tuple of two int
        Rows and columns.
    dtype : dtype
        As for ``np.zeros``.

    Returns
    -------
    ndarray of shape `shape`
        Writable.

    Raises
    ------
    MemoryError
        If not even the addresses are to be had.
    """
    n_bytes = shape[0] * shape[1] * np.dtype(dtype).itemsize
    if n_bytes < _HUGE or not hasattr(mmap, "MADV_NOHUGEPAGE"):
        return np.zeros(shape, dtype)
    try:
        pages = mmap.mmap(-1, n_bytes, flags=mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS)
    except (OSError, OverflowError) as error:
        raise MemoryError(f"no room for {n_bytes / 2**30:.1f} GiB") from error
    with suppress(OSError):  # a system without huge pages says so
        pages.madvise(mmap.MADV_NOHUGEPAGE)
    return np.frombuffer(pages, dtype).reshape(shape)


def _reserve(file: int, n_bytes: int) -> None:
    """Raise an OSError if the disk is full: later, writing to the array would end the process."""
    if not hasattr(os, "posix_fallocate"):
        return
    try:
        os.posix_fallocate(file, 0, n_bytes)
    except OSError as error:
        if error.errno not in (errno.EINVAL, errno.EOPNOTSUPP):  # not every disk can reserve
            raise


def side_by_side(first: NDArray[Any], second: NDArray[Any]) -> NDArray[Any]:
    """Return the columns of one array and, behind them, those of another of like precision."""
    empty = empty_for(first.nbytes + second.nbytes)
    found = empty((len(first), first.shape[1] + second.shape[1]), first.dtype)
    found[:, : first.shape[1]] = first
    found[:, first.shape[1] :] = second
    return found


def cuts_with_room(lengths: Places, room: int, most: int | None = None) -> Iterator[slice]:
    """Yield parts of samples of rising lengths: each, padded to its longest, has room.

    Parameters
    ----------
    lengths : ndarray of shape (n,)
        What each sample takes, the shortest first.
    room : int
        What a part may take together. A sample that takes more is a part by itself.
    most : int, optional
        Samples in a part.

    Yields
    ------
    slice
        Where the part lies.
    """
    most, first = room if most is None else most, 0
    while first < len(lengths):
        ahead = lengths[first : first + max(1, most)]
        padded = ahead * np.arange(1, len(ahead) + 1)
        last = first + max(1, int(np.searchsorted(padded, room, side="right")))
        yield slice(first, last)
        first = last


class Spool:
    """Arrays that come one after the other, and are given back once, in the same order.

    They are held as long as they fit into scikit-learn's ``working_memory``. Those that come later
    wait in a temporary file.
    """

    def __init__(self) -> None:
        self.room = working_memory()
        self.held: deque[NDArray[Any]] = deque()
        self.written: list[tuple[tuple[int, ...], Any]] = []
        self.file: Any = None

    def append(self, array: NDArray[Any]) -> None:
        """Take an array in."""
        self.room -= array.nbytes
        if self.room >= 0:
            self.held.append(array)
            return
        self.room = -1.0  # a smaller one that follows must not be given back before this
        if self.file is None:
            self.file = TemporaryFile()  # noqa: SIM115
        self.file.write(np.ascontiguousarray(array))
        self.written.append((array.shape, array.dtype))

    def drain(self) -> Iterator[NDArray[Any]]:
        """Give all arrays back, and forget each."""
        while self.held:
            yield self.held.popleft()
        if self.file is None:
            return
        with self.file as file:
            file.seek(0)
            for shape, dtype in self.written:
                array = np.empty(shape, dtype)
                file.readinto(array)
                yield array


def ranges(
    starts: Places, ends: Places, size: int = BLOCK
) -> Iterator[tuple[slice, Places, Places]]:
    """Yield what lies in ranges, one range after the other, a block at a time.

    Parameters
    ----------
    starts, ends : ndarray of shape (r,)
        Range k goes from ``starts[k]`` up to ``ends[k]``.
    size : int
        Places in a block.

    Yields
    ------
    block : slice
        Where the block lies among the places of all ranges.
    places : ndarray of shape (b,)
        What lies in the ranges.
    which : ndarray of shape (b,)
        The range that each is of.
    """
    until = np.cumsum(ends - starts)
    since = until - (ends - starts)
    total = int(until[-1]) if len(until) else 0
    for start in range(0, total, size):
        stop = min(start + size, total)
        first, last = np.searchsorted(until, start, "right"), np.searchsorted(since, stop)
        counts = np.minimum(until[first:last], stop) - np.maximum(since[first:last], start)
        which = np.repeat(np.arange(first, last), counts)
        places = np.arange(start, stop) + (starts - since)[which]
        yield slice(start, stop), places, which
