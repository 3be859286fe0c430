"""An ensemble answers with its members' outputs combined."""

import torch
from torch import nn

from fourfold.algorithms.combining import mean
from fourfold.algorithms.ensemble import Ensemble


def members(count: int) -> list[nn.Module]:
    torch.manual_seed(0)
    return [nn.Linear(4, 2) for _ in range(count)]


def test_it_combines_its_members_outputs() -> None:
    parts, x = members(3), torch.randn(5, 4)
    ensemble = Ensemble(parts, mean)
    torch.testing.assert_close(ensemble(x), parts[0](x))  # at first only member 0 counts
    ensemble.weights.copy_(torch.tensor([1.0, 0.0, 3.0]))
    torch.testing.assert_close(ensemble(x), (parts[0](x) + 3 * parts[2](x)) / 4)


def test_a_single_member_answers_for_itself_to_the_bit() -> None:
    parts, x = members(1), torch.randn(5, 4)
    assert torch.equal(Ensemble(parts, lambda outputs, weights: outputs[0] * 0.1)(x), parts[0](x))


def test_weights_are_saved_with_the_members() -> None:
    ensemble, other = Ensemble(members(2), mean), Ensemble([nn.Linear(4, 2) for _ in range(2)], mean)
    ensemble.weights.copy_(torch.tensor([0.2, 0.7]))
    other.load_state_dict(ensemble.state_dict())
    x = torch.randn(3, 4)
    assert torch.equal(other(x), ensemble(x))
    assert torch.equal(other.weights, ensemble.weights)
