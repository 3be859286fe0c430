"""The kernel machine apart from its algorithm: what it is built for, and what it reads back."""

import pytest
import torch

from fourfold.core.errors import InputError
from fourfold.models import MODELS, KernelSVM
from fourfold.nn.hog import hog
from fourfold.tasks.classification import ClassificationSpec
from fourfold.tasks.regression import RegressionSpec
from fourfold.tasks.seam import Features, Image

TEN = tuple("0123456789")


def built(image: Image | Features, **fields: object) -> KernelSVM:
    return MODELS.parse({"name": "kernel_svm", **fields}, "model").build(ClassificationSpec(image, TEN))


def fitted(seed: int = 0) -> KernelSVM:
    torch.manual_seed(seed)
    model = KernelSVM(4, 3)
    bias = torch.randn(3, 3)
    model.store(torch.randn(6, 4), torch.randn(3, 6), bias + bias.T, 0.3, torch.tensor([1, 3, 2]))
    return model


def test_decisions_by_hand() -> None:
    """Two support vectors of each of two classes; what speaks for the first speaks against the second."""
    model = KernelSVM(1, 2)
    support = torch.tensor([[0.0], [1.0], [3.0], [4.0]])
    weight = torch.tensor([[0.0, 0.0, -1.0, -2.0], [3.0, 4.0, 0.0, 0.0]])
    model.store(support, weight, torch.tensor([[0.0, 0.5], [0.5, 0.0]]), 0.5, torch.tensor([2, 2]))
    kernel = torch.exp(-0.5 * (torch.tensor([[2.0]]) - support).square()).flatten()
    expected = 3 * kernel[0] + 4 * kernel[1] - kernel[2] - 2 * kernel[3] + 0.5
    decisions = model.decisions(torch.tensor([[2.0]]))[0]
    torch.testing.assert_close(decisions, torch.tensor([[0.0, expected], [-expected, 0.0]]))


def test_without_support_vectors_every_class_is_as_good() -> None:
    assert built(Image(1, 8, 8))(torch.randn(5, 1, 8, 8)).shape == (5, 10)


def test_weights_are_read_back_whatever_their_number() -> None:
    model, other = fitted(), KernelSVM(4, 3)
    other.load_state_dict(model.state_dict())
    x = torch.randn(7, 4)
    assert torch.equal(other(x), model(x))
    assert not any(param.requires_grad for param in other.parameters())
    other.load_state_dict(KernelSVM(4, 3).state_dict())
    assert other.support.shape == (0, 4)


@pytest.mark.parametrize(
    "change",
    [
        {"support": torch.zeros(6, 5)},
        {"support": torch.zeros(5, 4)},
        {"weight": torch.zeros(3, 7)},
        {"counts": torch.tensor([1, 3, 3])},
        {"counts": torch.tensor([-1, 3, 4])},
        {"counts": torch.tensor([6])},
    ],
)
def test_weights_that_do_not_fit_each_other_are_refused(change) -> None:
    with pytest.raises(RuntimeError, match="support, weight and counts do not fit"):
        KernelSVM(4, 3).load_state_dict({**fitted().state_dict(), **change})


@pytest.mark.parametrize(("side", "cell"), [(28, 4), (64, 4), (65, 8), (224, 8)])
def test_cells_grow_with_the_picture(side, cell) -> None:
    model = built(Image(3, side, side), features="hog")
    assert model.cell == cell
    x = torch.randn(1, 3, side, side)
    torch.testing.assert_close(model.describe(x), hog(x, cell).flatten(1))
    assert model.support.shape == (0, model.describe(x).shape[1])


def test_pictures_are_described_in_parts_without_a_seam(monkeypatch) -> None:
    model, x = built(Image(1, 16, 16), features="hog"), torch.randn(7, 1, 16, 16)
    whole = model.describe(x)
    monkeypatch.setattr("fourfold.models.kernel_svm.AT_ONCE", 3)
    torch.testing.assert_close(model.describe(x), whole)


def test_what_does_not_fit_is_refused() -> None:
    with pytest.raises(InputError, match="two cells of 8 pixels do not fit into pictures of 1x15x20"):
        built(Image(1, 15, 20), features="hog", cell=8)
    with pytest.raises(InputError, match="hog needs pictures, but this data gives rows of 2 numbers"):
        built(Features(("a", "b")), features="hog")
    with pytest.raises(InputError, match=r"model.gamma: must be above 0, or scale \(got 0.0\)"):
        built(Image(1, 8, 8), gamma=0.0)
    with pytest.raises(InputError, match="kernel_svm is for classification"):
        MODELS.parse("kernel_svm", "model").build(RegressionSpec(Features(("a",)), ("u",), (0.0,), (1.0,)))
