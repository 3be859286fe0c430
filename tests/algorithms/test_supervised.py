"""Supervised descent: hooks in their order, and micro-batches that add up to the batch."""

from collections.abc import Mapping
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from fourfold.algorithms.optimizers import OPTIMIZERS, Momentum
from fourfold.algorithms.regularizers.base import Regularizer
from fourfold.algorithms.schedules import SCHEDULES
from fourfold.algorithms.supervised import Supervised, SupervisedConfig
from fourfold.core.errors import InputError
from fourfold.data import DATA
from fourfold.losses import LOSSES
from fourfold.models import MODELS
from fourfold.tasks.seam import Batch, LossValue, Plan, Source

HOOKS = ["on_batch", "before_forward", "after_backward", "on_gradients", "before_update", "after_update"]


def source(tmp_path: Any, **fields: Any) -> Source:
    data = DATA.parse({"name": "two_moons", "num_examples": 60, "validation": 0.15, "test": 0.15, **fields}, "data")
    return data.build(0, tmp_path)  # type: ignore[attr-defined]


def network(spec: Any, seed: int = 3) -> nn.Module:
    torch.manual_seed(seed)
    return MODELS.parse({"name": "mlp", "widths": [6], "activation": "tanh"}, "model").build(spec)  # type: ignore[attr-defined]


class Recording(Regularizer):
    """Writes down each hook, and what has happened to weights and gradients by then."""

    def __init__(self, model: nn.Module, plan: Plan, name: str, log: list[Any]) -> None:
        super().__init__(model, plan)
        self.name, self.log = name, log

    def note(self, hook: str) -> None:
        weight = next(self.model.parameters())
        self.log.append(
            (hook, self.name, weight.detach().clone(), None if weight.grad is None else weight.grad.clone())
        )

    def on_batch(self, batch: Batch, step: int) -> Batch:
        self.note("on_batch")
        return Batch((batch.inputs[0] * 2,), batch.targets)

    def before_forward(self, step: int) -> None:
        self.note("before_forward")

    def after_backward(self) -> None:
        self.note("after_backward")

    def on_gradients(self, params: list[nn.Parameter], grads: list[Tensor]) -> None:
        assert [p.shape for p in params] == [g.shape for g in grads]
        self.note("on_gradients")
        torch._foreach_mul_(grads, 0.5)

    def before_update(self, params: list[nn.Parameter], lr: float) -> None:
        self.lr = lr
        self.note("before_update")

    def after_update(self, step: int) -> None:
        self.note("after_update")

    def validated(self, step: int, metrics: Mapping[str, float]) -> str | None:
        self.log.append(("validated", self.name))
        return "enough" if self.name == "b" else None

    def finish(self) -> str | None:
        return f"{self.name} is done" if self.name == "a" else None

    def explain(self) -> list[tuple[str, str]]:
        return [(hook, f"{self.name}: {hook}") for hook in reversed(HOOKS)]


def build(tmp_path: Any, log: list[Any] | None, loss: Any = None, **plan: Any) -> Supervised:
    data = source(tmp_path)
    spec = data.spec
    model = network(spec)
    made = Plan(seed=1, steps=10, **{"batch_size": 12, **plan})
    config = OPTIMIZERS.parse({"name": "sgd", "lr": 0.1}, "optimizer")
    schedule = SCHEDULES.parse({"name": "cosine"}, "schedule")
    return Supervised(
        model,
        loss or LOSSES.parse("cross_entropy", "loss").build(spec),  # type: ignore[attr-defined]
        data,
        made,
        config.build(list(model.parameters())),  # type: ignore[attr-defined]
        schedule.build(made.steps),  # type: ignore[attr-defined]
        [] if log is None else [Recording(model, made, name, log) for name in ("a", "b")],
    )


