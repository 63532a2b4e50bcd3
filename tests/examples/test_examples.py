"""The examples do what they say."""

import importlib.util
from functools import partial
from pathlib import Path

import numpy as np
import pytest
from matplotlib import pyplot as plt
from sklearn.metrics import adjusted_rand_score

from modal_interp import make_reviews
from tests.small_nets import MeanReader, small_net, word_ids
from tests.strategies.conftest import learner_of

EXAMPLES = Path(__file__).parent.parent.parent / "examples"
pytestmark = pytest.mark.skipif(not EXAMPLES.exists(), reason="runs in a checkout")


def example(name):
    spec = importlib.util.spec_from_file_location(name, EXAMPLES / f"{name}.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_interpretations_find_the_linear_regions_and_features_do_not():
    regions = example("linear_regions")
    X, _, found = regions.clustered(2000, seed=0)
    agreement = {
        name: adjusted_rand_score(regions.triangles(X), labels) for name, labels in found.items()
    }
    assert agreement["local interpretations"] >= 0.85
    assert agreement["last-layer features"] <= 0.2
    assert agreement["BADGE embeddings"] <= 0.2


def test_triangles_are_cut_by_the_diagonals():
    points = np.array([[3, 0], [0, 3], [-3, 1], [1, -3.0]])
    assert example("linear_regions").triangles(points).tolist() == [0, 1, 2, 3]


def test_the_pictures_are_drawn(monkeypatch):
    regions = example("linear_regions")
    monkeypatch.setattr(regions, "perceptron", partial(regions.perceptron, max_epochs=20))
    assert len(regions.draw_regions(*regions.clustered(150, seed=1)).axes) == 5
    assert len(regions.draw_choices(150, seed=1).axes) == 6
    plt.close("all")


@pytest.mark.parametrize(
    "name", ["uncertain_and_typical", "medoids_of_features", "doubtful_and_moving"]
)
def test_strategies_of_ones_own(name):
    strategy = getattr(example("your_own_strategy"), name)
    learner = learner_of(small_net(MeanReader), strategy, word_ids(5), None)
    indices, asked = learner.query(word_ids(30, seed=1), n_instances=4, candidates=20)
    assert len(set(indices.tolist())) == 4
    assert len(asked) == 4


def test_targets_are_compared():
    targets = example("compare_targets")
    texts, y = make_reviews(120, random_state=0)
    args = type("Arguments", (), {"step": 0.1, "rounds": 1})
    score = targets.mean_score(targets.STRATEGIES["logit"], texts, y, 0, args)
    assert 0.4 < score <= 1


@pytest.mark.slow
def test_a_model_that_was_trained_before_goes_on():
    trained = example("trained_before")
    texts, y = make_reviews(1000, random_state=0)
    for start, remembered in (("forgetting", 10), ("remembering", 610), ("going_on", 10)):
        learner = getattr(trained, start)(texts, y)
        before, after = trained.accuracies(learner, texts, y)
        assert before > 0.8
        assert (after < 0.7) if start == "forgetting" else (after > before - 0.05)
        assert len(learner.X_training) == remembered


def test_encoders_are_compared(monkeypatch, tmp_path):
    pytest.importorskip("transformers", reason="needs the extra [transformers]")
    from tests.tiny_encoders import bert_folder

    compare = example("compare_encoders")
    monkeypatch.setattr(compare, "read", lambda name, n: make_reviews(n, random_state=0))
    words = ["--strategies", "random_sampling", "margin", "--encoders", "cnn", "frozen"]
    given = ["compare_encoders", "--quick", *words, "--model", bert_folder(), "--out", tmp_path]
    monkeypatch.setattr("sys.argv", [*map(str, given)])
    compare.main()
    assert (tmp_path / "curves.png").stat().st_size > 10_000
    curves = compare.pd.read_csv(tmp_path / "curves.csv")
    assert set(curves["encoder"]) == {"cnn", "frozen"}
    assert curves["n_labeled"].max() == 100


def test_gains_are_over_random_sampling_of_the_same_seed():
    compare = example("compare_encoders")
    rows = [
        {"seed": seed, "n_labeled": n, "strategy": strategy, "score": score}
        for seed, scores in enumerate([[0.5, 0.5, 0.6, 0.7], [0.5, 0.7, 0.7, 0.9]])
        for strategy, found in (("random_sampling", scores[:2]), ("margin", scores[2:]))
        for n, score in zip([20, 60, 100], [0.9, *found], strict=True)
    ]
    results = compare.pd.DataFrame(rows).assign(data="mr", encoder="frozen")
    found = compare.gains(results)["margin"]
    # .15 and .2 above, and Student's t of one degree of freedom.
    assert found["frozen", "mr"] == found["frozen", "all"] == "+.175 ± .318"


def test_labels_needed_are_the_first_that_are_as_good():
    compare = example("compare_encoders")
    sizes, scores = [20, 60, 100], {"cnn": [0.5, 0.6, 0.7], "frozen": [0.6, 0.8, 0.9]}
    rows = [
        {"data": "mr", "encoder": net, "strategy": "margin", "n_labeled": n, "score": score}
        for net, found in scores.items()
        for n, score in zip(sizes, found, strict=True)
    ]
    results = compare.pd.DataFrame(rows).assign(full_score=0.75)
    needed = compare.labels_needed(results)["margin"]
    assert needed["mr", "frozen"] == 60
    assert np.isnan(needed["mr", "cnn"])
