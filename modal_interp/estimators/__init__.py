"""scikit-learn classifiers over the package's modules, by skorch, and ensembles, one a file."""

from modal_interp.estimators.bilstm import TextBiLSTMClassifier
from modal_interp.estimators.cnn import TextCNNClassifier
from modal_interp.estimators.cnn_lstm import TextCNNLSTMClassifier
from modal_interp.estimators.ensemble import DeepEnsemble
from modal_interp.estimators.mlp import TabularMLPClassifier
from modal_interp.estimators.transformer import TransformerClassifier

__all__ = [
    "DeepEnsemble",
    "TabularMLPClassifier",
    "TextBiLSTMClassifier",
    "TextCNNClassifier",
    "TextCNNLSTMClassifier",
    "TransformerClassifier",
]
