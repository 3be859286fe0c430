"""The losses of two players: the paper's equations, the best discriminator, and what each gives the generator."""

import pytest
import torch
from torch import Tensor
from torch.nn import functional as F
from verification import verified

from fourfold.core.errors import InputError
from fourfold.losses import LOSSES, Minimax, NonSaturating
from fourfold.tasks.classification import ClassificationSpec
from fourfold.tasks.inputs import Features
from fourfold.tasks.seam import Batch
from fourfold.tasks.synthesis import Judged, PointSynthesisSpec, TwoPlayerLoss

POINTS = PointSynthesisSpec(Features(("x", "y")))
LOSSES_OF_TWO = [Minimax(), NonSaturating(), Minimax(0.1), NonSaturating(0.1)]


def scores(count: int = 9) -> tuple[Tensor, Tensor]:
    generator = torch.Generator().manual_seed(2)
    given, made = torch.randn(2, count, generator=generator, dtype=torch.float64) * 3
    return given, made


@pytest.mark.parametrize("smoothing", [0.0, 0.1])
def test_the_discriminators_loss_is_the_value_of_the_game(smoothing) -> None:
    given, made = scores()
    d, g = given.sigmoid(), made.sigmoid()
    expected = -((1 - smoothing) * d.log() + smoothing * (1 - d).log() + (1 - g).log()).sum()  # Eq. 1
    for name, loss in (("minimax", Minimax(smoothing)), ("non_saturating", NonSaturating(smoothing))):
        value = loss.of_discriminator(given, made)
        verified("loss", name, "the equations", "values", value.total, expected)
        torch.testing.assert_close(value.total, expected, rtol=1e-12, atol=0)
        assert value.count == 9
    labels = torch.full_like(given, 1 - smoothing)
    twice = F.binary_cross_entropy_with_logits(given, labels, reduction="sum")
    twice += F.binary_cross_entropy_with_logits(made, torch.zeros_like(made), reduction="sum")
    torch.testing.assert_close(value.total, twice, rtol=1e-12, atol=0)


def test_the_generators_losses_are_the_papers() -> None:
    _, made = scores()
    d = made.sigmoid()
    torch.testing.assert_close(Minimax().of_generator(made).total, (1 - d).log().sum(), rtol=1e-10, atol=0)
    torch.testing.assert_close(NonSaturating().of_generator(made).total, -d.log().sum(), rtol=1e-10, atol=0)
    assert Minimax().of_generator(made).count == 9
    made.requires_grad_()
    d = made.sigmoid()
    for name, loss, equation in (("minimax", Minimax(), (1 - d).log()), ("non_saturating", NonSaturating(), -d.log())):
        value = loss.of_generator(made).total
        verified("loss", name, "the equations", "values", value, equation.sum())
        grads = [torch.autograd.grad(each, made, retain_graph=True)[0] for each in (value, equation.sum())]
        verified("loss", name, "the equations", "gradients", *grads)


def test_where_the_discriminator_sees_through_it_only_one_of_them_still_teaches() -> None:
    made = torch.tensor([-12.0], requires_grad=True)
    (flat,) = torch.autograd.grad(Minimax().of_generator(made).total, made)
    (steep,) = torch.autograd.grad(NonSaturating().of_generator(made).total, made)
    assert flat.item() == pytest.approx(-torch.tensor(-12.0).sigmoid().item(), rel=1e-5)
    assert steep.item() == pytest.approx(-1, abs=1e-4)


@pytest.mark.parametrize("smoothing", [0.0, 0.2])
def test_the_best_discriminator_of_two_known_densities(smoothing) -> None:
    # points 0, 1, 2 with probabilities p given and q made, and a free score at each: D* = (1 - s) p / (p + q)
    p, q = torch.tensor([[0.5, 0.3, 0.2], [0.1, 0.3, 0.6]], dtype=torch.float64)
    score = torch.zeros(3, dtype=torch.float64, requires_grad=True)
    loss = Minimax(smoothing)
    given = torch.arange(3).repeat_interleave((10 * p).round().long())  # ten points of each, in those proportions
    made = torch.arange(3).repeat_interleave((10 * q).round().long())
    for _ in range(300):
        (grad,) = torch.autograd.grad(loss.of_discriminator(score[given], score[made]).mean, score)
        with torch.no_grad():
            score -= 10 * grad
    torch.testing.assert_close(score.sigmoid().detach(), (1 - smoothing) * p / (p + q), rtol=1e-6, atol=1e-6)


@pytest.mark.promise("R14")
@pytest.mark.parametrize("loss", LOSSES_OF_TWO, ids=lambda loss: f"{type(loss).__name__}-{loss.label_smoothing}")
def test_gradients(loss) -> None:
    given, made = (part.requires_grad_() for part in scores())
    assert torch.autograd.gradcheck(lambda a, b: loss.of_discriminator(a, b).total, (given, made))
    assert torch.autograd.gradcheck(lambda b: loss.of_generator(b).total, (made,))


@pytest.mark.promise("R13")
@pytest.mark.parametrize("loss", LOSSES_OF_TWO, ids=lambda loss: f"{type(loss).__name__}-{loss.label_smoothing}")
def test_a_ragged_split_adds_up_to_the_whole(loss) -> None:
    given, made = scores()
    pieces = [loss.of_discriminator(a, b) for a, b in zip(given.split(4), made.split(4), strict=True)]
    torch.testing.assert_close(sum(p.total for p in pieces), loss.of_discriminator(given, made).total)
    assert sum(p.count for p in pieces) == 9


def test_called_like_any_loss_it_is_the_discriminators() -> None:
    given, made = scores()
    loss = NonSaturating()
    value = loss(Judged(given, made), Batch((), torch.zeros(9)))
    assert torch.equal(value.total, loss.of_discriminator(given, made).total)


def test_scores_of_half_precision_are_summed_in_float32() -> None:
    given, made = (part.bfloat16() for part in scores(700))
    for loss in LOSSES_OF_TWO:
        assert torch.equal(
            loss.of_discriminator(given, made).total, loss.of_discriminator(given.float(), made.float()).total
        )
        assert torch.equal(loss.of_generator(made).total, loss.of_generator(made.float()).total)


@pytest.mark.parametrize(("name", "kind"), [("minimax", Minimax), ("non_saturating", NonSaturating)])
def test_the_recipe_reaches_the_loss(name, kind) -> None:
    loss = LOSSES.parse({"name": name, "label_smoothing": 0.3}, "loss").build(POINTS)
    assert type(loss) is kind
    assert loss.label_smoothing == 0.3
    assert isinstance(loss, TwoPlayerLoss)
    assert type(LOSSES.parse("usual", "loss").build(POINTS)) is NonSaturating
    with pytest.raises(InputError, match=f"{name} is for synthesis, but this data poses classification"):
        LOSSES.parse(name, "loss").build(ClassificationSpec(Features(("x",)), ("a", "b")))
