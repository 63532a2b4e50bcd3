"""The text transformer: what it computes, what it leaves out, what it keeps."""

import pickle
from copy import deepcopy

import numpy as np
import pytest
import torch

from modal_interp import TextTransformer
from modal_interp.modules.feature_store import FeatureStore
from tests.tiny_encoders import bert_config, transformers

IDS = torch.tensor([[2, 5, 6, 17, 3, 0], [2, 7, 3, 0, 0, 0], [2, 3, 0, 0, 0, 0], [0] * 6])


def small(n_classes=3, **options):
    torch.manual_seed(0)
    encoder = transformers.AutoModel.from_config(bert_config(**options.pop("config", {})))
    options = {"no_words": (0, 2, 3, 4), **options}
    return TextTransformer(n_classes, encoder=encoder, **options).eval()


def frozen(**options):
    net = small(**options)
    net.freeze(FeatureStore())
    return net


def literal_features(net, ids):
    """One text at a time, without padding; the mean, or the first, of its last states."""
    rows = []
    for row in ids:
        words = row[row != net.padding][None]
        if not words.numel():
            rows.append(torch.zeros(net.output.in_features))
            continue
        found = net.encoder(input_ids=words)
        states = found.last_hidden_state[0]
        pooled = {"mean": states.mean(dim=0), "cls": states[0], "own": found.pooler_output[0]}
        h = pooled[net.pooling]
        rows.append((h - h.mean()) / (h.var(unbiased=False) + 1e-5).sqrt())
    return torch.stack(rows)


@pytest.mark.parametrize("pooling", ["mean", "cls", "own"])
def test_features_are_those_of_each_text_alone(pooling):
    net = small(pooling=pooling)
    ids = IDS if pooling == "mean" else IDS[:3]
    with torch.no_grad():
        expected = literal_features(net, ids)
        torch.testing.assert_close(net.features(ids), expected)
        torch.testing.assert_close(net(ids), net.output(expected))


@pytest.mark.parametrize("make", [small, frozen])
def test_neither_padding_nor_other_texts_change_a_result(make):
    net = make()
    with torch.no_grad():
        whole = net(IDS)
        torch.testing.assert_close(make()(torch.nn.functional.pad(IDS, (0, 9))), whole)
        for row in range(len(IDS)):
            torch.testing.assert_close(make()(IDS[row : row + 1])[0], whole[row])
        torch.testing.assert_close(make()(torch.zeros(2, 4, dtype=torch.int64)), whole[[3, 3]])


def test_padding_of_another_id():
    with torch.no_grad():
        net = small(config={"pad_token_id": 1}, padding=1, no_words=(1,))
        ids = torch.where(IDS == 0, 1, IDS)
        torch.testing.assert_close(net.features(ids), literal_features(net, ids))
    assert net.encoder.get_input_embeddings().padding_idx == 1


def test_a_frozen_encoder_reads_each_text_once():
    net = frozen()
    with torch.no_grad():
        first = net(IDS)
        assert net.store.n_computed == 4
        assert torch.equal(net(IDS.flip(0)), first.flip(0))
        assert torch.equal(net(torch.nn.functional.pad(IDS, (0, 3))), first)
        assert net.store.n_computed == 4
        net(torch.cat([IDS, IDS + (IDS == 5)]))
        assert net.store.n_computed == 5
    net.train()
    assert net.dropout.training
    assert not any(layer.training for layer in net.encoder.modules())
    net(IDS).sum().backward()
    assert net.store.n_computed == 5
    assert net.output.weight.grad is not None
    assert all(p.grad is None for p in net.encoder.parameters())


def test_gradients_by_words_go_through_a_frozen_encoder():
    net, free = frozen(), small()
    pulled = []
    for one in (net, free):
        words = one.encoder.get_input_embeddings()
        leaves = []

        def cut(_, __, output, leaves=leaves):
            leaves.append(output.detach().requires_grad_())
            return leaves[0]

        handle = words.register_forward_hook(cut)
        one(IDS[:3])[:, 1].sum().backward()
        handle.remove()
        pulled.append(leaves[0].grad)
    torch.testing.assert_close(*pulled)
    assert pulled[0].abs().sum() > 0


def test_new_weights_make_the_features_anew():
    net = frozen()
    with torch.no_grad():
        before = net(IDS)
        for parameter in net.encoder.parameters():
            parameter.mul_(1.5)
        after = net(IDS)
        assert not torch.allclose(before, after)
        torch.testing.assert_close(net.output(net.encode(IDS)), after)


