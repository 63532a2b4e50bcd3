"""The floor of a query and of training: bare torch loops, with nothing of skorch or modal_interp.

The passes of a query: batches of 256 sorted by length, padding trimmed, evaluation mode, frozen
parameters.
"""

from __future__ import annotations

from collections.abc import Iterator
from copy import deepcopy
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

BATCH_SIZE = 256


def forward_pass(module: nn.Module, ids: NDArray[np.int64]) -> None:
    """Make one forward pass."""
    with _evaluated(module), torch.inference_mode():
        for batch in _batches(ids):
            module(batch)


def gradient_pass(module: nn.Module, ids: NDArray[np.int64]) -> None:
    """Make one forward and one backward pass, to the output of the embedding layer.

    What is pulled back is the probability of the second class, or of all but the first.
    """
    read: list[Tensor] = []

    def cut(layer: nn.Module, args: object, output: Tensor) -> Tensor:
        read.append(output.detach().requires_grad_())
        return read[-1]

    handle = module.embedding.register_forward_hook(cut)
    try:
        with _evaluated(module):
            for batch in _batches(ids):
                proba = module(batch).softmax(dim=1)
                n_pulls = proba.shape[1] - 1
                for c in range(1, n_pulls + 1):
                    torch.autograd.grad(proba[:, c].sum(), read[-1], retain_graph=c < n_pulls)
                read.clear()
    finally:
        handle.remove()


def feature_gradient_pass(module: nn.Module, X: NDArray[np.float32]) -> None:
    """Make one forward pass, and one backward from the second class's probability."""
    with _evaluated(module):
        for batch in torch.from_numpy(X).split(BATCH_SIZE):
            leaf = batch.clone().requires_grad_()
            torch.autograd.grad(module(leaf).softmax(dim=1)[:, 1].sum(), leaf)


def _batches(ids: NDArray[np.int64]) -> Iterator[Tensor]:
    lengths = (ids != 0).sum(axis=1)
    order = np.argsort(lengths, kind="stable")
    for start in range(0, len(ids), BATCH_SIZE):
        rows = order[start : start + BATCH_SIZE]
        yield torch.from_numpy(ids[rows, : lengths[rows[-1]]])


class _evaluated:  # noqa: N801 - read as a verb
    """Evaluation mode and frozen parameters inside; as they were outside."""

    def __init__(self, module: nn.Module) -> None:
        self.module = module

    def __enter__(self) -> None:
        self.training = self.module.training
        self.required = [p.requires_grad for p in self.module.parameters()]
        self.module.eval().requires_grad_(False)

    def __exit__(self, *error: object) -> None:
        self.module.train(self.training)
        for p, required in zip(self.module.parameters(), self.required, strict=True):
            p.requires_grad_(required)


def training_loop(
    module: nn.Module,
    X: NDArray[Any],
    y: NDArray[np.int64],
    *,
    epochs: int,
    batch_size: int,
    lr: float,
) -> tuple[nn.Module, int]:
    """Train a copy of the module; return it and the number of its steps."""
    module = deepcopy(module).train()
    inputs, targets = torch.from_numpy(X), torch.from_numpy(y)
    # torch fuses Adam on the CPU too, which is what the classifiers ask for.
    optimizer = torch.optim.Adam(module.parameters(), lr=lr, fused=True)
    criterion = nn.CrossEntropyLoss()
    generator = torch.Generator().manual_seed(0)
    n_steps = 0
    for _ in range(epochs):
        for rows in torch.randperm(len(inputs), generator=generator).split(batch_size):
            optimizer.zero_grad(set_to_none=True)
            loss = criterion(module(inputs.index_select(0, rows)), targets.index_select(0, rows))
            loss.backward()
            optimizer.step()
            n_steps += 1
    return module, n_steps
