"""Contrastive fine-tuning: texts of one label are pulled together, those of others apart."""

from __future__ import annotations

from collections.abc import Iterator
from numbers import Real
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from skorch.callbacks import ProgressBar
from torch import Tensor, nn
from torch.utils.data import Sampler

from modal_interp.estimators.callbacks import fine_tuning_callbacks
from modal_interp.estimators.length import _TimedNet
from modal_interp.estimators.skorch_net import RowsDataset
from modal_interp.modules import TextTransformer
from modal_interp.modules._words import check_size


class SupervisedContrastiveLoss(nn.Module):
    r"""The supervised contrastive loss of features and labels.

    .. math::

        \ell = -\frac{1}{|P|} \sum_{i \in P} \frac{1}{\sum_{j \ne i} w_{ij}} \sum_{j \ne i} w_{ij}
            \ln \frac{e^{\langle h_i, h_j \rangle / \tau}}
                     {\sum_{k \ne i} e^{\langle h_i, h_k \rangle / \tau}}

    where h are features of length 1 and w is 1 for two texts of one label; of several labels, the
    share of those that either text has which both have, and 1 for two texts without any. P are
    the texts with a like, for which the weights add up to more than 0; others do not count.

    Parameters
    ----------
    temperature : float, default=0.1
        :math:`\tau`.

    Notes
    -----
    P. Khosla et al., "Supervised Contrastive Learning", NeurIPS 2020, equation 2.

    Departs from the paper: none; several labels, which it does not treat, weigh by their overlap.
    """

    def __init__(self, temperature: float = 0.1) -> None:
        super().__init__()
        self.temperature = temperature

    def forward(self, features: Tensor, targets: Tensor) -> Tensor:
        """Return the loss of features (B, H) and labels (B,) or an indicator (B, C)."""
        h = nn.functional.normalize(features, dim=1)
        alike = _alikeness(targets).fill_diagonal_(0.0)
        itself = torch.eye(len(h), dtype=torch.bool, device=h.device)
        similarity = (h @ h.T / self.temperature).masked_fill(itself, -torch.inf)
        log_share = similarity.log_softmax(dim=1).masked_fill(itself, 0.0)
        total = alike.sum(dim=1)
        of_each = -(alike * log_share).sum(dim=1) / total.clamp(min=1e-12)
        return of_each.sum() / (total > 0).sum().clamp(min=1)


def _alikeness(targets: Tensor) -> Tensor:
    if targets.ndim == 1:
        return (targets[:, None] == targets[None, :]).float()
    both = targets @ targets.T
    n_labels = targets.sum(dim=1)
    either = n_labels[:, None] + n_labels[None, :] - both
    return torch.where(either > 0, both / either.clamp(min=1), 1.0)


def has_pairs(targets: NDArray[Any]) -> bool:
    """Tell whether any two texts are alike: share a label, or have none both."""
    if targets.ndim == 1:
        return bool(np.unique(targets, return_counts=True)[1].max() > 1)
    without = ~targets.astype(bool).any(axis=1)
    return bool((targets.sum(axis=0) > 1).any() or without.sum() > 1)


