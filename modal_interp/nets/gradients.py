"""Gradients of a net's predictions, pulled through any skorch-wrapped module.

This is the only file that calls autograd. A net is left exactly as it was found.
"""

from __future__ import annotations

from collections.abc import Generator, Iterator
from contextlib import contextmanager
from typing import Any, NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from skorch import NeuralNet
from skorch.dataset import get_len
from skorch.utils import multi_indexing, to_tensor
from torch import Tensor, nn

from modal_interp.nets.batches import Rows, batches
from modal_interp.nets.forward import as_array, in_order
from modal_interp.nets.hooks import embeddings_as_leaves, kept, sparse_embeddings, untouched
from modal_interp.nets.layers import (
    find_embedding,
    find_logits,
    n_guesses,
    n_outputs,
    reads_words,
)
from modal_interp.nets.norms import length, lengths
from modal_interp.nets.outputs import (
    Classes,
    Explained,
    Target,
    explained_outputs,
    first_output,
    predicted,
    unchecked,
)
from modal_interp.nets.pieces import WordGradients, count_words, what_counts
from modal_interp.nets.precision import as_real
from modal_interp.nets.words import sample_first, words_read


class ParameterNorms(NamedTuple):
    """One batch: b samples, A probabilities."""

    rows: Rows  # (b,) rows of X
    norms: Tensor  # (b, A)
    several: bool  # each probability is that of a label of its own; else they are of classes


def word_gradients(
    net: NeuralNet,
    X: Any,
    *,
    target: Target = "proba",
    classes: Classes = "all",
    verbose: int = 0,
    **read_by: Any,
) -> Generator[WordGradients, None, None]:
    r"""Yield the gradient of each explained output by the embedding of each word.

    :math:`\partial \hat y_i / \partial e_{ij}`, from one backward pass a batch and explained
    output: samples do not interact.

    Parameters
    ----------
    net : skorch.NeuralNet
        A fitted classifier whose module holds an embedding layer.
    X : array of shape (n, T), integer
        Word ids.
    target : {"proba", "logit"}
        The output explained: the probabilities, or the logits centred over the classes.
    classes : {"all", "predicted"}
        All classes, or the predicted one alone.
    verbose : int
        Greater than 0 shows a progress bar.
    **read_by : dict
        How the net is read, as in `ReadBy`.

    Yields
    ------
    WordGradients
        ``rows`` tells which samples a batch holds. A is 1 for two classes (the scalar
        :math:`p_1`, or :math:`z_1 - z_0`) and for the predicted class, else the number of classes.

    Raises
    ------
    ValueError
        If a layer is not found, or the prediction does not depend on it.
    """
    layer, counting = find_embedding(net, **read_by), what_counts(net, **read_by)
    guesses = n_guesses(net, **read_by)
    with (
        untouched(net),
        _backward_passes(),
        embeddings_as_leaves(layer) as calls,
        kept(find_logits(net, **read_by) if target == "logit" else None) as logits,
    ):
        for rows, Xi in _batches(net, X, classes, verbose, **read_by):
            calls.clear()
            explained = _explained(net, Xi, logits, target, classes)
            ids, embeddings = words_read(calls)
            gradients = _pull(explained, [leaf for _, leaf in calls])
            ids, embeddings, gradients = sample_first(
                rows, Xi, ids, embeddings, gradients, guesses=guesses
            )
            is_word, begins = count_words(ids, counting)
            embeddings, gradients = embeddings.float(), gradients.float()
            yield WordGradients(
                rows, ids, is_word, begins, embeddings, gradients, explained.several
            )


def feature_gradients(
    net: NeuralNet,
    X: Any,
    *,
    target: Target = "proba",
    classes: Classes = "all",
    verbose: int = 0,
    **read_by: Any,
) -> NDArray[np.float32]:
    r"""Gradient of each explained output by each feature, :math:`\partial \hat y_i/\partial x_i`.

    Parameters
    ----------
    net : skorch.NeuralNet
        A fitted classifier of real features.
    X : array of shape (n, d), float32
        Samples.
    target, classes, verbose, **read_by
        As for :func:`word_gradients`.

    Returns
    -------
    ndarray of shape (n, A, d)
        Rows in the order of `X`.
    """
    rows_of, parts = [], []
    with (
        untouched(net),
        _backward_passes(),
        kept(find_logits(net, **read_by) if target == "logit" else None) as logits,
    ):
        for rows, Xi in _batches(net, X, classes, verbose, **read_by):
            leaf = as_real(net, to_tensor(Xi, device=net.device)).requires_grad_()
            explained = _explained(net, leaf, logits, target, classes)
            rows_of.append(rows)
            parts.append(as_array(_pull(explained, [leaf])))
    return in_order(rows_of, parts)


def parameter_gradient_norms(
    net: NeuralNet, X: Any, *, each: bool = False, verbose: int = 0
) -> Generator[ParameterNorms, None, None]:
    r"""Yield the length of the gradient of each probability by all parameters training changes.

    :math:`\lVert \partial p_{ia} / \partial \theta \rVert_2`, sample by sample.

    Parameters
    ----------
    net : skorch.NeuralNet
        A fitted classifier.
    X : array of shape (n, ...), or whatever the net's ``dataset`` takes
        Samples.
    each : bool
        Yield the length by each parameter apart, ``norms`` of shape (b, A, P).
    verbose : int
        Greater than 0 shows a progress bar.

    Yields
    ------
    ParameterNorms
        A is 1 for two classes, :math:`p_1`, else the number of classes or labels.
    """
    with untouched(net) as trained, _backward_passes(), sparse_embeddings(net):
        parameters = {name: p for name, p in net.module_.named_parameters() if p in trained}
        if not parameters:
            raise ValueError(
                "the net must have parameters that training changes; found all of them frozen "
                "(requires_grad=False)."
            )
        for parameter in parameters.values():
            parameter.requires_grad_()
        # Of an embedding torch vectorises only gradients that hold a row for each known word.
        # A net that infers in a way of its own is not what its module alone computes.
        at_once = not each and not reads_words(net) and type(net).infer is NeuralNet.infer
        for rows, Xi in batches(net, X, verbose=verbose):
            with torch.no_grad():
                proba, several = predicted(net, net.infer(Xi))
            norms = _vectorized(net, Xi, parameters, proba.shape[1]) if at_once else None
            if norms is None:
                at_once = False
                norms = _one_by_one(net, Xi, list(parameters.values()), each=each)
            yield ParameterNorms(rows, norms.detach(), several)


