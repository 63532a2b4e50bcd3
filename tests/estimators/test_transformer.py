"""The classifier over a pretrained encoder: what is trained, what is kept, what is refused."""

import pickle
from threading import Event, Thread

import numpy as np
import pytest
import torch
from modAL.models import ActiveLearner, Committee
from sklearn.base import clone
from sklearn.exceptions import NotFittedError
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline
from skorch import NeuralNetClassifier
from skorch.callbacks import Callback

from modal_interp import (
    DeepEnsemble,
    TextTransformer,
    TokenEncoder,
    TransformerClassifier,
    WordEncoder,
    alden_diversity,
    badge,
    bald,
    coreset,
    dami_kmedoids,
    egl_word,
    margin,
)
from modal_interp.estimators.contrastive import BalancedBatches, SupervisedContrastiveLoss
from modal_interp.estimators.encoders import shared_encoder
from modal_interp.nets.hooks import embeddings_as_leaves
from tests.tiny_encoders import (
    LABELS,
    TEXTS,
    bert_config,
    bert_folder,
    byte_pairs,
    transformers,
    word_pieces,
)

IDS = TokenEncoder(tokenizer=word_pieces()).transform(TEXTS)
Y = np.stack([LABELS == "pos", np.arange(8) % 2 == 0, np.arange(8) < 3], axis=1).astype(int)
QUICK = {"max_epochs": 4, "contrastive_steps": 4, "contrastive_batch_size": 6}
KINDS = ["head", "all", np.int64(1), "contrastive"]


def classifier(trainable="head", **options):
    options = {**QUICK, "random_state": 0, **options}
    return TransformerClassifier(bert_folder(), trainable=trainable, **options)


def weights(net):
    return {name: p.detach().clone() for name, p in net.module_.named_parameters()}


@pytest.mark.parametrize("trainable", KINDS)
@pytest.mark.parametrize("y", [LABELS, Y, (np.arange(8) % 3)])
def test_it_is_a_classifier(trainable, y):
    net = classifier(trainable).fit(IDS, y)
    proba = net.predict_proba(IDS)
    assert proba.shape == (8, len(net.classes_))
    if y.ndim == 1:
        assert net.classes_.tolist() == sorted(set(y.tolist()))
        np.testing.assert_allclose(proba.sum(axis=1), 1, rtol=1e-5)
    assert net.predict(IDS).shape == y.shape
    again = clone(net).fit(IDS, y)
    assert np.array_equal(again.predict_proba(IDS), proba)
    restored = pickle.loads(pickle.dumps(net))
    np.testing.assert_allclose(restored.predict_proba(IDS), proba, rtol=1e-4, atol=1e-6)


@pytest.mark.parametrize("trainable", KINDS)
def test_what_is_trained_changes_and_nothing_else(trainable):
    net = classifier(trainable, classes=["neg", "pos"])
    net.initialize()
    before = weights(net)
    pretrained = dict(transformers.AutoModel.from_pretrained(bert_folder()).named_parameters())
    for name, p in before.items():
        if name.startswith("encoder.") and "pooler" not in name:
            assert torch.equal(p, pretrained[name.removeprefix("encoder.")])
    net.partial_fit(IDS, LABELS)
    changed = {name for name, p in weights(net).items() if not torch.equal(p, before[name])}
    encoder = {name for name in before if name.startswith("encoder.") and "pooler" not in name}
    expected = {
        "head": set(),
        "all": encoder - {"encoder.embeddings.token_type_embeddings.weight"},
        "contrastive": encoder - {"encoder.embeddings.token_type_embeddings.weight"},
        1: {name for name in encoder if ".layer.1." in name},
    }[trainable]
    # A shift of all keys, and what only the first kind of token gets, has no gradient to speak of.
    silent = {name for name in encoder if "key.bias" in name}
    assert (
        changed - silent - {"encoder.embeddings.token_type_embeddings.weight"}
        == (expected | {"output.weight", "output.bias"}) - silent
    )


def test_a_trained_head_is_a_plain_one_on_the_same_features():
    net = classifier("head", max_epochs=30, module__dropout=0.0, batch_size=8).fit(IDS, LABELS)
    with torch.no_grad():
        h = net.module_.encode(torch.from_numpy(IDS)).numpy()
    first = classifier("head", classes=["neg", "pos"]).initialize().module_.output
    plain = NeuralNetClassifier(
        torch.nn.Linear(h.shape[1], 2),
        criterion=torch.nn.CrossEntropyLoss,
        optimizer=torch.optim.AdamW,
        lr=net.lr,
        max_epochs=30,
        batch_size=8,
        train_split=None,
        verbose=0,
    ).initialize()
    plain.module_.load_state_dict(first.state_dict())
    plain.partial_fit(h, (LABELS == "pos").astype(np.int64))
    np.testing.assert_allclose(net.predict_proba(IDS), plain.predict_proba(h), atol=1e-6)


