"""A run that stops being finite stops before the update, and says where."""

from collections.abc import Callable
from pathlib import Path
from typing import Any
from unittest.mock import patch

import pytest
import torch
from stopping import around_steps, start_and_stop
from torch import Tensor, nn

from fourfold.algorithms.diagnosis import LATER
from fourfold.algorithms.supervised import Supervised
from fourfold.core.errors import DIVERGED, DivergedError
from fourfold.records.folder import RunFolder
from fourfold.run import session
from fourfold.run.build import build_training
from fourfold.run.checkpoint import load_newest
from fourfold.run.parts import load_recipe
from fourfold.run.run import resume, start
from fourfold.tasks.seam import Batch, LossValue, Training

AT = 5  # the step that goes wrong, counted from 0

RECIPE: dict[str, Any] = {
    "data": {"name": "two_moons", "num_examples": 60},
    "model": {"name": "mlp", "widths": [6, 5]},
    "loss": "cross_entropy",
    "algorithm": {"name": "supervised", "optimizer": "adam"},
    "budget": {"steps": 9, "batch_size": 12, "validate_every": 4, "checkpoint_every": 2, "log_every": 3},
    "runtime": {"device": "cpu", "threads": 1},
}


class GradientOnly(torch.autograd.Function):
    """The identity, with a gradient that is not a number."""

    @staticmethod
    def forward(ctx: Any, x: Tensor) -> Tensor:
        return x.clone()

    @staticmethod
    def backward(ctx: Any, *grads: Tensor) -> Tensor:
        return torch.full_like(grads[0], float("nan"))


def plant_input(training: Supervised, value: float) -> None:
    stream = training._stream

    def batch() -> Batch:
        drawn = next(stream)
        inputs = drawn.inputs[0].clone()
        inputs[3, 1] = value
        return Batch((inputs,), drawn.targets)

    training._stream = Planted(batch)  # type: ignore[assignment]


def plant_target(training: Supervised, value: float) -> None:
    stream = training._stream

    def batch() -> Batch:
        drawn = next(stream)
        targets = torch.nn.functional.one_hot(drawn.targets, 2).float()
        targets[7, 0] = value
        return Batch(drawn.inputs, targets)

    training._stream = Planted(batch)  # type: ignore[assignment]


class Planted:
    def __init__(self, batch: Callable[[], Batch]) -> None:
        self._batch = batch

    def __next__(self) -> Batch:
        return self._batch()


def plant_loss(training: Supervised, value: float) -> None:
    loss = training.loss
    planted = lambda output, batch: LossValue(loss(output, batch).total * value, len(output))  # noqa: E731
    training._objective.loss = planted


def plant_layer(training: Supervised, value: float) -> None:
    layer = training.network.get_submodule("layers.3")
    layer.register_forward_hook(lambda module, inputs, output: output + value)


def plant_parameter(training: Supervised, value: float) -> None:
    with torch.no_grad():
        training.network.get_parameter("layers.3.bias")[2] = value


def plant_gradient(training: Supervised, value: float) -> None:
    network = training.network
    layer = network.get_submodule("layers.3")
    layer.register_forward_hook(lambda module, inputs, output: GradientOnly.apply(output))


PLANTS = {
    "input": (plant_input, "input 0 of the batch is not finite in example 3"),
    "target": (plant_target, "the target is not finite in example 7 of the batch"),
    "loss": (plant_loss, "the loss is not finite, though every layer's output is"),
    "layer": (plant_layer, "the output of layer 'layers.3' (Linear) is not finite"),
    "parameter": (plant_parameter, "parameter 'layers.3.bias' is not finite"),
    "gradient": (plant_gradient, "the gradient of 'layers.3.bias' is not finite"),
}


# A ReLU turns minus infinity into 0; the test after the next is about that.
CASES = [
    (plant, value)
    for plant in PLANTS
    for value in (float("nan"), float("inf"), float("-inf"))
    if value != float("-inf") or plant not in ("layer", "parameter")
]


def bits(training: Training) -> list[bytes]:
    return [p.detach().numpy().tobytes() for p in training.model.parameters()]


@pytest.mark.promise("R5")
@pytest.mark.parametrize("accumulate", [1, 3])
@pytest.mark.parametrize(("plant", "value"), CASES)
def test_the_step_is_refused_and_named(plant: str, value: float, accumulate: int, tmp_path: Path) -> None:
    put, expected = PLANTS[plant]
    seen: dict[str, Any] = {}

    def change(training: Training, calls: int, step: Callable[[], LossValue]) -> LossValue:
        assert isinstance(training, Supervised)
        seen["training"] = training
        if calls == AT + 1:
            put(training, value)
            seen["before"], seen["optimizer"] = bits(training), str(training.optimizer.state_dict())
        return step()

    _, recipe = load_recipe(RECIPE, {"runtime.accumulate": accumulate})
    with around_steps(change), pytest.raises(DivergedError) as caught:
        start("moons", recipe, tmp_path)
    message = str(caught.value)
    assert caught.value.exit_code == DIVERGED
    assert message.startswith(f"step {AT}: {expected}"), message
    remedy = "mend that value in the data" if plant in ("input", "target") else "a smaller learning rate"
    assert f"the update was not made; {remedy}" in message
    assert "\n" not in message
    assert bits(seen["training"]) == seen["before"]
    assert str(seen["training"].optimizer.state_dict()) == seen["optimizer"]

    folder = RunFolder.open(tmp_path / "moons-1")
    assert folder.status == "diverged"
    result = folder.result()
    assert result is not None
    assert result["findings"] == [message]
    assert (result["steps"], caught.value.step) == (AT, AT)
    assert result["examples_per_second"] > 0
    checkpoint, problems = load_newest(folder.checkpoints)
    assert problems == []
    assert checkpoint.step == 4  # the last good one
    assert all(tensor.isfinite().all() for tensor in checkpoint.model.values())


