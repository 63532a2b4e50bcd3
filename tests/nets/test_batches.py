"""A pass holds a bounded number of words, whatever the texts and the outputs are."""

import numpy as np
import pytest
from sklearn import config_context
from torch import nn
from torch.utils.data import DataLoader

from modal_interp import TextCNNClassifier, word_interpretations
from modal_interp._out_of_core import cuts_with_room
from modal_interp.nets.batches import batches
from modal_interp.nets.layers import find_embedding
from tests.small_nets import MeanReader, small_net


@pytest.mark.parametrize(("n_outputs", "dim"), [(0, 5), (1_000, 5), (4_000, 5)])
def test_batches_hold_a_bounded_number_of_words(n_outputs, dim):
    net, ids = small_net(MeanReader, 2), np.random.RandomState(0).randint(1, 11, (600, 60))
    with config_context(working_memory=64):
        read = [(rows, len(Xi), Xi.numel()) for rows, Xi in batches(net, ids, n_outputs=n_outputs)]
    most = min(256 * 60, 2**26 // (4 * dim * (32 + 2 * n_outputs)))
    assert 0.9 * most - 60 < max(words for _, _, words in read) <= most
    np.testing.assert_array_equal(
        np.sort(np.concatenate([rows for rows, _, _ in read])), range(600)
    )


@pytest.mark.parametrize("most", [None, 1, 4, 100])
@pytest.mark.parametrize("room", [1, 7, 40, 1_000])
def test_each_part_has_room_and_one_sample_more_would_not(room, most):
    lengths = np.sort(np.random.RandomState(0).randint(0, 12, 50))
    cuts = list(cuts_with_room(lengths, room, most))
    assert [cut.start for cut in cuts] == [0, *(cut.stop for cut in cuts[:-1])]
    assert cuts[-1].stop == 50
    for cut in cuts:
        n, rest = cut.stop - cut.start, lengths[cut.start :]
        assert n == 1 or (n * rest[n - 1] <= room and n <= (most or room))
        full = n in (most or room, len(rest))
        assert full or (n + 1) * rest[n] > room
    assert list(cuts_with_room(lengths[:0], room, most)) == []


def test_a_long_text_is_passed_with_few_others():
    ids = np.zeros((256, 3000), dtype=np.int64)
    ids[:, :8], ids[5] = 3, 4
    net = TextCNNClassifier(n_words=10, max_epochs=1, random_state=0)
    net.fit(ids[20:40, :10], np.arange(20) % 2)
    with config_context(working_memory=64):
        lengths = [(Xi != 0).sum(dim=1).max().item() * len(Xi) for _, Xi in batches(net, ids)]
    dim = find_embedding(net).embedding_dim
    assert max(lengths) <= 2**26 / (4 * dim * 32)
    with config_context(working_memory=64):
        found = word_interpretations(net, ids)
    np.testing.assert_allclose(found.values, word_interpretations(net, ids).values, atol=1e-6)


class _Attends(nn.Module):
    """A transformer of one layer, 2,048 wide inside."""

    def __init__(self, n_outputs):
        super().__init__()
        self.embedding = nn.Embedding(11, 8, padding_idx=0)
        self.layer = nn.TransformerEncoderLayer(8, 2, 2048, batch_first=True)
        self.output = nn.Linear(8, n_outputs)

    def forward(self, ids):
        words = self.layer(self.embedding(ids), src_key_padding_mask=ids == 0)
        return self.output((words * (ids != 0)[..., None]).sum(dim=1))


def test_passes_of_a_transformer_stay_in_the_cache():
    net, ids = small_net(_Attends, 2), np.random.RandomState(0).randint(1, 11, (300, 20))
    parts = [rows for rows, _ in batches(net, ids)]
    assert {len(rows) for rows in parts[:-1]} == {2**20 // 2048 // 20}
    by_parts = word_interpretations(net, ids)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("modal_interp.nets.batches._CACHED", np.inf)
        assert [len(rows) for rows, _ in batches(net, ids)] == [256, 44]
        at_once = word_interpretations(net, ids)
    np.testing.assert_allclose(by_parts.values, at_once.values, atol=1e-6)
    net.iterator_valid__batch_size = 7
    assert [len(rows) for rows, _ in batches(net, ids[:20])] == [7, 7, 6]


class _LoadsAll(DataLoader):
    def __init__(self, dataset, batch_size=1):
        super().__init__(dataset, batch_size=len(dataset))


def test_batches_of_the_users_own_iterator_are_passed_in_parts():
    ids = np.random.RandomState(0).randint(1, 11, (300, 60))
    net = small_net(MeanReader, 2)
    net.iterator_valid = _LoadsAll
    with config_context(working_memory=64):
        sizes = [len(Xi) for _, Xi in batches(net, ids, n_outputs=4_000)]
    assert len(sizes) > 1
    assert sum(sizes) == 300
