"""Plain torch modules, one architecture a file."""

from modal_interp.modules.bilstm import TextBiLSTM
from modal_interp.modules.cnn import TextCNN
from modal_interp.modules.cnn_lstm import TextCNNLSTM
from modal_interp.modules.mlp import TabularMLP
from modal_interp.modules.transformer import TextTransformer

__all__ = ["TabularMLP", "TextBiLSTM", "TextCNN", "TextCNNLSTM", "TextTransformer"]