@pytest.mark.promise("R5")
def test_before_the_first_update_the_learning_rate_is_not_blamed(tmp_path: Path) -> None:
    def change(training: Training, calls: int, step: Callable[[], LossValue]) -> LossValue:
        assert isinstance(training, Supervised)
        plant_layer(training, float("nan"))
        return step()

    with around_steps(change), pytest.raises(DivergedError, match="no update was made before: look at the scale"):
        start("moons", load_recipe(RECIPE)[1], tmp_path)


@pytest.mark.promise("R5")
def test_a_resumed_run_that_diverges_records_where_and_not_where_it_went_on(tmp_path: Path) -> None:
    folder = start_and_stop(load_recipe(RECIPE)[1], tmp_path, 3, "moons")

    def change(training: Training, calls: int, step: Callable[[], LossValue]) -> LossValue:
        assert isinstance(training, Supervised)
        if calls == 3:
            plant_layer(training, float("nan"))
        return step()

    with around_steps(change), pytest.raises(DivergedError, match=r"^step 5: "):
        resume(folder)
    result = RunFolder.open(folder.path).result()
    assert result is not None
    assert (result["status"], result["steps"]) == ("diverged", 5)


@pytest.mark.promise("R5")
def test_a_step_that_is_found_refused_later_is_recorded_and_not_the_look_up(tmp_path: Path) -> None:
    """A GPU is asked only at a look-up; the error then says which step before it was refused."""

    def build(*args: Any) -> Any:
        training, schedule, plan = build_training(*args)

        def check() -> None:
            if training._step >= 6:
                raise DivergedError("step 5: the output of a layer is not finite", 5)

        training.check = check  # type: ignore[method-assign]
        return training, schedule, plan

    with patch.object(session, "build_training", build), pytest.raises(DivergedError):
        start("moons", load_recipe(RECIPE)[1], tmp_path)
    result = RunFolder.open(tmp_path / "moons-1").result()
    assert result is not None
    assert result["steps"] == 5


@pytest.mark.promise("R5")
@pytest.mark.parametrize("value", [float("nan"), float("inf"), float("-inf")])
def test_a_weight_that_no_loss_shows_is_found_before_it_is_saved(value: float, tmp_path: Path) -> None:
    """A unit behind a ReLU can be minus infinity without a trace in the loss, and an update can overflow."""

    def change(training: Training, calls: int, step: Callable[[], LossValue]) -> LossValue:
        assert isinstance(training, Supervised)
        loss = step()
        if calls == AT + 1:
            plant_parameter(training, value)
        return loss

    with around_steps(change), pytest.raises(DivergedError) as caught:
        start("moons", load_recipe(RECIPE)[1], tmp_path)
    assert str(caught.value) == f"step {AT}: parameter 'layers.3.bias' is not finite after the update; {LATER}"
    checkpoint, _ = load_newest(tmp_path / "moons-1" / "checkpoints")
    assert checkpoint.step == 4
    assert all(tensor.isfinite().all() for tensor in checkpoint.model.values())


@pytest.mark.promise("R5")
def test_a_loss_that_is_only_large_is_not_refused(tmp_path: Path) -> None:
    _, recipe = load_recipe(RECIPE)

    def change(training: Training, calls: int, step: Callable[[], LossValue]) -> LossValue:
        assert isinstance(training, Supervised)
        if calls == 1:
            plant_loss(training, 1e30)
        return step()

    with around_steps(change):
        assert start("moons", recipe, tmp_path).status == "done"


@pytest.mark.promise("R5")
def test_looking_for_the_layer_changes_nothing() -> None:
    from fourfold.algorithms.diagnosis import diagnose

    network = nn.Sequential(nn.Linear(2, 3), nn.BatchNorm1d(3), nn.Dropout(0.5), nn.Linear(3, 2))
    batch = Batch((torch.full((4, 2), 1e38),), torch.zeros(4, dtype=torch.int64))
    before = {name: value.clone() for name, value in network.state_dict().items()}
    random = torch.get_rng_state()
    loss = lambda output, batch: LossValue(output.sum(), 4)  # noqa: E731
    error = diagnose(network, loss, batch, None, {}, 3)
    assert str(error).startswith("step 3: the output of layer ")
    assert all(torch.equal(value, before[name]) for name, value in network.state_dict().items())
    assert torch.equal(torch.get_rng_state(), random)
    assert not any(module._forward_hooks for module in network.modules())
