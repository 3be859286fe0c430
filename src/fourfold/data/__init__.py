"""Data sources: what the model learns from. One source a file."""

from fourfold.core.registry import Entry, Table

DATA = Table(
    "data",
    {
        "digits": Entry(
            "fourfold.data.digits:DigitsConfig", "1,797 handwritten digits, 8x8 grey; comes with scikit-learn"
        ),
    },
)