def test_hooks_in_order_each_where_it_says(tmp_path: Any) -> None:
    log: list[Any] = []
    training = build(tmp_path, log)
    data = source(tmp_path)
    twin, batch = network(data.spec), next(data.train(training.plan.order))
    training.step()
    assert [(entry[0], entry[1]) for entry in log] == [(hook, name) for hook in HOOKS for name in ("a", "b")]
    weights = [entry[2] for entry in log]
    assert all(torch.equal(weight, weights[0]) for weight in weights[:10])  # nothing moves before the update
    assert all(entry[3] is None for entry in log[:4])  # the last step's gradients are gone before the forward pass
    # what the model saw: the batch doubled twice; the gradient: of the mean, halved twice before the update
    torch.nn.functional.cross_entropy(twin(batch.inputs[0] * 4), batch.targets).backward()
    gradient = next(twin.parameters()).grad
    assert gradient is not None
    assert log[4][3] is not None
    torch.testing.assert_close(log[6][3], gradient)  # a sees the gradient as it is,
    torch.testing.assert_close(log[7][3], gradient / 2)  # b what a made of it
    torch.testing.assert_close(weights[10], weights[0] - 0.1 * gradient / 4)
    assert torch.equal(weights[11], weights[10])
    log.clear()
    training.step()
    assert log[0][3] is not None  # gradients stay until the next step, for those who look
    assert log[4][3] is not None


def test_the_update_is_at_this_step_s_learning_rate(tmp_path: Any) -> None:
    log: list[Any] = []
    training = build(tmp_path, log)
    factor = SCHEDULES.parse("cosine", "schedule").build(10)  # type: ignore[attr-defined]
    for step in range(4):
        training.step()
        regularizer = training.regularizers[0]
        assert regularizer.lr == pytest.approx(0.1 * factor(step))  # type: ignore[attr-defined]
        assert training.gauges().get("lr", regularizer.lr) == pytest.approx(regularizer.lr)  # type: ignore[attr-defined]


def test_hooks_that_are_not_overridden_cost_nothing(tmp_path: Any) -> None:
    log: list[Any] = []
    training = build(tmp_path, log)

    class Idle(Regularizer):
        pass

    assert [len(each) for each in (training._on_batch, training._before_forward, training._after_update)] == [2, 2, 2]
    idle = Supervised(
        training.network, training.loss, source(tmp_path), training.plan, training.optimizer, training.schedule,
        [Idle(training.network, training.plan)],
    )  # fmt: skip
    hooks = (idle._on_batch, idle._before_forward, idle._on_gradients, idle._before_update, idle._after_update)
    assert hooks == ([], [], [], [], [])


def test_explain_lists_hooks_in_the_order_of_a_step(tmp_path: Any) -> None:
    lines = build(tmp_path, [], accumulate=3).explain()
    hooks = [line for line in lines if line[:3] in ("a: ", "b: ")]
    assert hooks == [f"{name}: {hook}" for hook in HOOKS for name in ("a", "b")]
    at = {line: i for i, line in enumerate(lines)}
    landmarks = {
        "draw the next 12 training examples": (None, "a: on_batch"),
        "set the learning rate": ("b: on_batch", "a: before_forward"),
        "forward: MLP, in 3 micro-batches": ("b: before_forward", None),
        "loss: CrossEntropy, summed over examples": (None, None),
        "backward: gradient of the mean loss": (None, "a: after_backward"),
        "stop if the loss or a gradient is not finite": ("b: after_backward", "a: on_gradients"),
        "update: SGD": ("b: before_update", "a: after_update"),
    }
    assert [at[line] for line in landmarks] == sorted(at[line] for line in landmarks)
    for line, (before, after) in landmarks.items():
        assert before is None or at[before] == at[line] - 1
        assert after is None or at[after] == at[line] + 1
    assert "in 3 micro-batches" not in " ".join(build(tmp_path, None).explain())


def test_validated_and_finish_ask_every_regularizer(tmp_path: Any) -> None:
    log: list[Any] = []
    training = build(tmp_path, log)
    assert training.validated(4, {"loss": 1.0}) == "enough"
    assert log == [("validated", "a"), ("validated", "b")]
    assert training.finish() == ["a is done"]


def test_one_reason_to_stop_keeps_no_regularizer_from_hearing(tmp_path: Any) -> None:
    log: list[Any] = []
    training = build(tmp_path, log)
    training.regularizers.reverse()
    assert training.validated(4, {"loss": 1.0}) == "enough"
    assert log == [("validated", "b"), ("validated", "a")]


