"""How a wrapped net is read: its batches, layers, outputs, and its forward passes."""
