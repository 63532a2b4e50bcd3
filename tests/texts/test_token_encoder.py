"""Texts to token ids by tokenizers of three kinds."""

import pickle

import numpy as np
import pytest
from sklearn.base import clone
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer

from modal_interp import TokenEncoder
from tests.tiny_encoders import TEXTS, bert_folder, byte_pairs, sentence_pieces, word_pieces

KINDS = {"WordPiece": word_pieces, "BPE": byte_pairs, "SentencePiece": sentence_pieces}


@pytest.mark.parametrize("kind", KINDS)
def test_ids_are_those_of_the_tokenizer(kind):
    tokenizer = KINDS[kind]()
    ids = TokenEncoder(tokenizer=tokenizer).fit(TEXTS).transform(TEXTS)
    assert ids.dtype == np.int64
    for row, text in zip(ids, TEXTS, strict=True):
        expected = tokenizer(text)["input_ids"]
        assert row[: len(expected)].tolist() == expected
        assert (row[len(expected) :] == tokenizer.pad_token_id).all()
    assert ids.shape[1] == max(len(tokenizer(text)["input_ids"]) for text in TEXTS)


def test_by_folder_and_by_tokenizer_are_one():
    by_folder = TokenEncoder(bert_folder())
    assert np.array_equal(
        by_folder.transform(TEXTS), TokenEncoder(tokenizer=word_pieces()).transform(TEXTS)
    )
    assert by_folder.inverse_transform(by_folder.transform(["a fine film", ""])).tolist() == [
        "a fine film",
        "",
    ]


def test_width():
    encoder = TokenEncoder(bert_folder(), max_length=6)
    ids = encoder.transform(TEXTS)
    assert ids.shape == (len(TEXTS), 6)  # the same for any texts, so that ids stack
    assert encoder.transform(["a"]).shape == (1, 6)
    assert (ids[-1] == [*TokenEncoder(bert_folder()).transform(TEXTS[-1:])[0, :5], 3]).all()
    assert encoder.transform([]).shape == (0, 6)
    assert TokenEncoder(tokenizer=sentence_pieces()).transform([""]).tolist() == [[0]]


def test_texts_beyond_what_the_model_reads_are_told():
    with pytest.warns(UserWarning, match=r"1 of 2 texts are longer than the 64 tokens"):
        ids = TokenEncoder(bert_folder()).transform(["film " * 100, "film"])
    assert ids.shape == (2, 64)
    assert TokenEncoder(bert_folder(), max_length=64).transform(["film " * 100]).shape == (1, 64)


@pytest.mark.parametrize(
    ("kind", "no_words", "begin", "go_on"),
    [
        ("WordPiece", (0, 2, 3, 4), ["a", "film", ",", "[CLS]", "[UNK]"], ["##ly", "##ness"]),
        ("BPE", (0, 1, 2), ["\u0120film", "\u0120f", "<s>"], ["f", "lm", ","]),
        ("SentencePiece", (0,), ["\u2581film", "\u2581"], ["f", "s", "<unk>"]),
    ],
)
def test_which_ids_are_words_and_which_begin_one(kind, no_words, begin, go_on):
    tokenizer = KINDS[kind]()
    encoder = TokenEncoder(tokenizer=tokenizer)
    id_of = tokenizer.get_vocab()
    assert encoder.no_words_ == no_words
    assert encoder.n_words_ == len(encoder.begins_word_) == max(id_of.values()) + 1
    assert all(encoder.begins_word_[id_of[piece]] for piece in begin)
    assert not any(encoder.begins_word_[id_of[piece]] for piece in go_on)
    assert encoder.padding_ == tokenizer.pad_token_id


