"""Interpretations of any texts and tables are those of the functions that make them."""

import numpy as np
import pandas as pd
import pytest
from modAL.models import ActiveLearner, Committee
from sklearn.exceptions import NotFittedError
from sklearn.frozen import FrozenEstimator
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from modal_interp import (
    DeepEnsemble,
    TabularMLPClassifier,
    TextCNNClassifier,
    WordEncoder,
    feature_interpretations,
    make_reviews,
    make_sigmoid,
    show_features,
    show_words,
    word_interpretations,
)
from tests.explanations.html.pages import checked
from tests.explanations.made import HOSTILE

TEXTS, LABELS = make_reviews(40, random_state=0)
NAMED = np.array(["neg", "neutral", "pos"])[(LABELS + np.arange(40) % 2).astype(int)]
GIVEN = ["A good plot, badly told", "", " ".join(HOSTILE), "zzz qqq"]
ENCODER = WordEncoder().fit([*TEXTS, *GIVEN[:3]])
X, Y = make_sigmoid(40, random_state=0)


def net(seed=0):
    sizes = {"module__n_filters": 4, "module__embedding_dim": 6}
    return TextCNNClassifier(max_epochs=1, random_state=seed, **sizes)


@pytest.fixture(scope="module")
def pipeline():
    return make_pipeline(FrozenEstimator(ENCODER), net()).fit(TEXTS, NAMED)


@pytest.mark.parametrize("classes", ["all", "predicted"])
@pytest.mark.parametrize("target", ["proba", "logit"])
def test_numbers_of_words(pipeline, target, classes):
    found = show_words(pipeline, GIVEN, target=target, classes=classes)
    ids = ENCODER.transform(GIVEN)
    expected = word_interpretations(pipeline[-1], ids, target=target, classes=classes)
    for k, one in enumerate(found):
        own = slice(expected.offsets[k], expected.offsets[k + 1])
        np.testing.assert_allclose(one.words.contributions, expected.values[own], atol=1e-6)
        np.testing.assert_allclose(one.proba.mean, pipeline.predict_proba(GIVEN)[k], atol=1e-6)
        predicted = one.proba.classes[one.proba.mean.argmax()]
        assert one.words.outputs[one.words.shown] == predicted
    assert found[0].words.names == ("a", "good", "plot", ",", "badly", "told")
    assert GIVEN[0][slice(*found[0].words.spans[0])] == "A"
    assert not found[3].words.known.any()
    assert len(found[1].words.names) == 0


def test_forms(pipeline):
    found = show_words(pipeline, GIVEN)
    page = checked(found._repr_html_())
    assert "A good plot, badly told" in page.text
    assert "The text holds no word that the net reads." in page.text
    assert HOSTILE[0] not in found._repr_html_()
    frame = found.to_frame()
    assert frame.loc[0]["word"].tolist()[:3] == ["a", "good", "plot"]
    assert {"known", "neg", "neutral", "pos"} <= set(frame.columns)
    assert len(frame) == sum(len(one.words.names) for one in found)
    assert "4 texts, and what their words contribute" in str(found) == found.to_text(color=False)
    assert "\x1b" not in str(found)
    assert len(found[:2]) == 2
    assert repr(found[0]) == "<Interpreted 0: A good plot, badly told>"


def test_learners_committees_ensembles_and_ids(pipeline):
    encoder = FrozenEstimator(ENCODER)
    ids = encoder.transform(TEXTS)
    by_ids = show_words(net().fit(ids, NAMED), encoder.transform(GIVEN[:1]), encoder=ENCODER)
    assert by_ids[0].words.names[:3] == ("a", "good", "plot")
    learner = ActiveLearner(make_pipeline(encoder, net()), X_training=TEXTS, y_training=NAMED)
    assert show_words(learner, GIVEN)[0].words.contributions.shape[1] == 3
    members = [
        ActiveLearner(make_pipeline(encoder, net(k)), X_training=TEXTS, y_training=NAMED)
        for k in range(2)
    ]
    several = show_words(Committee(members), GIVEN[:1])[0]
    assert several.words.outputs[3] == "neg (member 2)"
    assert several.proba.of == "members"
    ensemble = make_pipeline(encoder, DeepEnsemble(net(), n_members=2, random_state=0))
    assert len(show_words(ensemble.fit(TEXTS, NAMED), GIVEN[:1])[0].proba.by) == 2


@pytest.mark.parametrize("frame", [False, True])
def test_numbers_of_features(frame):
    table = pd.DataFrame(X, columns=["wide", "high"]) if frame else X
    pipeline = make_pipeline(StandardScaler(), TabularMLPClassifier(max_epochs=1, random_state=0))
    pipeline.fit(table, Y)
    found = show_features(pipeline, table[:5], target="logit")
    scaled = pipeline[0].transform(table[:5]).astype(np.float32)
    expected = feature_interpretations(pipeline[-1], scaled, target="logit")
    for k, one in enumerate(found):
        np.testing.assert_allclose(one.features.contributions, expected[k].T, atol=1e-6)
        np.testing.assert_allclose(one.features.values, scaled[k], rtol=1e-6)
        assert one.features.names == (("wide", "high") if frame else ("x0", "x1"))
    assert found.to_frame().shape == (10, 2)
    assert found.to_frame().index.names == ["sample", "feature"]
    checked(found._repr_html_())
    assert "5 samples, and what their features contribute" in str(found)


def test_what_is_refused(pipeline):
    table = TabularMLPClassifier(max_epochs=1, random_state=0).fit(X, Y)
    with pytest.raises(ValueError, match="net must read words"):
        show_words(table, X)
    with pytest.raises(ValueError, match="net must read a table"):
        show_features(pipeline, TEXTS[:2])
    with pytest.raises(TypeError, match="texts must hold samples; found a str"):
        show_words(pipeline, "a text")
    with pytest.raises(ValueError, match="texts must hold at least one sample; found none"):
        show_words(pipeline, [])
    with pytest.raises(NotFittedError):
        show_words(make_pipeline(WordEncoder(), net()), TEXTS)
    with pytest.raises(TypeError):
        show_features(LogisticRegression().fit(X, Y), X)
    with pytest.raises(ValueError, match="target"):
        show_words(pipeline, TEXTS[:2], target="margin")
