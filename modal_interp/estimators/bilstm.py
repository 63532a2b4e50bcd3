"""A scikit-learn classifier over the bidirectional LSTM."""

from __future__ import annotations

from typing import Any

from torch import nn

from modal_interp.estimators.word_ids import _WordIdsClassifier
from modal_interp.modules import TextBiLSTM


class TextBiLSTMClassifier(_WordIdsClassifier):
    """Classify texts by a bidirectional LSTM, :class:`TextBiLSTM`.

    Parameters
    ----------
    module : type of nn.Module, default=TextBiLSTM
        Called as in :class:`TextCNNClassifier`.
    n_words, embedding_matrix, **kwargs
        As in :class:`TextCNNClassifier`, as are all other parameters and attributes.

    Raises
    ------
    ValueError
        As in :class:`TextCNNClassifier`.

    Notes
    -----
    The BiLSTM of ALDEN (section 4.2), for word ids of shape (n, T); with ``module__n_layers=2``
    that of D. Cho's slides on the topics of papers (2021).

    Departs from the paper: neither says how it pools; this takes the maximum over time.

    Examples
    --------
    >>> import numpy as np
    >>> from modal_interp import TextBiLSTMClassifier
    >>> X = np.array([[2, 3, 4], [2, 5, 0], [2, 3, 6], [7, 5, 0]])
    >>> y = ["pos", "neg", "pos", "neg"]
    >>> net = TextBiLSTMClassifier(n_words=8, max_epochs=40, random_state=0).fit(X, y)
    >>> net.predict(X).tolist()
    ['pos', 'neg', 'pos', 'neg']
    """

    def __init__(
        self,
        module: type[nn.Module] = TextBiLSTM,
        *,
        n_words: int | None = None,
        embedding_matrix: Any = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(module, n_words=n_words, embedding_matrix=embedding_matrix, **kwargs)
