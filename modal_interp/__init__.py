"""Interpretation-driven query strategies for modAL: label less text, and know why."""

from modal_interp.datasets import (
    fetch_agnews,
    fetch_mr,
    fetch_subj,
    fetch_trec,
    make_reviews,
    make_sigmoid,
)
from modal_interp.estimators import (
    TabularMLPClassifier,
    TextBiLSTMClassifier,
    TextCNNClassifier,
)
from modal_interp.interpretations import (
    WordInterpretations,
    feature_interpretations,
    word_interpretations,
)
from modal_interp.modal_compat import mend_modal
from modal_interp.modules import TabularMLP, TextBiLSTM, TextCNN
from modal_interp.selectors import (
    KMedoids,
    diverse_words,
    farthest_first,
    k_medoids,
    kmeans_pp,
    top_k,
)
from modal_interp.strategies import alden_diversity
from modal_interp.text import WordEncoder
from modal_interp.vector_files import load_word_vectors
from modal_interp.word_vectors import embedding_matrix, train_word_vectors

__all__ = [
    "KMedoids",
    "TabularMLP",
    "TabularMLPClassifier",
    "TextBiLSTM",
    "TextBiLSTMClassifier",
    "TextCNN",
    "TextCNNClassifier",
    "WordEncoder",
    "WordInterpretations",
    "alden_diversity",
    "diverse_words",
    "embedding_matrix",
    "farthest_first",
    "feature_interpretations",
    "fetch_agnews",
    "fetch_mr",
    "fetch_subj",
    "fetch_trec",
    "k_medoids",
    "kmeans_pp",
    "load_word_vectors",
    "make_reviews",
    "make_sigmoid",
    "top_k",
    "train_word_vectors",
    "word_interpretations",
]

mend_modal()