def test_no_text_is_encoded_twice():
    learner = ActiveLearner(
        estimator=make_pipeline(
            TokenEncoder(bert_folder()), classifier("head", classes=["neg", "pos"])
        ),
        query_strategy=margin,
        X_training=np.array(TEXTS[:4], dtype=object),
        y_training=LABELS[:4],
    )
    _, store = shared_encoder(bert_folder(), "mean", "cpu", 0)
    pool = np.array([*TEXTS[4:], "a new film", "the new plot"], dtype=object)
    learner.query(pool, n_instances=2)
    read = store.n_computed
    for strategy in (margin, badge, coreset, bald):
        learner.query_strategy = strategy
        learner.query(pool, n_instances=2)
    learner.teach(pool[:1], LABELS[4:5])
    learner.query(pool, n_instances=2)
    clone(learner.estimator).fit(TEXTS[:4], LABELS[:4]).predict(TEXTS)
    assert store.n_computed == read


def test_early_stopping_encodes_no_text_again():
    many, labels = np.tile(IDS, (6, 1)), np.tile(LABELS, 6)
    _, store = shared_encoder(bert_folder(), "mean", "cpu", 0)
    classifier("head").fit(IDS, LABELS)
    read, held = store.n_computed, store._blocks[0]
    net = classifier("head", early_stopping=True, n_iter_no_change=1, max_epochs=40, lr=0.3)
    net.fit(many, labels).predict(IDS)
    assert store.n_computed == read
    assert store._blocks[0] is held  # nor was anything forgotten


@pytest.mark.parametrize("trainable", KINDS)
def test_randomness_is_its_own(trainable):
    torch.manual_seed(3)
    state, drawn = torch.get_rng_state(), np.random.get_state()[1].copy()  # noqa: NPY002
    classifier(trainable).fit(IDS, LABELS).predict(IDS)
    assert torch.equal(torch.get_rng_state(), state)
    assert np.array_equal(np.random.get_state()[1], drawn)  # noqa: NPY002
    one, other = (classifier(trainable, random_state=s).fit(IDS, LABELS) for s in (0, 1))
    assert not np.array_equal(one.predict_proba(IDS), other.predict_proba(IDS))


def test_parameters():
    net = classifier("all")
    assert net.get_params()["lr"] is None
    assert net.get_params()["batch_size"] is None
    assert clone(net).set_params(trainable="head").lr != net.lr
    assert net.set_params(lr=0.1).get_params()["lr"] == 0.1
    search = GridSearchCV(classifier("head"), {"module__dropout": [0.0, 0.4]}, cv=2)
    assert search.fit(IDS, LABELS).best_params_


@pytest.mark.parametrize("trainable", ["head", "all"])
def test_training_goes_on_by_the_usual_step_size(trainable):
    one, other = (classifier(trainable, warm_start=True).fit(IDS, LABELS) for _ in range(2))
    other.set_params(lr=0.5, batch_size=2)
    assert [group["lr"] for group in other.optimizer_.param_groups] == [0.5]
    other.set_params(lr=None, batch_size=None)
    assert other.get_params()["lr"] is other.get_params()["batch_size"] is None
    for net in (one, other):
        net.partial_fit(IDS, LABELS).fit(IDS, LABELS)
    assert np.array_equal(one.predict_proba(IDS), other.predict_proba(IDS))


def test_a_model_by_its_configuration_reads_words():
    encoder = WordEncoder().fit(TEXTS)
    config = bert_config(encoder.n_words_)
    net = TransformerClassifier(config, trainable="all", **QUICK, random_state=0)
    ids = encoder.transform(TEXTS)
    proba = net.fit(ids, LABELS).predict_proba(ids)
    assert np.array_equal(clone(net).fit(ids, LABELS).predict_proba(ids), proba)
    other = clone(net).set_params(random_state=1).fit(ids, LABELS)
    assert not np.array_equal(other.predict_proba(ids), proba)
    assert net.module_.read_by["begins_word"] is None
    frozen = clone(net).set_params(trainable="head").fit(ids, LABELS)
    assert frozen.module_.store.n_computed == len(np.unique(ids, axis=0))


