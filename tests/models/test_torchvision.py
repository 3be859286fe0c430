"""Every network that torchvision has too: the same numbers from the same weights, in evaluation and in training."""

import pytest
import torch
from torchvision_oracle import (
    LARGE,
    SIDES,
    cross_entropy,
    make_pair,
    output_difference,
    step_difference,
    with_auxiliary,
)
from verification import record

SIZES = [pytest.param(name, marks=pytest.mark.slow) if name in LARGE else name for name in SIDES]


@pytest.mark.promise("R14")
@pytest.mark.parametrize("name", SIZES)
def test_outputs_equal_torchvisions_with_copied_weights(name) -> None:
    output = output_difference(make_pair(name, torch.float32))
    record("network", name, "torchvision", {"outputs": output})
    assert output < 1e-5


@pytest.mark.promise("R14")
@pytest.mark.parametrize("name", SIZES)
def test_a_training_step_equals_torchvisions(name) -> None:
    """In float64, for dozens of normalisations of four pictures magnify what float32 rounds."""
    gradients, kept = step_difference(
        make_pair(name, torch.float64), with_auxiliary if name == "googlenet_bn" else cross_entropy
    )
    record("network", name, "torchvision", {"gradients": gradients, "statistics": kept})
    assert gradients < 1e-9
    assert kept < 1e-9
