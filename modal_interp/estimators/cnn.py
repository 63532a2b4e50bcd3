"""A scikit-learn classifier over the convolutional network."""

from __future__ import annotations

from typing import Any

from torch import nn

from modal_interp.estimators.word_ids import _WordIdsClassifier
from modal_interp.modules import TextCNN


class TextCNNClassifier(_WordIdsClassifier):
    r"""Classify texts by Kim's convolutional network, :class:`TextCNN`.

    A skorch net with scikit-learn's manners: labels of any kind in and out, nothing printed,
    reproducible, and usable in pipelines, searches and modAL's learners. The shape of `y` says how
    many labels a sample has: (n,) one, (n, C) of 0 and 1 any number out of C.

    Parameters
    ----------
    module : type of nn.Module, default=TextCNN
        Called with `n_words`, `n_classes`, `embedding_matrix` and every ``module__*`` parameter,
        such as ``module__dropout`` or ``module__embedding_dim``.
    n_words : int, default=None
        Rows of the embedding: ``encoder.n_words_`` of a :class:`WordEncoder`. None takes the rows
        of `embedding_matrix`; without one, any ids below 2**20: the net stores the vectors of the
        words that it was trained on, and every other word has a fixed vector of its own, which
        follows from its id and is computed where it is read. Training that goes on stores more.
        A `module` of your own is then built with the least power of two that is at least 32,768
        and above each id seen in `fit`.
    embedding_matrix : array of shape (n_words, D), default=None
        Word vectors to start from.
    lr : float, default=0.002
        Step size.
    max_epochs : int, default=None
        Passes over the samples in each call of `fit` or `partial_fit`. None takes 15.
    min_steps : int, default=None
        Least steps of training, one for each batch, in each such call: passes are added to
        `max_epochs` until so many are done; `early_stopping` may end training sooner. 0 adds none.
        None takes 100, and adds none where `max_epochs` is given.
    classes : array-like of shape (C,), default=None
        All labels, also those that no sample has yet. None takes the labels of `y`. Where `y` has
        a column for each label: their names in the order of the columns, None for 0..C-1.
    class_weight : None, "balanced" or dict, default=None
        Weights of the labels in the loss. "balanced" follows the labels of each call; labels that
        a dict leaves out weigh 1. Where `y` has a column for each label, "balanced" weighs the 1s
        of a column by its 0s / its 1s (by 1 where it lacks either), and a dict weighs columns.
    early_stopping : bool, default=False
        Hold out samples, stop when their loss no longer falls, and keep the best epoch's weights.
    validation_fraction : float in (0, 1), default=0.1
        Share of the samples held out; stratified, unless a class has too few or samples have
        several labels.
    n_iter_no_change : int, default=10
        Epochs to wait for a lower loss.
    random_state : None, int or RandomState, default=None
        None draws from torch's global generator. Otherwise training is reproducible (bit for bit
        on a CPU) and leaves all global generators as they were; training that goes on draws on.
    criterion, optimizer, optimizer__fused, batch_size, iterator_train__shuffle, train_split
        As in skorch, with the defaults CrossEntropyLoss (on logits), Adam, True, 50, True and
        None (all samples are for training). Where `y` has a column for each label,
        CrossEntropyLoss stands for BCEWithLogitsLoss: the mean over samples and labels of
        :math:`-y \log p - (1 - y) \log(1 - p)`, p the sigmoid of the logit. Another is kept.
    device : str, default="auto"
        "auto" is CUDA where torch finds it, else the CPU, decided anew on each machine.
    verbose : int, default=0
        0 prints nothing, 1 a line for each epoch.
    **kwargs : dict
        All other parameters of :class:`skorch.NeuralNetClassifier`. Its scoring callbacks are
        given labels as `y` has them, and the data set of a `predefined_split` holds such labels.

    Attributes
    ----------
    classes_ : ndarray of shape (C,)
        The columns of `predict_proba`: sorted labels, or where `multilabel_` in the order of `y`.
    multilabel_ : bool
        Whether samples have several labels. Then `predict_proba` gives each label a probability
        of its own, `predict` an indicator matrix (1 where it is above 0.5) of the dtype that `y`
        had in `fit`, and `score` the share of samples with all labels right.
    n_words_ : int
        Word ids that the net takes are below it.
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
        embedding for each, or `y` is neither one label out of `classes` for each text nor a
        matrix of 0 and 1 with a column for each of `classes`, or not of the kind that a warm
        start goes on with. The message says what was found and what to do.

    Notes
    -----
    Y. Kim, "Convolutional Neural Networks for Sentence Classification", EMNLP 2014; the CNN of
    ALDEN (section 4.2). Batches of 50 are Kim's. A row of the embedding that no training text
    uses keeps its first value, so rows that `n_words` counts and no training text uses cost memory
    and time in the optimiser (fused Adam over 18,000 rows of 100: 2.7 ms a step).
    Callbacks see targets as places in `classes_`, not as labels; where `multilabel_`, as float32
    of 0 and 1. Parameters that are set after `fit` act at the next one, those of the optimiser at
    once. ``initialize()`` before any `y` builds a net for one label a sample.

    Departs from the paper: Adam instead of Adadelta, no constraint on weights, and filters of 1, 2
    and 3 words (:class:`TextCNN` says why). 15 passes over 50 samples are 15 steps, which is why
    there are 100 at least; 300 were no better.

    Examples
    --------
    >>> import numpy as np
    >>> from modal_interp import TextCNNClassifier
    >>> X = np.array([[2, 3, 4], [2, 5, 0], [2, 3, 6], [7, 5, 0]])  # 0 = padding
    >>> y = ["pos", "neg", "pos", "neg"]
    >>> net = TextCNNClassifier(n_words=8, max_epochs=40, random_state=0).fit(X, y)
    >>> net.predict(X).tolist()
    ['pos', 'neg', 'pos', 'neg']

    Several labels for each text:

    >>> Y = np.array([[1, 0, 1], [0, 1, 0], [1, 0, 1], [0, 0, 0]])
    >>> names = ["film", "music", "praise"]
    >>> net = TextCNNClassifier(n_words=8, classes=names, max_epochs=40, random_state=0).fit(X, Y)
    >>> net.predict(X).tolist()
    [[1, 0, 1], [0, 1, 0], [1, 0, 1], [0, 0, 0]]
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