def test_padding_that_is_not_0():
    tokenizer = byte_pairs()
    config = transformers.RobertaConfig(
        vocab_size=len(tokenizer),
        hidden_size=8,
        num_hidden_layers=1,
        num_attention_heads=2,
        intermediate_size=8,
        max_position_embeddings=64,
        pad_token_id=1,
    )
    net = TransformerClassifier(config, tokenizer=tokenizer, **QUICK, random_state=0)
    ids = TokenEncoder(tokenizer=tokenizer).transform(TEXTS)
    net.fit(ids, LABELS)
    wider = np.pad(ids, ((0, 0), (0, 5)), constant_values=1)
    np.testing.assert_allclose(net.predict_proba(wider), net.predict_proba(ids), rtol=1e-5)
    with pytest.raises(ValueError, match="at most 62 tokens"):
        net.predict(np.array([[0, *[5] * 62]]))


@pytest.mark.parametrize(
    "strategy", [margin, badge, coreset, alden_diversity, dami_kmedoids, egl_word]
)
def test_learners_and_committees_take_raw_strings(strategy):
    texts = np.array(TEXTS, dtype=object)

    def learner(seed):
        return ActiveLearner(
            estimator=make_pipeline(
                TokenEncoder(bert_folder()),
                classifier("head", classes=["neg", "pos"], random_state=seed),
            ),
            query_strategy=strategy,
            X_training=texts[:4],
            y_training=LABELS[:4],
        )

    for asking in (learner(0), Committee([learner(0), learner(1)], query_strategy=strategy)):
        rows, asked = asking.query(texts[4:], n_instances=2)
        assert len(set(rows.tolist())) == len(asked) == 2


def test_going_on_with_training():
    net = classifier("contrastive", classes=["neg", "pos"])
    net.partial_fit(IDS, LABELS)
    before = weights(net)
    net.partial_fit(IDS, LABELS)
    changed = [name for name, p in weights(net).items() if not torch.equal(p, before[name])]
    assert any(name.startswith("encoder.") for name in changed)
    alone = classifier("contrastive", classes=["neg", "pos"]).fit(IDS[:2], ["pos", "pos"])
    assert alone.predict(IDS).shape == (8,)  # nothing to keep apart, and no error


def tuned(net, tmp_path):
    """Weights of an encoder that was fine-tuned are loaded into a net that shares its own."""
    other = classifier("contrastive", contrastive_lr=0.01).fit(IDS, LABELS)
    other.save_params(f_params=str(tmp_path / "tuned.pt"))
    net.load_params(f_params=str(tmp_path / "tuned.pt"))
    np.testing.assert_allclose(net.predict_proba(IDS), other.predict_proba(IDS), rtol=1e-5)


def made_double(net, _):
    before = net.predict_proba(IDS)
    net.module_.double()
    assert net.module_.encoder.dtype == torch.float64
    np.testing.assert_allclose(net.predict_proba(IDS), before, rtol=1e-5)


@pytest.mark.parametrize("change", [tuned, made_double])
def test_what_is_done_to_a_net_is_not_done_to_others(change, tmp_path):
    one, other = classifier().fit(IDS, LABELS), classifier().fit(IDS, LABELS)
    assert one.module_.encoder is other.module_.encoder
    expected = other.predict_proba(IDS)
    change(one, tmp_path)
    assert np.array_equal(other.predict_proba(IDS), expected)
    assert other.module_.encoder.dtype == torch.float32
    assert np.array_equal(classifier().fit(IDS, LABELS).predict_proba(IDS), expected)


@pytest.mark.parametrize("change", [lambda p: p.mul_(2.0), lambda p: p.requires_grad_()])
def test_a_new_net_has_the_weights_of_the_files(change):
    net = classifier().fit(IDS, LABELS)
    expected = net.predict_proba(IDS)
    with torch.no_grad():
        change(net.module_.encoder.embeddings.word_embeddings.weight)  # by hand
    fresh = classifier().fit(IDS, LABELS)
    assert fresh.module_.encoder is not net.module_.encoder
    assert np.array_equal(fresh.predict_proba(IDS), expected)


@pytest.mark.parametrize(
    ("built", "changed"),
    [
        ("head", {"trainable": "contrastive"}),
        ("all", {"trainable": "contrastive"}),
        ("head", {"trainable": "all"}),
        ("contrastive", {"pooling": "cls"}),
        ("head", {"model": bert_config()}),
    ],
)
def test_training_goes_on_as_it_began(built, changed):
    net = classifier(built, warm_start=True).fit(IDS, LABELS)
    before = weights(net)
    net.set_params(**changed)
    for go_on in (net.partial_fit, net.fit):
        with pytest.raises(ValueError, match=f"{next(iter(changed))} must stay"):
            go_on(IDS, LABELS)
    assert all(torch.equal(p, before[name]) for name, p in weights(net).items())