class BalancedBatches(Sampler[list[int]]):
    """Batches in which every label has as many texts as it can, drawn from torch's generator."""

    def __init__(self, targets: NDArray[Any], n_batches: int, n_texts: int) -> None:
        kinds = np.unique(targets, axis=0, return_inverse=True)[1].reshape(-1)
        self.rows_of = [np.flatnonzero(kinds == kind) for kind in range(kinds.max() + 1)]
        self.n_batches, self.n_texts = n_batches, n_texts

    def __len__(self) -> int:
        return self.n_batches

    def __iter__(self) -> Iterator[list[int]]:
        decks: list[list[int]] = [[] for _ in self.rows_of]
        for _ in range(self.n_batches):
            counts = self._counts(torch.randperm(len(decks)).tolist())
            parts = [self._draw(decks[kind], self.rows_of[kind], n) for kind, n in counts.items()]
            yield [row for part in parts for row in part]

    def _counts(self, kinds: list[int]) -> dict[int, int]:
        """Return how many texts of each kind a batch has, by a random order of the kinds."""
        # Two texts of a label at least, so that there is something to pull together.
        first = kinds[: max(1, self.n_texts // 2)]
        counts: dict[int, int] = {}
        left = self.n_texts
        for place, kind in enumerate(first):
            counts[kind] = min(left // (len(first) - place), len(self.rows_of[kind]))
            left -= counts[kind]
        # What some lack, others fill up: those that have no text in it yet, then all.
        for kind in [*kinds[len(first) :], *first]:
            more = min(left, len(self.rows_of[kind]) - counts.get(kind, 0))
            if more:
                counts[kind] = counts.get(kind, 0) + more
            left -= more
        return counts

    def _draw(self, deck: list[int], rows: NDArray[Any], n: int) -> list[int]:
        """Draw `n` rows, each as often as the others, but none twice in a batch."""
        drawn: list[int] = []
        for _ in range(min(n, len(rows))):
            if not deck:
                order = rows[torch.randperm(len(rows)).numpy()].tolist()
                # Those of this batch lie at the bottom: their turn comes last.
                deck += sorted(order, key=lambda row: row not in drawn)
            drawn.append(deck.pop())
        return drawn


class _Features(nn.Module):
    """The features of a text transformer, to be trained by themselves."""

    def __init__(self, transformer: TextTransformer) -> None:
        super().__init__()
        self.encoder, self.transformer = transformer.encoder, (transformer,)  # not its output layer

    def forward(self, ids: Tensor) -> Tensor:
        """Return features of shape (B, H) for token ids of shape (B, T), int64."""
        return self.transformer[0].encode(ids)


class _FeatureNet(_TimedNet):
    """What trains them: a batch sampler says how long."""

    usual_epochs, usual_steps = 1, 0
    is_done = False

    def fit_loop(self, *args: Any, **kwargs: Any) -> Any:
        """Run the loop, and remember that nothing ended it."""
        super().fit_loop(*args, **kwargs)
        self.is_done = True
        return self

    def get_loss(self, *args: Any, **kwargs: Any) -> Tensor:
        """Return the loss, unless it is no number to learn by."""
        loss: Tensor = super().get_loss(*args, **kwargs)
        _check_finite("loss", loss, self.lr)
        return loss


def _check_finite(name: str, found: Tensor, lr: float) -> None:
    if not torch.isfinite(found).all():
        raise ValueError(
            f"the contrastive {name} must be finite; found NaN or infinity: training has diverged. "
            f"Lower contrastive_lr, which is {lr!r}."
        )


def check_contrastive(steps: Any, batch_size: Any, lr: Any) -> None:
    """Raise a ValueError where a parameter of the fine-tuning breaks its rule."""
    check_size("contrastive_steps", steps)
    # Two texts of each of two labels: below, there is none to pull near or none to keep far.
    check_size("contrastive_batch_size", batch_size, 4)
    if not (isinstance(lr, Real) and 0 < float(lr) < np.inf):
        raise ValueError(f"contrastive_lr must be a finite number above 0; found {lr!r}.")


def pull_together(
    transformer: TextTransformer,
    ids: NDArray[np.int64],
    targets: NDArray[Any],
    *,
    n_steps: int,
    n_texts: int,
    lr: float,
    device: Any,
    verbose: int,
) -> None:
    """Fine-tune the encoder so that texts of one label are near each other.

    Draws from torch's generator. The encoder's parameters need a gradient meanwhile.
    """
    bar = ProgressBar(batches_per_epoch=n_steps)
    net = _FeatureNet(
        _Features,
        module__transformer=transformer,
        criterion=SupervisedContrastiveLoss,
        optimizer=torch.optim.AdamW,
        lr=lr,
        batch_size=1,  # as a batch sampler asks for
        iterator_valid__batch_size=n_texts,
        iterator_train__shuffle=False,
        iterator_train__batch_sampler=BalancedBatches(targets, n_steps, n_texts),
        device=device,
        callbacks=[*fine_tuning_callbacks(), *([("bar", bar)] if verbose > 0 else [])],
    )
    net.fit(RowsDataset(ids, targets), y=None)
    if not net.is_done:
        raise KeyboardInterrupt  # which skorch ends a training by, and says nothing
    _check_finite("features", net.forward(ids[:n_texts]), lr)  # no loss tells of the last step
