"""A small multilayer perceptron for tables."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import ClassVar

from torch import Tensor, nn

from modal_interp.modules._words import check_dropout, check_size, check_sizes


class TabularMLP(nn.Module):
    """Classify rows of numbers by fully connected layers with ReLU.

    Parameters
    ----------
    n_features : int
        Columns of the table.
    n_classes : int
        Number of outputs.
    hidden : sequence of int, default=(64,)
        Units of each hidden layer; empty for a linear model.
    dropout : float in [0, 1), default=0.0
        Share of each hidden layer's activations that training drops.

    Attributes
    ----------
    layers : nn.Sequential
        The hidden layers, each with its ReLU and, where `dropout` > 0, its dropout.
    output : nn.Linear
        From the last hidden layer to `n_classes` logits.

    Raises
    ------
    ValueError
        If a parameter breaks its rule; the message names it and the value found.

    Notes
    -----
    The network of DAMI's tabular experiments is ``hidden=(16, 8)``.

    Departs from the paper: one hidden layer of 64 units by default, which serves embeddings of
    hundreds of columns too (:class:`TabularMLPClassifier` has the figures); dropout is an option,
    off by default.

    Examples
    --------
    >>> import torch
    >>> from modal_interp.modules import TabularMLP
    >>> TabularMLP(n_features=10, n_classes=2)(torch.zeros(4, 10)).shape
    torch.Size([4, 2])
    """

    # How the queries read it.
    read_by: ClassVar[dict[str, str]] = {"output_layer": "output"}

    def __init__(
        self,
        n_features: int,
        n_classes: int,
        *,
        hidden: Sequence[int] = (64,),
        dropout: float = 0.0,
    ) -> None:
        super().__init__()
        sizes = [check_size("n_features", n_features), *check_sizes("hidden", hidden)]
        dropout = check_dropout(dropout)
        layers: list[nn.Module] = []
        for n_in, n_out in pairwise(sizes):
            layers += [nn.Linear(n_in, n_out), nn.ReLU()]
            layers += [nn.Dropout(dropout)] if dropout else []
        self.layers = nn.Sequential(*layers)
        self.output = nn.Linear(sizes[-1], check_size("n_classes", n_classes))

    def forward(self, features: Tensor) -> Tensor:
        """Return logits of shape (B, n_classes) for rows of shape (B, n_features), float32."""
        return self.output(self.layers(features))