def test_features_are_kept_where_the_best_weights_are_taken_back():
    net = classifier(early_stopping=True, n_iter_no_change=1, max_epochs=50, lr=0.5)
    net.fit(IDS, LABELS)
    assert 2 <= len(net.history_) < 50
    best = classifier(early_stopping=True, max_epochs=len(net.history_) - 1, lr=0.5)
    best.fit(IDS, LABELS)
    np.testing.assert_array_equal(best.predict_proba(IDS), net.predict_proba(IDS))
    read = net.module_.store.n_computed
    net.predict(IDS)
    again = clone(net).fit(IDS, LABELS)
    assert again.module_.store is net.module_.store
    assert net.module_.store.n_computed == read


def test_features_are_those_without_autocast(tmp_path):
    transformers.BertModel(bert_config()).save_pretrained(tmp_path)
    word_pieces().save_pretrained(tmp_path)
    net = TransformerClassifier(str(tmp_path), **QUICK, random_state=0)
    with torch.autocast("cpu", dtype=torch.bfloat16):
        net.fit(IDS, LABELS)
    with torch.no_grad():
        ids = torch.from_numpy(IDS)
        torch.testing.assert_close(net.module_.features(ids), net.module_.encode(ids))


def test_an_encoder_first_loaded_in_inference_mode_can_be_trained(tmp_path):
    transformers.BertModel(bert_config()).save_pretrained(tmp_path)
    word_pieces().save_pretrained(tmp_path)
    net = TransformerClassifier(str(tmp_path), classes=["neg", "pos"], **QUICK)
    with torch.inference_mode():
        net.initialize()
    for trainable in KINDS:
        clone(net).set_params(trainable=trainable).fit(IDS, LABELS)
    restored = pickle.dumps(clone(net).fit(IDS, LABELS))
    with torch.inference_mode():
        assert pickle.loads(restored).predict(IDS).shape == (8,)


def test_initialize_looks_at_the_model_that_there_is(tmp_path):
    tokenizer = byte_pairs()
    sizes = {"hidden_size": 8, "num_hidden_layers": 1, "num_attention_heads": 2}
    config = transformers.RobertaConfig(vocab_size=len(tokenizer), **sizes)
    transformers.RobertaModel(config).save_pretrained(tmp_path)
    tokenizer.save_pretrained(tmp_path)
    net = classifier(classes=["neg", "pos"]).fit(IDS, LABELS)
    assert net.set_params(model=str(tmp_path)).initialize().module_.padding == 1


def test_a_net_has_the_encoder_that_its_features_are_of(monkeypatch):
    asked = []

    def taken(*args):
        asked.append(shared_encoder(*args))
        return asked[-1]

    monkeypatch.setattr("modal_interp.estimators.transformer.shared_encoder", taken)
    net = classifier(classes=["neg", "pos"]).initialize()
    ((encoder, store),) = asked
    assert net.module_.encoder is encoder
    assert net.module_.store is store


def test_a_net_may_predict_while_another_on_its_encoder_is_asked():
    one, other = classifier().fit(IDS, LABELS), classifier(random_state=1).fit(IDS, LABELS)
    expected = other.predict_proba(IDS)
    words, found = one.module_.encoder.get_input_embeddings(), []
    with embeddings_as_leaves(words) as calls:
        predicts = Thread(target=lambda: found.append(other.predict_proba(IDS)))
        predicts.start()
        predicts.join()
    assert calls == []
    np.testing.assert_allclose(found[0], expected, rtol=1e-5)


@pytest.mark.parametrize("seed", [3, None])
def test_training_and_queries_take_turns(seed):
    asked = classifier().fit(IDS, LABELS)
    learner = ActiveLearner(asked, bald, IDS, LABELS)
    state = torch.get_rng_state()

    def trained():
        torch.default_generator.set_state(state)
        return classifier(random_state=seed).fit(IDS, LABELS).predict_proba(IDS)

    def query():
        return learner.query(IDS, n_instances=3, random_state=0)[0].tolist()

    expected, picks, found, over = trained(), query(), [], Event()

    def ask():
        while not over.is_set():
            found.append(query())

    asking = Thread(target=ask, daemon=True)
    asking.start()
    again = [trained() for _ in range(5 if seed is not None else 1)]
    over.set()
    asking.join(60)
    assert found
    assert all(rows == picks for rows in found)
    if seed is not None:
        assert all(np.array_equal(proba, expected) for proba in again)


