"""Models: how inputs become outputs. One paper a file, each a plain `nn.Module`."""

from typing import TYPE_CHECKING, Any

from fourfold.core.registry import Entry, Table, lazy_exports

if TYPE_CHECKING:
    from fourfold.models.lenet5 import LeNet5 as LeNet5
    from fourfold.models.linear_regression import LinearRegression as LinearRegression
    from fourfold.models.mlp import MLP as MLP
    from fourfold.models.perceptron import Perceptron as Perceptron
    from fourfold.models.softmax_regression import SoftmaxRegression as SoftmaxRegression

MODELS = Table(
    "model",
    {
        "linear_regression": Entry(
            "fourfold.models.linear_regression:LinearRegressionConfig", "numbers as weighted sums (1805)"
        ),
        "perceptron": Entry("fourfold.models.perceptron:PerceptronConfig", "threshold units on the inputs (1958)"),
        "softmax_regression": Entry(
            "fourfold.models.softmax_regression:SoftmaxRegressionConfig", "classes by weighted sums (1958)"
        ),
        "mlp": Entry("fourfold.models.mlp:MLPConfig", "affine maps and a nonlinearity, any widths (1986)"),
        "lenet5": Entry("fourfold.models.lenet5:LeNet5Config", "convolution and subsampling, for handwriting (1998)"),
    },
)

_EXPORTS = {
    "LeNet5": "fourfold.models.lenet5",
    "LinearRegression": "fourfold.models.linear_regression",
    "MLP": "fourfold.models.mlp",
    "Perceptron": "fourfold.models.perceptron",
    "SoftmaxRegression": "fourfold.models.softmax_regression",
}


def __getattr__(name: str) -> Any:
    return lazy_exports(__name__, _EXPORTS, name)


def __dir__() -> list[str]:
    return sorted([*globals(), *_EXPORTS])
