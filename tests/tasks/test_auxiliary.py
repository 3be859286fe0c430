import pytest
import torch

from fourfold.losses import CrossEntropy
from fourfold.losses.focal import Focal
from fourfold.tasks.auxiliary import AuxiliaryLoss, WithAuxiliary
from fourfold.tasks.seam import Batch, LossValue

TARGETS = torch.tensor([0, 2, 1])


def outputs(count: int, dtype: torch.dtype = torch.float64) -> list[torch.Tensor]:
    generator = torch.Generator().manual_seed(0)
    return [torch.randn(3, 4, generator=generator).to(dtype).requires_grad_() for _ in range(count)]


def test_each_auxiliary_loss_is_added_with_its_weight() -> None:
    main, first, second = outputs(3)
    value = AuxiliaryLoss(CrossEntropy())(WithAuxiliary(main, (first, second), 0.3), Batch((), TARGETS))
    terms = [
        float(torch.nn.functional.cross_entropy(x, TARGETS, reduction="sum").detach()) for x in (main, first, second)
    ]
    assert float(value.total.detach()) == pytest.approx(terms[0] + 0.3 * (terms[1] + terms[2]))
    assert {name: float(term.detach()) for name, term in value.parts.items()} == {
        "main": pytest.approx(terms[0]),
        "auxiliary": pytest.approx(0.3 * (terms[1] + terms[2])),
    }
    assert value.count == 3  # examples, not outputs
    value.mean.backward()
    for x, weight in ((main, 1), (first, 0.3), (second, 0.3)):
        expected = weight * (x.detach().softmax(1) - torch.nn.functional.one_hot(TARGETS, 4)) / 3
        torch.testing.assert_close(x.grad, expected)


def test_any_loss_is_asked_and_its_own_parts_stay() -> None:
    def loss(output: torch.Tensor, batch: Batch) -> LossValue:
        return LossValue(output.sum(), 3, {"own": output.max()})

    main, first = outputs(2)
    value = AuxiliaryLoss(loss)(WithAuxiliary(main, (first,), 2.0), Batch((), TARGETS))
    assert set(value.parts) == {"own", "main", "auxiliary"}
    assert float(value.parts["own"].detach()) == float(main.max().detach())
    assert float(value.total.detach()) == pytest.approx(float((main.sum() + 2 * first.sum()).detach()))


def test_a_plain_output_passes_as_it_is() -> None:
    (x,) = outputs(1)
    value, plain = AuxiliaryLoss(Focal())(x, Batch((), TARGETS)), Focal()(x, TARGETS)
    assert float(value.total.detach()) == float(plain.total.detach())
    assert value.parts == plain.parts
    assert value.count == plain.count


def test_half_precision_is_summed_in_float32() -> None:
    main, first = outputs(2, torch.bfloat16)
    assert (
        AuxiliaryLoss(CrossEntropy())(WithAuxiliary(main, (first,), 0.3), Batch((), TARGETS)).total.dtype
        == torch.float32
    )
