"""On a GPU every strategy asks for what it asks for on the CPU."""

import pytest

from modal_interp import strategies
from modal_interp.estimators import (
    TabularMLPClassifier,
    TextBiLSTMClassifier,
    TextCNNClassifier,
    TextCNNLSTMClassifier,
)
from tests.small_nets import table, word_ids
from tests.strategies.conftest import learner_of

TEXTS = {"n_words": 12, "module__embedding_dim": 4}
NETS = {
    "CNN": (TextCNNClassifier, TEXTS, word_ids),
    "BiLSTM": (TextBiLSTMClassifier, TEXTS | {"module__hidden_size": 6}, word_ids),
    "deep BiLSTM": (
        TextBiLSTMClassifier,
        TEXTS | {"module__hidden_size": 6, "module__n_layers": 2},
        word_ids,
    ),
    "CNN-LSTM": (
        TextCNNLSTMClassifier,
        TEXTS | {"module__n_filters": 6, "module__hidden_size": 6},
        word_ids,
    ),
    "MLP": (TabularMLPClassifier, {"module__dropout": 0.5}, table),
}
OF_TEXTS = {"alden_diversity", "egl_word"}


@pytest.mark.gpu
@pytest.mark.parametrize("kind", NETS)
@pytest.mark.parametrize("name", strategies.__all__)
def test_the_choice_is_that_of_the_cpu(name, kind):
    estimator, params, samples = NETS[kind]
    if kind == "MLP" and name in OF_TEXTS:
        pytest.skip("for texts")
    pool, labeled = samples(40, seed=1), samples(6, seed=2)
    chosen = []
    for device in ("cpu", "cuda"):
        net = estimator(device="cpu", max_epochs=3, random_state=0, **params)
        net.fit(labeled, [0, 1, 0, 1, 0, 1])
        net.set_params(device=device)
        net.module_.to(device)
        result = getattr(strategies, name)(
            learner_of(net, getattr(strategies, name), labeled, None), pool, 10, random_state=0
        )
        chosen.append((result[0] if isinstance(result, tuple) else result).tolist())
    assert chosen[0] == chosen[1]
