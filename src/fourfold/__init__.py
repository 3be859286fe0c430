"""Fourfold: a deep-learning lab of four parts, data, model, loss and algorithm."""

__version__ = "0.1.0"
