"""What a scorer cannot score is refused before anything is trained, with its class and seed."""

import numpy as np
import pytest
from sklearn.ensemble import RandomForestClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import get_scorer, log_loss, make_scorer
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from modal_interp import TabularMLPClassifier, random_sampling
from modal_interp.experiments import run_experiment

X = np.random.RandomState(0).normal(size=(120, 3))
MLP = TabularMLPClassifier(max_epochs=1)
ONE_D = np.array(["a"] * 100 + ["b"] * 17 + ["c"] * 2 + ["d"])
FEW_C = np.array(["a"] * 60 + ["b"] * 52 + ["c"] * 8)
RARE = np.array([0] * 119 + [1])


def run(y, scoring, estimator=MLP, **options):
    options = {
        "seeds": 2, "initial": 10, "step": 10, "budget": 30, "n_jobs": 1, "X": X, **options,
    }  # fmt: skip
    return run_experiment(estimator, y=y, strategies=[random_sampling], scoring=scoring, **options)


class Untrainable(TabularMLPClassifier):
    """Fails if it is trained."""

    def fit(self, X, y):
        raise AssertionError("trained")


@pytest.mark.parametrize("scoring", ["roc_auc_ovr", "roc_auc_ovo_weighted", "neg_log_loss"])
@pytest.mark.parametrize("scaled", [False, True])
def test_a_class_that_the_test_part_lacks(scoring, scaled, tmp_path):
    net = Untrainable()
    net = make_pipeline(StandardScaler(), net) if scaled else net
    with pytest.raises(ValueError, match=r"test part of seed 0 has none of the classes \['d'\]"):
        run(ONE_D, scoring, net, out=tmp_path / "out")
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("labels", [[0, 1], [False, True], [-1, 7], ["no", "yes"]])
@pytest.mark.parametrize("scoring", ["roc_auc", "neg_log_loss"])
def test_one_class_alone(scoring, labels):
    y = np.array(labels)[RARE]
    with pytest.raises(ValueError, match=r"part of seed 0 has none of the classes"):
        run(y, scoring, Untrainable())


def test_the_validation_part_counts_and_can_be_left_out():
    y = np.array([0] * 110 + [1] * 10)
    with pytest.raises(ValueError, match="the validation part of seed 0 has none of the classes"):
        run(y, "roc_auc", Untrainable(), split=(0.6, 4, 0.3))
    assert run(y, "roc_auc", split=(0.6, 0.0, 0.4))["score"].notna().all()


@pytest.mark.parametrize("scoring", ["roc_auc_ovr", "neg_log_loss"])
def test_an_estimator_that_sees_its_classes_may_lack_one_at_first(scoring):
    """Probabilities of classes a and b would be taken for those of others."""
    with pytest.raises(ValueError, match=r"seed set has none of the classes \['c'\], which the"):
        run(FEW_C, scoring, LogisticRegression(), initial=3)
    enough = {"initial": 60, "budget": 70, "seeds": 1}
    assert run(FEW_C, scoring, LogisticRegression(), **enough)["score"].notna().all()


def test_a_net_knows_all_classes_from_the_start():
    assert run(FEW_C, "roc_auc_ovr", initial=3)["score"].between(0, 1).all()
    with pytest.raises(ValueError, match=r"none of the classes \['e'\]|cannot score the labels"):
        run(FEW_C, "roc_auc_ovr", Untrainable(classes=["a", "b", "c", "e"]))


@pytest.mark.parametrize("scoring", ["accuracy", "f1_macro", "balanced_accuracy"])
@pytest.mark.filterwarnings("ignore:y_pred contains classes not in y_true")
def test_predicted_labels_can_be_scored_without_a_class(scoring):
    assert run(ONE_D, scoring)["score"].between(0, 1).all()


def test_scorers_that_are_made():
    told = make_scorer(
        log_loss, response_method="predict_proba", greater_is_better=False, labels=list("abcd")
    )
    assert (run(ONE_D, told)["score"] < 0).all()
    with pytest.raises(ValueError, match="none of the classes"):
        run(ONE_D, get_scorer("roc_auc_ovr"), Untrainable())


@pytest.mark.parametrize("scoring", ["roc_auc", "average_precision"])
@pytest.mark.parametrize("estimator", [Untrainable(), RandomForestClassifier(n_estimators=3)])
def test_a_label_that_no_sample_of_a_part_has(scoring, estimator):
    y = (X > 0).astype(int)
    y[:, 1] = RARE
    with pytest.raises(ValueError, match=r"part of seed 0 has none of the classes \[1\]"):
        run(y, scoring, estimator)


@pytest.mark.parametrize("n_labels", [2, 3])
def test_several_labels_that_can_be_scored(n_labels):
    y = (X > 0).astype(int)[:, :n_labels]
    forest = RandomForestClassifier(n_estimators=3)
    assert run(y, "roc_auc", forest, seeds=1)["score"].between(0, 1).all()
    if n_labels == 3:
        assert run(y, "average_precision", seeds=1)["score"].between(0, 1).all()


def test_names_of_several_labels_that_scikit_learn_may_take_for_classes():
    """Up to 1.7 it does, and fails; what matters is that it is before training."""
    y = (X > 0).astype(int)
    try:
        scores = run(y, "average_precision", TabularMLPClassifier(classes=["a", "b", "c"]))["score"]
    except ValueError as error:
        if "cannot score the labels of y" not in str(error):
            raise
    else:
        assert scores.between(0, 1).all()
