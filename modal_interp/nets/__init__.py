"""How a wrapped net is read: batches, layers, words, outputs; passes forward and backward."""

from modal_interp.nets.layers import ReadBy
from modal_interp.nets.sequences import PieceWords

__all__ = ["PieceWords", "ReadBy"]
