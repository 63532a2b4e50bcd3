"""Lengths of gradients that are held in parts, one a parameter, in different precisions perhaps."""

from __future__ import annotations

from collections.abc import Iterable

import torch
from torch import Tensor


def length(gradients: list[Tensor]) -> Tensor:
    """Return the length of one gradient, some of whose parts may be sparse: ()."""
    # Words that a text repeats are rows of their own until they are coalesced.
    dense = [g.coalesce().values() if g.is_sparse else g for g in gradients]
    return _together([torch.linalg.vector_norm(_precise(g)) for g in dense]).norm(dim=0)


def lengths(gradients: Iterable[Tensor]) -> Tensor:
    """Return the lengths of A gradients, whose parts have shape (A, ...): (A,)."""
    parts = [_precise(g).reshape(len(g), -1) for g in gradients if g.numel()]
    return _together([g.square().sum(dim=1) for g in parts]).sum(dim=0).sqrt()


def _precise(g: Tensor) -> Tensor:
    """Return a gradient in numbers whose squares are numbers still."""
    return g.float() if g.dtype in (torch.float16, torch.bfloat16) else g


def _together(values: list[Tensor]) -> Tensor:
    """Stack values, in the precision of the most precise."""
    dtype = max((value.dtype for value in values), key=lambda dtype: dtype.itemsize)
    return torch.stack([value.to(dtype) for value in values])
