"""Interpretation-driven query strategies for modAL: label less text, and know why."""

from modal_interp.combining import product, ranked_mean
from modal_interp.datasets import (
    fetch_agnews,
    fetch_default,
    fetch_employee,
    fetch_mr,
    fetch_news,
    fetch_subj,
    fetch_telescope,
    fetch_trec,
    make_reviews,
    make_sigmoid,
)
from modal_interp.estimators import (
    TabularMLPClassifier,
    TextBiLSTMClassifier,
    TextCNNClassifier,
)
from modal_interp.gradient_lengths import expected_gradient_length, expected_word_gradient_length
from modal_interp.interpretations import (
    WordInterpretations,
    feature_interpretations,
    word_interpretations,
)
from modal_interp.learner import View
from modal_interp.modal_compat import mend_modal
from modal_interp.modules import TabularMLP, TextBiLSTM, TextCNN
from modal_interp.narrowing import exclude_duplicates, most_uncertain
from modal_interp.query import Query, open_query
from modal_interp.representations import features, gradient_embedding, interpretation
from modal_interp.scores import (
    bald_scores,
    dropout_probabilities,
    entropy_scores,
    least_confidence_scores,
    margin_scores,
)
from modal_interp.selectors import (
    KMedoids,
    diverse_words,
    farthest_first,
    joint_information,
    k_medoids,
    kmeans_pp,
    top_k,
)
from modal_interp.strategies import (
    alden_diversity,
    badge,
    bald,
    batch_bald,
    coreset,
    dami_kmedoids,
    egl,
    egl_word,
    entropy,
    least_confidence,
    margin,
    random_sampling,
)
from modal_interp.text import WordEncoder
from modal_interp.vector_files import load_word_vectors
from modal_interp.word_vectors import embedding_matrix, train_word_vectors

__all__ = [
    "KMedoids",
    "Query",
    "TabularMLP",
    "TabularMLPClassifier",
    "TextBiLSTM",
    "TextBiLSTMClassifier",
    "TextCNN",
    "TextCNNClassifier",
    "View",
    "WordEncoder",
    "WordInterpretations",
    "alden_diversity",
    "badge",
    "bald",
    "bald_scores",
    "batch_bald",
    "coreset",
    "dami_kmedoids",
    "diverse_words",
    "dropout_probabilities",
    "egl",
    "egl_word",
    "embedding_matrix",
    "entropy",
    "entropy_scores",
    "exclude_duplicates",
    "expected_gradient_length",
    "expected_word_gradient_length",
    "farthest_first",
    "feature_interpretations",
    "features",
    "fetch_agnews",
    "fetch_default",
    "fetch_employee",
    "fetch_mr",
    "fetch_news",
    "fetch_subj",
    "fetch_telescope",
    "fetch_trec",
    "gradient_embedding",
    "interpretation",
    "joint_information",
    "k_medoids",
    "kmeans_pp",
    "least_confidence",
    "least_confidence_scores",
    "load_word_vectors",
    "make_reviews",
    "make_sigmoid",
    "margin",
    "margin_scores",
    "most_uncertain",
    "open_query",
    "product",
    "random_sampling",
    "ranked_mean",
    "top_k",
    "train_word_vectors",
    "word_interpretations",
]

mend_modal()
