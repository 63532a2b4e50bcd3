"""Texts on their way to a net: words, their ids and their vectors."""

from modal_interp.texts.token_encoder import TokenEncoder
from modal_interp.texts.vector_files import load_word_vectors
from modal_interp.texts.word_encoder import WordEncoder
from modal_interp.texts.word_vectors import embedding_matrix, train_word_vectors
from modal_interp.texts.words import split_words

__all__ = [
    "TokenEncoder",
    "WordEncoder",
    "embedding_matrix",
    "load_word_vectors",
    "split_words",
    "train_word_vectors",
]
