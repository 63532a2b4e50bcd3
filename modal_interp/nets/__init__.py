"""How a wrapped net is read: batches, layers, words, outputs; passes forward and backward."""

from modal_interp.nets.layers import ReadBy

__all__ = ["ReadBy"]