def test_features_are_those_of_the_padding_and_of_the_module():
    class Longest(TextTransformer):
        def _pooled(self, found, is_token):
            return found.last_hidden_state.amax(dim=1)

    other = word_pieces()
    other.pad_token = "[MASK]"
    ids = IDS + 4 * (IDS == 0)
    nets = [
        classifier().fit(ids, LABELS),
        classifier(tokenizer=other).fit(ids, LABELS),
        classifier(module=Longest).fit(ids, LABELS),
    ]
    found = []
    for net, padding in zip(nets, [0, 4, 0], strict=True):
        assert net.module_.encoder.get_input_embeddings().padding_idx == padding
        with torch.no_grad():
            features = net.module_.features(torch.from_numpy(ids))
            torch.testing.assert_close(features, net.module_.encode(torch.from_numpy(ids)))
        found.append(features)
    assert not any(torch.allclose(found[0], features) for features in found[1:])


def test_texts_of_padding_alone():
    net = classifier().fit(IDS, LABELS)
    assert np.isfinite(net.predict_proba(np.zeros((2, 4), dtype=int))).all()


@pytest.mark.parametrize("changed", ["contrastive", "all", 1])
def test_a_shared_encoder_is_never_trained(changed):
    other = classifier("head").fit(IDS, LABELS)
    net = classifier("head", warm_start=True).fit(IDS, LABELS)
    assert net.module_.encoder is other.module_.encoder
    before = weights(other)
    with pytest.raises(ValueError, match="trainable must stay"):
        net.set_params(trainable=changed).fit(IDS, LABELS)
    assert all(torch.equal(p, before[name]) for name, p in weights(other).items())
    net.set_params(warm_start=False).fit(IDS, LABELS)
    assert net.module_.encoder is not other.module_.encoder


def test_what_is_held_out_does_not_tune_the_encoder(monkeypatch):
    tuned = []
    monkeypatch.setattr(
        "modal_interp.estimators.prepared.pull_together",
        lambda module, X, y, **options: tuned.append((X, y)),
    )
    many, labels = np.arange(40) % 7 + 5, np.arange(40) % 2
    ids = np.stack([np.full(40, 2), many, np.arange(40) % 6 + 5, np.full(40, 3)], axis=1)
    net = classifier("contrastive", early_stopping=True, validation_fraction=0.25)
    net.fit(ids, labels)
    (X, y), *others = tuned
    assert not others
    assert len(X) == len(y) == 30
    net.set_params(early_stopping=False).fit(ids, labels)
    assert len(tuned[1][0]) == 40


def loss_that(does, at):
    """A contrastive loss which does something the `at`-th time that it is asked for."""
    calls, loss = [], SupervisedContrastiveLoss.forward

    def forward(self, features, targets):
        calls.append(len(targets))
        found = loss(self, features, targets)
        return does(found) if len(calls) == at else found

    return forward


def interrupt(_):
    raise KeyboardInterrupt


@pytest.mark.parametrize("at", [1, 2, 4])  # of 4 steps
@pytest.mark.parametrize(
    ("does", "error", "message"),
    [(interrupt, KeyboardInterrupt, None), (lambda x: x * np.nan, ValueError, "contrastive_lr")],
)
def test_fine_tuning_that_fails_leaves_no_half_of_a_net(at, does, error, message, monkeypatch):
    known = classifier("contrastive", warm_start=True).fit(IDS, LABELS)
    before, proba = weights(known), known.predict_proba(IDS)
    cold = classifier("contrastive").fit(IDS, LABELS)
    for net, goes_on in ((known, True), (cold, False), (classifier("contrastive"), False)):
        with monkeypatch.context() as patch:
            patch.setattr(SupervisedContrastiveLoss, "forward", loss_that(does, at))
            with pytest.raises(error, match=message):
                net.fit(IDS, LABELS)
        assert net.__sklearn_is_fitted__() == net.initialized_ == goes_on
    assert all(torch.equal(p, before[name]) for name, p in weights(known).items())
    np.testing.assert_allclose(known.predict_proba(IDS), proba, rtol=1e-5)
    assert len(known.history_) == 4
    assert len(known.fit(IDS, LABELS).history_) == 8
    with pytest.raises(NotFittedError):
        cold.predict(IDS)
    assert len(cold.fit(IDS, LABELS).history_) == 4


@pytest.mark.parametrize("steps", [1, 4])
def test_steps_that_are_too_large_are_told(steps):
    net = classifier("contrastive", contrastive_steps=steps, contrastive_lr=1e30)
    with pytest.raises(ValueError, match=r"must be finite.*Lower contrastive_lr, which is 1e\+30"):
        net.fit(IDS, LABELS)
    assert not net.__sklearn_is_fitted__()


