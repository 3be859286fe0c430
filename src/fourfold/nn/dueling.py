"""A dueling head: how good it is to be here, and how much better each action is than the others.

    Q(s, a) = V(s) + A(s, a) - mean_a' A(s, a')          (Eq. 9)

Paper: Wang et al., Dueling Network Architectures for Deep Reinforcement Learning, ICML 2016, arXiv:1511.06581.
Departures: gradients that enter what comes before are not scaled by 1/sqrt(2), which the paper does for its deep nets.
Checked by: Eq. 9 by hand; a number added to every advantage changes nothing.
"""

from torch import Tensor, nn


class DuelingHead(nn.Module):
    """Two streams with a hidden layer each.

    Args:
        in_features: what both are given.
        hidden: units of each stream's hidden layer.
        num_actions: actions.
    """

    def __init__(self, in_features: int, hidden: int, num_actions: int) -> None:
        super().__init__()
        self.value = nn.Sequential(nn.Linear(in_features, hidden), nn.ReLU(), nn.Linear(hidden, 1))
        self.advantage = nn.Sequential(nn.Linear(in_features, hidden), nn.ReLU(), nn.Linear(hidden, num_actions))

    def forward(self, x: Tensor) -> Tensor:
        """Map `[batch, in_features]` to `[batch, num_actions]`."""
        advantage = self.advantage(x)
        return self.value(x) + advantage - advantage.mean(1, keepdim=True)  # Eq. 9
