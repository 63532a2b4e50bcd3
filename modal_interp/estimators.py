"""scikit-learn classifiers over the package's modules, by skorch."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.utils.validation import validate_data
from torch import nn

from modal_interp.classifier import _ModuleClassifier
from modal_interp.modules import TabularMLP, TextBiLSTM, TextCNN
from modal_interp.modules._words import check_size

# Rows of an embedding that nobody sized: at least, and at most (0.4 GB of 100 dimensions).
LEAST_ROWS, MOST_ROWS = 2**15, 2**20


class _WordIdsClassifier(_ModuleClassifier):
    """A classifier of texts, given as word ids."""

    n_words_: int

    def __init__(
        self,
        module: type[nn.Module],
        *,
        n_words: int | None,
        embedding_matrix: Any,
        lr: float = 2e-3,
        max_epochs: int = 15,
        **kwargs: Any,
    ) -> None:
        super().__init__(module, lr=lr, max_epochs=max_epochs, **kwargs)
        self.n_words = n_words
        self.embedding_matrix = embedding_matrix

    def _check_input(self, X: Any, *, reset: bool) -> NDArray[np.int64]:
        ids = as_word_ids(X)
        largest = int(ids.max(initial=0))
        n_words = self._count_rows(largest) if reset else self.n_words_
        if largest >= n_words:
            raise ValueError(
                f"Word ids reach {largest}, but the embedding has {n_words} rows: pass "
                "n_words=encoder.n_words_, or an embedding_matrix with a row for each word."
            )
        self.n_words_ = n_words
        return ids

    def _count_rows(self, largest: int) -> int:
        """Return the number of embedding rows: as told, else enough for words yet to come."""
        if self.embedding_matrix is not None:
            rows = len(self.embedding_matrix)
            if self.n_words not in (None, rows):
                raise ValueError(f"n_words={self.n_words}, but embedding_matrix has {rows} rows.")
            return rows
        if self.n_words is not None:
            return check_size("n_words", self.n_words, 2)
        return min(max(LEAST_ROWS, 1 << largest.bit_length()), MOST_ROWS)

    def _module_sizes(self) -> dict[str, Any]:
        if "n_words_" not in vars(self):
            self.n_words_ = self._count_rows(0)
        return {"n_words": self.n_words_, "embedding_matrix": self.embedding_matrix}


def as_word_ids(X: Any) -> NDArray[np.int64]:
    """Return `X` as word ids (n, T), int64, or raise a ValueError that says what is wrong."""
    try:
        ids = np.asarray(X)
    except ValueError as error:
        raise ValueError("X must have rows of one length: pad them with 0.") from error
    if ids.dtype.kind in "US" or any(isinstance(item, str) for item in ids.ravel()[:1].tolist()):
        raise ValueError("X holds strings, not word ids: put a WordEncoder before this classifier.")
    if ids.ndim != 2 or not ids.size:
        raise ValueError(f"X must be word ids of shape (n, T), found shape {ids.shape}.")
    if ids.dtype.kind not in "iu":
        raise ValueError(f"X must hold integers (word ids), found dtype {ids.dtype}.")
    if ids.min() < 0:
        raise ValueError(f"Word ids must be >= 0, found {ids.min()}.")
    return np.require(ids, np.int64, "W")


class TextCNNClassifier(_WordIdsClassifier):
    """Classify texts by Kim's convolutional network, :class:`TextCNN`.

    A skorch net with scikit-learn's manners: labels of any kind in and out, nothing printed,
    reproducible, and usable in pipelines, searches and modAL's learners.

    Parameters
    ----------
    module : type of nn.Module, default=TextCNN
        Called with `n_words`, `n_classes`, `embedding_matrix` and every ``module__*`` parameter,
        such as ``module__dropout`` or ``module__embedding_dim``.
    n_words : int, default=None
        Rows of the embedding: ``encoder.n_words_`` of a :class:`WordEncoder`. None takes the rows
        of `embedding_matrix`; without one, the least power of two that is at least 32,768 and
        above each id seen in `fit`, so that words of the pool have rows of their own.
    embedding_matrix : array of shape (n_words, D), default=None
        Word vectors to start from.
    lr : float, default=0.002
        Step size.
    max_epochs : int, default=15
        Passes over the samples in each call of `fit` or `partial_fit`.
    classes : array-like of shape (C,), default=None
        All labels, also those that no sample has yet. None takes the labels of `y`.
    class_weight : None, "balanced" or dict, default=None
        Weights of the labels in the loss. "balanced" follows the labels of each call; labels that
        a dict leaves out weigh 1.
    early_stopping : bool, default=False
        Hold out samples, stop when their loss no longer falls, and keep the best epoch's weights.
    validation_fraction : float in (0, 1), default=0.1
        Share of the samples held out; stratified, unless a class has too few.
    n_iter_no_change : int, default=10
        Epochs to wait for a lower loss.
    random_state : None, int or RandomState, default=None
        None draws from torch's global generator. Otherwise training is reproducible (bit for bit
        on a CPU) and leaves all global generators as they were; training that goes on draws on.
    criterion, optimizer, optimizer__fused, batch_size, iterator_train__shuffle, train_split
        As in skorch, with the defaults CrossEntropyLoss (on logits), Adam, True, 50, True and
        None (all samples are for training).
    device : str, default="auto"
        "auto" is CUDA where torch finds it, else the CPU, decided anew on each machine.
    verbose : int, default=0
        0 prints nothing, 1 a line for each epoch.
    **kwargs : dict
        All other parameters of :class:`skorch.NeuralNetClassifier`.

    Attributes
    ----------
    classes_ : ndarray of shape (C,)
        Sorted labels; the columns of `predict_proba`.
    n_words_ : int
        Rows of the embedding.
    module_ : nn.Module
        The trained module.
    history_ : skorch.history.History
        Loss and duration of each epoch.
    random_state_ : RandomState or None
        Where seeds are drawn from.

    Raises
    ------
    ValueError
        If a parameter breaks its rule, `X` is not word ids of shape (n, T) with a row of the
        embedding for each, or `y` is not one label out of `classes` for each text. The message
        says what was found and what to do.

    Notes
    -----
    Y. Kim, "Convolutional Neural Networks for Sentence Classification", EMNLP 2014; the CNN of
    ALDEN (section 4.2). Batches of 50 are Kim's. A row of the embedding that no training text
    uses keeps its first value, so spare rows cost time in the optimiser (fused Adam over 32,768
    rows of 100: 3.5 ms a step, over 18,000: 2.7 ms) and nothing else.
    Callbacks see targets as places in `classes_`, not as labels. Parameters that are set after
    `fit` act at the next one, those of the optimiser at once.

    Departs from the paper: Adam instead of Adadelta, and no constraint on weights.

    Examples
    --------
    >>> import numpy as np
    >>> from modal_interp import TextCNNClassifier
    >>> X = np.array([[2, 3, 4], [2, 5, 0], [2, 3, 6], [7, 5, 0]])  # 0 = padding
    >>> y = ["pos", "neg", "pos", "neg"]
    >>> net = TextCNNClassifier(n_words=8, max_epochs=40, random_state=0).fit(X, y)
    >>> net.predict(X).tolist()
    ['pos', 'neg', 'pos', 'neg']
    """

    def __init__(
        self,
        module: type[nn.Module] = TextCNN,
        *,
        n_words: int | None = None,
        embedding_matrix: Any = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(module, n_words=n_words, embedding_matrix=embedding_matrix, **kwargs)


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
    The BiLSTM of ALDEN (section 4.2), for word ids of shape (n, T).

    Departs from the paper: ALDEN does not say how it pools; this takes the maximum over time.

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


class TabularMLPClassifier(_ModuleClassifier):
    """Classify rows of numbers by a multilayer perceptron, :class:`TabularMLP`.

    Parameters
    ----------
    module : type of nn.Module, default=TabularMLP
        Called with `n_features`, `n_classes` and every ``module__*`` parameter, such as
        ``module__hidden``.
    lr : float, default=0.01
        Step size.
    max_epochs : int, default=50
        Passes over the samples in each call of `fit` or `partial_fit`.
    **kwargs
        All other parameters of :class:`TextCNNClassifier` from `classes` on.

    Attributes
    ----------
    n_features_in_ : int
        Columns seen in `fit`.
    feature_names_in_ : ndarray of shape (n_features,)
        Their names, where `X` was a DataFrame with names.

    Raises
    ------
    ValueError
        As scikit-learn's estimators do, for input that is not finite numbers of shape (n, d).

    Notes
    -----
    The network of DAMI's tabular experiments. Numbers are computed with as float32 and not
    scaled: put a ``StandardScaler`` before the classifier.

    Departs from the paper: DAMI does not say how it trains; the defaults here are of our choice.

    Examples
    --------
    >>> from sklearn.datasets import load_iris
    >>> from sklearn.pipeline import make_pipeline
    >>> from sklearn.preprocessing import StandardScaler
    >>> from modal_interp import TabularMLPClassifier
    >>> X, y = load_iris(return_X_y=True)
    >>> net = make_pipeline(StandardScaler(), TabularMLPClassifier(random_state=0)).fit(X, y)
    >>> net.score(X, y) > 0.9
    True
    """

    def __init__(
        self,
        module: type[nn.Module] = TabularMLP,
        *,
        lr: float = 1e-2,
        max_epochs: int = 50,
        **kwargs: Any,
    ) -> None:
        super().__init__(module, lr=lr, max_epochs=max_epochs, **kwargs)

    def _check_input(self, X: Any, *, reset: bool) -> NDArray[np.float32]:
        # Writable, because torch warns at arrays that are not.
        return np.require(validate_data(self, X, dtype=np.float32, reset=reset), requirements="W")

    def _module_sizes(self) -> dict[str, Any]:
        if "n_features_in_" not in vars(self):
            raise ValueError("The number of columns is not known before fit: call fit.")
        return {"n_features": self.n_features_in_}