def test_an_ensemble_ends_where_a_member_is_interrupted(monkeypatch):
    steps = []
    forward = loss_that(interrupt, 2)
    monkeypatch.setattr(
        SupervisedContrastiveLoss, "forward", lambda *args: steps.append(0) or forward(*args)
    )
    with pytest.raises(KeyboardInterrupt):
        DeepEnsemble(classifier("contrastive"), 3, random_state=0).fit(IDS, LABELS)
    assert len(steps) == 2


class InterruptsEpoch(Callback):
    def on_epoch_end(self, net, **kwargs):
        if len(net.history) == 2:
            raise KeyboardInterrupt


def test_interrupted_epochs_end_as_those_of_skorch():
    for trainable in ("contrastive", "head"):
        net = classifier(trainable, callbacks=[InterruptsEpoch()]).fit(IDS, LABELS)
        assert len(net.history_) == 2
        assert net.predict(IDS).shape == (8,)


def test_to_split_samples_trains_nothing():
    net = classifier("contrastive", early_stopping=True).fit(IDS, LABELS)
    before, read = weights(net), net.module_.store.n_computed
    targets = (LABELS == "pos").astype(int)
    train, valid = net.get_split_datasets(IDS, targets)
    assert len(train) + len(valid) == 8
    assert all(torch.equal(p, before[name]) for name, p in weights(net).items())
    assert net.module_.store.n_computed == read


NONE_ALIKE = np.array([[1, 0, 0], [0, 1, 0], [0, 0, 0]])


@pytest.mark.parametrize(
    ("y", "tuned"),
    [
        (np.arange(3), False),
        (np.zeros(3, dtype=int), False),
        (np.array([0, 1, 1]), True),
        (NONE_ALIKE, False),
        (np.array([[1, 0, 0], [0, 0, 0], [0, 0, 0]]), True),  # two without a label
        (np.array([[1, 1, 0], [0, 1, 1], [0, 0, 0]]), True),
        (np.array([[1, 1, 0]] * 3), False),
    ],
)
def test_an_encoder_is_tuned_where_there_is_something_to_tell_apart(y, tuned):
    classes = [0, 1, 2]
    net = classifier("contrastive", classes=classes).fit(IDS[:3], y)
    start = classifier("all", classes=classes, max_epochs=0).fit(IDS[:3], y)
    pairs = zip(net.module_.encoder.parameters(), start.module_.encoder.parameters(), strict=True)
    assert all(torch.equal(one, other) for one, other in pairs) != tuned
    assert len(net.history_) == 4


def with_other_padding(tokenizer):
    tokenizer.pad_token = "[MASK]"
    return tokenizer


def test_a_tokenizer_stays_while_training_goes_on():
    net = classifier(warm_start=True).fit(IDS, LABELS)
    with pytest.raises(ValueError, match=r"tokenizer must stay None .* of other ids"):
        net.set_params(tokenizer=with_other_padding(word_pieces())).fit(IDS, LABELS)
    assert len(net.set_params(tokenizer=word_pieces()).fit(IDS, LABELS).history_) == 8  # the same
    one = classifier(warm_start=True, tokenizer=word_pieces()).fit(IDS, LABELS)
    with_other_padding(one.tokenizer)
    with pytest.raises(ValueError, match="tokenizer must stay"):
        one.fit(IDS, LABELS)


def test_a_tuned_encoder_is_the_only_one(monkeypatch):
    def never(*args):
        raise AssertionError

    monkeypatch.setattr("modal_interp.estimators.transformer.shared_encoder", never)
    for trainable in ("contrastive", "all", 1):
        classifier(trainable).fit(IDS, LABELS).predict(IDS)


def test_numbers_of_numpy_are_step_sizes():
    net = classifier("contrastive", contrastive_lr=np.float32(5e-5)).fit(IDS, LABELS)
    same = classifier("contrastive", contrastive_lr=float(np.float32(5e-5))).fit(IDS, LABELS)
    np.testing.assert_array_equal(net.predict_proba(IDS), same.predict_proba(IDS))


def test_fine_tuning_shows_a_bar(capsys):
    classifier("contrastive", verbose=1).fit(IDS, LABELS)
    assert "/4 [" in capsys.readouterr().err


def test_nets_that_pad_with_other_ids_share_no_encoder():
    other = word_pieces()
    other.pad_token = "[MASK]"
    one = classifier().fit(IDS, LABELS)
    two = classifier(tokenizer=other).fit(np.where(IDS == 0, 4, IDS), LABELS)
    assert one.module_.encoder.get_input_embeddings().padding_idx == 0
    assert two.module_.encoder.get_input_embeddings().padding_idx == 4


