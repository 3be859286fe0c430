"""Regularizers of the algorithm."""

from fourfold.core.registry import Table

REGULARIZERS = Table("regularizer", {})
