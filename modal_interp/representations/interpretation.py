"""The local interpretation of each sample as one vector, that a selector can compare."""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterable
from contextlib import closing
from functools import partial
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from skorch import NeuralNet
from skorch.dataset import get_len

from modal_interp._out_of_core import working_memory
from modal_interp.nets.forward import as_array, in_order
from modal_interp.nets.gradients import word_gradients
from modal_interp.nets.inputs import check_word_ids
from modal_interp.nets.layers import reads_words
from modal_interp.nets.outputs import Classes, Target, check_explained
from modal_interp.nets.pieces import WordGradients, by_whole_words
from modal_interp.nets.samples import distinct_rows
from modal_interp.representations.explained_words import check_finite_gradients
from modal_interp.representations.interpretations import feature_interpretations

Floats = NDArray[np.float32]


def interpretation(
    net: NeuralNet,
    X: Any,
    *,
    target: Target = "proba",
    classes: Classes = "all",
    verbose: int = 0,
    **read_by: Any,
) -> Floats:
    r"""Return the local interpretation of each sample as one vector.

    Of a table the gradient of the prediction by the features. Of texts the gradient by the word
    that is explained least like the others,

    .. math::

        I_{ij} = \frac{\partial \hat y_i}{\partial e_{ij}}, \qquad
        \bar I = \frac{1}{|U|} \sum_{x_i \in U} \frac{1}{|x_i|} \sum_j I_{ij}, \qquad
        r_i = I_{i d_i}, \quad d_i = \operatorname*{arg\,max}_j \lVert I_{ij} - \bar I \rVert^2

    Parameters
    ----------
    net : skorch.NeuralNet
        A fitted classifier. With an embedding layer it reads texts, else a table.
    X : ndarray of shape (n, T), integer, or of shape (n, d), float
        Word ids, padded; or real features.
    target : {"proba", "logit"}, default="proba"
        The prediction :math:`\hat y`: the probabilities, or the logits, centred over classes.
    classes : {"all", "predicted"}, default="all"
        Explain every class, one vector behind the other, or of each sample the predicted one.
    verbose : int, default=0
        Greater than 0 shows a progress bar.
    **read_by
        Layers by name and what counts as a word, where the net is not read rightly without:
        :class:`~modal_interp.ReadBy`.

    Returns
    -------
    ndarray of shape (n, A D) or (n, A d), float32
        A is 1 for two classes and for ``classes="predicted"``, else the number of classes. A row
        of NaN for a text without words.

    Raises
    ------
    ValueError
        If `X` does not suit the net, a layer is not found, or gradients are not finite.

    Notes
    -----
    DAMI [1]_: equation 1 for tables, equations 3 to 6 for texts. The mean takes one pass over the
    texts, the choice of words another. Where the gradients of all words take no more than
    scikit-learn's ``working_memory`` (1 GiB, unless set by :func:`sklearn.set_config`), they are
    held, on the net's device, and the second pass is saved.

    Departs from the paper: for more than two classes, which the paper leaves open, a word has one
    gradient a class, side by side. Texts without words do not count in the mean. Of equally far
    words the first. The gradients of a word's pieces add up.

    References
    ----------
    .. [1] Liu et al., "Deep Active Learning by Model Interpretability", 2020.
    """
    return interpretation_and_mean(
        net, X, target=target, classes=classes, verbose=verbose, **read_by
    )[0]


def interpretation_and_mean(
    net: NeuralNet, X: Any, *, target: Target, classes: Classes, verbose: int = 0, **read_by: Any
) -> tuple[Floats, NDArray[np.float64] | None]:
    """Return what :func:`interpretation` does, and of texts the mean interpretation, (A D,)."""
    check_explained(target, classes, verbose)
    options: dict[str, Any] = {"target": target, "classes": classes, "verbose": verbose, **read_by}
    if reads_words(net):
        check_word_ids(net, X, param="X", **read_by)
        return _of_texts(partial(word_gradients, net, **options), X)
    distinct, sample_of = distinct_rows(X)
    values = feature_interpretations(net, distinct, **options)
    return values.reshape(len(values), -1)[sample_of], None


