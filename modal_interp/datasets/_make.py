"""Makes data: the Sigmoid set of the papers, and short reviews that need no download."""

from __future__ import annotations

from numbers import Integral, Real
from typing import Any

import numpy as np
import numpy.typing as npt
from numpy.random import RandomState
from scipy.special import expit
from sklearn.utils import check_random_state

from modal_interp.datasets._reviews import DRAWS, sentence


def make_sigmoid(
    n_samples: int = 2000,
    *,
    random_state: RandomState | int | None = None,
    return_regions: bool = False,
) -> tuple[npt.NDArray[Any], ...]:
    r"""Make the Sigmoid set: two features, and four regions where a line parts the classes.

    .. math:: p(y_i = 1 \mid x_i) = \mathrm{sigmoid}(x_{i,1} \cdot x_{i,2}), \qquad
        x_{i,1}, x_{i,2} \sim U[-5, 5]

    Parameters
    ----------
    n_samples : int, default=2000
        Number n of samples, at least 1.
    random_state : int, RandomState instance or None, default=None
        Seeds the draws: the same int, the same data.
    return_regions : bool, default=False
        Return the region of each sample as well.

    Returns
    -------
    X : ndarray of shape (n, 2), dtype float64
        As scikit-learn's ``make_*`` return it; the estimators here cast it.
    y : ndarray of shape (n,), dtype int64
        0 or 1, drawn with the probability above.
    regions : ndarray of shape (n,), dtype int64
        The triangle, cut by the two diagonals, that holds the sample: 0 right, 1 upper, 2 left,
        3 lower. Only if ``return_regions=True``.

    Raises
    ------
    ValueError
        If `n_samples` is not an integer of at least 1.

    Notes
    -----
    DAMI [1]_, equation 2, and ALDEN [2]_, section 2, which speaks of "roughly four linearly
    separable regions, corresponding to the four triangle areas". Each of them is split by one
    half-axis and holds both classes.

    Departs from the paper: none. Neither paper says how many samples it drew; 2000 is the choice
    here.

    References
    ----------
    .. [1] Qiang Liu, Zhaocheng Liu, Xiaofang Zhu, Yeliang Xiu and Jun Zhu, "Deep Active Learning
       by Model Interpretability", 2020.
    .. [2] Qiang Liu, Yanqiao Zhu, Zhaocheng Liu, Yufeng Zhang and Shu Wu, "Deep Active Learning
       for Text Classification with Diverse Interpretations", CIKM 2021.

    Examples
    --------
    >>> from modal_interp.datasets import make_sigmoid
    >>> X, y, regions = make_sigmoid(500, random_state=0, return_regions=True)
    >>> X.shape, y.shape
    ((500, 2), (500,))
    >>> bool(X[regions == 0, 0].min() > 0)
    True
    """
    n_samples = _checked_count(n_samples)
    rng = check_random_state(random_state)
    X = rng.uniform(-5.0, 5.0, size=(n_samples, 2))
    x1, x2 = X.T
    y = (rng.uniform(size=n_samples) < expit(x1 * x2)).astype(np.int64)
    if not return_regions:
        return X, y
    beside = np.abs(x1) >= np.abs(x2)
    regions = np.where(beside, np.where(x1 >= 0, 0, 2), np.where(x2 >= 0, 1, 3))
    return X, y, regions.astype(np.int64)


def make_reviews(
    n_samples: int = 2000,
    *,
    label_noise: float = 0.0,
    random_state: RandomState | int | None = None,
    return_kinds: bool = False,
) -> tuple[npt.NDArray[Any], ...]:
    """Make short opinions in English, negative or positive, where the word order matters.

    Parameters
    ----------
    n_samples : int, default=2000
        Number n of sentences, at least 1.
    label_noise : float, default=0.0
        Fraction of the labels, from 0 to 0.5, that are flipped; the texts stay as they are.
    random_state : int, RandomState instance or None, default=None
        Seeds the draws: the same int, the same data, and a smaller n gives the first n of them.
    return_kinds : bool, default=False
        Return the kind of each sentence as well.

    Returns
    -------
    X : ndarray of shape (n,), dtype object
        Sentences (str) of 5 to 25 words.
    y : ndarray of shape (n,), dtype int64
        0 = negative, 1 = positive; each drawn with probability 1/2.
    kinds : ndarray of shape (n,), dtype object
        "plain", "negated" ("The plot is hardly dull."), "contrast" ("Despite its charm, the hotel
        disappoints.") or "wry" (irony and other turns, rare). Only if ``return_kinds=True``.

    Raises
    ------
    ValueError
        If `n_samples` is not an integer of at least 1, or `label_noise` not within 0 to 0.5.

    Notes
    -----
    The wording is this package's own and free to use. A template is drawn by the label, then
    filled with the words of one of twelve topics. Words of praise and of blame appear under both
    labels, as do some plain ones ("cold" of a beer and of a soup). Topics, templates and words fall
    off in frequency with their rank r in the list, as 1 / (r + 2) or, where they carry the opinion,
    1 / (r + 2)^2: of some 900 word types 2000 sentences show about 730, one in six of them once,
    so that a random sample meets many words late. Logistic regression on 1600 of 2000 sentences
    is right on .80 of the rest by single words, on .88 by groups of up to three.

    Departs from the paper: not from a paper; it stands in for the review data of the papers where
    no download is wanted.

    Examples
    --------
    >>> from modal_interp.datasets import make_reviews
    >>> X, y, kinds = make_reviews(4, random_state=0, return_kinds=True)
    >>> for text, label, kind in zip(X, y, kinds):
    ...     print(label, kind, "|", text)
    0 negated | There is not a charming course in this meal.
    1 plain | A thoroughly lovely comedy, and the ending is gripping, says Hugo.
    1 plain | The touchpad is very vivid.
    0 plain | The software is really bland; the keyboard bores.
    """
    n_samples = _checked_count(n_samples)
    label_noise = _checked_fraction(label_noise)
    rng = check_random_state(random_state)
    rows = rng.random_sample((n_samples, DRAWS)).tolist()
    texts, labels, kinds = zip(*map(sentence, rows), strict=True)
    X, y = np.array(texts, dtype=object), np.array(labels, dtype=np.int64)
    flipped = rng.permutation(n_samples)[: round(label_noise * n_samples)]
    y[flipped] = 1 - y[flipped]
    return (X, y, np.array(kinds, dtype=object)) if return_kinds else (X, y)


def _checked_count(n_samples: Any) -> int:
    if isinstance(n_samples, bool) or not isinstance(n_samples, Integral) or n_samples < 1:
        raise ValueError(
            f"n_samples must be an integer of at least 1; found {n_samples!r}. "
            "Ask for the number of samples that you want, such as n_samples=2000."
        )
    return int(n_samples)


def _checked_fraction(label_noise: Any) -> float:
    if not isinstance(label_noise, Real) or not 0 <= float(label_noise) <= 0.5:
        raise ValueError(
            "label_noise must be a number from 0 to 0.5, the fraction of the labels to flip; found "
            f"{label_noise!r}. At 0.5 the labels are pure chance; to swap the classes, use 1 - y."
        )
    return float(label_noise)
