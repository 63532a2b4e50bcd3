"""Which ids of a text count as words, and which pieces make one word."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from skorch import NeuralNet
from torch import Tensor

from modal_interp.nets.layers import find_embedding, how_read, padding_id
from modal_interp.nets.samples import Rows


class Counting(NamedTuple):
    """What a net's ids count as; V are the rows of its embedding."""

    padding: int
    is_word: Tensor | None  # (V,) None where only padding is no word
    begins: Tensor | None  # (V,) None where each id is a word of its own


class WordGradients(NamedTuple):
    """One batch: b samples, T positions, A explained outputs, D columns of the embedding."""

    rows: Rows  # (b,) rows of X
    ids: Tensor  # (b, T) word ids as the embedding layer saw them
    is_word: Tensor  # (b, T) False at padding, and at what else is no word or piece of one
    begins: Tensor | None  # (b, T) True at the first piece of a word; None: each is a word
    embeddings: Tensor  # (b, T, D)
    gradients: Tensor  # (b, T, A, D)
    several: bool  # each output is a label of its own; else they are classes


def what_counts(net: NeuralNet, **read_by: Any) -> Counting:
    """Return what counts as a word, as a query or the module says.

    Raises
    ------
    TypeError, ValueError
        If `no_words` or `begins_word` does not suit the embedding layer; naming the rule and the
        value found.
    """
    layer, read = find_embedding(net, **read_by), how_read(net, **read_by)
    padding, n_ids = padding_id(net, **read_by), layer.num_embeddings
    is_word = begins = None
    if read.no_words is not None:
        is_word = torch.ones(n_ids, dtype=torch.bool, device=layer.weight.device)
        is_word[[*_checked_no_words(read.no_words, n_ids), padding]] = False
    if read.begins_word is not None:
        given = torch.from_numpy(_checked_begins(read.begins_word, n_ids).copy())
        begins = torch.ones(n_ids, dtype=torch.bool, device=layer.weight.device)
        begins[: len(given)] = given.to(begins.device)
    return Counting(padding, is_word, begins if read.words == "whole" else None)


def count_alike(one: Counting, other: Counting) -> bool:
    """Tell whether the ids that both know count as the same."""
    return _equal(one.is_word, other.is_word) and _equal(one.begins, other.begins)


def _equal(one: Tensor | None, other: Tensor | None) -> bool:
    if one is None or other is None:
        return one is other
    n_ids = min(len(one), len(other))
    return torch.equal(one[:n_ids].cpu(), other[:n_ids].cpu())


def count_words(ids: Tensor, counting: Counting) -> tuple[Tensor, Tensor | None]:
    """Tell of each id (b, T) whether it is a word or a piece of one, and whether one begins there.

    A word is a run of pieces, from one that begins a word, or follows what is no word, up to the
    next such. The second is None where each id is a word of its own.
    """
    padding, counts, begins = counting
    is_word = ids != padding if counts is None else counts[ids]
    if begins is None:
        return is_word, None
    follows_word = torch.zeros_like(is_word)
    follows_word[:, 1:] = is_word[:, :-1]
    return is_word, is_word & (begins[ids] | ~follows_word)


def by_whole_words(batch: WordGradients) -> WordGradients:
    """Return a batch in which the gradients of a word's pieces are added up, at its first piece.

    Only there is then a word. The gradients given are overwritten.
    """
    if batch.begins is None or not batch.is_word.numel():
        return batch
    b, n_places = batch.ids.shape
    places = torch.arange(b * n_places, device=batch.ids.device)
    first = torch.where(batch.begins.flatten(), places, 0).cummax(dim=0).values
    joins = (batch.is_word & ~batch.begins).flatten()
    flat = batch.gradients.flatten(0, 1)
    flat.index_add_(0, first[joins], flat[joins])
    return batch._replace(is_word=batch.begins, gradients=flat.unflatten(0, (b, n_places)))


def added_up(values: NDArray[Any], begins: NDArray[np.bool_] | None) -> NDArray[Any]:
    """Return the sum over the pieces of each word, (w, ...), of values of pieces one after another.

    The first piece begins a word. Without `begins` each is one.
    """
    if begins is None or not len(values):
        return values
    return np.add.reduceat(values, np.flatnonzero(begins), axis=0)


def _checked_no_words(no_words: Any, n_ids: int) -> list[int]:
    found = np.asarray([] if isinstance(no_words, str | bytes) else no_words)
    if isinstance(no_words, str | bytes) or found.ndim != 1:
        raise TypeError(
            "no_words must be ids, a sequence of whole numbers such as tokenizer.all_special_ids; "
            f"found {no_words!r}."
        )
    if len(found) and found.dtype.kind not in "iu":
        raise TypeError(
            "no_words must hold ids, whole numbers such as tokenizer.all_special_ids; found "
            f"{found[:4].tolist()!r}."
        )
    if len(found) and not 0 <= int(found.min()) <= int(found.max()) < n_ids:
        wrong = int(found.min() if found.min() < 0 else found.max())
        raise ValueError(
            f"no_words must hold ids from 0 to {n_ids - 1}, the rows of the embedding layer; found "
            f"{wrong}. Give those of the tokenizer that the net was built for."
        )
    return [int(number) for number in found]


def _checked_begins(begins_word: Any, n_ids: int) -> NDArray[np.bool_]:
    found = np.asarray(begins_word)
    if found.ndim != 1 or found.dtype != bool:
        raise TypeError(
            "begins_word must be an array of bool of shape (V,), whether each id begins a word; "
            f"found {_described(begins_word, found)}."
        )
    if len(found) > n_ids:
        raise ValueError(
            f"begins_word must have at most {n_ids} values, one a row of the embedding layer; "
            f"found {len(found)}. Give that of the tokenizer that the net was built for."
        )
    return found


def _described(given: Any, found: NDArray[Any]) -> str:
    return f"a {type(given).__name__} of dtype {found.dtype}, shape {found.shape}"
