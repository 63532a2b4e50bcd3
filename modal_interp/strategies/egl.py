"""Expected gradient length: how far a label would move the net."""

from __future__ import annotations

from functools import partial
from typing import Any

from modal_interp.queries.query import open_query
from modal_interp.scores.gradient_lengths import (
    expected_gradient_length,
    expected_word_gradient_length,
)
from modal_interp.strategies._checks import check_nets
from modal_interp.strategies._ranking import best_by
from modal_interp.strategies.egl_reasons import egl_reasons, egl_word_reasons


def egl(
    learner: Any,
    X_pool: Any,
    n_instances: int = 1,
    *,
    reverse: bool = False,
    candidates: Any = None,
    random_state: Any = None,
    verbose: int = 0,
) -> Any:
    r"""Ask for the samples whose label would change the net's parameters most.

    .. math:: s_i = \sum_c p_{ic} \lVert \nabla_\theta \ell(x_i, c) \rVert_2, \qquad
        \ell(x_i, c) = -\ln p_{ic}

    Parameters
    ----------
    learner : ActiveLearner, DeepActiveLearner or Committee of modAL
        Its estimators are skorch classifiers, alone or at the end of a pipeline.
    X_pool : array, list, Series, data frame, sparse matrix, dict of arrays or Dataset of n samples
        The unlabelled samples, as the learner's estimator takes them.
    n_instances : int, default=1
        How many samples to ask for, from 1 to n.
    reverse : bool, default=False
        Ask for the samples of lowest score instead.
    candidates : int, float, array of int, callable or list of these, optional
        The samples that may be chosen, as for :func:`~modal_interp.open_query`. Without it, all.
    random_state : int, RandomState or None
        Seeds the draw of `candidates`; nothing else is random.
    verbose : int, default=0
        Greater than 0 shows a progress bar.

    Returns
    -------
    indices : ndarray of shape (n_instances,)
        Rows of `X_pool`, the highest score first; of equal scores the lowest index.
    scores : ndarray of shape (n_instances,), float64
        The expected lengths, for a committee the mean over its members.
        What ``learner.query(..., return_metrics=True)`` adds; without, modAL 0.4.1 gets the
        indices alone.

    Raises
    ------
    TypeError, ValueError
        If a parameter breaks its rule, before any pass through a net; ValueError, too, if what a
        net computes is not finite.
    sklearn.exceptions.NotFittedError
        If an estimator is not fitted.

    Notes
    -----
    Settles et al. [1]_; Huang et al. [2]_ for deep nets. Several labels score the mean over
    labels, each expected over its yes and no. Of a module that torch can vectorise and that reads
    no words, all gradients of a batch come at once; otherwise each sample and class takes a
    backward pass, which for texts is slow: :func:`egl_word` is not.

    Departs from the paper: only parameters that training changes count; frozen ones do not.

    References
    ----------
    .. [1] B. Settles, M. Craven and S. Ray. Multiple-instance active learning. NIPS 2007.
    .. [2] J. Huang, R. Child, V. Rao, H. Liu, S. Satheesh and A. Coates. Active learning for
       speech recognition: the power of gradients. arXiv:1612.03226, 2016.
    """
    query = open_query(
        learner,
        X_pool,
        n_instances,
        candidates=candidates,
        random_state=random_state,
        check=partial(check_nets, verbose=verbose),
    )
    score = partial(expected_gradient_length, verbose=verbose)
    return best_by(score, query, n_instances, reverse=reverse, why=egl_reasons)


def egl_word(
    learner: Any,
    X_pool: Any,
    n_instances: int = 1,
    *,
    reverse: bool = False,
    candidates: Any = None,
    random_state: Any = None,
    verbose: int = 0,
    **read_by: Any,
) -> Any:
    r"""Ask for the texts that hold the word whose embedding their label would change most.

    .. math:: s_i = \max_{w \in x_i} \sum_c p_{ic}
        \Big\lVert \sum_{j:\, x_{ij} = w} \frac{\partial \ell(x_i, c)}{\partial e_{ij}}
        \Big\rVert_2

    Parameters
    ----------
    learner, X_pool, n_instances, reverse, candidates, random_state, verbose
        As for :func:`egl`; of texts.
    **read_by
        Layers of the net's module by name and what counts as a word (``no_words=``,
        ``begins_word=``, ``words=``), where it is not read rightly without:
        :class:`~modal_interp.ReadBy`.

    Returns
    -------
    indices, scores : ndarray of shape (n_instances,)
        As for :func:`egl`; 0 for a text without words.

    Raises
    ------
    TypeError, ValueError
        If a parameter breaks its rule, before any pass through a net; ValueError, too, if what a
        net computes is not finite.
    sklearn.exceptions.NotFittedError
        If an estimator is not fitted.

    Notes
    -----
    Zhang et al. [1]_, EGL-word; the "EGL" of DAMI on texts. The gradients of a repeated word add
    up before the norm. For two classes one backward pass a batch gives both gradients.

    Departs from the paper: none. Frozen embeddings are scored like trained ones; the gradients of
    the pieces of a word add up, too, and the same word is the same sequence of pieces.

    References
    ----------
    .. [1] Y. Zhang, M. Lease and B. C. Wallace. Active discriminative text representation
       learning. AAAI 2017.
    """
    query = open_query(
        learner,
        X_pool,
        n_instances,
        candidates=candidates,
        random_state=random_state,
        check=partial(check_nets, embedding=True, verbose=verbose, **read_by),
    )
    score = partial(expected_word_gradient_length, verbose=verbose, **read_by)
    why = partial(egl_word_reasons, read_by=read_by)
    return best_by(score, query, n_instances, reverse=reverse, why=why)
