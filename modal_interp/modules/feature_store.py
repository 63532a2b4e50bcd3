"""Features of texts that were computed once, kept by what the texts hold."""

from __future__ import annotations

from collections.abc import Callable
from hashlib import blake2b
from threading import Lock
from typing import Any

import numpy as np
from numpy.typing import NDArray

from modal_interp._out_of_core import empty_for

Ids = NDArray[np.int64]
Floats = NDArray[np.float32]

# Texts whose features lie together: 6 MB of 384 features.
_BLOCK = 1 << 12


class FeatureStore:
    """The features of each text that was asked for, found again by its ids.

    They lie in memory up to scikit-learn's ``working_memory``, and in temporary files beyond. A
    copy, and what is pickled, is empty: features are made again more easily than moved.

    Attributes
    ----------
    n_computed : int
        How many texts were computed since it was made, or last told to `forget`.
    """

    def __init__(self) -> None:
        self._lock = Lock()
        self.forget()

    def forget(self, state: Any = None) -> None:
        """Keep nothing; what is kept from now on belongs to this state of the encoder."""
        self._row_of: dict[bytes, int] = {}
        self._blocks: list[Floats] = []
        self.n_computed = 0
        self.state = state  # last: an interruption leaves no features that pass for those of it

    def get(
        self,
        ids: Ids,
        lengths: NDArray[Any],
        compute: Callable[[NDArray[np.intp]], Floats],
        *,
        state: Any = None,
    ) -> Floats:
        """Return the features of texts, (B, H).

        Parameters
        ----------
        ids : ndarray of shape (B, T), int64
            The texts.
        lengths : ndarray of shape (B,)
            How many of its ids each text has; padding behind them makes no other text.
        compute : callable
            Gives the features (b, H) of rows (b,) of `ids`; called for those not known, at most
            once.
        state : object
            That of the encoder; features of another one are forgotten.
        """
        ids = ids.astype(np.int64, copy=False)  # else two texts of two dtypes may have one key
        keys = [_key(row, length) for row, length in zip(ids, lengths.tolist(), strict=True)]
        with self._lock:
            if self.state != state:  # the encoder's weights were set anew
                self.forget(state)
            missing = {key: row for row, key in enumerate(keys) if key not in self._row_of}
            if missing:
                self._put(list(missing), compute(np.array(list(missing.values()), dtype=np.intp)))
            return self._take(np.array([self._row_of[key] for key in keys], dtype=np.intp))

    def _put(self, keys: list[bytes], features: Floats) -> None:
        first = len(self._row_of)
        rows = np.arange(first, first + len(keys))
        while len(self._blocks) * _BLOCK < rows[-1] + 1:
            empty = empty_for((len(self._blocks) + 1) * _BLOCK * features.shape[1] * 4)
            self._blocks.append(empty((_BLOCK, features.shape[1]), np.float32))
        for block in np.unique(rows // _BLOCK):
            here = rows // _BLOCK == block
            self._blocks[block][rows[here] % _BLOCK] = features[here]
        # Last, so that nothing is found that an interruption left unwritten.
        self._row_of.update(zip(keys, rows.tolist(), strict=True))
        self.n_computed += len(keys)

    def _take(self, rows: NDArray[np.intp]) -> Floats:
        found = np.empty((len(rows), self._blocks[0].shape[1]), dtype=np.float32)
        for block in np.unique(rows // _BLOCK):
            here = rows // _BLOCK == block
            found[here] = self._blocks[block][rows[here] % _BLOCK]
        return found

    def __reduce__(self) -> Any:
        return FeatureStore, ()

    def __deepcopy__(self, memo: Any) -> FeatureStore:
        return FeatureStore()


def _key(row: Ids, length: int) -> bytes:
    # Of 16 bytes two are alike by chance once in 10^19 pairs of pools of a million.
    return blake2b(row[:length].tobytes(), digest_size=16).digest()