def test_the_contrastive_loss_is_the_papers():
    torch.manual_seed(0)
    h, tau = torch.nn.functional.normalize(torch.randn(7, 4), dim=1), 0.1
    y = torch.tensor([0, 1, 0, 2, 1, 0, 3])
    terms = []
    for i in range(7):
        others = [k for k in range(7) if k != i]
        alike = [j for j in others if y[j] == y[i]]
        total = sum(torch.exp(h[i] @ h[k] / tau) for k in others)
        if alike:
            shares = [torch.log(torch.exp(h[i] @ h[j] / tau) / total) for j in alike]
            terms.append(-sum(shares) / len(alike))
    expected = sum(terms) / len(terms)
    loss = SupervisedContrastiveLoss(tau)
    torch.testing.assert_close(loss(5 * h, y), expected)
    torch.testing.assert_close(loss(h, torch.nn.functional.one_hot(y).float()), expected)
    assert loss(h[:1], y[:1]) == 0


def test_batches_hold_labels_evenly_and_no_text_twice():
    y = np.array([0] * 40 + [1] * 5 + [2])
    batches = list(BalancedBatches(y, 30, 12))
    assert len(batches) == 30
    for batch in batches:
        assert len(set(batch)) == len(batch)
        counts = np.bincount(y[batch], minlength=3)
        assert counts[1] >= 3
        assert counts[0] >= 3
        assert len(batch) <= 12
    drawn = np.bincount(np.concatenate(batches), minlength=46)
    assert drawn[:40].max() - drawn[:40].min() <= 1


def test_batches_of_several_labels_are_full():
    y = (np.random.RandomState(0).rand(60, 8) < 0.4).astype(int)
    for targets, n_texts in ((y, 24), (np.arange(40), 24), (np.array([0, 1, 1, 2, 2, 2]), 6)):
        for batch in BalancedBatches(targets, 6, n_texts):
            assert len(batch) == len(set(batch)) == n_texts


def test_texts_without_a_label_are_alike():
    features = torch.eye(3, 4) + 0.1
    none = torch.tensor([[0.0, 0.0], [0.0, 0.0], [1.0, 0.0]])
    loss = SupervisedContrastiveLoss()
    torch.testing.assert_close(loss(features, none), loss(features, torch.tensor([0, 0, 1])))


def folder_with(config, tokenizer, tmp_path):
    config.save_pretrained(tmp_path)
    if tokenizer is not None:
        tokenizer.save_pretrained(tmp_path)
    return str(tmp_path)


def encoder_decoder(tmp_path):
    config = transformers.T5Config(vocab_size=30, d_model=8, d_kv=4, d_ff=8, num_layers=1)
    return TransformerClassifier(folder_with(config, word_pieces(), tmp_path))


def cut_out(tmp_path):
    config = transformers.T5Config(vocab_size=30, d_model=8, d_kv=4, d_ff=8, num_layers=1)
    transformers.T5EncoderModel(config).save_pretrained(tmp_path)
    word_pieces().save_pretrained(tmp_path)
    return TransformerClassifier(str(tmp_path))


def sharing_layers(_):
    sizes = {"hidden_size": 8, "num_hidden_layers": 2, "num_attention_heads": 2}
    config = transformers.AlbertConfig(vocab_size=21, embedding_size=4, **sizes)
    return TransformerClassifier(config, trainable=1, tokenizer=word_pieces())


def without_tokenizer(tmp_path):
    transformers.BertModel(bert_config()).save_pretrained(tmp_path)
    return TransformerClassifier(str(tmp_path))


def without_weights(tmp_path):
    return TransformerClassifier(folder_with(bert_config(), word_pieces(), tmp_path))


def without_padding(tmp_path):
    tokenizer = byte_pairs()
    tokenizer.pad_token = None
    config = transformers.GPT2Config(vocab_size=300, n_embd=8, n_layer=1, n_head=2)
    return TransformerClassifier(config, tokenizer=tokenizer)


# As a WordEncoder might give them: some are ids of marks, by chance.
OF_WORDS = np.where(np.arange(8)[:, None] == 3, [2, 6, 7], [8, 6, 7])
LONG = np.pad(np.full((1, 25), 5), ((0, 0), (0, 3)))
LONG[0, 0] = 2


