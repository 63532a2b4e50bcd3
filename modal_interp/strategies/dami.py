"""DAMI: deep active learning by model interpretability (Liu et al., 2020)."""

from __future__ import annotations

from functools import partial
from typing import Any, Literal

import numpy as np

from modal_interp.nets.inputs import check_features, check_word_ids
from modal_interp.nets.layers import reads_words
from modal_interp.nets.outputs import Classes, Target, check_explained
from modal_interp.queries.learner import View
from modal_interp.queries.query import open_query
from modal_interp.representations.interpretation import interpretation_and_mean
from modal_interp.selectors.k_medoids import check_clustering, k_medoids
from modal_interp.strategies._checks import check_nets
from modal_interp.strategies.dami_reasons import Clustered, dami_reasons


def dami_kmedoids(
    learner: Any,
    X_pool: Any,
    n_instances: int = 1,
    *,
    target: Target = "proba",
    classes: Classes = "all",
    clustering: Literal["fasterpam", "alternate", "kcenter"] = "fasterpam",
    candidates: Any = None,
    random_state: Any = None,
    verbose: int = 0,
    **read_by: Any,
) -> Any:
    r"""Ask for the medoids of the local interpretations, clustered.

    A table is represented by the gradient of the prediction by its features; a text by the
    gradient by its most informative word, the one explained least like the others:

    .. math::

        I_i = \frac{\partial \hat y_i}{\partial x_i}; \qquad
        I_{ij} = \frac{\partial \hat y_i}{\partial e_{ij}}, \quad
        \bar I = \frac{1}{|U|} \sum_{x_i \in U} \frac{1}{|x_i|} \sum_j I_{ij}, \quad
        r_i = I_{i d_i}, \quad d_i = \operatorname*{arg\,max}_j \lVert I_{ij} - \bar I \rVert^2

    Parameters
    ----------
    learner : ActiveLearner, DeepActiveLearner or Committee of modAL
        Its estimators are skorch classifiers, alone or at the end of a pipeline. A
        module with an embedding layer reads texts, any other a table.
    X_pool : array, list, Series, data frame, sparse matrix or Dataset of word ids, of n samples
        The unlabelled samples, as the learner's estimator takes them.
    n_instances : int, default=1
        How many samples to ask for, from 1 to n.
    target : {"proba", "logit"}, default="proba"
        The prediction :math:`\hat y` that is explained: the class probabilities, or the logits
        centred over the classes.
    classes : {"all", "predicted"}, default="all"
        Explain every class, or of each sample the predicted one alone.
    clustering : {"fasterpam", "alternate", "kcenter"}, default="fasterpam"
        As for :func:`~modal_interp.k_medoids`: medoids by swaps, by turns as in the paper (needs
        scikit-learn-extra), or k-center greedy as in the paper's later version.
    candidates : int, float, array of int, callable or list of these, optional
        The samples that may be chosen, as for :func:`~modal_interp.open_query`. Without it, all.
    random_state : int, RandomState or None
        Seeds the clustering. None draws anew each time; the global generator is never used.
    verbose : int, default=0
        Greater than 0 shows a progress bar.
    **read_by
        Layers of the net's module by name and what counts as a word (``no_words=``,
        ``begins_word=``, ``words=``), where it is not read rightly without:
        :class:`~modal_interp.ReadBy`.

    Returns
    -------
    indices : ndarray of shape (n_instances,)
        Rows of `X_pool`: the medoids, that of the largest cluster first.
    cluster_sizes : ndarray of shape (n_instances,), float64
        How many samples each medoid stands for, itself among them.
        What ``learner.query(..., return_metrics=True)`` adds; without, modAL 0.4.1 gets the
        indices alone.

    Raises
    ------
    TypeError, ValueError
        If a parameter breaks its rule, before any pass through a net; ValueError, too, if what a
        net computes is not finite.
    sklearn.exceptions.NotFittedError
        If an estimator is not fitted.
    ImportError
        If ``clustering="alternate"`` and scikit-learn-extra does not import.

    Notes
    -----
    Algorithms 1 and 2 of [1]_. What `target` brings is measured in the documentation.

    Departs from the paper: for more than two classes, which the paper leaves open, there is one
    gradient a class, side by side, and so for the members of a committee. The gradients of the
    pieces of a word add up. The clustering is FasterPAM instead of the paper's `"alternate"`. With
    `candidates` the mean is over these. Texts without words have no interpretation: they do not
    count in the mean, and are asked for last.

    References
    ----------
    .. [1] Qiang Liu, Zhaocheng Liu, Xiaofang Zhu, Yeliang Xiu and Jun Zhu, "Deep Active Learning
       by Model Interpretability", 2020.

    Examples
    --------
    >>> from modAL.models import ActiveLearner
    >>> from modal_interp import TabularMLPClassifier, dami_kmedoids, make_sigmoid
    >>> X, y = make_sigmoid(300, random_state=0)
    >>> learner = ActiveLearner(
    ...     estimator=TabularMLPClassifier(random_state=0),
    ...     query_strategy=dami_kmedoids,
    ...     X_training=X[:50],
    ...     y_training=y[:50],
    ... )
    >>> indices, asked = learner.query(X[50:], n_instances=4, random_state=0)
    >>> asked.shape
    (4, 2)
    """
    check_explained(target, classes, verbose)
    check_clustering(clustering)
    query = open_query(
        learner,
        X_pool,
        n_instances,
        candidates=candidates,
        random_state=random_state,
        check=partial(_check, **read_by),
    )
    options: dict[str, Any] = {"target": target, "classes": classes, "verbose": verbose}
    explain: Any = partial(interpretation_and_mean, **options, **read_by)
    by_net, means = zip(*(explain(view.net, view.pool) for view in query.views), strict=True)
    Z = np.hstack(by_net)
    explained = np.flatnonzero(~np.isnan(Z).any(axis=1))
    k = min(n_instances, len(explained))
    chosen, sizes = explained[:0], np.empty(0, dtype=np.intp)
    if k:
        found = k_medoids(
            Z[explained],
            k,
            clustering=clustering,
            device=_gpu_of(query.views),
            random_state=query.random_state,
        )
        chosen, sizes = explained[found.medoids], np.bincount(found.labels, minlength=k)
    wordless = np.setdiff1d(np.arange(len(Z)), explained)[: n_instances - k]
    metrics = np.concatenate([sizes, np.ones(len(wordless))])
    of_words = {"target": target, "classes": classes, **read_by}
    why = partial(dami_reasons, clustered=Clustered(query, by_net, means, of_words))
    return query.answer(np.concatenate([chosen, wordless]), metrics, why=why, of_any=True)


def _gpu_of(views: list[View]) -> str | None:
    """Return the GPU that a net is on, for the clustering to use it too."""
    devices = [str(view.net.device) for view in views]
    return next((device for device in devices if device.startswith("cuda")), None)


def _check(views: list[View], **read_by: Any) -> None:
    """Check the samples as each net sees them, and the layers to explain by."""
    check_nets(views, **read_by)
    for view in views:
        if reads_words(view.net):
            check_word_ids(view.net, view.pool, param="X_pool", **read_by)
        else:
            check_features(view.pool, param="X_pool")
