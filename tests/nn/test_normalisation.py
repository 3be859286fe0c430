"""Every normalisation: equal to its equation and to torch's layer, in value, gradient and running statistics."""

import pytest
import torch
from torch import nn
from torch.nn import functional as F
from verification import verified

from fourfold.core.errors import InputError
from fourfold.nn import normalisation
from fourfold.nn.normalisation import BatchNorm, GroupNorm, InstanceNorm, LayerNorm, LocalResponseNorm, response_norm

SHAPE = (4, 6, 3, 2)
PAIRS = {
    "batch": (lambda: BatchNorm(6, eps=1e-3, momentum=0.3), lambda: nn.BatchNorm2d(6, eps=1e-3, momentum=0.3)),
    "layer": (lambda: LayerNorm(6, 3, 2, eps=1e-3), lambda: nn.LayerNorm([6, 3, 2], eps=1e-3)),
    "instance": (lambda: InstanceNorm(6, eps=1e-3), lambda: nn.InstanceNorm2d(6, eps=1e-3, affine=True)),
    "group": (lambda: GroupNorm(3, 6, eps=1e-3), lambda: nn.GroupNorm(3, 6, eps=1e-3)),
}
EQUATIONS = {
    "batch": lambda x: normalisation.batch_norm(x, 1e-3),
    "layer": lambda x: normalisation.layer_norm(x, 1e-3),
    "instance": lambda x: normalisation.instance_norm(x, 1e-3),
    "group": lambda x: normalisation.group_norm(x, 3, 1e-3),
}


def data(*shape: int, seed: int = 0) -> torch.Tensor:
    generator = torch.Generator().manual_seed(seed)
    return 3 * torch.randn(*(shape or SHAPE), generator=generator, dtype=torch.float64) + 2


def pair(name: str) -> tuple[nn.Module, nn.Module]:
    """Our layer and torch's, of the same weights, none of them one or zero."""
    ours, theirs = (make().double() for make in PAIRS[name])
    for mine, other in zip(ours.parameters(), theirs.parameters(), strict=True):
        mine.data.copy_(data(*mine.shape, seed=1))
        other.data.copy_(mine.data)
    return ours, theirs


@pytest.mark.promise("R14")
@pytest.mark.parametrize("name", PAIRS)
def test_equals_torchs_in_value_gradient_and_running_statistics(name) -> None:
    ours, theirs = pair(name)
    for mode in (True, True, False):  # twice, for the second batch's statistics are added to the first's
        x, same = data().requires_grad_(), data().requires_grad_()
        outputs = ours.train(mode)(x), theirs.train(mode)(same)
        torch.testing.assert_close(*outputs)
        for output in outputs:
            (output * data(seed=2)).sum().backward()
        torch.testing.assert_close(x.grad, same.grad)
        for mine, other in zip(ours.parameters(), theirs.parameters(), strict=True):
            torch.testing.assert_close(mine.grad, other.grad)
        grads = [[x.grad, *(p.grad for p in layer.parameters())] for layer, x in ((ours, x), (theirs, same))]
        verified("layer", f"{name}_norm", "torch's layer", "outputs", *outputs)
        verified("layer", f"{name}_norm", "torch's layer", "gradients", *grads)
    if name == "batch":
        verified(
            "layer", "batch_norm", "torch's layer", "statistics", *(dict(n.named_buffers()) for n in (ours, theirs))
        )
    assert list(ours.state_dict()) == list(theirs.state_dict())
    torch.testing.assert_close(dict(ours.state_dict()), dict(theirs.state_dict()))


@pytest.mark.promise("R14")
@pytest.mark.parametrize("name", EQUATIONS)
def test_equals_its_equation(name) -> None:
    ours, _ = pair(name)
    shape = SHAPE[1:] if name == "layer" else (6, 1, 1)
    x, same = data().requires_grad_(), data().requires_grad_()
    expected = EQUATIONS[name](same) * ours.weight.view(shape) + ours.bias.view(shape)
    torch.testing.assert_close(ours(x), expected)
    for output in (ours(x), expected):
        (output * data(seed=2)).sum().backward()
    torch.testing.assert_close(x.grad, same.grad)


def test_batch_norm_in_evaluation_is_the_equation_with_running_statistics() -> None:
    ours, _ = pair("batch")
    ours(data())
    mean, variance = data().mean((0, 2, 3)), data().transpose(0, 1).flatten(1).var(1)  # n - 1
    torch.testing.assert_close(ours.running_mean, 0.3 * mean)
    torch.testing.assert_close(ours.running_var, 0.7 + 0.3 * variance)
    column = (6, 1, 1)
    standard = (data(seed=3) - ours.running_mean.view(column)) / (ours.running_var.view(column) + 1e-3).sqrt()
    expected = standard * ours.weight.view(column) + ours.bias.view(column)
    torch.testing.assert_close(ours.eval()(data(seed=3)), expected)


