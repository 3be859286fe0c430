"""Algorithms: how parameters move."""

from fourfold.core.registry import Entry, Table

ALGORITHMS = Table(
    "algorithm",
    {
        "supervised": Entry("fourfold.algorithms.supervised:SupervisedConfig", "gradient descent on labelled batches"),
    },
)