def _batches(
    net: NeuralNet, X: Any, classes: Classes, verbose: int, **read_by: Any
) -> Iterator[tuple[Rows, Any]]:
    """Yield batches, small enough for the gradients of so many outputs."""
    n = 1 if classes == "predicted" else n_outputs(net, **read_by)
    return batches(net, X, n_outputs=n, verbose=verbose)


@contextmanager
def _backward_passes() -> Iterator[None]:
    """Allow backward passes, whatever holds outside."""
    # cuDNN's recurrent layers refuse them in evaluation mode.
    with torch.backends.cudnn.flags(enabled=False), torch.enable_grad():
        yield


def _explained(
    net: NeuralNet, Xi: Any, logits: list[tuple[Tensor, Tensor]], target: Target, classes: Classes
) -> Explained:
    return explained_outputs(net, net.infer(Xi), [z for _, z in logits], target, classes)


def _one_by_one(net: NeuralNet, Xi: Any, parameters: list[nn.Parameter], *, each: bool) -> Tensor:
    """Return the lengths of a batch (b, A), or (b, A, P), by a pass for each sample and output."""
    norms = []
    for i in range(get_len(Xi)):
        output = first_output(net.infer(multi_indexing(Xi, slice(i, i + 1))))
        output = output[None] if output.ndim == 1 and len(output) > 1 else output  # squeezed away
        y = explained_outputs(net, output, [], "proba", "all").y[0]
        for a in range(len(y)):
            norms.append(_gradient_norm(y[a], parameters, again=a + 1 < len(y), each=each))
    return torch.stack(norms).unflatten(0, (get_len(Xi), -1))


def _gradient_norm(y: Tensor, parameters: list[nn.Parameter], *, again: bool, each: bool) -> Tensor:
    if not y.requires_grad:  # a text without words, where only embeddings are trained
        return y.new_zeros(len(parameters)) if each else torch.zeros_like(y)
    found = torch.autograd.grad(y, parameters, retain_graph=again, allow_unused=True)
    if each:
        return torch.stack([y.new_zeros(()) if g is None else length([g]).to(y) for g in found])
    return length([gradient for gradient in found if gradient is not None])


def _vectorized(
    net: NeuralNet, Xi: Any, parameters: dict[str, nn.Parameter], n_outputs: int
) -> Tensor | None:
    """Return the lengths of a batch at once, or None where torch cannot vectorise the module."""
    named = {name: p.detach() for name, p in parameters.items()}

    def proba(named: dict[str, Tensor], x: Tensor) -> Tensor:
        # Checked before, because no value can be looked at here.
        p, several = unchecked(net, torch.func.functional_call(net.module_, named, (x[None],)))
        return p[0] if several or p.shape[1] > 2 else p[0, 1:]

    def lengths_of(named: dict[str, Tensor], x: Tensor) -> Tensor:
        return lengths(torch.func.jacrev(proba)(named, x).values())

    # All gradients of a chunk are held at once: 64 MB.
    chunk = max(1, 2**24 // (n_outputs * sum(p.numel() for p in named.values())))
    try:
        return torch.func.vmap(lengths_of, in_dims=(None, 0), chunk_size=chunk)(named, Xi)
    except Exception:  # of whatever kind: the module is the user's, and there is another way
        return None


def _pull(explained: Explained, leaves: list[Tensor]) -> Tensor:
    """Return the gradients of the explained outputs by the leaves, (..., A, D)."""
    y = explained.y
    n_pulls = y.shape[1] - explained.sums_to_constant
    first = _gradient(y[:, 0].sum(), leaves, n_pulls > 1)
    if y.shape[1] == 1:
        return first.unsqueeze(-2)
    # Each into its place, so that at no time all are held twice.
    pulled = first.new_empty((*first.shape[:-1], y.shape[1], first.shape[-1]))
    pulled[..., 0, :] = first
    for a in range(1, n_pulls):
        pulled[..., a, :] = _gradient(y[:, a].sum(), leaves, a < n_pulls - 1)
    if explained.sums_to_constant:
        pulled[..., -1, :] = -pulled[..., :-1, :].sum(dim=-2)
    return pulled


def _gradient(total: Tensor, leaves: list[Tensor], keep_graph: bool) -> Tensor:
    """Gradient by the leaves, added up: words that are read twice act twice."""
    parts: tuple[Tensor | None, ...] = ()
    if total.requires_grad:
        parts = torch.autograd.grad(total, leaves, retain_graph=keep_graph, allow_unused=True)
    found = [part for part in parts if part is not None]
    if not found or any(part.shape != found[0].shape for part in found):
        raise ValueError(
            "the prediction must depend on the embedding layer (on the features, for a table) "
            "through differentiable operations on one array of ids; it does not. Name the layer "
            "that reads the words by embedding_layer=."
        )
    return torch.stack(found).sum(dim=0)
