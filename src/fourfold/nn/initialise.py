"""Drawing initial weights.

Sources: Glorot and Bengio, Understanding the difficulty of training deep feedforward neural networks, AISTATS 2010,
Eq. 16; He et al., Delving Deep into Rectifiers, ICCV 2015, Eq. 10, arXiv:1502.01852; LeCun et al., Efficient BackProp,
1998, section 4.6; Krizhevsky et al., ImageNet Classification with Deep Convolutional Neural Networks, NeurIPS 2012,
section 5 (`normal`).
Checked by: torch.nn.init's functions, draw for draw; the variance each paper states.
"""

from typing import Literal

from torch import nn

from fourfold.nn.activations import Activation

Initialisation = Literal["auto", "glorot", "he", "lecun", "normal", "zeros"]


def initialise_(module: nn.Module, scheme: Initialisation, activation: Activation) -> None:
    """Draw the weights of every linear and convolutional layer in `module`, and set their biases to zero.

    `auto` is He for the ReLU family and Glorot for everything else; `normal` has a standard deviation of 0.01 whatever
    the layer's size.
    """
    rectified = activation in ("relu", "leaky_relu", "gelu")
    chosen = ("he" if rectified else "glorot") if scheme == "auto" else scheme
    for layer in module.modules():
        if not isinstance(layer, nn.Linear | nn.Conv1d | nn.Conv2d | nn.Conv3d):
            continue
        if chosen == "he":
            nn.init.kaiming_normal_(layer.weight, nonlinearity="relu")
        elif chosen == "glorot":
            nn.init.xavier_uniform_(layer.weight)
        elif chosen == "lecun":
            nn.init.kaiming_normal_(layer.weight, nonlinearity="linear")
        elif chosen == "normal":
            nn.init.normal_(layer.weight, std=0.01)
        else:
            nn.init.zeros_(layer.weight)
        if layer.bias is not None:
            nn.init.zeros_(layer.bias)
