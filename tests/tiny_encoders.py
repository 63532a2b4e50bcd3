"""Encoders and tokenizers of a few pieces, made here: no test needs a network."""

from functools import cache
from pathlib import Path
from tempfile import mkdtemp

import numpy as np
import pytest

transformers = pytest.importorskip("transformers", reason="needs the extra [transformers]")
tokenizers = pytest.importorskip("tokenizers", reason="needs the extra [transformers]")

import torch  # noqa: E402
from tokenizers import Tokenizer, models, pre_tokenizers, processors  # noqa: E402

WORDS = ["a", "fine", "film", "dull", "good", "bad", "plot", "cast", "the", "of", ",", "."]
PIECES = ["##ly", "##s", "##ness", "##ing"]
MARKS = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]
TEXTS = [
    "a fine film",
    "the bad plot , dully",
    "goodness of the cast .",
    "a finely casting film",
    "dull dull plots",
    "",
    "unheard words",
    "the good film of the bad cast , a fine plot .",
]
LABELS = np.array(["pos", "neg", "pos", "pos", "neg", "neg", "pos", "neg"])


def word_pieces():
    """A tokenizer of WordPiece: ## goes on with a word."""
    vocabulary = {piece: number for number, piece in enumerate([*MARKS, *WORDS, *PIECES])}
    made = Tokenizer(models.WordPiece(vocabulary, unk_token="[UNK]"))
    made.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    made.post_processor = processors.TemplateProcessing(
        single="[CLS] $A [SEP]",
        special_tokens=[("[CLS]", vocabulary["[CLS]"]), ("[SEP]", vocabulary["[SEP]"])],
    )
    return transformers.PreTrainedTokenizerFast(
        tokenizer_object=made,
        pad_token="[PAD]",
        unk_token="[UNK]",
        cls_token="[CLS]",
        sep_token="[SEP]",
        mask_token="[MASK]",
        model_max_length=64,
    )


def byte_pairs():
    """A tokenizer of byte-level BPE, padding at id 1 as RoBERTa has it."""
    marks = ["<s>", "<pad>", "</s>", "<unk>"]
    letters = sorted(pre_tokenizers.ByteLevel.alphabet())
    merges = [("\u0120", "f"), ("\u0120f", "i"), ("l", "m"), ("\u0120fi", "lm")]
    pieces = [*marks, *letters, *("".join(pair) for pair in merges)]
    vocabulary = {piece: number for number, piece in enumerate(pieces)}
    made = Tokenizer(models.BPE(vocabulary, merges))
    made.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=True)
    made.post_processor = processors.TemplateProcessing(
        single="<s> $A </s>", special_tokens=[("<s>", 0), ("</s>", 2)]
    )
    return transformers.PreTrainedTokenizerFast(
        tokenizer_object=made,
        pad_token="<pad>",
        unk_token="<unk>",
        bos_token="<s>",
        eos_token="</s>",
        cls_token="<s>",
        sep_token="</s>",
    )


def sentence_pieces():
    """A tokenizer of SentencePiece's unigrams, without marks around a text."""
    pieces = [("<pad>", 0.0), ("<unk>", 0.0), ("\u2581film", -1.0), ("\u2581", -2.0)]
    pieces += [(letter, -3.0) for letter in "abcdefghijklmnopqrstuvwxyz"] + [("s", -3.0)]
    made = Tokenizer(models.Unigram([*dict(pieces).items()], unk_id=1))
    made.pre_tokenizer = pre_tokenizers.Metaspace()
    return transformers.PreTrainedTokenizerFast(
        tokenizer_object=made, pad_token="<pad>", unk_token="<unk>"
    )


N_IDS = len(MARKS + WORDS + PIECES)


def bert_config(n_ids=N_IDS, **options):
    sizes = {"hidden_size": 8, "num_hidden_layers": 2, "num_attention_heads": 2}
    sizes |= {"intermediate_size": 12, "max_position_embeddings": 24}
    return transformers.BertConfig(vocab_size=n_ids, **{**sizes, **options})


@cache
def bert_folder():
    """A folder as save_pretrained leaves it: a BERT of two layers and its tokenizer."""
    folder = Path(mkdtemp())
    with torch.random.fork_rng():
        torch.manual_seed(0)
        transformers.BertModel(bert_config()).save_pretrained(folder)
    word_pieces().save_pretrained(folder)
    return str(folder)
