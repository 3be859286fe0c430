"""Multilayer perceptron: affine maps with a nonlinearity between them.

Source: Rumelhart, Hinton and Williams, Learning representations by back-propagating errors, Nature 323, 1986.
Departures: any activation in place of the logistic; trained on batches.
Checked by: torch.nn.Sequential with copied weights; parameter counts by hand.
"""

from collections.abc import Mapping
from typing import Annotated, Literal

from pydantic import Field
from torch import Tensor, nn

from fourfold.models.base import ModelConfig
from fourfold.nn.activations import Activation, make_activation
from fourfold.nn.initialise import Initialisation, initialise_
from fourfold.nn.stacked import (
    Objective,
    activation_backward,
    linear_stacked,
    linear_stacked_backward,
    linear_stacked_backward_input,
)
from fourfold.tasks.classification import ClassificationSpec
from fourfold.tasks.seam import Image, Spec


class MLPConfig(ModelConfig):
    """Fields of `model: mlp`."""

    name: Literal["mlp"] = "mlp"
    widths: list[Annotated[int, Field(ge=1, le=1_000_000)]] = Field(
        default=[128], description="units of each hidden layer; [] is a linear model"
    )
    activation: Activation = Field(default="relu", description="the nonlinearity after each hidden layer")
    dropout: float = Field(default=0.0, ge=0, lt=1, description="share of hidden units silenced in training")
    init: Initialisation = Field(default="auto", description="how weights are drawn; auto suits the activation")

    def build(self, spec: Spec) -> "MLP":
        """Return the MLP from the data's inputs to the task's outputs."""
        return MLP(spec.input.size, self.widths, spec.num_outputs, self.activation, self.dropout, self.init)

    def paper_spec(self) -> Spec:
        """Pictures of 28x28 and ten classes, the usual first problem; the paper's own nets are smaller still."""
        return ClassificationSpec(Image(1, 28, 28), tuple("0123456789"))


class MLP(nn.Module):
    """A stack of affine maps with a nonlinearity between them.

    Args:
        in_features: numbers in one example; inputs of any shape `[batch, …]` are flattened.
        widths: units of each hidden layer.
        out_features: numbers returned for one example.
        activation: name of the nonlinearity.
        dropout: probability that a hidden unit is silenced in training.
        init: how weights are drawn; biases start at zero.
    """

    def __init__(
        self,
        in_features: int,
        widths: list[int],
        out_features: int,
        activation: Activation = "relu",
        dropout: float = 0.0,
        init: Initialisation = "auto",
    ) -> None:
        super().__init__()
        layers: list[nn.Module] = [nn.Flatten()]
        for width in widths:
            layers += [nn.Linear(in_features, width), make_activation(activation)]
            if dropout > 0:
                layers.append(nn.Dropout(dropout))
            in_features = width
        layers.append(nn.Linear(in_features, out_features))
        self.layers = nn.Sequential(*layers)
        initialise_(self, init, activation)

    def forward(self, x: Tensor) -> Tensor:
        """Map `[batch, …]` to `[batch, out_features]`."""
        return self.layers(x)

    def forward_stacked(self, params: Mapping[str, Tensor], x: Tensor) -> Tensor:
        """Map `[stack, batch, …]` to `[stack, batch, out_features]` by the parameters of as many networks."""
        return self._forward_stacked(params, x)[-1]

    def gradients_stacked(
        self, params: Mapping[str, Tensor], x: Tensor, objective: Objective, into: Mapping[str, Tensor]
    ) -> Tensor:
        """Write each network's gradient by backpropagation to `into`; return the losses, `[stack]`."""
        values = self._forward_stacked(params, x)
        totals, grad = objective(values[-1])
        for i in range(len(self.layers) - 1, 0, -1):
            layer, name, before = self.layers[i], f"layers.{i}", values[i - 1]
            if isinstance(layer, nn.Linear):
                linear_stacked_backward(grad, before, into[f"{name}.weight"], into[f"{name}.bias"])
                grad = linear_stacked_backward_input(grad, params[f"{name}.weight"]) if i > 1 else grad
            else:
                grad = activation_backward(layer, grad, before, values[i])
        return totals

    def _forward_stacked(self, params: Mapping[str, Tensor], x: Tensor) -> list[Tensor]:
        """Return what each layer gives."""
        values = [x.flatten(2)]
        for i in range(1, len(self.layers)):
            layer, name = self.layers[i], f"layers.{i}"
            if isinstance(layer, nn.Linear):
                values.append(linear_stacked(values[-1], params[f"{name}.weight"], params[f"{name}.bias"]))
            else:
                values.append(layer(values[-1]))
        return values
