"""ALDEN: active learning with diverse interpretations (Liu et al., CIKM 2021)."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial, reduce
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from modal_interp._out_of_core import side_by_side
from modal_interp.nets.outputs import Classes, Target, check_explained
from modal_interp.nets.pieces import count_alike, what_counts
from modal_interp.nets.samples import stacked
from modal_interp.nets.words import embedding_rows
from modal_interp.queries.learner import View, is_same
from modal_interp.queries.query import open_query
from modal_interp.queries.stacking import n_samples
from modal_interp.representations.explained_words import WordInterpretations, numbered_alike
from modal_interp.representations.interpretations import word_interpretations
from modal_interp.selectors.diverse_words import diverse_words
from modal_interp.strategies._checks import check_nets
from modal_interp.strategies.alden_reasons import Compared, alden_reasons

# The interpretations of the pool and of the labelled texts.
Explained: TypeAlias = tuple[WordInterpretations, WordInterpretations]


def alden_diversity(
    learner: Any,
    X_pool: Any,
    n_instances: int = 1,
    *,
    target: Target = "proba",
    classes: Classes = "all",
    X_labeled: Any = None,
    candidates: Any = None,
    random_state: Any = None,
    verbose: int = 0,
    **read_by: Any,
) -> Any:
    r"""Ask for the texts whose words are explained most differently than in the labelled texts.

    .. math::

        I_{ij} = \frac{\partial \hat y_i}{\partial e_{ij}} e_{ij}^\top, \qquad
        D(x_i) = \max_j \min_{(m, w) \in L:\, x_{mw} = N(x_{ij})} \lVert I_{ij} - I_{mw} \rVert

    A word that no labelled text holds is compared with the labelled word of the nearest
    embedding, :math:`N(x_{ij})`. The text of the largest D moves into the labelled ones, with its
    interpretations, and the choice is repeated `n_instances` times without training in between.

    Parameters
    ----------
    learner : ActiveLearner, DeepActiveLearner or Committee of modAL
        Its estimators are skorch classifiers whose modules hold an embedding layer, alone or at
        the end of a pipeline.
    X_pool : array or list of n texts, array (n, T) or torch Dataset of word ids, or dict of arrays
        The unlabelled texts, as the learner's estimator takes them.
    n_instances : int, default=1
        How many texts to ask for, from 1 to n.
    target : {"proba", "logit"}, default="proba"
        The prediction :math:`\hat y` that is explained: the class probabilities, or the logits
        centred over the classes.
    classes : {"all", "predicted"}, default="all"
        Explain every class, or of each text the predicted one alone.
    X_labeled : like `X_pool`, optional
        The labelled texts. Without them, those that the learner was taught; for a committee,
        those that any of its members was taught. A ``DeepActiveLearner`` keeps none and needs it.
    candidates : int, float, array of int, callable or list of these, optional
        The texts that may be chosen, as for :func:`~modal_interp.open_query`. Without it, all.
    random_state : int, RandomState or None
        Seeds the draw of `candidates`; nothing else is random.
    verbose : int, default=0
        Greater than 0 shows a progress bar of the gradient pass.
    **read_by
        Layers of the net's module by name and what counts as a word (``no_words=``,
        ``begins_word=``, ``words=``), where it is not read rightly without:
        :class:`~modal_interp.ReadBy`.

    Returns
    -------
    indices : ndarray of shape (n_instances,)
        Rows of `X_pool` in the order of choice; of equally diverse texts the one of lowest index.
    diversity : ndarray of shape (n_instances,), float64
        D of each text when it was chosen, in units of the explained output (a probability for
        ``target="proba"``).
        What ``learner.query(..., return_metrics=True)`` adds; without, modAL 0.4.1 gets the
        indices alone. A text without words is chosen last, with minus infinity.

    Raises
    ------
    TypeError, ValueError
        If a parameter breaks its rule, if the labelled texts are not to be had, or if the net has
        no embedding layer; before any gradient is computed. ValueError, too, if gradients are not
        finite.
    sklearn.exceptions.NotFittedError
        If an estimator is not fitted.
    OSError
        If there is no room for temporary files.

    Notes
    -----
    Equations 4 and 6 to 10 and Algorithm 1 of [1]_. The choice is exactly that of the literal
    algorithm, at a fraction of its time (:func:`~modal_interp.selectors.diverse_words`).

    The pool may be larger than memory: an array mapped to a file, or a torch Dataset. Nor is what
    ALDEN holds of each word bound to fit. What takes more than scikit-learn's ``working_memory``
    (1 GiB, unless set by :func:`sklearn.set_config`) lies in temporary files, in the folder that
    ``TMPDIR`` names; the choice is the same to the last bit. In memory stay a few numbers a text,
    what belongs to the vocabulary, and the labelled texts.

    Departs from the paper: where the paper speaks of one prediction, more than two classes give a
    word one component a class, and a committee one a member; the norm is over all of them, which
    for two classes is the paper's, and the embeddings of a committee stand side by side in
    equation 7. Left open there and chosen here: of equally diverse texts the lowest index, of
    equally near stand-ins the lowest word id; a text without words is chosen last, and while no
    labelled text has a word, D is infinite. All words that the encoder does not know count as one.
    Of a word of several pieces the interpretations add up, the same word is the same sequence of
    pieces, and the mean of their embeddings is its embedding.

    References
    ----------
    .. [1] Qiang Liu, Yanqiao Zhu, Zhaocheng Liu, Yufeng Zhang and Shu Wu, "Deep Active Learning
       for Text Classification with Diverse Interpretations", CIKM 2021.

    Examples
    --------
    >>> from modAL.models import ActiveLearner
    >>> from sklearn.frozen import FrozenEstimator
    >>> from sklearn.pipeline import make_pipeline
    >>> from modal_interp import TextCNNClassifier, WordEncoder, alden_diversity, make_reviews
    >>> texts, labels = make_reviews(120, random_state=0)
    >>> net = TextCNNClassifier(classes=[0, 1], max_epochs=1, random_state=0)
    >>> learner = ActiveLearner(
    ...     estimator=make_pipeline(FrozenEstimator(WordEncoder().fit(texts)), net),
    ...     query_strategy=alden_diversity,
    ...     X_training=texts[:20],
    ...     y_training=labels[:20],
    ... )
    >>> indices, asked = learner.query(texts[20:], n_instances=5)
    >>> len(asked)
    5
    """
    check_explained(target, classes, verbose)
    query = open_query(
        learner,
        X_pool,
        n_instances,
        candidates=candidates,
        random_state=random_state,
        X_labeled=X_labeled,
        needs_labeled=True,
        check=partial(_check, X_labeled=X_labeled, **read_by),
    )
    options: dict[str, Any] = {"target": target, "classes": classes, "verbose": verbose}
    explain: Any = partial(word_interpretations, **options, **read_by)
    # One member after the other: no more than two are held apart.
    pool, labeled = reduce(_side_by_side, (_explained(view, explain) for view in query.views))

    def embeddings(words: NDArray[np.int64]) -> NDArray[np.floating[Any]]:
        nets = [view.net for view in query.views]
        return np.hstack([embedding_rows(net, words, pool.pieces, **read_by) for net in nets])

    indices, diversity = diverse_words(pool[:3], labeled[:3], embeddings, n_instances)
    seen = Compared(query, pool, labeled, embeddings, target, diversity)
    return query.answer(indices, diversity, why=partial(alden_reasons, compared=seen))


def _check(views: list[View], *, X_labeled: Any, **read_by: Any) -> None:
    check_nets(views, embedding=True, X_labeled=X_labeled, **read_by)
    for view in views:
        _check_same_words(view, views[0], **read_by)


def _check_same_words(view: View, first: View, **read_by: Any) -> None:
    counting, first_counting = (what_counts(net, **read_by) for net in (view.net, first.net))
    seen, first_seen = [view.pool, *view.labeled], [first.pool, *first.labeled]
    same = all(is_same(X, Y) for X, Y in zip(seen, first_seen, strict=True))
    if counting.padding != first_counting.padding or not same:
        raise ValueError(
            "the members of a committee must see the same words of a text; found texts encoded as "
            "other word ids. Give all members one fitted encoder: FrozenEstimator(encoder)."
        )
    if not count_alike(counting, first_counting):
        raise ValueError(
            "the members of a committee must count the same ids as words; found members whose "
            "modules differ in no_words, begins_word or words (their attribute read_by). Say it "
            "for all: query(..., no_words=..., begins_word=..., words=...)."
        )


def _explained(view: View, explain: Callable[..., WordInterpretations]) -> Explained:
    """Explain the pool and the labelled texts."""
    parts = [view.pool, *view.labeled]
    together = stacked(parts)
    if together is not None:
        # All at once: a text of the pool that is labelled too is then explained just the same.
        words, n_pool = explain(view.net, together), n_samples(view.pool)
        return words.samples(slice(None, n_pool)), words.samples(slice(n_pool, None))
    # Never padded to one width, because a module of the user's may not be blind to padding.
    pool, *labeled = numbered_alike([explain(view.net, ids) for ids in parts])
    return pool, WordInterpretations.concatenate(labeled)


def _side_by_side(explained: Explained, by_another: Explained) -> Explained:
    """Give each word the interpretations by the members so far and by another."""
    pool, labeled = (
        words._replace(values=side_by_side(words.values, more.values))
        for words, more in zip(explained, by_another, strict=True)
    )
    return pool, labeled