def distances_from_mean(
    net: NeuralNet, X: Any, mean: NDArray[np.float64], chosen: Floats, **options: Any
) -> list[tuple[NDArray[np.float64], int]]:
    """Return how far the words of each text are from the mean, and which was chosen.

    Parameters
    ----------
    net, X, **options
        As for :func:`interpretation`; n texts.
    mean : ndarray of shape (A D,)
        The mean interpretation, of all texts that were compared.
    chosen : ndarray of shape (n, A D)
        The interpretations by the most informative words.

    Returns
    -------
    list of n tuples of ndarray of shape (n_words,), float64, and int
        The distances, in the order of the text, and the place of the most informative word; -1
        for a text without words.
    """
    found: dict[int, tuple[NDArray[np.float64], int]] = {}
    with closing(word_gradients(net, X, **options)) as batches:
        for batch in map(by_whole_words, batches):
            gradients = as_array(batch.gradients.flatten(2)).astype(np.float64)
            is_word = batch.is_word.cpu().numpy()
            for row, words, real in zip(batch.rows.tolist(), gradients, is_word, strict=True):
                # By what was chosen: of words nearly as far, rounding follows the batch.
                off = ((words[real] - chosen[row]) ** 2).sum(axis=1)
                far = np.sqrt(((words[real] - mean) ** 2).sum(axis=1))
                found[row] = far, int(off.argmin()) if len(off) else -1
    return [found[i] for i in range(len(found))]


def _of_texts(
    gradients_of: Callable[..., Generator[WordGradients]], X: NDArray[Any]
) -> tuple[Floats, NDArray[np.float64]]:
    """Return the interpretation by each text's most informative word, and the mean."""
    distinct, sample_of = distinct_rows(X)
    counts = np.ones(get_len(X)) if isinstance(sample_of, slice) else np.bincount(sample_of)
    held = _Held(working_memory())
    with closing(gradients_of(distinct)) as batches:
        mean = _mean_interpretation(held.watch(map(by_whole_words, batches)), counts)
    with closing(held.again(partial(gradients_of, distinct))) as batches:
        parts = [(batch.rows, _farthest(batch, mean)) for batch in batches]
    rows_of, found = zip(*parts, strict=True)
    return in_order(list(rows_of), found)[sample_of], mean


class _Held:
    """The gradients of one pass, held for a second as long as they take so many bytes at most."""

    def __init__(self, room: float) -> None:
        self.room = room
        self.batches: list[WordGradients] | None = []

    def watch(self, batches: Iterable[WordGradients]) -> Generator[WordGradients]:
        """Give on the batches, and hold them while there is room."""
        for batch in batches:
            self.room -= batch.gradients.nbytes + batch.ids.nbytes + batch.is_word.nbytes
            if self.room < 0:
                self.batches = None
            if self.batches is not None:  # without the embeddings, whose memory a slice would hold
                self.batches.append(batch._replace(embeddings=batch.embeddings.new_empty(0)))
            yield batch

    def again(
        self, second_pass: Callable[[], Generator[WordGradients]]
    ) -> Generator[WordGradients]:
        """Give the batches again, by a second pass where there was no room."""
        if self.batches is not None:
            yield from self.batches
            return
        with closing(second_pass()) as batches:
            yield from map(by_whole_words, batches)


def _mean_interpretation(
    batches: Iterable[WordGradients], counts: NDArray[Any]
) -> NDArray[np.float64]:
    """Return the mean over texts of the mean over their words, shape (A D,)."""
    total, n_texts = np.float64(0.0), 0
    for batch in batches:
        n_words = batch.is_word.sum(dim=1).cpu().numpy()
        summed = (batch.gradients.flatten(2) * batch.is_word[..., None]).sum(dim=1)
        weights = counts[batch.rows] * (n_words > 0)
        total = total + weights / np.maximum(n_words, 1) @ as_array(summed).astype(np.float64)
        n_texts += weights.sum()
    check_finite_gradients(np.asarray(total))
    return np.atleast_1d(total / max(n_texts, 1))


def _farthest(batch: WordGradients, mean: NDArray[np.float64]) -> Floats:
    """Return the gradient of the word of each text that is farthest from the mean, (b, A D)."""
    gradients = batch.gradients.flatten(2)
    if not gradients.shape[1]:
        return np.full((len(gradients), gradients.shape[2]), np.nan, dtype=np.float32)
    distance = (gradients - torch.from_numpy(mean).to(gradients)).square().sum(dim=2)
    word = distance.masked_fill(~batch.is_word, -1.0).argmax(dim=1)
    found = as_array(gradients[torch.arange(len(word)), word])
    found[~batch.is_word.any(dim=1).cpu().numpy()] = np.nan
    return found