@pytest.mark.promise("R14")
@pytest.mark.parametrize("name", [*PAIRS, "response", "response in groups"])
@pytest.mark.parametrize("training", [True, False])
def test_gradcheck(name, training) -> None:
    if name in PAIRS:
        layer = pair(name)[0].train(training)
    else:
        layer = LocalResponseNorm(6, n=3, alpha=0.3, groups=2 if "groups" in name else 1).double()
    x = data(2, *SHAPE[1:]).requires_grad_()
    params = {key: value.detach().clone().requires_grad_() for key, value in layer.named_parameters()}
    assert len(params) == (2 if name in PAIRS else 0)

    def output(x: torch.Tensor, *values: torch.Tensor) -> torch.Tensor:
        return torch.func.functional_call(layer, dict(zip(params, values, strict=True)), (x,))

    torch.autograd.gradcheck(output, (x, *params.values()))


RESPONSE = [(5, 1e-4, 0.75, 2.0), (5, 0.3, 0.75, 2.0), (3, 0.2, 0.5, 1.0), (13, 0.1, 1.1, 0.5), (1, 0.3, 0.75, 1.0)]


@pytest.mark.promise("R14")
@pytest.mark.parametrize(("n", "alpha", "beta", "k"), RESPONSE)
def test_response_norm_equals_its_equation_and_torchs_of_n_times_the_alpha(n, alpha, beta, k) -> None:
    layer = LocalResponseNorm(6, n, alpha, beta, k).double()
    inputs = [data().requires_grad_() for _ in range(3)]
    outputs = (
        layer(inputs[0]),
        response_norm(inputs[1], n, alpha, beta, k),
        F.local_response_norm(inputs[2], n, n * alpha, beta, k),
    )
    for output in outputs:
        (output * data(seed=2)).sum().backward()
    for output, x in zip(outputs[1:], inputs[1:], strict=True):
        torch.testing.assert_close(outputs[0], output)
        torch.testing.assert_close(inputs[0].grad, x.grad)
    verified("layer", "response_norm", "torch's function", "outputs", outputs[0], outputs[2])
    verified("layer", "response_norm", "torch's function", "gradients", inputs[0].grad, inputs[2].grad)


def test_response_norm_by_hand() -> None:
    """Three channels of 1, 2 and 3, n = 3, k = 2, alpha = 1, beta = 3/4."""
    x = torch.tensor([1.0, 2.0, 3.0]).view(1, 3, 1, 1)
    expected = [1 / (2 + 1 + 4) ** 0.75, 2 / (2 + 1 + 4 + 9) ** 0.75, 3 / (2 + 4 + 9) ** 0.75]
    torch.testing.assert_close(LocalResponseNorm(3, n=3, alpha=1.0)(x).flatten(), torch.tensor(expected))


def test_no_response_reaches_over_the_border_of_two_groups() -> None:
    x = data()
    halves = [LocalResponseNorm(3, alpha=0.3).double()(half) for half in x.chunk(2, dim=1)]
    torch.testing.assert_close(LocalResponseNorm(6, alpha=0.3, groups=2).double()(x), torch.cat(halves, 1))


@pytest.mark.parametrize("name", ["none", "batch", "layer", "instance", "group"])
def test_a_normalisation_is_made_by_its_name(name) -> None:
    x = data(4, 64, 3, 3)
    made = normalisation.make_normalisation(name, 64).double()(x)
    expected = {
        "none": x,
        "batch": normalisation.batch_norm(x),
        "layer": normalisation.layer_norm(x),
        "instance": normalisation.instance_norm(x),
        "group": normalisation.group_norm(x, 32),
    }
    torch.testing.assert_close(made, expected[name])


@pytest.mark.parametrize("shape", [(7, 6), (7, 6, 5), SHAPE, (2, 6, 3, 4, 5)])
def test_batch_norm_takes_any_number_of_dimensions(shape) -> None:
    theirs = {2: nn.BatchNorm1d, 3: nn.BatchNorm1d, 4: nn.BatchNorm2d, 5: nn.BatchNorm3d}[len(shape)](6)
    torch.testing.assert_close(BatchNorm(6).double()(data(*shape)), theirs.double()(data(*shape)))


@pytest.mark.parametrize("name", [*PAIRS, "response"])
def test_channels_last_memory_and_bf16_give_the_same(name) -> None:
    layer = pair(name)[0].float() if name in PAIRS else LocalResponseNorm(6, alpha=0.3)
    x = data().float()
    expected = layer(x)
    last = layer(x.contiguous(memory_format=torch.channels_last))
    assert last.is_contiguous(memory_format=torch.channels_last) or name in ("layer", "instance")
    torch.testing.assert_close(last, expected)
    with torch.autocast("cpu", dtype=torch.bfloat16):
        low = layer(x.bfloat16())
    torch.testing.assert_close(low.float(), layer(x.bfloat16().float()), rtol=0.02, atol=0.05)


def test_one_value_a_channel_has_no_variance() -> None:
    with pytest.raises(InputError, match="two values or more of each channel to train on, and this batch has one"):
        BatchNorm(6)(torch.zeros(1, 6))
    assert BatchNorm(6).eval()(torch.zeros(1, 6)).shape == (1, 6)


def test_what_cannot_be_cut_into_groups_is_refused() -> None:
    with pytest.raises(InputError, match="32 channels cannot be cut into 5 equal groups"):
        GroupNorm(5, 32)
    with pytest.raises(InputError, match="n = 4 must be odd"):
        LocalResponseNorm(8, n=4)
