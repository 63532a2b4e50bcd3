"""Gradients of a net's predictions, pulled through any skorch-wrapped module.

This is the only file that calls autograd or hooks a module. A net is left exactly as it was
found: training mode, ``requires_grad``, ``.grad``, parameters and the random generators.
"""

from __future__ import annotations

from collections.abc import Generator, Iterator
from contextlib import contextmanager
from typing import Any, NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from skorch import NeuralNet
from skorch.utils import to_tensor
from torch import Tensor, nn

from modal_interp.batches import Rows, batches
from modal_interp.layers import find_embedding, find_output, has_layer, padding_id
from modal_interp.outputs import Classes, Target, explained_outputs


class WordGradients(NamedTuple):
    """One batch: b samples, T positions, A explained outputs, D columns of the embedding."""

    rows: Rows  # (b,) rows of X
    ids: Tensor  # (b, T) word ids as the embedding layer saw them
    is_word: Tensor  # (b, T) False at padding
    embeddings: Tensor  # (b, T, D)
    gradients: Tensor  # (b, T, A, D)


def word_gradients(
    net: NeuralNet,
    X: Any,
    *,
    target: Target = "proba",
    classes: Classes = "all",
    embedding_layer: str | None = None,
    output_layer: str | None = None,
    verbose: int = 0,
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
    embedding_layer, output_layer : str, optional
        Names of layers of the module. Without a name, the first ``nn.Embedding`` and the last
        ``nn.Linear``.
    verbose : int
        Greater than 0 shows a progress bar.

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
    layer = find_embedding(net, embedding_layer)
    with (
        _untouched(net),
        _embeddings_as_leaves(layer) as calls,
        _output_kept(net, target, output_layer) as kept,
    ):
        for rows, Xi in batches(net, X, verbose=verbose):
            calls.clear()
            y = explained_outputs(net, net.infer(Xi), kept, target, classes)
            ids, embeddings = _words_read(calls)
            gradients = _pull(y, [leaf for _, leaf in calls], classes)
            ids, embeddings, gradients = _sample_first(rows, Xi, ids, embeddings, gradients)
            is_word = ids != padding_id(layer)
            yield WordGradients(rows, ids, is_word, embeddings.float(), gradients.float())


def feature_gradients(
    net: NeuralNet,
    X: Any,
    *,
    target: Target = "proba",
    classes: Classes = "all",
    output_layer: str | None = None,
    verbose: int = 0,
) -> NDArray[np.float32]:
    r"""Gradient of each explained output by each feature, :math:`\partial \hat y_i/\partial x_i`.

    Parameters
    ----------
    net : skorch.NeuralNet
        A fitted classifier of real features.
    X : array of shape (n, d), float32
        Samples.
    target, classes, output_layer, verbose
        As for :func:`word_gradients`.

    Returns
    -------
    ndarray of shape (n, A, d)
        Rows in the order of `X`.
    """
    rows_of, parts = [], []
    with _untouched(net), _output_kept(net, target, output_layer) as kept:
        for rows, Xi in batches(net, X, verbose=verbose):
            leaf = to_tensor(Xi, device=net.device).detach().clone().requires_grad_()
            y = explained_outputs(net, net.infer(leaf), kept, target, classes)
            rows_of.append(rows)
            parts.append(_pull(y, [leaf], classes).float().cpu().numpy())
    order = np.argsort(np.concatenate(rows_of))
    return np.concatenate(parts)[order]


def embedding_rows(
    net: NeuralNet, n_words: int, embedding_layer: str | None = None
) -> NDArray[np.float32]:
    """Return the net's current embeddings of the first `n_words` word ids, shape (n_words, D)."""
    layer = find_embedding(net, embedding_layer)
    with _untouched(net), torch.no_grad():
        # By the layer itself: with max_norm, say, its weights are not what the net reads.
        rows = layer(torch.arange(n_words, device=layer.weight.device))
    return rows.float().cpu().numpy()


@contextmanager
def _untouched(net: NeuralNet) -> Iterator[None]:
    """Evaluate with frozen parameters inside; put everything back outside."""
    tops = [getattr(net, name + "_") for name in [*net._modules, *net._criteria]]
    modules = [m for top in tops if isinstance(top, nn.Module) for m in top.modules()]
    modes = [(m, m.training) for m in modules]
    required = [(p, p.requires_grad) for m in modules for p in m.parameters(recurse=False)]
    # An embedding with max_norm rewrites its own rows in every forward pass.
    rewritten = [
        (m, m.weight.detach().clone())
        for m in modules
        if isinstance(m, nn.Embedding) and m.max_norm is not None
    ]
    cuda = sorted({p.device.index for p, _ in required if p.is_cuda})
    try:
        net._set_training(False)
        for p, _ in required:
            p.requires_grad_(False)
        # cuDNN's recurrent layers refuse a backward pass in evaluation mode.
        without_cudnn = torch.backends.cudnn.flags(enabled=False)
        with torch.random.fork_rng(devices=cuda), without_cudnn, torch.enable_grad():
            yield
    finally:
        for m, mode in modes:
            m.training = mode
        for p, require in required:
            p.requires_grad_(require)
        for m, weight in rewritten:
            m.weight.data.copy_(weight)


@contextmanager
def _embeddings_as_leaves(layer: nn.Embedding) -> Iterator[list[tuple[Tensor, Tensor]]]:
    """Cut the graph behind the layer and collect (ids, embeddings) of each of its calls."""
    calls: list[tuple[Tensor, Tensor]] = []

    def cut(_: nn.Module, args: Any, kwargs: Any, output: Tensor) -> Tensor:
        leaf = output.detach().requires_grad_()
        calls.append((args[0] if args else kwargs["input"], leaf))
        return leaf

    handle = layer.register_forward_hook(cut, with_kwargs=True)
    try:
        yield calls
    finally:
        handle.remove()


@contextmanager
def _output_kept(net: NeuralNet, target: Target, name: str | None) -> Iterator[list[Tensor]]:
    """Keep what the output layer gives: the logits, even where the module goes on to softmax."""
    kept: list[Tensor] = []
    if target != "logit" or (name is None and not has_layer(net, nn.Linear)):
        yield kept
        return

    def keep(_: nn.Module, args: Any, output: Tensor) -> None:
        kept[:] = [output]

    handle = find_output(net, name).register_forward_hook(keep)
    try:
        yield kept
    finally:
        handle.remove()


def _pull(y: Tensor, leaves: list[Tensor], classes: Classes) -> Tensor:
    """Return the gradients of the columns of `y` by the leaves, (..., A, D)."""
    # The classes of one sample add up to a constant: C - 1 gradients give the last one.
    sums_to_constant = classes == "all" and y.shape[1] > 2
    n_pulls = y.shape[1] - sums_to_constant
    pulled = [_gradient(y[:, a].sum(), leaves, a < n_pulls - 1) for a in range(n_pulls)]
    if sums_to_constant:
        pulled.append(-torch.stack(pulled).sum(dim=0))
    return torch.stack(pulled, dim=-2)


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


def _words_read(calls: list[tuple[Tensor, Tensor]]) -> tuple[Tensor, Tensor]:
    """Return the ids that the embedding layer read and their embeddings."""
    if not calls or any(not torch.equal(ids, calls[0][0]) for ids, _ in calls):
        raise ValueError(
            "the module must read one array of word ids by its embedding layer; it read "
            f"{len(calls) or 'none'}{', not all alike' if calls else ''}. Name the layer that "
            "reads the words by embedding_layer=."
        )
    ids, leaf = calls[0]
    return ids, leaf.detach()


def _sample_first(
    rows: Rows, Xi: Any, ids: Tensor, embeddings: Tensor, gradients: Tensor
) -> tuple[Tensor, Tensor, Tensor]:
    """Put samples first, in the order of the batch, whatever order the module reads them in."""
    if ids.ndim != 2 or len(rows) not in ids.shape:
        raise ValueError(
            f"the embedding layer must read one row of ids a sample; it read {tuple(ids.shape)} "
            f"for {len(rows)} samples. Name the layer that reads the words by embedding_layer=."
        )
    as_read = (ids, embeddings, gradients)
    turned = (ids.t(), embeddings.transpose(0, 1), gradients.transpose(0, 1))
    for found in (as_read, turned):
        order = _order_in(Xi, found[0])
        if order is not None:
            return found[0][order], found[1][order], found[2][order]
    # The module gives words ids of its own; then the shape alone tells.
    return as_read if len(ids) == len(rows) else turned


def _order_in(Xi: Any, ids: Tensor) -> Tensor | None:
    """Return which row of `ids` holds each sample: modules may sort a batch by length."""
    if not isinstance(Xi, Tensor) or len(ids) != len(Xi) or ids.shape[1] > Xi.shape[1]:
        return None
    given, read = (part.cpu().numpy() for part in (Xi[:, : ids.shape[1]], ids))
    if np.array_equal(given, read):
        return torch.arange(len(ids), device=ids.device)
    by_content, read_by_content = (np.lexsort(part.T[::-1]) for part in (given, read))
    if not np.array_equal(given[by_content], read[read_by_content]):
        return None
    order = np.empty(len(given), dtype=np.intp)
    order[by_content] = read_by_content
    return torch.from_numpy(order).to(ids.device)