@pytest.mark.parametrize(
    ("make", "X", "error", "message"),
    [
        (encoder_decoder, IDS, ValueError, "an encoder alone"),
        (cut_out, IDS, ValueError, "an encoder alone; T5Model"),
        (sharing_layers, IDS, ValueError, "for AlbertModel, whose layers"),
        (without_tokenizer, IDS, ValueError, "folder without a tokenizer"),
        (without_weights, IDS, ValueError, "folder without an encoder"),
        (without_padding, IDS, ValueError, "id for padding"),
        (lambda _: TransformerClassifier("/no/folder"), IDS, ValueError, "it is no folder"),
        (lambda _: classifier(device="cuda:99"), IDS, ValueError, "device="),
        (lambda _: TransformerClassifier(7), IDS, TypeError, "model must be a name"),
        (
            lambda _: TransformerClassifier(transformers.BertModel(bert_config())),
            IDS,
            TypeError,
            "found a BertModel. Pass the folder",
        ),
        (lambda _: classifier(0), IDS, ValueError, "trainable must be one of"),
        (lambda _: classifier("body"), IDS, ValueError, "trainable must be one of"),
        (lambda _: classifier(True), IDS, ValueError, "trainable must be one of"),
        (lambda _: classifier(3), IDS, ValueError, "from 1 to 2; found 3"),
        (lambda _: classifier(module=torch.nn.Linear), IDS, TypeError, "module must be TextTr"),
        (lambda _: classifier(pooling="max"), IDS, ValueError, "pooling must be"),
        (lambda _: classifier(contrastive_steps=0), IDS, ValueError, "contrastive_steps"),
        (lambda _: classifier(contrastive_batch_size=1), IDS, ValueError, "contrastive_batch"),
        (lambda _: classifier(contrastive_batch_size=3), IDS, ValueError, "contrastive_batch"),
        (lambda _: classifier(contrastive_lr="1"), IDS, ValueError, "contrastive_lr must be a f"),
        (lambda _: classifier(contrastive_lr=-1.0), IDS, ValueError, "contrastive_lr"),
        (lambda _: classifier(module__dropout=1.5), IDS, ValueError, "dropout must be"),
        (lambda _: classifier(), np.array(TEXTS, dtype=object), ValueError, "put a TokenEncoder"),
        (lambda _: classifier(), IDS.astype(float), ValueError, "must hold integers"),
        (lambda _: classifier(), IDS + 90, ValueError, "vocabulary has 21"),
        (lambda _: classifier(), np.full((8, 3), 6), ValueError, "sets marks such as"),
        (lambda _: classifier(), OF_WORDS, ValueError, "found none at row 0"),
        (
            lambda _: classifier(),
            WordEncoder().fit(TEXTS).transform(TEXTS),
            ValueError,
            "at an end of each text; found none at row",
        ),
        (lambda _: classifier(), np.repeat(LONG, 8, axis=0), ValueError, "at most 24 tokens"),
        (lambda _: classifier(min_steps=-1), IDS, ValueError, "min_steps"),
    ],
)
def test_what_is_wrong_is_said_before_any_work(make, X, error, message, tmp_path):
    net = make(tmp_path)
    with pytest.raises(error, match=message):
        net.fit(X, LABELS)
    assert not hasattr(net, "history_") or not net.history_


@pytest.mark.parametrize("strategy", [margin, egl_word])
@pytest.mark.parametrize(
    ("pool", "message"),
    [
        (IDS + 3, "vocabulary has 21|from 0 to 20"),
        (np.repeat(LONG, 4, axis=0), "at most 24 tokens"),
        (np.full((4, 3), 6), "at an end of each text"),
    ],
)
def test_what_is_wrong_with_a_pool_is_said_before_any_work(strategy, pool, message):
    net = classifier(classes=["neg", "pos"])
    learner = ActiveLearner(net, strategy, X_training=IDS, y_training=LABELS)
    read = net.module_.store.n_computed
    with pytest.raises(ValueError, match=message):
        learner.query(pool, n_instances=1)
    assert net.module_.store.n_computed == read


def test_passes_with_dropout_need_dropout():
    net = classifier("head", module__dropout=0.0, classes=["neg", "pos"])
    learner = ActiveLearner(
        estimator=net, query_strategy=bald, X_training=IDS[:4], y_training=LABELS[:4]
    )
    with pytest.raises(ValueError, match="dropout layer with p > 0"):
        learner.query(IDS, n_instances=2)


def test_without_transformers_an_error_says_what_to_install(monkeypatch):
    import sys

    monkeypatch.setitem(sys.modules, "transformers", None)
    with pytest.raises(ImportError, match=r"pip install 'modal_interp\[transformers\]'"):
        TransformerClassifier("some/other-model").fit(IDS, LABELS)
