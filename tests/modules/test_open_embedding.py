"""An embedding layer that stores few words gives what one that stores all would give."""

import copy

import numpy as np
import pytest
import torch

from modal_interp.modules import TextBiLSTM, TextCNN, TextCNNLSTM
from modal_interp.modules.open_embedding import MOST_WORDS, OpenEmbedding

IDS = torch.tensor([[4, 7, 2, 90_000, 0], [3, 1, MOST_WORDS - 1, 0, 0]])


def layer(dim=5, bound=0.1, freeze=False):
    torch.manual_seed(0)
    return OpenEmbedding(dim, bound=bound, freeze=freeze)


def test_storing_words_changes_no_vector():
    few, many = layer(), layer()
    many.store(torch.tensor([90_000, 7, 7]))
    assert many.words.tolist() == [0, 1, 7, 90_000]
    assert many.weight.shape == (4, 5)
    assert torch.equal(few(IDS), many(IDS))
    assert many.store(torch.tensor([3])).tolist() == [0, 1, 3, 4]
    assert torch.equal(few(IDS), many(IDS))
    assert not few(IDS)[IDS == 0].any()
    assert torch.equal(many.weight[3], few(IDS)[0, 1])


def test_what_is_stored_is_kept_when_more_is_stored():
    net = layer()
    net.store(torch.tensor([7]))
    with torch.no_grad():
        net.weight[2] = 1.0
    net.store(torch.tensor([3, 9]))
    assert net(torch.tensor([7])).tolist() == [[1.0] * 5]


@pytest.mark.parametrize("ids", [[[]], 6, [6], [[[6, 0], [2, 2]]], IDS[:, ::2]])
def test_ids_of_any_shape(ids):
    ids = torch.as_tensor(ids, dtype=torch.int64)
    found = layer()(ids)
    assert found.shape == (*ids.shape, 5)
    assert torch.equal(found[ids == 6], layer()(torch.tensor([6])).expand(int((ids == 6).sum()), 5))


def test_words_start_apart_and_uniform():
    vectors = layer(100)(torch.arange(1, 20_001)).detach()
    assert -0.1 <= vectors.min() < -0.0999
    assert 0.0999 < vectors.max() < 0.1
    assert abs(vectors.mean()) < 1e-4
    assert vectors.std() == pytest.approx(0.1 / 3**0.5, rel=0.01)
    assert len(vectors.unique(dim=0)) == 20_000
    # As far from independent as random ones are: 4950 pairs of columns, 1 / sqrt(n) each.
    between_columns = torch.corrcoef(vectors.T).fill_diagonal_(0)
    assert between_columns.abs().max() < 6 / 20_000**0.5
    neighbours = torch.nn.functional.cosine_similarity(vectors[1:], vectors[:-1])
    assert abs(neighbours.mean()) < 6 / (20_000 * 100) ** 0.5


def test_another_seed_gives_other_vectors():
    first = layer()
    second = OpenEmbedding(5, bound=0.1, freeze=False)  # the generator has gone on
    assert not torch.isclose(first(IDS)[IDS > 0], second(IDS)[IDS > 0]).any()


def test_gradients_reach_stored_words_alone():
    net = layer()
    net.store(torch.tensor([4, 7]))
    net(IDS).sum().backward()
    assert net.weight.grad.sum(dim=1).tolist() == [0, 5, 5, 5]
    before = net.words, net.weight.data
    with net.storing():
        (gradient,) = torch.autograd.grad(net(IDS).sum(), net.weight)
    assert gradient.sum(dim=1).tolist() == [0, 5, 5, 5, 5, 5, 5, 5]
    assert net.words is before[0]
    assert net.weight.data_ptr() == before[1].data_ptr()


def test_loads_the_words_of_another():
    first = layer()
    first.store(IDS)
    with torch.no_grad():
        first.weight.mul_(2)
    second = OpenEmbedding(5, bound=0.1, freeze=False)
    second.load_state_dict(first.state_dict())
    assert torch.equal(first(IDS + 5), second(IDS + 5))
    again = copy.deepcopy(second)
    again.store(torch.tensor([12]))
    assert len(second.words) == len(first.words) == len(again.words) - 1


@pytest.mark.parametrize("dtype", [torch.float16, torch.float64])
def test_of_any_precision(dtype):
    net = layer()
    net.store(torch.tensor([4]))
    assert net.to(dtype)(IDS).dtype == dtype
    torch.testing.assert_close(net(IDS), layer()(IDS).to(dtype), rtol=1e-3, atol=1e-4)


@pytest.mark.parametrize("module", [TextCNN, TextBiLSTM, TextCNNLSTM])
def test_modules_without_a_number_of_words(module):
    torch.manual_seed(0)
    net = module(None, 3, embedding_dim=4, freeze_embedding=True).eval()
    assert isinstance(net.embedding, OpenEmbedding)
    assert not net.embedding.weight.requires_grad
    before = net(IDS)
    net.embedding.store(IDS)
    torch.testing.assert_close(net(IDS), before)
    matrix = np.ones((6, 4))
    assert module(None, 3, embedding_matrix=matrix).embedding.num_embeddings == 6
    with pytest.raises(ValueError, match="embedding_dim must be an integer >= 1, found 0"):
        module(None, 3, embedding_dim=0)