def test_a_vocabulary_without_marks_is_of_whole_words():
    from tokenizers import Tokenizer, models, pre_tokenizers
    from transformers import PreTrainedTokenizerFast

    made = Tokenizer(models.WordLevel({"<pad>": 0, "<unk>": 1, "film": 2}, unk_token="<unk>"))
    made.pre_tokenizer = pre_tokenizers.Whitespace()
    whole = PreTrainedTokenizerFast(tokenizer_object=made, pad_token="<pad>", unk_token="<unk>")
    encoder = TokenEncoder(tokenizer=whole)
    assert encoder.begins_word_.all()
    assert encoder.transform(["film bore"]).tolist() == [[2, 1]]


def test_manners():
    encoder = TokenEncoder(bert_folder(), max_length=9)
    copy = pickle.loads(pickle.dumps(clone(encoder)))
    assert (
        copy.get_params()
        == encoder.get_params()
        == {
            "model": bert_folder(),
            "max_length": 9,
            "tokenizer": None,
        }
    )
    assert np.array_equal(copy.transform(TEXTS), encoder.transform(np.array(TEXTS, dtype=object)))
    with_tokenizer = pickle.loads(pickle.dumps(clone(TokenEncoder(tokenizer=word_pieces()))))
    assert np.array_equal(with_tokenizer.transform(TEXTS)[:-1, :9], encoder.transform(TEXTS)[:-1])
    pipeline = make_pipeline(FunctionTransformer(), encoder)
    assert np.array_equal(pipeline.transform(TEXTS), encoder.transform(TEXTS))


def test_a_tokenizer_that_learns_a_mark_is_read_anew():
    tokenizer = word_pieces()
    encoder = TokenEncoder(tokenizer=tokenizer)
    before = encoder.n_words_
    tokenizer.add_special_tokens({"additional_special_tokens": ["[TITLE]"]})
    assert encoder.n_words_ == before + 1
    assert before in encoder.no_words_


def no_padding():
    tokenizer = byte_pairs()
    tokenizer.pad_token = None
    return tokenizer


@pytest.mark.parametrize(
    ("encoder", "texts", "error", "message"),
    [
        (lambda: TokenEncoder("/no/such/folder"), ["a"], ValueError, "it is no folder"),
        (lambda: TokenEncoder("./tests"), ["a"], ValueError, "folder without a tokenizer"),
        (lambda: TokenEncoder(3), ["a"], TypeError, "model must be"),
        (lambda: TokenEncoder(tokenizer="bert"), ["a"], TypeError, "tokenizer must be one of"),
        (lambda: TokenEncoder(tokenizer=no_padding()), ["a"], ValueError, "id for padding"),
        (lambda: TokenEncoder(bert_folder(), max_length=2), ["a"], ValueError, "room for a word"),
        (lambda: TokenEncoder(bert_folder(), max_length=0), ["a"], ValueError, "max_length"),
        (lambda: TokenEncoder(bert_folder(), max_length=2.5), ["a"], TypeError, "max_length"),
        (lambda: TokenEncoder(bert_folder()), "a text", ValueError, "put it into a list"),
        (lambda: TokenEncoder(bert_folder()), ["a", None], ValueError, "position 1"),
        (lambda: TokenEncoder(bert_folder()), ["a", "b\ud800"], ValueError, "half .* position 1"),
        (lambda: TokenEncoder(bert_folder()), [["a"], ["b"]], TypeError, "strings only"),
    ],
)
def test_what_is_wrong_is_said(encoder, texts, error, message):
    with pytest.raises(error, match=message):
        encoder().transform(texts)


@pytest.mark.parametrize("ids", [[[1.5]], [1, 2], [[-1]], [[999]]])
def test_ids_that_are_none(ids):
    with pytest.raises(ValueError, match="ids must"):
        TokenEncoder(bert_folder()).inverse_transform(ids)


def test_a_name_that_cannot_be_had_says_which_folder_to_pass(monkeypatch):
    import huggingface_hub.constants

    monkeypatch.setattr(huggingface_hub.constants, "HF_HUB_OFFLINE", True)
    with pytest.raises(ValueError, match="pass the folder that holds the model"):
        TokenEncoder("nobody/no-such-model").transform(["a"])
