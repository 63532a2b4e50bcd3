"""A scikit-learn classifier over the stack of convolutions and an LSTM."""

from __future__ import annotations

from typing import Any

from torch import nn

from modal_interp.estimators.word_ids import _WordIdsClassifier
from modal_interp.modules import TextCNNLSTM


class TextCNNLSTMClassifier(_WordIdsClassifier):
    """Classify texts by stacked convolutions and an LSTM over them, :class:`TextCNNLSTM`.

    Parameters
    ----------
    module : type of nn.Module, default=TextCNNLSTM
        Called as in :class:`TextCNNClassifier`.
    n_words, embedding_matrix, **kwargs
        As in :class:`TextCNNClassifier`, as are all other parameters and attributes.

    Raises
    ------
    ValueError
        As in :class:`TextCNNClassifier`.

    Notes
    -----
    The 1dCNN-LSTM of D. Cho's slides on the topics of papers (2021), for word ids of shape (n, T).
    A deep net for the thousands of labels of that study: on TREC and paper titles with 50 and 200
    labels its accuracy on validation texts is .299, of :class:`TextBiLSTMClassifier` .366; from
    word vectors (`embedding_matrix`) .420. 100 steps are the least, as for the others; with
    kernels of 1 to 4, 300 gained .018 at three times the time.

    Departs from the paper: :class:`TextCNNLSTM` says what the slides leave open, and what is chosen
    there.

    Examples
    --------
    >>> import numpy as np
    >>> from modal_interp import TextCNNLSTMClassifier
    >>> X = np.array([[2, 3, 4], [2, 5, 0], [2, 3, 6], [7, 5, 0]])
    >>> y = ["pos", "neg", "pos", "neg"]
    >>> net = TextCNNLSTMClassifier(n_words=8, max_epochs=40, random_state=0).fit(X, y)
    >>> net.predict(X).tolist()
    ['pos', 'neg', 'pos', 'neg']
    """

    def __init__(
        self,
        module: type[nn.Module] = TextCNNLSTM,
        *,
        n_words: int | None = None,
        embedding_matrix: Any = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(module, n_words=n_words, embedding_matrix=embedding_matrix, **kwargs)
