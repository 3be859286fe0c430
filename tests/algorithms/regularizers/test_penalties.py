"""Weight decay of three kinds: the gradient of the penalty, and torch.optim's own weight_decay."""

import pytest
import torch
from torch import nn
from verification import verified

from fourfold.algorithms.regularizers.l1 import add_l1_gradient
from fourfold.algorithms.regularizers.weight_decay import add_l2_gradient

RATE = 0.03
TWINS = {
    "sgd": lambda p, lr: torch.optim.SGD(p, lr=lr, weight_decay=RATE),
    "momentum": lambda p, lr: torch.optim.SGD(p, lr=lr, momentum=0.9, weight_decay=RATE),
    "nesterov": lambda p, lr: torch.optim.SGD(p, lr=lr, momentum=0.9, nesterov=True, weight_decay=RATE),
    "adagrad": lambda p, lr: torch.optim.Adagrad(p, lr=lr, weight_decay=RATE),
    "adadelta": lambda p, lr: torch.optim.Adadelta(p, lr=lr, weight_decay=RATE),
    "rmsprop": lambda p, lr: torch.optim.RMSprop(p, lr=lr, weight_decay=RATE),
    "adam": lambda p, lr: torch.optim.Adam(p, lr=lr, weight_decay=RATE),
}


@pytest.mark.promise("R14")
@pytest.mark.parametrize("name", list(TWINS))
def test_l2_with_each_optimizer_equals_torch(toy, name) -> None:
    lr = 0.02
    ours = toy.training([{"name": "weight_decay", "rate": RATE, "biases": True}], {"name": name, "lr": lr})
    twin = toy.net()
    optimizer = TWINS[name](twin.parameters(), lr)
    for step in range(60):
        ours.step()
        optimizer.zero_grad()
        toy.by_hand(twin, step).backward()
        optimizer.step()
    both = [dict(net.named_parameters()) for net in (ours.model, twin)]
    verified("regularizer", "weight_decay", "torch.optim's weight_decay, 60 steps of each optimizer", "values", *both)
    torch.testing.assert_close(
        dict(ours.model.named_parameters()), dict(twin.named_parameters()), rtol=1e-9, atol=1e-11
    )


@pytest.mark.promise("R14")
def test_decoupled_decay_with_adam_equals_adamw(toy) -> None:
    ours = toy.training(
        [{"name": "decoupled_weight_decay", "rate": 0.5, "biases": True}], {"name": "adam", "lr": 0.02}, "cosine"
    )
    twin = toy.net()
    optimizer = torch.optim.AdamW(twin.parameters(), lr=0.02, weight_decay=0.5)
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, 100)
    for step in range(60):
        ours.step()
        optimizer.zero_grad()
        toy.by_hand(twin, step).backward()
        optimizer.step()
        schedule.step()
    both = [dict(net.named_parameters()) for net in (ours.model, twin)]
    verified("regularizer", "decoupled_weight_decay", "torch.optim.AdamW, 60 steps", "values", *both)
    torch.testing.assert_close(
        dict(ours.model.named_parameters()), dict(twin.named_parameters()), rtol=1e-9, atol=1e-11
    )


@pytest.mark.parametrize(
    ("name", "add", "penalty"),
    [
        ("weight_decay", add_l2_gradient, lambda w: RATE / 2 * w.square().sum()),
        ("l1", add_l1_gradient, lambda w: RATE * w.abs().sum()),
    ],
    ids=["l2", "l1"],
)
def test_is_the_gradient_of_the_penalty(name, add, penalty) -> None:
    torch.manual_seed(0)
    weights = [
        torch.randn(3, 4, dtype=torch.float64).requires_grad_(),
        torch.zeros(2, dtype=torch.float64).requires_grad_(),
    ]
    expected = [1.5 + g for g in torch.autograd.grad(sum(penalty(w) for w in weights), weights)]
    grads = [torch.full_like(w, 1.5) for w in weights]
    with torch.no_grad():
        add(grads, weights, RATE)
    verified("regularizer", name, "autograd of the penalty", "values", grads, expected)
    torch.testing.assert_close(grads, expected, rtol=1e-14, atol=0)


@pytest.mark.parametrize("name", ["weight_decay", "l1", "decoupled_weight_decay"])
@pytest.mark.parametrize("biases", [False, True])
def test_biases_and_gains_are_left_alone_unless_asked_for(toy, name, biases) -> None:
    params = [nn.Parameter(torch.ones(2, 2)), nn.Parameter(torch.ones(3)), nn.Parameter(torch.ones(()))]
    grads = [torch.zeros_like(p) for p in params]
    own = toy.regularizer({"name": name, "rate": 0.5, "biases": biases})
    own.on_gradients(params, grads)
    own.before_update(params, 1.0)
    touched = [bool((p != 1).any() or (g != 0).any()) for p, g in zip(params, grads, strict=True)]
    assert touched == [True, biases, biases]
    assert all(p.requires_grad and p.grad_fn is None for p in params)


def test_decoupled_decay_by_hand(toy) -> None:
    param = nn.Parameter(torch.full((1, 2), 8.0))
    toy.regularizer({"name": "decoupled_weight_decay", "rate": 0.5}).before_update([param], 0.25)
    assert param.tolist() == [[7.0, 7.0]]
