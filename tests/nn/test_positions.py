"""Positions: the formula number by number, and what it was chosen for."""

import math

import torch
from verification import difference

from fourfold.nn.positions import SinusoidalPositions, positions_in, sinusoids


def test_every_number_is_the_formulas() -> None:
    table = sinusoids(50, 6)
    for place in range(50):
        for i in range(3):
            angle = place / 10000 ** (2 * i / 6)
            assert math.isclose(table[place, 2 * i], math.sin(angle), abs_tol=1e-6)
            assert math.isclose(table[place, 2 * i + 1], math.cos(angle), abs_tol=1e-6)


def test_a_shift_is_a_rotation_whatever_the_position() -> None:
    """Section 3.5: "for any fixed offset k, PE(pos + k) can be represented as a linear function of PE(pos)"."""
    table = sinusoids(40, 4).double()
    shift, _, _, _ = torch.linalg.lstsq(table[:-3], table[3:])
    assert difference(table[:-3] @ shift, table[3:]) < 1e-6


def test_longer_than_kept_is_computed_and_starts_anywhere() -> None:
    layer = SinusoidalPositions(6, 4)
    assert torch.equal(layer(4), sinusoids(4, 6))
    assert torch.equal(layer(3, start=7), sinusoids(10, 6)[7:])
    assert layer.state_dict() == {}


def test_positions_begin_anew_in_each_text() -> None:
    documents = torch.tensor([[1, 1, 1, 2, 2, 3, 0], [5, 5, 5, 5, 5, 5, 5]])
    assert positions_in(documents).tolist() == [[0, 1, 2, 0, 1, 0, 0], [0, 1, 2, 3, 4, 5, 6]]
