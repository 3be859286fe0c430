"""Optimizers: each its paper's equations, its own state, held equal to torch.optim."""

from fourfold.core.registry import Table

OPTIMIZERS = Table("optimizer", {})