def test_weights_that_are_loaded_leave_the_encoder_to_those_who_share_it():
    encoder, store = small().encoder, FeatureStore()
    one, other = (TextTransformer(3, encoder=encoder).eval() for _ in range(2))
    one.freeze(store, shared=True)
    other.freeze(store, shared=True)
    with torch.no_grad():
        expected = one(IDS)
        other.load_state_dict(one.state_dict())
        assert torch.equal(other(IDS), expected)
        assert store.n_computed == 4  # the same encoder: nothing is encoded anew
        assert other.encoder is encoder
        changed = {key: 1.5 * value for key, value in one.state_dict().items()}
        other.load_state_dict(changed)
        assert torch.equal(one(IDS), expected)
        assert torch.equal(other.output.weight, changed["output.weight"])
        torch.testing.assert_close(other(IDS), other.output(other.encode(IDS)))
        assert not torch.allclose(other.features(IDS), one.features(IDS))
    with pytest.raises(RuntimeError, match="Missing key"):
        one.load_state_dict({key: changed[key] for key in changed if key != "output.bias"})
    assert one.encoder is not encoder  # which it left, for weights that did not come
    assert store.n_computed == 4


def test_copies_and_pickles_keep_no_features():
    net = frozen()
    with torch.no_grad():
        expected = net(IDS)
        for copy in (deepcopy(net), pickle.loads(pickle.dumps(net))):
            assert copy.store.n_computed == 0
            assert torch.equal(copy(IDS), expected)
            assert copy.store.n_computed == 4
    assert net.store.n_computed == 4


def test_another_encoder_gives_other_features():
    net = frozen()
    with torch.no_grad():
        before, store = net(IDS), net.store
        net.encoder = transformers.AutoModel.from_config(bert_config()).train()
        assert not torch.allclose(net(IDS), before)
        torch.testing.assert_close(net(IDS), net.output(net.encode(IDS)))
    assert net.store is not store
    assert not any(p.requires_grad or net.encoder.training for p in net.encoder.parameters())


def test_the_same_weights_again_are_no_others():
    net = frozen()
    with torch.no_grad():
        expected, held = net(IDS), deepcopy(net.state_dict())
        net.output.weight.zero_()
        net.load_state_dict(held)
        assert torch.equal(net(IDS), expected)
        assert net.store.n_computed == 4
        held["encoder.embeddings.word_embeddings.weight"] *= 1.5
        net.load_state_dict(held)
        torch.testing.assert_close(net(IDS), net.output(net.encode(IDS)))
        assert not torch.allclose(net(IDS), expected)
        net.load_state_dict({name: p.clone() for name, p in held.items()}, assign=True)
        net.encoder.embeddings.word_embeddings.weight.mul_(2)
        torch.testing.assert_close(net(IDS), net.output(net.encode(IDS)))


def test_texts_of_another_dtype_are_told_apart():
    net = frozen(config={"pad_token_id": 9}, padding=9)
    with torch.no_grad():
        net(torch.tensor([[5]]))
        narrow = torch.tensor([[5, 0]], dtype=torch.int32)  # of the same bytes
        torch.testing.assert_close(net(narrow), net.output(net.encode(narrow)))


def test_many_features_lie_in_files(monkeypatch):
    import sklearn

    store, rng = FeatureStore(), np.random.default_rng(0)
    ids = rng.integers(1, 9, (9000, 5))
    lengths = rng.integers(0, 6, 9000)
    values = {}

    def compute(rows):
        for row in rows:
            values[row] = rng.random(300, dtype=np.float32)
        return np.stack([values[row] for row in rows])

    with sklearn.config_context(working_memory=1):
        found = store.get(ids, lengths, compute)
    assert isinstance(store._blocks[-1].base, np.ndarray)
    first = {ids[row, : lengths[row]].tobytes(): row for row in reversed(range(9000))}
    assert store.n_computed == len(first) == len(values)
    again = store.get(ids, lengths, None)
    assert np.array_equal(found, again)
    for row in range(0, 9000, 500):
        same = [r for r in values if np.array_equal(ids[r, : lengths[r]], ids[row, : lengths[row]])]
        assert np.array_equal(found[row], values[same[0]])


def test_what_is_said_of_words():
    begins = np.ones(40, dtype=bool)
    net = small(no_words=(0, 2, 39), begins_word=begins)
    assert net.read_by["embedding_layer"] == "encoder.embeddings.word_embeddings"
    assert net.read_by["no_words"] == [0, 2]  # 39 has no row of the embedding
    assert len(net.read_by["begins_word"]) == net.encoder.get_input_embeddings().num_embeddings


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"pooling": "max"}, "pooling must be 'mean', 'cls' or 'own'; found 'max'"),
        ({"dropout": 1.0}, "dropout must be a number in"),
        ({"n_classes": 0}, "n_classes must be"),
    ],
)
def test_what_is_wrong_is_said(options, message):
    with pytest.raises(ValueError, match=message):
        small(**options)


def test_own_pooling_needs_a_pooler():
    encoder = transformers.BertModel(bert_config(), add_pooling_layer=False)
    with pytest.raises(ValueError, match="BertModel has no pooler"):
        TextTransformer(2, encoder=encoder, pooling="own")