@pytest.mark.parametrize("accumulate", [1, 5])
def test_a_run_is_a_plain_torch_loop(accumulate: int, tmp_path: Any) -> None:
    """Two epochs, each ending in a batch of 6 after three of 12; two groups with learning rates of their own."""
    data, steps = source(tmp_path), 8
    plan = Plan(seed=1, steps=steps, batch_size=12, accumulate=accumulate)
    ours, theirs = network(data.spec), network(data.spec)

    def groups(model: nn.Module) -> list[dict[str, Any]]:
        first, *rest = model.parameters()
        return [{"params": [first], "lr": 0.3}, {"params": rest}]

    schedule = SCHEDULES.parse("cosine", "schedule").build(steps)  # type: ignore[attr-defined]
    loss = LOSSES.parse("cross_entropy", "loss").build(data.spec)  # type: ignore[attr-defined]
    training = Supervised(ours, loss, data, plan, Momentum(groups(ours), lr=0.1, momentum=0.9), schedule, [])
    optimizer = torch.optim.SGD(groups(theirs), lr=0.1, momentum=0.9)
    decay = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, steps)
    batches = data.train(plan.order)
    sizes = []
    for _ in range(steps):
        batch = next(batches)
        optimizer.zero_grad()
        mean = nn.functional.cross_entropy(theirs(*batch.inputs), batch.targets)
        mean.backward()
        optimizer.step()
        decay.step()
        value = training.step()
        sizes.append(int(value.count))
        torch.testing.assert_close(value.mean, mean.detach(), rtol=1e-5, atol=1e-6)
        for p, q in zip(ours.parameters(), theirs.parameters(), strict=True):
            torch.testing.assert_close(p, q, rtol=1e-5, atol=1e-6)
    assert sizes == 2 * [12, 12, 12, 6]


def of_class_one(output: Tensor, batch: Batch) -> LossValue:
    """A loss that counts only some examples: how many is known on the device alone."""
    counted = (batch.targets == 1).to(output.dtype)
    each = torch.nn.functional.cross_entropy(output, batch.targets, reduction="none")
    return LossValue((each * counted).sum(), counted.sum())


@pytest.mark.promise("R13")
@pytest.mark.parametrize("loss", [None, of_class_one], ids=["every example counts", "the count is a tensor"])
@pytest.mark.parametrize("accumulate", [2, 3, 5, 12, 40])
def test_micro_batches_add_up_to_the_batch(accumulate: int, loss: Any, tmp_path: Any) -> None:
    """42 training examples in batches of 12: the fourth batch has 6, and no number of pieces divides all evenly."""
    whole, pieces = build(tmp_path, None, loss), build(tmp_path, None, loss, accumulate=accumulate)
    sizes = set()
    for _ in range(8):
        a, b = whole.step(), pieces.step()
        sizes.add(int(a.count))
        assert int(a.count) == int(b.count)
        torch.testing.assert_close(a.total, b.total)
        for p, q in zip(whole.params, pieces.params, strict=True):
            torch.testing.assert_close(p.grad, q.grad, rtol=1e-4, atol=1e-6)
            torch.testing.assert_close(p, q, rtol=1e-4, atol=1e-6)
    assert len(sizes) > 1  # a ragged batch was among them


@pytest.mark.promise("R13")
def test_named_terms_of_the_loss_add_up_too(tmp_path: Any) -> None:
    def in_terms(output: Tensor, batch: Batch) -> LossValue:
        fit = torch.nn.functional.cross_entropy(output, batch.targets, reduction="sum")
        size = output.square().sum()
        return LossValue(fit + 0.1 * size, len(output), {"fit": fit.detach(), "size": size.detach()})

    a, b = build(tmp_path, None, in_terms).step(), build(tmp_path, None, in_terms, accumulate=5).step()
    assert set(b.parts) == {"fit", "size"}
    for name in a.parts:
        torch.testing.assert_close(a.parts[name], b.parts[name])


def test_one_graph_is_refused_where_it_cannot_be(tmp_path: Any) -> None:
    with pytest.raises(InputError, match=r"^runtime.compile: 'step' is for one process without accumulation"):
        build(tmp_path, None, compile="step", accumulate=2)


def test_frozen_parameters_are_left_alone(tmp_path: Any) -> None:
    data = source(tmp_path)
    model = network(data.spec)
    frozen = next(model.parameters()).requires_grad_(False)
    before = frozen.clone()
    config = SupervisedConfig.model_validate({"optimizer": "adam"})
    loss = LOSSES.parse("cross_entropy", "loss").build(data.spec)  # type: ignore[attr-defined]
    training = config.build(model, loss, data, Plan(seed=1, steps=3, batch_size=12))
    training.step()
    assert torch.equal(frozen, before)
    assert len(training.params) == len(list(model.parameters())) - 1
